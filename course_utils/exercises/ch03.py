"""Exercises of chapter 03: the LSTM and the GRU, gates by hand, the way through the cell state."""

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
    W: Float[Array, "4 hidden hidden+embed"],
    b: Float[Array, "4 hidden"],
) -> Float[Array, "2 hidden"]:
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


def _in_order(*places):
    """The right step, but with the parts of `W` and `b` in another order."""
    return lambda h, C, x, W, b: one_lstm_step(h, C, x, W[jnp.array(places)], b[jnp.array(places)])


def _lstm_case(n: int, m: int, scale: float = 0.9) -> tuple:
    return tuple(_array(*shape, scale=scale) for shape in ((n,), (n,), (m,), (4, n, n + m), (4, n)))


def _bare(h, C, x, W, b, squash):
    """A step whose gates go through `squash` in place of σ."""
    z = W @ jnp.concatenate([h, x]) + b
    C_t = squash(z[0]) * C + squash(z[1]) * jnp.tanh(z[2])
    return jnp.stack([squash(z[3]) * jnp.tanh(C_t), C_t])


lstm = Exercise(
    name="lstm",
    chapter="ch03",
    objective="gates",
    answer="my_lstm",
    gives="h_t and C_t, stacked: `[2, hidden]`",
    cases=(_lstm_case(2, 2), _lstm_case(3, 3), _lstm_case(4, 2)),
    edges=(
        _lstm_case(1, 1), _lstm_case(2, 3), _lstm_case(2, 2, scale=15.0),
        (jnp.zeros(2), jnp.array([3.0, -3.0]), _array(2), _array(4, 2, 4), _array(4, 2)),
    ),
    solution_function=one_lstm_step,
    mistakes=(
        Mistake("state read unsquashed", "The state is read without a squashing: h_t = o_t ⊙ tanh(C_t).",
            lambda *a: _lstm(*a, out=lambda o, C_t, C: o * C_t)),
        Mistake("old state read", "Your h_t reads the *old* cell state. It reads the new one, C_t.",
            lambda *a: _lstm(*a, out=lambda o, C_t, C: o * jnp.tanh(C))),
        Mistake("output gate inside", "The output gate stands outside: it scales tanh(C_t), it is not squashed with it.",
            lambda *a: _lstm(*a, out=lambda o, C_t, C: jnp.tanh(o * C_t))),
        Mistake("no output gate", "The output gate does not appear: h_t = o_t ⊙ tanh(C_t).",
            lambda *a: _lstm(*a, out=lambda o, C_t, C: jnp.tanh(C_t))),
        Mistake("1 - f", "You write 1 - f where the input gate belongs. That couples the two "
            "gates, as a GRU does; an LSTM has an i_t of its own.", lambda *a: _lstm(*a, state=lambda f, i, c, C: f * C + (1 - f) * c)),
        Mistake("forgets where it should keep", "You write 1 - f where f belongs. A gate f = 1 *keeps*; the name misleads.",
            lambda *a: _lstm(*a, state=lambda f, i, c, C: (1 - f) * C + i * c),
            lambda *a: _lstm(*a, state=lambda f, i, c, C: (1 - f) * C + f * c)),
        Mistake("no input gate", "The candidate enters ungated: i_t decides how much of it is written.",
            lambda *a: _lstm(*a, state=lambda f, i, c, C: f * C + c)),
        Mistake("no forget gate", "Nothing is ever forgotten: f_t multiplies the old cell state. (That is the LSTM of "
            "1997, before the forget gate.)", lambda *a: _lstm(*a, state=lambda f, i, c, C: C + i * c)),
        Mistake("no memory", "The old cell state does not appear in the new one: this cell forgets everything at every step.",
            lambda *a: _lstm(*a, state=lambda f, i, c, C: i * c)),
        Mistake("f and i exchanged", "f and i are exchanged: f_t multiplies what is there, i_t what is offered.",
            lambda *a: _lstm(*a, state=lambda f, i, c, C: i * C + f * c)),
        Mistake("order of the parts", "Your parts stand in another order than `W` and `b` hold them: f, i, C̃, o. (PyTorch and Keras keep "
            "them as i, f, C̃, o.)", _in_order(0, 1, 3, 2), _in_order(3, 1, 2, 0), _in_order(0, 3, 2, 1), _in_order(1, 2, 0, 3),
            _in_order(1, 0, 3, 2), _in_order(0, 2, 1, 3), _in_order(1, 3, 2, 0), _in_order(2, 0, 1, 3)),
        Mistake("candidate by σ", "The candidate is squashed by tanh, not by σ: what is written may be negative.",
            lambda *a: _lstm(*a, squash=jax.nn.sigmoid)),
        Mistake("candidate unsquashed", "The candidate goes through tanh before it is written.", lambda *a: _lstm(*a, squash=lambda z: z)),
        Mistake("C first", "The right numbers in the wrong order: h_t first, then C_t.", lambda *a: one_lstm_step(*a)[::-1]),
        Mistake("h alone", "You return h_t alone. The next step needs C_t as well: `jnp.stack([h_t, C_t])`.",
            lambda *a: one_lstm_step(*a)[0]),
        Mistake("C alone", "You return C_t alone. Asked for are both: `jnp.stack([h_t, C_t])`.", lambda *a: one_lstm_step(*a)[1]),
        Mistake("joined to one vector", "`concatenate` makes one long vector. `jnp.stack([h_t, C_t])` gives two rows.",
            lambda *a: one_lstm_step(*a).reshape(-1)),
        Mistake("input first", "The order inside the brackets is [h_{t-1}, x_t]; you put the input first.",
            lambda h, C, x, W, b: _lstm(h, C, x, W, b, both=lambda h, x: jnp.concatenate([x, h]))),
        Mistake("gates look at C", "The gates look at h_{t-1}, not at the cell state. (Letting them look at C too is called a "
            "peephole.)", lambda h, C, x, W, b: _lstm(C, C, x, W, b)),
        Mistake("no bias", "The biases are missing: each part is W[k] [h, x] + b[k].",
            lambda h, C, x, W, b: one_lstm_step(h, C, x, W, 0 * b)),
        Mistake("no σ", "A gate is a number between 0 and 1: σ of its sum. Yours use the sums as they are.",
            lambda h, C, x, W, b: _bare(h, C, x, W, b, lambda z: z), lambda h, C, x, W, b: _bare(h, C, x, W, b, jnp.tanh)),
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
        return 0, mark, value
    return 1, mark, 1


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


def _goals(*offers: Pulses) -> tuple[tuple, ...]:
    return tuple(_case(goal, offer) for offer in offers for goal in ("remember", "forget", "count"))


playground = Exercise(
    name="playground",
    chapter="ch03",
    objective="gates",
    answer="my_gates",
    gives="three gates f, i, candidate, each a number or one number a step",
    cases=_goals(pulses(6, 2, 1), pulses(20, 5, 2)),
    edges=_goals(
        Pulses(np.array([0.5, -0.2, 0.9]), np.array([1.0, 1.0, 0.0])),  # the first step, and two in a row
        Pulses(np.array([0.5, 0.7]), np.zeros(2)),
        Pulses(np.array([-0.4]), np.ones(1)),
        Pulses(np.array([0.3, 0.0, 0.6]), np.array([1.0, 1.0, 0.0])),  # a marked 0
    ),
    solution_function=gates_by_hand,
    through=_played,
    mistakes=(
        Mistake("remember: adds up", "“remember”: nothing is ever forgotten, so "
            "marked values add up. At a mark the old value must go.", _instead(remember=lambda v, m: (1 + 0 * m, m, v))),
        Mistake("remember: always writes", "“remember”: the input gate is open at every step, so unmarked values are written as well.",
            _instead(remember=lambda v, m: (1 - m, 1 + 0 * m, v))),
        Mistake("remember: erases between marks", "“remember”: your forget gate keeps at marks and erases "
            "between them. A gate f = 1 *keeps*; the name misleads.", _instead(remember=lambda v, m: (m, m, v))),
        Mistake("remember: holds nothing", "“remember”: the value is gone after one step. Between marks the old state must be kept.",
            _instead(remember=lambda v, m: (0 * m, m, v))),
        Mistake("remember: the mark", "“remember”: what is written is the mark. Write the value: the candidate is `value`.",
            _instead(remember=lambda v, m: (1 - m, m, m)), _instead(remember=lambda v, m: (1 - m, m, 1 + 0 * m))),
        Mistake("forget: holds on", "“forget”: the value is held until the next mark. It should be gone one step later.",
            _instead(forget=lambda v, m: (1 - m, m, v))),
        Mistake("forget: adds up", "“forget”: nothing is ever forgotten, so marked values add up. Here the old state goes at every step.",
            _instead(forget=lambda v, m: (1 + 0 * m, m, v))),
        Mistake("forget: shows everything", "“forget”: every value is shown, marked or not.", _instead(forget=
            lambda v, m: (0 * m, 1 + 0 * m, v))),
        Mistake("count: adds values", "“count”: you add up the marked *values*. Each mark should add 1.",
            _instead(count=lambda v, m: (1 + 0 * m, m, v))),
        Mistake("count: erases at marks", "“count”: the counter is erased at each mark, so it never passes 1.",
            _instead(count=lambda v, m: (1 - m, m, 1 + 0 * m))),
        Mistake("count: every step", "“count”: you count the steps. Only marked ones should add 1.",
            _instead(count=lambda v, m: (1 + 0 * m, 1 + 0 * m, 1 + 0 * m))),
        Mistake("count: erases between marks", "“count”: between marks the counter is erased. It must be kept at every step.",
            _instead(count=lambda v, m: (m, m, 1 + 0 * m)), _instead(count=lambda v, m: (0 * m, m, 1 + 0 * m))),
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


def _gru_case(n: int, m: int, scale: float = 0.9) -> tuple:
    return tuple(_array(*shape, scale=scale) for shape in ((n,), (m,), (3, n, m), (3, n, n), (3, n)))


def _parts(*places):
    """The right step, but with the parts of `W`, `U` and `b` in another order."""
    return lambda h, x, *parts: one_gru_step(h, x, *(part[jnp.array(places)] for part in parts))


gru = Exercise(
    name="gru",
    chapter="ch03",
    objective="gates",
    answer="my_gru",
    gives="the new state h_t, `[hidden]`",
    cases=(_gru_case(2, 2), _gru_case(3, 2), _gru_case(4, 3)),
    edges=(_gru_case(1, 1), _gru_case(2, 4), _gru_case(2, 2, scale=15.0), (jnp.zeros(2), *_gru_case(2, 2)[1:])),
    solution_function=one_gru_step,
    mistakes=(
        Mistake("u and 1 - u exchanged", "u and 1 - u are exchanged: here u_t = 1 keeps the old state. (Bahdanau and others "
            "write it your way round.)", lambda *a: _gru(*a, mix=lambda u, n, h: u * n + (1 - u) * h)),
        Mistake("reset before the product", "You reset *before* the product, U (r ⊙ h), as Cho and others (2014) do. "
            "Here the reset comes after it: r ⊙ (U h).", lambda *a: _gru(*a, new=lambda r, h, wx, U: jnp.tanh(wx + U @ (r * h)))),
        Mistake("no reset", "The reset gate does not appear: r_t scales what the old state adds to the candidate.",
            lambda *a: _gru(*a, new=lambda r, h, wx, U: jnp.tanh(wx + U @ h))),
        Mistake("reset of the input too", "Your reset gate scales the input as well. It belongs to the share of the old state alone.",
            lambda *a: _gru(*a, new=lambda r, h, wx, U: jnp.tanh(r * (wx + U @ h)))),
        Mistake("reset outside", "The reset gate belongs inside the tanh, to the share of the old state: tanh(W x + b + r ⊙ (U h)).",
            lambda *a: _gru(*a, new=lambda r, h, wx, U: r * jnp.tanh(wx + U @ h))),
        Mistake("1 - r", "You write 1 - r where r belongs: r_t = 1 lets the old state through.",
            lambda *a: _gru(*a, new=lambda r, h, wx, U: jnp.tanh(wx + (1 - r) * (U @ h)))),
        Mistake("candidate by σ", "The candidate is squashed by tanh, not by σ.",
            lambda *a: _gru(*a, new=lambda r, h, wx, U: jax.nn.sigmoid(wx + r * (U @ h)))),
        Mistake("candidate alone", "You return the candidate. The new state mixes it with the old one.",
            lambda *a: _gru(*a, mix=lambda u, n, h: n)),
        Mistake("candidate whole", "The candidate enters whole. Its share is 1 - u_t, so that the two shares sum to 1.",
            lambda *a: _gru(*a, mix=lambda u, n, h: n + u * h)),
        Mistake("order of the parts", "Your parts stand in another order than `W`, `U` and `b` hold them: r, u, n.",
            _parts(1, 0, 2), _parts(0, 2, 1), _parts(2, 1, 0), _parts(1, 2, 0), _parts(2, 0, 1)),
        Mistake("no bias", "The biases are missing: each part is W[k] x + U[k] h + b[k].",
            lambda h, x, W, U, b: one_gru_step(h, x, W, U, 0 * b)),
        Mistake("U transposed", "Your U is transposed: for one vector the equation is written as it stands, `U[k] @ h`.",
            lambda h, x, W, U, b: one_gru_step(h, x, W, U.swapaxes(1, 2), b)),
        Mistake("bias inside the reset", "In your candidate the reset gate scales the bias as well. It scales `U[2] @ h` alone.",
            lambda h, x, W, U, b: _gru(h, x, W, U, b, new=lambda r, h, wx, V: jnp.tanh(wx - b[2] + r * (V @ h + b[2])))),
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
    objective="survive",
    answer="my_cell_path",
    gives="the matrix ∂C_T/∂C_0, `[hidden, hidden]`",
    cases=tuple((jax.nn.sigmoid(_array(T, n) + 1),) for T, n in ((2, 2), (3, 3), (5, 2))),
    edges=(
        (jax.nn.sigmoid(_array(1, 3)),), (jax.nn.sigmoid(_array(4, 1)),),
        (jnp.array([[1.0, 0.0, 0.5], [1.0, 0.7, 0.5]]),),  # gates that are open or shut altogether
    ),
    solution_function=along_the_cell,
    mistakes=(
        Mistake("a vector", "The right numbers, as a vector. A derivative of a vector by a vector is "
            "a matrix; this one is diagonal: `jnp.diag`.", lambda f: f.prod(axis=0)),
        Mistake("gates added", "You add the gates. Along one path derivatives are multiplied.", lambda f: jnp.diag(f.sum(axis=0))),
        Mistake("gates averaged", "You average the gates over time. Each step multiplies.", lambda f: jnp.diag(f.mean(axis=0))),
        Mistake("last step alone", "That is the last step alone. All T of them lie between C_0 and C_T.", lambda f: jnp.diag(f[-1])),
        Mistake("f_1 missing", "One factor is missing: f_1 leads from C_0 to C_1.", lambda f: jnp.diag(f[1:].prod(axis=0))),
        Mistake("f_T missing", "One factor is missing: f_T leads from C_{T-1} to C_T.", lambda f: jnp.diag(f[:-1].prod(axis=0))),
        Mistake("over the units", "You multiply over the units. Multiply over time, axis 0.", lambda f: jnp.diag(f.prod(axis=1))),
        Mistake("after every step", "Those are the products after every step. Asked for is the one "
            "after the last, as a diagonal matrix.", lambda f: jnp.cumprod(f, axis=0)),
        Mistake("1 - f", "A gate f = 1 keeps; what is passed on is f, not 1 - f.", lambda f: jnp.diag((1 - f).prod(axis=0))),
        Mistake("units mixed", "Units do not mix along this path: each entry of C depends on the same entry before, and on no other.",
            lambda f: jnp.full((f.shape[1],) * 2, f.prod()), lambda f: jnp.outer(f.prod(0), f.prod(0))),
        Mistake("identity times a number", "One number for all units. Each unit has its own product of gates.",
            lambda f: f.prod() * jnp.eye(f.shape[1]), lambda f: f.mean(1).prod() * jnp.eye(f.shape[1])),
    ),
    hints=(
        "C_t = f_t ⊙ C_{t-1} + …, and what stands behind the plus depends on h_{t-1}, which is held "
        "given. What is ∂C_t/∂C_{t-1}?",
        "A diagonal matrix with f_t on it. The product of diagonal matrices is diagonal, with the products of the entries.",
        "`return jnp.diag(f.prod(axis=0))`",
    ),
)  # fmt: skip

# ----------------------------------------------------------------------------------------- chrono biases


def chrono(uniform: Float[Array, " hidden"], longest: int) -> Float[Array, "2 hidden"]:
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
    objective="survive",
    answer="my_chrono",
    gives="the biases b_f and b_i, stacked: `[2, hidden]`",
    cases=(
        (jnp.array([0.25, 0.5, 0.75]), 10),
        (jnp.asarray(_rng.uniform(size=5), jnp.float32), 100),
        (jnp.asarray(_rng.uniform(size=4), jnp.float32), 300),
    ),
    edges=((jnp.array([0.0, 0.5, 1.0]), 10), (jnp.array([0.3]), 3), (jnp.array([0.0, 0.4, 1.0]), 2), (jnp.array([1.0, 0.5]), 100_000)),
    solution_function=chrono,
    mistakes=(
        Mistake("b_f alone", "The forget gate's biases are right; the input gate's, -b_f, are missing: `jnp.stack([b_f, -b_f])`.",
            lambda u, T: chrono(u, T)[0]),
        Mistake("same bias twice", "The input gate gets -b_f: a unit that keeps for long must also write little.",
            lambda u, T: jnp.stack([chrono(u, T)[0]] * 2)),
        Mistake("signs exchanged", "The signs are exchanged: a *positive* bias opens the forget gate, and open means keep.",
            lambda u, T: -chrono(u, T)),
        Mistake("no logarithm", "The logarithm is missing. A bias of 50 would close the question for good: σ(50) is 1.",
            _both(lambda u, T: 1 + u * (T - 2))),
        Mistake("bias uniform", "You draw the *bias* uniformly. Then most units remember "
            "short times; the time constant exp(b) should be uniform.", _both(lambda u, T: u * jnp.log(T - 1))),
        Mistake("range from 0", "Your range begins at 0, whose logarithm is -∞. It begins at 1.", _both(lambda u, T: jnp.log(u * (T - 1))),
            _both(lambda u, T: jnp.log(u * (T - 2))), _both(lambda u, T: jnp.log(u * T))),
        Mistake("range too long", "Your range ends at longest, or beyond; it should end at longest - 1.",
            _both(lambda u, T: jnp.log(1 + u * (T - 1))), _both(lambda u, T: jnp.log(1 + u * T))),
        Mistake("base 2", "The natural logarithm, please: σ(log n) = n / (n + 1).", _both(lambda u, T: jnp.log2(1 + u * (T - 2)))),
        Mistake("joined to one vector", "`concatenate` makes one long vector. `jnp.stack([b_f, -b_f])` gives two rows.",
            lambda u, T: chrono(u, T).reshape(-1)),
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
