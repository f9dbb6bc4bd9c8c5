"""Each chapter's headline measurements, one module a chapter, run by notebooks, tests and `course reproduce`.

A module `chNN` has `headline() -> dict`, which runs everything and returns what goes to
`data/recorded/chNN.json`; so has `multi30k`, which needs files that are not part of the course. Models that the
course ships are named in a module's `MODELS`: name → `get(retrain)`.
"""

import datetime
import importlib
import json
import pathlib
import time
from typing import Any

import numpy as np

from .. import devices
from ..files import write
from ..runtime import CourseError, InvalidInput, device, require_writable, size, use_full_precision, versions
from ..training import keep

REAL_TEXT = "multi30k"


def chapters() -> list[str]:
    """Chapters that have headline measurements, and the one measurement on real text."""
    return [*sorted(path.stem for path in pathlib.Path(__file__).parent.glob("ch[0-9][0-9].py")), REAL_TEXT]


def rounded(values: Any) -> list:
    """Numbers as lists of four digits, as `data/recorded/` keeps them."""
    return np.round(np.asarray(values, float), 4).tolist()


def module(chapter: str) -> Any:
    """The module that measures a chapter; `InvalidInput` names the chapters there are."""
    if chapter not in chapters():
        raise InvalidInput(f"There is no chapter {chapter!r} with measurements; there are {', '.join(chapters())}.")
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


def reproduce(chapter: str, folder: pathlib.Path | str | None = None) -> dict[str, Any]:
    """Run a chapter's headline measurements, with the device and versions they ran on and the seconds they took.

    With a `folder` the result is also written there as `chNN.json`, except when `COURSE_SIZE=quick`: rough
    numbers are never recorded. Of several processes the first writes.
    """
    measure = module(chapter).headline
    if folder is not None:
        require_writable(pathlib.Path(folder))
    use_full_precision()
    begin = time.monotonic()
    numbers = measure()
    result = {
        "chapter": chapter,
        "date": datetime.date.today().isoformat(),
        "device": device(),
        "versions": versions(),
        "seconds": round(time.monotonic() - begin),
        **numbers,
    }
    if folder is not None and size() == "full" and devices.first():
        path, text = pathlib.Path(folder) / f"{chapter}.json", json.dumps(result, indent=1, sort_keys=True) + "\n"
        try:
            write(path, text)
        except OSError as error:  # what took minutes is told all the same
            raise CourseError(f"{path} cannot be written ({error.strerror}). What was measured:\n{text}") from None
    return result
