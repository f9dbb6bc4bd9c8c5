"""Each chapter's headline measurements, one module a chapter, run by notebooks, tests and `course reproduce`.

A module `chNN` has `headline()`, which runs everything and returns the `results.chNN.Recorded` that goes to
`data/recorded/chNN.json`; so has `multi30k`, which needs files that are not part of the course. Models that the
course ships are named in a module's `MODELS`: name → `get(retrain)`.
"""

import dataclasses
import importlib
import pathlib
import time
from types import ModuleType

from .. import devices
from ..files import write
from ..runtime import CourseError, InvalidInput, require_writable, size, use_full_precision
from ..training import keep
from .results import CHAPTERS, Results, recorded, require_chapter

__all__ = ["CHAPTERS", "module", "recorded", "reproduce", "ship"]


def module(chapter: str) -> ModuleType:
    """The module that measures a chapter; `InvalidInput` names the chapters there are."""
    require_chapter(chapter)
    return importlib.import_module(f"{__name__}.{chapter}")


def ship(chapter: str, folder: pathlib.Path | str) -> list[pathlib.Path]:
    """Train the models that a chapter ships and write them to `folder`, one file each."""
    if size() != "full":
        raise InvalidInput("Shipped models are trained in full: unset COURSE_SIZE.")
    require_writable(pathlib.Path(folder))
    use_full_precision()
    written = []
    for name, get in getattr(module(chapter), "MODELS", {}).items():
        model, history, _, config = get(retrain=True)
        written.append(pathlib.Path(folder) / f"{name}.safetensors")
        keep(written[-1], model, history, config)
    return written


def reproduce(chapter: str, folder: pathlib.Path | str | None = None) -> Results:
    """Run a chapter's headline measurements; what returns says where, when, and how many seconds it took.

    With a `folder` the result is also written there as `chNN.json`, except when `COURSE_SIZE=quick`: rough
    numbers are never recorded. Of several processes the first writes.
    """
    measure = module(chapter).headline
    if folder is not None:
        require_writable(pathlib.Path(folder))
    use_full_precision()
    begin = time.monotonic()
    result = dataclasses.replace(measure(), seconds=round(time.monotonic() - begin))
    if folder is not None and size() == "full" and devices.first():
        path, text = pathlib.Path(folder) / f"{chapter}.json", result.to_json()
        try:
            write(path, text)
        except OSError as error:  # what took minutes is told all the same
            raise CourseError(f"{path} cannot be written ({error.strerror}). What was measured:\n{text}") from None
    return result
