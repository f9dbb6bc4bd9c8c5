"""Attention in place of a recurrence: read a sequence, then answer a question about it, or predict each next word.

They are asked as the networks of `models.recurrent` are, `model(tokens, mask)`, so that whatever measures those measures
these.
"""

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..runtime import require_positive
from .positions import Positions
from .recurrent import refuse_empty_rows
from .self_attention import MultiHead, causal_mask
from .transformer import LONGEST, Block, WordsAndPlaces


class LookBack(nnx.Module):
    """One look: the last position asks, all positions answer, logits = W · Attention(q_T, K, V) + b.

    The way from any position to the answer is one step, and the look costs n scores, not n².
    """

    def __init__(
        self,
        vocab: int,
        classes: int,
        *,
        rngs: nnx.Rngs,
        width: int = 64,
        heads: int = 1,
        positions: Positions | str = "none",
        longest: int = LONGEST,
    ):
        require_positive(classes=classes)
        self.words = WordsAndPlaces(vocab, width, positions, longest, rngs=rngs)
        self.attention = MultiHead(width, heads, rngs=rngs, rotary=positions == "rotary")
        self.head = nnx.Linear(width, classes, rngs=rngs)

    def look(
        self, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
    ) -> tuple[Float[Array, "batch classes"], Float[Array, "batch heads time"]]:
        """The answer, and the weights of the last word's look."""
        x, last = self.words(tokens), _last(tokens, mask)
        asking = jnp.take_along_axis(x, last[:, None, None], axis=1)
        seen = None if mask is None else mask[:, None, None]
        found, weights = self.attention.look(asking, self.attention.remember(x), seen, last[:, None])
        return self.head(found[:, 0]), weights[:, :, 0]

    def __call__(
        self, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
    ) -> Float[Array, "batch classes"]:
        return self.look(tokens, mask)[0]


class AttentionReader(nnx.Module):
    """Layers of self-attention in which each position looks at itself and what came before, and a score for each class.

    inner: units of the MLP in each layer; 0 leaves it out, and nothing but attention and sums is left.
    """

    def __init__(
        self,
        vocab: int,
        classes: int,
        *,
        rngs: nnx.Rngs,
        width: int = 64,
        heads: int = 4,
        layers: int = 2,
        inner: int = 0,
        positions: Positions | str = "sinusoidal",
        longest: int = LONGEST,
    ):
        require_positive(classes=classes, layers=layers)
        self.words = WordsAndPlaces(vocab, width, positions, longest, rngs=rngs)
        rotary = positions == "rotary"
        self.blocks = nnx.data([Block(width, heads, inner, rngs=rngs, rotary=rotary) for _ in range(layers)])
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.head = nnx.Linear(width, classes, rngs=rngs)

    def look(
        self, tokens: Int[Array, "batch time"], keep: Float[Array, "layers heads"] | None = None
    ) -> tuple[Float[Array, "batch time classes"], Float[Array, "layers batch heads time time"]]:
        """Scores at every position, and the weights of every layer and head.

        keep: what each head's finding is multiplied with; 0 switches a head off.
        """
        x, found = self.words(tokens), []
        allowed = causal_mask(tokens.shape[1])
        for i, block in enumerate(self.blocks):
            x, weights, _ = block(x, allowed, keep=None if keep is None else keep[i])
            found.append(weights)
        return self.head(self.norm(x)), jnp.stack(found)

    def every_step(
        self, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
    ) -> Float[Array, "batch time classes"]:
        """Scores at every position. No position sees a later one, so padding on the right changes nothing."""
        refuse_empty_rows(mask)
        return self.look(tokens)[0]


class AttentionClassifier(AttentionReader):
    """Asked once, after the last word: logits `[batch, classes]`."""

    def __call__(
        self, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
    ) -> Float[Array, "batch classes"]:
        return jnp.take_along_axis(self.every_step(tokens, mask), _last(tokens, mask)[:, None, None], axis=1)[:, 0]


class AttentionLanguageModel(AttentionReader):
    """Asked at every position for the next word: logits `[batch, time, vocab]`, those at position t about t + 1."""

    def __init__(self, vocab: int, *, rngs: nnx.Rngs, **options: Any):
        super().__init__(vocab, vocab, rngs=rngs, **options)

    def __call__(
        self, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
    ) -> Float[Array, "batch time vocab"]:
        return self.every_step(tokens, mask)


def _last(tokens: Any, mask: Any) -> Any:
    """Place of the last word of each row."""
    batch, time = tokens.shape
    if mask is None:
        return jnp.full(batch, time - 1)
    refuse_empty_rows(mask)
    return time - 1 - mask[:, ::-1].argmax(axis=1)
