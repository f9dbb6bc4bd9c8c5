"""Sentences in which the verb counts more than any other word: the experiment that says why agreement is learned late."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..data.batching import Batches
from ..models.interfaces import LanguageModel
from .agreement import BATCH, LENGTHS, corpora

VERB_WEIGHT, UPDATES = 25.0, (1_000, 2_000)


class Weighted(NamedTuple):
    """Sentences with a weight for each word that is to be predicted."""

    tokens: Int[Array, "n time"]
    mask: Bool[Array, "n time"]
    weight: Float[Array, "n time"]

    time_axes = {"mask": ("tokens", "mask", "weight")}  # noqa: RUF012


def weighted_next_word(model: LanguageModel, batch: Weighted) -> tuple[Array, dict[str, Array]]:
    """`next_word` with a weight for each word: Σ w_t (-log p_t) / Σ w_t."""
    log_p = jax.nn.log_softmax(model(batch.tokens, batch.mask)[:, :-1])
    chosen = jnp.take_along_axis(log_p, batch.tokens[:, 1:, None], axis=-1)[..., 0]
    weight = jnp.where(batch.mask, batch.weight, 0)[:, 1:]
    return -(chosen * weight).sum() / weight.sum(), {}


def weighted_sentences() -> Batches:
    """Training sentences in which the verb counts `VERB_WEIGHT` times as much as any other word."""
    train = corpora()[0]
    verb = jnp.arange(train.tokens.shape[1]) == train.verb[:, None]
    return Batches(Weighted(train.tokens, train.mask, jnp.where(verb, VERB_WEIGHT, 1.0)), BATCH, LENGTHS)
