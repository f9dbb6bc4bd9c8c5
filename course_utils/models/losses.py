"""What training makes small. Each loss has the form `loss(model, batch) -> (loss,
metrics)` that `fit` takes.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..runtime import require_mask


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


def classification(model: Any, batch: Any) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Cross-entropy of a `Labelled` batch, with its accuracy."""
    logits = model(batch.tokens, batch.mask)
    return cross_entropy(logits, batch.labels), {
        "accuracy": (logits.argmax(-1) == batch.labels).mean()
    }


def tagging(model: Any, batch: Any) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Cross-entropy over the positions of a `Tagged` batch that are asked about, with
    their accuracy.
    """
    logits = model.every_step(batch.tokens, batch.mask)
    right = (logits.argmax(-1) == batch.labels).astype(logits.dtype)
    return cross_entropy(logits, batch.labels, batch.asked), {
        "accuracy": mean(right, batch.asked)
    }


def squared_error(model: Any, batch: Any) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Mean of (answer - target)² over a `Measured` batch, with the share of answers
    less than 0.1 off.
    """
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


def next_word(model: Any, batch: Any) -> tuple[Float[Array, ""], dict[str, Array]]:
    """`next_word_loss` of a `Padded` batch, with the share of words guessed right."""
    logits = model(batch.tokens, batch.mask)
    right = (logits[:, :-1].argmax(-1) == batch.tokens[:, 1:]).astype(logits.dtype)
    return next_word_loss(logits, batch.tokens, batch.mask), {
        "accuracy": mean(right, batch.mask[:, 1:])
    }
