"""A class: learners' exported progress files in one table, and what a teacher reads in it. Nothing is run or changed."""

import csv
import io
import json
import pathlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..runtime import CourseError, asset
from .bank import Bank, Predict, bank
from .progress import VERSION, Attempt, harmless


class ProgressFileError(CourseError):
    """A file that is not somebody's exported progress; the message names the file and the reason."""


class Answer(NamedTuple):
    """One attempt of one learner; `who` is the name of the file that it came in."""

    who: str
    learner: str
    attempt: Attempt


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
    except (ValueError, KeyError, TypeError) as error:
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


def table(answers: Sequence[Answer]) -> str:
    """All attempts of all learners as CSV, one a row; no cell is a formula to a spreadsheet."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["who", "learner", *Attempt._fields])
    for who, learner, attempt in answers:
        known = "" if attempt.correct is None else int(attempt.correct)
        answer = json.dumps(attempt.answer, ensure_ascii=False)
        rows.writerow(harmless(cell) for cell in (who, learner, *attempt[:5], answer, known))
    return out.getvalue()


def report(answers: Sequence[Answer]) -> str:
    """A class report in Markdown: for each chapter and objective how many are right, who is not, and the wrong answer most given."""
    known = {path.stem for path in asset("quizzes").glob("*.yaml")}
    learners = sorted({answer.who for answer in answers})
    lines = [f"# Class report: {len(learners)} learner{'s' * (len(learners) != 1)}"]
    for chapter in sorted({answer.attempt.chapter for answer in answers}):
        if chapter not in known:
            lines += ["", f"## {chapter}", "", "This course has no such chapter; its answers are in the table only."]
            continue
        lines += _chapter(bank(chapter), [answer for answer in answers if answer.attempt.chapter == chapter])
    return "\n".join(lines) + "\n"


def _chapter(found: Bank, answers: list[Answer]) -> list[str]:
    here = sorted({answer.who for answer in answers})
    lines = ["", f"## {found.chapter} · {found.title}", "", f"{len(here)} at work: {', '.join(map(_cell, here))}.", ""]
    lines += [
        "| objective | first try right | right now | not yet | wrong answer most given |",
        "|---|---|---|---|---|",
    ]
    for name, objective in found.objectives.items():
        tries: dict[tuple[str, str], list[Attempt]] = {}
        for who, _, attempt in answers:
            if attempt.objective == name and attempt.kind != "predict":
                tries.setdefault((who, attempt.item), []).append(attempt)
        total = len(tries)
        first = sum(attempts[0].correct is True for attempts in tries.values())
        now = sum(attempts[-1].correct is True for attempts in tries.values())
        open_ = Counter(who for (who, _), attempts in tries.items() if not attempts[-1].correct)
        stuck = ", ".join(
            f"{_cell(who)} ({count})" if count > 1 else _cell(who) for who, count in sorted(open_.items())
        )
        lines.append(
            f"| {_cell(objective)} | {first} of {total} | {now} of {total} | {stuck or '–'} | {_most(found, tries)} |"
        )
    guessed = [
        answer.attempt for answer in answers if answer.attempt.kind == "predict" and answer.attempt.correct is not None
    ]
    if guessed:
        lines += ["", f"Predictions: {sum(bool(attempt.correct) for attempt in guessed)} of {len(guessed)} came true."]
    return lines


def _most(found: Bank, tries: dict[tuple[str, str], list[Attempt]]) -> str:
    """The wrong answer most given, in words, with its question and how many learners gave it."""
    wrong = Counter(
        (item, json.dumps(answer))
        for (_, item), attempts in tries.items()
        for answer in {json.dumps(a.answer): a.answer for a in attempts if a.correct is False}.values()
    )
    if not wrong:
        return "–"
    (item, answer), count = min(wrong.items(), key=lambda pair: (-pair[1], pair[0]))
    return f"{item}: {_cell(_in_words(found, item, json.loads(answer)))} ({count})"


def _in_words(found: Bank, item: str, answer: Any) -> str:
    """An answer as its learner saw it; of questions that this course does not have, as it is kept."""
    question: Any = next((question for question in found.questions if question.id == item), None)
    options = getattr(question, "options", None)
    if options is None or isinstance(question, Predict):
        return str(answer)
    chosen = answer if isinstance(answer, list) else [answer]
    if not all(isinstance(i, int) and 0 <= i < len(options) for i in chosen):
        return str(answer)
    return " and ".join(f"“{options[i].text}”" for i in chosen)


def _cell(text: str) -> str:
    """Text that stays in its cell of a Markdown table, and is no markup in it."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
