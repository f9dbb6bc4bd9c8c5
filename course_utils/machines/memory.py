"""The smallest memory, one number that fades, and the same as a `scan`."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..models.linear import sequential_scan
from ..runtime import require
from .machine import Edge, Machine, Node, Step, Variant
from .parts import at, box, cells, edge, note, number, op, spaced, step, word

STEPS, SCANNED = 6, 4
LARGEST = 2.0  # what fills a cell of the memory


def states_of(decay: float, inputs: Sequence[float] | np.ndarray) -> np.ndarray:
    """h_1 … h_T of h_t = decay · h_{t-1} + (1 - decay) · x_t."""
    x = (1 - decay) * jnp.asarray(inputs, jnp.float32)[:, None]
    return np.asarray(sequential_scan(jnp.full(x.shape, decay), x))[:, 0]


def fading_number(decays: Sequence[float] = (0.9, 0.8, 0.95), inputs: Sequence[float] = (10, 0, 0, 0, 0, 0)) -> Machine:
    """h_t = decay · h_{t-1} + (1 - decay) · x_t, one variant a decay: an input fades by the same factor at every step.

    inputs: x_1 … x_6.
    """
    require(all(0 <= x <= 10 for x in inputs), f"The inputs must be between 0 and 10, not {tuple(inputs)}.")
    require(len(inputs) == STEPS, f"The drawing has room for {STEPS} inputs; these are {len(inputs)}.")
    xs, ys = spaced(STEPS + 1, 36, 636), spaced(STEPS + 1, 36, 36 + 76 * STEPS)
    one: dict[str, Any] = {"n": 1, "cell": (48, 38), "digits": 2}
    nodes: list[Node] = [
        note("h?", at(2, 6 + 96, anchor="start"), at(352, 16, anchor="end"), "state", always=True, size="small"),
        note("x?", at(2, 168, anchor="start"), at(2, 16, anchor="start"), "input", always=True, size="small"),
    ]
    edges: list[Edge] = []
    for t, (x, y) in enumerate(zip(xs, ys, strict=True)):
        where = at(x, 56), at(250, y, side="right")
        name = f"state after step {t}" if t else "state at the start"
        nodes.append(cells(f"h{t}", *where, **one, scale=LARGEST, role="hidden", label=f"$h_{t}$", name=name))
        if t:
            mid, down = (xs[t - 1] + x) / 2, (ys[t - 1] + y) / 2
            where = at(mid, 56), at(250, down, w=30)
            nodes += [
                op(f"d{t}", *where, "×", role="hidden", name="times the decay", w=34, size="small"),
                cells(f"x{t}", at(x, 168), at(70, y), **{**one, "digits": 0}, scale=10, name=f"$x_{t}$, the input"),
                note(
                    f"s{t}",
                    at(x - 5, 118, anchor="end"),
                    at(152, y - 9),
                    name="the share that is taken in",
                    size="small",
                ),
            ]
            edges += [
                edge(f"h{t - 1}", f"d{t}", "hidden", arrow=False),
                edge(f"d{t}", f"h{t}", "hidden"),
                edge(f"x{t}", f"h{t}", name="a share of the input is added"),
            ]
    return Machine(
        title="A memory of one number",
        teaches="Every step multiplies what is remembered by the same factor, so it fades geometrically.",
        alt="A row of numbers, each made from the one before it times the decay, plus a share of the input below it.",
        wide=(672, 196),
        narrow=(354, int(ys[-1]) + 28),
        choose="Decay",
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=tuple(
            Variant(f"decay {decay:g}", tuple(_fades(decay, np.asarray(inputs, float)))) for decay in decays
        ),
    )


def _fades(decay: float, inputs: np.ndarray) -> list[Step]:
    states, taken = states_of(decay, inputs), f"{1 - decay:g}"
    steps = []
    for t, x in enumerate(inputs, 1):
        before = float(states[t - 2]) if t > 1 else 0.0
        start = {"h0": [0.0]} if t == 1 else {}
        text = f"{decay:g} × {number(before)} + {taken} × {x:g} = {number(states[t - 1])}."
        title = f"Step {t}: it reads {x:g}."
        if t > 1 and not x:
            title = f"Step {t}: it reads 0, and the state fades."
        steps.append(
            step(
                title,
                text,
                f"h{t - 1} d{t} h{t - 1}>d{t} x{t} s{t} | d{t}>h{t} x{t}>h{t} h{t}",
                {**start, f"x{t}": [x], f"d{t}": f"×{decay:g}", f"s{t}": f"×{taken}", f"h{t}": [states[t - 1]]},
            )
        )
    left = states[-1] / states[0] if states[0] else 0.0
    back = len(inputs) - 1
    steps.append(
        step(
            "Look back.",
            f"Of what came in at step 1, {100 * left:.0f} % is left {back} steps later: {decay:g} multiplied by itself {back} times.",
            [f"h{t}" for t in range(1, len(inputs) + 1)],
        )
    )
    return steps


def scanned(inputs: Sequence[int] = (3, 1, 4, 1)) -> Machine:
    """`jax.lax.scan` over four numbers: the total is carried on, its square is collected.

    inputs: x_1 … x_4, whole numbers from 0 to 9.
    """
    require(len(inputs) == SCANNED, f"The drawing has room for {SCANNED} inputs; these are {len(inputs)}.")
    require(all(0 <= x <= 9 for x in inputs), f"The inputs are whole numbers from 0 to 9, not {tuple(inputs)}.")
    totals = [int(total) for total in np.cumsum(np.asarray(inputs, int))]
    xs, ys = spaced(SCANNED, 150, 520), spaced(SCANNED, 110, 110 + 96 * (SCANNED - 1))
    look: dict[str, Any] = {"w": 46}
    nodes: list[Node] = [
        word("c0", at(42, 140, **look), at(180, 34, **look), role="hidden", name="the carry at the start"),
        word(f"c{SCANNED}", at(632, 140, **look), at(180, ys[-1] + 76, **look), role="hidden", name="the last carry"),
        note("carry?", at(42, 108), at(116, 34), "carry", always=True, size="small"),
        note("end?", at(632, 108), at(116, ys[-1] + 76), "carry", always=True, size="small"),
        note("out?", at(2, 44, anchor="start"), at(354, 62, anchor="end"), "collected", always=True, size="small"),
        note("in?", at(2, 236, anchor="start"), at(2, 62, anchor="start"), "inputs", always=True, size="small"),
    ]
    edges: list[Edge] = []
    for t, (x, y) in enumerate(zip(xs, ys, strict=True), 1):
        before = f"s{t - 1}" if t > 1 else "c0"
        nodes += [
            box(f"s{t}", at(x, 140), at(180, y), "step", w=64, h=44, name=f"step {t}"),
            word(f"x{t}", at(x, 236, **look), at(46, y, **look), name=f"$x_{t}$, an input"),
            word(f"y{t}", at(x, 44, **look), at(314, y, **look), name=f"what step {t} returns second"),
        ]
        edges += [
            edge(before, f"s{t}", "hidden", name="carried on"),
            edge(f"x{t}", f"s{t}"),
            edge(f"s{t}", f"y{t}", name="collected"),
        ]
        if t < SCANNED:
            middle = at((x + xs[t]) / 2, 124), at(200, (y + ys[t]) / 2)
            nodes.append(note(f"c{t}", *middle, role="hidden", name=f"the carry after step {t}"))
    edges.append(edge(f"s{SCANNED}", f"c{SCANNED}", "hidden", name="carried on"))
    steps = [step("One function, called step, and a carry.", "The carry begins at 0.", "c0", {"c0": "0"})]
    for t, (x, total) in enumerate(zip(inputs, totals, strict=True), 1):
        before = f"s{t - 1}" if t > 1 else "c0"
        old = totals[t - 2] if t > 1 else 0
        carried = f"c{t}" if t < SCANNED else f"s{t}>c{t} c{t}"
        steps.append(
            step(
                f"It reads {x} and returns a pair.",
                f"{old} + {x} = {total} goes on to the next step. Its square, {total**2}, is collected.",
                f"{before} x{t} | x{t}>s{t} {before}>s{t} s{t} | s{t}>y{t} y{t} {carried}",
                {f"x{t}": str(x), f"y{t}": str(total**2), f"c{t}": str(total)},
            )
        )
    steps.append(
        step(
            "The loop gives back two things.",
            f"The last carry, {totals[-1]}, and everything that was collected, one entry for each input.",
            [f"s{SCANNED}>c{SCANNED}", f"c{SCANNED}", *(f"y{t}" for t in range(1, SCANNED + 1))],
            fresh=True,
        )
    )
    return Machine(
        title="A scan carries one thing on and collects another",
        teaches="One function is run on input after input. It hands a carry to its next run and puts a result on a pile.",
        alt=f"{SCANNED} boxes in a row, all called step. A carry runs through them; an input enters each from one side, "
        "and a result leaves each at the other.",
        wide=(672, 262),
        narrow=(356, int(ys[-1]) + 106),
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=(Variant("", tuple(steps)),),
    )
