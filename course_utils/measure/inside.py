"""Looking inside a model: on a copy, a part is replaced by one that keeps what passes through it, or that changes it.

For attention weights of every layer and head, the residual stream after every sum, heads switched off, and words that
stand at later places.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..models.readers import AttentionReader, PatchReader
from ..models.self_attention import KeysValues, MultiHead
from ..models.transformer import Transformer, WordsAndPlaces
from ..runtime import require

Model = TypeVar("Model", bound=nnx.Module)
Part = TypeVar("Part")


class Weights(NamedTuple):
    """All attention weights of a sentence pair, layer by layer."""

    encoder: Float[Array, "layers batch heads source source"]
    decoder: Float[Array, "layers batch heads target target"]
    cross: Float[Array, "layers batch heads target source"]


class KeptInputs:
    """A part of a model that keeps what it reads."""

    def __init__(self, part: Callable[[Array], Array]):
        self.part = part
        self.inputs: list[Array] = []

    def __call__(self, x: Float[Array, "*lead width"]) -> Float[Array, "*lead width"]:
        self.inputs.append(x)
        return self.part(x)


class KeptWeights:
    """A `MultiHead` that keeps the weights of its last look."""

    weights: Float[Array, "batch heads target source"]

    def __init__(self, part: MultiHead):
        self.part = part

    def remember(self, inputs: Float[Array, "batch source width"]) -> KeysValues:
        """Keys and values."""
        return self.part.remember(inputs)

    def look(
        self, inputs: Float[Array, "batch target width"], remembered: KeysValues, mask: Bool[Array, "..."] | None = None
    ) -> tuple[Float[Array, "batch target width"], Float[Array, "batch heads target source"]]:
        """What the heads read, and the weights."""
        answer, self.weights = self.part.look(inputs, remembered, mask)
        return answer, self.weights

    def __call__(
        self, inputs: Float[Array, "batch time width"], mask: Bool[Array, "..."] | None = None
    ) -> Float[Array, "batch time width"]:
        return self.look(inputs, self.remember(inputs), mask)[0]


def copied(model: Model) -> Model:
    """The same model, whose parts can be replaced without changing the caller's."""
    return nnx.merge(*nnx.split(model))


def reader_weights(
    model: AttentionReader | PatchReader, inputs: Int[Array, "batch time"] | Float[Array, "batch patches pixels"]
) -> Float[Array, "layers batch heads time time"]:
    """The weights of every layer and head of a reader made of blocks."""
    model = copied(model)
    kept = _keep_weights(model.blocks, "attention")
    (model.every_step if isinstance(model, AttentionReader) else model)(inputs)
    return jnp.stack([part.weights for part in kept])


def transformer_weights(
    model: Transformer,
    source: Int[Array, "batch source"],
    mask: Bool[Array, "batch source"],
    words: Int[Array, "batch target"],
) -> Weights:
    """The weights of every layer and head while the given words are read."""
    model = copied(model)
    kept = (
        _keep_weights(model.encoder, "attention"),
        _keep_weights(model.decoder, "attention"),
        _keep_weights(model.decoder, "cross"),
    )
    model(source, mask, words)
    return Weights(*(jnp.stack([part.weights for part in parts]) for parts in kept))


def residual_stream(
    model: Transformer,
    source: Int[Array, "batch source"],
    mask: Bool[Array, "batch source"],
    words: Int[Array, "batch target"],
) -> tuple[Float[Array, "stages batch target width"], Float[Array, "stages batch target vocab"]]:
    """The decoder's vectors before its first layer and after every sum, and what the output layer would make of each.

    `stages` names them. They are what the norms read, since in a pre-norm block each branch begins with one. Reading a
    middle stage with the last layer's eyes is nostalgebraist's (2020) “logit lens”.
    """
    require(
        hasattr(model.decoder_norm, "scale"),
        "The residual stream is that of pre-norm blocks: here the norms come after the sums.",
    )
    inside = copied(model)
    kept = [
        _keep_inputs(block, f"{branch}_norm")
        for block in inside.decoder
        for branch in ("attention", "cross", "feed_forward")
    ]
    kept.append(_keep_inputs(inside, "decoder_norm"))
    inside(source, mask, words)
    stream = jnp.stack([part.inputs[0] for part in kept])
    return stream, model.logits(stream)


def stages(model: Transformer) -> list[str]:
    """Names of the stages of `residual_stream`."""
    branches = ("self-attention", "cross-attention", "feed-forward")
    return ["word and place"] + [f"layer {i + 1}: {branch}" for i in range(len(model.decoder)) for branch in branches]


def without_heads(model: AttentionReader, keep: Float[Array, "layers heads"]) -> AttentionReader:
    """The same reader, whose heads' outputs are multiplied by `keep`: 0 switches a head off (ablation)."""
    model = copied(model)
    for block, share in zip(model.blocks, keep, strict=True):
        out = block.attention.out
        scale = jnp.repeat(share, out.in_features // len(share))
        _replace(block.attention, "out", _scaled(out, scale))
    return model


class Later(nnx.Module):
    """Words whose places are all so many later."""

    def __init__(self, words: WordsAndPlaces, by: int):
        self.words = words
        self.by = nnx.Variable(jnp.asarray(by))  # a value, so that one compilation serves all

    def __call__(
        self, words: Int[Array, "batch time"], places: Int[Array, "#batch time"] | None = None
    ) -> Float[Array, "batch time width"]:
        places = jnp.arange(words.shape[1])[None] if places is None else places
        return self.words(words, places + self.by[...])

    def fits(self, time: int) -> None:
        """That of the words."""
        self.words.fits(time)


def moved(model: Transformer, by: int) -> Transformer:
    """The same network, for which the first word of every sentence stands `by` places later (no learned positions)."""
    require(model.source_words.table is None, "A learned table has no places beyond its last row.")
    model = copied(model)
    for name in ("source_words", "target_words"):
        _replace(model, name, Later(getattr(model, name), by))
    return model


def _scaled(layer: nnx.Linear, scale: Float[Array, " width"]) -> Callable[[Array], Array]:
    return lambda x: layer(x * scale)


def _keep_weights(blocks: Iterable[nnx.Module], name: str) -> list[KeptWeights]:
    return [_replace(block, name, KeptWeights(getattr(block, name))) for block in blocks]


def _keep_inputs(module: nnx.Module, name: str) -> KeptInputs:
    return _replace(module, name, KeptInputs(getattr(module, name)))


def _replace(module: nnx.Module, name: str, part: Part) -> Part:
    setattr(module, name, part)
    return part
