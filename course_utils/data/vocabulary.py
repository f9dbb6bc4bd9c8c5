"""Words to integers and back. Unknown words are named, never hidden."""

import collections
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Literal, SupportsInt

import numpy as np

from ..runtime import InvalidInput, require, require_one_of

PAD, BOS, EOS, UNK = "<pad>", "<bos>", "<eos>", "<unk>"
SPECIALS = (PAD, BOS, EOS, UNK)
Unknown = Literal["error", "mark"]  # what becomes of a word that a vocabulary does not hold: an error, or <unk>
LONGEST = 30  # letters of an unknown word that are looked at and shown


class UnknownWords(InvalidInput):
    """Words that the vocabulary does not hold; `.words` lists them."""

    def __init__(self, words: Sequence[str], known: Iterable[str]):
        self.words = tuple(words)
        known = [word for word in known if word not in SPECIALS]
        named = []
        for word in self.words[:8]:
            near = difflib.get_close_matches(word[:LONGEST], known, n=2)
            named.append(f"{word[:LONGEST]!r}" + (f" (near: {', '.join(near)})" if near else ""))
        if len(self.words) > 8:
            named.append(f"and {len(self.words) - 8} more")
        plural = "These words are" if len(named) > 1 else "This word is"
        super().__init__(
            f"{plural} not in the vocabulary of {len(known)} words: {'; '.join(named)}. "
            "The vocabulary's `.words` lists all of them."
        )


class Vocabulary:
    """A fixed list of words. Index 0 pads, 1 begins, 2 ends, 3 stands for an unknown word.

    `Vocabulary(["cat", "dog"]).encode("dog")` is `[5]`: the four special symbols come first.
    """

    pad, bos, eos, unk = range(4)

    def __init__(self, words: Iterable[str]):
        words = list(words)
        repeated = [word for word, count in collections.Counter(words).items() if count > 1]
        require(not repeated, f"Each word may appear once; repeated: {', '.join(repeated)}.")
        clash = [word for word in words if word in SPECIALS or not word or word != "".join(word.split())]
        require(not clash, f"Words may not be empty, hold spaces or be special symbols: {clash}.")
        self.words: tuple[str, ...] = (*SPECIALS, *words)
        self._index = {word: i for i, word in enumerate(self.words)}

    @classmethod
    def build(cls, sentences: Iterable[str], min_count: int = 1) -> "Vocabulary":
        """All words seen at least `min_count` times, the most frequent first (ties: alphabetical)."""
        counts = collections.Counter(word for sentence in sentences for word in sentence.split())
        frequent = [word for word, count in counts.items() if count >= min_count and word not in SPECIALS]
        return cls(sorted(frequent, key=lambda word: (-counts[word], word)))

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._index

    def __getitem__(self, word: str) -> int:
        if word not in self._index:
            raise UnknownWords([word], self.words)
        return self._index[word]

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} words, 4 of them special)"

    def unknown(self, sentence: str) -> list[str]:
        """The words of `sentence` that this vocabulary does not hold, in order, each once."""
        return list(dict.fromkeys(word for word in sentence.split() if word not in self))

    def encode(self, sentence: str, unknown: Unknown = "error") -> list[int]:
        """Indices of the words of a sentence, split at spaces.

        Unknown words raise `UnknownWords`; with `unknown="mark"` they become `<unk>`.
        An empty sentence raises `InvalidInput`.
        """
        require_one_of(unknown=(unknown, Unknown))
        words = sentence.split()
        require(words, "The sentence is empty: type at least one word.")
        missing = self.unknown(sentence)
        if missing and unknown == "error":
            raise UnknownWords(missing, self.words)
        return [self._index.get(word, self.unk) for word in words]

    def read(self, typed: str) -> list[int]:
        """Indices of a sentence as a person types it: case and punctuation are ignored, `<bos>` is put in front.

        Special symbols cannot be typed; unknown words raise `UnknownWords`.
        """
        sentence = re.sub(r"[^\w<>]", " ", typed.lower())
        special = sorted(set(sentence.split()) & set(SPECIALS))
        require(not special, f"{', '.join(special)} cannot be typed: leave special symbols out.")
        return [self.bos, *self.encode(sentence)]

    def decode(self, indices: Iterable[SupportsInt]) -> str:
        """The words of `indices` up to the first `<eos>`, without padding and `<bos>`."""
        words = []
        for index in np.asarray(list(indices), int):
            require(0 <= index < len(self), f"Index {index} is outside the vocabulary (0 to {len(self) - 1}).")
            if index == self.eos:
                break
            if index not in (self.pad, self.bos):
                words.append(self.words[index])
        return " ".join(words)
