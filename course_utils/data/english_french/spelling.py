"""How French is written: agreement, elision and contraction."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from .lexicon import ADJECTIVES, PLURAL, SINGULAR

Phenomenon = Literal["reversal", "stacked", "negation", "clitic", "contraction", "relative", "many words for one"]
PHENOMENA = get_args(Phenomenon)
_VOWELS = tuple("aeiouyéèêâîôûh")  # every h of this vocabulary is silent
ELIDED = {"le": "l'", "la": "l'", "de": "d'", "ne": "n'", "je": "j'", "me": "m'", "que": "qu'"}
CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}


class Word(NamedTuple):
    """A French word: the positions of the English words it translates, and the phenomenon it is part of, or ""."""

    text: str
    source: tuple[int, ...]
    tag: Phenomenon | Literal[""] = ""


def begins_with_vowel(word: str) -> bool:
    """Does a French word begin with a vowel sound? "hôtel" does: its h is silent."""
    return word.lower().startswith(_VOWELS)


def spell(words: Sequence[Word]) -> list[Word]:
    """Words with elision (le ami → l' ami, si il → s' il) and contraction (de le → du).

    A contraction translates what its two parts do.
    """
    spelt: list[Word] = []
    for i, word in enumerate(words):
        following = words[i + 1].text if i + 1 < len(words) else ""
        if word.text in ELIDED and begins_with_vowel(following):
            word = word._replace(text=ELIDED[word.text])
        elif word.text == "si" and following in ("il", "ils"):
            word = word._replace(text="s'")
        contracted = CONTRACTED.get((spelt[-1].text, word.text)) if spelt and word.tag != "clitic" else None
        if contracted:
            source = tuple(sorted({*spelt[-1].source, *word.source}))
            spelt[-1] = Word(contracted, source, "contraction")
        else:
            spelt.append(word)
    return spelt


def agree(adjective: str, gender: str, plural: bool, before: str = "") -> str:
    """The form of an adjective for a noun; `before`: the word it stands before, if any (un bel arbre)."""
    forms = ADJECTIVES[adjective]
    if plural:
        return forms.feminine_plural if gender == "f" else forms.masculine_plural
    if gender == "f":
        return forms.feminine
    return forms.masculine_before_vowel if begins_with_vowel(before) else forms.masculine


def determine(determiner: str, gender: str, plural: bool, before: str) -> str:
    """The French determiner before the word `before` (cet ami, mon école); elision is `spell`'s."""
    if plural:
        return PLURAL[determiner]
    forms = SINGULAR[determiner]
    if begins_with_vowel(before):
        return forms.feminine_before_vowel if gender == "f" else forms.masculine_before_vowel
    return forms.feminine if gender == "f" else forms.masculine
