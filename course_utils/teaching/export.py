r"""Quiz banks for learning platforms: Moodle XML and GIFT.

Predictions are left out: they mean something only before their experiment. A question with variants becomes
one question for each, in a category of its own, to draw at random from. What a format cannot say is said in
another of its kinds: a shape is a short answer, an order is a matching of items to places, a bug hunt is a choice of its line.

Formats: Moodle XML (docs.moodle.org, *Moodle XML format*) and GIFT (*GIFT format*). Formulas become \(…\),
which Moodle's MathJax filter reads. Pictures are files of a Moodle question, and part of a GIFT question's text.
"""

import base64
import html
import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

from .bank import Bank, Hunt, Match, MultipleChoice, Numeric, Order, Predict, Shape
from .bank.parts import Option
from .markup import PICTURE, picture, to_html

COURSE = "From Recurrence to Attention"


def to_moodle(bank: Bank) -> str:
    """A bank as Moodle XML."""
    quiz = ET.Element("quiz")
    current = None
    for category, question in _questions(bank):
        if category != current:
            current = category
            entry = ET.SubElement(ET.SubElement(quiz, "question", type="category"), "category")
            ET.SubElement(entry, "text").text = f"$course$/top/{category}"
        _moodle(quiz, question)
    ET.indent(quiz, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(quiz, encoding="unicode") + "\n"


def to_gift(bank: Bank) -> str:
    """A bank as GIFT."""
    parts, current = [], None
    for category, question in _questions(bank):
        if category != current:
            current = category
            parts.append(f"$CATEGORY: $course$/top/{category}")
        body = "\n".join(_gift(question))
        parts.append(
            f"::{_escape(question.id)}::[html]{_gift_text(question.prompt)}{_escape(_code(question))} {{\n{body}\n}}"
        )
    return "\n\n".join(parts) + "\n"


def _questions(bank: Bank) -> Iterator[tuple[str, Any]]:
    """Category and question; each variant is a question, in a category of their own. Names of variants count from 1."""
    chapter = f"{COURSE}/{bank.chapter} {bank.title}"
    for question in bank.questions:
        if isinstance(question, Predict):
            continue
        if question.variants == 1:
            yield chapter, question.variant(0)
            continue
        for number in range(question.variants):
            variant = question.variant(number)
            yield f"{chapter}/{question.id}", variant.model_copy(update={"id": f"{question.id}-{number + 1}"})


def _formulas(text: str) -> str:
    return re.sub(r"(?<!\$)\$([^$\n]+?)\$(?!\$)", r"\\(\1\\)", text)


def _html(text: str) -> str:
    return _formulas(to_html(text, inline=True))


def _plain(text: str) -> str:
    """Text where a format takes no HTML."""
    return _formulas(text.replace("`", ""))


def _spellings(axes: tuple[str, ...]) -> list[str]:
    """Ways to type one shape."""
    tight, loose = ",".join(axes), ", ".join(axes)
    return list(
        dict.fromkeys(f"{a}{body}{b}" for (a, b), body in itertools.product(("()", "  ", "[]"), (loose, tight)))
    )


def _shape_answers(question: Shape) -> list[tuple[str, int, str]]:
    """Spelling, percentage and feedback of every answer that is known."""
    known = [(question.answer, 100, question.why), *((slip.value, 0, slip.why) for slip in question.slips)]
    return [(spelling.strip(), score, why) for axes, score, why in known for spelling in _spellings(axes)]


def _shares(question: MultipleChoice) -> list[str]:
    """Percentage of each option: right ones share 100, wrong ones share -100."""
    right = len(question.answer)
    wrong = len(question.options) - right
    return [f"{100 / right:.7g}" if option.correct else f"{-100 / wrong:.7g}" for option in question.options]


def _options(question: Any) -> tuple[Option, ...]:
    """What can be chosen: the options, of a hunt its lines."""
    if not isinstance(question, Hunt):
        return question.options
    return tuple(
        Option(text=f"Line {line}: `{text.strip()}`", why=question.says_of(line), correct=line == question.wrong)
        for line, text in enumerate(question.lines, 1)
        if question.holds_code(line)
    )


def _code(question: Any) -> str:
    """The numbered code of a hunt as HTML of one line, of any other question nothing."""
    if not isinstance(question, Hunt):
        return ""
    lines = (html.escape(f"{line:2}  {text}", quote=False) for line, text in enumerate(question.lines, 1))
    return f"<p><code>{'<br>'.join(line.replace(' ', '&nbsp;') for line in lines)}</code></p>"


def _bug_explained(question: Hunt) -> str:
    """The mended line, and the symptom."""
    symptom = next(option for option in question.options if option.correct)
    return f"Mended: `{question.mended}`. {question.symptom} {symptom.text}: {symptom.why}"


def _order_explained(question: Order) -> str:
    """Each item with its place, and why."""
    return " ".join(f"{place}. {item.text}: {item.why}" for place, item in enumerate(question.items, 1))


def _pairs_explained(question: Match) -> str:
    """Each pair, and why."""
    return " ".join(f"{pair.left} → {pair.right}: {pair.why}" for pair in question.pairs)


# ------------------------------------------------------------------------------------- Moodle XML


def _moodle(quiz: ET.Element, question: Any) -> None:
    kinds = {
        "single": "multichoice", "multiple": "multichoice", "hunt": "multichoice", "numeric": "numerical",
        "shape": "shortanswer",
    }  # fmt: skip
    entry = ET.SubElement(quiz, "question", type=kinds.get(question.kind, "matching"))
    ET.SubElement(ET.SubElement(entry, "name"), "text").text = question.id
    prompt = to_html(question.prompt, where="@@PLUGINFILE@@/{}".format) + _code(question)
    asked = _block(entry, "questiontext", prompt, raw=True)
    for _, name in PICTURE.findall(question.prompt):
        file = ET.SubElement(asked, "file", name=name, path="/", encoding="base64")
        file.text = base64.b64encode(picture(name)).decode()
    feedback = f"Where to reread: {question.section}."
    if isinstance(question, Order):
        feedback += " " + _order_explained(question)
    if isinstance(question, Match):
        feedback += " " + _pairs_explained(question)
    if isinstance(question, Hunt):
        feedback += " " + _bug_explained(question)
    _block(entry, "generalfeedback", feedback)
    ET.SubElement(entry, "defaultgrade").text = "1"
    if isinstance(question, Numeric):
        for value, score, why in _numbers(question):
            answer = _answer(entry, value, score, why)
            ET.SubElement(answer, "tolerance").text = "0" if value == "*" else f"{question.tolerance:g}"
    elif isinstance(question, Shape):
        ET.SubElement(entry, "usecase").text = "0"
        for value, score, why in [*_shape_answers(question), ("*", 0, question.otherwise)]:
            _answer(entry, value, score, why)
    elif isinstance(question, Order):
        _pairs(entry, [(item.text, str(place)) for place, item in enumerate(question.items, 1)])
    elif isinstance(question, Match):
        _pairs(entry, [*((pair.left, pair.right) for pair in question.pairs), *(("", s.text) for s in question.spare)])
    else:
        one = not isinstance(question, MultipleChoice)
        ET.SubElement(entry, "single").text = "true" if one else "false"
        hunt = isinstance(question, Hunt)  # its lines stay in their order, and have numbers
        ET.SubElement(entry, "shuffleanswers").text = "false" if hunt else "true"
        ET.SubElement(entry, "answernumbering").text = "none" if hunt else "ABCD"
        options = _options(question)
        scores = [100 if o.correct else 0 for o in options] if one else _shares(question)
        for option, score in zip(options, scores, strict=True):
            _answer(entry, _html(option.text), score, option.why, form="html")


def _numbers(question: Numeric) -> list[tuple[str, int, str]]:
    slips = [(f"{slip.value:.12g}", 0, slip.why) for slip in question.slips]
    return [(f"{question.answer:.12g}", 100, question.why), *slips, ("*", 0, question.otherwise)]


def _block(parent: ET.Element, name: str, text: str, raw: bool = False) -> ET.Element:
    block = ET.SubElement(parent, name, format="html")
    ET.SubElement(block, "text").text = _formulas(text) if raw else _html(text)
    return block


def _answer(parent: ET.Element, text: str, score: int | str, why: str, form: str = "plain_text") -> ET.Element:
    answer = ET.SubElement(parent, "answer", fraction=str(score), format=form)
    ET.SubElement(answer, "text").text = text
    _block(answer, "feedback", why)
    return answer


def _pairs(parent: ET.Element, pairs: list[tuple[str, str]]) -> None:
    ET.SubElement(parent, "shuffleanswers").text = "true"
    for left, right in pairs:
        sub = ET.SubElement(parent, "subquestion", format="html")
        ET.SubElement(sub, "text").text = _html(left)
        ET.SubElement(ET.SubElement(sub, "answer"), "text").text = _plain(right)


# ------------------------------------------------------------------------------------------- GIFT


def _gift(question: Any) -> list[str]:
    if isinstance(question, Numeric):
        lines = ["#"]
        for value, score, why in _numbers(question)[:-1]:
            mark = "=" if score else "=%0%"
            lines.append(f"{mark}{value}:{question.tolerance:g}#{_gift_text(why)}")
        return [*lines, f"####{_gift_text(question.otherwise)}"]  # not every reader of GIFT knows a catch-all here
    if isinstance(question, Shape):
        known = [
            f"={'' if score else '%0%'}{_escape(spelling)}#{_gift_text(why)}"
            for spelling, score, why in _shape_answers(question)
        ]
        return [*known, f"=%0%*#{_gift_text(question.otherwise)}"]
    if isinstance(question, Order):
        steps = [f"={_gift_text(item.text)} -> {place}" for place, item in enumerate(question.items, 1)]
        return [*steps, f"####{_gift_text(_order_explained(question))}"]
    if isinstance(question, Match):
        pairs = [f"={_gift_text(pair.left)} -> {_escape(_plain(pair.right))}" for pair in question.pairs]
        spare = [f"= -> {_escape(_plain(spare.text))}" for spare in question.spare]
        return [*pairs, *spare, f"####{_gift_text(_pairs_explained(question))}"]
    options = _options(question)
    if isinstance(question, MultipleChoice):
        marks = [f"~%{share}%" for share in _shares(question)]
    else:
        marks = ["=" if option.correct else "~" for option in options]
    lines = [
        f"{mark}{_gift_text(option.text)}#{_gift_text(option.why)}" for mark, option in zip(marks, options, strict=True)
    ]
    return [*lines, f"####{_gift_text(_bug_explained(question))}"] if isinstance(question, Hunt) else lines


def _gift_text(text: str) -> str:
    """HTML on one line, with what GIFT reads as its own signs escaped."""
    return _escape(" ".join(_html(text).split()))


def _escape(text: str) -> str:
    return re.sub(r"([\\~=#{}:])", r"\\\1", text)
