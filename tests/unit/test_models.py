"""The recurrence against a slow NumPy loop and against flax.nnx: values and gradients, at odd sizes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.models import cells, fast, losses, recurrent, sequence
from course_utils.models.cells import RNNCell
from course_utils.models.gated import GRUCell, LSTMCell
from course_utils.models.recurrent import WrappedCell
from course_utils.runtime import InvalidInput

BATCH, TIME, EMBED, HIDDEN = 3, 7, 5, 11
FUNCTIONS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "linear": lambda x: x,
}


def slow_loop(x, W_h, W_x, b, f, mask=None, reverse=False):
    """One example, one step, one unit at a time."""
    batch, time, _ = x.shape
    states = np.zeros((batch, time, len(b)))
    last = np.zeros((batch, len(b)))
    for n in range(batch):
        h = np.zeros(len(b))
        for t in reversed(range(time)) if reverse else range(time):
            if mask is None or mask[n, t]:
                new = np.zeros(len(b))
                for i in range(len(b)):
                    new[i] = f(
                        sum(W_h[i, j] * h[j] for j in range(len(b)))
                        + sum(W_x[i, k] * x[n, t, k] for k in range(x.shape[2]))
                        + b[i]
                    )
                h = new
            states[n, t] = h
        last[n] = h
    return states, last


def parts(activation="tanh", seed=0):
    rng = np.random.default_rng(seed)
    cell = cells.RNNCell(EMBED, HIDDEN, rngs=nnx.Rngs(seed), activation=activation, scale=0.9)
    cell.b[...] = jnp.asarray(rng.normal(size=HIDDEN), jnp.float32)
    x = jnp.asarray(rng.normal(size=(BATCH, TIME, EMBED)), jnp.float32)
    mask = jnp.asarray(np.arange(TIME) < np.array([[7], [4], [1]]))
    return cell, x, mask


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("activation", list(FUNCTIONS))
def test_unroll_equals_a_slow_loop(activation, masked, reverse):
    cell, x, mask = parts(activation)
    mask = mask if masked else None
    states, last = recurrent.unroll(cell, x, mask, reverse=reverse)
    weights = [np.asarray(p[...], float) for p in (cell.W_h, cell.W_x, cell.b)]
    slow_states, slow_last = slow_loop(np.asarray(x, float), *weights, FUNCTIONS[activation], mask, reverse)
    np.testing.assert_allclose(states, slow_states, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last, slow_last, rtol=1e-4, atol=1e-5)


def test_unroll_equals_flax_values_and_gradients():
    cell, x, _ = parts()
    theirs = nnx.RNN(nnx.SimpleCell(EMBED, HIDDEN, rngs=nnx.Rngs(0)))
    theirs.cell.dense_h.kernel[...] = cell.W_h[...].T
    theirs.cell.dense_i.kernel[...] = cell.W_x[...].T
    theirs.cell.dense_i.bias[...] = cell.b[...]

    def value_and_gradients(module, run):
        graphdef, state, rest = nnx.split(module, nnx.Param, ...)

        def loss(state, x):
            return jnp.sum(jnp.sin(run(nnx.merge(graphdef, state, jax.tree.map(jnp.copy, rest)), x)))

        return jax.value_and_grad(loss, argnums=(0, 1))(state, x)

    value, (ours, for_x) = value_and_gradients(cell, lambda module, x: recurrent.unroll(module, x)[0])
    flax_value, (flax, flax_for_x) = value_and_gradients(theirs, lambda module, x: module(x))
    np.testing.assert_allclose(value, flax_value, rtol=1e-5)
    np.testing.assert_allclose(for_x, flax_for_x, atol=1e-5)
    np.testing.assert_allclose(ours["W_h"][...], flax["cell"]["dense_h"]["kernel"][...].T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours["W_x"][...], flax["cell"]["dense_i"]["kernel"][...].T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours["b"][...], flax["cell"]["dense_i"]["bias"][...], rtol=1e-4, atol=1e-5)


def test_the_equation_equals_the_module():
    cell, x, _ = parts()
    h = jnp.asarray(np.random.default_rng(1).normal(size=(BATCH, HIDDEN)), jnp.float32)
    by_equation = cells.rnn_step(h @ cell.W_h[...].T, x[:, 0] @ cell.W_x[...].T + cell.b[...])
    np.testing.assert_allclose(by_equation, cell.step(h, cell.project(x[:, 0])), atol=1e-6)


def test_padding_changes_nothing_by_one_bit_and_has_no_gradient():
    cell, x, mask = parts()
    _, last = recurrent.unroll(cell, x, mask)
    noise = jnp.where(mask[..., None], x, 1e6)
    assert (recurrent.unroll(cell, noise, mask)[1] == last).all()
    gradient = jax.grad(lambda x: recurrent.unroll(cell, x, mask)[1].sum())(x)
    assert (jnp.where(mask[..., None], 0, gradient) == 0).all()


def test_a_start_is_where_the_states_begin():
    cell, x, _ = parts()
    states, _ = recurrent.unroll(cell, x)
    tail, _ = recurrent.unroll(cell, x[:, 3:], start=states[:, 2])
    np.testing.assert_allclose(tail, states[:, 3:], atol=1e-6)


def test_starts_of_the_recurrent_matrix():
    rng = jax.random.key(0)
    orthogonal = cells.recurrent_matrix(rng, 16, "orthogonal", 0.9)
    np.testing.assert_allclose(jnp.linalg.svd(orthogonal, compute_uv=False), 0.9, rtol=1e-5)
    assert (cells.recurrent_matrix(rng, 4, "identity", 2.0) == 2 * jnp.eye(4)).all()
    gaussian = cells.recurrent_matrix(rng, 400, "gaussian")
    assert abs(float(gaussian.std()) * 20 - 1) < 0.02


def test_the_classifier_answers_from_the_last_word_of_each_row():
    cell, _, mask = parts()
    model = sequence.SequenceClassifier(cell, 13, 4, rngs=nnx.Rngs(1))
    tokens = jnp.asarray(np.random.default_rng(0).integers(0, 13, (BATCH, TIME)))
    every = model.every_step(tokens, mask)
    last = mask.sum(axis=1) - 1
    np.testing.assert_allclose(model(tokens, mask), every[jnp.arange(BATCH), last], atol=1e-6)


def test_the_language_model_does_not_see_the_future():
    cell, _, _ = parts()
    model = sequence.RecurrentLanguageModel(cell, 13, rngs=nnx.Rngs(1))
    tokens = jnp.asarray(np.random.default_rng(0).integers(0, 13, (BATCH, TIME)))
    changed = tokens.at[:, 4:].set(0)
    assert model(tokens).shape == (BATCH, TIME, 13)
    assert (model(tokens)[:, :4] == model(changed)[:, :4]).all()


# --------------------------------------------------------------------------------------------- losses


def test_cross_entropy_against_a_loop():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(2, 5, 3)), rng.integers(0, 3, (2, 5))
    mask = rng.random((2, 5)) > 0.4
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    terms = [-np.log(p[i, j, labels[i, j]]) for i in range(2) for j in range(5) if mask[i, j]]
    mine = losses.cross_entropy(jnp.asarray(logits, jnp.float32), jnp.asarray(labels), jnp.asarray(mask))
    assert abs(float(mine) - np.mean(terms)) < 1e-5


def test_nothing_to_predict_costs_nothing_and_has_no_gradient():
    def loss(logits):
        return losses.cross_entropy(logits, jnp.zeros((2, 3), int), jnp.zeros((2, 3), bool))

    logits = jnp.ones((2, 3, 4))
    assert loss(logits) == 0
    assert (jax.grad(loss)(logits) == 0).all()


# ------------------------------------------------------------------------------------------ bad input


def test_bad_input_is_named():
    cell, x, mask = parts()
    with pytest.raises(InvalidInput, match="Row 2 of the mask is all False"):
        recurrent.unroll(cell, x, mask.at[2].set(False))
    with pytest.raises(InvalidInput, match="at least one step"):
        recurrent.unroll(cell, x[:, :0])
    with pytest.raises(InvalidInput, match="hidden"):
        cells.RNNCell(3, -1, rngs=nnx.Rngs(0))
    with pytest.raises(InvalidInput, match="activation must be one of tanh, relu"):
        cells.RNNCell(3, 4, rngs=nnx.Rngs(0), activation="gelu")  # type: ignore[arg-type]


def test_inside_jit_an_all_false_row_keeps_its_start():
    cell, x, mask = parts()
    last = jax.jit(lambda x, mask: recurrent.unroll(cell, x, mask)[1])(x, mask.at[2].set(False))
    assert (last[2] == 0).all()
    assert jnp.isfinite(last).all()


# ---------------------------------------------------------------------------- the way back that is written out

MADE = {
    "RNN": lambda rngs: RNNCell(3, 4, rngs=rngs),
    "relu": lambda rngs: RNNCell(3, 4, rngs=rngs, activation="relu"),
    "GRU": lambda rngs: GRUCell(3, 4, rngs=rngs, update_bias=1.0),
    "LSTM": lambda rngs: LSTMCell(3, 4, rngs=rngs),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("reverse", [False, True])
def test_the_way_back_written_out_equals_jax_through_the_steps(name, reverse):
    cell = MADE[name](nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(1), (3, 6, 3))
    mask = jnp.array([[True] * 6, [True] * 3 + [False] * 3, [True, False, True, True, False, False]])
    start = jax.tree.map(lambda a: a + 0.3, cell.start(3))
    graphdef, params = nnx.split(cell)

    def value(make, params, x, start):
        outputs, last = fast.unroll(make(nnx.merge(graphdef, params)), x, mask, start=start, reverse=reverse)
        return (outputs**2 * jnp.arange(6)[:, None]).sum() + sum((leaf**3).sum() for leaf in jax.tree.leaves(last))

    ours, plain = (
        jax.value_and_grad(functools.partial(value, make), (0, 1, 2))(params, x, start)
        for make in (lambda cell: cell, WrappedCell)
    )
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_what_stands_beside_the_inputs_counts_at_every_step():
    cell, x = GRUCell(3, 4, rngs=nnx.Rngs(0)), jax.random.normal(jax.random.key(1), (2, 5, 3))
    share = jax.random.normal(jax.random.key(2), (2, 12))
    outputs, _ = fast.unroll(cell, x, beside=share)
    state = cell.start(2)
    for t in range(5):
        state = cell.step(state, cell.project(x[:, t]) + share)
        np.testing.assert_allclose(outputs[:, t], state, atol=1e-6)
    with pytest.raises(InvalidInput, match="WrappedCell takes nothing beside"):
        fast.unroll(WrappedCell(cell), x, beside=share)


def test_a_cell_with_a_step_of_its_own_is_unrolled_by_it():
    class Still(RNNCell):
        def step(self, state, projected):
            return state

    outputs, last = fast.unroll(Still(3, 4, rngs=nnx.Rngs(0)), jnp.ones((2, 5, 3)))
    assert not outputs.any()
    assert not last.any()


@pytest.mark.parametrize("cell", [RNNCell, LSTMCell, GRUCell])
def test_inputs_arrive_with_the_size_they_have(cell):
    """W_x starts with entries of variance 1 / embed: what it makes of vectors of unit variance has unit variance, whatever their width."""
    W_x = cell(20, 500, rngs=nnx.Rngs(0)).W_x[...]
    assert float(W_x.std()) == pytest.approx(20**-0.5, rel=0.05)
