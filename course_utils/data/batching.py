"""Padding, masks and length-bucketed batches.

A *mask* is True where a position holds a word. Sequences are padded on the right.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..runtime import InvalidInput, require, require_positive

GOLDEN = (5**0.5 - 1) / 2
RUN = 20  # steps in a row that share a bucket: one compiled loop has one shape


@runtime_checkable
class BatchSource(Protocol):
    """What `fit` asks of data: the batch of a step, a pure function of the step's number and a key."""

    def __call__(self, step: Any, rng: Array, /) -> Any: ...


@runtime_checkable
class BucketedSource(BatchSource, Protocol):
    """A source whose batches have several shapes: one a bucket."""

    def bucket(self, step: int) -> Any:
        """The bucket of step number `step`, known from the step alone."""
        ...

    def examples(self, bucket: Any) -> Any:
        """All examples of one bucket."""
        ...

    def draw(self, examples: Any, rng: Array) -> Any:
        """A batch of the examples of one bucket, inside a compiled loop."""
        ...


class Padded(NamedTuple):
    """Sequences of different lengths in one array."""

    tokens: Int[Array, "batch time"]
    mask: Bool[Array, "batch time"]

    time_axes = {"mask": ("tokens", "mask")}  # noqa: RUF012


class Labelled(NamedTuple):
    """Sequences with one class each."""

    tokens: Int[Array, "batch time"]
    mask: Bool[Array, "batch time"]
    labels: Int[Array, " batch"]

    time_axes = {"mask": ("tokens", "mask")}  # noqa: RUF012


class Tagged(NamedTuple):
    """Sequences with a class at each position that is asked about."""

    tokens: Int[Array, "batch time"]
    mask: Bool[Array, "batch time"]
    labels: Int[Array, "batch time"]
    asked: Bool[Array, "batch time"]

    time_axes = {"mask": ("tokens", "mask", "labels", "asked")}  # noqa: RUF012


class Parallel(NamedTuple):
    """Sentences in two languages: `source` is `words … <eos>`, `target` is `<bos> words … <eos>`."""

    source: Int[Array, "batch source"]
    source_mask: Bool[Array, "batch source"]
    target: Int[Array, "batch target"]
    target_mask: Bool[Array, "batch target"]

    time_axes = {"source_mask": ("source", "source_mask"), "target_mask": ("target", "target_mask")}  # noqa: RUF012


class Measured(NamedTuple):
    """Sequences of vectors with one number each to be found."""

    inputs: Float[Array, "batch time embed"]
    target: Float[Array, " batch"]


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

    corpus: a named tuple of arrays whose first axis is the example. Its `time_axes` name each mask
        `[n, time]` and the fields that share its time axis: `{"mask": ("tokens", "mask")}`.
    size: examples in a batch.
    edges: the longest length of each bucket (default: one bucket); the length of an example is that of its
        longest sequence. Every sequence is cut to the longest of its kind in the bucket.
    run: so many steps in a row share a bucket.

    The bucket of a step depends on the step alone, each bucket in proportion to its examples: all seeds
    see the same shapes, and resuming a run needs no state of an iterator.
    """

    def __init__(self, corpus: Any, size: int, edges: Sequence[int] | None = None, run: int = RUN):
        require_positive(size=size, run=run)
        axes: dict = getattr(corpus, "time_axes", {})
        require(
            axes, f"{type(corpus).__name__} must say in `time_axes` which fields share the time axis of which mask."
        )
        lengths = {name: _lengths(name, np.asarray(getattr(corpus, name))) for name in axes}
        longest = np.max(list(lengths.values()), axis=0)
        require(edges is None or len(edges), "edges must name at least one length.")
        ends = [int(longest.max())] if edges is None else sorted(edges)
        require(ends[-1] >= longest.max(), f"An example has {longest.max()} words, beyond the last edge.")
        self.size, self.run = size, run
        self._buckets, counts = [], []
        for low, high in zip([0, *ends[:-1]], ends, strict=True):
            rows = np.flatnonzero((longest > low) & (longest <= high))
            if len(rows):
                cut = {field: np.asarray(values)[rows] for field, values in corpus._asdict().items()}
                for name, fields in axes.items():
                    for field in fields:
                        cut[field] = cut[field][:, : lengths[name][rows].max()]
                self._buckets.append(type(corpus)(**{field: jnp.asarray(values) for field, values in cut.items()}))
                counts.append(len(rows))
        self._upto = np.cumsum(np.array(counts) / sum(counts))

    def bucket(self, step: int) -> int:
        """Index of the bucket that step number `step` draws from."""
        # Multiples of the golden ratio fill [0, 1) evenly: after any number of runs each bucket has had its share.
        fraction = (int(step) // self.run + 0.5) * GOLDEN % 1
        return int(min(np.searchsorted(self._upto, fraction), len(self._buckets) - 1))

    def examples(self, bucket: int) -> Any:
        """All examples of one bucket."""
        return self._buckets[bucket]

    def draw(self, examples: Any, rng: Array) -> Any:
        """A batch of the examples of one bucket, drawn with replacement. Can be compiled."""
        rows = jax.random.randint(rng, (self.size,), 0, examples[0].shape[0])
        return jax.tree.map(lambda a: a[rows], examples)

    def __call__(self, step: int, rng: Array) -> Any:
        """The batch of step number `step`: a pure function of its arguments."""
        return self.draw(self.examples(self.bucket(step)), rng)


def _lengths(name: str, mask: np.ndarray) -> np.ndarray:
    """Length of each row of a mask, up to its last word."""
    empty = np.flatnonzero(~mask.any(axis=1))
    if len(empty):
        raise InvalidInput(f"Example {empty[0]} has no words: its {name} is all False.")
    return mask.shape[1] - np.argmax(mask[:, ::-1], axis=1)
