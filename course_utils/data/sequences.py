"""Synthetic tasks that measure memory and nothing else."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ..runtime import require, require_positive
from .batching import Labelled, Measured, Tagged


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


ADDING_BASELINE = 1 / 6  # squared error of always answering 1: the variance of a sum of two numbers uniform over [0, 1]


def adding(rng: Array, batch: int, length: int) -> Measured:
    """Add two numbers out of `length`. Can be compiled.

    At each step the input is a pair: a number uniform over [0, 1] and a mark. One step of the first half and one of
    the second carry the mark 1, all others 0; the target is the sum of the two marked numbers. Always answering 1 has
    the squared error 1/6 (`ADDING_BASELINE`).

    Hochreiter, Schmidhuber (1997), in the form of Le, Jaitly, Hinton (2015). Returns inputs `[batch, length, 2]`.
    """
    require_positive(batch=batch)
    require(length >= 2, f"Two numbers are to be added, so length must be at least 2, not {length}.")
    for_values, for_first, for_second = jax.random.split(rng, 3)
    values = jax.random.uniform(for_values, (batch, length))
    first = jax.random.randint(for_first, (batch, 1), 0, length // 2)
    second = jax.random.randint(for_second, (batch, 1), length // 2, length)
    position = jnp.arange(length)
    marks = ((position == first) | (position == second)).astype(values.dtype)
    return Measured(jnp.stack([values, marks], axis=-1), (values * marks).sum(axis=1))


COPIED, COPY_SYMBOLS = 10, 8


def copy_memory(rng: Array, batch: int, delay: int) -> Tagged:
    """Repeat ten symbols after `delay` blanks. Can be compiled.

    The input is ten symbols uniform over 0 … 7, `delay` - 1 blanks (8), a signal (9), and ten blanks; the label is
    blank at the first `delay` + 10 positions, then the ten symbols in their order. All positions are asked about.
    `copy_baseline` is the loss without memory.

    Hochreiter, Schmidhuber (1997), in the form of Arjovsky, Shah, Bengio (2016). Returns tokens `[batch, delay + 20]`.
    """
    require_positive(batch=batch, delay=delay)
    symbols = jax.random.randint(rng, (batch, COPIED), 0, COPY_SYMBOLS)
    blank = jnp.full((batch, delay + COPIED), COPY_SYMBOLS)
    signal = blank.at[:, delay - 1].set(COPY_SYMBOLS + 1)
    tokens = jnp.concatenate([symbols, signal], axis=1)
    everywhere = jnp.ones(tokens.shape, bool)
    return Tagged(tokens, everywhere, jnp.concatenate([blank, symbols], axis=1), everywhere)


def copy_baseline(delay: int) -> float:
    """Cross-entropy, in nats a position, of knowing when to answer but remembering nothing: 10 log 8 / (T + 20)."""
    return COPIED * math.log(COPY_SYMBOLS) / (delay + 2 * COPIED)
