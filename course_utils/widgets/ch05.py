"""Explorers of chapter 05: which words a translator attends to, attention from soft to hard, and translators scored."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import jax
import numpy as np

from ..data.english_french import PHENOMENA, Pair, vocabularies
from ..decoding import greedy
from ..experiments import ch05
from ..experiments.results.translators import Attentive
from ..figures import alignment as figures
from ..figures.paths import Architecture, path_diagram
from ..figures.style import add_to_summary
from ..figures.translators import bleu_curves
from ..models import seq2seq
from ..models.interfaces import Translator
from ..models.run import apply
from ..runtime import InvalidInput
from . import sentences
from .explore import Drag, Explorer, choice, explore, slider, text, toggle

CROSSED, CLITIC = "we see the European economic area", "I never find them"
VIEWS = {"map": figures.alignment_map, "arcs": figures.alignment_arcs}


def _translate(model: Translator, indices: Sequence[int]) -> tuple[list[str], np.ndarray]:
    """Words of the translation, with `<eos>` where it came to one, and their weights over the source."""
    decoded = greedy(model, *sentences.padded(indices))
    words = [vocabularies()[1].words[i] for i in decoded.words[0, : decoded.lengths[0]]]
    if decoded.weights is None:
        raise InvalidInput("This translator has no attention, so it has no weights to show.")
    return words, decoded.weights[0, : len(words), : len(indices)]


def alignments(model: Translator) -> Explorer:
    """Any sentence, its translation, and which English word each French one attends to; gold where there is one."""
    translated = functools.lru_cache(64)(lambda indices: _translate(model, indices))
    picks = {f"“{line}”": line for line in (CROSSED, CLITIC)} | sentences.examples()
    of_length = functools.partial(sentences.of_length, picks)
    translated(sentences.picked_or_typed(CROSSED, "").indices)

    def place(picked: Pair | str, typed: str, word: int, view: str, gold: bool) -> tuple[float, float]:
        """Where the chosen word is dragged: at its darkest cell, or at the word below the arcs."""
        words, weights = translated(sentences.picked_or_typed(picked, typed).indices)
        i = min(word, len(words)) - 1
        if view == "map":
            return int(weights[i].argmax()), i
        return i * figures.spacing(weights.shape[1], len(words)), 0

    def to(x: float, y: float, picked: Pair | str, typed: str, word: int, view: str, gold: bool) -> dict[str, int]:
        """The word at a place of the figure."""
        words, weights = translated(sentences.picked_or_typed(picked, typed).indices)
        at = y if view == "map" else x / figures.spacing(weights.shape[1], len(words))
        return {"word": min(max(round(at), 0), len(words) - 1) + 1}

    def draw(picked: Pair | str, typed: str, word: int, view: str, gold: bool):
        sentence = sentences.picked_or_typed(picked, typed)
        words, weights = translated(sentence.indices)
        links, no_gold = _gold(sentence.pair, words, weights) if gold else (None, "")
        notes = [sentences.longer_note(sentence.words), sentences.beyond_note(word, words), no_gold]
        alignment = figures.Alignment(
            source=[*sentence.words, "<eos>"],
            target=words,
            weights=weights,
            gold=links,
            chosen=min(word, len(words)) - 1,
            note=" ".join(filter(None, notes)),
        )
        return VIEWS[view](alignment)

    return explore(
        draw,
        presets={
            "words that cross": {"picked": CROSSED, "word": 4},
            "a pronoun before its verb": {"picked": CLITIC, "word": 3},
            "18 words": {"picked": of_length(18)},
            "40 words, more than any trained on": {"picked": of_length(40)},
            "as arcs": {"picked": CROSSED, "word": 4, "view": "arcs"},
            "with gold": {"picked": of_length(10), "word": 2},
        },
        drags=[Drag("chosen French word", place, to, by=1)],
        click=to,
        picked=choice("sentence", picks),
        typed=text("or type one", ""),
        word=slider("French word", 1, 60, value=1),
        view=choice("view", list(VIEWS)),
        gold=toggle("gold", value=True),
    )


def _gold(pair: Pair | None, translation: Sequence[str], weights: np.ndarray) -> tuple[np.ndarray | None, str]:
    """Gold links like `weights`, or None and why there are none: only the reference has them."""
    if pair is None:
        return None, "No gold: this sentence is not one of the test sentences."
    if list(pair.target) != [word for word in translation if word != "<eos>"]:
        return None, f"No gold: the translation differs from the reference “{' '.join(pair.target)}”."
    links = np.zeros_like(weights, bool)
    for i, sources in enumerate(pair.alignment):
        links[i, list(sources)] = True
    return links, ""


def soft_to_hard(model: seq2seq.Translator, bleu: Mapping[float, np.ndarray]) -> Explorer:
    """A trained model's attention from uniform to hard by temperature: weights, context, translation and BLEU follow.

    bleu: `[seeds]` for each of `experiments.ch05.TEMPERATURES`.
    """
    picks = sentences.examples((6, 10, 14, 18, 24))
    by_seed = np.array([bleu[temperature] for temperature in ch05.TEMPERATURES]).T
    names = {"0 (hard)" if t == 0 else "∞ (uniform)" if np.isinf(t) else f"{t:g}": t for t in ch05.TEMPERATURES}

    @functools.lru_cache(256)
    def at(indices: tuple[int, ...], temperature: float):
        words, weights = _translate(ch05.tempered(model, temperature), indices)
        row, mask, _ = sentences.padded(indices)
        states = apply(model, _states, row, mask)[0, : len(indices)]
        contexts = weights @ states
        to_mean = np.linalg.norm(contexts - states.mean(0), axis=1)
        to_state = np.linalg.norm(contexts - states[weights.argmax(1)], axis=1)
        return words, weights, to_mean, to_state

    at(sentences.Sentence.of(next(iter(picks.values()))).indices, 1.0)

    def draw(picked: Pair, temperature: float, word: int):
        sentence = sentences.Sentence.of(picked)
        words, weights, to_mean, to_state = at(sentence.indices, temperature)
        i = min(word, len(words)) - 1
        figure = figures.soft_to_hard(
            [*sentence.words, "<eos>"], words, weights[i], i, temperature, float(to_mean[i]), float(to_state[i]),
            ch05.TEMPERATURES, by_seed, [*picked.target, "<eos>"],
        )  # fmt: skip
        if word > len(words):
            add_to_summary(figure, sentences.beyond_note(word, words))
        return figure

    return explore(
        draw,
        presets={
            "softer": {"temperature": 3.0},
            "as trained": {"temperature": 1.0},
            "hard": {"temperature": 0.0},
            "hardly changed": {"temperature": 1.5},
            "uniform": {"temperature": float("inf")},
        },
        picked=choice("sentence", picks, value=list(picks.values())[1]),
        temperature=choice("temperature τ", names, value=1.0),
        word=slider("French word", 1, 40, value=3),
    )


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
        return figures.alignment_errors(rows, values, measure)

    presets = {
        f"{names[0]} and {names[1]}": {},
        "their BLEU": {"measure": "BLEU by length"},
        "precision and recall": {"measure": "precision and recall"},
    }
    for rival in ("reversed", "forward, general"):
        if rival in names:
            presets[f"{names[0]} and {rival}"] = {"second": rival}
    return explore(
        draw,
        presets=presets,
        measure=choice("measured", ["alignment error", "BLEU by length", "precision and recall"]),
        first=choice("translator", names, value=names[0]),
        second=choice("beside", names, value=names[1]),
    )


def paths() -> Explorer:
    """How far the first input travels in each architecture of the course."""
    return explore(
        path_diagram,
        presets={
            "a recurrence": {"architecture": "recurrence"},
            "a recurrence, four times as long": {"architecture": "recurrence", "length": 32},
            "attention over a recurrence": {"architecture": "attention over a recurrence"},
            "self-attention": {"architecture": "self-attention"},
            "self-attention, four times as long": {"architecture": "self-attention", "length": 32},
        },
        architecture=choice("architecture", get_args(Architecture)),
        length=slider("positions", 1, 40, value=8),
    )
