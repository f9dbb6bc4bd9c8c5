"""The notebooks' code cells, read by pyright as modules: a renamed field or function fails here, not in a reader's notebook.

python tests/notebook_types.py [NOTEBOOK …]
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from typing import NamedTuple

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

ROOT = pathlib.Path(__file__).parents[1]
PYTHON_MAGICS = (
    "capture",
    "prun",
    "time",
    "timeit",
)  # a cell under one of these holds Python; under another it need not
ASKED = re.compile(r"""^(\s*)get_ipython\(\)\.run_line_magic\('pinfo2?', '([\w.]+)'\)$""")  # name? and name??
HEADER = """from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
def get_ipython() -> InteractiveShell: ..."""
# The last line of a cell is its output; what flax says may be None is not None in a model that was just made.
RULES = {"reportUnusedExpression": "none", "reportOptionalCall": "none", "reportOptionalSubscript": "none"}
TOLERATED = (
    "Carry",  # flax and jax say of a state only that it is one
    'for class "Cell',  # a model takes any cell, and a notebook looks at the weights of the one it made
    '"await" allowed only within async function',  # in a cell it is allowed
)


class Line(NamedTuple):
    """Where a line of a module comes from, both counted from 1."""

    cell: int
    id: str
    number: int


def python_of(cell: str) -> str:
    """A cell's source with IPython's own syntax (`%`, `!`, `?`) as Python. What is asked with `name??` is looked up too."""
    magic, _, body = cell.partition("\n")
    if magic.startswith("%%") and magic[2:].split()[0] in PYTHON_MAGICS:
        cell = f"# {magic}\n{body}"
    lines = TransformerManager().transform_cell(cell).rstrip("\n").split("\n")
    return "\n".join(ASKED.sub(r"\1\2", line) for line in lines)


def module(notebook: nbformat.NotebookNode) -> tuple[str, list[Line]]:
    """The code cells one after the other, and for every line of the text where it comes from."""
    lines = HEADER.split("\n")
    places = [Line(0, "", i + 1) for i in range(len(lines))]
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            source = python_of(cell.source).split("\n")
            lines += source
            places += [Line(number, cell.get("id", ""), i + 1) for i in range(len(source))]
    return "\n".join(lines) + "\n", places


def problems(paths: Iterable[pathlib.Path]) -> list[str]:
    """What pyright finds wrong in notebooks, each with the notebook, the cell and the line."""
    origins = {}
    with tempfile.TemporaryDirectory() as folder:
        for i, path in enumerate(paths):
            text, places = module(nbformat.read(path, 4))
            name = f"notebook_{i}.py"
            (pathlib.Path(folder) / name).write_text(text, encoding="utf-8")
            origins[name] = path, text.split("\n"), places
        settings = {"include": ["."], "extraPaths": [str(ROOT)], "typeCheckingMode": "basic", **RULES}
        (pathlib.Path(folder) / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        command = ["-m", "pyright", "--project", folder, "--pythonpath", sys.executable, "--outputjson"]
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True, encoding="utf-8", check=False)
    try:
        found = json.loads(done.stdout)["generalDiagnostics"]
    except ValueError:
        raise SystemExit(f"pyright did not run:\n{done.stdout}{done.stderr}") from None
    return [_told(one, *origins[pathlib.Path(one["file"]).name]) for one in found if _counts(one)]


def _counts(found: dict) -> bool:
    return found["severity"] == "error" and not any(words in found["message"] for words in TOLERATED)


def _told(found: dict, path: pathlib.Path, lines: list[str], places: list[Line]) -> str:
    line = found["range"]["start"]["line"]
    cell, id, number = places[line]
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    message = found["message"].replace("\n", "\n    ")
    return f"{shown}, cell {cell} (id {id}), line {number}: {message}\n    | {lines[line].strip()}"


if __name__ == "__main__":
    named = [pathlib.Path(name).resolve() for name in sys.argv[1:]] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    errors = problems(named)
    print(*errors, f"{len(named)} notebooks, {len(errors)} errors", sep="\n")
    sys.exit(bool(errors))
