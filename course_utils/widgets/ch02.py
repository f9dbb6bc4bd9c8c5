"""Explorers of chapter 02: powers of a matrix, a product of Jacobians, descent near a cliff, gradients along a sequence."""

import functools
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from ..experiments.results.ch02 import Flow
from ..figures.gradients import cliff as cliff_figure
from ..figures.gradients import cliff_cut as cut_figure
from ..figures.gradients import gradient_flow as flow_figure
from ..figures.gradients import jacobian_product as product_figure
from ..figures.gradients import stretched
from ..measure import regimes
from ..measure.cliff import WALL, descend, roll, slope, surface
from .explore import Drag, Explorer, choice, explore, slider, toggle

HIDDEN, LONGEST = 64, 200
STRENGTHS = {"none": 0.0, "weak (0.1)": 0.1, "medium (0.3)": 0.3, "strong (1)": 1.0}


def jacobian_product() -> Explorer:
    """The product of Jacobians of a network of 64 units, by kind of matrix, its scale, activation, input and length."""

    @functools.lru_cache(256)
    def computed(kind: Any, activation: str, scale: float, strength: float):
        W = regimes.recurrent(kind, HIDDEN, scale)
        run = regimes.run(W, activation, regimes.random_inputs(LONGEST, HIDDEN, strength))
        return regimes.spectrum(run).log10, regimes.Bounds.of(W, activation, radius=scale)

    def draw(kind: Any, activation: str, scale: float, strength: float, length: int):
        log10, bounds = computed(kind, activation, scale, strength)
        shown = log10[:length]
        regime = regimes.name_regime(shown[:, 0], complete=len(shown) == length)
        setting = f"W {kind}, {activation}, inputs of strength {strength:g}, {length} step{'s' if length > 1 else ''}."
        return product_figure(shown, regime, bounds.radius, bounds.per_step, length, setting)

    fading = {"kind": "orthogonal", "scale": 1.0}
    return explore(
        draw,
        presets={
            "it grows first": {"kind": "non-normal", "activation": "linear", "length": 195},
            "a Gaussian matrix": {"kind": "Gaussian", "activation": "linear", "length": 195},
            "a rotation, linear": {"kind": "orthogonal", "activation": "linear"},
            "it explodes": {"kind": "orthogonal", "activation": "linear", "scale": 1.1},
            "a rotation, tanh": fading,
            "with strong inputs": {**fading, "strength": 1.0},
            "identity and ReLU": {"kind": "identity", "activation": "relu", "scale": 1.0, "strength": 1.0},
            "a sigmoid": {"kind": "orthogonal", "activation": "logistic", "scale": 1.0},
        },
        kind=choice("matrix W", get_args(regimes.Kind)),
        activation=choice("activation", list(regimes.RULES)),
        scale=slider("spectral radius", 0.05, 2, 0.05, value=0.9),
        strength=choice("inputs", STRENGTHS),
        length=slider("steps T", 1, LONGEST, value=100),
    )


CIRCLE = np.stack([np.cos(angles := np.linspace(0, 2 * np.pi, 181)), np.sin(angles)])
MATRICES = {
    "0.9 2 / 0 0.9": np.array([[0.9, 2.0], [0.0, 0.9]]),
    "a rotation × 0.9": 0.9 * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]]),
}


def circle() -> Explorer:
    """What the powers of a 2 × 2 matrix make of all vectors of length 1."""

    def draw(matrix: str, steps: int):
        product = np.linalg.matrix_power(MATRICES[matrix], steps)
        return stretched(product @ CIRCLE, CIRCLE, steps, float(np.linalg.norm(product, 2)), f"W = {matrix}")

    return explore(
        draw,
        presets={
            "after 3 steps": {"steps": 3},
            "after 9 steps": {"steps": 9},
            "after 50 steps": {"steps": 50},
            "a rotation, 3 steps": {"matrix": "a rotation × 0.9", "steps": 3},
            "a rotation, 9 steps": {"matrix": "a rotation × 0.9", "steps": 9},
        },
        matrix=choice("matrix W", list(MATRICES)),
        steps=slider("steps", 0, 60, value=3),
    )


CUT_RANGE, ROLLED = (-4.0, 0.5), 40


def cliff_cut() -> Explorer:
    """Balls on a cut through a cliff: one free, one with its gradient clipped."""
    b = np.linspace(*CUT_RANGE, 400)
    losses = slope(b)[0]
    rolled = functools.lru_cache(64)(roll)

    def draw(step: int, start: float, learning_rate: float, threshold: float):
        balls = {
            "free": rolled(start, learning_rate, None, ROLLED),
            "on a leash": rolled(start, learning_rate, threshold, ROLLED),
        }
        return cut_figure(b, losses, balls, step, threshold, learning_rate)

    return explore(
        draw,
        presets={
            "on the wall": {},
            "one step later": {"step": 1},
            "twenty steps later": {"step": 20},
            "from the slope, 30 steps": {"start": -1.76, "step": 30},
            "from the slope, one step later": {"start": -1.76, "step": 31},
        },
        drags=[Drag("start of both balls", lambda start, **rest: (start, None), lambda x, y, **values: {"start": x})],
        step=slider("step", 0, ROLLED, value=0),
        start=slider("start b", -3.5, 0, 0.02, value=WALL),
        learning_rate=slider("learning rate", 0.1, 2, 0.1, value=1),
        threshold=slider("clip at", 0.1, 3, 0.1, value=1),
    )


W_RANGE, B_RANGE = (2.0, 8.0), (-5.0, 0.5)


def cliff() -> Explorer:
    """Gradient descent near a cliff, with clipped and with unclipped gradients."""
    w, b = np.linspace(*W_RANGE, 181), np.linspace(*B_RANGE, 166)
    heights = surface(w.astype(np.float32), b.astype(np.float32))

    def draw(w_0: float, b_0: float, learning_rate: float, threshold: float, updates: int, unclipped: bool):
        runs = {f"clipped at {threshold:g}": descend((w_0, b_0), learning_rate, threshold, updates + 1)}
        if unclipped:
            runs = {"not clipped": descend((w_0, b_0), learning_rate, None, updates + 1), **runs}
        return cliff_figure(
            w, b, heights, {name: (run.path, run.losses, run.lengths) for name, run in runs.items()}, learning_rate
        )

    return explore(
        draw,
        presets={
            "on a leash": {},
            "a long leash": {"threshold": 5},
            "a short leash": {"threshold": 0.1},
            "smaller steps": {"learning_rate": 0.1},
            "far from the wall": {"w_0": 4, "b_0": -3},
        },
        drags=[
            Drag(
                "start of the descent", lambda w_0, b_0, **rest: (w_0, b_0), lambda x, y, **values: {"w_0": x, "b_0": y}
            )
        ],
        w_0=slider("start w", 3, 7, 0.25, value=5),
        b_0=slider("start b", -4, 0, 0.25, value=-2),
        learning_rate=slider("learning rate", 0.05, 2, 0.05, value=0.5),
        threshold=slider("clip at", 0.1, 5, 0.1, value=1),
        updates=slider("steps", 1, 60, value=40),
        unclipped=toggle("also without clipping", value=True),
    )


def gradient_flow(flow: Flow) -> Explorer:
    """Gradients along the sequence, before, during and after training (see `experiments.ch02.flow`)."""
    gradients = {updates: moment.gradient for updates, moment in flow.by_updates.items()}
    accuracy = {updates: moment.accuracy for updates, moment in flow.by_updates.items()}
    return explore(
        lambda updates: flow_figure(gradients, accuracy, updates),
        presets={f"{n:,} updates": {"updates": n} for n in _moments(gradients)},
        updates=choice("updates", sorted(gradients)),
    )


def _moments(gradients: Mapping[int, np.ndarray]) -> list[int]:
    """Of all moments of training: the one with the largest gradient at the first position, the next, the first and the last."""
    moments = sorted(gradients)
    early = {updates: float((rows[:, 0] / rows[:, -1]).max()) for updates, rows in gradients.items()}
    at = moments.index(max(early, key=lambda updates: early[updates]))
    chosen = (moments[at], moments[min(at + 1, len(moments) - 1)], moments[0], moments[-1])
    return list(dict.fromkeys(chosen))
