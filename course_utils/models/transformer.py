"""The Transformer: self-attention and a small network at every position, with a way
around each.

    x ← x + Attention(norm(x))        x ← x + MLP(norm(x))

Vaswani and others (2017). There the norm stood behind each sum; put before each branch,
as here, it trains without a warm-up (Xiong and others 2020). `Transformer` translates,
with the three methods that every translator of the course has; classifiers and models
of the next word are in `models.readers`.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..runtime import require, require_positive
from .positions import Positions, sinusoidal
from .recurrent import refuse_empty_rows
from .self_attention import KeysValues, MultiHead, causal_mask

Norm = Literal["before", "after"]
LONGEST = 128  # positions that a learned table holds unless told


def _forget(branch: str, x: Any) -> None:
    """Nobody asked."""


class WordsAndPlaces(nnx.Module):
    """Word vectors whose entries have variance 1 at the start, plus positions where
    these are added: x_t = √d E[w_t] + p_t.

    A learned p_t is √d times the row of a table, as the words are; a sinusoidal one is
    added as it is. The first word has the place `first`, 0 unless changed
    (`experiments.ch07.moved`).
    """

    def __init__(
        self,
        vocab: int,
        width: int,
        positions: Positions | str,
        longest: int,
        *,
        rngs: nnx.Rngs,
    ):
        require_positive(vocab=vocab, width=width, longest=longest)
        known = get_args(Positions)
        require(
            positions in known,
            f"positions must be one of {', '.join(known)}, not {positions!r}.",
        )
        self.positions, self.longest = positions, longest
        self.first: Any = 0
        self.embed = nnx.Embed(vocab, width, rngs=rngs)
        self.table = (
            nnx.Embed(longest, width, rngs=rngs) if positions == "learned" else None
        )

    def __call__(
        self,
        words: Int[Array, "batch time"],
        places: Int[Array, "#batch time"] | None = None,
    ) -> Float[Array, "batch time width"]:
        first = self.first if isinstance(self.first, int) else self.first[...]
        at: Any = first + (
            jnp.arange(words.shape[1])[None] if places is None else places
        )
        scale = self.embed.features**0.5
        x = self.embed(words) * scale
        if self.table is not None:
            self.fits(words.shape[1])
            return x + self.table(at) * scale
        return x + sinusoidal(at, x.shape[-1]) if self.positions == "sinusoidal" else x

    def fits(self, time: int) -> None:
        """Raise where so many positions are more than a learned table holds."""
        require(
            self.table is None or time <= self.longest,
            f"A sequence of {time} positions is longer than the {self.longest} "
            "that were learned. "
            "Make `longest` larger, or take sinusoidal or rotary positions.",
        )


class MLP(nnx.Module):
    """W_2 relu(W_1 x + b_1) + b_2, the same at every position."""

    def __init__(self, width: int, inner: int, *, rngs: nnx.Rngs):
        self.inner, self.outer = (
            nnx.Linear(width, inner, rngs=rngs),
            nnx.Linear(inner, width, rngs=rngs),
        )

    def __call__(self, x: Float[Array, "*lead width"]) -> Float[Array, "*lead width"]:
        return self.outer(jax.nn.relu(self.inner(x)))


class Block(nnx.Module):
    """One layer: self-attention, in a decoder a look at the source, then the MLP; a sum
    around each.

    norm: "before" each branch, x + f(norm(x)), or "after" each sum, norm(x + f(x)).
    inner: units of the MLP; 0 leaves it out.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        *,
        rngs: nnx.Rngs,
        cross: bool = False,
        rotary: bool = False,
        norm: Norm | str = "before",
        dropout: float = 0.0,
    ):
        require(
            norm in get_args(Norm),
            f"norm must be one of {', '.join(get_args(Norm))}, not {norm!r}.",
        )
        require(
            0 <= dropout < 1,
            f"dropout is a share from 0 to less than 1, not {dropout!r}.",
        )
        self.norm = norm
        self.attention = MultiHead(width, heads, rotary=rotary, rngs=rngs)
        self.cross = MultiHead(width, heads, rngs=rngs) if cross else None
        self.mlp = MLP(width, inner, rngs=rngs) if inner else None
        self.attention_norm, self.cross_norm, self.mlp_norm = (
            nnx.LayerNorm(width, rngs=rngs) if branch is not None else None
            for branch in (self.attention, self.cross, self.mlp)
        )
        self.dropout = nnx.Dropout(dropout, rngs=rngs) if dropout else None

    def remember(self, source: Float[Array, "batch source width"]) -> KeysValues:
        """Keys and values of a source, made once for all words that will look at it."""
        require(
            self.cross is not None,
            "This block looks at no source: make it with `cross=True`.",
        )
        return self.cross.remember(source)  # type: ignore[union-attr]

    def _enter(self, x: Any, norm: Any) -> Any:
        """What a branch reads."""
        return norm(x) if self.norm == "before" else x

    def _add(self, x: Any, change: Any, norm: Any) -> Any:
        """The sum around a branch."""
        x = x + (change if self.dropout is None else self.dropout(change))
        return norm(x) if self.norm == "after" else x

    def __call__(
        self,
        x: Float[Array, "batch time width"],
        mask: Bool[Array, "..."],
        source: KeysValues | None = None,
        seen: Any = None,
        keep: Float[Array, " heads"] | None = None,
        note: Callable[[str, Any], None] = _forget,
    ) -> tuple[Float[Array, "batch time width"], Any, Any]:
        """x after the layer, the weights of self-attention and those of the look at the
        source (None: there is none).

        source: keys and values of the source, from `remember`.   seen: its mask.
        keep: see `MultiHead.look`.
        note: told the name of each branch and x after its sum.
        """
        change, weights = self.attention(
            self._enter(x, self.attention_norm), mask, keep
        )
        x = self._add(x, change, self.attention_norm)
        note("self-attention", x)
        return self._rest(x, weights, source, seen, note)

    def step(
        self,
        x: Float[Array, "batch one width"],
        cache: KeysValues,
        place: Int[Array, " batch"],
        source: KeysValues | None = None,
        seen: Any = None,
    ) -> tuple[Float[Array, "batch one width"], KeysValues, Any]:
        """One position, the keys and values before it given: x after the layer, the
        cache with its own, cross weights.
        """
        inner = self._enter(x, self.attention_norm)
        here = jnp.arange(cache.keys.shape[2]) == place[:, None]
        new = self.attention.remember(inner, place[:, None])
        cache = KeysValues(
            *(
                jnp.where(here[:, None, :, None], b, a)
                for a, b in zip(cache, new, strict=True)
            )
        )
        before = (jnp.arange(cache.keys.shape[2]) <= place[:, None])[:, None, None]
        change, weights = self.attention.look(inner, cache, before, place[:, None])
        x, _, cross = self._rest(
            self._add(x, change, self.attention_norm), weights, source, seen
        )
        return x, cache, cross

    def _rest(
        self,
        x: Any,
        weights: Any,
        source: Any,
        seen: Any,
        note: Callable[[str, Any], None] = _forget,
    ) -> Any:
        cross = None
        if self.cross is not None:
            change, cross = self.cross.look(
                self._enter(x, self.cross_norm), source, seen
            )
            x = self._add(x, change, self.cross_norm)
            note("look at the source", x)
        if self.mlp is not None:
            x = self._add(x, self.mlp(self._enter(x, self.mlp_norm)), self.mlp_norm)
            note("MLP", x)
        return x, weights, cross


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


class Weights(NamedTuple):
    """All attention weights of a sentence pair, layer by layer."""

    encoder: Float[Array, "layers batch heads source source"]
    decoder: Float[Array, "layers batch heads target target"]
    cross: Float[Array, "layers batch heads target source"]


class Transformer(nnx.Module):
    """An encoder and a decoder of `layers` blocks each; the translator without a
    recurrence.

    width: numbers of each position's vector.   heads: of each attention.   inner: units
    of the MLP (4 · width unless given).
    positions: "sinusoidal", "learned" (a table of `longest` rows), "rotary", or "none".
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
        positions: Positions | str = "sinusoidal",
        longest: int = LONGEST,
        norm: Norm | str = "before",
        dropout: float = 0.0,
    ):
        require_positive(layers=layers)
        inner = 4 * width if inner is None else inner
        self.source_words = WordsAndPlaces(
            source_vocab, width, positions, longest, rngs=rngs
        )
        self.target_words = WordsAndPlaces(
            target_vocab, width, positions, longest, rngs=rngs
        )
        options: dict[str, Any] = {
            "rotary": positions == "rotary",
            "norm": norm,
            "dropout": dropout,
            "rngs": rngs,
        }
        self.encoder = nnx.data(
            [Block(width, heads, inner, **options) for _ in range(layers)]
        )
        self.decoder = nnx.data(
            [Block(width, heads, inner, cross=True, **options) for _ in range(layers)]
        )
        last = norm == "before"
        self.encoder_norm, self.decoder_norm = (
            nnx.LayerNorm(width, rngs=rngs) if last else None for _ in range(2)
        )
        self.output = nnx.Linear(width, target_vocab, rngs=rngs)
        self.dropout = nnx.Dropout(dropout, rngs=rngs) if dropout else None

    def encode(
        self, source: Int[Array, "batch source"], mask: Bool[Array, "batch source"]
    ) -> Encoded:
        """Read the source, all positions at once."""
        return self._encode(source, mask)[0]

    def _encode(self, source: Any, mask: Any) -> tuple[Encoded, Any]:
        refuse_empty_rows(mask)
        x, found = self._begin(self.source_words(source)), []
        for block in self.encoder:
            x, weights, _ = block(x, mask[:, None, None])
            found.append(weights)
        x = x if self.encoder_norm is None else self.encoder_norm(x)
        return Encoded(
            x, mask, tuple(block.remember(x) for block in self.decoder)
        ), found

    def _begin(self, x: Any) -> Any:
        return x if self.dropout is None else self.dropout(x)

    def _logits(self, x: Any) -> Any:
        return self.output(x if self.decoder_norm is None else self.decoder_norm(x))

    def begin(self, memory: Encoded, longest: int) -> Decoding:
        """An empty cache for `longest` words."""
        self.target_words.fits(longest)
        empty = tuple(
            jax.tree.map(
                lambda a: jnp.zeros((*a.shape[:2], longest, a.shape[3]), a.dtype),
                prepared,
            )
            for prepared in memory.prepared
        )
        return Decoding(empty, jnp.zeros(memory.mask.shape[0], int))

    def advance(
        self, state: Decoding, words: Int[Array, " batch"], memory: Encoded
    ) -> tuple[Decoding, Float[Array, "batch vocab"], Float[Array, "batch source"]]:
        """One step: the cache with the word before, scores of the next words, weights
        of the last layer (mean of its heads).
        """
        place = state.place
        x, caches, weights = self.target_words(words[:, None], place[:, None]), [], None
        for block, cache, prepared in zip(
            self.decoder, state.cache, memory.prepared, strict=True
        ):
            x, cache, weights = block.step(
                x, cache, place, prepared, memory.mask[:, None, None]
            )
            caches.append(cache)
        assert weights is not None
        return (
            Decoding(tuple(caches), place + 1),
            self._logits(x)[:, 0],
            weights.mean(1)[:, 0],
        )

    def forced(
        self, memory: Encoded, words: Int[Array, "batch target"]
    ) -> tuple[Float[Array, "batch target vocab"], Float[Array, "batch target source"]]:
        """Scores and weights at all steps at once, the words before given (teacher
        forcing).
        """
        logits, _, cross = self._forced(memory, words)
        return logits, cross[-1].mean(1)

    def _forced(
        self, memory: Encoded, words: Any, note: Callable[[str, Any], None] = _forget
    ) -> tuple[Any, Any, Any]:
        x, own, cross = self._begin(self.target_words(words)), [], []
        note("word and place", x)
        for block, prepared in zip(self.decoder, memory.prepared, strict=True):
            x, weights, looked = block(
                x,
                causal_mask(words.shape[1]),
                prepared,
                memory.mask[:, None, None],
                note=note,
            )
            own.append(weights)
            cross.append(looked)
        return self._logits(x), own, cross

    def weights(
        self,
        source: Int[Array, "batch source"],
        mask: Bool[Array, "batch source"],
        words: Int[Array, "batch target"],
    ) -> Weights:
        """The weights of every layer and head while the given words are read."""
        memory, encoder = self._encode(source, mask)
        _, own, cross = self._forced(memory, words)
        return Weights(*(jnp.stack(found) for found in (encoder, own, cross)))

    def stages(
        self,
        source: Int[Array, "batch source"],
        mask: Bool[Array, "batch source"],
        words: Int[Array, "batch target"],
    ) -> tuple[
        Float[Array, "stages batch target width"],
        Float[Array, "stages batch target vocab"],
    ]:
        """The decoder's vectors before its first layer and after every sum, and what
        the output layer would make of each.

        The branches are named in `branches`. Reading a middle stage with the last
        layer's eyes is nostalgebraist's (2020) “logit lens”.
        """
        found: list = []
        self._forced(
            self.encode(source, mask), words, lambda branch, x: found.append(x)
        )
        stages = jnp.stack(found)
        return stages, self._logits(stages)

    @property
    def branches(self) -> list[str]:
        """Names of the stages of `stages`."""
        return ["word and place"] + [
            f"layer {i + 1}: {branch}"
            for i, block in enumerate(self.decoder)
            for branch in (
                "self-attention",
                "look at the source",
                *(["MLP"] if block.mlp is not None else []),
            )
        ]

    def __call__(
        self,
        source: Int[Array, "batch source"],
        mask: Bool[Array, "batch source"],
        words: Int[Array, "batch target"],
    ) -> Float[Array, "batch target vocab"]:
        return self.forced(self.encode(source, mask), words)[0]
