"""One memory cell with gates set by hand, and what can be built from it."""

from typing import Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..models.gated import additive_memory
from ..runtime import require, require_positive

Goal = Literal["remember", "forget", "count"]
BUILT = 0.05  # a trace that is nowhere farther from the goal than this is built


class Pulses(NamedTuple):
    """What the cell is offered: a value at every step, and a mark at some."""

    value: Float[np.ndarray, " time"]
    mark: Float[np.ndarray, " time"]


def pulses(length: int = 30, marks: int = 4, seed: int = 0) -> Pulses:
    """Values uniform over -1 … 1, rounded to tenths, and `marks` marks; the first step is never marked."""
    require_positive(length=length, marks=marks)
    require(marks < length, f"There must be between 1 and length - 1 = {length - 1} marks, not {marks}.")
    rng = np.random.default_rng(seed)
    mark = np.zeros(length)
    mark[1 + rng.choice(length - 1, marks, replace=False)] = 1
    return Pulses(np.round(rng.uniform(-1, 1, length), 1), mark)


def wanted(goal: Goal | str, given: Pulses) -> Float[np.ndarray, " time"]:
    """The cell state that a goal asks for, after every step.

    remember: the value at the last mark, 0 before the first.   forget: the value at a marked step, 0 at every other.
    count: how many marks there have been.
    """
    require(goal in get_args(Goal), f"goal must be one of {', '.join(get_args(Goal))}, not {goal!r}.")
    value, mark = (np.asarray(a, float) for a in given)
    if goal == "count":
        return mark.cumsum()
    if goal == "forget":
        return value * mark
    last = np.maximum.accumulate(np.where(mark > 0, np.arange(len(mark)), -1))
    return np.where(last >= 0, value[np.maximum(last, 0)], 0.0)


_memory = jax.jit(additive_memory)


def play(forget: ArrayLike, input: ArrayLike, candidate: ArrayLike, length: int) -> Float[np.ndarray, " time"]:
    """C_t = f_t C_{t-1} + i_t C̃_t, each gate a number or one number a step. Gates outside [0, 1] are refused."""
    rows = []
    for name, gate in (("forget gate f", forget), ("input gate i", input), ("candidate", candidate)):
        gate = np.asarray(gate, float)
        require(
            gate.shape in ((), (length,)),
            f"The {name} must be one number or {length} numbers, not of shape {gate.shape}.",
        )
        require(np.isfinite(gate).all(), f"The {name} holds a number that is not finite.")
        if name != "candidate":
            wrong = gate[(gate < 0) | (gate > 1)]
            require(
                not wrong.size, f"The {name} must lie in [0, 1], since it is a share; you have {wrong.ravel()[:1]}."
            )
        rows.append(np.broadcast_to(gate, (length,)))
    return np.asarray(_memory(*(jnp.asarray(row, jnp.float32) for row in rows)), float)


def computed(gate: ArrayLike, strongest: float) -> Float[np.ndarray, "*shape"]:
    """A gate as a network would compute it, σ(a) with |a| at most `strongest`: never exactly 0 or 1."""
    require(strongest > 0, f"strongest must be positive, not {strongest!r}.")
    gate = np.clip(np.asarray(gate, float), 1e-12, 1 - 1e-12)
    return 1 / (1 + np.exp(-np.clip(np.log(gate / (1 - gate)), -strongest, strongest)))
