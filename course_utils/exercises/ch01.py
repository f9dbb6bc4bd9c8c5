"""Exercises of chapter 01: a recurrent step, its loop, its loss, and what a state can hold."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..models.losses import cross_entropy
from ..models.losses import next_word_loss as library_next_word_loss
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


def _step_case(hidden: int, embed: int, scale: float = 0.7) -> tuple:
    return tuple(
        _array(*shape, scale=scale) for shape in ((hidden,), (embed,), (hidden, hidden), (hidden, embed), (hidden,))
    )


one_step = Exercise(
    name="one_step",
    chapter="ch01",
    objective="recurrence",
    answer="my_step",
    gives="the new state h_t, `[hidden]`",
    cases=(_step_case(2, 2), _step_case(3, 3), _step_case(3, 2), _step_case(5, 4)),
    edges=(_step_case(1, 1), _step_case(1, 3), _step_case(3, 1), _step_case(2, 2, scale=20.0)),
    solution_function=next_state,
    mistakes=(
        Mistake("no tanh", "The sum is right, but nothing squashes it: without tanh the recurrence is linear.",
                lambda h, x_t, W_h, W_x, b: W_h @ h + W_x @ x_t + b),
        Mistake("no bias", "The bias is missing: b is added inside the tanh.",
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h + W_x @ x_t)),
        Mistake("bias outside", "The bias belongs inside the tanh. Added outside, the state can leave the interval from -1 to 1.",
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h + W_x @ x_t) + b),
        Mistake("W_h transposed", "Your W_h is transposed. For one vector the equation is written as it stands, `W_h @ h`; "
                "`h @ W_h` is the transposed product.",
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h.T @ h + W_x @ x_t + b)),
        Mistake("W_x transposed", "Your W_x is transposed. The equation is written as it stands, `W_x @ x_t`: one row for each unit.",
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h + W_x.T @ x_t + b)),
        Mistake("both transposed", "Both matrices are transposed: for one vector write `W @ v`, not `v @ W`.",
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h.T @ h + W_x.T @ x_t + b)),
        Mistake("no memory", "The old state does not appear in your result: this network remembers nothing.",
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_x @ x_t + b)),
        Mistake("no input", "The input does not appear in your result: this network hears nothing.",
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h + b)),
        Mistake("a tanh for each part", "One tanh of the whole sum, not a tanh of each part: the parts must add up before they are "
            "squashed.",
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h) + jnp.tanh(W_x @ x_t + b),
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h + b) + jnp.tanh(W_x @ x_t),
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h) + jnp.tanh(W_x @ x_t) + b,
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h) + W_x @ x_t + b,
                lambda h, x_t, W_h, W_x, b: W_h @ h + jnp.tanh(W_x @ x_t + b)),
        Mistake("logistic function", "That is the logistic function, which maps to (0, 1). The equation here has tanh.",
                lambda h, x_t, W_h, W_x, b: jax.nn.sigmoid(W_h @ h + W_x @ x_t + b)),
        Mistake("old state added", "The old state enters through W_h alone. You add it once more, as a residual connection would.",
                lambda h, x_t, W_h, W_x, b: h + jnp.tanh(W_h @ h + W_x @ x_t + b)),
        Mistake("products entry by entry", "`*` multiplies entry by entry. A matrix times a vector is `W_h @ h`.",
                lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h * h + W_x * x_t + b)),
    ),
    hints=(
        "Three terms are added, then one function is applied to the sum. Which term brings the past in?",
        "`W_h @ h` is the share of the old state, `W_x @ x_t` that of the input. `jnp.tanh` works on a whole vector.",
        "`return jnp.tanh(W_h @ h + W_x @ x_t + b)`",
    ),
)  # fmt: skip

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
        h = jnp.tanh(W_h @ h + W_x @ x_t + b)
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
    return all_states(xs[::-1], h_0, W_h, W_x, b)


def _from_zero(xs, h_0, W_h, W_x, b):
    return all_states(xs, jnp.zeros_like(h_0), W_h, W_x, b)


def _sequence(time: int, embed: int, hidden: int) -> tuple:
    return _array(time, embed), _array(hidden), _array(hidden, hidden), _array(hidden, embed), _array(hidden)


unrolling = Exercise(
    name="unrolling",
    chapter="ch01",
    objective="recurrence",
    answer="my_states",
    gives="the states h_1 … h_T, `[time, hidden]`",
    cases=(_sequence(2, 2, 2), _sequence(4, 3, 2), _sequence(7, 2, 5)),
    edges=(_sequence(1, 1, 2), _sequence(3, 1, 1), _sequence(3, 2, 3)),
    solution_function=all_states,
    mistakes=(
        Mistake("last state only", "You return the last state only; all of them are asked for, `[time, hidden]`. "
                "What the step returns *second* is collected.", lambda *a: all_states(*a)[-1]),
        Mistake("no memory", "Every step of yours starts from `h_0` again: the state must be carried from step to step.", _without_memory),
        Mistake("one late", "Your states are one step late: the first row should be the state *after* the first input, h_1.", _one_late),
        Mistake("backwards", "You read the sequence from its end. `scan` reads from the front unless told `reverse=True`.",
                _backwards, lambda *a: _backwards(*a)[::-1]),
        Mistake("start at zero", "You start from zeros, but the state before the first input is given: `h_0`.", _from_zero),
        Mistake("one row too many", "There is one row too many: the states after each of the T inputs are asked for, without `h_0`.",
                lambda *a: jnp.concatenate([a[1][None], all_states(*a)])),
        Mistake("axes exchanged", "Your axes are swapped: time comes first, then hidden.", lambda *a: all_states(*a).T),
        Mistake("no tanh", "The sum is right, but nothing squashes it: tanh is missing in your step.",
                _scanned(lambda h, x_t, W_h, W_x, b: W_h @ h + W_x @ x_t + b)),
        Mistake("no bias", "The bias is missing in your step.", _scanned(lambda h, x_t, W_h, W_x, b: jnp.tanh(W_h @ h + W_x @ x_t))),
        Mistake("W_h transposed", "Your W_h is transposed: for one vector the equation is written as it stands, `W_h @ h`.",
                _scanned(lambda h, x_t, W_h, W_x, b: jnp.tanh(h @ W_h + W_x @ x_t + b))),
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
    answer="my_last_state",
    gives="one state for each sequence, `[batch, hidden]`",
    cases=(
        (_array(2, 3, 2), _mask(3, 1)),
        (_array(3, 5, 4), _mask(2, 5, 4)),
        (_array(4, 6, 3), _mask(1, 6, 3, 5)),
    ),
    edges=(
        (_array(1, 4, 2), _mask(4)),
        (_array(1, 4, 2), jnp.array([[True, False, False, False]])),
        (_array(2, 1, 3), _mask(1, 1)),
        (_array(3, 4, 1), jnp.arange(4) < jnp.array([[2], [1], [2]])),  # padding in every row
        (_array(2, 3, 2).at[0, 2].set(0.0), _mask(3, 2)),  # a state of zeros is a state
        (_array(2, 3, 2).at[1, 2].set(1e6), _mask(3, 2)),  # what stands at padding is nothing
    ),
    solution_function=last_real_state,
    mistakes=(
        Mistake("last column", "You take the last *column*, which is padding for all but the longest sequence.", lambda s, m: s[:, -1]),
        Mistake("last column of zeros", "Padding is set to zero, and then the last column is read: short "
                "sequences give zeros. Where does the last word of each row stand?", lambda s, m: (s * m[..., None])[:, -1]),
        Mistake("one too far", "You are one position too far: a sequence of n words has its last word at position n - 1.",
                lambda s, m: s[jnp.arange(len(s)), jnp.minimum(m.sum(1), s.shape[1] - 1)]),
        Mistake("mean of the states", "That is the mean of the real states. The last one is asked for; chapter 04 compares the two.",
                lambda s, m: (s * m[..., None]).sum(1) / m.sum(1)[:, None]),
        Mistake("sum of the states", "That is the sum of all real states. Only the last one is asked for.",
                lambda s, m: (s * m[..., None]).sum(1)),
        Mistake("columns of every row", "`states[:, last]` takes those columns for *every* row. To take one column of "
                "each row, index both axes: `states[rows, last]`.", lambda s, m: s[:, m.sum(1) - 1]),
        Mistake("first state", "You take the first state of each row.", lambda s, m: s[:, 0]),
        Mistake("all words", "`states[mask]` lists the states of all words, row after row; one for each sequence is asked for.",
                lambda s, m: s[m]),
        Mistake("largest over time", "That is the largest value of each unit over time, not the state after the last word.",
                lambda s, m: jnp.where(m[..., None], s, -jnp.inf).max(1)),
        Mistake("inverted mask", "You count the padding, not the words: the mask is True where there is a word.",
                lambda s, m: s[jnp.arange(len(s)), (~m).sum(1) - 1], lambda s, m: s[jnp.arange(len(s)), m.argmin(1)]),
    ),
    hints=(
        "How many words has each row? The mask knows: True counts as 1.",
        "With `last` of shape `(batch,)`, `states[jnp.arange(batch), last]` takes one position from each row.",
        "`last = mask.sum(axis=1) - 1`, then `return states[jnp.arange(len(states)), last]`",
    ),
)  # fmt: skip

# --------------------------------------------------------------------------------- the language model's loss


def next_word_loss(
    logits: Float[Array, "batch time vocab"], tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"]
) -> Float[Array, ""]:
    """Mean of -log p(word at t + 1 | logits at t) over the places whose next word is real (`models.losses.next_word_loss`)."""
    log_p = jax.nn.log_softmax(logits[:, :-1])
    chosen = jnp.take_along_axis(log_p, tokens[:, 1:, None], axis=-1)[..., 0]
    real = mask[:, 1:]
    return -jnp.where(real, chosen, 0).sum() / real.sum()


def _log_p(logits, labels):
    return jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], axis=-1)[..., 0]


def _averaged(numbers: Callable, over: Callable) -> Callable:
    """A wrong way to average: `numbers(logits, labels)` at the real places, added up and divided by `over(mask)`."""

    def loss(l, t, m):
        return -jnp.where(m[:, 1:], numbers(l[:, :-1], t[:, 1:]), 0).sum() / over(m)

    return loss


def _real(mask):
    return mask[:, 1:].sum()


def _per_sentence(logits, tokens, mask):
    wanted = jnp.where(mask[:, 1:], -_log_p(logits[:, :-1], tokens[:, 1:]), 0)
    return (wanted.sum(1) / mask[:, 1:].sum(1)).mean()


def _tokens(*shape: int, vocab: int) -> Array:
    return jnp.asarray(_rng.integers(0, vocab, shape), jnp.int32)


def _loss_case(lengths: tuple[int, ...], vocab: int, scale: float = 2.0) -> tuple:
    shape = len(lengths), max(lengths)
    return _array(*shape, vocab, scale=scale), _tokens(*shape, vocab=vocab), _mask(*lengths)


def _picked(numbers: Callable) -> Callable:
    return lambda l, t: jnp.take_along_axis(numbers(l), t[..., None], axis=-1)[..., 0]


word_loss = Exercise(
    name="word_loss",
    chapter="ch01",
    objective="language",
    answer="my_word_loss",
    gives="one number, the mean loss in nats",
    cases=(_loss_case((3, 2), 3), _loss_case((5, 2, 4), 4), _loss_case((5, 3, 2), 4)),
    edges=(
        _loss_case((2,), 2), _loss_case((5, 5, 5), 4),  # no padding
        _loss_case((5, 1, 3), 4),  # nothing is predicted in a sentence of one word
        _loss_case((5, 4, 2), 4, scale=200.0),  # probabilities below what float32 holds
        (_array(2, 3, 3).at[1, 1].set(1e6), _tokens(2, 3, vocab=3), _mask(3, 2)),  # nothing is asked of padding
    ),
    solution_function=next_word_loss,
    mistakes=(
        Mistake("no shift", "You compare the logits at t with the word at t, which the network has just read. They are about the word "
                "at t + 1.", lambda l, t, m: cross_entropy(l, t, m)),
        Mistake("shift backwards", "The shift goes the wrong way: yours asks the network for the word *before*. Drop the last logits and "
                "the first tokens.", lambda l, t, m: cross_entropy(l[:, 1:], t[:, :-1], m[:, :-1]),
                lambda l, t, m: cross_entropy(l[:, 1:], t[:, :-1], m[:, 1:])),
        Mistake("padding counted", "Padding is counted: positions whose next word is not real must not enter the mean.",
                lambda l, t, m: cross_entropy(l[:, :-1], t[:, 1:])),
        Mistake("mask not shifted", "The mask is not shifted with the words: what matters is whether the word at t + 1 is real.",
                lambda l, t, m: cross_entropy(l[:, :-1], t[:, 1:], m[:, :-1])),
        Mistake("sum", "That is the sum; the mean over the real positions is asked for, so that a long batch does not count more.",
                _averaged(_log_p, lambda m: 1)),
        Mistake("divided by all places", "You divide by all positions, padding included. Divide by the number of real ones.",
                _averaged(_log_p, lambda m: m[:, 1:].size), _averaged(_log_p, lambda m: m.size)),
        Mistake("bits", "Your numbers are in bits (logarithm to base 2). The course counts in nats: `jax.nn.log_softmax` is right as it "
            "is.",
                lambda l, t, m: library_next_word_loss(l, t, m) / jnp.log(2)),
        Mistake("wrong sign", "The sign is missing: a loss is the *negative* log-probability.",
                lambda l, t, m: -library_next_word_loss(l, t, m)),
        Mistake("scores as they are", "The scores go straight into the loss. They become log-probabilities only through "
            "`jax.nn.log_softmax`.",
                _averaged(_picked(lambda l: l), _real)),
        Mistake("probabilities", "You average the probabilities; the loss averages their *logarithms*.",
                _averaged(_picked(jax.nn.softmax), _real), _averaged(_picked(lambda l: -jax.nn.softmax(l)), _real)),
        Mistake("logarithm of a softmax", "Right for small scores. But a probability below 10⁻⁴⁵ is 0 in float32, and its logarithm is -∞: "
                "`jax.nn.log_softmax` never takes that way.", _averaged(_picked(lambda l: jnp.log(jax.nn.softmax(l))), _real),
                _averaged(_picked(lambda l: l - jnp.log(jnp.exp(l).sum(-1, keepdims=True))), _real)),
        Mistake("divided by all words", "You divide by all words. Those that are predicted are one fewer in each sentence: nothing "
            "predicts "
                "the first.", _averaged(_log_p, lambda m: m.sum())),
        Mistake("divided by sentences", "You divide by the number of sentences. The mean over the words that are predicted is asked for.",
                _averaged(_log_p, len)),
        Mistake("perplexity", "That is the perplexity, the exponential of the loss.",
            lambda l, t, m: jnp.exp(library_next_word_loss(l, t, m))),
        Mistake("mean of means", "You average within each sentence first, then over sentences, so a word of a short sentence weighs "
                "more. All words should count alike.", _per_sentence),
        Mistake("softmax over time", "Your softmax runs over the positions. It runs over the vocabulary, the last axis.",
                _averaged(_picked(lambda l: jax.nn.log_softmax(l, axis=1)), _real)),
    ),
    hints=(
        "Which word are the logits at position 0 about? Write down two slices: one of `logits`, one of `tokens`.",
        "The last logits are about no word, and nothing is about the first word: `logits[:, :-1]` meets `tokens[:, 1:]`. Whether a "
        "place counts depends on the word that is predicted there, so the mask is cut like the words.",
        "With `chosen` the log-probabilities picked for `tokens[:, 1:]` and `real = mask[:, 1:]`: "
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
    a = jnp.maximum(accuracy, 1 / symbols)
    e = 1 - a
    xlogy = jax.scipy.special.xlogy
    doubt = -(xlogy(e, e) + xlogy(a, a)) / jnp.log(2)
    return jnp.maximum(jnp.log2(symbols) - doubt - e * jnp.log2(symbols - 1), 0).sum()


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


def _by_hand(accuracy, symbols):
    e = 1 - accuracy
    return jnp.log2(symbols) + e * jnp.log2(e) + accuracy * jnp.log2(accuracy) - e * jnp.log2(symbols - 1)


def _counted(where: Callable) -> Callable:
    """The right bits, but only of the lags `where(accuracy, V)` says."""
    return lambda a, V: jnp.where(where(a, V), _fano(_right_terms, floor=False, total=False)(a, V), 0).sum()


fano = Exercise(
    name="fano",
    chapter="ch01",
    objective="capacity",
    answer="my_bits",
    gives="one number, the bits of all lags together",
    cases=(
        (jnp.array([0.9]), 4),
        (jnp.array([0.95, 0.8, 0.5]), 8),
        (jnp.array([0.9, 0.7, 0.15]), 16),
    ),
    edges=(
        (jnp.array([1.0]), 4),
        (jnp.array([0.8, 0.02, 0.05]), 16),  # below chance
        (jnp.array([0.0]), 4), (jnp.array([0.25]), 4), (jnp.array([0.0, 0.9, 0.4]), 3),
        (jnp.array([1.0, 0.9, 0.6]), 2), (jnp.array([0.5, 0.2, 0.0]), 2),
    ),
    solution_function=bits_held,
    mistakes=(
        Mistake("0 log 0", "Your sum is not a number: where the accuracy is 1, `0 * log2(0)` is NaN, though its limit is 0. "
                "`jax.scipy.special.xlogy(e, e)` is e log e with 0 log 0 = 0.",
                lambda a, V: _by_hand(a, V).sum(), lambda a, V: jnp.maximum(_by_hand(jnp.maximum(a, 1 / V), V), 0).sum(),
                lambda a, V: jnp.where(a > 1 / V, _by_hand(a, V), 0).sum()),
        Mistake("0 log 0 away", "Where the accuracy is 1 your lag counts nothing, as if it were not known at all. It is known for sure, "
                "and counts log2 V bits.", lambda a, V: jnp.nan_to_num(_by_hand(a, V)).sum(),
                lambda a, V: jnp.nansum(jnp.where(a > 1 / V, _by_hand(a, V), 0))),
        Mistake("below chance", "A lag below chance counts in your sum for the symbol it avoids. Measured accuracies "
                "fall there by accident: count 0.", _fano(_right_terms, floor=False),
                lambda a, V: jnp.maximum(_fano(_right_terms, floor=False, total=False)(a, V), 0).sum()),
        Mistake("wrong chance", "You leave out lags that are above chance. A guess among V symbols is right 1/V of the time.",
                _counted(lambda a, V: a > 1 / (V - 1)), _counted(lambda a, V: a > 0.5), _counted(lambda a, V: a >= 1 - 1 / V)),
        Mistake("guessing counts", "You count log2 V bits for every right answer. But a reader who guesses "
                "is right 1/V of the time and carries nothing.", _fano(lambda a, e, doubt, V: a * jnp.log2(V))),
        Mistake("last term missing", "The last term is missing. A wrong answer still leaves V - 1 symbols open, which costs e log2(V - 1).",
                _fano(lambda a, e, doubt, V: jnp.log2(V) - doubt)),
        Mistake("nats", "You used natural logarithms, so these are nats. Bits need log2.",
                _fano(lambda a, e, doubt, V: _right_terms(a, e, doubt, V) * jnp.log(2)),
                _fano(lambda a, e, doubt, V: jnp.log2(V) - doubt * jnp.log(2) - e * jnp.log2(V - 1))),
        Mistake("no doubt", "The doubt H2(e) is missing: knowing the answer, one is still not sure whether it is right.",
                _fano(lambda a, e, doubt, V: jnp.log2(V) - e * jnp.log2(V - 1))),
        Mistake("doubt added", "The sign of H2(e) is wrong: doubt is subtracted from what a symbol contains.",
                _fano(lambda a, e, doubt, V: jnp.log2(V) + doubt - e * jnp.log2(V - 1))),
        Mistake("V symbols remain", "After a wrong answer V - 1 symbols remain, not V: the one that was named is out.",
                _fano(lambda a, e, doubt, V: jnp.log2(V) - doubt - e * jnp.log2(V))),
        Mistake("not summed", "These are the bits of each lag. Independent symbols add up: return the sum.", _fano(_right_terms,
            total=False)),
        Mistake("mean of the lags", "That is the mean over the lags. Independent symbols add up: return the sum.",
                lambda a, V: _fano(_right_terms)(a, V) / len(a)),
        Mistake("half of the doubt", "H2(e) has two parts: -e log2 e, and the same with 1 - e.",
                _fano(lambda a, e, doubt, V: jnp.log2(V) + jax.scipy.special.xlogy(e, e) / jnp.log(2) - e * jnp.log2(V - 1)),
                _fano(lambda a, e, doubt, V: jnp.log2(V) + jax.scipy.special.xlogy(a, a) / jnp.log(2) - e * jnp.log2(V - 1))),
    ),
    hints=(
        "For each lag start from the log2 V bits that a symbol contains, and subtract what is still open when the answer is known. "
        "Then mind the ends: accuracy 1, and accuracy below chance.",
        "`jax.scipy.special.xlogy(e, e)` is e log e with the right value at 0, in nats. And an accuracy below chance can be "
        "lifted to chance before anything else is computed: what does the formula give there?",
        "`a = jnp.maximum(accuracy, 1 / symbols)`, `e = 1 - a`, `doubt = -(xlogy(e, e) + xlogy(a, a)) / jnp.log(2)`, then "
        "`return jnp.maximum(jnp.log2(symbols) - doubt - e * jnp.log2(symbols - 1), 0).sum()`",
    ),
)  # fmt: skip

ALL = (one_step, unrolling, last_state, word_loss, fano)

__all__ = ["ALL", "fano", "last_state", "one_step", "unrolling", "word_loss"]
