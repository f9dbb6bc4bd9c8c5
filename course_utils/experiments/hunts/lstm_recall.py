"""One step of an LSTM, `step(h, C, x, W, b) -> (h, C)`, trained on delayed recall.

W `[4, hidden, hidden + embed]` and b `[4, hidden]` hold the gates in the order f, i, C̃, o. Their biases start for memories
as long as the sequence (`models.gated.chrono_bias`).
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ...models.cells import recurrent_matrix
from ...models.gated import LSTMState, chrono_bias
from ...models.losses import classification
from ...models.sequence import SequenceClassifier
from .. import recall
from . import Setting, Task

HIDDEN, EMBED = 32, 16


class WrittenCell(nnx.Module):
    """A cell (`models.interfaces.Cell`) whose step on one sequence is somebody's function."""

    def __init__(self, step: Callable, longest: int, *, rngs: nnx.Rngs):
        self.embed, self.hidden, self.written = EMBED, HIDDEN, step
        inputs = jax.nn.initializers.lecun_normal(1, 0)
        gates = [
            jnp.concatenate([recurrent_matrix(rngs.params(), HIDDEN), inputs(rngs.params(), (HIDDEN, EMBED))], axis=1)
            for _ in range(4)
        ]
        bias = chrono_bias(rngs.params(), HIDDEN, longest)
        self.W = nnx.Param(jnp.stack(gates))
        self.b = nnx.Param(jnp.zeros((4, HIDDEN)).at[0].set(bias).at[1].set(-bias))

    def start(self, batch: int) -> LSTMState:
        """h_0 = C_0 = 0."""
        return LSTMState(jnp.zeros((batch, self.hidden)), jnp.zeros((batch, self.hidden)))

    def project(self, inputs: Float[Array, "*lead embed"]) -> Float[Array, "*lead embed"]:
        """The inputs as they are: the function multiplies them itself."""
        return inputs

    def step(self, state: LSTMState, projected: Float[Array, "batch embed"]) -> LSTMState:
        """The function, on every row."""
        W, b = self.W[...], self.b[...]
        return LSTMState(*jax.vmap(lambda h, C, x: self.written(h, C, x, W, b))(*state, projected))

    def output(self, state: LSTMState) -> Float[Array, "*lead hidden"]:
        """h_t."""
        return state.hidden


def model(step: Callable, length: int, rngs: nnx.Rngs) -> SequenceClassifier:
    """A small network around the step that names the first of `length` symbols after the last."""
    vocab = recall.LABELS + recall.DISTRACTORS
    return SequenceClassifier(WrittenCell(step, length, rngs=rngs), vocab, recall.LABELS, rngs=rngs)


TASK = Task(
    model, recall.batches, classification, guessing=math.log(recall.LABELS),
    full=Setting(length=50, updates=300), quick=Setting(length=20, updates=160),
)  # fmt: skip
