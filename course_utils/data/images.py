"""Small generated pictures: two signs at random positions, and the question which of them is farther left."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..runtime import require, require_positive

SIDE, PATCH = 16, 4
CROSS = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], np.float32)
RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.float32)


class Pictures(NamedTuple):
    """Grey pictures with one class each."""

    pixels: Float[Array, "batch side side"]
    labels: Int[Array, " batch"]  # 0: the cross is farther left, 1: the ring
    columns: Int[Array, "batch 2"]  # where the cross and the ring begin
    rows: Int[Array, "batch 2"]


def left_or_right(rng: Array, batch: int) -> Pictures:
    """A cross and a ring in noise; which of them is farther left? Can be compiled.

    Their columns differ by 4 pixels at least, so the two never touch. The shape of a sign says nothing about the answer.
    The position of one sign gives it in 94 % of the pictures, because near an edge there is room on one side only. Patches
    without their positions say little: only where within its patch a sign is.
    """
    require_positive(batch=batch)
    rows, first, gap, swap, noise = jax.random.split(rng, 5)
    top = jax.random.randint(rows, (batch, 2), 0, SIDE - 2)
    apart = jax.random.randint(gap, (batch,), 4, SIDE - 2)
    left = jnp.floor(jax.random.uniform(first, (batch,)) * (SIDE - 2 - apart)).astype(int)
    label = jax.random.bernoulli(swap, shape=(batch,)).astype(int)
    cross, ring = left + label * apart, left + (1 - label) * apart
    grid = jnp.zeros((batch, SIDE, SIDE))
    for sign, column, row in ((CROSS, cross, top[:, 0]), (RING, ring, top[:, 1])):
        grid += jax.vmap(
            lambda c, r, s=sign: jax.lax.dynamic_update_slice(jnp.zeros((SIDE, SIDE)), jnp.asarray(s), (r, c))
        )(column, row)
    pixels = grid + 0.1 * jax.random.normal(noise, grid.shape)
    return Pictures(pixels, label, jnp.stack([cross, ring], axis=1), top)


def cut(pixels: Float[Array, "batch side side"], patch: int = PATCH) -> Float[Array, "batch patches pixels"]:
    """Pictures cut into squares of `patch` × `patch` pixels, row by row, each laid out as a vector."""
    batch, side, _ = pixels.shape
    require(side % patch == 0, f"A side of {side} pixels does not fall into patches of {patch}.")
    n = side // patch
    return pixels.reshape(batch, n, patch, n, patch).swapaxes(2, 3).reshape(batch, n * n, patch * patch)
