"""Exercises of notebook 02."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..measure.cliff import clip
from ..teaching.exercise import Exercise, Mistake, drawn

_rng = np.random.default_rng(2)
_array = functools.partial(drawn, _rng, scale=0.7)


# --------------------------------------------------------------------------------- the Jacobian of a step


def step_jacobian(h_t: Float[Array, " hidden"], W_h: Float[Array, "hidden hidden"]) -> Float[Array, "hidden hidden"]:
    """∂h_t/∂h_{t-1} of h_t = tanh(W_h h_{t-1} + W_x x_t + b): diag(1 - h_t²) W_h.

    Row i is multiplied by the slope of unit i, which for tanh is 1 - h_t[i]².
    """
    return (1 - h_t**2)[:, None] * W_h


jacobian = Exercise(
    name="jacobian",
    chapter="ch02",
    objective="chain",
    cases=tuple((jnp.tanh(_array(n)), _array(n, n)) for n in (2, 3, 5)),
    solution_function=step_jacobian,
    mistakes=(
        Mistake(lambda h, W: W, "That is the Jacobian of a *linear* recurrence. Each unit also has a slope, 1 - h²."),
        Mistake(lambda h, W: W * (1 - h**2), "Your slopes multiply the *columns* of W. The slope of unit i belongs "
            "to everything that "
                "arrives at unit i, that is, to row i."),
        Mistake(lambda h, W: (1 - h**2)[:, None] * W.T, "Your W is transposed: entry (i, j) says how h_t[i] changes "
            "with h_{t-1}[j], and "
                "that is W[i, j] times a slope."),
        Mistake(lambda h, W: (1 - jnp.tanh(h) ** 2)[:, None] * W, "`h_t` has already been through the tanh. Its "
            "slope is 1 - h_t², without "
                "another tanh."),
        Mistake(lambda h, W: (1 - h)[:, None] * W, "The slope of tanh is 1 - h², not 1 - h."),
        Mistake(lambda h, W: (h * (1 - h))[:, None] * W, "h (1 - h) is the slope of the logistic function. For tanh "
            "it is 1 - h²."),
        Mistake(lambda h, W: jnp.diag(1 - h**2), "That is the slope alone. The state before reaches the sum through W_h."),
        Mistake(lambda h, W: (1 - h**2) @ W, "You multiplied a row vector with W and got a vector. A Jacobian is a "
            "matrix: one slope for "
                "each of its rows."),
    ),
    hints=(
        "Two links of a chain: from h_{t-1} to the sum inside the tanh, and from that sum to h_t. What is the "
        "derivative of each?",
        "The first is the matrix W_h. The second touches each unit alone: a diagonal matrix with 1 - h_t² on it.",
        "`return (1 - h_t**2)[:, None] * W_h`, or `jnp.diag(1 - h_t**2) @ W_h`.",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------ back through time


def back_to_the_start(
    jacobians: Float[Array, "time hidden hidden"], gradient: Float[Array, " hidden"]
) -> Float[Array, " hidden"]:
    """∂L/∂h_0 from ∂L/∂h_T and the Jacobians J_1 … J_T: the row vector g J_T J_{T-1} … J_1, from the left.

    A vector times a matrix at every step: T · H² multiplications, where the product of the matrices would need T · H³.
    """
    return jax.lax.scan(lambda g, J: (g @ J, None), gradient, jacobians, reverse=True)[0]


def _product(jacobians):
    total = jnp.eye(jacobians.shape[-1])
    for J in jacobians:
        total = J @ total
    return total


def _scanned(step, reverse):
    return lambda Js, g: jax.lax.scan(lambda v, J: (step(v, J), None), g, Js, reverse=reverse)[0]


backward = Exercise(
    name="backward",
    chapter="ch02",
    objective="chain",
    cases=tuple((_array(T, n, n), _array(n)) for T, n in ((2, 2), (3, 4), (6, 3))),
    solution_function=back_to_the_start,
    mistakes=(
        Mistake(_scanned(lambda v, J: v @ J, False), "You start at J_1. The gradient comes from the end of the "
            "sequence: J_T is the first that "
                "it meets."),
        Mistake(_scanned(lambda v, J: J @ v, True), "`J @ g` pushes a *change* of the state forwards. A gradient "
            "goes the other way: `g @ J`."),
        Mistake(_scanned(lambda v, J: J @ v, False), "That carries a small change of h_0 forwards to h_T. Asked for "
            "is how the loss changes with h_0: "
                "start at the end, and multiply from the left."),
        Mistake(lambda Js, g: g @ Js[-1], "One step back only. All T Jacobians lie between h_T and h_0."),
        Mistake(lambda Js, g: g @ jnp.linalg.matrix_power(Js[-1], len(Js)), "You use the last Jacobian T times. "
            "Each step has its own, because "
                "its slopes depend on the state it was at."),
        Mistake(lambda Js, g: jax.lax.scan(lambda v, J: (v @ J, None), g, Js[1:], reverse=True)[0], "One factor is "
            "missing: you stop at h_1. "
                "`jacobians[0]` leads from h_0 to h_1."),
        Mistake(lambda Js, g: _product(Js), "That is the product of all Jacobians, a matrix. Multiply the gradient "
            "into it; better, multiply the "
                "gradient step by step and never build the matrix."),
        Mistake(lambda Js, g: g + sum(g @ J for J in Js), "Along one path derivatives are multiplied. Sums belong "
            "to different paths that meet."),
    ),
    hints=(
        "Which Jacobian does the gradient meet first when it comes from the end?",
        "A loop: `g = g @ J` for the Jacobians in reverse order. `jacobians[::-1]` reverses.",
        "`g = gradient`, then `for J in jacobians[::-1]: g = g @ J`, then `return g`.",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------- the bound


def largest_growth(W_h: Float[Array, "hidden hidden"], length: int, slope: float) -> Float[Array, ""]:
    """A bound on ‖J_T … J_1‖: (γ σ_max(W_h))^T, where γ is the largest slope of the activation and T the `length`."""
    return (slope * jnp.linalg.norm(W_h, 2)) ** length


def _radius(W):
    return np.abs(np.linalg.eigvals(np.asarray(W))).max()  # jax has no eigvals on a TPU


bound = Exercise(
    name="bound",
    chapter="ch02",
    objective="regimes",
    cases=((_array(2, 2), 2, 0.25), (_array(3, 3), 4, 1.0), (_array(6, 6, scale=0.3), 10, 0.5)),
    solution_function=largest_growth,
    mistakes=(
        Mistake(lambda W, T, s: (s * _radius(W)) ** T, "You use the spectral radius, the largest |eigenvalue|. For "
            "a matrix that is not normal the product can "
                "exceed that: a bound needs the largest *singular* value."),
        Mistake(lambda W, T, s: (s * jnp.linalg.norm(W)) ** T, "`jnp.linalg.norm(W)` is the Frobenius norm, the "
            "root of the sum of all squares. It bounds the "
                "growth too, but too generously; the largest singular value is `jnp.linalg.norm(W, 2)`."),
        Mistake(lambda W, T, s: jnp.linalg.norm(W, 2) ** T, "The activation is missing: each step is also "
            "multiplied by its slope, at most `slope`."),
        Mistake(lambda W, T, s: s * jnp.linalg.norm(W, 2) ** T, "The slope enters at every one of the T steps, not once."),
        Mistake(lambda W, T, s: s * jnp.linalg.norm(W, 2) * T, "Factors of successive steps are multiplied, so the "
            "bound is a power, not a multiple."),
        Mistake(lambda W, T, s: s * jnp.linalg.norm(W, 2), "That is the bound for one step. After T of them it is "
            "taken to the power T."),
        Mistake(lambda W, T, s: (s * jnp.linalg.norm(W, 2)) ** (T - 1), "From h_0 to h_T there are T steps, not T - 1."),
        Mistake(lambda W, T, s: (s * jnp.linalg.norm(W, -2)) ** T, "That is the *smallest* singular value: what the "
            "growth is at least, if every slope is `slope`."),
        Mistake(lambda W, T, s: (s * jnp.abs(W).max()) ** T, "The largest entry of a matrix says little about how "
            "much it stretches a vector: many small entries can add up."),
    ),
    hints=(
        "How much can one step stretch a vector at most? The matrix does something, and so does the slope.",
        "The most by which a matrix stretches a vector is its largest singular value, `jnp.linalg.norm(W_h, 2)`. "
        "The slope stretches by at most `slope`.",
        "`return (slope * jnp.linalg.norm(W_h, 2)) ** length`",
    ),
)  # fmt: skip

# -------------------------------------------------------------------------------------------- clipping

clipping = Exercise(
    name="clipping",
    chapter="ch02",
    objective="clip",
    cases=(
        (jnp.array([3.0, 4.0]), 1.0),
        (jnp.array([0.3, -0.4]), 1.0),
        (_array(5, scale=3.0), 2.0),
        (jnp.array([0.6, 0.9, -0.2]), 1.0),
        (jnp.array([0.9, -1.2]), 2.0),
    ),
    solution_function=clip,
    mistakes=(
        Mistake(lambda g, t: jnp.clip(g, -t, t), "You clip each number by itself, which turns the gradient: it no "
            "longer points downhill. Clip its "
                "*length*."),
        Mistake(lambda g, t: t * g / jnp.linalg.norm(g), "Your gradient always has the length θ. One that is "
            "shorter must stay as it is, or "
                "training could never settle."),
        Mistake(lambda g, t: g / jnp.linalg.norm(g), "You make every gradient one unit long. Only longer ones are "
            "shortened, and to the length θ."),
        Mistake(lambda g, t: g / jnp.maximum(1, jnp.linalg.norm(g)), "You shorten to the length 1; the threshold is θ."),
        Mistake(lambda g, t: jnp.where(jnp.linalg.norm(g) > 1, t * g / jnp.linalg.norm(g), g), "You compare with 1. "
            "Compare the length with θ: a gradient "
                "that is not longer than θ stays as it is."),
        Mistake(lambda g, t: g * jnp.minimum(1, t / (g @ g)), "You divide by the *square* of the length."),
        Mistake(lambda g, t: g * jnp.maximum(1, t / jnp.linalg.norm(g)), "Yours makes short gradients longer and "
            "leaves long ones alone: `minimum`, not "
                "`maximum`."),
        Mistake(lambda g, t: jnp.where(jnp.linalg.norm(g) > t, 0.0, g), "You throw a long gradient away. Its "
            "direction is still good; only its length is not "
                "to be trusted."),
        Mistake(lambda g, t: g * jnp.minimum(1, t / jnp.abs(g).max()), "You go by the largest entry. The length is "
            "the root of the sum of squares."),
        Mistake(lambda g, t: g, "Long gradients go through unchanged."),
    ),
    hints=(
        "Keep the direction, limit the length. When is nothing to be done?",
        "Multiply by a number: 1 if ‖g‖ ≤ θ, else θ/‖g‖. `jnp.linalg.norm(g)` is the length.",
        "`return g * jnp.minimum(1.0, threshold / jnp.linalg.norm(g))`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------- truncation


def truncated_slope(w: Float[Array, ""] | float, xs: Float[Array, " time"], k: int) -> Float[Array, ""]:
    """∂h_T/∂w of h_t = w h_{t-1} + x_t (h_0 = 0), with the gradient followed back through the last k steps only.

        Σ_{t = T-k+1 … T} w^{T-t} h_{t-1}

    The weight is used at every step; its use at step t adds h_{t-1}, carried on to the end by w^{T-t}. With k ≥ T this
    is the full derivative, with k = 0 no use counts and it is 0. The states themselves are never cut.
    """
    return _uses(w, xs)[max(len(xs) - k, 0) :].sum()


def _states(w, xs) -> Array:
    """h_0 … h_{T-1}: the state before each step."""
    return jax.lax.scan(lambda h, x: (w * h + x, h), jnp.zeros(()), xs)[1]


def _uses(w, xs) -> Array:
    """What the use of w at each step adds to the derivative at the end."""
    before = _states(w, xs)
    return jnp.asarray(w) ** jnp.arange(len(xs) - 1, -1, -1) * before


def _restarted(w, xs, k):
    return _uses(w, xs[-k:]).sum()


truncation = Exercise(
    name="truncation",
    chapter="ch02",
    objective="truncate",
    cases=(
        (0.5, jnp.array([1.0, 2.0, 3.0]), 2), (0.9, _array(6), 3), (-0.7, _array(8), 5), (0.8, _array(4), 4),
        (0.5, jnp.array([1.0, 2.0, 3.0]), 4),
    ),
    solution_function=truncated_slope,
    mistakes=(
        Mistake(lambda w, xs, k: _uses(w, xs).sum(), "That is the full derivative. Uses of w more than k steps "
            "before the end must not count."),
        Mistake(_restarted, "You cut the *state*: your recurrence starts from 0 k steps before the end. Truncation "
            "leaves the states alone and cuts only "
                "the derivative."),
        Mistake(lambda w, xs, k: _uses(w, xs)[:k].sum(), "You keep the first k uses; truncation keeps the last k."),
        Mistake(lambda w, xs, k: _uses(w, xs)[-k - 1:].sum(), "One use too many: k of them count, the last is step T itself."),
        Mistake(lambda w, xs, k: _uses(w, xs)[len(xs) - k + 1:].sum(), "One use too few: k of them count, step T included."),
        Mistake(lambda w, xs, k: _uses(w, xs)[len(xs) - k:].sum(), "Right as long as k is not larger than T. Where it is, "
            "your slice begins before the first use, and Python counts "
                "a negative place from the end. Then all uses count: `max(len(xs) - k, 0)`."),
        Mistake(lambda w, xs, k: _states(w, xs)[-k:].sum(), "You add up the states, but what step t adds is carried "
            "on to the end: it is multiplied by w at each "
                "of the T - t steps that follow."),
        Mistake(lambda w, xs, k: _uses(w, xs)[-k], "That is one use of w, the one k steps back. w is the same "
            "number at every step, so its uses add up."),
        Mistake(lambda w, xs, k: (w ** jnp.arange(len(xs) - 1, -1, -1) * (w * _states(w, xs) + xs))[-k:].sum(),
                "Step t multiplies w with the state *before* it, h_{t-1}, not with h_t."),
    ),
    hints=(
        "w is used at every step. What would the derivative be if only its use at the last step counted? And only "
        "that at the step before?",
        "The use at step t adds h_{t-1} · w^(T - t). Run the recurrence, keep the states *before* each step, and "
        "add up the last k such terms.",
        "`before = jax.lax.scan(lambda h, x: (w * h + x, h), 0.0, xs)[1]`, `uses = w ** jnp.arange(len(xs) - 1, -1, "
        "-1) * before`, `return uses[max(len(xs) - k, 0):].sum()`",
    ),
)  # fmt: skip

ALL = (jacobian, backward, bound, clipping, truncation)

__all__ = ["ALL", "backward", "bound", "clipping", "jacobian", "truncation"]
