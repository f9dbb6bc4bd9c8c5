"""Self-attention: every position asks, every position answers.

    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V

Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin (2017), *Attention
Is All You Need*, section 3.2.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..runtime import require, require_positive
from .attention import masked_softmax
from .dropout import dropped
from .positions import rotate

# True where a query may look at a key: for all alike, or by sentence (and head).
Mask = Bool[Array, "target source"] | Bool[Array, "#batch #heads #target source"]
SelfMask = Bool[Array, "time time"] | Bool[Array, "#batch #heads #time time"]


def scaled_scores(
    queries: Float[Array, "*lead target key"], keys: Float[Array, "*lead source key"]
) -> Float[Array, "*lead target source"]:
    """e_ij = q_i · k_j / √d_k.

    For components of mean 0 and variance 1, Var(q · k) = d_k; the division makes it 1.
    Built in notebook 06.
    """
    return queries @ jnp.swapaxes(keys, -1, -2) / math.sqrt(queries.shape[-1])


def scaled_dot_product(
    queries: Float[Array, "*lead target key"],
    keys: Float[Array, "*lead source key"],
    values: Float[Array, "*lead source value"],
    mask: Bool[Array, "..."] | None = None,
) -> tuple[Float[Array, "*lead target value"], Float[Array, "*lead target source"]]:
    """softmax(Q Kᵀ / √d_k) V, and the weights.

    `mask`: True where a query may look at a key, of any shape that broadcasts to `[…,
    target, source]`. Where it is False the weight is exactly 0; a query that may look
    nowhere gets zeros.
    """
    scores = scaled_scores(queries, keys)
    if mask is not None:
        try:
            mask = jnp.broadcast_to(mask, scores.shape)
        except ValueError:
            require(
                False,
                f"The mask has shape {mask.shape}, "
                f"which does not broadcast to the scores' {scores.shape}.",
            )
    weights = masked_softmax(scores, mask)
    return weights @ values, weights


def causal_mask(time: int) -> Bool[Array, "time time"]:
    """Position i may look at position j where j ≤ i."""
    require_positive(time=time)
    return jnp.tril(jnp.ones((time, time), bool))


def split_heads(
    x: Float[Array, "batch time width"], heads: int
) -> Float[Array, "batch heads time key"]:
    """[batch, time, heads · key] → [batch, heads, time, key]: to each head its numbers.

    A head gets neighbouring ones, and each head has an axis of its own.
    """
    batch, time, width = x.shape
    return x.reshape(batch, time, heads, width // heads).swapaxes(1, 2)


def join_heads(
    x: Float[Array, "batch heads time key"],
) -> Float[Array, "batch time width"]:
    """[batch, heads, time, key] → [batch, time, heads · key]: `split_heads` undone."""
    batch, heads, time, key = x.shape
    return x.swapaxes(1, 2).reshape(batch, time, heads * key)


class KeysValues(NamedTuple):
    """What is looked at, one share a head."""

    keys: Float[Array, "batch heads source key"]
    values: Float[Array, "batch heads source key"]


class MultiHead(nnx.Module):
    """Several looks at once, each head on its own share of the numbers:

        head_h = Attention(X W_q^h, M W_k^h, M W_v^h)      [head_1; …; head_H] W_o

    Self-attention looks at its own input, M = X; cross-attention at another's. All
    matrices have a bias.
    heads: must divide `width`; each head works on width / heads numbers.
    rotary: queries and keys are turned by their positions (`positions.rotate`).
    dropout: share of the output's entries that are 0 in training.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        rngs: nnx.Rngs,
        rotary: bool = False,
        dropout: float = 0.0,
    ):
        require_positive(width=width, heads=heads)
        require(
            width % heads == 0,
            f"{heads} heads cannot share {width} numbers evenly: "
            "the width must be a multiple of the heads.",
        )
        self.heads, self.rotary = heads, rotary
        self.query = nnx.Linear(width, width, rngs=rngs)
        self.key = nnx.Linear(width, width, rngs=rngs)
        self.value = nnx.Linear(width, width, rngs=rngs)
        self.out = nnx.Linear(width, width, rngs=rngs)
        self.dropout = dropped(dropout, rngs)

    def remember(
        self,
        inputs: Float[Array, "batch source width"],
        places: Int[Array, "#batch source"] | None = None,
    ) -> KeysValues:
        """Keys and values of what may be looked at: M W_k and M W_v. `places`: its
        positions, 0 … n - 1 unless given.
        """
        keys = split_heads(self.key(inputs), self.heads)
        values = split_heads(self.value(inputs), self.heads)
        return KeysValues(self._turned(keys, places), values)

    def look(
        self,
        inputs: Float[Array, "batch target width"],
        remembered: KeysValues,
        mask: Mask | None = None,
        places: Int[Array, "#batch target"] | None = None,
    ) -> tuple[
        Float[Array, "batch target width"], Float[Array, "batch heads target source"]
    ]:
        """What the heads read, put together, and their weights.

        places: of the inputs, 0 … n - 1 unless given.
        """
        queries = self._turned(split_heads(self.query(inputs), self.heads), places)
        heads, weights = scaled_dot_product(queries, *remembered, mask)
        return self.dropout(self.out(join_heads(heads))), weights

    def __call__(
        self, inputs: Float[Array, "batch time width"], mask: SelfMask | None = None
    ) -> Float[Array, "batch time width"]:
        """Self-attention."""
        return self.look(inputs, self.remember(inputs), mask)[0]

    def step(
        self,
        inputs: Float[Array, "batch 1 width"],
        cache: KeysValues,
        place: Int[Array, " batch"],
    ) -> tuple[Float[Array, "batch 1 width"], KeysValues]:
        """Self-attention of one position, which looks at itself and at those before it:
        their keys and values lie in the cache, and its own join them.
        """
        new = self.remember(inputs, place[:, None])
        positions = jnp.arange(cache.keys.shape[2])
        here = (positions == place[:, None])[:, None, :, None]
        cache = KeysValues(
            jnp.where(here, new.keys, cache.keys),
            jnp.where(here, new.values, cache.values),
        )
        seen = (positions <= place[:, None])[:, None, None]
        return self.look(inputs, cache, seen, place[:, None])[0], cache

    def _turned(
        self,
        x: Float[Array, "batch heads time key"],
        places: Int[Array, "#batch time"] | None,
    ) -> Float[Array, "batch heads time key"]:
        if not self.rotary:
            return x
        places = jnp.arange(x.shape[2])[None] if places is None else places
        return rotate(x, places[:, None])
