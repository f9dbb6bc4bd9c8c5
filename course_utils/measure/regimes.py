"""What a recurrent matrix does to a gradient: h_t = f(W h_{t-1} + x_t), its Jacobians diag(f') W, and a name for their product.

Everything here is in float64 and written out, without automatic differentiation; tests hold it to `gradients`.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..models.cells import ACTIVATIONS
from ..runtime import require, require_positive
from .gradients import Spectrum, product_spectrum

Kind = Literal["orthogonal", "Gaussian", "identity", "non-normal"]
Regime = Literal["vanishes", "explodes", "transient growth", "preserved", "overflows"]

CHAIN, COUPLING = 8, 0.3  # units in a chain of the non-normal matrix, and how strongly each feeds the next
KEPT = 10.0  # a norm within this factor of 1 counts as preserved
STILL = 0.95  # a norm that has kept this share of its growth, in powers of ten, has not come down
GROWN = 1.1  # a norm that has been above this has grown

# f and f', the latter from the value of f; f' of ReLU at 0 is 0, as in jax
RULES: dict[str, tuple[Callable, Callable]] = {
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda a: np.maximum(a, 0), lambda h: (h > 0).astype(float)),
    "logistic": (lambda a: 0.5 + 0.5 * np.tanh(a / 2), lambda h: h * (1 - h)),
    "linear": (lambda a: a, np.ones_like),
}
STEEPEST = {"tanh": 1.0, "relu": 1.0, "logistic": 0.25, "linear": 1.0}  # γ, the largest slope of f


def recurrent(kind: Kind | str, hidden: int, scale: float, seed: int = 0) -> Float[np.ndarray, "hidden hidden"]:
    """A matrix whose eigenvalue of largest modulus (its *spectral radius*) has exactly the modulus `scale`.

    orthogonal: `scale` times a rotation; all singular values are `scale`.   identity: `scale` times I.
    Gaussian: independent normal entries, rescaled; its largest singular value is about twice its radius.
    non-normal: in a random basis, chains of 8 units of which each feeds the next, `scale` (I + 0.3 N).
    """
    require_positive(hidden=hidden)
    require(kind in get_args(Kind), f"kind must be one of {', '.join(get_args(Kind))}, not {kind!r}.")
    require(np.isfinite(scale) and scale >= 0, f"scale must be a number of at least 0, not {scale!r}.")
    rng = np.random.default_rng(seed)
    if kind == "identity":
        return scale * np.eye(hidden)
    entries = rng.normal(size=(hidden, hidden))
    if kind == "Gaussian":
        return scale * entries / np.abs(np.linalg.eigvals(entries)).max()
    rotation = np.linalg.qr(entries)[0]
    if kind == "orthogonal":
        return scale * rotation
    feeds = np.diag((np.arange(1, hidden) % CHAIN != 0).astype(float), -1)
    return scale * rotation @ (np.eye(hidden) + COUPLING * feeds) @ rotation.T


class Run(NamedTuple):
    """States of a recurrence, and the Jacobian of each step at the state that it led to."""

    states: Float[np.ndarray, "time hidden"]
    jacobians: Float[np.ndarray, "time hidden hidden"]


def run(W: ArrayLike, activation: str, inputs: ArrayLike) -> Run:
    """For W `[hidden, hidden]` and inputs `[time, hidden]`: h_t = f(W h_{t-1} + x_t) from h_0 = 0, and J_t = diag(f'(W h_{t-1} + x_t)) W.

    Stops before the first state that is not a finite number.
    """
    W, inputs = np.asarray(W, float), np.asarray(inputs, float)
    require(
        W.ndim == 2 and W.shape[0] == W.shape[1],
        f"W maps a state to the next state, so it must be square; yours has shape {W.shape}.",
    )
    require(np.isfinite(W).all(), "W holds a number that is not finite.")
    require(activation in RULES, f"activation must be one of {', '.join(ACTIVATIONS)}, not {activation!r}.")
    require(len(inputs) >= 1, "A product of Jacobians needs at least one step: T must be at least 1.")
    require(inputs.shape[1:] == W.shape[:1], f"Inputs must have the shape (T, {len(W)}), not {inputs.shape}.")
    f, slope = RULES[activation]
    h, states = np.zeros(len(W)), []
    with np.errstate(over="ignore", invalid="ignore"):
        for x_t in inputs:
            h = f(W @ h + x_t)
            if not np.isfinite(h).all():
                break
            states.append(h)
    visited = np.array(states).reshape(-1, len(W))
    return Run(visited, slope(visited)[:, :, None] * W)


def random_inputs(length: int, hidden: int, scale: float, seed: int = 1) -> Float[np.ndarray, "time hidden"]:
    """Independent normal inputs of standard deviation `scale`."""
    require_positive(length=length, hidden=hidden)
    require(
        isinstance(scale, (int, float, np.number)) and np.isfinite(scale) and scale >= 0,
        f"The scale of the inputs must be a number of at least 0, not {scale!r}.",
    )
    return scale * np.random.default_rng(seed).normal(size=(length, hidden))


class Bounds(NamedTuple):
    """What can be known of a product of Jacobians without running the network."""

    radius: float  # spectral radius of W
    largest: float  # largest singular value of W
    per_step: float  # γ σ_max: no step multiplies the norm by more

    @classmethod
    def of(cls, W: Float[np.ndarray, "hidden hidden"], activation: str, radius: float | None = None) -> "Bounds":
        """Radius and singular value of W, and the bound ‖J_T … J_1‖ ≤ (γ σ_max)^T (Pascanu, Mikolov, Bengio 2013).

        `radius` may be given where it is known: of a matrix with repeated eigenvalues it cannot be computed well.
        """
        largest = float(np.linalg.norm(W, 2))
        radius = float(np.abs(np.linalg.eigvals(W)).max()) if radius is None else radius
        return cls(radius, largest, STEEPEST[activation] * largest)


def spectrum(run: Run) -> Spectrum:
    """Singular values of the product after each step."""
    return product_spectrum(run.jacobians)


def name_regime(log10_norm: Float[np.ndarray, " time"], complete: bool = True) -> Regime:
    """Name what a product of Jacobians does, from the base-10 logarithm of its norm after 1 … T steps.

    overflows: the states left the range of numbers (`complete` is False).
    explodes: has been above 10, and ends with at least 0.95 of the powers of ten that it had at its largest.
    transient growth: has been above 10 and ends with less of them, or has been above 1.1 and ends below 0.1.
    vanishes: ends below 0.1 without having grown.   preserved: ends between 0.1 and 10, never having been above 10.
    """
    norm = np.asarray(log10_norm, float)
    require(not np.isnan(norm).any(), "A norm is not a number.")
    require(norm.size >= 1 or not complete, "A regime needs the norm after at least one step.")
    if not complete:
        return "overflows"
    limit, end, peak = np.log10(KEPT), norm[-1], norm.max()
    if peak > limit:
        return "explodes" if end >= STILL * peak else "transient growth"
    if end < -limit:
        return "transient growth" if peak > np.log10(GROWN) else "vanishes"
    return "preserved"
