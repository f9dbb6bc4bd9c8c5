"""Exercises of notebook 07."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..models.linear import linear_attention_recurrent, positive
from ..teaching.exercise import Exercise, Mistake, drawn

_rng = np.random.default_rng(7)
_array = functools.partial(drawn, _rng)


# ------------------------------------------------------------------------------------------------- the norm


def normed(
    x: Float[Array, "time width"], gain: Float[Array, " width"], bias: Float[Array, " width"]
) -> Float[Array, "time width"]:
    """gain · (x - mean) / √(variance + 10⁻⁶) + bias, mean and variance over the numbers of each position.

    Ba, Kiros, Hinton (2016). The library uses `flax.nnx.LayerNorm`.
    """
    centred = x - x.mean(-1, keepdims=True)
    return gain * centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) + bias


layer_norm = Exercise(
    name="layer_norm",
    chapter="ch07",
    objective="block",
    cases=tuple((_array(t, d, scale=3, shift=2), _array(d), _array(d)) for t, d in ((2, 3), (4, 4), (3, 6))),
    solution_function=normed,
    mistakes=(
        Mistake(lambda x, g, b: g * (x - x.mean(0)) / jnp.sqrt(x.var(0) + 1e-6) + b, "You take mean and variance over the positions. Each "
            "position is normed by its own numbers alone, or the future would leak."),
        Mistake(lambda x, g, b: g * (x - x.mean()) / jnp.sqrt(x.var() + 1e-6) + b, "One mean and one variance for everything. Each "
            "position has its own."),
        Mistake(lambda x, g, b: g * x / jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) + b,
            "The mean is not taken away. (That norm exists "
            "as well, it is called RMSNorm.)"),
        Mistake(lambda x, g, b: g * (x - x.mean(-1, keepdims=True)) / (x.var(-1, keepdims=True) + 1e-6) + b,
            "You divide by the variance. It is "
            "its root."),
        Mistake(lambda x, g, b: (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-6), "Gain and bias are missing."),
        Mistake(lambda x, g, b: g * (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, ddof=1, keepdims=True) + 1e-6) + b, "Nearly: the "
            "variance is the mean of the squares, divided by the width, not by one less."),
    ),
    hints=(
        "Which numbers belong together: those of a position, or those of an entry?",
        "`x.mean(-1, keepdims=True)` has one mean for each position; the same for the variance.",
        "`return gain * (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-6) + bias`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------------ the cache


def cached(
    q: Float[Array, " key"],
    k: Float[Array, " key"],
    v: Float[Array, " value"],
    K: Float[Array, "longest key"],
    V: Float[Array, "longest value"],
    t: int,
) -> Float[Array, " value"]:
    """What position t finds: its own key and value go to row t of the cache, then it looks at the rows 0 … t."""
    K, V = K.at[t].set(k), V.at[t].set(v)
    scores = K @ q / math.sqrt(q.size)
    return jax.nn.softmax(jnp.where(jnp.arange(len(K)) <= t, scores, -jnp.inf)) @ V


def _look(q, K, V, seen, fill=-jnp.inf):
    return jnp.nan_to_num(jax.nn.softmax(jnp.where(seen, K @ q / math.sqrt(q.size), fill))) @ V


def _cache(longest: int, d: int, m: int, t: int) -> tuple:
    filled = (jnp.arange(longest) < t)[:, None]
    return (_array(d), _array(d), _array(m), _array(longest, d) * filled, _array(longest, m) * filled, t)


def _one_cached(q: tuple, k: tuple, before: tuple) -> tuple:
    """A cache that holds one key, and room for two more."""
    K, V = jnp.zeros((3, len(q))).at[0].set(jnp.array(before)), jnp.zeros((3, 2)).at[0].set(jnp.array([1.0, 2.0]))
    return jnp.array(q), jnp.array(k), jnp.array([3.0, -1.0]), K, V, 1


cache = Exercise(
    name="cache",
    chapter="ch07",
    objective="decoding",
    cases=(
        _cache(4, 2, 2, 1), _cache(5, 4, 3, 3), _cache(3, 2, 2, 0), _cache(3, 2, 2, 2),
        _one_cached((2048.0, 1.0, 0.0, 0.0), (-1.0, 2.0, 0.0, 0.0), (-1.0, 0.0, 0.0, 0.0)),  # scores of -1024 and -1023
        _one_cached((2.0, 0.0), (1.0, 1.0), (0.0, 2.0)),  # a score of 0
    ),
    solution_function=cached,
    mistakes=(
        Mistake(lambda q, k, v, K, V, t: _look(q, K.at[t].set(k), V.at[t].set(v), True),
            "The rows that are still empty get weight: a score of "
            "0 is not “no score”. Look at the rows 0 … t only."),
        Mistake(lambda q, k, v, K, V, t: _look(q, K, V, jnp.arange(len(K)) < t), "A position may look at itself: put its own key and value "
            "into row t first."),
        Mistake(lambda q, k, v, K, V, t: _look(q, K.at[t].set(k), V, jnp.arange(len(K)) <= t),
            "The key is in the cache, the value is not."),
        Mistake(lambda q, k, v, K, V, t: _look(q, K.at[0].set(k), V.at[0].set(v), jnp.arange(len(K)) <= t), "You overwrite row 0. This "
            "position's row is t."),
        Mistake(lambda q, k, v, K, V, t: _look(q * math.sqrt(q.size), K.at[t].set(k), V.at[t].set(v), jnp.arange(len(K)) <= t),
            "The √d_k is "
            "missing."),
        Mistake(lambda q, k, v, K, V, t: _look(k, K.at[t].set(q), V.at[t].set(v), jnp.arange(len(K)) <= t),
            "Query and key have changed places: "
            "the key is what is kept."),
        Mistake(lambda q, k, v, K, V, t: _look(q, K.at[t].set(k), V.at[t].set(v), jnp.arange(len(K)) <= t, fill=-20.0),
            "The number that you put in place of the scores behind row t is not low enough: where the scores of the filled rows are "
            "lower still, the empty rows get the weight. Put `-jnp.inf` there."),
        Mistake(lambda q, k, v, K, V, t: _look(q, K.at[t].set(k), V.at[t].set(v), K.at[t].set(k) @ q != 0),
            "You leave out every score of 0. The score of a filled row may be exactly 0 too, where its key is at right angles to the "
            "query. Go by the place: rows 0 … t."),
    ),
    hints=(
        "What must be in the cache before this position looks, and how many rows are filled then?",
        "`K.at[t].set(k)` gives a cache with one more row. Mask the rows behind t before the softmax.",
        "`scores = jnp.where(jnp.arange(len(K)) <= t, K @ q / jnp.sqrt(q.size), -jnp.inf)` with the new K, then softmax times the new V",
    ),
)  # fmt: skip

# --------------------------------------------------------------------------------------------- two chunks


def merged(m_1: Array, l_1: Array, u_1: Array, m_2: Array, l_2: Array, u_2: Array) -> Float[Array, " value"]:
    """The answer over two chunks of keys, from what is kept of each: m = max e, l = Σ exp(e - m), u = Σ exp(e - m) v.

    m = max(m_1, m_2); both sums shrink to it, exp(m_i - m); the answer is Σ u / Σ l.
    """
    m = jnp.maximum(m_1, m_2)
    a, b = jnp.exp(m_1 - m), jnp.exp(m_2 - m)
    return (a * u_1 + b * u_2) / (a * l_1 + b * l_2)


def _chunk(n: int, shift: float = 0.0) -> tuple:
    e, v = _array(n, shift=shift), _array(n, 3)
    raised = jnp.exp(e - e.max())
    return e.max(), raised.sum(), raised @ v


def _against_0(m, l, u, m2, l2, u2):
    largest = jnp.maximum(jnp.maximum(m, m2), 0)
    a, b = jnp.exp(m - largest), jnp.exp(m2 - largest)
    return (a * u + b * u2) / (a * l + b * l2)


merge = Exercise(
    name="merge",
    chapter="ch07",
    objective="cheaper",
    cases=(
        (*_chunk(2), *_chunk(2)), (*_chunk(3), *_chunk(4, 2.0)), (*_chunk(2, 200.0), *_chunk(3, 198.0)),
        (*_chunk(2, -200.0), *_chunk(2, -199.0)), (*_chunk(2), *_chunk(2, 100.0)), (*_chunk(2, 100.0), *_chunk(2)),
    ),
    solution_function=merged,
    mistakes=(
        Mistake(lambda m, l, u, m2, l2, u2: (u + u2) / (l + l2),
            "The two sums have different scales: each was divided by the exponential of its own "
            "maximum. Bring both to the larger one first."),
        Mistake(lambda m, l, u, m2, l2, u2: (u / l + u2 / l2) / 2,
            "That is the mean of the two answers. A chunk with more, or larger, scores "
            "should count for more."),
        Mistake(lambda m, l, u, m2, l2, u2: (jnp.exp(m) * u + jnp.exp(m2) * u2) / (jnp.exp(m) * l + jnp.exp(m2) * l2),
            "Right for small scores. "
            "But exp(200) is more than float32 holds: subtract the larger maximum."),
        Mistake(lambda m, l, u, m2, l2, u2: (u + jnp.exp(m2 - m) * u2) / (l + jnp.exp(m2 - m) * l2),
            "This works as long "
            "as the first maximum is the larger one. Take the larger of the two."),
        Mistake(_against_0, "Right, except where all scores are far below 0: exp(-200) is 0 in float32, and 0/0 is not a number. Take the "
            "larger of the two maxima, also where both are negative."),
        Mistake(lambda m, l, u, m2, l2, u2: (jnp.exp(m - jnp.maximum(m, m2)) * u + jnp.exp(m2 - jnp.maximum(m, m2)) * u2) / (l + l2),
            "The sums below "
            "the line must shrink by the same factors as those above it."),
        Mistake(lambda m, l, u, m2, l2, u2: jnp.exp(m - jnp.maximum(m, m2)) * u + jnp.exp(m2 - jnp.maximum(m, m2)) * u2, "The division is "
            "missing: the weights of both chunks together sum to 1."),
    ),
    hints=(
        "Each sum is too large by the exponential of something. Of what, if all had used one common maximum?",
        "`m = jnp.maximum(m_1, m_2)`; the first chunk's l and u shrink by `jnp.exp(m_1 - m)`, the second's likewise.",
        "`return (a * u_1 + b * u_2) / (a * l_1 + b * l_2)` with a = exp(m_1 - m), b = exp(m_2 - m)",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------ attention as a recurrence


def linear(
    Q: Float[Array, "time key"], K: Float[Array, "time key"], V: Float[Array, "time value"]
) -> Float[Array, "time value"]:
    """S_i = S_{i-1} + φ(k_i) v_iᵀ, z_i = z_{i-1} + φ(k_i), o_i = S_iᵀ φ(q_i) / z_i·φ(q_i), with φ(x) = elu(x) + 1."""
    return linear_attention_recurrent(Q, K, V)


def _loop(phi=positive, before=False, divide=True, decay=1.0):
    def function(Q, K, V):
        S, z, out = jnp.zeros((K.shape[1], V.shape[1])), jnp.zeros(K.shape[1]), []
        for q, k, v in zip(phi(Q), phi(K), V, strict=True):
            old = S, z
            S, z = decay * S + jnp.outer(k, v), decay * z + k
            now = old if before else (S, z)
            found = q @ now[0]
            out.append(found / (q @ now[1]) if divide else found)
        return jnp.stack(out)

    return function


linear_attention = Exercise(
    name="linear_attention",
    chapter="ch07",
    objective="cheaper",
    cases=tuple((_array(t, d), _array(t, d), _array(t, m)) for t, d, m in ((2, 2, 2), (4, 3, 2), (6, 4, 3))),
    solution_function=linear,
    mistakes=(
        Mistake(_loop(phi=lambda x: x), "φ is missing: without it the “weights” can be negative."),
        Mistake(_loop(phi=jax.nn.relu), "That φ is relu. Here φ(x) = elu(x) + 1, which is never 0."),
        Mistake(_loop(phi=jax.nn.elu), "φ(x) = elu(x) + 1: without the 1 it can be negative."),
        Mistake(_loop(before=True), "You read the state before the position's own key and value are in it."),
        Mistake(_loop(divide=False), "The division by z_i·φ(q_i) is missing: the weights of a row sum to 1."),
        Mistake(_loop(decay=0.9), "Your state fades. Here everything that was added stays."),
        Mistake(lambda Q, K, V: jax.nn.softmax(jnp.where(jnp.tril(jnp.ones((len(Q),) * 2, bool)), Q @ K.T, -jnp.inf)) @ V,
            "That is softmax "
            "attention. Here exp(q · k) is replaced by φ(q) · φ(k)."),
        Mistake(lambda Q, K, V: (positive(Q) @ positive(K).T) @ V / (positive(Q) @ positive(K).T).sum(-1, keepdims=True),
            "Each position sees the "
            "future. The sums run up to i."),
    ),
    hints=(
        "Two things are carried along: a matrix and a vector. What does each position add to them?",
        "In a loop or a scan: `S = S + jnp.outer(phi(k), v)`, `z = z + phi(k)`, and then the answer of this position.",
        "answer: `phi(q) @ S / (phi(q) @ z)`, with `phi = lambda x: jax.nn.elu(x) + 1`; `jnp.stack` the answers",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------ two steps are one


def composed(a_1: Array, b_1: Array, a_2: Array, b_2: Array) -> Float[Array, "two hidden"]:
    """h → a_1 h + b_1 and then h → a_2 h + b_2 as one step: (a_2 a_1, a_2 b_1 + b_2), stacked."""
    return jnp.stack([a_2 * a_1, a_2 * b_1 + b_2])


compose = Exercise(
    name="compose",
    chapter="ch07",
    objective="cheaper",
    cases=tuple(tuple(_array(d) for _ in range(4)) for d in (1, 2, 3)),
    solution_function=composed,
    mistakes=(
        Mistake(lambda a, b, c, d: jnp.stack([c * a, a * d + b]),
            "Turned round: the first step happens first, and the second multiplies what "
            "it left: a_2 (a_1 h + b_1) + b_2."),
        Mistake(lambda a, b, c, d: jnp.stack([c * a, b + d]), "b_1 goes through the second step too, so it is multiplied by a_2."),
        Mistake(lambda a, b, c, d: jnp.stack([a + c, c * b + d]), "Two multiplications in a row multiply."),
        Mistake(lambda a, b, c, d: jnp.stack([c * a, c * b]), "b_2 is missing."),
        Mistake(lambda a, b, c, d: jnp.stack([c * a, c * a * b + d]),
            "b_1 is added after the first multiplication, so only a_2 multiplies it."),
    ),
    hints=(
        "Put a_1 h + b_1 in place of h in the second step.",
        "a_2 (a_1 h + b_1) + b_2: what multiplies h, and what is left?",
        "`return jnp.stack([a_2 * a_1, a_2 * b_1 + b_2])`",
    ),
)  # fmt: skip

ALL = (layer_norm, cache, merge, linear_attention, compose)

__all__ = ["ALL", "cache", "compose", "layer_norm", "linear_attention", "merge"]
