"""Explorers of chapter 02: a product of Jacobians, descent near a cliff, and gradients along a sequence."""

import functools
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from ..experiments.results.ch02 import Flow
from ..figures.gradients import cliff as cliff_figure
from ..figures.gradients import gradient_flow as flow_figure
from ..figures.gradients import jacobian_product as product_figure
from ..measure import regimes
from ..measure.cliff import descend, surface
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
            "a logistic function": {"kind": "orthogonal", "activation": "logistic", "scale": 1.0},
        },
        kind=choice("matrix W", get_args(regimes.Kind)),
        activation=choice("activation", list(regimes.RULES)),
        scale=slider("spectral radius", 0.05, 2, 0.05, value=0.9),
        strength=choice("inputs", STRENGTHS),
        length=slider("steps T", 1, LONGEST, value=100),
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
