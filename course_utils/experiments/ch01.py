"""Notebook 01: what a recurrent network computes, what its state can hold, and what training puts there."""

import functools
import tempfile
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..data import nesting
from ..data.agreement import vocabulary
from ..data.batching import Batches, Tagged
from ..data.sequences import lag_recall
from ..measure.agreement import prefers
from ..measure.memory import Recall, frozen_recall, reach, total_memory
from ..measure.speed import seconds
from ..measure.states import twin_distance
from ..models.cells import RNNCell
from ..models.losses import next_word, tagging
from ..models.recurrent import LanguageModel, SequenceClassifier, unroll
from ..runtime import budget
from ..training import History, Trained, fit, fit_seeds, trained
from . import ch00
from .agreement import SEEDS, Accuracy, accuracy, corpora, words_only

HIDDEN, EMBED = 64, 32
SHORT = 1_000  # updates that the notebook runs live
UPDATES = (1_000, 2_000, 4_000, 8_000)  # where the agreement curve is measured; the last is the shipped model
SIZES, SYMBOLS, SCALES, LAGS = (16, 32, 64, 128), (2, 4, 8, 16), (0.03, 0.1, 0.3, 1.0), 60
TRAINED_LAGS = (1, 4, 8, 12, 16, 20, 24, 32, 40)
RECALL_UPDATES, STREAM = 2_000, 96
NESTED_SIZES, DEPTHS, NESTED_UPDATES = (2, 4, 8, 16), 10, 4_000
LENGTHS = (100, 200, 400, 800, 1600, 3200)


# ------------------------------------------------------------------------- a network that predicts words


def language_model(rngs: nnx.Rngs) -> LanguageModel:
    """A plain tanh network of 64 units that reads words and predicts each next one."""
    return LanguageModel(RNNCell(EMBED, HIDDEN, rngs=rngs), len(vocabulary()), rngs=rngs)


def train_language_model(
    model: LanguageModel, updates: int = SHORT, report: Callable | None = None, seed: int = 0
) -> History:
    """Train a language model in place on whole sentences; nothing tells it about subjects or verbs."""
    return fit(
        model, words_only(), budget(updates), loss=next_word, report=report, seed=seed, progress=report is None
    )  # fmt: skip


def well_trained(retrain: bool = False) -> Trained:
    """The same network after 8,000 updates, shipped with the course."""
    config = {"hidden": HIDDEN, "embed": EMBED, "updates": UPDATES[-1], "corpus": "agreement 20000/0"}
    train = functools.partial(train_language_model, updates=UPDATES[-1])
    return trained("words-rnn", language_model, train, config, retrain=retrain)


def asked_directly(retrain: bool = False) -> Trained:
    """The reader of notebook 00, which was asked for the subject's number, shipped with the course."""
    config = {"hidden": ch00.HIDDEN, "embed": ch00.EMBED, "updates": ch00.UPDATES, "corpus": "agreement 20000/0"}
    return trained("asked-rnn", ch00.reader, ch00.train_reader, config, retrain=retrain)


MODELS = {"words-rnn": well_trained, "asked-rnn": asked_directly}


@functools.cache
def guesses() -> dict[str, float]:
    """Loss in nats a word of three guessers on the test sentences, counted on the training sentences.

    `any word`: all alike. `frequent words`: by how often each comes. `the last word`: by how often each comes
    after the word before (with one added to every count).
    """
    train, test = corpora()
    V = len(vocabulary())
    pairs = np.ones((V, V))
    before, after = np.asarray(train.tokens[:, :-1]), np.asarray(train.tokens[:, 1:])
    there = np.asarray(train.mask[:, 1:])
    np.add.at(pairs, (before[there], after[there]), 1)
    single = np.bincount(after[there], minlength=V) + 1
    asked = np.asarray(test.mask[:, 1:])
    b, a = np.asarray(test.tokens[:, :-1])[asked], np.asarray(test.tokens[:, 1:])[asked]
    return {
        "any word": float(np.log(V)),
        "frequent words": float(-np.log(single / single.sum())[a].mean()),
        "the last word": float(-np.log(pairs / pairs.sum(1, keepdims=True))[b, a].mean()),
    }


def test_loss(model: LanguageModel) -> float:
    """Mean loss of each next word on the test sentences, in nats."""
    return float(nnx.jit(next_word)(model, corpora()[1].sentences())[0])


def by_updates() -> dict[int, Accuracy]:
    """Agreement against distance of three language models, at several moments of one training run."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for updates in UPDATES:
            models, _ = fit_seeds(
                language_model, words_only(), budget(updates), loss=next_word, seeds=SEEDS,
                checkpoint=f"{folder}/run.safetensors", resume=True, progress=False,
            )  # fmt: skip
            found[updates] = accuracy(models, prefers)
    return found


# --------------------------------------------------------------------------------- what a state can hold


def capacity() -> dict[int, Recall]:
    """Recall of frozen networks, by size: `[symbols, input scales, seeds, lags]`."""
    symbols, scales = np.array(SYMBOLS)[:, None], np.array(SCALES)
    return {hidden: frozen_recall(hidden, symbols, LAGS, input_scale=scales, seeds=SEEDS) for hidden in SIZES}


def trained_recall(hidden: int = 64, symbols: int = 8) -> np.ndarray:
    """Accuracy of networks trained to name the symbol some steps back, `[seeds, lags]`, one training a lag."""

    def reader(rngs):
        return SequenceClassifier(RNNCell(EMBED, hidden, rngs=rngs), symbols, symbols, rngs=rngs)

    results = []
    for lag in TRAINED_LAGS:

        def batches(step, rng, lag=lag) -> Tagged:
            return lag_recall(rng, 64, STREAM, lag, symbols)

        _, history = fit_seeds(reader, batches, budget(RECALL_UPDATES), loss=tagging, seeds=SEEDS, progress=False)
        results.append(history.last("accuracy"))
    return np.stack(results, axis=1)


def nested_accuracy() -> dict[int, np.ndarray]:
    """Agreement in centre-embedded sentences by depth, for states of several sizes: `[seeds, depths]`."""
    train = Batches(nesting.nested(20_000, seed=0, depths=(1, DEPTHS)), 64)
    test = nesting.nested(4_000, seed=1, depths=(1, DEPTHS))
    depth = np.asarray(test.asked.sum(1))
    asked = np.asarray(test.asked)
    found = {}
    for hidden in NESTED_SIZES:

        def reader(rngs, hidden=hidden):
            return SequenceClassifier(RNNCell(EMBED, hidden, rngs=rngs), len(nesting.vocabulary()), 2, rngs=rngs)

        models, _ = fit_seeds(reader, train, budget(NESTED_UPDATES), loss=tagging, seeds=SEEDS, progress=False)
        rows = []
        for model in models:
            said = np.asarray(nnx.jit(lambda m, t, k: m.every_step(t, k))(model, test.tokens, test.mask).argmax(-1))
            right = said == np.asarray(test.labels)
            rows.append([right[(depth == d)[:, None] & asked].mean() for d in range(1, DEPTHS + 1)])
        found[hidden] = np.array(rows)
    return found


# --------------------------------------------------------------------------------------------------- time


def reading_times(batches: tuple[int, ...] = (1, 16)) -> dict[int, list[float]]:
    """Seconds to read a sequence of each of `LENGTHS` with a network of 64 units, by batch size."""
    graphdef, state = nnx.split(RNNCell(EMBED, HIDDEN, rngs=nnx.Rngs(0)))
    read = jax.jit(lambda state, x: unroll(nnx.merge(graphdef, state), x)[1])
    inputs = [jnp.ones((batch, length, EMBED)) for batch in batches for length in LENGTHS]
    times = seconds(*(functools.partial(read, state, x) for x in inputs))
    return {batch: times[i * len(LENGTHS) : (i + 1) * len(LENGTHS)] for i, batch in enumerate(batches)}


# ----------------------------------------------------------------------------------------------- together


def headline() -> dict[str, Any]:
    """Agreement by updates and distance; twins; recall of frozen and of trained networks; nesting; losses."""
    models = {name: get().model for name, get in MODELS.items()}
    frozen = capacity()
    best = [
        r.accuracy[SYMBOLS.index(8)][reach(r.accuracy[SYMBOLS.index(8)]).mean(-1).argmax()] for r in frozen.values()
    ]
    return {
        "seeds": list(SEEDS),
        "guesses": guesses(),
        "loss": test_loss(models["words-rnn"]),
        "agreement": {str(updates): found.numbers() for updates, found in by_updates().items()},
        "twins": {name: _list(twin_distance(model, corpora()[1])) for name, model in models.items()},
        "capacity": {
            "symbols": list(SYMBOLS),
            "input_scales": list(SCALES),
            "reach": {str(hidden): reach(found.accuracy).tolist() for hidden, found in frozen.items()},
            "numbers": {
                str(hidden): _list(total_memory(found.explained, np.array(SYMBOLS)[:, None, None]))
                for hidden, found in frozen.items()
            },
            "accuracy_8_symbols": {str(hidden): _list(accuracy) for hidden, accuracy in zip(SIZES, best, strict=True)},
        },
        "trained_recall": {
            "hidden": HIDDEN,
            "symbols": 8,
            "lags": list(TRAINED_LAGS),
            "updates": budget(RECALL_UPDATES),
            "accuracy": _list(trained_recall()),
        },
        "nested": {
            "updates": budget(NESTED_UPDATES),
            "accuracy": {str(hidden): _list(accuracy) for hidden, accuracy in nested_accuracy().items()},
        },
    }


def _list(values: np.ndarray) -> list:
    return np.round(np.asarray(values, float), 4).tolist()
