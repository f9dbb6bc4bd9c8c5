"""A chapter handed out, and what came back. The round with nbgrader itself is in tests/classroom."""

import pathlib
import sys
import warnings

import nbformat
import pytest

from course_utils.collected import faults
from course_utils.exercises import ch00, ch01
from course_utils.handout import COPIES, ReleaseError, release, workbook
from course_utils.runtime import InvalidInput

pytestmark = pytest.mark.plain

NOTEBOOKS = sorted((pathlib.Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def graded(path):
    return {
        cell.metadata.nbgrader.grade_id: cell for cell in nbformat.read(path, 4).cells if "nbgrader" in cell.metadata
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_exercise_of_a_chapter_can_be_collected(path, tmp_path):
    checks = sum(".check(" in cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")
    given = release(path, tmp_path / "given", graded=True)
    solved = release(path, tmp_path / "solved", solutions=True)
    assert len(graded(given)) == len(graded(solved)) == 2 * checks > 0
    text = given.read_text(encoding="utf-8")
    assert "solution_function" not in text
    assert '"outputs": []' in text
    for cell in nbformat.read(given, 4).cells:
        assert not cell.get("outputs")
    nbformat.validate(nbformat.read(solved, 4))
    assert faults(path, given) == faults(path, solved) == []


def test_the_solution_of_staff_is_right_and_shows_the_source(tmp_path):
    cell = graded(release(NOTEBOOKS[1], tmp_path, solutions=True))["ch01-fano"]
    assert "# def " in cell.source
    known = {"ex": ch01}
    exec(cell.source, known)
    assert ch01.fano.points(known["my_bits"]) == 1.0
    assert ch01.fano.points(lambda accuracy, symbols: 0 * accuracy) == 0.0


def test_points_are_given_without_a_word_on_stderr_which_nbgrader_takes_for_a_failure(capfd):
    def with_a_warning(accuracy, symbols):
        warnings.warn("divide by zero encountered in log2", RuntimeWarning, stacklevel=1)
        print("here", file=sys.stderr)
        return ch01.fano.solution_function(accuracy, symbols)

    assert ch01.fano.points(with_a_warning) == 1.0
    assert capfd.readouterr() == ("", "")


def test_points_keep_no_attempt(monkeypatch):
    monkeypatch.setattr("course_utils.teaching.exercise.progress", lambda: pytest.fail("nothing is to be kept"))
    assert ch00.running_mean.points(ch00.running_mean.solution_function) == 1.0


def test_a_folder_that_holds_files_is_refused_unless_forced(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(InvalidInput, match=r"holds files already.*--force"):
        release(NOTEBOOKS[0], tmp_path)
    assert release(NOTEBOOKS[0], tmp_path, force=True).exists()
    assert (tmp_path / "mine.txt").read_text() == "kept"
    with pytest.raises(InvalidInput, match="the course's own notebook"):
        release(NOTEBOOKS[0], NOTEBOOKS[0].parent, force=True)
    with pytest.raises(ReleaseError, match="cannot be written"):
        release(NOTEBOOKS[0], tmp_path / "mine.txt" / "deeper")


def test_a_plain_copy_is_the_chapter_and_nothing_else(tmp_path):
    copy, own = (nbformat.read(path, 4) for path in (release(NOTEBOOKS[1], tmp_path), NOTEBOOKS[1]))
    assert [cell.source for cell in copy.cells] == [cell.source for cell in own.cells]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in copy.cells)


def test_a_workbook_keeps_what_has_been_written_in_it(tmp_path):
    assert len(workbook(NOTEBOOKS, tmp_path / "mine").new) == 8
    (tmp_path / "mine" / NOTEBOOKS[0].name).write_text("my answers")
    (tmp_path / "mine" / NOTEBOOKS[1].name).unlink()
    assert workbook(NOTEBOOKS, tmp_path / "mine") == ([tmp_path / "mine" / NOTEBOOKS[1].name], [])
    assert (tmp_path / "mine" / NOTEBOOKS[0].name).read_text() == "my answers"


@pytest.fixture
def shipped(tmp_path):
    """A notebook of the course, a folder for one's own copies, and what corrects the notebook."""
    path = tmp_path / "course" / NOTEBOOKS[1].name
    path.parent.mkdir()
    path.write_bytes(NOTEBOOKS[1].read_bytes())

    def correct(text, cell=3, **metadata):
        notebook = nbformat.read(path, 4)
        notebook.cells[cell].source += text
        notebook.cells[cell].metadata.update(metadata)
        nbformat.write(notebook, path)

    return path, tmp_path / "mine", correct


def names(folder):
    return sorted(path.name for path in folder.glob("*.ipynb"))


def test_a_corrected_notebook_is_put_beside_the_one_that_was_begun_and_only_once(shipped):
    path, mine, correct = shipped
    (begun,) = workbook([path], mine).new
    begun.write_text("my answers")
    correct(" First.")
    assert workbook([path], mine) == ([], [mine / "01_recurrence.new.ipynb"])
    (mine / "01_recurrence.new.ipynb").write_text("my answers there")
    assert workbook([path], mine) == ([], [])
    correct(" Second.")
    assert workbook([path], mine) == ([], [mine / "01_recurrence.new-2.ipynb"])
    (mine / "01_recurrence.new-2.ipynb").unlink()
    assert workbook([path], mine) == ([], [])  # who deletes it does not want it
    assert begun.read_text() == "my answers"
    assert (mine / "01_recurrence.new.ipynb").read_text() == "my answers there"
    assert names(mine) == ["01_recurrence.ipynb", "01_recurrence.new.ipynb"]


def test_results_and_where_a_course_is_published_are_no_correction(shipped):
    path, mine, _ = shipped
    workbook([path], mine)
    notebook = nbformat.read(path, 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], 7
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell("buttons", metadata={"tags": ["stamp"]}))
    nbformat.write(notebook, path)
    assert workbook([path], mine) == ([], [])


def test_a_copy_of_which_nobody_knows_what_it_was_made_of_gets_one_beside_it(shipped):
    path, mine, _ = shipped
    release(path, mine)  # as the first version of the course did, which kept no record
    assert workbook([path], mine) == ([], [])
    (mine / COPIES).unlink()
    (mine / path.name).write_text("my answers")
    for record in (None, "", "[]", "7", '{"01_recurrence.ipynb": 7}'):
        if record is not None:
            (mine / COPIES).write_text(record)
        beside = [] if (mine / "01_recurrence.new.ipynb").exists() else [mine / "01_recurrence.new.ipynb"]
        assert workbook([path], mine) == ([], beside)
    assert (mine / path.name).read_text() == "my answers"
    assert names(mine) == ["01_recurrence.ipynb", "01_recurrence.new.ipynb"]


def test_a_name_that_something_has_is_not_taken(shipped):
    path, mine, correct = shipped
    workbook([path], mine)
    (mine / "01_recurrence.new.ipynb").symlink_to(mine / "elsewhere")
    (mine / "01_recurrence.new-2.ipynb").mkdir()
    correct(" First.")
    assert workbook([path], mine).beside == [mine / "01_recurrence.new-3.ipynb"]
    assert not (mine / "elsewhere").exists()


def test_the_courses_own_folder_is_no_workbook(shipped):
    path, _, _ = shipped
    with pytest.raises(InvalidInput, match="the course's own notebook"):
        workbook([path], path.parent)
    assert names(path.parent) == [path.name]
