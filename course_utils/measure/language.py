"""What a language model knows and expects after each word."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..data.batching import pad
from ..data.vocabulary import Vocabulary
from ..models.run import apply
from ..models.sequence import RecurrentLanguageModel, hidden_states


class Steps(NamedTuple):
    """A sentence with the state after each word and the distribution of the next one."""

    words: list[str]
    states: Float[np.ndarray, "time hidden"]
    probabilities: Float[np.ndarray, "time vocab"]


def steps(model: RecurrentLanguageModel, vocab: Vocabulary, sentence: str) -> Steps:
    """Feed a sentence to a language model, word by word; the first word is `<bos>`.

    Unknown words raise `UnknownWords` and an empty sentence `InvalidInput`, each naming what is wrong.
    The sentence is padded to a multiple of 16, so that a longer one seldom compiles again.
    """
    indices = vocab.read(sentence)
    tokens, mask = pad([indices], length=-(-len(indices) // 16) * 16)
    states, probabilities = apply(model, _steps, tokens, mask)
    length = len(indices)
    return Steps([vocab.words[i] for i in indices], states[0, :length], probabilities[0, :length])


def _steps(
    model: RecurrentLanguageModel, tokens: Int[Array, "n time"], mask: Bool[Array, "n time"]
) -> tuple[Float[Array, "n time hidden"], Float[Array, "n time vocab"]]:
    return hidden_states(model, tokens, mask), jax.nn.softmax(model(tokens, mask))


def most_likely(probabilities: Float[np.ndarray, " vocab"], vocab: Vocabulary, count: int) -> list[tuple[str, float]]:
    """The `count` most probable words with their probabilities, most probable first."""
    return [(vocab.words[i], float(probabilities[i])) for i in np.argsort(-probabilities, kind="stable")[:count]]
