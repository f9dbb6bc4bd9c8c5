"""LSTM and GRU against the equations gate by gate, a slow NumPy loop, and flax.nnx with the same weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.models.gated import GRUCell, LSTMCell, LSTMState, chrono_bias, gru_step, lstm_step
from course_utils.models.recurrent import unroll
from course_utils.runtime import InvalidInput

BATCH, TIME, EMBED, HIDDEN = 3, 7, 5, 4


@pytest.fixture
def inputs():
    return jax.random.normal(jax.random.key(0), (BATCH, TIME, EMBED))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(seed=1):
    cell = LSTMCell(EMBED, HIDDEN, rngs=nnx.Rngs(seed))
    cell.b[...] += 0.3 * jax.random.normal(jax.random.key(9), cell.b.shape)
    return cell


def gru(seed=1):
    cell = GRUCell(EMBED, HIDDEN, rngs=nnx.Rngs(seed))
    cell.b[...] += 0.3 * jax.random.normal(jax.random.key(9), cell.b.shape)
    return cell


def test_lstm_equals_its_equations_and_a_numpy_loop(inputs):
    cell = lstm()
    both = jnp.concatenate([cell.W_h[...], cell.W_x[...]], axis=1)  # acts on [h, x]
    W, b = jnp.split(both, 4), jnp.split(cell.b[...], 4)
    state, h, C = cell.start(BATCH), np.zeros((BATCH, HIDDEN)), np.zeros((BATCH, HIDDEN))
    outputs, last = unroll(cell, inputs)
    for t in range(TIME):
        both = jnp.concatenate([state.hidden, inputs[:, t]], axis=1)
        state = lstm_step(state, *(both @ w.T + c for w, c in zip(W, b, strict=True)))
        z = np.concatenate([h, np.asarray(inputs[:, t])], axis=1)
        f, i, g, o = (z @ np.asarray(w).T + np.asarray(c) for w, c in zip(W, b, strict=True))
        C = sigmoid(f) * C + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(C)
        np.testing.assert_allclose(state.hidden, h, atol=1e-5)
        np.testing.assert_allclose(outputs[:, t], h, atol=1e-5)
    np.testing.assert_allclose(last.cell, C, atol=1e-5)
    np.testing.assert_allclose(state.cell, C, atol=1e-5)


def test_gru_equals_its_equations_and_a_numpy_loop(inputs):
    cell = gru()
    W, U, b = (jnp.split(a[...], 3) for a in (cell.W_x, cell.W_h, cell.b))
    state, h = cell.start(BATCH), np.zeros((BATCH, HIDDEN))
    outputs, _ = unroll(cell, inputs)
    for t in range(TIME):
        x = np.asarray(inputs[:, t])
        shares = [inputs[:, t] @ w.T + c for w, c in zip(W, b, strict=True)]
        state = gru_step(state, tuple(state @ u.T for u in U), tuple(shares))
        x_r, x_u, x_n = (x @ np.asarray(w).T + np.asarray(c) for w, c in zip(W, b, strict=True))
        h_r, h_u, h_n = (h @ np.asarray(u).T for u in U)
        r, u = sigmoid(x_r + h_r), sigmoid(x_u + h_u)
        h = (1 - u) * np.tanh(x_n + r * h_n) + u * h
        np.testing.assert_allclose(state, h, atol=1e-5)
        np.testing.assert_allclose(outputs[:, t], h, atol=1e-5)


def test_lstm_equals_flax_values_and_gradients(inputs):
    cell, theirs = lstm(), nnx.OptimizedLSTMCell(EMBED, HIDDEN, rngs=nnx.Rngs(0))
    order = jnp.array([1, 0, 2, 3])  # ours f i C o, theirs i f g o

    def reordered(a):
        return jnp.concatenate([jnp.split(a, 4)[k] for k in order])

    theirs.dense_i.kernel[...] = reordered(cell.W_x[...]).T
    theirs.dense_h.kernel[...] = reordered(cell.W_h[...]).T
    bias = theirs.dense_h.bias if theirs.dense_h.bias is not None else theirs.dense_i.bias
    bias[...] = reordered(cell.b[...])
    ours = lambda x: (unroll(cell, x)[0] ** 2).sum()
    graphdef, weights = nnx.split(theirs)
    copy = lambda: nnx.merge(graphdef, jax.tree.map(lambda a: a, weights))  # nnx lets a trace change only what it made
    other = lambda x: (nnx.RNN(copy())(x) ** 2).sum()
    np.testing.assert_allclose(unroll(cell, inputs)[0], nnx.RNN(theirs)(inputs), atol=1e-5)
    np.testing.assert_allclose(jax.grad(ours)(inputs), jax.grad(other)(inputs), atol=1e-5)


def test_gru_equals_flax_values_and_gradients(inputs):
    cell, theirs = gru(), nnx.GRUCell(EMBED, HIDDEN, rngs=nnx.Rngs(0))
    theirs.dense_i.kernel[...] = cell.W_x[...].T
    theirs.dense_i.bias[...] = cell.b[...]
    theirs.dense_h.kernel[...] = cell.W_h[...].T
    ours = lambda x: (unroll(cell, x)[0] ** 2).sum()
    graphdef, weights = nnx.split(theirs)
    copy = lambda: nnx.merge(graphdef, jax.tree.map(lambda a: a, weights))  # nnx lets a trace change only what it made
    other = lambda x: (nnx.RNN(copy())(x) ** 2).sum()
    np.testing.assert_allclose(unroll(cell, inputs)[0], nnx.RNN(theirs)(inputs), atol=1e-5)
    np.testing.assert_allclose(jax.grad(ours)(inputs), jax.grad(other)(inputs), atol=1e-5)


@pytest.mark.parametrize("make", [lstm, gru])
def test_a_masked_position_changes_nothing_in_any_part_of_the_state(make, inputs):
    cell = make()
    mask = jnp.arange(TIME) < jnp.array([[7], [3], [1]])
    _, last = unroll(cell, inputs, mask)
    for row, length in enumerate((7, 3, 1)):
        _, alone = unroll(cell, inputs[row : row + 1, :length])
        for a, b in zip(jax.tree.leaves(last), jax.tree.leaves(alone), strict=True):
            np.testing.assert_allclose(a[row], b[0], atol=1e-6)


def test_starts_of_the_gates():
    plain, eager = LSTMCell(3, 4, rngs=nnx.Rngs(0)), LSTMCell(3, 4, rngs=nnx.Rngs(0), forget_bias=-2.0)
    assert plain.b[...].tolist() == [1.0] * 4 + [0.0] * 12
    assert eager.b[...][:4].tolist() == [-2.0] * 4
    chrono = LSTMCell(3, 200, rngs=nnx.Rngs(0), chrono=100)
    forget, enter = chrono.b[...][:200], chrono.b[...][200:400]
    assert (forget == -enter).all()
    assert 0 <= forget.min() < 1.5
    assert np.log(80) < forget.max() <= np.log(99)
    update = GRUCell(3, 200, rngs=nnx.Rngs(0), chrono=100).b[...]
    assert (update[:200] == 0).all()
    assert update[200:400].max() > np.log(80)
    with pytest.raises(InvalidInput, match="longer than 2 steps, not 2"):
        chrono_bias(jax.random.key(0), 4, 2)


def test_a_chrono_start_keeps_the_cell_state_for_as_long_as_its_bias_says():
    """Of a cell state that nothing enters, a forget gate with bias log n leaves (n / (n + 1))ⁿ after n steps: about 1/e."""
    cell = LSTMCell(EMBED, 30, rngs=nnx.Rngs(0), chrono=60)
    cell.W_h[...], cell.W_x[...] = jnp.zeros_like(cell.W_h[...]), jnp.zeros_like(cell.W_x[...])
    start = LSTMState(jnp.zeros((1, 30)), jnp.ones((1, 30)))
    states = [start]
    for _ in range(60):
        states.append(cell.step(states[-1], cell.project(jnp.zeros((1, EMBED)))))
    left = np.array([state.cell[0] for state in states])  # step, unit
    n = np.exp(cell.b[...][:30])
    assert 1 <= n.min() < 10 < 50 < n.max() <= 59
    after = left[np.round(n).astype(int), np.arange(30)]
    np.testing.assert_allclose(after[n > 10], np.exp(-1), rtol=0.08)
    assert (after > 0.3).all()


def test_the_cell_state_is_an_additive_path():
    """With f = 1 and i = 0 the cell state stays exactly as it is, whatever the input."""
    cell = lstm()
    bias = jnp.concatenate([jnp.full(HIDDEN, 50.0), jnp.full(HIDDEN, -200.0), jnp.zeros(2 * HIDDEN)])
    cell.b[...] = bias
    start = LSTMState(jnp.zeros((1, HIDDEN)), jnp.arange(1.0, 1 + HIDDEN)[None])
    _, last = unroll(cell, jax.random.normal(jax.random.key(3), (1, 100, EMBED)), start=start)
    np.testing.assert_allclose(last.cell, start.cell, rtol=1e-6)
