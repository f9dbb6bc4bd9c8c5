"""What training makes small. Each loss has the form `loss(model, batch) -> (loss, metrics)` that `fit` takes."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def cross_entropy(
    logits: Float[Array, "*lead classes"],
    labels: Int[Array, "*lead"],
    mask: Bool[Array, "*lead"] | None = None,
) -> Float[Array, ""]:
    """Mean of -log p(label) over the positions where `mask` is True, in nats; 0 where none is.

    p is the softmax of `logits`. Guessing evenly among V classes costs log V.
    """
    log_p = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], axis=-1)[..., 0]
    return -mean(log_p, mask)


def mean(values: Float[Array, "*lead"], mask: Bool[Array, "*lead"] | None = None) -> Float[Array, ""]:
    """Mean over the positions where `mask` is True; 0 where none is."""
    if mask is None:
        return values.mean()
    return jnp.where(mask, values, 0).sum() / jnp.maximum(mask.sum(), 1)


def classification(model: Any, batch: Any) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Cross-entropy of a `Labelled` batch, with its accuracy."""
    logits = model(batch.tokens, batch.mask)
    return cross_entropy(logits, batch.labels), {"accuracy": (logits.argmax(-1) == batch.labels).mean()}


def next_word(model: Any, batch: Any) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Cross-entropy of each next word of a `Padded` batch, with the share of words guessed right."""
    logits = model(batch.tokens[:, :-1], batch.mask[:, :-1])
    labels, mask = batch.tokens[:, 1:], batch.mask[:, 1:]
    right = (logits.argmax(-1) == labels).astype(logits.dtype)
    return cross_entropy(logits, labels, mask), {"accuracy": mean(right, mask)}
