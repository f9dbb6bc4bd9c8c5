"""Chapter 06: self-attention, and what positions, heads and a short path do."""

import numpy as np
from jaxtyping import Float

from .agreement import Accuracy, ByAttractors, Near
from .recall import Solved
from .record import Results, Rounded, Significant, record


@record
class Saturations:
    """What scores of random vectors do to a softmax, one number a size."""

    variance: Significant[Float[np.ndarray, " sizes"]]
    entropy: Significant[Float[np.ndarray, " sizes"]]
    gradient: Significant[Float[np.ndarray, " sizes"]]
    open: Significant[Float[np.ndarray, " sizes"]]


@record
class Scaling:
    """Softmax against d_k: the scores as they are, and divided by its root."""

    sizes: tuple[int, ...]
    scores: dict[str, Saturations]


@record
class ByLength(Solved):
    """Networks asked at other lengths than the one they were trained on, too."""

    at_lengths: Rounded[Float[np.ndarray, "seeds lengths"]]


@record
class OneLook:
    """Delayed recall with one look of attention."""

    updates: int  # at most
    two_alphabets: dict[int, Solved]  # by delay
    lengths: tuple[int, ...]
    one_alphabet: dict[str, dict[int, ByLength]]  # positions → delay →


@record
class Heads:
    """What each head of a language model does when the verb is due."""

    subject: Rounded[Float[np.ndarray, "seeds layers heads"]]  # its weight on the subject
    off: Rounded[Float[np.ndarray, "seeds layers heads"]]  # accuracy without it
    even: Rounded[float]  # the weight on the subject, were all words attended to alike


@record
class Recorded(Results):
    """Softmax against d_k, delayed recall with one look, agreement, positions, heads."""

    chapter: str = "ch06"
    scaling: Scaling
    recall: OneLook
    words: dict[int, ByAttractors]  # by updates
    asked: dict[str, Accuracy]  # by positions
    near: Near
    heads: Heads
