"""The compiled loop: batches are drawn inside it, and several updates are one call.

Update number k of seed s always sees the same batch. So a run is determined by its seed, and going
on with one equals never having stopped.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from .. import devices
from ..data.batching import RUN, BatchSource, BucketedSource
from .step import Learning

CHUNK = RUN  # updates in one call: often enough to report, seldom enough to cost nothing
BATCHES = 0x62617463  # folded into a seed's key for its batches ("batc")


def batch_rng(seed: int) -> Array:
    """The key from which a seed's batches come: update k folds k into it.

    It is not `key(seed)` itself, because `nnx.Rngs(seed)` folds small numbers into that for a
    model's first values.
    """
    return jax.random.fold_in(jax.random.key(seed), BATCHES)


class Feed(NamedTuple):
    """How a compiled loop comes to its batches: `draw(examples(bucket(step)), step, rng)`.

    The bucket of a step names the shape of its batch; examples enter the loop as arguments.
    """

    bucket: Callable[[int], Any]
    examples: Callable[[Any], Any]
    draw: Callable[[Any, Any, Array], Any]


def feed_of(batches: BatchSource) -> Feed:
    """A source of batches as a compiled loop uses it; a plain function has one shape."""
    if not isinstance(batches, BucketedSource):
        return Feed(lambda step: 0, lambda bucket: None, lambda _, step, rng: batches(step, rng))
    draw = batches.draw
    return Feed(batches.bucket, batches.examples, lambda examples, _, rng: draw(examples, rng))


def repeated(update: Callable, learning: Learning, feed: Feed, metrics: list[str]) -> Callable:
    """`update` again and again for every seed: `(state, begin, limits, rngs, examples) -> …`.

    It makes updates begin … limit - 1, fewer where a value is not finite, and returns the state,
    the update that was reached and `[CHUNK]` values of the loss and each metric. To be compiled.
    """

    def advance(state, begin, limit, rng, examples):
        def again(carry):
            step, _, state, rows = carry
            batch = devices.spread(feed.draw(examples, step, jax.random.fold_in(rng, step)))
            state, values, finite = update(learning, state, batch)
            values = {name: jnp.asarray(values[name], jnp.float32) for name in rows}
            rows = {name: rows[name].at[step - begin].set(values[name]) for name in rows}
            return step + finite, finite, state, rows

        def unfinished(carry):
            step, finite, _, _ = carry
            return (step < limit) & finite

        rows = {name: jnp.zeros(CHUNK, jnp.float32) for name in ("loss", *metrics)}
        start = begin, jnp.array(True), state, rows
        step, _, state, rows = jax.lax.while_loop(unfinished, again, start)
        return state, step, rows

    return over_seeds(advance)


def over_seeds(advance: Callable) -> Callable:
    """`advance` over a leading axis of seeds: one after another on a CPU, else side by side."""
    if jax.default_backend() != "cpu":
        return jax.vmap(advance, in_axes=(0, None, 0, 0, None))

    def one_after_another(state, begin, limits, rngs, examples):
        def of_seed(lane):
            state, limit, rng = lane
            return advance(state, begin, limit, rng, examples)

        return jax.lax.map(of_seed, (state, limits, rngs))

    return one_after_another
