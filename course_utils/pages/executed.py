"""Notebooks executed for a page, and the scripts and fonts that pages need, from the packages that bring them."""

import hashlib
import importlib.resources
import pathlib
import shutil

import nbformat

from ..build import execute, normalise
from ..runtime import cache, size, versions

STATIC = pathlib.Path(__file__).parent / "static"
PACKAGE = pathlib.Path(__file__).parents[1]


def executed(path: pathlib.Path) -> nbformat.NotebookNode:
    """The notebook executed for a page, from the cache where nothing has changed."""
    kept = cache() / "pages" / f"{path.stem}-{_state(path)}.ipynb"
    if kept.exists():
        return nbformat.read(kept, 4)
    notebook = execute(path, {"COURSE_PAGE": "1", "COURSE_SIZE": size()})
    normalise(notebook)
    kept.parent.mkdir(parents=True, exist_ok=True)
    for older in kept.parent.glob(f"{path.stem}-*.ipynb"):
        older.unlink()
    nbformat.write(notebook, kept)
    return notebook


def _state(path: pathlib.Path) -> str:
    """A digest of all that decides what a notebook shows."""
    digest = hashlib.sha256(f"{size()} {sorted(versions().items())}".encode())
    for cell in nbformat.read(path, 4).cells:
        digest.update(cell.source.encode())
    inside = [file for file in PACKAGE.rglob("*.py") if file.parent != STATIC.parent]
    for file in sorted([*inside, *(PACKAGE.parent / "data").rglob("*.*")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def scripts(folder: pathlib.Path) -> None:
    """Put our script and style, Plotly's script, and a font with mathematical signs into a folder."""
    for file in STATIC.iterdir():
        shutil.copy(file, folder)
    for package, name in (("plotly", "package_data/plotly.min.js"), ("ziamath", "fonts/STIXTwoMath-Regular.ttf")):
        with importlib.resources.as_file(importlib.resources.files(package) / name) as file:
            shutil.copy(file, folder)
