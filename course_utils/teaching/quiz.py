"""Questions on the page: the quiz that ends a chapter, and predictions before an experiment.

`Sheet` grades and remembers and knows nothing of widgets; `Quiz` and `Prediction` show it.
"""

import dataclasses
import html
import math
import operator
from typing import Any

import ipywidgets

from ..runtime import InvalidInput, require
from ..widgets.surface import with_widget
from .bank import Bank, Numeric, Predict, SingleChoice, bank
from .markup import plain, to_html
from .progress import progress

RIGHT, WRONG, NOTE = "✓", "✗", "→"
_INK = {RIGHT: "#00664B", WRONG: "#A34700", NOTE: "#1A1A1A"}


@dataclasses.dataclass(frozen=True)
class Feedback:
    """What is said to an answer. `correct` is None for a prediction whose experiment has not run."""

    correct: bool | None
    message: str

    @property
    def mark(self) -> str:
        return NOTE if self.correct is None else RIGHT if self.correct else WRONG

    def __repr__(self) -> str:
        return f"{self.mark} {self.message}"

    def _repr_html_(self) -> str:
        return (
            f'<div role="status" style="border-left:4px solid {_INK[self.mark]};padding:4px 10px;margin:4px 0;'
            f'background:#F6F6F6;color:#1A1A1A"><b style="color:{_INK[self.mark]}">{self.mark}</b> '
            f"{to_html(self.message, inline=True)}</div>"
        )


def grade(question: Any, answer: Any) -> Feedback:
    """What a question says to an answer: an option's index (choices, predictions), or a number."""
    if isinstance(question, Numeric):
        value = _number(answer, f"{question.id} asks for a number")
        if question.accepts(value):
            return Feedback(True, question.why)
        for slip in question.slips:
            if abs(value - slip.value) <= question.tolerance:
                return Feedback(False, slip.why)
        return Feedback(False, question.otherwise)
    last = len(question.options) - 1
    require(
        hasattr(answer, "__index__") and not isinstance(answer, bool) and 0 <= answer <= last,
        f"{question.id} has the options 0 to {last}, not {answer!r}.",
    )
    if isinstance(question, SingleChoice):
        return Feedback(question.options[answer].correct, question.options[answer].why)
    return Feedback(None, "Kept. The experiment below will answer.")


def _number(value: Any, wanted: str) -> float:
    """A finite float, or `InvalidInput` that says what was wanted."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):  # a tracer raises a TypeError
        raise InvalidInput(f"{wanted}, not {value!r:.60}.") from None
    require(math.isfinite(number), f"{wanted}, not {number}.")
    return number


class Sheet:
    """The questions of one chapter, and the learner's answers to them."""

    def __init__(self, bank: Bank):
        self.bank = bank
        self.questions = tuple(q for q in bank.questions if not isinstance(q, Predict))

    def answer(self, id: str, answer: Any) -> Feedback:
        """Grade an answer, keep it, and say what there is to say."""
        question = self.bank.question(id)
        feedback = grade(question, answer)
        answer = float(answer) if isinstance(question, Numeric) else operator.index(answer)  # what JSON can hold
        kind = "predict" if isinstance(question, Predict) else "quiz"
        progress().record(self.bank.chapter, kind, id, answer, feedback.correct, question.objective)
        return feedback

    def given(self, id: str) -> Any:
        """The last answer to a question, or None; an answer the bank no longer knows counts as none."""
        kept = progress().latest(id)
        if kept is None:
            return None
        try:
            grade(self.bank.question(id), kept.answer)
        except InvalidInput:
            return None
        return kept.answer

    def score(self) -> dict[str, tuple[int, int, int]]:
        """For each objective: questions right now, answered, in all."""
        result = {}
        for objective in self.bank.objectives:
            asked = [q for q in self.questions if q.objective == objective]
            given = [(q, self.given(q.id)) for q in asked]
            answered = [(q, a) for q, a in given if a is not None]
            result[objective] = (
                sum(bool(grade(q, a).correct) for q, a in answered),
                len(answered),
                len(asked),
            )
        return result

    def reread(self) -> list[str]:
        """Sections to read again: those of questions answered wrongly."""
        sections = []
        for question in self.questions:
            given = self.given(question.id)
            if given is not None and not grade(question, given).correct and question.section not in sections:
                sections.append(question.section)
        return sections


def _options(question: Any) -> tuple[ipywidgets.RadioButtons, list[ipywidgets.Widget]]:
    """Radio buttons, and what must stand above them: options with formulas are listed with letters."""
    texts = [option.text for option in question.options]
    above: list[ipywidgets.Widget] = []
    labels = [plain(text) for text in texts]
    if None in labels:
        labels = [f"answer {chr(65 + i)}" for i in range(len(texts))]
        rows = "".join(f"<li>{to_html(text, inline=True)}</li>" for text in texts)
        above = [ipywidgets.HTMLMath(f'<ol type="A" style="margin:0 0 4px">{rows}</ol>')]
    radio = ipywidgets.RadioButtons(
        options=[(label, i) for i, label in enumerate(labels)],
        index=None,
        layout={"width": "98%", "height": "auto"},
    )
    radio.add_class("course-options")
    return radio, above


# Radio labels of ipywidgets have a fixed height and do not wrap; ours may be a sentence.
_STYLE = (
    "<style>.course-options label{height:auto!important;line-height:1.35!important;white-space:normal!important;"
    "padding:3px 0}.course-options .widget-radio-box{height:auto!important;margin-bottom:4px}"
    ".course-question{border:1px solid #BBB;border-radius:6px;padding:8px 12px;margin:6px 0}"
    ".course-question p{margin:2px 0}</style>"
)


class _Ask:
    """One question with its controls, its button and its feedback."""

    def __init__(self, sheet: Sheet, question: Any, heading: str, button: str, after=lambda: None):
        self.sheet, self.question, self.after = sheet, question, after
        prompt = ipywidgets.HTMLMath(f"<b>{html.escape(heading)}</b> {to_html(question.prompt)}")
        above: list[ipywidgets.Widget] = []
        if isinstance(question, Numeric):
            self.field = ipywidgets.Text(
                description="your number", placeholder="a number", continuous_update=False,
                style={"description_width": "initial"}, layout={"width": "16em"},
            )  # fmt: skip
            controls: ipywidgets.Widget = ipywidgets.HBox([self.field, ipywidgets.HTMLMath(question.unit)])
        else:
            self.field, above = _options(question)
            controls = self.field
        self.feedback = ipywidgets.HTMLMath()
        self.button = ipywidgets.Button(description=button, layout={"width": "auto", "align_self": "flex-start"})
        self.button.on_click(lambda _: self.check())
        self.widget = ipywidgets.VBox([prompt, *above, controls, self.button, self.feedback])
        self.widget.add_class("course-question")
        self.widget.add_class(question.id)
        given = sheet.given(question.id)
        if given is not None:
            self._fill(given)
            kept = grade(question, given)
            said = "The experiment below answers it." if isinstance(question, Predict) else kept.message
            self.feedback.value = Feedback(kept.correct, f"Your earlier answer. {said}")._repr_html_()

    def _fill(self, answer: Any) -> None:
        if isinstance(self.question, Numeric):
            self.field.value = f"{float(answer):.12g}"
        else:
            self.field.index = answer  # type: ignore[attr-defined]

    def check(self) -> None:
        answer = self.field.value
        if isinstance(self.question, Numeric):
            try:
                typed = str(answer).strip().replace(",", ".").replace("\N{MINUS SIGN}", "-")
                answer = _number("" if "_" in typed else typed, "This is not a number")
            except InvalidInput:
                said = f"{answer!r} is not a number." if str(answer).strip() else "Type a number first."
                self.feedback.value = Feedback(None, said)._repr_html_()
                return
        elif answer is None:
            self.feedback.value = Feedback(None, "Choose an answer first.")._repr_html_()
            return
        self.feedback.value = self.sheet.answer(self.question.id, answer)._repr_html_()
        self.after()


def _as_text(question: Any, number: str) -> tuple[str, str]:
    """A question without widgets, as HTML and as plain text."""
    page = f"<b>{number}</b> {to_html(question.prompt)}"
    text = f"{number} {question.prompt}"
    if not isinstance(question, Numeric):
        page += (
            "<ol type='A'>" + "".join(f"<li>{to_html(o.text, inline=True)}</li>" for o in question.options) + "</ol>"
        )
        text += "".join(f"\n   {i}: {o.text}" for i, o in enumerate(question.options))
    return page, text


class Quiz(Sheet):
    """The quiz of a chapter. Displayed last in a cell; `.answer(id, value)` does the same without widgets."""

    def __init__(self, bank: Bank):
        super().__init__(bank)
        self._score = ipywidgets.HTMLMath()
        self.asks = [
            _Ask(self, question, f"Question {i} of {len(self.questions)}.", "Check", self._show_score)
            for i, question in enumerate(self.questions, 1)
        ]
        self.widget = ipywidgets.VBox([ipywidgets.HTML(_STYLE), *(ask.widget for ask in self.asks), self._score])
        self._show_score()

    def _show_score(self) -> None:
        score = self.score()
        rows = "".join(
            f"<tr><td style='text-align:left'>{to_html(self.bank.objectives[name], inline=True)}</td>"
            f"<td>{right} of {total}</td></tr>"
            for name, (right, _, total) in score.items()
        )
        right, answered, total = (sum(column) for column in zip(*score.values(), strict=True))
        again = self.reread()
        advice = f"<p>Worth rereading: {', '.join(map(html.escape, again))}.</p>" if again else ""
        if answered == total and right == total:
            advice = "<p>Every question is right.</p>"
        self._score.value = (
            f"<div role='status'><b>{right} of {total} right</b>, {answered} answered."
            f"<table><tbody>{rows}</tbody></table>{advice}</div>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        parts = [_as_text(q, f"Question {i}.") for i, q in enumerate(self.questions, 1)]
        page = "<p><i>Run this cell in a notebook to answer.</i></p>" + "".join(page for page, _ in parts)
        text = "\n\n".join(text for _, text in parts)
        return with_widget(self.widget, {"text/html": page, "text/plain": text})


class Prediction:
    """A question before an experiment. What was predicted is kept; `reveal` answers it with a measurement."""

    def __init__(self, sheet: Sheet, question: Predict):
        self.question = question
        self.ask = _Ask(sheet, question, "Predict.", "Keep my prediction")
        self.widget = ipywidgets.VBox([ipywidgets.HTML(_STYLE), self.ask.widget])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        page, text = _as_text(self.question, "Predict.")
        return with_widget(self.widget, {"text/html": page, "text/plain": text})


def quiz(chapter: str) -> Quiz:
    """The quiz of a chapter, such as `quiz("ch00")`, with the answers given before."""
    require(isinstance(chapter, str), f"A quiz is named by its chapter, such as 'ch00', not by {chapter!r:.40}.")
    return Quiz(bank(chapter))


def _prediction(id: str) -> tuple[Sheet, Predict]:
    require(isinstance(id, str), f"A prediction is named by its id, such as 'ch00-path', not by {id!r:.40}.")
    sheet = Sheet(bank(id.split("-")[0]))
    question = sheet.bank.question(id)
    require(isinstance(question, Predict), f"{id} is not a prediction but a {question.kind} question.")
    return sheet, question


def predict(id: str) -> Prediction:
    """Ask for a prediction before the experiment that answers it."""
    return Prediction(*_prediction(id))


def reveal(id: str, value: Any) -> Feedback:
    """Answer a prediction with the number just measured, and keep whether it was right."""
    sheet, question = _prediction(id)
    number = _number(value, f"{id} is answered by a measured number")
    holds = next(option for option in question.options if option.holds(number))
    unit = f" {question.unit}" if question.unit else ""
    measured = f"Found: {question.measures} = {number:.3g}{unit}."
    given = sheet.given(id)
    if given is None:
        return Feedback(None, f"{measured} {holds.why} (You made no prediction this time.)")
    chosen = question.options[given]
    if progress().latest(id).correct is None:  # type: ignore[union-attr]
        progress().record(sheet.bank.chapter, "predict", id, given, chosen is holds, question.objective)
    if chosen is holds:
        return Feedback(True, f"{measured} You predicted “{chosen.text}”. {holds.why}")
    return Feedback(
        False,
        f"{measured} You predicted “{chosen.text}”: {chosen.why} What holds is “{holds.text}”: {holds.why}",
    )
