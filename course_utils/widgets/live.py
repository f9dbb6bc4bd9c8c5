"""A figure that is drawn while something runs, such as the loss of a training."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import plotly.graph_objects as go
from IPython.display import update_display

from ..figures.curves import curves
from ..front import surface
from ..runtime import require

REDRAW = 0.3  # seconds between two pictures


@contextmanager
def live_figure() -> Iterator[Callable[[Callable[[], go.Figure]], None]]:
    """A place in this cell whose figure is drawn anew at most every 0.3 s, and which is taken away at the end.

        with live_figure() as draw:
            draw(lambda: curves(...))

    Without a widget front end it shows nothing.
    """
    if not surface.moves():
        yield lambda make: None
        return
    live = surface.Live("explorer", {"controls": []}, {"figure": None, "summary": "", "values": {}})
    drawn = 0.0  # when it was last drawn

    def draw(make: Callable[[], go.Figure]) -> None:
        nonlocal drawn
        if time.monotonic() - drawn > REDRAW:
            live.state = {**surface.Drawn.by(make).state, "values": {}}
            drawn = time.monotonic()

    place = live.display()
    try:
        yield draw
    finally:
        live.close()
        update_display({"text/html": ""}, raw=True, display_id=place)


@contextmanager
def live_loss(title: str = "Training", metric: str | None = None) -> Iterator:
    """A figure of the loss, or of one metric, that grows during training and is taken away when it is done.

        with live_loss("Learning to agree") as report:
            history = fit(..., report=report)

    Without a widget front end it shows nothing; the progress bar of `fit` is still there.
    """
    if not surface.moves():
        yield None
        return
    steps: list[int] = []
    values: list[float] = []
    name = metric or "loss"

    def picture():
        return curves(
            steps, {name: values}, title=title, caption=f"The {name} so far.", x_title="updates", y_title=name,
            summary=f"After {steps[-1]} updates the {name} is {values[-1]:.3f}.", markers=False,
        )  # fmt: skip

    def report(step: int, metrics: dict[str, float]) -> None:
        require(name in metrics, f"There is no metric {name!r}; the loss reports {', '.join(metrics)}.")
        steps.append(step)
        values.append(metrics[name])
        if np.isfinite(values).all():
            draw(picture)

    with live_figure() as draw:
        yield report
