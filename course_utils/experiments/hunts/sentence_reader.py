"""The loop of a recurrent network, `read(xs, W_h, W_x, b) -> h`, that is asked whether a subject is singular or plural.

xs `[time, embed]` are the vectors of a sentence up to its verb; W_h `[hidden, hidden]`, W_x `[hidden, embed]`, b `[hidden]`.
Subject and verb are 3 to 10 words apart. Short sentences have blanks in front, so that each ends with its last word.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from ...data.agreement import agreement, vocabulary
from ...data.batching import Batches, Labelled
from ...models.cells import RNNCell
from ...models.losses import classification
from ..agreement import BATCH
from . import Setting, Task

HIDDEN, EMBED = 32, 16


class Reader(nnx.Module):
    """A classifier around somebody's loop."""

    def __init__(self, read: Callable, rngs: nnx.Rngs):
        self.read = read
        self.embed = nnx.Embed(len(vocabulary()), EMBED, rngs=rngs)
        self.cell = RNNCell(EMBED, HIDDEN, rngs=rngs)  # its parameters; the loop is somebody's
        self.head = nnx.Linear(HIDDEN, 2, rngs=rngs)

    def __call__(self, tokens: jax.Array, mask: jax.Array | None = None) -> jax.Array:
        """Scores of singular and plural, `[batch, 2]`."""
        weights = self.cell.W_h[...], self.cell.W_x[...], self.cell.b[...]
        return self.head(jax.vmap(lambda xs: self.read(xs, *weights))(self.embed(tokens)))


def batches(distance: int) -> Batches:
    """Sentences with subject and verb 3 to `distance` words apart, blanks in front."""
    asked = agreement(10_000, seed=0, distances=(3, distance)).asked()
    blanks = (~asked.mask).sum(1)
    turned = jax.vmap(jnp.roll)(asked.tokens, blanks)
    return Batches(Labelled(turned, jnp.ones_like(asked.mask), asked.labels), BATCH)


def model(read: Callable, length: int, rngs: nnx.Rngs) -> Reader:
    """A small network around the loop."""
    return Reader(read, rngs)


TASK = Task(
    model, batches, classification, guessing=math.log(2),
    full=Setting(length=10, updates=500), quick=Setting(length=5, updates=300),
)  # fmt: skip
