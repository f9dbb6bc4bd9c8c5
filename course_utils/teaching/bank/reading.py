"""Reading the quiz bank of a chapter, and refusing a file that breaks a rule."""

import functools
import pathlib
from collections import Counter
from typing import Annotated, Any

import pydantic
import yaml

from ...runtime import CourseError, asset, shortened
from .kinds import KINDS, Hunt, Predict, Question
from .parts import Part, Text

MOST_BYTES = 300_000  # of a bank; the course's own hold 20,000


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


class Bank(Part):
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

    @property
    def quiz(self) -> tuple[Any, ...]:
        """The questions of the chapter's quiz: predictions and bug hunts have cells of their own."""
        return tuple(question for question in self.questions if not isinstance(question, (Hunt, Predict)))

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
        if path.stat().st_size > MOST_BYTES:
            raise BankError(f"{path.name} holds {path.stat().st_size:,} bytes; a bank holds at most {MOST_BYTES:,}.")
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise BankError(f"There is no quiz bank {path.name}.") from None
    except OSError as error:
        raise BankError(f"{path.name} cannot be read: {error}") from None
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BankError(f"{path.name}: this is not valid YAML: {shortened(str(error), 1000)}") from None
    if not isinstance(content, dict):
        raise BankError(f"{path.name}: a bank is a mapping with chapter, title, objectives and questions.")
    try:
        return Bank.model_validate(content)
    except pydantic.ValidationError as error:
        raise BankError(_refusal(path.name, content, error)) from None


def _refusal(name: str, content: dict, error: pydantic.ValidationError) -> str:
    """What is wrong with a bank, a fault a line: file, question, field and reason."""
    lines = []
    for problem in error.errors():
        path, where = list(problem["loc"]), name
        if len(path) > 1 and path[0] == "questions" and isinstance(path[1], int):
            where += f", question {_id(content['questions'], path[1])}"
            path = path[2:]
            if path and path[0] in KINDS:  # pydantic names the kind first
                path = path[1:]
        field = ".".join(str(part) for part in path)
        reason = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{where}: {field + ': ' if field else ''}{reason}")
    return "\n".join(lines)


def _id(questions: Any, number: int) -> str:
    """The id of a question, or its number where it has none."""
    question = questions[number] if isinstance(questions, list) else None
    return question.get("id", f"number {number + 1}") if isinstance(question, dict) else f"number {number + 1}"


@functools.cache
def bank(chapter: str) -> Bank:
    """The bank of a chapter of the course, such as `ch00`."""
    known = sorted(path.stem for path in asset("quizzes").glob("ch*.yaml"))
    if chapter not in known:
        raise BankError(f"There is no quiz {chapter!r}; there are {', '.join(known)}.")
    return read_bank(asset(f"quizzes/{chapter}.yaml"))
