"""Which source words a translator's answers depend on: by gradient, by deletion, and by its attention replaced."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..data.batching import Parallel
from ..models.attention import masked_softmax
from ..models.interfaces import TeacherForced
from ..models.run import apply
from ..models.seq2seq import Translator
from ..runtime import InvalidInput


def gradients(model: TeacherForced, batch: Parallel) -> Float[np.ndarray, "n target source"]:
    """‖∂ logit_i / ∂v_j‖: how the logit of the right word i changes with the vector v_j of source word j.

    The words before are given. Rows and columns that are padding are 0. For translators with a recurrent encoder.
    """
    if not isinstance(model, Translator):
        raise InvalidInput(f"A {type(model).__name__} has no recurrent encoder to differentiate at.")
    return apply(model, _gradients, batch)


def _gradients(model: Translator, batch: Parallel) -> Float[Array, "n target source"]:
    inputs, labels = model.embed_source(batch.source), batch.target[:, 1:]

    def right(inputs, i):
        logits, _ = model.forced(model.read(inputs, batch.source_mask), batch.target[:, :-1])
        scores = jnp.take_along_axis(logits, labels[..., None], axis=-1)[..., 0]
        return scores[:, i].sum()  # of one sentence each: they do not share inputs

    norms = jax.lax.map(lambda i: jnp.linalg.norm(jax.grad(right)(inputs, i), axis=-1), jnp.arange(labels.shape[1]))
    return jnp.moveaxis(norms, 0, 1) * batch.target_mask[:, 1:, None] * batch.source_mask[:, None]


def deletions(model: TeacherForced, batch: Parallel) -> Float[np.ndarray, "n target source"]:
    """By how much log p of the right word i falls when source word j is not read at all (ablation).

    The words before are given. Rows and columns that are padding are 0.
    """
    return apply(model, _deletions, batch)


def _deletions(model: TeacherForced, batch: Parallel) -> Float[Array, "n target source"]:
    labels, places = batch.target[:, 1:], jnp.arange(batch.source.shape[1])

    def log_p(mask):
        log_p = jax.nn.log_softmax(model(batch.source, mask, batch.target[:, :-1]))
        return jnp.take_along_axis(log_p, labels[..., None], axis=-1)[..., 0]

    whole = log_p(batch.source_mask)
    fall = jax.lax.map(lambda j: whole - log_p(batch.source_mask & (places != j)), places)
    return jnp.moveaxis(fall, 0, 2) * batch.target_mask[:, 1:, None] * batch.source_mask[:, None]


class Replaced(NamedTuple):
    """What a translator does with weights that are not its own."""

    accuracy: float  # share of the next words guessed right, the words before given
    distance: float  # total variation between its distributions of the next word with these weights and with its own


def replaced(model: TeacherForced, batch: Parallel, weights: Float[Array | np.ndarray, "n target source"]) -> Replaced:
    """Replace a trained translator's attention weights and compare what it says; it has one set of weights for each word."""
    if not isinstance(model, Translator):
        raise InvalidInput(f"A {type(model).__name__} has weights of several heads and layers.")
    right, distance = apply(model, _replaced, batch, jnp.asarray(weights, jnp.float32))
    words = np.asarray(batch.target_mask[:, 1:])
    return Replaced(float(right[words].mean()), float(distance[words].mean()))


def _replaced(
    model: Translator, batch: Parallel, weights: Float[Array, "n target source"]
) -> tuple[Bool[Array, "n target"], Float[Array, "n target"]]:
    memory, words = model.encode(batch.source, batch.source_mask), batch.target[:, :-1]
    own, other = model.forced(memory, words)[0], model.forced(memory, words, weights)[0]
    distance = 0.5 * jnp.abs(jax.nn.softmax(own) - jax.nn.softmax(other)).sum(-1)
    return other.argmax(-1) == batch.target[:, 1:], distance


Kind = Literal["uniform", "permuted", "largest only"]


def other_weights(
    weights: Float[Array | np.ndarray, "n target source"], mask: Bool[Array, "n source"], kind: Kind, rng: Array
) -> Float[Array, "n target source"]:
    """Weights made from a model's own: all positions alike; the same numbers at other places, drawn anew for each word;
    or everything on the largest. Padding is behind the words. Can be compiled."""
    weights, there = jnp.asarray(weights), jnp.asarray(mask)[:, None]
    if kind == "uniform":
        return masked_softmax(jnp.zeros_like(weights), jnp.broadcast_to(there, weights.shape))
    if kind == "largest only":
        return jax.nn.one_hot(jnp.where(there, weights, -1).argmax(-1), weights.shape[-1])
    chance = jnp.where(there, jax.random.uniform(rng, weights.shape), 2.0)  # padding stays at the end
    return jnp.where(there, jnp.take_along_axis(weights, jnp.argsort(chance, axis=-1), axis=-1), 0)
