"""Notebooks executed for a page, and the scripts and fonts that pages need, from the packages that bring them."""

import contextlib
import hashlib
import importlib.resources
import json
import pathlib

import nbformat

from ..build import execute, normalise
from ..files import write
from ..front import modules
from ..runtime import asset, cache, size, versions
from ..teaching import phrases

STATIC = pathlib.Path(__file__).parent / "static"
PACKAGE = pathlib.Path(__file__).parents[1]


def executed(path: pathlib.Path) -> nbformat.NotebookNode:
    """The notebook executed for a page, from the cache where nothing has changed."""
    kept = cache() / "pages" / f"{path.stem}-{_state(path)}.ipynb"
    with contextlib.suppress(OSError, ValueError, nbformat.ValidationError):  # not there, or cut short
        return nbformat.read(kept, 4)
    notebook = execute(path, {"COURSE_PAGE": "1", "COURSE_SIZE": size()})
    normalise(notebook)
    with contextlib.suppress(OSError):  # a folder that cannot be written costs the next build its time, nothing else
        kept.parent.mkdir(parents=True, exist_ok=True)
        for older in kept.parent.glob(f"{path.stem}-*.ipynb"):
            older.unlink(missing_ok=True)
        write(kept, nbformat.writes(notebook))
    return notebook


def _state(path: pathlib.Path) -> str:
    """A digest of all that decides what a notebook shows."""
    digest = hashlib.sha256(f"{size()} {sorted(versions().items())}".encode())
    for cell in nbformat.read(path, 4).cells:
        digest.update(json.dumps([cell.cell_type, cell.source, cell.metadata.get("tags")]).encode())
    code = [file for file in PACKAGE.rglob("*.py") if file.parent != STATIC.parent]
    data = [
        file for folder in ("quizzes", "recorded", "weights") for file in asset(folder).rglob("*") if file.is_file()
    ]
    for file in sorted([*code, *data]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def copied(source: pathlib.Path, out: pathlib.Path) -> None:
    """Every file of a folder in the same place below `out`, each whole."""
    for file in sorted(source.rglob("*")):
        if file.is_file():
            write(out / file.relative_to(source), file.read_bytes())


def scripts(folder: pathlib.Path) -> None:
    """Put our script and styles, Plotly's script, and a font with mathematical signs into a folder."""
    for file in STATIC.iterdir():
        write(folder / file.name, file.read_bytes())
    texts = {
        "front.js": modules.for_pages(phrases.QUESTIONS),
        "front.css": modules.style(),
        "plotly.js": modules.plotly(),
    }
    for name, text in texts.items():
        write(folder / name, text)
    font = importlib.resources.files("ziamath") / "fonts/STIXTwoMath-Regular.ttf"
    write(folder / "STIXTwoMath-Regular.ttf", font.read_bytes())
