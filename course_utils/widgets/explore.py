"""`explore`: a figure above which controls stand. A control moves, `draw` is called, the figure changes.

    explore(decay_weights, decay=slider("decay", 0, 1, 0.01, value=0.9))

`draw(**values) -> go.Figure` is pure and fast: it indexes arrays computed before, or makes one compiled
call. Longer work belongs behind a button.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import plotly.graph_objects as go

from ..runtime import CourseError, require
from . import surface

_LABEL = {"description_width": "initial"}


@dataclasses.dataclass
class Control:
    """One named value that a learner can change: the widget shown, the widget that holds the value, its choices."""

    shown: ipywidgets.Widget
    holder: Any
    values: Sequence[Any]  # what a page without a kernel steps through

    @property
    def value(self) -> Any:
        return self.holder.value


def slider(label: str, low: float, high: float, step: float = 1, *, value: float | None = None) -> Control:
    """A slider with a number box beside it; the box carries the label, since sliders have no accessible name."""
    value = low if value is None else value
    require(low < high and step > 0, f"{label}: the range {low} … {high} in steps of {step} is empty.")
    require(low <= value <= high, f"{label}: the start {value} is outside {low} … {high}.")
    whole = all(float(number).is_integer() for number in (low, high, step, value))
    kind = int if whole else float
    bounds = {"min": kind(low), "max": kind(high), "step": kind(step), "value": kind(value)}
    Box, Slider = (
        (ipywidgets.BoundedIntText, ipywidgets.IntSlider)
        if whole
        else (ipywidgets.BoundedFloatText, ipywidgets.FloatSlider)
    )
    box = Box(**bounds, description=label, style=_LABEL, layout={"width": f"{len(label) * 0.6 + 7.5}em"})
    bar = Slider(**bounds, readout=False, continuous_update=True, layout={"width": "220px"})
    ipywidgets.link((bar, "value"), (box, "value"))
    count = round((high - low) / step)
    values = [kind(round(low + i * step, 10)) for i in range(count + 1)]
    return Control(ipywidgets.HBox([box, bar]), bar, values)


def choice(label: str, options: Sequence[Any] | Mapping[str, Any], *, value: Any = None) -> Control:
    """One of a few named options, as a list that opens."""
    require(len(options), f"{label}: there is nothing to choose from.")
    pairs = list(options.items()) if isinstance(options, Mapping) else [(str(option), option) for option in options]
    start = pairs[0][1] if value is None else value
    require(start in [option for _, option in pairs], f"{label}: the start {start!r} is not among the options.")
    longest = max(len(name) for name, _ in pairs)
    box = ipywidgets.Dropdown(
        options=pairs, value=start, description=label, style=_LABEL,
        layout={"width": f"{(len(label) + longest) * 0.58 + 5}em", "max_width": "98%"},
    )  # fmt: skip
    return Control(box, box, [option for _, option in pairs])


def toggle(label: str, *, value: bool = False) -> Control:
    """On or off."""
    box = ipywidgets.Checkbox(value=value, description=label, indent=False, layout={"width": "auto"})
    return Control(box, box, [False, True])


def text(label: str, value: str, *, width: str = "98%") -> Control:
    """A line of text; the figure follows when the learner presses Enter or leaves the box."""
    box = ipywidgets.Text(
        value=value, description=label, style=_LABEL, continuous_update=False, layout={"width": width}
    )
    return Control(box, box, [value])


class Explorer:
    """Controls, a figure, and one sentence that says what it shows. Display it as the last line of a cell."""

    def __init__(self, draw: Callable[..., go.Figure], controls: Mapping[str, Control]):
        for name, control in controls.items():
            require(
                isinstance(control, Control),
                f"Control {name!r} must come from slider, choice, toggle or text, not {type(control).__name__}.",
            )
        self.draw, self.controls = draw, dict(controls)
        self._output = ipywidgets.Output()
        self._status = ipywidgets.HTML()
        row = ipywidgets.Layout(display="flex", flex_flow="row wrap", grid_gap="4px 18px", width="100%")
        bar = ipywidgets.Box([control.shown for control in self.controls.values()], layout=row)
        self.widget = ipywidgets.VBox([bar, self._output, self._status])
        self.widget.add_class("course-explorer")
        for control in self.controls.values():
            control.holder.observe(lambda change: self.redraw(), names="value")
        self._drawn: dict[str, Any] | None = None  # what the output shows

    @property
    def values(self) -> dict[str, Any]:
        """What the controls say now."""
        return {name: control.value for name, control in self.controls.items()}

    def figure(self, **changed: Any) -> go.Figure:
        """The figure for the controls' values, some of them changed."""
        return self.draw(**{**self.values, **changed})

    def redraw(self) -> None:
        """Draw again; what cannot be drawn is said in words in its place."""
        self._drawn, said = surface.redraw(self._output, self.figure)
        self._status.value = surface.status(said)

    def static(self, over: str) -> go.Figure:
        """The same explorer for a page without a kernel: frames over one control, the others as they stand.

        Write it with `to_html(auto_play=False)`, or the page runs through every frame as it opens.
        """
        require(over in self.controls, f"There is no control {over!r}; there are {', '.join(self.controls)}.")
        values, figures = [], []
        for value in self.controls[over].values:
            with contextlib.suppress(CourseError):  # a value that cannot be drawn has no frame
                figures.append(self.figure(**{over: value}))
                values.append(value)
        require(figures, f"Nothing can be drawn for any value of {over!r}.")
        now = self.controls[over].value
        start = values.index(now) if now in values else 0
        still = go.Figure(figures[start])
        names = [str(value) for value in values]
        still.frames = [
            go.Frame(
                name=name,
                data=figure.data,
                layout={
                    "title": figure.layout.title,
                    "annotations": figure.layout.annotations,
                    "shapes": figure.layout.shapes,
                    "xaxis": figure.layout.xaxis,
                    "yaxis": figure.layout.yaxis,
                },
            )
            for name, figure in zip(names, figures, strict=True)
        ]
        at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
        steps = [{"label": name, "method": "animate", "args": [[name], at_once]} for name in names]
        still.update_layout(
            sliders=[{"active": start, "steps": steps, "currentvalue": {"prefix": f"{over}: "}, "pad": {"t": 48}}],
            height=(still.layout.height or 400) + 90,  # type: ignore[attr-defined]
        )
        return still

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if self._drawn is None:
            self._drawn, said = surface.draw_first(self._output, self.figure)
            self._status.value = surface.status(said)
        return surface.with_widget(self.widget, self._drawn)


def explore(draw: Callable[..., go.Figure], /, **controls: Control) -> Explorer:
    """A figure that follows its controls: `draw(**values)` once for each change.

    Each keyword is an argument of `draw` and a control made by `slider`, `choice`, `toggle` or `text`.
    Put it last in a cell. `.static(over=name)` gives a figure with frames for a page without a kernel.
    """
    return Explorer(draw, controls)
