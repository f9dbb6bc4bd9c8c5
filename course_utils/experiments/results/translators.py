"""What is recorded of translators: BLEU by length, and alignment error."""

import numpy as np
from jaxtyping import Float

from .record import Hundredths, Rounded, record


@record
class Quality:
    """BLEU of translators of several seeds, on the test sentences and on longer ones."""

    upto: list[int]  # the longest source of each group, in words
    bleu: Hundredths[Float[np.ndarray, "seeds groups"]]
    overall: Hundredths[Float[np.ndarray, " seeds"]]  # of the test sentences


@record
class Sized(Quality):
    """The same, with the size of one of them."""

    parameters: int


@record
class AlignmentErrors:
    """How far the links of one translator are from gold, over all words and by phenomenon."""

    error: Rounded[float]
    precision: Rounded[float]
    recall: Rounded[float]
    least: Rounded[float]  # the error of one right link for every word
    phenomena: dict[str, Rounded[float]]  # the error among their words


@record
class Attentive(Sized):
    """Translators with attention."""

    aer: list[AlignmentErrors]  # one a seed
