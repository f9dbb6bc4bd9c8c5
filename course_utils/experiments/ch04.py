"""Notebook 04: what a translation loses in one vector."""

import functools
from typing import Any

import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from ..data.batching import Parallel
from ..data.english_french import arrays, pairs, vocabularies
from ..measure.bleu import bleu
from ..measure.decode import decode_batch
from ..measure.summary import kept
from ..models.run import apply
from ..models.seq2seq import Translator
from ..runtime import budget
from ..training import History, Trained, trained
from . import translators
from .agreement import SEEDS
from .results.ch04 import Beams, ForcedAndFree, Kept, OfSize, Recorded, Variant, WordsKept
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


def survives(model: Translator) -> Kept:
    """What a translator's context keeps of each position of a sentence of `PROBED` words."""
    return Kept(**kept(model, probed(), len(vocabularies()[0]))._asdict())


def first_words(model: Translator, count: int = FIRST_WORDS) -> Float[np.ndarray, " count"]:
    """Share of the test sentences whose first 1 … `count` words are all right."""
    words = decode_batch(model, held_out().batch).words[:, :count]
    reference = np.asarray(held_out().batch.target)[:, 1 : 1 + count]
    present = np.asarray(held_out().batch.target_mask)[:, 1 : 1 + count]
    right = np.cumprod(words == reference, axis=1)
    return np.array([right[present[:, i], i].mean() for i in range(count)])


def forced_and_free(model: Translator, upto: int = 30) -> ForcedAndFree:
    """Share of the words right at each position of the sentence: teacher-forced, and after the model's own words."""
    batch = held_out().batch
    reference, present = np.asarray(batch.target)[:, 1:], np.asarray(batch.target_mask)[:, 1:]
    forced, free = apply(model, _best_words, batch), decode_batch(model, batch).words
    width = min(free.shape[1], reference.shape[1], upto)

    def shares(words: Int[np.ndarray, "n target"]) -> Float[np.ndarray, " width"]:
        right = words[:, :width] == reference[:, :width]
        return np.array([right[present[:, i], i].mean() for i in range(width)])

    return ForcedAndFree(forced=shares(forced), free=shares(free))


def _best_words(model: Translator, batch: Parallel) -> Int[Array, "n target"]:
    return model(batch.source, batch.source_mask, batch.target[:, :-1]).argmax(-1)


def by_beam(model: Translator) -> list[float]:
    """BLEU on the test sentences for each width of the beam."""
    return [bleu(translators.written(model, held_out(), size=size), held_out().references) for size in BEAMS]


# ------------------------------------------------------------------------------------------------ together


def headline() -> Recorded:
    """BLEU by length: sizes, four times the updates, variants; what c keeps; first words; beams; forced against free."""
    runs = {name: several(options) for name, options in VARIANTS.items()}
    models = {name: trained for name, (trained, _) in runs.items()}
    variants = {name: Variant(**_measured(*run)) for name, run in runs.items()}
    longer = {name: several(VARIANTS[name], LONGER)[0] for name in ("forward", "reversed")}
    encoders = {name: models[name] for name in PROBED_VARIANTS}
    encoders |= {"untrained": [translator(nnx.Rngs(seed)) for seed in SEEDS]}
    encoders |= {f"{name}, longer": trained for name, trained in longer.items()}
    return Recorded(
        seeds=SEEDS,
        updates=budget(UPDATES),
        longer_updates=budget(LONGER),
        sentences={"test": len(held_out().pairs), "beyond": len(beyond().pairs)},
        sizes={hidden: of_size(hidden) for hidden in SIZES if hidden != HIDDEN}
        | {HIDDEN: OfSize(**vars(variants["forward"]), seeds=SEEDS)},
        variants=variants,
        longer={name: quality(trained) for name, trained in longer.items()},
        kept=WordsKept(
            length=PROBED,
            encoders={name: [survives(model) for model in trained] for name, trained in encoders.items()},
        ),
        first_words={
            name: np.array([first_words(model) for model in models[name]]) for name in ("forward", "reversed")
        },
        beams=Beams(sizes=BEAMS, bleu=np.array([by_beam(model) for model in models["forward"]])),
        forced_and_free=[forced_and_free(model) for model in models["forward"]],
    )


def of_size(hidden: int) -> OfSize:
    """Translators of so many units; one seed of the largest."""
    seeds = SEEDS[:1] if hidden == LARGEST else SEEDS
    return OfSize(**_measured(*several({"hidden": hidden}, seeds=seeds)), seeds=seeds)


def _measured(models: list[Translator], history: History) -> dict[str, Any]:
    """The fields of a `Variant`."""
    return {**vars(quality(models)), "parameters": parameters(models[0]), "loss": history.last("loss")}
