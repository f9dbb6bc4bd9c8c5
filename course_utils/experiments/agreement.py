"""The cat sentence, measured alike in every chapter: the same corpora, bins of distance and baselines."""

import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..data.agreement import Agreement, agreement, baselines
from ..data.batching import Batches
from ..measure.agreement import by_distance

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


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """Test accuracy against distance: `[seeds, bins]`, with the baselines `[bins]`."""

    distance: np.ndarray  # middle of each bin
    accuracy: np.ndarray
    baselines: dict[str, np.ndarray]
    seeds: tuple[int, ...]

    @property
    def farthest(self) -> float:
        """Mean over the seeds in the last bin, 37 to 40 words."""
        return float(self.accuracy[:, -1].mean())

    def report(self) -> None:
        """Print the last bin: the network's mean and range over seeds, and each baseline."""
        last = self.accuracy[:, -1]
        print(
            f"subject 37 to 40 words back, {len(self.seeds)} seeds: network {last.mean():.3f} "
            f"({last.min():.3f} to {last.max():.3f}), "
            + ", ".join(f"{name} {values[-1]:.3f}" for name, values in self.baselines.items())
        )

    def numbers(self) -> dict[str, Any]:
        """What goes to `data/recorded/`."""
        return {
            "seeds": list(self.seeds),
            "distance": self.distance.tolist(),
            "accuracy": self.accuracy.round(4).tolist(),
            "baselines": {name: values.round(4).tolist() for name, values in self.baselines.items()},
        }


def accuracy(models: Iterable[Any], hits: Callable[[Any, Agreement], Any], seeds: tuple[int, ...] = SEEDS) -> Accuracy:
    """Test models against distance; `hits(model, corpus)` says for each sentence whether a model is right."""
    _, test = corpora()
    runs = [by_distance(hits(model, test), test, DISTANCES) for model in models]
    references = {name: by_distance(right, test, DISTANCES)[1] for name, right in baselines(test).items()}
    return Accuracy(runs[0][0], np.array([accuracy for _, accuracy in runs]), references, seeds)
