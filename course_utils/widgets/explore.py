"""`explore`: a figure above which controls stand. A control moves, `draw` is called, the figure changes.

    explore(decay_weights, decay=slider("decay", 0, 1, 0.01, value=0.9))

`draw(**values) -> go.Figure` is pure and fast: it indexes arrays computed before, or makes one compiled
call. Longer work belongs behind a button.
"""

import contextlib
import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
import plotly.graph_objects as go

from ..figures.style import add_to_summary
from ..runtime import CourseError, require
from . import surface

MOST_FRAMES = 13  # of one control, on a page without a kernel
MOST_WORDS = 60  # of a line of text: as many as the longest sentence of the corpora
_LABEL = {"description_width": "initial"}


@dataclasses.dataclass
class Control:
    """One named value that a learner can change: the widget shown, the widget that holds the value, its choices."""

    label: str
    shown: ipywidgets.Widget
    holder: Any
    choices: Mapping[str, Any]  # what a page without a kernel steps through: value by name
    typed: bool = False  # a line of text, of which the first `MOST_WORDS` words count

    @property
    def value(self) -> Any:
        return self.holder.value

    @property
    def values(self) -> list[Any]:
        return list(self.choices.values())


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
    count = math.floor((high - low) / step + 1e-9)
    values = [kind(round(low + i * step, 10)) for i in range(count + 1)]
    return Control(label, ipywidgets.HBox([box, bar]), bar, {f"{value:.10g}": value for value in values})


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
    return Control(label, box, box, dict(pairs))


def toggle(label: str, *, value: bool = False) -> Control:
    """On or off."""
    box = ipywidgets.Checkbox(value=value, description=label, indent=False, layout={"width": "auto"})
    return Control(label, box, box, {"off": False, "on": True})


def text(label: str, value: str, *, width: str = "98%") -> Control:
    """A line of text; the figure follows when the learner presses Enter or leaves the box.

    Its first `MOST_WORDS` words are drawn, and the summary says so of a longer one.
    """
    box = ipywidgets.Text(
        value=value, description=label, style=_LABEL, continuous_update=False, layout={"width": width}
    )
    return Control(label, box, box, {value: value}, typed=True)


def first_words(typed: str) -> tuple[str, str]:
    """A typed text up to its first `MOST_WORDS` words, and what is said where there are more."""
    words = list(re.finditer(r"\w+", typed))
    if len(words) <= MOST_WORDS:
        return typed, ""
    return typed[: words[MOST_WORDS - 1].end()], f"Only the first {MOST_WORDS} of {len(words):,} words are read."


class Explorer:
    """Controls, a figure, and one sentence that says what it shows. Display it as the last line of a cell."""

    def __init__(self, draw: Callable[..., go.Figure], controls: Mapping[str, Control]):
        for name, control in controls.items():
            require(
                isinstance(control, Control),
                f"Control {name!r} must come from slider, choice, toggle or text, not {type(control).__name__}.",
            )
        self.draw, self.controls = draw, dict(controls)
        self._stage = surface.Stage()
        self._status = ipywidgets.HTML()
        row = ipywidgets.Layout(display="flex", flex_flow="row wrap", grid_gap="4px 18px", width="100%")
        bar = ipywidgets.Box([control.shown for control in self.controls.values()], layout=row)
        self.widget = ipywidgets.VBox([bar, self._stage.widget, self._status])
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
        values, notes = {**self.values, **changed}, []
        for name, control in self.controls.items():
            if control.typed:
                values[name], note = first_words(values[name])
                notes.append(note)
        figure = self.draw(**values)
        for note in filter(None, notes):
            add_to_summary(figure, note)
        return figure

    def redraw(self) -> None:
        """Draw again; what cannot be drawn is said in words in its place."""
        self._drawn, said = self._stage.redraw(self.figure)
        self._status.value = surface.status(said)

    def frames(self, over: str, most: int = MOST_FRAMES) -> dict[str, go.Figure]:
        """The figure for each choice of one control, by its name, the others as they stand.

        At most `most` of them, evenly spread, the first, the last and the present one among them; a choice that
        cannot be drawn has none.
        """
        require(over in self.controls, f"There is no control {over!r}; there are {', '.join(self.controls)}.")
        control = self.controls[over]
        names = list(control.choices)
        places = {round(place) for place in np.linspace(0, len(names) - 1, min(most, len(names)))}
        now = next((i for i, value in enumerate(control.choices.values()) if value == control.value), 0)
        if now not in places:
            nearest = min(places - {0, len(names) - 1} or {0}, key=lambda place: abs(place - now))
            places = (places - {nearest}) | {now}
        drawn = {}
        for place in sorted(places):
            with contextlib.suppress(CourseError):
                drawn[names[place]] = self.figure(**{over: control.choices[names[place]]})
        require(drawn, f"Nothing can be drawn for any value of {over!r}.")
        return drawn

    def page(self) -> dict[str, Any]:
        """What a page without a kernel needs: the figure now, and the frames of each control that is not a line of text."""
        controls = []
        for name, control in self.controls.items():
            if len(control.choices) > 1:
                drawn = self.frames(name)
                now = next((i for i, choice in enumerate(drawn) if control.choices[choice] == control.value), 0)
                frames = [{"choice": choice, **_frame(figure)} for choice, figure in drawn.items()]
                controls.append({"label": control.label, "now": now, "frames": frames})
        return {"kind": "explorer", "figure": _frame(self.figure()), "controls": controls}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if self._drawn is None:
            self._drawn, said = self._stage.draw_first(self.figure)
            self._status.value = surface.status(said)
        return surface.with_widget(self.widget, self._drawn, self.page)


def _frame(figure: go.Figure) -> dict[str, Any]:
    return {**surface.as_json(figure), "summary": surface.summary(figure)}


def explore(draw: Callable[..., go.Figure], /, **controls: Control) -> Explorer:
    """A figure that follows its controls: `draw(**values)` once for each change.

    Each keyword is an argument of `draw` and a control made by `slider`, `choice`, `toggle` or `text`.
    Put it last in a cell. `.frames(over=name)` gives its figures for a page without a kernel.
    """
    return Explorer(draw, controls)
