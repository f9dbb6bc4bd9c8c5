"""Attention in place of a recurrence: read a sequence, then answer a question about it,
or predict each next word.

They are asked as the networks of `models.sequence` are, `model(tokens, mask)`, so that
whatever measures those measures these.
"""

from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..runtime import require, require_one_of, require_positive
from .fast import unroll
from .interfaces import Cell
from .positions import Positions
from .recurrent import refuse_empty_rows
from .self_attention import KeysValues, MultiHead, causal_mask
from .transformer import LONGEST, AttentionOnly, Block, Decoding, WordsAndPlaces


class LookBack(nnx.Module):
    """One look: the last position asks, all positions answer.

        logits = W · Attention(q_T, K, V) + b

    The way from any position to the answer is one step, and the look costs n scores,
    not n².
    """

    def __init__(
        self,
        vocab: int,
        classes: int,
        *,
        rngs: nnx.Rngs,
        width: int = 64,
        heads: int = 1,
        positions: Positions = "none",
        longest: int = LONGEST,
    ):
        require_positive(classes=classes)
        self.words = WordsAndPlaces(vocab, width, positions, longest, rngs=rngs)
        self.attention = MultiHead(
            width, heads, rngs=rngs, rotary=positions == "rotary"
        )
        self.head = nnx.Linear(width, classes, rngs=rngs)

    def look(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> tuple[Float[Array, "batch classes"], Float[Array, "batch heads time"]]:
        """The answer, and the weights of the last word's look."""
        x, last = self.words(tokens), _last(tokens, mask)
        asking = jnp.take_along_axis(x, last[:, None, None], axis=1)
        seen = None if mask is None else mask[:, None, None]
        found, weights = self.attention.look(
            asking, self.attention.remember(x), seen, last[:, None]
        )
        return self.head(found[:, 0]), weights[:, :, 0]

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch classes"]:
        return self.look(tokens, mask)[0]


class AttentionReader(nnx.Module):
    """Layers of self-attention in which each position looks at itself and what came
    before, and a score for each class.

    inner: units of the feed-forward network in each layer; 0 leaves it out, and nothing
    but attention, sums and norms is left.
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
        positions: Positions = "sinusoidal",
        longest: int = LONGEST,
    ):
        require_positive(classes=classes, layers=layers)
        self.width, self.heads = width, heads
        self.words = WordsAndPlaces(vocab, width, positions, longest, rngs=rngs)
        rotary = positions == "rotary"
        self.blocks = nnx.data(
            [
                Block(width, heads, inner, rotary=rotary, rngs=rngs)
                if inner
                else AttentionOnly(width, heads, rotary=rotary, rngs=rngs)
                for _ in range(layers)
            ]
        )
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.head = nnx.Linear(width, classes, rngs=rngs)

    def every_step(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch time classes"]:
        """Scores at every position. No position sees a later one, so padding on the
        right changes nothing.
        """
        refuse_empty_rows(mask)
        x = self.words(tokens)
        for block in self.blocks:
            x = block(x, causal_mask(tokens.shape[1]))
        return self.head(self.norm(x))


class AttentionClassifier(AttentionReader):
    """Asked once, after the last word: logits `[batch, classes]`."""

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch classes"]:
        return jnp.take_along_axis(
            self.every_step(tokens, mask), _last(tokens, mask)[:, None, None], axis=1
        )[:, 0]


class AttentionLanguageModel(AttentionReader):
    """Asked at every position for the next word: logits `[batch, time, vocab]`."""

    def __init__(self, vocab: int, *, rngs: nnx.Rngs, **options: Any):
        super().__init__(vocab, vocab, rngs=rngs, **options)

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch time vocab"]:
        return self.every_step(tokens, mask)

    def begin(
        self, prompt: Int[Array, "batch time"], longest: int
    ) -> tuple[Decoding, Float[Array, "batch vocab"]]:
        """Keys and values of the prompt in every layer, and scores of the next word."""
        self.words.fits(longest)
        batch = len(prompt)
        empty = (batch, self.heads, longest, self.width // self.heads)
        nothing = KeysValues(jnp.zeros(empty), jnp.zeros(empty))
        cache = (nothing,) * len(self.blocks)
        state = Decoding(cache, jnp.zeros(batch, int))
        state, logits = jax.lax.scan(self.advance, state, prompt.T)
        return state, logits[-1]

    def advance(
        self, state: Decoding, words: Int[Array, " batch"]
    ) -> tuple[Decoding, Float[Array, "batch vocab"]]:
        """One position, which looks at the keys and values of those before it."""
        place = state.place
        x, caches = self.words(words[:, None], place[:, None]), []
        for block, cache in zip(self.blocks, state.cache, strict=True):
            x, cache = block.step(x, cache, place)
            caches.append(cache)
        return Decoding(tuple(caches), place + 1), self.head(self.norm(x))[:, 0]


def _last(
    tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None
) -> Int[Array, " batch"]:
    """Place of the last word of each row."""
    batch, time = tokens.shape
    if mask is None:
        return jnp.full(batch, time - 1)
    refuse_empty_rows(mask)
    return time - 1 - mask[:, ::-1].argmax(axis=1)


class AttentiveRecurrence(nnx.Module):
    """A recurrence with a look back over its own states, then a score for each class.

        y_t = h_t + Attention(h_t, h_1 … h_t, h_1 … h_t)

    The states are made one after another; each of them can be looked at directly. With
    `every_step` for classifiers and language models alike.
    """

    def __init__(
        self, cell: Cell, vocab: int, classes: int, *, rngs: nnx.Rngs, heads: int = 1
    ):
        require_positive(classes=classes)
        self.cell = cell
        self.embed = nnx.Embed(vocab, cell.embed, rngs=rngs)
        self.attention = MultiHead(cell.hidden, heads, rngs=rngs)
        self.head = nnx.Linear(cell.hidden, classes, rngs=rngs)

    def every_step(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch time classes"]:
        """Scores at every position."""
        states, _ = unroll(self.cell, self.embed(tokens), mask)
        return self.head(states + self.attention(states, causal_mask(tokens.shape[1])))

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "..."]:
        return self.every_step(tokens, mask)


class AttentiveRecurrentClassifier(AttentiveRecurrence):
    """Asked once, after the last word, with one look of n scores: logits `[batch,
    classes]`.
    """

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch classes"]:
        states, _ = unroll(self.cell, self.embed(tokens), mask)
        asking = jnp.take_along_axis(states, _last(tokens, mask)[:, None, None], axis=1)
        seen = None if mask is None else mask[:, None, None]
        found, _ = self.attention.look(asking, self.attention.remember(states), seen)
        return self.head((asking + found)[:, 0])


class PatchReader(nnx.Module):
    """A Transformer for images: each patch becomes a vector, positions are added,
    blocks of attention, the mean, a score for each class.

    positions: "learned" or "none".   Dosovitskiy and others (2021), who read the answer
    off an extra position; here the mean.
    """

    def __init__(
        self,
        patches: int,
        pixels: int,
        classes: int,
        *,
        rngs: nnx.Rngs,
        width: int = 64,
        heads: int = 4,
        layers: int = 2,
        positions: Literal["learned", "none"] = "learned",
    ):
        require_positive(patches=patches, pixels=pixels, classes=classes, layers=layers)
        require_one_of(positions=(positions, ("learned", "none")))
        self.embed = nnx.Linear(pixels, width, rngs=rngs)
        self.table = (
            nnx.Embed(patches, width, rngs=rngs) if positions == "learned" else None
        )
        self.blocks = nnx.data(
            [Block(width, heads, 2 * width, rngs=rngs) for _ in range(layers)]
        )
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.head = nnx.Linear(width, classes, rngs=rngs)

    def __call__(
        self, patches: Float[Array, "batch patches pixels"]
    ) -> Float[Array, "batch classes"]:
        x, count = self.embed(patches), patches.shape[1]
        if self.table is not None:
            most = self.table.num_embeddings
            require(
                count <= most,
                f"{count} patches are more than the {most} this reader has places for.",
            )
            x = x + self.table(jnp.arange(count)) * self.table.features**0.5
        for block in self.blocks:
            x = block(x, jnp.ones((count, count), bool))
        return self.head(self.norm(x).mean(axis=1))
