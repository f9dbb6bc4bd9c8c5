"""What large scores do to a softmax: how sure it gets, and how little gradient it lets through."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..runtime import require_positive
from .gradients import length_of


def entropy(weights: Float[Array, "*lead source"]) -> Float[Array, "*lead"]:
    """-Σ_j α_j log2 α_j in bits: 0 where one weight is 1, log2 n where all n are alike."""
    return -jax.scipy.special.xlogy(weights, weights).sum(-1) / jnp.log(2)


def gradient_size(weights: Float[Array, "*lead source"]) -> Float[Array, "*lead"]:
    """‖∂α/∂e‖ of the softmax (Frobenius): ∂α_i/∂e_j = α_i (δ_ij - α_j). It is 0 where one weight is 1.

    1 - α_i is summed from the other weights: next to a weight of nearly 1 the difference would be lost in rounding.
    """
    same = jnp.eye(weights.shape[-1])
    others = weights[..., None, :] * (1 - same)  # [..., i, j]: α_j, and 0 where j is i
    jacobian = weights[..., None] * (same * others.sum(-1, keepdims=True) - others)
    return length_of(jacobian.reshape(*weights.shape[:-1], -1))


OPEN = 0.1  # ‖∂α/∂e‖ of a softmax that still learns; 16 equal weights have 0.24


class Saturation(NamedTuple):
    """What the scores of random vectors do to a softmax."""

    scores: Float[Array, "queries source"]
    variance: float  # of the scores
    entropy: float  # of the weights, in bits
    gradient: float  # ‖∂α/∂e‖: half of the queries let through less
    open: float  # share of the queries whose ‖∂α/∂e‖ is above `OPEN`
    largest: float  # weight


def saturation(queries: Float[Array, "n d"], keys: Float[Array, "n source d"], scale: float) -> Saturation:
    """Scores scale · q · k, and what the softmax makes of them.

    Variance, entropy and largest weight are means over the queries, the gradient is their median.
    """
    scores = scale * jnp.einsum("nd,nsd->ns", queries, keys)
    weights = jax.nn.softmax(scores)
    gradients = gradient_size(weights)
    return Saturation(
        scores,
        variance=float(scores.var()),
        entropy=float(entropy(weights).mean()),
        gradient=float(jnp.median(gradients)),
        open=float((gradients > OPEN).mean()),
        largest=float(weights.max(-1).mean()),
    )


def random_vectors(rng: Array, size: int, source: int = 16, queries: int = 500) -> tuple[Array, Array]:
    """Queries `[queries, size]` and keys `[queries, source, size]` whose numbers have mean 0 and variance 1."""
    require_positive(size=size, source=source, queries=queries)
    first, second = jax.random.split(rng)
    return jax.random.normal(first, (queries, size)), jax.random.normal(second, (queries, source, size))
