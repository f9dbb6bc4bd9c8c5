"""What large scores do to a softmax: how sure it gets, and how little gradient it lets through."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..runtime import require_positive


def entropy(weights: Float[Array, "*lead source"]) -> Float[Array, "*lead"]:
    """-Σ_j α_j log2 α_j in bits: 0 where one weight is 1, log2 n where all n are alike."""
    return -jax.scipy.special.xlogy(weights, weights).sum(-1) / jnp.log(2)


def gradient_size(weights: Float[Array, "*lead source"]) -> Float[Array, "*lead"]:
    """‖∂α/∂e‖ of the softmax (Frobenius): ∂α_i/∂e_j = α_i (δ_ij - α_j). It is 0 where one weight is 1."""
    squares = (weights**2).sum(-1)
    # Σ_ij α_i² (δ_ij - α_j)² = Σ_i α_i² - 2 Σ_i α_i³ + (Σ_i α_i²)²
    return jnp.sqrt(jnp.maximum(squares - 2 * (weights**3).sum(-1) + squares**2, 0))


class Saturation(NamedTuple):
    """What the scores of random vectors do to a softmax."""

    scores: Float[Array, "queries source"]
    variance: float  # of the scores
    entropy: float  # of the weights, in bits
    gradient: float  # ‖∂α/∂e‖: half of the queries let through less
    largest: float  # weight


def saturation(queries: Any, keys: Any, scale: float) -> Saturation:
    """Scores scale · q · k of `[n, d]` queries and `[n, source, d]` keys, and what the softmax makes of them.

    Variance, entropy and largest weight are means over the queries, the gradient is their median.
    """
    scores = scale * jnp.einsum("nd,nsd->ns", queries, keys)
    weights = jax.nn.softmax(scores)
    gradient = float(jnp.median(gradient_size(weights)))
    return Saturation(
        scores, float(scores.var()), float(entropy(weights).mean()), gradient, float(weights.max(-1).mean())
    )


def random_vectors(rng: Array, size: int, source: int = 16, queries: int = 500) -> tuple[Array, Array]:
    """Queries `[queries, size]` and keys `[queries, source, size]` whose numbers have mean 0 and variance 1."""
    require_positive(size=size, source=source, queries=queries)
    first, second = jax.random.split(rng)
    return jax.random.normal(first, (queries, size)), jax.random.normal(second, (queries, source, size))
