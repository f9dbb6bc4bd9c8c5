"""`course stamp`: where this copy of the course is published, written into every notebook and the README.

A stamped notebook has buttons that open it on Colab and Binder, and a cell that installs the course where it is
missing. An unstamped one has neither. The place is kept nowhere else: stamping again, or taking the stamp off, rewrites all of it.
"""

import pathlib
import re
import urllib.parse

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from .build import normalise
from .files import write
from .runtime import PACKAGE, require

TAG = "stamp"
BEGIN, END = "<!-- stamp: written by `course stamp` -->", "<!-- end of stamp -->"


def stamp(root: pathlib.Path, repo: str | None, ref: str = "main", folder: str = "notebooks") -> list[pathlib.Path]:
    """Write the place `github.com/repo` at `ref` into all notebooks and the README; with `repo=None` take it off.

    The buttons open the notebook of the same name in the repository's `folder`, which may be one of released copies.
    Returns the files whose content has changed. Outputs of the notebooks stay as they are.
    """
    if repo is not None:
        require(
            re.fullmatch(r"[\w.-]+/[\w.-]+", repo) and not {".", ".."} & set(repo.split("/")),
            f"A repository is written OWNER/NAME, such as ada/recurrence-to-attention, not {repo!r}.",
        )
        good = re.fullmatch(r"[\w.-]+(/[\w.-]+)*", ref) and ".." not in ref and "." not in ref.split("/")
        require(good, f"A ref is a branch, tag or commit, such as main or v1.0, not {ref!r}.")
        good = re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", folder) and not {".", ".."} & set(folder.split("/"))
        require(good, f"A folder is one inside the repository, such as handout or week1/handout, not {folder!r}.")
        folder = folder.rstrip("/")
    notebooks = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    readme = root / "README.md"
    require(notebooks and readme.exists(), f"There is no notebooks/NN_*.ipynb and README.md in {root.resolve()}.")
    text = readme.read_text(encoding="utf-8")
    require(
        BEGIN in text and END in text, f"README.md lacks the lines {BEGIN} and {END}, between which the stamp goes."
    )
    fresh = {path: _notebook(path, repo, ref, folder) for path in notebooks}
    before, rest = text.split(BEGIN, 1)
    fresh[readme] = f"{before}{BEGIN}\n{_readme(notebooks[0].name, repo, ref, folder)}{END}{rest.split(END, 1)[1]}"
    changed = [path for path, new in fresh.items() if new != path.read_text(encoding="utf-8")]
    for path in changed:
        write(path, fresh[path])
    return changed


def badges(notebook: str, repo: str, ref: str, folder: str) -> str:
    """The two buttons, as Markdown."""
    colab = f"https://colab.research.google.com/github/{repo}/blob/{ref}/{folder}/{notebook}"
    opened = urllib.parse.quote(f"lab/tree/{folder}/{notebook}", safe="")
    binder = f"https://mybinder.org/v2/gh/{repo}/{ref}?urlpath={opened}"
    return (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}) "
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})"
    )


def install_line(repo: str, ref: str) -> str:
    """What installs the course from that place."""
    return f'%pip install --quiet "{PACKAGE} @ git+https://github.com/{repo}@{ref}"'


def _readme(first: str, repo: str | None, ref: str, folder: str) -> str:
    return "" if repo is None else f"{badges(first, repo, ref, folder)}\n"


def _notebook(path: pathlib.Path, repo: str | None, ref: str, folder: str) -> str:
    """The text of a notebook with its stamp renewed: after the opening, at most two cells tagged as ours."""
    notebook = nbformat.read(path, 4)
    cells = [cell for cell in notebook.cells if TAG not in cell.metadata.get("tags", [])]
    ours = []
    if repo is not None:
        source = (
            "import importlib.util\n\n"
            'if importlib.util.find_spec("course_utils") is None:  # on Colab: install the course\n'
            f"    {install_line(repo, ref)}"
        )
        ours = [new_markdown_cell(badges(path.name, repo, ref, folder)), new_code_cell(source)]
    for cell in ours:
        cell.metadata = nbformat.from_dict({"tags": [TAG]})
    notebook.cells = [cells[0], *ours, *cells[1:]]
    normalise(notebook)
    text = nbformat.writes(notebook)
    return text if text.endswith("\n") else text + "\n"
