"""`explore`: a figure above which controls stand. A control moves, `draw` is called, the figure changes.

    explore(decay_weights, decay=slider("decay", 0, 1, 0.01, value=0.9))
    explore(partial(attention, model), sentence=text("sentence", "she never sees the black cat"))

`draw(**values)` gives a figure or a `Machine`. It is pure and fast: it indexes arrays computed before, or makes one compiled
call. Longer work belongs behind a button.
"""

import contextlib
import dataclasses
import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from ..figures.style import add_to_summary
from ..front import surface
from ..machines import Machine
from ..runtime import CourseError, require

MOST_FRAMES = 13  # of one control, on a page without a kernel
MOST_WORDS = 60  # of a line of text: as many as the longest sentence of the corpora


@dataclasses.dataclass(frozen=True)
class Control:
    """One named value that a learner can change.

    kind: what the page shows, with `about` for its details.   start: the value at first.   choices: value by name, which is
    what a page without a kernel steps through.   read: makes a value of what a page or a program sends, or raises.
    """

    kind: str
    label: str
    start: Any
    choices: Mapping[str, Any]
    about: Mapping[str, Any]
    read: Callable[[Any], Any]

    @property
    def values(self) -> list[Any]:
        return list(self.choices.values())

    def sent(self, value: Any) -> Any:
        """A value as it goes to the page: of a choice its place in the list."""
        return self.values.index(value) if self.kind == "choice" else value


def slider(label: str, low: float, high: float, step: float = 1, *, value: float | None = None) -> Control:
    """A slider and a number box with the same value, from `low` to `high` in steps; whole numbers where all four are."""
    value = low if value is None else value
    require(low < high and step > 0, f"{label}: the range {low} … {high} in steps of {step} is empty.")
    require(low <= value <= high, f"{label}: the start {value} is outside {low} … {high}.")
    kind = int if all(float(number).is_integer() for number in (low, high, step, value)) else float
    count = math.floor((high - low) / step + 1e-9)

    def read(number: Any) -> float:
        """The nearest value on the slider."""
        good = isinstance(number, (int, float, np.number)) and math.isfinite(number)
        require(good, f"{label} is a number from {low:g} to {high:g}, not {number!r:.40}.")
        if number >= high:
            return kind(high)
        return kind(round(low + min(max(round((number - low) / step), 0), count) * step, 10))

    choices = [kind(round(low + i * step, 10)) for i in range(count + 1)]
    about = {"low": kind(low), "high": kind(high), "step": kind(step)}
    return Control("slider", label, kind(value), {f"{choice:.10g}": choice for choice in choices}, about, read)


def choice(label: str, options: Sequence[Any] | Mapping[str, Any], *, value: Any = None) -> Control:
    """One of a few named options, as a list that opens."""
    require(len(options), f"{label}: there is nothing to choose from.")
    named = dict(options) if isinstance(options, Mapping) else {str(option): option for option in options}
    values = list(named.values())
    start = values[0] if value is None else value
    require(start in values, f"{label}: the start {start!r} is not among the options.")

    def read(option: Any) -> Any:
        require(option in values, f"{label} is one of {', '.join(named)}, not {option!r:.40}.")
        return option

    return Control("choice", label, start, named, {"choices": list(named)}, read)


def toggle(label: str, *, value: bool = False) -> Control:
    """On or off."""

    def read(on: Any) -> bool:
        require(isinstance(on, (bool, np.bool_)), f"{label} is True or False, not {on!r:.40}.")
        return bool(on)

    return Control("toggle", label, value, {"off": False, "on": True}, {}, read)


def text(label: str, value: str, *, width: str = "98%") -> Control:
    """A line of text; the figure follows when the learner presses Enter or leaves the box.

    Its first `MOST_WORDS` words are drawn, and the summary says so of a longer one.
    """

    def read(typed: Any) -> str:
        require(isinstance(typed, str), f"{label} is a text, not {typed!r:.40}.")
        return typed

    return Control("text", label, value, {value: value}, {"width": width}, read)


class Drag(NamedTuple):
    """Something in the figure that is dragged, or moved with the arrow keys, and sets controls.

    place: from the controls' values where it is, (x, y) in the figure's numbers; None for a line along that axis.
    sets: from where it was moved to and the controls' values, the controls that change and their new values.
    by: how far an arrow key moves it, in the figure's numbers; None for a fiftieth of the axis.
    """

    label: str
    place: Callable[..., tuple[float | None, float | None]]
    sets: Callable[..., Mapping[str, Any]]
    xaxis: str = "xaxis"
    yaxis: str = "yaxis"
    by: float | None = None


def first_words(typed: str) -> tuple[str, str]:
    """A typed text up to its first `MOST_WORDS` words, and what is said where there are more."""
    words = list(re.finditer(r"\w+", typed))
    if len(words) <= MOST_WORDS:
        return typed, ""
    return typed[: words[MOST_WORDS - 1].end()], f"Only the first {MOST_WORDS} of {len(words):,} words are read."


class Explorer:
    """Controls, a figure, and one sentence that says what it shows. Display it as the last line of a cell."""

    def __init__(
        self,
        draw: Callable[..., go.Figure | Machine],
        controls: Mapping[str, Control],
        presets: Mapping[str, Mapping[str, Any]] | None = None,
        drags: Sequence[Drag] = (),
        click: Callable[..., Mapping[str, Any]] | None = None,
    ):
        for name, control in controls.items():
            require(
                isinstance(control, Control),
                f"Control {name!r} must come from slider, choice, toggle or text, not {type(control).__name__}.",
            )
        self.draw, self.controls, self.drags, self.click = draw, dict(controls), tuple(drags), click
        start = {name: control.start for name, control in controls.items()}
        self.presets = {name: {**start, **self._read(values)} for name, values in (presets or {}).items()}
        self.values = next(iter(self.presets.values()), start)  # what the controls say now
        self._drawn: surface.Drawn | None = None
        self._turn: str | None = None  # of the page, the one answered last
        about = {
            "controls": [{"kind": c.kind, "name": name, "label": c.label, **c.about} for name, c in controls.items()],
            "presets": list(self.presets),
            "click": click is not None,
        }
        self._live = surface.Live("explorer", about, {}, self._hear)

    def _read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        unknown = [name for name in values if name not in self.controls]
        known = ", ".join(self.controls)
        require(not unknown, f"There is no control {unknown[0] if unknown else ''!r}; there are {known}.")
        return {name: self.controls[name].read(value) for name, value in values.items()}

    def set(self, **values: Any) -> None:
        """Give controls other values, as a learner would, and draw again. A slider takes the nearest of its values."""
        self.values = {**self.values, **self._read(values)}
        self.redraw()

    def figure(self, **changed: Any) -> go.Figure | Machine:
        """The figure, or the machine, for the controls' values, some of them changed."""
        values, notes = {**self.values, **changed}, []
        for name, control in self.controls.items():
            if control.kind == "text":
                values[name], note = first_words(values[name])
                notes.append(note)
        drawn = self.draw(**values)
        for note in filter(None, notes):
            if not isinstance(drawn, Machine):  # which has room for fewer words, and says so
                add_to_summary(drawn, note)
        return drawn

    @property
    def said(self) -> str:
        """The sentence under the figure as it is drawn now."""
        if self._drawn is None:
            self.redraw()
        assert self._drawn is not None
        return self._drawn.summary

    def redraw(self) -> None:
        """Draw again; what cannot be drawn is said in words in its place."""
        self._drawn = surface.Drawn.by(self.figure)
        self._live.state = {
            **self._drawn.state,
            "values": {name: control.sent(self.values[name]) for name, control in self.controls.items()},
            "preset": next((name for name, values in self.presets.items() if values == self.values), None),
            "handles": [self._handle(drag) for drag in self.drags] if self._drawn.figure else [],
            "turn": self._turn,
        }

    def _handle(self, drag: Drag) -> dict[str, Any]:
        x, y = drag.place(**self.values)
        return {"label": drag.label, "x": x, "y": y, "xaxis": drag.xaxis, "yaxis": drag.yaxis, "by": drag.by}

    def _hear(self, message: dict[str, Any]) -> None:
        """What somebody did on the page. Whatever it was, it is answered, or the page would wait."""
        self._turn = message.get("turn")
        try:
            self.values = {**self.values, **self._asked(message)}
        except Exception:
            logging.getLogger(__name__).exception("An explorer did not understand %r", message)
        self.redraw()

    def _asked(self, message: dict[str, Any]) -> dict[str, Any]:
        """The values that a message asks for."""
        match message:
            case {"kind": "move", "values": values}:
                sent = {name: (self.controls[name], value) for name, value in values.items()}
                return {
                    name: control.values[value] if control.kind == "choice" else control.read(value)
                    for name, (control, value) in sent.items()
                }
            case {"kind": "preset", "name": name}:
                return self.presets[name]
            case {"kind": "drag", "handle": handle, "x": x, "y": y}:
                return self._read(self.drags[handle].sets(x, y, **self.values))
            case {"kind": "click", "x": x, "y": y} if self.click is not None:
                return self._read(self.click(x, y, **self.values))
        return {}

    def frames(self, over: str, most: int = MOST_FRAMES) -> dict[str, go.Figure | Machine]:
        """The figure for each choice of one control, by its name, the others as they stand.

        At most `most` of them, evenly spread, the first, the last and the present one among them; a choice that
        cannot be drawn has none.
        """
        require(over in self.controls, f"There is no control {over!r}; there are {', '.join(self.controls)}.")
        choices = self.controls[over].choices
        names = list(choices)
        places = {round(place) for place in np.linspace(0, len(names) - 1, min(most, len(names)))}
        now = self._place(over, names)
        if now not in places:
            nearest = min(places - {0, len(names) - 1} or {0}, key=lambda place: abs(place - now))
            places = (places - {nearest}) | {now}
        drawn = {}
        for place in sorted(places):
            with contextlib.suppress(CourseError):
                drawn[names[place]] = self.figure(**{over: choices[names[place]]})
        require(drawn, f"Nothing can be drawn for any value of {over!r}.")
        return drawn

    def _place(self, name: str, names: Sequence[str]) -> int:
        """Which of some choices of a control is the present one."""
        choices, value = self.controls[name].choices, self.values[name]
        return next((place for place, choice in enumerate(names) if choices[choice] == value), 0)

    def page(self) -> dict[str, Any]:
        """What a page without a kernel needs: the figure now, one for each preset, and the frames of each control but text.

        A machine weighs more than a figure: it has presets alone.
        """
        now, controls = self.figure(), []
        if isinstance(now, Machine) and not self.presets:
            return {"kind": "machine", "about": now.spec()}
        for name, control in self.controls.items():
            if len(control.choices) > 1 and not isinstance(now, Machine):
                drawn = self.frames(name)
                frames = [{"choice": choice, **_frame(figure)} for choice, figure in drawn.items()]
                controls.append({"label": control.label, "now": self._place(name, list(drawn)), "frames": frames})
        presets = [{"name": name, **_frame(self.figure(**values))} for name, values in self.presets.items()]
        return {"kind": "explorer", "figure": _frame(now), "controls": controls, "presets": presets}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if self._drawn is None:
            self.redraw()
        assert self._drawn is not None
        return self._live.bundle(self._drawn.bundle, self.page)


def _frame(drawn: go.Figure | Machine) -> dict[str, Any]:
    shown = {"machine": drawn.spec()} if isinstance(drawn, Machine) else surface.as_json(drawn)
    return {**shown, "summary": surface.summary(drawn)}


def explore(
    draw: Callable[..., go.Figure | Machine],
    /,
    *,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
    drags: Sequence[Drag] = (),
    click: Callable[..., Mapping[str, Any]] | None = None,
    **controls: Control,
) -> Explorer:
    """A figure that follows its controls: `draw(**values)` once for each change.

    Each keyword is an argument of `draw` and a control made by `slider`, `choice`, `toggle` or `text`.
    presets: settings by name, shown as buttons: `{"non-normal": {"kind": "random"}}`. The first is what opens; a control that
    a preset does not name returns to its start.
    drags: what can be dragged in the figure (see `Drag`).
    click: from the x and y of a clicked point and the controls' values, the controls that change.
    Put it last in a cell. `.frames(over=name)` gives its figures for a page without a kernel.
    """
    return Explorer(draw, controls, presets, drags, click)
