"""Self-attention: every position asks, every position answers.

    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V

Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin (2017), *Attention
Is All You Need*, section 3.2.
"""

import math
from typing import Any, NamedTuple

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..runtime import require, require_positive
from .attention import masked_softmax
from .positions import rotate


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
    """Several looks at once: head_h = Attention(X W_q^h, M W_k^h, M W_v^h), then
    [head_1; …; head_H] W_o.

    Self-attention looks at its own input, M = X; cross-attention at another's. All
    matrices have a bias.
    heads: must divide `width`; each head works on width / heads numbers.
    rotary: queries and keys are turned by their positions (`positions.rotate`).
    """

    def __init__(self, width: int, heads: int, *, rngs: nnx.Rngs, rotary: bool = False):
        require_positive(width=width, heads=heads)
        require(
            width % heads == 0,
            f"{heads} heads cannot share {width} numbers evenly: "
            "the width must be a multiple of the heads.",
        )
        self.heads, self.rotary = heads, rotary
        self.query, self.key, self.value, self.out = (
            nnx.Linear(width, width, rngs=rngs) for _ in range(4)
        )

    def remember(
        self,
        inputs: Float[Array, "batch source width"],
        places: Int[Array, "#batch source"] | None = None,
    ) -> KeysValues:
        """Keys and values of what may be looked at: M W_k and M W_v. `places`: its
        positions, 0 … n - 1 unless given.
        """
        keys, values = (
            split_heads(make(inputs), self.heads) for make in (self.key, self.value)
        )
        return KeysValues(self._turned(keys, places), values)

    def look(
        self,
        inputs: Float[Array, "batch target width"],
        remembered: KeysValues,
        mask: Bool[Array, "..."] | None = None,
        places: Int[Array, "#batch target"] | None = None,
        keep: Float[Array, " heads"] | None = None,
    ) -> tuple[
        Float[Array, "batch target width"], Float[Array, "batch heads target source"]
    ]:
        """What the inputs find in what is remembered, and the weights.

        places: of the inputs, 0 … n - 1 unless given.   keep: what each head's finding
        is multiplied with; 0 switches it off.
        """
        queries = self._turned(split_heads(self.query(inputs), self.heads), places)
        found, weights = scaled_dot_product(queries, *remembered, mask)
        found = found if keep is None else found * keep[:, None, None]
        return self.out(join_heads(found)), weights

    def __call__(
        self,
        inputs: Float[Array, "batch time width"],
        mask: Bool[Array, "..."] | None = None,
        keep: Float[Array, " heads"] | None = None,
    ) -> tuple[Float[Array, "batch time width"], Float[Array, "batch heads time time"]]:
        """Self-attention."""
        return self.look(inputs, self.remember(inputs), mask, keep=keep)

    def _turned(self, x: Any, places: Any) -> Any:
        if not self.rotary:
            return x
        places = jnp.arange(x.shape[2])[None] if places is None else places
        return rotate(x, places[:, None])
