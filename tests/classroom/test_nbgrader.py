"""A real round of nbgrader with a released chapter: hand out, solve, submit, grade. Run by `make test-classroom`."""

import os
import pathlib
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbgrader.api import Gradebook

from course_utils.collected import faults
from course_utils.handout import release

ROOT = pathlib.Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "01_recurrence.ipynb"
CONFIG = ROOT / "docs" / "nbgrader_config.py"
SOLVED = "def my_step(h, x_t, W_h, W_x, b):\n    return jnp.tanh(W_h @ h + W_x @ x_t + b)"
WRONG = "def my_last_state(states, mask):\n    return states[:, -1]"


def nbgrader(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",  # it calls alembic by name
            "COURSE_HOME": str(folder / "home"),
            "COURSE_SIZE": "quick",
        },
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def submit(folder, student, change):
    """A student's copy of the released chapter, changed."""
    handed_in = folder / "submitted" / student / "ch01"
    shutil.copytree(folder / "release" / "ch01", handed_in)
    path = handed_in / NOTEBOOK.name
    notebook = nbformat.read(path, 4)
    change(notebook)
    nbformat.write(notebook, path)


def replace(notebook, start, source):
    cell = next(cell for cell in notebook.cells if start in cell.source)
    tail = cell.source[cell.source.index("\n\n\nex.") :]
    head = cell.source[: cell.source.index("def ")]
    cell.source = head + source + tail


def hand_out(folder, notebook):
    """A course in `folder` with one chapter released; returns the released notebook."""
    chapter = f"ch{notebook.name[:2]}"
    shutil.copy(CONFIG, folder)
    release(notebook, folder / "source" / chapter, solutions=True)
    code, said = nbgrader(folder, "generate_assignment", chapter, "--create")
    assert code == 0, said
    return folder / "release" / chapter / notebook.name


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course with chapter 01 handed out, three submissions, and what nbgrader said to each."""
    folder = tmp_path_factory.mktemp("class")
    hand_out(folder, NOTEBOOK)

    submit(
        folder,
        "ada",
        lambda notebook: (replace(notebook, "def my_step", SOLVED), replace(notebook, "def my_last", WRONG)),
    )

    def careless(notebook):
        replace(notebook, "def my_step", SOLVED)
        gone = [cell for cell in notebook.cells if "my_states" in cell.source and "nbgrader" in cell.metadata]
        notebook.cells = [cell for cell in notebook.cells if cell not in gone]

    submit(folder, "cem", careless)
    submit(folder, "dora", lambda notebook: replace(notebook, "def my_step", "def my_own_name(h):\n    return h"))
    said = {}
    for student in ("ada", "cem", "dora"):
        said[student] = nbgrader(folder, "autograde", "ch01", "--student", student)
    return folder, said


def points(folder, student):
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        found = book.find_submission_notebook(NOTEBOOK.stem, "ch01", student)
        return {grade.name.removeprefix("ch01-"): grade.score for grade in found.grades}


NONE = dict.fromkeys([f"{name}-points" for name in ("one_step", "unrolling", "last_state", "word_loss", "fano")], 0.0)


def test_what_is_released_is_the_chapter_without_solutions(graded, tmp_path):
    folder, _ = graded
    theirs = nbformat.read(folder / "release" / "ch01" / NOTEBOOK.name, 4)
    ours = nbformat.read(release(NOTEBOOK, tmp_path / "ch01", graded=True), 4)
    text = "\n".join(cell.source for cell in theirs.cells)
    assert "SOLUTION" not in text
    assert "solution_function" not in text
    for mine, cell in zip(ours.cells, theirs.cells, strict=True):
        assert "".join(mine.source.split()) == "".join(cell.source.split())  # nbgrader breaks the line of a stub


def test_right_answers_earn_their_points_and_nothing_else_does(graded):
    folder, said = graded
    assert said["ada"][0] == 0, said
    assert points(folder, "ada") == {**NONE, "one_step-points": 1.0}


def test_a_missing_or_renamed_cell_is_named_and_the_rest_is_graded(graded):
    folder, _ = graded
    assert points(folder, "cem") == {**NONE, "one_step-points": 1.0}
    assert points(folder, "dora") == NONE

    def lacks(student):
        return faults(NOTEBOOK, folder / "submitted" / student / "ch01" / NOTEBOOK.name)

    assert lacks("ada") == []
    assert lacks("cem") == [
        "the cell of exercise unrolling (my_states) is missing",
        "the graded cell behind exercise unrolling is missing: it earns nothing",
    ]
    assert lacks("dora") == ["the cell of exercise one_step no longer defines my_step"]
