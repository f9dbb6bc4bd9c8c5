"""Exercises of chapter 02: Jacobians, the way back, bounds, clipping, truncation."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

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
    answer="my_jacobian",
    gives="the matrix ∂h_t/∂h_{t-1}, `[hidden, hidden]`",
    cases=tuple((jnp.tanh(_array(n)), _array(n, n)) for n in (2, 3, 5)),
    edges=(
        (jnp.tanh(_array(1)), _array(1, 1)),
        (jnp.array([0.0, 1.0, -1.0]), _array(3, 3)),
        (jnp.array([0.5, 0.5]), jnp.zeros((2, 2))),
    ),
    solution_function=step_jacobian,
    mistakes=(
        Mistake("no slope", "That is the Jacobian of a *linear* recurrence. Each unit also has a slope, 1 - h².", lambda h, W: W),
        Mistake("slopes on columns", "Your slopes multiply the *columns* of W. The slope of unit i belongs to everything that "
            "arrives at unit i, that is, to row i.", lambda h, W: W * (1 - h**2), lambda h, W: W @ jnp.diag(1 - h**2)),
        Mistake("W_h transposed", "Your W is transposed: entry (i, j) says how h_t[i] changes with h_{t-1}[j], and "
            "that is W[i, j] times a slope.", lambda h, W: (1 - h**2)[:, None] * W.T, lambda h, W: W.T),
        Mistake("all transposed", "That is the Jacobian's transpose, which carries gradients as columns. Row i is about h_t[i].",
            lambda h, W: ((1 - h**2)[:, None] * W).T),
        Mistake("tanh twice", "`h_t` has already been through the tanh. Its slope is 1 - h_t², without another tanh.",
            lambda h, W: (1 - jnp.tanh(h) ** 2)[:, None] * W, lambda h, W: (1 - jnp.tanh(W @ h) ** 2)[:, None] * W),
        Mistake("no square", "The slope of tanh is 1 - h², not 1 - h.", lambda h, W: (1 - h)[:, None] * W),
        Mistake("logistic slope", "h (1 - h) is the slope of the logistic function. For tanh it is 1 - h².",
            lambda h, W: (h * (1 - h))[:, None] * W),
        Mistake("slope alone", "That is the slope alone. The state before reaches the sum through W_h.", lambda h, W: jnp.diag(1 - h**2)),
        Mistake("a vector", "You multiplied a row vector with W and got a vector. A Jacobian is a matrix: one slope for "
            "each of its rows.", lambda h, W: (1 - h**2) @ W, lambda h, W: W @ (1 - h**2)),
        Mistake("h in place of the slope", "You multiply by h_t itself. What multiplies row i is the slope of tanh there, 1 - h_t².",
            lambda h, W: h[:, None] * W, lambda h, W: (h**2)[:, None] * W),
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
    g = gradient
    for J in jacobians[::-1]:
        g = g @ J
    return g


def _product(jacobians):
    total = jnp.eye(jacobians.shape[-1])
    for J in jacobians:
        total = J @ total
    return total


def _carried(step, reverse=True, start=0):
    def function(Js, g):
        for J in Js[start:][::-1] if reverse else Js[start:]:
            g = step(g, J)
        return g

    return function


backward = Exercise(
    name="backward",
    chapter="ch02",
    objective="chain",
    answer="my_backward",
    gives="the gradient at the start, `[hidden]`",
    cases=tuple((_array(T, n, n), _array(n)) for T, n in ((2, 2), (3, 4), (6, 3))),
    edges=((_array(1, 3, 3), _array(3)), (_array(4, 1, 1), _array(1)), (jnp.zeros((2, 2, 2)), _array(2))),
    solution_function=back_to_the_start,
    mistakes=(
        Mistake("forwards", "You start at J_1. The gradient comes from the end of the sequence: J_T is the first that "
            "it meets.", _carried(lambda g, J: g @ J, reverse=False)),
        Mistake("from the wrong side", "`J @ g` pushes a *change* of the state forwards. A gradient goes the other way: `g @ J`.",
            _carried(lambda g, J: J @ g)),
        Mistake("a change of the state", "That carries a small change of h_0 forwards to h_T. Asked for is "
            "how the loss changes with h_0: start at the end, and multiply from the left.", _carried(lambda g, J: J @ g, reverse=False)),
        Mistake("one step", "One step back only. All T Jacobians lie between h_T and h_0.", lambda Js, g: g @ Js[-1]),
        Mistake("one Jacobian T times", "You use one Jacobian T times. Each step has its own, because "
            "its slopes depend on the state it was at.", lambda Js, g: g @ jnp.linalg.matrix_power(Js[-1], len(Js)),
            lambda Js, g: g @ jnp.linalg.matrix_power(Js[0], len(Js))),
        Mistake("stops at h_1", "One factor is missing: you stop at h_1. `jacobians[0]` leads from h_0 to h_1.",
            _carried(lambda g, J: g @ J, start=1)),
        Mistake("first factor left out", "One factor is missing: you begin at h_{T-1}. `jacobians[-1]` leads from h_{T-1} to h_T.",
            lambda Js, g: _carried(lambda v, J: v @ J)(Js[:-1], g)),
        Mistake("a matrix", "That is the product of all Jacobians, a matrix. Multiply the gradient into it; better, multiply the "
            "gradient step by step and never build the matrix.", lambda Js, g: _product(Js)),
        Mistake("sum over the steps", "Along one path derivatives are multiplied. Sums belong to different paths that meet.",
            lambda Js, g: g + sum(g @ J for J in Js), lambda Js, g: sum(g @ J for J in Js), lambda Js, g: g @ Js.sum(0)),
        Mistake("all on the way", "Those are the gradients at every state on the way. Asked for is the one at the start.",
            lambda Js, g: jax.lax.scan(lambda v, J: (v @ J,) * 2, g, Js, reverse=True)[1]),
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
    answer="my_bound",
    gives="one number",
    cases=((_array(2, 2), 2, 0.25), (_array(3, 3), 4, 1.0), (_array(6, 6, scale=0.3), 3, 0.5)),
    edges=(
        (jnp.array([[0.5, 5.0], [0.0, 0.5]]), 3, 1.0),  # far from normal
        (_array(3, 3), 1, 0.5), (_array(1, 1), 3, 1.0), (jnp.zeros((2, 2)), 2, 1.0), (_array(3, 3), 40, 0.8),
    ),
    solution_function=largest_growth,
    mistakes=(
        Mistake("spectral radius", "You use the spectral radius, the largest |eigenvalue|. For "
            "a matrix that is not normal the product can exceed that: a bound needs the largest *singular* value.",
            lambda W, T, s: (s * _radius(W)) ** T),
        Mistake("Frobenius norm", "`jnp.linalg.norm(W)` is the Frobenius norm, the root of the sum of all squares. It bounds the "
            "growth too, but too generously; the largest singular value is `jnp.linalg.norm(W, 2)`.",
            lambda W, T, s: (s * jnp.linalg.norm(W)) ** T),
        Mistake("no slope", "The activation is missing: each step is also multiplied by its slope, at most `slope`.",
            lambda W, T, s: jnp.linalg.norm(W, 2) ** T),
        Mistake("slope once", "The slope enters at every one of the T steps, not once.", lambda W, T, s: s * jnp.linalg.norm(W, 2) ** T),
        Mistake("a multiple", "Factors of successive steps are multiplied, so the bound is a power, not a multiple.",
            lambda W, T, s: s * jnp.linalg.norm(W, 2) * T),
        Mistake("one step", "That is the bound for one step. After T of them it is taken to the power T.",
            lambda W, T, s: s * jnp.linalg.norm(W, 2)),
        Mistake("one step too few", "From h_0 to h_T there are T steps, not T - 1.",
            lambda W, T, s: (s * jnp.linalg.norm(W, 2)) ** (T - 1)),
        Mistake("smallest singular value", "That is the *smallest* singular value: what the growth is at least, if every slope is `slope`.",
            lambda W, T, s: (s * jnp.linalg.norm(W, -2)) ** T),
        Mistake("largest entry", "The largest entry of a matrix says little about how much it stretches a vector: many small entries "
            "can add up.", lambda W, T, s: (s * jnp.abs(W).max()) ** T),
        Mistake("sums of rows or columns", "Largest sums of rows (`inf`) or of columns (`1`) bound the growth of other lengths. "
            "For the usual one it is the largest singular value, `jnp.linalg.norm(W, 2)`.",
            lambda W, T, s: (s * jnp.linalg.norm(W, 1)) ** T, lambda W, T, s: (s * jnp.linalg.norm(W, jnp.inf)) ** T),
        Mistake("square of the singular value", "You square the singular value (or took an eigenvalue of WᵀW without the root).",
            lambda W, T, s: (s * jnp.linalg.norm(W, 2) ** 2) ** T),
        Mistake("power of the matrix", "That is the norm of W^T for this one matrix, with the largest slopes. What holds for every "
            "sequence is the product of the norms: the norm first, then the power.",
            lambda W, T, s: s**T * jnp.linalg.norm(jnp.linalg.matrix_power(W, T), 2)),
    ),
    hints=(
        "How much can one step stretch a vector at most? The matrix does something, and so does the slope.",
        "The most by which a matrix stretches a vector is its largest singular value, `jnp.linalg.norm(W_h, 2)`. "
        "The slope stretches by at most `slope`.",
        "`return (slope * jnp.linalg.norm(W_h, 2)) ** length`",
    ),
)  # fmt: skip

# -------------------------------------------------------------------------------------------- clipping


def clipped(g: Float[Array, " parameters"], threshold: float) -> Float[Array, " parameters"]:
    """g · min(1, θ/‖g‖): the same direction, at most θ long; 0 stays 0 (`measure.cliff.clip`)."""
    return g * jnp.minimum(1.0, threshold / jnp.linalg.norm(g))


def _longer(than, otherwise):
    """Shortened to θ where `than(g, θ)`, else as `otherwise` says."""
    return lambda g, t: jnp.where(than(g, t), t * g / jnp.linalg.norm(g), otherwise(g))


clipping = Exercise(
    name="clipping",
    chapter="ch02",
    objective="clip",
    answer="my_clip",
    gives="the gradient, as long as it was or shorter",
    cases=(
        (jnp.array([3.0, 4.0]), 1.0),
        (jnp.array([0.3, -0.4]), 1.0),
        (_array(5, scale=3.0), 2.0),
        (jnp.array([0.6, 0.9, -0.2]), 1.0),
        (jnp.array([0.9, -1.2]), 2.0),
        (jnp.array([0.48, 0.64]), 0.5), (jnp.array([0.12, -0.16]), 0.5), (jnp.array([0.6, 0.8, 0.8]), 1.5), (jnp.array([1.5, 2.0]), 3.0),
    ),
    edges=(
        (jnp.zeros(2), 1.0),
        (jnp.array([0.0, -2.0]), 2.0),
        (jnp.array([-7.0]), 0.1), (_array(4, scale=1e-4), 1e-5), (_array(4, scale=1e4), 100.0), (jnp.array([0.0, 1e-6]), 5.0),
    ),
    solution_function=clipped,
    mistakes=(
        Mistake("entry by entry", "You clip each number by itself, which turns the gradient: it no "
            "longer points downhill. Clip its *length*.", lambda g, t: jnp.clip(g, -t, t)),
        Mistake("always θ long", "Your gradient always has the length θ. One that is shorter must stay as it is, or "
            "training could never settle.", lambda g, t: t * g / jnp.linalg.norm(g)),
        Mistake("always 1 long", "You make every gradient one unit long. Only longer ones are shortened, and to the length θ.",
            lambda g, t: g / jnp.linalg.norm(g)),
        Mistake("to the length 1", "You shorten to the length 1; the threshold is θ.", lambda g, t: g / jnp.maximum(1, jnp.linalg.norm(g)),
            lambda g, t: jnp.where(jnp.linalg.norm(g) > t, g / jnp.linalg.norm(g), g)),
        Mistake("compared with 1", "You compare with 1. Compare the length with θ: a gradient "
            "that is not longer than θ stays as it is.", _longer(lambda g, t: jnp.linalg.norm(g) > 1, lambda g: g)),
        Mistake("square compared", "You compare the *square* of the length with θ (the sum of squares, without the root).",
            _longer(lambda g, t: g @ g > t, lambda g: g)),
        Mistake("divided by the square", "You divide by the *square* of the length.", lambda g, t: g * jnp.minimum(1, t / (g @ g)),
            lambda g, t: jnp.where(jnp.linalg.norm(g) > t, t * g / (g @ g), g)),
        Mistake("maximum for minimum", "Yours makes short gradients longer and leaves long ones alone: `minimum`, not "
            "`maximum`.", lambda g, t: g * jnp.maximum(1, t / jnp.linalg.norm(g))),
        Mistake("thrown away", "You throw a long gradient away. Its direction is still good; only its length is not "
            "to be trusted.", lambda g, t: jnp.where(jnp.linalg.norm(g) > t, 0.0, g)),
        Mistake("largest entry", "You go by the largest entry. The length is the root of the sum of squares.",
            lambda g, t: g * jnp.minimum(1, t / jnp.abs(g).max())),
        Mistake("sum of the entries", "You go by the sum of the |entries|. The length is the root of the sum of squares.",
            lambda g, t: g * jnp.minimum(1, t / jnp.abs(g).sum())),
        Mistake("unchanged", "Long gradients go through unchanged.", lambda g, t: g),
        Mistake("0/0", "Right, but for a gradient of zeros: there you compute 0/0, which is not a number, and one such step spoils every "
            "weight. Let the length stand alone below a line: θ/‖g‖ may be infinite, and `min` makes it 1.",
            lambda g, t: g / jnp.linalg.norm(g) * jnp.minimum(jnp.linalg.norm(g), t)),
    ),
    hints=(
        "Keep the direction, limit the length. When is nothing to be done?",
        "Multiply by a number: 1 if ‖g‖ ≤ θ, else θ/‖g‖. `jnp.linalg.norm(g)` is the length.",
        "`return g * jnp.minimum(1.0, threshold / jnp.linalg.norm(g))`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------- truncation


def truncated_slope(w: Float[Array, ""] | float, xs: Float[Array, " time"], k: int) -> Float[Array, ""] | float:
    """∂h_T/∂w of h_t = w h_{t-1} + x_t (h_0 = 0), with the gradient followed back through the last k steps only.

        Σ_{t = T-k+1 … T} w^{T-t} h_{t-1}

    The weight is used at every step; its use at step t adds h_{t-1}, carried on to the end by w^{T-t}. With k ≥ T this
    is the full derivative, with k = 0 no use counts and it is 0. The states themselves are never cut.
    """
    h, total = 0.0, 0.0
    for t, x in enumerate(xs, start=1):
        if t > len(xs) - k:
            total = total + w ** (len(xs) - t) * h
        h = w * h + x
    return total


def _states(w, xs) -> Array:
    """h_0 … h_{T-1}: the state before each step."""
    return jax.lax.scan(lambda h, x: (w * h + x, h), jnp.zeros(()), xs)[1]


def _uses(w, xs) -> Array:
    """What the use of w at each step adds to the derivative at the end."""
    return jnp.asarray(w) ** jnp.arange(len(xs) - 1, -1, -1) * _states(w, xs)


def _last(numbers, k) -> Array:
    return numbers[max(len(numbers) - k, 0) :].sum()


truncation = Exercise(
    name="truncation",
    chapter="ch02",
    objective="truncate",
    answer="my_truncated",
    gives="one number",
    cases=((0.5, jnp.array([1.0, 2.0, 3.0]), 2), (0.9, _array(6), 3), (-0.7, _array(8), 5)),
    edges=(
        (0.8, _array(4), 4), (0.5, jnp.array([1.0, 2.0, 3.0]), 4), (0.5, jnp.array([1.0, 2.0, 3.0]), 9),
        (0.9, _array(5), 1), (0.9, _array(5), 0), (0.0, _array(4), 2), (1.0, _array(4), 3), (0.5, jnp.array([2.0]), 1),
    ),
    solution_function=truncated_slope,
    mistakes=(
        Mistake("not cut", "That is the full derivative. Uses of w more than k steps before the end must not count.",
            lambda w, xs, k: _uses(w, xs).sum()),
        Mistake("state cut", "You cut the *state*: your recurrence starts from 0 k steps before the end. Truncation "
            "leaves the states alone and cuts only the derivative.", lambda w, xs, k: _uses(w, xs[-k:]).sum()),
        Mistake("first k", "You keep the first k uses; truncation keeps the last k.", lambda w, xs, k: _uses(w, xs)[:k].sum()),
        Mistake("one too many", "One use too many: k of them count, the last is step T itself.",
            lambda w, xs, k: _last(_uses(w, xs), k + 1)),
        Mistake("one too few", "One use too few: k of them count, step T included.", lambda w, xs, k: _last(_uses(w, xs), k - 1)),
        Mistake("k beyond T", "Right as long as k is not larger than T. Where it is, your slice begins before the first use, and Python "
            "counts a negative place from the end. Then all uses count: `max(len(xs) - k, 0)`.",
            lambda w, xs, k: _uses(w, xs)[len(xs) - k:].sum()),
        Mistake("k of 0", "Right but for k = 0: `[-0:]` is everything, and no use should count. Say where the slice begins: "
            "`[max(len(xs) - k, 0):]`.", lambda w, xs, k: _uses(w, xs)[-k:].sum()),
        Mistake("not carried on", "You add up the states, but what step t adds is carried on to the end: it is multiplied by w at each "
            "of the T - t steps that follow.", lambda w, xs, k: _last(_states(w, xs), k)),
        Mistake("one use", "That is one use of w, the one k steps back. w is the same number at every step, so its uses add up.",
            lambda w, xs, k: _uses(w, xs)[-k]),
        Mistake("state after the step", "Step t multiplies w with the state *before* it, h_{t-1}, not with h_t.",
            lambda w, xs, k: _last(jnp.asarray(w) ** jnp.arange(len(xs) - 1, -1, -1) * (w * _states(w, xs) + xs), k)),
        Mistake("carried one step too far", "Each of your terms is multiplied by w once too often: from step t to the end there are T - t "
            "steps, and for the last use none.", lambda w, xs, k: w * _last(_uses(w, xs), k)),
    ),
    hints=(
        "w is used at every step. What would the derivative be if only its use at the last step counted? And only "
        "that at the step before?",
        "The use at step t adds h_{t-1} · w^(T - t). Go through the sequence once; at each step, before the state is renewed, ask "
        "whether this use counts: is t larger than T - k?",
        "`h = total = 0.0`; `for t, x in enumerate(xs, 1):` / `if t > len(xs) - k: total += w ** (len(xs) - t) * h` / "
        "`h = w * h + x`; then `return total`",
    ),
)  # fmt: skip

ALL = (jacobian, backward, bound, clipping, truncation)

__all__ = ["ALL", "backward", "bound", "clipping", "jacobian", "truncation"]
