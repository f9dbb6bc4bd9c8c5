"""The stamp: one command writes where a copy is published, and takes it off again without a trace."""

import pathlib
import shutil

import nbformat
import pytest
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.collected import faults
from course_utils.handout import release
from course_utils.runtime import InvalidInput
from course_utils.stamp import stamp

pytestmark = pytest.mark.plain

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path):
    """A copy of the course's notebooks and README, unstamped."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".*"))
    shutil.copy(ROOT / "README.md", tmp_path)
    stamp(tmp_path, None)
    return tmp_path


def contents(root):
    return {path: path.read_bytes() for path in [*root.glob("notebooks/*.ipynb"), root / "README.md"]}


def test_a_stamp_reaches_every_notebook_and_the_readme(copy):
    changed = stamp(copy, "ada/course.py", "v1.0")
    assert {path.name for path in changed} == {path.name for path in contents(copy)}
    for path in (copy / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(path, 4)
        nbformat.validate(notebook)
        buttons, install = notebook.cells[1:3]
        assert f"colab.research.google.com/github/ada/course.py/blob/v1.0/notebooks/{path.name}" in buttons.source
        assert f"mybinder.org/v2/gh/ada/course.py/v1.0?urlpath=lab%2Ftree%2Fnotebooks%2F{path.name}" in buttons.source
        assert (
            '%pip install --quiet "recurrence-to-attention @ git+https://github.com/ada/course.py@v1.0"'
            in install.source
        )
        assert install.cell_type == "code"
        assert not install.outputs
    assert "blob/v1.0/notebooks/00_" in (copy / "README.md").read_text()


def test_an_unstamped_notebook_has_no_dead_badge_and_speaks_to_the_learner_alone(copy):
    for path in (copy / "notebooks").glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "mybinder" not in text
        assert "colab.research" not in text
        assert "course stamp" not in text
    assert "mybinder" not in (copy / "README.md").read_text()


def test_stamping_twice_changes_nothing_and_taking_it_off_leaves_no_trace(copy):
    before = contents(copy)
    stamp(copy, "ada/course")
    once = contents(copy)
    assert stamp(copy, "ada/course") == []
    stamp(copy, "grace/other", "main")
    assert b"ada/course" not in b"".join(contents(copy).values())
    stamp(copy, "ada/course")
    assert contents(copy) == once
    stamp(copy, None)
    assert contents(copy) == before


def test_the_committed_notebooks_are_in_the_form_that_stamping_leaves(copy):
    for path, text in contents(copy).items():
        assert (ROOT / path.relative_to(copy)).read_bytes() == text


@pytest.mark.parametrize(
    "repo", ["ada", "ada/x/y", "https://github.com/ada/x", "ada /x", "", "../..", "ada/..", "./x", "../x"]
)
def test_what_is_no_repository_is_refused(copy, repo):
    before = contents(copy)
    with pytest.raises(InvalidInput, match="OWNER/NAME"):
        stamp(copy, repo)
    assert contents(copy) == before


@pytest.mark.parametrize("ref", ["", "a b", "../x", "a..b", "/x", 'x"'])
def test_what_is_no_ref_is_refused(copy, ref):
    with pytest.raises(InvalidInput, match="branch, tag or commit"):
        stamp(copy, "ada/course", ref)


def test_buttons_open_the_copies_of_another_folder(copy):
    before = contents(copy)
    stamp(copy, "ada/course", "v1.0", "week/handout/")
    for path in (copy / "notebooks").glob("*.ipynb"):
        source = nbformat.read(path, 4).cells[1].source
        assert f"/github/ada/course/blob/v1.0/week/handout/{path.name})" in source
        assert f"/gh/ada/course/v1.0?urlpath=lab%2Ftree%2Fweek%2Fhandout%2F{path.name})" in source
        assert "notebooks" not in source
    assert "blob/v1.0/week/handout/00_" in (copy / "README.md").read_text()
    stamp(copy, "ada/course")
    assert b"handout" not in (copy / "notebooks" / "01_recurrence.ipynb").read_bytes()
    stamp(copy, "ada/course", folder="handout")
    stamp(copy, None)
    assert contents(copy) == before


@pytest.mark.parametrize("folder", ["", "/", ".", "..", "../x", "x/../y", "/x", "a b", "a\\b", "x)", "x%2F"])
def test_what_is_no_folder_is_refused(copy, folder):
    before = contents(copy)
    with pytest.raises(InvalidInput, match="such as handout"):
        stamp(copy, "ada/course", folder=folder)
    assert contents(copy) == before


@pytest.mark.parametrize("how", [{}, {"graded": True}, {"solutions": True}])
def test_a_released_copy_keeps_the_buttons_and_can_be_collected(copy, how):
    stamp(copy, "ada/course", "v1.0", "handout")
    path = copy / "notebooks" / "01_recurrence.ipynb"
    given = release(path, copy / "handout", **how)
    assert [cell.source for cell in nbformat.read(given, 4).cells[1:3]] == [
        cell.source for cell in nbformat.read(path, 4).cells[1:3]
    ]
    assert f"blob/v1.0/handout/{given.name}" in nbformat.read(given, 4).cells[1].source
    assert not how or faults(path, given) == []


def test_the_command(copy, monkeypatch):
    monkeypatch.chdir(copy)
    run = CliRunner().invoke
    assert "written: notebooks/00_start_here.ipynb" in run(app, ["stamp", "--repo", "ada/course"]).output
    assert "Nothing to change" in run(app, ["stamp", "--repo", "ada/course"]).output
    assert "written: README.md" in run(app, ["stamp", "--repo", "ada/course", "--folder", "handout"]).output
    assert "ada/course/blob/main/handout/00_start_here.ipynb" in pathlib.Path("README.md").read_text()
    for arguments in (["stamp"], ["stamp", "--clear", "--repo", "a/b"]):
        result = run(app, arguments)
        assert result.exit_code == 1
        assert "--clear" in result.output
    monkeypatch.chdir(copy / "notebooks")
    result = run(app, ["stamp", "--clear"])
    assert result.exit_code == 1
    assert "There is no notebooks/NN_" in result.output
