"""The kinds of questions, each with the rules that its options, slips, items or lines keep."""

import ast
import math
import pathlib
import random
import re
from typing import Annotated, Any, Literal

import pydantic

from ..markup import PICTURE, plain
from .parts import (
    Axis,
    Item,
    Number,
    Option,
    Outcome,
    Pair,
    Part,
    Prompt,
    Slip,
    Spare,
    Suspect,
    Text,
    Why,
    WrongShape,
    in_lower_case,
    require_distinct,
)
from .variants import combinations, fill, refuse_expressions

MOST_COLUMNS = 70  # of a line of code


class _Question(Part):
    id: Annotated[str, pydantic.StringConstraints(pattern=r"^ch\d\d-[a-z0-9-]+$")]
    objective: str
    section: Text  # where in the chapter to reread
    prompt: Prompt

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
        require_distinct("options", [option.text for option in self.options])
        return self


class MultipleChoice(_Question):
    """Any number of options is right, at least one and not all; every one must be judged rightly."""

    kind: Literal["multiple"]
    options: Annotated[tuple[Option, ...], pydantic.Field(min_length=3)]

    @pydantic.model_validator(mode="after")
    def _some_are_right(self):
        if len({option.correct for option in self.options}) < 2:
            raise ValueError("a multiple choice has at least one correct option and at least one wrong one")
        require_distinct("options", [option.text for option in self.options])
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

    variables: dict[Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z_]+$")], tuple[Number, ...]] = (
        pydantic.Field(default_factory=dict)
    )

    @pydantic.model_validator(mode="after")
    def _every_variant_is_sound(self):
        if self.variables:
            for numbers in combinations(self.variables):
                self._with(numbers)
        else:
            refuse_expressions(self.model_dump(exclude={"variables"}))
        return self

    @property
    def variants(self) -> int:
        return math.prod(map(len, self.variables.values()))

    def variant(self, number: int) -> Any:
        return self._with(combinations(self.variables)[number % self.variants]) if self.variables else self

    def _with(self, numbers: dict[str, float]) -> Any:
        """The question with these numbers; `ValueError` names them where it breaks a rule."""
        try:
            return type(self).model_validate(fill(self.model_dump(exclude={"variables"}), numbers))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            field, reason = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
            values = ", ".join(f"{name} = {value:g}" for name, value in numbers.items())
            raise ValueError(f"with {values}: {field + ': ' if field else ''}{reason}") from None


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


class Shape(_Question):
    """The shape of an array: axis after axis, each a number or the name of an axis."""

    kind: Literal["shape"]
    answer: Annotated[tuple[Axis, ...], pydantic.Field(min_length=1)]
    why: Why
    otherwise: Why
    slips: tuple[WrongShape, ...] = ()

    @pydantic.model_validator(mode="after")
    def _slips_are_wrong(self):
        require_distinct(
            "shapes", [in_lower_case(shape) for shape in (self.answer, *(slip.value for slip in self.slips))]
        )
        return self


class Order(_Question):
    """Items to put in order. The file lists them rightly; learners see them shuffled, all in the same way."""

    kind: Literal["order"]
    items: Annotated[tuple[Item, ...], pydantic.Field(min_length=3, max_length=8)]

    @pydantic.model_validator(mode="after")
    def _items_differ(self):
        require_distinct("items", [item.text for item in self.items])
        return self

    @property
    def shuffled(self) -> tuple[int, ...]:
        """Indices of the items as they are first shown: never in the right order."""
        return _shuffle(len(self.items), self.id)


class Match(_Question):
    """Pairs to join: each left with one of the rights, of which some may be spare."""

    kind: Literal["match"]
    pairs: Annotated[tuple[Pair, ...], pydantic.Field(min_length=3, max_length=8)]
    spare: tuple[Spare, ...] = ()

    @pydantic.model_validator(mode="after")
    def _sides_differ(self):
        require_distinct("lefts", [pair.left for pair in self.pairs])
        require_distinct("rights", self.rights)
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
    """0 … count - 1 in another order, the same for a seed."""
    order = list(range(count))
    rng = random.Random(seed)
    while order == sorted(order):
        rng.shuffle(order)
    return tuple(order)


TASKS = pathlib.Path(__file__).parents[2] / "experiments" / "hunts"  # a module for each


class Hunt(_Question):
    """Code that trains and does not learn, because of one line: which one, and what would one see?

    The code is one function. `trains` names the module of `experiments.hunts` that trains it, as it is and with the line
    `mended`. Lines count from 1; only those that hold code can be named.
    """

    kind: Literal["hunt"]
    code: Text
    wrong: int
    mended: Text  # the line as it should be, without its indentation
    why: Why
    suspects: tuple[Suspect, ...] = ()
    otherwise: Why  # said to any other line
    symptom: Text  # what is asked about it
    options: Annotated[tuple[Option, ...], pydantic.Field(min_length=2, max_length=4)]
    trains: str

    @pydantic.model_validator(mode="after")
    def _one_line_is_wrong(self):
        known = sorted(path.stem for path in TASKS.glob("[a-z]*.py"))
        if self.trains not in known:
            raise ValueError(f"nothing is called {self.trains!r} that trains it; there are {', '.join(known)}")
        if not 4 <= len(self.lines) <= 15:
            raise ValueError(f"the code has {len(self.lines)} lines; a hunt has 4 to 15")
        longest = max(map(len, self.lines))
        if longest > MOST_COLUMNS:
            raise ValueError(
                f"a line of the code has {longest} characters; at most {MOST_COLUMNS} can be read on a phone"
            )
        self._lines_are_named_once()
        count = sum(option.correct for option in self.options)
        if count != 1:
            raise ValueError(f"exactly one symptom is correct, not {count}")
        require_distinct("symptoms", [option.text for option in self.options])
        if "\n" in self.mended or self.mended == self.lines[self.wrong - 1].strip():
            raise ValueError("`mended` is one line, and another than the wrong one")
        for name, source in self.sources.items():
            _require_one_function(source, f"the code {name}")
        return self

    def _lines_are_named_once(self):
        named = [self.wrong, *(suspect.line for suspect in self.suspects)]
        for line in named:
            if not self.holds_code(line):
                raise ValueError(f"line {line} holds no code; lines count from 1")
        if len(set(named)) < len(named):
            raise ValueError("two `suspects` are the same line, or one is the wrong line")

    @property
    def lines(self) -> list[str]:
        """The code as it is shown."""
        return [line.rstrip() for line in self.code.split("\n")]

    def holds_code(self, line: int) -> bool:
        """Whether there is something on a line that may be wrong: no blank line, no comment alone."""
        return 1 <= line <= len(self.lines) and not re.fullmatch(r"\s*(#.*)?", self.lines[line - 1])

    @property
    def sources(self) -> dict[str, str]:
        """The code `as it is` and `mended`."""
        lines, place = self.lines, self.wrong - 1
        indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        mended = [*lines[:place], indent + self.mended, *lines[place + 1 :]]
        return {"as it is": "\n".join(lines), "mended": "\n".join(mended)}

    def says_of(self, line: int) -> str:
        """What there is to say about a line that somebody names."""
        known = {self.wrong: self.why, **{suspect.line: suspect.why for suspect in self.suspects}}
        return known.get(line, self.otherwise)


def _require_one_function(source: str, what: str) -> None:
    """Raise `ValueError` unless some source is one function and nothing else."""
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise ValueError(f"{what} is no Python: {error.msg}, line {error.lineno}") from None
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef):
        raise ValueError(f"{what} is not one function and nothing else")


class Predict(_Question):
    """Asked before an experiment, answered by its number. The outcomes cover every number once."""

    kind: Literal["predict"]
    measures: Text  # what the number is, for the sentence that reveals it
    unit: str = ""
    options: Annotated[tuple[Outcome, ...], pydantic.Field(min_length=2)]

    @pydantic.model_validator(mode="after")
    def _outcomes_cover_the_line(self):
        require_distinct("options", [option.text for option in self.options])
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
    SingleChoice | MultipleChoice | Numeric | Shape | Order | Match | Hunt | Predict,
    pydantic.Field(discriminator="kind"),
]
KINDS = ("single", "multiple", "numeric", "shape", "order", "match", "hunt", "predict")
