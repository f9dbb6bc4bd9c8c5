"""The parts that a `Machine` is made of, each by a function: nodes, edges, steps and their places."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np

from ..runtime import InvalidInput
from .machine import Edge, Node, Role, Size, Step


def at(x: float, y: float, **look: Any) -> dict[str, Any]:
    """A place in one layout, and what is different there: `at(40, 60, side="right")`."""
    return {"x": round(float(x), 2), "y": round(float(y), 2), **look}


def cells(
    id: str,
    wide: Any,
    narrow: Any,
    *,
    n: int,
    cell: Size = (22, 9),
    role: Role = "plain",
    label: str = "",
    name: str = "",
    **look: Any,
) -> Node:
    """`n` numbers, each a bar in a cell of `cell` pixels: to the left (or down) below 0, full at ±`scale`.

    across: cells in a row (1: a column).   digits: also write each number with so many decimals; its bar is behind it,
    from below, or from above where it is below 0.   share: from 0 to 1, in the role's colour.   bare: no bars.
    side: of the label, above, below, left or right.
    """
    return Node(
        id=id,
        kind="cells",
        wide=wide,
        narrow=narrow,
        role=role,
        label=label,
        name=name,
        look={"n": n, "cell": cell, **look},
    )


def word(id: str, wide: Any, narrow: Any, text: str = "", *, role: Role = "plain", name: str = "", **look: Any) -> Node:
    """A word; without `text` a step writes it."""
    return Node(id=id, kind="word", wide=wide, narrow=narrow, text=text, role=role, name=name, look=look)


def op(id: str, wide: Any, narrow: Any, text: str, *, role: Role = "plain", name: str = "", **look: Any) -> Node:
    """A circle that computes: σ, tanh, ×, +."""
    return Node(id=id, kind="op", wide=wide, narrow=narrow, text=text, role=role, name=name, look=look)


def box(
    id: str,
    wide: Any,
    narrow: Any,
    text: str,
    *,
    w: float,
    h: float = 40,
    role: Role = "plain",
    name: str = "",
    **look: Any,
) -> Node:
    """A part that is not opened; a step may write a note into it."""
    return Node(
        id=id, kind="box", wide=wide, narrow=narrow, text=text, role=role, name=name, look={"w": w, "h": h, **look}
    )


def note(
    id: str, wide: Any, narrow: Any, text: str = "", *, role: Role | None = None, name: str = "", **look: Any
) -> Node:
    """A few words, or what a step writes.   anchor: start, middle or end.   size: small or tiny."""
    return Node(id=id, kind="text", wide=wide, narrow=narrow, text=text, role=role or "plain", name=name, look=look)


def dial(
    id: str, wide: Any, narrow: Any, *, d: float, role: Role = "plain", label: str = "", name: str = "", **look: Any
) -> Node:
    """A clock; its values are the angles of its hands in radians, one for each role in `hands`."""
    return Node(id=id, kind="dial", wide=wide, narrow=narrow, role=role, label=label, name=name, look={"d": d, **look})


def edge(source: str, target: str, role: Role = "plain", *, label: str = "", name: str = "", **look: Any) -> Edge:
    """An arrow. A value from 0 to 1 is its width; `[width, number]` tells another number.

    route: "hv" or "vh", around one corner.   via: points.   out, into: the sides it leaves and enters.
    arrow=False: no head.   quiet: unseen unless it is lit.   thin.   wide, narrow: what is different in one layout.
    """
    return Edge(source=source, target=target, role=role, label=label, name=name, look=look)


def step(
    title: str, text: str, on: str | Iterable[str], values: Mapping[str, Any] | None = None, *, fresh: bool = False
) -> Step:
    """A step. `on`: ids apart by blanks; `|` parts what moves first from what moves next."""
    groups = (on if isinstance(on, str) else " ".join(on)).split("|")
    lit = tuple(tuple(dict.fromkeys(group.split())) for group in groups if group.split())
    return Step(title, text, lit, {name: _value(name, value) for name, value in (values or {}).items()}, fresh)


def spaced(count: int, first: float, last: float) -> list[float]:
    """Middles of so many columns or rows, the first and the last given."""
    return np.linspace(first, last, count).tolist() if count > 1 else [(first + last) / 2]


def number(value: Any, digits: int = 2) -> str:
    """A number as the drawings write it: 0.57, −0.57, and 0.00 without a sign."""
    value = _rounded(value)
    text = str(Decimal(abs(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))  # as JavaScript rounds
    return f"−{text}" if value < 0 and float(text) else text


def _value(name: str, value: Any) -> Any:
    """Arrays and numbers as JSON has them, rounded. What is not finite raises."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, Sequence) or np.ndim(value):
        return [_value(name, one) for one in value]
    if not np.isfinite(value):
        raise InvalidInput(f"The value of {name!r} is {value}: only finite numbers can be drawn.")
    return _rounded(value)


def _rounded(value: Any) -> float:
    """Six digits: what a text says and what a cell shows are made from the same number."""
    return float(f"{float(value):.6g}")
