"""Chapter 01: what a state can hold, and what training puts there."""

import numpy as np
from jaxtyping import Float, Int

from .agreement import Accuracy, Moment
from .record import Exact, Results, Rounded, record


@record
class WeightedVerb:
    """Language models for which the verb counts more than any other word."""

    weight: float
    by_updates: dict[int, Accuracy]


@record
class Capacity:
    """What frozen networks recall, by their size."""

    symbols: tuple[int, ...]
    input_scales: tuple[float, ...]
    reach: dict[int, Exact[Int[np.ndarray, "symbols scales seeds"]]]  # how many of the last symbols
    numbers: dict[int, Rounded[Float[np.ndarray, "symbols scales seeds"]]]  # linear memory in all
    accuracy_8_symbols: dict[int, Rounded[Float[np.ndarray, "seeds lags"]]]  # at the best scale of the inputs


@record
class TrainedRecall:
    """Networks trained to name the symbol some steps back, one training a lag."""

    hidden: int
    symbols: int
    updates: int
    lags: tuple[int, ...]
    accuracy: Rounded[Float[np.ndarray, "seeds lags"]]


@record
class Recorded(Results):
    """Agreement by updates and distance, twins, recall of frozen and of trained networks, nesting, losses."""

    chapter: str = "ch01"
    guesses: dict[str, float]  # loss of three guessers, nats a word
    words: dict[int, Moment]  # by updates
    asked_twins: Rounded[Float[np.ndarray, "seeds steps"]]  # of networks that were asked directly
    weighted_verb: WeightedVerb
    capacity: Capacity
    trained_recall: TrainedRecall
    nested: dict[int, dict[int, Rounded[Float[np.ndarray, "seeds depths"]]]]  # accuracy: updates → units →
