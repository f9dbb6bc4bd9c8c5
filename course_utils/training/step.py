"""One update of a model: loss, gradient, optimizer, and whether all of it is finite."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jaxtyping import Array, Bool

from ..models.losses import Loss
from ..runtime import require


class Learning(NamedTuple):
    """What stays the same through a training: the network's structure, the loss, the optimizer."""

    network: nnx.GraphDef
    loss: Loss
    optimizer: optax.GradientTransformation


class State(NamedTuple):
    """What an update changes.

    params: θ.   rest: what a model holds beside parameters, such as the random state of dropout.
    optimizer: what the optimizer remembers, such as Adam's means.
    """

    params: Any
    rest: Any
    optimizer: Any


def update(
    learning: Learning, state: State, batch: Any
) -> tuple[State, dict[str, Any], Bool[Array, ""]]:
    """One update of the parameters: θ ← θ + Δ, where the optimizer makes Δ of ∇loss(θ, batch).

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
    """What the loss says of a model with these parameters, and its `rest` afterwards."""
    rest = jax.tree.map(lambda leaf: leaf, rest)  # nnx lets a trace change only what it made
    model = nnx.merge(learning.network, params, rest)
    return learning.loss(model, batch), nnx.split(model, nnx.Param, ...)[2]


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Is every number of a tree finite?"""
    return jnp.array([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]).all()


# ------------------------------------------------------------------------------ before the first


def taken_apart(
    models: list[Any], loss: Loss, optimizer: optax.GradientTransformation
) -> tuple[Learning, list[State]]:
    """What the models have in common, and the first state of each."""
    network: Any = None
    states = []
    for model in models:
        graph, params, rest = nnx.split(model, nnx.Param, ...)
        require(
            network in (None, graph),
            "Every seed must build the same network; only its numbers may differ.",
        )
        network = graph
        states.append(State(params, rest, optimizer.init(params)))
    return Learning(network, loss, optimizer), states


def metric_names(returned: Any) -> list[str]:
    """The metrics of what a loss returns, or of its shapes; `InvalidInput` if it is no pair."""
    wanted = "A loss returns a pair: one number, and a dict of metrics that are one number each"
    pair = isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], dict)
    require(pair, f"{wanted}.")
    value, metrics = returned
    shape = getattr(value, "shape", None)
    require(shape == (), f"{wanted}; its first part has shape {shape}.")
    require(
        "loss" not in metrics,
        "A metric may not be called 'loss': that is the name of the loss itself.",
    )
    for name, metric in metrics.items():
        shape = getattr(metric, "shape", ())
        require(shape == (), f"{wanted}; {name!r} has shape {shape}.")
    return list(metrics)
