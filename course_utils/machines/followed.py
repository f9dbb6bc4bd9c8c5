"""What passes through a translator while it translates one sentence, for the machines that draw it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..data.english_french import read, vocabularies
from ..decoding import BOS, greedy
from ..models.run import apply
from ..runtime import require

UNITS, MOST_SOURCE, MOST_TARGET = 12, 8, 10
SENTENCE = "she never sees the black cat"


class Translated(NamedTuple):
    """Everything that happens while one sentence is translated; `<eos>` counts as a word of both."""

    source: list[str]
    target: list[str]
    encoded: Float[np.ndarray, "source key"]
    summary: Float[np.ndarray, " key"]  # c of a fixed context
    states: Float[np.ndarray, "steps hidden"]  # s_0, s_1, …: one more than words
    contexts: Float[np.ndarray, "target key"]
    weights: Float[np.ndarray, "target source"] | None
    probabilities: Float[np.ndarray, "target vocab"]


def follow(model: Any, sentence: str, most_source: int = MOST_SOURCE, most_target: int = MOST_TARGET) -> Translated:
    """Translate a sentence greedily with a `Translator` of the course, and keep what passes through it."""
    english, french = vocabularies()
    indices = read(sentence)
    require(
        len(indices) <= most_source,
        f"The drawing has room for {most_source - 1} English words; this sentence has {len(indices) - 1}.",
    )
    source = jnp.asarray([indices])
    mask = jnp.ones(source.shape, bool)
    found = greedy(model, source, mask, most_target)
    length = int(found.lengths[0])
    before = jnp.asarray([[BOS, *found.words[0, : length - 1]]])
    encoded, summary, first, states, contexts, weights, p = apply(model, _followed, source, mask, before)
    return Translated(
        [english.words[i] for i in indices],
        [french.words[i] for i in found.words[0, :length]],
        encoded[0],
        summary[0],
        np.concatenate([first, states[:, 0]]),
        contexts[:, 0],
        None if weights is None else weights[:, 0],
        p[:, 0],
    )


def _followed(model: Any, source: Any, mask: Any, before: Any) -> Any:
    memory = model.encode(source, mask)

    def one(state: Any, words: Any) -> Any:
        context, weights = model.look(state, memory)
        state, logits, _ = model.advance(state, words, memory)
        return state, (model.decoder.output(state), context, weights, jax.nn.softmax(logits))

    start = model.begin(memory)
    _, steps = jax.lax.scan(one, start, before.T)
    return memory.states, memory.summary, model.decoder.output(start), *steps


def varied(values: np.ndarray, count: int = UNITS) -> np.ndarray:
    """The `count` units that vary most over `[time, hidden]`, in their own order."""
    return np.sort(np.argsort(-np.asarray(values).std(0))[:count])


def fits(text: str) -> int:
    """Pixels for a small word."""
    return min(76, 7 * len(text) + 14)
