"""The smallest network with a cliff: one unit, two parameters, fifty steps.

    h_t = σ(w h_{t-1} + b),   h_0 = 0.5,   L(w, b) = (h_50 - 0.7)²

Pascanu, Mikolov, Bengio (2013) draw the same picture, figure 6.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..runtime import require, require_positive

STEPS, START, TARGET = 50, 0.5, 0.7


def loss(w: Float[Array, "*lead"], b: Float[Array, "*lead"]) -> Float[Array, "*lead"]:
    """(h_50 - 0.7)² for one pair of parameters, or for many at once."""
    h = jax.lax.fori_loop(0, STEPS, lambda _, h: jax.nn.sigmoid(w * h + b), jnp.full(jnp.shape(w), START))
    return (h - TARGET) ** 2


def surface(w: Float[np.ndarray, " columns"], b: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "rows columns"]:
    """The loss on a grid."""
    return np.asarray(jax.jit(loss)(*jnp.meshgrid(jnp.asarray(w), jnp.asarray(b))))


class Descent(NamedTuple):
    """Gradient descent on the loss: where it has been, and how long each gradient was."""

    path: Float[np.ndarray, "steps 2"]  # (w, b), the start first
    losses: Float[np.ndarray, " steps"]
    lengths: Float[np.ndarray, " steps"]  # ‖g‖ before clipping


def clip(gradient: Float[Array, " n"], threshold: Float[Array, ""] | float) -> Float[Array, " n"]:
    """g ← θ g / ‖g‖ where ‖g‖ > θ, and g itself where it is not longer."""
    length = jnp.linalg.norm(gradient)
    return gradient * jnp.minimum(1, threshold / jnp.maximum(length, 1e-30))


def descend(
    start: tuple[float, float], learning_rate: float, threshold: float | None = None, updates: int = 40
) -> Descent:
    """`updates` steps of gradient descent from `start`, the gradient clipped to length `threshold` (None: never)."""
    require(np.isfinite(learning_rate) and learning_rate > 0, f"learning_rate must be positive, not {learning_rate!r}.")
    require(threshold is None or threshold > 0, f"The threshold must be positive, or None, not {threshold!r}.")
    require_positive(updates=updates)
    limit = jnp.inf if threshold is None else threshold
    whole = -(-updates // 100) * 100  # one compilation serves every length up to a hundred
    path, losses, lengths = _descend(jnp.asarray(start, jnp.float32), learning_rate, limit, whole)
    return Descent(*(np.asarray(a)[:updates] for a in (path, losses, lengths)))


@functools.partial(jax.jit, static_argnums=3)
def _descend(
    start: Float[Array, "2"], learning_rate: float | Array, threshold: float | Array, updates: int
) -> tuple[Float[Array, "updates 2"], Float[Array, " updates"], Float[Array, " updates"]]:
    def value(place):
        return loss(place[0], place[1])

    def one(place, _):
        L, g = jax.value_and_grad(value)(place)
        return place - learning_rate * clip(g, threshold), (place, L, jnp.linalg.norm(g))

    return jax.lax.scan(one, start, None, length=updates)[1]


class Rolled(NamedTuple):
    """Gradient descent along b alone, w held: a ball on a cut through the loss."""

    b: Float[np.ndarray, " steps"]  # the start first
    losses: Float[np.ndarray, " steps"]
    lengths: Float[np.ndarray, " steps"]  # |dL/db| before clipping


CUT = 5.0  # w of the cut


def roll(
    start: float, learning_rate: float, threshold: float | None = None, updates: int = 60, w: float = CUT
) -> Rolled:
    """b ← b - η clip(dL/db), for `updates` steps; `threshold` None: never clipped."""
    require(np.isfinite(learning_rate) and learning_rate > 0, f"learning_rate must be positive, not {learning_rate!r}.")
    require(threshold is None or threshold > 0, f"The threshold must be positive, or None, not {threshold!r}.")
    require_positive(updates=updates)
    limit = jnp.inf if threshold is None else threshold
    return Rolled(*map(np.asarray, _roll(jnp.float32(start), learning_rate, limit, jnp.float32(w), updates)))


@functools.partial(jax.jit, static_argnums=4)
def _roll(start, learning_rate, threshold, w, updates):
    def step(b, _):
        value, slope = jax.value_and_grad(lambda b: loss(w, b))(b)
        return b - learning_rate * clip(slope[None], threshold)[0], (b, value, jnp.abs(slope))

    return jax.lax.scan(step, start, length=updates + 1)[1]
