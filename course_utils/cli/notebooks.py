"""Commands that take notebooks: build them, make pages and slides of them, open them, stamp them."""

import importlib
import os
import pathlib
import subprocess
import sys
from typing import Annotated, Any

import typer

from ..runtime import CourseError, InvalidInput, require_writable
from . import shared

_FOR_PAGES = ("nbformat", "nbclient", "sphinx", "myst_nb", "furo", "pypandoc", "ziamath", "sphinx_revealjs")
_ROOT = (
    "You are root, for whom Jupyter does not start unless you say so. In a container of your own: "
    "`course lab -- --allow-root` (or `make lab LAB_OPTIONS=--allow-root`); from outside it is reached with "
    "`--ip 0.0.0.0` as well. Elsewhere start it from an account of your own."
)

Notebooks = Annotated[list[pathlib.Path] | None, typer.Argument(help="Notebooks; all of notebooks/ if none.")]


def build(
    notebooks: Notebooks = None,
    pictures: Annotated[bool, typer.Option(help="Add PNGs (needs kaleido and Chromium).")] = True,
) -> None:
    """Execute notebooks in a fresh kernel and write them back normalised."""
    from ..build import build as build_one

    for path in notebooks or shared.all_notebooks():
        if not path.exists():
            raise CourseError(f"There is no notebook {path}.")
        typer.echo(f"building {path}")
        build_one(path, pictures)


def site(
    notebooks: Notebooks = None,
    out: Annotated[pathlib.Path, typer.Option(help="Folder for the pages.")] = pathlib.Path("site"),
) -> None:
    r"""The course as pages that need neither a kernel nor a network (install with `.\[site]`)."""
    _write_pages("course_utils.pages", "build_site", notebooks or shared.all_notebooks(), out)


def slides(
    chapter: Annotated[str, typer.Argument(help="Such as 01.")],
    out: Annotated[pathlib.Path, typer.Option(help="Folder for the slides.")] = pathlib.Path("slides"),
) -> None:
    r"""A chapter's sections as slides with live figures, for a room without a network (install with `.\[site]`)."""
    _write_pages("course_utils.pages.slides", "build_slides", shared.notebook(chapter), out)


def _write_pages(module: str, function: str, source: Any, out: pathlib.Path) -> None:
    shared.need("site", *_FOR_PAGES)
    require_writable(out)  # before notebooks are executed for minutes
    typer.echo(f"written: {getattr(importlib.import_module(module), function)(source, out)}")


def lab(
    out: Annotated[pathlib.Path, typer.Option(help="Where your copies of the notebooks are.")] = pathlib.Path(
        "workbook"
    ),
    options: Annotated[list[str] | None, typer.Argument(help="For jupyter lab, after --.")] = None,
) -> None:
    """Open JupyterLab on your own copies of the notebooks, which hold no results yet.

    Copies that exist are kept; a notebook that has been corrected since is put beside yours.
    """
    shared.need("lab", "jupyterlab", "nbformat")
    from ..handout import workbook

    new, corrected = workbook(shared.all_notebooks(), out)
    names = ", ".join(path.name for path in new)
    typer.echo(f"Your copies are in {out}{f'; new: {names}' if new else ''}.")
    for path in corrected:
        original = f"{path.name.split('.')[0]}.ipynb"
        typer.echo(f"The course has corrected {original}. Yours is as you left it; {path.name} lies beside it.")
    options = options or []
    if os.name != "nt" and os.geteuid() == 0 and "--allow-root" not in options:
        typer.echo(_ROOT, err=True)
    jupyter = [sys.executable, "-m", "jupyterlab", "--LabApp.news_url=None"]
    server = subprocess.run([*jupyter, *options, str(out / "00_start_here.ipynb")], check=False)
    raise typer.Exit(server.returncode)


def stamp(
    repo: Annotated[str | None, typer.Option(help="OWNER/NAME on GitHub.")] = None,
    ref: Annotated[str, typer.Option(help="Branch, tag or commit.")] = "main",
    folder: Annotated[
        str, typer.Option(help="The repository's folder that the buttons open, such as handout.")
    ] = "notebooks",
    clear: Annotated[bool, typer.Option("--clear", help="Take the stamp off again.")] = False,
) -> None:
    """Write where this copy is published (Colab and Binder buttons, install line) into notebooks and README."""
    from ..stamp import stamp as write_stamp

    if clear == (repo is not None):
        raise InvalidInput("Say either --repo OWNER/NAME (and --ref, --folder), or --clear.")
    changed = write_stamp(pathlib.Path(), repo, ref, folder)
    typer.echo("\n".join(f"written: {path}" for path in changed) or "Nothing to change.")
