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

    b: Float[np.ndarray, "steps *lead"]  # the start first
    losses: Float[np.ndarray, "steps *lead"]
    lengths: Float[np.ndarray, "steps *lead"]  # |dL/db| before clipping


CUT, WALL = 5.0, -2.5  # w of the cut, and where its wall is: there the unit stands still at one half
THROWN = 2.5  # how far from the wall a ball has been thrown out


def slope(b: np.ndarray | float, w: float = CUT) -> tuple[np.ndarray, np.ndarray]:
    """The loss and dL/db in float64, from the recurrence dh_t/db = σ' (w dh_{t-1}/db + 1)."""
    b = np.asarray(b, float)
    h, dh = np.full(b.shape, START), np.zeros(b.shape)
    for _ in range(STEPS):
        h = 1 / (1 + np.exp(-np.clip(w * h + b, -500, 500)))
        dh = h * (1 - h) * (w * dh + 1)
    return np.asarray((h - TARGET) ** 2), np.asarray(2 * (h - TARGET) * dh)


def roll(start: np.ndarray | float, learning_rate: float, threshold: float | None = None, updates: int = 60) -> Rolled:
    """b ← b - η clip(dL/db), for `updates` steps in float64; `threshold` None: never clipped. One ball or many."""
    require(np.isfinite(learning_rate) and learning_rate > 0, f"learning_rate must be positive, not {learning_rate!r}.")
    require(threshold is None or threshold > 0, f"The threshold must be positive, or None, not {threshold!r}.")
    require_positive(updates=updates)
    b, been = np.asarray(start, float), []
    for _ in range(updates + 1):
        value, g = slope(b)
        been.append((b, value, np.abs(g)))
        b = b - learning_rate * (g if threshold is None else np.clip(g, -threshold, threshold))
    return Rolled(*(np.stack(column) for column in zip(*been, strict=True)))


def share_thrown(learning_rate: float, threshold: float | None = None, balls: int = 400, updates: int = 100) -> float:
    """Share of balls, begun evenly from just right of the wall to 1.5 from it, that are ever thrown farther than `THROWN` from it."""
    ball = roll(np.linspace(WALL + 0.1, WALL + 1.5, balls), learning_rate, threshold, updates)
    return float((np.abs(ball.b - WALL) > THROWN).any(0).mean())
