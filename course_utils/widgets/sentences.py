"""Sentences that a learner picks from a list or types, for the explorers and the machines of all chapters."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax

from ..data.agreement import vocabulary
from ..data.batching import Padded, pad
from ..data.english_french import Pair, read, vocabularies
from ..decoding import longest_target
from ..experiments import translators
from ..machines import Machine
from .explore import Explorer, explore, text

# Frames of twins, two sentences that differ in the number of one noun: `twins` fills them.
TWINS = {
    "short": "the {} was hungry",
    "a relative clause": "the {} that slept quietly there was hungry",
    "another noun between": "the {} that slept quietly beside the old horses was hungry",
    "two nouns between": "the {} that slept beside the old horses and danced near the child was hungry",
}


def twins(frame: str, subject: tuple[str, str] = ("cat", "cats")) -> tuple[tuple[list[str], list[str]], Padded]:
    """Two sentences up to their verb, about one and about several: their words, and their rows with `<bos>`."""
    singular, plural = (frame.split(" was ")[0].format(noun).split() for noun in subject)
    rows = pad(
        [[vocabulary().bos, *vocabulary().encode(" ".join(words))] for words in (singular, plural)],
        length=32,
    )
    return (singular, plural), rows


def typed(machine: Callable[..., Machine], model: Any, *sentences: str, **settings: Any) -> Explorer:
    """A machine above which a sentence can be typed: it is drawn anew, and stays at its step.

    machine(model, *sentences, **settings): the machine of one sentence or of several, its own where none is given.
    sentences: what it opens with; one alone is written in the line, to be changed.
    """

    def drawn(sentence: str) -> Machine:
        return machine(model, *((sentence,) if sentence.strip() else sentences), **settings)

    alone = text("sentence", sentences[0]) if len(sentences) == 1 else None
    return explore(drawn, sentence=alone or text("a sentence of your own", ""))


class Sentence(NamedTuple):
    """An English sentence to translate."""

    words: tuple[str, ...]
    indices: tuple[int, ...]  # of its words, and of `<eos>`
    pair: Pair | None  # with its reference, where it is one of the test sentences

    @classmethod
    def of(cls, pair: Pair) -> "Sentence":
        """The source of a pair."""
        english, _ = vocabularies()
        return cls(pair.source, (*(english[word] for word in pair.source), english.eos), pair)


def examples(lengths: Sequence[int] = (6, 10, 14, 18, 24, 30, 40)) -> dict[str, Pair]:
    """One test sentence of each of some lengths, to choose from."""
    by_length: dict[int, Pair] = {}
    for pair in _test_pairs().values():
        by_length.setdefault(len(pair.source), pair)
    return {f"{n} words: {' '.join(by_length[n].source[:5])} …": by_length[n] for n in lengths}


def of_length(picks: Mapping[str, Pair | str], length: int) -> Pair | str:
    """The first of some examples that has so many words."""
    return next(pick for pick in picks.values() if isinstance(pick, Pair) and len(pick.source) == length)


@functools.cache
def _test_pairs() -> dict[tuple[str, ...], Pair]:
    """The test pairs, also those longer than any trained on, by their source."""
    return {pair.source: pair for pair in (*translators.held_out().pairs, *translators.beyond().pairs)}


def picked_or_typed(picked: Pair | str, typed: str) -> Sentence:
    """The typed sentence, or the picked one, a pair or a text, where nothing is typed. Unknown words raise `UnknownWords`."""
    if isinstance(picked, Pair) and not typed.strip():
        return Sentence.of(picked)
    indices = tuple(read(typed if typed.strip() else str(picked)))
    words = tuple(vocabularies()[0].decode(indices).split())
    return Sentence(words, indices, _test_pairs().get(words))


def padded(indices: Sequence[int]) -> tuple[jax.Array, jax.Array, int]:
    """One sentence as a row, its mask, and the longest translation to search for.

    The row has 64 positions, or as many times 64 as it needs: few shapes, so nothing compiles while one types.
    """
    width = -(-len(indices) // 64) * 64
    row = pad([list(indices)], length=width)
    return row.tokens, row.mask, longest_target(width)


def longer_note(words: Sequence[str]) -> str:
    """What is said of a sentence longer than any trained on."""
    longest = translators.TRAINED[1]
    if len(words) <= longest:
        return ""
    return f"With {len(words)} words it is longer than any sentence trained on ({longest})."


def beyond_note(word: int, translation: Sequence[str]) -> str:
    """What is said when a word after the last is asked for."""
    return f"Word {word} was asked for; the translation has {len(translation)}." if word > len(translation) else ""
