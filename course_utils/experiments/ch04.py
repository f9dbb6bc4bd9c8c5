"""Notebook 04: what a translation loses in one vector."""

import functools
from typing import Any

import numpy as np
from flax import nnx

from ..data.batching import Parallel
from ..data.english_french import arrays, pairs, vocabularies
from ..measure.bleu import bleu
from ..measure.decode import decode_batch
from ..measure.summary import Kept, kept
from ..models.run import apply
from ..runtime import budget
from ..training import Trained, trained
from . import rounded, translators
from .agreement import SEEDS
from .translators import HIDDEN, UPDATES, beyond, held_out, parameters, quality, several, translator

SIZES = (32, 64, 128, 256, 512)
LARGEST = 512  # one seed: it takes as long as all the others
LONGER = 4 * UPDATES
BEAMS = (1, 2, 4, 8)
PROBED, PROBES = 20, 8_000  # words of each probed sentence, and how many sentences
FIRST_WORDS = 8
# What differs from "forward": one thing, or for the last two LSTMs two and three.
VARIANTS: dict[str, dict[str, Any]] = {
    "forward": {},
    "reversed": {"reading": "backward"},
    "both directions": {"reading": "both"},
    "mean of the states": {"summary": "mean"},
    "start only": {"context": "start only"},
    "RNN": {"cell": "RNN"},
    "LSTM": {"cell": "LSTM"},
    "LSTM, start only": {"cell": "LSTM", "context": "start only"},
    "LSTM, start only, reversed": {"cell": "LSTM", "context": "start only", "reading": "backward"},
}
PROBED_VARIANTS = ("forward", "reversed", "both directions", "mean of the states")


def fixed(retrain: bool = False) -> Trained:
    """The translator with a fixed context (GRU of 128 units, forward, 1,000 updates), shipped with the course."""
    config = {
        "hidden": HIDDEN,
        "updates": UPDATES,
        "reading": "forward",
        "score": None,
        "corpus": "translation 20000/0",
    }
    return trained("translator-fixed", translator, translators.train, config, retrain=retrain)


MODELS = {"translator-fixed": fixed}


@functools.cache
def probed() -> Parallel:
    """Sentences of exactly `PROBED` words that were not trained on."""
    known = {pair.source for pair in translators.training_pairs()}
    found = pairs(PROBES + 1_000, seed=3, lengths=(PROBED, PROBED))
    return arrays([pair for pair in found if pair.source not in known][:PROBES])


def survives(model: Any) -> Kept:
    """What a model's context keeps of each position of a sentence of `PROBED` words."""
    return kept(model, probed(), len(vocabularies()[0]))


def first_words(model: Any, count: int = FIRST_WORDS) -> np.ndarray:
    """Share of the test sentences whose first 1 … `count` words are all right."""
    words = decode_batch(model, held_out().batch).words[:, :count]
    reference = np.asarray(held_out().batch.target)[:, 1 : 1 + count]
    there = np.asarray(held_out().batch.target_mask)[:, 1 : 1 + count]
    right = np.cumprod(words == reference, axis=1)
    return np.array([right[there[:, i], i].mean() for i in range(count)])


def forced_and_free(model: Any, upto: int = 30) -> dict[str, list]:
    """Share of the words right at each place of the sentence: with the right words before it given, and without."""
    reference, there = np.asarray(held_out().batch.target)[:, 1:], np.asarray(held_out().batch.target_mask)[:, 1:]
    forced = apply(model, _best_words, held_out().batch)
    free = decode_batch(model, held_out().batch).words
    width = min(free.shape[1], reference.shape[1], upto)
    found = {}
    for name, words in (("forced", forced), ("free", free)):
        right = words[:, :width] == reference[:, :width]
        found[name] = [round(float(right[there[:, i], i].mean()), 4) for i in range(width)]
    return found


def _best_words(model: Any, batch: Parallel) -> Any:
    return model(batch.source, batch.source_mask, batch.target[:, :-1]).argmax(-1)


def by_beam(model: Any) -> list[float]:
    """BLEU on the test sentences for each width of the beam."""
    return [round(bleu(translators.written(model, held_out(), size=size), held_out().references), 2) for size in BEAMS]


def headline() -> dict[str, Any]:
    """BLEU by length: sizes, four times the updates, variants; what c keeps; first words; beams; forced against free."""
    result: dict[str, Any] = {
        "seeds": list(SEEDS), "updates": budget(UPDATES), "longer_updates": budget(LONGER),
        "sentences": {"test": len(held_out().pairs), "beyond": len(beyond().pairs)}, "sizes": {}, "variants": {}, "longer": {},
        "kept": {"length": PROBED}, "first_words": {}, "beams": {"sizes": list(BEAMS), "bleu": []}, "forced_and_free": [],
    }  # fmt: skip
    for name, options in VARIANTS.items():
        models, history = several(options)
        result["variants"][name] = {
            **quality(models), "parameters": parameters(models[0]),
            "loss": np.round(history.last("loss"), 4).tolist(),
        }  # fmt: skip
        if name in PROBED_VARIANTS:
            result["kept"][name] = [_listed(survives(model)) for model in models]
        if name in ("forward", "reversed"):
            result["first_words"][name] = [rounded(first_words(model)) for model in models]
        if name == "forward":
            result["beams"]["bleu"] = [by_beam(model) for model in models]
            result["forced_and_free"] = [forced_and_free(model) for model in models]
            result["sizes"][str(HIDDEN)] = {**result["variants"][name], "seeds": list(SEEDS)}
    result["kept"]["untrained"] = [_listed(survives(translator(nnx.Rngs(seed)))) for seed in SEEDS]
    for hidden in SIZES:
        if hidden != HIDDEN:
            seeds = SEEDS[:1] if hidden == LARGEST else SEEDS
            models, history = several({"hidden": hidden}, seeds=seeds)
            result["sizes"][str(hidden)] = {
                **quality(models), "parameters": parameters(models[0]), "seeds": list(seeds),
                "loss": np.round(history.last("loss"), 4).tolist(),
            }  # fmt: skip
    for name in ("forward", "reversed"):
        models, _ = several(VARIANTS[name], LONGER)
        result["longer"][name] = quality(models)
        result["kept"][f"{name}, longer"] = [_listed(survives(model)) for model in models]
    return result


def _listed(found: Kept) -> dict[str, list]:
    return {name: rounded(values) for name, values in found._asdict().items()}
