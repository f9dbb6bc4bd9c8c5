"""Exercises of notebook 00."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..teaching.exercise import Exercise, Mistake


def moving_state(x: Float[Array, " time"], decay: float) -> Float[Array, " time"]:
    """Every state of h_t = decay · h_{t-1} + (1 - decay) · x_t, from h_0 = 0: the smallest recurrence there is."""

    def step(h, x_t):
        h = decay * h + (1 - decay) * x_t
        return h, h

    _, states = jax.lax.scan(step, jnp.zeros(()), x)
    return states


def _swapped(x, decay):
    return moving_state(x, 1 - decay)


def _only_last(x, decay):
    return moving_state(x, decay)[-1]


def _one_late(x, decay):
    return jnp.concatenate([jnp.zeros(1), moving_state(x, decay)[:-1]])


def _no_memory(x, decay):
    return (1 - decay) * x


def _unweighted_input(x, decay):
    return moving_state(x, decay) / (1 - decay)


def _starts_at_first_input(x, decay):
    return moving_state(x, decay) + x[0] * decay ** jnp.arange(1, len(x) + 1)


_rng = np.random.default_rng(0)

moving_average = Exercise(
    name="moving_average",
    chapter="ch00",
    objective="jax",
    cases=(
        (jnp.array([1.0]), 0.75),
        (jnp.array([1.0, 2.0, 4.0]), 0.75),
        (jnp.asarray(_rng.normal(size=9), jnp.float32), 0.9),
        (jnp.asarray(_rng.normal(size=40), jnp.float32), 0.2),
    ),
    solution_function=moving_state,
    mistakes=(
        Mistake(_swapped, "The two weights are swapped: `decay` multiplies the old state, `1 - decay` the new input."),
        Mistake(
            _only_last,
            "You return the last state only; the exercise asks for all of them. In `scan` the carry is what goes "
            "on to the next step and the second output is what is collected: `return h, h`.",
        ),
        Mistake(
            _one_late,
            "Your states are one step late: you collect the state from before the update. Collect the new one.",
        ),
        Mistake(_no_memory, "The old state has no influence on yours: does your step return the new state as its carry?"),
        Mistake(_unweighted_input, "The input enters with weight 1. The equation gives it the weight `1 - decay`."),
        Mistake(_starts_at_first_input, "You start from the first input; the recurrence starts from h_0 = 0."),
    ),
    hints=(
        "A step takes the state and one input and gives the new state. Which line of the equation is that?",
        "`jax.lax.scan(step, start, x)` calls `step(h, x_t)` once for each input and wants two results: what to carry on, and what to collect.",
        "Inside `step`, compute `h = decay * h + (1 - decay) * x_t` and `return h, h`; then `_, states = jax.lax.scan(step, jnp.zeros(()), x)`.",
    ),
)

ALL = (moving_average,)
