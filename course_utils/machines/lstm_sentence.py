"""One unit of a trained LSTM while it reads a sentence, in the drawing of the cell."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..measure.gates import gates_of
from ..runtime import require
from .lstm import ADD, FORGET, GATES, SHOW, TEACHES, WRITE, cell, sums_of
from .machine import Machine, Node, Step, Variant
from .parts import at, cells, note, number, spaced, step, word
from .recurrence import read

ROW = 5  # words in a row of the narrow layout
TWINS = ("the cats that slept near the dog", "the cat that slept near the dogs")


def lstm_over_sentence(model: Any, unit: int = 31, sentences: Sequence[str] = TWINS) -> Machine:
    """One unit of a trained LSTM while it reads; one variant a sentence.

    model: with an LSTM cell, as `experiments.ch03.well_trained`.   unit: see `measure.gates.number_units`.
    """
    require(0 <= unit < model.cell.hidden, f"The units are 0 to {model.cell.hidden - 1}, not {unit}.")
    nodes, edges = cell()
    runs = [_run(model, unit, sentence) for sentence in sentences]
    most = max(len(words) for words, _ in runs)
    xs = spaced(most, 96, 626)
    scale = float(np.ceil(2 * max(np.abs(inside["cell"]).max() for _, inside in runs)) / 2)
    rows = -(-most // ROW)
    for t, x in enumerate(xs):
        nx, ny = 36 + 71 * (t % ROW), 420 + 66 * (t // ROW)
        nodes += [
            word(
                f"w{t}",
                at(x, 416, w=min(60, 560 // most)),
                at(nx, ny, w=66),
                size="small",
                name=f"word {t + 1}",
                always=True,
            ),
            cells(
                f"C.{t}",
                at(x, 450),
                at(nx, ny + 30),
                n=1,
                cell=(46, 26),
                digits=2,
                scale=scale,
                role="cell",
                name=f"cell state after word {t + 1}",
                always=True,
            ),
        ]
    nodes.append(
        note("row", at(2, 450, anchor="start"), at(2, 390, anchor="start"), "$C_t$ after it", always=True, size="small")
    )
    nodes = [_with_scale(node, scale) if node.id in ("C0", "C1") else node for node in nodes]
    names = [f"{sentence}" for sentence in sentences]
    return Machine(
        title=f"Unit {unit} of a trained LSTM reads a sentence",
        teaches=TEACHES,
        alt=f"The LSTM cell again, with the numbers of unit {unit} of {model.cell.hidden}; below it the words, and the "
        "cell state after each.",
        wide=(660, 472),
        narrow=(356, 400 + 66 * rows),
        choose="Sentence",
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=tuple(Variant(name, tuple(_reads(*run, most))) for name, run in zip(names, runs, strict=True)),
    )


def _with_scale(node: Node, scale: float) -> Node:
    return cells(
        node.id,
        node.wide,
        node.narrow,
        role=node.role,
        label=node.label,
        name=node.name,
        **{**node.look, "scale": scale},
    )


def _run(model: Any, unit: int, sentence: str) -> tuple[list[str], dict[str, np.ndarray]]:
    """The words of a sentence, and what is inside the unit: first after `<bos>`, then after each of them."""
    words, tokens = read(sentence)
    return words[1:], {name: values[0, :, unit] for name, values in gates_of(model, tokens)._asdict().items()}


def _reads(words: list[str], inside: dict[str, np.ndarray], most: int) -> list[Step]:
    """A step for each word, and one that looks back."""
    sentence: dict[str, Any] = {f"w{t}": words[t] if t < len(words) else None for t in range(most)}
    blank = {f"C.{t}": None for t in range(most)}
    steps = []
    for t, text in enumerate(words):
        f, i, c, o, new, h = (
            float(inside[name][t + 1]) for name in ("forget", "input", "candidate", "output", "cell", "hidden")
        )
        before = float(inside["cell"][t])
        kept = "almost shut: the old value goes" if f < 0.3 else f"keeps {number(f)} of the old value"
        wrote = "almost shut, so the candidate stays out" if i < 0.3 else f"lets {number(i)} of the candidate in"
        kept, wrote = (f"is {kept}" if "shut" in kept else kept), (f"is {wrote}" if "shut" in wrote else wrote)
        steps.append(
            step(
                f"It reads “{text}”.",
                f"The forget gate {kept}; the input gate {wrote}. $C_t$ goes from {number(before)} to {number(new)}.",
                f"w{t} {GATES} | {FORGET} {WRITE} | {ADD} C.{t} C= | {SHOW} h=",
                {
                    **(sentence | blank if t == 0 else {}),
                    "C0": [before],
                    "f": [f],
                    "i": [i],
                    "c": [c],
                    "o": [o],
                    "C1": [new],
                    "h": [h],
                    f"C.{t}": [new],
                    **sums_of(before, f, i, c, o, new, h),
                },
                fresh=True,
            )
        )
    C = inside["cell"][1:]
    since = max((t for t in range(len(words)) if C[t] * C[-1] <= 0 or abs(C[t]) < 0.05), default=-1) + 1
    side = "above" if C[-1] > 0 else "below"
    lit = [f"{kind}{t}" for t in range(since, len(words)) for kind in ("w", "C.")]
    steps.append(
        step(
            "Look back along the row.",
            f"Since “{words[since]}” the cell state has stayed {side} 0, through {len(words) - 1 - since} more words.",
            lit,
            fresh=True,
        )
    )
    return steps
