"""Explorers of chapter 04: translators side by side, BLEU by length, and what a context vector holds of each word."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..data.english_french import Pair, vocabularies
from ..decoding import beam, greedy
from ..experiments import ch04
from ..figures import translators as figures
from ..models.interfaces import Translator
from . import sentences
from .explore import Explorer, choice, explore, text

BEAM = 4


def side_by_side(models: Mapping[str, Translator]) -> Explorer:
    """Pick or type a sentence, and read what each of several translators makes of it, with the reference."""
    searches = {
        "greedy": greedy,
        f"beam of {BEAM}": lambda *arguments: beam(*arguments, size=BEAM).best,
    }

    @functools.lru_cache(64)
    def translated(name: str, search: str, indices: tuple[int, ...]) -> list[str]:
        decoded = searches[search](models[name], *sentences.padded(indices))
        return vocabularies()[1].decode(decoded.words[0]).split()

    picks = sentences.examples()
    first = sentences.Sentence.of(next(iter(picks.values())))
    for name in models:  # compile before the first move
        for search in searches:
            translated(name, search, first.indices)

    def draw(picked: Pair, typed: str, search: str):
        sentence = sentences.picked_or_typed(picked, typed)
        translations = {name: translated(name, search, sentence.indices) for name in models}
        note = " ".join(filter(None, [sentences.longer_note(sentence.words), f"Search: {search}."]))
        reference = sentence.pair.target if sentence.pair else None
        return figures.side_by_side(sentence.words, translations, reference, note)

    return explore(
        draw,
        picked=choice("sentence", picks, value=list(picks.values())[2]),
        typed=text("or type one", ""),
        search=choice("search", list(searches)),
    )


def bleu_by_length(curves: Mapping[str, Mapping[str, Any]], first: str, second: str) -> Explorer:
    """Two of several recorded curves of BLEU by length, one over the other: name → {"upto", "bleu"}."""

    def draw(first: str, second: str):
        chosen = {name: curves[name]["bleu"] for name in (first, second)}
        return figures.bleu_curves(curves[first]["upto"], chosen)

    names = list(curves)
    return explore(draw, first=choice("curve", names, value=first), second=choice("beside", names, value=second))


def recorded_curves(recorded: Mapping[str, Any], variants: bool = True) -> dict[str, Mapping[str, Any]]:
    """Curves of BLEU by length in `data/recorded/ch04.json`, under the names that learners choose from.

    Sizes, four times the updates, and, with `variants`, the variants.
    """
    longer = f"{recorded['longer_updates']:,} updates"
    curves = {f"{hidden} units": recorded["sizes"][hidden] for hidden in sorted(recorded["sizes"], key=int)}
    curves[f"128 units, {longer}"] = recorded["longer"]["forward"]
    if variants:
        curves |= {f"128 units, {name}": curve for name, curve in recorded["variants"].items() if name != "forward"}
        curves[f"128 units, reversed, {longer}"] = recorded["longer"]["reversed"]
    return curves


def recency(by_encoder: Mapping[str, Any], first: str, second: str, among: Sequence[str] | None = None) -> Explorer:
    """What survives of each source position in c, for two of several encoders (`recorded("ch04")["kept"]`)."""
    runs = {
        name.replace("longer", f"{ch04.LONGER:,} updates"): {
            key: np.array([seed[key] for seed in seeds]) for key in ("accuracy", "gradient", "chance")
        }
        for name, seeds in by_encoder.items()
        if name != "length"
    }
    chance = runs["forward"]["chance"][0]

    def draw(measure: figures.ContextMeasure, first: str, second: str):
        return figures.context_by_position({name: runs[name] for name in (first, second)}, measure, chance)

    names = list(among or runs)
    return explore(
        draw,
        measure=choice("measured", {"words a probe can name": "accuracy", "gradient of c": "gradient"}),
        first=choice("encoder", names, value=first),
        second=choice("beside", names, value=second),
    )
