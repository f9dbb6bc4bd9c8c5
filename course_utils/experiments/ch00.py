"""Notebook 00: a small recurrent network, asked directly for the number of the subject."""

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
from ..runtime import budget
from ..training import History, Trained, fit, fit_seeds, trained

UPDATES = 600
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
    return fit(model, _batches(), budget(UPDATES), loss=classification, report=report, seed=seed, progress=report is None)


def trained_reader(retrain: bool = False) -> Trained:
    """The reader of seed 0, at once where it has been trained before."""
    config = {"updates": UPDATES, "hidden": HIDDEN, "embed": EMBED, "batch": BATCH, "lengths": list(LENGTHS), "task": "asked/1"}
    return trained("ch00-reader", reader, train_reader, config, retrain=retrain)


def accuracy_by_distance(models: list[Any]) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Test accuracy against distance: bin centres, `[models, bins]`, and each baseline `[bins]`."""
    _, test = corpora()
    runs = [by_distance(right(model, test), test, DISTANCES) for model in models]
    references = {name: by_distance(hits, test, DISTANCES)[1] for name, hits in baselines(test).items()}
    return runs[0][0], np.array([accuracy for _, accuracy in runs]), references


def headline() -> dict[str, Any]:
    """Accuracy against distance of three seeds, with the baselines."""
    models, history = fit_seeds(reader, _batches(), budget(UPDATES), loss=classification, seeds=SEEDS)
    centres, accuracy, references = accuracy_by_distance(models)
    return {
        "seeds": list(SEEDS),
        "updates": budget(UPDATES),
        "distance": centres.tolist(),
        "accuracy": accuracy.round(4).tolist(),
        "baselines": {name: values.round(4).tolist() for name, values in references.items()},
        "final_loss": np.atleast_1d(np.nanmean(history.losses[:, -50:], axis=1)).round(5).tolist(),
    }
