"""Progress files of a class: one table, one report; a bad file is named and the others count."""

import csv
import io
import json
import os
import pathlib

import pytest
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.teaching.bank import bank
from course_utils.teaching.progress import VERSION, Progress
from course_utils.teaching.report import (
    ProgressFileError,
    holds_answers,
    learners,
    read_class,
    read_progress,
    report,
    table,
)

pytestmark = pytest.mark.plain

HEAD = b"learner,at,chapter,kind,item,objective,answer,correct\r\n"
ONE = {"at": "t", "chapter": "ch01", "kind": "quiz", "item": "ch01-x", "objective": "o", "answer": 1, "correct": True}


def sent(**changed):
    """A file as it may come back; what is None is missing."""
    content = {"version": VERSION, "learner": "x", "attempts": [ONE], **changed}
    return json.dumps({name: value for name, value in content.items() if value is not None}).encode()


def single():
    return next(question for question in bank("ch01").questions if question.kind == "single")


def exported(folder, name, answers, form="json"):
    """A progress file as a learner sends it: (item, objective, answer, correct) each."""
    kept = Progress(folder / f"{name}.sqlite")
    for item, objective, answer, correct in answers:
        kept.record("ch01", "quiz", item, answer, correct, objective)
    path = folder / f"{name}.{form}"
    path.write_text(kept.to_json() if form == "json" else kept.to_csv(), encoding="utf-8", newline="")
    return path


def test_what_an_earlier_course_exported_is_reported_whole():
    stored = pathlib.Path(__file__).with_name("stored")
    attempts = json.loads((stored / "answers.json").read_text(encoding="utf-8"))["attempts"]
    files, faults = read_class([stored / "answers.json", stored / "answers.csv"])
    assert not faults
    for answers in files.values():
        assert [answer.attempt._asdict() | {"learner": answer.learner} for answer in answers] == attempts
    for chapter in ("ch00", "ch01", "ch02", "ch04"):
        assert f"## {chapter} · " in report(files)


@pytest.fixture
def files(tmp_path):
    question = single()
    wrong = next(i for i, option in enumerate(question.options) if not option.correct)
    right = next(i for i, option in enumerate(question.options) if option.correct)
    ask = (question.id, question.objective)
    return [
        exported(tmp_path, "ada", [(*ask, wrong, False), (*ask, right, True)]),
        exported(tmp_path, "bob", [(*ask, wrong, False)], "csv"),
        exported(tmp_path, "=cem()", [(*ask, right, True)]),
    ]


def test_json_and_csv_say_the_same(tmp_path):
    answers = [
        ("ch01-x", "states", [1, 2], True),
        ("ch01-y", "states", -1.5, False),
        ("ch01-z", "states", "=1+1", None),
    ]
    one = read_progress(exported(tmp_path, "a", answers))
    other = read_progress(exported(tmp_path, "b", answers, "csv"))
    assert [answer.attempt[1:] for answer in one] == [answer.attempt[1:] for answer in other]


def test_one_table_with_who_and_no_formula(files):
    rows = list(csv.DictReader(io.StringIO(table([a for path in files for a in read_progress(path)]))))
    assert [row["who"] for row in rows] == ["ada", "ada", "bob", "'=cem()"]
    assert len({row["learner"] for row in rows}) == 3


def test_the_report_says_how_many_who_and_the_most_chosen_wrong_option(files):
    question = single()
    told = report(read_class(files)[0])
    line = next(line for line in told.splitlines() if bank("ch01").objectives[question.objective][:30] in line)
    wrong = next(option.text for option in question.options if not option.correct)
    assert "| 1 of 3 | 2 of 3 | – | bob |" in line
    assert f"{question.id}: “{wrong}” (2)" in line
    assert "Begun by 3 of 3." in told


def test_files_of_one_name_are_told_apart_and_one_learner_twice_is_said(tmp_path, files):
    for folder, source in (("ada", files[0]), ("bob", files[1]), ("eve", files[0])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.json").write_bytes(source.read_bytes())
    told = report(read_class(sorted(tmp_path.glob("*/mine.json")))[0])
    assert "# Class report: 3 learners" in told
    assert "From one and the same learner, each counted: ada/mine, eve/mine." in told


def test_a_file_whose_name_is_no_text_counts_like_the_others(tmp_path, files):
    odd = tmp_path / os.fsdecode(b"\xff\xe9.json")
    try:
        odd.write_bytes(files[0].read_bytes())
    except OSError:
        pytest.skip("this file system holds no such name")
    out = tmp_path / "report.md"
    done = CliRunner().invoke(app, ["progress", "class", str(odd), *map(str, files), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "each counted: ??, ada." in out.read_text(encoding="utf-8")


def test_who_has_not_begun_is_named(tmp_path, files):
    told = report(read_class([*files, exported(tmp_path, "dan", [])])[0])
    assert "Begun by 3 of 4." in told
    assert "Not begun: dan." in told


def test_each_objective_says_how_many_did_not_try(tmp_path, files):
    told = report(read_class([*files, exported(tmp_path, "dan", []), exported(tmp_path, "eve", [])])[0])
    rows = [line for line in told.splitlines() if line.startswith("|")]
    assert rows[0] == "| objective | first try right | right now | not tried | not yet | wrong answer most given |"
    tried = bank("ch01").objectives[single().objective]
    for row in rows[2:]:
        if row.startswith(f"| {tried} |"):
            assert "| 1 of 3 | 2 of 3 | 2 learners | bob |" in row
        else:
            assert "| 0 of 0 | 0 of 0 | 5 learners | – | – |" in row


def test_every_learner_has_a_row_for_every_chapter(tmp_path, files):
    kept = Progress(tmp_path / "eve.sqlite")
    kept.record("ch07", "exercise", "ch07-cache", "wrong shape", False, "o")
    kept.record("ch07", "exercise", "ch07-cache", "correct", True, "o")
    kept.record("ch07", "predict", "ch07-p", 1, None, "o")
    kept.record("ch42", "quiz", "ch42-x", 1, False, "o")
    (tmp_path / "eve.json").write_text(kept.to_json(), encoding="utf-8")
    given = read_class([*files, tmp_path / "eve.json", exported(tmp_path, "dan", [])])[0]
    rows = list(csv.reader(io.StringIO(learners(given))))
    assert rows[0] == [
        "who", "chapter", "begun", "questions answered", "right at first try", "right now", "predictions",
        "exercises solved",
    ]  # fmt: skip
    assert [row[:2] for row in rows[1:] if row[0] == "dan"] == [["dan", f"ch0{n}"] for n in range(8)]
    assert ["ada", "ch01", "yes", "1", "0", "1", "0", "0"] in rows
    assert ["bob", "ch01", "yes", "1", "0", "0", "0", "0"] in rows
    assert ["bob", "ch02", "no", "0", "0", "0", "0", "0"] in rows
    assert ["'=cem()", "ch01", "yes", "1", "1", "1", "0", "0"] in rows
    assert ["eve", "ch07", "yes", "0", "0", "0", "1", "1"] in rows
    assert ["eve", "ch42", "yes", "1", "0", "0", "0", "0"] in rows
    assert len(rows) == 1 + 5 * 8 + 1
    assert list(csv.reader(io.StringIO(learners({})))) == rows[:1]


def test_a_report_that_cuts_names_says_where_all_of_them_are(tmp_path, files):
    crowd = [exported(tmp_path, f"n{i:02}", []) for i in range(20)]
    few = report(read_class([*files, *crowd[:9]])[0])
    assert "more" not in few
    given = read_class([*files, *crowd])[0]
    assert "n11 and 8 more." in report(given)
    assert (
        "`learners(answers)` has a row for each learner and chapter, so who has not begun; `table(answers)` one"
        in report(given)
    )
    listed = tmp_path / "made" / "learners.csv"
    done = CliRunner().invoke(app, ["progress", "class", *map(str, [*files, *crowd]), "--learners", str(listed)])
    assert done.exit_code == 0, done.output
    assert "Where names are cut: `learners.csv` has a row for each learner" in done.output
    assert "`--table FILE` one for each attempt" in done.output
    assert "n19,ch01,no,0" in listed.read_text(encoding="utf-8")


def test_a_question_and_an_exercise_of_one_name_are_two_things(tmp_path):
    kept = Progress(tmp_path / "ada.sqlite")
    objective = bank("ch07").question("ch07-cache").objective
    kept.record("ch07", "quiz", "ch07-cache", 0, True, objective)
    kept.record("ch07", "exercise", "ch07-cache", "wrong shape", False, objective)
    path = tmp_path / "ada.json"
    path.write_text(kept.to_json(), encoding="utf-8")
    told = report(read_class([path])[0])
    assert "| 1 of 2 | 1 of 2 | – | ada | exercise ch07-cache: wrong shape (1) |" in told


def test_nothing_a_learner_wrote_is_markup_in_the_report(tmp_path):
    evil = "![x](http://a.example/b.png)<script>|\n# head"
    path = exported(tmp_path, "a", [(evil, next(iter(bank("ch01").objectives)), evil, False)])
    given = read_class([path])[0]
    other = {"<b>|": [given["a"][0]._replace(attempt=given["a"][0].attempt._replace(chapter=evil))]}
    told = report({**given, **other})
    assert "<script" not in told.replace("\\<script", "")
    assert "![" not in told
    assert "\n# head" not in told
    assert all(line.replace("\\|", "").count("|") == 7 for line in told.splitlines() if line.startswith("|"))


def test_an_unknown_chapter_or_question_spoils_nothing(tmp_path):
    path = exported(
        tmp_path,
        "a",
        [("ch01-of-another-year", "gone", 7, False), ("ch01-x", next(iter(bank("ch01").objectives)), 3, False)],
    )
    answers = read_progress(path)
    told = report({"a": [*answers, answers[0]._replace(attempt=answers[0].attempt._replace(chapter="ch99"))]})
    assert "## ch99" in told
    assert "ch01-x: 3 (1)" in told


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\xffSQLite format 3", "is no text: send the file"),
        (b"{", "damaged"),
        (b"", "first line is not"),
        (b"a,b\r\n1,2\r\n", "first line is not"),
        (json.dumps({"version": VERSION + 1, "learner": "x", "attempts": []}).encode(), "update the course"),
        (json.dumps({"version": VERSION, "learner": "x", "attempts": [{"at": 1}]}).encode(), "damaged"),
        (json.dumps([1, 2]).encode(), "first line is not"),
        (HEAD + b"a,t,ch01,quiz,ch01-x,o,1\r\n", "has not 8 cells"),
        (HEAD + b"a,t,ch01,quiz,ch01-x,o,1,1,1\r\n", "has not 8 cells"),
        (HEAD + b'a,t,ch01,quiz,ch01-x,o,"1,1\r\n', "damaged"),
        (HEAD + b"a,t,ch01,quiz,ch01-x,o,1,yes\r\n", "damaged"),
        (b'{"version": 2, "learner": "x", "attempts": ' + b"[" * 100_000, "damaged"),
        (json.dumps({"version": VERSION, "learner": "\ud800", "attempts": [ONE]}).encode(), "damaged"),
        (sent(version=None), "`version` is missing: send the file as `course progress export` wrote it"),
        (sent(version="2"), "`version` is '2'; it is a whole number"),
        (sent(version=True), "`version` is True; it is a whole number"),
        (sent(learner=None), "`learner` is missing: send the file as `course progress export` wrote it"),
        (sent(learner=5), "`learner` is 5; it is text"),
        (sent(attempts=None), "`attempts` is missing: send the file as `course progress export` wrote it"),
        (sent(attempts={"a": 1}), "`attempts` is {'a': 1}; it is a list"),
        (sent(attempts=[ONE, 3]), "attempt 2 is 3; it is an object"),
        (sent(attempts=[{name: value for name, value in ONE.items() if name != "item"}]), "attempt 1 has no `item`"),
        (sent(attempts=[ONE, {**ONE, "correct": "yes"}]), "attempt 2: `correct` is 'yes'; it is true, false or null"),
        (sent(attempts=[{**ONE, "correct": 1}]), "attempt 1: `correct` is 1; it is true, false or null"),
        (sent(attempts=[{**ONE, "item": None}]), "attempt 1: `item` is None; it is text"),
        (sent(attempts=[{**ONE, "at": ["x" * 99]}]), "attempt 1: `at` is ['xxxxxx"),
        (HEAD + b"a,t,ch01,quiz,ch01-x,o,1,yes\r\n", "line 2: `correct` is 'yes'; it is 1, 0 or empty"),
        (HEAD + b"a,t,ch01,quiz,ch01-x,o,1,1\r\na,t,ch01,quiz,x,o,one,1\r\n", "line 3: `answer` is 'one'; it is JSON"),
    ],
)
def test_a_bad_file_is_named_with_its_reason(tmp_path, content, reason):
    path = tmp_path / "eve.json"
    path.write_bytes(content)
    with pytest.raises(ProgressFileError, match="eve.json") as error:
        read_progress(path)
    assert reason in str(error.value)
    assert len(str(error.value)) < 250


def test_the_command_goes_on_past_a_bad_file(files, tmp_path):
    bad = tmp_path / "eve.json"
    bad.write_text("{")
    done = CliRunner().invoke(
        app, ["progress", "class", str(bad), *map(str, files), "--table", str(tmp_path / "all.csv")]
    )
    assert done.exit_code == 1
    assert "eve.json is damaged" in done.output
    assert "# Class report: 3 learners" in done.output
    assert (tmp_path / "all.csv").read_text(encoding="utf-8").count("\n") == 5


@pytest.mark.parametrize("option", ["--out", "--table", "--learners"])
@pytest.mark.parametrize(
    "content", [sent(), HEAD, b"{ damaged", b"\xff\xfe{\x00", b"SQLite format 3\x00"], ids=lambda c: repr(c[:12])
)
def test_a_learners_file_is_not_written_over(tmp_path, option, content):
    """`--out *.json` is `--out a.json b.json` to the shell: the first would be lost."""
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_bytes(content)
    second.write_bytes(sent())
    done = CliRunner().invoke(app, ["progress", "class", option, str(first), str(second)])
    assert done.exit_code == 1
    assert "is read here and would be lost" in done.output.replace("\n", " ")
    assert first.read_bytes() == content


def test_what_is_read_is_not_written_over_and_no_file_holds_two_things(tmp_path):
    file, x = tmp_path / "a.json", tmp_path / "x"
    file.write_bytes(sent())
    done = CliRunner().invoke(app, ["progress", "class", str(file), "--out", str(tmp_path / "." / "a.json")])
    assert done.exit_code == 1
    done = CliRunner().invoke(app, ["progress", "class", str(file), "--table", str(x), "--learners", str(x)])
    assert done.exit_code == 1
    assert "named for two things" in done.output.replace("\n", " ")
    assert not x.exists()
    assert file.read_bytes() == sent()


def test_last_weeks_report_is_written_anew(tmp_path):
    file, outs = tmp_path / "a.json", {name: tmp_path / name for name in ("out", "table", "learners")}
    file.write_bytes(sent())
    words = [word for name, path in outs.items() for word in (f"--{name}", str(path))]
    for _ in range(2):
        assert CliRunner().invoke(app, ["progress", "class", str(file), *words]).exit_code == 0


def test_a_pipe_to_write_to_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert not holds_answers(tmp_path / "pipe")  # it would wait for ever


def test_the_report_and_the_table_say_which_mistakes_were_made(tmp_path):
    objective = bank("ch01").question(single().id).objective
    for who, mistakes in {"ada": ["no tanh", "no tanh"], "bob": ["no tanh", "wrong values"]}.items():
        kept = Progress(tmp_path / f"{who}.sqlite")
        for mistake in mistakes:
            kept.record("ch01", "exercise", "ch01-one_step", mistake, False, objective)
        (tmp_path / f"{who}.json").write_text(kept.to_json(), encoding="utf-8")
    given, _ = read_class([tmp_path / "ada.json", tmp_path / "bob.json"])
    assert "| ch01-one\\_step | no tanh (2), wrong values (1) |" in report(given)
    assert table([answer for answers in given.values() for answer in answers]).count('"""no tanh"""') == 3
