"""How what is drawn and asked reaches the page, in each front end. No other module asks which one it is.

What moves is one widget, a `View` of `main.js`, which JupyterLab, Notebook, VS Code and Colab show alike. Beside it stands
what needs no kernel: a Plotly figure in a MIME bundle and its summary in words; in Jupyter as an output of its own, which the
view hides while it lives, so that a copy opened without a kernel shows it. Without a widget front end there is that alone.
A page without a kernel is told what it needs to move by itself.
"""

import asyncio
import dataclasses
import functools
import gc
import html
import itertools
import json
import logging
from collections.abc import Callable
from typing import Any

import anywidget
import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import traitlets
from IPython.core.getipython import get_ipython
from IPython.display import display, update_display

from ..figures.style import words
from ..machines import Machine
from ..runtime import CourseError, front_end, require
from . import modules

PLOTLY_MIME = "application/vnd.plotly.v1+json"
PAGE_MIME = "application/vnd.recurrence-to-attention+json"  # for `pages`, which makes HTML of it
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
MOST_POINTS = 50_000  # of one figure: a page gets all of them at every move
PATIENCE = 5.0  # seconds without a cell at work until it is said that no view has reported
_CONFIG = {"displayModeBar": False, "responsive": True}
_NO_VIEW = (
    "What moves has not reached this page. Its front end comes with the package anywidget and is needed where Jupyter's server "
    "runs, which may be another environment than the kernel's: run <code>pip install anywidget</code> there, start the server "
    "again and reload this page. <code>course doctor</code>, run there, says what is missing. Until then everything answers as "
    "text: <code>quiz(…).answer(id, answer)</code>, <code>show(explorer.figure(name=value))</code>."
)

Bundle = dict[str, Any]


# ------------------------------------------------------------------------------------------- figures


def summary(shown: go.Figure | Machine) -> str:
    """What a figure shows, in words: its title and its summary. Of a machine, what it teaches."""
    if isinstance(shown, Machine):
        return shown.lesson
    said = words(shown)
    if not said:
        return "A figure."
    title, sentence = said["title"].rstrip("."), said["summary"]
    return sentence if title in sentence else f"{title}. {sentence}"


def as_json(figure: go.Figure) -> Bundle:
    """A figure as Plotly's JavaScript takes it."""
    return json.loads(pio.to_json(figure, validate=False) or "{}")


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A figure or a machine as it goes to a page, with its summary; where none could be drawn, what is said in its place."""

    figure: Bundle | None
    summary: str
    machine: Machine | None = None

    @classmethod
    def by(cls, draw: Callable[[], go.Figure | Machine]) -> "Drawn":
        """Call `draw`. An error becomes a sentence: a control never shows more, nor an old figure."""
        try:
            figure = draw()
            if isinstance(figure, Machine):
                return cls(None, summary(figure), figure)
            _require_few(figure)
            return cls(as_json(figure), f"{summary(figure)}{_not_finite(figure)}")
        except CourseError as error:
            return cls(None, str(error))
        except Exception as error:
            logging.getLogger(__name__).exception("An explorer could not be drawn")
            shown = f"{type(error).__name__}: {error}"
            return cls(None, f"This cannot be drawn ({shown}). Please tell the authors what you chose.")

    @property
    def state(self) -> Bundle:
        """What a view shows."""
        if self.machine is not None:
            return {"figure": None, "machine": self.machine.spec(), "summary": self.summary, "failed": False}
        return {"figure": self.figure, "summary": self.summary, "failed": self.figure is None}

    @property
    def bundle(self) -> Bundle:
        """What stays where nothing moves."""
        if self.machine is not None:  # where nothing moves, it is what its steps say
            lines = self.machine.in_words().splitlines()
            return {
                "text/plain": "\n".join(lines),
                "text/html": "".join(f"<p>{html.escape(line)}</p>" for line in lines),
            }
        text = {"text/plain": self.summary}
        if self.figure is None:
            return {"text/html": f"<p><b>{html.escape(self.summary)}</b></p>", **text}
        if written := self.figure["layout"].get("meta", {}).get("written"):
            return {"text/html": f"<pre>{html.escape(written)}</pre>", "text/plain": f"{self.summary}\n\n{written}"}
        if front_end() in ("none", "colab"):
            return text
        return {PLOTLY_MIME: {**self.figure, "config": _CONFIG}, **text}


def _arrays(trace: Any) -> list[np.ndarray]:
    values = (getattr(trace, name, None) for name in ("x", "y", "z"))
    return [np.asarray(array) for array in values if array is not None]


def _require_few(figure: Any) -> None:
    count = sum(max((array.size for array in _arrays(trace)), default=0) for trace in figure.data)
    require(
        count <= MOST_POINTS,
        f"This figure has {count:,} points; at most {MOST_POINTS:,} are drawn. Draw fewer of them.",
    )


def _not_finite(figure: Any) -> str:
    """A sentence about infinite values, and about traces of which nothing can be drawn; gaps between numbers are meant."""
    arrays = itertools.chain.from_iterable(map(_arrays, figure.data))
    numbers = [values for values in arrays if values.dtype.kind == "f" and values.size]
    infinite = sum(int(np.isinf(values).sum()) for values in numbers)
    if infinite or any(np.isnan(values).all() for values in numbers):
        return " Some of the values are not finite and are left out."
    return ""


def show(shown: go.Figure | Machine) -> None:
    """Display a figure or a machine here."""
    drawn = Drawn.by(lambda: shown)
    if isinstance(shown, Machine):
        about = shown.spec()
        bundle = Live("machine", about, {}).bundle(drawn.bundle, lambda: {"kind": "machine", "about": about})
    elif front_end() == "colab":
        bundle = Live("explorer", {"controls": []}, {**drawn.state, "values": {}}).bundle(drawn.bundle)
    else:
        bundle = drawn.bundle
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    display(data, metadata=metadata, raw=True)


def with_page(bundle: Bundle, page: Bundle | None) -> Bundle:
    """A bundle that says to a page without a kernel what it is, where one is being written."""
    return {PAGE_MIME: page, **bundle} if page and front_end() == "page" else bundle


def moves() -> bool:
    """True where there is a kernel and a page that shows widgets."""
    return front_end() not in ("none", "page")


def is_kept() -> bool:
    """True where what is shown may be stored, and then seen by others than the learner."""
    return front_end() != "none"


# ------------------------------------------------------------------------------------------- views


class _Shared(anywidget.AnyWidget):
    """What all views share, sent once a kernel: our modules and Plotly."""

    _esm = "export default {};"
    modules = traitlets.Unicode().tag(sync=True)
    plotly = traitlets.Unicode().tag(sync=True)


@functools.cache
def _shared() -> _Shared:
    packed = modules.packed()
    return _Shared(modules=packed["modules"], plotly=packed["plotly"])


class View(anywidget.AnyWidget):
    """One place that moves. `kind` chooses the module, `about` stays, `state` follows the kernel."""

    _esm = (modules.FOLDER / "loader.js").read_text(encoding="utf-8")
    kind = traitlets.Unicode().tag(sync=True)
    about = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    stands = traitlets.Bool().tag(sync=True)  # for the static output that follows it
    library = traitlets.Unicode().tag(sync=True)
    digest = traitlets.Unicode().tag(sync=True)


class Live:
    """Something that moves, for as long as it is displayed in some cell.

    kind: a module of `main.js`.   hear: what to do with a message of the page.   Setting `state` changes every view of it.
    """

    def __init__(self, kind: str, about: Bundle, state: Bundle, hear: Callable[[Bundle], None] = lambda message: None):
        self.kind, self.about, self._state, self._hear = kind, about, state, hear
        self._view: View | None = None

    @property
    def state(self) -> Bundle:
        return self._state

    @state.setter
    def state(self, state: Bundle) -> None:
        self._state = state
        if self._view is not None:
            self._view.state = state

    def bundle(self, static: Bundle, page: Callable[[], Bundle] | None = None) -> Any:
        """What a cell shows: `static` where nothing moves; in Jupyter `static` too, the view being displayed before it.

        Else one bundle with the view in it, and its metadata.   page: what a page without a kernel is told.
        """
        if not moves():
            return with_page(static, page() if page and front_end() == "page" else None)
        _let_go_of_garbage()
        if front_end() == "jupyter":
            self.display(stands=True)
            return static
        view = self._open(stands=False)
        return {**_entry(view), **static}, _metadata()

    def display(self, stands: bool = False) -> str:
        """Display a view here; returns the id by which `update_display` finds it."""
        view = self._open(stands)
        place = f"{view.model_id}-{next(_count)}"
        display(_entry(view), metadata=_metadata(), raw=True, display_id=place)
        return place

    def close(self) -> None:
        """Take it off every page."""
        if self._view is not None:
            for views in _cells.values():
                views.pop(self._view, None)
            _close(self._view)
            self._view = None

    def _open(self, stands: bool) -> View:
        if self._view is None or self._view.comm is None:
            shared = _shared()
            self._view = View(
                kind=self.kind, about=self.about, state=self._state, stands=stands,
                library=f"IPY_MODEL_{shared.model_id}", digest=modules.packed()["digest"],
            )  # fmt: skip
            self._view.on_msg(lambda view, message, buffers: self._heard(message))
        _in_this_cell(self._view)
        return self._view

    def _heard(self, message: Any) -> None:
        if isinstance(message, dict) and message.get("kind") == "shown":
            _attendance.reported()
        elif isinstance(message, dict):
            self._hear(message)


_count = itertools.count()


def _entry(view: View) -> Bundle:
    return {WIDGET_MIME: {"version_major": 2, "version_minor": 0, "model_id": view.model_id}}


def _metadata() -> Bundle:
    """Colab tells its page where the manager of such widgets is, with `display_data` alone; so every bundle of ours says it."""
    if front_end() != "colab":
        return {}
    from google.colab.output import _widgets  # type: ignore[import-not-found]

    return {WIDGET_MIME: {"colab": {"custom_widget_manager": {"url": _widgets._installed_url}}}}


def _let_go_of_garbage() -> None:
    """What exists now is not searched for garbage again: 0.2 s, with all that jax holds, while a learner waits."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


# ------------------------------------------------------------------------------------------- cells


def _cell() -> tuple[str, str]:
    """The cell at work, and which execution of it this is."""
    parent = getattr(get_ipython(), "parent_header", None) or {}
    name = parent.get("metadata", {}).get("cellId") or parent.get("content", {}).get("code", "")
    return name, parent.get("header", {}).get("msg_id", "")


def _close(view: View) -> None:
    view.layout.close()
    view.close()


_cells: dict[str, dict[View, str]] = {}  # of each cell the views it shows, and in which execution they were displayed


def _in_this_cell(view: View) -> None:
    cell, execution = _cell()
    _cells.setdefault(cell, {})[view] = execution
    _attendance.begin()


def _close_what_was_replaced() -> None:
    """Close the views of an earlier execution of this cell that no other cell shows."""
    cell, execution = _cell()
    views = _cells.get(cell, {})
    for view in [view for view, displayed in views.items() if displayed != execution]:
        del views[view]
        if not any(view in others for others in _cells.values()):
            _close(view)


class _Attendance:
    """Has a view reported from the page? Where none does although the kernel is idle, that is said once.

    What the page says waits until the kernel has run the cells that were asked for: so the clock begins with each anew.
    """

    def __init__(self) -> None:
        self.timer: asyncio.TimerHandle | None = None
        self.listening = self.present = self.said = False

    def begin(self) -> None:
        shell = get_ipython()
        if not self.listening and shell is not None:
            self.listening = True
            shell.events.register("pre_run_cell", lambda *_: self.stop())
            shell.events.register("post_run_cell", lambda *_: self.cell_ends())

    def cell_ends(self) -> None:
        _close_what_was_replaced()
        if not self.present and not self.said and any(_cells.values()):
            self.stop()
            try:
                self.timer = asyncio.get_running_loop().call_later(PATIENCE, self.miss)
            except RuntimeError:  # a shell without a loop has no page either
                self.timer = None

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def miss(self) -> None:
        self.said = True
        plain = _NO_VIEW.replace("<code>", "`").replace("</code>", "`")
        display({"text/html": f"<p><b>{_NO_VIEW}</b></p>", "text/plain": plain}, raw=True, display_id="course-no-view")

    def reported(self) -> None:
        self.stop()
        if self.said and not self.present:  # it was only late
            update_display({"text/html": "", "text/plain": ""}, raw=True, display_id="course-no-view")
        self.present = True


_attendance = _Attendance()
