"""The type checker behind every jaxtyping signature during tests: beartype, with int accepted for float.

Of a `Literal` it asks only for the type: which of its values, the function itself says in a sentence (`require_one_of`).
"""

import functools
import operator
import types
from typing import Any, Literal, Union, get_args, get_origin

from beartype import BeartypeConf, beartype

_beartype = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check(function: Any) -> Any:
    """A function, or a class, whose arguments and result are checked at every call."""
    if isinstance(function, types.FunctionType):
        function.__annotations__ = {name: _of_any_value(hint) for name, hint in function.__annotations__.items()}
    return _beartype(function)


def _of_any_value(hint: Any) -> Any:
    """A type hint in which a `Literal` takes all values of the same types."""
    if get_origin(hint) is Literal:
        return functools.reduce(operator.or_, map(type, get_args(hint)))
    if get_origin(hint) in (Union, types.UnionType):
        return functools.reduce(operator.or_, map(_of_any_value, get_args(hint)))
    return hint
