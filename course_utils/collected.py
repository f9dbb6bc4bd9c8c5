"""Chapters that learners handed in: what a copy lacks, in words, and the same put right for nbgrader.

nbgrader wants each marked cell of the released chapter once. A cell that is copied or split keeps its marks in both
halves, and at one such notebook nbgrader stops: neither it nor those that come after it are graded. One that is pasted from
another chapter brings its own marks, and costs all points; nor does nbgrader look at a file of another name. None of this a
learner can see: the check in the notebook says ✓ all the same.

Cells are counted from the top, texts too. Nothing that a learner wrote is run or changed.
"""

import copy
import functools
import itertools
import json
import pathlib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import nbformat

from .files import write
from .handout import checked, mark
from .runtime import CourseError, shortened

RIGHT = "✓"  # with which a check's answer begins; to import it would import every widget
MOST_BYTES = 30_000_000  # of one submission; a chapter with all its results holds half a million
MOST_CELLS = 2_000  # a chapter has some seventy
_MARKS = {
    "schema_version": int, "grade": bool, "locked": bool, "solution": bool, "task": bool,
    "grade_id": str, "points": (int, float), "checksum": str, "cell_type": str,
}  # fmt: skip


class Fault(NamedTuple):
    """What is wrong with a submission, in words, and whether `mend` can put it right."""

    text: str
    mendable: bool = False


class Submission(NamedTuple):
    """A notebook that was handed in, with its faults; `notebook` is as it would be without those that can be mended."""

    faults: tuple[Fault, ...]
    notebook: dict[str, Any] | None = None


class _Exercise(NamedTuple):
    """An exercise of the released chapter: the cell to fill, and the graded cell behind it."""

    name: str
    function: str
    cell: dict[str, Any]
    points: dict[str, Any]


class _Hopeless(CourseError):
    """A file in which nothing of the chapter can be found; the message says why."""


def faults(path: pathlib.Path, submission: pathlib.Path) -> list[str]:
    """What is wrong with a copy of the chapter at `path`, one sentence each; the rest can be graded all the same."""
    return [fault.text for fault in collected(path, submission).faults]


def collected(path: pathlib.Path, submission: pathlib.Path) -> Submission:
    """A copy of the chapter at `path` that was handed in. Whatever is in the file, this says what is wrong with it."""
    try:
        notebook, found = _read(submission)
        told = [*_named(path, submission), *found, *_put_right(notebook, path)]
    except _Hopeless as error:
        return Submission((Fault(str(error)),))
    except Exception as error:  # a file that is damaged in a way that nobody thought of must not stop the others
        return Submission((Fault(f"it cannot be read ({type(error).__name__}: {shortened(str(error), 80)})"),))
    return Submission(tuple(told), notebook)


def mend(path: pathlib.Path, submission: pathlib.Path, found: Submission) -> pathlib.Path | None:
    """Write what can be put right to where nbgrader looks for it; returns where the file is kept that was handed in."""
    if found.notebook is None or not any(fault.mendable for fault in found.faults):
        return None
    names = (f"{submission.name}.as-submitted{n or ''}" for n in itertools.count())
    kept = next(other for name in names if not (other := submission.with_name(name)).exists())
    renamed = any(fault.mendable for fault in _named(path, submission))
    text = json.dumps(found.notebook, indent=1, ensure_ascii=False) + "\n"
    write(kept, submission.read_bytes())
    if renamed:
        submission.unlink()  # before the new one is there, which may differ in capitals alone
    write(submission.with_name(path.name) if renamed else submission, text.encode("utf-8", "replace"))
    return kept


def _named(path: pathlib.Path, submission: pathlib.Path) -> Iterator[Fault]:
    if submission.name == path.name:
        return
    beside = sorted(other.name for other in submission.parent.glob("[!.]*.ipynb"))  # .: by macOS
    if path.name in beside:
        yield Fault(f"nbgrader grades {path.name} beside it, not this one: take away the one that does not count")
    else:
        alone = beside == [submission.name]
        which = "" if alone else ", in a folder of each learner: rename the one that counts"
        yield Fault(f"nbgrader grades only what is called {path.name}{which}", mendable=alone)


# ---------------------------------------------------------------------------------------- the file


def _read(submission: pathlib.Path) -> tuple[dict[str, Any], list[Fault]]:
    """A notebook in which every cell has what a cell has, and what was damaged; `_Hopeless` says why it is none."""
    notebook, encoding = _loaded(submission)
    found = []
    if encoding != "utf-8":
        found.append(Fault(f"it is written in {encoding}, which nbgrader does not read", mendable=True))
    sound = [_sound(cell) for cell in notebook["cells"]]
    damaged = [
        n
        for n, (cell, mine) in enumerate(zip(notebook["cells"], sound, strict=True), 1)
        if mine is None or cell != mine
    ]
    if damaged:
        found.append(Fault(f"{_numbered(damaged)} {'is' if len(damaged) == 1 else 'are'} damaged", mendable=True))
    notebook["cells"] = [cell for cell in sound if cell is not None]
    head = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    right = {"nbformat": lambda n: n == 4, "nbformat_minor": lambda n: type(n) is int, "metadata": _is_object}
    if wrong := [name for name in head if not right[name](notebook.get(name))]:
        found.append(Fault(f"its {' and '.join(wrong)} is damaged", mendable=True))
        notebook.update({name: head[name] for name in wrong})
    return notebook, found


def _loaded(submission: pathlib.Path) -> tuple[dict[str, Any], str]:
    try:
        if not submission.exists():
            raise _Hopeless("there is no such file")
        if not submission.is_file():
            raise _Hopeless(f"it is not a notebook (a {'folder' if submission.is_dir() else 'device or pipe'})")
        if (size := submission.stat().st_size) > MOST_BYTES:
            raise _Hopeless(
                f"it holds {size / 1e6:.0f} MB, and a chapter with all its results less than one: ask for it without "
                "results (Edit › Clear Outputs of All Cells)"
            )
        raw = submission.read_bytes()
        encoding = json.detect_encoding(raw)
        notebook = json.loads(raw.decode(encoding))
    except OSError as error:
        raise _Hopeless(f"it cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise _Hopeless(f"it is not a notebook ({shortened(' '.join(str(error).split()), 80)})") from None
    if not _is_object(notebook) or not isinstance(notebook.get("cells"), list):
        raise _Hopeless("it is not a notebook (it has no cells)")
    if len(notebook["cells"]) > MOST_CELLS:
        raise _Hopeless(f"it has {len(notebook['cells']):,} cells, and no chapter has a tenth of {MOST_CELLS:,}")
    return notebook, "utf-8 with a mark" if encoding == "utf-8-sig" else encoding


def _sound(cell: Any) -> dict[str, Any] | None:
    """A cell with what is damaged in it left empty; None for what is no cell."""
    if not _is_object(cell):
        return None
    sound = {"cell_type": cell.get("cell_type"), "source": _sound_text(cell.get("source")), "metadata": {}}
    if sound["cell_type"] not in ("code", "markdown", "raw"):
        sound["cell_type"] = "code" if "outputs" in cell else "raw"
    if _is_object(cell.get("metadata")):
        sound["metadata"] = cell["metadata"]
    outputs = cell.get("outputs", [])
    if not isinstance(outputs, list) or not all(map(_is_object, outputs)):
        sound.update(outputs=[], execution_count=None)
    needed = {"outputs": [], "execution_count": None} if sound["cell_type"] == "code" else {}
    return {**needed, **cell, **sound}


def _sound_text(source: Any) -> str | list[str]:
    """Text, or lines of it; half of a surrogate pair can be written nowhere and becomes a question mark."""
    if not isinstance(source, str) and not _is_lines(source):
        return ""
    lines = [line.encode("utf-8", "replace").decode() for line in ([source] if isinstance(source, str) else source)]
    return lines[0] if isinstance(source, str) else lines


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(line, str) for line in value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


# ------------------------------------------------------------------------------------------- marks


@functools.cache
def _released(path: pathlib.Path) -> tuple[_Exercise, ...]:
    """The exercises of a chapter as they are handed out."""
    notebook = nbformat.read(path, 4)
    mark(notebook, f"ch{path.name[:2]}")
    pairs = [(checked(cell), cell, behind) for cell, behind in itertools.pairwise(notebook.cells)]
    return tuple(_Exercise(*found, cell, behind) for found, cell, behind in pairs if found)


def _put_right(notebook: dict[str, Any], path: pathlib.Path) -> list[Fault]:
    """Give the marks of the released chapter to one cell each, and say where they were otherwise."""
    cells, wanted = notebook["cells"], path.name[:2]
    known = [grade_id for cell in cells if (grade_id := _grade_id(cell))]
    if not known:
        raise _Hopeless(
            "it is a copy without nbgrader's cells (from `make lab`, or `course release` without `--graded`): "
            "ask for the one that was handed out"
        )
    chapters = {grade_id[2:4] for grade_id in known if re.match(r"ch\d\d-", grade_id)}
    if chapters and wanted not in chapters:
        raise _Hopeless(f"it is chapter {' and '.join(sorted(chapters))}, not {wanted}")
    place = {id(cell): n for n, cell in enumerate(cells, 1)}
    said = [fault for exercise in _released(path) for fault in _exercise(cells, exercise, place)]
    ours = {_grade_id(cell) for exercise in _released(path) for cell in (exercise.cell, exercise.points)}
    return said + _foreign([cell for cell in cells if _grade_id(cell) not in ours], place)


def _exercise(cells: list[dict], exercise: _Exercise, place: dict[int, int]) -> list[Fault]:
    """One exercise: one cell has its marks, and the graded cell stands where it sees the answer that counts."""
    name, function = exercise.name, exercise.function
    marked = [cell for cell in cells if _grade_id(cell) == _grade_id(exercise.cell)]
    graded = [cell for cell in cells if _grade_id(cell) == _grade_id(exercise.points)]
    answers = [cell for cell in cells if _defines(cell, function) and (cell["cell_type"] == "code" or cell in marked)]
    answer = max(answers, key=lambda cell: _worth(cell, exercise, marked), default=None)
    seen = [cell for cell in graded if _seen(cells, answers, cell) is answer]
    which = f"; cell {place[id(answer)]} counts" if len(answers) > 1 else ""
    said = []
    if not marked:
        lost = f"the cell of exercise {name} ({function})"
        said.append(Fault(f"{lost} has lost its marks", True) if answers else Fault(f"{lost} is missing"))
    elif not answers:
        said.append(Fault(f"the cell of exercise {name} no longer defines {function}"))
    if len(marked) > 1:
        said.append(Fault(f"exercise {name} stands in {_cells(marked, place)}{which}", True))
    if not graded:
        lost = f"the graded cell behind exercise {name} is missing: it earns nothing"
        said.append(Fault(lost, mendable=answer is not None))
    elif len(graded) > 1:
        said.append(Fault(f"the graded cell of exercise {name} stands in {_cells(graded, place)}", True))
    if any(map(_is_damaged, (*marked, *graded))):
        said.append(Fault(f"the marks of exercise {name} are damaged", True))
    if graded and answers and not seen:
        last = _seen(cells, answers, graded[0])
        how = f"is defined again in cell {place[id(last)]}" if last else "is not yet defined"
        said.append(Fault(f"{function} {how} where exercise {name} is graded{which}", True))
    _mark_one(marked, answer or next(iter(marked), None), exercise.cell)
    points = next(iter(seen or graded), None) or (copy.deepcopy(dict(exercise.points)) if answer else None)
    _mark_one(graded, points, exercise.points)
    if answer is not None and points is not None and not seen:
        cells[:] = [cell for cell in cells if cell is not points]
        cells.insert(_at(answer, cells) + 1, points)
    return said


def _worth(cell: dict, exercise: _Exercise, marked: list[dict]) -> tuple[bool, bool, bool, bool]:
    """Of several answers to an exercise that counts which was said to be right; else the one in the cell handed out."""
    written = _letters(cell) != _letters(exercise.cell)
    handed_out = cell.get("id") == exercise.cell["id"]
    return _passed(cell), written, any(cell is one for one in marked), handed_out


def _seen(cells: list[dict], answers: list[dict], graded: dict) -> dict | None:
    """The answer that is there when a graded cell runs, in a notebook run from the top."""
    before = [answer for answer in answers if _at(answer, cells) < _at(graded, cells)]
    return before[-1] if before else None


def _at(cell: dict, cells: list[dict]) -> int:
    """Where a cell stands among others, which may be its copies."""
    return next(i for i, other in enumerate(cells) if other is cell)


def _mark_one(marked: list[dict], chosen: dict | None, released: dict) -> None:
    """Give marks to one cell and take them from the others; a teacher may have changed those that were released."""
    sound = [cell["metadata"]["nbgrader"] for cell in (*marked, released) if not _is_damaged(cell)]
    for cell in marked:
        del cell["metadata"]["nbgrader"]
    if chosen is not None:
        chosen["metadata"]["nbgrader"] = dict(sound[0])


def _foreign(cells: list[dict], place: dict[int, int]) -> list[Fault]:
    """Marks that are not the chapter's: a teacher's own stay, once each."""
    said, met = [], set()
    for cell in cells:
        if "nbgrader" not in cell["metadata"]:
            continue
        grade_id, where = _grade_id(cell), f"cell {place[id(cell)]}"
        if grade_id is None or _is_damaged(cell):
            said.append(Fault(f"the marks of {where} are damaged", True))
        elif re.match(r"ch\d\d-", grade_id):
            said.append(Fault(f"{where} is of exercise {shortened(grade_id[5:], 40)} of another chapter", True))
        elif grade_id in met:
            said.append(Fault(f"{where} is a copy of the one marked {shortened(grade_id, 40)}", True))
        else:
            met.add(grade_id)
            continue
        del cell["metadata"]["nbgrader"]
    return said


def _grade_id(cell: dict) -> str | None:
    marks = cell["metadata"].get("nbgrader")
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    return grade_id if isinstance(grade_id, str) else None


def _is_damaged(cell: dict) -> bool:
    """Are marks other than nbgrader wants them? It refuses a whole notebook for one key too many."""
    marks = cell["metadata"]["nbgrader"]
    if not isinstance(marks, dict) or marks.get("schema_version") != 3:
        return True
    wanted = {"grade", "locked", "solution"} | ({"points"} if marks.get("grade") else set())
    return not wanted <= marks.keys() <= _MARKS.keys() or any(
        not isinstance(value, _MARKS[name]) for name, value in marks.items()
    )


def _text(cell: dict) -> str:
    return "".join(cell["source"])


def _letters(cell: dict) -> str:
    """What is written in a cell, however its lines are broken: nbgrader breaks the line of a stub."""
    return "".join(_text(cell).split())


def _defines(cell: dict, function: str) -> bool:
    pattern = rf"^[ \t]*(?:async[ \t]+)?(?:def[ \t]+{function}[ \t]*[(\[]|{function}[ \t]*(?::[^=\n]*)?=(?!=))"
    return bool(re.search(pattern, _text(cell), re.MULTILINE))


def _passed(cell: dict) -> bool:
    """Does the cell's kept output begin with the ✓ of a check?"""
    shown = [output.get("data") for output in cell.get("outputs", ())]
    plain = [data.get("text/plain") for data in shown if _is_object(data)]
    return any("".join(_sound_text(text)).startswith(RIGHT) for text in plain)


def _cells(chosen: list[dict], place: dict[int, int]) -> str:
    """`cell 3`, `cells 3 and 4`; of many, how many more."""
    return _numbered([place[id(cell)] for cell in chosen])


def _numbered(numbers: list[int]) -> str:
    *first, last = map(str, numbers)
    if len(first) > 8:
        return f"cells {', '.join(first[:8])} and {len(numbers) - 8} more"
    return f"cells {', '.join(first)} and {last}" if first else f"cell {last}"
