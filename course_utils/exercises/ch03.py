"""Exercises of notebook 03."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..measure.playground import Pulses, play, pulses
from ..teaching.exercise import Exercise, Mistake, drawn

_rng = np.random.default_rng(3)
_array = functools.partial(drawn, _rng, scale=0.9)


# ----------------------------------------------------------------------------------------- the LSTM step


def one_lstm_step(
    h: Float[Array, " hidden"],
    C: Float[Array, " hidden"],
    x_t: Float[Array, " embed"],
    W: Float[Array, "gates hidden hidden_and_embed"],
    b: Float[Array, "gates hidden"],
) -> Float[Array, "two hidden"]:
    """h_t and C_t of an LSTM, stacked; `W` and `b` hold the gates in the order f, i, C̃, o (see `models.gated.lstm_step`)."""
    both = jnp.concatenate([h, x_t])
    f_t = jax.nn.sigmoid(W[0] @ both + b[0])
    i_t = jax.nn.sigmoid(W[1] @ both + b[1])
    candidate = jnp.tanh(W[2] @ both + b[2])
    o_t = jax.nn.sigmoid(W[3] @ both + b[3])
    C_t = f_t * C + i_t * candidate
    return jnp.stack([o_t * jnp.tanh(C_t), C_t])


def _lstm(h, C, x, W, b, *, state=None, out=None, both=None, squash=jnp.tanh):
    """A step with one part exchanged: `state(f, i, candidate, C)`, `out(o, C_t, C)`."""
    z = jnp.concatenate([h, x]) if both is None else both(h, x)
    f, i, o = (jax.nn.sigmoid(W[k] @ z + b[k]) for k in (0, 1, 3))
    candidate = squash(W[2] @ z + b[2])
    C_t = f * C + i * candidate if state is None else state(f, i, candidate, C)
    return jnp.stack([o * jnp.tanh(C_t) if out is None else out(o, C_t, C), C_t])


def _without_memory(h, C, x, W, b):
    return _lstm(h, C, x, W, b, state=lambda f, i, c, C: i * c)


lstm = Exercise(
    name="lstm",
    chapter="ch03",
    objective="gates",
    cases=tuple(
        (_array(n), _array(n), _array(m), _array(4, n, n + m), _array(4, n)) for n, m in ((2, 2), (3, 3), (4, 2))
    ),
    solution_function=one_lstm_step,
    mistakes=(
        Mistake(lambda *a: _lstm(*a, out=lambda o, C_t, C: o * C_t), "The state is read without a squashing: h_t = "
            "o_t ⊙ tanh(C_t)."),
        Mistake(lambda *a: _lstm(*a, out=lambda o, C_t, C: o * jnp.tanh(C)), "Your h_t reads the *old* cell state. "
            "It reads the new one, C_t."),
        Mistake(lambda *a: _lstm(*a, out=lambda o, C_t, C: jnp.tanh(o * C_t)), "The output gate stands outside: it "
            "scales tanh(C_t), it is not "
                "squashed with it."),
        Mistake(lambda *a: _lstm(*a, state=lambda f, i, c, C: f * C + (1 - f) * c), "You write 1 - f where the "
            "input gate belongs. That couples the two "
                "gates, as a GRU does; an LSTM has an i_t of its own."),
        Mistake(lambda *a: _lstm(*a, state=lambda f, i, c, C: f * C + c), "The candidate enters ungated: i_t "
            "decides how much of it is written."),
        Mistake(lambda *a: _lstm(*a, state=lambda f, i, c, C: C + i * c), "Nothing is ever forgotten: f_t "
            "multiplies the old cell state. (That is the LSTM of "
                "1997, before the forget gate.)"),
        Mistake(_without_memory, "The old cell state does not appear in the new one: this cell forgets everything "
            "at every step."),
        Mistake(lambda *a: _lstm(*a, state=lambda f, i, c, C: i * C + f * c), "f and i are exchanged: f_t "
            "multiplies what is there, i_t what is offered."),
        Mistake(lambda *a: _lstm(*a, squash=jax.nn.sigmoid), "The candidate is squashed by tanh, not by σ: what is "
            "written may be negative."),
        Mistake(lambda *a: one_lstm_step(*a)[::-1], "The right numbers in the wrong order: h_t first, then C_t."),
        Mistake(lambda *a: one_lstm_step(*a)[0], "You return h_t alone. The next step needs C_t as well: "
            "`jnp.stack([h_t, C_t])`."),
        Mistake(lambda h, C, x, W, b: _lstm(h, C, x, W, b, both=lambda h, x: jnp.concatenate([x, h])), "The order "
            "inside the brackets is [h_{t-1}, x_t]; "
                "you put the input first."),
        Mistake(lambda h, C, x, W, b: _lstm(C, C, x, W, b), "The gates look at h_{t-1}, not at the cell state. "
            "(Letting them look at C too is called a "
                "peephole.)"),
    ),
    hints=(
        "Six equations, in the order in which they stand in the text. Which of them need only [h, x], and which need a gate?",
        "`both = jnp.concatenate([h, x_t])`; each gate is `jax.nn.sigmoid(W[k] @ both + b[k])`, the candidate uses `jnp.tanh`.",
        "After f_t, i_t, candidate, o_t: `C_t = f_t * C + i_t * candidate`, `h_t = o_t * jnp.tanh(C_t)`, `return "
        "jnp.stack([h_t, C_t])`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------- gates set by hand


def gates_by_hand(goal: str, value: Float[Array, " time"], mark: Float[Array, " time"]) -> tuple:
    """f, i and the candidate at every step, such that C_t = f_t C_{t-1} + i_t C̃_t does what `goal` says.

    remember: hold the last marked value.   forget: hold a marked value for its own step only.   count: count the marks.
    """
    if goal == "remember":
        return 1 - mark, mark, value
    if goal == "forget":
        return 0 * mark, mark, value
    return 1 + 0 * mark, mark, 1 + 0 * mark


def _played(gates: Callable) -> Callable:
    """What a learner's gates lead to: the cell state after each step."""

    def run(goal, value, mark):
        answer = gates(goal, value, mark)
        if answer is None or answer is Ellipsis:
            return answer
        f, i, candidate = answer
        return play(f, i, candidate, len(mark))

    return run


def _instead(**of: Callable) -> Callable:
    """The right gates, with those for some goals exchanged."""
    return lambda goal, value, mark: of.get(goal, lambda v, m: gates_by_hand(goal, v, m))(value, mark)


def _case(goal: str, given: Pulses) -> tuple:
    return goal, jnp.asarray(given.value, jnp.float32), jnp.asarray(given.mark, jnp.float32)


playground = Exercise(
    name="playground",
    chapter="ch03",
    objective="gates",
    cases=tuple(_case(goal, pulses(*size)) for size in ((6, 2, 1), (20, 5, 2)) for goal in ("remember", "forget", "count")),
    solution_function=gates_by_hand,
    through=_played,
    mistakes=(
        Mistake(_instead(remember=lambda v, m: (1 + 0 * m, m, v)), "“remember”: nothing is ever forgotten, so "
            "marked values add up. At a mark the old value must go."),
        Mistake(_instead(remember=lambda v, m: (1 - m, 1 + 0 * m, v)), "“remember”: the input gate is open at every "
            "step, so unmarked values are written as well."),
        Mistake(_instead(remember=lambda v, m: (m, m, v)), "“remember”: your forget gate keeps at marks and erases "
            "between them. A gate f = 1 *keeps*; the name "
                "misleads."),
        Mistake(_instead(forget=lambda v, m: (1 - m, m, v)), "“forget”: the value is held until the next mark. It "
            "should be gone one step later."),
        Mistake(_instead(forget=lambda v, m: (0 * m, 1 + 0 * m, v)), "“forget”: every value is shown, marked or not."),
        Mistake(_instead(count=lambda v, m: (1 + 0 * m, m, v)), "“count”: you add up the marked *values*. Each mark "
            "should add 1."),
        Mistake(_instead(count=lambda v, m: (1 - m, m, 1 + 0 * m)), "“count”: the counter is erased at each mark, "
            "so it never passes 1."),
        Mistake(_instead(count=lambda v, m: (1 + 0 * m, 1 + 0 * m, 1 + 0 * m)), "“count”: you count the steps. Only "
            "marked ones should add 1."),
        Mistake(_instead(count=lambda v, m: (m, m, 1 + 0 * m)), "“count”: between marks the counter is erased. It "
            "must be kept at every step."),
    ),
    hints=(
        "For each goal ask two questions, at a mark and between marks: is the old state kept (f), and is something "
        "written (i)?",
        "`mark` is 1 or 0 at each step, so `mark` and `1 - mark` are gates already. remember: keep between marks, "
        "overwrite at a mark.",
        "remember: `return 1 - mark, mark, value`; forget: `return 0, mark, value`; count: `return 1, mark, 1`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------ the GRU step


def one_gru_step(
    h: Float[Array, " hidden"],
    x_t: Float[Array, " embed"],
    W: Float[Array, "gates hidden embed"],
    U: Float[Array, "gates hidden hidden"],
    b: Float[Array, "gates hidden"],
) -> Float[Array, " hidden"]:
    """h_t of a GRU; `W`, `U` and `b` hold the parts in the order r, u, n (see `models.gated.gru_step`)."""
    r_t = jax.nn.sigmoid(W[0] @ x_t + U[0] @ h + b[0])
    u_t = jax.nn.sigmoid(W[1] @ x_t + U[1] @ h + b[1])
    n_t = jnp.tanh(W[2] @ x_t + b[2] + r_t * (U[2] @ h))
    return (1 - u_t) * n_t + u_t * h


def _gru(h, x, W, U, b, *, new=None, mix=None):
    r, u = (jax.nn.sigmoid(W[k] @ x + U[k] @ h + b[k]) for k in (0, 1))
    n = jnp.tanh(W[2] @ x + b[2] + r * (U[2] @ h)) if new is None else new(r, h, W[2] @ x + b[2], U[2])
    return (1 - u) * n + u * h if mix is None else mix(u, n, h)


gru = Exercise(
    name="gru",
    chapter="ch03",
    objective="gates",
    cases=tuple((_array(n), _array(m), _array(3, n, m), _array(3, n, n), _array(3, n)) for n, m in ((2, 2), (3, 2), (4, 3))),
    solution_function=one_gru_step,
    mistakes=(
        Mistake(lambda *a: _gru(*a, mix=lambda u, n, h: u * n + (1 - u) * h), "u and 1 - u are exchanged: here u_t "
            "= 1 keeps the old state. (Bahdanau and others "
                "write it your way round.)"),
        Mistake(lambda *a: _gru(*a, new=lambda r, h, wx, U: jnp.tanh(wx + U @ (r * h))), "You reset *before* the "
            "product, U (r ⊙ h), as Cho and others (2014) do. "
                "Here the reset comes after it: r ⊙ (U h)."),
        Mistake(lambda *a: _gru(*a, new=lambda r, h, wx, U: jnp.tanh(wx + U @ h)), "The reset gate does not appear: "
            "r_t scales what the old state adds to the "
                "candidate."),
        Mistake(lambda *a: _gru(*a, new=lambda r, h, wx, U: jnp.tanh(r * (wx + U @ h))), "Your reset gate scales "
            "the input as well. It belongs to the share of the "
                "old state alone."),
        Mistake(lambda *a: _gru(*a, new=lambda r, h, wx, U: jax.nn.sigmoid(wx + r * (U @ h))), "The candidate is "
            "squashed by tanh, not by σ."),
        Mistake(lambda *a: _gru(*a, mix=lambda u, n, h: n), "You return the candidate. The new state mixes it with "
            "the old one."),
        Mistake(lambda *a: _gru(*a, mix=lambda u, n, h: n + u * h), "The candidate enters whole. Its share is 1 - "
            "u_t, so that the two shares sum to 1."),
        Mistake(lambda h, x, *parts: _gru(h, x, *(part[jnp.array([1, 0, 2])] for part in parts)), "r and u are exchanged: the "
                "parts come in the order r, u, n."),
    ),
    hints=(
        "Two gates from x_t and h, then a candidate, then a mixture of candidate and old state.",
        "`r_t` and `u_t` are `jax.nn.sigmoid(W[k] @ x_t + U[k] @ h + b[k])`. In the candidate r_t multiplies `U[2] @ h`.",
        "`n_t = jnp.tanh(W[2] @ x_t + b[2] + r_t * (U[2] @ h))`, then `return (1 - u_t) * n_t + u_t * h`",
    ),
)  # fmt: skip

# -------------------------------------------------------------------------------------- the additive path


def along_the_cell(f: Float[Array, "time hidden"]) -> Float[Array, "hidden hidden"]:
    """∂C_T/∂C_0 along the additive path, every h held fixed: the diagonal matrix of ∏_t f_t."""
    return jnp.diag(f.prod(axis=0))


cell_path = Exercise(
    name="cell_path",
    chapter="ch03",
    objective="path",
    cases=tuple((jax.nn.sigmoid(_array(T, n) + 1),) for T, n in ((2, 2), (3, 3), (5, 2))),
    solution_function=along_the_cell,
    mistakes=(
        Mistake(lambda f: f.prod(axis=0), "The right numbers, as a vector. A derivative of a vector by a vector is "
            "a matrix; this one is diagonal: `jnp.diag`."),
        Mistake(lambda f: jnp.diag(f.sum(axis=0)), "You add the gates. Along one path derivatives are multiplied."),
        Mistake(lambda f: jnp.diag(f.mean(axis=0)), "You average the gates over time. Each step multiplies."),
        Mistake(lambda f: jnp.diag(f[-1]), "That is the last step alone. All T of them lie between C_0 and C_T."),
        Mistake(lambda f: jnp.diag(f[1:].prod(axis=0)), "One factor is missing: f_1 leads from C_0 to C_1."),
        Mistake(lambda f: jnp.diag(f.prod(axis=1)), "You multiply over the units. Multiply over time, axis 0."),
        Mistake(lambda f: jnp.cumprod(f, axis=0), "Those are the products after every step. Asked for is the one "
            "after the last, as a diagonal matrix."),
        Mistake(lambda f: jnp.diag((1 - f).prod(axis=0)), "A gate f = 1 keeps; what is passed on is f, not 1 - f."),
        Mistake(lambda f: jnp.full((f.shape[1],) * 2, f.prod()), "Units do not mix along this path: each entry of C "
            "depends on the same entry before, and on no other."),
    ),
    hints=(
        "C_t = f_t ⊙ C_{t-1} + …, and what stands behind the plus depends on h_{t-1}, which is held "
        "given. What is ∂C_t/∂C_{t-1}?",
        "A diagonal matrix with f_t on it. The product of diagonal matrices is diagonal, with the products of the entries.",
        "`return jnp.diag(f.prod(axis=0))`",
    ),
)  # fmt: skip

# ----------------------------------------------------------------------------------------- chrono biases


def chrono(uniform: Float[Array, " hidden"], longest: int) -> Float[Array, "two hidden"]:
    """Biases of forget and input gate for memories of up to `longest` steps, from `uniform` numbers over [0, 1]:

        b_f = log(1 + uniform (longest - 2)),   b_i = -b_f

    so that exp(b_f) is uniform over 1 … longest - 1 (see `models.gated.chrono_bias`).
    """
    b_f = jnp.log(1 + uniform * (longest - 2))
    return jnp.stack([b_f, -b_f])


def _both(b: Callable) -> Callable:
    return lambda u, T: jnp.stack([b(u, T), -b(u, T)])


chrono_start = Exercise(
    name="chrono_start",
    chapter="ch03",
    objective="starts",
    cases=(
        (jnp.array([0.0, 0.5, 1.0]), 10),
        (jnp.asarray(_rng.uniform(size=5), jnp.float32), 100),
        (jnp.asarray(_rng.uniform(size=4), jnp.float32), 300),
    ),
    solution_function=chrono,
    mistakes=(
        Mistake(lambda u, T: chrono(u, T)[0], "The forget gate's biases are right; the input gate's, -b_f, are "
            "missing: `jnp.stack([b_f, -b_f])`."),
        Mistake(lambda u, T: jnp.stack([chrono(u, T)[0]] * 2), "The input gate gets -b_f: a unit that keeps for "
            "long must also write little."),
        Mistake(lambda u, T: -chrono(u, T), "The signs are exchanged: a *positive* bias opens the forget gate, and "
            "open means keep."),
        Mistake(_both(lambda u, T: 1 + u * (T - 2)), "The logarithm is missing. A bias of 50 would close the "
            "question for good: σ(50) is 1."),
        Mistake(_both(lambda u, T: u * jnp.log(T - 1)), "You draw the *bias* uniformly. Then most units remember "
            "short times; the time constant exp(b) should be uniform."),
        Mistake(_both(lambda u, T: jnp.log(u * (T - 1))), "Your range begins at 0, whose logarithm is -∞. It begins at 1."),
        Mistake(_both(lambda u, T: jnp.log(1 + u * (T - 1))), "Your range ends at longest; it should end at longest - 1."),
        Mistake(_both(lambda u, T: jnp.log2(1 + u * (T - 2))), "The natural logarithm, please: σ(log n) = n / (n + 1)."),
    ),
    hints=(
        "exp(b_f) should be uniform between 1 and longest - 1. How do you make such a number from one that is "
        "uniform between 0 and 1?",
        "From 1 up by the number times the width, longest - 2. Then the logarithm.",
        "`b_f = jnp.log(1 + uniform * (longest - 2))`, `return jnp.stack([b_f, -b_f])`",
    ),
)  # fmt: skip

ALL = (lstm, playground, gru, cell_path, chrono_start)

__all__ = ["ALL", "cell_path", "chrono_start", "gru", "lstm", "playground"]
