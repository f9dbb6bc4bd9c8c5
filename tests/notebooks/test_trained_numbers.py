"""Numbers that training gives, as ranges over seeds: they differ between processors and jax versions."""

import numpy as np

from course_utils.experiments import ch00
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
    assert stored["seeds"] == list(ch00.SEEDS)
    assert np.array(stored["accuracy"])[:, -1].min() >= 0.9
    assert {"device", "versions", "date"} <= set(stored)
