"""A class of two hundred: what `course collected` and `course progress class` take for all chapters. Nothing here is a test.

    python benchmarks/classroom.py [--learners 200] [--out FILE]
    python benchmarks/classroom.py --autograde 10 --chapter 01 [--out FILE]

Each learner's submission of a chapter is the course's own notebook with its results and nbgrader's marks; in one of ten something has
happened to it (a cell copied, split, lost or damaged, a file renamed, in turn), and in each chapter one is no notebook at
all. Each learner answers every question three times (the last as an exercise); some files are CSV, some UTF-16, one is
broken. With `--autograde` nbgrader grades some submissions of one chapter, all solved, as teaching.md says (needs
`pip install -e '.[classroom]'`).

Seconds are those of the commands as a teacher runs them, their start included; memory is the most that one held.
"""

import argparse
import copy
import itertools
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import nbformat
from machine import processor

from course_utils.handout import mark, release
from course_utils.teaching.bank import bank
from course_utils.teaching.progress import Progress

ROOT = pathlib.Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
GOALS = {"seconds": 60, "gigabytes": 1.0}


def happened(notebook: dict, what: str) -> tuple[dict, str]:
    """A submission to which something has happened, and the ending of its name."""
    changed = copy.deepcopy(notebook)
    cells = changed["cells"]
    place = next(i for i, cell in enumerate(cells) if "nbgrader" in cell["metadata"])
    if what in ("copied", "split"):
        cells.insert(place + 1, {**copy.deepcopy(cells[place]), "id": what})
    if what == "graded copied":
        cells.insert(place + 2, {**copy.deepcopy(cells[place + 1]), "id": "copied"})
    if what == "lost":
        del cells[place + 1]
    if what == "damaged":
        cells[0] = {"cell_type": "markdown", "metadata": []}
    return changed, " (1)" if what == "renamed" else ""


def submissions(folder: pathlib.Path, path: pathlib.Path, learners: int) -> list[pathlib.Path]:
    """A chapter as the class hands it in, in the folders that nbgrader makes."""
    notebook = nbformat.read(path, 4)
    mark(notebook, f"ch{path.name[:2]}")
    kinds = itertools.cycle(("copied", "split", "graded copied", "lost", "damaged", "renamed"))
    written = []
    for learner in range(learners):
        one, ending = happened(notebook, next(kinds)) if learner % 10 == 3 else (notebook, "")
        out = folder / "submitted" / f"learner{learner:03}" / f"ch{path.name[:2]}" / f"{path.stem}{ending}.ipynb"
        out.parent.mkdir(parents=True)
        text = json.dumps(one, indent=1, ensure_ascii=False)
        out.write_text(text[: len(text) // 2] if learner == learners // 2 else text, encoding="utf-8")
        written.append(out)
    return written


def exported(folder: pathlib.Path, learners: int) -> list[pathlib.Path]:
    """Progress files of the class."""
    rng, written = random.Random(0), []
    questions = [question for path in NOTEBOOKS for question in bank(f"ch{path.name[:2]}").questions]
    for learner in range(learners):
        kept = Progress(":memory:")
        for attempt in range(3):
            for question in questions:
                right = rng.random() < 0.3 + 0.3 * attempt
                kind = "predict" if question.kind == "predict" else "quiz" if attempt < 2 else "exercise"
                kept.record(question.id[:4], kind, question.id, rng.randrange(3), right, question.objective)
        form = "csv" if learner % 7 == 0 else "json"
        text = kept.to_csv() if form == "csv" else kept.to_json()
        out = folder / f"learner{learner:03}.{form}"
        out.write_bytes(b"{" if learner == learners // 2 else text.encode("utf-16" if learner % 9 == 0 else "utf-8"))
        written.append(out)
    return written


def course(*words: object) -> tuple[float, float, float]:
    """What `run` says of a command that must have named what was wrong."""
    return run([sys.executable, "-c", "from course_utils.cli import main; main()", *map(str, words)], ROOT, status=1)


def run(command: list[str], folder: pathlib.Path, status: int, **environment: str) -> tuple[float, float, float]:
    """A command's seconds, those of the processor, and the most gigabytes that one process held."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        running = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=told, stderr=subprocess.STDOUT
        )
        _, ended, used = os.wait4(running.pid, 0)
        seconds = time.perf_counter() - begin
        running.returncode = os.waitstatus_to_exitcode(ended)
        told.seek(0)
        lines = told.read().splitlines()
    if running.returncode != status:
        sys.exit("\n".join([f"it ended with {running.returncode}:", *lines[-20:]]))
    print(f"{' '.join(command[2:6])[:120]} …: {seconds:.1f} s; {lines[-1]}", file=sys.stderr)
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)


def autograded(folder: pathlib.Path, path: pathlib.Path, learners: int) -> dict[str, object]:
    """Seconds for each learner of a real `nbgrader autograde`, of a chapter in which every exercise is solved."""
    chapter = f"ch{path.name[:2]}"
    shutil.copy(ROOT / "docs" / "nbgrader_config.py", folder)
    release(path, folder / "source" / chapter, solutions=True)
    for learner in range(learners):
        release(path, folder / "submitted" / f"learner{learner:03}" / chapter, solutions=True)
    around = {"COURSE_HOME": str(folder / "home"), "COURSE_SIZE": "quick"}
    around["PATH"] = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"  # it calls alembic by name
    grader = [sys.executable, "-m", "nbgrader"]
    run([*grader, "generate_assignment", chapter, "--create"], folder, 0, **around)
    seconds, busy, held = run([*grader, "autograde", chapter], folder, 0, **around)
    return {
        "chapter": chapter,
        "learners": learners,
        "seconds for each": round(seconds / learners, 1),
        "of the processor": round(busy / learners, 1),
        "gigabytes": round(held, 2),
    }


def told(result: dict[str, object], out: pathlib.Path | None) -> None:
    text = json.dumps({"processor": processor(), "processors": os.cpu_count(), **result}, indent=1)
    print(text)
    if out:
        out.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=200)
    parser.add_argument("--out", type=pathlib.Path, help="a file for the numbers, as JSON")
    parser.add_argument("--autograde", type=int, metavar="LEARNERS", help="nbgrader's time for so many instead")
    parser.add_argument("--chapter", default="01", help="the one that --autograde grades")
    given = parser.parse_args()
    if given.autograde:
        (path,) = (path for path in NOTEBOOKS if path.name.startswith(given.chapter))
        with tempfile.TemporaryDirectory() as place:
            told(autograded(pathlib.Path(place), path, given.autograde), given.out)
        return
    measured = {}
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        for path in NOTEBOOKS:
            files = submissions(folder, path, given.learners)
            chapter = path.name[:2]
            for name, options in (("collected", ()), ("collected --mend", ("--mend",))):
                measured[f"{name} {chapter}"] = course("collected", chapter, *options, *files)
        answers = exported(folder, given.learners)
        outputs = [word for name in ("out", "table", "learners") for word in (f"--{name}", folder / name)]
        measured["progress class"] = course("progress", "class", *answers, *outputs)
    once = [value for name, value in measured.items() if "--mend" not in name]
    result = {
        "learners": given.learners,
        "chapters": len(NOTEBOOKS),
        "seconds": {name: round(seconds, 1) for name, (seconds, *_) in measured.items()},
        "all": round(sum(seconds for seconds, _, _ in once), 1),
        "of the processor": round(sum(busy for _, busy, _ in once), 1),
        "gigabytes": round(max(held for _, _, held in measured.values()), 2),
    }
    told(result, given.out)
    sys.exit(result["all"] > GOALS["seconds"] or result["gigabytes"] > GOALS["gigabytes"])


if __name__ == "__main__":
    main()
