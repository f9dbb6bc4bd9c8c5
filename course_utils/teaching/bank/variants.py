"""Questions whose numbers vary: `[[expressions]]` in texts, and numbers that are expressions."""

import ast
import fractions
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import simpleeval

from ...runtime import shortened, shown

_IN_TEXT = re.compile(r"\[\[((?:(?!\[\[|\]\]).)+)\]\]")
_ALWAYS_EXPRESSIONS = ("answer", "value", "tolerance")  # fields that hold a number, or the expression of one
_FUNCTIONS = {
    "log": math.log,
    "log2": math.log2,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "tanh": math.tanh,
    "ceil": math.ceil,
}


def combinations(variables: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Every choice of one value for each variable; `ValueError` unless there are 2 to 64."""
    count = math.prod(map(len, variables.values()))
    if not 2 <= count <= 64:
        raise ValueError(f"the variables make {count} variants; there must be 2 to 64")
    return [dict(zip(variables, values, strict=True)) for values in itertools.product(*variables.values())]


def fill(value: Any, numbers: Mapping[str, float], field: str = "") -> Any:
    """A dumped question with its expressions replaced by their values. `field`: the name of the field that holds `value`."""
    if isinstance(value, dict):
        return {name: fill(inner, numbers, name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(fill(inner, numbers, field) for inner in value)
    if not isinstance(value, str):
        return value
    if field in _ALWAYS_EXPRESSIONS:
        return evaluate(value, numbers)
    return _IN_TEXT.sub(lambda match: f"{evaluate(match[1], numbers):.6g}", value)


def refuse_expressions(dumped: Any) -> None:
    """Raise `ValueError` where a text of a dumped question holds an expression."""
    expression = _IN_TEXT.search(repr(dumped))
    if expression:
        raise ValueError(f"{shortened(expression[0], 60)} stands in a question without variables")


class _Exact(simpleeval.SimpleEval):
    """Arithmetic in fractions: 1 - 20 * (1 - 0.95) is 0, and 0.5 ** 50 is not. A root or a logarithm is a float."""

    def __init__(self, numbers: Mapping[str, float]):
        super().__init__(names={name: _fraction(value) for name, value in numbers.items()}, functions=_FUNCTIONS)
        evaluators: Any = self.nodes
        constant = evaluators[ast.Constant]
        evaluators[ast.Constant] = lambda node: _fraction(constant(node))


def _fraction(value: Any) -> Any:
    return fractions.Fraction(str(value)) if isinstance(value, (int, float)) and math.isfinite(value) else value


def evaluate(expression: str, numbers: Mapping[str, float]) -> float:
    """The value of an expression of some named numbers; `ValueError` where it has none."""
    try:
        return float(_Exact(numbers).eval(expression))
    except ZeroDivisionError:  # Fraction(1, 0), it would say
        raise ValueError(f"the expression {shown(expression)} cannot be computed: it divides by zero") from None
    except Exception as error:  # simpleeval, arithmetic and syntax each raise kinds of their own
        raise ValueError(f"the expression {shown(expression)} cannot be computed: {shortened(str(error))}") from None
