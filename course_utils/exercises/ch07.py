"""Exercises of chapter 07: layer normalisation, the cache, merged and linear attention, composed steps."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..models.linear import positive
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
    variance = (centred**2).mean(-1, keepdims=True)
    return gain * centred / jnp.sqrt(variance + 1e-6) + bias


def _normed(x, mean, variance):
    return (x - mean) / jnp.sqrt(variance + 1e-6)


def _rows(x):
    """What was normed rightly, before gain and bias."""
    return _normed(x, x.mean(-1, keepdims=True), x.var(-1, keepdims=True))


layer_norm = Exercise(
    name="layer_norm",
    chapter="ch07",
    objective="block",
    answer="my_norm",
    gives="the normed vectors, in the shape of `x`",
    cases=tuple((_array(t, d, scale=3, shift=2), _array(d), _array(d)) for t, d in ((2, 3), (4, 4), (3, 6))),
    edges=(
        (_array(1, 5, scale=3), _array(5), _array(5)), (_array(3, 2, scale=3), _array(2), _array(2)),
        (_array(2, 4, scale=2, shift=-30), _array(4), _array(4)), (_array(2, 4, scale=50), jnp.zeros(4), _array(4)),
    ),
    solution_function=normed,
    mistakes=(
        Mistake("over the positions", "You take mean and variance over the positions. Each "
            "position is normed by its own numbers alone, or the future would leak.",
            lambda x, g, b: g * _normed(x, x.mean(0), x.var(0)) + b),
        Mistake("over everything", "One mean and one variance for everything. Each position has its own.",
            lambda x, g, b: g * _normed(x, x.mean(), x.var()) + b),
        Mistake("mean not taken away", "The mean is not taken away. (A norm without it exists as well, it is called RMSNorm.)",
            lambda x, g, b: g * _normed(x, 0, (x**2).mean(-1, keepdims=True)) + b,
            lambda x, g, b: g * _normed(x, 0, x.var(-1, keepdims=True)) + b),
        Mistake("no root", "You divide by the variance. It is its root.",
            lambda x, g, b: g * (x - x.mean(-1, keepdims=True)) / (x.var(-1, keepdims=True) + 1e-6) + b),
        Mistake("no gain, no bias", "Gain and bias are missing.", lambda x, g, b: _rows(x)),
        Mistake("no bias", "The bias is missing: it is added at the end.", lambda x, g, b: g * _rows(x)),
        Mistake("no gain", "The gain is missing: it multiplies what was normed.", lambda x, g, b: _rows(x) + b),
        Mistake("gain on the bias", "The gain multiplies what was normed, and the bias is added after it, as it is.",
            lambda x, g, b: g * (_rows(x) + b)),
        Mistake("divided by one less", "Nearly: the variance is the mean of the squares, divided by the width, not by one less.",
            lambda x, g, b: g * _normed(x, x.mean(-1, keepdims=True), x.var(-1, ddof=1, keepdims=True)) + b),
        Mistake("divided by the length", "You divide by the length of the vector (the root of the *sum* of the squares). It is the root of "
            "their mean.", lambda x, g, b: normed(x, g / x.shape[-1] ** 0.5, b)),
        Mistake("gain and bias exchanged", "Gain and bias have changed places.", lambda x, g, b: normed(x, b, g)),
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
    filled = jnp.arange(len(K)) <= t
    scores = jnp.where(filled, K @ q / jnp.sqrt(q.size), -jnp.inf)
    return jax.nn.softmax(scores) @ V


def _own(seen, *, key=True, value=True, row=None, scale=None, fill=-jnp.inf, weigh=jax.nn.softmax):
    """The cached step with one thing changed; `seen(K, q, t)` says which rows are looked at."""

    def function(q, k, v, K, V, t):
        place = t if row is None else row
        K, V = K.at[place].set(k) if key else K, V.at[place].set(v) if value else V
        scores = K @ q / (math.sqrt(q.size) if scale is None else scale(q))
        return jnp.nan_to_num(weigh(jnp.where(seen(K, q, t), scores, fill))) @ V

    return function


def _filled(K, q, t):
    return jnp.arange(len(K)) <= t


def _after(q, k, v, K, V, t):
    """The mask behind the softmax."""
    K, V = K.at[t].set(k), V.at[t].set(v)
    return jnp.where(jnp.arange(len(K)) <= t, jax.nn.softmax(K @ q / math.sqrt(q.size)), 0) @ V


def _by_hand(scores):
    raised = jnp.exp(scores)
    return raised / raised.sum()


def _cache(longest: int, d: int, m: int, t: int) -> tuple:
    filled = (jnp.arange(longest) < t)[:, None]
    return (_array(d), _array(d), _array(m), _array(longest, d) * filled, _array(longest, m) * filled, t)


def _one_cached(q: tuple, k: tuple, before: tuple) -> tuple:
    """A cache that holds one key, and room for two more."""
    K, V = jnp.zeros((3, len(q))).at[0].set(jnp.array(before)), jnp.zeros((3, 2)).at[0].set(jnp.array([1.0, 2.0]))
    return jnp.array(q), jnp.array(k), jnp.array([3.0, -1.0]), K, V, 1


def _over_and_under(q, k, v, K, V, t):
    """A softmax by hand, which takes no maximum away."""
    K, V = K.at[t].set(k)[: t + 1], V.at[t].set(v)[: t + 1]
    return _by_hand(K @ q / math.sqrt(q.size)) @ V


cache = Exercise(
    name="cache",
    chapter="ch07",
    objective="decoding",
    answer="my_cached",
    gives="what the query finds, `[value]`",
    cases=(_cache(4, 2, 2, 1), _cache(5, 4, 3, 3), _cache(6, 4, 2, 2)),
    edges=(
        _cache(3, 2, 2, 0), _cache(3, 2, 2, 2), _cache(1, 2, 2, 0), _cache(4, 1, 1, 2),
        _one_cached((2.0, 0.0), (1.0, 1.0), (0.0, 2.0)),  # a score of 0
        _one_cached((2.0, 1.0), (1.0, 1.0), (0.0, 0.0)), _one_cached((2.0, 1.0), (0.0, 0.0), (1.0, -2.0)),  # a key of zeros
        _one_cached((2.0, 1.0), (1.0, 1.0), (1.5, -1.5)),  # a key whose sum is 0
        _one_cached((2000.0, 1.0, 0.0, 0.0), (-1.0, 2.0, 0.0, 0.0), (-1.0, 0.0, 0.0, 0.0)),  # scores of -1,000 and -999
        _one_cached((2000.0, 1.0, 0.0, 0.0), (1.0, 2.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)),
    ),
    solution_function=cached,
    mistakes=(
        Mistake("empty rows weighed", "The rows that are still empty take a share of the weight: a score of "
            "0 is not “no score”. Leave them out *before* the softmax.", _own(lambda K, q, t: True), _after),
        Mistake("not itself", "A position may look at itself: put its own key and value into row t first.",
            _own(lambda K, q, t: jnp.arange(len(K)) < t, key=False, value=False), _own(lambda K, q, t: jnp.arange(len(K)) < t)),
        Mistake("value not kept", "The key is in the cache, the value is not.", _own(_filled, value=False)),
        Mistake("key not kept", "The value is in the cache, the key is not.", _own(_filled, key=False)),
        Mistake("row 0", "You overwrite row 0. This position's row is t.", _own(_filled, row=0)),
        Mistake("one row too many", "You look at one row too many: the rows 0 … t are t + 1 of them.",
            _own(lambda K, q, t: jnp.arange(len(K)) <= t + 1)),
        Mistake("no √d_k", "The √d_k is missing.", _own(_filled, scale=lambda q: 1.0)),
        Mistake("divided by d_k", "You divide by d_k. It is the root of d_k.", _own(_filled, scale=lambda q: q.size)),
        Mistake("query and key exchanged", "Query and key have changed places: the key is what is kept.",
            lambda q, k, v, K, V, t: _own(_filled)(k, q, v, K, V, t)),
        Mistake("fill not low enough",
            "The number that you put in place of the scores behind row t is not low enough: where the scores of the filled rows are "
            "lower still, the empty rows get the weight. Put `-jnp.inf` there.", _own(_filled, fill=-20.0), _own(_filled, fill=-100.0)),
        Mistake("filled by score", "You leave out every score of 0. The score of a filled row may be exactly 0 too, where its key is at "
            "right angles to the query. Go by the place: rows 0 … t.", _own(lambda K, q, t: K @ q != 0)),
        Mistake("filled by key", "You take a row of zeros for an empty one (or one whose numbers sum to 0). A key may be so too. Go by the "
            "place: rows 0 … t.", _own(lambda K, q, t: (K != 0).any(1)), _own(lambda K, q, t: K.sum(1) != 0),
            _own(lambda K, q, t: (K != 0).all(1))),
        Mistake("overflow", "Right for small scores. But e^1000 is more than float32 holds, and e^-1000 is 0 there: subtract the largest "
            "score first, or let `jax.nn.softmax` do it.", _over_and_under),
        Mistake("hard look-up", "That is the value with the largest score. All count, each with its weight.",
            _own(_filled, weigh=lambda e: (jnp.arange(len(e)) == e.argmax()) * 1.0)),
    ),
    hints=(
        "What must be in the cache before this position looks, and how many rows are filled then?",
        "`K.at[t].set(k)` gives a cache with one more row; the values likewise. The scores are `K @ q / jnp.sqrt(q.size)`; those of "
        "the rows behind t become `-jnp.inf` before the softmax.",
        "`scores = jnp.where(jnp.arange(len(K)) <= t, K @ q / jnp.sqrt(q.size), -jnp.inf)` with the new K, then "
        "`jax.nn.softmax(scores) @ V` with the new V",
    ),
)  # fmt: skip

# --------------------------------------------------------------------------------------------- two pieces


def merged(m_1: Array, l_1: Array, u_1: Array, m_2: Array, l_2: Array, u_2: Array) -> Float[Array, " value"]:
    """The answer over two pieces of keys, from what is kept of each: m = max e, l = Σ exp(e - m), u = Σ exp(e - m) v.

    m = max(m_1, m_2); both sums shrink to it, exp(m_i - m); the answer is Σ u / Σ l.
    """
    m = jnp.maximum(m_1, m_2)
    a, b = jnp.exp(m_1 - m), jnp.exp(m_2 - m)
    return (a * u_1 + b * u_2) / (a * l_1 + b * l_2)


def _chunk(n: int, shift: float = 0.0) -> tuple:
    e, v = _array(n, shift=shift), _array(n, 3)
    raised = jnp.exp(e - e.max())
    return e.max(), raised.sum(), raised @ v


def _to(common, m, l, u, m2, l2, u2):
    """The two pieces brought to `common(m, m2)`."""
    a, b = jnp.exp(m - common(m, m2)), jnp.exp(m2 - common(m, m2))
    return (a * u + b * u2) / (a * l + b * l2)


def _against_0(*pieces):
    return _to(lambda m, m2: jnp.maximum(jnp.maximum(m, m2), 0), *pieces)


merge = Exercise(
    name="merge",
    chapter="ch07",
    objective="cheaper",
    answer="my_merge",
    gives="the answer over both pieces, `[value]`",
    cases=((*_chunk(2), *_chunk(2)), (*_chunk(3), *_chunk(4, 2.0)), (*_chunk(4, 1.0), *_chunk(2))),
    edges=(
        (*_chunk(2, 200.0), *_chunk(3, 198.0)), (*_chunk(2, -199.0), *_chunk(2, -198.0)), (*_chunk(2), *_chunk(2, 100.0)),
        (*_chunk(2, 100.0), *_chunk(2)), (*_chunk(2, 198.0), *_chunk(2, -198.0)), (*_chunk(2, -198.0), *_chunk(2, 198.0)),
        (*_chunk(1), *_chunk(5)), (jnp.array(1.5), jnp.array(1.0), jnp.ones(3), jnp.array(1.5), jnp.array(2.0), jnp.zeros(3)),
    ),
    solution_function=merged,
    mistakes=(
        Mistake("two scales", "The two sums have different scales: each was divided by the exponential of its own "
            "maximum. Bring both to the larger one first.", lambda m, l, u, m2, l2, u2: (u + u2) / (l + l2)),
        Mistake("mean of the answers", "That is the mean of the two answers. A piece with more, or larger, scores "
            "should count for more.", lambda m, l, u, m2, l2, u2: (u / l + u2 / l2) / 2),
        Mistake("sum of the answers", "Those are the two answers added up. The weights of both pieces together sum to 1.",
            lambda m, l, u, m2, l2, u2: u / l + u2 / l2),
        Mistake("overflow", "Right for small scores. But exp(200) is more than float32 holds: subtract the larger maximum.",
            lambda m, l, u, m2, l2, u2: (jnp.exp(m) * u + jnp.exp(m2) * u2) / (jnp.exp(m) * l + jnp.exp(m2) * l2)),
        Mistake("first maximum", "This works as long as the first maximum is the larger one. Take the larger of the two.",
            lambda m, l, u, m2, l2, u2: (u + jnp.exp(m2 - m) * u2) / (l + jnp.exp(m2 - m) * l2)),
        Mistake("second maximum", "This works as long as the second maximum is the larger one. Take the larger of the two.",
            lambda m, l, u, m2, l2, u2: (jnp.exp(m - m2) * u + u2) / (jnp.exp(m - m2) * l + l2)),
        Mistake("maximum at least 0", "Right, except where all scores are far below 0: exp(-200) is 0 in float32, and 0/0 is not a number. "
            "Take the larger of the two maxima, also where both are negative.", _against_0),
        Mistake("smaller maximum", "You bring both to the *smaller* maximum, and exp of what is larger passes what float32 holds.",
            lambda *c: _to(jnp.minimum, *c)),
        Mistake("divisor not shrunk", "The sums below the line must shrink by the same factors as those above it.",
            lambda m, l, u, m2, l2, u2: (jnp.exp(m - jnp.maximum(m, m2)) * u + jnp.exp(m2 - jnp.maximum(m, m2)) * u2) / (l + l2)),
        Mistake("not divided", "The division is missing: the weights of both pieces together sum to 1.",
            lambda m, l, u, m2, l2, u2: jnp.exp(m - jnp.maximum(m, m2)) * u + jnp.exp(m2 - jnp.maximum(m, m2)) * u2),
        Mistake("sign of the exponent", "Your exponent has the wrong sign: the sums shrink by exp(m_i - m), which is at most 1.",
            lambda m, l, u, m2, l2, u2: (jnp.exp(jnp.maximum(m, m2) - m) * u + jnp.exp(jnp.maximum(m, m2) - m2) * u2)
            / (jnp.exp(jnp.maximum(m, m2) - m) * l + jnp.exp(jnp.maximum(m, m2) - m2) * l2)),
    ),
    hints=(
        "Each sum is too large by the exponential of something. Of what, if all had used one common maximum?",
        "`m = jnp.maximum(m_1, m_2)`; the first piece's l and u shrink by `jnp.exp(m_1 - m)`, the second's likewise.",
        "`return (a * u_1 + b * u_2) / (a * l_1 + b * l_2)` with a = exp(m_1 - m), b = exp(m_2 - m)",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------ attention as a recurrence


def linear(
    Q: Float[Array, "time key"], K: Float[Array, "time key"], V: Float[Array, "time value"]
) -> Float[Array, "time value"]:
    """S_i = S_{i-1} + φ(k_i) v_iᵀ, z_i = z_{i-1} + φ(k_i), o_i = S_iᵀ φ(q_i) / z_i·φ(q_i), with φ(x) = elu(x) + 1."""
    S, z, found = 0, 0, []
    for q, k, v in zip(jax.nn.elu(Q) + 1, jax.nn.elu(K) + 1, V, strict=True):
        S, z = S + jnp.outer(k, v), z + k
        found.append(q @ S / (q @ z))
    return jnp.stack(found)


def _loop(phi=positive, before=False, divide=True, decay=1.0, of_queries=None, own=False):
    def function(Q, K, V):
        S, z, out = jnp.zeros((K.shape[1], V.shape[1])), jnp.zeros(K.shape[1]), []
        for q, k, v in zip((of_queries or phi)(Q), phi(K), V, strict=True):
            old = S, z
            S, z = decay * S + jnp.outer(k, v), decay * z + k
            now = (jnp.outer(k, v), k) if own else old if before else (S, z)
            found = q @ now[0]
            out.append(found / (q @ now[1]) if divide else found)
        return jnp.stack(out)

    return function


def _same(x):
    return x


def _softmax_causal(scale):
    return lambda Q, K, V: (
        jax.nn.softmax(jnp.where(jnp.tril(jnp.ones((len(Q),) * 2, bool)), Q @ K.T * scale, -jnp.inf)) @ V
    )


linear_attention = Exercise(
    name="linear_attention",
    chapter="ch07",
    objective="cheaper",
    answer="my_linear",
    gives="what each position finds, `[time, value]`",
    cases=tuple((_array(t, d), _array(t, d), _array(t, m)) for t, d, m in ((2, 2, 2), (4, 3, 2), (6, 4, 3))),
    edges=(
        (_array(1, 3), _array(1, 3), _array(1, 2)), (_array(4, 1), _array(4, 1), _array(4, 1)),
        (_array(3, 2, scale=4), _array(3, 2, scale=4), _array(3, 2)), (jnp.zeros((3, 2)), jnp.zeros((3, 2)), _array(3, 2)),
    ),
    solution_function=linear,
    mistakes=(
        Mistake("no φ", "φ is missing: without it the “weights” can be negative.", _loop(phi=_same)),
        Mistake("φ on one side", "φ belongs to the queries and to the keys: φ(q) · φ(k).", _loop(of_queries=_same),
            _loop(phi=_same, of_queries=positive)),
        Mistake("relu", "That φ is relu. Here φ(x) = elu(x) + 1, which is never 0.", _loop(phi=jax.nn.relu)),
        Mistake("exponential", "That φ is the exponential. Here φ(x) = elu(x) + 1, which grows no faster than x.", _loop(phi=jnp.exp)),
        Mistake("elu without the 1", "φ(x) = elu(x) + 1: without the 1 it can be negative.", _loop(phi=jax.nn.elu)),
        Mistake("state before the own key", "You read the state before the position's own key and value are in it.", _loop(before=True)),
        Mistake("not divided", "The division by z_i·φ(q_i) is missing: the weights of a row sum to 1.", _loop(divide=False)),
        Mistake("fades", "Your state fades. Here everything that was added stays.", _loop(decay=0.9)),
        Mistake("own pair alone", "Each position finds its own value alone: the state is not carried along. Add to S and z, do not replace "
            "them.", _loop(own=True)),
        Mistake("softmax attention", "That is softmax attention. Here exp(q · k) is replaced by φ(q) · φ(k).", _softmax_causal(1.0),
            lambda Q, K, V: _softmax_causal(Q.shape[1] ** -0.5)(Q, K, V)),
        Mistake("the future seen", "Each position sees the future. The sums run up to i.",
            lambda Q, K, V: (positive(Q) @ positive(K).T) @ V / (positive(Q) @ positive(K).T).sum(-1, keepdims=True)),
    ),
    hints=(
        "Two things are carried along: a matrix and a vector. What does each position add to them?",
        "In a loop or a scan: `S = S + jnp.outer(phi(k), v)`, `z = z + phi(k)`, and then the answer of this position.",
        "answer: `phi(q) @ S / (phi(q) @ z)`, with `phi = lambda x: jax.nn.elu(x) + 1`; `jnp.stack` the answers",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------ two steps are one


def composed(a_1: Array, b_1: Array, a_2: Array, b_2: Array) -> Float[Array, "2 hidden"]:
    """h → a_1 h + b_1 and then h → a_2 h + b_2 as one step: (a_2 a_1, a_2 b_1 + b_2), stacked."""
    return jnp.stack([a_2 * a_1, a_2 * b_1 + b_2])


compose = Exercise(
    name="compose",
    chapter="ch07",
    objective="cheaper",
    answer="my_compose",
    gives="the new pair a, b, stacked: `[2, hidden]`",
    cases=tuple(tuple(_array(d) for _ in range(4)) for d in (2, 3, 4)),
    edges=(
        tuple(_array(1) for _ in range(4)), (jnp.zeros(2), _array(2), _array(2), _array(2)), (_array(2), _array(2), jnp.zeros(2),
            _array(2)),
        (jnp.ones(2), jnp.zeros(2), _array(2), _array(2)),
    ),
    solution_function=composed,
    mistakes=(
        Mistake("second step first", "Turned round: the first step happens first, and the second multiplies what "
            "it left: a_2 (a_1 h + b_1) + b_2.", lambda a, b, c, d: jnp.stack([c * a, a * d + b])),
        Mistake("b_1 not multiplied", "b_1 goes through the second step too, so it is multiplied by a_2.",
            lambda a, b, c, d: jnp.stack([c * a, b + d])),
        Mistake("a added", "Two multiplications in a row multiply.", lambda a, b, c, d: jnp.stack([a + c, c * b + d])),
        Mistake("no b_2", "b_2 is missing.", lambda a, b, c, d: jnp.stack([c * a, c * b])),
        Mistake("b_1 multiplied twice", "b_1 is added after the first multiplication, so only a_2 multiplies it.",
            lambda a, b, c, d: jnp.stack([c * a, c * a * b + d])),
        Mistake("b first", "The right numbers in the wrong order: a first, then b.", lambda a, b, c, d: jnp.stack([c * b + d, c * a])),
        Mistake("joined to one vector", "`concatenate` makes one long vector. `jnp.stack([a, b])` gives two rows.",
            lambda a, b, c, d: jnp.concatenate([c * a, c * b + d])),
        Mistake("a_2 on b_2", "b_2 is added last: nothing multiplies it.", lambda a, b, c, d: jnp.stack([c * a, c * (b + d)])),
    ),
    hints=(
        "Put a_1 h + b_1 in place of h in the second step.",
        "a_2 (a_1 h + b_1) + b_2: what multiplies h, and what is left?",
        "`return jnp.stack([a_2 * a_1, a_2 * b_1 + b_2])`",
    ),
)  # fmt: skip

ALL = (layer_norm, cache, merge, linear_attention, compose)

__all__ = ["ALL", "cache", "compose", "layer_norm", "linear_attention", "merge"]
