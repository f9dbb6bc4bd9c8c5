"""What a bug hunt's code does as it is, and mended."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from .curves import curves

Points = tuple[Sequence[int], Sequence[float]]  # updates, losses


def as_it_is_and_mended(runs: Mapping[str, Points], learned: Mapping[str, bool], *, guessing: float) -> go.Figure:
    """The loss of each training by name (NaN: it diverged there), and whether it has learned.

    While one of them runs, `learned` is empty.
    """
    updates = sorted({update for steps, _ in runs.values() for update in steps})
    series = {name: _on(updates, points) for name, points in runs.items() if len(points[0])}
    last = {name: float(np.asarray(points[1])[-1]) for name, points in runs.items() if len(points[0])}
    ends = "; ".join(f"{name} {_in_words(value)}" for name, value in last.items())
    highest = max((float(np.nanmax(row)) for row in series.values() if np.isfinite(row).any()), default=0.0)
    return curves(
        updates, series, title=_title(learned),
        caption="Loss while training, each point the mean of 20 updates. One seed. Dashed grey: the loss of guessing.",
        summary=f"After {updates[-1]} updates the loss is: {ends}. Guessing costs {guessing:.2f}.",
        x_title="updates", y_title="loss (nats)", references={"guessing": guessing}, markers=False,
        y_range=(0, 1.2 * max(guessing, highest)),
    )  # fmt: skip


def _title(learned: Mapping[str, bool]) -> str:
    if not learned:
        return "Training"
    broken, mended = learned.values()
    if mended and not broken:
        return "The mended code learns, the other one does not"
    if mended and broken:
        return "This time both have learned"
    return "This time the mended code has not learned"


def _in_words(loss: float) -> str:
    return f"{loss:.2f}" if np.isfinite(loss) else "is no longer a number"


def _on(updates: Sequence[int], points: Points) -> np.ndarray:
    """The losses at each of `updates`, NaN where a run has none."""
    known = dict(zip(*points, strict=True))
    return np.array([known.get(update, np.nan) for update in updates], float)
