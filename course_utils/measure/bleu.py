"""How good translations are: BLEU, overall and by the length of the source.

BLEU (Papineni, Roukos, Ward, Zhu 2002) is computed by sacrebleu (Post 2018), from 0 to 100. It counts shared runs
of one to four words over a whole corpus; of a single sentence it says little.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from ..runtime import require

LENGTHS = (8, 12, 16, 20, 25, 32, 40, 50, 60)  # longest source, in words, of each group
MOST = 4  # words of an n-gram in BLEU


def bleu(
    translations: Sequence[str],
    references: Sequence[str],
    *,
    tokenize: Literal["none", "13a", "char"] = "none",
    lower: bool = False,
) -> float:
    """BLEU of a corpus with one reference each. `tokenize`: "none" where words are apart already, "13a" for running text,
    "char" for a script without spaces (`counted_in`): its characters are counted as words.

    BLEU = 100 · min(1, exp(1 - r/n)) · (p_1 p_2 p_3 p_4)^(1/4) of the n-gram precisions of the whole corpus, n words said and r
    in the references. A precision of 0 is smoothed (sacrebleu's default), which matters for a few sentences alone. Where no
    reference has four words, precisions are taken up to the length of the longest.
    """
    require(
        len(translations) == len(references),
        f"There are {len(translations)} translations and {len(references)} references.",
    )
    require(len(references) > 0, "BLEU needs at least one sentence.")
    order = MOST
    if max(len(reference.split()) for reference in references) < order:  # its tokens may still be more
        itself = BLEU(tokenize=tokenize, force=True).corpus_score(list(references), [list(references)])
        order = sum(count > 0 for count in itself.totals)
    metric = BLEU(tokenize=tokenize, lowercase=lower, force=True, max_ngram_order=max(order, 1))
    return metric.corpus_score(list(translations), [list(references)]).score


# Blocks of Unicode: Thai, Lao, Tibetan; Burmese; Khmer; Chinese and Japanese with their punctuation, in several.
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u31a0-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)


def counted_in(sentences: Sequence[str]) -> Literal["words", "characters"]:
    """What a text is counted in: characters where most of its letters are Chinese, Japanese, Thai, Lao, Burmese, Khmer or
    Tibetan, which are written without spaces between words, and words elsewhere.
    """
    text = "".join(sentences)
    apart = sum(map(str.isalpha, _WITHOUT_SPACES.sub("", text)))
    return "characters" if len(_WITHOUT_SPACES.findall(text)) > apart else "words"


def lengths_in(unit: Literal["words", "characters"], sentences: Sequence[str]) -> list[int]:
    """How many words, split at spaces, or characters without spaces each sentence has."""
    pieces = [sentence.split() for sentence in sentences]
    return [len(words) if unit == "words" else sum(map(len, words)) for words in pieces]


class ByLength(NamedTuple):
    """BLEU of groups of sentences by their source's length in words."""

    upto: list[int]  # the longest of each group
    bleu: list[float]
    sentences: list[int]


def bleu_by_length(
    translations: Sequence[str],
    references: Sequence[str],
    lengths: Sequence[int],
    edges: Sequence[int] = LENGTHS,
    score: Callable[[Sequence[str], Sequence[str]], float] = bleu,
) -> ByLength:
    """BLEU of each group of sentences whose source is longer than the edge before and at most as long as its own.

    `edges`: rising.   `score`: `bleu` with other options. Groups without sentences are left out. A source of no words, or of
    more than the last edge, is refused.
    """
    counts = np.asarray(lengths)
    require(len(counts), "There are no sentences.")
    require(len(edges), "There are no edges: name at least the longest length.")
    require(list(edges) == sorted(set(edges)), f"The edges must rise, not {tuple(edges)}.")
    require(counts.min() >= 1, "A source has no words.")
    require(
        len(counts) == len(references) == len(translations),
        f"There are {len(counts)} lengths, {len(references)} references and {len(translations)} translations.",
    )
    require(counts.max() <= max(edges), f"A source has {counts.max()} words, beyond the last edge {max(edges)}.")
    found = ByLength([], [], [])
    for low, high in zip((0, *edges), edges, strict=False):
        rows = np.flatnonzero((counts > low) & (counts <= high)).tolist()
        if rows:
            found.upto.append(high)
            found.bleu.append(score([translations[i] for i in rows], [references[i] for i in rows]))
            found.sentences.append(len(rows))
    return found
