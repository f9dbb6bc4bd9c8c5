"""An executed notebook made ready for a page: its figures, explorers, questions and exercises as HTML."""

import html
import importlib
import json
from typing import Any

import nbformat

from ..front.surface import PAGE_MIME, PLOTLY_MIME
from ..teaching import phrases
from ..teaching.asked import asked, key
from ..teaching.bank import Bank, bank
from .formulas import in_html, learn, rendered


def for_a_page(notebook: nbformat.NotebookNode) -> None:
    """Replace what needs a kernel by HTML that needs none. Each output says in its bundle what it is."""
    learn("\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown"))
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            data = output.get("data")
            if data is None:
                continue
            if data.get(PAGE_MIME, {}).get("kind") in ("predict", "quiz", "hunt"):  # the question itself stands there
                cell.metadata.tags = [*cell.metadata.get("tags", []), "remove-input"]
            page = _page(data)
            if page is not None:
                output.data = nbformat.from_dict({"text/html": page})
                output.metadata = nbformat.from_dict({})


def _page(data: Any) -> str | None:
    """The HTML of one output, or None where it may stay as it is."""
    match data.get(PAGE_MIME, {}):
        case {"kind": "quiz", "chapter": chapter}:
            return quiz(bank(chapter))
        case {"kind": "predict" | "hunt", "id": id}:
            return alone(bank(id.split("-")[0]).question(id))
        case {"kind": "explorer", "figure": figure, "controls": controls, "presets": presets}:
            return _figure(figure, controls, presets)
        case {"kind": "machine", "about": about}:
            return mounted("machine", {"about": about}, data["text/html"], height=about["wide"][1] + 200)
        case {"kind": "reveal", "id": id, "found": found, "holds": holds}:
            return _reveal(id, found, holds)
        case {"kind": "exercise", "chapter": chapter, "name": name}:
            return _hints(chapter, name)
    if PLOTLY_MIME in data:
        return _figure({**data[PLOTLY_MIME], "summary": data["text/plain"]}, [], [])
    return in_html(data["text/html"]) if "text/html" in data else None


def mounted(kind: str, told: dict[str, Any], otherwise: str, height: int = 0) -> str:
    """A place that `front/page.js` fills with a module, `told` being what it shows; `otherwise`: HTML where scripts are off."""
    content = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    room = f' style="min-height:{height}px"' if height else ""
    return (
        f'<div class="course-front" data-kind="{kind}"{room}><noscript>{otherwise}</noscript>'
        f'<script type="application/json">{content}</script></div>'
    )


def _figure(figure: dict[str, Any], controls: list[Any], presets: list[Any]) -> str:
    """A figure, with the controls that choose among its frames."""
    note = "One at a time here; in a notebook all of them together." if len(controls) > 1 else ""
    told = {"figure": figure, "controls": controls, "presets": presets, "note": note}
    height = figure["machine"]["wide"][1] + 200 if "machine" in figure else figure["layout"].get("height", 400)
    return mounted("explorer", told, f"<p>{html.escape(figure['summary'])}</p>", height)


def quiz(bank: Bank) -> str:
    """The questions of a chapter's quiz, in the first of their variants, and the score for each objective."""
    questions = [question.variant(0) for question in bank.quiz]
    return _asking(questions, {name: rendered(text, inline=True) for name, text in bank.objectives.items()})


def alone(question: Any) -> str:
    """A prediction or a bug hunt, which has a cell of its own."""
    return _asking([question], None)


def _asking(questions: list[Any], objectives: dict[str, str] | None) -> str:
    shown = [asked(question, i, len(questions), rendered) for i, question in enumerate(questions, 1)]
    keys = {question.id: key(question, rendered) for question in questions}
    otherwise = "".join(f"<p><b>{question['heading']}</b></p>{question['prompt']}" for question in shown)
    return mounted("questions", {"asked": shown, "keys": keys, "objectives": objectives}, otherwise)


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
