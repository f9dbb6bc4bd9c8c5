"""Models at work, not in training: compiled once for each kind of model, dropout off."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flax import nnx


def apply(model: Any, function: Callable[..., Any], *arguments: Any) -> Any:
    """`function(model, *arguments)` in evaluation mode, compiled, as NumPy arrays.

    `function` must be one that stays the same object from call to call, or every call compiles again.
    """
    working = nnx.merge(*nnx.split(model))  # a copy: the caller's model keeps its mode
    working.eval()
    graphdef, state = nnx.split(working)
    return jax.tree.map(np.asarray, _apply(function, graphdef, state, *arguments))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _apply(function, graphdef, state, *arguments):
    return function(nnx.merge(graphdef, state), *arguments)


def logits(model: Any, tokens: Any, mask: Any) -> Any:
    """What a model answers."""
    return model(tokens, mask)


def every_step(model: Any, tokens: Any, mask: Any) -> Any:
    """What a classifier would answer after each word."""
    return model.every_step(tokens, mask)
