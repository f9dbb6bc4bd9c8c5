"""Chapter 05: what attention gives back, and what its weights say."""

from typing import Annotated

import numpy as np
from jaxtyping import Float

from .record import Digits, Hundredths, Results, Rounded, record
from .translators import AlignmentErrors, Attentive, Sized

GRADIENT = Digits(after_point=5)


@record
class Correlations:
    """Mean rank correlation (Kendall's τ) of the weights with other evidence."""

    gradient: Rounded[float]
    deletion: Rounded[float]


@record
class Evidence:
    """Alignment error of ways to say which source word one translator's answers came from."""

    gradient: AlignmentErrors
    deletion: AlignmentErrors
    weights: AlignmentErrors | None = None  # without attention there are none
    correlation: Correlations | None = None


@record
class Replaced:
    """One translator with weights that are not its own."""

    accuracy: Rounded[float]
    distance: Rounded[float]  # total variation between its distributions with these and with its own


@record
class GuidedTraining:
    """Accuracy of new translators that were given their weights in training, by who made them."""

    updates: int
    accuracy: dict[str, Rounded[Float[np.ndarray, " seeds"]]]


@record
class Paths:
    """‖∂ logit_i / ∂x_j‖ at the gold source word j of each target word i, mean by j."""

    words: int  # of a sentence
    gradient: dict[str, Annotated[Float[np.ndarray, "seeds words"], GRADIENT]]


@record
class Recorded(Results):
    """BLEU and alignment error of every variant, equal parameters, temperature, evidence, controls, paths."""

    chapter: str = "ch05"
    updates: int
    variants: dict[str, Attentive]
    larger: Sized  # a fixed context with as many parameters
    temperature_bleu: dict[float, Hundredths[Float[np.ndarray, " seeds"]]]
    evidence: dict[str, list[Evidence]]  # one a seed
    controls: list[dict[str, Replaced]]  # one a seed
    guided: GuidedTraining
    paths: Paths
