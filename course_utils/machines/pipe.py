"""A state as a pipe: what a straight line still reads off a network that was never trained."""

import functools
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from ..measure.memory import STEPS, WARM_UP, frozen_states, lagged
from ..measure.probe import read_off
from .machine import Edge, Machine, Node, Step, Variant
from .parts import at, cells, edge, note, spaced, step, word

LETTERS = "ABCDEFGH"
HIDDEN, LAGS, READS, UNITS = 64, 12, 5, 16
ROW = 6  # slots in a row of the narrow layout


class Read(NamedTuple):
    """A random stream, and what is read of its past off the states."""

    symbols: Int[np.ndarray, " time"]
    states: Float[np.ndarray, "time hidden"]
    named: Int[np.ndarray, "time lags"]  # the symbol named for each lag; row t is about the state after symbols[t]
    right: Float[np.ndarray, " lags"]  # share of symbols named rightly


@functools.cache
def frozen_read(seed: int = 0) -> Read:
    """A network of 64 units that is never trained, reading 8 symbols (`measure.memory.frozen_recall`, one seed)."""
    stream, states = frozen_states(jax.random.key(seed), len(LETTERS), 0.1, 0.98, HIDDEN, len(LETTERS))
    past, tested = lagged(stream, LAGS), STEPS // 2
    _, named = read_off(states[WARM_UP:], past, len(LETTERS))
    return Read(
        np.asarray(stream[-tested:]),
        np.asarray(states[-tested:]),
        np.asarray(named.T),
        np.asarray((named == past[:, -tested:]).mean(1)),
    )


def pipe() -> Machine:
    """Symbols enter a state one after another; from each state the last twelve are named."""
    read, first = frozen_read(), LAGS
    units = np.argsort(-read.states.std(0))[:UNITS]
    scale = float(np.abs(read.states[first : first + READS + 1, units]).max())
    nodes: list[Node] = [
        word("new", at(52, 40, w=62), at(34, 40, w=52), name="the new symbol"),
        cells("h", at(390, 40), at(214, 40, cell=(14, 30)), n=UNITS, across=UNITS, cell=(24, 30), scale=scale, role="hidden", label="",
              name="the state"),
        note("h?", at(390, 8), at(214, 8), "state", size="small", always=True),
        note("true", at(2, 104, anchor="start"), at(2, 84, anchor="start"), "what came", size="small", always=True),
        note("said", at(2, 172, anchor="start"), at(2, 104, anchor="start"), "what is read", size="small", always=True,
             role="hidden"),
    ]  # fmt: skip
    edges: list[Edge] = [edge("new", "h", "hidden")]
    xs, narrow = spaced(LAGS, 112, 640), spaced(ROW, 32, 324)
    for k, x in enumerate(xs):
        nx, ny = narrow[k % ROW], 142 + 124 * (k // ROW)
        ago = "now" if k == 0 else f"{k} ago"
        nodes += [
            word(f"t{k}", at(x, 104, w=34), at(nx, ny, w=34), name=f"the symbol, {ago}"),
            word(f"g{k}", at(x, 172, w=44), at(nx, ny + 32, w=50), role="hidden", name=f"the symbol as read, {ago}", size="small"),
            note(f"k{k}", at(x, 134), at(nx, ny - 25), ago, size="tiny", always=True),
            cells(f"a{k}", at(x, 210), at(nx, ny + 62), n=1, cell=(40, 24), digits=2, share=True, role="hidden",
                  name=f"share named rightly, {ago}"),
        ]  # fmt: skip
    return Machine(
        title="New symbols push old ones out of the state",
        teaches="The state has one size, however long the stream. What is new is clear, what is old drowns.",
        alt=f"A symbol enters a state of {HIDDEN} units, of which {UNITS} are drawn. Below: the last {LAGS} symbols, and the "
        "symbols that a straight line reads off the state.",
        wide=(672, 230),
        narrow=(356, 352),
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=(Variant("", tuple(_steps(read, first, units))),),
    )


def _steps(read: Read, first: int, units: np.ndarray) -> list[Step]:
    steps = []
    for t in range(first, first + READS):
        came, named = read.symbols[t - np.arange(LAGS)], read.named[t]
        good = came == named
        run = int(np.cumprod(good).sum())
        values = {f"t{k}": LETTERS[came[k]] for k in range(LAGS)}
        values |= {f"g{k}": f"{LETTERS[named[k]]} {'✓' if good[k] else '✗'}" for k in range(LAGS)}
        letter = LETTERS[came[0]]
        steps.append(
            step(
                f"{letter} comes in.",
                f"Everything moves one place back. {int(good.sum())} of the last {LAGS} symbols can still be read, "
                f"the newest {run} without a gap.",
                "new | new>h h | " + " ".join(f"t{k} g{k}" for k in range(LAGS)),
                {"new": letter, "h": read.states[t, units], **values},
                fresh=True,
            )
        )
    deep = int(np.cumprod(read.right >= 0.9).sum())
    steps.append(
        step(
            "How often is each place right?",
            f"Over {STEPS // 2:,} states the newest {deep} symbols are named in at least nine cases of ten. "
            "Guessing is right in one of eight.",
            " ".join(f"a{k}" for k in range(LAGS)),
            {f"a{k}": [read.right[k]] for k in range(LAGS)},
            fresh=True,
        )
    )
    return steps
