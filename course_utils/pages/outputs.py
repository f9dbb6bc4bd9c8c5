"""An executed notebook made ready for a page: its figures, explorers, questions and exercises as HTML."""

import html
import importlib
from typing import Any

import nbformat

from ..teaching import phrases
from ..teaching.bank import bank
from ..widgets.surface import PAGE_MIME, PLOTLY_MIME
from .formulas import in_html, learn, rendered
from .questions import as_json, form, quiz


def for_a_page(notebook: nbformat.NotebookNode) -> None:
    """Replace what needs a kernel by HTML that needs none. Each output says in its bundle what it is."""
    learn("\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown"))
    count = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            data = output.get("data")
            if data is None:
                continue
            count += PLOTLY_MIME in data
            if data.get(PAGE_MIME, {}).get("kind") in ("predict", "quiz"):  # the question itself stands there
                cell.metadata.tags = [*cell.metadata.get("tags", []), "remove-input"]
            page = _page(data, count)
            if page is not None:
                output.data = nbformat.from_dict({"text/html": page})
                output.metadata = nbformat.from_dict({})


def _page(data: Any, number: int) -> str | None:
    """The HTML of one output, or None where it may stay as it is."""
    told = data.get(PAGE_MIME, {})
    if told.get("kind") == "quiz":
        return quiz(bank(told["chapter"]))
    if told.get("kind") == "predict":
        return form(bank(told["id"].split("-")[0]).question(told["id"]), phrases.PREDICT)
    if told.get("kind") == "explorer":
        return _figure({"figure": told["figure"], "controls": told["controls"]}, number)
    if PLOTLY_MIME in data:
        figure = {**data[PLOTLY_MIME], "summary": data["text/plain"]}
        return _figure({"figure": figure, "controls": []}, number)
    if told.get("kind") == "reveal":
        return _reveal(told["id"], told["found"], told["holds"])
    if told.get("kind") == "exercise":
        return _hints(told["chapter"], told["name"])
    return in_html(data["text/html"]) if "text/html" in data else None


def _figure(told: dict[str, Any], number: int) -> str:
    """A figure that `page.js` draws; its summary is its caption and its name."""
    controls = "".join(
        f"<label>{html.escape(control['label'])} "
        f'<input type="range" min="0" max="{len(control["frames"]) - 1}" value="{control["now"]}" data-control="{i}" autocomplete="off"> '
        f'<output aria-live="off">{html.escape(control["frames"][control["now"]]["choice"])}</output></label>'
        for i, control in enumerate(told["controls"])
    )
    note = "<p><small>One at a time here; in a notebook all of them together.</small></p>" * (len(told["controls"]) > 1)
    figure = told["figure"]
    height = figure["layout"].get("height", 400)
    return (
        f'<figure class="course-figure" id="figure-{number}">'
        f"{f'<div class=course-controls>{controls}{note}</div>' if controls else ''}"
        f'<div class="course-plot" role="img" aria-labelledby="figure-{number}-said" style="min-height:{height}px"></div>'
        f'<figcaption id="figure-{number}-said" aria-live="polite">{html.escape(figure["summary"])}</figcaption>'
        f'<script type="application/json">{as_json(told)}</script></figure>'
    )


def _reveal(item: str, found: str, holds: int) -> str:
    """What was found, folded until a prediction is kept; it says which answer holds."""
    return (
        f'<details class="course-reveal" data-item="{item}" data-holds="{holds}"><summary>What was found</summary>'
        f'<p>{rendered(found, inline=True)}</p><div class="course-said" role="status"></div></details>'
    )


def _hints(chapter: str, name: str) -> str:
    """The hints of an exercise, folded."""
    exercise = getattr(importlib.import_module(f"course_utils.exercises.{chapter}"), name)
    folded = "".join(
        f"<details><summary>{phrases.HINT.format(place=place)}</summary><p>{rendered(hint, inline=True)}</p></details>"
        for place, hint in enumerate(exercise.hints, 1)
    )
    return f'<div class="course-exercise"><p>{phrases.IN_A_NOTEBOOK}</p>{folded}</div>'
