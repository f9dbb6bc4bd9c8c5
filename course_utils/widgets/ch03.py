"""Explorers of notebook 03."""

import functools
from typing import Any, get_args

import numpy as np

from ..figures.gates import playground as playground_figure
from ..figures.gates import retention as retention_figure
from ..figures.gates import unit_over_sentence
from ..measure.gates import NumberUnits, gates_of
from ..measure.playground import BUILT, Goal, computed, play, pulses, wanted
from ..measure.retention import additive_path, retention
from .explore import Explorer, choice, explore, slider
from .twins import SHOWN_FIRST, TWINS, twin_rows, twin_words

SHARPNESS = {"exactly as set": None, "computed, |a| ≤ 6": 6.0, "computed, |a| ≤ 3": 3.0}


def playground() -> Explorer:
    """One memory cell: set its gates at marked and at other steps, and build what the goal asks for."""
    given = pulses()

    def draw(goal: Any, offered: str, f_quiet: float, f_mark: float, i_quiet: float, i_mark: float, gates: Any):
        marked = given.mark > 0
        forget, entry = np.where(marked, f_mark, f_quiet), np.where(marked, i_mark, i_quiet)
        if gates is not None:
            forget, entry = computed(forget, gates), computed(entry, gates)
        candidate = given.value if offered == "the value" else np.ones(len(marked))
        state = play(forget, entry, candidate, len(marked))
        return playground_figure(
            given.value, given.mark, forget, entry, state, wanted(goal, given), goal, BUILT, offered
        )

    return explore(
        draw,
        goal=choice("goal", get_args(Goal)),
        offered=choice("what is offered", ["the value", "always 1"]),
        f_quiet=slider("f, no mark", 0, 1, 0.05, value=0.5),
        f_mark=slider("f, mark", 0, 1, 0.05, value=0.5),
        i_quiet=slider("i, no mark", 0, 1, 0.05, value=0.5),
        i_mark=slider("i, mark", 0, 1, 0.05, value=0.5),
        gates=choice("gates", SHARPNESS),
    )


def gradient_retention(length: int = 100) -> Explorer:
    """How much of a gradient is left, by cell and by the bias of its gate."""
    kept = functools.lru_cache(256)(retention)
    path = functools.lru_cache(256)(additive_path)

    def draw(bias: float, strength: float):
        cells = {
            name: kept(name, bias if name != "RNN" else 0.0, length, strength=strength)
            for name in ("RNN", "GRU", "LSTM")
        }
        return retention_figure({**cells, "LSTM, additive path": path(bias, length, strength=strength)}, bias, strength)

    return explore(
        draw,
        bias=slider("gate bias", -2, 6, 0.5, value=0),
        strength=choice("strength of the input", [0.1, 0.3, 1.0, 3.0], value=0.3),
    )


def units(model: Any, found: NumberUnits) -> Explorer:
    """One unit of a trained LSTM at a time, over a sentence and its twin; `found` says what each is worth."""

    @functools.lru_cache(16)
    def inside(sentence: str):
        rows = twin_rows(sentence)
        return twin_words(sentence)[0], gates_of(model, rows.tokens, rows.mask)

    def draw(unit: int, sentence: str):
        words, gates = inside(sentence)
        there = slice(1, 1 + len(words))
        cells = {name: gates.cell[row, there, unit] for row, name in enumerate(("singular", "plural"))}
        return unit_over_sentence(
            words, cells, gates.forget[0, there, unit], gates.input[0, there, unit], unit, found.correlation,
            found.accuracy, found.untouched,
        )  # fmt: skip

    return explore(
        draw,
        unit=slider("unit", 0, len(found.accuracy) - 1),
        sentence=choice("between subject and verb", TWINS, value=SHOWN_FIRST),
    )
