"""Self-attention against loops, against the library's own, and against what must not leak."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.models.positions import frequencies, rotate, sinusoidal
from course_utils.models.self_attention import (
    MultiHead,
    causal_mask,
    join_heads,
    scaled_dot_product,
    scaled_scores,
    split_heads,
)
from course_utils.runtime import InvalidInput

B, H, T, S, D = 2, 3, 4, 5, 6


def arrays(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in shapes]


def padding(lengths, source):
    return jnp.arange(source) < jnp.array(lengths)[:, None]


def loop(Q, K, V, mask):
    """softmax(Q Kᵀ / √d) V, one number at a time."""
    Q, K, V, mask = (np.asarray(a, np.float64) for a in (Q, K, V, mask))
    out = np.zeros((*Q.shape[:-1], V.shape[-1]))
    for place in np.ndindex(*Q.shape[:-1]):
        lead, i = place[:-1], place[-1]
        raised = {}
        for j in range(K.shape[-2]):
            if mask[(*lead, i, j)]:
                raised[j] = np.exp(
                    sum(Q[(*lead, i, k)] * K[(*lead, j, k)] for k in range(Q.shape[-1])) / Q.shape[-1] ** 0.5
                )
        for j, value in raised.items():
            out[place] += value / sum(raised.values()) * V[(*lead, j)]
    return out


MASKS = {
    "none": np.ones((B, H, T, S), bool),
    "padding": np.broadcast_to(np.arange(S) < np.array([5, 2])[:, None, None, None], (B, H, T, S)),
    "causal": np.broadcast_to(np.tril(np.ones((T, S), bool)), (B, H, T, S)),
}


MASKS = {name: jnp.asarray(mask) for name, mask in MASKS.items()}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_scaled_dot_product_equals_the_loop(mask):
    Q, K, V = arrays((B, H, T, D), (B, H, S, D), (B, H, S, 4))
    np.testing.assert_allclose(scaled_dot_product(Q, K, V, mask)[0], loop(Q, K, V, mask), atol=1e-5)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_values_and_gradients_are_those_of_jax(mask):
    Q, K, V, out = arrays((B, H, T, D), (B, H, S, D), (B, H, S, D), (B, H, T, D))

    def ours(Q, K, V):
        return (scaled_dot_product(Q, K, V, mask)[0] * out).sum()

    def library(Q, K, V):
        Q, K, V = (jnp.swapaxes(a, 1, 2) for a in (Q, K, V))  # its axes: batch, time, heads, key
        return (jnp.swapaxes(jax.nn.dot_product_attention(Q, K, V, mask=mask), 1, 2) * out).sum()

    for a, b in zip(
        (ours(Q, K, V), *jax.grad(ours, (0, 1, 2))(Q, K, V)), (library(Q, K, V), *jax.grad(library, (0, 1, 2))(Q, K, V)),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_query_that_may_look_nowhere_gets_zeros_here_and_the_mean_of_the_values_in_jax():
    Q, K, V = arrays((1, 1, 1, D), (1, 1, S, D), (1, 1, S, D))
    nowhere = jnp.zeros((1, 1, 1, S), bool)
    found, weights = scaled_dot_product(Q, K, V, nowhere)
    assert not found.any()
    assert not weights.any()
    grad = jax.grad(lambda V: scaled_dot_product(Q, K, V, nowhere)[0].sum())(V)
    assert not grad.any()
    library = jax.nn.dot_product_attention(*(jnp.swapaxes(a, 1, 2) for a in (Q, K, V)), mask=nowhere)
    np.testing.assert_allclose(library[0, 0, 0], V[0, 0].mean(0), atol=1e-6)


def test_the_division_keeps_the_variance_of_the_scores_at_one():
    for d in (4, 64, 1024):
        q, k = (jax.random.normal(key, (4_000, 1, d)) for key in jax.random.split(jax.random.key(d)))
        assert float(scaled_scores(q, k).var()) == pytest.approx(1, abs=0.1)


def copied(width, heads):
    """Our module and the library's with the same weights."""
    ours = MultiHead(width, heads, rngs=nnx.Rngs(0))
    library = nnx.MultiHeadAttention(heads, width, rngs=nnx.Rngs(1), decode=False)
    for name in ("query", "key", "value"):
        linear, theirs = getattr(ours, name), getattr(library, name)
        linear.bias[...] = jnp.arange(width) / width  # not the zeros it starts from
        theirs.kernel[...] = linear.kernel[...].reshape(theirs.kernel.shape)
        theirs.bias[...] = linear.bias[...].reshape(theirs.bias.shape)
    library.out.kernel[...] = ours.out.kernel[...].reshape(library.out.kernel.shape)
    library.out.bias[...] = ours.out.bias[...]
    return ours, library


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_many_heads_equal_the_library_in_values_and_gradients(heads):
    ours, library = copied(8, heads)
    (x,) = arrays((B, T, 8))
    mask = causal_mask(T) & padding([4, 3], T)[:, None, None]
    np.testing.assert_allclose(ours(x, mask), library(x, mask=mask), atol=1e-5)
    a = jax.grad(lambda x: (ours(x, mask) ** 2).sum())(x)
    b = jax.grad(lambda x: (library(x, mask=mask) ** 2).sum())(x)
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_heads_see_neighbouring_numbers_of_every_position():
    x = jnp.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    assert split_heads(x, 2)[1, 1, 2].tolist() == x[1, 2, 2:].tolist()
    assert (join_heads(split_heads(x, 2)) == x).all()


def test_the_future_does_not_leak():
    model = MultiHead(8, 2, rngs=nnx.Rngs(0))
    x, other = arrays((1, 6, 8), (1, 6, 8))
    changed = x.at[:, 4:].set(other[:, 4:])
    mask = causal_mask(6)
    assert (model(x, mask)[:, :4] == model(changed, mask)[:, :4]).all()  # to the last bit
    slope = jax.grad(lambda x: model(x, mask)[:, :4].sum())(x)
    assert not slope[:, 4:].any()
    assert slope[:, :4].any()


def test_padding_does_not_leak():
    model = MultiHead(8, 2, rngs=nnx.Rngs(0))
    x, other = arrays((1, 6, 8), (1, 6, 8))
    mask = padding([4], 6)[:, None, None]
    for filled in (other[:, 4:], jnp.full((1, 2, 8), 1e30)):
        assert (model(x, mask)[:, :4] == model(x.at[:, 4:].set(filled), mask)[:, :4]).all()
    slope = jax.grad(lambda x: model(x, mask)[:, :4].sum())(x)
    assert not slope[:, 4:].any()


def test_without_positions_a_permuted_input_gives_the_permuted_output():
    (x,) = arrays((1, 7, 8))
    order = np.random.default_rng(0).permutation(7)
    for rotary, same in ((False, True), (True, False)):
        model = MultiHead(8, 2, rngs=nnx.Rngs(0), rotary=rotary)
        a, b = model(x)[:, order], model(x[:, order])
        assert np.allclose(a, b, atol=1e-5) == same


def test_a_look_at_oneself_is_self_attention():
    model = MultiHead(8, 2, rngs=nnx.Rngs(0))
    (x,) = arrays((1, 3, 8))
    answer, weights = model.look(x, model.remember(x), causal_mask(3))
    np.testing.assert_array_equal(answer, model(x, causal_mask(3)))
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)


# ----------------------------------------------------------------------------------------------- positions


def test_sinusoids_are_those_of_the_paper():
    found = np.asarray(sinusoidal(jnp.arange(50), 6))
    for t in (0, 1, 7, 49):
        for k in range(3):
            assert found[t, 2 * k] == pytest.approx(np.sin(t / 10_000 ** (2 * k / 6)), abs=1e-5)
            assert found[t, 2 * k + 1] == pytest.approx(np.cos(t / 10_000 ** (2 * k / 6)), abs=1e-5)


def test_sinusoids_compare_by_distance_alone():
    p = np.asarray(sinusoidal(jnp.arange(40), 16), np.float64)
    by_distance = [p[t] @ p[t + 5] for t in range(35)]
    assert np.ptp(by_distance) < 1e-4
    assert abs(by_distance[0] - p[0] @ p[6]) > 1e-2


def test_rotation_keeps_lengths_and_depends_on_the_distance_alone():
    q, k = arrays((1, 1, 8), (1, 1, 8))

    def score(t, s):
        return float((rotate(q, jnp.array([[t]])) * rotate(k, jnp.array([[s]]))).sum())

    assert score(3, 1) == pytest.approx(score(30, 28), abs=1e-4)
    assert abs(score(3, 1) - score(3, 2)) > 1e-3
    np.testing.assert_allclose(jnp.linalg.norm(rotate(q, jnp.array([[9]]))), jnp.linalg.norm(q), rtol=1e-6)
    np.testing.assert_allclose(rotate(q, jnp.array([[0]])), q)


def test_positions_vary_over_time_and_not_over_the_batch():
    same = jnp.broadcast_to(arrays((8,))[0], (3, 2, 5, 8))
    turned = rotate(same, jnp.arange(5))
    assert (turned[0] == turned[2]).all()
    assert not jnp.allclose(turned[:, :, 0], turned[:, :, 1])


# ------------------------------------------------------------------------------------------------ bad input


def test_what_does_not_fit_is_named():
    with pytest.raises(InvalidInput, match="3 heads cannot share 8"):
        MultiHead(8, 3, rngs=nnx.Rngs(0))
    with pytest.raises(InvalidInput, match="7 is odd"):
        frequencies(7)
    Q, K, V = arrays((B, H, T, D), (B, H, S, D), (B, H, S, D))
    with pytest.raises(InvalidInput, match=r"\(2, 5\).*\(2, 3, 4, 5\)"):
        scaled_dot_product(Q, K, V, jnp.ones((B, S), bool))
    with pytest.raises(InvalidInput, match="time"):
        causal_mask(0)
