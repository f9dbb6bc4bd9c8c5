"""What a run has come to so far, seed by seed: the rows that become its history."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from .history import History, Reason


@dataclasses.dataclass
class Record:
    """What a checkpoint keeps of a run beside the values of its models. The first axis is the seed.

    losses, metrics: `[seeds, steps]`, NaN where nothing was run.   done: updates run.
    stopped: why a seed ended; `finished` as long as it goes on.
    """

    losses: np.ndarray
    metrics: dict[str, np.ndarray]
    done: np.ndarray
    stopped: list[Reason]
    seconds: float = 0.0
    compile_seconds: float = 0.0

    @classmethod
    def empty(cls, seeds: int, steps: int, metrics: Iterable[str]) -> "Record":
        """Of a run that has not begun."""

        def rows() -> np.ndarray:
            return np.full((seeds, steps), np.nan, np.float32)

        stopped: list[Reason] = ["finished"] * seeds
        return cls(rows(), {name: rows() for name in metrics}, np.zeros(seeds, int), stopped)

    @property
    def active(self) -> np.ndarray:
        """Seeds that go on."""
        ended = np.array([reason in ("solved", "diverged") for reason in self.stopped])
        return ~ended & (self.done < self.losses.shape[1])

    def write(
        self, begin: int, limits: np.ndarray, reached: np.ndarray, values: dict[str, np.ndarray]
    ) -> None:
        """The values of updates `begin` … `reached - 1`: a seed short of its limit has diverged."""
        for lane in np.flatnonzero(limits > begin):
            count = reached[lane] - begin
            for name, rows in {"loss": self.losses, **self.metrics}.items():
                rows[lane, begin : begin + count] = values[name][lane, :count]
            if reached[lane] < limits[lane]:
                self.stopped[lane] = "diverged"
        self.done = np.where(limits > begin, reached, self.done)

    def means(self, begin: int, end: int) -> dict[str, float]:
        """Mean loss and metrics of some updates over all seeds; empty where none was made."""
        rows = {"loss": self.losses, **self.metrics}
        if not np.isfinite(self.losses[:, begin:end]).any():
            return {}
        return {name: float(np.nanmean(values[:, begin:end])) for name, values in rows.items()}

    def interrupt(self) -> None:
        """Mark the seeds that would have gone on."""
        for lane in np.flatnonzero(self.active):
            self.stopped[lane] = "interrupted"

    def history(self, seeds: tuple[int, ...], learning_rate: float | None) -> History:
        """The history of all seeds."""
        return History(
            self.losses,
            self.metrics,
            self.seconds,
            self.compile_seconds,
            seeds,
            learning_rate,
            tuple(self.stopped),
        )
