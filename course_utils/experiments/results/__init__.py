"""What is recorded of each chapter, typed: `recorded("ch05").variants["forward"].bleu`."""

import importlib
from typing import TYPE_CHECKING, Literal, overload

from ...runtime import InvalidInput, asset
from .record import Results

if TYPE_CHECKING:
    from . import ch00, ch01, ch02, ch03, ch04, ch05, ch06, ch07, multi30k

CHAPTERS = ("ch00", "ch01", "ch02", "ch03", "ch04", "ch05", "ch06", "ch07", "multi30k")


@overload
def recorded(chapter: Literal["ch00"]) -> "ch00.Recorded": ...
@overload
def recorded(chapter: Literal["ch01"]) -> "ch01.Recorded": ...
@overload
def recorded(chapter: Literal["ch02"]) -> "ch02.Recorded": ...
@overload
def recorded(chapter: Literal["ch03"]) -> "ch03.Recorded": ...
@overload
def recorded(chapter: Literal["ch04"]) -> "ch04.Recorded": ...
@overload
def recorded(chapter: Literal["ch05"]) -> "ch05.Recorded": ...
@overload
def recorded(chapter: Literal["ch06"]) -> "ch06.Recorded": ...
@overload
def recorded(chapter: Literal["ch07"]) -> "ch07.Recorded": ...
@overload
def recorded(chapter: Literal["multi30k"]) -> "multi30k.Recorded": ...


def recorded(chapter: str) -> Results:
    """A chapter's measurements as the course ships them, with the device, versions, seeds and date they came from."""
    require_chapter(chapter)
    kind: type[Results] = importlib.import_module(f"{__name__}.{chapter}").Recorded
    return kind.from_json(asset(f"recorded/{chapter}.json").read_text(encoding="utf-8"))


def require_chapter(chapter: str) -> None:
    """Raise `InvalidInput`, which names the chapters there are, for another."""
    if chapter not in CHAPTERS:
        raise InvalidInput(f"There is no chapter {chapter!r} with measurements; there are {', '.join(CHAPTERS)}.")
