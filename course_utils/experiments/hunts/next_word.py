"""A loss, `word_loss(logits, tokens, mask) -> loss`, that a language model is trained with; what it really costs is shown.

logits `[batch, time, vocab]`, tokens and mask `[batch, time]`. Subject and verb are at most 10 words apart.
"""

import math
from collections.abc import Callable

from flax import nnx

from ...data.agreement import agreement, vocabulary
from ...data.batching import Batches, Padded
from ...models.cells import RNNCell
from ...models.losses import Scored, next_word_loss
from ...models.sequence import RecurrentLanguageModel
from ..agreement import BATCH
from . import Setting, Task

HIDDEN, EMBED = 32, 16


class Speaker(nnx.Module):
    """A language model and somebody's loss."""

    def __init__(self, word_loss: Callable, rngs: nnx.Rngs):
        self.word_loss = word_loss
        self.speaks = RecurrentLanguageModel(RNNCell(EMBED, HIDDEN, rngs=rngs), len(vocabulary()), rngs=rngs)


def batches(distance: int) -> Batches:
    """Whole sentences with subject and verb at most `distance` words apart."""
    return Batches(agreement(10_000, seed=0, distances=(1, distance)).sentences(), BATCH)


def loss(model: Speaker, batch: Padded) -> Scored:
    """What the model is trained with, and as a metric the loss of each next word as it is."""
    logits = model.speaks(batch.tokens, batch.mask)
    told = logits, batch.tokens, batch.mask
    return model.word_loss(*told), {"next word": next_word_loss(*told)}


def model(word_loss: Callable, length: int, rngs: nnx.Rngs) -> Speaker:
    """A small language model that is trained with the loss."""
    return Speaker(word_loss, rngs)


TASK = Task(
    model, batches, loss, guessing=math.log(len(vocabulary())),
    full=Setting(length=10, updates=400), quick=Setting(length=5, updates=300), shown="next word",
)  # fmt: skip
