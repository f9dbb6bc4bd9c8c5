"""Questions on the page: the quiz that ends a chapter, and predictions before an experiment.

`Sheet` grades and remembers and knows nothing of widgets; `Quiz`, `Prediction` and `hunt.BugHunt` show it.
"""

import dataclasses
import html
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..figures.style import superscript
from ..front import surface
from ..runtime import InvalidInput, require
from . import phrases
from .asked import asked
from .bank import Bank, Hunt, Match, Order, Outcome, Predict, bank
from .grading import Feedback, entered, grade, normal, number
from .markup import rendered, spoken, to_html
from .progress import Kind, progress


class Given(NamedTuple):
    """An answer that was kept, with the question it was given to (in its variant)."""

    question: Any
    answer: Any


class Sheet:
    """The questions of one chapter, and the learner's answers to them.

    Where a question has variants, `seed` and its id choose one; without a seed each learner has a seed of
    their own, the same every time.
    """

    def __init__(self, bank: Bank, seed: int | str | None = None):
        self.bank = bank
        self.questions = bank.quiz
        seed = progress().learner if seed is None else seed
        self._variant = {
            q.id: zlib.crc32(f"{seed}:{q.id}".encode()) % q.variants for q in self.questions if q.variants > 1
        }
        for id in self._variant:
            kept = progress().latest(id)
            if kept is not None and isinstance(kept.answer, dict) and isinstance(kept.answer.get("variant"), int):
                self._variant[id] = kept.answer["variant"]

    def question(self, id: str) -> Any:
        """A question as it is asked now, with the numbers of its variant."""
        question = self.bank.question(id)
        return question.variant(self._variant[id]) if id in self._variant else question

    def another(self, id: str) -> Any:
        """Move on to the next variant of a question, and return it."""
        require(self.bank.question(id) and id in self._variant, f"{id} has no variants.")
        self._variant[id] += 1
        return self.question(id)

    def answer(self, id: str, answer: Any) -> Feedback:
        """Grade an answer, keep it, and say what there is to say."""
        question = self.question(id)
        feedback, kept = grade(question, answer), normal(question, answer)
        if id in self._variant:
            kept = {"variant": self._variant[id], "answer": kept}
        kind: Kind = "predict" if isinstance(question, Predict) else "hunt" if isinstance(question, Hunt) else "quiz"
        progress().record(self.bank.chapter, kind, id, kept, feedback.correct, question.objective)
        return feedback

    def given(self, id: str) -> Given | None:
        """The last answer to a question, or None; one that was given before the question was changed counts as none."""
        kept = progress().latest(id)
        if kept is None:
            return None
        question, answer = self.bank.question(id), kept.answer
        try:
            if id in self._variant:
                question, answer = question.variant(answer["variant"]), answer["answer"]
            given = Given(question, normal(question, answer))
        except (InvalidInput, TypeError, KeyError):
            return None
        changed = kept.kind in ("quiz", "hunt") and grade(*given).correct != kept.correct
        return None if changed else given

    def score(self) -> dict[str, tuple[int, int, int]]:
        """For each objective: questions right now, answered, in all."""
        result = {}
        for objective in self.bank.objectives:
            asked = [q.id for q in self.questions if q.objective == objective]
            answered = [given for given in map(self.given, asked) if given is not None]
            right = sum(bool(grade(*given).correct) for given in answered)
            result[objective] = (right, len(answered), len(asked))
        return result

    def reread(self) -> list[str]:
        """Sections to read again: those of questions answered wrongly."""
        sections = []
        for question in self.questions:
            given = self.given(question.id)
            if given is not None and not grade(*given).correct and question.section not in sections:
                sections.append(question.section)
        return sections


class Cards:
    """Questions on the page: what is asked, what is said to it, and what a learner does there."""

    def __init__(self, sheet: Sheet, ids: Sequence[str], scored: bool):
        self.sheet, self.ids, self.scored = sheet, tuple(ids), scored
        self.said: dict[str, dict[str, Any]] = {}
        for id in ids:
            given = sheet.given(id)
            if given is not None:
                verdict = grade(*given)
                said = phrases.EXPERIMENT_ANSWERS if isinstance(given.question, Predict) else verdict.message
                self._say(id, Feedback(verdict.correct, f"{phrases.EARLIER_ANSWER} {said}"), answer=given.answer)
        self.live = surface.Live("questions", {"phrases": phrases.QUESTIONS}, self.state, self.hear)

    def _say(self, id: str, feedback: Feedback, **answer: Any) -> None:
        lines = [rendered(line, inline=True) for line in feedback.lines]
        self.said[id] = {"correct": feedback.correct, "lines": lines, **answer}

    @property
    def state(self) -> dict[str, Any]:
        asks = []
        for place, id in enumerate(self.ids, 1):
            varied = self.sheet.bank.question(id).variants > 1
            asks.append({**asked(self.sheet.question(id), place, len(self.ids)), "varied": varied})
        return {"asked": asks, "said": dict(self.said), "score": self._score() if self.scored else None}

    def _score(self) -> dict[str, Any]:
        score = self.sheet.score()
        right, answered, count = (sum(column) for column in zip(*score.values(), strict=True))
        objectives = [(rendered(self.sheet.bank.objectives[o], inline=True), r, c) for o, (r, _, c) in score.items()]
        return {
            "right": right, "answered": answered, "count": count, "objectives": objectives,
            "again": self.sheet.reread(), "all": right == answered == count,
        }  # fmt: skip

    def hear(self, message: dict[str, Any]) -> None:
        """What somebody did on the page: answered a question (`form`: what is in its controls), or asked for other numbers."""
        match message:
            case {"kind": "another", "id": id} if id in self.ids:
                self.sheet.another(id)
                self.said.pop(id, None)
            case {"kind": "answer", "id": id, "form": form} if id in self.ids:
                try:
                    answer = entered(self.sheet.question(id), form)
                    self._say(id, self.sheet.answer(id, answer), answer=answer)
                except InvalidInput as incomplete:
                    self._say(id, Feedback(None, str(incomplete)))
        self.live.state = self.state


def as_text(question: Any, heading: str) -> tuple[str, str]:
    """A question without widgets, as HTML and as plain text."""
    page = f"<b>{heading}</b> {to_html(question.prompt)}"
    text = f"{heading} {spoken(question.prompt)}"
    if isinstance(question, Order):
        lists = [[question.items[i].text for i in question.shuffled]]
    elif isinstance(question, Match):
        lists = [[pair.left for pair in question.pairs], [question.rights[i] for i in question.shuffled]]
    else:
        lists = [[option.text for option in getattr(question, "options", ())]]
    if isinstance(question, Hunt):
        code = "\n".join(f"{number:2}  {line}" for number, line in enumerate(question.lines, 1))
        page += f"<pre>{html.escape(code)}</pre><p>{to_html(question.symptom, inline=True)}</p>"
        text += f"\n{code}\n{question.symptom}"
    for entries in lists:
        if entries:
            page += "<ol type='A'>" + "".join(f"<li>{to_html(entry, inline=True)}</li>" for entry in entries) + "</ol>"
            text += "".join(f"\n   {entry}" for entry in entries)
    return page, text


class Quiz(Sheet):
    """The quiz of a chapter. Displayed last in a cell; `.answer(id, value)` does the same without widgets."""

    def __init__(self, bank: Bank, seed: int | str | None = None):
        super().__init__(bank, seed)
        self.cards = Cards(self, [question.id for question in self.questions], scored=True)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        # What is stored in the page is the same for everyone; with the text alone, one answers one's own variant.
        shown = [q.variant(0) if surface.is_kept() else self.question(q.id) for q in self.questions]
        parts = [as_text(question, f"Question {i}.") for i, question in enumerate(shown, 1)]
        page = "<p><i>Run this cell in a notebook to answer.</i></p>" + "".join(page for page, _ in parts)
        text = "\n\n".join(text for _, text in parts)
        return self.cards.live.bundle(
            {"text/html": page, "text/plain": text}, lambda: {"kind": "quiz", "chapter": self.bank.chapter}
        )


class Prediction:
    """A question before an experiment. What was predicted is kept; `reveal` answers it with a measurement."""

    def __init__(self, sheet: Sheet, question: Predict):
        self.question = question
        self.cards = Cards(sheet, [question.id], scored=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        page, text = as_text(self.question, phrases.PREDICT)
        return self.cards.live.bundle(
            {"text/html": page, "text/plain": text}, lambda: {"kind": "predict", "id": self.question.id}
        )


def quiz(chapter: str, seed: int | str | None = None) -> Quiz:
    """The quiz of a chapter, such as `quiz("ch00")`, with the answers given before.

    Some questions have other numbers for each learner; a `seed` fixes them, the same for a whole class.
    """
    require(isinstance(chapter, str), f"A quiz is named by its chapter, such as 'ch00', not by {chapter!r:.40}.")
    return Quiz(bank(chapter), seed)


def _prediction(id: str) -> tuple[Sheet, Predict]:
    require(isinstance(id, str), f"A prediction is named by its id, such as 'ch00-path', not by {id!r:.40}.")
    sheet = Sheet(bank(id.split("-")[0]))
    question = sheet.bank.question(id)
    require(isinstance(question, Predict), f"{id} is not a prediction but a {question.kind} question.")
    return sheet, question


def predict(id: str) -> Prediction:
    """Ask for a prediction before the experiment that answers it."""
    return Prediction(*_prediction(id))


def _rounded(value: float, option: Outcome) -> str:
    """A number in two digits, in three from 1 on, all before the point; in more where it would come to lie under another option."""
    for digits in range(2 if abs(value) < 1 else 3, 18):
        near = round(value, digits - 3) if abs(value) >= 1e3 else float(f"{value:.{digits}g}")
        if option.holds(near):
            break
    size, sign = abs(near), "−" if near < 0 else ""
    if 1e3 <= size < 1e15:
        return f"{sign}{size:,.{digits - 3}f}"
    if 0 < size < 0.01 or size >= 1e15:
        mantissa, exponent = f"{size:.{digits - 1}e}".split("e")
        return f"{sign}{float(mantissa):g}·10{superscript(int(exponent))}"
    return f"{sign}{size:.{digits}g}"


@dataclasses.dataclass(frozen=True, repr=False)
class Revealed(Feedback):
    """What an experiment says to a prediction; `found`: what it says without one, `holds`: the index of the right option."""

    id: str
    found: str
    holds: int

    def _page(self) -> dict[str, Any]:
        return {"kind": "reveal", "id": self.id, "found": self.found, "holds": self.holds}


def reveal(id: str, value: Any) -> Revealed:
    """Answer a prediction with the number just measured, and keep whether it was right."""
    sheet, question = _prediction(id)
    value = number(value, f"{id} is answered by a measured number")
    holds = next(option for option in question.options if option.holds(value))
    unit = f" {question.unit}" if question.unit else ""
    measured = phrases.FOUND.format(measures=question.measures, number=f"{_rounded(value, holds)}{unit}")
    result = {"id": id, "found": f"{measured} {holds.why}", "holds": question.options.index(holds)}
    given = sheet.given(id)
    if given is None:
        return Revealed(None, f"{measured} {holds.why} {phrases.NO_PREDICTION}", **result)
    chosen = question.options[given.answer]
    if progress().latest(id).correct is None:  # type: ignore[union-attr]
        progress().record(sheet.bank.chapter, "predict", id, given.answer, chosen is holds, question.objective)
    if chosen is holds:
        return Revealed(True, f"{measured} {phrases.PREDICTED.format(option=chosen.text)} {holds.why}", **result)
    said = phrases.PREDICTED_WRONGLY.format(option=chosen.text, why=chosen.why)
    return Revealed(False, f"{measured} {said} {phrases.HOLDS.format(option=holds.text, why=holds.why)}", **result)
