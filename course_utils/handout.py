"""Chapters to hand out: `course release` for a class, `course lab` for oneself. They hold no results yet.

For nbgrader each exercise is a cell that the learner fills and, behind it, a locked cell worth one point, which asks the exercise's
own check. With solutions it is what nbgrader calls the source of an assignment; without, what learners get.
"""

import ast
import hashlib
import importlib
import itertools
import json
import pathlib
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import nbformat

from .files import write
from .runtime import CourseError, require

_STUB = "def {name}({arguments}): ..."


class ReleaseError(CourseError):
    """A chapter that cannot be handed out; the message says why."""


def release(
    path: pathlib.Path, out: pathlib.Path, *, graded: bool = False, solutions: bool = False, force: bool = False
) -> pathlib.Path:
    """Write the notebook at `path` to the folder `out`, without outputs; returns the file written.

    graded: with a locked cell worth one point behind each exercise, and the marks that nbgrader wants.
    solutions: graded, and with the solutions, as the source of an assignment in nbgrader.
    A folder that holds something already is refused unless `force`, which replaces this one notebook and nothing else.
    """
    notebook = _without_results(path)
    if graded or solutions:
        mark(notebook, f"ch{path.name[:2]}", solutions)
    _require_another_folder(path, out)
    try:
        require(
            force or not out.exists() or not any(out.iterdir()),
            f"{out} holds files already: name another folder, or say --force to replace {path.name} there.",
        )
        out.mkdir(parents=True, exist_ok=True)
        write(out / path.name, nbformat.writes(notebook) + "\n")
    except OSError as error:
        raise ReleaseError(f"{out} cannot be written: {error}") from None
    return out / path.name


def _without_results(path: pathlib.Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _require_another_folder(path: pathlib.Path, out: pathlib.Path) -> None:
    same = (out / path.name).resolve() == path.resolve()
    require(not same, f"{out} holds the course's own notebook: name another folder.")


class Workbook(NamedTuple):
    """Copies written, and copies written beside those that were begun before the course corrected their notebooks."""

    new: list[pathlib.Path]
    beside: list[pathlib.Path]


COPIES = ".copies.json"  # in a workbook: of each notebook, a digest of what the learner was given last


def workbook(paths: Sequence[pathlib.Path], out: pathlib.Path) -> Workbook:
    """Copies to work in, without outputs, of the notebooks that `out` does not hold yet.

    A copy that is there is never touched. Where the notebook has changed since, or nobody knows what the copy was made of,
    another one is written beside it, once: `01_recurrence.new.ipynb`.
    """
    given, written = _given(out), Workbook([], [])
    for path in paths:
        _require_another_folder(path, out)
        fresh = _without_results(path)
        digest, text = _digest(fresh), nbformat.writes(fresh) + "\n"
        begun = (out / path.name).exists()
        if begun and given.get(path.name) == digest:
            continue
        try:
            if not begun:
                written.new.append(_write(out / path.name, text))
            elif not any(_holds(other, digest) for other in out.glob(f"{path.stem}*.ipynb")):
                written.beside.append(_write(_free(out, path.stem), text))
            given[path.name] = digest
            write(out / COPIES, json.dumps(given, indent=1) + "\n")
        except OSError as error:
            raise ReleaseError(f"{out} cannot be written: {error}") from None
    return written


def _write(path: pathlib.Path, text: str) -> pathlib.Path:
    write(path, text)
    return path


def _digest(notebook: nbformat.NotebookNode) -> str:
    """Of what a learner reads and runs; where a copy is published (`course stamp`) is no correction."""
    cells = [[cell.cell_type, cell.source] for cell in notebook.cells if "stamp" not in cell.metadata.get("tags", [])]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _holds(path: pathlib.Path, digest: str) -> bool:
    try:
        return _digest(nbformat.read(path, 4)) == digest
    except (OSError, ValueError, AttributeError, TypeError, KeyError, nbformat.ValidationError):
        return False  # a learner's file, which may be anything


def _given(out: pathlib.Path) -> dict[str, Any]:
    try:
        given = json.loads((out / COPIES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return given if isinstance(given, dict) else {}


def _free(out: pathlib.Path, stem: str) -> pathlib.Path:
    """A name that nothing has: `.new`, then `.new-2`."""
    endings = itertools.chain(["new"], (f"new-{number}" for number in itertools.count(2)))
    names = (out / f"{stem}.{ending}.ipynb" for ending in endings)
    return next(path for path in names if not path.exists() and not path.is_symlink())


def mark(notebook: nbformat.NotebookNode, chapter: str, solutions: bool = False) -> None:
    """Mark each exercise for nbgrader and put its graded cell behind it."""
    exercises = importlib.import_module(f"course_utils.exercises.{chapter}") if solutions else None
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        found = checked(cell)
        if found is None:
            continue
        name, function = found
        if solutions:
            shown = getattr(exercises, name).solution().removeprefix("```python\n").removesuffix("```")
            cell.source = _solved(cell.source, name, function, shown)
        cell.metadata.nbgrader = _marked(f"{chapter}-{name}", solution=True)
        points = nbformat.v4.new_code_cell(f"ex.{name}.points({function})  # graded: 1 point", id=f"{cell.id}-points")
        points.metadata.nbgrader = {**_marked(f"{chapter}-{name}-points", locked=True, grade=True), "points": 1}
        cells.append(points)
    notebook.cells = cells


def checked(cell: nbformat.NotebookNode) -> tuple[str, str] | None:
    """The exercise that a cell checks and the function that it gives to the check."""
    if cell.cell_type != "code":
        return None
    try:
        parsed = ast.parse(cell.source)
    except SyntaxError:  # a magic, such as the `%pip` of a stamp
        return None
    match parsed.body[-1:]:
        case [
            ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr=name), attr="check"), args=[ast.Name(id=function)]
                )
            )
        ]:
            return name, function
    return None


def _solved(source: str, name: str, function: str, solution: str) -> str:
    """A cell whose stub calls the library's solution, the source of which stands above as a comment."""
    stub = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == function)
    arguments = ast.unparse(stub.args)
    wanted = _STUB.format(name=function, arguments=arguments)
    if wanted not in source:
        raise ReleaseError(f"The cell of exercise {name} does not hold the line `{wanted}`.")
    called = ", ".join(argument.arg for argument in stub.args.args)
    body = "\n".join(
        [
            "### BEGIN SOLUTION",
            textwrap.indent(solution.strip(), "# ", lambda line: True),
            f"return ex.{name}.solution_function({called})",
            "### END SOLUTION",
        ]
    )
    return source.replace(wanted, f"def {function}({arguments}):\n{textwrap.indent(body, '    ')}")


def _marked(grade_id: str, *, locked: bool = False, grade: bool = False, solution: bool = False) -> dict:
    """What nbgrader keeps in a cell."""
    return {
        "schema_version": 3, "grade_id": grade_id, "locked": locked, "grade": grade, "solution": solution, "task": False,
    }  # fmt: skip
