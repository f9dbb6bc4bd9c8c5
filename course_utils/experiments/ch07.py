"""Notebook 07: the Transformer, what it costs, and all architectures of the course side by side."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from ..data.agreement import vocabulary
from ..data.english_french import vocabularies
from ..data.images import PATCH, SIDE, cut, left_or_right
from ..decoding import BOS, EOS, PAD
from ..measure.alignment import links
from ..measure.bleu import bleu
from ..measure.decode import decode_batch
from ..measure.inside import moved, reader_weights, transformer_weights
from ..measure.speed import Cost, crossover, exponent, race, seconds
from ..measure.stack import LAYERS, Kind, stacked
from ..models.by_name import CELLS
from ..models.gated import GRUCell
from ..models.linear import positive
from ..models.losses import next_target_word, next_word, picture_classification
from ..models.readers import AttentiveRecurrence, AttentiveRecurrentClassifier, PatchReader
from ..models.run import apply
from ..models.self_attention import scaled_dot_product
from ..models.transformer import Transformer
from ..runtime import budget, size
from ..training import History, fit, fit_seeds
from . import ch05, recall, translators
from .agreement import SEEDS, with_nouns_between, words_only
from .language import EMBED, HIDDEN, language_model
from .results import ch07 as results
from .results import recorded
from .results.agreement import ByAttractors
from .results.ch07 import Costs, LayerCosts, Race, Recorded, Stacks, Variant, Words
from .translators import Corpus, attentive_fields, batches, held_out, parameters, translator, warmed_up

WIDTH, HEADS, DEPTH = 128, 4, 2
UPDATES, RATE, LAST_RATE, WARM_UP = 1_000, 3e-3, 6e-5, 100
VARIANTS: dict[str, dict[str, Any]] = {
    "Transformer": {},
    "learned positions": {"positions": "learned"},
    "rotary positions": {"positions": "rotary"},
    "norm after": {"norm": "post"},
}
WORDS_UPDATES = 4_000  # of language models on the sentences with a cat
DELAYS = (10, 30, 100, 300)
TIMED_UPDATES = 320  # sixteen runs of one length bucket each, mixed as those of 1,000 updates are
LENGTHS = (16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096)
RACE_BATCH, RACE_WIDTH, RACE_BATCHES = 8, 128, (1, 8, 64)
SLOW = 2.0  # seconds; once a step takes longer, longer sequences are not timed
IMAGE_UPDATES, IMAGE_BATCH = 600, 64
SENTENCE = 20  # words, where steps are counted


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
    return model, translators.train(model, updates, seed=seed, report=report, schedule=rate(updates))


def several(options: dict[str, Any], seeds: Sequence[int] = SEEDS) -> tuple[list[Transformer], History]:
    """The same Transformer from several seeds."""
    return fit_seeds(
        functools.partial(transformer, **options), batches(), budget(UPDATES), loss=next_target_word, seeds=seeds,
        learning_rate=rate(UPDATES), progress=False,
    )  # fmt: skip


def head_errors(model: Transformer, corpus: Corpus | None = None) -> list[list[float]]:
    """Alignment error of every head of the cross-attention, `[layers, heads]`, as `translators.aligned` measures it."""
    corpus = held_out() if corpus is None else corpus
    batch = corpus.batch
    found = apply(model, _cross, batch.source, batch.source_mask, batch.target[:, :-1])
    return [[translators.errors(links(head), corpus).error for head in np.moveaxis(layer, 1, 0)] for layer in found]


def _cross(model: Transformer, source: Any, mask: Any, words: Any) -> Any:
    return transformer_weights(model, source, mask, words).cross


# ------------------------------------------------------------------------------------ five architectures


FIVE: dict[str, Callable[[nnx.Rngs], Any]] = {
    "RNN": functools.partial(translator, cell="RNN"),
    "LSTM": functools.partial(translator, cell="LSTM"),
    "GRU": translator,
    "GRU + attention": functools.partial(translator, **ch05.ATTENTIVE),
    "Transformer": transformer,
}


def costs_of_five() -> dict[str, Costs]:
    """Seconds on this device, compilation excluded, and parameters: `train`, of 1,000 updates, taken from `TIMED_UPDATES` of
    each; `decode`, of translating the test sentences greedily, median of five, the translators in turn."""
    models = {name: make(nnx.Rngs(0)) for name, make in FIVE.items()}
    decode = seconds(
        *(functools.partial(decode_batch, model, held_out().batch) for model in models.values()), repeats=5
    )
    costs = {}
    for (name, model), spent in zip(models.items(), decode, strict=True):
        history = fit(model, batches(), TIMED_UPDATES, loss=next_target_word, learning_rate=1e-3, progress=False)
        train = history.seconds / history.steps * 1_000
        costs[name] = Costs(parameters=parameters(model), train=train, decode=spent)
    return costs


def written_anew(model: Any, source: Any, mask: Any, longest: int) -> np.ndarray:
    """Greedy translations without a cache: at every step all words so far are read again."""
    return apply(model, _writing_anew(longest), source, mask)


@functools.cache  # the same function from call to call, so that it is compiled once
def _writing_anew(longest: int) -> Callable:
    def write(model: Any, source: Any, mask: Any) -> Any:
        memory = model.encode(source, mask)

        def step(words: Any, i: Any) -> Any:
            logits = model.forced(memory, words)[0][:, i].at[:, jnp.array([PAD, BOS])].set(-jnp.inf)
            ended = (words == EOS).any(1)
            return words.at[:, i + 1].set(jnp.where(ended, PAD, logits.argmax(-1))), None

        words = jnp.full((source.shape[0], longest + 1), PAD).at[:, 0].set(BOS)
        return jax.lax.scan(step, words, jnp.arange(longest))[0][:, 1:]

    return write


def bleu_by_place(model: Transformer, places: Sequence[int], longest: int = 32) -> dict[int, float]:
    """BLEU of every fifth test sentence of up to `longest` words, when its first word stands so many places later."""
    some = Corpus.of([pair for pair in held_out().pairs if len(pair.source) <= longest][::5])
    return {place: round(bleu(translators.written(moved(model, place), some), some.references), 1) for place in places}


def looking_recurrence(rngs: nnx.Rngs) -> AttentiveRecurrence:
    """A GRU of 64 units that looks back over its own states, and predicts words."""
    cell = GRUCell(EMBED, HIDDEN, rngs=rngs)
    return AttentiveRecurrence(cell, len(vocabulary()), len(vocabulary()), rngs=rngs)


def agreement(make: Callable[[nnx.Rngs], Any]) -> ByAttractors:
    """Three language models after `WORDS_UPDATES` updates: verbs in the right number by distance, and by nouns in between."""
    models, _ = fit_seeds(make, words_only(), budget(WORDS_UPDATES), loss=next_word, seeds=SEEDS, progress=False)
    return with_nouns_between(models)


def looking_reader(rngs: nnx.Rngs) -> AttentiveRecurrentClassifier:
    """A GRU of 64 units with one look back over its states, for delayed recall."""
    cell = GRUCell(recall.EMBED, recall.HIDDEN, rngs=rngs)
    return AttentiveRecurrentClassifier(cell, recall.LABELS + recall.DISTRACTORS, recall.LABELS, rngs=rngs)


# ------------------------------------------------------------------------------------ five architectures, one table


def five() -> dict[str, dict[str, Any]]:
    """All recorded measures of the five architectures: measure → {"values": name → one a seed (None: does not apply), "unit", "better"}.

    The translators are those of notebooks 04, 05 and 07 after 1,000 updates. Agreement and delayed recall are those of readers of 64
    units made of the same parts: with “GRU + attention” a GRU that looks back over its own states; with “Transformer” layers of
    self-attention without an MLP for agreement, and one look for delayed recall. For recall LSTM and GRU start with chrono biases.
    What is counted is said to be; MLPs and norms are left out of it.
    """
    gates, fixed, attention, looks, ours = (
        recorded("ch03"), recorded("ch04"), recorded("ch05"), recorded("ch06"), recorded("ch07"),
    )  # fmt: skip
    attentive = {"GRU + attention": attention.variants["both directions"], "Transformer": ours.variants["Transformer"]}
    quality_of = {
        "RNN": fixed.variants["RNN"], "LSTM": fixed.variants["LSTM"], "GRU": fixed.variants["forward"], **attentive,
    }  # fmt: skip
    attractors = {
        "RNN": ours.words.networks["RNN"].attractors, "LSTM": gates.words["LSTM"][WORDS_UPDATES].attractors,
        "GRU": gates.words["GRU"][WORDS_UPDATES].attractors,
        "GRU + attention": ours.words.networks["GRU + attention"].attractors, "Transformer": looks.words[2_000].attractors,
    }  # fmt: skip
    recalled = {
        "RNN": gates.recall["RNN"], "LSTM": gates.recall["LSTM, chrono"], "GRU": gates.recall["GRU, chrono"],
        "GRU + attention": ours.recall, "Transformer": looks.recall.two_alphabets,
    }  # fmt: skip

    def bleu_at(upto: int) -> dict[str, list[float]]:
        return {name: of.bleu[:, of.upto.index(upto)].tolist() for name, of in quality_of.items()}

    def solved(delay: int) -> dict[str, int]:
        return {name: row[delay].count for name, row in recalled.items()}

    # Counted: cells and looks that wait for each other. A decoder's cell waits for its look; blocks look once, or twice.
    n = SENTENCE
    training = dict.fromkeys(("RNN", "LSTM", "GRU"), 2 * n) | {"GRU + attention": 3 * n, "Transformer": 3 * DEPTH}
    writing = {**training, "Transformer": DEPTH + 2 * DEPTH * n}
    shortest = dict.fromkeys(("RNN", "LSTM", "GRU"), n + 1) | {"GRU + attention": 3, "Transformer": 2}

    def row(values: dict[str, Any], unit: str, better: str = "more") -> dict[str, Any]:
        return {"values": {name: values.get(name) for name in quality_of}, "unit": unit, "better": better}

    costs = ours.costs
    return {
        "BLEU, all test sentences": row({name: of.overall.tolist() for name, of in quality_of.items()}, "BLEU"),
        "BLEU, 26 to 32 words": row(bleu_at(32), "BLEU"),
        "BLEU, 51 to 60 words (32 at most in training)": row(bleu_at(60), "BLEU"),
        "Alignment error": row(
            {name: [seed.error for seed in of.aer] for name, of in attentive.items()}, "AER", "less"
        ),
        "Verbs right, four nouns in between": row(
            {name: of[:, -1].tolist() for name, of in attractors.items()}, "share"
        ),
        "Seeds of three that recall the first of 100 symbols": row(solved(100), "seeds"),
        "Seeds of three that recall the first of 300 symbols": row(solved(300), "seeds"),
        "Parameters": row({name: costs[name].parameters for name in quality_of}, "numbers", "less"),
        "Training, 1,000 updates": row({name: costs[name].train for name in quality_of}, "seconds", "less"),
        "Translating 1,450 sentences": row({name: costs[name].decode for name in quality_of}, "seconds", "less"),
        "In turn, training, 20 positions (counted)": row(training, "cells and looks", "less"),
        "In turn, writing 20 positions (counted)": row(writing, "cells and looks", "less"),
        "From the first source word to the first written (counted)": row(shortest, "cells and looks", "less"),
    }  # fmt: skip


# ----------------------------------------------------------------------------------------------- the race


def raced(lengths: Sequence[int] = LENGTHS, batch: int = RACE_BATCH, repeats: int = 5, limit: float = SLOW) -> Race:
    """Time and memory of one training step of each layer against the length, with exponents and crossovers."""
    return summary(lengths, race(lengths, batch, RACE_WIDTH, repeats=repeats, limit=limit), batch)


def summary(lengths: Sequence[int], costs: dict[str, list[Cost]], batch: int = RACE_BATCH) -> Race:
    """A race as it is recorded."""
    crossed = {layer: crossover(lengths, costs, layer) for layer in CELLS}
    return Race(
        batch=batch,
        width=RACE_WIDTH,
        lengths=tuple(lengths),
        layers={layer: _layer_costs(lengths, of_layer) for layer, of_layer in costs.items()},
        crossover={layer: None if length is None else round(length) for layer, length in crossed.items()},
    )


def _layer_costs(lengths: Sequence[int], costs: Sequence[Cost]) -> LayerCosts:
    return LayerCosts(
        seconds=[one.seconds for one in costs],
        bytes=[one.bytes for one in costs],
        skipped=[one.skipped for one in costs],
        exponent=exponent(lengths, [one.seconds for one in costs]),
        memory_exponent=exponent(lengths, [float(one.bytes) for one in costs]),
    )


def idle(sizes: Sequence[int] = (1, 8, 64), steps: int = 1_000) -> dict[int, dict[str, float]]:
    """Steps h ← tanh(W h) in turn, by batch: the time of so many as a multiple of that of one (`ratio`), and the rate of their
    floating-point operations as a share of that of a large matrix product on this device (`share`).

    An RNN's W_x x is left out: it is one product for all positions, before the steps.
    """
    square = jax.random.normal(jax.random.key(0), (1_024, 1_024))
    product = jax.jit(jnp.dot)
    best = 2 * 1_024**3 / seconds(lambda: product(square, square))[0]
    W = jax.random.orthogonal(jax.random.key(1), RACE_WIDTH)

    @functools.partial(jax.jit, static_argnums=1)
    def run(h: Any, count: int) -> Any:
        return jax.lax.fori_loop(0, count, lambda _, h: jnp.tanh(h @ W), h)

    found = {}
    for batch in sizes:
        h = jax.random.normal(jax.random.key(2), (batch, RACE_WIDTH))
        short, long = seconds(functools.partial(run, h, 1), functools.partial(run, h, steps))
        operations = 2 * batch * steps * RACE_WIDTH**2
        found[batch] = {"ratio": long / short, "share": operations / long / best}
    return found


# ------------------------------------------------------------------------------------------------- cheaper


def stored(counts: Sequence[int] = (2, 8, 32, 128), width: int = 32, draws: int = 50) -> dict[int, dict[str, float]]:
    """Share of random values that are found by their own random keys among so many: with softmax, and in a sum Σ φ(k) vᵀ
    with φ(k) = elu(k) + 1, as linear attention has it, and with φ(k) = k.

    The value nearest in angle counts as found, so the sum needs no division by Σ φ(q) · φ(k).
    """
    found = {}
    for count in counts:
        K, V = jax.random.normal(jax.random.key(count), (2, draws, count, width))
        answers = {"softmax": scaled_dot_product(K, K, V)[0]}
        for name, phi in (("φ = elu + 1", positive(K)), ("φ(k) = k", K)):
            answers[name] = phi @ (jnp.swapaxes(phi, 1, 2) @ V)
        found[count] = {
            name: round(float((_nearest(answer, V) == jnp.arange(count)).mean()), 2) for name, answer in answers.items()
        }
    return found


def _nearest(answers: Any, values: Any) -> Any:
    """The place of the value with the smallest angle to each answer."""
    cosines = answers @ jnp.swapaxes(values / jnp.linalg.norm(values, axis=-1, keepdims=True), 1, 2)
    return cosines.argmax(-1)


# -------------------------------------------------------------------------------------------------- images


def picture_reader(rngs: nnx.Rngs, positions: Literal["learned", "none"] = "learned") -> PatchReader:
    """A Transformer of two layers that reads 16 patches."""
    return PatchReader((SIDE // PATCH) ** 2, PATCH**2, 2, rngs=rngs, positions=positions)


def _pictures(step: Any, rng: Any) -> Any:
    return left_or_right(rng, IMAGE_BATCH)


def pictures(
    positions: Literal["learned", "none"] = "learned", seeds: Sequence[int] = SEEDS
) -> tuple[list[PatchReader], list[float]]:
    """Readers of pictures trained for 600 updates, and their accuracy on others."""
    make = functools.partial(picture_reader, positions=positions)
    models, _ = fit_seeds(
        make,
        _pictures,
        budget(IMAGE_UPDATES),
        loss=picture_classification,
        seeds=seeds,
        learning_rate=1e-3,
        progress=False,
    )
    others = left_or_right(jax.random.key(77), 2_000)
    return models, [round(float(apply(model, picture_classification, others)[1]["accuracy"]), 4) for model in models]


def looks_at_the_other(model: Any) -> list[float]:
    """Mean weight, layer by layer, from the patch that holds the middle of one sign to the one that holds the other's."""
    others = left_or_right(jax.random.key(77), 2_000)
    weights = apply(model, _look, others).mean(2)  # of the heads
    middles = np.asarray((others.rows + 1) // PATCH * (SIDE // PATCH) + (others.columns + 1) // PATCH)
    every = np.arange(len(middles))
    there, back = (weights[:, every, middles[:, k], middles[:, 1 - k]].mean(1) for k in (0, 1))
    return [round(float(value), 3) for value in (there + back) / 2]


def _look(model: Any, batch: Any) -> Any:
    return reader_weights(model, cut(batch.pixels))


def without_places() -> float:
    """How often one can tell which sign is farther left from where in its patch each begins, at best."""
    columns = np.asarray(left_or_right(jax.random.key(78), 50_000).columns)
    within = columns % PATCH @ (PATCH, 1)
    left = columns[:, 0] < columns[:, 1]
    share = [left[within == k].mean() for k in range(PATCH**2)]
    return float(sum(max(one, 1 - one) * (within == k).mean() for k, one in enumerate(share)))


# ------------------------------------------------------------------------------------------------ together


def headline() -> Recorded:
    """BLEU by length and alignment error of every variant and head; what is missing for the table of five; the race; images."""
    lengths = LENGTHS if size() == "full" else LENGTHS[:5]
    stacks = {kind: [results.Stacked(**stacked(kind, seed)._asdict()) for seed in SEEDS] for kind in get_args(Kind)}
    return Recorded(
        seeds=SEEDS, updates=budget(UPDATES), width=WIDTH, heads=HEADS, layers=DEPTH,
        stacked=Stacks(layers=LAYERS, kinds=stacks), costs=costs_of_five(), race=[raced(lengths, batch) for batch in RACE_BATCHES],
        variants={name: variant(options) for name, options in VARIANTS.items()},
        words=Words(
            updates=budget(WORDS_UPDATES),
            networks={
                "RNN": agreement(functools.partial(language_model, "RNN")), "GRU + attention": agreement(looking_recurrence),
            },
        ),
        recall={delay: recall.updates_to_solve(looking_reader, delay) for delay in DELAYS},
        pictures={positions: pictures(positions)[1] for positions in ("learned", "none")},
    )  # fmt: skip


def variant(options: dict[str, Any]) -> Variant:
    """Transformers of one kind, trained and measured."""
    models, _ = several(options)
    return Variant(**attentive_fields(models), heads=np.array([head_errors(model) for model in models]))
