"""Quiz banks: YAML files, checked before anyone sees a question.

Every option says why: what thought leads there and what is wrong with it. A bank that breaks a rule is
refused with the file, the question and the reason.
"""

import ast
import fractions
import functools
import itertools
import math
import pathlib
import random
import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import pydantic
import simpleeval
import yaml

from ..runtime import CourseError, asset, shortened, shown
from .markup import PICTURE, picture, plain

MOST_BYTES = 300_000  # of a bank; the course's own hold 20,000
MOST_SIGNS = 5_000  # of one text in it
_EXPRESSION = re.compile(r"\[\[((?:(?!\[\[|\]\]).)+)\]\]")
_UNSHOWN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what no XML may hold
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


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, str_max_length=MOST_SIGNS)

    @pydantic.field_validator("*")
    @classmethod
    def _every_sign_can_be_shown(cls, value: Any) -> Any:
        texts = (
            (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        )
        for text in texts:
            if isinstance(text, str) and (sign := _UNSHOWN.search(text)):
                raise ValueError(f"it holds the control sign U+{ord(sign[0]):04X}, which no page can show: take it out")
        return value


class Option(_Strict):
    """One of the answers to choose from."""

    text: Text
    why: Why
    correct: bool = False


class Slip(_Strict):
    """A wrong number that a known thought leads to. With `variables` the value may be an expression of them."""

    value: Number | str
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
    prompt: Annotated[Text, pydantic.AfterValidator(_shows)]

    @pydantic.model_validator(mode="after")
    def _pictures_stand_in_the_prompt(self):
        if PICTURE.search(repr(self.model_dump(exclude={"prompt"}))):
            raise ValueError("a picture stands in the prompt, nowhere else")
        return self

    @property
    def variants(self) -> int:
        """How many different questions this is."""
        return 1

    def variant(self, number: int) -> Any:
        """The question with the numbers of one variant filled in."""
        return self


class SingleChoice(_Question):
    """Exactly one option is right."""

    kind: Literal["single"]
    options: Annotated[tuple[Option, ...], pydantic.Field(min_length=2)]

    @pydantic.model_validator(mode="after")
    def _one_is_right(self):
        count = sum(option.correct for option in self.options)
        if count != 1:
            raise ValueError(f"a single choice has exactly one correct option, this one has {count}")
        _distinct("options", [option.text for option in self.options])
        return self


class MultipleChoice(_Question):
    """Any number of options is right, at least one and not all; every one must be judged rightly."""

    kind: Literal["multiple"]
    options: Annotated[tuple[Option, ...], pydantic.Field(min_length=3)]

    @pydantic.model_validator(mode="after")
    def _some_are_right(self):
        if len({option.correct for option in self.options}) < 2:
            raise ValueError("a multiple choice has at least one correct option and at least one wrong one")
        _distinct("options", [option.text for option in self.options])
        return self

    @property
    def answer(self) -> tuple[int, ...]:
        """Indices of the correct options."""
        return tuple(i for i, option in enumerate(self.options) if option.correct)


class _Varied(_Question):
    """A question whose numbers may vary from learner to learner.

    `variables` gives each name its values; every combination is a variant. In texts `[[expression]]` is
    replaced by its value, and the numbers of the question may be expressions.
    """

    variables: dict[Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z_]+$")], tuple[Number, ...]] = {}

    @pydantic.model_validator(mode="after")
    def _every_variant_is_sound(self):
        if self.variables:
            for numbers in self._combinations():
                self._with(numbers)
        else:
            _no_expressions(self)
        return self

    @property
    def variants(self) -> int:
        return math.prod(map(len, self.variables.values()))

    def variant(self, number: int) -> Any:
        return self._with(self._combinations()[number % self.variants]) if self.variables else self

    def _combinations(self) -> list[dict[str, float]]:
        if not 2 <= self.variants <= 64:
            raise ValueError(f"the variables make {self.variants} variants; there must be 2 to 64")
        return [
            dict(zip(self.variables, values, strict=True)) for values in itertools.product(*self.variables.values())
        ]

    def _with(self, numbers: dict[str, float]) -> Any:
        try:
            return type(self).model_validate(_fill(self.model_dump(exclude={"variables"}), numbers))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            field, reason = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
            shown = ", ".join(f"{name} = {value:g}" for name, value in numbers.items())
            raise ValueError(f"with {shown}: {field + ': ' if field else ''}{reason}") from None


def _fill(value: Any, numbers: dict[str, float], field: str = "") -> Any:
    """A dumped question with its expressions replaced by their values."""
    if isinstance(value, dict):
        return {name: _fill(inner, numbers, name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_fill(inner, numbers, field) for inner in value)
    if not isinstance(value, str):
        return value
    if field in ("answer", "value", "tolerance"):
        return _evaluate(value, numbers)
    return _EXPRESSION.sub(lambda match: f"{_evaluate(match[1], numbers):.6g}", value)


def _evaluate(expression: str, numbers: dict[str, float]) -> float:
    """In fractions, so that 1 - 20 * (1 - 0.95) is 0 and 0.5 ** 50 is not; a root or logarithm is a float."""
    functions = {"log": math.log, "log2": math.log2, "sqrt": math.sqrt, "exp": math.exp, "ceil": math.ceil}
    try:
        exact = simpleeval.SimpleEval(
            names={name: _exact(value) for name, value in numbers.items()}, functions=functions
        )
        nodes: Any = exact.nodes
        plain = nodes[ast.Constant]
        nodes[ast.Constant] = lambda node: _exact(plain(node))
        return float(exact.eval(expression))
    except ZeroDivisionError:  # Fraction(1, 0), it would say
        raise ValueError(f"the expression {shown(expression)} cannot be computed: it divides by zero") from None
    except Exception as error:  # simpleeval, arithmetic and syntax each raise kinds of their own
        raise ValueError(f"the expression {shown(expression)} cannot be computed: {shortened(str(error))}") from None


def _exact(value: Any) -> Any:
    return fractions.Fraction(str(value)) if isinstance(value, (int, float)) and math.isfinite(value) else value


def _no_expressions(question: Any) -> None:
    left = _EXPRESSION.search(repr(question.model_dump(exclude={"variables"})))
    if left:
        raise ValueError(f"{shortened(left[0], 60)} stands in a question without variables")


class Numeric(_Varied):
    """A number, right within `tolerance` (absolute); `unit` is shown beside the box."""

    kind: Literal["numeric"]
    answer: Number | str
    tolerance: Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)] | str
    unit: str = ""
    why: Why
    otherwise: Why  # said to a wrong number that no slip explains
    slips: tuple[Slip, ...] = ()

    @pydantic.model_validator(mode="after")
    def _slips_are_wrong(self):
        if self.variables:
            return self  # checked for each variant
        for name, value in (("answer", self.answer), ("tolerance", self.tolerance)):
            if isinstance(value, str):
                raise ValueError(f"{name}: {value!r} is no number; an expression needs `variables`")
        values = [slip.value for slip in self.slips]
        for value in values:
            if isinstance(value, str):
                raise ValueError(f"slips: {value!r} is no number; an expression needs `variables`")
            if self.accepts(value):
                raise ValueError(f"the slip {value:g} lies within the tolerance of the answer")
        if len(set(values)) < len(values):
            raise ValueError("two slips have the same value")
        return self

    def accepts(self, value: float) -> bool:
        return abs(value - float(self.answer)) <= float(self.tolerance)


Axis = Annotated[str, pydantic.BeforeValidator(lambda axis: str(axis).strip())]


def in_lower_case(axes: Iterable[str]) -> tuple[str, ...]:
    """Axes as they are compared: `Batch` is meant as `batch`."""
    return tuple(axis.lower() for axis in axes)


class WrongShape(_Strict):
    """A wrong shape that a known thought leads to."""

    value: tuple[Axis, ...]
    why: Why


class Shape(_Question):
    """The shape of an array: axis after axis, each a number or the name of an axis."""

    kind: Literal["shape"]
    answer: Annotated[tuple[Axis, ...], pydantic.Field(min_length=1)]
    why: Why
    otherwise: Why
    slips: tuple[WrongShape, ...] = ()

    @pydantic.model_validator(mode="after")
    def _slips_are_wrong(self):
        _distinct("shapes", [in_lower_case(shape) for shape in (self.answer, *(slip.value for slip in self.slips))])
        return self


class Item(_Strict):
    """Something to put in order, and why it stands where it does."""

    text: Text
    why: Why


class Order(_Question):
    """Items to put in order. The file lists them rightly; learners see them shuffled, all in the same way."""

    kind: Literal["order"]
    items: Annotated[tuple[Item, ...], pydantic.Field(min_length=3, max_length=8)]

    @pydantic.model_validator(mode="after")
    def _items_differ(self):
        _distinct("items", [item.text for item in self.items])
        return self

    @property
    def shuffled(self) -> tuple[int, ...]:
        """Indices of the items as they are first shown: never in the right order."""
        return _shuffle(len(self.items), self.id)


class Pair(_Strict):
    """What goes together, and why."""

    left: Text
    right: Text
    why: Why


class Spare(_Strict):
    """Something on the right that goes with nothing."""

    text: Text
    why: Why


class Match(_Question):
    """Pairs to join: each left with one of the rights, of which some may be spare."""

    kind: Literal["match"]
    pairs: Annotated[tuple[Pair, ...], pydantic.Field(min_length=3, max_length=8)]
    spare: tuple[Spare, ...] = ()

    @pydantic.model_validator(mode="after")
    def _sides_differ(self):
        _distinct("lefts", [pair.left for pair in self.pairs])
        _distinct("rights", self.rights)
        formula = next((text for text in self.rights if plain(text) is None), None)
        if formula:
            raise ValueError(f"a right side stands in a list that shows no formula or emphasis: {formula!r}")
        return self

    @property
    def rights(self) -> list[str]:
        """What can be chosen: the right sides of the pairs, then the spare ones."""
        return [pair.right for pair in self.pairs] + [spare.text for spare in self.spare]

    def why(self, right: int) -> str:
        """What there is to say about one of `rights`."""
        return (*self.pairs, *self.spare)[right].why

    @property
    def shuffled(self) -> tuple[int, ...]:
        """Indices of `rights` as they are shown."""
        return _shuffle(len(self.rights), self.id)


def _shuffle(count: int, seed: str) -> tuple[int, ...]:
    places = list(range(count))
    rng = random.Random(seed)
    while places == sorted(places):
        rng.shuffle(places)
    return tuple(places)


def _distinct(what: str, things: list) -> None:
    if len(set(things)) < len(things):
        raise ValueError(f"two {what} have the same text")


class Predict(_Question):
    """Asked before an experiment, answered by its number. The outcomes cover every number once."""

    kind: Literal["predict"]
    measures: Text  # what the number is, for the sentence that reveals it
    unit: str = ""
    options: Annotated[tuple[Outcome, ...], pydantic.Field(min_length=2)]

    @pydantic.model_validator(mode="after")
    def _outcomes_cover_the_line(self):
        _distinct("options", [option.text for option in self.options])
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


Question = Annotated[
    SingleChoice | MultipleChoice | Numeric | Shape | Order | Match | Predict, pydantic.Field(discriminator="kind")
]
KINDS = ("single", "multiple", "numeric", "shape", "order", "match", "predict")


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
            if place and place[0] in KINDS:  # pydantic names the kind first
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
