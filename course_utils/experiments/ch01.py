"""Notebook 01: what a recurrent network computes, what its state can hold, and what training puts there."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..data import nesting
from ..data.agreement import vocabulary
from ..data.batching import Batches, Tagged
from ..data.sequences import lag_recall
from ..decoding import sample
from ..measure.agreement import judge, prefers
from ..measure.memory import Recall, frozen_recall, reach, total_memory
from ..measure.speed import seconds
from ..measure.states import twin_distance
from ..models.cells import RNNCell
from ..models.fast import unroll
from ..models.interfaces import LanguageModel
from ..models.losses import classification, next_word, tagging
from ..models.run import apply, every_step
from ..models.sequence import RecurrentLanguageModel, SequenceClassifier
from ..runtime import budget, require_one_of
from ..training import History, Trained, fit, fit_seeds, trained
from . import ch00, language, weighted
from .agreement import BATCH, SEEDS, accuracy, corpora, words_only
from .agreement import asked_directly as asked_batches
from .follow import followed
from .language import EMBED, HIDDEN, moment
from .results.agreement import Accuracy, Moment
from .results.ch01 import Capacity, Recorded, TrainedRecall, WeightedVerb
from .weighted import weighted_next_word, weighted_sentences

SHORT = 1_000  # updates that the notebook runs live
UPDATES = (1_000, 2_000, 4_000, 8_000)  # where the agreement curve is measured; the last is the shipped model
SPOKEN = (0, 100, 1_000, UPDATES[-1])  # updates after which the network writes sentences
LONGEST, UNSPOKEN = 80, (0, 1, 3)  # words of a sentence that is written; padding, <bos> and <unk> are left out
SIZES, SYMBOLS, SCALES, LAGS = (16, 32, 64, 128), (2, 4, 8, 16), (0.03, 0.1, 0.3, 1.0), 60
TRAINED_LAGS = (1, 4, 8, 12, 16, 20, 24, 28, 32, 40)
RECALL_UPDATES, STREAM = 2_000, 96
NESTED_SIZES, DEPTHS, NESTED_UPDATES = (2, 4, 8, 16), 16, (4_000, 16_000)
LENGTHS = (200, 400, 800, 1600, 3200)  # longer ones leave the processor cache, which is another story


# ------------------------------------------------------------------------- a network that predicts words


def language_model(rngs: nnx.Rngs) -> RecurrentLanguageModel:
    """A plain tanh network of 64 units that reads words and predicts each next one."""
    return language.language_model("RNN", rngs)


def train_language_model(
    model: RecurrentLanguageModel, updates: int = SHORT, report: Callable | None = None, seed: int = 0
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


def speaker(updates: int, retrain: bool = False) -> Trained:
    """The same network at one of the `SPOKEN` moments of its training; the last is `well_trained`."""
    require_one_of(updates=(updates, SPOKEN))
    if updates == UPDATES[-1]:
        return well_trained(retrain)
    config = {"hidden": HIDDEN, "embed": EMBED, "updates": updates, "corpus": "agreement 20000/0"}

    def train(model: RecurrentLanguageModel, seed: int = 0) -> History:
        return train_language_model(model, updates, seed=seed) if updates else History.empty(seed)

    return trained(f"words-rnn-{updates}", language_model, train, config, retrain=retrain)


MODELS = {
    "words-rnn": well_trained,
    **{f"words-rnn-{updates}": functools.partial(speaker, updates) for updates in SPOKEN[:-1]},
}


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


def by_updates() -> dict[int, Moment]:
    """Three language models at several moments of one training run."""
    return {n: moment(models) for n, models in followed(language_model, words_only(), next_word, UPDATES)}


def with_weighted_verb() -> dict[int, Accuracy]:
    """The same training with one change: the verb counts 25 times as much as any other word."""
    run = followed(language_model, weighted_sentences(), weighted_next_word, weighted.UPDATES)
    return {n: accuracy(models, prefers) for n, models in run}


def asked_twins() -> np.ndarray:
    """Distance of twin states in three readers that were asked directly: `[seeds, steps]`."""
    models, _ = fit_seeds(
        ch00.reader, asked_batches(), budget(ch00.UPDATES), loss=classification, seeds=SEEDS, progress=False
    )
    return np.array([twin_distance(model, corpora()[1]) for model in models])


def writes(model: LanguageModel, count: int = 5, seed: int = 0, temperature: float = 1.0) -> list[str]:
    """Sentences that a language model writes, from their first word on."""
    words = vocabulary()
    drawn = sample(
        model, jnp.full((count, 1), words.bos), LONGEST, jax.random.key(seed), temperature=temperature, end=words.eos, without=UNSPOKEN
    ).words  # fmt: skip
    return [words.decode(row) for row in drawn]


def verdicts(model: LanguageModel, count: int = 400, seed: int = 0) -> dict[str, float]:
    """Of sentences that a model writes: the share that follows the grammar, and of these the share whose verb agrees."""
    judged = [judge(sentence.split()) for sentence in writes(model, count, seed)]
    grammatical = [verdict for verdict in judged if verdict in ("right verb", "wrong verb")]
    agrees = grammatical.count("right verb") / len(grammatical) if grammatical else float("nan")
    return {"follow the grammar": len(grammatical) / count, "of these, the verb agrees": agrees}


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


def nested_accuracy() -> dict[int, dict[int, np.ndarray]]:
    """Agreement in centre-embedded sentences by depth, for several sizes and two budgets: updates → size → `[seeds, depths]`."""
    train = Batches(nesting.nested(20_000, seed=0, depths=(1, DEPTHS)), BATCH)
    test = nesting.nested(4_000, seed=1, depths=(1, DEPTHS))
    asked, depth = np.asarray(test.asked), np.asarray(test.asked.sum(1))
    found: dict[int, dict[int, np.ndarray]] = {updates: {} for updates in NESTED_UPDATES}
    for hidden in NESTED_SIZES:

        def reader(rngs, hidden=hidden):
            return SequenceClassifier(RNNCell(EMBED, hidden, rngs=rngs), len(nesting.vocabulary()), 2, rngs=rngs)

        for updates, models in followed(reader, train, tagging, NESTED_UPDATES):
            rows = []
            for model in models:
                right = apply(model, every_step, test.tokens, test.mask).argmax(-1) == np.asarray(test.labels)
                rows.append([right[(depth == d)[:, None] & asked].mean() for d in range(1, DEPTHS + 1)])
            found[updates][hidden] = np.array(rows)
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


def headline() -> Recorded:
    """Agreement by updates and distance; twins; recall of frozen and of trained networks; nesting; losses."""
    return Recorded(
        seeds=SEEDS,
        guesses=guesses(),
        words=by_updates(),
        asked_twins=asked_twins(),
        weighted_verb=WeightedVerb(weight=weighted.VERB_WEIGHT, by_updates=with_weighted_verb()),
        capacity=_capacity(),
        trained_recall=TrainedRecall(
            hidden=HIDDEN, symbols=8, updates=budget(RECALL_UPDATES), lags=TRAINED_LAGS, accuracy=trained_recall()
        ),
        nested=nested_accuracy(),
    )


def _capacity() -> Capacity:
    """`capacity`, as it is recorded."""
    frozen = capacity()
    of_eight = {hidden: recall.accuracy[SYMBOLS.index(8)] for hidden, recall in frozen.items()}
    return Capacity(
        symbols=SYMBOLS,
        input_scales=SCALES,
        reach={hidden: reach(recall.accuracy) for hidden, recall in frozen.items()},
        numbers={
            hidden: total_memory(recall.explained, np.array(SYMBOLS)[:, None, None])
            for hidden, recall in frozen.items()
        },
        accuracy_8_symbols={
            hidden: accuracy[reach(accuracy).mean(-1).argmax()] for hidden, accuracy in of_eight.items()
        },
    )
