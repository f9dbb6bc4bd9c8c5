"""`course doctor`: what is wrong with an installation, in words, with what to do about it."""

import contextlib
import datetime
import importlib.metadata
import pathlib
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

from packaging.requirements import Requirement

from . import runtime


class Finding(NamedTuple):
    """One thing looked at: is it well, what was seen, and what to do if it is not (or soon, where it is a `note`)."""

    ok: bool
    what: str
    remedy: str = ""
    note: bool = False

    def __str__(self) -> str:
        mark = "!" if self.note else "✓" if self.ok else "✗"
        return f"{mark} {self.what}" + (f"\n    → {self.remedy}" if self.remedy and mark != "✓" else "")


def examine() -> list[Finding]:
    """Look at everything the course needs; no finding stops the others."""
    findings: list[Finding] = []
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _device,
        _assets,
        _home,
        _kernel,
        _colab,
    )
    for check in checks:
        try:
            findings.extend(check())
        except Exception as error:  # a broken installation can break anything
            findings.append(
                Finding(
                    False,
                    f"{check.__name__.strip('_')}: {type(error).__name__}: {error}",
                    "Install the course again.",
                )
            )
    return findings


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        sys.version_info >= (3, 11),
        f"Python {version}",
        "The course needs Python 3.11 or newer; see the README.",
    )


def _packages() -> Iterator[Finding]:
    try:
        needs = importlib.metadata.requires(runtime.PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(
            False,
            f"the package {runtime.PACKAGE} is not installed",
            "In the course folder: pip install -e '.[lab]'",
        )
        return
    for need in map(Requirement, needs):
        if need.marker and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            found = importlib.metadata.version(need.name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(False, f"{need.name} is missing", f"pip install '{need.name}{need.specifier}'")
            continue
        yield Finding(
            need.specifier.contains(found, prereleases=True),
            f"{need.name} {found}",
            f"The course needs {need.name}{need.specifier}: pip install '{need.name}{need.specifier}'",
        )


def _device() -> Iterator[Finding]:
    import jax
    import jax.numpy as jnp

    total = float(jax.jit(jnp.sum)(jnp.ones(3)))
    yield Finding(
        total == 3.0,
        f"jax computes on {runtime.device()}",
        "jax gives wrong numbers here: reinstall jax and jaxlib.",
    )


def _assets() -> Iterator[Finding]:
    from .teaching.bank import bank

    found = bank("ch00")
    yield Finding(True, f"course files are there ({len(found.questions)} questions in ch00)")


def _home() -> Iterator[Finding]:
    folder = runtime.home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        yield Finding(True, f"answers are kept in {folder}")
    except OSError as error:
        yield Finding(
            False,
            f"answers cannot be kept in {folder} ({error})",
            "Set COURSE_HOME to a folder you may write to.",
        )
    cached = runtime.use_compilation_cache()
    yield Finding(
        cached is not None,
        f"compiled programs are kept in {cached}",
        "Set COURSE_HOME to a folder you may write to; until then each kernel compiles anew.",
    )


def _kernel() -> Iterator[Finding]:
    found = {}
    for name in ("ipykernel", "jupyterlab", "notebook", "anywidget"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    yield Finding("ipykernel" in found, f"ipykernel {found.pop('ipykernel', 'is missing')}", "pip install ipykernel")
    yield from _views(found.pop("anywidget", ""))
    shown = [f"{name} {version}" for name, version in found.items()]
    front = ", ".join(shown) or "neither JupyterLab nor Notebook is here"
    remedy = f"pip install '{runtime.PACKAGE}[lab]', or open the notebooks in an editor that runs them."
    yield Finding(bool(found), front, remedy)


def _views(version: str) -> Iterator[Finding]:
    """Explorers and questions need anywidget's front end where the server runs: in a folder that Jupyter looks into."""
    from jupyter_core.paths import jupyter_path

    folders = [*jupyter_path("labextensions"), *jupyter_path("nbextensions")]
    there = any((pathlib.Path(folder) / "anywidget").exists() for folder in folders)
    yield Finding(
        there,
        f"explorers and questions reach the page (anywidget {version})"
        if there
        else "Jupyter's server here has no front end of anywidget: explorers and questions would stay empty",
        "pip install --force-reinstall anywidget, in the environment that JupyterLab is started from.",
    )


READING = "tests/environments/colab-*.txt"  # in a checkout; learners who installed the package have none
OLD = 60  # days


def _colab() -> Iterator[Finding]:
    """Colab moves on every few weeks: whoever releases the course must know how old its reading is."""
    for path in sorted(pathlib.Path(__file__).parents[1].glob(READING)):
        read = re.search(r"Read on (\d{4}-\d\d-\d\d)", path.read_text(encoding="utf-8"))
        if read is None:
            yield Finding(False, f"{path.name} does not say when it was read", "Write `# Read on YYYY-MM-DD` in it.")
            continue
        day = datetime.date.fromisoformat(read[1])
        age = (datetime.date.today() - day).days
        told = f"Colab's versions were read on {day.day} {day:%B %Y}, {age} days ago"
        yield Finding(True, told, "Before a release, read them anew (tests/environments).", note=age > OLD)
