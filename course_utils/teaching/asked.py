"""Questions as `front/question.js` shows them and, for a page without a kernel, with what `front/grading.js` judges by."""

from collections.abc import Callable
from typing import Any

from . import phrases
from .bank import Hunt, Match, Numeric, Order, Predict, Shape
from .grading import axis_names
from .markup import plain, rendered

Render = Callable[..., str]  # of Markdown: HTML; `inline`: without a paragraph around it


def asked(question: Any, place: int = 1, count: int = 1, render: Render = rendered) -> dict[str, Any]:
    """A question without its answer: texts as HTML, what is shuffled as indices. `place` of `count`: where it stands."""
    alone = {Predict: phrases.PREDICT, Hunt: phrases.HUNT}  # in cells of their own
    shown = {
        "id": question.id,
        "kind": question.kind,
        "objective": question.objective,
        "section": question.section,
        "heading": alone.get(type(question)) or phrases.QUESTION.format(place=place, count=count),
        "prompt": render(question.prompt),
    }
    if isinstance(question, Numeric):
        return {**shown, "unit": render(question.unit, inline=True)}
    if isinstance(question, Shape):
        return shown
    if isinstance(question, Order):
        return {
            **shown,
            "items": [render(item.text, inline=True) for item in question.items],
            "shuffled": question.shuffled,
        }
    if isinstance(question, Match):
        lefts = [render(pair.left, inline=True) for pair in question.pairs]
        rights = [plain(right) for right in question.rights]  # a list shows no formula
        return {**shown, "lefts": lefts, "rights": rights, "shuffled": question.shuffled}
    options = [render(option.text, inline=True) for option in question.options]
    if isinstance(question, Hunt):
        code = [{"text": text, "named": question.holds_code(line)} for line, text in enumerate(question.lines, 1)]
        return {**shown, "code": code, "symptom": render(question.symptom, inline=True), "options": options}
    return {**shown, "options": options}


def key(question: Any, render: Render = rendered) -> dict[str, Any]:
    """What is right and what is said to each answer, all texts as HTML."""

    def inline(text: str) -> str:
        return render(text, inline=True)

    if isinstance(question, (Numeric, Shape)):
        slips = [{"value": slip.value, "why": inline(slip.why)} for slip in question.slips]
        said = {
            "answer": question.answer,
            "why": inline(question.why),
            "otherwise": inline(question.otherwise),
            "slips": slips,
        }
        if isinstance(question, Numeric):
            return {**said, "tolerance": question.tolerance}
        return {**said, "words": sorted(axis_names(question))}
    if isinstance(question, Order):
        return {"items": [{"text": inline(item.text), "why": inline(item.why)} for item in question.items]}
    if isinstance(question, Match):
        pairs = [{"left": inline(pair.left), "why": inline(pair.why)} for pair in question.pairs]
        rights = [{"text": inline(text), "why": inline(question.why(i))} for i, text in enumerate(question.rights)]
        return {"pairs": pairs, "rights": rights}
    options = [{"text": inline(option.text), "why": inline(option.why)} for option in question.options]
    if isinstance(question, Predict):
        return {"options": options}
    judged = [{**shown, "correct": o.correct} for shown, o in zip(options, question.options, strict=True)]
    if isinstance(question, Hunt):
        lines = [inline(question.says_of(line)) for line in range(1, 1 + len(question.lines))]
        return {"options": judged, "lines": lines, "wrong": question.wrong, "mended": inline(f"`{question.mended}`")}
    return {"options": judged}
