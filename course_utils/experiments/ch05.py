"""Notebook 05: what attention gives back, and what its weights say."""

import dataclasses
import functools
from typing import Any, Literal, get_args

import jax
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int
from scipy.stats import kendalltau

from ..data.batching import Parallel
from ..data.english_french import pairs
from ..measure.alignment import links, weights_on_reference
from ..measure.bleu import bleu
from ..measure.influence import deletions, gradients, other_weights, replaced
from ..models.attention import Score, Tempered, attend
from ..models.losses import guided_next_word
from ..models.run import apply
from ..models.seq2seq import Translator
from ..runtime import budget, require
from ..training import fit_seeds
from . import translators
from .agreement import SEEDS
from .results.ch05 import Correlations, Evidence, GuidedTraining, Paths, Recorded, Replaced
from .results.translators import AlignmentErrors, Attentive, Sized
from .translators import (
    RATE,
    UPDATES,
    Corpus,
    attentive_fields,
    batches,
    held_out,
    parameters,
    quality,
    several,
    translator,
)

ATTENTIVE: dict[str, Any] = {"reading": "both", "score": "additive"}
VARIANTS: dict[str, dict[str, Any]] = {
    "both directions": ATTENTIVE,
    "forward": {"score": "additive"},
    "reversed": {"reading": "backward", "score": "additive"},
    **{f"forward, {score}": {"score": score} for score in get_args(Score) if score != "additive"},
}
LARGER = 140  # units of a fixed context that has at least as many parameters as attention with 128
TEMPERATURES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, float("inf"))
GUIDED_UPDATES = 200
Guide = Literal["own", "another model's", "uniform", "permuted"]
EXPLAINED = 16  # words of the longest source whose every deletion is tried
PATH = 20  # words of the sentences whose gradients are taken


def attentive(rngs: nnx.Rngs) -> Translator:
    """The translator of this chapter: additive attention, an encoder that reads in both directions."""
    return translator(rngs, **ATTENTIVE)


def last_and_mean(model: Translator, batch: Parallel) -> tuple[Float[np.ndarray, "n key"], Float[np.ndarray, "n key"]]:
    """The last state of each source sentence, and the mean of its states."""
    return apply(model, _last_and_mean, batch.source, batch.source_mask)


def _last_and_mean(
    model: Translator, source: Int[Array, "n source"], mask: Bool[Array, "n source"]
) -> tuple[Float[Array, "n key"], Float[Array, "n key"]]:
    memory = model.encode(source, mask)
    return memory.summary, attend(mask / mask.sum(1, keepdims=True), memory.states)


# -------------------------------------------------------------------------------------- soft to hard


def tempered(model: Translator, temperature: float) -> Translator:
    """The same translator with the scores of its attention divided by `temperature`: 0 is hard, infinity uniform."""
    require(model.scorer is not None, "This translator has no attention, so it has no scores to divide.")
    copy = nnx.clone(model)
    copy.scorer = Tempered(copy.scorer, temperature)  # type: ignore[assignment, arg-type]
    return copy


def by_temperature(model: Translator) -> list[float]:
    """BLEU on the test sentences for each of `TEMPERATURES`."""
    return [
        round(bleu(translators.written(tempered(model, value), held_out()), held_out().references), 2)
        for value in TEMPERATURES
    ]


# ----------------------------------------------------------------------- is attention an explanation?


@functools.cache
def short() -> Corpus:
    """Test sentences of at most `EXPLAINED` words."""
    return Corpus.of([pair for pair in held_out().pairs if len(pair.source) <= EXPLAINED])


@functools.cache
def of_one_length() -> Corpus:
    """Test sentences of `PATH` words, 200 of them."""
    return Corpus.of(pairs(200, seed=4, lengths=(PATH, PATH), split="test"))


def evidence(model: Translator) -> Evidence:
    """Alignment error of the ways to say which source word an answer came from, on the same short sentences."""
    batch = short().batch
    gradient, deletion = gradients(model, batch), deletions(model, batch)
    without = Evidence(gradient=_errors_of(gradient), deletion=_errors_of(deletion))
    if model.scorer is None:
        return without
    weights = weights_on_reference(model, batch)
    correlation = Correlations(gradient=correlated(weights, gradient), deletion=correlated(weights, deletion))
    return dataclasses.replace(without, weights=_errors_of(weights), correlation=correlation)


def _errors_of(strength: Float[np.ndarray, "n target source"]) -> AlignmentErrors:
    """Each target word linked to the source word of its strongest evidence."""
    present = np.asarray(short().batch.source_mask)[:, None]
    return translators.errors(links(np.where(present, strength, -np.inf)), short())


def correlated(weights: Float[np.ndarray, "n target source"], other: Float[np.ndarray, "n target source"]) -> float:
    """Mean rank correlation (Kendall's τ over the source words, one target word after another) of weights with other evidence."""
    words = np.asarray(short().batch.source_mask)
    taus = [
        kendalltau(weights[row, i, words[row]], other[row, i, words[row]]).statistic  # type: ignore[attr-defined]
        for row, pair in enumerate(short().pairs[:150])
        for i in range(len(pair.target))
    ]
    return float(np.nanmean(taus))


def controls(model: Translator, other: Translator) -> dict[str, Replaced]:
    """A trained translator with weights that are not its own: accuracy, and how far its answers move."""
    batch = held_out().batch
    trained, mask = weights_on_reference(model, batch), batch.source_mask
    kinds = {
        "own": trained,
        **{
            kind: other_weights(trained, mask, kind, jax.random.key(0))
            for kind in ("largest only", "permuted", "uniform")
        },  # type: ignore[arg-type]
        "another seed's": weights_on_reference(other, batch),
    }
    return {name: Replaced(**replaced(model, batch, weights)._asdict()) for name, weights in kinds.items()}


class Guided(nnx.Module):
    """A new translator that is given its weights and learns the rest; a trained one, or nothing, makes them."""

    def __init__(self, kind: Guide, teacher: Translator, *, rngs: nnx.Rngs):
        self.kind = kind
        self.student, self.teacher = attentive(rngs), nnx.clone(teacher)

    def __call__(self, batch: Parallel) -> Any:
        words = batch.target[:, :-1]
        memory = self.student.encode(batch.source, batch.source_mask)
        if self.kind == "own":
            return self.student.forced(memory, words)[0]
        weights = self.teacher.forced(self.teacher.encode(batch.source, batch.source_mask), words)[1]
        weights = jax.lax.stop_gradient(weights)
        if self.kind != "another model's":
            rng = jax.random.key(batch.target.sum())  # other places for every batch
            weights = other_weights(weights, batch.source_mask, self.kind, rng)  # type: ignore[arg-type]
        return self.student.forced(memory, words, weights)[0]


def guided(kind: Guide, teacher: Translator) -> Float[np.ndarray, " seeds"]:
    """Accuracy, the words before given, of three new translators after `GUIDED_UPDATES` updates with weights of one kind."""

    def make(rngs: nnx.Rngs) -> Guided:
        return Guided(kind, teacher, rngs=rngs)

    models, _ = fit_seeds(
        make, batches(), budget(GUIDED_UPDATES), loss=guided_next_word, seeds=[seed + 10 for seed in SEEDS],
        learning_rate=RATE / 2, progress=False,
    )  # fmt: skip
    return np.array([apply(model, guided_next_word, held_out().batch)[1]["accuracy"] for model in models])


# -------------------------------------------------------------------------------------------- paths


def gradient_by_word(model: Translator) -> Float[np.ndarray, " words"]:
    """‖∂ logit_i / ∂x_j‖ at the gold source word j of each target word i, mean by j: sentences of `PATH` words."""
    norms, gold = gradients(model, of_one_length().batch), of_one_length().gold
    return np.array([norms[:, :, j][gold[:, :, j]].mean() for j in range(PATH)])


# ------------------------------------------------------------------------------------------ together


def headline() -> Recorded:
    """BLEU by length and alignment error of every variant; equal parameters; temperature; evidence; controls; paths."""
    models = {name: several(options)[0] for name, options in VARIANTS.items()}
    examined = {
        "forward": models["forward"], "both directions": models["both directions"], "fixed": several({})[0],
    }  # fmt: skip
    untrained = {"fixed": {}, "mean": {"summary": "mean"}, "forward": VARIANTS["forward"]}
    paths = examined | {
        f"{name}, untrained": [translator(nnx.Rngs(seed), **options) for seed in SEEDS]
        for name, options in untrained.items()
    }
    larger, _ = several({"reading": "both", "hidden": LARGER})
    both = models["both directions"]
    return Recorded(
        seeds=SEEDS,
        updates=budget(UPDATES),
        variants={name: Attentive(**attentive_fields(trained)) for name, trained in models.items()},
        larger=Sized(**vars(quality(larger)), parameters=parameters(larger[0])),
        temperature_bleu=dict(zip(TEMPERATURES, np.array([by_temperature(model) for model in both]).T, strict=True)),
        evidence={name: [evidence(model) for model in trained] for name, trained in examined.items()},
        controls=[controls(model, both[i - 1]) for i, model in enumerate(both)],
        guided=GuidedTraining(
            updates=budget(GUIDED_UPDATES), accuracy={kind: guided(kind, both[0]) for kind in get_args(Guide)}
        ),
        paths=Paths(
            words=PATH,
            gradient={
                name: np.array([gradient_by_word(model) for model in trained]) for name, trained in paths.items()
            },
        ),
    )
