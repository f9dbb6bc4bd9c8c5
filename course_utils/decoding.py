"""From scores of the next word to a sentence: greedy and beam search for every translator, sampling for every language model.

Of a model nothing else is known here than what `models.interfaces` says.

Words are indices; 0 pads, 1 begins and 2 ends a sentence, as in `data.vocabulary`.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .data.vocabulary import Vocabulary
from .models.interfaces import CachedLanguageModel, LanguageModel, Translator
from .models.recurrent import refuse_empty_rows, time_first
from .models.run import compiled
from .runtime import InvalidInput, require, require_positive

PAD, BOS, EOS = Vocabulary.pad, Vocabulary.bos, Vocabulary.eos


class Decoded(NamedTuple):
    """Translations, one a source sentence: words up to and with the end mark, then padding."""

    words: Int[np.ndarray, "batch target"]
    log_p: Float[np.ndarray, " batch"]  # Σ_i log p(y_i | y_1 … y_{i-1}, x)
    weights: Float[np.ndarray, "batch target source"] | None  # of greedy search with attention

    @property
    def lengths(self) -> Int[np.ndarray, " batch"]:
        """Words of each, the end mark counted."""
        return (self.words != PAD).sum(axis=1)


def longest_target(source: int) -> int:
    """How many words a translation of a source of `source` words may have: half as many again, and five."""
    return int(1.5 * source) + 5


def _search(function: Callable[..., Decoded]) -> Callable[..., Decoded]:
    """A search, compiled once for each kind of model and length; refuses what cannot be read, and scores that are no numbers."""
    search = compiled("longest")(function)

    @functools.wraps(function)
    def checked(
        model: Translator, source: Int[Array, "batch source"], mask: Bool[Array, "batch source"], longest: int
    ) -> Decoded:
        require_positive(longest=longest)
        refuse_empty_rows(mask)
        decoded = search(model, source, mask, longest)
        broken = np.flatnonzero(~np.isfinite(decoded.log_p))
        if len(broken):
            raise InvalidInput(
                f"The model's scores are no numbers, first at source {broken[0]}: has its training diverged?"
            )
        return decoded

    return checked


@_search
def greedy(
    model: Translator, source: Int[Array, "batch source"], mask: Bool[Array, "batch source"], longest: int
) -> Decoded:
    """Take the most probable word at every step: y_i = argmax p(y | y_1 … y_{i-1}, x); at most `longest` words."""
    memory, batch = model.encode(source, mask), len(source)

    def step(carry, _):
        state, words, ended = carry
        state, logits, weights = model.advance(state, words, memory)
        log_p = _word_log_p(logits)
        words = jnp.where(ended, PAD, log_p.argmax(-1))
        gained = jnp.where(ended, 0, log_p.max(-1))
        return (state, words, ended | (words == EOS)), (words, gained, weights)

    start = (model.begin(memory, longest), jnp.full(batch, BOS), jnp.zeros(batch, bool))
    _, (words, log_p, weights) = jax.lax.scan(step, start, length=longest)
    return Decoded(words.T, log_p.sum(0), time_first(weights))  # type: ignore[arg-type]


class Beams(NamedTuple):
    """The best candidates of each source sentence, the best first; where there are fewer, the rest is scored -inf."""

    words: Int[np.ndarray, "batch beam target"]
    log_p: Float[np.ndarray, "batch beam"]
    score: Float[np.ndarray, "batch beam"]  # log_p / length^penalty

    @property
    def best(self) -> Decoded:
        """The first candidate of each sentence."""
        return Decoded(self.words[:, 0], self.log_p[:, 0], None)


def beam(
    model: Translator,
    source: Int[Array, "batch source"],
    mask: Bool[Array, "batch source"],
    longest: int,
    *,
    size: int = 4,
    length_penalty: float = 1.0,
) -> Beams:
    """Keep the `size` most probable beginnings at every step, and in the end the best of log p / length^length_penalty.

    Every continuation of every beginning is scored, an ended sentence only by itself. The greedy translation is always
    among the candidates, so the best is never scored below it. With `size` at least V^longest nothing is ever dropped.
    A penalty of 0 compares log p itself, which favours short sentences; 1 compares the mean per word.
    """
    require_positive(size=size)
    require(length_penalty >= 0, f"length_penalty must be at least 0, not {length_penalty!r}.")
    first = greedy(model, source, mask, longest)
    words, log_p = _beam(model, source, mask, longest, size)
    words = np.concatenate([words, first.words[:, None]], axis=1)
    log_p = np.concatenate([log_p, first.log_p[:, None]], axis=1)
    score = log_p / np.maximum((words != PAD).sum(-1), 1) ** length_penalty
    again = (words[:, :-1] == words[:, -1:]).all(-1)  # greedy's is there already
    score[:, -1] = np.where(again.any(1), -np.inf, score[:, -1])
    order = np.argsort(-score, axis=1, kind="stable")[:, :size]
    return Beams(
        *(np.take_along_axis(a, order.reshape(*order.shape, *[1] * (a.ndim - 2)), 1) for a in (words, log_p, score))
    )


@compiled("longest", "size")
def _beam(model, source, mask, longest, size):
    batch = source.shape[0]
    repeat = functools.partial(jax.tree.map, lambda a: jnp.repeat(a, size, axis=0))
    memory = model.encode(source, mask)
    rows = jnp.arange(batch)[:, None]

    def step(carry, place):
        state, words, log_p = carry
        before = jnp.where(place == 0, BOS, words[:, :, jnp.maximum(place - 1, 0)])
        done = (words == EOS).any(-1)
        state, logits, _ = model.advance(state, before.reshape(-1), repeated)
        scores = _word_log_p(logits).reshape(batch, size, -1)
        only_pad = jnp.full(scores.shape[-1], -jnp.inf).at[PAD].set(0.0)
        total = log_p[..., None] + jnp.where(done[..., None], only_pad, scores)
        best, place_of = jax.lax.top_k(total.reshape(batch, -1), size)
        parent, new = place_of // scores.shape[-1], place_of % scores.shape[-1]
        words = words[rows, parent].at[:, :, place].set(new)
        state = jax.tree.map(lambda a: a.reshape(batch, size, *a.shape[1:])[rows, parent].reshape(a.shape), state)
        return (state, words, best), None

    repeated = repeat(memory)
    log_p = jnp.full((batch, size), -jnp.inf).at[:, 0].set(0.0)  # all beams are the same at first
    begin = (repeat(model.begin(memory, longest)), jnp.full((batch, size, longest), PAD), log_p)
    (_, words, log_p), _ = jax.lax.scan(step, begin, jnp.arange(longest))
    return words, log_p


def next_word_log_p(
    logits: Float[Array, "*lead vocab"],
    temperature: float | Float[Array, ""] = 1.0,
    top_k: int | Int[Array, ""] | None = None,
    top_p: float | Float[Array, ""] | None = None,
) -> Float[Array, "*lead vocab"]:
    """log p of each next word, from which `sample` draws; -∞ of what is left out.

        p = softmax(logits / τ), over the k most probable words, and of those over the fewest that together have at least
        the probability `top_p` (the *nucleus*)

    Fan, Lewis, Dauphin (2018) for top-k; Holtzman, Buys, Du, Forbes, Choi (2020) for the nucleus.
    """
    log_p = jax.nn.log_softmax(logits.astype(jnp.float32) / temperature)
    order = jnp.argsort(-log_p, axis=-1)
    rank = jnp.argsort(order, axis=-1)
    if top_k is not None:
        log_p = jax.nn.log_softmax(jnp.where(rank < top_k, log_p, -jnp.inf))
    if top_p is not None:
        p = jnp.exp(jnp.take_along_axis(log_p, order, axis=-1))
        before = jnp.take_along_axis(
            jnp.cumsum(p, axis=-1) - p, rank, axis=-1
        )  # what more probable words have together
        log_p = jax.nn.log_softmax(jnp.where((before < top_p) | (rank == 0), log_p, -jnp.inf))
    return log_p


class Sampled(NamedTuple):
    """Words drawn after each prompt, and log p of all of them together under the distribution they were drawn from."""

    words: Int[np.ndarray, "batch length"]
    log_p: Float[np.ndarray, " batch"]


def sample(
    model: LanguageModel,
    prompt: Int[Array, "batch time"],
    length: int,
    rng: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    end: int | None = None,
    without: tuple[int, ...] = (),
) -> Sampled:
    """Let a language model speak: `length` words after each prompt, each drawn from `next_word_log_p` of those before it.

    temperature: below 1 more cautious, above 1 bolder; at 0 the most probable word is taken.   top_k, top_p: leave out the
    tail.   end: a word after which there is only padding, 0.   without: words that are never drawn, such as `<unk>`.
    rng: a key of `jax.random`; the same key, the same words.

    A `CachedLanguageModel` goes on from its state; any other reads all words again for each new one.
    """
    require_positive(length=length)
    require(prompt.shape[1] >= 1, "The prompt is empty: begin with one word at least, such as the begin mark.")
    require(temperature >= 0, f"temperature is at least 0, not {temperature!r}.")
    require(top_k is None or top_k >= 1, f"top_k is the number of words to draw from, at least 1, not {top_k!r}.")
    require(top_p is None or 0 < top_p <= 1, f"top_p is a share, above 0 and at most 1, not {top_p!r}.")
    if temperature == 0:
        temperature, top_k, top_p = 1.0, 1, None
    temperature = float(temperature)
    words, log_p = _sample(model, prompt, rng, length, end, tuple(without), temperature, top_k, top_p)
    if not np.isfinite(log_p).all():
        raise InvalidInput("The model's scores are no numbers: has its training diverged?")
    return Sampled(words, log_p)  # type: ignore[arg-type]


@compiled("length", "end", "without")
def _sample(model, prompt, rng, length, end, without, temperature, top_k, top_p):
    begin, advance = _going_on(model) if isinstance(model, CachedLanguageModel) else _reading_again(model)

    def step(carry, rng):
        state, logits, done, total = carry
        allowed = logits.at[:, jnp.array(without, int)].set(-jnp.inf)
        log_p = next_word_log_p(allowed, temperature, top_k, top_p)
        drawn = jax.random.categorical(rng, log_p)
        total = total + jnp.where(done, 0, jnp.take_along_axis(log_p, drawn[:, None], axis=-1)[:, 0])
        words = jnp.where(done, PAD, drawn)
        done = done if end is None else done | (words == end)
        return (*advance(state, words), done, total), words

    batch, time = prompt.shape
    state, logits = begin(prompt, time + length)
    count = logits.shape[-1]
    require(
        all(0 <= word < count for word in without) and len(set(without)) < count,
        f"without names words by their index, 0 to {count - 1}, and leaves one at least; it was {without}.",
    )
    carry = (state, logits, jnp.zeros(batch, bool), jnp.zeros(batch))
    (_, _, _, total), words = jax.lax.scan(step, carry, jax.random.split(rng, length))
    return words.T, total


def _going_on(model: CachedLanguageModel) -> tuple[Callable, Callable]:
    return model.begin, model.advance


def _reading_again(model: LanguageModel) -> tuple[Callable, Callable]:
    """`begin` and `advance` of a model without a cache: its state is all words so far, and how many."""

    def begin(prompt, longest):
        words = jnp.zeros((len(prompt), longest), prompt.dtype).at[:, : prompt.shape[1]].set(prompt)
        return (words, prompt.shape[1]), model(words)[:, prompt.shape[1] - 1]

    def advance(state, new):
        words, count = state
        words = words.at[:, count].set(new.astype(words.dtype))
        return (words, count + 1), model(words)[:, count]

    return begin, advance


def _word_log_p(logits: Float[Array, "*lead vocab"]) -> Float[Array, "*lead vocab"]:
    """log p of the next words; without the two symbols that no sentence holds, padding and the begin mark."""
    return jax.nn.log_softmax(logits.astype(jnp.float32).at[..., jnp.array([PAD, BOS])].set(-jnp.inf))
