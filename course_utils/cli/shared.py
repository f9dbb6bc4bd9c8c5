"""What several commands need: the course's notebooks by chapter, the packages of an extra, where a text goes."""

import importlib.util
import pathlib
import re

import typer

from .. import files
from ..runtime import CourseError, InvalidInput, asset


def all_notebooks() -> list[pathlib.Path]:
    """The notebooks of the course, which must be in this folder."""
    notebooks = sorted(pathlib.Path("notebooks").glob("[0-9][0-9]_*.ipynb"))
    if not notebooks:
        raise CourseError("There is no notebooks/NN_*.ipynb here: run this in the course's folder.")
    return notebooks


def digits(chapter: str) -> str | None:
    """The two digits of a chapter that is written `01`, `1` or `ch01`; None of anything else."""
    written = re.fullmatch("(?:ch)?([0-9]{1,2})", chapter, re.IGNORECASE)
    return written and written[1].zfill(2)


def number(chapter: str) -> str:
    """The two digits of a chapter; `InvalidInput` where it is written in no known way."""
    two_digits = digits(chapter)
    if two_digits is None:
        raise InvalidInput(f"A chapter is written 01, 1 or ch01, not {chapter!r}.")
    return two_digits


def notebook(chapter: str) -> pathlib.Path:
    """The notebook of a chapter."""
    prefix = f"{number(chapter)}_"
    for path in all_notebooks():
        if path.name.startswith(prefix):
            return path
    known = ", ".join(path.name[:2] for path in all_notebooks())
    raise CourseError(f"There is no chapter {chapter!r}; there are {known}.")


def bank_files() -> list[pathlib.Path]:
    """The questions and their pictures, which no command may write over."""
    return [path for path in asset("quizzes").rglob("*") if path.is_file()]


def need(extra: str, *modules: str) -> None:
    """Say now, not after minutes, which packages are missing and what brings them."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise CourseError(f"Missing: {', '.join(missing)}. `pip install -e '.[{extra}]'` brings what is needed.")


def write(text: str, out: pathlib.Path | None) -> None:
    """Write a text to a file, or to the terminal where none is named."""
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        files.write(out, text)
    except FileExistsError:
        raise InvalidInput(f"{out.parent} is a file: name a folder.") from None
    except OSError as error:
        raise InvalidInput(f"{out} cannot be written ({error.strerror}): name another file.") from None
    typer.echo(f"written: {out}", err=True)
