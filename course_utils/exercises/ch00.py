"""Exercises of chapter 00: a memory that fades, and a running mean."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..teaching.exercise import Exercise, Mistake, drawn


def fading_states(d: Float[Array, ""] | float, xs: Float[Array, " time"]) -> Float[Array, " time"]:
    """The states after each input: h_t = d · h_{t-1} + (1 - d) · x_t, with h_0 = 0."""

    def step(h, x_t):
        h = d * h + (1 - d) * x_t
        return h, h

    _, states = jax.lax.scan(step, 0.0, xs)
    return states


def _late(d, xs):
    return jnp.concatenate([jnp.zeros(1), fading_states(d, xs)[:-1]])


fading = Exercise(
    name="fading",
    chapter="ch00",
    objective="jax",
    answer="my_states",
    gives="the state after each input, `[time]`",
    cases=(
        (0.9, jnp.array([10.0, 0.0, 0.0, 0.0])),
        (0.5, jnp.array([1.0, -2.0, 3.0])),
        (0.7, drawn(np.random.default_rng(1), 12)),
    ),
    edges=(
        (0.9, jnp.array([3.0])),
        (0.0, jnp.array([1.0, 5.0, -2.0])),  # forgets at once
        (1.0, jnp.array([1.0, 5.0, -2.0])),  # takes in nothing
        (0.99, drawn(np.random.default_rng(2), 60)),
    ),
    solution_function=fading_states,
    mistakes=(
        Mistake("input not scaled", "The new input comes in whole. A share of 1 - d of it is taken in.",
                lambda d, xs: jax.lax.scan(lambda h, x: (d * h + x,) * 2, 0.0, xs)[1]),
        Mistake("shares exchanged", "You keep 1 - d of the state and take in d of the input. It is the other way round.",
                lambda d, xs: fading_states(1 - d, xs)),
        Mistake("not carried on", "Every step starts again from h_0 = 0. What `step` returns *first* is carried on: return the new "
                "state there too.", lambda d, xs: (1 - d) * xs),
        Mistake("last state only", "That is the last state alone; all of them are asked for. What `step` returns *second* is collected, "
                "and it is the second result of `scan`.", lambda d, xs: fading_states(d, xs)[-1]),
        Mistake("one late", "Your states are one step late: you collect the state from before the update. Collect the new one.", _late),
        Mistake("begins with the first input", "You begin with the first input as the state. The state begins at 0.",
                lambda d, xs: jax.lax.scan(lambda h, x: (d * h + (1 - d) * x,) * 2, xs[0], xs)[1],
                lambda d, xs: jnp.concatenate([xs[:1], jax.lax.scan(lambda h, x: (d * h + (1 - d) * x,) * 2, xs[0], xs[1:])[1]])),
        Mistake("decay of 0.9", "Your decay is 0.9 whatever `d` says. Use the argument.", lambda d, xs: fading_states(0.9, xs)),
        Mistake("only fades", "Nothing but the state's own fading is there: where do the inputs come in?",
                lambda d, xs: jnp.zeros_like(xs)),
    ),
    hints=(
        "Write `step(h, x_t)` first, one line of arithmetic. What must it return, and why twice?",
        "The scan calls your step on one input after another, beginning with 0.0. It returns two things: the last state, and "
        "everything that was collected. Which of them is asked for?",
        "In `step`: `h = d * h + (1 - d) * x_t`, then `return h, h`. The scan's second result "
        "is the answer: `_, states = jax.lax.scan(…)`, then `return states`.",
    ),
)  # fmt: skip


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


def _one_late(x):
    return jnp.concatenate([jnp.zeros(1), mean_so_far(x)[:-1]])


def _divides_before_counting(x):
    return jnp.full(len(x), jnp.nan).at[0].set(jnp.inf if x[0] > 0 else -jnp.inf)


def _blended(x, share=0.5):
    return jax.lax.scan(lambda m, x_t: (m + share * (x_t - m),) * 2, 0.0, x)[1]


_rng = np.random.default_rng(0)

running_mean = Exercise(
    name="running_mean",
    chapter="ch00",
    objective="jax",
    answer="running_mean",
    gives="the mean after each input, `[time]`",
    cases=(
        (jnp.array([2.0]),),
        (jnp.array([1.0, 3.0, 8.0]),),
        (drawn(_rng, 9),),
        (drawn(_rng, 40),),
    ),
    edges=((jnp.array([0.0, 0.0, 3.0, 0.0]),), (jnp.array([-1e6, 1e6]),)),
    solution_function=mean_so_far,
    mistakes=(
        Mistake(
            "sums",
            "You return running *sums*: nothing divides by the number of inputs read so far.",
            jnp.cumsum,
        ),
        Mistake(
            "divided by the whole length",
            "You divide by the length of the whole sequence, but at position t only t inputs have been read.",
            lambda x: jnp.cumsum(x) / len(x),
        ),
        Mistake(
            "last mean only",
            "You return the last mean only; the exercise asks for all of them. What `step` returns *second* is "
            "collected: `return (mean, count), mean`, and `_, means = jax.lax.scan(...)`.",
            lambda x: x.mean(),
        ),
        Mistake(
            "one late",
            "Your means are one step late: you collect the mean from before the update. Collect the new one.",
            _one_late,
        ),
        Mistake(
            "count too high",
            "Your count is one too high: it starts at 0 and is 1 when the first input is read.",
            lambda x: jnp.cumsum(x) / jnp.arange(2, len(x) + 2),
        ),
        Mistake(
            "divides before counting",
            "You divide by the count before raising it: for the first input that is a division by 0. Count first.",
            _divides_before_counting,
        ),
        Mistake(
            "no memory",
            "Each of your results knows only its own input: is the old mean in your step's result?",
            lambda x: x / jnp.arange(1, len(x) + 1),
            lambda x: x,
        ),
        Mistake(
            "old mean halved",
            "You take the middle between the old mean and the new input. The tenth input counts for a tenth, not for "
            "a half: divide by the count.",
            _blended,
            lambda x: jnp.concatenate([x[:1], jax.lax.scan(lambda m, v: ((m + v) / 2,) * 2, x[0], x[1:])[1]]),
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

ALL = (fading, running_mean)
