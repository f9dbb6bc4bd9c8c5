"""One update of a model, and the compiled loop that repeats it.

Batches are drawn inside the loop, and update number k of seed s always sees the same batch: a run is
determined by its seed, and going on with one equals never having stopped.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jaxtyping import Array, Bool

from .. import devices
from ..data.batching import RUN, BatchSource, BucketedSource
from ..models.losses import Loss

CHUNK = RUN  # updates in one compiled call: often enough to report, seldom enough to cost nothing
BATCHES = 0x62617463  # folded into a seed's key for its batches ("batc")


class Learning(NamedTuple):
    """What stays the same through a training: the structure of the network, the loss, the optimizer."""

    network: nnx.GraphDef
    loss: Loss
    optimizer: optax.GradientTransformation


class State(NamedTuple):
    """What an update changes: parameters, what a model holds beside them (the random state of dropout), optimizer."""

    params: Any
    rest: Any
    optimizer: Any


def update(learning: Learning, state: State, batch: Any) -> tuple[State, dict[str, Any], Bool[Array, ""]]:
    """One update of the parameters: θ ← θ + Δ, where the optimizer makes Δ of the gradient ∇loss(θ).

    Returns the state after it, the loss with its metrics, and whether loss, gradient and parameters
    are finite; where one of them is not, the state is the one before.
    """

    def objective(params):
        (loss, metrics), rest = evaluate(learning, params, state.rest, batch)
        return loss, (metrics, rest)

    (loss, (metrics, rest)), gradient = jax.value_and_grad(objective, has_aux=True)(state.params)
    change, memory = learning.optimizer.update(gradient, state.optimizer, state.params)
    params = optax.apply_updates(state.params, change)
    finite = all_finite((loss, gradient, params))
    after = State(params, rest, memory)
    kept = jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, state)
    return kept, {"loss": loss, **metrics}, finite


def evaluate(learning: Learning, params: Any, rest: Any, batch: Any) -> tuple[Any, Any]:
    """What the loss says of a model with these parameters, and what the model holds beside them afterwards."""
    rest = jax.tree.map(lambda leaf: leaf, rest)  # nnx lets a trace change only what it made
    model = nnx.merge(learning.network, params, rest)
    return learning.loss(model, batch), nnx.split(model, nnx.Param, ...)[2]


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Is every number of a tree finite?"""
    return jnp.array([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]).all()


# ------------------------------------------------------------------------------------- batches


def batch_rng(seed: int) -> Array:
    """The key from which a seed's batches come: update k folds k into it.

    It is not `key(seed)` itself, because `nnx.Rngs(seed)` folds small numbers into that for a model's
    first values.
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
    """A source of batches as a compiled loop uses it."""
    if isinstance(batches, BucketedSource):
        return Feed(batches.bucket, batches.examples, lambda examples, step, rng: batches.draw(examples, rng))
    return Feed(lambda step: 0, lambda bucket: None, lambda examples, step, rng: batches(step, rng))


# ------------------------------------------------------------------------------------- the loop


def repeated(update: Callable, learning: Learning, feed: Feed, metrics: list[str]) -> Callable:
    """The function of (state, begin, limits, rngs, examples) that repeats `update` for every seed. To be compiled.

    It runs updates begin … limit - 1, fewer where a value is not finite, and returns the state, the
    update it has reached and `[CHUNK]` values of the loss and each metric.
    """

    def advance(state, begin, limit, rng, examples):
        def again(carry):
            step, _, state, values = carry
            batch = devices.spread(feed.draw(examples, step, jax.random.fold_in(rng, step)))
            state, found, finite = update(learning, state, batch)
            row = {name: jnp.asarray(found[name], jnp.float32) for name in values}
            values = {name: values[name].at[step - begin].set(row[name]) for name in values}
            return step + finite, finite, state, values

        def unfinished(carry):
            step, finite, _, _ = carry
            return (step < limit) & finite

        empty = {name: jnp.zeros(CHUNK, jnp.float32) for name in ("loss", *metrics)}
        step, _, state, values = jax.lax.while_loop(
            unfinished, again, (begin, jnp.array(True), state, empty)
        )
        return state, step, values

    return over_seeds(advance)


def over_seeds(advance: Callable) -> Callable:
    """`advance` over a leading axis of seeds: one after another on a CPU, side by side on an accelerator."""
    if jax.default_backend() != "cpu":
        return jax.vmap(advance, in_axes=(0, None, 0, 0, None))

    def one_after_another(state, begin, limits, rngs, examples):
        def of_seed(lane):
            state, limit, rng = lane
            return advance(state, begin, limit, rng, examples)

        return jax.lax.map(of_seed, (state, limits, rngs))

    return one_after_another
