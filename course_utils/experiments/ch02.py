"""Notebook 02: gradients through time, and what a plain network learns by them."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..data.batching import Labelled
from ..data.sequences import delayed_recall
from ..measure.agreement import by_distance, prefers
from ..measure.memory import read_out
from ..measure.states import states_of
from ..measure.truncation import answer_gradients, compare, gradient_of, gradient_to_subject, verb_number
from ..models.cells import RNNCell
from ..models.losses import classification, next_word
from ..models.recurrent import Damped, Truncated
from ..models.sequence import RecurrentLanguageModel, SequenceClassifier
from ..runtime import budget
from ..training import fit_seeds
from . import ch01, recall
from .agreement import DISTANCES, SEEDS, accuracy, corpora, words_only
from .follow import followed

DELAYS = (10, 20, 30, 40, 60, 80, 100)
STARTS = ("RNN", "RNN, identity, ReLU")
PATIENCE = 8_000  # updates for the delays that were not learned in `recall.UPDATES`
START_DELAYS, START_UPDATES = (10, 20, 40, 80), 1_000
FLOW_DELAY, FLOW_MOMENTS = 30, (0, 20, 40, 60, 80, 100, 150, 200, 300, 500)
WINDOWS = (1, 2, 4, 8, 16, 32)
TRAINED_WINDOWS, CUT_WINDOWS = (1, 2, 5), (1, 2, 5, 10, 20)
KEEPS, DAMPED_DELAYS = (0.3, 0.5, 0.7), (20, 40)
MOMENTS = (0, 1_000, 2_000, 4_000, 8_000)


# ------------------------------------------------------------------------------- delays that are learned


def delays() -> dict[str, dict[str, Any]]:
    """Updates to learn each delay: start of the recurrent matrix → delay → `recall.updates_to_solve`."""
    table = recall.table(STARTS, DELAYS)
    for start, row in table.items():
        for delay, result in row.items():
            result["share"] = _shares(functools.partial(recall.reader, start, int(delay)), int(delay))
    return table


def patient(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The shortest delay that some seed of `found` did not learn, with four times the updates."""
    longer = {}
    for start, row in found.items():
        failed = [int(delay) for delay, result in row.items() if None in result["updates"]]
        if failed:
            longer[start] = {
                str(failed[0]): recall.updates_to_solve(
                    functools.partial(recall.reader, start, failed[0]), failed[0], PATIENCE
                )
            }
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


def _shares(make: Callable[[nnx.Rngs], SequenceClassifier], delay: int) -> list[float]:
    """`share_at_start` of every seed, to four significant digits."""
    return [float(f"{share_at_start(make(nnx.Rngs(seed)), delay):.4g}") for seed in SEEDS]


def probe_sequences(delay: int) -> Labelled:
    """256 sequences on which gradients are measured."""
    return delayed_recall(jax.random.key(99), 256, delay, recall.LABELS, recall.DISTRACTORS)


def starts() -> list[dict[str, Any]]:
    """For each start and delay: the share of the gradient that reaches the first state *before* training, and what training then did."""
    found = []
    for start in STARTED:
        for delay in START_DELAYS:
            make = functools.partial(start.reader, delay)
            result = recall.updates_to_solve(make, delay, START_UPDATES)
            found.append({**start._asdict(), "delay": delay, "share": _shares(make, delay), **result})
    return found


def flow(
    start: str = "RNN", delay: int = FLOW_DELAY, moments: tuple[int, ...] = FLOW_MOMENTS, seeds: tuple[int, ...] = SEEDS
) -> dict[int, dict[str, np.ndarray]]:
    """Gradients of the answer's loss along the sequence as a network learns: updates → `gradient` `[seeds, delay]`, `accuracy` `[seeds]`.

    `gradient` is the root mean square of ‖∂L/∂h_t‖ over 256 sequences.
    """
    test = probe_sequences(delay)
    found = {}
    make = functools.partial(recall.reader, start, delay)
    for updates, models in followed(make, recall.batches(delay), classification, moments, seeds=seeds):
        norms = [np.sqrt((answer_gradients(model, test) ** 2).mean(0)) for model in models]
        right = [float(classification(model, test)[1]["accuracy"]) for model in models]
        found[updates] = {"gradient": np.array(norms), "accuracy": np.array(right)}
    return found


# ------------------------------------------------------------------------------------------- truncation


def truncation(model: Any, sentences: int = 1_000) -> dict[str, Any]:
    """Truncated gradients of a language model beside the full one, for all words and for the verb's number alone.

    `noise`: the sampling error of the full gradient, estimated as half the distance between those of two halves of the
    sentences, as a share of its length.
    """
    test = corpora()[1]
    rows = jax.tree.map(lambda a: a[:sentences], test)
    halves = [jax.tree.map(lambda a, i=i: a[i::2], rows) for i in (0, 1)]
    found: dict[str, Any] = {"windows": list(WINDOWS)}
    for name, loss in (("all words", next_word), ("the verb's number", verb_number)):
        full = gradient_of(model, loss, rows)
        pairs = [compare(gradient_of(model, loss, rows, window), full) for window in WINDOWS]
        a, b = (gradient_of(model, loss, half) for half in halves)
        noise = float(np.linalg.norm(a - b) / 2 / np.linalg.norm(full))
        found[name] = {"relative": [p.relative for p in pairs], "cosine": [p.cosine for p in pairs], "noise": noise}
    return found


def damped_reader(keep: float, delay: int, rngs: nnx.Rngs) -> SequenceClassifier:
    """`recall.reader` whose gradient is multiplied by `keep` at every step back, while its states are as they were."""
    model = recall.reader("RNN", delay, rngs)
    model.cell = Damped(model.cell, keep)
    return model


def damped() -> dict[str, dict[str, Any]]:
    """Delayed recall with the gradient alone made to fade: keep → delay → `recall.updates_to_solve` with the `share` at the start."""
    found: dict[str, dict[str, Any]] = {}
    for keep in KEEPS:
        for delay in DAMPED_DELAYS:
            make = functools.partial(damped_reader, keep, delay)
            result = recall.updates_to_solve(make, delay, START_UPDATES)
            found.setdefault(str(keep), {})[str(delay)] = {"share": _shares(make, delay), **result}
    return found


def untrained_read_out(delay: int) -> float:
    """Share of first symbols that a least-squares read-out names from the last state of a network that is not trained."""
    model = recall.reader("RNN", delay, nnx.Rngs(0))
    examples = delayed_recall(jax.random.key(98), 3_000, delay, recall.LABELS, recall.DISTRACTORS)
    last = jnp.asarray(states_of(model, examples.tokens)[:, -1])
    return float(read_out(last, examples.labels[None], recall.LABELS)[0][0])


def truncated_reader(window: int, delay: int, rngs: nnx.Rngs) -> SequenceClassifier:
    """`recall.reader` whose gradients go back through windows of `window` steps."""
    model = recall.reader("RNN", delay, rngs)
    model.cell = Truncated(model.cell, window)
    return model


def cut_short() -> dict[str, dict[str, Any]]:
    """Delayed recall learned with truncated gradients: window → delay → `recall.updates_to_solve`; the last row is not truncated."""
    table = {
        f"{window} steps": {
            str(delay): recall.updates_to_solve(
                functools.partial(truncated_reader, window, delay), delay, START_UPDATES
            )
            for delay in START_DELAYS
        }
        for window in CUT_WINDOWS
    }
    whole = {
        str(delay): recall.updates_to_solve(functools.partial(recall.reader, "RNN", delay), delay, START_UPDATES)
        for delay in START_DELAYS
    }
    return {**table, "whole sequence": whole}


def agreement_with_windows() -> dict[int, Any]:
    """Words, the verb 25 times as loud (`ch01.with_weighted_verb`), with truncated gradients: window → accuracy by distance."""
    found = {}
    for window in TRAINED_WINDOWS:

        def make(rngs: nnx.Rngs, window=window) -> RecurrentLanguageModel:
            cell = Truncated(RNNCell(ch01.EMBED, ch01.HIDDEN, rngs=rngs), window)
            return RecurrentLanguageModel(cell, len(ch01.vocabulary()), rngs=rngs)

        models, _ = fit_seeds(
            make, ch01.weighted_sentences(), budget(ch01.WEIGHTED_UPDATES[-1]), loss=ch01.weighted_next_word, seeds=SEEDS,
            progress=False,
        )  # fmt: skip
        found[window] = accuracy(models, prefers)
    return found


# ---------------------------------------------------------------------------- what gradients explain


def reach_and_agreement() -> dict[int, dict[str, np.ndarray]]:
    """Language models at several moments: `reach`, the share of the verb's gradient that arrives at the subject, and
    `accuracy`, both `[seeds, bins]` against distance."""
    test = corpora()[1]
    found = {}
    for updates, models in followed(ch01.language_model, words_only(), next_word, MOMENTS):
        reach = [10 ** by_distance(np.log10(gradient_to_subject(m, test) + 1e-30), test, DISTANCES)[1] for m in models]
        right = [by_distance(prefers(model, test), test, DISTANCES)[1] for model in models]
        found[updates] = {"reach": np.array(reach), "accuracy": np.array(right)}
    return found


def headline() -> dict[str, Any]:
    """Delays learned by start; gradient flow; truncation; the reach of gradients beside agreement."""
    found = delays()
    return {
        "seeds": list(SEEDS),
        "delays": found,
        "patient": patient(found),
        "starts": starts(),
        "flow": {
            "delay": FLOW_DELAY,
            **{
                str(updates): {"gradient": _significant(row["gradient"]), "accuracy": row["accuracy"].round(4).tolist()}
                for updates, row in flow().items()
            },
        },
        "truncation": truncation(ch01.well_trained().model),
        "cut_short": cut_short(),
        "damped": damped(),
        "windows": {str(window): result.numbers() for window, result in agreement_with_windows().items()},
        "reach": {
            "distance": list(by_distance(np.ones(len(corpora()[1].number)), corpora()[1], DISTANCES)[0]),
            **{
                str(updates): {"reach": _significant(row["reach"]), "accuracy": row["accuracy"].round(4).tolist()}
                for updates, row in reach_and_agreement().items()
            },
        },
    }


def _significant(values: np.ndarray) -> list:
    """Four significant digits: gradients span many powers of ten."""
    return [[float(f"{value:.4g}") for value in row] for row in values]
