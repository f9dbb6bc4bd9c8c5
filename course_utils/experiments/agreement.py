"""The cat sentence, measured alike in every chapter: the same corpora, bins of distance and baselines."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool

from ..data.agreement import Agreement, agreement, baselines
from ..data.batching import Batches
from ..measure.agreement import by_attractors, by_distance, prefers
from ..models.interfaces import LanguageModel
from .results.agreement import Accuracy, ByAttractors

DISTANCES = (1, 5, 9, 13, 17, 21, 25, 29, 33, 37, 41)  # edges of the bins
SEEDS = (0, 1, 2)
BATCH = 64
LENGTHS = (20, 50)  # bucket edges: few, because each costs a compilation


@functools.cache
def corpora() -> tuple[Agreement, Agreement]:
    """Sentences to train on and others to test on, drawn alike. Of the shortest some are in both: where the verb is up to 3 words from
    its subject, the words before it stand among those trained on in 70 of 300; farther off, in none."""
    return agreement(20_000, seed=0), agreement(4_000, seed=1)


@functools.cache
def asked_directly() -> Batches:
    """Batches of the words before the verb, with the subject's number as their class."""
    return Batches(corpora()[0].asked(), BATCH, LENGTHS)


@functools.cache
def words_only() -> Batches:
    """Batches of whole sentences, for a model that predicts the next word."""
    return Batches(corpora()[0].sentences(), BATCH, LENGTHS)


def accuracy(
    models: Sequence[Any],
    hits: Callable[[Any, Agreement], Bool[np.ndarray, " n"]],
    seeds: tuple[int, ...] = SEEDS,
) -> Accuracy:
    """Test models against distance; `hits(model, corpus)` says for each sentence whether a model is right."""
    _, test = corpora()
    runs = [by_distance(hits(model, test), test, DISTANCES) for model in models]
    references = {name: by_distance(right, test, DISTANCES)[1] for name, right in baselines(test).items()}
    return Accuracy(
        seeds=seeds, distance=runs[0][0], accuracy=np.array([shares for _, shares in runs]), baselines=references
    )


def nouns_between(models: Sequence[LanguageModel]) -> np.ndarray:
    """Accuracy of language models by the number of nouns between subject and verb: `[seeds, nouns]`."""
    _, test = corpora()
    return np.array([by_attractors(prefers(model, test), test) for model in models])


def with_nouns_between(models: Sequence[LanguageModel]) -> ByAttractors:
    """Language models asked for the verb: by distance, and by the number of nouns in between."""
    return ByAttractors(agreement=accuracy(models, prefers), attractors=nouns_between(models))
