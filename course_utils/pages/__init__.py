"""The course as static pages, which need neither a kernel nor a network: `course site`.

Each notebook is executed once more for a page (`COURSE_PAGE` set), so that its explorers tell their frames; `outputs`
makes HTML of what it shows, `formulas` MathML of its formulas, and Sphinx the pages around them.
"""

import concurrent.futures
import io
import os
import pathlib
import shutil
import tempfile
from collections.abc import Sequence
from typing import Any

import nbformat

from ..runtime import CourseError, require, size
from .executed import copied, executed, scripts
from .outputs import for_a_page

TEXTS = ("CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/NOTES.md", "docs")  # pages beside the notebooks
SETTINGS: dict[str, Any] = {
    "project": "From Recurrence to Attention",
    "html_title": "From Recurrence to Attention",
    "author": "the authors of the course",
    "language": "en",
    "extensions": ["myst_nb", f"{__name__}.formulas"],
    "html_math_renderer": "mathml",
    "html_theme": "furo",
    "html_static_path": ["_scripts"],
    "html_css_files": ["front.css", "page.css"],
    "html_js_files": [("plotly.js", {"defer": "defer"}), ("front.js", {"defer": "defer"})],
    "html_show_copyright": False,
    "html_copy_source": False,
    "html_show_search_summary": False,  # it would fetch the pages found, which a browser refuses for files
    "html_show_sphinx": False,
    "nb_execution_mode": "off",
    "nb_merge_streams": True,
    "myst_enable_extensions": ["dollarmath", "amsmath"],
    "myst_heading_anchors": 3,
    "templates_path": [],
    "exclude_patterns": [],
    "suppress_warnings": ["myst.header", "misc.highlighting_failure"],
}


ABSENT = ("myst.xref_missing", "ref.myst")  # links to chapters that were not asked for


class SiteError(CourseError):
    """A site that cannot be built; the message says what is missing."""


def build_site(notebooks: Sequence[pathlib.Path], out: pathlib.Path) -> pathlib.Path:
    """Pages of these notebooks, and of the README in front of them, in the folder `out`; returns the first page.

    At `COURSE_SIZE=quick` the trainings are short and the pages show rough numbers. What was executed is kept in the
    cache and used again until a notebook, the package, its data or its versions change.
    """
    require(len(notebooks) > 0, "There is no notebook to make a page of.")
    for path in notebooks:
        require(path.exists(), f"There is no notebook {path}.")
    root = notebooks[0].resolve().parents[1]
    require((root / "README.md").exists(), f"The pages begin with the README, and there is none in {root}.")
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "source"
        (source / "notebooks").mkdir(parents=True)
        side_by_side = 1 if size() == "full" else os.cpu_count()  # what is timed in a notebook is timed alone
        with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
            for path, notebook in zip(notebooks, pool.map(executed, notebooks), strict=True):
                for_a_page(notebook)
                nbformat.write(notebook, source / "notebooks" / path.name)
        _texts(root, source, notebooks)
        (source / "_scripts").mkdir()
        scripts(source / "_scripts")
        whole = len(notebooks) == len(list((root / "notebooks").glob("[0-9][0-9]_*.ipynb")))
        _sphinx(
            source,
            out,
            SETTINGS if whole else {**SETTINGS, "suppress_warnings": [*SETTINGS["suppress_warnings"], *ABSENT]},
        )
    return out / "index.html"


def _texts(root: pathlib.Path, source: pathlib.Path, notebooks: Sequence[pathlib.Path]) -> None:
    """The README as the first page, with the list of all others, and the texts that it names."""
    for name in TEXTS:
        if (root / name).is_dir():
            shutil.copytree(root / name, source / name)
        elif (root / name).exists():
            (source / name).parent.mkdir(exist_ok=True)
            shutil.copy(root / name, source / name)
    for name in ("LICENSE", "data/pictures"):
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        (source / name).parent.mkdir(exist_ok=True)
        copy(root / name, source / name)
    others = sorted(path.relative_to(source).as_posix() for path in source.rglob("*.md"))
    first = (root / "README.md").read_text(encoding="utf-8")
    listed = (("The chapters", [f"notebooks/{path.name}" for path in notebooks]), ("About the course", others))
    for caption, pages in listed:
        first += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n" + "\n".join(pages) + "\n```\n"
    (source / "index.md").write_text(first, encoding="utf-8")


def _sphinx(source: pathlib.Path, out: pathlib.Path, settings: dict[str, Any]) -> None:
    """Build the pages apart, and put them into `out` when all are whole."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    warned, pages = io.StringIO(), source.parent / "pages"
    try:
        with patch_docutils(source), docutils_namespace():
            app = Sphinx(source, None, pages, source.parent / "trees", "html", settings, status=None, warning=warned)
            app.build()
    except (SphinxError, OSError) as error:
        raise SiteError(f"The pages could not be built: {error}") from None
    if warned.getvalue().strip():
        raise SiteError(f"The pages were built with faults: {warned.getvalue().strip()}")
    copied(pages, out)
