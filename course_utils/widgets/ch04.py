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
NEGATION = "the cat does not see the black dogs"


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

    picks = sentences.examples() | {f"8 words: {NEGATION}": NEGATION}
    of_length = functools.partial(sentences.of_length, picks)
    first = sentences.picked_or_typed(of_length(6), "")
    for name in models:  # compile before the first move
        for search in searches:
            translated(name, search, first.indices)

    def draw(picked: Pair | str, typed: str, search: str):
        sentence = sentences.picked_or_typed(picked, typed)
        translations = {name: translated(name, search, sentence.indices) for name in models}
        note = " ".join(filter(None, [sentences.longer_note(sentence.words), f"Search: {search}."]))
        reference = sentence.pair.target if sentence.pair else None
        return figures.side_by_side(sentence.words, translations, reference, note)

    return explore(
        draw,
        presets={
            "30 words": {"picked": of_length(30)},
            "6 words": {"picked": of_length(6)},
            "14 words": {"picked": of_length(14)},
            "40 words, more than any trained on": {"picked": of_length(40)},
            "a negation, adjectives": {"picked": NEGATION},
        },
        picked=choice("sentence", picks),
        typed=text("or type one", ""),
        search=choice("search", list(searches)),
    )


def bleu_by_length(curves: Mapping[str, Mapping[str, Any]], first: str, second: str) -> Explorer:
    """Two of several recorded curves of BLEU by length, one over the other: name → {"upto", "bleu"}."""

    def draw(first: str, second: str):
        chosen = {name: curves[name]["bleu"] for name in (first, second)}
        return figures.bleu_curves(curves[first]["upto"], chosen)

    names = list(curves)
    sizes = [name for name in names if name.endswith(" units")]
    pairs = dict.fromkeys([(first, second), (sizes[0], sizes[-1]), (sizes[-1], second)])  # each once
    presets = {f"{a} and {b}": {"first": a, "second": b} for a, b in pairs if a != b}
    return explore(
        draw, presets=presets, first=choice("curve", names, value=first), second=choice("beside", names, value=second)
    )


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
    longer = next(name for name in names if name.endswith("updates"))
    return explore(
        draw,
        presets={
            f"{first} and {second}": {},
            "their gradients": {"measure": "gradient"},
            f"{second} and {longer}": {"first": second, "second": longer},
            f"{longer}, its gradient": {"first": second, "second": longer, "measure": "gradient"},
        },
        measure=choice("measured", {"words a probe can name": "accuracy", "gradient of c": "gradient"}),
        first=choice("encoder", names, value=first),
        second=choice("beside", names, value=second),
    )
