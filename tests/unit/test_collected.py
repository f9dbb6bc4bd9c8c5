"""What came back of a chapter that was handed out. The round with nbgrader itself is in tests/classroom."""

import copy
import json
import os
import pathlib

import nbformat
import pytest
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.collected import MOST_BYTES, RIGHT, collected, faults, mend
from course_utils.handout import release
from course_utils.teaching import grading

pytestmark = pytest.mark.plain

ROOT = pathlib.Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
START = NOTEBOOKS[0]


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    path = release(START, tmp_path_factory.mktemp("released"), graded=True)
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def solved(released):
    """Chapter 00 with its exercise solved: the notebook, and where its cell and the graded one are."""
    notebook = copy.deepcopy(released)
    place = next(i for i, cell in enumerate(notebook["cells"]) if "nbgrader" in cell["metadata"])
    function = "".join(notebook["cells"][place + 1]["source"]).split("(")[1].split(")")[0]
    notebook["cells"][place]["source"] = f"def {function}(x):\n    return right\n\n\nex.fading.check({function})"
    return notebook, place, function


@pytest.fixture
def hand_in(tmp_path):
    def write(notebook, who="ada", name=START.name):
        path = tmp_path / "submitted" / who / "ch00" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode())
        return path

    return write


def marks(notebook):
    """Grade id and source of each marked cell, in their order."""
    return [
        (cell["metadata"]["nbgrader"]["grade_id"], "".join(cell["source"]))
        for cell in notebook["cells"]
        if "nbgrader" in cell["metadata"]
    ]


def copied(cell, **changed):
    return {**copy.deepcopy(cell), "id": "copied", **changed}


def said_right(cell):
    shown = {"output_type": "execute_result", "data": {"text/plain": ["✓ Right on all 4 cases."]}}
    return {**cell, "outputs": [{**shown, "execution_count": 1, "metadata": {}}]}


def is_as_released(path, released):
    """Are exactly the marks of the release there, and nothing to mend any more?"""
    mended = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(mended)
    return (
        sorted(one for one, _ in marks(mended)) == sorted(one for one, _ in marks(released))
        and faults(START, path) == []
    )


# ------------------------------------------------------------------------------ cells that were copied, split, moved


def test_a_copied_exercise_is_named_and_the_cell_handed_out_counts(released, solved, hand_in):
    notebook, place, function = solved
    tried = f"def {function}(x):\n    return tried"
    notebook["cells"].insert(place + 1, copied(notebook["cells"][place], source=tried))
    path = hand_in(notebook, "bob")
    first, second = place + 1, place + 2
    assert faults(START, path) == [
        f"exercise fading stands in cells {first} and {second}; cell {first} counts",
        f"{function} is defined again in cell {second} where exercise fading is graded; cell {first} counts",
    ]
    kept = mend(START, path, collected(START, path))
    assert kept.read_bytes() == json.dumps(notebook).encode()
    assert is_as_released(path, released)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [cells[i]["source"] for i in (place, place + 2)] == [notebook["cells"][place]["source"], tried]
    assert cells[place + 1]["metadata"]["nbgrader"]["grade"]  # before what was tried


def test_of_copies_the_one_counts_whose_check_said_that_it_is_right(released, solved, hand_in):
    notebook, place, function = solved
    notebook["cells"].insert(place + 1, said_right(copied(notebook["cells"][place], source=f"{function} = better")))
    path = hand_in(notebook)
    assert faults(START, path) == [
        f"exercise fading stands in cells {place + 1} and {place + 2}; cell {place + 2} counts"
    ]
    mend(START, path, collected(START, path))
    assert is_as_released(path, released)
    assert marks(json.loads(path.read_text(encoding="utf-8")))[0][1] == f"{function} = better"


def test_the_sign_of_a_right_answer_is_the_one_that_checks_give():
    assert RIGHT == grading.RIGHT


def test_a_copied_graded_cell_is_graded_once(released, solved, hand_in):
    notebook, place, _ = solved
    notebook["cells"].insert(place + 2, copied(notebook["cells"][place + 1]))
    path = hand_in(notebook, "eve")
    assert faults(START, path) == [f"the graded cell of exercise fading stands in cells {place + 2} and {place + 3}"]
    mend(START, path, collected(START, path))
    assert is_as_released(path, released)


def test_of_a_split_cell_the_half_that_defines_the_function_is_marked(released, solved, hand_in):
    notebook, place, _ = solved
    whole = notebook["cells"][place]
    define, _, check = whole["source"].partition("\n\n\n")
    for halves in ((define, check), ("import numpy", define)):
        notebook["cells"][place : place + 2 if "split" in str(notebook["cells"][place + 1]["id"]) else place + 1] = [
            {**whole, "source": halves[0]},
            copied(whole, id="split", source=halves[1]),
        ]
        path = hand_in(notebook, "dan")
        assert faults(START, path) == [f"exercise fading stands in cells {place + 1} and {place + 2}"]
        mend(START, path, collected(START, path))
        assert is_as_released(path, released)
        assert marks(json.loads(path.read_text(encoding="utf-8")))[0][1] == define


def test_an_answer_in_a_cell_of_ones_own_is_graded(released, solved, hand_in):
    """The stub below it would be what is graded, or nothing yet."""
    notebook, place, function = solved
    stub = copy.deepcopy(released["cells"][place])
    own = {"cell_type": "code", "id": "own", "metadata": {}, "execution_count": None, "outputs": []}
    own["source"] = f"def {function}(x): return mine"
    for where, said in ((place, "is defined again in cell"), (len(notebook["cells"]) - 1, "where exercise")):
        other = copy.deepcopy(notebook)
        other["cells"][place] = stub
        other["cells"].insert(where, own)
        path = hand_in(other)
        (fault,) = faults(START, path)
        assert said in fault
        assert fault.endswith(f"cell {where + 1} counts")
        mend(START, path, collected(START, path))
        assert is_as_released(path, released)
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        behind = next(i for i, cell in enumerate(cells) if cell["id"] == "own") + 1
        assert cells[behind]["metadata"]["nbgrader"]["grade"]


def test_a_text_that_quotes_the_function_is_no_answer(released, solved, hand_in):
    notebook, place, function = solved
    notebook["cells"][place] = copy.deepcopy(released["cells"][place])
    notebook["cells"].insert(
        1, {"cell_type": "markdown", "id": "quoted", "metadata": {}, "source": f"def {function}(x):"}
    )
    assert faults(START, hand_in(notebook)) == []


def test_an_exercise_that_became_a_text_is_the_answer_all_the_same(solved, hand_in):
    """nbgrader makes it code again."""
    notebook, place, _ = solved
    notebook["cells"][place]["cell_type"] = "markdown"
    assert faults(START, hand_in(notebook)) == []


def test_a_graded_cell_before_its_exercise_is_moved_and_a_lost_one_comes_back(released, solved, hand_in):
    notebook, place, function = solved
    graded = notebook["cells"].pop(place + 1)
    path = hand_in(notebook)
    assert faults(START, path) == ["the graded cell behind exercise fading is missing: it earns nothing"]
    mend(START, path, collected(START, path))
    assert is_as_released(path, released)
    notebook["cells"].insert(place, graded)
    path = hand_in(notebook)
    assert faults(START, path) == [f"{function} is not yet defined where exercise fading is graded"]
    mend(START, path, collected(START, path))
    assert is_as_released(path, released)


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        ({"grade_id": "ch00-fading"}, "the marks of exercise fading are damaged"),
        ({"schema_version": 3, "grade": 1, "locked": 0, "solution": 1, "grade_id": "ch00-fading"}, "are damaged"),
        (
            {"schema_version": 3, "grade": False, "locked": False, "solution": True, "grade_id": "ch00-fading"}
            | {"of": "another program"},
            "are damaged",
        ),
        (None, "has lost its marks"),
    ],
)
def test_marks_that_nbgrader_would_refuse_are_put_right(released, solved, hand_in, spoiled, said):
    notebook, place, _ = solved
    notebook["cells"][place]["metadata"]["nbgrader"] = spoiled
    path = hand_in(notebook)
    assert said in faults(START, path)[0]
    mend(START, path, collected(START, path))
    assert is_as_released(path, released)


def test_marks_of_another_chapter_go_and_a_teachers_own_stay_once(released, solved, hand_in):
    """nbgrader refuses a whole notebook for one marked cell that it does not know."""
    notebook = solved[0]
    own = {"schema_version": 3, "grade": False, "locked": True, "solution": False, "task": False, "grade_id": "hello"}
    for i, (grade_id, where) in enumerate((("hello", 0), ("hello", 1), ("ch01-fano", 2), ("", 3))):
        cell = {**notebook["cells"][0], "id": f"added-{i}", "metadata": {"nbgrader": {**own, "grade_id": grade_id}}}
        notebook["cells"].insert(where, cell)
    notebook["cells"][3]["metadata"]["nbgrader"] = {}
    path = hand_in(notebook)
    assert faults(START, path) == [
        "cell 2 is a copy of the one marked hello",
        "cell 3 is of exercise fano of another chapter",
        "the marks of cell 4 are damaged",
    ]
    mend(START, path, collected(START, path))
    assert [one for one, _ in marks(json.loads(path.read_text(encoding="utf-8")))] == [
        "hello", *(one for one, _ in marks(released)),
    ]  # fmt: skip


def test_a_lock_that_a_teacher_changed_and_more_points_stay(solved, hand_in):
    notebook, place, _ = solved
    notebook["cells"][place + 1]["metadata"]["nbgrader"]["points"] = 5
    notebook["cells"].insert(place + 2, copied(notebook["cells"][place + 1]))
    path = hand_in(notebook)
    mend(START, path, collected(START, path))
    cell = json.loads(path.read_text(encoding="utf-8"))["cells"][place + 1]
    assert cell["metadata"]["nbgrader"]["points"] == 5


# ------------------------------------------------------------------------------------------ cells that are not there


def test_a_copy_that_nbgrader_cannot_grade_is_named_in_one_sentence(tmp_path):
    said = faults(NOTEBOOKS[1], release(NOTEBOOKS[1], tmp_path / "plain"))
    assert said == [
        "it is a copy without nbgrader's cells (from `make lab`, or `course release` without `--graded`): "
        "ask for the one that was handed out"
    ]


def test_another_chapter_is_named_in_one_sentence(tmp_path):
    other = release(NOTEBOOKS[1], tmp_path / "other", graded=True)
    assert faults(NOTEBOOKS[2], other) == ["it is chapter 01, not 02"]


def test_a_single_missing_cell_is_named_even_beside_cells_of_another_chapter(tmp_path):
    mine, other = (release(path, tmp_path, graded=True, force=True) for path in NOTEBOOKS[1:3])
    notebook = nbformat.read(mine, 4)
    gone = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "ch01-fano"]
    added = [cell for cell in nbformat.read(other, 4).cells if "nbgrader" in cell.metadata]
    for i, cell in enumerate(added):
        cell.id = f"added-{i}"
    notebook.cells = [*(cell for cell in notebook.cells if cell not in gone), *added]
    nbformat.write(notebook, mine)
    said = faults(NOTEBOOKS[1], mine)
    assert said[0] == "the cell of exercise fano (my_bits) is missing"
    assert len(said) == 1 + len(added)
    assert all("of another chapter" in text for text in said[1:])
    notebook.cells = [cell for cell in notebook.cells if cell in added[:1]]
    notebook.cells[0].metadata.nbgrader.grade_id = "cell-of-a-teacher"
    nbformat.write(notebook, mine)
    assert "the cell of exercise one_step (my_step) is missing" in faults(NOTEBOOKS[1], mine)


# ------------------------------------------------------------------------------------------------- names of files


def test_a_renamed_file_is_named_back_where_it_is_the_only_one(released, solved, hand_in):
    notebook = solved[0]
    path = hand_in(notebook, "fay", "00_start_here (1).ipynb")
    assert faults(START, path) == ["nbgrader grades only what is called 00_start_here.ipynb"]
    kept = mend(START, path, collected(START, path))
    assert sorted(other.name for other in path.parent.iterdir()) == [
        "00_start_here (1).ipynb.as-submitted", "00_start_here.ipynb",
    ]  # fmt: skip
    assert kept.read_bytes() == json.dumps(notebook).encode()
    assert is_as_released(path.with_name(START.name), released)


def test_of_two_files_a_teacher_chooses(solved, hand_in):
    one, other = (hand_in(solved[0], "fay", f"00_start_here ({n}).ipynb") for n in (1, 2))
    for path in (one, other):
        found = collected(START, path)
        assert "rename the one that counts" in found.faults[0].text
        assert mend(START, path, found) is None
    right = hand_in(solved[0], "fay")
    assert "take away the one that does not count" in faults(START, one)[0]
    assert faults(START, right) == []


# ---------------------------------------------------------------------------------------------------- damaged files


def spoil(notebook, place, **changed):
    """A cell without what is None in `changed`."""
    cell = {**notebook["cells"][place], **changed}
    notebook["cells"][place] = {name: value for name, value in cell.items() if value is not None}
    return notebook


DAMAGE = {
    "no source": {"source": None},
    "a source that is a number": {"source": 7},
    "lines that are numbers": {"source": ["a", 7]},
    "metadata that are a list": {"metadata": ["nbgrader"]},
    "no metadata": {"metadata": None},
    "no kind": {"cell_type": None},
    "a kind that nobody knows": {"cell_type": "heading"},
    "half of a surrogate pair": {"source": "\ud83d"},
    "outputs that are text": {"cell_type": "code", "outputs": "none"},
    "outputs that are numbers": {"cell_type": "code", "outputs": [1, 2]},
}


@pytest.mark.parametrize("changed", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cell_is_named_and_the_rest_is_looked_at(released, solved, hand_in, changed):
    notebook, place, _ = solved
    notebook["cells"].insert(place + 2, copied(notebook["cells"][place + 1]))
    path = hand_in(spoil(notebook, 1, **changed))
    said = faults(START, path)
    assert said[0] == "cell 2 is damaged"
    assert "the graded cell of exercise fading stands in" in said[1]
    mend(START, path, collected(START, path))
    assert is_as_released(path, released)


def test_what_is_no_cell_is_left_out_of_the_mended_copy(released, solved, hand_in):
    notebook = solved[0]
    notebook["cells"][0:0] = [None, 3, "cell"]
    path = hand_in({**notebook, "metadata": [], "nbformat": "4"})
    assert faults(START, path) == ["cells 1, 2 and 3 are damaged", "its nbformat and metadata is damaged"]
    mend(START, path, collected(START, path))
    assert is_as_released(path, released)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is not a notebook"),
        (b"{", "it is not a notebook"),
        (b"\x89PNG\r\n\x1a\n", "it is not a notebook"),
        (b"[]", "it has no cells"),
        (b"null", "it has no cells"),
        (b'"a"', "it has no cells"),
        (b"{}", "it has no cells"),
        (b'{"cells": {"a": 1}}', "it has no cells"),
        (b"[" * 200_000, "it is not a notebook"),
        (b'{"cells": [], "x": ' + b"9" * 5000 + b"}", "it is not a notebook"),
        (b'{"cells": [], "nbformat": 4}', "without nbgrader's cells"),
    ],
)
def test_a_file_that_is_no_notebook_is_named_in_one_short_sentence(hand_in, content, said):
    (fault,) = faults(START, hand_in(content))
    assert said in fault
    assert len(fault) < 200


def test_what_is_no_file_is_named(tmp_path):
    assert faults(START, tmp_path / "gone.ipynb") == ["there is no such file"]
    assert faults(START, tmp_path) == ["it is not a notebook (a folder)"]
    os.mkfifo(tmp_path / "pipe.ipynb")
    assert faults(START, tmp_path / "pipe.ipynb") == [
        "it is not a notebook (a device or pipe)"
    ]  # and is not waited for
    (tmp_path / "loop.ipynb").symlink_to("loop.ipynb")
    assert len(faults(START, tmp_path / "loop.ipynb")) == 1


def test_a_file_of_extreme_size_is_not_read(tmp_path):
    path = tmp_path / START.name
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert "it holds 30 MB" in faults(START, path)[0]
    assert "Clear Outputs" in faults(START, path)[0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "utf-32"])
def test_a_notebook_in_another_encoding_is_written_in_utf_8(released, solved, hand_in, encoding):
    path = hand_in(json.dumps(solved[0]).encode(encoding))
    assert "which nbgrader does not read" in faults(START, path)[0]
    mend(START, path, collected(START, path))
    assert is_as_released(path, released)


def test_a_million_cells_are_not_looked_at(hand_in):
    assert "it has 1,000,000 cells" in faults(START, hand_in(b'{"cells": [' + b"{}," * 999_999 + b"{}]}"))[0]


def test_a_hundred_thousand_empty_lines_are_read_at_once(solved, hand_in):
    notebook, place, _ = solved
    notebook["cells"][place]["source"] += "\n" * 100_000
    assert faults(START, hand_in(notebook)) == []


# ------------------------------------------------------------------------------------------------------ the command


def course(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_one_broken_submission_stops_nothing(monkeypatch, solved, hand_in, tmp_path):
    monkeypatch.chdir(ROOT)
    notebook, place, _ = solved
    right = hand_in(notebook, "ada")
    eve = copy.deepcopy(notebook)
    eve["cells"].insert(place + 2, copied(eve["cells"][place + 1]))
    twice, broken = hand_in(eve, "eve"), hand_in(b"{", "gil")
    folder = tmp_path / "submitted" / "hal" / "ch00" / START.name
    folder.mkdir(parents=True)
    given = (folder, broken, twice, right)
    before = twice.read_bytes()
    done = course("collected", "00", *given)
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert [line[0] for line in lines[:4]] == ["✗", "✗", "✗", "✓"]
    assert "eve/ch00/00_start_here.ipynb: the graded cell of exercise fading stands in" in lines[2]
    assert lines[4:] == [
        "4 submissions: 1 right, 1 could be mended, 2 wrong",
        "`--mend` puts right what can be, in these copies, and keeps what was handed in beside them.",
    ]
    assert twice.read_bytes() == before
    done = course("collected", "00", "--mend", *given)
    assert "4 submissions: 1 right, 1 mended, 2 wrong" in done.output
    assert f"(as it was handed in: {twice}.as-submitted)" in done.output
    done = course("collected", "00", right, twice)
    assert done.exit_code == 0
    assert "2 submissions: 2 right" in done.output


def test_an_error_that_nobody_foresaw_stops_nothing(monkeypatch, solved, hand_in):
    monkeypatch.chdir(ROOT)
    paths = [hand_in(solved[0], who) for who in ("ada", "bob")]
    monkeypatch.setattr("course_utils.collected._put_right", lambda *_: 1 / 0)
    done = course("collected", "00", *paths)
    assert done.exit_code == 1
    assert done.output.count("it cannot be read (ZeroDivisionError: division by zero)") == 2


def test_mending_twice_keeps_both_files(solved, hand_in):
    notebook, place, _ = solved
    notebook["cells"].insert(place + 2, copied(notebook["cells"][place + 1]))
    kept = []
    for _ in range(2):
        path = hand_in(notebook)
        kept.append(mend(START, path, collected(START, path)))
    assert kept[0] != kept[1]
    assert kept[0].read_bytes() == kept[1].read_bytes() == json.dumps(notebook).encode()
    assert mend(START, path, collected(START, path)) is None


def test_another_persons_file_behind_a_link_is_left_alone(solved, hand_in, tmp_path):
    notebook, place, _ = solved
    notebook["cells"].insert(place + 2, copied(notebook["cells"][place + 1]))
    theirs = tmp_path / "theirs.ipynb"
    theirs.write_text(json.dumps(notebook))
    link = tmp_path / "submitted" / START.name
    link.parent.mkdir()
    link.symlink_to(theirs)
    mend(START, link, collected(START, link))
    assert theirs.read_text() == json.dumps(notebook)
    assert faults(START, link) == []
