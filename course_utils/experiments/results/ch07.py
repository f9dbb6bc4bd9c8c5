"""Chapter 07: the Transformer, what it costs, and all architectures of the course side by side."""

from typing import Annotated

import numpy as np
from jaxtyping import Float

from .agreement import ByAttractors
from .recall import Solved
from .record import Digits, Hundredths, Results, Rounded, record
from .translators import Attentive


@record
class Variant(Attentive):
    """Transformers of one kind."""

    heads: Rounded[Float[np.ndarray, "seeds layers heads"]]  # alignment error of every head of the cross-attention


@record
class Stacked:
    """What layers that are not trained make of random vectors, after each number of layers."""

    alike: list[Rounded[float]]  # mean cosine between the vectors of two positions
    told: list[Rounded[float]]  # share of positions whose own input a linear probe finds
    gradient: list[Rounded[float]]  # its norm at the input


@record
class Stacks:
    """Stacks of several kinds, one a seed."""

    layers: tuple[int, ...]
    kinds: dict[str, list[Stacked]]


@record
class Costs:
    """One translator on this device."""

    parameters: int
    train: Hundredths[float]  # seconds, of 1,000 updates
    decode: Annotated[float, Digits(after_point=3)]  # seconds, of the test sentences


@record
class LayerCosts:
    """One training step of one layer, by length."""

    seconds: list[Annotated[float, Digits(significant=3)] | None]  # None where it was not run
    bytes: list[int]  # at the peak
    skipped: list[str]  # why it was not run
    exponent: Hundredths[float]  # p of seconds ∝ n^p
    memory_exponent: Hundredths[float]


@record
class Race:
    """Layers against the length of a sequence."""

    batch: int
    width: int
    lengths: tuple[int, ...]
    layers: dict[str, LayerCosts]
    crossover: dict[str, int | None]  # from which length on self-attention takes longer; None: never


@record
class Words:
    """Language models on the cat sentence."""

    updates: int
    networks: dict[str, ByAttractors]


@record
class Recorded(Results):
    """Variants and their heads, stacks of layers, costs, the race, the rest of the table of five, pictures."""

    chapter: str = "ch07"
    updates: int
    width: int
    heads: int
    layers: int
    variants: dict[str, Variant]
    stacked: Stacks
    costs: dict[str, Costs]
    race: list[Race]
    words: Words
    recall: dict[int, Solved]
    pictures: dict[str, list[Rounded[float]]]  # accuracy by kind of positions, one a seed
