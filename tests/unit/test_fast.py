"""The equation is what runs: each is called by a model, and the fast ways give its numbers."""

import inspect
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.models import attention, cells, fast, gated, recurrent, self_attention
from course_utils.models.cells import RNNCell
from course_utils.models.gated import GRUCell, LSTMCell

HERE = pathlib.Path(__file__).parent


# --------------------------------------------------------------------------------- the fast ways


def agree(ours, theirs):
    """Gradients to 1e-6 of their largest entry."""
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6 * float(jnp.abs(b).max()) + 1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", [RNNCell, LSTMCell, GRUCell])
def test_the_written_way_back_is_that_of_the_loop(kind, reverse):
    """To 1e-6 of the largest entry, values and gradients, at the chapters' sizes: XLA fuses the two loops differently."""
    cell = kind(32, 64, rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(1), (32, 30, 32))
    mask = jnp.arange(30) < jax.random.randint(jax.random.key(2), (32, 1), 1, 31)
    weights = jax.random.normal(jax.random.key(3), (32, 30, 64))
    graphdef, state = nnx.split(cell)

    def value(route):
        def loss(state, x):
            outputs, last = route(nnx.merge(graphdef, state), x, mask, reverse=reverse)
            return (outputs * weights).mean() + sum((leaf**2).mean() for leaf in jax.tree.leaves(last)), outputs

        return jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True))(state, x)

    (_, ours), our_gradients = value(fast.unroll)
    (_, theirs), their_gradients = value(recurrent.unroll)
    agree(ours, theirs)
    agree(our_gradients, their_gradients)


def test_a_cell_with_a_step_of_its_own_is_left_to_the_loop(monkeypatch):
    class Half(RNNCell):
        def step(self, state, projected):
            return 0.5 * super().step(state, projected)

    x = jax.random.normal(jax.random.key(0), (2, 5, 3))
    cell = Half(3, 4, rngs=nnx.Rngs(0))
    np.testing.assert_array_equal(fast.unroll(cell, x)[0], recurrent.unroll(cell, x)[0])
    called, loop = [], recurrent.unroll
    monkeypatch.setattr(recurrent, "unroll", lambda *a, **k: called.append(1) or loop(*a, **k))
    fast.unroll(cell, x)
    fast.unroll(RNNCell(3, 4, rngs=nnx.Rngs(0)), x)
    assert called == [1]


def test_a_score_that_is_computed_again_on_the_way_back_is_the_score():
    query, keys = jax.random.normal(jax.random.key(0), (32, 128)), jax.random.normal(jax.random.key(1), (32, 30, 128))
    v = jax.random.normal(jax.random.key(2), (128,))
    both = [
        jax.jit(jax.value_and_grad(lambda *a, score=score: (score(*a) ** 2).mean(), (0, 1, 2)))(query, keys, v)
        for score in (attention.additive_score, fast.computed_again(attention.additive_score))
    ]
    agree(*both)
    assert both[0][0] == both[1][0]


# --------------------------------------------------------------------------------- a page that can be read

PAGES = [
    cells.rnn_step, gated.lstm_step, gated.gru_step, attention.additive_score, self_attention.scaled_dot_product,
    self_attention.split_heads, self_attention.join_heads, recurrent.unroll,
]  # fmt: skip


@pytest.mark.plain
@pytest.mark.parametrize("function", PAGES, ids=lambda f: f.__name__)
def test_what_two_question_marks_show_is_a_page(function):
    """One screen: 40 lines, of which at most 12 are the body, none wider than 100 columns; the equation in the docstring."""
    function = inspect.unwrap(function)
    lines = inspect.getsource(function).splitlines()
    documented = next(i for i, line in reversed(list(enumerate(lines))) if '"""' in line)
    body = [line for line in lines[documented + 1 :] if line.strip()]
    assert len(body) <= 12
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert not any("vars(type" in line or "isinstance" in line for line in body)
    assert any(sign in function.__doc__ for sign in ("=", "→", "softmax"))
