"""The corpus: pairs of a seed and a split, as words, as arrays of indices, and their gold alignments."""

import functools
import random
import re
import zlib
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool

from ...runtime import InvalidInput, require, require_one_of, require_positive
from ..batching import Parallel, pad
from ..vocabulary import SPECIALS, Vocabulary
from . import lexicon
from .forms import Person
from .grammar import Writer
from .spelling import CONTRACTED, ELIDED, spell

Split = Literal["train", "test"]
SHORTEST, LONGEST = 4, 60  # English words of a sentence


class Pair(NamedTuple):
    """A sentence, its translation, and which word of the one stands for which of the other."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    alignment: tuple[tuple[int, ...], ...]  # for each target word the positions in the source; () where it has none
    tags: tuple[str, ...]  # for each target word the phenomenon it is part of, or ""

    @property
    def phenomena(self) -> frozenset[str]:
        """What this pair is an example of."""
        return frozenset(self.tags) - {""}


@functools.cache
def vocabularies() -> tuple[Vocabulary, Vocabulary]:
    """Every word of the English and of the French side."""
    english: list[str] = []
    french: list[str] = []
    for noun in (*lexicon.LIVING, *lexicon.PLACES, *lexicon.THINGS):
        english += [noun.english, noun.english_plural]
        french += [noun.french, noun.french_plural]
    for verb in (*lexicon.TRANSITIVE, *lexicon.INTRANSITIVE, *lexicon.MOVING, *lexicon.REPORTING):
        english += [verb.base, verb.english(Person.HE), *verb.particle.split(), *verb.prepositions[:1]]
        french += verb.forms
    for forms in lexicon.ADJECTIVES.values():
        french += forms
    for table in (lexicon.NAMES, lexicon.ADJECTIVES, lexicon.SINGULAR, lexicon.PLURAL):
        english += table
    for table in (lexicon.SUBJECTS, lexicon.CLITICS, lexicon.ADVERBS):
        english += table
    english += ["is", "are", "do", "does", "of", "that"]
    french += [name.french for name in lexicon.NAMES.values()]
    for forms in lexicon.SINGULAR.values():
        french += forms
    french += [*lexicon.PLURAL.values(), *(pronoun.french for pronoun in lexicon.SUBJECTS.values())]
    french += [*lexicon.CLITICS.values(), *lexicon.ADVERBS.values()]
    french += ["est", "sont", "et", "que", "qui", "ne", "s'", lexicon.OF, lexicon.TO]
    french += [*ELIDED.values(), *CONTRACTED.values()]
    for table in (lexicon.NEGATIONS, lexicon.PREPOSITIONS, lexicon.CONJUNCTIONS):
        english += " ".join(table).split()
        french += " ".join(table.values()).split()
    return Vocabulary(dict.fromkeys(english)), Vocabulary(dict.fromkeys(french))


def write(n: int, rng: random.Random) -> Pair:
    """One pair whose English side has exactly n words, of either split."""
    require(SHORTEST <= n <= LONGEST, f"A sentence has from {SHORTEST} to {LONGEST} words, not {n}.")
    writer = Writer(rng)
    french = spell(writer.sentence(n))
    return Pair(
        source=tuple(writer.english),
        target=tuple(word.text for word in french),
        alignment=tuple(word.source for word in french),
        tags=tuple(word.tag for word in french),
    )


def split_of(source: Sequence[str]) -> Split:
    """Which split an English sentence belongs to, from its words alone: one in ten is for testing."""
    return "test" if zlib.crc32(" ".join(source).encode()) % 10 == 0 else "train"


def pairs(n: int, seed: int, lengths: tuple[int, int] = (SHORTEST, 32), split: Split = "train") -> list[Pair]:
    """`n` different pairs, their English lengths uniform over `lengths` (shortest, longest).

    No sentence of one split is ever in the other, whatever the seed. The same seed gives the same pairs.
    """
    require_positive(n=n)
    require(
        isinstance(lengths, Sequence) and len(lengths) == 2 and all(isinstance(n, (int, np.integer)) for n in lengths),
        f"lengths must be two whole numbers, (shortest, longest), not {lengths!r}.",
    )
    low, high = lengths
    require(
        SHORTEST <= low <= high <= LONGEST,
        f"lengths must be (shortest, longest) within ({SHORTEST}, {LONGEST}), not {lengths}.",
    )
    require_one_of(split=(split, Split))
    rng = random.Random(seed)
    by_source: dict[tuple[str, ...], Pair] = {}
    rejected = 0
    while len(by_source) < n:
        pair = write(low + len(by_source) % (high - low + 1), rng)
        if split_of(pair.source) == split and pair.source not in by_source:
            by_source[pair.source] = pair
        else:
            rejected += 1
            if rejected == 100 * n + 10_000:
                raise InvalidInput(f"There are not {n} different sentences of {low} to {high} words.")
    return rng.sample(list(by_source.values()), n)


def read(typed: str) -> list[int]:
    """Indices of an English sentence as a person types it, with `<eos>` at its end: case and punctuation are ignored.

    An empty sentence raises `InvalidInput`, words that the grammar does not know raise `UnknownWords`, which names them.
    """
    english, _ = vocabularies()
    as_written = {word.lower(): word for word in english.words[len(SPECIALS) :]}
    words = re.sub(r"[^\w\s]", " ", typed).split()
    return [*english.encode(" ".join(as_written.get(word.lower(), word) for word in words)), english.eos]


def arrays(pairs: Sequence[Pair]) -> Parallel:
    """Pairs as padded arrays of indices, for training and decoding."""
    english, french = vocabularies()
    source = pad([[*(english[word] for word in pair.source), english.eos] for pair in pairs])
    target = pad([[french.bos, *(french[word] for word in pair.target), french.eos] for pair in pairs])
    return Parallel(source.tokens, source.mask, target.tokens, target.mask)


def gold(pairs: Sequence[Pair]) -> Bool[np.ndarray, "n target source"]:
    """The alignments as an array: does target word i translate source word j?

    `<bos>` is not counted, `<eos>` has no link.
    """
    require(len(pairs), "There are no pairs.")
    target = max(len(pair.target) for pair in pairs) + 1
    source = max(len(pair.source) for pair in pairs) + 1
    links = np.zeros((len(pairs), target, source), bool)
    for row, pair in enumerate(pairs):
        for i, sources in enumerate(pair.alignment):
            links[row, i, list(sources)] = True
    return links
