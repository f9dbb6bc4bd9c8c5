"""Gated cells: an LSTM step by hand, one unit of a trained LSTM over a sentence, and the GRU in the same colours."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..measure.gates import gates_of
from ..models.gated import LSTMState, gru_gates, gru_step, lstm_gates, lstm_step
from ..runtime import require
from .machine import Edge, Machine, Node, Step, Variant, at, box, cells, edge, note, number, op, spaced, step, word
from .recurrence import read

ROW = 5  # words in a row of the narrow layout
TWINS = ("the cats that slept near the dog", "the cat that slept near the dogs")
TEACHES = "The cell state is changed by a product with a gate and by a sum, and by nothing else."
GATES = "in in>sf sf in>si si in>sc sc in>so so | sf>f f si>i i sc>c c so>o o"
FORGET = "C0 f | C0>xf f>xf xf"
WRITE = "i c | i>xi c>xi xi"
ADD = "xf xi | xf>add xi>add add | add>C1 C1"
SHOW = "C1 o | C1>th th | th>xo o>xo xo | xo>h h"


def _cell() -> tuple[list[Node], list[Edge]]:
    """The nodes and edges of an LSTM cell: the cell state on top, the gates below it."""
    one: dict[str, Any] = {"n": 1, "cell": (46, 38), "digits": 2}
    y, ny = {"top": 46, "mid": 112, "gate": 178, "op": 244, "bus": 298}, {"top": 40, "mid": 102, "gate": 164, "op": 222, "bus": 268}
    x, nx = {"f": 160, "i": 278, "c": 362, "o": 524, "+": 320, "end": 628}, {"f": 94, "i": 147, "c": 205, "o": 264, "+": 176, "end": 328}
    names = {"f": "forget gate", "i": "input gate", "c": "candidate", "o": "output gate"}
    symbols = {"f": "$f_t$", "i": "$i_t$", "c": "$C̃_t$", "o": "$o_t$"}

    def here(column: str, row: str, **narrow: Any) -> tuple[dict, dict]:
        return at(x[column], y[row]), at(nx[column], ny[row], **narrow)

    nodes = [
        cells("C0", at(40, y["top"]), at(26, ny["top"]), **one, role="cell", label="$C_{t-1}$", name="$C_{t-1}$, the cell state before"),
        op("xf", *here("f", "top"), "×", role="cell", name="times the forget gate"),
        op("add", *here("+", "top"), "+", role="cell", name="sum"),
        cells("C1", *here("end", "top"), **one, role="cell", label="$C_t$", name="$C_t$, the new cell state"),
        op("xi", *here("+", "mid"), "×", role="cell", name="times the input gate"),
        op("th", *here("end", "mid"), "tanh", role="cell"),
        op("xo", *here("end", "gate"), "×", role="hidden", name="times the output gate"),
        cells("h", *here("end", "op"), **one, role="hidden", label="$h_t$", side="below", name="$h_t$, the new hidden state"),
        box("in", at(56, y["bus"]), at(34, ny["bus"], w=62), "$h_{t-1}, x_t$", w=92, h=32, role="hidden", name="hidden state before, and word"),
    ]  # fmt: skip
    edges = [
        edge("C0", "xf", "cell"), edge("xf", "add", "cell"), edge("add", "C1", "cell"),
        edge("xi", "add", "cell", thin=True), edge("C1", "th", "cell", thin=True), edge("th", "xo", "cell", thin=True),
        edge("xo", "h", "hidden"),
        edge("f", "xf", "gate"), edge("i", "xi", "gate", route="vh"), edge("c", "xi", "cell", route="vh", thin=True), edge("o", "xo", "gate"),
    ]  # fmt: skip
    for gate in "fico":
        role = "cell" if gate == "c" else "gate"
        side = 36 if gate == "c" else -36
        nodes += [
            cells(gate, *here(gate, "gate"), **one, role=role, share=gate != "c", name=f"{symbols[gate]}, the {names[gate]}"),
            op(f"s{gate}", *here(gate, "op"), "tanh" if gate == "c" else "σ", role=role),
            note(f"{gate}.s", at(x[gate] + side, y["gate"]), at(nx[gate], ny["bus"] + 24), symbols[gate], role=role, always=True),
            note(f"{gate}.n", at(x[gate], y["bus"] + 24, size="small"), at(nx[gate], ny["bus"] + 42, text=names[gate].split()[0], size="tiny"),
                 names[gate], always=True),
        ]  # fmt: skip
        edges += [
            edge("in", f"s{gate}", "hidden", wide={"via": [(x[gate], y["bus"])]}, narrow={"via": [(nx[gate], ny["bus"])]}),
            edge(f"s{gate}", gate, role, thin=True),
        ]  # fmt: skip
    nodes += [
        note("C=", at(340, 358), at(176, 340), name="the sum in numbers", role="cell", size="small"),
        note("h=", at(340, 380), at(176, 360), name="the output in numbers", role="hidden", size="small"),
    ]  # fmt: skip
    return nodes, edges


def _in_brackets(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def _sums(C: float, f: float, i: float, c: float, o: float, new: float, h: float) -> dict[str, str]:
    """Both equations of a step with its numbers."""
    return {
        "C=": f"$C_t$ = {number(f)} × {_in_brackets(C)} + {number(i)} × {_in_brackets(c)} = {number(new)}",
        "h=": f"$h_t$ = {number(o)} × tanh({number(new)}) = {number(h)}",
    }


def lstm_by_hand(C: float = 0.8, f: float = 0.9, i: float = 0.1, candidate: float = -0.5, o: float = 0.7) -> Machine:
    """One step of an LSTM, computed by `lstm_step`, with numbers that can be checked on paper.

    C: the cell state before.   f, i, o: the gates, between 0 and 1.   candidate: between −1 and 1.
    """
    require(all(0 < gate < 1 for gate in (f, i, o)), f"A gate is between 0 and 1, not {f}, {i} and {o}.")
    require(-1 < candidate < 1, f"The candidate is between −1 and 1, not {candidate}.")
    gate = np.array([f, i, o])
    z_f, z_i, z_o = np.log(gate / (1 - gate))
    z = tuple(jnp.asarray([value]) for value in (z_f, z_i, np.arctanh(candidate), z_o))
    f, i, c, o = (float(value[0]) for value in lstm_gates(*z))
    after = lstm_step(LSTMState(jnp.zeros(1), jnp.asarray([C])), *z)
    new, h = float(after.cell[0]), float(after.hidden[0])
    sums = _sums(C, f, i, c, o, new, h)
    nodes, edges = _cell()
    steps = (
        step("The cell state arrives.", f"$C_{{t-1}}$ is {number(C)}. Only a product and a sum are on its way, and no matrix.",
             "C0 C0>xf xf | xf>add add | add>C1", {"C0": [C]}),
        step("Three gates and a candidate.", "$h_{t-1}$ and the word make four numbers. A gate is shut at 0 and open at 1; "
             "the candidate is what could be written.", GATES, {"f": [f], "i": [i], "c": [c], "o": [o]}),
        step("Forget.", f"The forget gate keeps {number(f)} of the old value: {number(f)} × {_in_brackets(C)} = {number(f * C)}.", FORGET),
        step("Write.", f"The input gate lets {number(i)} of the candidate in: {number(i)} × {_in_brackets(c)} = {number(i * c)}.", WRITE),
        step("Add.", f"{number(f * C)} + {_in_brackets(i * c)} = {number(new)}. A sum hands a gradient back unchanged; "
             "only the forget gate scales it.", f"{ADD} C=", {"C1": [new], "C=": sums["C="]}),
        step("Show.", f"The output gate lets the network see {number(o)} of tanh({number(new)}): the hidden state is {number(h)}.",
             f"{SHOW} h=", {"h": [h], "h=": sums["h="]}),
    )  # fmt: skip
    return Machine(
        title="An LSTM cell, worked by hand", teaches=TEACHES,
        alt="An LSTM cell. The cell state runs along the top, through a product with the forget gate and a sum. Below are "
        "the forget, input and output gate and the candidate, each made from the hidden state and the word.",
        wide=(672, 394), narrow=(356, 374), nodes=tuple(nodes), edges=tuple(edges), variants=(Variant("", steps),),
    )  # fmt: skip


def lstm_over_sentence(model: Any, unit: int = 31, sentences: Sequence[str] = TWINS) -> Machine:
    """One unit of a trained LSTM while it reads; one variant a sentence.

    model: with an LSTM cell, as `experiments.ch03.well_trained`.   unit: see `measure.gates.number_units`.
    """
    require(0 <= unit < model.cell.hidden, f"The units are 0 to {model.cell.hidden - 1}, not {unit}.")
    nodes, edges = _cell()
    runs = [_run(model, unit, sentence) for sentence in sentences]
    most = max(len(words) for words, _ in runs)
    xs = spaced(most, 96, 636)
    scale = float(np.ceil(2 * max(np.abs(inside["cell"]).max() for _, inside in runs)) / 2)
    rows = -(-most // ROW)
    for t, x in enumerate(xs):
        nx, ny = 36 + 71 * (t % ROW), 420 + 66 * (t // ROW)
        nodes += [
            word(f"w{t}", at(x, 416, w=min(60, 560 // most)), at(nx, ny, w=66), size="small", name=f"word {t + 1}", always=True),
            cells(f"C.{t}", at(x, 450), at(nx, ny + 30), n=1, cell=(46, 26), digits=2, scale=scale, role="cell",
                  name=f"cell state after word {t + 1}", always=True),
        ]  # fmt: skip
    nodes.append(note("row", at(2, 450, anchor="start"), at(2, 390, anchor="start"), "$C_t$ after it", always=True, size="small"))
    nodes = [_with_scale(node, scale) if node.id in ("C0", "C1") else node for node in nodes]
    names = [f"{sentence}" for sentence in sentences]
    return Machine(
        title=f"Unit {unit} of a trained LSTM reads a sentence", teaches=TEACHES,
        alt=f"The LSTM cell again, with the numbers of unit {unit} of {model.cell.hidden}; below it the words, and the "
        "cell state after each.",
        wide=(672, 472), narrow=(356, 400 + 66 * rows), choose="Sentence", nodes=tuple(nodes), edges=tuple(edges),
        variants=tuple(Variant(name, tuple(_reads(*run, most))) for name, run in zip(names, runs, strict=True)),
    )  # fmt: skip


def _with_scale(node: Node, scale: float) -> Node:
    return cells(node.id, node.wide, node.narrow, role=node.role, label=node.label, name=node.name, **{**node.look, "scale": scale})


def _run(model: Any, unit: int, sentence: str) -> tuple[list[str], dict[str, np.ndarray]]:
    words, tokens = read(sentence)
    return words, {name: values[0, :, unit] for name, values in gates_of(model, tokens)._asdict().items()}


def _reads(words: list[str], inside: dict[str, np.ndarray], most: int) -> list[Step]:
    """A step for each word, and one that looks back."""
    sentence: dict[str, Any] = {f"w{t}": words[t] if t < len(words) else None for t in range(most)}
    blank = {f"C.{t}": None for t in range(most)}
    steps = []
    for t, text in enumerate(words):
        f, i, c, o, new, h = (float(inside[name][t]) for name in ("forget", "input", "candidate", "output", "cell", "hidden"))
        before = float(inside["cell"][t - 1]) if t else 0.0
        kept = "almost shut: the old value goes" if f < 0.3 else f"keeps {number(f)} of the old value"
        wrote = "almost shut, so the candidate stays out" if i < 0.3 else f"lets {number(i)} of the candidate in"
        kept, wrote = (f"is {kept}" if "shut" in kept else kept), (f"is {wrote}" if "shut" in wrote else wrote)
        steps.append(step(
            f"It reads “{text}”.", f"The forget gate {kept}; the input gate {wrote}. $C_t$ goes from {number(before)} to {number(new)}.",
            f"w{t} {GATES} | {FORGET} {WRITE} | {ADD} C.{t} C= | {SHOW} h=",
            {**(sentence | blank if t == 0 else {}), "C0": [before], "f": [f], "i": [i], "c": [c], "o": [o], "C1": [new], "h": [h], f"C.{t}": [new],
             **_sums(before, f, i, c, o, new, h)},
            fresh=True,
        ))  # fmt: skip
    C = inside["cell"]
    since = max((t for t in range(len(words)) if C[t] * C[-1] <= 0 or abs(C[t]) < 0.05), default=-1) + 1
    lit = [f"{kind}{t}" for t in range(since, len(words)) for kind in ("w", "C.")]
    steps.append(step(
        "Look back along the row.", f"Since “{words[since]}” the cell state has stayed {'above' if C[-1] > 0 else 'below'} 0, through {len(words) - 1 - since} more words.",
        lit, fresh=True,
    ))  # fmt: skip
    return steps


# --------------------------------------------------------------------------------------------------------- the GRU


def gru_by_hand(
    h: float = 0.8, u: float = 0.9, r: float = 0.2, recurrent: float = 1.5, projected: float = -0.6
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
    mixed = f"$h_t$ = {number(u)} × {_in_brackets(h)} + {number(1 - u)} × {_in_brackets(n)} = {number(new)}"
    candidate = f"$n_t$ = tanh({number(projected)} + {number(r)} × {_in_brackets(recurrent)}) = {number(n)}"
    steps = (
        step("The state arrives.", f"$h_{{t-1}}$ is {number(h)}. It is memory and output in one: a GRU has no second state.",
             "h0 h0>xu xu | xu>add add | add>h1", {"h0": [h]}),
        step("Two gates.", "The update gate says how much to keep, the reset gate how much of the old state the candidate may use.",
             "in in>su su in>sr sr | su>u u sr>r r", {"u": [u], "r": [r]}),
        step("The candidate.", f"The reset gate lets {number(r)} of $U_nh_{{t-1}}$ in; with the word and tanh that makes {number(n)}.",
             "in Uh r in>Uh | Uh>xr r>xr xr in>tn | xr>tn tn | tn>n n n=", {"Uh": [recurrent], "n": [n], "n=": candidate}),
        step("Keep and write with one gate.", f"The update gate keeps {number(u)} of the old state, so {number(1 - u)} is left for the candidate.",
             "h0 u n | u>xu xu u>om om | om>xn n>xn xn", {"om": f"{number(1 - u)}"}),
        step("Add.", f"{number(u * h)} + {_in_brackets((1 - u) * n)} = {number(new)}. Again only a product and a sum are on the way.",
             "xu xn | xu>add xn>add add | add>h1 h1 h=", {"h1": [new], "h=": mixed}),
    )  # fmt: skip
    return Machine(
        title="A GRU cell: one gate both keeps and writes",
        teaches="The update gate shares the state out between the old value and the candidate; there is no second state.",
        alt="A GRU cell. The state runs along the top, through a product with the update gate and a sum. Below are the "
        "update gate, the candidate and the reset gate.",
        wide=(668, 432), narrow=(356, 440), nodes=tuple(nodes), edges=tuple(edges), variants=(Variant("", steps),),
    )  # fmt: skip


def _gru_cell() -> tuple[list[Node], list[Edge]]:
    """The nodes and edges of a GRU cell, where the LSTM has them."""
    one: dict[str, Any] = {"n": 1, "cell": (46, 38), "digits": 2}
    y, ny = {"top": 46, "mid": 112, "gate": 178, "op": 244, "low": 310, "bus": 358}, {"top": 40, "mid": 106, "gate": 172, "op": 238, "low": 304, "bus": 350}
    x, nx = {"u": 150, "1-": 236, "+": 320, "n": 412, "r": 524, "end": 628}, {"u": 92, "1-": 144, "+": 190, "n": 236, "r": 306, "end": 328}

    def here(column: str, row: str, **narrow: Any) -> tuple[dict, dict]:
        return at(x[column], y[row]), at(nx[column], ny[row], **narrow)

    def name(id: str, column: str, text: str, short: str) -> Node:
        return note(id, at(x[column], y["bus"] + 22, size="small"), at(nx[column], ny["bus"] + 22, text=short, size="tiny"), text, always=True)

    nodes = [
        cells("h0", at(40, y["top"]), at(26, ny["top"]), **one, role="hidden", label="$h_{t-1}$", name="$h_{t-1}$, the state before"),
        op("xu", *here("u", "top"), "×", role="hidden", name="times the update gate"),
        op("add", *here("+", "top"), "+", role="hidden", name="sum"),
        cells("h1", *here("end", "top"), **one, role="hidden", label="$h_t$", name="$h_t$, the new state"),
        op("xn", *here("+", "mid"), "×", role="hidden", name="times one minus the update gate"),
        cells("u", *here("u", "gate"), **one, role="gate", share=True, name="$u_t$, the update gate"),
        op("om", at(x["1-"], y["gate"], w=38), at(nx["1-"], ny["gate"], w=36), "1 −", role="gate", name="one minus the update gate", size="small"),
        cells("n", *here("n", "gate"), **one, role="plain", name="$n_t$, the candidate"),
        cells("r", *here("r", "gate"), **one, role="gate", share=True, name="$r_t$, the reset gate"),
        op("su", *here("u", "op"), "σ", role="gate"),
        op("tn", *here("n", "op"), "tanh"),
        op("xr", at(x["r"] - 46, y["op"]), at(nx["r"] - 24, ny["op"], w=24), "×", name="times the reset gate"),
        op("sr", at(x["r"] + 46, y["op"]), at(nx["r"] + 28, ny["op"], w=24), "σ", role="gate"),
        cells("Uh", at(x["r"] - 46, y["low"]), at(nx["r"] - 24, ny["low"]), **one, name="$U_nh_{t-1}$, what the state contributes"),
        box("in", at(56, y["bus"]), at(34, ny["bus"], w=62), "$h_{t-1}, x_t$", w=92, h=32, role="hidden", name="state before, and word"),
        note("u.s", at(x["u"] - 36, y["gate"]), at(nx["u"] - 36, ny["gate"]), "$u_t$", role="gate", always=True),
        note("n.s", at(x["n"] + 36, y["gate"]), at(nx["n"] - 34, ny["gate"]), "$n_t$", always=True),
        note("r.s", at(x["r"] + 36, y["gate"]), at(nx["r"] + 36, ny["gate"]), "$r_t$", role="gate", always=True),
        note("Uh.s", at(x["r"] - 4, y["low"], anchor="start"), at(nx["r"] + 8, ny["low"], anchor="start"), "$U_nh$", always=True, size="small"),
        name("u.n", "u", "update gate", "update"), name("n.n", "n", "candidate", "candidate"), name("r.n", "r", "reset gate", "reset"),
        note("n=", at(340, 402), at(178, 398), name="the candidate in numbers", size="small"),
        note("h=", at(340, 422), at(178, 420), name="the new state in numbers", role="hidden", size="small"),
    ]  # fmt: skip

    def bus(target: str, where: float, narrow: float) -> Edge:
        return edge("in", target, "hidden", wide={"via": [(where, y["bus"])]}, narrow={"via": [(narrow, ny["bus"])]})

    edges = [
        edge("h0", "xu", "hidden"), edge("xu", "add", "hidden"), edge("add", "h1", "hidden"), edge("xn", "add", "hidden"),
        edge("u", "xu", "gate"), edge("u", "om", "gate"), edge("om", "xn", "gate", route="vh"), edge("n", "xn", route="vh"),
        edge("su", "u", "gate"), edge("tn", "n"), edge("xr", "tn"), edge("Uh", "xr"),
        edge("r", "xr", "gate", wide={"via": [(x["r"] - 46, y["gate"])]}, narrow={"via": [(nx["r"] - 19, ny["gate"] + 30)]}),
        edge("sr", "r", "gate", wide={"via": [(x["r"] + 46, y["gate"] + 36), (x["r"], y["gate"] + 36)]}, narrow={"via": [(nx["r"] + 19, ny["gate"] + 30)]}),
        bus("su", x["u"], nx["u"]), bus("tn", x["n"], nx["n"]), bus("Uh", x["r"] - 46, nx["r"] - 24), bus("sr", x["r"] + 46, nx["r"] + 28),
    ]  # fmt: skip
    return nodes, edges
