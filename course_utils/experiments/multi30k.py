"""The ladder of translators on real text: Multi30k, German to English, one change at a time.

`course reproduce multi30k` runs it; the files are downloaded, or read from `COURSE_DATA_DIR`.
"""

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import optax
from flax import nnx

from ..data.batching import Batches
from ..data.parallel import Subwords, Texts, arrays, multi30k
from ..measure.bleu import bleu, bleu_by_length
from ..measure.decode import as_text, decode_batch
from ..models.losses import next_target_word
from ..models.seq2seq import Translator
from ..models.transformer import Transformer
from ..runtime import budget, require
from ..training import History, fit
from .results.multi30k import Group, Recorded, Rung, Scores, TransformerSettings
from .translators import parameters, warmed_up

SOURCE, TARGET = "de", "en"
PIECES = 6_000  # of each language
HIDDEN, EMBED, BATCH, DROPOUT = 256, 256, 64, 0.3
LAYERS, HEADS, BRANCH_DROPOUT = 3, 8, 0.1  # of the Transformer, as wide as the others
EPOCHS, RATE, LAST_RATE = 10, 2e-3, 5e-5
WARM_UP, TRANSFORMER_RATE = 400, 1e-3
EDGES = (16, 24, 60)
LONGEST = 58  # pieces of a sentence that is trained on
LENGTHS = (8, 12, 16, 20, 40)  # German words
BEAM = 5
RUNGS = (
    "fixed context",
    "attention",
    "Transformer",
)  # the first two read in both directions, and differ in the score alone


class Text(NamedTuple):
    """Sentences to train on, and the pieces they are written in."""

    batches: Batches
    source: Subwords
    target: Subwords
    sentences: int


def prepare(train: Texts, pieces: int | None = None) -> Text:
    """Learn the pieces of both languages (`PIECES` of each unless told) from the training sentences, and put these into batches."""
    source, target = (Subwords.learn(side, pieces or PIECES) for side in train)
    batch, rows = arrays(train, source, target, LONGEST)
    return Text(Batches(batch, BATCH, EDGES), source, target, len(rows))


def translator(text: Text, rngs: nnx.Rngs, rung: str, width: int | None = None) -> Translator | Transformer:
    """The translator of one rung, for these pieces; `width`: of word vectors and states, `HIDDEN` unless told."""
    require(rung in RUNGS, f"There is no rung {rung!r}; there are {', '.join(RUNGS)}.")
    vocabularies = len(text.source), len(text.target)
    if rung == "Transformer":
        return Transformer(
            *vocabularies,
            rngs=rngs,
            width=width or EMBED,
            layers=LAYERS,
            heads=HEADS,
            inner=2 * (width or EMBED),
            dropout=BRANCH_DROPOUT,
        )
    return Translator(
        *vocabularies, rngs=rngs, hidden=width or HIDDEN, embed=width or EMBED, reading="both", dropout=DROPOUT,
        score="additive" if rung == "attention" else None,
    )  # fmt: skip


def rate(rung: str, updates: int) -> optax.Schedule:
    """The learning rate falls in a straight line; the Transformer's rises before."""
    if rung != "Transformer":
        return optax.linear_schedule(RATE, LAST_RATE, updates)
    warm = min(WARM_UP, updates // 4)
    return warmed_up(TRANSFORMER_RATE, LAST_RATE, warm, updates)


def learn(
    text: Text, rung: str, epochs: int = EPOCHS, seed: int = 0, report: Callable | None = None, width: int | None = None
) -> tuple[Translator | Transformer, History]:
    """One translator, trained for so many passes over the sentences."""
    model = translator(text, nnx.Rngs(seed), rung, width)
    updates = budget(epochs * -(-text.sentences // BATCH))
    history = fit(
        model, text.batches, updates, loss=next_target_word, learning_rate=rate(rung, updates), seed=seed, report=report,
        progress=report is None,
    )  # fmt: skip
    return model, history


def written(model: Any, text: Text, sentences: Texts, size: int = 1) -> list[str]:
    """Translations as running text."""
    batch, _ = arrays(sentences, text.source, text.target)
    return as_text(decode_batch(model, batch, size=size).words, text.target)


def quality(translations: Sequence[str], test: Texts) -> Scores:
    """BLEU (13a, running text) as it is and lower-cased, and lower-cased by the length of the source in words."""
    score = functools.partial(bleu, tokenize="13a", lower=True)
    lengths = [len(sentence.split()) for sentence in test.source]
    groups = bleu_by_length(translations, test.target, lengths, LENGTHS, score)
    rows = zip(groups.upto, groups.sentences, groups.bleu, strict=True)
    return Scores(
        bleu=bleu(translations, test.target, tokenize="13a"),
        bleu_lower=score(translations, test.target),
        by_length=[Group(upto=upto, sentences=count, bleu=value) for upto, count, value in rows],
    )


def measured(text: Text, name: str, test: Texts) -> Rung:
    """One rung, trained and tested with both searches."""
    start = time.perf_counter()
    model, history = learn(text, name)
    minutes = (time.perf_counter() - start) / 60
    greedy, beam = (quality(written(model, text, test, size), test) for size in (1, BEAM))
    return Rung(
        parameters=parameters(model), updates=history.steps, minutes=minutes, loss=history.last("loss", 400),
        greedy=greedy, beam=beam,
    )  # fmt: skip


def headline() -> Recorded:
    """Train every rung, one seed each, and translate test 2016 with both searches."""
    train, test = (multi30k(SOURCE, TARGET, split) for split in ("train", "test_2016_flickr"))
    text = prepare(train)
    return Recorded(
        seeds=(0,), languages=(SOURCE, TARGET), test="test 2016", epochs=EPOCHS, pieces=(len(text.source), len(text.target)),
        hidden=HIDDEN, embed=EMBED, dropout=DROPOUT, beam=BEAM,
        transformer=TransformerSettings(width=EMBED, layers=LAYERS, heads=HEADS, inner=2 * EMBED, dropout=BRANCH_DROPOUT),
        rungs={name: measured(text, name, test) for name in RUNGS},
    )  # fmt: skip
