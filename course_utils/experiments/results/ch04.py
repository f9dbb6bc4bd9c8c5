"""Chapter 04: what a translation loses in one vector."""

import numpy as np
from jaxtyping import Float

from .record import Hundredths, Results, Rounded, record
from .translators import Quality, Sized


@record
class Variant(Sized):
    """Translators with a fixed context of one kind."""

    loss: Rounded[Float[np.ndarray, " seeds"]]  # at the end of training


@record
class OfSize(Variant):
    """The same, of another size, with the seeds that were run."""

    seeds: tuple[int, ...]


@record
class Kept:
    """What the context of one encoder keeps of each word, by its position from the beginning."""

    accuracy: Rounded[Float[np.ndarray, " words"]]  # words that a linear probe names
    chance: Rounded[Float[np.ndarray, " words"]]
    gradient: Rounded[Float[np.ndarray, " words"]]


@record
class WordsKept:
    """What survives in c of sentences of one length."""

    length: int
    encoders: dict[str, list[Kept]]  # one a seed


@record
class Beams:
    """BLEU by the width of the beam."""

    sizes: tuple[int, ...]
    bleu: Hundredths[Float[np.ndarray, "seeds sizes"]]


@record
class ForcedAndFree:
    """Words of one translator that are right, by their position: teacher-forced, and after its own words."""

    forced: Rounded[Float[np.ndarray, " words"]]
    free: Rounded[Float[np.ndarray, " words"]]


@record
class Recorded(Results):
    """BLEU by length: sizes, four times the updates, variants; what c keeps; first words; beams; forced against free."""

    chapter: str = "ch04"
    updates: int
    longer_updates: int
    sentences: dict[str, int]  # of the test sentences, and of those beyond the trained lengths
    sizes: dict[int, OfSize]
    variants: dict[str, Variant]
    longer: dict[str, Quality]  # after four times the updates
    kept: WordsKept
    first_words: dict[str, Rounded[Float[np.ndarray, "seeds words"]]]  # share whose first 1, 2, … words are right
    beams: Beams
    forced_and_free: list[ForcedAndFree]  # one a seed
