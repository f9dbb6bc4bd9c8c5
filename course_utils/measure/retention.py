"""How much of a gradient a cell keeps, by the bias of its gate."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..models.by_name import CELLS, CellName
from ..runtime import InvalidInput, require
from .gradients import forget_gates, length_of, state_gradients

GATE = {"GRU": slice(1, 2), "LSTM": slice(0, 1)}  # the part of b that is the update, or the forget, gate's


@functools.cache
def _start(kind: CellName, hidden: int) -> tuple:
    return nnx.split(CELLS[kind](hidden // 2, hidden, rngs=nnx.Rngs(0)))


def retention(
    kind: CellName | str, bias: float = 0.0, length: int = 100, hidden: int = 32, strength: float = 1.0
) -> Float[np.ndarray, " time"]:
    """‖∂L/∂s_t‖ as a share of ‖∂L/∂s_T‖ for t = 1 … T, in a cell that is not trained, whose gate has the bias `bias`.

    L is a random projection of the last output; root mean squares over 32 sequences of normal inputs times `strength`.
    """
    if kind not in CELLS:
        raise InvalidInput(f"kind must be one of {', '.join(CELLS)}, not {kind!r}.")
    require(np.isfinite(bias), f"The bias must be a finite number, not {bias!r}.")
    norms = np.asarray(_retention(kind, length, hidden, _start(kind, hidden), jnp.float32(bias), strength)[0])
    return norms / norms[-1]


def additive_path(
    bias: float = 0.0, length: int = 100, hidden: int = 32, strength: float = 1.0
) -> Float[np.ndarray, " time"]:
    """Root mean square over units of ∏ f from step t to T, in the same LSTM: what the additive path alone keeps."""
    return np.asarray(_retention("LSTM", length, hidden, _start("LSTM", hidden), jnp.float32(bias), strength)[1])


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _retention(
    kind: CellName, length: int, hidden: int, start: tuple, bias: Float[Array, ""], strength: float | Array
) -> tuple[Float[Array, "{length}"], Float[Array, "{length}"]]:
    cell = nnx.merge(*start)
    if kind in GATE:
        rows = cell.b[...].reshape(-1, hidden)
        cell.b = nnx.Param(rows.at[GATE[kind]].set(bias).ravel())
    inputs = strength * jax.random.normal(jax.random.key(1), (32, length, hidden // 2))
    v = jax.random.normal(jax.random.key(2), (hidden,))
    gradients = state_gradients(cell, inputs, lambda outputs, last: (last @ v).sum())
    path = jnp.ones(length)
    if kind == "LSTM":
        logs = jnp.log(jax.vmap(lambda x: forget_gates(cell, x))(inputs))
        later = logs.sum(1, keepdims=True) - jnp.cumsum(logs, axis=1)  # log ∏ f over the steps after each
        path = jnp.exp(later).swapaxes(0, 1).reshape(length, -1)
        path = length_of(path) / jnp.sqrt(path.shape[1])
    return length_of(gradients.T) / jnp.sqrt(len(inputs)), path
