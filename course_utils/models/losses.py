"""What training makes small, and how often a model is right.

The functions of a model and a batch are a `Loss`, the form that `fit` takes.
"""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..data.batching import Labelled, Measured, Parallel, Tagged
from ..data.images import Pictures, cut
from ..runtime import require_mask
from .interfaces import LanguageModel, Reader

Scored = tuple[Float[Array, ""], dict[str, Array]]


@runtime_checkable
class Loss(Protocol):
    """What `fit` makes small: a number, and metrics to be told beside it, one number
    each.
    """

    def __call__(self, model: Any, batch: Any, /) -> Scored: ...


@runtime_checkable
class Words(Protocol):
    """Sequences of words with their mask, whatever else comes with them: `Padded`,
    `Agreement`.
    """

    @property
    def tokens(self) -> Int[Array, "batch time"]: ...

    @property
    def mask(self) -> Bool[Array, "batch time"]: ...


def cross_entropy(
    logits: Float[Array, "*lead classes"],
    labels: Int[Array, "*lead"],
    mask: Bool[Array, "*lead"] | None = None,
) -> Float[Array, ""]:
    """Mean of -log p(label) over the positions where `mask` is True, in nats; 0 where
    none is.

    p is the softmax of `logits`, computed in float32 at least. Guessing evenly among V
    classes costs log V. What stands at a masked position enters neither the loss nor
    its gradient, not even a NaN.
    """
    logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
    require_mask(mask)
    if mask is not None:
        logits = jnp.where(mask[..., None], logits, 0)
    log_p = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], axis=-1)[
        ..., 0
    ]
    return -mean(log_p, mask)


def mean(
    values: Float[Array, "*lead"], mask: Bool[Array, "*lead"] | None = None
) -> Float[Array, ""]:
    """Mean over the positions where `mask` is True, in float32 at least; 0 where none
    is.
    """
    values = values.astype(jnp.promote_types(values.dtype, jnp.float32))
    require_mask(mask)
    if mask is None:
        return values.mean()
    return jnp.where(mask, values, 0).sum() / jnp.maximum(mask.sum(), 1)


def accuracy(
    logits: Float[Array, "*lead classes"],
    labels: Int[Array, "*lead"],
    mask: Bool[Array, "*lead"] | None = None,
) -> Float[Array, ""]:
    """Share of the positions where `mask` is True whose largest score is that of the
    label; 0 where none is.
    """
    return mean((logits.argmax(-1) == labels).astype(logits.dtype), mask)


def scored(
    logits: Float[Array, "*lead classes"],
    labels: Int[Array, "*lead"],
    mask: Bool[Array, "*lead"] | None = None,
) -> Scored:
    """Cross-entropy, with the accuracy as its metric."""
    right = accuracy(logits, labels, mask)
    return cross_entropy(logits, labels, mask), {"accuracy": right}


def classification(model: Reader, batch: Labelled) -> Scored:
    """Cross-entropy of a class for each sequence."""
    return scored(model(batch.tokens, batch.mask), batch.labels)


def tagging(model: Any, batch: Tagged) -> Scored:
    """Cross-entropy of a class for each position that is asked about."""
    logits = model.every_step(batch.tokens, batch.mask)
    return scored(logits, batch.labels, batch.asked)


def squared_error(model: Any, batch: Measured) -> Scored:
    """Mean of (answer - target)², with the share of answers less than 0.1 off."""
    off = model(batch.inputs) - batch.target
    return (off**2).mean(), {"accuracy": (jnp.abs(off) < 0.1).mean()}


def next_word_loss(
    logits: Float[Array, "batch time vocab"],
    tokens: Int[Array, "batch time"],
    mask: Bool[Array, "batch time"],
) -> Float[Array, ""]:
    """Mean cross-entropy, in nats, of each next word: logits at position t are about
    the word at t + 1.

    The last logits are about nothing, and a position counts only where its next word is
    real.
    """
    return cross_entropy(logits[:, :-1], tokens[:, 1:], mask[:, 1:])


def next_word(model: LanguageModel, batch: Words) -> Scored:
    """Cross-entropy of each next word of a text: `next_word_loss`."""
    logits = model(batch.tokens, batch.mask)
    return scored(logits[:, :-1], batch.tokens[:, 1:], batch.mask[:, 1:])


def next_target_word(model: Any, batch: Parallel) -> Scored:
    """Cross-entropy of each next word of a translation, the words before it given
    (teacher forcing).
    """
    logits = model(batch.source, batch.source_mask, batch.target[:, :-1])
    return scored(logits, batch.target[:, 1:], batch.target_mask[:, 1:])


def guided_next_word(model: Any, batch: Parallel) -> Scored:
    """`next_target_word` of a model that is given the whole batch, since its attention
    weights are made by another.
    """
    return scored(model(batch), batch.target[:, 1:], batch.target_mask[:, 1:])


def picture_classification(model: Any, batch: Pictures) -> Scored:
    """Cross-entropy of a class for each picture, which the model reads in patches."""
    return scored(model(cut(batch.pixels)), batch.labels)
