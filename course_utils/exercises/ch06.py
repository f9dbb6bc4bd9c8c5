"""Exercises of notebook 06."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..models.positions import sinusoidal as library_sinusoidal
from ..models.self_attention import causal_mask, join_heads, scaled_dot_product
from ..models.self_attention import split_heads as library_split_heads
from ..teaching.exercise import Exercise, Mistake, drawn

_rng = np.random.default_rng(6)
_array = functools.partial(drawn, _rng)


# --------------------------------------------------------------------------------------- one query, one answer


def look_up(
    q: Float[Array, " key"], K: Float[Array, "source key"], V: Float[Array, "source value"]
) -> Float[Array, " value"]:
    """softmax(K q / √d) V: the answer of a soft dictionary to one query."""
    return jax.nn.softmax(K @ q / jnp.sqrt(q.size)) @ V


soft_lookup = Exercise(
    name="soft_lookup",
    chapter="ch06",
    objective="lookup",
    cases=tuple((_array(d), _array(n, d), _array(n, m)) for n, d, m in ((2, 4, 1), (3, 4, 2), (5, 9, 3))),
    solution_function=look_up,
    mistakes=(
        Mistake(lambda q, K, V: jax.nn.softmax(K @ q) @ V, "The √d is missing. The scores of longer vectors spread more, and "
            "the division "
            "takes that out."),
        Mistake(lambda q, K, V: jax.nn.softmax(K @ q / q.size) @ V, "You divide by d. The *spread* (the standard deviation) of "
            "the scores "
            "grows as √d."),
        Mistake(lambda q, K, V: jax.nn.softmax(K @ q / jnp.sqrt(len(K))) @ V, "You divide by √n, n the number of entries. d is how many "
            "numbers a key has."),
        Mistake(lambda q, K, V: V[(K @ q).argmax()], "That is the value of the best key alone, a hard look-up. All values count, each "
            "with its weight."),
        Mistake(lambda q, K, V: (K @ q / jnp.sqrt(q.size)) @ V, "The softmax is missing: your scores can be negative and do not sum to 1."),
        Mistake(lambda q, K, V: V.mean(0), "The query does not appear: that is the mean of all values."),
        Mistake(lambda q, K, V: jax.nn.softmax(K @ q / jnp.sqrt(q.size))[:, None] * V, "Those are the terms of the sum. Add them up."),
        Mistake(lambda q, K, V: jax.nn.softmax(K @ q / jnp.sqrt(q.size)) @ K, "You add up the keys. A key says what an entry is "
            "found by; "
            "what comes back is its value."),
    ),
    hints=(
        "One score for each entry, then one weight for each entry, then a weighted mean of the values.",
        "`K @ q` has a score for each entry. Divide by the root of how many numbers a key has, then the softmax.",
        "`return jax.nn.softmax(K @ q / jnp.sqrt(q.size)) @ V`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------------------ masks


def _true_or_false(function):
    """Masks are combined with `&`, so numbers in place of true and false are another answer: they are moved out of the way."""

    def told(n: int):
        mask = function(n)
        return mask if mask is ... or mask is None or jnp.asarray(mask).dtype == bool else jnp.asarray(mask) + 2.0

    return told


causal = Exercise(
    name="causal",
    chapter="ch06",
    objective="masks",
    cases=((3,), (1,), (5,)),
    solution_function=causal_mask,
    through=_true_or_false,
    mistakes=(
        Mistake(lambda n: jnp.triu(jnp.ones((n, n), bool)), "Turned round: your position i sees what comes *after* it. Row i is "
            "who looks, "
            "column j at whom."),
        Mistake(lambda n: jnp.tril(jnp.ones((n, n), bool), -1), "No position may look at itself in yours, and the first may "
            "look nowhere. "
            "j ≤ i, not j < i."),
        Mistake(lambda n: jnp.ones((n, n), bool), "Everything is allowed. Position i may not see a later one."),
        Mistake(lambda n: jnp.tril(jnp.ones((n, n), bool), 1), "Each position sees one word ahead, the very one that it is to predict."),
        Mistake(lambda n: jnp.tril(jnp.ones((n, n))), "Right places, but as numbers: make it `bool`, so that it can be "
            "combined with `&`; True where "
            "a position may look."),
        Mistake(lambda n: ~jnp.tril(jnp.ones((n, n), bool)), "Turned round: True is where a position *may* look."),
        Mistake(lambda n: jnp.where(jnp.tril(jnp.ones((n, n), bool)), 0.0, -jnp.inf), "That is what is added to the scores in some "
            "libraries. Here a mask is True where a position may look."),
    ),
    hints=(
        "Row i is the position that looks, column j the one looked at. Which j may i see?",
        "Compare two ranges, one as a column and one as a row; or keep the lower triangle of a square of ones.",
        "`return jnp.tril(jnp.ones((n, n), bool))`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------------------ heads


def _reshaped(x: Array, heads: int) -> Array:
    batch, time, width = x.shape
    return x.reshape(batch, heads, time, width // heads)


def _interleaved(x: Array, heads: int) -> Array:
    batch, time, width = x.shape
    return x.reshape(batch, time, width // heads, heads).transpose(0, 3, 1, 2)


split_heads = Exercise(
    name="split_heads",
    chapter="ch06",
    objective="heads",
    cases=((_array(1, 2, 4), 2), (_array(2, 3, 4), 2), (_array(2, 3, 6), 3)),
    solution_function=library_split_heads,
    mistakes=(
        Mistake(_reshaped, "The heads are mixed: one reshape to [batch, heads, time, …] cuts the *sentence* into pieces, so a head gets "
            "numbers of several positions. Cut the last axis first, then swap."),
        Mistake(_interleaved, "You give each head every so many numbers. A head has neighbouring ones: the last axis is cut into "
            "heads × key, in this order."),
        Mistake(lambda x, h: x.reshape(*x.shape[:2], h, -1), "Nearly: the axes are [batch, time, heads, key]. The heads come before the "
            "time, so that each head can compare all positions."),
        Mistake(lambda x, h: x.reshape(*x.shape[:2], h, -1).transpose(0, 2, 3, 1), "Time and key are swapped: the axes should be "
            "[batch, heads, time, key]."),
        Mistake(lambda x, h: jnp.repeat(x[:, None], h, axis=1), "Each head gets the whole vector. It should get its share of it."),
    ),
    hints=(
        "Which axis is cut into pieces, and where does the new axis go?",
        "First `[batch, time, heads, key]`, which a reshape can do; then two axes change places.",
        "`return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)`",
    ),
)  # fmt: skip

# ---------------------------------------------------------------------------------------- the whole of it


def attention_of_many_heads(
    x: Float[Array, "batch time width"],
    W_q: Float[Array, "width width"],
    W_k: Float[Array, "width width"],
    W_v: Float[Array, "width width"],
    W_o: Float[Array, "width width"],
    heads: int,
    mask: Bool[Array, "time time"],
) -> Float[Array, "batch time width"]:
    """[head_1; …; head_H] W_o with head_h = softmax(Q_h K_hᵀ / √d_k) V_h, where the mask is True."""
    Q, K, V = (library_split_heads(x @ W, heads) for W in (W_q, W_k, W_v))
    return join_heads(scaled_dot_product(Q, K, V, mask)[0]) @ W_o


def _variant(
    scale=None,
    axis=-1,
    late=False,
    fill=-jnp.inf,
    split=library_split_heads,
    join=join_heads,
    masked=True,
    swapped=False,
):
    """The solution with one thing changed."""

    def function(x, W_q, W_k, W_v, W_o, heads, mask):
        W_q, W_k = (W_k, W_q) if swapped else (W_q, W_k)
        Q, K, V = (split(x @ W, heads) for W in (W_q, W_k, W_v))
        scores = Q @ K.swapaxes(-1, -2) / (Q.shape[-1] ** 0.5 if scale is None else scale(x, Q))
        if masked and not late:
            scores = jnp.where(mask, scores, fill)
        weights = jax.nn.softmax(scores, axis=axis)
        if late:
            weights = jnp.where(mask, weights, 0)
        return join(jnp.nan_to_num(weights) @ V) @ W_o

    return function


def _without_the_last_product(x, W_q, W_k, W_v, W_o, heads, mask):
    Q, K, V = (library_split_heads(x @ W, heads) for W in (W_q, W_k, W_v))
    return join_heads(scaled_dot_product(Q, K, V, mask)[0])


def _joined_wrong(x: Array) -> Array:
    batch, heads, time, key = x.shape
    return x.reshape(batch, time, heads * key)


def _case(batch: int, time: int, width: int, heads: int, window: bool = False, scale: float = 1.0) -> tuple:
    x = _array(batch, time, width, scale=scale)
    mask = ~causal_mask(time) | jnp.eye(time, dtype=bool) if window else causal_mask(time)  # not always the causal one
    return (x, *(_array(width, width, scale=width**-0.5) for _ in range(4)), heads, mask)


self_attention = Exercise(
    name="self_attention",
    chapter="ch06",
    objective="heads",
    cases=(_case(1, 3, 4, 2), _case(2, 4, 8, 2), _case(1, 5, 12, 3), _case(1, 4, 8, 2, window=True), _case(4, 4, 8, 2, scale=12.0)),
    solution_function=attention_of_many_heads,
    mistakes=(
        Mistake(_variant(scale=lambda x, Q: 1.0), "The √d_k is missing: your scores spread more the more numbers a head has."),
        Mistake(_variant(scale=lambda x, Q: x.shape[-1] ** 0.5), "You divide by the root of the whole width. Each head compares "
            "d_k = width / "
            "heads numbers; d_k is what counts."),
        Mistake(_variant(scale=lambda x, Q: Q.shape[-1]), "You divide by d_k. It is the root of d_k."),
        Mistake(_variant(axis=-2), "Your softmax runs over the positions that look. For each of them the weights over what is "
            "looked at, the "
            "last axis, sum to 1."),
        Mistake(_variant(late=True), "The mask comes after the softmax: what a position may not see has taken its share "
            "already, and the rest "
            "does not sum to 1."),
        Mistake(_variant(masked=False), "The mask does not appear: every position sees the future."),
        Mistake(_variant(split=_reshaped, join=_joined_wrong), "The heads are mixed by the reshape: cut the last axis into "
            "heads × key first, "
            "then swap axes; and swap them back before you join."),
        Mistake(_variant(join=_joined_wrong), "The heads are mixed where they are joined: swap time and heads back before the reshape."),
        Mistake(lambda x, q, k, v, o, h, m: attention_of_many_heads(x, q, k, v, o, h, causal_mask(x.shape[1])), "You make a causal mask of "
            "your own. Use the one that is given: it need not be causal."),
        Mistake(_variant(fill=-20.0), "You add a number to masked scores that is not low enough: where scores are large, "
            "what is masked gets "
            "weight after all. Leave it out, with `-jnp.inf`."),
        Mistake(lambda x, q, k, v, o, h, m: attention_of_many_heads(x, q, k, v, o, h, ~m), "The mask is turned round: it is True where a "
            "position may look."),
        Mistake(lambda x, q, k, v, o, h, m: scaled_dot_product(x @ q, x @ k, x @ v, m)[0] @ o, "That is a single head of the "
            "whole width. "
            "Split queries, keys and values first."),
        Mistake(_without_the_last_product,
            "W_o is missing: what the heads found is joined, and then mixed by one more matrix."),
        Mistake(_variant(swapped=True), "Queries and keys have changed places: the position that *looks* makes the query."),
    ),
    hints=(
        "Three products with x; split each; the formula for all heads at once; join; one more product.",
        "`split_heads` and `scaled_dot_product` work on [batch, heads, time, key] as they are, and the mask [time, time] fits every head.",
        "`Q, K, V = (split_heads(x @ W, heads) for W in (W_q, W_k, W_v))`, then `join_heads(scaled_dot_product(Q, K, V, mask)[0]) @ W_o`",
    ),
)  # fmt: skip

# --------------------------------------------------------------------------------------------------- positions


def sinusoids(time: int, width: int) -> Float[Array, "time width"]:
    """p_{t,2m} = sin(t / 10000^(2m/d)), p_{t,2m+1} = cos(t / 10000^(2m/d)), one row for each position t = 0 … time - 1."""
    return library_sinusoidal(jnp.arange(time), width)


def _waves(exponent, order="pairs", first=0):
    def function(time, width):
        t, m = jnp.arange(first, time + first)[:, None], jnp.arange(width // 2)
        angles = t / 10_000.0 ** exponent(m, width)
        sin, cos = jnp.sin(angles), jnp.cos(angles)
        if order == "halves":
            return jnp.concatenate([sin, cos], axis=1)
        pair = (cos, sin) if order == "swapped" else (sin, cos)
        return jnp.stack(pair, axis=-1).reshape(time, width)

    return function


positions = Exercise(
    name="positions",
    chapter="ch06",
    objective="positions",
    cases=((3, 4), (6, 8), (4, 6)),
    solution_function=sinusoids,
    mistakes=(
        Mistake(_waves(lambda m, d: 2 * m / d, "halves"), "All sines come first and then all cosines in yours. They alternate: "
            "number 2m is the "
            "sine, 2m + 1 the cosine of the same angle."),
        Mistake(_waves(lambda m, d: 2 * m / d, "swapped"), "Sine and cosine have changed places: the even numbers are sines."),
        Mistake(_waves(lambda m, d: m / d), "The exponent is 2m/d, with m the number of the pair. Yours falls half as fast."),
        Mistake(_waves(lambda m, d: 2 * m / d, first=1), "Your first position is 1. It is 0, where every sine is 0 and every cosine 1."),
        Mistake(lambda t, d: jnp.sin(jnp.arange(t)[:, None] / 10_000.0 ** (jnp.arange(d) // 2 * 2 / d)), "Sines alone. "
            "With the cosine beside it a shift of position becomes a rotation."),
        Mistake(lambda t, d: library_sinusoidal(jnp.arange(t), d).T, "Turned round: one row for each position."),
        Mistake(lambda t, d: jnp.broadcast_to(library_sinusoidal(jnp.array([1]), d), (t, d)), "All rows are the same in yours. "
            "The position "
            "must run along the time axis."),
    ),
    hints=(
        "One angle for each position and each pair of numbers; of each angle the sine and the cosine.",
        "`angles = t[:, None] / 10000 ** (2 * m / width)` with `m = jnp.arange(width // 2)`; then sine and cosine side by side.",
        "`return jnp.stack([jnp.sin(angles), jnp.cos(angles)], -1).reshape(time, width)`",
    ),
)  # fmt: skip


def turn(pair: Float[Array, "2"], place: int, omega: float) -> Float[Array, "2"]:
    """Turn the pair (a, b) by the angle t ω: (a cos - b sin, a sin + b cos).

    `models.positions.rotate` does it to every pair of a vector, each with its own ω.
    """
    a, b = pair
    sin, cos = jnp.sin(place * omega), jnp.cos(place * omega)
    return jnp.stack([a * cos - b * sin, a * sin + b * cos])


rotation = Exercise(
    name="rotation",
    chapter="ch06",
    objective="positions",
    cases=((jnp.array([1.0, 0.0]), 1, 0.5), (_array(2), 3, 0.25), (_array(2), 7, 0.01)),
    solution_function=turn,
    mistakes=(
        Mistake(lambda p, t, w: turn(p, -t, w), "You turn the other way. It would work as well if queries and keys agreed, but "
            "the formula "
            "turns (1, 0) towards (0, 1)."),
        Mistake(lambda p, t, w: p + jnp.stack([jnp.sin(t * w), jnp.cos(t * w)]), "You add a position. Rotary positions turn the "
            "vector and "
            "leave its length as it is."),
        Mistake(lambda p, t, w: p * jnp.cos(t * w), "That shrinks the pair. Both sine and cosine are needed for a rotation."),
        Mistake(lambda p, t, w: turn(p, 1, w), "The position does not appear: the angle is t ω."),
        Mistake(lambda p, t, w: jnp.stack([p[0] * jnp.cos(t * w) + p[1] * jnp.sin(t * w), p[0] * jnp.sin(t * w) + p[1] * jnp.cos(t * w)]),
            "The minus is missing: as it stands the length of the pair changes."),
    ),
    hints=(
        "(1, 0) becomes (cos, sin) of the angle. What becomes of (0, 1)?",
        "The angle is t ω. New first number: a cos - b sin.",
        "`return jnp.stack([a * cos - b * sin, a * sin + b * cos])` with sine and cosine of `place * omega`",
    ),
)  # fmt: skip

ALL = (soft_lookup, causal, split_heads, self_attention, positions, rotation)

__all__ = ["ALL", "causal", "positions", "rotation", "self_attention", "soft_lookup", "split_heads"]
