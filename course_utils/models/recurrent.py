"""From one step to a sequence, and cells made of other cells."""

from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.core import Tracer
from jaxtyping import Array, Bool, Float

from ..runtime import InvalidInput, require, require_mask, require_positive
from .interfaces import Arrays, Cell, State

Tree = TypeVar("Tree")


def unroll(
    cell: Cell[State],
    inputs: Float[Array, "batch time embed"],
    mask: Bool[Array, "batch time"] | None = None,
    *,
    start: State | None = None,
    reverse: bool = False,
) -> tuple[Float[Array, "batch time *output"], State]:
    """Apply one cell at every position: the outputs of all steps, and the last state.

        s_t = step(s_{t-1}, x_t)      from s_0 = `start`, or else the cell's own

    What the inputs contribute, W_x x_t + b, is one product before the loop: it waits
    for nothing. A position where `mask` is False changes nothing: the state before it
    is carried over. With `reverse=True` the sequence is read from its end; outputs keep
    the positions of their inputs.

    The models of the course run the same loop by `fast.unroll`, whose way back is
    written out.
    """
    check_sequence(inputs, mask)

    def step(state, now):
        x_t, is_word = now
        state = where(is_word, cell.step(state, x_t), state)
        return state, cell.output(state)

    projected, words = time_first((cell.project(inputs), mask))
    first = as_precise(cell.start(len(inputs)) if start is None else start, projected)
    last, outputs = jax.lax.scan(step, first, (projected, words), reverse=reverse)
    return jnp.swapaxes(outputs, 0, 1), last


def time_first(tree: Tree) -> Tree:
    """`[batch, time, …]` → `[time, batch, …]`, as `scan` wants it."""
    return jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), tree)


def where(is_word: Bool[Array, " batch"] | None, new: State, old: State) -> State:
    """The new state in the rows where a word is, the old one in the others."""
    if is_word is None:
        return new
    return jax.tree.map(
        lambda a, b: jnp.where(is_word.reshape(-1, *[1] * (a.ndim - 1)), a, b), new, old
    )


def as_precise(state: State, projected: Arrays) -> State:
    """The state in the precision of what it is computed from."""
    dtype = jax.tree.leaves(projected)[0].dtype
    return jax.tree.map(
        lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, state
    )


def check_sequence(
    inputs: Float[Array, "batch time embed"], mask: Bool[Array, "..."] | None
) -> None:
    """Raise where there is nothing to read, or the mask is not one for these inputs."""
    require(
        inputs.shape[1] >= 1,
        "The sequence is empty: a recurrence needs at least one step (T ≥ 1).",
    )
    if mask is not None:
        require(
            mask.shape == inputs.shape[:2],
            f"The mask has shape {mask.shape}; "
            f"for these inputs it must be {inputs.shape[:2]}.",
        )
    require_mask(mask)
    refuse_empty_rows(mask)


def refuse_empty_rows(mask: Bool[Array, "batch time"] | np.ndarray | None) -> None:
    """Raise where a row of a mask is all False. Inside `jit`, where values are unknown,
    nothing is checked.
    """
    if mask is None or isinstance(mask, Tracer):
        return
    empty = np.flatnonzero(~np.asarray(mask).any(axis=-1))
    if len(empty):
        raise InvalidInput(
            f"Row {empty[0]} of the mask is all False: "
            "a sequence needs at least one word."
        )


class WrappedCell(nnx.Module):
    """Another cell, whose methods are passed on as they are; a subclass changes some of
    them.
    """

    def __init__(self, cell: Cell):
        self.cell = cell
        self.embed, self.hidden = cell.embed, cell.hidden

    def start(self, batch: int) -> Arrays:
        """That of the cell."""
        return self.cell.start(batch)

    def project(self, inputs: Float[Array, "*lead embed"]) -> Arrays:
        """That of the cell."""
        return self.cell.project(inputs)

    def step(self, state: Arrays, projected: Arrays) -> Arrays:
        """That of the cell."""
        return self.cell.step(state, projected)

    def output(self, state: Arrays) -> Float[Array, "*lead hidden"]:
        """That of the cell."""
        return self.cell.output(state)


class Truncated(WrappedCell):
    """A cell through which no gradient passes at the steps k, 2k, 3k, …: truncated
    backpropagation through time.

    The states are those of `cell`; only their derivatives differ. A sequence falls into
    windows of `window` steps, and what happens in one window is, for the gradient, a
    fixed start of the next.

    Williams, Peng (1990). Built in notebook 02.
    """

    def __init__(self, cell: Cell, window: int | Array):
        if not isinstance(window, Tracer):  # one compilation serves every window
            require_positive(window=window)
        super().__init__(cell)
        self.window = window

    def project(self, inputs: Float[Array, "batch time embed"]) -> Arrays:
        """What the inputs contribute, and where a window begins."""
        steps = jnp.arange(inputs.shape[1])
        begins = (steps % self.window == 0) & (steps > 0)
        return self.cell.project(inputs), jnp.broadcast_to(begins, inputs.shape[:2])

    def step(self, state: Arrays, projected: Arrays) -> Arrays:
        """The cell's step, from a state that counts as a constant where a window
        begins.
        """
        x_t, begins = projected
        return self.cell.step(where(begins, jax.lax.stop_gradient(state), state), x_t)


class Damped(WrappedCell):
    """A cell whose gradient is multiplied by `keep` at every step, while its states
    stay as they are.

    Each step starts from keep · s + (1 - keep) · stop_gradient(s), which is s. So the
    gradient can be made to fade without making the state forget, or, with keep above 1,
    to last where the state forgets. Built in notebook 02.
    """

    def __init__(self, cell: Cell, keep: float):
        require(
            0 <= keep < float("inf"), f"keep is a factor of at least 0, not {keep!r}."
        )
        super().__init__(cell)
        self.keep = keep

    def step(self, state: Arrays, projected: Arrays) -> Arrays:
        """The cell's step."""
        faded = jax.tree.map(
            lambda a: self.keep * a + (1 - self.keep) * jax.lax.stop_gradient(a), state
        )
        return self.cell.step(faded, projected)
