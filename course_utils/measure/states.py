"""States as points in space: a plane to draw them in, and how far apart two readings of a sentence are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..data.agreement import Agreement
from ..models.run import apply
from ..models.sequence import Recurrent, hidden_states
from ..runtime import require


class Plane(NamedTuple):
    """The two directions in which a cloud of states varies most, and the share of its variance in them."""

    centre: Float[np.ndarray, " hidden"]
    axes: Float[np.ndarray, "2 hidden"]
    share: float

    def of(self, states: Float[np.ndarray, "*lead hidden"]) -> Float[np.ndarray, "*lead 2"]:
        """Coordinates of states in the plane."""
        return (states - self.centre) @ self.axes.T


def principal_plane(states: Float[np.ndarray, "points hidden"]) -> Plane:
    """The first two principal components; each axis points to where its largest entry is positive."""
    require(len(states) >= 3, f"A plane needs at least 3 states, not {len(states)}.")
    require(states.shape[1] >= 2, "A plane needs states of at least 2 units.")
    centre = states.mean(0)
    _, sizes, rows = np.linalg.svd(states - centre, full_matrices=False)
    axes = rows[:2] * np.sign(rows[:2][[0, 1], np.abs(rows[:2]).argmax(1)])[:, None]
    return Plane(centre, axes, float((sizes[:2] ** 2).sum() / max((sizes**2).sum(), 1e-30)))


def states_of(
    model: Recurrent, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
) -> Float[np.ndarray, "batch time hidden"]:
    """`hidden_states`, compiled."""
    return apply(model, hidden_states, tokens, mask)


def number_probe(
    model: Recurrent, fit: Agreement, test: Agreement, steps: Sequence[int] = (0, 1, 2, 3, 5, 8)
) -> Float[np.ndarray, " steps"]:
    """Share of test sentences whose subject's number a linear probe reads off the state, some steps after the subject.

    Each step has a probe of its own, fitted by least squares on other sentences at the same step, since each may lay the
    number out in another direction. Asked are sentences whose verb is farther away; guessing is right half the time.
    """
    states = {name: states_of(model, corpus.tokens, corpus.mask) for name, corpus in (("fit", fit), ("test", test))}

    def at(name: str, corpus: Agreement, step: int) -> tuple[np.ndarray, np.ndarray]:
        place = np.asarray(corpus.subject) + step
        asked = np.flatnonzero(place < np.asarray(corpus.verb))
        chosen = states[name][asked, place[asked]]
        return np.c_[chosen, np.ones(len(chosen))], 2.0 * np.asarray(corpus.number)[asked] - 1

    shares = []
    for step in steps:
        features, sign = at("fit", fit, step)
        require(len(features) > features.shape[1], f"Too few sentences are longer than {step} steps to fit a probe.")
        weights = np.linalg.lstsq(features, sign, rcond=1e-6)[0]
        features, sign = at("test", test, step)
        shares.append(float(((features @ weights) * sign > 0).mean()))
    return np.array(shares)


def twin_distance(model: Recurrent, corpus: Agreement, steps: int = 36) -> Float[np.ndarray, " steps"]:
    """How far the states of twin sentences are apart, by steps after the subject; 1 at the subject itself.

    Twins differ in the number of the subject and in nothing else before the verb. At step k the root mean
    square of ‖h - h'‖ over all sentences whose verb is more than k steps away, as a multiple of that at the subject.
    """
    twins = corpus.twins()
    gap = states_of(model, corpus.tokens, corpus.mask) - states_of(model, twins.tokens, corpus.mask)
    square = (gap**2).sum(-1)
    place = np.asarray(corpus.subject)[:, None] + np.arange(steps)
    before = place < np.asarray(corpus.verb)[:, None]
    require(before.any(0).all(), f"No sentence is long enough for {steps} steps after the subject.")
    at = np.take_along_axis(square, np.minimum(place, square.shape[1] - 1), axis=1)
    mean = np.sqrt((at * before).sum(0) / before.sum(0))
    return mean / mean[0]
