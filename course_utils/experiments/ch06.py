"""Notebook 06: self-attention, and what positions, heads and a short path do."""

import functools
from collections.abc import Callable, Sequence
from typing import get_args

import jax
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..data.agreement import agreement, vocabulary
from ..data.batching import Batches, Labelled
from ..data.sequences import delayed_recall
from ..measure.agreement import prefers, right
from ..measure.heads import even_weight, subject_weights, without
from ..measure.softmax import Saturation, random_vectors, saturation
from ..models.interfaces import Reader
from ..models.losses import classification, next_word
from ..models.positions import Positions
from ..models.readers import AttentionClassifier, AttentionLanguageModel, LookBack
from ..models.run import apply
from ..runtime import budget
from ..training import History, Trained, fit, fit_seeds, trained
from . import recall
from .agreement import BATCH, LENGTHS, SEEDS, accuracy, asked_directly, corpora, with_nouns_between, words_only
from .follow import followed
from .results.agreement import Accuracy, Near
from .results.ch06 import ByLength, Heads, OneLook, Recorded, Saturations, Scaling
from .results.recall import Solved

SIZES = (4, 16, 64, 256, 1024)  # d_k
DELAYS = (10, 30, 100, 300, 1_000)
ORDERED = 30  # delay of the task with one alphabet, where only the position tells the label
WIDTH, HEADS, LAYERS = 64, 4, 2
MOMENTS = (250, 500, 1_000, 2_000)  # updates on words alone; the last is the shipped model
ASKED_UPDATES, NEAR = 1_000, 10  # the farthest distance that "trained near" sees
ASKED = (20, 30, 40, 60, 100, 200)  # lengths at which readers trained on `ORDERED` symbols are asked
WITH_AND_WITHOUT: tuple[Positions, ...] = ("sinusoidal", "none")
SCHEMES: tuple[Positions, ...] = get_args(Positions)


# ------------------------------------------------------------------------------------------ the root of d_k


def scaling(seed: int = 0) -> dict[str, Saturations]:
    """`measure.softmax.saturation` against d_k, without the root and with it."""
    scores: dict[str, list[Saturation]] = {"q · k": [], "q · k / √d": []}
    for i, size in enumerate(SIZES):
        queries, keys = random_vectors(jax.random.fold_in(jax.random.key(seed), i), size)
        for of_scale, scale in zip(scores.values(), (1.0, size**-0.5), strict=True):
            of_scale.append(saturation(queries, keys, scale))
    return {
        name: Saturations(**{measure: _four_digits(by_size, measure) for measure in Saturations.__annotations__})
        for name, by_size in scores.items()
    }


def _four_digits(by_size: Sequence[Saturation], measure: str) -> Float[np.ndarray, " sizes"]:
    return np.array([float(f"{getattr(one, measure):.4g}") for one in by_size])


# -------------------------------------------------------------------------------------------- delayed recall


def one_look(rngs: nnx.Rngs, positions: Positions = "none", longest: int = max(ASKED)) -> LookBack:
    """A single look from the last symbol, of width 64."""
    symbols = recall.LABELS + recall.DISTRACTORS
    return LookBack(symbols, recall.LABELS, rngs=rngs, width=recall.HIDDEN, positions=positions, longest=longest)


def one_alphabet(delay: int, batch: int = recall.BATCH) -> Callable[..., Labelled]:
    """Batches of the task whose noise and labels share one alphabet."""

    def draw(step, rng) -> Labelled:
        return delayed_recall(rng, batch, delay, recall.LABELS, recall.LABELS, shared=True)

    return draw


def recalled(delay: int) -> Solved:
    """Three networks of one look on one delay, labels and noise of two alphabets."""
    return recall.updates_to_solve(functools.partial(one_look, longest=max(delay, *ASKED)), delay)


def recalled_in_order(delay: int, positions: Positions) -> ByLength:
    """The same with one alphabet, so that positions alone tell the label; then at other lengths too."""
    make = functools.partial(one_look, positions=positions, longest=max(delay, *ASKED))
    models, history = recall.several(make, one_alphabet(delay))
    return ByLength(
        updates=recall.until_solved(history),
        accuracy=history.last("accuracy", recall.WINDOW),
        at_lengths=np.array([[at_length(model, length) for length in ASKED] for model in models]),
    )


def at_length(model: Reader, length: int, n: int = 1_000) -> float:
    """Accuracy on the task with one alphabet at another length than the one trained on."""
    batch = one_alphabet(length, n)(0, jax.random.key(length))
    return float(apply(model, classification, batch)[1]["accuracy"])


def weight_of_the_first(delay: int, seed: int = 0) -> float:
    """The weight that one look gives the first of `delay` symbols before any training, mean of 64 sequences."""
    batch = recall.batches(delay)(0, jax.random.key(seed))
    return float(apply(one_look(nnx.Rngs(seed)), _first_weight, batch.tokens, batch.mask).mean())


def _first_weight(
    model: LookBack, tokens: Int[Array, "n time"], mask: Bool[Array, "n time"]
) -> Float[Array, "n heads"]:
    return model.look(tokens, mask)[1][:, 0, 0]


def learn(
    delay: int, positions: Positions = "none", report: Callable | None = None, seed: int = 0
) -> tuple[LookBack, History]:
    """One network of one look, trained on the delay with two alphabets."""
    model = one_look(nnx.Rngs(seed), positions, max(delay, *ASKED))
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


def heads(model: AttentionLanguageModel) -> tuple[np.ndarray, np.ndarray]:
    """Mean weight of the subject in each head when the verb is due, and the accuracy with that head off: `[layers, heads]`."""
    off = np.zeros((LAYERS, HEADS))
    for place in np.ndindex(*off.shape):
        keep = np.ones(off.shape)
        keep[place] = 0
        off[place] = without(model, corpora()[1], keep)
    return subject_weights(model, corpora()[1]).mean(0), off


# ------------------------------------------------------------------------------------------------- together


def headline() -> Recorded:
    """Softmax against d_k; delayed recall with one look; agreement by moment, by positions and beyond the trained distance; heads."""
    words, models = {}, []
    for updates, models in followed(language_model, words_only(), next_word, MOMENTS):
        words[updates] = with_nouns_between(models)
    subject, off = zip(*(heads(model) for model in models), strict=True)
    return Recorded(
        seeds=SEEDS,
        scaling=Scaling(sizes=SIZES, scores=scaling()),
        recall=OneLook(
            updates=budget(recall.UPDATES),
            two_alphabets={delay: recalled(delay) for delay in DELAYS},
            lengths=ASKED,
            one_alphabet={positions: {ORDERED: recalled_in_order(ORDERED, positions)} for positions in SCHEMES},
        ),
        words=words,
        asked={positions: asked(positions) for positions in WITH_AND_WITHOUT},
        near=Near(farthest=NEAR, networks={positions: near(positions) for positions in SCHEMES}),
        heads=Heads(subject=np.array(subject), off=np.array(off), even=even_weight(corpora()[1])),
    )
