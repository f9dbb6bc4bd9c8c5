"""A GRU cell by hand, in the colours of the LSTM and at its places."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..models.gated import gru_gates, gru_step
from ..runtime import require
from .lstm import in_brackets
from .machine import Edge, Machine, Node, Variant
from .parts import at, box, cells, edge, note, number, op, step


def gru_by_hand(
    h: float = 0.8, u: float = 0.9, r: float = 0.2, recurrent: float = 1.5, projected: float = -0.85
) -> Machine:
    """One step of a GRU, computed by `gru_step`, in the colours of the LSTM.

    h: the state before.   u, r: update and reset gate, between 0 and 1.   recurrent: U_n h.   projected: W_n x + b_n.
    """
    require(all(0 < gate < 1 for gate in (u, r)), f"A gate is between 0 and 1, not {u} and {r}.")
    z_r, z_u = (float(np.log(gate / (1 - gate))) for gate in (r, u))
    one = tuple(jnp.asarray([value]) for value in (z_r, z_u, projected))
    before = tuple(jnp.asarray([value]) for value in (0.0, 0.0, recurrent))
    r, u, n = (float(value[0]) for value in gru_gates(before, one))
    new = float(gru_step(jnp.asarray([h]), before, one)[0])
    nodes, edges = _gru_cell()
    mixed = f"$h_t$ = {number(u)} × {in_brackets(h)} + {number(1 - u)} × {in_brackets(n)} = {number(new)}"
    candidate = f"$n_t$ = tanh({number(projected)} + {number(r)} × {in_brackets(recurrent)}) = {number(n)}"
    steps = (
        step(
            "The state arrives.",
            f"$h_{{t-1}}$ is {number(h)}. It is memory and output in one: a GRU has no second state.",
            "h0 h0>xu xu | xu>add add | add>h1",
            {"h0": [h]},
        ),
        step(
            "Two gates.",
            "The update gate says how much to keep, the reset gate how much of the old state the candidate may use.",
            "in in>su su in>sr sr | su>u u sr>r r",
            {"u": [u], "r": [r]},
        ),
        step(
            "The candidate.",
            f"The word gives {number(projected)}. Of what the state gives, the reset gate lets {number(r)} in; "
            f"tanh makes of both {number(n)}.",
            "in Uh Wx r in>Uh in>Wx | Uh>xr r>xr xr | xr>tn Wx>tn tn | tn>n n n=",
            {"Uh": [recurrent], "Wx": [projected], "n": [n], "n=": candidate},
        ),
        step(
            "Keep and write with one gate.",
            f"The update gate keeps {number(u)} of the old state, so {number(1 - u)} is left for the candidate.",
            "h0 u n | u>xu xu u>om om | om>xn n>xn xn",
            {"om": f"{number(1 - u)}"},
        ),
        step(
            "Add.",
            f"{number(u * h)} + {in_brackets((1 - u) * n)} = {number(new)}. Again only a product and a sum are on the way.",
            "xu xn | xu>add xn>add add | add>h1 h1 h=",
            {"h1": [new], "h=": mixed},
        ),
    )
    return Machine(
        title="A GRU cell: one gate both keeps and writes",
        teaches="The update gate shares the state out between the old value and the candidate; there is no second state.",
        alt="A GRU cell. The state runs along the top, through a product with the update gate and a sum. Below are the "
        "update gate, the candidate and the reset gate.",
        wide=(660, 432),
        narrow=(356, 440),
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=(Variant("", steps),),
    )


def _gru_cell() -> tuple[list[Node], list[Edge]]:
    """The nodes and edges of a GRU cell, where the LSTM has them."""
    one: dict[str, Any] = {"n": 1, "cell": (46, 38), "digits": 2}
    y, ny = (
        {"top": 46, "mid": 112, "gate": 178, "op": 244, "low": 310, "bus": 358},
        {"top": 40, "mid": 106, "gate": 172, "op": 238, "low": 304, "bus": 350},
    )
    x, nx = (
        {"u": 150, "1-": 236, "+": 320, "n": 412, "r": 524, "end": 618},
        {"u": 92, "1-": 144, "+": 190, "n": 236, "r": 306, "end": 328},
    )

    def here(column: str, row: str, **narrow: Any) -> tuple[dict, dict]:
        return at(x[column], y[row]), at(nx[column], ny[row], **narrow)

    def name(id: str, column: str, text: str, short: str) -> Node:
        return note(
            id,
            at(x[column], y["bus"] + 22, size="small"),
            at(nx[column], ny["bus"] + 22, text=short, size="tiny"),
            text,
            always=True,
        )

    nodes = [
        cells(
            "h0",
            at(40, y["top"]),
            at(26, ny["top"]),
            **one,
            role="hidden",
            label="$h_{t-1}$",
            name="$h_{t-1}$, the state before",
        ),
        op("xu", *here("u", "top"), "×", role="hidden", name="times the update gate"),
        op("add", *here("+", "top"), "+", role="hidden", name="sum"),
        cells("h1", *here("end", "top"), **one, role="hidden", label="$h_t$", name="$h_t$, the new state"),
        op("xn", *here("+", "mid"), "×", role="hidden", name="times one minus the update gate"),
        cells("u", *here("u", "gate"), **one, role="gate", share=True, name="$u_t$, the update gate"),
        op(
            "om",
            at(x["1-"], y["gate"], w=38),
            at(nx["1-"], ny["gate"], w=36),
            "1 −",
            role="gate",
            name="one minus the update gate",
            size="small",
        ),
        cells("n", *here("n", "gate"), **one, role="plain", name="$n_t$, the candidate"),
        cells("r", *here("r", "gate"), **one, role="gate", share=True, name="$r_t$, the reset gate"),
        op("su", *here("u", "op"), "σ", role="gate"),
        op("tn", *here("n", "op"), "tanh"),
        op("xr", at(x["r"] - 46, y["op"]), at(nx["r"] - 24, ny["op"], w=24), "×", name="times the reset gate"),
        op("sr", at(x["r"] + 46, y["op"]), at(nx["r"] + 28, ny["op"], w=24), "σ", role="gate"),
        cells(
            "Uh",
            at(x["r"] - 46, y["low"]),
            at(nx["r"] - 24, ny["low"]),
            **one,
            name="$U_nh_{t-1}$, what the state contributes",
        ),
        box(
            "in",
            at(56, y["bus"]),
            at(34, ny["bus"], w=62),
            "$h_{t-1}, x_t$",
            w=92,
            h=32,
            role="hidden",
            name="state before, and word",
        ),
        cells(
            "Wx",
            at(x["n"], y["low"]),
            at(nx["n"] - 12, ny["low"]),
            **one,
            name="$W_nx_t + b_n$, what the word contributes",
        ),
        note("u.s", at(x["u"] - 36, y["gate"]), at(nx["u"] - 36, ny["gate"]), "$u_t$", role="gate", always=True),
        note("n.s", at(x["n"] + 36, y["gate"]), at(nx["n"] - 34, ny["gate"]), "$n_t$", always=True),
        note("r.s", at(x["r"] + 36, y["gate"]), at(nx["r"] + 36, ny["gate"]), "$r_t$", role="gate", always=True),
        note(
            "Uh.s",
            at(x["r"] - 18, y["low"] + 4, anchor="start"),
            at(nx["r"] + 4, ny["low"], anchor="start", size="tiny"),
            "$U_nh_{t-1}$",
            always=True,
            size="small",
        ),
        note(
            "Wx.s",
            at(x["n"] - 30, y["low"] + 4, anchor="end"),
            at(nx["n"] - 40, ny["low"], anchor="end", size="tiny", text="$W_nx_t$"),
            "$W_nx_t + b_n$",
            always=True,
            size="small",
        ),
        name("u.n", "u", "update gate", "update"),
        name("n.n", "n", "candidate", "candidate"),
        note(
            "r.n",
            at(x["r"] + 46, y["bus"] + 22, size="small"),
            at(nx["r"] + 24, ny["bus"] + 22, text="reset", size="tiny"),
            "reset gate",
            always=True,
        ),
        note("n=", at(340, 402), at(178, 398), name="the candidate in numbers", size="small"),
        note("h=", at(340, 422), at(178, 420), name="the new state in numbers", role="hidden", size="small"),
    ]

    def bus(target: str, where: float, narrow: float) -> Edge:
        return edge("in", target, "hidden", wide={"via": [(where, y["bus"])]}, narrow={"via": [(narrow, ny["bus"])]})

    edges = [
        edge("h0", "xu", "hidden"),
        edge("xu", "add", "hidden"),
        edge("add", "h1", "hidden"),
        edge("xn", "add", "hidden"),
        edge("u", "xu", "gate"),
        edge("u", "om", "gate"),
        edge("om", "xn", "gate", route="vh"),
        edge("n", "xn", route="vh"),
        edge("su", "u", "gate"),
        edge("tn", "n"),
        edge("xr", "tn"),
        edge("Uh", "xr"),
        edge(
            "r",
            "xr",
            "gate",
            wide={"via": [(x["r"] - 46, y["gate"])]},
            narrow={"via": [(nx["r"] - 19, ny["gate"] + 30)]},
        ),
        edge(
            "sr",
            "r",
            "gate",
            wide={"via": [(x["r"] + 46, y["gate"] + 36), (x["r"], y["gate"] + 36)]},
            narrow={"via": [(nx["r"] + 19, ny["gate"] + 30)]},
        ),
        bus("su", x["u"], nx["u"]),
        bus("Wx", x["n"], nx["n"] - 12),
        edge("Wx", "tn"),
        bus("Uh", x["r"] - 46, nx["r"] - 24),
        bus("sr", x["r"] + 46, nx["r"] + 28),
    ]
    return nodes, edges
