"""Where a word stands. Attention compares contents alone; these tell it the places.

A position varies along the time axis and is the same for every sentence of a batch.
"""

from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..runtime import require, require_positive

Positions = Literal["sinusoidal", "learned", "rotary", "none"]
# The wider the vector, the nearer its slowest pair comes to one turn in 2π · BASE.
BASE = 10_000.0


def frequencies(width: int) -> Float[Array, " pairs"]:
    """ω_m = 1 / 10000^(2m / d) for m = 0 … d/2 - 1, in radians a position."""
    require_positive(width=width)
    require(
        width % 2 == 0,
        f"Positions come in pairs of numbers (sine and cosine): {width} is odd.",
    )
    return BASE ** (-jnp.arange(0, width, 2) / width)


def sinusoidal(places: Int[Array, "*lead"], width: int) -> Float[Array, "*lead width"]:
    """p_{t,2m} = sin(t ω_m), p_{t,2m+1} = cos(t ω_m), with ω_m = 1 / 10000^(2m/d).

    p_t · p_s depends on t - s alone. Vaswani and others (2017), section 3.5. Built in
    notebook 06.
    """
    angles = places[..., None] * frequencies(width)
    return jnp.stack([jnp.sin(angles), jnp.cos(angles)], axis=-1).reshape(
        *places.shape, width
    )


def rotate(
    x: Float[Array, "*lead time width"], places: Int[Array, "*#lead time"]
) -> Float[Array, "*lead time width"]:
    """Turn each pair (x_{2m}, x_{2m+1}) at position t by the angle t ω_m.

    Then q_t · k_s depends on the two contents and on t - s; lengths stay. Su, Lu, Pan,
    Wen, Liu (2021). Used on queries and keys, never on values.
    """
    angles = places[..., None] * frequencies(x.shape[-1])
    sin, cos = jnp.sin(angles).astype(x.dtype), jnp.cos(angles).astype(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return jnp.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1).reshape(
        x.shape
    )
