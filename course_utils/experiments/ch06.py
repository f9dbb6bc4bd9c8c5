"""Notebook 06: self-attention, and what positions, heads and a short path do."""

import functools
from typing import Any, get_args

import jax
import numpy as np
from flax import nnx

from ..data.agreement import Agreement, agreement, vocabulary
from ..data.batching import Batches, Labelled
from ..data.sequences import delayed_recall
from ..measure.agreement import prefers, right
from ..measure.heads import even_weight, subject_weights, without
from ..measure.softmax import random_vectors, saturation
from ..models.losses import classification, next_word
from ..models.positions import Positions
from ..models.readers import AttentionClassifier, AttentionLanguageModel, LookBack
from ..models.run import apply
from ..runtime import budget
from ..training import History, Trained, fit, fit_seeds, trained
from . import recall, rounded
from .agreement import BATCH, LENGTHS, SEEDS, Accuracy, accuracy, asked_directly, corpora, words_only
from .ch03 import by_attractors
from .follow import followed

SIZES = (4, 16, 64, 256, 1024)  # d_k
DELAYS = (10, 30, 100, 300, 1_000)
ORDERED = 30  # delay of the task with one alphabet, where only the position tells the label
WIDTH, HEADS, LAYERS = 64, 4, 2
MOMENTS = (250, 500, 1_000, 2_000)  # updates on words alone; the last is the shipped model
ASKED_UPDATES, NEAR = 1_000, 10  # the farthest distance that "trained near" sees
TOLD = (20, 30, 40, 60, 100, 200)  # lengths at which readers trained on `ORDERED` symbols are asked
ASKED: tuple[Positions, ...] = ("sinusoidal", "none")
SCHEMES: tuple[Positions, ...] = get_args(Positions)


# ------------------------------------------------------------------------------------------ the root of d_k


def scaling(seed: int = 0) -> dict[str, dict[str, list[float]]]:
    """`measure.softmax.saturation` against d_k, with the root and without it, to four digits."""
    found: dict[str, dict[str, list[float]]] = {
        name: {"variance": [], "entropy": [], "gradient": [], "open": []} for name in ("q · k", "q · k / √d")
    }
    for i, size in enumerate(SIZES):
        queries, keys = random_vectors(jax.random.fold_in(jax.random.key(seed), i), size)
        for (_, values), scale in zip(found.items(), (1.0, size**-0.5), strict=True):
            measured = saturation(queries, keys, scale)
            for name, listed in values.items():
                listed.append(float(f"{getattr(measured, name):.4g}"))
    return found


# -------------------------------------------------------------------------------------------- delayed recall


def one_look(rngs: nnx.Rngs, positions: Positions = "none", longest: int = max(TOLD)) -> LookBack:
    """A single look from the last symbol, of width 64."""
    symbols = recall.LABELS + recall.DISTRACTORS
    return LookBack(symbols, recall.LABELS, rngs=rngs, width=recall.HIDDEN, positions=positions, longest=longest)


def one_alphabet(delay: int, batch: int = recall.BATCH) -> Any:
    """Batches of the task whose noise and labels share one alphabet."""

    def draw(step: Any, rng: Any) -> Labelled:
        return delayed_recall(rng, batch, delay, recall.LABELS, recall.LABELS, shared=True)

    return draw


def recalled(delay: int, positions: Positions | None = None) -> dict[str, Any]:
    """Three networks of one look on one delay: with two alphabets, or with one and a kind of position."""
    make = functools.partial(one_look, positions=positions or "none", longest=max(delay, *TOLD))
    if positions is None:
        return recall.updates_to_solve(make, delay)
    models, history = recall.several(make, one_alphabet(delay))
    told = [[round(at_length(model, length), 4) for length in TOLD] for model in models]
    return {**recall.outcome(history), "told": told}


def at_length(model: Any, length: int, n: int = 1_000) -> float:
    """Accuracy on the task with one alphabet at another length than the one trained on."""
    batch = one_alphabet(length, n)(0, jax.random.key(length))
    return float(apply(model, classification, batch)[1]["accuracy"])


def weight_of_the_first(delay: int, seed: int = 0) -> float:
    """The weight that one look gives the first of `delay` symbols before any training, mean of 64 sequences."""
    batch = recall.batches(delay)(0, jax.random.key(seed))
    return float(apply(one_look(nnx.Rngs(seed)), _first_weight, batch.tokens, batch.mask).mean())


def _first_weight(model: Any, tokens: Any, mask: Any) -> Any:
    return model.look(tokens, mask)[1][:, 0, 0]


def learn(delay: int, positions: Positions = "none", report: Any = None, seed: int = 0) -> tuple[LookBack, History]:
    """One network of one look, trained on the delay with two alphabets."""
    model = one_look(nnx.Rngs(seed), positions, max(delay, *TOLD))
    return model, recall.train(model, delay, seed=seed, report=report)


# ------------------------------------------------------------------------------------------ the cat sentence


def language_model(rngs: nnx.Rngs, positions: Positions = "sinusoidal") -> AttentionLanguageModel:
    """Two layers of four heads that predict words; nothing in them but attention, sums and norms."""
    return AttentionLanguageModel(
        len(vocabulary()), rngs=rngs, width=WIDTH, heads=HEADS, layers=LAYERS, positions=positions
    )


def reader(rngs: nnx.Rngs, positions: Positions = "sinusoidal") -> AttentionClassifier:
    """The same, asked for the subject's number."""
    return AttentionClassifier(
        len(vocabulary()), 2, rngs=rngs, width=WIDTH, heads=HEADS, layers=LAYERS, positions=positions
    )


def _train_words(model: AttentionLanguageModel, seed: int = 0) -> History:
    return fit(model, words_only(), budget(MOMENTS[-1]), loss=next_word, seed=seed)


def well_trained(retrain: bool = False) -> Trained:
    """A language model of two layers of attention after 2,000 updates, shipped with the course."""
    config = {"width": WIDTH, "heads": HEADS, "layers": LAYERS, "positions": "sinusoidal", "updates": MOMENTS[-1],
              "corpus": "agreement 20000/0"}  # fmt: skip
    return trained("words-attention", language_model, _train_words, config, retrain=retrain)


MODELS = {"words-attention": well_trained}


def asked(positions: Positions) -> Accuracy:
    """Three readers asked directly."""
    models, _ = fit_seeds(
        functools.partial(reader, positions=positions), asked_directly(), budget(ASKED_UPDATES), loss=classification, seeds=SEEDS,
        progress=False,
    )  # fmt: skip
    return accuracy(models, right)


def near(positions: Positions) -> Accuracy:
    """Three language models trained on distances up to `NEAR`, and tested at every distance."""
    batches = Batches(agreement(20_000, seed=0, distances=(1, NEAR)).sentences(), BATCH, LENGTHS)
    models, _ = fit_seeds(
        functools.partial(language_model, positions=positions), batches, budget(MOMENTS[-1]), loss=next_word, seeds=SEEDS,
        progress=False,
    )  # fmt: skip
    return accuracy(models, prefers)


def test() -> Agreement:
    """The test sentences."""
    return corpora()[1]


def heads(model: AttentionLanguageModel) -> tuple[np.ndarray, np.ndarray]:
    """Mean weight of the subject in each head when the verb is due, and the accuracy with that head off: `[layers, heads]`."""
    off = np.zeros((LAYERS, HEADS))
    for place in np.ndindex(*off.shape):
        keep = np.ones(off.shape)
        keep[place] = 0
        off[place] = without(model, test(), keep)
    return subject_weights(model, test()).mean(0), off


# ------------------------------------------------------------------------------------------------- together


def headline() -> dict[str, Any]:
    """Softmax against d_k; delayed recall with one look; agreement by moment, by positions and beyond the trained distance; heads."""
    result: dict[str, Any] = {
        "seeds": list(SEEDS), "scaling": {"sizes": list(SIZES), **scaling()}, "words": {}, "asked": {}, "near": {"farthest": NEAR},
        "recall": {
            "two alphabets": {str(delay): recalled(delay) for delay in DELAYS},
            "one alphabet": {positions: {str(ORDERED): recalled(ORDERED, positions)} for positions in SCHEMES},
            "told": list(TOLD), "updates": budget(recall.UPDATES),
        },
    }  # fmt: skip
    for updates, models in followed(language_model, words_only(), next_word, MOMENTS):
        result["words"][str(updates)] = {
            **accuracy(models, prefers).numbers(), "attractors": [rounded(by_attractors(prefers(model, test()))) for model in models],
        }  # fmt: skip
    found = [heads(model) for model in models]
    result["heads"] = {
        "subject": [rounded(subject) for subject, _ in found],
        "off": [rounded(off) for _, off in found],
        "even": round(even_weight(test()), 4),
    }
    for positions in ASKED:
        result["asked"][positions] = asked(positions).numbers()
    for positions in SCHEMES:
        result["near"][positions] = near(positions).numbers()
    return result
