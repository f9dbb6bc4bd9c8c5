"""The ladder of translators on real text."""

from typing import Annotated

from .record import Digits, Hundredths, Results, Rounded, record


@record
class Group:
    """Sentences of like length."""

    upto: int  # words of the longest source
    sentences: int
    bleu: Hundredths[float]


@record
class Scores:
    """BLEU of one search."""

    bleu: Hundredths[float]
    bleu_lower: Hundredths[float]  # without capitals
    by_length: list[Group]


@record
class Rung:
    """One translator."""

    parameters: int
    updates: int
    minutes: Annotated[float, Digits(after_point=1)]
    loss: Rounded[float]  # at the end of training
    greedy: Scores
    beam: Scores


@record
class TransformerSettings:
    """The Transformer of the last rung."""

    width: int
    layers: int
    heads: int
    inner: int
    dropout: float


@record
class Recorded(Results):
    """Every rung, trained once and tested with both searches."""

    chapter: str = "multi30k"
    languages: tuple[str, str]
    test: str
    epochs: int
    pieces: tuple[int, int]  # of each language
    hidden: int
    embed: int
    dropout: float
    beam: int
    transformer: TransformerSettings
    rungs: dict[str, Rung]
