"""Explorers of chapter 03: gates set by hand, how long a gradient lives, and the units of a trained LSTM."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from ..data.program import as_program, is_python, lines_of, never_written, typed_program
from ..data.source import shipped_words
from ..figures.gates import playground as playground_figure
from ..figures.gates import retention as retention_figure
from ..figures.gates import unit_over_sentence
from ..measure.gates import NumberUnits, gates_of
from ..measure.playground import BUILT, Goal, computed, play, pulses, wanted
from ..measure.retention import additive_path, retention
from ..models.sequence import RecurrentLanguageModel
from . import sentences
from .explore import Drag, Explorer, choice, explore, slider
from .speak import speak

SHARPNESS = {"exactly as set": None, "computed, |a| ≤ 6": 6.0, "computed, |a| ≤ 3": 3.0}


def playground() -> Explorer:
    """One memory cell: set its gates at marked and at other steps, and build what the goal asks for."""
    signal = pulses()

    def draw(goal: Any, offered: str, f_quiet: float, f_mark: float, i_quiet: float, i_mark: float, gates: Any):
        marked = signal.mark > 0
        forget, entry = np.where(marked, f_mark, f_quiet), np.where(marked, i_mark, i_quiet)
        if gates is not None:
            forget, entry = computed(forget, gates), computed(entry, gates)
        candidate = signal.value if offered == "the value" else np.ones(len(marked))
        state = play(forget, entry, candidate, len(marked))
        return playground_figure(
            signal.value, signal.mark, forget, entry, state, wanted(goal, signal), goal, BUILT, offered
        )

    quiet = np.flatnonzero(signal.mark == 0) + 1
    marks = np.flatnonzero(signal.mark) + 1
    gates_at = {  # each gate is dragged at a step of its own
        "f_quiet": quiet[1], "f_mark": marks[0], "i_quiet": quiet[len(quiet) // 2], "i_mark": marks[-1],
    }  # fmt: skip
    return explore(
        draw,
        presets={
            "half open": _gates(0.5, 0.5),
            "all open": _gates(1, 1),
            "remembers": {"goal": "remember", "f_quiet": 1, "f_mark": 0, "i_quiet": 0, "i_mark": 1},
            "forgets": {"goal": "forget", "f_quiet": 0, "f_mark": 0, "i_quiet": 0, "i_mark": 1},
            "counts": {
                "goal": "count",
                "offered": "always 1",
                "f_quiet": 1,
                "f_mark": 1,
                "i_quiet": 0,
                "i_mark": 1,
            },
        },
        drags=[_gate(name, int(step)) for name, step in gates_at.items()],
        goal=choice("goal", get_args(Goal)),
        offered=choice("what is offered", ["the value", "always 1"]),
        f_quiet=slider("f, no mark", 0, 1, 0.05, value=0.5),
        f_mark=slider("f, mark", 0, 1, 0.05, value=0.5),
        i_quiet=slider("i, no mark", 0, 1, 0.05, value=0.5),
        i_mark=slider("i, mark", 0, 1, 0.05, value=0.5),
        gates=choice("gates", SHARPNESS),
    )


def _gates(forget: float, entry: float) -> dict[str, float]:
    """Both gates as controls, the same with and without a mark."""
    return {"f_quiet": forget, "f_mark": forget, "i_quiet": entry, "i_mark": entry}


def _gate(name: str, step: int) -> Drag:
    """A gate of the playground that is dragged up and down at one step."""
    gate, where = name.split("_")
    return Drag(
        f"{'forget' if gate == 'f' else 'input'} gate where {'there is a mark' if where == 'mark' else 'no mark is'}",
        lambda **values: (step, values[name]), lambda x, y, **values: {name: y}, "xaxis2", "yaxis2",
    )  # fmt: skip


def gradient_retention(length: int = 100) -> Explorer:
    """How much of a gradient is left, by cell and by the bias of its gate."""
    of_cell = functools.lru_cache(256)(retention)
    of_path = functools.lru_cache(256)(additive_path)

    def draw(bias: float, strength: float):
        cells = {
            name: of_cell(name, bias if name != "RNN" else 0.0, length, strength=strength)
            for name in ("RNN", "GRU", "LSTM")
        }
        return retention_figure(
            {**cells, "LSTM, along C alone": of_path(bias, length, strength=strength)}, bias, strength
        )

    return explore(
        draw,
        presets={
            "bias 0": {},
            "bias 1": {"bias": 1},
            "bias 4": {"bias": 4},
            "strong inputs": {"strength": 1.0},
        },
        bias=slider("gate bias", -2, 6, 0.5, value=0),
        strength=choice("strength of the input", [0.1, 0.3, 1.0, 3.0], value=0.3),
    )


def speaks(models: Mapping[int, RecurrentLanguageModel]) -> Explorer:
    """The writers of Python by the updates they have learned from; the learner types a beginning."""
    words = shipped_words()

    def tokens(indices: Sequence[int]) -> list[str]:
        return [words.words[i] for i in indices]

    def title(rows: Sequence[Sequence[int]]) -> str:
        lines = [line for indices in rows for line in lines_of(tokens(indices))]
        good = sum(map(is_python, lines))
        if not lines:
            return "It has not finished a line"
        share = "every line" if good == len(lines) else "most lines" if 2 * good > len(lines) else "a few lines"
        return f"Python accepts {share if good else 'no line'}"

    return speak(
        models, functools.partial(typed_program, vocabulary=words), lambda indices: as_program(tokens(indices), refused="   ✗"), title,
        prompt="for line in", length=90, without=never_written(words),
    )  # fmt: skip


def units(model: Any, measured: NumberUnits) -> Explorer:
    """One unit of a trained LSTM at a time, over a sentence and its twin; `measured` says what each is worth."""

    @functools.lru_cache(16)
    def inside(frame: str):
        words, rows = sentences.twins(frame)
        return words[0], gates_of(model, rows.tokens, rows.mask)

    def draw(unit: int, sentence: str):
        words, gates = inside(sentence)
        positions = slice(1, 1 + len(words))  # without <bos>
        cells = {name: gates.cell[row, positions, unit] for row, name in enumerate(("singular", "plural"))}
        return unit_over_sentence(
            words, cells, {name: getattr(gates, name)[0, positions, unit] for name in ("forget", "input", "output")}, unit,
            measured.correlation, measured.accuracy, measured.untouched,
        )  # fmt: skip

    follows, accuracy = np.abs(measured.correlation), measured.accuracy

    def click(x: float, y: float, unit: int, sentence: str):
        """The unit at a point of the right panel; elsewhere in the figure nothing changes."""
        off = np.hypot(follows - x, accuracy - y)
        return {"unit": int(off.argmin())} if off.min() < 1e-6 else {}

    return explore(
        draw,
        presets={
            "needed most": {"unit": int(accuracy.argmin())},
            "follows singular/plural best": {"unit": int(follows.argmax())},
            "one of the others": {"unit": int(follows.argmin())},
        },
        click=click,
        unit=slider("unit", 0, len(accuracy) - 1, value=int(accuracy.argmin())),
        sentence=choice("between subject and verb", sentences.TWINS, value=sentences.TWINS["another noun between"]),
    )
