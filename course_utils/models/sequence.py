"""Recurrent networks that answer: once for a sequence, or at every position."""

from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..runtime import require_positive
from .fast import unroll
from .interfaces import Arrays, Cell


class SequenceClassifier(nnx.Module):
    """Read a sequence, answer one question about it.

        logits = W · output(last state) + b

    `cell` is any cell of `models.cells`. `model(tokens, mask)` gives logits `[batch,
    classes]`; `model.every_step(tokens, mask)` gives the answer after each position,
    `[batch, time, classes]`.
    """

    def __init__(self, cell: Cell, vocab: int, classes: int, *, rngs: nnx.Rngs):
        require_positive(vocab=vocab, classes=classes)
        self.cell = cell
        self.embed = nnx.Embed(vocab, cell.embed, rngs=rngs)
        self.head = nnx.Linear(cell.hidden, classes, rngs=rngs)

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch classes"]:
        _, last = unroll(self.cell, self.embed(tokens), mask)
        return self.head(self.cell.output(last))

    def every_step(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch time classes"]:
        """What the model would answer if the sequence ended at each position."""
        outputs, _ = unroll(self.cell, self.embed(tokens), mask)
        return self.head(outputs)


class SequenceRegressor(nnx.Module):
    """Read a sequence of vectors, answer with a number: W · output(last state) + b."""

    def __init__(self, cell: Cell, *, rngs: nnx.Rngs):
        self.cell = cell
        self.head = nnx.Linear(cell.hidden, 1, rngs=rngs)

    def __call__(
        self,
        inputs: Float[Array, "batch time embed"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, " batch"]:
        _, last = unroll(self.cell, inputs, mask)
        return self.head(self.cell.output(last))[:, 0]


class RecurrentLanguageModel(nnx.Module):
    """Predict each next word: a score for every word of the vocabulary.

        logits_t = W · output(h_t) + b

    `model(tokens, mask)` gives logits `[batch, time, vocab]`; those at position t are
    about t + 1.
    """

    def __init__(self, cell: Cell, vocab: int, *, rngs: nnx.Rngs):
        require_positive(vocab=vocab)
        self.cell = cell
        self.embed = nnx.Embed(vocab, cell.embed, rngs=rngs)
        self.head = nnx.Linear(cell.hidden, vocab, rngs=rngs)

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch time vocab"]:
        outputs, _ = unroll(self.cell, self.embed(tokens), mask)
        return self.head(outputs)

    def begin(
        self, prompt: Int[Array, "batch time"], longest: int
    ) -> tuple[Arrays, Float[Array, "batch vocab"]]:
        """The last state, which holds any number of words in the same room."""
        _, state = unroll(self.cell, self.embed(prompt))
        return state, self.head(self.cell.output(state))

    def advance(
        self, state: Arrays, words: Int[Array, " batch"]
    ) -> tuple[Arrays, Float[Array, "batch vocab"]]:
        """One step of the cell."""
        state = self.cell.step(state, self.cell.project(self.embed(words)))
        return state, self.head(self.cell.output(state))


Recurrent = SequenceClassifier | RecurrentLanguageModel


def hidden_states(
    model: Recurrent,
    tokens: Int[Array, "batch time"],
    mask: Bool[Array, "batch time"] | None = None,
) -> Float[Array, "batch time hidden"]:
    """The output of a model's cell after each word, before any head reads it."""
    return unroll(model.cell, model.embed(tokens), mask)[0]
