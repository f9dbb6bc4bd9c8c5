"""The Transformer: self-attention and a small network at every position, with a way
around each.

    x ← x + Attention(norm(x))        x ← x + FeedForward(norm(x))

Vaswani and others (2017). There the norm stood behind each sum (post-norm); put before
each branch (pre-norm), it trains without a warm-up (Xiong and others 2020).
`Transformer` translates, with the three methods of every `interfaces.Translator`;
classifiers and models of the next word are in `models.readers`.
"""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..runtime import require, require_one_of, require_positive
from .dropout import dropped
from .positions import Positions, sinusoidal
from .recurrent import refuse_empty_rows
from .self_attention import KeysValues, MultiHead, SelfMask, causal_mask

Norm = Literal["pre", "post"]
SourceMask = Bool[Array, "#batch #heads #time source"]
LONGEST = 128  # positions that a learned table holds unless told


class WordsAndPlaces(nnx.Module):
    """Word vectors whose entries have variance 1 at the start, plus positions where
    these are added: x_t = √d E[w_t] + p_t.

    A learned p_t is √d times the row of a table, as the words are; a sinusoidal one is
    added as it is.
    """

    def __init__(
        self,
        vocab: int,
        width: int,
        positions: Positions,
        longest: int,
        *,
        rngs: nnx.Rngs,
    ):
        require_positive(vocab=vocab, width=width, longest=longest)
        require_one_of(positions=(positions, Positions))
        self.positions, self.longest = positions, longest
        self.embed = nnx.Embed(vocab, width, rngs=rngs)
        self.table = (
            nnx.Embed(longest, width, rngs=rngs) if positions == "learned" else None
        )

    def __call__(
        self,
        words: Int[Array, "batch time"],
        places: Int[Array, "#batch time"] | None = None,
    ) -> Float[Array, "batch time width"]:
        """The vectors of the words. places: 0 … time - 1 unless given."""
        time, width = words.shape[1], self.embed.features
        places = jnp.arange(time)[None] if places is None else places
        x = self.embed(words) * width**0.5
        if self.table is not None:
            self.fits(time)
            return x + self.table(places) * width**0.5
        return x + sinusoidal(places, width) if self.positions == "sinusoidal" else x

    def fits(self, time: int) -> None:
        """Raise where so many positions are more than a learned table holds."""
        require(
            self.table is None or time <= self.longest,
            f"A sequence of {time} positions is longer than the {self.longest} "
            "that were learned. "
            "Make `longest` larger, or take sinusoidal or rotary positions.",
        )


class FeedForward(nnx.Module):
    """W_2 relu(W_1 x + b_1) + b_2, the same at every position."""

    def __init__(self, width: int, inner: int, *, rngs: nnx.Rngs, dropout: float = 0.0):
        self.inner = nnx.Linear(width, inner, rngs=rngs)
        self.outer = nnx.Linear(inner, width, rngs=rngs)
        self.dropout = dropped(dropout, rngs)

    def __call__(self, x: Float[Array, "*lead width"]) -> Float[Array, "*lead width"]:
        return self.dropout(self.outer(jax.nn.relu(self.inner(x))))


class AttentionOnly(nnx.Module):
    """The first half of a block, x ← x + Attention(norm(x)): it mixes positions, and
    changes nothing at a position by itself.

    rotary, dropout: see `MultiHead`.
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
        self.attention = MultiHead(
            width, heads, rotary=rotary, dropout=dropout, rngs=rngs
        )
        self.attention_norm = nnx.LayerNorm(width, rngs=rngs)

    def __call__(
        self, x: Float[Array, "batch time width"], mask: SelfMask
    ) -> Float[Array, "batch time width"]:
        return x + self.attention(self.attention_norm(x), mask)

    def step(
        self,
        x: Float[Array, "batch 1 width"],
        cache: KeysValues,
        place: Int[Array, " batch"],
    ) -> tuple[Float[Array, "batch 1 width"], KeysValues]:
        """One position, the keys and values before it given (the KV cache)."""
        change, cache = self.attention.step(self.attention_norm(x), cache, place)
        return x + change, cache


class Block(AttentionOnly):
    """One layer of a Transformer, pre-norm: self-attention, then a small network at
    every position, each inside a residual connection.

        x ← x + Attention(norm(x))
        x ← x + FeedForward(norm(x))

    inner: units of the feed-forward network.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        *,
        rngs: nnx.Rngs,
        rotary: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__(width, heads, rngs=rngs, rotary=rotary, dropout=dropout)
        self.feed_forward = FeedForward(width, inner, rngs=rngs, dropout=dropout)
        self.feed_forward_norm = nnx.LayerNorm(width, rngs=rngs)

    def __call__(
        self, x: Float[Array, "batch time width"], mask: SelfMask
    ) -> Float[Array, "batch time width"]:
        x = x + self.attention(self.attention_norm(x), mask)
        return x + self.feed_forward(self.feed_forward_norm(x))

    def step(
        self,
        x: Float[Array, "batch 1 width"],
        cache: KeysValues,
        place: Int[Array, " batch"],
    ) -> tuple[Float[Array, "batch 1 width"], KeysValues]:
        """One position, the keys and values before it given (the KV cache)."""
        change, cache = self.attention.step(self.attention_norm(x), cache, place)
        x = x + change
        return x + self.feed_forward(self.feed_forward_norm(x)), cache


class PostNormBlock(Block):
    """A block of 2017, post-norm: x ← norm(x + f(x)) for each of its two branches."""

    def __call__(
        self, x: Float[Array, "batch time width"], mask: SelfMask
    ) -> Float[Array, "batch time width"]:
        x = self.attention_norm(x + self.attention(x, mask))
        return self.feed_forward_norm(x + self.feed_forward(x))

    def step(
        self,
        x: Float[Array, "batch 1 width"],
        cache: KeysValues,
        place: Int[Array, " batch"],
    ) -> tuple[Float[Array, "batch 1 width"], KeysValues]:
        """One position, the keys and values before it given (the KV cache)."""
        change, cache = self.attention.step(x, cache, place)
        x = self.attention_norm(x + change)
        return self.feed_forward_norm(x + self.feed_forward(x)), cache


class DecoderBlock(Block):
    """A block that looks at a source between its two branches (cross-attention).

        x ← x + Attention(norm(x))
        x ← x + CrossAttention(norm(x), source)
        x ← x + FeedForward(norm(x))

    source: keys and values of the source, from `cross.remember`, made once for all
    words that will look at it.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        *,
        rngs: nnx.Rngs,
        rotary: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__(width, heads, inner, rngs=rngs, rotary=rotary, dropout=dropout)
        self.cross = MultiHead(width, heads, dropout=dropout, rngs=rngs)
        self.cross_norm = nnx.LayerNorm(width, rngs=rngs)

    def __call__(
        self,
        x: Float[Array, "batch time width"],
        mask: SelfMask,
        source: KeysValues,
        source_mask: SourceMask,
    ) -> tuple[
        Float[Array, "batch time width"], Float[Array, "batch heads time source"]
    ]:
        """x after the layer, and the weights of the cross-attention."""
        x = x + self.attention(self.attention_norm(x), mask)
        change, weights = self.cross.look(self.cross_norm(x), source, source_mask)
        x = x + change
        return x + self.feed_forward(self.feed_forward_norm(x)), weights

    def step(
        self,
        x: Float[Array, "batch 1 width"],
        cache: KeysValues,
        place: Int[Array, " batch"],
        source: KeysValues,
        source_mask: SourceMask,
    ) -> tuple[
        Float[Array, "batch 1 width"], KeysValues, Float[Array, "batch heads 1 source"]
    ]:
        """One position, the keys and values before it given (the KV cache)."""
        change, cache = self.attention.step(self.attention_norm(x), cache, place)
        x = x + change
        change, weights = self.cross.look(self.cross_norm(x), source, source_mask)
        x = x + change
        return x + self.feed_forward(self.feed_forward_norm(x)), cache, weights


class PostNormDecoderBlock(DecoderBlock):
    """A decoder block of 2017, post-norm: x ← norm(x + f(x)) for each of its three
    branches.
    """

    def __call__(
        self,
        x: Float[Array, "batch time width"],
        mask: SelfMask,
        source: KeysValues,
        source_mask: SourceMask,
    ) -> tuple[
        Float[Array, "batch time width"], Float[Array, "batch heads time source"]
    ]:
        """x after the layer, and the weights of the cross-attention."""
        x = self.attention_norm(x + self.attention(x, mask))
        change, weights = self.cross.look(x, source, source_mask)
        x = self.cross_norm(x + change)
        return self.feed_forward_norm(x + self.feed_forward(x)), weights

    def step(
        self,
        x: Float[Array, "batch 1 width"],
        cache: KeysValues,
        place: Int[Array, " batch"],
        source: KeysValues,
        source_mask: SourceMask,
    ) -> tuple[
        Float[Array, "batch 1 width"], KeysValues, Float[Array, "batch heads 1 source"]
    ]:
        """One position, the keys and values before it given (the KV cache)."""
        change, cache = self.attention.step(x, cache, place)
        x = self.attention_norm(x + change)
        change, weights = self.cross.look(x, source, source_mask)
        x = self.cross_norm(x + change)
        return self.feed_forward_norm(x + self.feed_forward(x)), cache, weights


class Encoded(NamedTuple):
    """What the encoder hands over: its outputs, their mask, and for each layer of the
    decoder their keys and values.
    """

    states: Float[Array, "batch source width"]
    mask: Bool[Array, "batch source"]
    prepared: tuple[KeysValues, ...]


class Decoding(NamedTuple):
    """The state of decoding: keys and values of all words so far (the KV cache), and
    the place of the next.
    """

    cache: tuple[KeysValues, ...]
    place: Int[Array, " batch"]


class Transformer(nnx.Module):
    """An encoder and a decoder of `layers` blocks each; the translator without a
    recurrence.

    width: numbers of each position's vector.   heads: of each attention.   inner: units
    of the feed-forward networks (4 · width unless given).
    positions: "sinusoidal", "learned" (a table of `longest` rows), "rotary", or "none".
    norm: "pre" or "post".
    dropout: share of the branches' outputs and of the first vectors' entries that are 0
    in training.
    """

    def __init__(
        self,
        source_vocab: int,
        target_vocab: int,
        *,
        rngs: nnx.Rngs,
        width: int = 128,
        heads: int = 4,
        layers: int = 2,
        inner: int | None = None,
        positions: Positions = "sinusoidal",
        longest: int = LONGEST,
        norm: Norm = "pre",
        dropout: float = 0.0,
    ):
        require_positive(layers=layers)
        require_one_of(norm=(norm, Norm))
        inner = 4 * width if inner is None else inner
        self.source_words = WordsAndPlaces(
            source_vocab, width, positions, longest, rngs=rngs
        )
        self.target_words = WordsAndPlaces(
            target_vocab, width, positions, longest, rngs=rngs
        )
        pre, rotary = norm == "pre", positions == "rotary"
        encoder, decoder = BLOCKS[norm]
        self.encoder = nnx.data(
            [
                encoder(width, heads, inner, rotary=rotary, dropout=dropout, rngs=rngs)
                for _ in range(layers)
            ]
        )
        self.decoder = nnx.data(
            [
                decoder(width, heads, inner, rotary=rotary, dropout=dropout, rngs=rngs)
                for _ in range(layers)
            ]
        )
        self.encoder_norm = nnx.LayerNorm(width, rngs=rngs) if pre else _as_it_is
        self.decoder_norm = nnx.LayerNorm(width, rngs=rngs) if pre else _as_it_is
        self.output = nnx.Linear(width, target_vocab, rngs=rngs)
        self.dropout = dropped(dropout, rngs)

    def encode(
        self, source: Int[Array, "batch source"], mask: Bool[Array, "batch source"]
    ) -> Encoded:
        """Read the source, all positions at once."""
        refuse_empty_rows(mask)
        x = self.dropout(self.source_words(source))
        for block in self.encoder:
            x = block(x, mask[:, None, None])
        x = self.encoder_norm(x)
        return Encoded(x, mask, tuple(b.cross.remember(x) for b in self.decoder))

    def begin(self, memory: Encoded, longest: int) -> Decoding:
        """An empty cache for `longest` words."""
        self.target_words.fits(longest)
        cache = tuple(
            KeysValues(*(_room(part, longest) for part in source))
            for source in memory.prepared
        )
        return Decoding(cache, jnp.zeros(memory.mask.shape[0], int))

    def advance(
        self, state: Decoding, words: Int[Array, " batch"], memory: Encoded
    ) -> tuple[Decoding, Float[Array, "batch vocab"], Float[Array, "batch source"]]:
        """One step: the cache with the word before, scores of the next words, weights
        of the last layer (mean of its heads).
        """
        place, caches, mask = state.place, [], memory.mask[:, None, None]
        x = self.target_words(words[:, None], place[:, None])
        for block, cache, source in zip(
            self.decoder, state.cache, memory.prepared, strict=True
        ):
            x, cache, weights = block.step(x, cache, place, source, mask)
            caches.append(cache)
        state = Decoding(tuple(caches), place + 1)
        return state, self.logits(x)[:, 0], weights.mean(1)[:, 0]

    def forced(
        self, memory: Encoded, words: Int[Array, "batch target"]
    ) -> tuple[Float[Array, "batch target vocab"], Float[Array, "batch target source"]]:
        """Scores and weights (of the last layer, mean of its heads) at all steps at
        once, the words before given (teacher forcing).
        """
        x = self.dropout(self.target_words(words))
        past, mask = causal_mask(words.shape[1]), memory.mask[:, None, None]
        for block, source in zip(self.decoder, memory.prepared, strict=True):
            x, weights = block(x, past, source, mask)
        return self.logits(x), weights.mean(1)

    def logits(self, x: Float[Array, "*lead width"]) -> Float[Array, "*lead vocab"]:
        """Scores of the next words, from the vectors after a layer."""
        return self.output(self.decoder_norm(x))

    def __call__(
        self,
        source: Int[Array, "batch source"],
        mask: Bool[Array, "batch source"],
        words: Int[Array, "batch target"],
    ) -> Float[Array, "batch target vocab"]:
        return self.forced(self.encode(source, mask), words)[0]


BLOCKS: dict[str, tuple[type[Block], type[DecoderBlock]]] = {
    "pre": (Block, DecoderBlock),
    "post": (PostNormBlock, PostNormDecoderBlock),
}


def _as_it_is(x: Float[Array, "*lead width"]) -> Float[Array, "*lead width"]:
    """In place of a last norm: after post-norm blocks there is none."""
    return x


def _room(
    like: Float[Array, "batch heads source key"], longest: int
) -> Float[Array, "batch heads longest key"]:
    batch, heads, _, key = like.shape
    return jnp.zeros((batch, heads, longest, key), like.dtype)
