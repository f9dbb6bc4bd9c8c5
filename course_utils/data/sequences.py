"""Synthetic tasks that measure memory and nothing else."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ..runtime import require, require_positive
from .batching import Labelled, Tagged


def delayed_recall(
    rng: Array, batch: int, length: int, labels: int = 8, distractors: int = 8, shared: bool = False
) -> Labelled:
    """Remember the first symbol through `length - 1` symbols of noise. Can be compiled.

    The first symbol is uniform over `labels` symbols and is the class; every later one is uniform over
    `distractors` *other* symbols. With `shared=True` noise and labels come from the same alphabet, so that
    only the position tells them apart. Guessing scores 1/`labels`.

    Returns tokens `[batch, length]` in 0 … labels + distractors - 1, a mask that is all True, labels `[batch]`.
    """
    require_positive(batch=batch, length=length, labels=labels, distractors=distractors)
    require(
        not shared or distractors == labels,
        f"One shared alphabet has one size, but labels={labels} and distractors={distractors}.",
    )
    first, noise = jax.random.split(rng)
    label = jax.random.randint(first, (batch,), 0, labels)
    tail = jax.random.randint(noise, (batch, length - 1), 0, distractors) + (0 if shared else labels)
    tokens = jnp.concatenate([label[:, None], tail], axis=1)
    return Labelled(tokens, jnp.ones((batch, length), bool), label)


def lag_recall(rng: Array, batch: int, length: int, lag: int, symbols: int = 8) -> Tagged:
    """At every position, name the symbol that came `lag` steps before. Can be compiled.

    A stream of independent symbols, uniform over `symbols`. The first `lag` positions are not asked about.
    To answer at every position the last `lag` + 1 symbols must be kept, (`lag` + 1) · log2 `symbols` bits.
    Guessing scores 1/`symbols`.
    """
    require_positive(batch=batch, length=length, symbols=symbols)
    require(0 <= lag < length, f"lag must lie between 0 and length - 1 = {length - 1}, not {lag}.")
    tokens = jax.random.randint(rng, (batch, length), 0, symbols)
    asked = jnp.broadcast_to(jnp.arange(length) >= lag, tokens.shape)
    return Tagged(tokens, jnp.ones_like(asked), jnp.roll(tokens, lag, axis=1), asked)
