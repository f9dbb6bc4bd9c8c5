"""The smallest memory: one number that fades."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..models.linear import sequential_scan
from ..runtime import require
from .machine import Edge, Machine, Node, Step, Variant
from .parts import at, cells, edge, note, number, op, spaced, step

STEPS = 6


def fading_number(decays: Sequence[float] = (0.9, 0.5, 1.0), inputs: Sequence[float] = (1.0, 0, 0, 0, 0, 0)) -> Machine:
    """m_t = decay · m_{t-1} + x_t, one variant a decay: what was read fades by the same factor at every step.

    inputs: x_1 … x_6.
    """
    require(all(0 <= x <= 1 for x in inputs), f"The inputs must be between 0 and 1, not {tuple(inputs)}.")
    require(len(inputs) == STEPS, f"The drawing has room for {STEPS} inputs; these are {len(inputs)}.")
    xs, ys = spaced(STEPS + 1, 36, 636), spaced(STEPS + 1, 36, 36 + 76 * STEPS)
    one: dict[str, Any] = {"n": 1, "cell": (48, 38), "digits": 2, "share": True}
    nodes: list[Node] = [
        note("m?", at(2, 6 + 96, anchor="start"), at(352, 16, anchor="end"), "memory", always=True, size="small"),
        note("x?", at(2, 168, anchor="start"), at(2, 16, anchor="start"), "input", always=True, size="small"),
    ]
    edges: list[Edge] = []
    for t, (x, y) in enumerate(zip(xs, ys, strict=True)):
        nodes.append(
            cells(
                f"m{t}",
                at(x, 56),
                at(250, y, side="right"),
                **one,
                role="hidden",
                label=f"$m_{t}$",
                name=f"memory after step {t}",
            )
        )
        if t:
            mid, down = (xs[t - 1] + x) / 2, (ys[t - 1] + y) / 2
            nodes += [
                op(
                    f"d{t}",
                    at(mid, 56),
                    at(250, down, w=30),
                    "×",
                    role="hidden",
                    name="times the decay",
                    w=34,
                    size="small",
                ),
                cells(f"x{t}", at(x, 168), at(70, y), **one, name=f"$x_{t}$, the input"),
            ]
            edges += [
                edge(f"m{t - 1}", f"d{t}", "hidden", arrow=False),
                edge(f"d{t}", f"m{t}", "hidden"),
                edge(f"x{t}", f"m{t}", label="+"),
            ]
    return Machine(
        title="A memory of one number",
        teaches="Every step multiplies what is remembered by the same factor, so it fades geometrically.",
        alt="A row of numbers, each made from the one before it times the decay, plus the input below it.",
        wide=(672, 196),
        narrow=(354, int(ys[-1]) + 28),
        choose="Decay",
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=tuple(
            Variant(f"decay {decay:g}", tuple(_steps(decay, np.asarray(inputs, float)))) for decay in decays
        ),
    )


def _steps(decay: float, inputs: np.ndarray) -> list[Step]:
    memory = np.asarray(sequential_scan(jnp.full((len(inputs), 1), decay), jnp.asarray(inputs)[:, None]))[:, 0]
    steps = []
    for t, x in enumerate(inputs, 1):
        before = float(memory[t - 2]) if t > 1 else 0.0
        start = {"m0": [0.0]} if t == 1 else {}
        text = f"{number(decay, 1)} × {number(before)} + {number(x)} = {number(memory[t - 1])}."
        title = f"Step {t}: it reads {number(x, 1)}."
        if t > 1 and not x:
            title = f"Step {t}: nothing new, so the memory {'stays' if decay == 1 else 'fades'}."
        steps.append(
            step(
                title,
                text,
                f"m{t - 1} d{t} m{t - 1}>d{t} x{t} | d{t}>m{t} x{t}>m{t} m{t}",
                {**start, f"x{t}": [x], f"d{t}": f"×{decay:g}", f"m{t}": [memory[t - 1]]},
            )
        )
    left = memory[-1] / memory[0] if memory[0] else 0.0
    back = len(inputs) - 1
    steps.append(
        step(
            "Look back.",
            f"Of what came in at step 1, {number(left)} is left {back} steps later: {decay:g} multiplied by itself {back} times.",
            [f"m{t}" for t in range(1, len(inputs) + 1)],
        )
    )
    return steps
