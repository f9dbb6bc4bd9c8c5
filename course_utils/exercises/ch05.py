"""Exercises of notebook 05."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..models.attention import masked_softmax as library_masked_softmax
from ..teaching.exercise import Exercise, Mistake, drawn

_rng = np.random.default_rng(5)
_array = functools.partial(drawn, _rng)


def _mask(*rows: str) -> Array:
    return jnp.array([[letter == "x" for letter in row] for row in rows])


# ------------------------------------------------------------------------------------------ the softmax


def _over_padding(e: Array, m: Array) -> Array:
    raised = jnp.exp(e - e.max(-1, keepdims=True)) * m
    total = raised.sum(-1, keepdims=True)
    return raised / jnp.where(total > 0, total, 1)


def _overflowing(e: Array, m: Array) -> Array:
    raised = jnp.where(m, jnp.exp(e), 0)
    total = raised.sum(-1, keepdims=True)
    return raised / jnp.where(total > 0, total, 1)


masked_softmax = Exercise(
    name="masked_softmax",
    chapter="ch05",
    objective="mechanism",
    cases=(
        (_array(1, 3), _mask("xx.")),
        (_array(2, 4, scale=2), _mask("x.x.", "....")),
        (jnp.array([[90.0, 100.0, -1000.0, 0.0], [1000.0, 0.0, 999.0, 2.0]]), _mask("xx..", "x.xx")),
        (jnp.array([[0.0, 1.0, 200.0]]), _mask("xx.")),
        (jnp.array([[-1000.0, -1001.0, 0.0], [0.0, 1.0, 20_000.0]]), _mask("xx.", "xx.")),
    ),
    solution_function=library_masked_softmax,
    mistakes=(
        Mistake(lambda e, m: jax.nn.softmax(e), "The mask does not appear: padding gets weight, and the weights of the words "
            "do not sum to 1."),
        Mistake(lambda e, m: jax.nn.softmax(e) * m, "The mask comes after the softmax: padding has no weight any more, but what is "
            "left does not sum to 1. Leave it out *before* you divide."),
        Mistake(lambda e, m: jax.nn.softmax(e * m), "A masked score of 0 is not “no score”: exp(0) is 1. Leave it out of the sum."),
        Mistake(lambda e, m: jax.nn.softmax(jnp.where(m, e, -jnp.inf)), "Right, except where a row is masked altogether: then every "
            "score is -∞, and 0/0 is not a number. Such a row should give zeros."),
        Mistake(lambda e, m: jax.nn.softmax(jnp.where(m, e, -1e9)), "Right, except where a row is masked altogether: it looks at all of "
            "its padding alike. Such a row should give zeros."),
        Mistake(_over_padding, "A large score in the padding makes your weights vanish. Take the maximum, or the softmax, of the "
            "allowed scores alone: what is masked must not matter at all."),
        Mistake(_overflowing, "Right for small scores. But exp(1000) is more than float32 holds: subtract the largest allowed score "
            "first, which changes no weight."),
        Mistake(lambda e, m: jnp.where(m, jax.nn.softmax(jnp.where(m, e, -20.0)), 0), "The number that you put in place of masked "
            "scores is not low enough: where all allowed scores are lower still, padding takes the weight. Put `-jnp.inf` there."),
        Mistake(lambda e, m: jnp.where(m, jax.nn.softmax(e - 1e4 * ~m), 0), "You take a number away from masked scores. Where padding "
            "has a score that is larger still, it takes the weight all the same. What is masked must not matter at all: put "
            "`-jnp.inf` in its place."),
        Mistake(lambda e, m: jax.nn.softmax(e, axis=0), "You normalise over the rows. The weights of one row, over the source "
            "positions (the last axis), sum to 1."),
        Mistake(lambda e, m: jnp.exp(jnp.where(m, e, -jnp.inf)), "The division is missing: weights of a row sum to 1."),
        Mistake(lambda e, m: library_masked_softmax(e, ~m), "The mask is turned round: it is True where there is a word."),
    ),
    hints=(
        "What would the softmax be if the masked positions were simply not there?",
        "exp of the scores, 0 where masked, divided by their sum. Subtract the largest allowed score first, and do not divide by 0.",
        "`e = jnp.where(mask, scores, -jnp.inf)`, `w = jnp.where(mask, jnp.exp(e - e.max(-1, keepdims=True)), 0)`, and divide by "
        "`w.sum(-1, keepdims=True)`, or by 1 where that sum is 0.",
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


additive = Exercise(
    name="additive",
    chapter="ch05",
    objective="scores",
    cases=tuple(
        (_array(q), _array(T, k), _array(u, q), _array(u, k), _array(u)) for T, q, k, u in ((2, 2, 2, 2), (3, 2, 4, 3), (5, 3, 3, 3))
    ),
    solution_function=one_additive_score,
    mistakes=(
        Mistake(lambda s, h, W, U, v: (W @ s + h @ U.T) @ v, "The tanh is missing. Without it the query adds the same to every "
            "score, and the softmax does not see it at all."),
        Mistake(lambda s, h, W, U, v: jnp.tanh(W @ s) @ v + jnp.tanh(h @ U.T) @ v, "You squash the two parts apart. The sum goes "
            "through the tanh, or they could not meet."),
        Mistake(lambda s, h, W, U, v: jnp.tanh(h @ U.T) @ v, "The decoder's state does not appear: every step would look at the "
            "same place."),
        Mistake(lambda s, h, W, U, v: jnp.tanh(W @ s + h @ U.T), "v_a is missing: each position gets one number, not a vector."),
        Mistake(lambda s, h, W, U, v: jax.nn.softmax(jnp.tanh(W @ s + h @ U.T) @ v), "That is already the softmax. Asked for are the "
            "scores e_j before it."),
        Mistake(lambda s, h, W, U, v: jax.nn.sigmoid(W @ s + h @ U.T) @ v, "The score uses tanh, not σ."),
        Mistake(lambda s, h, W, U, v: jnp.tanh((W @ s) * (h @ U.T)) @ v, "You multiply the two parts. They are added; hence the name."),
        Mistake(lambda s, h, W, U, v: jnp.tanh(W @ s + (h @ U.T).mean(0)) @ v * jnp.ones(len(h)), "You average the states first. Each "
            "position has a score of its own."),
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


context = Exercise(
    name="context",
    chapter="ch05",
    objective="mechanism",
    cases=tuple(
        (jax.nn.softmax(_array(target, source, scale=2)), _array(source, k))
        for target, source, k in ((2, 2, 2), (3, 3, 3), (4, 4, 3), (3, 2, 2))
    ),
    solution_function=contexts,
    mistakes=(
        Mistake(lambda a, h: a.T @ h, "Your sum runs over the target. Row i of the weights belongs to step i, and the sum runs over "
            "the source: `weights @ h`."),
        Mistake(lambda a, h: h[a.argmax(1)], "That is the state with the largest weight, a hard look-up. Asked for is the mean of all "
            "states, weighted."),
        Mistake(lambda a, h: jnp.broadcast_to(h.mean(0), (len(a), h.shape[1])), "The weights do not appear: every step gets the mean "
            "of the states."),
        Mistake(lambda a, h: a @ h / h.shape[0], "The weights sum to 1 already; there is nothing left to divide by."),
        Mistake(lambda a, h: a[: len(h)] @ h, "You give a row for each state. There is one for each step of the target, "
            "`len(weights)` of them, and the source may be shorter or longer."),
        Mistake(lambda a, h: a[:, :, None] * h, "Those are the terms of the sum. Add them up over the source."),
        Mistake(lambda a, h: jnp.broadcast_to(h.sum(0), (len(a), h.shape[1])), "That is the sum of the states without their weights."),
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


temperature = Exercise(
    name="temperature",
    chapter="ch05",
    objective="mechanism",
    cases=((_array(1, 3), 0.5), (_array(2, 4), 2.0), (_array(3, 3, scale=2), 5.0), (jnp.array([[50.0, 20.0, 49.0]]), 0.1)),
    solution_function=sharpened,
    mistakes=(
        Mistake(lambda e, t: jax.nn.softmax(e * t), "You multiply by τ, so a high temperature makes your weights sharper. Divide: hot "
            "is flat."),
        Mistake(lambda e, t: jax.nn.softmax(e) / t, "The temperature belongs to the scores, before the softmax. Your weights do not "
            "sum to 1."),
        Mistake(lambda e, t: jnp.exp(e / t) / jnp.exp(e / t).sum(-1, keepdims=True), "Right for small numbers, but exp(500) is more "
            "than float32 holds. `jax.nn.softmax` subtracts the largest score first."),
        Mistake(lambda e, t: jax.nn.softmax(e) ** (1 / t), "α^(1/τ) has the right proportions, but it does not sum to 1 any more."),
        Mistake(lambda e, t: jax.nn.softmax(e), "Your weights do not depend on τ: it does not appear, or is "
            "added to every score, which changes no weight. Divide by it."),
        Mistake(lambda e, t: jax.nn.softmax(e / t, axis=0), "You normalise over the steps. Each row sums to 1."),
        Mistake(lambda e, t: jax.nn.softmax(e / t**0.5), "τ itself, not its root."),
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
    rows = gold.any(axis=1)
    A, S = found & rows[:, None], gold
    return 1 - 2 * (A & S).sum() / (A.sum() + S.sum())


def _links(*rows: str) -> Array:
    return _mask(*rows)


aer = Exercise(
    name="aer",
    chapter="ch05",
    objective="alignment",
    cases=(
        (_links("x..", ".x."), _links("x..", ".xx")),
        (_links("...", ".x."), _links("x..", ".x.")),
        (_links("x..", ".x.", "..x"), _links(".x.", ".x.", "...")),
        (_links("xx..", "..x.", ".x..", "...x", "...x"), _links("xx..", "..x.", "..x.", ".x..", "....")),
    ),
    solution_function=error_of_links,
    mistakes=(
        Mistake(lambda A, S: 1 - 2 * (A & S).sum() / (A.sum() + S.sum()), "Words without a gold link are "
            "counted, and whatever they look at is held against the model. Leave their rows out of A."),
        Mistake(lambda A, S: error_of_links(A, S & A.any(1, keepdims=True)), "Words for which nothing was found are left out. What gold "
            "has there was missed, and counts."),
        Mistake(lambda A, S: (A != S)[S.any(1)].mean(), "You count places of the map. Most of them are empty in both; count links."),
        Mistake(lambda A, S: 1 - (A & S).sum() / A[S.any(1)].sum(), "That is 1 - precision. "
            "Links of gold that were not found must count too."),
        Mistake(lambda A, S: 1 - (A & S).sum() / S.sum(), "That is 1 - recall. Links that are wrong must count too."),
        Mistake(lambda A, S: 1 - (A & S).sum() / (A[S.any(1)].sum() + S.sum()), "The 2 is missing: "
            "with all links right your error would be one half."),
        Mistake(lambda A, S: 2 * (A & S).sum() / (A[S.any(1)].sum() + S.sum()), "That is the agreement, F1. The error is 1 minus it."),
        Mistake(lambda A, S: 1 - (A & S).sum() / (A[S.any(1)] | S[S.any(1)]).sum(), "You divide by the union. AER divides twice the "
            "shared links by |A| + |S|."),
        Mistake(lambda A, S: 1 - (A & S)[S.any(1)].any(1).mean(), "You ask for each word whether it has any right link. Count the links: a "
            "word with two gold links needs both."),
    ),
    hints=(
        "How many links do A and S share, and how many are there on both sides together? Which rows are left out?",
        "`rows = gold.any(axis=1)`; `A = found & rows[:, None]`. `(A & gold).sum()` counts the shared links.",
        "`return 1 - 2 * (A & gold).sum() / (A.sum() + gold.sum())`",
    ),
)  # fmt: skip

ALL = (masked_softmax, additive, context, temperature, aer)

__all__ = ["ALL", "additive", "aer", "context", "masked_softmax", "temperature"]
