"""Delayed recall, measured alike in every chapter: which networks learn to bridge a delay, and after how many updates."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from flax import nnx

from ..data.batching import Labelled
from ..data.sequences import delayed_recall
from ..models.by_name import initialised
from ..models.losses import classification
from ..models.sequence import SequenceClassifier
from ..runtime import budget, front_end
from ..training import History, fit, fit_seeds
from .agreement import SEEDS

HIDDEN, EMBED, BATCH, LABELS, DISTRACTORS = 64, 32, 64, 8, 8
UPDATES = 2_000
SOLVED, WINDOW = 0.995, 100  # accuracy over so many updates that counts as solved


def reader(cell: str, delay: int, rngs: nnx.Rngs) -> SequenceClassifier:
    """A network of 64 units, its cell one of `INITIALISATIONS`, that names the first of `delay` symbols after the last."""
    return SequenceClassifier(
        initialised(cell, EMBED, HIDDEN, delay, rngs=rngs), LABELS + DISTRACTORS, LABELS, rngs=rngs
    )


def batches(delay: int) -> Callable[[int, Any], Labelled]:
    """Batches of 64 sequences of length `delay`."""

    def draw(step: Any, rng: Any) -> Labelled:
        return delayed_recall(rng, BATCH, delay, LABELS, DISTRACTORS)

    return draw


def solved(history: History) -> bool:
    """Right with 0.995 over the last 100 updates."""
    return history.steps >= WINDOW and history.last("accuracy", WINDOW) >= SOLVED


def train(model: Any, delay: int, updates: int = UPDATES, *, seed: int = 0, report: Any = None) -> History:
    """Train a network in place on one delay, until it is solved or the updates are used up."""
    return fit(
        model, batches(delay), budget(updates), loss=classification, stop=solved, seed=seed, report=report,
        progress=report is None and front_end() != "none",
    )  # fmt: skip


def learn(cell: str, delay: int, updates: int = UPDATES, *, seed: int = 0, report: Any = None) -> tuple[Any, History]:
    """`train` a network with the cell that `INITIALISATIONS` names."""
    model = reader(cell, delay, nnx.Rngs(seed))
    return model, train(model, delay, updates, seed=seed, report=report)


def updates_to_solve(
    make: Callable[[nnx.Rngs], Any], delay: int, updates: int = UPDATES, seeds: tuple[int, ...] = SEEDS
) -> dict[str, list[Any]]:
    """Networks of three seeds on one delay: `updates` until solved (None where not), `accuracy` over the last 100."""
    return outcome(several(make, batches(delay), updates, seeds)[1])


def several(
    make: Callable[[nnx.Rngs], Any],
    drawn: Callable[..., Labelled],
    updates: int = UPDATES,
    seeds: tuple[int, ...] = SEEDS,
) -> tuple[list[Any], History]:
    """Networks of several seeds, trained on one source of batches until each is solved or the updates are used up."""
    return fit_seeds(make, drawn, budget(updates), loss=classification, stop=solved, seeds=seeds, progress=False)


def outcome(history: History) -> dict[str, Any]:
    """`updates` of each seed until solved (None where not), `accuracy` over the last 100."""
    steps = [int(n) if why == "solved" else None for n, why in zip(history.steps, history.stopped, strict=True)]
    return {"updates": steps, "accuracy": np.round(history.last("accuracy", WINDOW), 4).tolist()}


def table(
    cells: Iterable[str], delays: Iterable[int], updates: Callable[[int], int] = lambda delay: UPDATES
) -> dict[str, dict[str, Any]]:
    """`updates_to_solve` for every cell and delay: cell → delay → result."""
    return {
        cell: {
            str(delay): updates_to_solve(functools.partial(reader, cell, delay), delay, updates(delay))
            for delay in delays
        }
        for cell in cells
    }
