"""Exercises of notebook 00."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..teaching.exercise import Exercise, Mistake, drawn


def mean_so_far(x: Float[Array, " time"]) -> Float[Array, " time"]:
    """The mean of the inputs up to each position: m_t = m_{t-1} + (x_t - m_{t-1}) / t.

    The state has two parts, the mean and the count; `scan` carries any tuple.
    """

    def step(state, x_t):
        mean, count = state
        count = count + 1
        mean = mean + (x_t - mean) / count
        return (mean, count), mean

    _, means = jax.lax.scan(step, (0.0, 0.0), x)
    return means


def _sums(x):
    return jnp.cumsum(x)


def _divided_by_all(x):
    return jnp.cumsum(x) / len(x)


def _only_last(x):
    return x.mean()


def _one_late(x):
    return jnp.concatenate([jnp.zeros(1), mean_so_far(x)[:-1]])


def _count_too_high(x):
    return jnp.cumsum(x) / jnp.arange(2, len(x) + 2)


def _divides_before_counting(x):
    return jnp.full(len(x), jnp.nan).at[0].set(jnp.inf if x[0] > 0 else -jnp.inf)


def _no_memory(x):
    return x / jnp.arange(1, len(x) + 1)


_rng = np.random.default_rng(0)

running_mean = Exercise(
    name="running_mean",
    chapter="ch00",
    objective="jax",
    cases=(
        (jnp.array([2.0]),),
        (jnp.array([1.0, 3.0, 8.0]),),
        (drawn(_rng, 9),),
        (drawn(_rng, 40),),
    ),
    solution_function=mean_so_far,
    mistakes=(
        Mistake(_sums, "You return running *sums*: nothing divides by the number of inputs read so far."),
        Mistake(
            _divided_by_all,
            "You divide by the length of the whole sequence, but at position t only t inputs have been read.",
        ),
        Mistake(
            _only_last,
            "You return the last mean only; the exercise asks for all of them. What `step` returns *second* is "
            "collected: `return (mean, count), mean`, and `_, means = jax.lax.scan(...)`.",
        ),
        Mistake(
            _one_late,
            "Your means are one step late: you collect the mean from before the update. Collect the new one.",
        ),
        Mistake(
            _count_too_high,
            "Your count is one too high: it starts at 0 and is 1 when the first input is read.",
        ),
        Mistake(
            _divides_before_counting,
            "You divide by the count before raising it: for the first input that is a division by 0. Count first.",
        ),
        Mistake(
            _no_memory,
            "Each of your results knows only its own input: is the old mean in your step's result?",
        ),
    ),
    hints=(
        "What must a step know besides the new input? Two numbers; the state is a pair of them.",
        "`jax.lax.scan(step, (0.0, 0.0), x)` calls `step((mean, count), x_t)`. First raise the count by 1, then move "
        "the mean towards `x_t` by the fraction `1 / count`.",
        "`mean, count = state`, then `count = count + 1`, then `mean = mean + (x_t - mean) / count`, then "
        "`return (mean, count), mean`. Outside: `_, means = jax.lax.scan(step, (0.0, 0.0), x)` and `return means`.",
    ),
)

ALL = (running_mean,)
