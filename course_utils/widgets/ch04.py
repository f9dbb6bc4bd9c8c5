"""Explorers of notebook 04."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from ..data.batching import pad
from ..data.translation import Pair, read, vocabularies
from ..decoding import beam, greedy, longest_target
from ..experiments import ch04, translators
from ..experiments.results.ch04 import Recorded, WordsKept
from ..experiments.results.translators import Quality
from ..figures.translation import bleu_curves, kept_by_place, translations
from .explore import Explorer, choice, explore, text

BEAM = 4


def examples(lengths: Sequence[int] = (6, 10, 14, 18, 24, 30, 40)) -> dict[str, Pair]:
    """One test sentence of each of some lengths, to choose from."""
    known: dict[int, Pair] = {}
    for pair in (*translators.held_out().pairs, *translators.beyond().pairs):
        known.setdefault(len(pair.source), pair)
    return {f"{n} words: {' '.join(known[n].source[:5])} …": known[n] for n in lengths}


def sentence(picked: Pair, typed: str) -> tuple[list[int], list[str], Pair | None]:
    """The indices and words of the typed sentence, or of the picked one where nothing is typed, and its pair if one is known."""
    if not typed.strip():
        typed = " ".join(picked.source)
    indices = read(typed)
    words = vocabularies()[0].decode(indices).split()
    return indices, words, _known().get(tuple(words))


@functools.cache
def _known() -> dict[tuple[str, ...], Pair]:
    return {pair.source: pair for pair in (*translators.held_out().pairs, *translators.beyond().pairs)}


def longer_note(words: Sequence[str]) -> str:
    """What is said of a sentence longer than any trained on."""
    most = translators.TRAINED[1]
    return f"With {len(words)} words it is longer than any sentence trained on ({most})." if len(words) > most else ""


def padded(indices: Sequence[int]) -> tuple[jax.Array, jax.Array, int]:
    """One sentence in a row of 64 places, or of as many times 64 as it needs: few shapes, so nothing compiles while typing."""
    width = -(-len(indices) // 64) * 64
    row = pad([list(indices)], length=width)
    return row.tokens, row.mask, longest_target(width)


def translate(models: Mapping[str, Any]) -> Explorer:
    """Pick or type a sentence, and read what each of several translators makes of it, beside the reference."""
    searches = {
        "greedy": greedy,
        f"beam of {BEAM}": lambda *given: beam(*given, size=BEAM).best,
    }

    @functools.lru_cache(64)
    def written(name: str, search: str, indices: tuple[int, ...]) -> list[str]:
        found = searches[search](models[name], *padded(indices))
        return vocabularies()[1].decode(found.words[0]).split()

    picks = examples()
    for name in models:  # compile before the first move
        for search in searches:
            written(name, search, tuple(read(" ".join(next(iter(picks.values())).source))))

    def draw(picked: Pair, typed: str, search: str):
        indices, words, pair = sentence(picked, typed)
        said = {name: written(name, search, tuple(indices)) for name in models}
        note = " ".join(filter(None, [longer_note(words), f"Search: {search}."]))
        return translations(words, said, pair.target if pair else None, note)

    return explore(
        draw,
        picked=choice("sentence", picks, value=list(picks.values())[2]),
        typed=text("or type one", ""),
        search=choice("search", list(searches)),
    )


def bleu_by_length(curves: Mapping[str, Quality], first: str, second: str) -> Explorer:
    """Two of several recorded curves of BLEU by length, one over the other."""

    def draw(first: str, second: str):
        chosen = {name: curves[name].bleu for name in (first, second)}
        return bleu_curves(curves[first].upto, chosen)

    names = list(curves)
    return explore(draw, first=choice("curve", names, value=first), second=choice("beside", names, value=second))


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

    def draw(measure: str, first: str, second: str):
        return kept_by_place({name: runs[name] for name in (first, second)}, measure, chance)

    names = list(among or runs)
    return explore(
        draw,
        measure=choice("measured", {"words a probe can name": "accuracy", "gradient of c": "gradient"}),
        first=choice("encoder", names, value=first),
        second=choice("beside", names, value=second),
    )
