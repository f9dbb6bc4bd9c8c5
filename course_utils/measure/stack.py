"""What layers that are not trained make of random vectors: residual connections and norms, before any learning."""

import functools
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from ..models.transformer import Block, PostNormBlock

Kind = Literal["norm before", "norm after", "no sums"]
LAYERS = (1, 2, 4, 8, 16)
HEADS = 4


class Stacked(NamedTuple):
    """After each number of layers in `LAYERS`."""

    alike: list[float]  # mean cosine between the vectors of two positions
    told: list[float]  # share of positions whose own input a linear probe finds among all of the sequence
    gradient: list[float]  # size of the gradient of the output in a random direction of length 1, at the input


def stacked(kind: Kind, seed: int = 0, width: int = 64, positions: int = 16, sequences: int = 256) -> Stacked:
    """Random vectors through a stack of blocks. "no sums": x ← f(norm(x)) for each branch."""
    mask = jnp.ones((positions, positions), bool)
    inputs, direction = jax.random.normal(jax.random.key(seed), (2, sequences, positions, width))
    direction = direction[:4] / jnp.linalg.norm(direction[:4])
    make = PostNormBlock if kind == "norm after" else Block
    x, back, alike, told, gradient = inputs, [], [], [], []
    for i in range(max(LAYERS)):
        block = make(width, HEADS, 4 * width, rngs=nnx.Rngs(100 * seed + i))
        layer = functools.partial(_layer, *nnx.split(block), mask, kind != "no sums")
        back.append(jax.vjp(layer, x[:4])[1])
        x = layer(x)
        if i + 1 in LAYERS:
            slope = direction
            for pull in reversed(back):
                (slope,) = pull(slope)
            alike.append(round(likeness(x), 4))
            told.append(round(probed(x, inputs), 4))
            gradient.append(round(float(jnp.linalg.norm(slope)), 4))
    return Stacked(alike, told, gradient)


@functools.partial(jax.jit, static_argnums=(0, 3))
def _layer(
    graphdef: nnx.GraphDef[Block],
    state: nnx.State,
    mask: Bool[Array, "time time"],
    residual: bool,
    x: Float[Array, "batch time width"],
) -> Float[Array, "batch time width"]:
    block = nnx.merge(graphdef, state)
    if residual:
        return block(x, mask)
    x = block.attention(block.attention_norm(x), mask)
    return block.feed_forward(block.feed_forward_norm(x))


def likeness(x: Float[Array, "batch time width"]) -> float:
    """Mean cosine between the vectors of two positions of one sequence: 1 where all positions are the same."""
    unit = x / jnp.linalg.norm(x, axis=-1, keepdims=True)
    cosines, n = jnp.einsum("btd,bsd->bts", unit, unit), x.shape[1]
    return float((cosines.sum((1, 2)) - n).mean() / (n * (n - 1)))


def probed(x: Float[Array, "batch time width"], inputs: Float[Array, "batch time width"]) -> float:
    """How often a linear probe (least squares, three quarters of the sequences) tells a position's input from its vector.

    On the other quarter: the share of positions whose own input, of all inputs of their sequence, lies nearest to what is
    read out. Guessing finds one in as many as there are positions.
    """
    fitted, width = 3 * len(x) // 4, x.shape[-1]
    x = (x - x.mean((0, 1))) / x.std((0, 1))
    map_back = jnp.linalg.lstsq(x[:fitted].reshape(-1, width), inputs[:fitted].reshape(-1, width))[0]
    read = x[fitted:] @ map_back
    distances = jnp.linalg.norm(read[:, :, None] - inputs[fitted:, None], axis=-1)
    return float((distances.argmin(-1) == jnp.arange(x.shape[1])).mean())
