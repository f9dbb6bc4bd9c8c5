"""Chapter 03: what gates repair, and what they leave."""

from typing import Annotated

import numpy as np
from jaxtyping import Float

from .agreement import Accuracy, Moment, Near
from .recall import Solved
from .record import Digits, Results, Rounded, record

LOSS = Digits(after_point=5)


@record
class Curves:
    """Losses of networks of several seeds while they learn."""

    loss: Annotated[Float[np.ndarray, "seeds points"], LOSS]  # NaN where a run has ended
    last: Annotated[Float[np.ndarray, " seeds"], LOSS]
    stopped: list[str] | None = None  # why, where a run may end before its last update


@record
class Task:
    """A task of length `length`, learned with several cells."""

    length: int
    baseline: float
    updates: int
    point: int  # updates in one point of a curve
    cells: dict[str, Curves]


@record
class GatedMoment(Moment):
    """Language models at one moment of their training, the nouns in between counted too."""

    attractors: Rounded[Float[np.ndarray, "seeds nouns"]]


@record
class NumberUnits:
    """How each unit of one language model is involved in agreement."""

    correlation: Rounded[Float[np.ndarray, " hidden"]]  # of its value before the verb with the subject's number
    accuracy: Rounded[Float[np.ndarray, " hidden"]]  # of the verb, with that unit alone held at its mean
    untouched: float  # with none held


@record
class ContextUse:
    """Loss of the same words as their context is cut, or shuffled, beyond the nearest `k` tokens."""

    k: tuple[int, ...]
    loss: Rounded[Float[np.ndarray, "seeds k"]]
    above: Rounded[Float[np.ndarray, "seeds k"]]  # that of the whole context
    effective: list[int]  # the k, for each seed, from which on the loss stays within 0.01 nats


@record
class Context:
    """Language models on real text: what they are, and how much of the past they use."""

    hidden: int
    updates: int
    origin: str
    modules: tuple[int, int]  # to train on, and to test on
    tokens: tuple[int, int]
    vocabulary: int
    training_loss: Rounded[Float[np.ndarray, " seeds"]]
    unigram: Rounded[float]  # loss of a guesser that knows how often each token comes
    cut: ContextUse
    shuffled: ContextUse


@record
class Recorded(Results):
    """Delayed recall, adding and copying, agreement in three regimes, number units, context on real text."""

    chapter: str = "ch03"
    recall: dict[str, dict[int, Solved]]  # cell → delay →
    forget_alone: dict[int, Solved]  # chrono biases in the forget gates, not in the input gates
    patient: Solved  # the plain network on the largest delay, with 2,000 updates
    adding: Task
    copying: Task
    words: dict[str, dict[int, GatedMoment]]  # cell → updates →
    asked: dict[str, Accuracy]
    near: Near
    number_units: NumberUnits  # of the shipped model
    other_units: list[NumberUnits]  # of the same training with the other seeds
    context: Context
