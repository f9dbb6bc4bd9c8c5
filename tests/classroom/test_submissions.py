"""What learners do to a notebook without knowing, handed in, put right by `course collected --mend`, graded by nbgrader."""

import copy
import json
import pathlib

import nbformat
import pytest
from nbgrader.api import Gradebook
from test_nbgrader import ROOT, hand_out, nbgrader
from typer.testing import CliRunner

from course_utils.cli import app

NOTEBOOK = ROOT / "notebooks" / "00_start_here.ipynb"
RIGHT = "def my_states(d, xs):\n    return jax.lax.scan(lambda h, x: (d * h + (1 - d) * x,) * 2, 0.0, xs)[1]"
CHECK = "from course_utils.exercises import ch00 as ex\n\nex.fading.check(my_states)"


def again(cell, **changed):
    return {**copy.deepcopy(cell), "id": "copied", **changed}


def handed_in(cells, place):
    """The cells of each learner: a right answer, and what happened to it."""
    exercise, points = cells[place], cells[place + 1]
    exercise.source = f"{RIGHT}\n\n\n{CHECK}"
    split = [again(exercise, source=RIGHT), again(exercise, id="split", source=CHECK)]
    damaged = {"cell_type": "code", "id": "damaged", "metadata": []}
    fano = again(exercise, source="1", metadata={"nbgrader": {**exercise.metadata.nbgrader, "grade_id": "ch01-fano"}})
    return {
        "ada": cells,
        "bob": [
            *cells[: place + 1],
            again(exercise, source="def my_states(d, xs):\n    return xs"),
            *cells[place + 1 :],
        ],
        "cem": [damaged, *cells],
        "dan": [*cells[:place], *split, *cells[place + 1 :]],
        "eve": [*cells[: place + 2], again(points), *cells[place + 2 :]],
        "gus": [*cells, fano],
        "hal": [*cells[: place + 1], *cells[place + 2 :]],
    }


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """What `course collected` said to each, and the points that nbgrader gave afterwards."""
    folder = tmp_path_factory.mktemp("submissions")
    released = nbformat.read(hand_out(folder, NOTEBOOK), 4)
    # What is not needed here trains for minutes.
    place = next(i for i, cell in enumerate(released.cells) if "nbgrader" in cell.metadata)
    first = next(i for i, cell in enumerate(released.cells) if "from course_utils" in cell.source)
    marked = [cell for cell in released.cells if "nbgrader" in cell.metadata]  # the second exercise is left unanswered
    assert marked[:2] == released.cells[place : place + 2]
    submissions = handed_in([released.cells[first], *marked], 1)
    names = dict.fromkeys(submissions, NOTEBOOK.name) | {"fay": "00_start_here (1).ipynb"}
    for who, name in names.items():
        path = folder / "submitted" / who / "ch00" / name
        path.parent.mkdir(parents=True)
        notebook = {**released, "cells": submissions.get(who, submissions["ada"])}
        path.write_text(json.dumps(notebook), encoding="utf-8")
    (folder / "submitted" / "ian" / "ch00").mkdir(parents=True)
    (folder / "submitted" / "ian" / "ch00" / NOTEBOOK.name).write_text("{")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        given = sorted(map(str, folder.glob("submitted/*/ch00/*.ipynb")))
        told = CliRunner().invoke(app, ["collected", "00", "--mend", *given]).output.splitlines()
    said = nbgrader(folder, "autograde", "ch00")[1]
    points = {}
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        for submission in book.assignment_submissions("ch00"):
            points[submission.student.id] = submission.score
    return {pathlib.Path(path).parts[-3]: line for path, line in zip(given, told, strict=False)}, points, said


def test_each_is_told_and_every_right_answer_earns_its_point(graded):
    told, points, said = graded
    assert points == {**dict.fromkeys(["ada", "bob", "cem", "dan", "eve", "fay", "gus", "hal"], 1.0), "ian": 0.0}, said
    assert {who: line[0] for who, line in told.items()} == {**dict.fromkeys(points, "✓"), "ian": "✗"}
    assert "mended" not in told["ada"]
    assert all("mended" in told[who] for who in points if who not in ("ada", "ian"))


def test_a_submission_that_is_no_notebook_costs_the_others_nothing(graded):
    _, _, said = graded
    assert "error processing assignment 'ch00' for student 'ian'" in said
