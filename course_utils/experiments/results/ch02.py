"""Chapter 02: gradients through time, and what a plain network learns by them."""

import numpy as np
from jaxtyping import Float

from .agreement import Accuracy
from .recall import Solved, Started
from .record import Exact, Results, Rounded, Significant, record


@record
class FromStart(Started):
    """Networks with one initialisation: an orthogonal W times `scale`, word vectors times `strength`."""

    scale: float
    strength: float
    delay: int


@record
class TenSeeds(FromStart):
    """The same with ten seeds, and the learning rate named."""

    learning_rate: float


@record
class Crossed(Started):
    """Ten networks on one delay: W times `scale`, and a gradient of which each step back keeps `kept`, apart from tanh."""

    scale: float
    kept: float
    learning_rate: float


@record
class FlowMoment:
    """Gradients along the sequence at one moment of training."""

    gradient: Significant[Float[np.ndarray, "seeds delay"]]  # root mean square of ‖∂L/∂h_t‖
    accuracy: Rounded[Float[np.ndarray, " seeds"]]


@record
class Flow:
    """Gradients along the sequence as networks learn one delay."""

    delay: int
    by_updates: dict[int, FlowMoment]


@record
class Bias:
    """Truncated gradients beside the full one, for one loss: one number a window."""

    relative: list[float]  # ‖g_k - g‖ / ‖g‖
    cosine: list[float]
    noise: float  # the full gradient's sampling error, as a share of its norm


@record
class Truncation:
    """Truncated gradients of one language model."""

    windows: tuple[int, ...]
    all_words: Bias
    verb_number: Bias


@record
class CutShort:
    """Delayed recall learned with gradients through windows, and through the whole sequence: delay → result."""

    windows: dict[int, dict[int, Solved]]
    whole_sequence: dict[int, Solved]


@record
class ReachMoment:
    """Language models at one moment of training, against distance."""

    reach: Significant[Float[np.ndarray, "seeds bins"]]  # share of the verb's gradient that arrives at the subject
    accuracy: Rounded[Float[np.ndarray, "seeds bins"]]


@record
class Reach:
    """How far gradients reach back, beside agreement."""

    distance: Exact[Float[np.ndarray, " bins"]]
    by_updates: dict[int, ReachMoment]


@record
class Recorded(Results):
    """Delays learned by initialisation, the flow of gradients, truncation, the reach of gradients beside agreement."""

    chapter: str = "ch02"
    delays: dict[str, dict[int, Started]]  # initialisation → delay →
    patient: dict[str, dict[int, Solved]]  # the shortest delay that failed, with four times the updates
    starts: list[FromStart]
    ten_starts: list[TenSeeds]
    ten_delays: dict[int, Solved]  # of the rotation
    ten_crossed: list[Crossed]  # on a delay of 40
    flow: Flow
    truncation: Truncation
    untrained_truncation: Truncation
    cut_short: CutShort
    damped: dict[float, dict[int, Started]]  # what is kept of the gradient at every step back → delay →
    windows: dict[int, Accuracy]  # of truncated gradients, on words
    reach: Reach
