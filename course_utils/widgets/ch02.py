"""Explorers of notebook 02."""

import functools
from typing import Any, get_args

import numpy as np

from ..experiments.results.ch02 import Flow
from ..figures.gradients import cliff as cliff_figure
from ..figures.gradients import gradient_flow as flow_figure
from ..figures.gradients import jacobian_product as product_figure
from ..measure import regimes
from ..measure.cliff import descend, surface
from .explore import Explorer, choice, explore, slider, toggle

HIDDEN, LONGEST = 64, 200
STRENGTHS = {"none": 0.0, "weak (0.1)": 0.1, "medium (0.3)": 0.3, "strong (1)": 1.0}


def jacobian_product() -> Explorer:
    """The product of Jacobians of a network of 64 units, by kind of matrix, its scale, activation, input and length."""

    @functools.lru_cache(256)
    def computed(kind: Any, activation: str, scale: float, strength: float):
        W = regimes.recurrent(kind, HIDDEN, scale)
        found = regimes.run(W, activation, regimes.random_inputs(LONGEST, HIDDEN, strength))
        return regimes.spectrum(found).log10, regimes.Bounds.of(W, activation, radius=scale)

    def draw(kind: Any, activation: str, scale: float, strength: float, length: int):
        log10, bounds = computed(kind, activation, scale, strength)
        shown = log10[:length]
        regime = regimes.name_regime(shown[:, 0], complete=len(shown) == length)
        setting = f"W {kind}, {activation}, inputs of strength {strength:g}, {length} step{'s' if length > 1 else ''}."
        return product_figure(shown, regime, bounds.radius, bounds.per_step, length, setting)

    return explore(
        draw,
        kind=choice("matrix W", get_args(regimes.Kind)),
        activation=choice("activation", list(regimes.RULES)),
        scale=slider("spectral radius", 0.05, 2, 0.05, value=0.9),
        strength=choice("inputs", STRENGTHS),
        length=slider("steps T", 1, LONGEST, value=100),
    )


W_RANGE, B_RANGE = (2.0, 8.0), (-5.0, 0.5)


def cliff() -> Explorer:
    """Gradient descent beside a cliff, with clipped and with unclipped gradients."""
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
        updates=choice("updates", list(gradients)),
    )
