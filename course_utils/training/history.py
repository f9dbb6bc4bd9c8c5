"""What happened in a training run, and the two ways in which one ends early."""

import dataclasses
from typing import Any, Literal

import numpy as np

from ..runtime import CourseError, require

Reason = Literal["finished", "solved", "interrupted", "diverged"]


@dataclasses.dataclass
class History:
    """What happened in a training run.

    losses: one an update: `[steps]`, or `[seeds, steps]`; NaN after a seed has stopped.
    metrics: the same for each metric that the loss reports.
    seconds: time in updates, compilation excluded; compile_seconds: the compilation. Of a resumed
        run, both times together.
    learning_rate: the constant one; None where a schedule or another optimizer was given.
    stopped: why it ended: `finished`, `solved` (its `stop` condition), `interrupted` or `diverged`;
        one a seed.
    """

    losses: np.ndarray
    metrics: dict[str, np.ndarray]
    seconds: float
    compile_seconds: float
    seeds: tuple[int, ...]
    learning_rate: float | None
    stopped: tuple[str, ...]

    @classmethod
    def empty(cls, seed: int) -> "History":
        """Of a model that has not been trained."""
        return cls(np.zeros(0, np.float32), {}, 0.0, 0.0, (seed,), None, ("finished",))

    @property
    def steps(self) -> Any:
        """Updates run: one number, or one a seed."""
        count = np.isfinite(self.losses).sum(axis=-1)
        return count if self.losses.ndim == 2 else int(count)

    def last(self, metric: str, updates: int = 100) -> Any:
        """Mean of a metric over the last `updates` updates: one number, or one a seed."""
        known = {"loss": self.losses, **self.metrics}
        require(metric in known, f"There is no metric {metric!r}; there are {', '.join(known)}.")
        values, ends = np.atleast_2d(known[metric]), np.atleast_1d(self.steps)
        means = [
            float(row[max(0, end - updates) : end].mean()) if end else np.nan
            for row, end in zip(values, ends, strict=True)
        ]
        return np.array(means) if self.losses.ndim == 2 else means[0]

    def of_seed(self, lane: int) -> "History":
        """The history of one seed of `fit_seeds`, by its place in `seeds`."""
        return dataclasses.replace(
            self,
            losses=self.losses[lane],
            metrics={name: values[lane] for name, values in self.metrics.items()},
            seeds=(self.seeds[lane],),
            stopped=(self.stopped[lane],),
        )


class TrainingDiverged(CourseError):
    """A loss, gradient or parameter that is not a number.

    The model keeps its last finite values. `.step` is the update that failed, `.history` the run.
    """

    def __init__(self, history: History):
        self.step, self.history = history.steps, history
        rate = history.learning_rate
        if self.step == 0:
            advice = (
                "Is a token or a label outside the model's vocabulary or classes, or the data "
                "itself not finite? If not, look at the learning rate of step 0 and at the "
                "optimizer."
            )
        elif rate is None:
            advice = "Try smaller steps of your optimizer."
        else:
            advice = f"Its learning rate is {rate:g}: try {rate / 10:g}, or a smaller `clip`."
        super().__init__(
            f"Training diverged at step {self.step} (seed {history.seeds[0]}): the loss, its "
            "gradient or a parameter is no longer a number. The model keeps its values from before "
            f"that step. {advice}"
        )


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C, or the stop button. Model and checkpoint keep what was learned.

    `.history` is the run so far. It is a `KeyboardInterrupt`, so that the cell or the command ends
    too: nothing half-trained is shown, kept or reported by what comes after the training.
    """

    def __init__(self, history: History, steps: int):
        self.history = history
        super().__init__(
            f"Interrupted after {int(np.max(history.steps))} of {steps} updates; "
            "the model keeps what it has learned."
        )

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]
