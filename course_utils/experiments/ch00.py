"""Notebook 00: a small recurrent network, asked directly for the number of the subject."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from flax import nnx

from ..data.agreement import Agreement, agreement, baselines, vocabulary
from ..data.batching import Batches
from ..measure.agreement import by_distance, right
from ..models.cells import RNNCell
from ..models.losses import classification
from ..models.recurrent import SequenceClassifier
from ..runtime import budget, front_end
from ..training import History, fit, fit_seeds

UPDATES = 1_000
HIDDEN, EMBED, BATCH = 64, 32, 64
LENGTHS = (20, 50)  # bucket edges: few, because each costs a compilation
DISTANCES = (1, 5, 9, 13, 17, 21, 25, 29, 33, 37, 41)
SEEDS = (0, 1, 2)


@functools.cache
def corpora() -> tuple[Agreement, Agreement]:
    """Sentences to train on and others to test on."""
    return agreement(20_000, seed=0), agreement(4_000, seed=1)


@functools.cache
def _batches() -> Batches:
    return Batches(corpora()[0].asked(), BATCH, LENGTHS)


def reader(rngs: nnx.Rngs) -> SequenceClassifier:
    """A plain tanh network of 64 units that reads words and answers singular or plural."""
    return SequenceClassifier(RNNCell(EMBED, HIDDEN, rngs=rngs), len(vocabulary()), 2, rngs=rngs)


def train_reader(model: SequenceClassifier, report: Callable | None = None, seed: int = 0) -> History:
    """Train a reader in place on the words before the verb and the number they ask for."""
    return fit(
        model,
        _batches(),
        budget(UPDATES),
        loss=classification,
        report=report,
        seed=seed,
        progress=report is None,
    )


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


def three_seeds() -> Accuracy:
    """Train the reader from three seeds and test each against distance."""
    models, _ = fit_seeds(
        reader, _batches(), budget(UPDATES), loss=classification, seeds=SEEDS, progress=front_end() != "none"
    )
    _, test = corpora()
    runs = [by_distance(right(model, test), test, DISTANCES) for model in models]
    references = {name: by_distance(hits, test, DISTANCES)[1] for name, hits in baselines(test).items()}
    return Accuracy(runs[0][0], np.array([accuracy for _, accuracy in runs]), references, SEEDS)


def headline() -> dict[str, Any]:
    """Accuracy against distance of three seeds, with the baselines."""
    found = three_seeds()
    return {
        "seeds": list(found.seeds),
        "updates": budget(UPDATES),
        "distance": found.distance.tolist(),
        "accuracy": found.accuracy.round(4).tolist(),
        "baselines": {name: values.round(4).tolist() for name, values in found.baselines.items()},
    }
