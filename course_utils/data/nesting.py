"""Several subjects at once: centre-embedded clauses, whose verbs come in the reverse order of their subjects.

    the cat that the dogs that the bird heard followed slept
        1st           2nd           3rd  3rd   2nd     1st

Verbs are in the past tense, so none of them tells its subject's number. At every verb the question is
whether its subject is singular or plural: at depth D the state must hold D independent bits, and give them
back last in, first out. (Chomsky and Miller 1963 used such sentences to show the limits of human memory.)
"""

import functools

import jax.numpy as jnp
import numpy as np

from ..runtime import require, require_positive
from .agreement import NOUNS, PAST
from .batching import Tagged
from .vocabulary import Vocabulary

TRANSITIVE = ("heard", "saw", "followed", "chased", "greeted", "admired")


@functools.cache
def vocabulary() -> Vocabulary:
    """Every word of the corpus."""
    return Vocabulary(["the", "that", *(form for pair in NOUNS for form in pair), *TRANSITIVE, *PAST])


def nested(n: int, seed: int, depths: tuple[int, int] = (1, 10)) -> Tagged:
    """`n` sentences, uniform over `depths` (shallowest, deepest); every subject's number is drawn independently.

    `asked` marks the verbs, `labels` the number of each verb's subject (0 singular, 1 plural); a sentence of
    depth D has D verbs and 4 D - 1 words. The same seed gives the same sentences.
    """
    low, high = depths
    require_positive(n=n, shallowest=low, deepest=high)
    require(low <= high, f"The shallowest depth ({low}) is above the deepest ({high}).")
    words, rng = vocabulary(), np.random.default_rng(seed)
    depth = rng.permutation(low + np.arange(n) % (high - low + 1))[:, None]
    number = rng.integers(0, 2, (n, high))
    nouns = np.array([[words[form] for form in pair] for pair in NOUNS])[
        rng.integers(len(NOUNS), size=(n, high)), number
    ]

    position = np.arange(4 * high - 1)
    verb = position - (3 * depth - 1)  # which verb is at each position, counted from 0
    subject = np.clip(depth - 1 - verb, 0, high - 1)  # and of which subject
    is_outermost = verb == depth - 1  # which takes no object
    transitive, intransitive = _draw(rng, words, TRANSITIVE, verb.shape), _draw(rng, words, PAST, verb.shape)
    before = np.where(
        position % 3 == 0,
        words["the"],
        np.where(position % 3 == 1, nouns[:, np.minimum(position // 3, high - 1)], words["that"]),
    )
    mask = position < 4 * depth - 1
    asked = (verb >= 0) & mask
    tokens = np.where(asked, np.where(is_outermost, intransitive, transitive), before)
    return Tagged(
        tokens=jnp.asarray(np.where(mask, tokens, 0), jnp.int32),
        mask=jnp.asarray(mask),
        labels=jnp.asarray(np.where(asked, np.take_along_axis(number, subject, axis=1), 0), jnp.int32),
        asked=jnp.asarray(asked),
    )


def _draw(rng, words: Vocabulary, choices: tuple[str, ...], shape: tuple[int, ...]) -> np.ndarray:
    return np.array([words[word] for word in choices])[rng.integers(len(choices), size=shape)]
