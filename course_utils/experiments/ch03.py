"""Notebook 03: what gates repair, and what they leave."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..data.agreement import agreement, vocabulary
from ..data.batching import Batches, Measured, Tagged
from ..data.program import as_program, is_python, lines_of, never_written, typed_program
from ..data.sequences import ADDING_BASELINE, adding, copy_baseline, copy_memory
from ..data.source import Windows, python_source, shipped_words
from ..decoding import sample
from ..measure import context
from ..measure.agreement import right
from ..measure.context import cut, places, shuffled
from ..measure.gates import number_units
from ..measure.speed import seconds
from ..models.by_name import CELLS, CellName, initialised
from ..models.gated import LSTMCell
from ..models.losses import classification, next_word, squared_error, tagging
from ..models.sequence import RecurrentLanguageModel, SequenceClassifier, SequenceRegressor
from ..runtime import budget, require_one_of
from ..training import History, Trained, fit, fit_seeds, trained
from . import recall
from .agreement import BATCH, LENGTHS, SEEDS, accuracy, asked_directly, corpora, nouns_between, words_only
from .follow import followed
from .language import EMBED, HIDDEN, language_model, moment
from .results.agreement import Accuracy, Near
from .results.ch03 import Context, ContextUse, Curves, GatedMoment, NumberUnits, Recorded, Task

DELAYS = (10, 30, 100, 300)
RECALLED = ("RNN", "GRU", "GRU, chrono", "LSTM, forget bias 0", "LSTM, forget bias 1", "LSTM, chrono")
MOMENTS = (500, 1_000, 2_000, 4_000)  # updates on words alone; the last is the shipped model
ASKED_UPDATES, NEAR = 1_000, 10  # the farthest distance that "trained near" sees
ADDED, ADDING_UPDATES, ADDED_RIGHT = 100, 2_000, 0.01
COPY_DELAY, COPY_UPDATES = 20, 2_000
POINT = 50  # updates in one point of a stored loss curve
TEXT_HIDDEN, TEXT_BATCH, TEXT_LENGTH, TEXT_UPDATES = 192, 16, 200, 2_000
SHORT_HIDDEN, SHORT_UPDATES, SHORT_LENGTH = 64, 300, 60
CONTEXT, KEPT = 300, (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300)
BEYOND = (0, *KEPT)
SPOKEN = (0, 100, 1_000, 8_000)  # updates after which the shipped model of program text writes
SPEAKER_HIDDEN, SPEAKER_EMBED, SPEAKER_LENGTH = 128, 64, 100
WRITTEN, WRITERS = 200, 50  # tokens of a text, texts from which a share of lines is counted
TIMED = (50, 100, 200, 400)  # lengths whose training step is timed
PREDICTED = 4_000  # words whose loss is measured
PLAIN = tuple(CELLS)
LEARNERS = (*PLAIN, "LSTM, chrono")  # of adding and copying


# ------------------------------------------------------------------------------------ the cat sentence


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


def speaker(updates: int, retrain: bool = False) -> Trained:
    """An LSTM that has read Python's standard library, at one of the `SPOKEN` moments of its training."""
    require_one_of(updates=(updates, SPOKEN))
    words = shipped_words()

    def make(rngs: nnx.Rngs) -> RecurrentLanguageModel:
        return RecurrentLanguageModel(LSTMCell(SPEAKER_EMBED, SPEAKER_HIDDEN, rngs=rngs), len(words), rngs=rngs)

    def train(model: RecurrentLanguageModel, seed: int = 0) -> History:
        if updates == 0:
            return History.empty(seed)
        batches = Windows(python_source(vocabulary=words).train, TEXT_BATCH, SPEAKER_LENGTH)
        return fit(model, batches, budget(updates), loss=next_word, seed=seed)

    config = {
        "cell": "LSTM", "hidden": SPEAKER_HIDDEN, "embed": SPEAKER_EMBED, "words": len(words), "updates": updates,
        "corpus": "standard library of Python",
    }  # fmt: skip
    return trained(f"python-lstm-{updates}", make, train, config, retrain=retrain)


MODELS = {
    "words-lstm": well_trained,
    **{f"python-lstm-{updates}": functools.partial(speaker, updates) for updates in SPOKEN},
}


def words_alone(cell: CellName) -> dict[int, GatedMoment]:
    """Three language models at several moments of training."""
    make = functools.partial(language_model, cell)
    return {
        updates: GatedMoment(**vars(moment(models)), attractors=nouns_between(models))
        for updates, models in followed(make, words_only(), next_word, MOMENTS)
    }


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


# --------------------------------------------------------------------------------------------- delays


def forget_gates_alone(delay: int, rngs: nnx.Rngs) -> SequenceClassifier:
    """A network with chrono biases in its forget gates; its input gates begin half open."""
    model = recall.reader("LSTM, chrono", delay, rngs)
    cell = model.cell
    assert isinstance(cell, LSTMCell)
    cell.b[...] = cell.b[...].at[cell.hidden : 2 * cell.hidden].set(0.0)
    return model


# ------------------------------------------------------------------------------------- adding and copying


def _curves(history: History, stops: bool) -> Curves:
    """Mean loss of every `POINT` updates, NaN where a seed has ended."""
    losses = history.losses[:, : history.losses.shape[1] // POINT * POINT]
    points = losses.reshape(len(losses), -1, POINT).mean(-1)
    ended = ~np.isfinite(points)
    return Curves(
        loss=np.where(ended, np.nan, points),
        last=history.last("loss"),
        stopped=list(history.stopped) if stops else None,
    )


def adding_curves(cell: str, length: int = ADDED) -> Curves:
    """Squared error of three seeds while they learn to add two numbers out of `length`; a run ends below 0.01."""

    def make(rngs: nnx.Rngs) -> SequenceRegressor:
        return SequenceRegressor(initialised(cell, 2, HIDDEN, length, rngs=rngs), rngs=rngs)

    def batches(step, rng) -> Measured:
        return adding(rng, BATCH, length)

    _, history = fit_seeds(
        make, batches, budget(ADDING_UPDATES), loss=squared_error, seeds=SEEDS, progress=False,
        stop=lambda history: history.steps >= 100 and history.last("loss") < ADDED_RIGHT,
    )  # fmt: skip
    return _curves(history, stops=True)


def copy_curves(cell: str, delay: int = COPY_DELAY) -> Curves:
    """Loss of three seeds while they learn to repeat ten symbols after `delay` blanks."""

    def make(rngs: nnx.Rngs) -> SequenceClassifier:
        return SequenceClassifier(initialised(cell, EMBED, HIDDEN, delay + 20, rngs=rngs), 10, 9, rngs=rngs)

    def batches(step, rng) -> Tagged:
        return copy_memory(rng, BATCH, delay)

    _, history = fit_seeds(make, batches, budget(COPY_UPDATES), loss=tagging, seeds=SEEDS, progress=False)
    return _curves(history, stops=False)


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


class Lines(NamedTuple):
    """What the lines that a model writes are worth, as shares."""

    accepted: float  # of all lines: Python's parser accepts them
    known: float  # of all lines: they stand in the library that it learns from, word for word
    new_accepted: float  # of the lines that do not: Python's parser accepts them


@functools.cache
def _library_lines() -> frozenset[tuple[str, ...]]:
    """Every line of this machine's training text."""
    source = python_source()
    return frozenset(map(tuple, lines_of(source.vocabulary.words[i] for i in np.asarray(source.train).tolist())))


def python_lines(model: RecurrentLanguageModel, temperature: float = 1.0, seed: int = 0) -> Lines:
    """The lines of 50 texts of 200 tokens that a model writes, each taken alone."""
    words = shipped_words()
    prompt = jnp.full((WRITERS, 1), words["<newline>"])
    drawn = sample(
        model, prompt, WRITTEN, jax.random.key(seed), temperature=temperature, without=never_written(words)
    ).words
    lines = [line for row in drawn for line in lines_of(words.words[i] for i in row)]
    good, old = (
        np.array([judge(line) for line in lines], bool)
        for judge in (is_python, lambda line: tuple(line) in _library_lines())
    )

    def share(hits):
        return float(hits.mean()) if hits.size else 0.0

    return Lines(share(good), share(old), share(good[~old]))


def writes(
    model: RecurrentLanguageModel, prompt: str, length: int = 60, temperature: float = 0.7, seed: int = 0
) -> str:
    """A program that a text model of this machine's library writes after a prompt."""
    words = python_source().vocabulary
    begun = typed_program(prompt, words)
    drawn = sample(
        model, jnp.array([begun]), length, jax.random.key(seed), temperature=temperature, without=never_written(words)
    ).words[0]
    return as_program(words.words[i] for i in (*begun, *drawn))


def effective_context(
    models: Sequence[RecurrentLanguageModel], words: int = PREDICTED
) -> tuple[ContextUse, ContextUse]:
    """Loss on test modules as the context is cut to k tokens, and as it is shuffled beyond the nearest k of 300."""
    stream = python_source().test
    at = places(stream, words, CONTEXT)
    return (
        _context_use([cut(model, stream, at, KEPT) for model in models]),
        _context_use([shuffled(model, stream, at, BEYOND, CONTEXT) for model in models]),
    )


def _context_use(contexts: Sequence[context.Context]) -> ContextUse:
    """Of models of several seeds."""
    return ContextUse(
        k=contexts[0].sizes,
        loss=np.array([seed.mean for seed in contexts]),
        above=np.array([seed.more[0] for seed in contexts]),
        effective=[seed.effective() for seed in contexts],
    )


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


def headline() -> Recorded:
    """Delayed recall; adding and copying; agreement in three regimes; number units; context on real text."""
    return Recorded(
        seeds=SEEDS,
        recall=recall.table(RECALLED, DELAYS, lambda delay: 1_000 if delay == 300 else recall.UPDATES),
        forget_alone={
            delay: recall.updates_to_solve(functools.partial(forget_gates_alone, delay), delay) for delay in DELAYS[2:]
        },
        patient=recall.updates_to_solve(functools.partial(recall.reader, "RNN", DELAYS[-1]), DELAYS[-1]),
        adding=Task(
            length=ADDED, baseline=ADDING_BASELINE, updates=budget(ADDING_UPDATES), point=POINT,
            cells={cell: adding_curves(cell) for cell in LEARNERS},
        ),
        copying=Task(
            length=COPY_DELAY, baseline=copy_baseline(COPY_DELAY), updates=budget(COPY_UPDATES), point=POINT,
            cells={cell: copy_curves(cell) for cell in LEARNERS},
        ),
        words={"GRU": words_alone("GRU"), "LSTM": words_alone("LSTM")},
        asked={cell: asked(cell) for cell in PLAIN},
        near=Near(farthest=NEAR, networks={cell: asked(cell, NEAR) for cell in PLAIN}),
        number_units=_number_units(well_trained().model),
        other_units=[_number_units(_words_lstm(seed)) for seed in SEEDS[1:]],
        context=_context(),
    )  # fmt: skip


def _words_lstm(seed: int) -> RecurrentLanguageModel:
    """The shipped LSTM's training with another seed."""
    model = language_model("LSTM", nnx.Rngs(seed))
    _train_words(model, seed)
    return model


def _number_units(model: RecurrentLanguageModel) -> NumberUnits:
    train, test = corpora()
    units = number_units(model, jax.tree.map(lambda a: a[:4000], train), test)
    return NumberUnits(**units._asdict())


def _context() -> Context:
    trained = [train_on_text(TEXT_HIDDEN, TEXT_UPDATES, TEXT_LENGTH, seed=seed) for seed in SEEDS]
    source = python_source()
    cut, shuffled = effective_context([model for model, _ in trained])
    training, test = source.modules
    return Context(
        hidden=TEXT_HIDDEN, updates=budget(TEXT_UPDATES), origin=source.origin, modules=(len(training), len(test)),
        tokens=(len(source.train), len(source.test)), vocabulary=len(source.vocabulary),
        training_loss=np.array([history.last("loss") for _, history in trained]), unigram=unigram_loss(),
        cut=cut, shuffled=shuffled,
    )  # fmt: skip


def unigram_loss() -> float:
    """Loss on the test modules of a guesser that knows how often each token comes in the others."""
    source = python_source()
    counts = np.bincount(source.train, minlength=len(source.vocabulary)) + 1
    return float(-np.log(counts / counts.sum())[source.test].mean())
