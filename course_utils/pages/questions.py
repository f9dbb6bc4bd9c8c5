"""Questions as forms that answer in the page: native controls, and what is said to each answer beside them as JSON.

`static/page.js` reads it; it judges as `teaching.grading` does (a test compares the two in a browser).
"""

import html
import json
from typing import Any

from ..teaching.bank import Bank, Match, MultipleChoice, Numeric, Order, Predict, Shape
from ..teaching.grading import axis_names
from ..teaching.markup import plain
from .formulas import rendered


def as_json(value: Any) -> str:
    """JSON that may stand in a `script` of a page."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _inline(text: str) -> str:
    return rendered(text, inline=True)


def _options(question: Any, kind: str) -> str:
    return "".join(
        f'<label class="course-option"><input type="{kind}" name="{question.id}" value="{i}"> '
        f"<span>{_inline(option.text)}</span></label>"
        for i, option in enumerate(question.options)
    )


def _controls(question: Any) -> str:
    if isinstance(question, (Numeric, Shape)):
        label, example = ("Your number", "") if isinstance(question, Numeric) else ("The shape", "such as (batch, 64)")
        unit = f" {_inline(question.unit)}" if isinstance(question, Numeric) and question.unit else ""
        hint = f" <small>{example}</small>" if example else ""
        return f'<label>{label} <input type="text" autocomplete="off" size="24">{unit}{hint}</label>'
    if isinstance(question, Order):
        rows = "".join(
            f'<li data-item="{i}"><button type="button" data-move="-1" aria-label="Move up: {_said(question, i)}">↑</button>'
            f'<button type="button" data-move="1" aria-label="Move down: {_said(question, i)}">↓</button> '
            f"<span>{_inline(question.items[i].text)}</span></li>"
            for i in question.shuffled
        )
        return f"<p><em>Move the rows until the first stands on top.</em></p><ol>{rows}</ol><p class='course-moved' role='status'></p>"
    if isinstance(question, Match):
        choices = '<option value="">choose …</option>' + "".join(
            f'<option value="{i}">{html.escape(plain(question.rights[i]) or "")}</option>' for i in question.shuffled
        )
        return "".join(
            f'<p><label><span>{_inline(pair.left)}</span> <select name="{i}">{choices}</select></label></p>'
            for i, pair in enumerate(question.pairs)
        )
    if isinstance(question, MultipleChoice):
        return f"<p><em>One or more are right; tick all of them.</em></p>{_options(question, 'checkbox')}"
    return _options(question, "radio")


def _said(question: Order, item: int) -> str:
    return html.escape((plain(question.items[item].text) or question.items[item].text).replace("$", ""))


def _answers(question: Any) -> dict[str, Any]:
    """What is right and what is said, all texts as HTML."""
    if isinstance(question, (Numeric, Shape)):
        slips = [{"value": slip.value, "why": _inline(slip.why)} for slip in question.slips]
        told = {
            "answer": question.answer,
            "why": _inline(question.why),
            "otherwise": _inline(question.otherwise),
            "slips": slips,
        }
        if isinstance(question, Numeric):
            return {**told, "tolerance": question.tolerance}
        return {**told, "words": sorted(axis_names(question))}
    if isinstance(question, Order):
        return {"items": [{"text": _inline(item.text), "why": _inline(item.why)} for item in question.items]}
    if isinstance(question, Match):
        pairs = [{"left": _inline(pair.left), "why": _inline(pair.why)} for pair in question.pairs]
        rights = [{"text": _inline(text), "why": _inline(question.why(i))} for i, text in enumerate(question.rights)]
        return {"pairs": pairs, "rights": rights}
    if isinstance(question, Predict):
        return {"options": [{"text": _inline(option.text), "why": _inline(option.why)} for option in question.options]}
    return {
        "options": [
            {"text": _inline(option.text), "why": _inline(option.why), "correct": option.correct}
            for option in question.options
        ]
    }


def form(question: Any, heading: str) -> str:
    """One question, in the first of its variants."""
    question = question.variant(0)
    about = {"id": question.id, "kind": question.kind, "objective": question.objective, "section": question.section}
    button = "Keep my prediction" if isinstance(question, Predict) else "Check"
    return (
        f'<form class="course-question" id="{question.id}"><fieldset>'
        f"<legend>{html.escape(heading)}</legend>{rendered(question.prompt)}"
        f'<div class="course-controls">{_controls(question)}</div>'
        f'<button type="submit">{button}</button></fieldset><div class="course-said" role="status"></div>'
        f'<script type="application/json">{as_json({**about, **_answers(question)})}</script></form>'
    )


def quiz(bank: Bank) -> str:
    """The questions of a chapter's quiz and the score for each objective."""
    asked = [question for question in bank.questions if not isinstance(question, Predict)]
    forms = "".join(form(question, f"Question {i} of {len(asked)}") for i, question in enumerate(asked, 1))
    objectives = {name: _inline(text) for name, text in bank.objectives.items()}
    return (
        f'<div class="course-quiz" data-chapter="{bank.chapter}">{forms}'
        '<div class="course-score" role="status"></div>'
        f'<script type="application/json">{as_json(objectives)}</script></div>'
    )
