"""Exercises of notebook 01."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..models.losses import cross_entropy, next_word_loss
from ..teaching.exercise import Exercise, Mistake, drawn

_rng = np.random.default_rng(1)
_array = functools.partial(drawn, _rng, scale=0.7)


# ------------------------------------------------------------------------------------------- one step


def next_state(
    h: Float[Array, " hidden"],
    x_t: Float[Array, " embed"],
    W_h: Float[Array, "hidden hidden"],
    W_x: Float[Array, "hidden embed"],
    b: Float[Array, " hidden"],
) -> Float[Array, " hidden"]:
    """One step of a recurrent network for a single sequence: h_t = tanh(W_h h_{t-1} + W_x x_t + b)."""
    return jnp.tanh(W_h @ h + W_x @ x_t + b)


one_step = Exercise(
    name="one_step",
    chapter="ch01",
    objective="recurrence",
    cases=(
        (_array(2), _array(2), _array(2, 2), _array(2, 2), _array(2)),
        (_array(3), _array(2), _array(3, 3), _array(3, 2), _array(3)),
        (_array(5), _array(4), _array(5, 5), _array(5, 4), _array(5)),
    ),
    solution_function=next_state,
    mistakes=(
        Mistake(
            lambda h, x_t, W_h, W_x, b: W_h @ h + W_x @ x_t + b,
            "The sum is right, but nothing squashes it: without tanh the recurrence is linear.",
        ),
        Mistake(
            lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h + W_x @ x_t),
            "The bias is missing: b is added inside the tanh.",
        ),
        Mistake(
            lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h + W_x @ x_t) + b,
            "The bias belongs inside the tanh. Added outside, the state can leave the interval from -1 to 1.",
        ),
        Mistake(
            lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h.T @ h + W_x @ x_t + b),
            "Your W_h is transposed. For one vector the equation is written as it stands, `W_h @ h`; "
            "`h @ W_h` is the transposed product.",
        ),
        Mistake(
            lambda h, x_t, W_h, W_x, b: jnp.tanh(W_x @ x_t + b),
            "The old state does not appear in your result: this network remembers nothing.",
        ),
        Mistake(
            lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h) + jnp.tanh(W_x @ x_t + b),
            "One tanh of the whole sum, not a tanh of each part: the parts must add up before they are squashed.",
        ),
        Mistake(
            lambda h, x_t, W_h, W_x, b: jax.nn.sigmoid(W_h @ h + W_x @ x_t + b),
            "That is the logistic function, which maps to (0, 1). The equation here has tanh.",
        ),
    ),
    hints=(
        "Three terms are added, then one function is applied to the sum. Which term brings the past in?",
        "`W_h @ h` is the share of the old state, `W_x @ x_t` that of the input. `jnp.tanh` works on a whole vector.",
        "`return jnp.tanh(W_h @ h + W_x @ x_t + b)`",
    ),
)

# ------------------------------------------------------------------------------------- a whole sequence


def all_states(
    xs: Float[Array, "time embed"],
    h_0: Float[Array, " hidden"],
    W_h: Float[Array, "hidden hidden"],
    W_x: Float[Array, "hidden embed"],
    b: Float[Array, " hidden"],
) -> Float[Array, "time hidden"]:
    """The states h_1 … h_T of a recurrent network: one step scanned over a sequence."""

    def step(h, x_t):
        h = next_state(h, x_t, W_h, W_x, b)
        return h, h

    _, states = jax.lax.scan(step, h_0, xs)
    return states


def _scanned(step):
    """A wrong step, run rightly over the sequence."""

    def states(xs, h_0, W_h, W_x, b):
        return jax.lax.scan(lambda h, x_t: (step(h, x_t, W_h, W_x, b),) * 2, h_0, xs)[1]

    return states


def _without_memory(xs, h_0, W_h, W_x, b):
    return jax.vmap(lambda x_t: next_state(h_0, x_t, W_h, W_x, b))(xs)


def _one_late(xs, h_0, W_h, W_x, b):
    return jnp.concatenate([h_0[None], all_states(xs, h_0, W_h, W_x, b)[:-1]])


def _backwards(xs, h_0, W_h, W_x, b):
    return all_states(xs[::-1], h_0, W_h, W_x, b)[::-1]


def _from_zero(xs, h_0, W_h, W_x, b):
    return all_states(xs, jnp.zeros_like(h_0), W_h, W_x, b)


unrolling = Exercise(
    name="unrolling",
    chapter="ch01",
    objective="recurrence",
    cases=tuple(
        (_array(time, embed), _array(hidden), _array(hidden, hidden), _array(hidden, embed), _array(hidden))
        for time, embed, hidden in ((2, 1, 2), (4, 3, 2), (7, 2, 5))
    ),
    solution_function=all_states,
    mistakes=(
        Mistake(lambda *a: all_states(*a)[-1], "You return the last state only; all of them are asked for, `[time, hidden]`. "
                "What the step returns *second* is collected."),
        Mistake(_without_memory, "Every step of yours starts from `h_0` again: the state must be carried from step to step."),
        Mistake(_one_late, "Your states are one step late: the first row should be the state *after* the first input, h_1."),
        Mistake(_backwards, "You read the sequence from its end. `scan` reads from the front unless told `reverse=True`."),
        Mistake(_from_zero, "You start from zeros, but the state before the first input is given: `h_0`."),
        Mistake(lambda *a: jnp.concatenate([a[1][None], all_states(*a)]),
                "There is one row too many: the states after each of the T inputs are asked for, without `h_0`."),
        Mistake(lambda *a: all_states(*a).T, "Your axes are swapped: time comes first, then hidden."),
        Mistake(_scanned(lambda h, x_t, W_h, W_x, b: W_h @ h + W_x @ x_t + b), "The sum is right, but nothing squashes it: tanh is "
                "missing in your step."),
        Mistake(_scanned(lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h + W_x @ x_t)), "The bias is missing in your step."),
        Mistake(_scanned(lambda h, x_t, W_h, W_x, b: jnp.tanh(h @ W_h + W_x @ x_t + b)), "Your W_h is transposed: for one vector "
                "the equation is written as it stands, `W_h @ h`."),
    ),
    hints=(
        "Notebook 00 scanned a single number. Here the carry is the vector h, and the step is the equation of this section.",
        "Inside: `def step(h, x_t): ...` computes the new state and returns it *twice*. The five arguments of your function "
        "are visible inside `step`.",
        "`def step(h, x_t):` / `h = jnp.tanh(W_h @ h + W_x @ x_t + b)` / `return h, h`, then "
        "`_, states = jax.lax.scan(step, h_0, xs)` and `return states`.",
    ),
)  # fmt: skip

# --------------------------------------------------------------------------------------------- padding


def last_real_state(
    states: Float[Array, "batch time hidden"], mask: Bool[Array, "batch time"]
) -> Float[Array, "batch hidden"]:
    """The state after the last word of each sequence, where `mask` is True for words and False for padding.

    Padding stands on the right, so the last word of row i is at position Σ_t mask[i, t] - 1.
    """
    last = mask.sum(axis=1) - 1
    return states[jnp.arange(len(states)), last]


def _mask(*lengths: int) -> Array:
    return jnp.arange(max(lengths)) < jnp.array(lengths)[:, None]


last_state = Exercise(
    name="last_state",
    chapter="ch01",
    objective="shapes",
    cases=(
        (_array(2, 3, 2), _mask(3, 1)),
        (_array(3, 5, 4), _mask(2, 5, 4)),
        (_array(4, 6, 3), _mask(1, 6, 3, 5)),
    ),
    solution_function=last_real_state,
    mistakes=(
        Mistake(lambda s, m: s[:, -1], "You take the last *column*, which is padding for all but the longest sequence."),
        Mistake(lambda s, m: (s * m[..., None])[:, -1], "Padding is set to zero, and then the last column is read: short "
                "sequences give zeros. Where does the last word of each row stand?"),
        Mistake(lambda s, m: s[jnp.arange(len(s)), jnp.minimum(m.sum(1), s.shape[1] - 1)],
                "You are one position too far: a sequence of n words has its last word at position n - 1."),
        Mistake(lambda s, m: (s * m[..., None]).sum(1) / m.sum(1)[:, None],
                "That is the mean of the real states. The last one is asked for; chapter 04 compares the two."),
        Mistake(lambda s, m: (s * m[..., None]).sum(1), "That is the sum of all real states. Only the last one is asked for."),
        Mistake(lambda s, m: s[:, m.sum(1) - 1], "`states[:, last]` takes those columns for *every* row. To take one column of "
                "each row, index both axes: `states[rows, last]`."),
        Mistake(lambda s, m: s[:, 0], "You take the first state of each row."),
        Mistake(lambda s, m: s[m], "`states[mask]` lists the states of all words, row after row; one for each sequence is asked for."),
        Mistake(lambda s, m: jnp.where(m[..., None], s, -jnp.inf).max(1), "That is the largest value of each unit over time, not the "
                "state after the last word."),
    ),
    hints=(
        "How many words has each row? The mask knows: True counts as 1.",
        "With `last` of shape `(batch,)`, `states[jnp.arange(batch), last]` takes one position from each row.",
        "`last = mask.sum(axis=1) - 1`, then `return states[jnp.arange(len(states)), last]`",
    ),
)  # fmt: skip

# --------------------------------------------------------------------------------- the language model's loss


def _log_p(logits, labels):
    return jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], axis=-1)[..., 0]


def _per_sentence(logits, tokens, mask):
    wanted = jnp.where(mask[:, 1:], -_log_p(logits[:, :-1], tokens[:, 1:]), 0)
    return (wanted.sum(1) / mask[:, 1:].sum(1)).mean()


def _tokens(*shape: int, vocab: int) -> Array:
    return jnp.asarray(_rng.integers(0, vocab, shape), jnp.int32)


word_loss = Exercise(
    name="word_loss",
    chapter="ch01",
    objective="language",
    cases=tuple(
        (_array(len(lengths), max(lengths), vocab, scale=2.0), _tokens(len(lengths), max(lengths), vocab=vocab), _mask(*lengths))
        for lengths, vocab in (((3, 2), 3), ((5, 2, 4), 4), ((6, 3, 2, 5), 7))
    ),
    solution_function=next_word_loss,
    mistakes=(
        Mistake(lambda l, t, m: cross_entropy(l, t, m), "You compare the logits at t with the word at t, which the network has "
                "just read. They are about the word at t + 1."),
        Mistake(lambda l, t, m: cross_entropy(l[:, 1:], t[:, :-1], m[:, :-1]), "The shift goes the wrong way: yours asks the "
                "network for the word *before*. Drop the last logits and the first tokens."),
        Mistake(lambda l, t, m: cross_entropy(l[:, :-1], t[:, 1:]), "Padding is counted: positions whose next word is not real "
                "must not enter the mean."),
        Mistake(lambda l, t, m: cross_entropy(l[:, :-1], t[:, 1:], m[:, :-1]), "The mask is not shifted with the words: what "
                "matters is whether the word at t + 1 is real."),
        Mistake(lambda l, t, m: -jnp.where(m[:, 1:], _log_p(l[:, :-1], t[:, 1:]), 0).sum(), "That is the sum; the mean over the "
                "real positions is asked for, so that a long batch does not count more."),
        Mistake(lambda l, t, m: -jnp.where(m[:, 1:], _log_p(l[:, :-1], t[:, 1:]), 0).mean(), "You divide by all positions, "
                "padding included. Divide by the number of real ones."),
        Mistake(lambda l, t, m: next_word_loss(l, t, m) / jnp.log(2), "Your numbers are in bits (logarithm to base 2). The course "
                "counts in nats: `jax.nn.log_softmax` is right as it is."),
        Mistake(lambda l, t, m: -next_word_loss(l, t, m), "The sign is missing: a loss is the *negative* log-probability."),
        Mistake(lambda l, t, m: -(jnp.take_along_axis(l[:, :-1], t[:, 1:, None], -1)[..., 0] * m[:, 1:]).sum() / m[:, 1:].sum(),
                "The scores go straight into the loss. They become log-probabilities only through `jax.nn.log_softmax`."),
        Mistake(lambda l, t, m: -(jnp.take_along_axis(jax.nn.softmax(l[:, :-1]), t[:, 1:, None], -1)[..., 0] * m[:, 1:]).sum()
                / m[:, 1:].sum(), "You average the probabilities; the loss averages their *logarithms*."),
        Mistake(lambda l, t, m: -jnp.where(m[:, 1:], _log_p(l[:, :-1], t[:, 1:]), 0).sum() / m.sum(), "You divide by all words. Those "
                "that are predicted are one fewer in each sentence: nothing predicts the first."),
        Mistake(lambda l, t, m: -jnp.where(m[:, 1:], _log_p(l[:, :-1], t[:, 1:]), 0).sum() / len(t), "You divide by the number of "
                "sentences. The mean over the words that are predicted is asked for."),
        Mistake(lambda l, t, m: jnp.exp(next_word_loss(l, t, m)), "That is the perplexity, the exponential of the loss."),
        Mistake(_per_sentence, "You average within each sentence first, then over sentences, so a word of a short sentence weighs "
                "more. All words should count alike."),
    ),
    hints=(
        "Which word are the logits at position 0 about? Write down two slices: one of `logits`, one of `tokens`.",
        "`log_p = jax.nn.log_softmax(logits[:, :-1])`, labels `tokens[:, 1:]`; `jnp.take_along_axis(log_p, labels[..., None], "
        "axis=-1)[..., 0]` picks one number for each position. The mask must be shifted like the labels.",
        "With `chosen` the picked log-probabilities and `real = mask[:, 1:]`: "
        "`return -jnp.where(real, chosen, 0).sum() / real.sum()`",
    ),
)  # fmt: skip

# -------------------------------------------------------------------------------------------------- bits


def bits_held(accuracy: Float[Array, " lags"], symbols: Int[Array, ""] | int) -> Float[Array, ""]:
    """Bits that a state holds at least, from its recall at each lag of independent symbols uniform over V:

        Σ_k max(0, log2 V - H2(e_k) - e_k log2(V - 1)),   e_k = 1 - accuracy_k

    with H2(e) = -e log2 e - (1 - e) log2(1 - e), 0 log2 0 = 0, and nothing for a lag at or below chance, 1/V.
    (Fano's inequality; `measure.memory.recalled_bits` gives the terms.)
    """
    accuracy = jnp.maximum(accuracy, 1 / symbols)
    e = 1 - accuracy
    doubt = -jax.scipy.special.xlogy(e, e) - jax.scipy.special.xlogy(accuracy, accuracy)
    bits = jnp.log2(symbols) - doubt / jnp.log(2) - e * jnp.log2(symbols - 1)
    return jnp.maximum(bits, 0).sum()


def _fano(terms: Callable, floor: bool = True, total: bool = True) -> Callable:
    """A wrong way to count: `terms(accuracy, e, H2(e), V)` bits for each lag."""

    def count(accuracy, symbols):
        a = jnp.maximum(accuracy, 1 / symbols) if floor else accuracy
        e = 1 - a
        doubt = (-jax.scipy.special.xlogy(e, e) - jax.scipy.special.xlogy(a, a)) / jnp.log(2)
        bits = terms(a, e, doubt, symbols)
        bits = jnp.maximum(bits, 0) if floor else bits
        return bits.sum() if total else bits

    return count


def _right_terms(a, e, doubt, V):
    return jnp.log2(V) - doubt - e * jnp.log2(V - 1)


def _nan_at_the_ends(accuracy, symbols):
    e = 1 - accuracy
    return (jnp.log2(symbols) + e * jnp.log2(e) + accuracy * jnp.log2(accuracy) - e * jnp.log2(symbols - 1)).sum()


fano = Exercise(
    name="fano",
    chapter="ch01",
    objective="capacity",
    cases=(
        (jnp.array([0.9]), 4),
        (jnp.array([1.0, 0.8, 0.5]), 8),
        (jnp.array([1.0, 0.95, 0.7, 0.3, 0.05, 0.02]), 16),
    ),
    solution_function=bits_held,
    mistakes=(
        Mistake(_nan_at_the_ends, "Your sum is not a number: where the accuracy is 1, `0 * log2(0)` is NaN, though its limit is 0. "
                "`jax.scipy.special.xlogy(e, e)` is e log e with 0 log 0 = 0."),
        Mistake(_fano(_right_terms, floor=False), "A lag below chance counts in your sum for the symbol it avoids. Measured accuracies "
                "fall there by accident: count 0."),
        Mistake(_fano(lambda a, e, doubt, V: a * jnp.log2(V)), "You count log2 V bits for every right answer. But a reader who guesses "
                "is right 1/V of the time and carries nothing."),
        Mistake(_fano(lambda a, e, doubt, V: jnp.log2(V) - doubt), "The last term is missing. A wrong answer still leaves V - 1 symbols "
                "open, which costs e log2(V - 1)."),
        Mistake(_fano(lambda a, e, doubt, V: _right_terms(a, e, doubt, V) * jnp.log(2)), "You used natural logarithms, so these are "
                "nats. Bits need log2."),
        Mistake(_fano(lambda a, e, doubt, V: jnp.log2(V) - e * jnp.log2(V - 1)), "The doubt H2(e) is missing: knowing the answer, one is "
                "still not sure whether it is right."),
        Mistake(_fano(lambda a, e, doubt, V: jnp.log2(V) + doubt - e * jnp.log2(V - 1)), "The sign of H2(e) is wrong: doubt is "
                "subtracted from what a symbol contains."),
        Mistake(_fano(lambda a, e, doubt, V: jnp.log2(V) - doubt - e * jnp.log2(V)), "After a wrong answer V - 1 symbols remain, not V: "
                "the one that was named is out."),
        Mistake(_fano(_right_terms, total=False), "These are the bits of each lag. Independent symbols add up: return the sum."),
        Mistake(lambda a, V: _fano(_right_terms)(a, V) / len(a), "That is the mean over the lags. Independent symbols add up: return "
                "the sum."),
    ),
    hints=(
        "For each lag start from the log2 V bits that a symbol contains, and subtract what is still open when the answer is known. "
        "Then mind the ends: accuracy 1, and accuracy below chance.",
        "Two doubts are left: whether the answer is right, H2(e); and if it is wrong, which of the others it is, e log2(V - 1). "
        "`jnp.maximum(accuracy, 1 / symbols)` first, and `jax.scipy.special.xlogy(e, e)` for e log e, which is in nats.",
        "`a = jnp.maximum(accuracy, 1 / symbols)`, `e = 1 - a`, `doubt = -(xlogy(e, e) + xlogy(a, a)) / jnp.log(2)`, then "
        "`return jnp.maximum(jnp.log2(symbols) - doubt - e * jnp.log2(symbols - 1), 0).sum()`",
    ),
)  # fmt: skip

ALL = (one_step, unrolling, last_state, word_loss, fano)

__all__ = ["ALL", "fano", "last_state", "one_step", "unrolling", "word_loss"]
