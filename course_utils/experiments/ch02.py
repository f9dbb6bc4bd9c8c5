"""Notebook 02: gradients through time, and what a plain network learns by them."""

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..data.agreement import Agreement
from ..data.batching import Labelled
from ..data.sequences import delayed_recall
from ..measure.agreement import by_distance, prefers
from ..measure.probe import linear_probe
from ..measure.states import states_of
from ..measure.truncation import answer_gradients, compare, gradient_of, gradient_to_subject, verb_number
from ..models.cells import RNNCell
from ..models.losses import classification, next_word
from ..models.recurrent import Damped, Truncated
from ..models.sequence import RecurrentLanguageModel, SequenceClassifier
from ..runtime import budget
from ..training import fit_seeds
from . import ch01, recall, weighted
from .agreement import DISTANCES, SEEDS, accuracy, corpora, words_only
from .follow import followed
from .results.agreement import Accuracy
from .results.ch02 import (
    Bias,
    Crossed,
    CutShort,
    Flow,
    FlowMoment,
    FromStart,
    Reach,
    ReachMoment,
    Recorded,
    TenSeeds,
    Truncation,
)
from .results.recall import Solved, Started
from .weighted import weighted_next_word, weighted_sentences

DELAYS = (10, 20, 30, 40, 60, 80, 100)
STARTS = ("RNN", "RNN, identity, ReLU")
PATIENCE = 8_000  # updates for the delays that were not learned in `recall.UPDATES`
START_DELAYS, START_UPDATES = (10, 20, 40, 80), 1_000
FLOW_DELAY, FLOW_MOMENTS = 30, (0, 20, 40, 60, 80, 100, 150, 200, 300, 500)
WINDOWS = (1, 2, 4, 8, 16, 32)
TRAINED_WINDOWS, CUT_WINDOWS = (1, 2, 5), (1, 2, 5, 10, 20)
KEEPS, DAMPED_DELAYS = (0.3, 0.5, 0.7), (20, 40)
TEN = tuple(range(10))  # seeds, where three stood at a threshold
FADING = 0.7  # what is left a step, of the memory or of the gradient
MOMENTS = (0, 1_000, 2_000, 4_000, 8_000)


# ------------------------------------------------------------------------------- delays that are learned


def delays() -> dict[str, dict[int, Started]]:
    """Updates to learn each delay, by initialisation of the recurrent matrix."""
    return {
        name: {delay: started(functools.partial(recall.reader, name, delay), delay) for delay in DELAYS}
        for name in STARTS
    }


def started(
    make: Callable[[nnx.Rngs], SequenceClassifier],
    delay: int,
    updates: int = recall.UPDATES,
    seeds: tuple[int, ...] = SEEDS,
    learning_rate: float = recall.LEARNING_RATE,
) -> Started:
    """`recall.updates_to_solve`, and the share of the gradient that reaches the first state before training."""
    solved = recall.updates_to_solve(make, delay, updates, seeds, learning_rate)
    share = np.array([share_at_start(make(nnx.Rngs(seed)), delay) for seed in seeds])
    return Started(updates=solved.updates, accuracy=solved.accuracy, share=share)


def patient(learned: Mapping[str, Mapping[int, Solved]]) -> dict[str, dict[int, Solved]]:
    """The shortest delay of each row that some seed did not learn, with four times the updates."""
    longer = {}
    for name, row in learned.items():
        failed = [delay for delay, result in row.items() if None in result.updates]
        if failed:
            make = functools.partial(recall.reader, name, failed[0])
            longer[name] = {failed[0]: recall.updates_to_solve(make, failed[0], PATIENCE)}
    return longer


class Start(NamedTuple):
    """How a plain network begins: an orthogonal W times `scale`, and word vectors times `strength`."""

    scale: float = 1.0
    strength: float = 1.0

    def reader(self, delay: int, rngs: nnx.Rngs) -> SequenceClassifier:
        """`recall.reader` with this start."""
        cell = RNNCell(recall.EMBED, recall.HIDDEN, rngs=rngs, scale=self.scale)
        model = SequenceClassifier(cell, recall.LABELS + recall.DISTRACTORS, recall.LABELS, rngs=rngs)
        model.embed.embedding[...] = self.strength * model.embed.embedding[...]
        return model


STARTED = tuple(Start(scale) for scale in (0.7, 0.8, 0.9, 1.0, 1.1)) + tuple(Start(1.0, s) for s in (0.3, 3.0, 6.0))


def share_at_start(model: SequenceClassifier, delay: int) -> float:
    """‖∂L/∂h_1‖ as a share of ‖∂L/∂h_T‖ (root mean squares over 256 sequences)."""
    norms = np.sqrt((answer_gradients(model, probe_sequences(delay)) ** 2).mean(0))
    return float(norms[0] / norms[-1])


def probe_sequences(delay: int) -> Labelled:
    """256 sequences on which gradients are measured."""
    return delayed_recall(jax.random.key(99), 256, delay, recall.LABELS, recall.DISTRACTORS)


def starts() -> list[FromStart]:
    """For each start and delay: the share of the gradient that reaches the first state *before* training, and what training then did."""
    results = []
    for start in STARTED:
        for delay in START_DELAYS:
            result = started(functools.partial(start.reader, delay), delay, START_UPDATES)
            results.append(FromStart(**vars(result), **start._asdict(), delay=delay))
    return results


# Initialisations whose share of the gradient is small, with the delays and the learning rates that were tried.
TEN_STARTED = (
    (Start(scale=0.5), 20, (0.002, 0.005)),
    (Start(scale=0.5), 40, (0.002, 0.005)),
    (Start(scale=0.7), 40, (0.002, 0.003, 0.005)),
    (Start(scale=0.8), 40, (0.002, 0.005)),
    (Start(scale=1.0), 40, (0.002, 0.005)),
    (Start(strength=3.0), 20, (0.002, 0.005)),
)


def ten_starts() -> list[TenSeeds]:
    """`starts` with ten seeds and 1,000 updates, where the first figure had three seeds at a threshold."""
    results = []
    for start, delay, rates in TEN_STARTED:
        for rate in rates:
            result = started(functools.partial(start.reader, delay), delay, START_UPDATES, TEN, rate)
            results.append(TenSeeds(**vars(result), **start._asdict(), delay=delay, learning_rate=rate))
    return results


def ten_crossed(delay: int = 40) -> list[Crossed]:
    """Ten seeds with memory and gradient faded apart from each other: W times 0.7 or 1, the gradient times 0.7 or 1 a step."""
    results = []
    for scale, kept in itertools.product((1.0, FADING), repeat=2):
        # Of a W times 0.7 the gradient fades by itself: it is restored by 1/0.7 at every step where it is to be kept.
        keep = kept / scale

        def make(rngs: nnx.Rngs, scale=scale, keep=keep) -> SequenceClassifier:
            model = Start(scale).reader(delay, rngs)
            model.cell = Damped(model.cell, keep)
            return model

        for rate in (0.002, 0.005):
            result = started(make, delay, START_UPDATES, TEN, rate)
            results.append(Crossed(**vars(result), scale=scale, kept=kept, learning_rate=rate))
    return results


def ten_delays() -> dict[int, Solved]:
    """The rotation on two delays with ten seeds."""
    return {
        delay: recall.updates_to_solve(functools.partial(recall.reader, "RNN", delay), delay, seeds=TEN)
        for delay in (30, 100)
    }


def flow(
    start: str = "RNN", delay: int = FLOW_DELAY, moments: tuple[int, ...] = FLOW_MOMENTS, seeds: tuple[int, ...] = SEEDS
) -> Flow:
    """Gradients of the answer's loss along the sequence as a network learns, root mean squares over 256 sequences."""
    test, by_updates = probe_sequences(delay), {}
    make = functools.partial(recall.reader, start, delay)
    for updates, models in followed(make, recall.batches(delay), classification, moments, seeds=seeds):
        norms = [np.sqrt((answer_gradients(model, test) ** 2).mean(0)) for model in models]
        right = [float(classification(model, test)[1]["accuracy"]) for model in models]
        by_updates[updates] = FlowMoment(gradient=np.array(norms), accuracy=np.array(right))
    return Flow(delay=delay, by_updates=by_updates)


# ------------------------------------------------------------------------------------------- truncation


def truncation(model: RecurrentLanguageModel, sentences: int = 1_000) -> Truncation:
    """Truncated gradients of a language model beside the full one, for all words and for the verb's number alone."""
    rows = jax.tree.map(lambda a: a[:sentences], corpora()[1])
    return Truncation(
        windows=WINDOWS, all_words=_bias(model, next_word, rows), verb_number=_bias(model, verb_number, rows)
    )


def _bias(model: RecurrentLanguageModel, loss: Callable, rows: Agreement) -> Bias:
    """For every window. `noise` is half the distance between the gradients of two halves of the sentences."""
    full = gradient_of(model, loss, rows)
    pairs = [compare(gradient_of(model, loss, rows, window), full) for window in WINDOWS]
    a, b = (gradient_of(model, loss, jax.tree.map(lambda leaf, i=i: leaf[i::2], rows)) for i in (0, 1))
    noise = float(np.linalg.norm(a - b) / 2 / np.linalg.norm(full))
    return Bias(relative=[p.relative for p in pairs], cosine=[p.cosine for p in pairs], noise=noise)


def damped_reader(keep: float, delay: int, rngs: nnx.Rngs) -> SequenceClassifier:
    """`recall.reader` whose gradient is multiplied by `keep` at every step back, while its states are as they were."""
    model = recall.reader("RNN", delay, rngs)
    model.cell = Damped(model.cell, keep)
    return model


def damped() -> dict[float, dict[int, Started]]:
    """Delayed recall with the gradient alone made to fade: what is kept of it at every step back → delay → result."""
    return {
        keep: {
            delay: started(functools.partial(damped_reader, keep, delay), delay, START_UPDATES)
            for delay in DAMPED_DELAYS
        }
        for keep in KEEPS
    }


def untrained_probe(delay: int) -> float:
    """Share of first symbols that a linear probe names from the last state of a network that is not trained."""
    model = recall.reader("RNN", delay, nnx.Rngs(0))
    examples = delayed_recall(jax.random.key(98), 3_000, delay, recall.LABELS, recall.DISTRACTORS)
    last = jnp.asarray(states_of(model, examples.tokens)[:, -1])
    return float(linear_probe(last, examples.labels[None], recall.LABELS)[0][0])


def truncated_reader(window: int, delay: int, rngs: nnx.Rngs) -> SequenceClassifier:
    """`recall.reader` whose gradients go back through windows of `window` steps."""
    model = recall.reader("RNN", delay, rngs)
    model.cell = Truncated(model.cell, window)
    return model


def cut_short() -> CutShort:
    """Delayed recall learned with truncated gradients, and with the whole sequence."""

    def learned(make: Callable[[int, nnx.Rngs], SequenceClassifier]) -> dict[int, Solved]:
        return {
            delay: recall.updates_to_solve(functools.partial(make, delay), delay, START_UPDATES)
            for delay in START_DELAYS
        }

    return CutShort(
        windows={window: learned(functools.partial(truncated_reader, window)) for window in CUT_WINDOWS},
        whole_sequence=learned(functools.partial(recall.reader, "RNN")),
    )


def agreement_with_windows() -> dict[int, Accuracy]:
    """Words, the verb 25 times as loud (`weighted`), with truncated gradients: window → accuracy by distance."""
    results = {}
    for window in TRAINED_WINDOWS:

        def make(rngs: nnx.Rngs, window=window) -> RecurrentLanguageModel:
            model = ch01.language_model(rngs)
            model.cell = Truncated(model.cell, window)
            return model

        models, _ = fit_seeds(
            make, weighted_sentences(), budget(weighted.UPDATES[-1]), loss=weighted_next_word, seeds=SEEDS, progress=False
        )  # fmt: skip
        results[window] = accuracy(models, prefers)
    return results


# ---------------------------------------------------------------------------- what gradients explain


def reach_and_agreement() -> Reach:
    """Language models at several moments: the share of the verb's gradient that arrives at the subject, and agreement."""
    test, by_updates = corpora()[1], {}
    for updates, models in followed(ch01.language_model, words_only(), next_word, MOMENTS):
        reach = [10 ** by_distance(np.log10(gradient_to_subject(m, test) + 1e-30), test, DISTANCES)[1] for m in models]
        right = [by_distance(prefers(model, test), test, DISTANCES)[1] for model in models]
        by_updates[updates] = ReachMoment(reach=np.array(reach), accuracy=np.array(right))
    return Reach(distance=by_distance(np.ones(len(test.number)), test, DISTANCES)[0], by_updates=by_updates)


def headline() -> Recorded:
    """Delays learned by start; gradient flow; truncation; the reach of gradients beside agreement."""
    learned = delays()
    return Recorded(
        seeds=SEEDS,
        delays=learned,
        patient=patient(learned),
        starts=starts(),
        ten_starts=ten_starts(),
        ten_delays=ten_delays(),
        ten_crossed=ten_crossed(),
        flow=flow(),
        truncation=truncation(ch01.well_trained().model),
        untrained_truncation=truncation(ch01.speaker(0).model),
        cut_short=cut_short(),
        damped=damped(),
        windows=agreement_with_windows(),
        reach=reach_and_agreement(),
    )
