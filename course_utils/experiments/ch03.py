"""Notebook 03: what gates repair, and what they leave."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from flax import nnx

from ..data.agreement import agreement, vocabulary
from ..data.batching import Batches, Measured, Tagged
from ..data.sequences import ADDING_BASELINE, adding, copy_baseline, copy_memory
from ..data.source import Windows, python_source
from ..measure.agreement import prefers, right
from ..measure.context import cut, places, shuffled
from ..measure.gates import number_units
from ..measure.speed import seconds
from ..models.by_name import CELLS, CellName, initialised
from ..models.gated import LSTMCell
from ..models.losses import classification, next_word, squared_error, tagging
from ..models.sequence import RecurrentLanguageModel, SequenceClassifier, SequenceRegressor
from ..runtime import budget
from ..training import History, Trained, fit, fit_seeds, trained
from . import recall, rounded
from .agreement import BATCH, LENGTHS, SEEDS, Accuracy, accuracy, asked_directly, corpora, words_only
from .ch01 import Moment
from .follow import followed

HIDDEN, EMBED = 64, 32
DELAYS = (10, 30, 100, 300)
RECALLED = ("RNN", "GRU", "GRU, chrono", "LSTM, forget bias 0", "LSTM, forget bias 1", "LSTM, chrono")
MOMENTS = (500, 1_000, 2_000, 4_000)  # updates on words alone; the last is the shipped model
ASKED_UPDATES, NEAR = 1_000, 10  # the farthest distance that "trained near" sees
ATTRACTORS = (0, 1, 2, 3, 4)
ADDED, ADDING_UPDATES, ADDED_RIGHT = 100, 2_000, 0.01
COPY_DELAY, COPY_UPDATES = 20, 2_000
POINT = 50  # updates in one point of a stored loss curve
TEXT_HIDDEN, TEXT_BATCH, TEXT_LENGTH, TEXT_UPDATES = 192, 16, 200, 2_000
SHORT_HIDDEN, SHORT_UPDATES, SHORT_LENGTH = 64, 300, 60
CONTEXT, KEPT = 300, (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300)
BEYOND = (0, *KEPT)
TIMED = (50, 100, 200, 400)  # lengths whose training step is timed
PREDICTED = 4_000  # words whose loss is measured
PLAIN = tuple(CELLS)
LEARNERS = (*PLAIN, "LSTM, chrono")  # of adding and copying


# ------------------------------------------------------------------------------------ the cat sentence


def language_model(cell: CellName, rngs: nnx.Rngs) -> RecurrentLanguageModel:
    """A network of 64 units that predicts words, with one of `CELLS`."""
    return RecurrentLanguageModel(CELLS[cell](EMBED, HIDDEN, rngs=rngs), len(vocabulary()), rngs=rngs)


def reader(cell: CellName, rngs: nnx.Rngs) -> SequenceClassifier:
    """A network of 64 units that is asked for the subject's number."""
    return SequenceClassifier(CELLS[cell](EMBED, HIDDEN, rngs=rngs), len(vocabulary()), 2, rngs=rngs)


def _train_words(model: RecurrentLanguageModel, seed: int = 0) -> History:
    return fit(model, words_only(), budget(MOMENTS[-1]), loss=next_word, seed=seed)


def well_trained(cell: CellName = "LSTM", retrain: bool = False) -> Trained:
    """A gated language model after 4,000 updates; the LSTM is shipped with the course."""
    config = {"cell": cell, "hidden": HIDDEN, "embed": EMBED, "updates": MOMENTS[-1], "corpus": "agreement 20000/0"}
    make = functools.partial(language_model, cell)
    return trained(f"words-{cell.lower()}", make, _train_words, config, retrain=retrain)


MODELS = {"words-lstm": well_trained}


def words_alone(cell: CellName) -> dict[int, tuple[Moment, np.ndarray]]:
    """Three language models at several moments of training: what `ch01.Moment` says, and accuracy by attractors."""
    make = functools.partial(language_model, cell)
    return {
        updates: (Moment.of(models), np.array([by_attractors(prefers(model, corpora()[1])) for model in models]))
        for updates, models in followed(make, words_only(), next_word, MOMENTS)
    }


def by_attractors(hits: Any, least: int = 13) -> np.ndarray:
    """Accuracy by number of nouns between subject and verb, over distances of `least` and more, where any number fits."""
    test = corpora()[1]
    between, far = np.asarray(test.attractors), np.asarray(test.distance) >= least
    return np.array([np.asarray(hits)[far & (between == count)].mean() for count in ATTRACTORS])


def asked(cell: CellName, farthest: int | None = None) -> Accuracy:
    """Three readers asked directly, tested at every distance; with `farthest`, trained on distances up to that only."""
    batches = asked_directly()
    if farthest is not None:
        batches = Batches(agreement(20_000, seed=0, distances=(1, farthest)).asked(), BATCH, LENGTHS)
    models, _ = fit_seeds(
        functools.partial(reader, cell),
        batches,
        budget(ASKED_UPDATES),
        loss=classification,
        seeds=SEEDS,
        progress=False,
    )
    return accuracy(models, right)


# ------------------------------------------------------------------------------------- adding and copying


def _points(losses: np.ndarray) -> list:
    """Mean loss of every `POINT` updates, None where a seed has ended."""
    runs = losses[:, : losses.shape[1] // POINT * POINT].reshape(len(losses), -1, POINT)
    means = np.where(np.isfinite(runs).all(-1), runs.mean(-1), np.nan)
    return [[None if np.isnan(value) else round(float(value), 5) for value in row] for row in means]


def adding_curves(cell: str, length: int = ADDED) -> dict[str, Any]:
    """Squared error of three seeds while they learn to add two numbers out of `length`; a run ends below 0.01."""

    def make(rngs: nnx.Rngs) -> SequenceRegressor:
        return SequenceRegressor(initialised(cell, 2, HIDDEN, length, rngs=rngs), rngs=rngs)

    def batches(step: Any, rng: Any) -> Measured:
        return adding(rng, BATCH, length)

    _, history = fit_seeds(
        make, batches, budget(ADDING_UPDATES), loss=squared_error, seeds=SEEDS, progress=False,
        stop=lambda history: history.steps >= 100 and history.last("loss") < ADDED_RIGHT,
    )  # fmt: skip
    return {
        "loss": _points(history.losses),
        "last": np.round(history.last("loss"), 5).tolist(),
        "stopped": history.stopped,
    }


def copy_curves(cell: str, delay: int = COPY_DELAY) -> dict[str, Any]:
    """Loss of three seeds while they learn to repeat ten symbols after `delay` blanks."""

    def make(rngs: nnx.Rngs) -> SequenceClassifier:
        return SequenceClassifier(initialised(cell, EMBED, HIDDEN, delay + 20, rngs=rngs), 10, 9, rngs=rngs)

    def batches(step: Any, rng: Any) -> Tagged:
        return copy_memory(rng, BATCH, delay)

    _, history = fit_seeds(make, batches, budget(COPY_UPDATES), loss=tagging, seeds=SEEDS, progress=False)
    return {"loss": _points(history.losses), "last": np.round(history.last("loss"), 5).tolist()}


# ---------------------------------------------------------------------------------------------- real text


def text_model(hidden: int, embed: int, rngs: nnx.Rngs) -> RecurrentLanguageModel:
    """An LSTM that reads the tokens of Python programs."""
    return RecurrentLanguageModel(LSTMCell(embed, hidden, rngs=rngs), len(python_source().vocabulary), rngs=rngs)


def train_on_text(
    hidden: int = SHORT_HIDDEN,
    updates: int = SHORT_UPDATES,
    length: int = SHORT_LENGTH,
    report: Any = None,
    seed: int = 0,
) -> tuple[RecurrentLanguageModel, History]:
    """Train one text model on pieces of `length` tokens."""
    model = text_model(hidden, hidden // 2, nnx.Rngs(seed))
    batches = Windows(python_source().train, TEXT_BATCH, length)
    return model, fit(
        model, batches, budget(updates), loss=next_word, seed=seed, report=report, progress=report is None
    )


def effective_context(models: Sequence[RecurrentLanguageModel], words: int = PREDICTED) -> dict[str, Any]:
    """Loss on test modules as the context is cut to k tokens, or shuffled beyond the nearest k of 300, by seed."""
    stream = python_source().test
    at = places(stream, words, CONTEXT)
    found = {
        "cut": [cut(model, stream, at, KEPT) for model in models],
        "shuffled": [shuffled(model, stream, at, BEYOND, CONTEXT) for model in models],
    }
    return {
        name: {
            "k": list(contexts[0].sizes), "loss": rounded([seed.mean for seed in contexts]),
            "above": rounded([seed.more[0] for seed in contexts]), "effective": [seed.effective() for seed in contexts],
        }
        for name, contexts in found.items()
    }  # fmt: skip


# --------------------------------------------------------------------------------------------------- time


def step_times(lengths: tuple[int, ...] = TIMED, batch: int = 64) -> dict[str, list[float]]:
    """Seconds of one training step (loss and gradient) by cell and length T, on this device."""
    rng = jax.random.key(0)
    calls, names = [], list(PLAIN)
    for name in names:
        model = SequenceClassifier(CELLS[name](EMBED, HIDDEN, rngs=nnx.Rngs(0)), 16, 8, rngs=nnx.Rngs(0))
        graphdef, params = nnx.split(model)

        def value(params, examples, graphdef=graphdef):
            return classification(nnx.merge(graphdef, params), examples)[0]

        step = jax.jit(jax.value_and_grad(value))
        calls += [functools.partial(step, params, recall.delayed_recall(rng, batch, length)) for length in lengths]
    times = seconds(*calls, repeats=5)
    return {name: times[i * len(lengths) : (i + 1) * len(lengths)] for i, name in enumerate(names)}


# ----------------------------------------------------------------------------------------------- together


def headline() -> dict[str, Any]:
    """Delayed recall; adding and copying; agreement in three regimes; number units; context on real text."""
    lstm = well_trained().model
    train, test = corpora()
    units = number_units(lstm, jax.tree.map(lambda a: a[:4000], train), test)
    on_text = [train_on_text(TEXT_HIDDEN, TEXT_UPDATES, TEXT_LENGTH, seed=seed) for seed in SEEDS]
    source = python_source()
    return {
        "seeds": list(SEEDS),
        "recall": recall.table(RECALLED, DELAYS, lambda delay: 1_000 if delay == 300 else recall.UPDATES),
        "adding": {
            "length": ADDED, "baseline": ADDING_BASELINE, "updates": budget(ADDING_UPDATES), "point": POINT,
            **{cell: adding_curves(cell) for cell in LEARNERS},
        },
        "copy": {
            "delay": COPY_DELAY, "baseline": copy_baseline(COPY_DELAY), "updates": budget(COPY_UPDATES), "point": POINT,
            **{cell: copy_curves(cell) for cell in LEARNERS},
        },
        "words": {
            cell: {str(n): {**moment.numbers(), "attractors": rounded(found)} for n, (moment, found) in words_alone(cell).items()}
            for cell in ("GRU", "LSTM")
        },
        "asked": {cell: asked(cell).numbers() for cell in PLAIN},
        "near": {"farthest": NEAR, **{cell: asked(cell, NEAR).numbers() for cell in PLAIN}},
        "number_units": {
            "correlation": rounded(units.correlation), "accuracy": rounded(units.accuracy), "untouched": units.untouched,
        },
        "context": {
            "hidden": TEXT_HIDDEN, "updates": budget(TEXT_UPDATES), "tokens": [len(source.train), len(source.test)],
            "modules": [len(names) for names in source.modules], "origin": source.origin,
            "vocabulary": len(source.vocabulary), "training_loss": [round(history.last("loss"), 4) for _, history in on_text],
            "unigram": unigram_loss(), **effective_context([model for model, _ in on_text]),
        },
    }  # fmt: skip


def unigram_loss() -> float:
    """Loss on the test modules of a guesser that knows how often each token comes in the others."""
    source = python_source()
    counts = np.bincount(source.train, minlength=len(source.vocabulary)) + 1
    return round(float(-np.log(counts / counts.sum())[source.test].mean()), 4)
