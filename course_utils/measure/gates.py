"""What a trained LSTM does with its gates, and which of its units holds the subject's number."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int, PyTree

from ..data.agreement import Agreement
from ..models.fast import unroll
from ..models.gated import LSTMCell, LSTMState
from ..models.interfaces import Cell
from ..models.recurrent import WrappedCell
from ..models.run import apply
from ..models.sequence import Recurrent, RecurrentLanguageModel
from ..runtime import require
from .agreement import verb_margin


class Gates(NamedTuple):
    """Everything inside an LSTM at every word."""

    forget: Float[np.ndarray, "batch time hidden"]
    input: Float[np.ndarray, "batch time hidden"]
    candidate: Float[np.ndarray, "batch time hidden"]
    output: Float[np.ndarray, "batch time hidden"]
    cell: Float[np.ndarray, "batch time hidden"]
    hidden: Float[np.ndarray, "batch time hidden"]


class _Open(WrappedCell):
    """A cell whose output is all that is inside it."""

    cell: LSTMCell

    def start(self, batch: int) -> tuple[LSTMState, tuple[Array, ...]]:
        state = self.cell.start(batch)
        return state, (state.hidden,) * 4

    def step(
        self, state: tuple[LSTMState, tuple[Array, ...]], projected: PyTree
    ) -> tuple[LSTMState, tuple[Array, ...]]:
        before, _ = state
        return self.cell.step(before, projected), self.cell.gates(before, projected)

    def output(self, state: tuple[LSTMState, tuple[Array, ...]]) -> Float[Array, "*lead 6 hidden"]:
        return jnp.stack([*state[1], state[0].cell, state[0].hidden], axis=-2)


def gates_of(
    model: Recurrent, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None = None
) -> Gates:
    """Gates, candidates and states of a model with an LSTM cell at every word."""
    require(
        isinstance(model.cell, LSTMCell),
        f"Gates of an LSTM are asked for; this model has a {type(model.cell).__name__}.",
    )
    return Gates(*np.moveaxis(apply(model, _gates, tokens, mask), 2, 0))


def _gates(
    model: Recurrent, tokens: Int[Array, "batch time"], mask: Bool[Array, "batch time"] | None
) -> Float[Array, "batch time 6 hidden"]:
    return unroll(_Open(model.cell), model.embed(tokens), mask)[0]


class _Held(WrappedCell):
    """A cell of which some units are held at fixed values after every step."""

    def __init__(self, cell: Cell, units: Int[Array, " held"], values: Float[Array, "parts hidden"]):
        super().__init__(cell)
        self.units, self.values = units, nnx.data(values)

    def step(self, state: PyTree, projected: PyTree) -> PyTree:
        parts, tree = jax.tree.flatten(self.cell.step(state, projected))
        held = [a.at[:, self.units].set(value[self.units]) for a, value in zip(parts, self.values, strict=True)]
        return jax.tree.unflatten(tree, held)


class _Whole(WrappedCell):
    """A cell whose output is its whole state: `[…, 1, hidden]`, or `[…, 2, hidden]` for the h and C of an LSTM."""

    def output(self, state: PyTree) -> Float[Array, "*lead parts hidden"]:
        return jnp.stack(jax.tree.leaves(state), axis=-2)


class NumberUnits(NamedTuple):
    """How each unit of a language model is involved in agreement."""

    correlation: Float[np.ndarray, " hidden"]  # of its value right before the verb with the subject's number
    accuracy: Float[np.ndarray, " hidden"]  # of the verb when that unit alone is held at its mean all the time
    untouched: float  # of the verb when nothing is held

    @property
    def unit(self) -> int:
        """The unit without which agreement suffers most."""
        return int(self.accuracy.argmin())


def number_units(model: RecurrentLanguageModel, fit: Agreement, test: Agreement) -> NumberUnits:
    """Find the units that carry the subject's number, by two measurements that know nothing of each other.

    correlation: over `fit`, of the unit's value at the last word before the verb (the cell state C of an LSTM, else h)
    with the number. accuracy: over `test`, of `measure.agreement.prefers`, with one unit after the other held at the
    mean that it has over `fit`.
    """
    means, values = apply(model, _state_statistics, fit)
    centred = values - values.mean(0)
    sign = np.asarray(fit.number, float) - np.asarray(fit.number, float).mean()
    correlation = (centred * sign[:, None]).mean(0) / np.maximum(centred.std(0) * sign.std(), 1e-12)
    each = np.arange(model.cell.hidden)[:, None]
    margins = apply(model, _margins_without, test, means, each)
    right = margins * (2 * np.asarray(test.number) - 1) > 0
    return NumberUnits(correlation, right[:-1].mean(1), float(right[-1].mean()))


def verbs_without(
    model: RecurrentLanguageModel, fit: Agreement, test: Agreement, groups: Sequence[Sequence[int]]
) -> list[float]:
    """Share of right verbs with each group of units held at its means at once; two that back each other up show as a pair."""
    require(groups, "There is nothing to hold: no group of units is given.")
    outside = [unit for group in groups for unit in group if not 0 <= unit < model.cell.hidden]
    require(not outside, f"The units are 0 to {model.cell.hidden - 1}, not {outside[:1]}.")
    means, _ = apply(model, _state_statistics, fit)
    number = 2 * np.asarray(test.number) - 1
    margins = [apply(model, _margins_without, test, means, np.array([group]))[0] for group in groups]
    return [float((margin * number > 0).mean()) for margin in margins]


def _state_statistics(
    model: RecurrentLanguageModel, corpus: Agreement
) -> tuple[Float[Array, "parts hidden"], Float[Array, "n hidden"]]:
    """Mean of every number of the state over all words, and the memory at the last word before the verb."""
    states, _ = unroll(_Whole(model.cell), model.embed(corpus.tokens), corpus.mask)
    present = corpus.mask[..., None, None]
    memory = states[:, :, -1]
    return (states * present).sum((0, 1)) / present.sum(), memory[jnp.arange(len(memory)), corpus.verb - 1]


def _margins_without(
    model: RecurrentLanguageModel,
    corpus: Agreement,
    means: Float[Array, "parts hidden"],
    groups: Int[Array, "groups held"],
) -> Float[Array, "rows n"]:
    """Plural against singular at the verb, `[groups + 1, n]`: with each group of units held, and last with none."""
    inputs = model.embed(corpus.tokens)

    def margin(cell):
        outputs, _ = unroll(cell, inputs, corpus.mask)
        return verb_margin(model.head(outputs[jnp.arange(len(outputs)), corpus.verb - 1]))

    one = jax.lax.map(lambda units: margin(_Held(model.cell, units, means)), groups)
    return jnp.concatenate([one, margin(model.cell)[None]])
