import contextlib
import getpass
import json
import os
import pathlib
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import warnings

import pytest

from course_utils.runtime import home
from course_utils.teaching.progress import Attempt, Overview, Progress, harmless, my_progress, progress

pytestmark = pytest.mark.plain

# One learner's answers as version 2 writes them: predictions, some of them revealed, every kind of quiz question with first
# and second tries, a question with variants, exercises with every verdict, a question that is gone. The file, and what it
# exports. They are read for ever; whoever changes the form adds a file of the new one.
STORED = pathlib.Path(__file__).with_name("stored")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.sqlite"


def answer(store, item="ch00-q", value=1, correct=True):
    store.record("ch00", "quiz", item, value, correct, "jax")


def test_what_is_recorded_is_there_after_a_restart(path):
    answer(Progress(path), value={"text": "π", "n": [1, 2]})
    kept = Progress(path).attempts()
    assert len(kept) == 1
    assert kept[0].answer == {"text": "π", "n": [1, 2]}
    assert kept[0].correct is True
    assert kept[0].objective == "jax"


def test_a_progress_file_of_an_earlier_course_is_read_whole_and_goes_on(path):
    shutil.copy(STORED / "answers.sqlite", path)
    wanted = json.loads((STORED / "answers.json").read_text(encoding="utf-8"))
    store = Progress(path)
    assert store.persistent
    assert store.learner == wanted["learner"]
    assert [{**a._asdict(), "learner": store.learner} for a in store.attempts()] == wanted["attempts"]
    assert len(wanted["attempts"]) == 27
    assert {a.kind for a in store.attempts()} == {"quiz", "predict", "exercise"}
    assert {a.correct for a in store.attempts()} == {True, False, None}
    answer(store)
    assert len(Progress(path).attempts()) == 28


def test_nothing_is_overwritten(path):
    store = Progress(path)
    for value in range(5):
        answer(store, value=value, correct=value == 4)
    answer(store, item="ch00-other")
    assert [a.answer for a in store.attempts(item="ch00-q")] == [0, 1, 2, 3, 4]
    assert store.latest("ch00-q").correct
    assert store.latest("nothing") is None
    store.record("ch00", "exercise", "ch00-q", "wrong values", False)  # an exercise may be called as a question is
    assert store.latest("ch00-q").correct
    assert len(store.attempts(chapter="ch00")) == 7
    assert store.attempts(chapter="ch01") == []


def test_two_notebooks_write_at_once(path):
    code = (
        "import sys; from course_utils.teaching.progress import Progress\n"
        "p = Progress(sys.argv[1])\n"
        "for i in range(150): p.record('ch00', 'quiz', sys.argv[2], i, True)\n"
        "assert p.persistent\n"
    )
    command = [sys.executable, "-W", "error::UserWarning", "-c", code, path]
    writers = [subprocess.Popen([*command, f"ch00-w{i}"]) for i in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    store = Progress(path)
    for i in range(3):
        assert [a.answer for a in store.attempts(item=f"ch00-w{i}")] == list(range(150))


@pytest.mark.parametrize("content", [b"not a database at all " * 300, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_set_aside_and_a_new_one_begins(path, content):
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=r"damaged.*kept as progress\.damaged-"):
        store = Progress(path)
    answer(store)
    assert store.persistent
    assert len(Progress(path).attempts()) == 1
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600
    aside = [file for file in path.parent.iterdir() if ".damaged-" in file.name]
    assert [file.read_bytes() for file in aside] == [content]


def test_a_truncated_file_is_set_aside(path):
    store = Progress(path)
    for i in range(500):
        answer(store, value="x" * 200 + str(i))
    store._connection.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 // 4096 * 4096])
    with pytest.warns(UserWarning, match="damaged"):
        answer(Progress(path))
    assert len(Progress(path).attempts()) == 1


def test_the_name_is_kept_where_the_damage_left_it(path):
    store = Progress(path)
    for i in range(500):
        answer(store, value="x" * 200 + str(i))
    store._connection.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:40_960] + b"\xff" * 4096 + whole[45_056:])
    with pytest.warns(UserWarning, match="damaged"):
        assert Progress(path).learner == store.learner
    assert Progress(path).learner == store.learner


def test_a_foreign_database_is_set_aside_and_kept(path):
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE attempts (id INTEGER, grade TEXT)")
        foreign.execute("INSERT INTO attempts VALUES (1, 'A')")
    foreign.close()
    with pytest.warns(UserWarning, match="not written by this course"):
        answer(Progress(path))
    assert len(Progress(path).attempts()) == 1
    aside = next(file for file in path.parent.iterdir() if ".damaged-" in file.name)
    assert sqlite3.connect(aside).execute("SELECT grade FROM attempts").fetchall() == [("A",)]


def test_a_file_of_a_newer_course_is_left_alone(path):
    answer(Progress(path))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.warns(UserWarning, match="newer version of this course"):
        store = Progress(path)
    answer(store)
    assert not store.persistent
    assert path.read_bytes() == before


def test_where_nothing_can_be_written_the_session_remembers():
    with pytest.warns(UserWarning, match="only until the kernel stops"):
        store = Progress("/proc/nowhere/progress.sqlite")
    answer(store)
    assert not store.persistent
    assert len(store.attempts()) == 1


def test_a_home_that_is_a_file_costs_a_warning(tmp_path):
    (tmp_path / "occupied").write_text("x")
    with pytest.warns(UserWarning, match="only until the kernel stops"):
        answer(Progress(tmp_path / "occupied" / "progress.sqlite"))


@pytest.fixture
def read_only(monkeypatch):
    """From now on no file can be written. (Permissions would not stop root, who runs tests in containers.)"""
    real = sqlite3.connect

    def connect(target, **options):
        return (
            real(target, **options)
            if options.get("uri") or target == ":memory:"
            else real(f"file:{target}?mode=ro", uri=True, **options)
        )

    return lambda: monkeypatch.setattr(sqlite3, "connect", connect)


def test_a_file_that_is_read_only_keeps_its_answers_in_view_and_says_so_when_it_is_opened(path, read_only):
    first = Progress(path)
    answer(first, value="earlier")
    first._connection.close()
    read_only()
    with pytest.warns(UserWarning, match="cannot be written.*only until the kernel stops"):
        store = Progress(path)
    assert not store.persistent
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it has been said
        answer(store, value="now")
    assert [a.answer for a in store.attempts()] == ["earlier", "now"]


def test_a_learner_keeps_their_name_where_the_file_cannot_be_written(path, read_only):
    first = Progress(path)
    answer(first)
    read_only()
    with pytest.warns(UserWarning, match="only until the kernel stops"):
        assert {Progress(path).learner, Progress(path).learner} == {first.learner}


def test_a_learner_keeps_their_name_when_the_file_goes_away_meanwhile(path):
    store = Progress(path)
    name = store.learner
    path.unlink()
    with pytest.warns(UserWarning, match="only until the kernel stops"):
        answer(store)
    assert store.learner == name
    assert json.loads(store.to_json())["learner"] == name


def test_a_name_that_could_not_be_kept_is_not_used(path, monkeypatch):
    class Full(sqlite3.Connection):
        def __exit__(self, *_):
            self.rollback()
            raise sqlite3.OperationalError("database or disk is full")

    real = sqlite3.connect
    on_a_full_disk = lambda target, **options: real(
        target, **options, **({} if target == ":memory:" else {"factory": Full})
    )
    monkeypatch.setattr(sqlite3, "connect", on_a_full_disk)
    with pytest.warns(UserWarning, match="disk is full.*only until the kernel stops"):
        assert Progress(path).learner == Progress(path).learner


def test_a_learner_keeps_their_name_with_a_file_of_a_newer_course(path):
    name = Progress(path).learner
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.warns(UserWarning, match="newer version of this course"):
        assert Progress(path).learner == name


def test_a_locked_file_of_the_first_version_keeps_its_answers_in_view(path, monkeypatch):
    monkeypatch.setattr("course_utils.teaching.progress.PATIENCE", 0.5)
    answer(Progress(path))
    with sqlite3.connect(path) as first_version:
        first_version.execute("DROP TABLE learner")
        first_version.execute("PRAGMA user_version = 1")
    first_version.close()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.warns(UserWarning, match="locked.*only until the kernel stops"):
            assert [attempt.item for attempt in Progress(path).attempts()] == ["ch00-q"]


def test_only_a_name_that_this_course_gave_is_taken_over(path):
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE learner (id INTEGER, name TEXT)")
        foreign.execute("INSERT INTO learner VALUES (1, 'x')")
    foreign.close()
    with pytest.warns(UserWarning, match="not written by this course"):
        assert re.fullmatch("[0-9a-f]{32}", Progress(path).learner)


def test_where_no_file_can_be_made_a_learner_has_one_name_all_the_same(monkeypatch):
    def name():
        with pytest.warns(UserWarning, match="only until the kernel stops"):
            return Progress("/proc/nowhere/progress.sqlite").learner

    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    mine = name()
    assert name() == mine
    assert re.fullmatch("[0-9a-f]{32}", mine)
    monkeypatch.setattr(platform, "node", lambda: "another machine")
    assert name() != mine

    def nobody():
        raise OSError("No username set in the environment")

    monkeypatch.setattr(getpass, "getuser", nobody)  # a container whose user has no name
    assert name() == name() != mine


def test_the_overview_counts():
    assert "Nothing answered yet" in repr(my_progress())
    store = progress()
    answer(store, "ch00-a", correct=False)
    answer(store, "ch00-a", correct=True)
    answer(store, "ch00-b", correct=True)
    store.record("ch00", "predict", "ch00-p", 1, None)
    store.record("ch00", "exercise", "ch00-e", "wrong values", False)
    store.record("ch00", "exercise", "ch00-e", "correct", True)
    assert my_progress().rows == [("ch00", 2, 1, 2, 1, 1)]
    assert "<caption>" in my_progress()._repr_html_()
    assert (home() / "progress.sqlite").exists()


def test_answers_are_json(path):
    answer(Progress(path), value=2.5)
    raw = sqlite3.connect(path).execute("SELECT answer FROM attempts").fetchone()[0]
    assert json.loads(raw) == 2.5


@pytest.mark.parametrize(
    "row",
    [("x", "{not json"), ("x", None), ("x", b"\xff\x00"), ("x", "[" * 100_000), (None, "1"), (b"\xff", "1")],
)
def test_a_spoiled_row_is_passed_over_and_the_others_are_kept(path, row):
    answer(Progress(path), item="ch00-good")
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE attempts RENAME TO old")
        connection.execute(
            "CREATE TABLE attempts (id INTEGER PRIMARY KEY, at, chapter, kind, item, objective, answer, correct)"
        )
        connection.execute("INSERT INTO attempts SELECT * FROM old")
        connection.execute("DROP TABLE old")
        connection.execute(
            "INSERT INTO attempts (at, chapter, kind, item, objective, answer) VALUES ('t', ?, 'quiz', 'i', 'o', ?)",
            row,
        )
    connection.close()
    store = Progress(path)
    assert "ch00-good" in [a.item for a in store.attempts()]
    assert store.persistent


def test_three_kernels_that_meet_a_damaged_file_lose_nothing(path):
    path.write_bytes(b"damage" * 3000)
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from course_utils.teaching.progress import Progress\n"
        "p = Progress(sys.argv[1])\n"
        "for i in range(20): p.record('ch00', 'quiz', 'ch00-q', i, True)\n"
        "sys.exit(not p.persistent)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(Progress(path).attempts()) == 60
    assert [file.read_bytes() for file in path.parent.iterdir() if ".damaged-" in file.name] == [b"damage" * 3000]


@pytest.mark.parametrize("name", ["x" * 300, "nul\0byte"])
def test_an_impossible_home_costs_a_warning(tmp_path, name):
    with pytest.warns(UserWarning, match="only until the kernel stops"):
        answer(Progress(tmp_path / name / "progress.sqlite"))


# ------------------------------------------------------------------------------------------ whose answers they are


def test_answers_and_what_the_course_makes_around_them_are_their_owners_alone(tmp_path):
    path = tmp_path / "new" / "home" / "progress.sqlite"
    before = os.umask(0)
    try:
        answer(Progress(path))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [folder.stat().st_mode & 0o777 for folder in (path.parent, path.parent.parent)] == [0o700, 0o700]


def test_a_folder_and_a_file_that_are_there_keep_their_rights(tmp_path):
    folder, path = tmp_path / "mine", tmp_path / "mine" / "progress.sqlite"
    folder.mkdir()
    folder.chmod(0o755)
    answer(Progress(path))
    path.chmod(0o644)
    answer(Progress(path))
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o755, 0o644)


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@x",
        " =1+1",
        "\n=1+1",
        "\t=1",
        "\r=1",
        "\u00a0=1",
        "\u3000=1",
        "＝1+1",
        " ＋1+1",
        "－1+1",
        "＠x",
        "\ttext",
        "=\u0338",  # composed it is another sign
        "\u200b=1",
        "\ufeff=1",
        "\x00=1",
        "\xad@x",
        "\u2028=1",
        "\ufe661",
    ],
)
def test_no_cell_is_a_formula_however_it_begins(cell):
    assert harmless(cell) in (f"'{cell}", f"'{cell[0]}'{cell[1:]}")  # a sign that ends cells is followed by one more


@pytest.mark.parametrize("sign", [";", "\t", "\n", "\r", "\r\n"])
def test_no_part_of_a_cell_is_a_formula_where_another_sign_ends_cells(sign):
    """Excel in German ends a cell at a semicolon, and a row at a line's end in quotes that it does not take for quotes."""
    assert harmless(f"a{sign}=1+1{sign} @x{sign}b") == f"a{sign}'=1+1{sign}' @x{sign}b"


@pytest.mark.parametrize("cell", ["", "a=b", "-1", "+2.5", "-1e-3", " -4", "(batch, 64)", 3, None, True])
def test_other_cells_stay_as_they_are(cell):
    assert harmless(cell) == cell


def test_what_a_foreign_file_calls_a_chapter_is_text_on_the_page():
    attempts = [Attempt("t", "<img src=x onerror=alert(1)>", "quiz", "i", "o", 1, True)]
    page = Overview(attempts, True)._repr_html_()
    assert "<img" not in page
    assert "&lt;img" in page
