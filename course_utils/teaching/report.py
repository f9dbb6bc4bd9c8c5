"""A class: learners' exported progress files in one table, and what a teacher reads in it. Nothing is run or changed."""

import csv
import io
import json
import pathlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..runtime import CourseError, InvalidInput, asset, shortened, shown
from .bank import Bank, Hunt, Match, MultipleChoice, Numeric, Order, SingleChoice, bank
from .grading import normal
from .progress import VERSION, Attempt, Overview, harmless

MOST_BYTES = 20_000_000  # of one learner's file; ten answers to each question of the course make half a million
MOST_SIGNS = 200  # of a learner's text in a cell of a report
MOST_NAMES = 12  # in one cell of a report
_AS_WRITTEN = "send the file as `course progress export` wrote it"


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
    answers, faults = {}, []
    for path, who in zip(paths, _distinct_names(paths), strict=True):
        try:
            answers[who] = [answer._replace(who=who) for answer in read_progress(path)]
        except ProgressFileError as error:
            faults.append(error)
    return answers, faults


def _distinct_names(paths: Sequence[pathlib.Path]) -> list[str]:
    """A name for each file: its own, with as many of its folders as tell it apart from the others."""
    locations = [path.with_suffix("").parts for path in map(pathlib.Path.absolute, paths)]
    ends = Counter(parts[-n:] for parts in locations for n in range(1, len(parts) + 1))
    names: list[str] = []
    repeated = Counter()
    for parts in locations:
        unique = next((n for n in range(1, len(parts) + 1) if ends[parts[-n:]] == 1), 2)  # 2: the same file twice
        name = "/".join(parts[-unique:]).encode(errors="replace").decode()  # another system's file name may be no text
        repeated[name] += 1
        names.append(name if repeated[name] == 1 else f"{name} ({repeated[name]})")
    return names


def read_progress(path: pathlib.Path | str) -> list[Answer]:
    """The attempts in a file that `course progress export` wrote, JSON or CSV; `ProgressFileError` says what is wrong."""
    path = pathlib.Path(path)
    try:
        if path.is_file() and (size := path.stat().st_size) > MOST_BYTES:
            raise ProgressFileError(
                f"{path.name} holds {size / 1e6:.0f} MB, more than anybody answers: is it what `course progress export` writes?"
            )
        raw = path.read_bytes()
        text = raw.decode(json.detect_encoding(raw))  # PowerShell's `>` writes UTF-16
    except OSError as error:
        raise ProgressFileError(f"{path} cannot be read: {error}") from None
    except UnicodeDecodeError:
        raise ProgressFileError(
            f"{path.name} is no text: send the file that `course progress export` writes, not progress.sqlite."
        ) from None
    try:
        rows = _from_json(text) if text.lstrip().startswith("{") else _from_csv(text)
        json.dumps(rows, ensure_ascii=False).encode()  # half of a surrogate pair could be written nowhere
    except (ValueError, RecursionError, csv.Error) as error:
        raise ProgressFileError(f"{path.name} is damaged, or is no exported progress ({error}).") from None
    return [Answer(path.stem, learner, attempt) for learner, attempt in rows]


def holds_answers(path: pathlib.Path) -> bool:
    """Are these a learner's answers, damaged ones too, rather than something that `course progress class` wrote?"""
    if not path.is_file():  # a terminal or a pipe would wait to be fed
        return False
    try:
        begin = path.read_bytes()[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return False
    return begin.startswith((b"{", b"learner,", b"SQLite format", b"\xff\xfe", b"\xfe\xff"))


def _from_json(text: str) -> list[tuple[str, Attempt]]:
    exported = json.loads(text)
    for name, kind, words in (
        ("version", int, "a whole number"),
        ("learner", str, "text"),
        ("attempts", list, "a list"),
    ):
        if name not in exported:
            raise ValueError(f"`{name}` is missing: {_AS_WRITTEN}")
        if not isinstance(exported[name], kind) or isinstance(exported[name], bool):
            raise ValueError(f"`{name}` is {shown(exported[name], 40)}; it is {words}: {_AS_WRITTEN}")
    if (version := exported["version"]) > VERSION:
        raise ValueError(f"it is of version {version}, this course reads up to {VERSION}: update the course")
    attempts = (_attempt(row, f"attempt {number}") for number, row in enumerate(exported["attempts"], 1))
    return [(exported["learner"], attempt) for attempt in attempts]


def _from_csv(text: str) -> list[tuple[str, Attempt]]:
    table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    wanted = ["learner", *Attempt._fields]
    if table.fieldnames != wanted:
        raise ValueError(f"its first line is not {','.join(wanted)}: {_AS_WRITTEN}")
    verdicts = {"": None, "0": False, "1": True}
    rows = []
    for row in table:
        if None in row or None in row.values():
            raise ValueError(f"line {table.line_num} has not {len(wanted)} cells")
        cells = {name: cell.removeprefix("'") for name, cell in row.items()}
        if cells["correct"] not in verdicts:
            raise ValueError(f"line {table.line_num}: `correct` is {shown(cells['correct'], 40)}; it is 1, 0 or empty")
        try:
            answer = json.loads(cells["answer"])
        except ValueError:
            raise ValueError(f"line {table.line_num}: `answer` is {shown(cells['answer'], 40)}; it is JSON") from None
        learner, correct = cells.pop("learner"), verdicts[cells["correct"]]
        rows.append((learner, Attempt(**{**cells, "answer": answer, "correct": correct})))
    return rows


def _attempt(row: Any, where: str) -> Attempt:
    """An attempt of a JSON file; `ValueError` says what is wrong with it and `where` it stands."""
    if not isinstance(row, dict):
        raise ValueError(f"{where} is {shown(row, 40)}; it is an object")
    for name in Attempt._fields:
        if name not in row:
            raise ValueError(f"{where} has no `{name}`")
    attempt = Attempt(*(row[name] for name in Attempt._fields))
    for name, text in zip(Attempt._fields[:5], attempt, strict=False):
        if not isinstance(text, str):
            raise ValueError(f"{where}: `{name}` is {shown(text, 40)}; it is text")
    if attempt.correct is not None and not isinstance(attempt.correct, bool):
        raise ValueError(f"{where}: `correct` is {shown(attempt.correct, 40)}; it is true, false or null")
    return attempt


def table(answers: Iterable[Answer]) -> str:
    """All attempts of all learners as CSV, one a row; no cell is a formula to a spreadsheet."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["who", "learner", *Attempt._fields])
    for who, learner, attempt in answers:
        correct = "" if attempt.correct is None else int(attempt.correct)
        answer = json.dumps(attempt.answer, ensure_ascii=False)
        rows.writerow(harmless(cell) for cell in (who, learner, *attempt[:5], answer, correct))
    return out.getvalue()


def learners(answers: Mapping[str, Sequence[Answer]]) -> str:
    """Each learner's overview as CSV: a row for every chapter of the course, begun or not; no cell is a formula."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["who", "chapter", "begun", *Overview.columns[1:]])
    of_the_course, nothing = _chapters(), (0,) * (len(Overview.columns) - 1)
    for who, of_learner in answers.items():
        overview = Overview([answer.attempt for answer in of_learner], True)
        counts = {chapter: rest for chapter, *rest in overview.rows}
        for chapter in sorted(of_the_course | counts.keys()):
            begun = "yes" if chapter in counts else "no"
            rows.writerow(harmless(cell) for cell in (who, chapter, begun, *counts.get(chapter, nothing)))
    return out.getvalue()


class Tables(NamedTuple):
    """Where a report sends its reader for what it cuts: names of files, or of what makes them."""

    learners: str = "learners(answers)"
    attempts: str = "table(answers)"


def report(answers: Mapping[str, Sequence[Answer]], tables: Tables | None = None) -> str:
    """A class report in Markdown, from the answers of each learner.

    For each chapter and objective: how many answers were right at the first try and are now, how many learners did not
    try, who has an answer that is not right, and the wrong answer most given. Then which mistakes were made in each
    exercise, and who has not begun. Of many names it shows some, and says which `tables` hold all.
    """
    tables = tables or Tables()
    of_the_course = _chapters()
    lines = [f"# Class report: {_count(len(answers))}"]
    if len(answers) > MOST_NAMES:
        lines += [
            "",
            f"Where names are cut: `{tables.learners}` has a row for each learner and chapter, so who has not begun; "
            f"`{tables.attempts}` one for each attempt, with its objective, so whose answers are not right yet.",
        ]
    for names in _sent_twice(answers):
        lines += ["", f"From one and the same learner, each counted: {_names(names)}."]
    by_chapter: dict[str, list[Answer]] = {}
    for of_learner in answers.values():
        for answer in of_learner:
            by_chapter.setdefault(answer.attempt.chapter, []).append(answer)
    for chapter, of_chapter in sorted(by_chapter.items()):
        if chapter in of_the_course:
            lines += _chapter(bank(chapter), of_chapter, set(answers))
        else:
            lines += [
                "",
                f"## {_as_text(chapter)}",
                "",
                "No chapter of this course; its answers are in the table only.",
            ]
    return "\n".join(lines) + "\n"


def _sent_twice(answers: Mapping[str, Sequence[Answer]]) -> list[list[str]]:
    """Names of files that came from one learner, where there are several."""
    owners: dict[str, list[str]] = {}
    for who, of_learner in answers.items():
        for learner in {answer.learner for answer in of_learner}:
            owners.setdefault(learner, []).append(who)
    return [names for names in owners.values() if len(names) > 1]


def _chapter(quiz: Bank, answers: list[Answer], everyone: set[str]) -> list[str]:
    """The lines of a report about one chapter."""
    begun = {answer.who for answer in answers}
    lines = ["", f"## {quiz.chapter} · {quiz.title}", "", f"Begun by {len(begun)} of {len(everyone)}."]
    if everyone - begun:
        lines += ["", f"Not begun: {_names(everyone - begun)}."]
    lines += [
        "",
        "| objective | first try right | right now | not tried | not yet | wrong answer most given |",
        "|---|---|---|---|---|---|",
    ]
    for name, objective in quiz.objectives.items():
        tries: dict[tuple[str, str, str], list[Attempt]] = {}
        for who, _, attempt in answers:
            if attempt.objective == name and attempt.kind != "predict":
                tries.setdefault((who, attempt.kind, attempt.item), []).append(attempt)
        total = len(tries)
        first = sum(attempts[0].correct is True for attempts in tries.values())
        latest = sum(attempts[-1].correct is True for attempts in tries.values())
        stuck = {who for (who, *_), attempts in tries.items() if attempts[-1].correct is not True}
        untried = len(everyone - {who for who, *_ in tries})
        lines.append(
            f"| {_cell(objective)} | {first} of {total} | {latest} of {total} | {_count(untried) if untried else '–'} "
            f"| {_names(stuck) or '–'} | {_most_frequent_mistake(quiz, tries)} |"
        )
    lines += _mistakes(answers)
    outcomes = [answer.attempt.correct for answer in answers if answer.attempt.kind == "predict"]
    known = [correct for correct in outcomes if correct is not None]
    if known:
        lines += ["", f"Predictions: {sum(known)} of {len(known)} came true."]
    return lines


def _mistakes(answers: list[Answer]) -> list[str]:
    """What went wrong in each exercise, and with how many learners, the most frequent first."""
    wrong: dict[str, Counter[str]] = {}
    for _, item, name in {
        (answer.who, answer.attempt.item, str(answer.attempt.answer))
        for answer in answers
        if answer.attempt.kind == "exercise" and answer.attempt.correct is False
    }:
        wrong.setdefault(item, Counter())[name] += 1
    if not wrong:
        return []
    lines = ["", "| exercise | mistakes, and how many learners made them |", "|---|---|"]
    for item, counts in sorted(wrong.items()):
        most_frequent = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_NAMES]
        mistakes = ", ".join(f"{_as_text(name)} ({count})" for name, count in most_frequent)
        lines.append(f"| {_as_text(item)} | {mistakes} |")
    return lines


def _most_frequent_mistake(quiz: Bank, tries: Mapping[tuple[str, str, str], list[Attempt]]) -> str:
    """The wrong answer most given, in words, with its question and how many learners gave it."""
    wrong = Counter(
        (kind, item, answer)
        for (_, kind, item), attempts in tries.items()
        for answer in {json.dumps(attempt.answer) for attempt in attempts if attempt.correct is False}
    )
    if not wrong:
        return "–"
    (kind, item, stored), count = min(wrong.items(), key=lambda pair: (-pair[1], pair[0]))
    answer = json.loads(stored)
    words = _as_text(str(answer)) if kind == "exercise" else _in_words(quiz, item, answer)
    return f"{kind} {_as_text(item)}: {words} ({count})"


def _in_words(quiz: Bank, item: str, answer: Any) -> str:
    """An answer as its learner saw it; to a question that this course does not have, as it is stored."""
    question: Any = next((question for question in quiz.questions if question.id == item), None)
    if question is None:
        return _as_text(str(answer))
    try:
        if isinstance(answer, dict):  # to a variant
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
        if isinstance(question, Hunt):
            line, symptom = answer
            return f"line {line}, “{_cell(question.options[symptom].text)}”"
        if isinstance(question, Numeric):
            return f"{answer:.6g}"
    except (InvalidInput, KeyError, TypeError):
        pass
    return _as_text(str(answer))


def _names(names: Iterable[str]) -> str:
    """Some names in order; of many, how many more there are."""
    ordered = sorted(names)
    more = len(ordered) - MOST_NAMES
    return ", ".join(map(_as_text, ordered[:MOST_NAMES])) + (f" and {more} more" if more > 0 else "")


def _count(number: int) -> str:
    return f"{number} learner{'s' * (number != 1)}"


def _chapters() -> set[str]:
    return {path.stem for path in asset("quizzes").glob("*.yaml")}


def _as_text(text: str) -> str:
    """What a learner wrote, as mere text of a Markdown table."""
    return re.sub(r"([\\`*_\[\]!|$#&<>~])", r"\\\1", " ".join(shortened(text, MOST_SIGNS).split()))


def _cell(text: str) -> str:
    """A text of the bank, in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
