"""Padding, masks and length-bucketed batches.

A *mask* is True where a position holds a word. Sequences are padded on the right.

`fit` asks a data source for one thing, `batches(step, rng) -> batch`, a pure function. A source whose
batches come in several shapes adds two methods: `bucket(step)` says which shape a step has, from the
step alone, and `draw(bucket, rng)` makes a batch of that shape inside a compiled loop.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from ..runtime import require, require_positive

GOLDEN = (5**0.5 - 1) / 2


class Padded(NamedTuple):
    """Sequences of different lengths in one array."""

    tokens: Int[Array, "batch time"]
    mask: Bool[Array, "batch time"]


class Labelled(NamedTuple):
    """Sequences with one class each."""

    tokens: Int[Array, "batch time"]
    mask: Bool[Array, "batch time"]
    labels: Int[Array, " batch"]


class Tagged(NamedTuple):
    """Sequences with a class at each position that is asked about."""

    tokens: Int[Array, "batch time"]
    mask: Bool[Array, "batch time"]
    labels: Int[Array, "batch time"]
    asked: Bool[Array, "batch time"]


def pad(sequences: Sequence[Sequence[int]], length: int | None = None, value: int = 0) -> Padded:
    """Put sequences of indices into one array `[batch, time]`, padded on the right, with its mask.

    `length` is the longest sequence unless given. An empty sequence, or one longer than `length`, raises.
    """
    require(len(sequences), "There is nothing to pad: the list of sequences is empty.")
    longest = max(len(sequence) for sequence in sequences)
    for row, sequence in enumerate(sequences):
        require(len(sequence), f"Sequence {row} is empty: each needs at least one word.")
    length = longest if length is None else length
    require(longest <= length, f"The longest sequence has {longest} words, more than length={length}.")
    tokens = np.full((len(sequences), length), value, np.int32)
    for row, sequence in enumerate(sequences):
        tokens[row, : len(sequence)] = sequence
    lengths = np.array([len(sequence) for sequence in sequences])
    return Padded(jnp.asarray(tokens), jnp.asarray(np.arange(length) < lengths[:, None]))


class Batches:
    """Random batches of a corpus held on the device, grouped so that little of a batch is padding.

    corpus: a named tuple of arrays whose first axis is the example and whose field `mask` is `[n, time]`.
        Fields with the mask's time axis are cut to each bucket's length.
    size: examples in a batch.    edges: the longest length of each bucket (default: one bucket).
    run: so many steps in a row share a bucket, because one compiled loop has one shape.

    The bucket of a step depends on the step alone, each bucket in proportion to its examples: all seeds
    see the same shapes, and resuming a run needs no state of an iterator.
    """

    def __init__(self, corpus: Any, size: int, edges: Sequence[int] | None = None, run: int = 10):
        require_positive(size=size, run=run)
        mask = np.asarray(corpus.mask)
        lengths = mask.shape[1] - np.argmax(mask[:, ::-1], axis=1)
        empty = np.flatnonzero(~mask.any(axis=1))
        require(not len(empty), f"Example {empty[0] if len(empty) else 0} has no words: its mask is all False.")
        edges = [int(lengths.max())] if edges is None else sorted(edges)
        require(edges[-1] >= lengths.max(), f"An example has {lengths.max()} words, beyond the last edge.")
        self.size, self.run = size, run
        self._buckets, counts = [], []
        for low, high in zip([0, *edges[:-1]], edges, strict=True):
            rows = np.flatnonzero((lengths > low) & (lengths <= high))
            if len(rows):
                time = mask.shape[1]
                cut = [
                    jnp.asarray(a[rows][:, :high] if a.ndim > 1 and a.shape[1] == time else a[rows])
                    for a in map(np.asarray, corpus)
                ]
                self._buckets.append(type(corpus)(*cut))
                counts.append(len(rows))
        self._upto = np.cumsum(np.array(counts) / sum(counts))

    def bucket(self, step: int) -> int:
        """Index of the bucket that step number `step` draws from."""
        # Multiples of the golden ratio fill [0, 1) evenly: after any number of runs each bucket has had its share.
        place = (int(step) // self.run + 0.5) * GOLDEN % 1
        return int(min(np.searchsorted(self._upto, place), len(self._buckets) - 1))

    def draw(self, bucket: int, rng: Array) -> Any:
        """A batch from one bucket, drawn with replacement. Can be compiled."""
        corpus = self._buckets[bucket]
        rows = jax.random.randint(rng, (self.size,), 0, corpus[0].shape[0])
        return jax.tree.map(lambda a: a[rows], corpus)

    def __call__(self, step: int, rng: Array) -> Any:
        """The batch of step number `step`: a pure function of its arguments."""
        return self.draw(self.bucket(step), rng)
