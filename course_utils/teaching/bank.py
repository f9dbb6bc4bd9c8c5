"""Quiz banks: YAML files, checked before anyone sees a question.

Every option says why: what thought leads there and what is wrong with it. A bank that breaks a rule is
refused with the file, the question and the reason.
"""

import functools
import math
import pathlib
import re
from collections import Counter
from typing import Annotated, Any, Literal

import pydantic
import yaml

from ..runtime import CourseError, asset

_EMPTY_PRAISE = {"correct", "right", "wrong", "incorrect", "yes", "no", "true", "false"}


class BankError(CourseError):
    """A quiz bank that breaks a rule."""


class _Loader(yaml.SafeLoader):
    """YAML in which a repeated key is an error, not a silent choice of the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = [key for key, count in Counter(map(str, keys)).items() if count > 1]
        if repeated:
            raise yaml.YAMLError(
                f"the key {repeated[0]!r} appears twice in one mapping, line {node.start_mark.line + 1}"
            )
        return super().construct_mapping(node, deep)


def _explains(why: str) -> str:
    words = [word for word in re.findall(r"[^\W\d_]{2,}", why.lower()) if word not in _EMPTY_PRAISE]
    if len(words) < 6 and len(why.split()) < 8:
        raise ValueError(
            "a `why` must explain in at least six words what thought leads here and what is wrong or right"
        )
    return " ".join(why.split())


Number = Annotated[float, pydantic.Field(allow_inf_nan=False)]
Why = Annotated[str, pydantic.AfterValidator(_explains)]
Text = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Option(_Strict):
    """One of the answers to choose from."""

    text: Text
    why: Why
    correct: bool = False


class Slip(_Strict):
    """A wrong number that a known thought leads to."""

    value: Number
    why: Why


class Outcome(_Strict):
    """One answer to a prediction: right when the measured number lies in [low, high)."""

    text: Text
    why: Why
    low: float = -math.inf
    high: float = math.inf

    def holds(self, value: float) -> bool:
        return self.low <= value < self.high


class _Question(_Strict):
    id: Annotated[str, pydantic.StringConstraints(pattern=r"^ch\d\d-[a-z0-9-]+$")]
    objective: str
    section: Text  # where in the chapter to reread
    prompt: Text


class SingleChoice(_Question):
    """Exactly one option is right."""

    kind: Literal["single"]
    options: Annotated[tuple[Option, ...], pydantic.Field(min_length=2)]

    @pydantic.model_validator(mode="after")
    def _one_is_right(self):
        count = sum(option.correct for option in self.options)
        if count != 1:
            raise ValueError(f"a single choice has exactly one correct option, this one has {count}")
        if len({option.text for option in self.options}) < len(self.options):
            raise ValueError("two options have the same text")
        return self


class Numeric(_Question):
    """A number, right within `tolerance` (absolute); `unit` is shown beside the box."""

    kind: Literal["numeric"]
    answer: Number
    tolerance: Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
    unit: str = ""
    why: Why
    otherwise: Why  # said to a wrong number that no slip explains
    slips: tuple[Slip, ...] = ()

    @pydantic.model_validator(mode="after")
    def _slips_are_wrong(self):
        if len({slip.value for slip in self.slips}) < len(self.slips):
            raise ValueError("two slips have the same value")
        for slip in self.slips:
            if self.accepts(slip.value):
                raise ValueError(f"the slip {slip.value:g} lies within the tolerance of the answer")
        return self

    def accepts(self, value: float) -> bool:
        return abs(value - self.answer) <= self.tolerance


class Predict(_Question):
    """Asked before an experiment, answered by its number. The outcomes cover every number once."""

    kind: Literal["predict"]
    measures: Text  # what the number is, for the sentence that reveals it
    unit: str = ""
    options: Annotated[tuple[Outcome, ...], pydantic.Field(min_length=2)]

    @pydantic.model_validator(mode="after")
    def _outcomes_cover_the_line(self):
        if len({option.text for option in self.options}) < len(self.options):
            raise ValueError("two options have the same text")
        reached = -math.inf
        for option in sorted(self.options, key=lambda o: o.low):
            if option.low != reached or option.high <= option.low:
                raise ValueError(
                    f"the outcomes must cover every number exactly once; after {reached:g} comes {option.low:g}"
                )
            reached = option.high
        if reached != math.inf:
            raise ValueError(f"no outcome covers the numbers from {reached:g} on")
        return self


Question = Annotated[SingleChoice | Numeric | Predict, pydantic.Field(discriminator="kind")]


class Bank(_Strict):
    """All questions of one chapter."""

    chapter: Annotated[str, pydantic.StringConstraints(pattern=r"^ch\d\d$")]
    title: Text
    objectives: Annotated[dict[str, Text], pydantic.Field(min_length=1)]
    questions: tuple[Question, ...]

    @pydantic.model_validator(mode="after")
    def _hangs_together(self):
        twice = [id for id, count in Counter(q.id for q in self.questions).items() if count > 1]
        if twice:
            raise ValueError(f"two questions have the id {twice[0]}")
        for question in self.questions:
            if not question.id.startswith(self.chapter + "-"):
                raise ValueError(f"the id {question.id} must begin with {self.chapter}-")
            if question.objective not in self.objectives:
                raise ValueError(
                    f"question {question.id} names the objective {question.objective!r}, which the bank lacks"
                )
        idle = set(self.objectives) - {q.objective for q in self.questions if q.kind != "predict"}
        if idle:
            raise ValueError(f"no question tests the objective {sorted(idle)[0]!r}")
        return self

    def question(self, id: str) -> Any:
        """A question by its id."""
        for question in self.questions:
            if question.id == id:
                return question
        known = ", ".join(q.id for q in self.questions)
        raise BankError(f"There is no question {id!r} in {self.chapter}; there are {known}.")


def read_bank(path: pathlib.Path | str) -> Bank:
    """Load and check one YAML file; `BankError` names the file, the question and the reason."""
    path = pathlib.Path(path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise BankError(f"There is no quiz bank {path.name}.") from None
    except OSError as error:
        raise BankError(f"{path.name} cannot be read: {error}") from None
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BankError(f"{path.name}: this is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise BankError(f"{path.name}: a bank is a mapping with chapter, title, objectives and questions.")
    try:
        return Bank.model_validate(content)
    except pydantic.ValidationError as error:
        raise BankError(_refusal(path.name, content, error)) from None


def _refusal(name: str, content: dict, error: pydantic.ValidationError) -> str:
    lines = []
    for problem in error.errors():
        place, where = list(problem["loc"]), name
        if len(place) > 1 and place[0] == "questions" and isinstance(place[1], int):
            question = content["questions"][place[1]] if isinstance(content["questions"], list) else None
            id = (
                question.get("id", f"number {place[1] + 1}") if isinstance(question, dict) else f"number {place[1] + 1}"
            )
            where += f", question {id}"
            place = place[2:]
            if place and place[0] in ("single", "numeric", "predict"):  # pydantic names the kind first
                place = place[1:]
        field = ".".join(str(part) for part in place)
        reason = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{where}: {field + ': ' if field else ''}{reason}")
    return "\n".join(lines)


@functools.cache
def bank(chapter: str) -> Bank:
    """The bank of a chapter of the course, such as `ch00`."""
    known = sorted(path.stem for path in asset("quizzes").glob("ch*.yaml"))
    if chapter not in known:
        raise BankError(f"There is no quiz {chapter!r}; there are {', '.join(known)}.")
    return read_bank(asset(f"quizzes/{chapter}.yaml"))
