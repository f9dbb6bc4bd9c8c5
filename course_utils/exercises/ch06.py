"""Exercises of chapter 06: self-attention, its masks, heads and positions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..models.self_attention import causal_mask, join_heads, scaled_dot_product
from ..teaching.exercise import Exercise, Mistake, drawn

_rng = np.random.default_rng(6)
_array = functools.partial(drawn, _rng)

# --------------------------------------------------------------------------------------- one query, one answer


def look_up(
    q: Float[Array, " key"], K: Float[Array, "source key"], V: Float[Array, "source value"]
) -> Float[Array, " value"]:
    """softmax(K q / √d) V: the answer of a soft dictionary to one query."""
    return jax.nn.softmax(K @ q / jnp.sqrt(q.size)) @ V


def _lookup_case(n: int, d: int, m: int, scale: float = 1.0) -> tuple:
    return _array(d, scale=scale), _array(n, d), _array(n, m)


soft_lookup = Exercise(
    name="soft_lookup",
    chapter="ch06",
    objective="lookup",
    answer="my_lookup",
    gives="the answer, `[value]`",
    cases=(_lookup_case(2, 4, 1), _lookup_case(3, 4, 2), _lookup_case(5, 9, 3), _lookup_case(4, 2, 2)),
    edges=(_lookup_case(1, 3, 2), _lookup_case(4, 1, 2), _lookup_case(3, 4, 2, scale=0.0), _lookup_case(3, 4, 2, scale=12.0)),
    solution_function=look_up,
    mistakes=(
        Mistake("no √d", "The √d is missing. The scores of longer vectors spread more, and the division takes that out.",
            lambda q, K, V: jax.nn.softmax(K @ q) @ V),
        Mistake("divided by d", "You divide by d. The *spread* (the standard deviation) of the scores grows as √d.",
            lambda q, K, V: jax.nn.softmax(K @ q / q.size) @ V),
        Mistake("root of the entries", "You divide by √n, n the number of entries. d is how many numbers a key has.",
            lambda q, K, V: jax.nn.softmax(K @ q / jnp.sqrt(len(K))) @ V),
        Mistake("multiplied by √d", "You multiply by √d. Dividing is what takes the spread out.",
            lambda q, K, V: jax.nn.softmax(K @ q * jnp.sqrt(q.size)) @ V),
        Mistake("hard look-up", "That is the value of the best key alone, a hard look-up. All values count, each "
            "with its weight.", lambda q, K, V: V[(K @ q).argmax()]),
        Mistake("no softmax", "The softmax is missing: your scores can be negative and do not sum to 1.",
            lambda q, K, V: (K @ q / jnp.sqrt(q.size)) @ V, lambda q, K, V: (K @ q) @ V),
        Mistake("no query", "The query does not appear: that is the mean of all values.", lambda q, K, V: V.mean(0)),
        Mistake("not summed", "Those are the terms of the sum. Add them up.",
            lambda q, K, V: jax.nn.softmax(K @ q / jnp.sqrt(q.size))[:, None] * V),
        Mistake("keys added up", "You add up the keys. A key says what an entry is found by; what comes back is its value.",
            lambda q, K, V: jax.nn.softmax(K @ q / jnp.sqrt(q.size)) @ K),
        Mistake("weights alone", "Those are the weights. What comes back is the mean of the values by these weights: `@ V`.",
            lambda q, K, V: jax.nn.softmax(K @ q / jnp.sqrt(q.size))),
        Mistake("weights divided", "√d divides the scores, before the softmax. Your weights do not sum to 1.",
            lambda q, K, V: jax.nn.softmax(K @ q) / jnp.sqrt(q.size) @ V),
    ),
    hints=(
        "One score for each entry, then one weight for each entry, then a weighted mean of the values.",
        "`K @ q` has a score for each entry. Divide by the root of how many numbers a key has, then the softmax.",
        "`return jax.nn.softmax(K @ q / jnp.sqrt(q.size)) @ V`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------------------ masks


def past_and_present(n: int) -> Bool[Array, "n n"]:
    """Row i is True at the columns j ≤ i (`models.self_attention.causal_mask`)."""
    return jnp.tril(jnp.ones((n, n), bool))


def _true_or_false(function):
    """Masks are combined with `&`, so numbers in place of true and false are another answer: they are moved out of the way."""

    def moved(n: int):
        mask = function(n)
        return mask if mask is ... or mask is None or jnp.asarray(mask).dtype == bool else jnp.asarray(mask) + 2.0

    return moved


causal = Exercise(
    name="causal",
    chapter="ch06",
    objective="masks",
    answer="my_causal",
    gives="an array of True and False, `[n, n]`",
    cases=((3,), (5,)),
    edges=((1,), (2,)),
    solution_function=past_and_present,
    through=_true_or_false,
    mistakes=(
        Mistake("the future seen", "Turned round: your position i sees what comes *after* it. Row i is who looks, column j at whom.",
            lambda n: jnp.triu(jnp.ones((n, n), bool))),
        Mistake("row i sees not itself", "No position may look at itself in yours, and the first may look nowhere. j ≤ i, not j < i.",
            lambda n: jnp.tril(jnp.ones((n, n), bool), -1)),
        Mistake("everything allowed", "Everything is allowed. Position i may not see a later one.", lambda n: jnp.ones((n, n), bool)),
        Mistake("one word ahead", "Each position sees one word ahead, the very one that it is to predict.",
            lambda n: jnp.tril(jnp.ones((n, n), bool), 1)),
        Mistake("numbers", "Right places, but as numbers: make it `bool`, so that it can be combined with `&`; True where "
            "a position may look.", lambda n: jnp.tril(jnp.ones((n, n)))),
        Mistake("True where hidden", "Turned round: True is where a position *may* look.", lambda n: ~jnp.tril(jnp.ones((n, n), bool))),
        Mistake("itself alone", "Each position sees only itself. It may see all before it too: j ≤ i.", lambda n: jnp.eye(n, dtype=bool)),
        Mistake("added to the scores", "That is what is added to the scores in some libraries. Here a mask is True where a position may "
            "look.",
            lambda n: jnp.where(jnp.tril(jnp.ones((n, n), bool)), 0.0, -jnp.inf),
            lambda n: jnp.where(jnp.tril(jnp.ones((n, n), bool)), 0.0, -1e9),
            lambda n: jnp.triu(jnp.ones((n, n)), 1) * -1e9),
        Mistake("numbers, the future seen", "Two things: the triangle is the other one (column j at most row i), and it should be of True "
            "and False.", lambda n: jnp.triu(jnp.ones((n, n))), lambda n: jnp.triu(jnp.ones((n, n)), 1)),
    ),
    hints=(
        "Row i is the position that looks, column j the one looked at. Which j may i see?",
        "Compare two ranges, one as a column and one as a row; or keep the lower triangle of a square of ones.",
        "`return jnp.tril(jnp.ones((n, n), bool))`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------------------ heads


def cut_into_heads(x: Float[Array, "batch time width"], heads: int) -> Float[Array, "batch heads time key"]:
    """Head h gets the neighbouring numbers h d_k … (h + 1) d_k - 1 of each vector (`models.self_attention.split_heads`)."""
    batch, time, width = x.shape
    return x.reshape(batch, time, heads, width // heads).swapaxes(1, 2)


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
    answer="my_split_heads",
    gives="`[batch, heads, time, key]` with key = width / heads",
    cases=((_array(1, 2, 4), 2), (_array(2, 3, 4), 2), (_array(2, 3, 6), 3)),
    edges=((_array(2, 3, 4), 1), (_array(1, 3, 4), 4), (_array(2, 1, 6), 2), (_array(3, 2, 12), 3)),
    solution_function=cut_into_heads,
    mistakes=(
        Mistake("sentence cut", "The heads are mixed: one reshape to [batch, heads, time, …] cuts the *sentence* into pieces, so a head "
            "gets "
            "numbers of several positions. Cut the last axis first, then swap.", _reshaped),
        Mistake("every so many numbers", "You give each head every so many numbers. A head has neighbouring ones: the last axis is cut "
            "into "
            "heads × key, in this order.", _interleaved),
        Mistake("heads behind time", "Nearly: the axes are [batch, time, heads, key]. The heads come before the "
            "time, so that each head can compare all positions.", lambda x, h: x.reshape(*x.shape[:2], h, -1)),
        Mistake("time and key exchanged", "Time and key are swapped: the axes should be [batch, heads, time, key].",
            lambda x, h: x.reshape(*x.shape[:2], h, -1).transpose(0, 2, 3, 1)),
        Mistake("heads first", "The heads come first in yours. The order is [batch, heads, time, key].",
            lambda x, h: x.reshape(*x.shape[:2], h, -1).transpose(2, 0, 1, 3)),
        Mistake("whole vector for each", "Each head gets the whole vector. It should get its share of it.",
            lambda x, h: jnp.repeat(x[:, None], h, axis=1)),
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
    batch, time, width = x.shape

    def split(y):
        return y.reshape(batch, time, heads, width // heads).swapaxes(1, 2)

    Q, K, V = split(x @ W_q), split(x @ W_k), split(x @ W_v)
    scores = Q @ K.swapaxes(-1, -2) / jnp.sqrt(width // heads)
    found = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf)) @ V
    return found.swapaxes(1, 2).reshape(x.shape) @ W_o


def _variant(
    scale=None,
    axis=-1,
    late=False,
    fill=-jnp.inf,
    split=cut_into_heads,
    join=join_heads,
    masked=True,
    swapped=False,
    inverted=False,
    softmax=True,
):
    """The solution with one thing changed."""

    def function(x, W_q, W_k, W_v, W_o, heads, mask):
        W_q, W_k = (W_k, W_q) if swapped else (W_q, W_k)
        Q, K, V = (split(x @ W, heads) for W in (W_q, W_k, W_v))
        scores = Q @ K.swapaxes(-1, -2) / (Q.shape[-1] ** 0.5 if scale is None else scale(x, Q))
        if masked and not late:
            scores = jnp.where(~mask if inverted else mask, scores, fill)
        weights = jax.nn.softmax(scores, axis=axis) if softmax else scores
        if late:
            weights = jnp.where(mask, weights, 0)
        return join(jnp.nan_to_num(weights) @ V) @ W_o

    return function


def _without_the_last_product(x, W_q, W_k, W_v, W_o, heads, mask):
    Q, K, V = (cut_into_heads(x @ W, heads) for W in (W_q, W_k, W_v))
    return join_heads(scaled_dot_product(Q, K, V, mask)[0])


def _joined_wrong(x: Array) -> Array:
    batch, heads, time, key = x.shape
    return x.reshape(batch, time, heads * key)


def _case(batch: int, time: int, width: int, heads: int, window: bool = False, scale: float = 1.0) -> tuple:
    x = _array(batch, time, width, scale=scale)
    mask = ~causal_mask(time) | jnp.eye(time, dtype=bool) if window else causal_mask(time)  # not always the causal one
    return (x, *(_array(width, width, scale=width**-0.5) for _ in range(4)), heads, mask)


def _added(x, W_q, W_k, W_v, W_o, heads, mask):
    parts = [x @ W for W in (W_q, W_k, W_v)]
    Q, K, V = (cut_into_heads(part, heads) for part in parts)
    return scaled_dot_product(Q, K, V, mask)[0].mean(1).repeat(heads, -1) @ W_o


self_attention = Exercise(
    name="self_attention",
    chapter="ch06",
    objective="heads",
    answer="my_self_attention",
    gives="what all positions find, `[batch, time, width]`",
    cases=(_case(1, 3, 4, 2), _case(2, 4, 8, 2), _case(1, 5, 12, 3)),
    edges=(
        _case(2, 4, 8, 2, window=True), _case(2, 4, 8, 2, scale=12.0), _case(2, 4, 8, 1), _case(2, 4, 8, 8), _case(2, 1, 4, 2),
        (*_case(2, 4, 8, 2)[:-1], jnp.eye(4, dtype=bool)),
    ),
    solution_function=attention_of_many_heads,
    mistakes=(
        Mistake("no √d_k", "The √d_k is missing: your scores spread more the more numbers a head has.", _variant(scale=lambda x, Q: 1.0)),
        Mistake("root of the width", "You divide by the root of the whole width. Each head compares d_k = width / "
            "heads numbers; d_k is what counts.", _variant(scale=lambda x, Q: x.shape[-1] ** 0.5)),
        Mistake("divided by d_k", "You divide by d_k. It is the root of d_k.", _variant(scale=lambda x, Q: Q.shape[-1])),
        Mistake("softmax over those that look", "Your softmax runs over the positions that look. For each of them the weights over what is "
            "looked at, the last axis, sum to 1.", _variant(axis=-2)),
        Mistake("softmax over the heads", "Your softmax runs over the heads. For each of them the weights over what is looked at, the last "
            "axis, sum to 1.", _variant(axis=1)),
        Mistake("mask after the softmax", "The mask comes after the softmax: what a position may not see has taken its share "
            "already, and the rest does not sum to 1.", _variant(late=True)),
        Mistake("no mask", "The mask does not appear: every position sees the future.", _variant(masked=False)),
        Mistake("masked scores set to 0", "A masked score of 0 is not “no score”: exp(0) is 1. Put `-jnp.inf` there.", _variant(fill=0.0)),
        Mistake("split wrongly, joined wrongly", "The heads are mixed by the reshape: cut the last axis into heads × key first, "
            "then swap axes; and swap them back before you join.", _variant(split=_reshaped, join=_joined_wrong)),
        Mistake("split wrongly", "The heads are mixed where they are split: a reshape alone cuts the sentence into pieces. Cut the last "
            "axis "
            "into heads × key first, then swap heads and time.", _variant(split=_reshaped)),
        Mistake("every so many numbers", "A head has neighbouring numbers: the last axis is cut into heads × key, in this order.",
            _variant(split=_interleaved), _variant(split=_interleaved, join=lambda x: x.transpose(0, 2, 3, 1).reshape(
            x.shape[0], x.shape[2], -1))),
        Mistake("joined wrongly", "The heads are mixed where they are joined: swap time and heads back before the reshape.",
            _variant(join=_joined_wrong)),
        Mistake("a mask of its own", "You make a causal mask of your own. Use the one that is given: it need not be causal.",
            lambda x, q, k, v, o, h, m: attention_of_many_heads(x, q, k, v, o, h, causal_mask(x.shape[1]))),
        Mistake("fill not low enough", "The number that you put in place of masked scores is not low enough: where scores are large, "
            "what is masked gets weight after all. Put `-jnp.inf` there.", _variant(fill=-20.0), _variant(fill=-100.0)),
        Mistake("inverted mask", "The mask is turned round: it is True where a position may look.",
            _variant(inverted=True), _variant(inverted=True, fill=-1e9)),
        Mistake("one head", "That is a single head of the whole width. Split queries, keys and values first.",
            lambda x, q, k, v, o, h, m: scaled_dot_product(x @ q, x @ k, x @ v, m)[0] @ o),
        Mistake("no W_o", "W_o is missing: what the heads found is joined, and then mixed by one more matrix.",
            _without_the_last_product),
        Mistake("queries and keys exchanged", "Queries and keys have changed places: the position that *looks* makes the query.",
            _variant(swapped=True)),
        Mistake("heads averaged", "You average what the heads found. Each has numbers of its own; join them side by side.", _added),
        Mistake("no softmax", "The softmax is missing: your scores weigh the values as they are.", _variant(softmax=False, fill=0.0)),
        Mistake("matrices transposed", "Your matrices are transposed: for rows the product is `x @ W`.",
            lambda x, q, k, v, o, h, m: attention_of_many_heads(x, q.T, k.T, v.T, o.T, h, m)),
    ),
    hints=(
        "Three products with x; split each; the formula for all heads at once; join; one more product.",
        "With Q, K, V split to `[batch, heads, time, key]`, the scores are `Q @ K.swapaxes(-1, -2) / jnp.sqrt(key)`, and a mask "
        "`[time, time]` fits every head as it is. (`scaled_dot_product(Q, K, V, mask)` does this step and gives back two things.)",
        "`scores = jnp.where(mask, Q @ K.swapaxes(-1, -2) / jnp.sqrt(Q.shape[-1]), -jnp.inf)`, `found = jax.nn.softmax(scores) @ V`, then "
        "`found.swapaxes(1, 2).reshape(x.shape) @ W_o`",
    ),
)  # fmt: skip

# --------------------------------------------------------------------------------------------------- positions


def sinusoids(time: int, width: int) -> Float[Array, "time width"]:
    """p_{t,2m} = sin(t / 10000^(2m/d)), p_{t,2m+1} = cos(t / 10000^(2m/d)), one row for each position t = 0 … time - 1."""
    t, m = jnp.arange(time)[:, None], jnp.arange(width // 2)
    angles = t / 10_000 ** (2 * m / width)
    return jnp.stack([jnp.sin(angles), jnp.cos(angles)], axis=-1).reshape(time, width)


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


def _alternating(t: int, d: int, exponent) -> Array:
    return jnp.where(jnp.arange(d) % 2, jnp.cos(_angles(t, d, exponent)), jnp.sin(_angles(t, d, exponent)))


def _angles(t: int, d: int, exponent) -> Array:
    return jnp.arange(t)[:, None] / 10_000.0 ** exponent(jnp.arange(d), d)


positions = Exercise(
    name="positions",
    chapter="ch06",
    objective="positions",
    answer="my_positions",
    gives="a row for each position, `[time, width]`",
    cases=((3, 4), (6, 8), (4, 6)),
    edges=((1, 4), (5, 2), (200, 4), (2, 64)),
    solution_function=sinusoids,
    mistakes=(
        Mistake("sines first", "All sines come first and then all cosines in yours. They alternate: "
            "number 2m is the sine, 2m + 1 the cosine of the same angle.", _waves(lambda m, d: 2 * m / d, "halves")),
        Mistake("sine and cosine exchanged", "Sine and cosine have changed places: the even numbers are sines.",
            _waves(lambda m, d: 2 * m / d, "swapped")),
        Mistake("half the exponent", "The exponent is 2m/d, with m the number of the pair. Yours falls half as fast.",
            _waves(lambda m, d: m / d)),
        Mistake("an angle for each number", "Sine and cosine of a pair have the *same* angle: the exponent counts pairs, 2m/d with m = "
            "0, 1, … "
            "Yours counts single numbers.", lambda t, d: _alternating(t, d, lambda j, d: j / d),
            lambda t, d: _alternating(t, d, lambda j, d: 2 * j / d)),
        Mistake("multiplied", "You multiply by 10000^(2m/d). The position is divided by it.", _waves(lambda m, d: -2 * m / d)),
        Mistake("first position 1", "Your first position is 1. It is 0, where every sine is 0 and every cosine 1.",
            _waves(lambda m, d: 2 * m / d, first=1)),
        Mistake("sines alone", "Sines alone. With the cosine beside it a shift of position becomes a rotation.",
            lambda t, d: jnp.sin(_angles(t, d, lambda j, d: j // 2 * 2 / d))),
        Mistake("axes exchanged", "Turned round: one row for each position.", lambda t, d: sinusoids(t, d).T),
        Mistake("all rows alike", "All rows are the same in yours. The position must run along the time axis.",
            lambda t, d: jnp.broadcast_to(sinusoids(2, d)[1], (t, d)), lambda t, d: jnp.broadcast_to(sinusoids(1, d), (t, d))),
        Mistake("pairs as an axis", "Sine and cosine of a pair should stand side by side in one row: reshape to `(time, width)`.",
            lambda t, d: sinusoids(t, d).reshape(t, d // 2, 2)),
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


def _turned(sin, cos):
    return lambda p, t, w: jnp.stack([p[0] * cos(t, w) - p[1] * sin(t, w), p[0] * sin(t, w) + p[1] * cos(t, w)])


rotation = Exercise(
    name="rotation",
    chapter="ch06",
    objective="positions",
    answer="my_rotation",
    gives="the turned pair, `[2]`",
    cases=((jnp.array([1.0, 0.5]), 1, 0.5), (_array(2), 3, 0.25), (_array(2), 7, 0.3)),
    edges=((jnp.array([1.0, 0.0]), 1, 0.5), (jnp.array([0.0, -2.0]), 2, 1.0), (_array(2), 0, 0.5), (_array(2), 400, 1.0),
           (jnp.zeros(2), 3, 0.5)),
    solution_function=turn,
    mistakes=(
        Mistake("the other way", "You turn the other way. It would work as well if queries and keys agreed, but "
            "the formula turns (1, 0) towards (0, 1).", lambda p, t, w: turn(p, -t, w)),
        Mistake("added", "You add a position. Rotary positions turn the vector and leave its length as it is.",
            lambda p, t, w: p + jnp.stack([jnp.sin(t * w), jnp.cos(t * w)])),
        Mistake("cosine alone", "That shrinks the pair. Both sine and cosine are needed for a rotation.",
            lambda p, t, w: p * jnp.cos(t * w),
            lambda p, t, w: p * jnp.stack([jnp.cos(t * w), jnp.sin(t * w)])),
        Mistake("no position", "The position does not appear: the angle is t ω.", lambda p, t, w: turn(p, 1, w)),
        Mistake("no ω", "ω does not appear: the angle is t ω, and each pair has an ω of its own.", lambda p, t, w: turn(p, t, 1.0)),
        Mistake("no minus", "The minus is missing: as it stands the length of the pair changes.",
            lambda p, t, w: jnp.stack([p[0] * jnp.cos(t * w) + p[1] * jnp.sin(t * w), p[0] * jnp.sin(t * w) + p[1] * jnp.cos(t * w)])),
        Mistake("degrees", "The angle is in radians as it is; `jnp.cos` takes radians.", lambda p, t, w: turn(p, t, w * jnp.pi / 180)),
        Mistake("sine and cosine exchanged", "Sine and cosine have changed places: at an angle of 0 the pair stays as it is.",
            _turned(lambda t, w: jnp.cos(t * w), lambda t, w: jnp.sin(t * w))),
        Mistake("old number already replaced", "Your second number uses the *new* first one. Compute both from the old pair.",
            lambda p, t, w: jnp.stack([turn(p, t, w)[0], turn(p, t, w)[0] * jnp.sin(t * w) + p[1] * jnp.cos(t * w)])),
        Mistake("divided by ω", "The angle is t times ω, not t divided by it.", lambda p, t, w: turn(p, t, 1 / w)),
    ),
    hints=(
        "(1, 0) becomes (cos, sin) of the angle. What becomes of (0, 1)?",
        "The angle is t ω. New first number: a cos - b sin.",
        "`return jnp.stack([a * cos - b * sin, a * sin + b * cos])` with sine and cosine of `place * omega`",
    ),
)  # fmt: skip

ALL = (soft_lookup, causal, split_heads, self_attention, positions, rotation)

__all__ = ["ALL", "causal", "positions", "rotation", "self_attention", "soft_lookup", "split_heads"]
