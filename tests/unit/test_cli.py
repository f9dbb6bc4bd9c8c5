import datetime
import io
import itertools
import json
import pathlib
import shutil
import sys
import types

import nbformat
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from course_utils import cli, experiments, training
from course_utils import doctor as doctor_module
from course_utils.cli import app, notebooks, shared
from course_utils.cli.group import CourseGroup
from course_utils.experiments import ch00
from course_utils.experiments.results.agreement import Accuracy
from course_utils.experiments.results.ch00 import Recorded
from course_utils.runtime import InvalidInput, asset, home
from course_utils.teaching.progress import Progress

pytestmark = pytest.mark.plain


@pytest.fixture
def course():
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_doctor_finds_nothing_here(course):
    result = course("doctor")
    assert result.exit_code == 0, result.output
    assert "All is well." in result.output
    assert "jax computes on" in result.output


def test_doctor_explains_what_is_broken(course, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", "/proc/nowhere")
    real = doctor_module.importlib.metadata.version
    monkeypatch.setattr(
        doctor_module.importlib.metadata, "version", lambda name: "4.0.0" if name == "plotly" else real(name)
    )
    result = course("doctor")
    assert result.exit_code == 1
    assert "✗ plotly 4.0.0" in result.output
    assert "pip install 'plotly" in result.output
    assert "Set COURSE_HOME to a folder you may write to" in result.output
    assert "things to mend" in result.output


def test_doctor_survives_a_check_that_breaks(course, monkeypatch):
    monkeypatch.setattr(doctor_module.runtime, "device", lambda: 1 / 0)
    result = course("doctor")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.output
    assert "answers are kept" in result.output


@pytest.mark.parametrize(("age", "mark"), [(60, "✓"), (61, "!")])
def test_doctor_says_when_what_is_known_of_colab_is_old(course, monkeypatch, tmp_path, age, mark):
    day = datetime.date.today() - datetime.timedelta(days=age)
    (tmp_path / "colab-x.txt").write_text(f"# Read on {day}: what Colab published\njax==0.7.2\n")
    monkeypatch.setattr(doctor_module, "__file__", str(tmp_path / "course_utils" / "doctor.py"))
    monkeypatch.setattr(doctor_module, "READING", "colab-*.txt")
    result = course("doctor")
    assert f"{mark} Colab's versions were read on {day.day} {day:%B %Y}, {age} days ago" in result.output
    assert ("read them anew" in result.output) == (mark == "!")
    assert result.exit_code == 0


def test_quiz_validate(course, tmp_path):
    assert course("quiz", "validate").exit_code == 0
    bad = tmp_path / "ch07.yaml"
    bad.write_text("chapter: ch07\ntitle: x\nobjectives: {a: b}\nquestions: [{id: ch07-x, kind: single}]")
    result = course("quiz", "validate", bad)
    assert result.exit_code == 1
    assert "ch07.yaml, question ch07-x" in result.output


def test_build_names_what_is_not_there(course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "There is no notebook x.ipynb" in course("build", "x.ipynb").output
    assert "run this in the course's folder" in course("build").output


def measured():
    """What a quick look at chapter 00 would give."""
    one = np.array([0.123])
    agreement = Accuracy(seeds=(0,), distance=one, accuracy=one[None], baselines={"majority": one})
    return Recorded(seeds=(0,), updates=20, agreement=agreement)


def test_reproduce_prints_and_records(course, tmp_path, monkeypatch):
    monkeypatch.setattr(ch00, "UPDATES", 20)
    result = course("reproduce", "ch00", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    stored = json.loads((tmp_path / "ch00.json").read_text())
    assert stored["seeds"] == [0, 1, 2]
    assert len(stored["agreement"]["accuracy"]) == 3
    assert {"device", "versions", "date", "seconds"} <= set(stored)
    assert stored["seconds"] is not None


def test_rough_numbers_are_never_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_SIZE", "quick")
    monkeypatch.setattr(ch00, "UPDATES", 20)
    experiments.reproduce("ch00", tmp_path)
    assert list(tmp_path.glob("*.json")) == []


def test_a_table_goes_where_only_the_file_can_be_written(course, tmp_path):
    """Such as /dev/stdout, or a file of one's own in somebody else's folder: no other file is tried out there."""
    report, learner = tmp_path / "report.md", tmp_path / "ada.json"
    Progress(tmp_path / "ada.sqlite").record("ch01", "quiz", "ch01-order", [0], True)
    learner.write_text(Progress(tmp_path / "ada.sqlite").to_json())
    result = course("progress", "class", learner, "--table", "/dev/fd/1", "--out", report)
    assert result.exit_code == 0, result.output
    assert "1 learner" in report.read_text()


def test_reproduce_names_an_unknown_chapter_before_any_is_measured(course, monkeypatch):
    monkeypatch.setattr(ch00, "headline", lambda: pytest.fail("measured too soon"))
    for named, said in (("77", "ch77"), ("multi30", "multi30"), ("Chapter", "chapter"), ("", "")):
        result = course("reproduce", "ch00", "--", named)
        assert result.exit_code == 1
        assert f"no chapter {said!r} with measurements; there are ch00, ch01," in result.output
        assert "multi30k" in result.output
    with pytest.raises(InvalidInput):
        experiments.reproduce("ch77")


@pytest.mark.parametrize("chapter", ["", " ", "ch", "001", "1a", "chch01", "-1", "٠١", "01\n"])
def test_what_is_no_number_of_a_chapter_is_refused(course, tmp_path, chapter):
    for arguments in (
        ("release", "--out", tmp_path / "out", "--", chapter),
        ("collected", "--", chapter, tmp_path / "x.ipynb"),
        ("slides", "--out", tmp_path / "out", "--", chapter),
        ("quiz", "export", "--", chapter),
    ):
        result = course(*arguments)
        assert result.exit_code == 1
        assert f"A chapter is written 01, 1 or ch01, not {chapter!r}." in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("chapter", ["01", "1", "ch01", "CH1"])
def test_a_chapter_is_written_in_three_ways(course, tmp_path, chapter):
    assert "01_recurrence.ipynb" in course("release", chapter, "--out", tmp_path / "out").output


@pytest.mark.parametrize("chapter", ["00", "0", "ch00", "CH0"])
def test_reproduce_takes_a_chapter_in_all_of_them(course, monkeypatch, chapter):
    monkeypatch.setattr(ch00, "headline", measured)
    assert json.loads(course("reproduce", chapter).output)["chapter"] == "ch00"


@pytest.mark.parametrize(("command", "module"), [("slides", "pages.slides"), ("site", "pages")])
def test_pages_look_at_their_folder_before_they_execute_anything(course, tmp_path, monkeypatch, command, module):
    def too_soon(*_):
        raise AssertionError("notebooks are executed")

    pages = types.SimpleNamespace(build_slides=too_soon, build_site=too_soon)
    monkeypatch.setitem(sys.modules, f"course_utils.{module}", pages)
    monkeypatch.setattr(shared, "need", lambda *_: None)
    chapter = ("01",) if command == "slides" else ()
    mine = tmp_path / "mine.txt"
    mine.write_text("kept")
    for out, words in ((mine, "is a file: name a folder"), (mine / "deeper", "cannot be written")):
        result = course(command, *chapter, "--out", out)
        assert result.exit_code == 1
        assert f"{out} {words}" in result.output
    assert mine.read_text() == "kept"


@pytest.mark.parametrize("command", ["slides", "site"])
def test_help_shows_what_to_install(course, command):
    assert ".[site]" in "".join(course(command, "--help").output.split())


def test_export_does_not_write_over_the_bank_or_over_the_answers(course):
    bank, kept = asset("quizzes/ch01.yaml"), home() / "progress.sqlite"
    Progress(kept).record("ch01", "quiz", "ch01-x", 1, True, "o")
    before = bank.read_bytes()
    for words, path in ((("quiz", "export", "01"), bank), (("progress", "export"), kept)):
        result = course(*words, "--out", path)
        assert result.exit_code == 1
        assert "is read here and would be lost" in result.output.replace("\n", " ")
    assert bank.read_bytes() == before
    assert [attempt.item for attempt in Progress(kept).attempts()] == ["ch01-x"]


def test_no_output_is_a_question_bank_or_a_picture_or_the_courses_own_notebook(course, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(notebooks.subprocess, "run", lambda *_, **__: pytest.fail("a server is started"))
    Progress(tmp_path / "ada.sqlite").record("ch01", "quiz", "ch01-order", [0], True)
    learner = tmp_path / "ada.json"
    learner.write_text(Progress(tmp_path / "ada.sqlite").to_json())
    before = {path: path.read_bytes() for path in [*asset("quizzes").rglob("*.*"), *ROOT.glob("notebooks/*.ipynb")]}
    for path in (asset("quizzes/ch01.yaml"), asset("quizzes/ch06.yaml"), asset("quizzes/pictures/ch06-pictured.svg")):
        for words in (
            ("quiz", "export", "06", "--out"),
            *(("progress", "class", learner, o) for o in ("--out", "--table", "--learners")),
        ):
            result = course(*words, path)
            assert result.exit_code == 1, words
            assert "is read here and would be lost" in result.output.replace("\n", " ")
    for words in (("lab",), ("release", "01", "--force")):
        result = course(*words, "--out", "notebooks")
        assert result.exit_code == 1
        assert "the course's own notebook" in result.output
    assert before == {path: path.read_bytes() for path in before}
    assert len(list(ROOT.glob("notebooks/*.ipynb"))) == 8


def test_lab_says_that_a_notebook_was_corrected_and_where_it_is(course, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(notebooks.subprocess, "run", lambda *_, **__: types.SimpleNamespace(returncode=0))
    assert "new: 00_" in course("lab", "--out", tmp_path).output
    (tmp_path / ".copies.json").write_text('{"00_start_here.ipynb": "of an older one"}')
    (tmp_path / "00_start_here.ipynb").write_text("my answers")
    said = course("lab", "--out", tmp_path).output
    assert (
        "The course has corrected 00_start_here.ipynb. Yours is as you left it; 00_start_here.new.ipynb lies beside it."
        in said
    )
    assert "corrected" not in course("lab", "--out", tmp_path).output


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InvalidInput("The chapter is missing."), "The chapter is missing."),
        (FileNotFoundError(2, "No such file or directory", "x.ipynb"), "x.ipynb: No such file or directory"),
        (OSError("no folder for it"), "no folder for it"),
    ],
)
@pytest.mark.parametrize("words", [("fail",), ("inner", "fail")])
def test_what_can_be_mended_is_one_sentence_whichever_command_meets_it(error, sentence, words):
    def fail():
        raise error

    outer, inner = typer.Typer(cls=CourseGroup), typer.Typer()
    for group in (outer, inner):
        group.command("fail")(fail)
    outer.add_typer(inner, name="inner")
    result = CliRunner().invoke(outer, words)
    assert (result.exit_code, result.output) == (1, f"{sentence}\n")


@pytest.mark.parametrize("error", [ZeroDivisionError(), BrokenPipeError(32, "Broken pipe")])
def test_what_nobody_can_mend_is_not_said_to_be(error):
    def fail():
        raise error

    outer = typer.Typer(cls=CourseGroup)
    outer.command("fail")(fail)
    outer.command("other")(fail)
    assert CliRunner().invoke(outer, ["fail"]).output == ""


def full(*_):
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_said_in_words_by_every_command_that_writes(course, monkeypatch, tmp_path):
    from course_utils import build, files, pictures

    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".*"))
    shutil.copy(ROOT / "README.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ch00, "headline", measured)
    monkeypatch.setattr(shared, "need", lambda *_: None)
    monkeypatch.setattr(build, "execute", lambda path: nbformat.read(path, 4))
    monkeypatch.setattr(pictures, "render", lambda figures, form: [b"<svg>"] * len(figures))
    monkeypatch.setattr(pictures, "DRAWINGS", {"ch06-pictured": dict})
    Progress(home() / "progress.sqlite").record("ch01", "quiz", "ch01-order", [0], True)
    learner = tmp_path / "ada.json"
    learner.write_text(Progress(home() / "progress.sqlite").to_json())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".sqlite"}
    monkeypatch.setattr(files.os, "fsync", full)
    for words in (
        ("build", "--no-pictures"),
        ("lab", "--out", "mine"),
        ("release", "all", "--out", "given"),
        ("stamp", "--repo", "ada/course"),
        ("reproduce", "00", "--out", "recorded"),
        ("quiz", "draw", "--out", "drawn"),
        ("quiz", "export", "01", "--out", "quiz.xml"),
        ("progress", "export", "--out", "mine.csv"),
        ("progress", "class", learner, "--out", "report.md"),
        ("progress", "class", learner, "--table", "table.csv"),
        ("progress", "class", learner, "--learners", "learners.csv"),
    ):
        result = course(*words)
        assert result.exit_code == 1, words
        assert isinstance(result.exception, SystemExit), words
        assert "No space left on device" in result.output.replace("\n", " "), words
        if words[0] == "reproduce":
            assert "0.123" in result.output  # what took minutes is not lost
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".sqlite"}
    assert after == before


def test_an_interrupted_measurement_records_nothing_and_is_no_success(course, monkeypatch, tmp_path):
    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(training.loop, "update", press)
    result = course("reproduce", "00", "--out", tmp_path / "out")
    assert result.exit_code == 130
    assert "accuracy" not in result.output
    assert not list((tmp_path / "out").iterdir())


def test_a_full_disk_leaves_no_empty_notebook_behind(course, monkeypatch, tmp_path):
    """`course lab` kept a notebook of no bytes ever after; `release --force` lost the old copy."""
    from course_utils import files

    monkeypatch.chdir(ROOT)
    assert course("release", "00", "--out", tmp_path).exit_code == 0
    (copy,) = tmp_path.glob("*.ipynb")
    before = copy.read_bytes()
    monkeypatch.setattr(files.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    result = course("release", "00", "--out", tmp_path, "--force")
    assert result.exit_code == 1
    assert "No space left" in result.output
    assert copy.read_bytes() == before
    result = course("lab", "--out", tmp_path / "workbook")
    assert result.exit_code == 1
    assert not list((tmp_path / "workbook").iterdir())


# ------------------------------------------------------------------------------------------ other code pages


def commands(group=None, before=()):
    """Every command of `course`, as its words."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        yield (*before, name)
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))


ANSWERED = "tests/unit/test_cli.py"  # read as a learner's file it is a fault, which is told
ROOT = pathlib.Path(__file__).parents[2]
RUNS = [
    *((*words, "--help") for words in [(), *commands()]),
    ("nosuch",),
    ("doctor",),
    ("build", "☃.ipynb"),
    ("site", "☃.ipynb", "--out", "README.md"),
    ("slides", "☃"),
    ("lab", "--out", "README.md"),
    ("release", "☃", "--out", "README.md"),
    ("collected", "01", "notebooks/01_recurrence.ipynb"),
    ("stamp", "--repo", "☃"),
    ("reproduce", "☃"),
    ("quiz", "validate"),
    ("quiz", "validate", "☃.yaml"),
    ("quiz", "draw", "--out", "README.md"),
    ("quiz", "export", "01"),
    ("quiz", "export", "01", "--format", "gift"),
    ("progress", "export"),
    ("progress", "class", ANSWERED, "☃.json"),
]


def test_every_command_is_run_in_another_code_page():
    assert {words for words in commands() if words not in {("quiz",), ("progress",)}} <= {
        words[:n] for words, n in itertools.product(RUNS, (1, 2)) if words[-1:] != ("--help",)
    }


@pytest.mark.parametrize("words", RUNS, ids=" ".join)
def test_what_is_said_is_utf8_where_the_system_would_write_another_code_page(words, monkeypatch):
    """As `course doctor > out.txt` on Windows: the streams are cp1252, which has no ✓ and no ☃."""
    monkeypatch.chdir(ROOT)
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="cp1252") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    monkeypatch.setattr(sys, "argv", ["course", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in (0, 1, 2)
    said = ""
    for stream in streams:
        stream.flush()
        said += stream.buffer.getvalue().decode("utf-8")
    assert said.strip()
    assert "�" not in said


# --------------------------------------------------------------------------------------------------- root


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no root")
@pytest.mark.parametrize(
    ("user", "options", "told"), [(0, (), True), (0, ("--", "--allow-root"), False), (1000, (), False)]
)
def test_lab_says_to_root_how_jupyter_starts_before_jupyter_refuses(course, monkeypatch, tmp_path, user, options, told):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(notebooks.os, "geteuid", lambda: user)
    started = []
    monkeypatch.setattr(
        notebooks.subprocess, "run", lambda command, **_: started.append(command) or types.SimpleNamespace(returncode=0)
    )
    result = course("lab", "--out", tmp_path / "mine", *options)
    assert ("`course lab -- --allow-root`" in result.output) is told
    assert len(started) == 1  # a configuration of one's own may allow it
