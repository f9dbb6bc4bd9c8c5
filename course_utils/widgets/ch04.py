"""Explorers of chapter 04: translators side by side, BLEU by length, and what a context vector holds of each word."""

import functools
from collections.abc import Mapping, Sequence

import numpy as np

from ..data.english_french import Pair, vocabularies
from ..decoding import beam, greedy
from ..experiments import ch04
from ..experiments.results.ch04 import Recorded, WordsKept
from ..experiments.results.translators import Quality
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


def bleu_by_length(curves: Mapping[str, Quality], first: str, second: str) -> Explorer:
    """Two of several recorded curves of BLEU by length, one over the other."""

    def draw(first: str, second: str):
        chosen = {name: curves[name].bleu for name in (first, second)}
        return figures.bleu_curves(curves[first].upto, chosen)

    names = list(curves)
    sizes = [name for name in names if name.endswith(" units")]
    pairs = dict.fromkeys([(first, second), (sizes[0], sizes[-1]), (sizes[-1], second)])  # each once
    presets = {f"{a} and {b}": {"first": a, "second": b} for a, b in pairs if a != b}
    return explore(
        draw, presets=presets, first=choice("curve", names, value=first), second=choice("beside", names, value=second)
    )


def recorded_curves(recorded: Recorded, variants: bool = True) -> dict[str, Quality]:
    """Curves of BLEU by length, under the names that learners choose from: sizes, four times the updates, and, unless left
    out, the variants."""
    longer = f"{recorded.longer_updates:,} updates"
    curves: dict[str, Quality] = {f"{hidden} units": of for hidden, of in sorted(recorded.sizes.items())}
    curves[f"128 units, {longer}"] = recorded.longer["forward"]
    if variants:
        curves |= {f"128 units, {name}": of for name, of in recorded.variants.items() if name != "forward"}
        curves[f"128 units, reversed, {longer}"] = recorded.longer["reversed"]
    return curves


def recency(kept: WordsKept, first: str, second: str, among: Sequence[str] | None = None) -> Explorer:
    """What survives of each source position in c, for two of several encoders."""
    runs = {
        name.replace("longer", f"{ch04.LONGER:,} updates"): {
            "accuracy": np.array([seed.accuracy for seed in seeds]),
            "gradient": np.array([seed.gradient for seed in seeds]),
        }
        for name, seeds in kept.encoders.items()
    }
    chance = kept.encoders["forward"][0].chance

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
