"""The initialisation of a plain network, `begin(rng, hidden, embed) -> W_h, W_x, b`, trained on delayed recall."""

import math
from collections.abc import Callable

from flax import nnx

from ...models.cells import RNNCell
from ...models.losses import classification
from ...models.sequence import SequenceClassifier
from .. import recall
from . import Setting, Task

HIDDEN, EMBED = 64, 32


def model(begin: Callable, length: int, rngs: nnx.Rngs) -> SequenceClassifier:
    """A plain network that begins as the function says and names the first of `length` symbols after the last."""
    cell = RNNCell(EMBED, HIDDEN, rngs=rngs)
    cell.W_h[...], cell.W_x[...], cell.b[...] = begin(rngs.params(), HIDDEN, EMBED)
    return SequenceClassifier(cell, recall.LABELS + recall.DISTRACTORS, recall.LABELS, rngs=rngs)


TASK = Task(
    model, recall.batches, classification, guessing=math.log(recall.LABELS),
    full=Setting(length=20, updates=400), quick=Setting(length=15, updates=300),
)  # fmt: skip
