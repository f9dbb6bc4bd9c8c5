"""Models at work, not in training: no dropout, compiled once for each kind of model."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, TypeVar

import jax
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int, PyTree

from .interfaces import Reader, Tagger

Model = TypeVar("Model")  # an `nnx.Module`, by whatever protocol it is known
Function = TypeVar("Function", bound=Callable[..., Any])


def evaluation(model: Model) -> Model:
    """A copy in evaluation mode: the caller's model keeps its own."""
    working = nnx.merge(*nnx.split(model))
    working.eval()  # type: ignore[attr-defined]
    return working


def compiled(*static: str) -> Callable[[Function], Function]:
    """Decorate `function(model, …)`: it runs in evaluation mode, is compiled once for
    each kind of model, shapes, and values of the arguments named in `static`, and gives
    NumPy arrays.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)

        @functools.partial(jax.jit, static_argnames=("graphdef", *static))
        def run(graphdef, state, **arguments):
            return function(nnx.merge(graphdef, state), **arguments)

        @functools.wraps(function)
        def call(model, *args, **kwargs):
            bound = signature.bind(model, *args, **kwargs)
            bound.apply_defaults()
            arguments = dict(list(bound.arguments.items())[1:])
            graphdef, state = nnx.split(evaluation(model))
            return as_numpy(run(graphdef=graphdef, state=state, **arguments))

        return call  # type: ignore[return-value]

    return decorate


def apply(
    model: Model,
    function: Callable[Concatenate[Model, ...], PyTree],
    *arguments: PyTree,
) -> PyTree:
    """`function(model, *arguments)` in evaluation mode, compiled, as NumPy arrays.

    `function` must be one that stays the same object from call to call, or every call
    compiles again.
    """
    graphdef, state = nnx.split(evaluation(model))
    return as_numpy(_apply(function, graphdef, state, *arguments))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _apply(function, graphdef, state, *arguments):
    return function(nnx.merge(graphdef, state), *arguments)


def as_numpy(values: PyTree) -> PyTree:
    """All arrays of a tree as NumPy's."""
    return jax.tree.map(np.asarray, values)


def logits(
    model: Reader,
    tokens: Int[Array, "batch time"],
    mask: Bool[Array, "batch time"] | None,
) -> Float[Array, "batch *answer"]:
    """What a model answers."""
    return model(tokens, mask)


def every_step(
    model: Tagger,
    tokens: Int[Array, "batch time"],
    mask: Bool[Array, "batch time"] | None,
) -> Float[Array, "batch time classes"]:
    """What a classifier would answer after each word."""
    return model.every_step(tokens, mask)
