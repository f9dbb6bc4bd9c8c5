"""Answers judged: what each kind of question takes, and what it says to it. No widgets, nothing kept."""

import dataclasses
import math
import operator
import re
from collections.abc import Sequence
from typing import Any

from ..front.surface import with_page
from ..runtime import InvalidInput, require, shortened, shown
from . import phrases
from .bank import Hunt, Match, MultipleChoice, Numeric, Order, Predict, Shape, SingleChoice, in_lower_case
from .markup import to_html

MOST_TYPED = 200  # signs of an answer
MOST_SAID, MOST_LINES = 10_000, 200  # signs and lines of what is said to it
RIGHT, WRONG, NOTE = "✓", "✗", "→"
# A keyboard for Chinese or Japanese types digits, brackets and commas in full width.
_AS_TYPED_ELSEWHERE = {ord("\N{MINUS SIGN}"): "-", ord("\N{IDEOGRAPHIC SPACE}"): " "} | {
    c: chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)
}
_INK = {RIGHT: "#00664B", WRONG: "#A34700", NOTE: "#1A1A1A"}


@dataclasses.dataclass(frozen=True)
class Feedback:
    """What is said to an answer. `correct` is None for a prediction whose experiment has not run."""

    correct: bool | None
    message: str

    @property
    def mark(self) -> str:
        return NOTE if self.correct is None else RIGHT if self.correct else WRONG

    @property
    def lines(self) -> list[str]:
        """What is said, line by line, of a very long text its beginning and its end."""
        lines = shortened(self.message, MOST_SAID).split("\n")
        if len(lines) > MOST_LINES:
            lines[MOST_LINES // 2 : -MOST_LINES // 2] = [f"… ({len(lines) - MOST_LINES:,} more lines) …"]
        return lines

    def __repr__(self) -> str:
        return f"{self.mark} {shortened(self.message, MOST_SAID)}"

    def _page(self) -> dict[str, Any] | None:
        """What this is, for a page without a kernel."""
        return None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return with_page({"text/html": self._repr_html_(), "text/plain": repr(self)}, self._page())

    def _repr_html_(self) -> str:
        said = "<br>".join(to_html(line, inline=True) for line in self.lines)
        return (
            f'<div role="status" style="border-left:4px solid {_INK[self.mark]};padding:4px 10px;margin:4px 0;'
            f'background:#F6F6F6;color:#1A1A1A"><b style="color:{_INK[self.mark]}">{self.mark}</b> {said}</div>'
        )


def normal(question: Any, answer: Any) -> Any:
    """An answer in the form in which it is kept; `InvalidInput` says what form is wanted.

    single, predict: the option's index. multiple: indices. numeric: a number. shape: axes, as a tuple or
    as text such as `(batch, time, 64)`. order: the items' indices in the order meant. match: for each left
    side the index of its right side. hunt: the line, counted from 1, and the index of the symptom. Indices count as the
    file does.
    """
    if isinstance(question, Numeric):
        return number(answer, f"{question.id} asks for a number")
    if isinstance(question, Shape):
        return axes(answer)
    if isinstance(question, (SingleChoice, Predict)):
        return _index(answer, len(question.options), f"{question.id} has the options 0 to {len(question.options) - 1}")
    require(
        isinstance(answer, Sequence) and not isinstance(answer, str),
        f"{question.id} asks for a list of numbers, not {shown(answer)}.",
    )
    if isinstance(question, MultipleChoice):
        last = len(question.options) - 1
        chosen = [_index(i, last + 1, f"{question.id} has the options 0 to {last}") for i in answer]
        return sorted(set(chosen))
    if isinstance(question, Order):
        wanted = f"{question.id} asks for each of 0 to {len(question.items) - 1} once"
        places = [_index(i, len(question.items), wanted) for i in answer]
        require(sorted(places) == list(range(len(question.items))), f"{wanted}, not {shown(answer)}.")
        return places
    if isinstance(question, Hunt):
        wanted = f"{question.id} asks for a line and a symptom, such as [1, 0]"
        require(len(answer) == 2, f"{wanted}, not {shown(answer)}.")
        line, symptom = answer
        last = len(question.options) - 1
        return [_line(question, line), _index(symptom, last + 1, f"{question.id} has the symptoms 0 to {last}")]
    wanted = f"{question.id} asks for {len(question.pairs)} numbers from 0 to {len(question.rights) - 1}"
    require(len(answer) == len(question.pairs), f"{wanted}, not {shown(answer)}.")
    return [_index(i, len(question.rights), wanted) for i in answer]


def entered(question: Any, form: Any) -> Any:
    """The answer in a form as it was left: an index or None, indices, a typed line. `InvalidInput` says what is missing."""
    if isinstance(question, Numeric):
        require(str(form).strip(), phrases.NUMBER_FIRST)
        return number(str(form), phrases.A_NUMBER)
    if isinstance(question, Shape):
        require(str(form).strip(), phrases.SHAPE_FIRST)
        return axes(str(form))
    if isinstance(question, MultipleChoice):
        require(form, phrases.TICK_FIRST)
    elif isinstance(question, Match):
        missing = sum(right is None for right in form)
        words = phrases.PARTNER_FIRST if missing == 1 else phrases.PARTNERS_FIRST.format(count=missing)
        require(not missing, words)
    elif isinstance(question, Hunt):
        line, symptom = form
        require(line is not None, phrases.LINE_FIRST)
        require(symptom is not None, phrases.SYMPTOM_FIRST)
    elif not isinstance(question, Order):
        require(form is not None, phrases.CHOOSE_FIRST)
    return normal(question, form)


def grade(question: Any, answer: Any) -> Feedback:
    """What a question says to an answer (see `normal` for the form of answers)."""
    answer = normal(question, answer)
    return _GRADERS[type(question)](question, answer)


def _single(question: SingleChoice, answer: int) -> Feedback:
    option = question.options[answer]
    return Feedback(option.correct, option.why)


def _multiple(question: MultipleChoice, answer: list[int]) -> Feedback:
    chosen = [question.options[i] for i in answer]
    missed = sum(option.correct for option in question.options) - sum(option.correct for option in chosen)
    right = not missed and all(option.correct for option in chosen)
    lines = [
        f"{_mark(option.correct)} {phrases.CHOSEN.format(option=option.text, why=option.why)}" for option in chosen
    ]
    if missed:
        lines.append(phrases.ONE_MORE_BELONGS if missed == 1 else phrases.MORE_BELONG.format(missed=missed))
    return Feedback(right, "\n".join([phrases.ALL_CHOSEN if right else phrases.NOT_ALL_CHOSEN, *lines]))


def _numeric(question: Numeric, answer: float) -> Feedback:
    if question.accepts(answer):
        return Feedback(True, question.why)
    for slip in question.slips:
        if abs(answer - float(slip.value)) <= float(question.tolerance):
            return Feedback(False, slip.why)
    return Feedback(False, question.otherwise)


def _shape(question: Shape, answer: list[str]) -> Feedback:
    shape = in_lower_case(answer)
    if shape == in_lower_case(question.answer):
        return Feedback(True, question.why)
    for slip in question.slips:
        if shape == in_lower_case(slip.value):
            return Feedback(False, slip.why)
    names = in_lower_case(axis_names(question))
    unknown = [axis for axis in answer if not axis.isdigit() and axis.lower() not in names]
    note = phrases.NO_SUCH_AXIS.format(names=" or ".join(unknown)) if unknown else ""
    return Feedback(False, f"{question.otherwise}{note}")


def axis_names(question: Shape) -> set[str]:
    """Names of axes that may be meant: those of the answer and the slips, and every word of the prompt."""
    known = {axis for value in (question.answer, *(slip.value for slip in question.slips)) for axis in value}
    return known | set(re.findall(r"\w+", question.prompt))


def _order(question: Order, answer: list[int]) -> Feedback:
    if answer == sorted(answer):
        return Feedback(True, "\n".join(f"{i}. {item.text}: {item.why}" for i, item in enumerate(question.items, 1)))
    place = next(i for i, item in enumerate(answer) if i != item)
    item = question.items[answer[place]]
    stand = phrases.FIRST_STANDS_RIGHT if place == 1 else phrases.FIRST_STAND_RIGHT.format(count=place)
    misplaced = phrases.NOT_AT_THIS_PLACE.format(item=item.text, place=place + 1, why=item.why)
    return Feedback(False, (stand if place else "") + misplaced)


def _match(question: Match, answer: list[int]) -> Feedback:
    wrong = [i for i, chosen in enumerate(answer) if chosen != i]
    if not wrong:
        return Feedback(True, "\n".join(f"{pair.left} → {pair.right}: {pair.why}" for pair in question.pairs))
    lines = [
        f"{WRONG} "
        + phrases.NOT_THIS_PAIR.format(
            left=question.pairs[i].left, right=question.rights[answer[i]], why=question.why(answer[i])
        )
        for i in wrong
    ]
    counted = phrases.PAIRS_RIGHT.format(right=len(answer) - len(wrong), count=len(answer))
    return Feedback(False, "\n".join([counted, *lines]))


def _hunt(question: Hunt, answer: list[int]) -> Feedback:
    line, symptom = answer
    option, found = question.options[symptom], line == question.wrong
    if found:
        verdict = phrases.BUG_FOUND if option.correct else phrases.BUG_WITHOUT_SYMPTOM
    else:
        verdict = phrases.SYMPTOM_WITHOUT_BUG if option.correct else phrases.NO_BUG_YET
    lines = [verdict, f"{_mark(found)} {phrases.OF_LINE.format(line=line, why=question.says_of(line))}"]
    if found:
        lines.append(phrases.MENDED.format(line=f"`{question.mended}`"))
    lines.append(f"{_mark(option.correct)} {phrases.CHOSEN.format(option=option.text, why=option.why)}")
    return Feedback(found and option.correct, "\n".join(lines))


def _mark(right: bool) -> str:
    return RIGHT if right else WRONG


_GRADERS: dict[type, Any] = {
    SingleChoice: _single,
    MultipleChoice: _multiple,
    Numeric: _numeric,
    Shape: _shape,
    Order: _order,
    Match: _match,
    Hunt: _hunt,
    Predict: lambda question, answer: Feedback(None, phrases.PREDICTION_KEPT),
}


def number(value: Any, wanted: str) -> float:
    """A finite float, or `InvalidInput` that says what was wanted. Text may be typed as people type numbers.

    A comma may be a decimal one. Where it may as well be one of thousands, as in `12,288`, the error asks which.
    """
    refusal, typed = phrases.NOT_THIS.format(wanted=wanted, typed=_shown(value)), value
    if isinstance(value, str):
        typed = _plain(value)
        if re.fullmatch(r"[+-]?(?!0,)[0-9]{1,3}(,[0-9]{3})+", typed):
            whole, decimal = typed.replace(",", ""), typed.replace(",", ".")
            words = phrases.EITHER_OF_TWO if typed.count(",") == 1 else phrases.THOUSANDS
            raise InvalidInput(words.format(wanted=wanted, typed=_shown(value), whole=whole, decimal=decimal))
        require("_" not in typed, refusal)  # Python reads 1_0 as 10, people do not
        typed = typed.replace(",", ".")
    try:
        parsed = float(typed)
    except (TypeError, ValueError, OverflowError):  # a tracer raises a TypeError
        raise InvalidInput(refusal) from None
    require(math.isfinite(parsed), refusal if isinstance(value, str) else f"{wanted}, not {parsed}.")
    return parsed


def axes(value: Any) -> list[str]:
    """The axes of a shape, typed as `(batch, time, 64)` or `16 x 30 x 64`, with or without brackets, or given as a tuple."""
    refusal, parts = phrases.NO_SHAPE.format(typed=_shown(value)), value
    if isinstance(value, str):  # between numbers an x is a sign, elsewhere it is a name
        require(len(value) <= MOST_TYPED, refusal)
        typed = re.sub(
            r"(?<!\w)[0-9]+(\s*[xX]\s*[0-9]+)+(?!\w)", lambda chain: re.sub("[xX]", ",", chain[0]), _plain(value)
        )
        parts = re.split(r"[,;×*\s]+", typed.strip("()[]").strip())
    try:
        names = [str(part).strip() for part in parts]
    except (TypeError, ValueError):  # a ValueError: an integer of more digits than Python writes
        raise InvalidInput(refusal) from None
    names = [name for name in names if name]
    require(names and sum(map(len, names)) <= MOST_TYPED and all(re.fullmatch(r"\w+", name) for name in names), refusal)
    half = next((name for name in names if re.fullmatch(r"0[0-9]+", name)), None)  # 1,024 would be two axes
    require(half is None, phrases.HALF_A_NUMBER.format(axis=half))
    return [str(int(name)) if name.isdecimal() else name for name in names]


def _plain(text: str) -> str:
    return text.translate(_AS_TYPED_ELSEWHERE).strip()


def _shown(value: Any) -> str:
    """What was answered, as an error shows it: text as it was typed, the same on a page."""
    return f"'{value.strip()[:60]}'" if isinstance(value, str) else shown(value)


def _line(question: Hunt, value: Any) -> int:
    """A line of a hunt that may be named."""
    count = len(question.lines)
    line = _index(value, count + 1, f"{question.id} has the lines 1 to {count}")
    require(question.holds_code(line), f"Line {line} of {question.id} holds no code.")
    return line


def _index(value: Any, count: int, wanted: str) -> int:
    valid = hasattr(value, "__index__") and not isinstance(value, bool) and 0 <= value < count
    require(valid, f"{wanted}, not {shown(value)}.")
    return operator.index(value)
