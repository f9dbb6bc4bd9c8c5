"""Attention in pieces and as a recurrence, against the plain forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course_utils.measure.speed import peak_memory
from course_utils.models.linear import (
    chunked_attention,
    linear_attention,
    linear_attention_recurrent,
    parallel_scan,
    positive,
    sequential_scan,
)
from course_utils.models.self_attention import causal_mask, scaled_dot_product
from course_utils.runtime import InvalidInput


def arrays(*shapes, scale=1.0):
    rng = np.random.default_rng(0)
    return [jnp.asarray(rng.normal(size=shape) * scale, jnp.float32) for shape in shapes]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("chunk", [1, 4, 12])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_attention_in_pieces_equals_attention(causal, chunk, scale):
    Q, K, V = arrays((2, 3, 12, 8), (2, 3, 12, 8), (2, 3, 12, 5), scale=scale)
    mask = causal_mask(12) if causal else None

    def plain(Q, K, V):
        return scaled_dot_product(Q, K, V, mask)[0]

    def pieces(Q, K, V):
        return chunked_attention(Q, K, V, chunk, causal)

    np.testing.assert_allclose(pieces(Q, K, V), plain(Q, K, V), atol=1e-5 * scale)
    if scale == 1.0:
        slopes = [jax.grad(lambda *given, f=f: (f(*given) ** 2).sum(), (0, 1, 2))(Q, K, V) for f in (plain, pieces)]
        for a, b in zip(*slopes, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


def test_the_memory_of_attention_in_pieces_grows_with_the_length_also_when_it_is_trained():
    def needed(time):
        shapes = [jax.ShapeDtypeStruct((1, time, 32), jnp.float32)] * 3
        loss = jax.grad(lambda Q, K, V: (chunked_attention(Q, K, V, 64, causal=True) ** 2).sum(), (0, 1, 2))
        return peak_memory(jax.jit(loss).lower(*shapes).compile())

    assert needed(4_096) < 2.3 * needed(2_048)


def test_pieces_must_fit():
    Q, K, V = arrays((1, 6, 4), (1, 6, 4), (1, 6, 4))
    with pytest.raises(InvalidInput, match="6 keys do not fall into chunks of 4"):
        chunked_attention(Q, K, V, 4)


def test_linear_attention_is_a_recurrence():
    Q, K, V = arrays((2, 9, 4), (2, 9, 4), (2, 9, 3))
    parallel = linear_attention(Q, K, V)
    np.testing.assert_allclose(parallel, linear_attention_recurrent(Q, K, V), atol=1e-5)
    q, k = np.asarray(positive(Q[1])), np.asarray(positive(K[1]))
    i = 5
    scores = [float(q[i] @ k[j]) for j in range(i + 1)]
    expected = sum(s * np.asarray(V[1, j]) for j, s in enumerate(scores)) / sum(scores)
    np.testing.assert_allclose(parallel[1, i], expected, atol=1e-5)


def test_a_parallel_scan_equals_the_steps_in_turn():
    a, b = arrays((37, 3), (37, 3))
    h, expected = np.zeros(3), []
    for t in range(37):
        h = np.asarray(a[t]) * h + np.asarray(b[t])
        expected.append(h)
    np.testing.assert_allclose(sequential_scan(a, b), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(parallel_scan(a, b), expected, rtol=1e-3, atol=1e-4)


def test_the_map_is_positive_far_below_zero_too_and_attention_stays_a_mean():
    assert (positive(jnp.array([-80.0, -20.0, 0.0, 3.0])) > 0).all()
    q, k, v = jnp.full((3, 2), -20.0), jnp.zeros((3, 2)), jnp.arange(3.0)[:, None]
    np.testing.assert_allclose(linear_attention(q, k, v)[:, 0], [0, 0.5, 1], atol=1e-5)
    slopes = jax.vmap(jax.grad(lambda x: positive(x)))(jnp.array([-200.0, -1.0, 0.0, 200.0]))
    np.testing.assert_allclose(slopes, [0, np.exp(-1), 1, 1], atol=1e-6)


def test_pieces_take_half_precision_and_add_up_in_full():
    Q, K, V = (a.astype(jnp.bfloat16) for a in arrays((12, 8), (12, 8), (12, 5)))
    wide = [a.astype(jnp.float32) for a in (Q, K, V)]
    loss = lambda Q, K, V: (chunked_attention(Q, K, V, 4, True).astype(jnp.float32) ** 2).sum()
    assert chunked_attention(Q, K, V, 4, True).dtype == jnp.bfloat16
    found, wanted = jax.grad(loss, (0, 1, 2))(Q, K, V), jax.grad(loss, (0, 1, 2))(*wide)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == jnp.bfloat16
        np.testing.assert_allclose(a.astype(jnp.float32), b, atol=0.05)
