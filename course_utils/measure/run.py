"""Models at work, not in training: compiled once for each kind of model, dropout off."""

import functools
from collections.abc import Callable
from typing import Concatenate, TypeVar

import jax
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int, PyTree

from ..models.interfaces import LanguageModel, Reader
from ..models.readers import AttentionReader
from ..models.sequence import SequenceClassifier

M = TypeVar("M")  # a model, which is an `nnx.Module`


def apply(model: M, function: Callable[Concatenate[M, ...], PyTree[Array]], *arguments: PyTree) -> PyTree[np.ndarray]:
    """`function(model, *arguments)` in evaluation mode, compiled, its arrays as NumPy arrays.

    `function` must be one that stays the same object from call to call, or every call compiles again.
    """
    working = nnx.merge(*nnx.split(model))  # a copy: the caller's model keeps its mode
    working.eval()  # type: ignore[attr-defined]
    graphdef, state = nnx.split(working)
    return jax.tree.map(np.asarray, _apply(function, graphdef, state, *arguments))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _apply(function, graphdef, state, *arguments):
    return function(nnx.merge(graphdef, state), *arguments)


def logits(
    model: Reader | LanguageModel, tokens: Int[Array, "n time"], mask: Bool[Array, "n time"] | None
) -> Float[Array, "n *scores"]:
    """What a model answers: of a reader `[n, classes]`, of a language model `[n, time, vocab]`."""
    return model(tokens, mask)


def every_step(
    model: SequenceClassifier | AttentionReader, tokens: Int[Array, "n time"], mask: Bool[Array, "n time"] | None
) -> Float[Array, "n time classes"]:
    """What a classifier would answer after each word."""
    return model.every_step(tokens, mask)
