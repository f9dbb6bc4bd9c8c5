"""From one step to a sequence, and from a sequence to an answer."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int

from ..runtime import require, require_mask, require_positive
from .cells import apart


def unroll(
    cell: Any,
    inputs: Float[Array, "batch time embed"],
    mask: Bool[Array, "batch time"] | None = None,
    *,
    start: Any = None,
    reverse: bool = False,
    beside: Float[Array, "batch gates"] | None = None,
) -> tuple[Float[Array, "batch time *output"], Any]:
    """Apply one cell at every position: the outputs of all steps, and the last state.

    A position where `mask` is False changes nothing: the state before it is carried over. With
    `reverse=True` the sequence is read from its end; outputs keep the positions of their inputs.
    `start` is the state before the first step (default `cell.start`); `beside` is added to what the inputs contribute at
    every step.

    The input's share W_x x_t + b is one matrix product for all positions, outside the loop; only what
    depends on the state before is inside `jax.lax.scan`. For the cells of the course the way back is written out
    (`_loop`); any other cell is a `step` in a loop that JAX differentiates, and gives the same numbers.
    """
    require(inputs.shape[1] >= 1, "The sequence is empty: a recurrence needs at least one step (T ≥ 1).")
    require(
        mask is None or mask.shape == inputs.shape[:2],
        f"The mask has shape {getattr(mask, 'shape', None)}; for these inputs it must be {inputs.shape[:2]}.",
    )
    require_mask(mask)
    refuse_empty_rows(mask)
    present = None if mask is None else mask.T
    state = cell.start(inputs.shape[0]) if start is None else start
    if "combine" in vars(type(cell)):  # not of a subclass, which may have another step
        projected: Any = cell.project(jnp.swapaxes(inputs, 0, 1))
        projected = apart(projected if beside is None else projected + beside, cell.pieces)
        state = _as_precise(state, projected)
        outputs, last = _loop(cell.combine, cell.output, reverse)(cell.W_h[...], projected, present, state)
        return jnp.swapaxes(outputs, 0, 1), last
    require(beside is None, f"A {type(cell).__name__} takes nothing beside its inputs.")
    projected = jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), cell.project(inputs))

    def step(state, now):
        x_t, there = now
        new = _where(there, cell.step(state, x_t), state)
        return new, cell.output(new)

    last, outputs = jax.lax.scan(step, _as_precise(state, projected), (projected, present), reverse=reverse)
    return jnp.swapaxes(outputs, 0, 1), last


def _as_precise(state: Any, projected: Any) -> Any:
    """The state in the precision of what it is computed from."""
    dtype = jax.tree.leaves(projected)[0].dtype
    return jax.tree.map(lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, state)


def _where(present: Any, new: Any, old: Any) -> Any:
    """The new state in the rows where a word is, the old one in the others."""
    if present is None:
        return new
    return jax.tree.map(lambda a, b: jnp.where(present.reshape(-1, *[1] * (a.ndim - 1)), a, b), new, old)


def _loop(combine: Any, output: Any, reverse: bool) -> Any:
    """A recurrence whose way back is written out: `run(W_h, projected, present, start)` → outputs of all steps, last state.

    With r_t = W_h h_{t-1} the step is s_t = combine(s_{t-1}, r_t, x_t). Backwards, the gradients of s_{t-1}, r_t and x_t
    follow from that of s_t, element by element; h_{t-1} gets W_hᵀ r̄_t, and W̄_h = Σ_t r̄_t h_{t-1}ᵀ is one product after the
    loop, where JAX would add to it at every step.
    """

    def step(state, recurrent, x_t, there):
        new = _where(there, combine(state, recurrent, x_t), state)
        return new, output(new)

    @jax.custom_vjp
    def run(W_h, projected, present, start):
        def one(state, now):
            x_t, there = now
            return step(state, apart(output(state) @ W_h.T, len(projected)), x_t, there)

        last, outputs = jax.lax.scan(one, start, (projected, present), reverse=reverse)
        return outputs, last

    def forward(W_h, projected, present, start):
        def one(state, now):
            x_t, there = now
            recurrent = apart(output(state) @ W_h.T, len(projected))
            new, out = step(state, recurrent, x_t, there)
            return new, (out, state, recurrent)

        last, (outputs, states, recurrent) = jax.lax.scan(one, start, (projected, present), reverse=reverse)
        return (outputs, last), (W_h, projected, present, states, recurrent)

    def backward(kept, slopes):
        W_h, projected, present, states, recurrent = kept
        parts = jnp.split(W_h, len(projected))

        def one(of_state, now):
            of_output, state, recurrent, x_t, there = now
            pull = jax.vjp(lambda s, r, x: step(s, r, x, there), state, recurrent, x_t)[1]
            of_before, of_recurrent, of_x = pull((of_state, of_output))
            of_h = sum(a @ part for a, part in zip(of_recurrent, parts, strict=True))
            (through,) = jax.vjp(output, state)[1](of_h)
            return jax.tree.map(jnp.add, of_before, through), (of_recurrent, of_x)

        steps = (slopes[0], states, recurrent, projected, present)
        of_start, (of_recurrent, of_projected) = jax.lax.scan(one, slopes[1], steps, reverse=not reverse)
        h = output(states)
        of_W = jnp.concatenate([jnp.einsum("tbg,tbh->gh", part, h) for part in of_recurrent])
        return of_W, of_projected, None, of_start

    run.defvjp(forward, backward)
    return run


def refuse_empty_rows(mask: Any) -> None:
    """Raise where a row of a mask is all False. Inside `jit`, where values are unknown, nothing is checked."""
    if mask is None or isinstance(mask, Tracer):
        return
    empty = np.flatnonzero(~np.asarray(mask).any(axis=-1))
    require(
        not len(empty),
        f"Row {empty[0] if len(empty) else 0} of the mask is all False: a sequence needs at least one word.",
    )


def hidden_states(
    model: Any, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
) -> Float[Array, "batch time hidden"]:
    """The output of a model's cell after each word, before any head reads it."""
    return unroll(model.cell, model.embed(tokens), mask)[0]


class WrappedCell(nnx.Module):
    """Another cell, whose methods are passed on as they are; a subclass changes some of them."""

    def __init__(self, cell: Any):
        self.cell = cell
        self.embed, self.hidden = cell.embed, cell.hidden

    def start(self, batch: int) -> Any:
        """That of the cell."""
        return self.cell.start(batch)

    def project(self, inputs: Float[Array, "*lead embed"]) -> Any:
        """That of the cell."""
        return self.cell.project(inputs)

    def step(self, state: Any, projected: Any) -> Any:
        """That of the cell."""
        return self.cell.step(state, projected)

    def output(self, state: Any) -> Any:
        """That of the cell."""
        return self.cell.output(state)


class Truncated(WrappedCell):
    """A cell through which no gradient passes at the steps k, 2k, 3k, …: truncated backpropagation through time.

    The states are those of `cell`; only their derivatives differ. A sequence falls into windows of `window` steps, and
    what happens in one window is, for the gradient, a fixed start of the next.

    Williams, Peng (1990). Built in notebook 02.
    """

    def __init__(self, cell: Any, window: int | Array):
        if not isinstance(window, Tracer):  # one compilation serves every window
            require_positive(window=window)
        super().__init__(cell)
        self.window = window

    def project(self, inputs: Float[Array, "batch time embed"]) -> Any:
        """What the inputs contribute, and where a window begins."""
        steps = jnp.arange(inputs.shape[1])
        begins = (steps % self.window == 0) & (steps > 0)
        return self.cell.project(inputs), jnp.broadcast_to(begins, inputs.shape[:2])

    def step(self, state: Any, projected: Any) -> Any:
        """The cell's step, from a state that counts as a constant where a window begins."""
        x_t, begins = projected
        before = jax.tree.map(
            lambda a: jnp.where(begins.reshape(-1, *[1] * (a.ndim - 1)), jax.lax.stop_gradient(a), a), state
        )
        return self.cell.step(before, x_t)


class Damped(WrappedCell):
    """A cell whose gradient is multiplied by `keep` at every step, while its states stay as they are.

    Each step starts from keep · s + (1 - keep) · stop_gradient(s), which is s. So the gradient can be made to fade without
    making the state forget. Built in notebook 02.
    """

    def __init__(self, cell: Any, keep: float):
        require(0 <= keep <= 1, f"keep must lie in [0, 1], not {keep!r}.")
        super().__init__(cell)
        self.keep = keep

    def step(self, state: Any, projected: Any) -> Any:
        """The cell's step."""
        faded = jax.tree.map(lambda a: self.keep * a + (1 - self.keep) * jax.lax.stop_gradient(a), state)
        return self.cell.step(faded, projected)


class SequenceClassifier(nnx.Module):
    """Read a sequence, answer one question about it: logits = W · output(last state) + b.

    `cell` is any cell of `models.cells`. `model(tokens, mask)` gives logits `[batch, classes]`;
    `model.every_step(tokens, mask)` gives the answer after each position, `[batch, time, classes]`.
    """

    def __init__(self, cell: Any, vocab: int, classes: int, *, rngs: nnx.Rngs):
        require_positive(vocab=vocab, classes=classes)
        self.cell = cell
        self.embed = nnx.Embed(vocab, cell.embed, rngs=rngs)
        self.head = nnx.Linear(cell.hidden, classes, rngs=rngs)

    def __call__(
        self, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
    ) -> Float[Array, "batch classes"]:
        _, last = unroll(self.cell, self.embed(tokens), mask)
        return self.head(self.cell.output(last))

    def every_step(
        self, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
    ) -> Float[Array, "batch time classes"]:
        """What the model would answer if the sequence ended at each position."""
        outputs, _ = unroll(self.cell, self.embed(tokens), mask)
        return self.head(outputs)


class SequenceRegressor(nnx.Module):
    """Read a sequence of vectors, answer with one number: W · output(last state) + b."""

    def __init__(self, cell: Any, *, rngs: nnx.Rngs):
        self.cell = cell
        self.head = nnx.Linear(cell.hidden, 1, rngs=rngs)

    def __call__(
        self, inputs: Float[Array, "batch time embed"], mask: Bool[Array, "batch time"] | None = None
    ) -> Float[Array, " batch"]:
        _, last = unroll(self.cell, inputs, mask)
        return self.head(self.cell.output(last))[:, 0]


class LanguageModel(nnx.Module):
    """Predict each next word: logits_t = W · output(h_t) + b, a score for every word of the vocabulary.

    `model(tokens, mask)` gives logits `[batch, time, vocab]`; those at position t are about t + 1.
    """

    def __init__(self, cell: Any, vocab: int, *, rngs: nnx.Rngs):
        require_positive(vocab=vocab)
        self.cell = cell
        self.embed = nnx.Embed(vocab, cell.embed, rngs=rngs)
        self.head = nnx.Linear(cell.hidden, vocab, rngs=rngs)

    def __call__(
        self, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
    ) -> Float[Array, "batch time vocab"]:
        outputs, _ = unroll(self.cell, self.embed(tokens), mask)
        return self.head(outputs)
