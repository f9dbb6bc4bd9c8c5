"""What a machine is: a drawing of a model that carries the model's numbers, step by step.

A `Machine` says what it is made of (nodes and edges, each with a role), where that is in a wide and in a narrow
layout, and what each step shows. It knows nothing of colours, lines or motion: `front/machine.js` draws it.

    Machine(
        title="One step", teaches="The new state is made from the old one.", alt="A state, tanh, the next state.",
        wide=(300, 120), narrow=(300, 120),
        nodes=(cells("h0", at(40, 60), at(40, 60), n=8), op("f", "tanh", …), cells("h1", …)),
        edges=(edge("h0", "f", "hidden"), edge("f", "h1", "hidden")),
        variants=(Variant("", (step("Read.", "The state goes in.", "h0", {"h0": state}), …)),),
    )

Text between dollar signs is a formula with indices: `$h_{t-1}$`. Places are centres, in pixels from the upper left.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, get_args

import numpy as np

from ..runtime import InvalidInput, require

Role = Literal["plain", "hidden", "cell", "gate", "attention", "gradient"]
Kind = Literal["cells", "word", "op", "box", "text", "bars", "dial"]
Size = tuple[int, int]
WIDEST, NARROWEST = 680, 356  # pixels that a notebook's output and a phone have for a drawing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Node:
    """Something with a place in each layout.

    wide, narrow: `at(x, y, …)`.   label: written at its side.   name: what it is, in words (its label unless given).
    text: what is written in it until a step writes something else.   look: sizes, see `cells`, `word` and the others.
    """

    id: str
    kind: Kind
    wide: Mapping[str, Any]
    narrow: Mapping[str, Any]
    role: Role = "plain"
    label: str = ""
    name: str = ""
    text: str = ""
    look: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def spec(self) -> dict[str, Any]:
        """This node as JSON; what is empty is left out."""
        return _without_blanks({**dataclasses.asdict(self), **self.look}, "look")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Edge:
    """An arrow from one node to another; its id is `source>target`."""

    source: str
    target: str
    role: Role = "plain"
    label: str = ""
    name: str = ""
    look: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.source}>{self.target}"

    def spec(self) -> dict[str, Any]:
        """This edge as JSON."""
        ends = {"id": self.id, "from": self.source, "to": self.target}
        return _without_blanks({**ends, "role": self.role, "label": self.label, "name": self.name, **self.look})


@dataclasses.dataclass(frozen=True)
class Step:
    """What one step lights up and which values it changes.

    on: ids, one group for each movement: the first moves first.   values: stay until a later step changes them;
    None takes one away.   fresh: what was lit before fades again.
    """

    title: str
    text: str
    on: tuple[tuple[str, ...], ...]
    values: Mapping[str, Any]
    fresh: bool = False

    @property
    def lit(self) -> tuple[str, ...]:
        """All ids that it lights up."""
        return tuple(name for group in self.on for name in group)

    def sentence(self) -> str:
        """Title and text, as they are read out."""
        return plain_text(f"{self.title} {self.text}")


@dataclasses.dataclass(frozen=True)
class Variant:
    """One run of the machine: its own steps on the same nodes and edges."""

    name: str
    steps: tuple[Step, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Machine:
    """A whole drawing. What does not fit together raises `InvalidInput` where it is made.

    teaches: the one sentence that a reader takes away.   alt: what is drawn, for those who do not see it.
    wide, narrow: width and height of each layout.   choose: what the variants are variants of.
    called: what a role is here, where it is not what its name says: {"hidden": "residual stream"}.
    """

    title: str
    teaches: str
    alt: str
    wide: Size
    narrow: Size
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    variants: tuple[Variant, ...]
    choose: str = ""
    called: Mapping[Role, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        known = [one.id for one in (*self.nodes, *self.edges)]
        twice = {name for name in known if known.count(name) > 1} if len(set(known)) < len(known) else set()
        require(not twice, f"Each id may be used once; used again: {', '.join(sorted(twice))}.")
        ends = [name for one in self.edges for name in (one.source, one.target)]
        self._require_known(ends, {node.id for node in self.nodes}, "An edge")
        require(self.variants and all(v.steps for v in self.variants), "A machine needs at least one step.")
        for variant in self.variants:
            for one in variant.steps:
                require(one.title and one.text, f"Every step needs a title and a text, step {one.title!r} too.")
                require(one.lit, f"Step {one.title!r} lights up nothing.")
                self._require_known((*one.lit, *one.values), set(known), f"Step {one.title!r}")
                self._require_values(one)
        for node in self.nodes:
            self._require_inside(node)

    def _require_known(self, names: Iterable[str], known: set[str], what: str) -> None:
        unknown = [name for name in names if name not in known]
        require(not unknown, f"{what} names {unknown[:1]}, and {self.title!r} has nothing of that name.")

    def _require_values(self, one: Step) -> None:
        counts = {node.id: node.look["n"] for node in self.nodes if node.kind == "cells"}
        for name, value in one.values.items():
            if name in counts and value is not None:
                require(
                    isinstance(value, list) and len(value) == counts[name],
                    f"Step {one.title!r} must give {name!r} a list of {counts[name]} values, not {value!r}.",
                )

    def _require_inside(self, node: Node) -> None:
        for (width, height), place in ((self.wide, node.wide), (self.narrow, node.narrow)):
            inside = 0 <= place["x"] <= width and 0 <= place["y"] <= height
            require(inside, f"{node.id!r} is at {place['x']:g}, {place['y']:g}: outside of {width} × {height} pixels.")
        require(
            self.wide[0] <= WIDEST and self.narrow[0] <= NARROWEST,
            f"A drawing may be {WIDEST} pixels wide, and {NARROWEST} on a phone; "
            f"here it is {self.wide[0]} and {self.narrow[0]}.",
        )

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that it shows."""
        hands = [hand for node in self.nodes for hand in node.look.get("hands", ())]
        used = {*(one.role for one in (*self.nodes, *self.edges)), *hands}
        return tuple(role for role in get_args(Role) if role in used)

    def spec(self) -> dict[str, Any]:
        """What `machine.js` draws, as JSON."""
        variants = [
            {"name": v.name, "steps": [_without_blanks(dataclasses.asdict(one)) | {"on": one.on} for one in v.steps]}
            for v in self.variants
        ]
        return {
            "kind": "machine", "title": self.title, "teaches": self.teaches, "alt": self.alt, "choose": self.choose, "called": dict(self.called),
            "wide": self.wide, "narrow": self.narrow, "nodes": [node.spec() for node in self.nodes],
            "edges": [one.spec() for one in self.edges], "variants": variants,
        }  # fmt: skip

    def in_words(self) -> str:
        """The machine for those who read it: its title, what it teaches and the sentence of every step."""
        lines = [f"{plain_text(self.title)}. {plain_text(self.teaches)}"]
        for variant in self.variants:
            lines += [f"{self.choose or 'Variant'}: {variant.name}"] if len(self.variants) > 1 else []
            lines += [f"{i}. {one.sentence()}" for i, one in enumerate(variant.steps, 1)]
        return "\n".join(lines)


# --------------------------------------------------------------------------------------------- parts of a machine


def at(x: float, y: float, **look: Any) -> dict[str, Any]:
    """A place in one layout, and what is different there: `at(40, 60, side="right")`."""
    return {"x": round(float(x), 2), "y": round(float(y), 2), **look}


def cells(
    id: str, wide: Any, narrow: Any, *, n: int, cell: Size = (22, 9), role: Role = "plain", label: str = "", name: str = "", **look: Any
) -> Node:  # fmt: skip
    """`n` numbers, each a bar in a cell of `cell` pixels: to the left (or down) below 0, full at ±`scale`.

    across: cells in a row (1: a column).   digits: also write each number with so many decimals.
    share: from 0 to 1, the cells fill from below.   side: of the label, above, below, left or right.
    """
    return Node(id=id, kind="cells", wide=wide, narrow=narrow, role=role, label=label, name=name,
                look={"n": n, "cell": cell, **look})  # fmt: skip


def word(id: str, wide: Any, narrow: Any, text: str = "", *, role: Role = "plain", name: str = "", **look: Any) -> Node:
    """A word; without `text` a step writes it."""
    return Node(id=id, kind="word", wide=wide, narrow=narrow, text=text, role=role, name=name, look=look)


def op(id: str, wide: Any, narrow: Any, text: str, *, role: Role = "plain", name: str = "", **look: Any) -> Node:
    """A circle that computes: σ, tanh, ×, +."""
    return Node(id=id, kind="op", wide=wide, narrow=narrow, text=text, role=role, name=name, look=look)


def box(
    id: str, wide: Any, narrow: Any, text: str, *, w: float, h: float = 40, role: Role = "plain", name: str = "", **look: Any
) -> Node:  # fmt: skip
    """A part that is not opened; a step may write a note into it."""
    return Node(id=id, kind="box", wide=wide, narrow=narrow, text=text, role=role, name=name, look={"w": w, "h": h, **look})


def note(id: str, wide: Any, narrow: Any, text: str = "", *, role: Role | None = None, name: str = "", **look: Any) -> Node:
    """A few words, or what a step writes.   anchor: start, middle or end.   size: small or tiny."""
    return Node(id=id, kind="text", wide=wide, narrow=narrow, text=text, role=role or "plain", name=name, look=look)


def bars(
    id: str, wide: Any, narrow: Any, *, rows: int, w: float, room: float, role: Role = "plain", label: str = "", name: str = "", **look: Any
) -> Node:  # fmt: skip
    """Probabilities, one line each; a step gives `[[name, probability], …]`. Names have `room` pixels."""
    return Node(id=id, kind="bars", wide=wide, narrow=narrow, role=role, label=label, name=name,
                look={"rows": rows, "w": w, "room": room, **look})  # fmt: skip


def dial(id: str, wide: Any, narrow: Any, *, d: float, role: Role = "plain", label: str = "", name: str = "", **look: Any) -> Node:
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
) -> Step:  # fmt: skip
    """A step. `on`: ids apart by blanks; `|` parts what moves first from what moves next."""
    groups = (on if isinstance(on, str) else " ".join(on)).split("|")
    lit = tuple(tuple(dict.fromkeys(group.split())) for group in groups if group.split())
    return Step(title, text, lit, {name: _value(name, value) for name, value in (values or {}).items()}, fresh)


def spaced(count: int, first: float, last: float) -> list[float]:
    """Middles of so many columns or rows, the first and the last given."""
    return np.linspace(first, last, count).tolist() if count > 1 else [(first + last) / 2]


def number(value: float, digits: int = 2) -> str:
    """A number as the drawings write it: 0.57, −0.57, and 0.00 without a sign."""
    value = _rounded(value)
    text = str(Decimal(abs(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))  # as JavaScript rounds
    return f"−{text}" if value < 0 and float(text) else text


def plain_text(text: str) -> str:
    """A text without the marks of its formulas."""
    return text.replace("$", "").replace("{", "").replace("}", "")


def _value(name: str, value: Any) -> Any:
    """Arrays and numbers as JSON has them, rounded. What is not finite raises."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, Sequence) or np.ndim(value):
        return [_value(name, one) for one in value]
    if not np.isfinite(value):
        raise InvalidInput(f"The value of {name!r} is {value}: only finite numbers can be drawn.")
    return _rounded(value)


def _rounded(value: float) -> float:
    """Six digits: what a text says and what a cell shows are made from the same number."""
    return float(f"{float(value):.6g}")


def _without_blanks(values: Mapping[str, Any], *left_out: str) -> dict[str, Any]:
    return {
        name: value for name, value in values.items()
        if name not in left_out and value is not None and not (isinstance(value, str) and value in ("", "plain"))
    }  # fmt: skip


def to_json(machine: Machine) -> str:
    """The spec as text."""
    return json.dumps(machine.spec(), ensure_ascii=False, separators=(",", ":"))
