"""Explorers of notebook 05."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from ..data.translation import PHENOMENA, Pair, vocabularies
from ..decoding import greedy
from ..experiments import ch05
from ..experiments.results.translators import Attentive
from ..figures.alignment import alignment_arcs, alignment_errors, alignment_map
from ..figures.alignment import soft_to_hard as soft_figure
from ..figures.style import add_to_summary
from ..figures.translation import bleu_curves
from ..measure.run import apply
from ..runtime import InvalidInput
from .ch04 import examples, longer_note, padded, sentence
from .explore import Explorer, choice, explore, slider, text, toggle

VIEWS = {"map": alignment_map, "arcs": alignment_arcs}


def _translate(model: Any, indices: Sequence[int]) -> tuple[list[str], np.ndarray]:
    """Words of the translation, `<eos>` behind where it came to one, and their weights over the source."""
    found = greedy(model, *padded(indices))
    words = [vocabularies()[1].words[i] for i in found.words[0, : found.lengths[0]]]
    if found.weights is None:
        raise InvalidInput("This translator has no attention, so it has no weights to show.")
    return words, found.weights[0, : len(words), : len(indices)]


def alignments(model: Any) -> Explorer:
    """Any sentence, its translation, and which English word each French one looked at; gold where there is one."""
    translated = functools.lru_cache(64)(lambda indices: _translate(model, indices))
    picks = examples()
    translated(tuple(sentence(next(iter(picks.values())), "")[0]))

    def draw(picked: Pair, typed: str, word: int, view: str, gold: bool):
        indices, words, pair = sentence(picked, typed)
        said, weights = translated(tuple(indices))
        notes = [longer_note(words), asked_beyond(word, said)]
        links = None
        if pair is None and gold:
            notes.append("No gold: this sentence is not one of the test sentences.")
        elif pair is not None and gold:
            if list(pair.target) == [*filter(lambda w: w != "<eos>", said)]:
                links = np.zeros_like(weights, bool)
                for i, sources in enumerate(pair.alignment):
                    links[i, list(sources)] = True
            else:
                notes.append(f"No gold: the translation differs from the reference “{' '.join(pair.target)}”.")
        return VIEWS[view](
            [*words, "<eos>"], said, weights, links, min(word, len(said)) - 1, " ".join(filter(None, notes))
        )

    return explore(
        draw,
        picked=choice("sentence", picks, value=list(picks.values())[1]),
        typed=text("or type one", ""),
        word=slider("French word", 1, 60, value=1),
        view=choice("view", list(VIEWS)),
        gold=toggle("gold", value=True),
    )


def soft_to_hard(model: Any, bleu: Mapping[float, np.ndarray]) -> Explorer:
    """A trained model's attention from uniform to hard by temperature: weights, context, translation and BLEU follow.

    bleu: `[seeds]` for each of `experiments.ch05.TEMPERATURES`.
    """
    picks = examples((6, 10, 14, 18, 24))
    by_seed = np.array([bleu[temperature] for temperature in ch05.TEMPERATURES]).T
    names = {"0 (hard)" if t == 0 else "∞ (uniform)" if np.isinf(t) else f"{t:g}": t for t in ch05.TEMPERATURES}

    @functools.lru_cache(256)
    def at(indices: tuple[int, ...], temperature: float):
        said, weights = _translate(ch05.tempered(model, temperature), indices)
        row, mask, _ = padded(indices)
        states = apply(model, _states, row, mask)[0, : len(indices)]
        contexts = weights @ states
        to_mean = np.linalg.norm(contexts - states.mean(0), axis=1)
        to_state = np.linalg.norm(contexts - states[weights.argmax(1)], axis=1)
        return said, weights, to_mean, to_state

    at(tuple(sentence(next(iter(picks.values())), "")[0]), 1.0)

    def draw(picked: Pair, temperature: float, word: int):
        indices, words, pair = sentence(picked, "")
        said, weights, to_mean, to_state = at(tuple(indices), temperature)
        i = min(word, len(said)) - 1
        figure = soft_figure(
            [*words, "<eos>"], said, weights[i], i, temperature, float(to_mean[i]), float(to_state[i]), ch05.TEMPERATURES, by_seed,
            [*pair.target, "<eos>"] if pair else None,
        )  # fmt: skip
        if word > len(said):
            add_to_summary(figure, asked_beyond(word, said))
        return figure

    return explore(
        draw,
        picked=choice("sentence", picks, value=list(picks.values())[1]),
        temperature=choice("temperature τ", names, value=1.0),
        word=slider("French word", 1, 40, value=3),
    )


def asked_beyond(word: int, said: Sequence[str]) -> str:
    """What is said when a word behind the last is asked for."""
    return f"Word {word} was asked for; the translation has {len(said)}." if word > len(said) else ""


def _states(model: Any, source: jax.Array, mask: jax.Array) -> Any:
    return model.encode(source, mask).states


def scores(variants: Mapping[str, Attentive]) -> Explorer:
    """The recorded translators with attention side by side: BLEU by length, alignment error, or the error by phenomenon."""
    names = list(variants)

    def draw(measure: str, first: str, second: str):
        chosen = dict.fromkeys((first, second))
        if measure == "BLEU by length":
            return bleu_curves(variants[first].upto, {name: variants[name].bleu for name in chosen})
        if measure == "alignment error":
            rows = ["all words", *PHENOMENA]
            values = {
                name: [[seed.error, *(seed.phenomena[row] for row in PHENOMENA)] for seed in variants[name].aer]
                for name in chosen
            }
        else:
            rows = ["precision", "recall"]
            values = {name: [[seed.precision, seed.recall] for seed in variants[name].aer] for name in chosen}
        return alignment_errors(rows, values, measure)

    return explore(
        draw,
        measure=choice("measured", ["alignment error", "BLEU by length", "precision and recall"]),
        first=choice("translator", names, value=names[0]),
        second=choice("beside", names, value=names[1]),
    )
