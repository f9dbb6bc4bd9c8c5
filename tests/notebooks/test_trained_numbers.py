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
    ch01.train_language_model(model, seed=5)
    assert 1.87 < ch01.test_loss(model) < 1.95 < ch01.guesses()["the last word"]
    assert (accuracy([model], prefers, seeds=(5,)).accuracy[:, 2:] < 0.6).all()
    assert twin_distance(model, corpora()[1])[20] < 0.1


def test_ch01_frozen_networks_hold_what_the_chapter_says():
    from course_utils.measure.memory import frozen_recall, reach

    assert 5 <= reach(frozen_recall(64, 8).accuracy).mean() <= 9


def test_ch01_recorded_numbers_say_what_the_chapter_says():
    stored = recorded("ch01")
    last = {int(updates): np.array(found["accuracy"])[:, -1] for updates, found in stored["agreement"].items()}
    assert tuple(sorted(last)) == ch01.UPDATES
    assert last[4_000].mean() < 0.6
    assert last[8_000].min() > 0.97
    recall = stored["trained_recall"]
    assert np.array(recall["accuracy"])[:, recall["lags"].index(24)].min() > 0.95
    assert np.array(recall["accuracy"])[:, recall["lags"].index(40)].max() < 0.9
    nested = {int(units): np.array(found).mean(0) for units, found in stored["nested"]["accuracy"].items()}
    assert nested[4][3] > 0.95 > nested[4][4]
    assert nested[2][3] < nested[4][3] <= nested[8][3]
    assert nested[4][7] < nested[8][7] < nested[16][7]
    worth = np.log(2) / (np.asarray(corpora()[1].mask).sum(1).mean() - 1)
    assert abs((ch01.guesses()["the last word"] - stored["loss"]) - 0.165) < 0.03
    assert 0.02 < worth < 0.03
