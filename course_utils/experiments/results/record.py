"""How results are kept: frozen dataclasses, to JSON and back, with so many digits of each number.

    @record
    class Solved:
        accuracy: Rounded[Float[np.ndarray, " seeds"]]

Whoever measures gives the numbers as they are. They are rounded where they are written.
"""

import dataclasses
import datetime
import functools
import json
import math
from typing import Annotated, Any, TypeVar, dataclass_transform

import numpy as np
import pydantic
from jaxtyping import AbstractArray, jaxtyped
from pydantic_core import core_schema

from ... import runtime

T = TypeVar("T")
R = TypeVar("R", bound="Results")


@dataclasses.dataclass(frozen=True)
class Digits:
    """How a number, or an array of them, is written: with so many digits after the point, so many that count, or all.

    An array becomes nested lists, NaN becomes null, and both come back.
    """

    after_point: int | None = None
    significant: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: pydantic.GetCoreSchemaHandler) -> Any:
        written = core_schema.plain_serializer_function_ser_schema(self.written)
        if issubclass(source, AbstractArray):
            return core_schema.no_info_plain_validator_function(
                functools.partial(_array, source), serialization=written
            )
        return core_schema.no_info_before_validator_function(_number, handler(source), serialization=written)

    def written(self, value: Any) -> Any:
        """A value as JSON has it."""
        if isinstance(value, np.ndarray):
            return [self.written(one) for one in value]
        number = value.item() if isinstance(value, np.generic) else value
        if isinstance(number, int):
            return number
        if math.isnan(number):
            return None
        if self.significant is not None:
            return float(f"{number:.{self.significant}g}")
        return number if self.after_point is None else round(number, self.after_point)


def _array(kind: type[AbstractArray], value: Any) -> np.ndarray:
    """Nested lists as an array of this kind, null as NaN."""
    array = np.asarray(value)
    array = array.astype(float) if array.dtype == object else array
    with jaxtyped("context"):  # the names of axes are this record's, whoever makes it
        if not isinstance(array, kind):
            raise ValueError(f"this must be {kind.__name__}, not {array.dtype} of shape {array.shape}")
    return array


def _number(value: Any) -> Any:
    """Null as NaN."""
    return math.nan if value is None else value


Exact = Annotated[T, Digits()]
Rounded = Annotated[T, Digits(after_point=4)]
Hundredths = Annotated[T, Digits(after_point=2)]
Significant = Annotated[T, Digits(significant=4)]  # of what spans many powers of ten


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[T]) -> type[T]:
    """A frozen dataclass whose fields are checked, and named when it is made."""
    settings = pydantic.ConfigDict(extra="forbid")
    return pydantic.dataclasses.dataclass(cls, frozen=True, kw_only=True, eq=False, config=settings)  # type: ignore[return-value]


@record
class Results:
    """What the results of every chapter have: where they come from."""

    chapter: str
    seeds: tuple[int, ...]
    date: str = dataclasses.field(default_factory=lambda: datetime.date.today().isoformat())
    device: str = dataclasses.field(default_factory=runtime.device)
    versions: dict[str, str] = dataclasses.field(default_factory=runtime.versions)
    seconds: int | None = None  # that measuring took

    def to_json(self) -> str:
        """As text: a number a line, keys in alphabetical and in numerical order, so that two versions can be compared."""
        return json.dumps(pydantic.TypeAdapter(type(self)).dump_python(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls: type[R], text: str) -> R:
        """From what `to_json` wrote; another field, a missing one or another shape raises `InvalidInput` that names it."""
        try:
            return pydantic.TypeAdapter(cls).validate_python(json.loads(text))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            raise runtime.InvalidInput(
                f"These are no results of {cls.__module__.rpartition('.')[2]}: at "
                f"{'.'.join(map(str, first['loc'])) or 'the top'}, {first['msg'].removeprefix('Value error, ')}."
            ) from None
        except ValueError as error:
            raise runtime.InvalidInput(f"Results are written in JSON, and this is none: {error}.") from None
