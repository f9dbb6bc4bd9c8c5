"""The fast ways: the same numbers as the readable ones, put so that XLA runs them well.

What is said of speed is measured in `benchmarks/NOTES.md`; `tests/unit/test_fast.py`
holds each to its equation.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeGuard

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from ..runtime import require
from . import recurrent
from .interfaces import Cell, State
from .recurrent import as_precise, check_sequence, time_first, where


def apart(
    x: Float[Array, "*lead gates"] | tuple[Array, ...], pieces: int
) -> tuple[Array, ...]:
    """One array for each of so many gates; what is apart already stays as it is.

    The barrier keeps XLA from weaving the cut into the element-wise work that follows.
    On a CPU that costs more than the products themselves.
    """
    if isinstance(x, tuple):
        return x
    if pieces == 1:
        return (x,)
    return tuple(jnp.split(jax.lax.optimization_barrier(x), pieces, axis=-1))


def unroll(
    cell: Cell[State],
    inputs: Float[Array, "batch time embed"],
    mask: Bool[Array, "batch time"] | None = None,
    *,
    start: State | None = None,
    reverse: bool = False,
    beside: Float[Array, "batch gates"] | None = None,
) -> tuple[Float[Array, "batch time *output"], State]:
    """`recurrent.unroll`, whose way back is written out for the cells whose step is
    `cells.RecurrentCell.step`.

    beside: added to what the inputs contribute at every step.   Any other cell is left
    to `recurrent.unroll`.
    """
    if not _has_the_common_step(cell):
        require(
            beside is None, f"A {type(cell).__name__} takes nothing beside its inputs."
        )
        return recurrent.unroll(cell, inputs, mask, start=start, reverse=reverse)
    check_sequence(inputs, mask)
    projected, words = time_first((cell.project(inputs), mask))
    projected = apart(projected if beside is None else projected + beside, cell.pieces)
    first = as_precise(cell.start(len(inputs)) if start is None else start, projected)
    run = _with_its_way_back(cell.combine, cell.output, reverse)
    outputs, last = run(cell.W_h[...], projected, words, first)
    return jnp.swapaxes(outputs, 0, 1), last


class _Common(Cell[State], Protocol):
    """What is used of a `cells.RecurrentCell`."""

    W_h: nnx.Param
    pieces: int

    def combine(
        self, state: State, recurrent: tuple[Array, ...], projected: tuple[Array, ...]
    ) -> State: ...


def _has_the_common_step(cell: Cell[State]) -> TypeGuard[_Common[State]]:
    return getattr(cell, "has_the_common_step", False)


def _with_its_way_back(combine: Callable, output: Callable, reverse: bool) -> Callable:
    """A recurrence whose way back is written out: `run(W_h, projected, words, start)` →
    outputs of all steps, last state.

    With r_t = W_h h_{t-1} the step is s_t = combine(s_{t-1}, r_t, x_t). Backwards, the
    gradients of s_{t-1}, r_t and x_t follow from that of s_t, element by element;
    h_{t-1} gets W_hᵀ r̄_t, and W̄_h = Σ_t r̄_t h_{t-1}ᵀ is one product after the loop,
    where JAX would add to it at every step.
    """

    def step(state, recurrent, x_t, is_word):
        new = where(is_word, combine(state, recurrent, x_t), state)
        return new, output(new)

    @jax.custom_vjp
    def run(W_h, projected, words, start):
        def one(state, now):
            x_t, is_word = now
            return step(
                state, apart(output(state) @ W_h.T, len(projected)), x_t, is_word
            )

        last, outputs = jax.lax.scan(one, start, (projected, words), reverse=reverse)
        return outputs, last

    def forward(W_h, projected, words, start):
        def one(state, now):
            x_t, is_word = now
            recurrent = apart(output(state) @ W_h.T, len(projected))
            new, out = step(state, recurrent, x_t, is_word)
            return new, (out, state, recurrent)

        last, (outputs, states, recurrent) = jax.lax.scan(
            one, start, (projected, words), reverse=reverse
        )
        return (outputs, last), (W_h, projected, words, states, recurrent)

    def backward(kept, slopes):
        W_h, projected, words, states, recurrent = kept
        parts = jnp.split(W_h, len(projected))

        def one(of_state, now):
            of_output, state, recurrent, x_t, is_word = now
            pull = jax.vjp(
                lambda s, r, x: step(s, r, x, is_word), state, recurrent, x_t
            )[1]
            of_before, of_recurrent, of_x = pull((of_state, of_output))
            of_h = sum(a @ part for a, part in zip(of_recurrent, parts, strict=True))
            (through,) = jax.vjp(output, state)[1](of_h)
            return jax.tree.map(jnp.add, of_before, through), (of_recurrent, of_x)

        steps = (slopes[0], states, recurrent, projected, words)
        of_start, (of_recurrent, of_projected) = jax.lax.scan(
            one, slopes[1], steps, reverse=not reverse
        )
        h = output(states)
        of_W = jnp.concatenate(
            [jnp.einsum("tbg,tbh->gh", part, h) for part in of_recurrent]
        )
        return of_W, of_projected, None, of_start

    run.defvjp(forward, backward)
    return run


def computed_again(score: Callable[..., Any]) -> Callable[..., Any]:
    """A score whose inside, a number for every pair of positions, is computed again on
    the way back, not kept: less to move.
    """
    return jax.checkpoint(score)
