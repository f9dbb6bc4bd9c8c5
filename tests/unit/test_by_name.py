"""Cells by name: the kinds, and the initialisations that the chapters compare."""

import jax
import numpy as np
import pytest
from flax import nnx

from course_utils.models.by_name import CELLS, INITIALISATIONS, initialised
from course_utils.models.gated import LSTMCell
from course_utils.runtime import InvalidInput


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_a_cell_is_of_the_kind_that_its_name_says(name):
    cell = initialised(name, 3, 8, 100, rngs=nnx.Rngs(0))
    assert type(cell) is CELLS[name.split(",")[0]]
    assert (cell.embed, cell.hidden) == (3, 8)


def test_an_initialisation_changes_what_its_name_says():
    plain, forgetful, chrono = (
        initialised(f"LSTM{how}", 3, 8, 100, rngs=nnx.Rngs(0)) for how in ("", ", forget bias 0", ", chrono")
    )
    assert np.allclose(plain.b[:8], 1)
    assert np.allclose(forgetful.b[:8], 0)
    assert (chrono.b[:8] >= 0).all()
    assert chrono.b[:8].max() > 3  # σ(3) forgets within 20 steps, and 100 were asked for
    straight = LSTMCell(3, 8, rngs=nnx.Rngs(0), chrono=100)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(jax.tree.leaves(nnx.state(chrono)), jax.tree.leaves(nnx.state(straight)), strict=True)
    )
    rnn = initialised("RNN, identity, ReLU", 3, 8, 100, rngs=nnx.Rngs(0))
    assert np.allclose(rnn.W_h[...], np.eye(8))
    assert rnn.activation == "relu"


def test_a_name_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(InvalidInput, match="no cell 'SRN'; there are RNN, "):
        initialised("SRN", 3, 8, 100, rngs=nnx.Rngs(0))
