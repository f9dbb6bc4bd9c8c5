"""Costs of layers: what is measured, not how fast it is."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from course_utils.measure import speed
from course_utils.measure.speed import (
    LAYERS,
    TOO_LONG,
    WOULD_NOT_FIT,
    Cost,
    crossover,
    exponent,
    peak_memory,
    race,
)
from course_utils.runtime import InvalidInput


@pytest.mark.parametrize("layer", LAYERS)
def test_a_step_is_timed_and_its_memory_is_read(layer):
    found = race((8,), 2, 8, (layer,), repeats=1)[layer][0]
    assert (found.seconds or 0) > 0
    assert found.bytes > 2 * 8 * 8 * 4
    assert found.skipped == ""


def test_memory_of_attention_grows_with_the_square_and_of_a_recurrence_with_the_length():
    def growth(layer):
        small, large = (peak_memory(speed.training_step(layer, n, 4, 8)[0]) for n in (256, 1_024))
        return math.log(large / small, 4)

    assert growth("self-attention") > 1.8
    assert growth("in pieces") < 1.2
    assert 0.8 < growth("GRU") < 1.1


def test_what_would_not_fit_is_not_run(monkeypatch):
    def never(*calls, repeats):
        assert not calls
        return []

    monkeypatch.setattr(speed, "free_memory", lambda: 1_000)
    monkeypatch.setattr(speed, "seconds", never)
    found = race((32,), 2, 8, ("self-attention",))["self-attention"][0]
    assert found.seconds is None
    assert found.skipped == WOULD_NOT_FIT
    assert found.bytes > 500


def test_after_a_slow_step_longer_ones_are_not_run():
    found = race((4, 8, 16), 1, 8, ("RNN",), repeats=1, limit=0.0)["RNN"]
    assert found[0].seconds is not None
    assert [one.skipped for one in found] == ["", TOO_LONG, TOO_LONG]


def test_layers_of_one_length_are_run_in_turn(monkeypatch):
    rounds = []
    monkeypatch.setattr(speed, "seconds", lambda *calls, repeats: rounds.append(len(calls)) or [1.0] * len(calls))
    race((4, 8), 1, 8, ("RNN", "GRU"))
    assert rounds == [2, 2]


def test_exponents_are_found_again():
    n = [16, 32, 64, 128]
    assert exponent(n, [2.0 * k**1.5 for k in n]) == pytest.approx(1.5)
    assert exponent(n, [5.0, *[k**2 for k in n[1:]]]) == pytest.approx(2)  # the longest three
    assert exponent(n, [1.0, 4.0, 16.0, None]) == pytest.approx(2)
    assert np.isnan(exponent(n, [1.0, 2.0, None, None]))


def test_the_crossover_lies_between_the_measured_lengths():
    n = (16, 64, 256)

    def costs(attention, gru):
        return {"self-attention": [Cost(s, 1) for s in attention], "GRU": [Cost(s, 1) for s in gru]}

    assert crossover(n, costs((1, 4, 16), (2, 4, 8)), "GRU") == pytest.approx(64)
    assert crossover(n, costs((1, 2, 16), (2, 4, 8)), "GRU") == pytest.approx(128)
    assert crossover(n, costs((1, 2, 3), (2, 4, 8)), "GRU") is None
    assert crossover(n, costs((3, 5, 9), (2, 4, 8)), "GRU") == 0
    too_large = costs((1, 2, 3), (2, 4, 8))
    too_large["self-attention"][2] = Cost(None, 1, WOULD_NOT_FIT)
    assert crossover(n, too_large, "GRU") == 256


def test_an_unknown_layer_is_named():
    with pytest.raises(InvalidInput, match="'Mamba'; there are RNN, GRU, LSTM, self-attention"):
        speed.training_step("Mamba", 8, 1, 8)


@pytest.mark.parametrize(
    ("limit", "free"),
    [
        ("150", 50),  # as JupyterHub says it, of which 100 are held
        ("80", 0),
        ("900", 700),
        ("0", 700),  # no limit
        ("2G", 700),  # somebody else's
        ("", 700),
    ],
)
def test_a_learners_share_of_a_server_is_what_is_free(monkeypatch, limit, free):
    def held():
        return SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=100))

    monkeypatch.setattr(speed.jax, "devices", lambda: [SimpleNamespace(memory_stats=lambda: None)])
    monkeypatch.setattr(speed.psutil, "virtual_memory", lambda: SimpleNamespace(available=700))
    monkeypatch.setattr(speed.psutil, "Process", held)
    monkeypatch.setenv("MEM_LIMIT", limit)
    assert speed.free_memory() == free
