"""Gradients through time: Jacobians of single steps, their product, and what becomes of its singular values.

    ∂L/∂s_0 = ∂L/∂s_T · J_T J_{T-1} … J_1,     J_t = ∂s_t/∂s_{t-1}

where s_t is the whole state of a cell as one vector: h for an RNN or a GRU, (h, C) for an LSTM.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, PyTree

from ..models.fast import unroll
from ..models.gated import LSTMCell, LSTMState
from ..models.interfaces import Cell, State
from ..models.recurrent import WrappedCell
from ..runtime import require

RESOLVED = 1e-15  # singular values below this share of the largest are rounding, even in float64


def step_jacobians(
    cell: Cell[State], inputs: Float[Array, "time embed"], start: State | None = None
) -> Float[Array, "time state state"]:
    """J_1 … J_T along one sequence, each by forward-mode differentiation of a single step at the state it starts from.

    For an RNN J_t = diag(f'(W_h h_{t-1} + W_x x_t + b)) W_h.
    """
    require(inputs.shape[0] >= 1, "The sequence is empty: a product of Jacobians needs at least one step.")
    step, first = _flat_step(cell, start)

    def both(state, projected):
        return step(state, projected), jax.jacfwd(step)(state, projected)

    return jax.lax.scan(both, first, cell.project(inputs))[1]


def unrolled_jacobian(
    cell: Cell[State], inputs: Float[Array, "time embed"], start: State | None = None
) -> Float[Array, "state state"]:
    """∂s_T/∂s_0 by reverse-mode differentiation through the whole unrolled sequence: another route to the product."""
    step, first = _flat_step(cell, start)
    projected = cell.project(inputs)
    return jax.jacrev(lambda state: jax.lax.scan(lambda s, p: (step(s, p), None), state, projected)[0])(first)


def forget_gates(cell: LSTMCell, inputs: Float[Array, "time embed"]) -> Float[Array, "time hidden"]:
    """f_1 … f_T of an LSTM along one sequence."""

    def one(state, projected):
        f_t = cell.gates(state, projected[None])[0][0]
        return cell.step(state, projected[None]), f_t

    return jax.lax.scan(one, cell.start(1), cell.project(inputs))[1]


def forget_products(cell: LSTMCell, inputs: Float[Array, "time embed"]) -> Float[Array, "time hidden"]:
    """∏ f_t after each step: the derivative of the cell state C_t with respect to C_0 along the additive path.

    C_t = f_t ⊙ C_{t-1} + i_t ⊙ C̃_t: with every h held fixed, and so gates and candidates, ∂C_t/∂C_{t-1} = diag(f_t).
    """
    return jnp.cumprod(forget_gates(cell, inputs), axis=0)


def cell_path_jacobian(cell: LSTMCell, inputs: Float[Array, "time embed"]) -> Float[Array, "hidden hidden"]:
    """∂C_T/∂C_0 with every h_t held fixed, by automatic differentiation: a second route to `forget_products`."""
    projected = cell.project(inputs)

    def run(start):
        def one(state, projected):
            held = LSTMState(jax.lax.stop_gradient(state.hidden), state.cell)
            return cell.step(held, projected[None]), None

        first = LSTMState(cell.start(1).hidden.astype(start.dtype), start[None])
        return jax.lax.scan(one, first, projected)[0].cell[0]

    return jax.jacrev(run)(cell.start(1).cell[0].astype(projected.dtype))


class _Nudged(WrappedCell):
    """A cell to whose state a given small vector is added after each step, so that it can be differentiated by it."""

    def __init__(self, cell: Cell, nudges: PyTree[Float[Array, "batch time ..."]]):
        super().__init__(cell)
        self.nudges = nnx.data(nudges)

    def project(self, inputs: Float[Array, "*lead embed"]) -> tuple[PyTree, PyTree]:
        return self.cell.project(inputs), self.nudges

    def step(self, state: PyTree, projected: tuple[PyTree, PyTree]) -> PyTree:
        x_t, nudge = projected
        return jax.tree.map(jnp.add, self.cell.step(state, x_t), nudge)


def state_gradients(
    cell: Cell,
    inputs: Float[Array, "batch time embed"],
    loss: Callable[[Array, Array], Float[Array, ""]],
    mask: Bool[Array, "batch time"] | None = None,
) -> Float[Array, "batch time"]:
    """‖∂L/∂s_t‖ for every state s_t of every sequence: how much the loss would change with it, per unit of change.

    `loss(outputs, last)` is a sum over sequences of what is computed from the outputs of all steps
    `[batch, time, hidden]` and from the output after the last `[batch, hidden]`. 0 where `mask` is False.
    """
    batch, time = inputs.shape[:2]
    dtype = jax.tree.leaves(cell.project(inputs[:1, :1]))[0].dtype
    nudges = jax.tree.map(lambda a: jnp.zeros((batch, time, *a.shape[1:]), dtype), cell.start(batch))

    def value(nudges):
        outputs, last = unroll(_Nudged(cell, nudges), inputs, mask)
        return loss(outputs, cell.output(last))

    return length_of(jnp.concatenate(jax.tree.leaves(jax.grad(value)(nudges)), axis=-1))


def length_of(vectors: Float[Array, "*lead n"]) -> Float[Array, "*lead"]:
    """Euclidean length over the last axis, without squares that leave the range of float32."""
    largest = jnp.maximum(jnp.abs(vectors).max(-1), jnp.finfo(vectors.dtype).tiny)
    return largest * jnp.sqrt(((vectors / largest[..., None]) ** 2).sum(-1))


def _flat_step(cell: Cell[State], start: State | None) -> tuple[Callable[..., Array], Float[Array, " state"]]:
    """A cell's step on the state as one vector, and the state before the first step."""
    state = cell.start(1) if start is None else jax.tree.map(lambda a: a[None], start)
    dtype = jax.tree.leaves(cell.project(jnp.zeros((1, cell.embed))))[0].dtype
    first, restore = ravel_pytree(jax.tree.map(lambda a: a.astype(dtype), state))

    def step(vector, projected):
        return ravel_pytree(cell.step(restore(vector), jax.tree.map(lambda a: a[None], projected)))[0]

    return step, first


class Spectrum(NamedTuple):
    """Singular values of J_t … J_1 after each step, as base-10 logarithms, largest first; NaN where not resolved."""

    log10: Float[np.ndarray, "time state"]

    @property
    def norm(self) -> Float[np.ndarray, " time"]:
        """Base-10 logarithm of the largest: how much a gradient can grow on its way."""
        return self.log10[:, 0]


def product_spectrum(jacobians: Float[Array | np.ndarray, "time state state"]) -> Spectrum:
    """Singular values of the product after 1 … T steps, in float64, rescaled at every step so that nothing overflows."""
    jacobians = np.asarray(jacobians, np.float64)
    require(np.isfinite(jacobians).all(), "A Jacobian holds a number that is not finite.")
    size = jacobians.shape[-1]
    product, scale = np.eye(size), 0.0
    products, scales = np.empty_like(jacobians), np.empty(len(jacobians))
    for t, jacobian in enumerate(jacobians):
        product = jacobian @ product
        largest = np.abs(product).max()
        if largest > 0:
            product, scale = product / largest, scale + np.log10(largest)
        products[t], scales[t] = product, scale
    parts = np.array_split(products, max(1, min(os.cpu_count() or 1, len(products))))  # an explorer waits for this
    with ThreadPoolExecutor(len(parts)) as pool:
        values = np.concatenate(list(pool.map(lambda part: np.linalg.svd(part, compute_uv=False), parts)))
    with np.errstate(divide="ignore"):
        log10 = np.log10(values) + scales[:, None]
    log10[values <= RESOLVED * values[:, :1]] = np.nan
    log10[values[:, 0] == 0, 0] = -np.inf  # nothing at all is left
    return Spectrum(log10)
