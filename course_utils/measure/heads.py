"""Where the heads of a reader look, and which of them its answer needs."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..data.agreement import Agreement
from ..models.readers import AttentionLanguageModel, AttentionReader
from ..models.run import apply
from .agreement import verb_margin
from .inside import reader_weights, without_heads


def subject_weights(model: AttentionReader, corpus: Agreement, batch: int = 250) -> Float[np.ndarray, "n layers heads"]:
    """The weight that every head gives the subject at the last word before the verb, for each sentence."""
    parts = []
    for low in range(0, len(corpus.number), batch):
        rows = slice(low, low + batch)
        weights = np.moveaxis(apply(model, _weights, corpus.tokens[rows], corpus.verb[rows] - 1), 0, 1)
        parts.append(weights[np.arange(len(weights)), :, :, np.asarray(corpus.subject[rows])])
    return np.concatenate(parts)


def even_weight(corpus: Agreement) -> float:
    """The subject's mean weight, were all words before the verb looked at alike."""
    return float((1 / np.asarray(corpus.verb)).mean())


def _weights(
    model: AttentionReader, tokens: Int[Array, "n time"], at: Int[Array, " n"]
) -> Float[Array, "layers n heads time"]:
    weights = reader_weights(model, tokens)
    return jnp.take_along_axis(weights, at[None, :, None, None, None], axis=3)[:, :, :, 0]


def without(
    model: AttentionLanguageModel, corpus: Agreement, keep: Float[np.ndarray, "layers heads"], batch: int = 500
) -> float:
    """Share of the sentences whose verb a language model puts in the right number, each head's finding times `keep`."""
    right = []
    for low in range(0, len(corpus.number), batch):
        rows = slice(low, low + batch)
        margin = apply(model, _margin, corpus.tokens[rows], corpus.verb[rows] - 1, jnp.asarray(keep, jnp.float32))
        right.append(margin * (2 * np.asarray(corpus.number[rows]) - 1) > 0)
    return float(np.concatenate(right).mean())


def _margin(
    model: AttentionLanguageModel,
    tokens: Int[Array, "n time"],
    at: Int[Array, " n"],
    keep: Float[Array, "layers heads"],
) -> Float[Array, " n"]:
    logits = without_heads(model, keep).every_step(tokens)
    return verb_margin(jnp.take_along_axis(logits, at[:, None, None], axis=1)[:, 0])
