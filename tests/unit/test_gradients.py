"""Products of Jacobians, computed two independent ways, and bounds that they may not break."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.measure.gradients import product_spectrum, step_jacobians, unrolled_jacobian
from course_utils.models.cells import RNNCell
from course_utils.models.gated import GRUCell, LSTMCell
from course_utils.runtime import InvalidInput, float64

CELLS = {
    "rnn": lambda: RNNCell(3, 8, rngs=nnx.Rngs(0)),
    "relu": lambda: RNNCell(3, 8, rngs=nnx.Rngs(0), activation="relu", start="identity"),
    "lstm": lambda: LSTMCell(3, 8, rngs=nnx.Rngs(0)),
    "gru": lambda: GRUCell(3, 8, rngs=nnx.Rngs(0), update_bias=3.0),  # or its product leaves float32 before step 200
}


def product(jacobians):
    total = jnp.eye(jacobians.shape[-1], dtype=jacobians.dtype)
    for jacobian in jacobians:
        total = jacobian @ total
    return total


def in_float64(cell):
    graphdef, state = nnx.split(cell)
    return nnx.merge(graphdef, jax.tree.map(lambda a: a.astype(jnp.float64), state))


@pytest.mark.slow
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("length", [1, 7, 200])
def test_the_product_of_steps_equals_autodiff_through_the_whole_unroll(name, length):
    cell, inputs = CELLS[name](), jax.random.normal(jax.random.key(1), (length, 3))
    by_steps, by_unroll = product(step_jacobians(cell, inputs)), unrolled_jacobian(cell, inputs)
    assert np.abs(by_steps - by_unroll).max() <= 1e-5 * np.linalg.norm(np.asarray(by_unroll, np.float64))
    with float64():
        cell, inputs = in_float64(cell), inputs.astype(jnp.float64)
        by_steps, by_unroll = product(step_jacobians(cell, inputs)), unrolled_jacobian(cell, inputs)
        assert by_steps.dtype == jnp.float64
        assert np.abs(by_steps - by_unroll).max() <= 1e-10 * jnp.linalg.norm(by_unroll)


def test_a_step_of_a_tanh_network_is_the_derivative_of_tanh_times_w():
    cell, inputs = CELLS["rnn"](), jax.random.normal(jax.random.key(1), (5, 3))
    jacobians, h = step_jacobians(cell, inputs), jnp.zeros(8)
    for t in range(5):
        h = jnp.tanh(cell.W_h[...] @ h + cell.W_x[...] @ inputs[t] + cell.b[...])
        np.testing.assert_allclose(jacobians[t], jnp.diag(1 - h**2) @ cell.W_h[...], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("activation", ["tanh", "relu", "logistic", "linear"])
@pytest.mark.parametrize("start", ["orthogonal", "gaussian", "identity"])
def test_the_norm_never_exceeds_the_bound_of_singular_values(seed, activation, start):
    cell = RNNCell(3, 16, rngs=nnx.Rngs(seed), activation=activation, start=start, scale=1.1)
    inputs = 0.1 * jax.random.normal(jax.random.key(seed), (60, 3))
    steepest = {"tanh": 1, "relu": 1, "linear": 1, "logistic": 0.25}[activation]
    bound = np.log10(steepest * np.linalg.norm(np.asarray(cell.W_h[...], np.float64), 2)) * np.arange(1, 61)
    norm = product_spectrum(step_jacobians(cell, inputs)).norm
    assert (norm <= bound + 1e-5).all()


def test_the_spectrum_is_that_of_the_product_and_neither_overflows_nor_invents():
    jacobians = np.random.default_rng(0).normal(size=(6, 5, 5))
    spectrum, total = product_spectrum(jacobians), np.eye(5)
    for t in range(6):
        total = jacobians[t] @ total
        np.testing.assert_allclose(10 ** spectrum.log10[t], np.linalg.svd(total, compute_uv=False), rtol=1e-9)
    huge = product_spectrum(np.repeat(1e30 * np.eye(4)[None], 200, 0))
    np.testing.assert_allclose(huge.norm, 30.0 * np.arange(1, 201))
    steep = product_spectrum(np.repeat(np.diag([1.0, 1e-3])[None], 10, 0)).log10
    np.testing.assert_allclose(steep[:5, 1], -3.0 * np.arange(1, 6))
    assert np.isnan(steep[5:, 1]).all()  # under 1e-15 of the largest: not resolved
    nothing = product_spectrum(np.zeros((3, 2, 2)))
    assert (nothing.norm == -np.inf).all()


def test_folklore_about_eigenvalues_fails_for_a_non_normal_matrix():
    """A spectral radius below 1 does not forbid growth: it only decides the end."""
    W = np.array([[0.5, 10.0], [0.0, 0.5]])
    assert np.abs(np.linalg.eigvals(W)).max() < 1
    norm = product_spectrum(np.repeat(W[None], 100, 0)).norm
    assert norm.max() > 1
    assert norm[-1] < -10


def test_bad_input_is_refused_in_words():
    with pytest.raises(InvalidInput, match="at least one step"):
        step_jacobians(CELLS["rnn"](), jnp.zeros((0, 3)))
    with pytest.raises(InvalidInput, match="not finite"):
        product_spectrum(np.full((2, 3, 3), np.nan))
