"""What the lexicon knows of a word, and how its tables are read."""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple


class Noun(NamedTuple):
    """One noun in both languages, singular and plural; its gender in French, m or f."""

    english: str
    english_plural: str
    french: str
    french_plural: str
    gender: str


class Name(NamedTuple):
    """A person's name in French."""

    french: str
    gender: str


class AdjectiveForms(NamedTuple):
    """A French adjective in each of its forms."""

    masculine: str
    feminine: str
    masculine_plural: str
    feminine_plural: str
    masculine_before_vowel: str  # un bel arbre


class DeterminerForms(NamedTuple):
    """A French determiner before a noun in the singular. (le and la before a vowel: `spelling.spell` makes l' of both.)"""

    masculine: str
    feminine: str
    masculine_before_vowel: str  # cet ami
    feminine_before_vowel: str  # mon école


class Kinds(NamedTuple):
    """The kinds of adjectives that a noun takes, each a tuple of adjectives: alone, and two of them in English order."""

    alone: tuple[tuple[str, ...], ...]
    pairs: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


class Person(IntEnum):
    """The grammatical person of a subject, an index of `Verb.forms`."""

    I = 0
    HE = 1  # or she, it, a noun
    WE = 2
    YOU = 3
    THEY = 4  # or a noun in the plural


class Verb(NamedTuple):
    """One verb: the English base form and what belongs to it (wait for), the French form for each `Person`."""

    base: str
    particle: str
    forms: tuple[str, ...]
    prepositions: tuple[str, ...] = ()  # English and French, of a verb in `MOVING`: to, à

    def english(self, person: Person) -> str:
        """The English form for a person."""
        if person != Person.HE:
            return self.base
        return self.base + ("es" if self.base.endswith(("o", "ss", "sh", "ch")) else "s")


class Pronoun(NamedTuple):
    """A French subject pronoun; its gender is "" where nobody knows it: I, we, you."""

    french: str
    person: Person
    gender: str


def _rows(table: str) -> Iterator[str]:
    """The lines of a table that hold something."""
    return filter(None, map(str.strip, table.splitlines()))


def nouns(table: str) -> tuple[Noun, ...]:
    """A table with one noun a line: cat cats chat chats m."""
    return tuple(Noun(*row.split()) for row in _rows(table))


def adjectives(table: str) -> dict[str, AdjectiveForms]:
    """A table with one adjective a line, English and the French forms in their order."""
    forms = {}
    for row in _rows(table):
        english, *french = row.split()
        forms[english] = AdjectiveForms(*french)
    return forms


def verbs(table: str) -> tuple[Verb, ...]:
    """A table with one verb a line: go|vais va allons allez vont|to à, the prepositions where it has some."""
    rows = []
    for row in _rows(table):
        english, french, *prepositions = row.split("|")
        base, *particle = english.split()
        rows.append(Verb(base, " ".join(particle), tuple(french.split()), tuple(" ".join(prepositions).split())))
    return tuple(rows)
