"""Numbers that training gives, as ranges over seeds: they differ between processors and jax versions."""

import numpy as np

from course_utils.experiments import ch00, ch01
from course_utils.experiments.agreement import SEEDS, accuracy, corpora
from course_utils.measure.agreement import prefers
from course_utils.measure.states import twin_distance
from course_utils.runtime import recorded


def test_ch00_asked_directly_a_plain_network_keeps_one_bit_over_forty_words():
    found = ch00.three_seeds()
    assert found.accuracy.shape == (3, 10)
    assert found.accuracy[:, -1].min() >= 0.9
    assert np.median(found.accuracy[:, -1]) >= 0.97
    for name in ("majority", "nearest noun", "first noun"):
        assert (found.accuracy[:, -1] > found.baselines[name][-1] + 0.1).all(), name
    assert 0.68 <= found.baselines["first noun"].mean() <= 0.82


def test_ch00_recorded_numbers_are_of_these_settings():
    stored = recorded("ch00")
    assert stored["updates"] == ch00.UPDATES
    assert stored["seeds"] == list(SEEDS)
    assert np.array(stored["accuracy"])[:, -1].min() >= 0.9
    assert {"device", "versions", "date"} <= set(stored)


def test_ch01_shipped_language_model_agrees_at_every_distance():
    found = accuracy([ch01.well_trained().model], prefers, seeds=(0,))
    assert ch01.well_trained().origin == "shipped"
    assert (found.accuracy >= 0.97).all()
    assert twin_distance(ch01.well_trained().model, corpora()[1])[-1] > 0.5


def test_ch01_a_short_training_predicts_words_but_forgets_the_number(monkeypatch):
    from flax import nnx

    model = ch01.language_model(nnx.Rngs(5))
    history = ch01.train_language_model(model, seed=5)
    assert 1.87 < ch01.test_loss(model) < 1.95 < ch01.guesses()["the last word"]
    assert (accuracy([model], prefers, seeds=(5,)).accuracy[:, 2:] < 0.6).all()
    assert twin_distance(model, corpora()[1])[20] < 0.1
    steps = history.losses.reshape(-1, 20).mean(1)
    assert (steps[10:] < ch01.guesses()["the last word"]).all()  # within two hundred updates


def test_ch01_frozen_networks_hold_what_the_chapter_says():
    from course_utils.measure.memory import frozen_recall, reach

    assert 5 <= reach(frozen_recall(64, 8).accuracy).mean() <= 9


def test_ch01_recorded_numbers_say_what_the_chapter_says():
    stored = recorded("ch01")
    words = {int(updates): found for updates, found in stored["words"].items()}
    assert tuple(sorted(words)) == ch01.UPDATES
    accuracy = {updates: np.array(found["accuracy"]) for updates, found in words.items()}
    readers = np.max(list(words[4_000]["baselines"].values()), axis=0)
    assert (accuracy[2_000] < 0.65).all()
    assert accuracy[4_000][:, -1].mean() < 0.6
    assert (accuracy[4_000][:, 0] > readers[0]).sum() == 1
    assert (accuracy[8_000] > 0.97).all()
    assert np.array(words[1_000]["twins"])[:, 20].max() < 0.1
    assert np.array(words[8_000]["twins"])[:, -1].min() > 0.5
    assert np.array(stored["asked"]["twins"])[:, -1].min() > 0.5
    assert np.abs(np.array(words[1_000]["number_loss"]) - np.log(2)).max() < 0.01
    assert max(words[8_000]["number_loss"]) < 0.05
    weighted = stored["weighted_verb"]
    assert np.array(weighted["1000"]["accuracy"])[:, -1].mean() < 0.6
    assert np.array(weighted["2000"]["accuracy"]).min() > 0.97
    recall = stored["trained_recall"]
    assert np.array(recall["accuracy"])[:, recall["lags"].index(24)].min() > 0.95
    assert np.array(recall["accuracy"])[:, recall["lags"].index(40)].max() < 0.9


def test_ch01_nested_subjects_as_recorded():
    nested = recorded("ch01")["nested"]
    deepest = lambda updates, units: int(np.cumprod(np.mean(nested[updates][units], axis=0) >= 0.95).sum())
    assert [deepest("16000", units) for units in ("4", "8", "16")] == [4, 8, 15]
    assert [deepest("4000", units) for units in ("4", "8", "16")] == [4, 6, 11]
    two = [int(np.cumprod(np.array(run) >= 0.95).sum()) for run in nested["16000"]["2"]]
    assert sorted(two) == [1, 2, 2]
