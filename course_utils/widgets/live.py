"""The loss of a training, drawn while it runs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from IPython.display import update_display

from ..figures.curves import curves
from ..front import surface
from ..runtime import require

REDRAW = 0.3  # seconds between two pictures


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
    drawn = 0.0  # when it was last drawn
    name = metric or "loss"
    nothing = {"figure": None, "summary": "", "values": {}}
    live = surface.Live("explorer", {"controls": []}, nothing)

    def picture():
        return curves(
            steps, {name: values}, title=title, caption=f"The {name} so far.", x_title="updates", y_title=name,
            summary=f"After {steps[-1]} updates the {name} is {values[-1]:.3f}.", markers=False,
        )  # fmt: skip

    def report(step: int, metrics: dict[str, float]) -> None:
        nonlocal drawn
        require(name in metrics, f"There is no metric {name!r}; the loss reports {', '.join(metrics)}.")
        steps.append(step)
        values.append(metrics[name])
        if time.monotonic() - drawn > REDRAW and np.isfinite(values).all():
            live.state = {**surface.Drawn.by(picture).state, "values": {}}
            drawn = time.monotonic()

    place = live.display()
    try:
        yield report
    finally:
        live.close()
        update_display({"text/html": ""}, raw=True, display_id=place)
