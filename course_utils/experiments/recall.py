"""Delayed recall, measured alike in every chapter: which networks learn to bridge a delay, and after how many updates."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

from flax import nnx

from ..data.batching import Labelled
from ..data.sequences import delayed_recall
from ..models.by_name import initialised
from ..models.losses import classification
from ..models.sequence import SequenceClassifier
from ..runtime import budget, front_end
from ..training import History, fit, fit_seeds
from .agreement import SEEDS
from .results.recall import Solved

HIDDEN, EMBED, BATCH, LABELS, DISTRACTORS = 64, 32, 64, 8, 8
UPDATES, LEARNING_RATE = 2_000, 2e-3
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
    make: Callable[[nnx.Rngs], Any],
    delay: int,
    updates: int = UPDATES,
    seeds: tuple[int, ...] = SEEDS,
    learning_rate: float = LEARNING_RATE,
) -> Solved:
    """Networks of several seeds on one delay: how many updates each took."""
    history = several(make, batches(delay), updates, seeds, learning_rate)[1]
    return Solved(updates=until_solved(history), accuracy=history.last("accuracy", WINDOW))


def several(
    make: Callable[[nnx.Rngs], Any],
    drawn: Callable[..., Labelled],
    updates: int = UPDATES,
    seeds: tuple[int, ...] = SEEDS,
    learning_rate: float = LEARNING_RATE,
) -> tuple[list[Any], History]:
    """Networks of several seeds, trained on one source of batches until each is solved or the updates are used up."""
    return fit_seeds(
        make, drawn, budget(updates), loss=classification, stop=solved, seeds=seeds, learning_rate=learning_rate, progress=False
    )  # fmt: skip


def until_solved(history: History) -> list[int | None]:
    """The updates of each seed until it was solved, None where it was not."""
    return [int(n) if why == "solved" else None for n, why in zip(history.steps, history.stopped, strict=True)]


def table(
    cells: Iterable[str], delays: Iterable[int], updates: Callable[[int], int] = lambda delay: UPDATES
) -> dict[str, dict[int, Solved]]:
    """`updates_to_solve` for every cell and delay."""
    return {
        cell: {
            delay: updates_to_solve(functools.partial(reader, cell, delay), delay, updates(delay)) for delay in delays
        }
        for cell in cells
    }
