"""A class: learners' exported progress files in one table, and what a teacher reads in it. Nothing is run or changed."""

import csv
import io
import json
import pathlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..runtime import CourseError, InvalidInput, asset
from .bank import Bank, Match, MultipleChoice, Numeric, Order, SingleChoice, bank
from .grading import normal
from .progress import VERSION, Attempt, harmless

MOST_NAMES = 12  # in one cell of a report


class ProgressFileError(CourseError):
    """A file that is not somebody's exported progress; the message names the file and the reason."""


class Answer(NamedTuple):
    """One attempt of one learner; `who` is the name of the file that it came in."""

    who: str
    learner: str
    attempt: Attempt


def read_class(paths: Sequence[pathlib.Path | str]) -> tuple[dict[str, list[Answer]], list[ProgressFileError]]:
    """The answers in every file that can be read, by who gave them, and what is wrong with the others.

    Files of one name (`ada/progress.json`, `bob/progress.json`) are told apart by their folders.
    """
    paths = [pathlib.Path(path) for path in paths]
    stems = Counter(path.stem for path in paths)
    found, faults = {}, []
    for path in paths:
        who = path.stem if stems[path.stem] == 1 else f"{path.parent.name}/{path.stem}"
        while who in found:
            who += "'"
        try:
            found[who] = [answer._replace(who=who) for answer in read_progress(path)]
        except ProgressFileError as error:
            faults.append(error)
    return found, faults


def read_progress(path: pathlib.Path | str) -> list[Answer]:
    """The attempts in a file that `course progress export` wrote, JSON or CSV; `ProgressFileError` says what is wrong."""
    path = pathlib.Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ProgressFileError(f"{path} cannot be read: {error}") from None
    except UnicodeDecodeError:
        raise ProgressFileError(
            f"{path.name} is no text: send the file that `course progress export` writes, not progress.sqlite."
        ) from None
    try:
        rows = _from_json(text) if text.lstrip().startswith("{") else _from_csv(text)
        json.dumps(rows, ensure_ascii=False).encode()  # half of a surrogate pair could be written nowhere
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise ProgressFileError(f"{path.name} is damaged, or is no exported progress ({error}).") from None
    return [Answer(path.stem, learner, attempt) for learner, attempt in rows]


def _from_json(text: str) -> list[tuple[str, Attempt]]:
    found = json.loads(text)
    if found["version"] > VERSION:
        raise ValueError(f"it is of version {found['version']}, this course reads up to {VERSION}: update the course")
    return [
        (str(found["learner"]), _attempt({name: row[name] for name in Attempt._fields})) for row in found["attempts"]
    ]


def _from_csv(text: str) -> list[tuple[str, Attempt]]:
    table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    wanted = ["learner", *Attempt._fields]
    if table.fieldnames != wanted:
        raise ValueError(f"its first line is not {','.join(wanted)}")
    known = {"": None, "0": False, "1": True}
    rows = []
    for row in table:
        if None in row or None in row.values():
            raise ValueError(f"line {table.line_num} has not {len(wanted)} cells")
        plain = {name: cell.removeprefix("'") for name, cell in row.items()}
        answer, correct = json.loads(plain["answer"]), known[plain["correct"]]
        attempt = _attempt({**{name: plain[name] for name in Attempt._fields}, "answer": answer, "correct": correct})
        rows.append((plain["learner"], attempt))
    return rows


def _attempt(fields: dict[str, Any]) -> Attempt:
    attempt = Attempt(**fields)
    if not all(isinstance(text, str) for text in attempt[:5]) or attempt.correct not in (None, True, False):
        raise ValueError(f"an attempt reads {str(fields)[:80]}")
    return attempt


def table(answers: Iterable[Answer]) -> str:
    """All attempts of all learners as CSV, one a row; no cell is a formula to a spreadsheet."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["who", "learner", *Attempt._fields])
    for who, learner, attempt in answers:
        known = "" if attempt.correct is None else int(attempt.correct)
        answer = json.dumps(attempt.answer, ensure_ascii=False)
        rows.writerow(harmless(cell) for cell in (who, learner, *attempt[:5], answer, known))
    return out.getvalue()


def report(answers: Mapping[str, Sequence[Answer]]) -> str:
    """A class report in Markdown, from the answers of each learner.

    For each chapter and objective: how many answers were right at the first try and are now, who has one that is not,
    and the wrong answer most given; and who has not begun.
    """
    known = {path.stem for path in asset("quizzes").glob("*.yaml")}
    lines = [f"# Class report: {len(answers)} learner{'s' * (len(answers) != 1)}"]
    owners: dict[str, list[str]] = {}
    for who, given in answers.items():
        for learner in {answer.learner for answer in given}:
            owners.setdefault(learner, []).append(who)
    for names in owners.values():
        if len(names) > 1:
            lines += ["", f"From one and the same learner, each counted: {_names(names)}."]
    every = [answer for given in answers.values() for answer in given]
    for chapter in sorted({answer.attempt.chapter for answer in every}):
        here = [answer for answer in every if answer.attempt.chapter == chapter]
        if chapter in known:
            lines += _chapter(bank(chapter), here, set(answers))
        else:
            lines += ["", f"## {_said(chapter)}", "", "No chapter of this course; its answers are in the table only."]
    return "\n".join(lines) + "\n"


def _chapter(found: Bank, answers: list[Answer], everyone: set[str]) -> list[str]:
    here = {answer.who for answer in answers}
    lines = ["", f"## {found.chapter} · {found.title}", "", f"Begun by {len(here)} of {len(everyone)}."]
    if everyone - here:
        lines += ["", f"Not begun: {_names(everyone - here)}."]
    lines += [
        "",
        "| objective | first try right | right now | not yet | wrong answer most given |",
        "|---|---|---|---|---|",
    ]
    for name, objective in found.objectives.items():
        tries: dict[tuple[str, str, str], list[Attempt]] = {}
        for who, _, attempt in answers:
            if attempt.objective == name and attempt.kind != "predict":
                tries.setdefault((who, attempt.kind, attempt.item), []).append(attempt)
        total = len(tries)
        first = sum(attempts[0].correct is True for attempts in tries.values())
        now = sum(attempts[-1].correct is True for attempts in tries.values())
        stuck = {who for (who, *_), attempts in tries.items() if attempts[-1].correct is not True}
        lines.append(
            f"| {_cell(objective)} | {first} of {total} | {now} of {total} | {_names(stuck) or '–'} | {_most(found, tries)} |"
        )
    guessed = [
        answer.attempt for answer in answers if answer.attempt.kind == "predict" and answer.attempt.correct is not None
    ]
    if guessed:
        lines += ["", f"Predictions: {sum(bool(attempt.correct) for attempt in guessed)} of {len(guessed)} came true."]
    return lines


def _most(found: Bank, tries: Mapping[tuple[str, str, str], list[Attempt]]) -> str:
    """The wrong answer most given, in words, with its question and how many learners gave it."""
    wrong = Counter(
        (kind, item, answer)
        for (_, kind, item), attempts in tries.items()
        for answer in {json.dumps(attempt.answer) for attempt in attempts if attempt.correct is False}
    )
    if not wrong:
        return "–"
    (kind, item, answer), count = min(wrong.items(), key=lambda pair: (-pair[1], pair[0]))
    given = json.loads(answer)
    said = _said(str(given)) if kind == "exercise" else _in_words(found, item, given)
    return f"{kind} {_said(item)}: {said} ({count})"


def _in_words(found: Bank, item: str, answer: Any) -> str:
    """An answer as its learner saw it; of questions that this course does not have, as it is kept."""
    question: Any = next((question for question in found.questions if question.id == item), None)
    if question is None:
        return _said(str(answer))
    try:
        if isinstance(answer, dict):  # numbers of one's own
            question, answer = question.variant(answer["variant"]), answer["answer"]
        answer = normal(question, answer)
        if isinstance(question, (SingleChoice, MultipleChoice)):
            chosen = answer if isinstance(answer, list) else [answer]
            return " and ".join(f"“{_cell(question.options[i].text)}”" for i in chosen)
        if isinstance(question, Order):
            return " → ".join(_cell(question.items[i].text) for i in answer)
        if isinstance(question, Match):
            pairs = zip(question.pairs, answer, strict=True)
            return "; ".join(f"{_cell(pair.left)} → {_cell(question.rights[i])}" for pair, i in pairs)
        if isinstance(question, Numeric):
            return f"{answer:.6g}"
    except (InvalidInput, KeyError, TypeError):
        pass
    return _said(str(answer))


def _names(names: Iterable[str]) -> str:
    """Some names in order; of many, how many more there are: the table has them all."""
    ordered = sorted(names)
    more = len(ordered) - MOST_NAMES
    return ", ".join(map(_said, ordered[:MOST_NAMES])) + (f" and {more} more" if more > 0 else "")


def _said(text: str) -> str:
    """What a learner wrote, as mere text of a Markdown table."""
    return re.sub(r"([\\`*_\[\]!|$#&<>~])", r"\\\1", " ".join(text.split()))


def _cell(text: str) -> str:
    """A text of the bank, in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
