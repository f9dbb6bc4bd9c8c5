"""Exercises of chapter 05: the masked softmax, additive scores, the context, alignment error."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..teaching.exercise import Exercise, Mistake, drawn

_rng = np.random.default_rng(5)
_array = functools.partial(drawn, _rng)


def _mask(*rows: str) -> Array:
    return jnp.array([[letter == "x" for letter in row] for row in rows])


# ------------------------------------------------------------------------------------------ the softmax


def softmax_where(
    scores: Float[Array, "*lead source"], mask: Bool[Array, "*lead source"]
) -> Float[Array, "*lead source"]:
    """softmax over the last axis as if what is masked were not there; 0 there, and 0 everywhere in a row without anything.

    `models.attention.masked_softmax` does it for scores of any size.
    """
    weights = jax.nn.softmax(jnp.where(mask, scores, -1e9))
    return jnp.where(mask, weights, 0)


def _divided(raised: Array) -> Array:
    total = raised.sum(-1, keepdims=True)
    return raised / jnp.where(total > 0, total, 1)


def _over_padding(e: Array, m: Array) -> Array:
    return _divided(jnp.exp(e - e.max(-1, keepdims=True)) * m)


def _kept(fill: float):
    """The mask by a number in place of what is masked, and zeros there afterwards."""
    return lambda e, m: jnp.where(m, jax.nn.softmax(jnp.where(m, e, fill)), 0)


def _lowered(by: float):
    """The mask by a number taken away from what is masked, and zeros there afterwards."""
    return lambda e, m: jnp.where(m, jax.nn.softmax(e - by * ~m), 0)


masked_softmax = Exercise(
    name="masked_softmax",
    chapter="ch05",
    objective="mechanism",
    answer="my_masked_softmax",
    gives="the weights, in the shape of `scores`",
    cases=((_array(1, 3), _mask("xx.")), (_array(2, 4, scale=2), _mask("x.x.", ".xxx")), (_array(3, 3), _mask("x..", "xxx", ".xx"))),
    edges=(
        (_array(2, 4, scale=2), _mask("x.x.", "....")),
        (_array(2, 3, 4), jnp.stack([_mask("xx..", "xxx.", "x..."), _mask("xxxx", "....", ".x.x")])),
        (_array(5), jnp.array([True, False, True, True, False])),
        (jnp.array([[90.0, 100.0, -1000.0, 0.0], [1000.0, 0.0, 999.0, 2.0]]), _mask("xx..", "x.xx")),
        (jnp.array([[0.0, 1.0, 200.0]]), _mask("xx.")),
        (jnp.array([[-1000.0, -1001.0, 0.0], [0.0, 1.0, 20_000.0]]), _mask("xx.", "xx.")),
        (jnp.array([[0.5, 1.0, 1e12], [0.5, 1e12, -1e12]]), _mask("xx.", "x..")),
        (jnp.array([[1000.0, -1000.0, 0.0]]), _mask("xxx")), (jnp.array([[7.0], [7.0]]), _mask("x", ".")),
    ),
    solution_function=softmax_where,
    mistakes=(
        Mistake("no mask", "The mask does not appear: padding gets weight, and the weights of the words do not sum to 1.",
            lambda e, m: jax.nn.softmax(e)),
        Mistake("mask after the softmax", "The mask comes after the softmax: padding has no weight any more, but what is "
            "left does not sum to 1. Leave it out *before* you divide.", lambda e, m: jax.nn.softmax(e) * m),
        Mistake("masked scores set to 0", "A masked score of 0 is not “no score”: exp(0) is 1. Leave it out of the sum.",
            lambda e, m: jax.nn.softmax(e * m), lambda e, m: jax.nn.softmax(e * m) * m),
        Mistake("nothing to look at: NaN", "Right, except where a row is masked altogether: then every "
            "score is -∞, and 0/0 is not a number. Such a row should give zeros.", lambda e, m: jax.nn.softmax(jnp.where(m, e, -jnp.inf))),
        Mistake("nothing to look at: all alike", "Right, except where a row is masked altogether: it looks at all of "
            "its padding alike. Such a row should give zeros.", lambda e, m: jax.nn.softmax(jnp.where(m, e, -1e9))),
        Mistake("padding within the maximum", "A large score in the padding makes your weights vanish. Take the maximum, or the "
            "softmax, of the "
            "allowed scores alone: what is masked must not matter at all.", _over_padding,
            lambda e, m: _divided(jnp.where(m, jax.nn.softmax(e), 0))),
        Mistake("overflow", "Right for small scores. But exp(1000) is more than float32 holds: subtract the largest allowed score "
            "first, which changes no weight.", lambda e, m: _divided(jnp.where(m, jnp.exp(e), 0))),
        Mistake("fill not low enough", "Right, but where all allowed scores are far below 0 your weights vanish, or go to the padding: "
            "what "
            "stands there instead (a number such as -20, or the 0 of `scores * mask`) is larger than they are, not low enough. Put "
            "`-jnp.inf` there, before any maximum is taken.", _kept(-20.0), _kept(-100.0),
            lambda e, m: jax.nn.softmax(jnp.where(m, e, -20.0)),
            lambda e, m: _divided(jnp.where(m, jnp.exp(e - (e * m).max(-1, keepdims=True)), 0))),
        Mistake("a number taken away", "You take a number away from masked scores. Where padding "
            "has a score that is larger still, it takes the weight all the same. What is masked must not matter at all: put "
            "`-jnp.inf` in its place.", _lowered(1e4), _lowered(1e9), lambda e, m: jax.nn.softmax(e - 1e9 * ~m)),
        Mistake("over the wrong axis", "You normalise over another axis. The weights of one row, over the source "
            "positions (the last axis, `axis=-1`, however many there are), sum to 1.", lambda e, m: jax.nn.softmax(e, axis=0),
            lambda e, m: jnp.where(m, jax.nn.softmax(jnp.where(m, e, -1e9), axis=0), 0),
            lambda e, m: jnp.where(m, jax.nn.softmax(jnp.where(m, e, -1e9), axis=1), 0)),
        Mistake("not divided", "The division is missing: weights of a row sum to 1.", lambda e, m: jnp.exp(jnp.where(m, e, -jnp.inf))),
        Mistake("inverted mask", "The mask is turned round: it is True where there is a word.", lambda e, m: softmax_where(e, ~m),
            lambda e, m: jax.nn.softmax(jnp.where(m, -jnp.inf, e)), lambda e, m: jax.nn.softmax(jnp.where(m, -1e9, e))),
    ),
    hints=(
        "What would the softmax be if the masked positions were simply not there?",
        "Before the softmax: `jnp.where(mask, scores, …)` with a number so low that nothing allowed is lower. That leaves one row to "
        "mend: the one with nothing in it.",
        "`weights = jax.nn.softmax(jnp.where(mask, scores, -1e9))`, then `return jnp.where(mask, weights, 0)`",
    ),
)  # fmt: skip

# ---------------------------------------------------------------------------------------------- scores


def one_additive_score(
    s: Float[Array, " query"],
    h: Float[Array, "source key"],
    W_a: Float[Array, "units query"],
    U_a: Float[Array, "units key"],
    v_a: Float[Array, " units"],
) -> Float[Array, " source"]:
    """e_j = v_a · tanh(W_a s + U_a h_j), for one decoder state and all states of one sentence.

    The library's `models.attention.additive_score` does it for a batch.
    """
    return jnp.tanh(W_a @ s + h @ U_a.T) @ v_a


def _score_case(T: int, q: int, k: int, u: int) -> tuple:
    return _array(q), _array(T, k), _array(u, q), _array(u, k), _array(u)


additive = Exercise(
    name="additive",
    chapter="ch05",
    objective="scores",
    answer="my_additive",
    gives="a score for each position, `[source]`",
    cases=(_score_case(2, 2, 2, 2), _score_case(3, 3, 3, 3), _score_case(3, 2, 4, 3), _score_case(5, 3, 3, 3)),
    edges=(_score_case(1, 2, 3, 4), _score_case(4, 1, 1, 1), _score_case(3, 4, 2, 3)),
    solution_function=one_additive_score,
    mistakes=(
        Mistake("no tanh", "The tanh is missing. Without it the query adds the same to every "
            "score, and the softmax does not see it at all.", lambda s, h, W, U, v: (W @ s + h @ U.T) @ v),
        Mistake("squashed apart", "You squash the two parts apart. The sum goes through the tanh, or they could not meet.",
            lambda s, h, W, U, v: jnp.tanh(W @ s) @ v + jnp.tanh(h @ U.T) @ v),
        Mistake("no query", "The decoder's state does not appear: every step would look at the same place.",
            lambda s, h, W, U, v: jnp.tanh(h @ U.T) @ v),
        Mistake("no v_a", "v_a is missing: each position gets one number, not a vector.", lambda s, h, W, U, v: jnp.tanh(W @ s + h @ U.T)),
        Mistake("v_a not summed", "You multiply by v_a entry by entry. `@ v_a` adds the products up to one number for each position.",
            lambda s, h, W, U, v: jnp.tanh(W @ s + h @ U.T) * v),
        Mistake("softmax included", "That is already the softmax. Asked for are the scores e_j before it.",
            lambda s, h, W, U, v: jax.nn.softmax(jnp.tanh(W @ s + h @ U.T) @ v)),
        Mistake("logistic function", "The score uses tanh, not σ.", lambda s, h, W, U, v: jax.nn.sigmoid(W @ s + h @ U.T) @ v),
        Mistake("multiplied", "You multiply the two parts. They are added; hence the name.",
            lambda s, h, W, U, v: jnp.tanh((W @ s) * (h @ U.T)) @ v),
        Mistake("states averaged", "You average the states first. Each position has a score of its own.",
            lambda s, h, W, U, v: jnp.tanh(W @ s + (h @ U.T).mean(0)) @ v * jnp.ones(len(h)),
            lambda s, h, W, U, v: jnp.tanh(W @ s + (h @ U.T).mean(0)) @ v),
        Mistake("U_a transposed", "Your U_a is transposed: each state is a row of h, so U_a h_j for all j is `h @ U_a.T`.",
            lambda s, h, W, U, v: jnp.tanh(W @ s + h @ U) @ v),
        Mistake("W_a transposed", "Your W_a is transposed: for one vector it is `W_a @ s`.",
            lambda s, h, W, U, v: jnp.tanh(s @ W + h @ U.T) @ v),
        Mistake("tanh outside", "The tanh stands inside, before v_a: v_a · tanh(…).",
            lambda s, h, W, U, v: jnp.tanh((W @ s + h @ U.T) @ v)),
    ),
    hints=(
        "One vector for the query, W_a s, and one for each state, U_a h_j. What happens to their sum?",
        "`h @ U_a.T` has one row for each position; `W_a @ s` is added to every row.",
        "`return jnp.tanh(W_a @ s + h @ U_a.T) @ v_a`",
    ),
)  # fmt: skip


def contexts(weights: Float[Array, "target source"], h: Float[Array, "source key"]) -> Float[Array, "target key"]:
    """c_i = Σ_j α_ij h_j, for all steps at once."""
    return weights @ h


def _rows_of_states(weights, h):
    return jnp.stack([sum(weights[i, j] * h[j] for j in range(len(h))) for i in range(len(h))])


context = Exercise(
    name="context",
    chapter="ch05",
    objective="mechanism",
    answer="my_contexts",
    gives="a context for each step, `[target, key]`",
    cases=tuple(
        (jax.nn.softmax(_array(target, source, scale=2)), _array(source, k))
        for target, source, k in ((2, 2, 2), (3, 3, 3), (4, 4, 3), (3, 2, 2), (2, 4, 3))
    ),
    edges=(
        (jax.nn.softmax(_array(1, 4)), _array(4, 3)), (jnp.ones((3, 1)), _array(1, 2)),
        (jnp.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), _array(3, 2)),  # one word alone, and nothing to look at
    ),
    solution_function=contexts,
    mistakes=(
        Mistake("summed over the target", "Your sum runs over the target. Row i of the weights belongs to step i, and the sum runs over "
            "the source: `weights @ h`.", lambda a, h: a.T @ h),
        Mistake("hard look-up", "That is the state with the largest weight, a hard look-up. Asked for is the mean of all "
            "states, weighted.", lambda a, h: h[a.argmax(1)]),
        Mistake("no weights", "The weights do not appear: every step gets the mean of the states.",
            lambda a, h: jnp.broadcast_to(h.mean(0), (len(a), h.shape[1]))),
        Mistake("divided again", "The weights sum to 1 already; there is nothing left to divide by.", lambda a, h: a @ h / h.shape[0]),
        Mistake("a row for each state", "You give a row for each state. There is one for each step of the target, "
            "`len(weights)` of them, and the source may be shorter or longer.", lambda a, h: a[: len(h)] @ h, _rows_of_states),
        Mistake("not summed", "Those are the terms of the sum. Add them up over the source.", lambda a, h: a[:, :, None] * h),
        Mistake("sum of the states", "That is the sum of the states without their weights.",
            lambda a, h: jnp.broadcast_to(h.sum(0), (len(a), h.shape[1]))),
        Mistake("softmax again", "The weights have been through the softmax already. A second one makes them nearly equal.",
            lambda a, h: jax.nn.softmax(a) @ h),
        Mistake("one step alone", "That is the context of one step. Asked for are all of them, a row for each step of the target.",
            lambda a, h: a[0] @ h, lambda a, h: a[-1] @ h),
    ),
    hints=(
        "For one step: a number for each state. For all steps: a row of numbers for each.",
        "A sum over j of α_ij h_j is entry i of a product of matrices.",
        "`return weights @ h`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------ temperature


def sharpened(scores: Float[Array, "target source"], temperature: float) -> Float[Array, "target source"]:
    """softmax(e / τ) over the source (see `models.attention.tempered_softmax` for its two ends)."""
    return jax.nn.softmax(scores / temperature)


def _by_hand(e, t, largest):
    raised = jnp.exp(e / t - largest)
    return raised / raised.sum(-1, keepdims=True)


temperature = Exercise(
    name="temperature",
    chapter="ch05",
    objective="mechanism",
    answer="my_tempered",
    gives="the weights, `[target, source]`",
    cases=((_array(1, 3), 0.5), (_array(2, 4), 2.0), (_array(3, 3, scale=2), 5.0)),
    edges=(
        (_array(2, 3), 1.0), (_array(2, 3), 1000.0), (jnp.array([[3.0], [1.0]]), 0.3), (jnp.array([[2.0, 2.0, 2.0]]), 0.5),
        (jnp.array([[50.0, 20.0, 49.0]]), 0.1), (jnp.array([[-50.0, -20.0, -21.0]]), 0.1), (jnp.array([[1.0, 2.0, 3.0]]), 0.001),
    ),
    solution_function=sharpened,
    mistakes=(
        Mistake("multiplied", "You multiply by τ, so a high temperature makes your weights sharper. Divide: hot is flat.",
            lambda e, t: jax.nn.softmax(e * t)),
        Mistake("weights divided", "The temperature belongs to the scores, before the softmax. Your weights do not sum to 1.",
            lambda e, t: jax.nn.softmax(e) / t),
        Mistake("overflow", "Right for small numbers, but exp(500) is more than float32 holds. `jax.nn.softmax` takes the largest away "
            "first: the largest of e/τ, not of e.", lambda e, t: _by_hand(e, t, 0), lambda e, t: _by_hand(e, t, e.max(-1, keepdims=True)),
            lambda e, t: _by_hand(e, t, e.max())),
        Mistake("not summed to 1", "α^(1/τ) has the right proportions, but it does not sum to 1 any more.",
            lambda e, t: jax.nn.softmax(e) ** (1 / t)),
        Mistake("no temperature", "Your weights do not depend on τ: it does not appear, or is "
            "added to every score, which changes no weight. Divide by it.", lambda e, t: jax.nn.softmax(e),
            lambda e, t: jax.nn.softmax(e + t)),
        Mistake("over the steps", "You normalise over the steps. Each row sums to 1.", lambda e, t: jax.nn.softmax(e / t, axis=0)),
        Mistake("over everything", "All your weights together sum to 1. Each row should.",
            lambda e, t: jax.nn.softmax((e / t).reshape(-1)).reshape(e.shape)),
        Mistake("root of τ", "τ itself, not its root.", lambda e, t: jax.nn.softmax(e / t**0.5)),
        Mistake("square of τ", "τ itself, not its square.", lambda e, t: jax.nn.softmax(e / t**2)),
        Mistake("scores alone", "Those are the scores divided by τ. The softmax comes after it.", lambda e, t: e / t),
        Mistake("softmax twice", "One softmax: divide the *scores* by τ, not weights that have been through it.",
            lambda e, t: jax.nn.softmax(jax.nn.softmax(e) / t)),
    ),
    hints=(
        "Which operation on the scores makes the differences between them smaller when τ is large?",
        "Divide the scores by τ. The softmax comes after it.",
        "`return jax.nn.softmax(scores / temperature)`",
    ),
)  # fmt: skip

# --------------------------------------------------------------------------------------- alignment error


def error_of_links(found: Bool[Array, "target source"], gold: Bool[Array, "target source"]) -> Float[Array, ""]:
    """AER = 1 - 2 |A ∩ S| / (|A| + |S|) over the target words that have a gold link."""
    A = found & gold.any(axis=1)[:, None]
    return 1 - 2 * (A & gold).sum() / (A.sum() + gold.sum())


def _links(*rows: str) -> Array:
    return _mask(*rows)


aer = Exercise(
    name="aer",
    chapter="ch05",
    objective="alignment",
    answer="my_aer",
    gives="one number from 0 to 1",
    cases=(
        (_links("x..", ".x."), _links("x..", ".xx")),
        (_links("...", ".x."), _links("x..", ".x.")),
        (_links("x..", ".x.", "..x"), _links(".x.", ".x.", "...")),
        (_links("xx..", "..x.", ".x..", "...x", "...x"), _links("xx..", "..x.", "..x.", ".x..", "....")),
    ),
    edges=(
        (_links("x.", ".x"), _links("x.", ".x")), (_links("..", ".."), _links("x.", "..")), (_links("xx", "xx"), _links("x.", "..")),
        (_links("x"), _links("x")), (_links(".x", "x."), _links("x.", ".x")), (_links("x.", ".x", "xx"), _links("x.", "..", "..")),
    ),
    solution_function=error_of_links,
    mistakes=(
        Mistake("words without gold counted", "Words without a gold link are "
            "counted, and whatever they look at is held against the model. Leave their rows out of A.",
            lambda A, S: 1 - 2 * (A & S).sum() / (A.sum() + S.sum())),
        Mistake("words without finds left out", "Words for which nothing was found are left out. What gold "
            "has there was missed, and counts.", lambda A, S: error_of_links(A, S & A.any(1, keepdims=True))),
        Mistake("places counted", "You count places of the map. Most of them are empty in both; count links.",
            lambda A, S: (A != S)[S.any(1)].mean(), lambda A, S: (A != S).mean()),
        Mistake("1 - precision", "That is 1 - precision. Links of gold that were not found must count too.",
            lambda A, S: 1 - (A & S).sum() / A[S.any(1)].sum(), lambda A, S: 1 - (A & S).sum() / A.sum()),
        Mistake("1 - recall", "That is 1 - recall. Links that are wrong must count too.", lambda A, S: 1 - (A & S).sum() / S.sum()),
        Mistake("no 2", "The 2 is missing: with all links right your error would be one half.",
            lambda A, S: 1 - (A & S).sum() / (A[S.any(1)].sum() + S.sum())),
        Mistake("agreement", "That is the agreement, F1. The error is 1 minus it.",
            lambda A, S: 2 * (A & S).sum() / (A[S.any(1)].sum() + S.sum())),
        Mistake("divided by the union", "You divide by the union. AER divides twice the shared links by |A| + |S|.",
            lambda A, S: 1 - (A & S).sum() / (A[S.any(1)] | S[S.any(1)]).sum()),
        Mistake("any right link", "You ask for each word whether it has any right link. Count the links: a "
            "word with two gold links needs both.", lambda A, S: 1 - (A & S)[S.any(1)].any(1).mean()),
        Mistake("columns left out", "You leave out source words without a gold link. Left out are *target* words, rows.",
            lambda A, S: 1 - 2 * (A & S).sum() / ((A & S.any(0)).sum() + S.sum())),
        Mistake("mean over the words", "You average an error of each word. Count all links together.",
            lambda A, S: (1 - 2 * (A & S).sum(1) / jnp.maximum((A.sum(1) + S.sum(1)), 1))[S.any(1)].mean()),
    ),
    hints=(
        "How many links do A and S share, and how many are there on both sides together? Which rows are left out?",
        "`rows = gold.any(axis=1)`; `A = found & rows[:, None]`. `(A & gold).sum()` counts the shared links.",
        "`return 1 - 2 * (A & gold).sum() / (A.sum() + gold.sum())`",
    ),
)  # fmt: skip

ALL = (masked_softmax, additive, context, temperature, aer)

__all__ = ["ALL", "additive", "aer", "context", "masked_softmax", "temperature"]
