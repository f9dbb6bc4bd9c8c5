"""Notebook 07: the Transformer, what it costs, and all architectures of the course side by side."""

import functools
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from ..data.agreement import vocabulary
from ..data.images import PATCH, SIDE, cut, left_or_right
from ..data.translation import vocabularies
from ..measure.agreement import prefers
from ..measure.alignment import links
from ..measure.paths import path_lengths
from ..measure.run import apply
from ..measure.speed import LAYERS, Cost, crossover, exponent, race
from ..measure.translation import translate
from ..models.gated import GRUCell
from ..models.losses import cross_entropy, next_word
from ..models.readers import AttentiveRecurrence, AttentiveRecurrentClassifier, PatchReader
from ..models.seq2seq import translation
from ..models.transformer import Block, Transformer
from ..runtime import budget, recorded, size
from ..training import History, fit, fit_seeds
from . import ch03, ch05, recall, rounded
from . import translate as task
from .agreement import SEEDS, accuracy, corpora, words_only
from .ch03 import by_attractors
from .translate import Corpus, aligned, batches, parameters, quality, test, translator, warmed_up

WIDTH, HEADS, DEPTH = 128, 4, 2
UPDATES, RATE, LAST_RATE, WARM_UP = 1_000, 3e-3, 6e-5, 100
VARIANTS: dict[str, dict[str, Any]] = {
    "Transformer": {},
    "learned positions": {"positions": "learned"},
    "rotary positions": {"positions": "rotary"},
    "norm after": {"norm": "after"},
}
WORDS_UPDATES = 4_000  # of language models on the sentences with a cat
DELAYS = (10, 30, 100, 300)
TIMED_UPDATES = 80  # four runs of one length bucket each
LENGTHS = (16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096)
RACE_BATCH, RACE_WIDTH, RACE_BATCHES = 8, 128, (1, 8, 64)
SLOW = 4.0  # seconds; once a step takes longer, longer sequences are not timed
IMAGE_UPDATES, IMAGE_BATCH = 600, 64
SENTENCE = 20  # words, where steps are counted
STACKED = (1, 2, 4, 8, 16)  # layers of a stack
KINDS = ("norm before", "norm after", "no sums")


# ----------------------------------------------------------------------------------------- the Transformer


def transformer(rngs: nnx.Rngs, **options: Any) -> Transformer:
    """A Transformer for the course's corpus; `options` are those of `Transformer`."""
    english, french = vocabularies()
    return Transformer(
        len(english), len(french), rngs=rngs, **{"width": WIDTH, "heads": HEADS, "layers": DEPTH, **options}
    )


def rate(updates: int) -> optax.Schedule:
    """The learning rate rises for a tenth of the run, and falls in a straight line over the rest."""
    updates = budget(updates)
    return warmed_up(RATE, LAST_RATE, max(1, min(WARM_UP, updates // 10)), updates)


def learn(
    report: Callable | None = None, updates: int = UPDATES, seed: int = 0, **options: Any
) -> tuple[Transformer, History]:
    """A new Transformer, trained on the same batches as the translators of notebooks 04 and 05."""
    model = transformer(nnx.Rngs(seed), **options)
    return model, task.train(model, updates, seed=seed, report=report, schedule=rate(updates))


def several(options: dict[str, Any], seeds: Sequence[int] = SEEDS) -> tuple[list[Transformer], History]:
    """The same Transformer from several seeds."""
    return fit_seeds(
        functools.partial(transformer, **options), batches(), budget(UPDATES), loss=translation, seeds=seeds,
        learning_rate=rate(UPDATES), progress=False,
    )  # fmt: skip


def head_errors(model: Transformer, corpus: Corpus | None = None) -> list[list[float]]:
    """Alignment error of every head of the cross-attention, `[layers, heads]`, as `translate.aligned` measures it."""
    corpus = test() if corpus is None else corpus
    batch = corpus.batch
    found = apply(model, _cross, batch.source, batch.source_mask, batch.target[:, :-1])
    return [[task.errors(links(head), corpus)["error"] for head in np.moveaxis(layer, 1, 0)] for layer in found]


def _cross(model: Transformer, source: Any, mask: Any, words: Any) -> Any:
    return model.weights(source, mask, words).cross


# -------------------------------------------------------------------------------------- a stack of layers


class Stacked(NamedTuple):
    """What layers that are not trained make of random vectors."""

    alike: list[float]  # mean cosine between the vectors of two positions, after each number of layers in `STACKED`
    gradient: list[float]  # size of the gradient of the output in a random direction of length 1, at the input


def stacked(kind: str, seed: int = 0, width: int = 64, positions: int = 16) -> Stacked:
    """Random vectors through a stack. kind: "norm before", "norm after" (with sums), or "no sums", x ← f(norm(x)) for each branch."""
    mask = jnp.ones((positions, positions), bool)
    x, direction = jax.random.normal(jax.random.key(seed), (2, 4, positions, width))
    direction /= jnp.linalg.norm(direction)
    back, alike, gradient = [], [], []
    for i in range(max(STACKED)):
        norm = "after" if kind == "norm after" else "before"
        block = Block(width, HEADS, 4 * width, rngs=nnx.Rngs(100 * seed + i), norm=norm)
        x, pull = jax.vjp(functools.partial(_layer, block, mask, kind != "no sums"), x)
        back.append(pull)
        if i + 1 in STACKED:
            slope = direction
            for pull in reversed(back):
                (slope,) = pull(slope)
            alike.append(round(likeness(x), 4))
            gradient.append(round(float(jnp.linalg.norm(slope)), 4))
    return Stacked(alike, gradient)


def _layer(block: Block, mask: Any, sums: bool, x: Any) -> Any:
    if sums:
        return block(x, mask)[0]
    x = block.attention(block.attention_norm(x), mask)[0]  # type: ignore[misc]
    return block.mlp(block.mlp_norm(x))  # type: ignore[misc]


def likeness(x: Any) -> float:
    """Mean cosine between the vectors of two positions of one sequence: 1 where all positions are the same."""
    unit = x / jnp.linalg.norm(x, axis=-1, keepdims=True)
    cosines, n = jnp.einsum("btd,bsd->bts", unit, unit), x.shape[1]
    return float((cosines.sum((1, 2)) - n).mean() / (n * (n - 1)))


# ------------------------------------------------------------------------------------ five architectures


FIVE: dict[str, Callable[[nnx.Rngs], Any]] = {
    "RNN": functools.partial(translator, cell="RNN"),
    "LSTM": functools.partial(translator, cell="LSTM"),
    "GRU": translator,
    "GRU + attention": functools.partial(translator, **ch05.ATTENTIVE),
    "Transformer": transformer,
}


def costs_of_five() -> dict[str, dict[str, float]]:
    """Seconds of 1,000 updates and of translating the test sentences greedily, on this device, compilation excluded; parameters."""
    found = {}
    for name, make in FIVE.items():
        model = make(nnx.Rngs(0))
        history = fit(model, batches(), TIMED_UPDATES, loss=translation, learning_rate=1e-3, progress=False)
        translate(model, test().batch)  # compiles
        start = time.perf_counter()
        translate(model, test().batch)
        found[name] = {
            "train": round(history.seconds / history.steps * 1_000, 2), "decode": round(time.perf_counter() - start, 3),
            "parameters": parameters(model),
        }  # fmt: skip
    return found


def looking_recurrence(rngs: nnx.Rngs) -> AttentiveRecurrence:
    """A GRU of 64 units that looks back over its own states, and predicts words."""
    cell = GRUCell(ch03.EMBED, ch03.HIDDEN, rngs=rngs)
    return AttentiveRecurrence(cell, len(vocabulary()), len(vocabulary()), rngs=rngs)


def agreement(make: Callable[[nnx.Rngs], Any]) -> dict[str, Any]:
    """Three language models after `WORDS_UPDATES` updates: verbs in the right number by distance, and by nouns in between."""
    models, _ = fit_seeds(make, words_only(), budget(WORDS_UPDATES), loss=next_word, seeds=SEEDS, progress=False)
    found = accuracy(models, prefers).numbers()
    return {**found, "attractors": [rounded(by_attractors(prefers(model, corpora()[1]))) for model in models]}


def looking_reader(rngs: nnx.Rngs) -> AttentiveRecurrentClassifier:
    """A GRU of 64 units with one look back over its states, for delayed recall."""
    cell = GRUCell(recall.EMBED, recall.HIDDEN, rngs=rngs)
    return AttentiveRecurrentClassifier(cell, recall.LABELS + recall.DISTRACTORS, recall.LABELS, rngs=rngs)


# ------------------------------------------------------------------------------------ five architectures, one table


def five() -> dict[str, dict[str, Any]]:
    """All recorded measures of the five architectures: measure → {"values": name → one a seed (None: does not apply), "unit", "better"}.

    The translators are those of notebooks 04, 05 and 07 after 1,000 updates. Agreement and delayed recall are those of readers of 64
    units made of the same parts: with “GRU + attention” a GRU that looks back over its own states, with “Transformer” layers of
    self-attention without an MLP.
    """
    gates, ch04, attention, ch06, ours = (recorded(f"ch0{n}") for n in (3, 4, 5, 6, 7))
    quality_of = {
        "RNN": ch04["variants"]["RNN"], "LSTM": ch04["variants"]["LSTM"], "GRU": ch04["variants"]["forward"],
        "GRU + attention": attention["variants"]["both directions"], "Transformer": ours["variants"]["Transformer"],
    }  # fmt: skip
    words = {
        "RNN": ours["words"]["RNN"], "LSTM": gates["words"]["LSTM"][str(WORDS_UPDATES)],
        "GRU": gates["words"]["GRU"][str(WORDS_UPDATES)], "GRU + attention": ours["words"]["GRU + attention"],
        "Transformer": ch06["words"]["2000"],
    }  # fmt: skip
    recalled = {
        "RNN": gates["recall"]["RNN"], "LSTM": gates["recall"]["LSTM, forget bias 1"], "GRU": gates["recall"]["GRU"],
        "GRU + attention": ours["recall"], "Transformer": ch06["recall"]["two alphabets"],
    }  # fmt: skip

    def bleu_at(upto: int) -> dict[str, list[float]]:
        return {name: [seed[found["upto"].index(upto)] for seed in found["bleu"]] for name, found in quality_of.items()}

    def longest(row: dict[str, Any]) -> int:
        solved = itertools.takewhile(lambda delay: None not in row[delay]["updates"], sorted(row, key=int))
        return max(map(int, solved), default=0)

    way = {name: path_lengths("fixed context", SENTENCE) for name in ("RNN", "LSTM", "GRU")}
    way["GRU + attention"] = path_lengths("attention over a recurrence", SENTENCE)
    # One look at the source; in turn: a look for each layer of the encoder, two for each of the decoder.
    way["Transformer"] = (1, 3 * DEPTH)

    def row(values: dict[str, Any], unit: str, better: str = "more") -> dict[str, Any]:
        return {"values": {name: values.get(name) for name in quality_of}, "unit": unit, "better": better}

    costs = ours["costs"]
    return {
        "BLEU, all test sentences": row({name: found["overall"] for name, found in quality_of.items()}, "BLEU"),
        "BLEU, 26 to 32 words": row(bleu_at(32), "BLEU"),
        "BLEU, 51 to 60 words (32 at most in training)": row(bleu_at(60), "BLEU"),
        "Alignment error": row(
            {name: [seed["error"] for seed in found["aer"]] for name, found in quality_of.items() if "aer" in found}, "AER", "less"
        ),
        "Verbs right, four nouns in between": row(
            {name: [seed[-1] for seed in found["attractors"]] for name, found in words.items()}, "share"
        ),
        "Delay up to which all seeds recall": row({name: longest(found) for name, found in recalled.items()}, "symbols"),
        "Parameters": row({name: costs[name]["parameters"] for name in quality_of}, "numbers", "less"),
        "Training, 1,000 updates": row({name: costs[name]["train"] for name in quality_of}, "seconds", "less"),
        "Translating 1,450 sentences": row({name: costs[name]["decode"] for name in quality_of}, "seconds", "less"),
        "Steps that run in turn, 20 words": row({name: turn for name, (_, turn) in way.items()}, "steps", "less"),
        "Way from the first word to the answer, 20 words": row({name: travel for name, (travel, _) in way.items()}, "steps", "less"),
    }  # fmt: skip


# ----------------------------------------------------------------------------------------------- the race


def raced(
    lengths: Sequence[int] = LENGTHS, batch: int = RACE_BATCH, repeats: int = 5, limit: float = SLOW
) -> dict[str, Any]:
    """Time and memory of one training step of each layer against the length, with exponents and crossovers."""
    costs = race(lengths, batch, RACE_WIDTH, repeats=repeats, limit=limit)
    return {"batch": batch, "width": RACE_WIDTH, **summary(lengths, costs)}


def summary(lengths: Sequence[int], costs: dict[str, list[Cost]]) -> dict[str, Any]:
    """Numbers of a race as they are recorded."""
    found: dict[str, Any] = {"lengths": list(lengths), "layers": {}, "crossover": {}}
    for layer, listed in costs.items():
        times, sizes = [one.seconds for one in listed], [float(one.bytes) for one in listed]
        found["layers"][layer] = {
            "seconds": [None if value is None else float(f"{value:.3g}") for value in times],
            "bytes": [one.bytes for one in listed], "skipped": [one.skipped for one in listed],
            "exponent": round(exponent(lengths, times), 2), "memory_exponent": round(exponent(lengths, sizes), 2),
        }  # fmt: skip
    for layer in LAYERS[:-1]:
        where = crossover(lengths, costs, layer)
        found["crossover"][layer] = None if where is None else round(where)
    return found


# -------------------------------------------------------------------------------------------------- images


def picture_reader(rngs: nnx.Rngs, positions: str = "learned") -> PatchReader:
    """A Transformer of two layers that reads 16 patches."""
    return PatchReader((SIDE // PATCH) ** 2, PATCH**2, 2, rngs=rngs, positions=positions)


def _pictures(step: Any, rng: Any) -> Any:
    return left_or_right(rng, IMAGE_BATCH)


def picture_loss(model: PatchReader, batch: Any) -> Any:
    """Cross-entropy of which sign is farther left, with the accuracy."""
    logits = model(cut(batch.pixels))
    return cross_entropy(logits, batch.labels), {"accuracy": (logits.argmax(-1) == batch.labels).mean()}


def pictures(positions: str = "learned", seeds: Sequence[int] = SEEDS) -> tuple[list[PatchReader], list[float]]:
    """Readers of pictures trained for 600 updates, and their accuracy on others."""
    make = functools.partial(picture_reader, positions=positions)
    models, _ = fit_seeds(
        make, _pictures, budget(IMAGE_UPDATES), loss=picture_loss, seeds=seeds, learning_rate=1e-3, progress=False
    )
    others = left_or_right(jax.random.key(77), 2_000)
    return models, [round(float(apply(model, _picture_accuracy, others)), 4) for model in models]


def _picture_accuracy(model: PatchReader, batch: Any) -> Any:
    return picture_loss(model, batch)[1]["accuracy"]


# ------------------------------------------------------------------------------------------------ together


def headline() -> dict[str, Any]:
    """BLEU by length and alignment error of every variant and head; what is missing for the table of five; the race; images."""
    result: dict[str, Any] = {
        "seeds": list(SEEDS), "updates": budget(UPDATES), "width": WIDTH, "heads": HEADS, "layers": DEPTH, "variants": {},
        "stacked": {"layers": list(STACKED), **{kind: [stacked(kind, seed)._asdict() for seed in SEEDS] for kind in KINDS}},
        "costs": costs_of_five(),
    }  # fmt: skip
    lengths = LENGTHS if size() == "full" else LENGTHS[:5]
    result["race"] = [raced(lengths, batch) for batch in RACE_BATCHES]
    for name, options in VARIANTS.items():
        models, _ = several(options)
        result["variants"][name] = {
            **quality(models), "aer": [aligned(model) for model in models], "heads": [head_errors(model) for model in models],
            "parameters": parameters(models[0]),
        }  # fmt: skip
    result["words"] = {
        "updates": budget(WORDS_UPDATES), "RNN": agreement(functools.partial(ch03.language_model, "RNN")),
        "GRU + attention": agreement(looking_recurrence),
    }  # fmt: skip
    result["recall"] = {str(delay): recall.updates_to_solve(looking_reader, delay) for delay in DELAYS}
    result["pictures"] = {positions: pictures(positions)[1] for positions in ("learned", "none")}
    return result
