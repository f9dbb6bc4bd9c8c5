"""Translators, trained and measured alike in every chapter: the same corpora, training and groups of sentences by length."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np
import optax
from flax import nnx
from jaxtyping import Bool

from ..data.batching import Batches, Parallel
from ..data.english_french import PHENOMENA, Pair, arrays, gold, pairs, vocabularies
from ..measure.alignment import alignment_error, links, weights_on_reference
from ..measure.bleu import ByLength, bleu, bleu_by_length
from ..measure.decode import as_text, decode_batch
from ..models.interfaces import TeacherForced
from ..models.losses import next_target_word
from ..models.seq2seq import Translator
from ..runtime import budget
from ..training import History, fit, fit_seeds
from .agreement import SEEDS
from .results.translators import AlignmentErrors, Quality

HIDDEN, EMBED, BATCH = 128, 64, 64
UPDATES, RATE, LAST_RATE = 1_000, 5e-3, 1e-4
EDGES = (14, 22, 30, 40)  # buckets of the longer side: few, because each costs a compilation
TRAINED, BEYOND = (4, 32), (33, 60)  # lengths in words


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Pairs to test on, as arrays and as text."""

    pairs: list[Pair]
    batch: Parallel
    references: list[str]
    lengths: list[int]  # of the English side, in words

    @classmethod
    def of(cls, found: list[Pair]) -> "Corpus":
        return cls(found, arrays(found), [" ".join(p.target) for p in found], [len(p.source) for p in found])

    @functools.cached_property
    def gold(self) -> np.ndarray:
        """Gold links, `[n, target, source]`."""
        return gold(self.pairs)

    def tagged(self, phenomenon: str) -> np.ndarray:
        """Target words that belong to a phenomenon, `[n, target]`."""
        rows = np.zeros(self.gold.shape[:2], bool)
        for row, pair in enumerate(self.pairs):
            rows[row, : len(pair.tags)] = [tag == phenomenon for tag in pair.tags]
        return rows


@functools.cache
def training_pairs() -> list[Pair]:
    """20,000 pairs of 4 to 32 English words."""
    return pairs(20_000, seed=0, lengths=TRAINED)


@functools.cache
def batches() -> Batches:
    """Batches of the training pairs."""
    return Batches(arrays(training_pairs()), BATCH, EDGES)


@functools.cache
def held_out() -> Corpus:
    """1,450 other sentences of the lengths that are trained on: 50 of each."""
    return Corpus.of(pairs(1_450, seed=1, lengths=TRAINED, split="test"))


@functools.cache
def beyond() -> Corpus:
    """560 sentences longer than any that is trained on: 20 of each length."""
    return Corpus.of(pairs(560, seed=2, lengths=BEYOND, split="test"))


def translator(rngs: nnx.Rngs, **options: Any) -> Translator:
    """A translator of the course's corpus; `options` are those of `Translator`."""
    english, french = vocabularies()
    return Translator(len(english), len(french), rngs=rngs, **{"hidden": HIDDEN, "embed": EMBED, **options})


def parameters(model: Any) -> int:
    """How many numbers are learned."""
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))


def rate(updates: int) -> optax.Schedule:
    """A learning rate that falls in a straight line over the run: the last updates settle what the first have found."""
    return optax.linear_schedule(RATE, LAST_RATE, budget(updates))


def warmed_up(highest: float, last: float, warm: int, updates: int) -> optax.Schedule:
    """A learning rate that rises in a straight line over the first `warm` updates, and falls in one over the rest."""
    rise, fall = optax.linear_schedule(0.0, highest, warm), optax.linear_schedule(highest, last, updates - warm)
    return optax.join_schedules([rise, fall], [warm])


def train(
    model: Any,
    updates: int = UPDATES,
    *,
    seed: int = 0,
    report: Callable | None = None,
    schedule: optax.Schedule | None = None,
) -> History:
    """Train a translator in place; `schedule` of the learning rate: `rate(updates)` unless given."""
    return fit(
        model, batches(), budget(updates), loss=next_target_word, learning_rate=schedule or rate(updates), seed=seed, report=report,
        progress=report is None,
    )  # fmt: skip


def learn(
    report: Callable | None = None, updates: int = UPDATES, seed: int = 0, **options: Any
) -> tuple[Translator, History]:
    """A new translator, trained; `options` are those of `Translator`."""
    model = translator(nnx.Rngs(seed), **options)
    return model, train(model, updates, seed=seed, report=report)


def several(
    options: dict[str, Any], updates: int = UPDATES, seeds: Sequence[int] = SEEDS
) -> tuple[list[Translator], History]:
    """The same translator from several seeds."""
    return fit_seeds(
        functools.partial(translator, **options), batches(), budget(updates), loss=next_target_word, seeds=seeds,
        learning_rate=rate(updates), progress=False,
    )  # fmt: skip


def written(model: Any, corpus: Corpus, **search: Any) -> list[str]:
    """What a model writes for the sentences of a corpus."""
    return as_text(decode_batch(model, corpus.batch, **search).words, vocabularies()[1])


def by_length(model: Any, corpus: Corpus | None = None, **search: Any) -> ByLength:
    """BLEU of a model by the length of the source; on the test sentences unless others are given."""
    corpus = held_out() if corpus is None else corpus
    return bleu_by_length(written(model, corpus, **search), corpus.references, corpus.lengths)


def quality(models: Iterable[TeacherForced]) -> Quality:
    """BLEU of translators of several seeds by length, beyond the trained lengths too, and overall."""
    upto, by_groups, overall = [], [], []
    for model in models:
        translations = written(model, held_out())
        near = bleu_by_length(translations, held_out().references, held_out().lengths)
        far = by_length(model, beyond())
        upto = near.upto + far.upto
        by_groups.append(near.bleu + far.bleu)
        overall.append(bleu(translations, held_out().references))
    return Quality(upto=upto, bleu=np.array(by_groups), overall=np.array(overall))


def aligned(model: TeacherForced, corpus: Corpus | None = None) -> AlignmentErrors:
    """Alignment error of a translator's largest weights: overall, precision, recall, and by phenomenon."""
    corpus = held_out() if corpus is None else corpus
    return errors(links(weights_on_reference(model, corpus.batch)), corpus)


def errors(linked: Bool[np.ndarray, "n target source"], corpus: Corpus) -> AlignmentErrors:
    """Alignment error of links, overall and by phenomenon; `least` is that of one right link for every word."""
    overall = alignment_error(linked, corpus.gold)
    phenomena = {name: alignment_error(linked, corpus.gold, corpus.tagged(name)).error for name in PHENOMENA}
    return AlignmentErrors(**overall._asdict(), phenomena=phenomena)


def attentive_fields(models: Sequence[TeacherForced]) -> dict[str, Any]:
    """The fields of `Attentive`, of translators of several seeds."""
    return {
        **vars(quality(models)), "aer": [aligned(model) for model in models], "parameters": parameters(models[0]),
    }  # fmt: skip
