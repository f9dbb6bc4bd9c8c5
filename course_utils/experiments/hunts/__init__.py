"""What trains the code of bug hunts: one module a task, with `TASK`, under the name that a question's `trains` says.

The code is a text, one function, which may use the names of `NAMES`. It comes from the quiz banks of the course.
"""

import dataclasses
import importlib
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from ...data.batching import BatchSource
from ...models.losses import Loss
from ...runtime import require, size
from ...training import History, TrainingDiverged, fit

NAMES = {"jax": jax, "jnp": jnp, "σ": jax.nn.sigmoid, "tanh": jnp.tanh}
SECONDS = 8.0  # of updates of one training
LEARNED = 0.5  # of the loss of guessing: what lies below has been learned


@dataclasses.dataclass(frozen=True)
class Setting:
    """How much is trained: sequences of `length`, for `updates`."""

    length: int
    updates: int


@dataclasses.dataclass(frozen=True)
class Task:
    """A model around the function of a hunt, and what it learns.

    model: `model(function, length, rngs)`.   batches: `batches(length)`.   guessing: the loss of guessing, in nats.
    full, quick: how much is trained with `COURSE_SIZE=full` and `quick`.   shown: the metric that tells whether it learns.
    """

    model: Callable[[Callable, int, nnx.Rngs], Any]
    batches: Callable[[int], BatchSource]
    loss: Loss
    guessing: float
    full: Setting
    quick: Setting
    shown: str = "loss"

    @property
    def setting(self) -> Setting:
        """How much is trained now."""
        return self.full if size() == "full" else self.quick


@dataclasses.dataclass
class Curve:
    """The loss of a training so far: the mean of the 20 updates before each of `updates`."""

    updates: list[int] = dataclasses.field(default_factory=list)
    losses: list[float] = dataclasses.field(default_factory=list)

    def learned(self, guessing: float) -> bool:
        """Whether its last loss is below half of that of guessing."""
        return bool(self.losses) and math.isfinite(self.losses[-1]) and self.losses[-1] < LEARNED * guessing


def task(name: str) -> Task:
    """The task of that name."""
    return importlib.import_module(f"{__name__}.{name}").TASK


def function(source: str) -> Callable:
    """The one function that a text of Python defines."""
    names = dict(NAMES)
    exec(compile(source, "<the code of a bug hunt>", "exec"), names)
    defined = [value for name, value in names.items() if name not in NAMES and callable(value)]
    require(len(defined) == 1, f"The code of a bug hunt defines one function, not {len(defined)}.")
    return defined[0]


def train(name: str, source: str, told: Callable[[Curve], None] | None = None) -> Curve:
    """Train the code on a task until it has learned it, its updates are used up or 8 seconds have passed.

    told: called with the curve as it grows. A training that diverges ends there, with NaN as its last loss.
    """
    chosen, curve = task(name), Curve()
    length, updates = dataclasses.astuple(chosen.setting)

    def report(step: int, metrics: dict[str, float]) -> None:
        curve.updates.append(step)
        curve.losses.append(metrics[chosen.shown])
        if told is not None:
            told(curve)

    def ends(history: History) -> bool:
        return history.last(chosen.shown, 20) < 0.02 * chosen.guessing or history.seconds > SECONDS

    model = chosen.model(function(source), length, nnx.Rngs(0))
    try:
        fit(model, chosen.batches(length), updates, loss=chosen.loss, stop=ends, report=report, progress=False)
    except TrainingDiverged as diverged:
        curve.updates.append(diverged.step)
        curve.losses.append(math.nan)
    return curve
