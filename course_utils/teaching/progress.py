"""What a learner has answered: one SQLite file in their own folder, safe with several notebooks open.

Every attempt is a row; nothing is ever overwritten or deleted. Whatever is wrong with the file or the
folder costs a warning, never an exception and never an earlier answer: a damaged file is moved aside, a
file of a newer course is left alone, and where nothing can be written the session remembers in memory.
The learner keeps one name through all of it, unless the damage took it: the numbers of their questions depend on it.
"""

import contextlib
import csv
import datetime
import functools
import getpass
import hashlib
import html
import io
import json
import os
import pathlib
import platform
import re
import sqlite3
import time
import unicodedata
import uuid
import warnings
from typing import Any, Literal, NamedTuple

from ..runtime import PACKAGE, home, private_folder, shortened

VERSION = 2  # 1 had no learner
KEPT_AT_MOST = 10_000  # signs of one answer
PATIENCE = 10.0  # seconds to wait for a file that another kernel writes
Kind = Literal["quiz", "predict", "hunt", "exercise"]
_COLUMNS = {
    "id": "INTEGER PRIMARY KEY",
    "at": "TEXT NOT NULL",  # UTC, ISO 8601
    "chapter": "TEXT NOT NULL",  # ch00
    "kind": "TEXT NOT NULL",  # one of `Kind`
    "item": "TEXT NOT NULL",  # the question's or exercise's id
    "objective": "TEXT NOT NULL",
    "answer": "TEXT NOT NULL",  # JSON
    "correct": "INTEGER",  # 1, 0, or NULL: not known yet (a prediction)
}
_CREATE = f"CREATE TABLE attempts ({', '.join(f'{name} {kind}' for name, kind in _COLUMNS.items())})"
_CREATE_LEARNER = "CREATE TABLE learner (id TEXT NOT NULL)"  # one row: a random name, which tells files apart


class Attempt(NamedTuple):
    """One answer to one question or exercise."""

    at: str
    chapter: str
    kind: str
    item: str
    objective: str
    answer: Any
    correct: bool | None


def _attempt(row: tuple) -> Attempt | None:
    """A row of the table; None for one that another program has spoiled."""
    try:
        if not all(isinstance(text, str) for text in row[:6]):
            return None
        return Attempt(*row[:5], answer=json.loads(row[5]), correct=None if row[6] is None else bool(row[6]))
    except (ValueError, TypeError, RecursionError):
        return None


def _name_learner(connection: sqlite3.Connection, name: str) -> None:
    connection.execute(_CREATE_LEARNER)
    connection.execute("INSERT INTO learner VALUES (?)", (name or uuid.uuid4().hex,))


def _user() -> str:
    """A name for a learner without a file: of this user on this machine it is the same every time."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        user = ""
    who = f"{PACKAGE}:{user}@{platform.node()}"
    return hashlib.sha256(who.encode(errors="replace")).hexdigest()[:32]


def harmless(cell: Any) -> Any:
    """A cell of a table that no spreadsheet takes for a formula, nor any part of it after a sign that may end a cell or a row."""
    if not isinstance(cell, str) or _is_number(cell):
        return cell
    if cell.startswith(("\t", "\r")):
        cell = "'" + cell
    first, *others = re.split("(?<=[;\t\r\n])", cell)
    begins = _begins_a_formula(cell)
    return ("'" if begins else "") + first + "".join("'" * _begins_a_formula(part) + part for part in others)


def _begins_a_formula(text: str) -> bool:
    """Is the first sign to be seen one of a formula? Spreadsheets skip spaces, and some read signs in full width."""
    seen = next((sign for sign in text if unicodedata.category(sign)[0] not in "CZ"), "")
    return unicodedata.normalize("NFKC", seen).startswith(("=", "+", "-", "@"))


def _is_number(text: str) -> bool:
    """A negative number is only a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


class Progress:
    """The attempts kept in one file. `persistent` is False where they live only as long as the kernel.

    `learner`: a random name for this file, which tells learners apart and says nothing about them; where there is no
    file, one made from the names of user and machine.
    """

    def __init__(self, path: pathlib.Path | str | None = None):
        self.path = pathlib.Path(path) if path else home() / "progress.sqlite"
        self.persistent = True
        self.learner = ""
        self._connection = self._open()
        self.learner = self.learner or _user()

    def record(
        self, chapter: str, kind: Kind, item: str, answer: Any, correct: bool | None, objective: str = ""
    ) -> None:
        """Add an attempt. A disk that fails meanwhile costs a warning; the session goes on in memory."""
        stored = json.dumps(answer)
        if len(stored) > KEPT_AT_MOST:
            stored = json.dumps(shortened(stored, KEPT_AT_MOST))
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        row = (at, chapter, kind, item, objective, stored, None if correct is None else int(correct))
        for _ in range(2):
            try:
                with self._connection:
                    self._connection.execute(
                        f"INSERT INTO attempts ({', '.join(list(_COLUMNS)[1:])}) VALUES (?,?,?,?,?,?,?)",
                        row,
                    )
                return
            except sqlite3.Error as error:
                self._connection = self._in_memory(f"{self.path} cannot be written ({error})")

    def attempts(self, chapter: str | None = None, item: str | None = None) -> list[Attempt]:
        """Attempts in the order they were made, all or of one chapter or item."""
        query = "SELECT at, chapter, kind, item, objective, answer, correct FROM attempts WHERE 1=1"
        values = []
        for column, value in (("chapter", chapter), ("item", item)):
            if value is not None:
                query += f" AND {column} = ?"
                values.append(value)
        try:
            rows = self._connection.execute(query + " ORDER BY id", values).fetchall()
        except sqlite3.Error as error:
            self._connection = self._in_memory(f"{self.path} cannot be read ({error})")
            return []
        return [attempt for attempt in map(_attempt, rows) if attempt is not None]

    def latest(self, question: str) -> Attempt | None:
        """The last answer to a question, or None. What was checked in an exercise of the same id is no answer to it."""
        attempts = [attempt for attempt in self.attempts(item=question) if attempt.kind != "exercise"]
        return attempts[-1] if attempts else None

    # ------------------------------------------------------------------------------------ export

    def to_json(self) -> str:
        """Every attempt, with the learner's random name, as JSON."""
        rows = [{**attempt._asdict(), "learner": self.learner} for attempt in self.attempts()]
        return json.dumps({"version": VERSION, "learner": self.learner, "attempts": rows}, indent=1, ensure_ascii=False)

    def to_csv(self) -> str:
        """Every attempt as a row of a table; answers as JSON. A cell that a spreadsheet might run is quoted with '."""
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\r\n")
        table.writerow(["learner", *Attempt._fields])
        for attempt in self.attempts():
            correct = "" if attempt.correct is None else int(attempt.correct)
            answer = json.dumps(attempt.answer, ensure_ascii=False)
            table.writerow(harmless(cell) for cell in (self.learner, *attempt[:5], answer, correct))
        return out.getvalue()

    # ------------------------------------------------------------------------------------ opening

    def _open(self) -> sqlite3.Connection:
        try:
            private_folder(self.path.parent)
            self._begin()
            return self._connect()
        except sqlite3.OperationalError as error:  # locked, read-only, no such folder
            return self._in_memory(f"{self.path} cannot be written ({error})")
        except sqlite3.DatabaseError as error:
            return self._set_aside(error)
        except (OSError, ValueError) as error:  # no such folder, a name too long, a NUL in it
            return self._in_memory(f"{self.path.parent} cannot be written ({error})")

    def _begin(self) -> None:
        """Make the file, readable by its owner alone; one that exists keeps its rights."""
        if not self.path.exists():
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=PATIENCE, check_same_thread=False)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        try:
            with connection:
                # One transaction: another kernel sees either no table or all of it.
                connection.execute("BEGIN IMMEDIATE")
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version <= VERSION:
                    self._prepare(connection, version)
            if version <= VERSION:
                self._recognise(connection)
        except sqlite3.Error:
            connection.close()
            raise
        if version > VERSION:
            connection.close()
            return self._in_memory(
                f"{self.path} was written by a newer version of this course and is left alone", copy=False
            )
        return connection

    def _prepare(self, connection: sqlite3.Connection, version: int) -> None:
        """Create the table in an empty file; raise where the file is damaged or not ours."""
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if not tables and version == 0:
            connection.execute(_CREATE)
            _name_learner(connection, self.learner)
        else:
            columns = [row[1] for row in connection.execute("PRAGMA table_info(attempts)")]
            if version < 1 or columns != list(_COLUMNS) or (version > 1 and "learner" not in tables):
                raise sqlite3.DatabaseError("it was not written by this course")
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("its check fails")
            if version == 1:
                _name_learner(connection, self.learner)
        # Always: sqlite opens a file that is read-only, and refuses the first write.
        connection.execute(f"PRAGMA user_version = {VERSION}")

    def _recognise(self, connection: sqlite3.Connection) -> None:
        """Take over the learner's name from a file, where it holds one that this course has given."""
        row = connection.execute("SELECT id FROM learner").fetchone()
        if row and not self.learner and re.fullmatch("[0-9a-f]{32}", str(row[0])):
            self.learner = str(row[0])

    def _set_aside(self, error: Exception) -> sqlite3.Connection:
        """Move a damaged file away under a name that says so, and begin a new one."""
        stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        aside = self.path.with_name(f"{self.path.stem}.damaged-{stamp}{self.path.suffix}")
        guard = self.path.with_suffix(".mending")
        try:
            try:
                guard.touch(exist_ok=False)  # one kernel mends, the others wait for it
            except FileExistsError:
                time.sleep(1)
                guard.unlink(missing_ok=True)  # left by a kernel that died meanwhile
                return self._connect()
            try:
                return self._connect()  # another kernel has mended it already
            except sqlite3.DatabaseError:
                with contextlib.suppress(sqlite3.Error, OSError, ValueError), self._reading() as damaged:
                    self._recognise(damaged)
                self.path.rename(aside)
                self._begin()
                connection = self._connect()
            finally:
                guard.unlink(missing_ok=True)
        except (OSError, sqlite3.Error) as again:
            return self._in_memory(f"{self.path} is damaged ({error}) and cannot be moved aside ({again})", copy=False)
        warnings.warn(
            f"Your progress file cannot be used: it is damaged or foreign ({error}). "
            f"It is kept as {aside.name}; a new one has begun.",
            stacklevel=5,
        )
        return connection

    def _in_memory(self, reason: str, copy: bool = True) -> sqlite3.Connection:
        warnings.warn(f"{reason}. Your answers are remembered only until the kernel stops.", stacklevel=5)
        self.persistent = False
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        memory.execute(_CREATE)
        with contextlib.suppress(sqlite3.Error, OSError, ValueError), self._reading() as earlier:
            with contextlib.suppress(sqlite3.Error):  # files of the first version name nobody
                self._recognise(earlier)
            if copy:
                rows = earlier.execute(f"SELECT {', '.join(_COLUMNS)} FROM attempts").fetchall()
                with memory:
                    memory.executemany("INSERT INTO attempts VALUES (?,?,?,?,?,?,?,?)", rows)
        return memory

    def _reading(self) -> contextlib.closing[sqlite3.Connection]:
        return contextlib.closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.5))


@functools.cache
def _progress_at(path: pathlib.Path) -> Progress:
    return Progress(path)


def progress() -> Progress:
    """The learner's progress: the file in `COURSE_HOME`, else in the user's data folder."""
    return _progress_at((home() / "progress.sqlite").absolute())


class Overview:
    """A table of the answers so far, one row a chapter."""

    columns = (
        "chapter",
        "questions answered",
        "right at first try",
        "right now",
        "predictions",
        "exercises solved",
    )

    def __init__(self, attempts: list[Attempt], persistent: bool):
        self.persistent = persistent
        self.rows = []
        chapters: dict[str, dict[tuple[str, str], list[Attempt]]] = {}
        for attempt in attempts:
            chapters.setdefault(attempt.chapter, {}).setdefault((attempt.kind, attempt.item), []).append(attempt)
        for chapter, items in sorted(chapters.items()):
            asked = [tries for (kind, _), tries in items.items() if kind in ("quiz", "hunt")]
            solved = [tries for (kind, _), tries in items.items() if kind == "exercise"]
            self.rows.append(
                (
                    chapter,
                    len(asked),
                    sum(tries[0].correct is True for tries in asked),
                    sum(tries[-1].correct is True for tries in asked),
                    sum(kind == "predict" for kind, _ in items),
                    sum(any(attempt.correct for attempt in tries) for tries in solved),
                )
            )

    def __repr__(self) -> str:
        if not self.rows:
            return "Nothing answered yet. Answers to quizzes, predictions and exercises will be counted here."
        lines = [
            f"{row[0]}: " + ", ".join(f"{name} {n}" for name, n in zip(self.columns[1:], row[1:], strict=True))
            for row in self.rows
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<p>{self!r}</p>"
        head = "".join(f"<th scope='col'>{name}</th>" for name in self.columns)
        cells = ("".join(f"<td>{html.escape(str(value))}</td>" for value in row) for row in self.rows)
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        return f"<table><caption>Your progress</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def my_progress() -> Overview:
    """What you have answered so far, chapter by chapter."""
    mine = progress()
    return Overview(mine.attempts(), mine.persistent)
