"""An LSTM cell: its drawing, and one step by hand."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..models.gated import LSTMState, lstm_gates, lstm_step
from ..runtime import require
from .machine import Edge, Machine, Node, Step, Variant
from .parts import at, box, cells, edge, note, number, op, step

TEACHES = "The cell state is changed by a product with a gate and by a sum, and by nothing else."
GATES = "in in>sf sf in>si si in>sc sc in>so so | sf>f f si>i i sc>c c so>o o"
FORGET = "C0 f | C0>xf f>xf xf kept"
WRITE = "i c | i>xi c>xi xi written"
ADD = "xf xi | xf>add xi>add add | add>C1 C1"
SHOW = "C1 o | C1>th th squashed | th>xo o>xo xo | xo>h h"


def cell() -> tuple[list[Node], list[Edge]]:
    """The nodes and edges of an LSTM cell: the cell state on top, the gates below it."""
    one: dict[str, Any] = {"n": 1, "cell": (46, 38), "digits": 2}
    y, ny = (
        {"top": 46, "mid": 112, "gate": 178, "op": 244, "bus": 298},
        {"top": 40, "mid": 102, "gate": 164, "op": 222, "bus": 268},
    )
    x, nx = (
        {"f": 160, "i": 278, "c": 362, "o": 524, "+": 320, "end": 618},
        {"f": 94, "i": 147, "c": 205, "o": 264, "+": 176, "end": 328},
    )
    names = {"f": "forget gate", "i": "input gate", "c": "candidate", "o": "output gate"}
    symbols = {"f": "$f_t$", "i": "$i_t$", "c": "$C̃_t$", "o": "$o_t$"}

    def here(column: str, row: str, **narrow: Any) -> tuple[dict, dict]:
        return at(x[column], y[row]), at(nx[column], ny[row], **narrow)

    nodes = [
        cells(
            "C0",
            at(40, y["top"]),
            at(26, ny["top"]),
            **one,
            role="cell",
            label="$C_{t-1}$",
            name="$C_{t-1}$, the cell state before",
        ),
        op("xf", *here("f", "top"), "×", role="cell", name="times the forget gate"),
        op("add", *here("+", "top"), "+", role="cell", name="sum"),
        cells("C1", *here("end", "top"), **one, role="cell", label="$C_t$", name="$C_t$, the new cell state"),
        op("xi", *here("+", "mid"), "×", role="cell", name="times the input gate"),
        op("th", *here("end", "mid"), "tanh", role="cell"),
        op("xo", *here("end", "gate"), "×", role="hidden", name="times the output gate"),
        cells(
            "h",
            *here("end", "op"),
            **one,
            role="hidden",
            label="$h_t$",
            side="below",
            name="$h_t$, the new hidden state",
        ),
        box(
            "in",
            at(56, y["bus"]),
            at(34, ny["bus"], w=62),
            "$h_{t-1}, x_t$",
            w=92,
            h=32,
            role="hidden",
            name="hidden state before, and word",
        ),
    ]
    edges = [
        edge("C0", "xf", "cell"),
        edge("xf", "add", "cell"),
        edge("add", "C1", "cell"),
        edge("xi", "add", "cell", thin=True),
        edge("C1", "th", "cell", thin=True),
        edge("th", "xo", "cell", thin=True),
        edge("xo", "h", "hidden"),
        edge("f", "xf", "gate"),
        edge("i", "xi", "gate", route="vh"),
        edge("c", "xi", "cell", route="vh", thin=True),
        edge("o", "xo", "gate"),
    ]
    for gate in "fico":
        role = "cell" if gate == "c" else "gate"
        side = 36 if gate == "c" else -36
        nodes += [
            cells(
                gate,
                *here(gate, "gate"),
                **one,
                role=role,
                share=gate != "c",
                name=f"{symbols[gate]}, the {names[gate]}",
            ),
            op(f"s{gate}", *here(gate, "op"), "tanh" if gate == "c" else "σ", role=role),
            note(
                f"{gate}.s",
                at(x[gate] + side, y["gate"]),
                at(nx[gate], ny["bus"] + 24),
                symbols[gate],
                role=role,
                always=True,
            ),
            note(
                f"{gate}.n",
                at(x[gate], y["bus"] + 24, size="small"),
                at(nx[gate], ny["bus"] + 42, text=names[gate].split()[0], size="tiny"),
                names[gate],
                always=True,
            ),
        ]
        edges += [
            edge(
                "in", f"s{gate}", "hidden", wide={"via": [(x[gate], y["bus"])]}, narrow={"via": [(nx[gate], ny["bus"])]}
            ),
            edge(f"s{gate}", gate, role, thin=True),
        ]
    nodes += [
        note("kept", at(240, 34), at(136, 28), name="what is kept", role="cell", size="small"),
        note(
            "written",
            at(330, 83, anchor="start"),
            at(186, 76, anchor="start"),
            name="what is written",
            role="cell",
            size="small",
        ),
        note(
            "squashed",
            at(608, 148, anchor="end"),
            at(320, 136, anchor="end"),
            name="tanh of the cell state",
            role="cell",
            size="small",
        ),
        note("C=", at(340, 358), at(176, 340), name="the sum in numbers", role="cell", size="small"),
        note("h=", at(340, 380), at(176, 360), name="the output in numbers", role="hidden", size="small"),
    ]
    return nodes, edges


def in_brackets(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def sums_of(C: float, f: float, i: float, c: float, o: float, new: float, h: float) -> dict[str, str]:
    """Both equations of a step with its numbers, and what is on its way."""
    return {
        "kept": number(f * C),
        "written": number(i * c),
        "squashed": number(np.tanh(new)),
        "C=": f"$C_t$ = {number(f)} × {in_brackets(C)} + {number(i)} × {in_brackets(c)} = {number(new)}",
        "h=": f"$h_t$ = {number(o)} × tanh({number(new)}) = {number(h)}",
    }


CASES: dict[str, dict[str, float]] = {  # what differs from the numbers of `lstm_by_hand`
    "by hand": {},
    "hold": {"f": 0.95, "i": 0.02},
    "overwrite": {"f": 0.05, "i": 0.9},
    "add": {"f": 0.95, "i": 0.9, "candidate": 0.5},
}


def lstm_by_hand(C: float = 0.8, f: float = 0.9, i: float = 0.1, candidate: float = -0.5, o: float = 0.7) -> Machine:
    """One step of an LSTM, computed by `lstm_step`, with numbers that can be checked on paper; and with other gates.

    C: the cell state before.   f, i, o: the gates, between 0 and 1.   candidate: between −1 and 1.
    """
    given = {"C": C, "f": f, "i": i, "candidate": candidate, "o": o}
    nodes, edges = cell()
    return Machine(
        title="An LSTM cell, worked by hand",
        teaches=TEACHES,
        alt="An LSTM cell. The cell state runs along the top, through a product with the forget gate and a sum. Below are "
        "the forget, input and output gate and the candidate, each made from the hidden state and the word.",
        wide=(660, 394),
        narrow=(356, 374),
        choose="Gates",
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=tuple(Variant(name, _by_hand(**{**given, **case})) for name, case in CASES.items()),
    )


def _by_hand(C: float, f: float, i: float, candidate: float, o: float) -> tuple[Step, ...]:
    """The steps of one case."""
    require(all(0 < gate < 1 for gate in (f, i, o)), f"A gate is between 0 and 1, not {f}, {i} and {o}.")
    require(-1 < candidate < 1, f"The candidate is between −1 and 1, not {candidate}.")
    gate = np.array([f, i, o])
    z_f, z_i, z_o = np.log(gate / (1 - gate))
    z = tuple(jnp.asarray([value]) for value in (z_f, z_i, np.arctanh(candidate), z_o))
    f, i, c, o = (float(value[0]) for value in lstm_gates(*z))
    after = lstm_step(LSTMState(jnp.zeros(1), jnp.asarray([C])), *z)
    new, h = float(after.cell[0]), float(after.hidden[0])
    sums = sums_of(C, f, i, c, o, new, h)
    return (
        step(
            "The cell state arrives.",
            f"$C_{{t-1}}$ is {number(C)}. Only a product and a sum are on its way, and no matrix.",
            "C0 C0>xf xf | xf>add add | add>C1",
            {"C0": [C]},
        ),
        step(
            "Three gates and a candidate.",
            "$h_{t-1}$ and the word make four numbers. A gate is shut at 0 and open at 1; "
            "the candidate is what could be written.",
            GATES,
            {"f": [f], "i": [i], "c": [c], "o": [o]},
        ),
        step(
            "Forget.",
            f"The forget gate keeps {number(f)} of the old value: {number(f)} × {in_brackets(C)} = {number(f * C)}.",
            FORGET,
            {"kept": sums["kept"]},
        ),
        step(
            "Write.",
            f"The input gate lets {number(i)} of the candidate in: {number(i)} × {in_brackets(c)} = {number(i * c)}.",
            WRITE,
            {"written": sums["written"]},
        ),
        step(
            "Add.",
            f"{number(f * C)} + {in_brackets(i * c)} = {number(new)}. That is the new cell state.",
            f"{ADD} C=",
            {"C1": [new], "C=": sums["C="]},
        ),
        step(
            "Show.",
            f"The output gate lets the network see {number(o)} of tanh({number(new)}): the hidden state is {number(h)}.",
            f"{SHOW} h=",
            {"squashed": sums["squashed"], "h": [h], "h=": sums["h="]},
        ),
    )
