"""One unit of a trained LSTM while it reads a sentence, in the drawing of the cell."""

from typing import Any, NamedTuple

import jax
import numpy as np

from ..data.agreement import vocabulary
from ..measure.gates import gates_of
from ..runtime import require
from .lstm import ADD, FORGET, GATES, SHOW, TEACHES, WRITE, cell, sums_of
from .machine import Machine, Node, Step, Variant
from .parts import at, cells, note, number, spaced, step, word
from .recurrence import read

ROW = 5  # words in a row of the narrow layout
TWINS = ("the cats that slept near the dog", "the cat that slept near the dogs")
SHUT = 0.1  # a gate below this is called almost shut


def lstm_over_sentence(model: Any, *sentences: str, unit: int = 31) -> Machine:
    """One unit of a trained LSTM while it reads, from the second word on; then which of two verbs is expected.

    model: with an LSTM cell, as `experiments.ch03.well_trained`.   unit: see `measure.gates.number_units`.
    sentences: up to their verb, one variant each, `TWINS` unless given.
    """
    sentences = sentences or TWINS
    require(0 <= unit < model.cell.hidden, f"The units are 0 to {model.cell.hidden - 1}, not {unit}.")
    nodes, edges = cell()
    runs = [_run(model, unit, sentence) for sentence in sentences]
    most = max(len(run.words) for run in runs)
    xs = spaced(most, 96, 626)
    scale = float(np.ceil(2 * max(np.abs(run.inside["cell"]).max() for run in runs)) / 2)
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
        title=f"What unit {unit} of a trained LSTM does with the subject",
        teaches=TEACHES,
        alt=f"The LSTM cell again, with the numbers of unit {unit} of {model.cell.hidden}; below it the words, and the "
        "cell state after each.",
        wide=(660, 472),
        narrow=(356, 400 + 66 * rows),
        choose="Sentence",
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=tuple(Variant(name, tuple(_reads(run, most))) for name, run in zip(names, runs, strict=True)),
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


class _Read(NamedTuple):
    """A sentence that has been read."""

    words: list[str]
    inside: dict[str, np.ndarray]  # of the unit, after each word
    verbs: dict[str, float]  # of two verbs, the share of each in what the network expects


def _run(model: Any, unit: int, sentence: str) -> _Read:
    words, tokens = read(sentence)
    require(
        len(words) > 2,
        f"Two words are needed to see one read after another; “{sentence.strip()}” has {len(words) - 1}.",
    )
    inside = {name: values[0, 1:, unit] for name, values in gates_of(model, tokens)._asdict().items()}  # without <bos>
    expected = np.asarray(jax.nn.softmax(model(tokens)[0, -1]))
    pair = {verb: float(expected[vocabulary()[verb]]) for verb in ("was", "were")}
    return _Read(words[1:], inside, {verb: p / sum(pair.values()) for verb, p in pair.items()})


def _reads(run: _Read, most: int) -> list[Step]:
    """A step for each word from the second on, and one that looks back."""
    words, inside = run.words, run.inside
    C = inside["cell"]
    sentence: dict[str, Any] = {f"w{t}": words[t] if t < len(words) else None for t in range(most)}
    blank = {f"C.{t}": None for t in range(most)} | {"C.0": [float(C[0])]}
    steps = []
    for t, text in enumerate(words[1:], 1):
        f, i, c, o, new, h = (
            float(inside[name][t]) for name in ("forget", "input", "candidate", "output", "cell", "hidden")
        )
        before = float(C[t - 1])
        kept = "is almost shut: the old value goes" if f < SHUT else f"keeps {number(f)} of the old value"
        wrote = "is almost shut: the candidate stays out" if i < SHUT else f"lets {number(i)} of the candidate in"
        steps.append(
            step(
                f"It reads “{text}”.",
                f"The forget gate {kept}; the input gate {wrote}. $C_t$ goes from {number(before)} to {number(new)}.",
                f"w{t} {GATES} | {FORGET} {WRITE} | {ADD} C.{t} C= | {SHOW} h=",
                {
                    **(sentence | blank if t == 1 else {}),
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
    since = max((t for t in range(len(words)) if C[t] * C[-1] <= 0 or abs(C[t]) < 0.05), default=-1) + 1
    side, stays = "above" if C[-1] > 0 else "below", "At the end the cell state is near 0: this unit holds nothing."
    if since < len(words):
        stays = (
            f"Since “{words[since]}” the cell state has stayed {side} 0, through {len(words) - 1 - since} more words."
        )
    verb = max(run.verbs, key=lambda name: run.verbs[name])
    other = next(name for name in run.verbs if name != verb)
    along = ["C0", "C0>xf", "xf", "xf>add", "add", "add>C1", "C1"]
    lit = [*along, *(f"{kind}{t}" for t in range(since, len(words)) for kind in ("w", "C."))]
    steps.append(
        step(
            "Look back along the row.",
            f"{stays} What comes next? Of “{verb}” and “{other}” the network gives {number(run.verbs[verb])} to “{verb}”.",
            lit,
            fresh=True,
        )
    )
    return steps
