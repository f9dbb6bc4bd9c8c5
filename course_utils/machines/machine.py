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
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from ..runtime import require

Role = Literal["plain", "hidden", "cell", "gate", "attention", "gradient"]
Kind = Literal["cells", "word", "op", "box", "text", "dial"]
Size = tuple[float, float]
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
            "kind": "machine",
            "title": self.title,
            "teaches": self.teaches,
            "alt": self.alt,
            "choose": self.choose,
            "called": dict(self.called),
            "wide": self.wide,
            "narrow": self.narrow,
            "nodes": [node.spec() for node in self.nodes],
            "edges": [one.spec() for one in self.edges],
            "variants": variants,
        }

    @property
    def lesson(self) -> str:
        """Its title and what it teaches."""
        return f"{plain_text(self.title)}. {plain_text(self.teaches)}"

    def in_words(self) -> str:
        """The machine for those who read it: its title, what it teaches and the sentence of every step."""
        lines = [self.lesson]
        for variant in self.variants:
            lines += [f"{self.choose or 'Variant'}: {variant.name}"] if len(self.variants) > 1 else []
            lines += [f"{i}. {one.sentence()}" for i, one in enumerate(variant.steps, 1)]
        return "\n".join(lines)


def plain_text(text: str) -> str:
    """A text without the marks of its formulas."""
    return text.replace("$", "").replace("{", "").replace("}", "")


def _without_blanks(values: Mapping[str, Any], *left_out: str) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if name not in left_out and value is not None and not (isinstance(value, str) and value in ("", "plain"))
    }
