"""A notebook whose cell takes too long fails the run of the notebooks, whatever the cell makes of its interruption."""

import configparser
import os
import pathlib
import re
import subprocess
import sys

import nbformat
import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
SLEEPS = "import time\ntime.sleep(60)"
CATCHES = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass"


def run(folder, *cells, name="one", **environment):
    """`pytest` on a notebook as the Makefile runs it, with a limit of two seconds a cell: (exit status, its last line)."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, execution_count=i, metadata={"tags": tags}) for i, (source, tags) in enumerate(cells)],
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    )  # fmt: skip
    nbformat.write(notebook, folder / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", folder, "-p", "no:cacheprovider",
               "-p", "nbval", "-p", "nbval_strict", "--nbval", "--nbval-cell-timeout=2", folder / f"{name}.ipynb"]  # fmt: skip
    environment = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT)])}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout.strip().splitlines()[-1]


def counts(line):
    return {kind: int(n) for n, kind in re.findall(r"(\d+) (passed|failed|errors?|xfailed|xpassed|skipped)", line)}


@pytest.mark.parametrize("first", [SLEEPS, CATCHES], ids=["sleeps", "catches"])
def test_a_cell_beyond_the_limit_fails_the_run_and_so_do_the_cells_after_it(tmp_path, first):
    status, line = run(tmp_path, (first, []), ("1 / 0", []), ("two = 2", []))
    assert status == 1, line
    assert counts(line) in ({"failed": 1, "errors": 2}, {"failed": 1, "error": 2}), line


def test_it_fails_where_outputs_are_not_compared_either(tmp_path):
    status, line = run(tmp_path, (CATCHES, ["nbval-ignore-output"]), ("one = 1", []))
    assert (status, counts(line)) == (1, {"failed": 1, "error": 1}), line


def test_a_skipped_cell_fails(tmp_path):
    status, line = run(tmp_path, ("one = 1", []), ("1 / 0", ["nbval-skip"]))
    assert (status, counts(line)) == (1, {"failed": 1, "passed": 1}), line


def test_a_notebook_within_the_limit_passes(tmp_path):
    status, line = run(tmp_path, ("one = 1", []), ("two = 2", []))
    assert (status, counts(line)) == (0, {"passed": 2}), line


TRAINS = 'text = "three = experiment.three_seeds()"'  # trained.yaml names it, and nothing was trained


def test_a_training_beyond_its_range_fails_at_full_length_and_is_not_asked_at_a_twentieth(tmp_path):
    status, line = run(tmp_path, (TRAINS, []), name="00_start_here")
    assert (status, counts(line)) == (1, {"failed": 1}), line
    status, line = run(tmp_path, (TRAINS, []), name="00_start_here", COURSE_SIZE="quick")
    assert (status, counts(line)) == (0, {"passed": 1}), line


def test_what_names_a_machine_and_its_versions_is_not_compared():
    rules = configparser.ConfigParser()
    rules.read(HERE / "sanitize.cfg")
    here, there = (
        "course 0.1.0 on cpu (2 cores) · python 3.12.1, jax 0.12.0.1 · jupyter",
        "course 0.2 on gpu (H200) · python 3.11.7",
    )
    replaced = lambda text: re.sub(
        rules["machine and versions"]["regex"], rules["machine and versions"]["replace"], text
    )
    assert replaced(f"{here}\n2\n") == replaced(f"{there}\n2\n") == "COURSE\n2\n"
