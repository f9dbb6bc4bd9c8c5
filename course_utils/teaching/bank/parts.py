"""The parts of questions: texts that can be shown, explanations that explain, options, slips, items."""

import math
import re
from collections.abc import Iterable
from typing import Annotated, Any

import pydantic

from ...runtime import CourseError
from ..markup import PICTURE, picture

MOST_SIGNS = 5_000  # of one text
_UNSHOWN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what no XML may hold
_EMPTY_PRAISE = {"correct", "right", "wrong", "incorrect", "yes", "no", "true", "false"}


def _explains(why: str) -> str:
    """A `why` with single spaces; praise alone, or a word or two, explains nothing and is refused."""
    words = [word for word in re.findall(r"[^\W\d_]{2,}", why.lower()) if word not in _EMPTY_PRAISE]
    if len(words) < 6 and len(why.split()) < 8:
        raise ValueError(
            "a `why` must explain in at least six words what thought leads here and what is wrong or right"
        )
    return " ".join(why.split())


def _shows(prompt: str) -> str:
    """Every picture of a prompt exists, and is told to those who do not see it."""
    for words, name in PICTURE.findall(prompt):
        if len(words.split()) < 12:
            raise ValueError(f"the picture {name} needs words for those who do not see it, at least twelve")
        try:
            picture(name)
        except (CourseError, OSError):
            raise ValueError(f"there is no picture {name} in quizzes/pictures") from None
    return prompt


Number = Annotated[float, pydantic.Field(allow_inf_nan=False)]
Why = Annotated[str, pydantic.AfterValidator(_explains)]
Text = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]
Prompt = Annotated[Text, pydantic.AfterValidator(_shows)]
Axis = Annotated[str, pydantic.BeforeValidator(lambda axis: str(axis).strip())]


class Part(pydantic.BaseModel):
    """What a bank is made of: no other fields than its own, nothing changed later, no sign that cannot be shown."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, str_max_length=MOST_SIGNS)

    @pydantic.field_validator("*")
    @classmethod
    def _every_sign_can_be_shown(cls, value: Any) -> Any:
        texts = value if isinstance(value, tuple) else (value,)
        if isinstance(value, dict):
            texts = (*value, *value.values())
        for text in texts:
            if isinstance(text, str) and (sign := _UNSHOWN.search(text)):
                raise ValueError(f"it holds the control sign U+{ord(sign[0]):04X}, which no page can show: take it out")
        return value


class Option(Part):
    """One of the answers to choose from."""

    text: Text
    why: Why
    correct: bool = False


class Slip(Part):
    """A wrong number that a known thought leads to. With `variables` the value may be an expression of them."""

    value: Number | str
    why: Why


class Outcome(Part):
    """One answer to a prediction: right when the measured number lies in [low, high)."""

    text: Text
    why: Why
    low: float = -math.inf
    high: float = math.inf

    def holds(self, value: float) -> bool:
        return self.low <= value < self.high


class WrongShape(Part):
    """A wrong shape that a known thought leads to."""

    value: tuple[Axis, ...]
    why: Why


class Suspect(Part):
    """A line of code that a known thought takes for the wrong one. Lines count from 1."""

    line: int
    why: Why


class Item(Part):
    """Something to put in order, and why it stands where it does."""

    text: Text
    why: Why


class Pair(Part):
    """What goes together, and why."""

    left: Text
    right: Text
    why: Why


class Spare(Part):
    """Something on the right that goes with nothing."""

    text: Text
    why: Why


def in_lower_case(axes: Iterable[str]) -> tuple[str, ...]:
    """Axes as they are compared: `Batch` is meant as `batch`."""
    return tuple(axis.lower() for axis in axes)


def require_distinct(what: str, things: list) -> None:
    """Raise `ValueError` where two are the same."""
    if len(set(things)) < len(things):
        raise ValueError(f"two {what} have the same text")
