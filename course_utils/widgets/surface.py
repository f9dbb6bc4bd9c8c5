"""How a figure reaches the page, in each front end. No other module asks which one it is.

JupyterLab, Notebook and VS Code draw a Plotly MIME bundle. Colab's `Output` does not, it gets HTML.
Without a widget front end there is the static figure, and its summary in words. A page without a kernel
gets what it needs to move by itself.
"""

import gc
import html
import json
import logging
from collections.abc import Callable
from typing import Any

import ipywidgets
import plotly.graph_objects as go
import plotly.io as pio
from IPython.display import display

from ..figures.style import words
from ..runtime import CourseError, front_end

PLOTLY_MIME = "application/vnd.plotly.v1+json"
PAGE_MIME = "application/vnd.recurrence-to-attention+json"  # for `pages`, which makes HTML of it
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
_CONFIG = {"displayModeBar": False, "responsive": True}
# JupyterLab's renderer draws each figure once more off screen, for a PNG nobody sees here, unless its element has no
# height: that saves a quarter of the time. So the element has none, and the figure stands over the room kept for it.
_STYLE = (
    "<style>.course-stage .jp-RenderedPlotly{height:0!important;min-height:0!important}"
    ".course-stage .jp-RenderedPlotly,.course-stage .jp-OutputArea,.course-stage .jp-OutputArea-child"
    "{overflow:visible!important}</style>"
)


def summary(figure: go.Figure) -> str:
    """What a figure shows, in words: its title and its summary."""
    said = words(figure)
    if not said:
        return "A figure."
    title, now = said["title"].rstrip("."), said["summary"]
    return now if title in now else f"{title}. {now}"


def bundle(figure: go.Figure) -> dict[str, Any]:
    """The MIME bundle of a figure for this front end; always with its summary as plain text."""
    text = {"text/plain": summary(figure)}
    where = front_end()
    if where == "colab":
        cdn: Any = "cdn"  # plotly annotates this argument as a bool
        page = pio.to_html(figure, include_plotlyjs=cdn, full_html=False, config=_CONFIG, validate=False)
        return {"text/html": page, **text}
    if where == "none":
        return text
    return {PLOTLY_MIME: {**as_json(figure), "config": _CONFIG}, **text}


def as_json(figure: go.Figure) -> dict[str, Any]:
    """A figure as Plotly's JavaScript takes it."""
    return json.loads(pio.to_json(figure, validate=False) or "{}")


def with_widget(
    widget: ipywidgets.Widget, fallback: dict[str, Any], page: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """One bundle: the live widget where there is a kernel, else what `fallback` holds, or `page()` tells a static page."""
    where = front_end()
    if where == "none":
        return fallback
    if where == "page":
        return {PAGE_MIME: page(), **fallback}
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {WIDGET_MIME: view, **fallback}


def with_page(bundle: dict[str, Any], page: dict[str, Any] | None) -> dict[str, Any]:
    """A bundle that says to a page without a kernel what it is, where one is being written."""
    return {PAGE_MIME: page, **bundle} if page and front_end() == "page" else bundle


def show(figure: go.Figure) -> None:
    """Display a figure here."""
    display(bundle(figure), raw=True)


class Stage:
    """Where one figure after another is shown, as `.widget`."""

    def __init__(self) -> None:
        self._output = ipywidgets.Output()
        self._output.add_class("course-stage")
        style = ipywidgets.HTML(_STYLE, layout={"display": "none"})
        self.widget = ipywidgets.VBox([style, self._output])

    def draw_first(self, draw: Callable[[], go.Figure]) -> tuple[dict[str, Any], str]:
        """Fill the stage before it is displayed, as part of its state: no message goes to the page.

        Returns the bundle drawn and its summary.
        """
        data, said = self._drawn(draw)
        self._output.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
        if front_end() not in ("none", "page"):
            # What exists now is not searched for garbage again: 0.2 s, with all that jax holds, while a learner waits.
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        return data, said

    def redraw(self, draw: Callable[[], go.Figure]) -> tuple[dict[str, Any], str]:
        """Replace what the displayed stage shows by `draw()`, without a blank frame; returns the bundle and its summary."""
        data, said = self._drawn(draw)
        with self._output:
            self._output.clear_output(wait=True)
            display(data, raw=True)
        return data, said

    def close(self) -> None:
        """Take the stage and all that stands on it off the page."""
        self._output.clear_output()
        for part in (self.widget, *self.widget.children):
            part.close()

    def _drawn(self, draw: Callable[[], go.Figure]) -> tuple[dict[str, Any], str]:
        """A figure's bundle and summary, and the room it needs kept. An error becomes a sentence, never an old figure."""
        data, said = _drawn(draw)
        shown = data.get(PLOTLY_MIME)
        height = shown["layout"].get("height", 450) if shown else None  # Plotly's own, where a figure names none
        self._output.layout.min_height = f"{height}px" if shown else None
        return data, said


def _drawn(draw: Callable[[], go.Figure]) -> tuple[dict[str, Any], str]:
    """The bundle of a figure and its summary. An error becomes a sentence: a control never shows more, nor an old figure."""
    try:
        figure = draw()
    except CourseError as error:
        said = str(error)
    except Exception as error:
        logging.getLogger(__name__).exception("An explorer could not be drawn")
        said = f"This cannot be drawn ({type(error).__name__}: {error}). Please tell the authors what you chose."
    else:
        return bundle(figure), summary(figure)
    return {"text/html": f"<p><b>{html.escape(said)}</b></p>", "text/plain": said}, said


def status(message: str) -> str:
    """HTML of a sentence that a screen reader announces when it changes."""
    return f'<p role="status" style="margin:2px 0;line-height:1.4">{html.escape(message)}</p>'
