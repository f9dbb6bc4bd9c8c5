"""What attention costs, paid otherwise.

chunked      softmax(Q Kᵀ / √d) V, a few columns of the weights at a time
linear       φ(Q) (φ(K)ᵀ V): another attention, whose causal form is a recurrence
linear scan  h_t = a_t h_{t-1} + b_t, for all t in about 2 log2 n rounds
"""

import functools
import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..runtime import require, require_positive

Queries = Float[Array, "*lead target key"]
Keys = Float[Array, "*lead source key"]
Values = Float[Array, "*lead source value"]
Answers = Float[Array, "*lead target value"]


def chunked_attention(
    queries: Queries, keys: Keys, values: Values, chunk: int, causal: bool = False
) -> Answers:
    """softmax(Q Kᵀ / √d) V with `chunk` keys at a time: memory grows with n · chunk,
    not with n², also when it is trained.

    Of the keys so far three things are kept for each query: the largest score m, the
    sum ℓ = Σ exp(e - m), and the sum Σ exp(e - m) v. A chunk with a larger score
    shrinks the old sums by exp(m - m').

    On the way back the scores are computed again, chunk by chunk, from what is kept of
    each query, L = m + log ℓ: the weights are p = exp(e - L), and with the gradient ō
    of the answer o

        v̄ = pᵀ ō      ē = p ⊙ (ō vᵀ - Σ ō ⊙ o)      q̄ = Σ ē k / √d      k̄ = ēᵀ q / √d

    Milakov, Gimelshein (2018); Rabe, Staats (2021); the idea behind FlashAttention (Dao
    and others 2022). Built in notebook 07.
    """
    require_positive(chunk=chunk)
    source = keys.shape[-2]
    require(
        source % chunk == 0, f"The {source} keys do not fall into chunks of {chunk}."
    )
    return _chunked(queries, keys, values, chunk, causal)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _chunked(
    queries: Queries, keys: Keys, values: Values, chunk: int, causal: bool
) -> Answers:
    return _answer(queries, keys, values, chunk, causal)[0]


def _answer(
    queries: Queries, keys: Keys, values: Values, chunk: int, causal: bool
) -> tuple[Answers, tuple[Array, ...]]:
    def step(sums, now):
        largest, total, found = sums
        k, v, begin = now
        scores = _scores(queries, k, begin, causal)
        new = jnp.maximum(largest, scores.max(-1))
        shrink, raised = jnp.exp(largest - new), jnp.exp(scores - new[..., None])
        return (
            new,
            shrink * total + raised.sum(-1),
            shrink[..., None] * found + raised @ v,
        ), None

    lead, dtype = (
        queries.shape[:-1],
        jnp.promote_types(queries.dtype, jnp.float32),
    )  # of what is added up
    begin = (
        jnp.full(lead, -jnp.inf, dtype),
        jnp.zeros(lead, dtype),
        jnp.zeros((*lead, values.shape[-1]), dtype),
    )
    (largest, total, found), _ = jax.lax.scan(step, begin, _chunks(keys, values, chunk))
    answer = (found / total[..., None]).astype(values.dtype)
    return answer, (queries, keys, values, answer, largest + jnp.log(total))


def _gradient(
    chunk: int, causal: bool, kept: tuple[Array, ...], slope: Answers
) -> tuple[Array, ...]:
    queries, keys, values, answer, log_total = kept
    even = (slope * answer).sum(-1, keepdims=True)
    root = math.sqrt(queries.shape[-1])

    def step(of_queries, now):
        k, v, begin = now
        weights = jnp.exp(_scores(queries, k, begin, causal) - log_total[..., None])
        of_scores = weights * (slope @ jnp.swapaxes(v, -1, -2) - even) / root
        of_chunk = (
            jnp.swapaxes(of_scores, -1, -2) @ queries,
            jnp.swapaxes(weights, -1, -2) @ slope,
        )
        return of_queries + of_scores @ k, of_chunk

    begin = jnp.zeros(queries.shape, log_total.dtype)
    of_queries, found = jax.lax.scan(step, begin, _chunks(keys, values, chunk))
    joined = (
        jnp.moveaxis(a, 0, -3).reshape(b.shape)
        for a, b in zip(found, (keys, values), strict=True)
    )
    return tuple(
        a.astype(b.dtype)
        for a, b in zip((of_queries, *joined), (queries, keys, values), strict=True)
    )


_chunked.defvjp(_answer, _gradient)


def _scores(
    queries: Queries, keys: Keys, begin: Int[Array, ""], causal: bool
) -> Float[Array, "*lead target source"]:
    """Scores of the keys from position `begin` on."""
    scores = queries @ jnp.swapaxes(keys, -1, -2) / math.sqrt(queries.shape[-1])
    if not causal:
        return scores
    seen = jnp.arange(queries.shape[-2])[:, None] >= begin + jnp.arange(keys.shape[-2])
    return jnp.where(seen, scores, -jnp.inf)


def _chunks(
    keys: Keys, values: Values, chunk: int
) -> tuple[Array, Array, Int[Array, " chunks"]]:
    """Keys, values and first position of every chunk, along the first axis."""
    count = keys.shape[-2] // chunk

    def cut(x):
        return jnp.moveaxis(x.reshape(*x.shape[:-2], count, chunk, x.shape[-1]), -3, 0)

    return cut(keys), cut(values), chunk * jnp.arange(count)


def positive(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """φ(x) = elu(x) + 1, which is positive everywhere. Katharopoulos, Vyas, Pappas,
    Fleuret (2020).

    Below 0 that is exp(x), and written so: in float32 elu(x) + 1 is 0 from about -17
    on, exp(x) from about -87; and so is the product of two such numbers where x + y is
    below -87, of which linear attention makes NaN if no pair is larger.
    """
    return jnp.where(x > 0, x + 1, jnp.exp(jnp.where(x > 0, 0, x)))


def linear_attention(
    queries: Float[Array, "*lead time key"],
    keys: Float[Array, "*lead time key"],
    values: Float[Array, "*lead time value"],
) -> Float[Array, "*lead time value"]:
    """All positions at once, n² work:

        o_i = Σ_{j ≤ i} φ(q_i)·φ(k_j) v_j / Σ_{j ≤ i} φ(q_i)·φ(k_j)

    The softmax's exp(q · k) is replaced by φ(q) · φ(k), a product of what each position
    knows of itself.
    """
    scores = positive(queries) @ jnp.swapaxes(positive(keys), -1, -2)
    scores = jnp.tril(scores)
    return scores @ values / scores.sum(-1, keepdims=True)


def linear_attention_recurrent(
    queries: Float[Array, "*lead time key"],
    keys: Float[Array, "*lead time key"],
    values: Float[Array, "*lead time value"],
) -> Float[Array, "*lead time value"]:
    """`linear_attention` as a recurrence:

        S_i = S_{i-1} + φ(k_i) v_iᵀ
        z_i = z_{i-1} + φ(k_i)            o_i = S_iᵀ φ(q_i) / z_i·φ(q_i)

    The state S has d_k × d_v numbers, whatever the length: a recurrent network again.
    Katharopoulos and others (2020).
    """
    lead = keys.shape[:-2]

    def step(state, now):
        S, z = state
        q, k, v = now
        S, z = S + k[..., :, None] * v[..., None, :], z + k
        found = (q[..., None, :] @ S)[..., 0, :]
        return (S, z), found / (q * z).sum(-1, keepdims=True)

    steps = tuple(
        jnp.moveaxis(a, -2, 0) for a in (positive(queries), positive(keys), values)
    )
    start = (
        jnp.zeros((*lead, keys.shape[-1], values.shape[-1])),
        jnp.zeros((*lead, keys.shape[-1])),
    )
    return jnp.moveaxis(jax.lax.scan(step, start, steps)[1], 0, -2)


def sequential_scan(
    a: Float[Array, "time hidden"], b: Float[Array, "time hidden"]
) -> Float[Array, "time hidden"]:
    """h_t = a_t h_{t-1} + b_t from h_0 = 0, one step after another."""

    def step(h, now):
        h = now[0] * h + now[1]
        return h, h

    return jax.lax.scan(step, jnp.zeros_like(b[0]), (a, b))[1]


def parallel_scan(
    a: Float[Array, "time hidden"], b: Float[Array, "time hidden"]
) -> Float[Array, "time hidden"]:
    """The same as `sequential_scan`, in about 2 log2 n rounds that each run in
    parallel.

    Two steps in a row are one step of the same kind, (a, b) then (a', b') = (a' a, a' b
    + b'), and it does not matter how they are bracketed. Blelloch (1990); Martin, Cundy
    (2018). It works because the recurrence is *linear*: no squashing in between.
    """

    def both(first, then):
        return then[0] * first[0], then[0] * first[1] + then[1]

    return jax.lax.associative_scan(both, (a, b))[1]
