"""Exercises of chapter 04: teacher forcing, greedy and beam search, BLEU."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..teaching.exercise import Exercise, Mistake, drawn

_rng = np.random.default_rng(4)


def _log_p(*shape: int) -> Array:
    scores = drawn(_rng, *shape, scale=1.5)
    return scores - jnp.log(jnp.exp(scores).sum(-1, keepdims=True))


# ---------------------------------------------------------------------------------------- teacher forcing


def shifted(words: Int[Array, "batch target"]) -> Int[Array, "2 batch target-1"]:
    """What a decoder reads and what it is to say, from `<bos> y_1 … y_n <eos>`: all but the last word, all but the first."""
    return jnp.stack([words[:, :-1], words[:, 1:]])


_sentences = jnp.array([[1, 7, 5, 2, 0], [1, 9, 8, 6, 2]])

teacher = Exercise(
    name="teacher",
    chapter="ch04",
    objective="model",
    answer="my_inputs_and_labels",
    gives="what is read and what is to be said, stacked: `[2, batch, target - 1]`",
    cases=((_sentences[:1, :4],), (_sentences,), (jnp.array([[1, 4, 4, 3, 2, 0, 0], [1, 2, 0, 0, 0, 0, 0]]),)),
    edges=((jnp.array([[1, 2]]),), (jnp.array([[1, 5, 2], [1, 6, 2], [1, 7, 2]]),)),
    solution_function=shifted,
    mistakes=(
        Mistake("not shifted", "Reading and saying are the same words here: the decoder would be shown the very "
            "word that it is to say. At each step it reads the word *before*.", lambda w: jnp.stack([w, w])),
        Mistake("the two exchanged", "The two are exchanged: your decoder reads a word and is to say the one before it.",
            lambda w: jnp.stack([w[:, 1:], w[:, :-1]])),
        Mistake("says what it read", "What is to be said begins with `<bos>` here, and is what was "
            "read. It begins with the first word: `words[:, 1:]`.", lambda w: jnp.stack([w[:, :-1], w[:, :-1]])),
        Mistake("reads what it says", "What is read begins with the first word here. It begins with `<bos>`: `words[:, :-1]`.",
            lambda w: jnp.stack([w[:, 1:], w[:, 1:]])),
        Mistake("sentences cut", "You cut the first axis, which counts the sentences. Time is the second: `words[:, :-1]`.",
            lambda w: jnp.stack([w[:-1], w[1:]])),
        Mistake("two words skipped", "Two words are skipped at each step. The word to be said is the one right after the word that is "
            "read.",
            lambda w: jnp.stack([w[:, :-2], w[:, 2:]])),
        Mistake("rolled", "`roll` brings `<bos>` back in at the end, as a word to be said. Leave the last place out.",
            lambda w: jnp.stack([w, jnp.roll(w, -1, axis=1)])),
        Mistake("end mark cut", "You cut what stands around the *words*. Cut columns: the longest row reads all but its `<eos>`, and "
            "`<eos>` must be said.", lambda w: jnp.stack([w[:, :-1], w[:, 1:]]).at[1].set(jnp.where(w[:, 1:] == 2, 0, w[:, 1:])),
            lambda w: jnp.stack([jnp.where(w[:, :-1] == 2, 0, w[:, :-1]), w[:, 1:]])),
    ),
    hints=(
        "At each step the decoder reads one word and is to say the next. Which word does it read first, which does it say last?",
        "It reads all columns but the last and says all columns but the first; both are one column shorter than `words`.",
        "`return jnp.stack([words[:, :-1], words[:, 1:]])`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------ greedy search


def most_probable(log_p: Float[Array, "vocab vocab"], longest: int) -> Int[Array, " target"]:
    """Greedy search where the next word depends on the last alone: `log_p[y, z]` is log p(z after y).

    Begin with word 1, take the most probable next word at each step, end with word 2 or after `longest` words. What
    returns holds the words after the first, the end mark among them, and 0 behind it.
    """
    word, found = 1, []
    while len(found) < longest and word != 2:
        word = int(log_p[word].argmax())
        found.append(word)
    return jnp.array(found + [0] * (longest - len(found)))


def _walk(
    log_p: Array, longest: int, pick: Callable = lambda row: int(row.argmax()), end: int = 2, first: int = 1
) -> list[int]:
    word, found = first, []
    while len(found) < longest and (word != end or not found):
        word = pick(log_p[word])
        found.append(word)
    return found + [0] * (longest - len(found))


def _without_end(log_p: Array, longest: int) -> list[int]:
    said = [word for word in _walk(log_p, longest) if word not in (0, 2)]
    return said + [0] * (longest - len(said))


def _chain(path: Sequence[int], size: int) -> Array:
    """Probabilities under which greedy search takes `path`."""
    scores = _rng.normal(size=(size, size))
    for word, after in zip((1, *path), path, strict=False):
        scores[word, after] = scores[word].max() + 0.5
    scores = jnp.asarray(scores, jnp.float32)
    return scores - jnp.log(jnp.exp(scores).sum(-1, keepdims=True))


def _unfilled(log_p: Array, longest: int) -> Array:
    walk = _walk(log_p, longest)
    return jnp.array(walk[: walk.index(2) + 1] if 2 in walk else walk)


def _padded_with(log_p: Array, longest: int, word: int) -> Array:
    said = _unfilled(log_p, longest)
    return jnp.concatenate([said, jnp.full(longest - len(said), word)])


greedy = Exercise(
    name="greedy",
    chapter="ch04",
    objective="search",
    answer="my_greedy",
    gives="`longest` numbers: the words after word 1, and zeros behind the end",
    cases=((_chain((3, 2, 4), 5), 4), (_chain((5, 3, 4, 2, 3), 6), 6), (_chain((3, 5, 3), 6), 5)),
    edges=(
        (_chain((2,), 4), 3), (_chain((3, 2), 4), 1), (_chain((3, 4, 2), 5), 3),  # at once; cut; just in time
        (_chain((1, 1), 4), 4), (_chain((3, 0, 4, 2), 5), 5),  # word 1 and word 0 may be said too
    ),
    solution_function=most_probable,
    mistakes=(
        Mistake("goes on after the end", "You go on after word 2. The end mark ends the sentence; behind it there is only padding, 0.",
            lambda p, n: jnp.array(_walk(p, n, end=-1))),
        Mistake("columns read", "You read columns. Row y of `log_p` holds the probabilities of what comes after y.",
            lambda p, n: jnp.array(_walk(p.T, n))),
        Mistake("beginning kept", "The first word that returns should be the one *after* the beginning: leave word 1 out.",
            lambda p, n: jnp.array([1, *_walk(p, n)][:n]), lambda p, n: jnp.array([1, *_walk(p, n)])),
        Mistake("end mark left out", "The end mark is missing. It is a word that the model must say.",
            lambda p, n: jnp.array(_without_end(p, n))),
        Mistake("least probable", "You take the *least* probable word. log p is negative; the most probable word has the largest.",
            lambda p, n: jnp.array(_walk(p, n, pick=lambda row: int(row.argmin())))),
        Mistake("begins with 0", "You begin with word 0, the padding. A sentence begins with word 1.",
            lambda p, n: jnp.array(_walk(p, n, first=0))),
        Mistake("no walk", "Those are the best words after word 0, 1, 2 … Asked for is a walk: the word "
            "found is the row of the next step.", lambda p, n: p.argmax(-1)[:n]),
        Mistake("always from the beginning", "You look up the same row at every step. The word just found is the row of the next.",
            lambda p, n: jnp.full(n, int(p[1].argmax()))),
        Mistake("not filled up", "Your result ends with the sentence. Asked for are `longest` numbers: fill up with 0 behind it.",
            lambda p, n: _unfilled(p, n)),
        Mistake("filled with the end mark", "Behind the end mark comes padding, 0, not the end mark again.",
            lambda p, n: _padded_with(p, n, 2)),
    ),
    hints=(
        "A loop. What does it have to remember from step to step, and when does it end?",
        "Keep the last word. `log_p[word].argmax()` is the next; stop after word 2, and fill up with 0.",
        "`while len(found) < longest and word != 2: word = int(log_p[word].argmax()); found.append(word)`, beginning with "
        "`word = 1`; then `return jnp.array(found + [0] * (longest - len(found)))`.",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------------ BLEU


def clipped_precision(said: Sequence[int | str], reference: Sequence[int | str], n: int) -> float:
    """p_n: share of the n-grams (runs of `n` words) that the reference has too, each counted at most as often as it comes there.

    0 where fewer than n words were said.
    """

    def grams(words):
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    shared = grams(said) & grams(reference)  # of two Counters `&` keeps the smaller count
    return shared.total() / max(grams(said).total(), 1)


def _grams(words: Sequence[int], n: int) -> list[tuple[int, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _shared(a: Sequence[int], b: Sequence[int], n: int) -> int:
    return (Counter(_grams(a, n)) & Counter(_grams(b, n))).total()


def _shared_as(a: Sequence[int], b: Sequence[int], n: int, kept: Callable) -> float:
    """The precision of n-grams of each of which only `kept(n-gram)` is compared."""
    said, meant = (Counter(map(kept, _grams(words, n))) for words in (a, b))
    return (said & meant).total() / max(said.total(), 1)


precision = Exercise(
    name="precision",
    chapter="ch04",
    objective="search",
    answer="my_precision",
    gives="one number from 0 to 1",
    cases=(
        ([4, 4, 4, 4], [4, 5, 4, 6, 7], 1), ([4, 5, 6, 9, 4, 5], [4, 5, 6, 7, 4, 8, 9], 2), ([4, 5, 4, 5, 4, 8], [5, 4, 5, 4, 9, 4, 8], 3),
        ([4, 4, 5, 4], [4, 4, 4, 5], 1), ([4, 5, 6, 4, 5, 7, 7], [4, 5, 7], 1), ([4, 5, 6, 4, 5, 7, 7], [4, 5, 7, 7], 2),
    ),
    edges=(
        ([4, 5], [5, 4], 2),  # order within an n-gram
        ([4, 4, 4], [4, 4, 4, 4, 4], 2), ([4, 4, 4, 4, 4], [4, 4, 4], 2),  # one n-gram again and again
        ([4, 5, 6, 7, 8], [4, 5, 6, 7, 8], 4), ([4, 5], [6, 7, 8], 1), ([7], [7], 1),
        ([4, 5, 4], [4, 5, 6, 7, 8, 9, 10, 11], 1), ([4, 5, 6, 7, 8, 9], [4, 5, 6], 2), ([4, 5, 6], [4], 2),
        ([11, 1], [1, 11], 2), ([1, 11, 1], [11, 1, 1], 2),  # words, not digits
        ([4, 5], [4, 5, 6, 7], 3), ([4, 5, 6], [4, 5], 3), ([], [4, 5], 1),
    ),
    solution_function=clipped_precision,
    mistakes=(
        Mistake("counted as often as said", "You count an n-gram each time it is said, however often the reference has it: “the the the "
            "the” "
            "would score 1. Count it at most as often as it comes in the reference.",
            lambda a, b, n: sum(gram in _grams(b, n) for gram in _grams(a, n)) / len(_grams(a, n))),
        Mistake("counted as often as in the reference", "You count an n-gram as often as the reference has it, also where it was said less "
            "often: the share can pass 1. Of the two counts the *smaller* is taken.",
            lambda a, b, n: sum(_grams(b, n).count(gram) for gram in set(_grams(a, n))) / len(_grams(a, n))),
        Mistake("each once", "A `set` counts each n-gram once. One that is rightly said twice counts twice.",
            lambda a, b, n: len(set(_grams(a, n)) & set(_grams(b, n))) / len(set(_grams(a, n))),
            lambda a, b, n: len(set(_grams(a, n)) & set(_grams(b, n))) / len(_grams(a, n))),
        Mistake("recall", "You divide by the n-grams of the reference. That is recall; precision divides by the n-grams that were said.",
            lambda a, b, n: _shared(a, b, n) / len(_grams(b, n))),
        Mistake("divided by words", "You divide by the number of words. A sentence of L words has L - n + 1 n-grams, runs of n words.",
            lambda a, b, n: _shared(a, b, n) / len(a)),
        Mistake("divided by the longer", "You divide by the longer of the two. Precision asks about what was *said*, however long the "
            "reference is.", lambda a, b, n: _shared(a, b, n) / max(len(_grams(a, n)), len(_grams(b, n))),
            lambda a, b, n: _shared(a, b, n) / max(len(a), len(b))),
        Mistake("place by place", "You compare place by place. An n-gram may stand anywhere in the reference.",
            lambda a, b, n: sum(x == y for x, y in zip(_grams(a, n), _grams(b, n), strict=False)) / len(_grams(a, n))),
        Mistake("single words", "Those are single words. Asked for are n-grams, runs of `n` words.",
            lambda a, b, n: _shared(a, b, 1) / len(a)),
        Mistake("not divided", "That is how many. Asked for is their share of all n-grams that were said.",
            lambda a, b, n: _shared(a, b, n)),
        Mistake("order lost", "Right, but for the order within an n-gram: “dog bites” is not “bites dog”. Keep each as a tuple, "
            "unsorted.", lambda a, b, n: _shared_as(a, b, n, lambda gram: tuple(sorted(gram)))),
        Mistake("joined to text", "Your n-grams lose where a word ends: 1, 11 and 11, 1 are two different ones. Keep each as a tuple.",
            lambda a, b, n: _shared_as(a, b, n, lambda gram: "".join(map(str, gram))), lambda a, b, n: _shared_as(a, b, n, sum)),
        Mistake("one n-gram too few", "The last n-gram is missing: a sentence of L words has L - n + 1 of them, so `range(len(said) - n "
            "+ 1)`.",
            lambda a, b, n: _shared(a[:-1], b[:-1], n) / max(len(a) - n, 1)),
    ),
    hints=(
        "How many n-grams (runs of n words) has a sentence of L words? `collections.Counter` counts them.",
        "`tuple(said[i : i + n])` for i from 0 to len(said) - n. `&` of two Counters keeps the smaller count of each n-gram.",
        "With `def grams(words): return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))` (and "
        "`from collections import Counter` above it): `(grams(said) & grams(reference)).total() / max(grams(said).total(), 1)`",
    ),
)  # fmt: skip


def bleu_from(precisions: Sequence[float], c: int, r: int) -> float:
    """BLEU, from 0 to 100: 100 · min(1, exp(1 - r/c)) · (p_1 p_2 p_3 p_4)^(1/4).

    p_n is the precision of the n-grams; c words were said, and the reference has r. Where a p_n is 0, BLEU is 0.

    Papineni, Roukos, Ward, Zhu (2002).
    """
    brevity = min(1, math.exp(1 - r / c))
    return 100 * brevity * math.prod(precisions) ** (1 / 4)


def _mean_of(p: Sequence[float]) -> float:
    return math.prod(p) ** (1 / len(p))


bleu = Exercise(
    name="bleu",
    chapter="ch04",
    objective="search",
    answer="my_bleu",
    gives="one number from 0 to 100",
    cases=(([0.9, 0.7, 0.5, 0.4], 18, 20), ([0.8, 0.6, 0.5, 0.3], 24, 20), ([1.0, 0.9, 0.85, 0.8], 5, 12)),
    edges=(
        ([0.8, 0.6, 0.5, 0.3], 20, 20), ([1.0, 1.0, 1.0, 1.0], 20, 20), ([0.5, 0.4, 0.3, 0.2], 1, 9),
        ([0.9, 0.5, 0.2, 0.0], 18, 20), ([0.0, 0.0, 0.0, 0.0], 30, 20), ([0.5, 0.3, 0.2, 0.001], 30, 20),
    ),
    solution_function=bleu_from,
    mistakes=(
        Mistake("ordinary mean", "You take the ordinary mean of the precisions. BLEU takes the geometric one: the fourth root of their "
            "product.", lambda p, c, r: 100 * min(1.0, math.exp(1 - r / c)) * sum(p) / len(p)),
        Mistake("no brevity penalty", "The brevity penalty is missing. Without it a single word that is surely right "
            "would be the best translation.", lambda p, c, r: 100 * _mean_of(p)),
        Mistake("r and c exchanged", "r and c are exchanged: yours punishes what is too *long*. Precision does that already.",
            lambda p, c, r: 100 * min(1.0, math.exp(1 - c / r)) * _mean_of(p)),
        Mistake("bonus for length", "A long translation gets a bonus here. The penalty is at most 1: `min(1, …)`.",
            lambda p, c, r: 100 * math.exp(1 - r / c) * _mean_of(p)),
        Mistake("c/r", "The penalty is exp(1 - r/c), not c/r.", lambda p, c, r: 100 * min(1.0, c / r) * _mean_of(p)),
        Mistake("no root", "That is the product of the precisions. Take its fourth root.",
            lambda p, c, r: 100 * min(1.0, math.exp(1 - r / c)) * math.prod(p)),
        Mistake("from 0 to 1", "From 0 to 100, please: multiply by 100.", lambda p, c, r: min(1.0, math.exp(1 - r / c)) * _mean_of(p)),
        Mistake("p_1 alone", "That is the precision of single words, p_1. The n-grams of two, three and four words count as well.",
            lambda p, c, r: 100 * min(1.0, math.exp(1 - r / c)) * p[0]),
        Mistake("penalty within the root", "The brevity penalty stands outside the fourth root.",
            lambda p, c, r: 100 * (min(1.0, math.exp(1 - r / c)) * math.prod(p)) ** (1 / 4)),
        Mistake("a precision of 0 lifted", "Where a precision is 0, so is the product, and BLEU: you put a small number in its place.",
            *(lambda p, c, r, least=least: 100 * min(1.0, math.exp(1 - r / c)) * _mean_of([max(q, least) for q in p])
              for least in (1e-9, 1e-6, 1e-4)),
            lambda p, c, r: 100 * min(1.0, math.exp(1 - r / c)) * _mean_of([q + 1e-9 for q in p])),
        Mistake("a precision of 0 left out", "Where a precision is 0, so is the product, and BLEU: you leave it out of the mean.",
            lambda p, c, r: 100 * min(1.0, math.exp(1 - r / c)) * _mean_of([q for q in p if q] or [0.0])),
    ),
    hints=(
        "Two factors: one for what was said, the precisions of the n-grams for n = 1 to 4, and one for what may be missing, the lengths.",
        "The first is the fourth root of a product (by logarithms you would have to ask what happens where a precision is 0); the "
        "second is at most 1.",
        "`import math`, then `return 100 * min(1, math.exp(1 - r / c)) * math.prod(precisions) ** 0.25`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------- beam search


def best_continuations(
    log_p: Float[Array, " beam"], following: Float[Array, "beam vocab"], size: int
) -> Int[Array, "2 {size}"]:
    """One step of beam search: which beginning (by its row), and which word after it, for the `size` most probable of all.

    `log_p[b]` is that of a beginning, `following[b, y]` that of word y after it. The most probable comes first.
    """
    total = log_p[:, None] + following
    best = jnp.argsort(-total.reshape(-1))[:size]
    return jnp.stack([best // total.shape[1], best % total.shape[1]])


def _ranked(total: Array, size: int, width: int) -> Array:
    best = jnp.argsort(-total.reshape(-1))[:size]
    return jnp.stack([best // width, best % width])


beam_step = Exercise(
    name="beam_step",
    chapter="ch04",
    objective="search",
    answer="my_beam_step",
    gives="two rows, beginnings and words: `[2, size]`",
    cases=(
        (jnp.array([-0.5, -1.0]), _log_p(2, 3), 2),
        (jnp.array([-2.0, -0.3, -4.0]), _log_p(3, 5), 3),
        (jnp.array([-1.0, -1.2, -1.1, -0.9]), _log_p(4, 6), 4),
    ),
    edges=(
        (jnp.array([-0.5, -1.0, -0.7]), _log_p(3, 5), 2), (jnp.array([-0.5, -1.0]), _log_p(2, 5), 4),
        (jnp.array([0.0]), _log_p(1, 5), 3), (jnp.array([-0.5, -0.6]), _log_p(2, 4), 1), (jnp.array([-0.5, -0.6]), _log_p(2, 3), 6),
        (jnp.array([-0.1, -50.0]), _log_p(2, 6), 2), (jnp.array([-0.3, -0.5, -0.4, -0.6]), _log_p(4, 2), 4),
    ),
    solution_function=best_continuations,
    mistakes=(
        Mistake("next word alone", "You rank the next words alone. What counts is the whole sentence: add `log_p` of its beginning.",
            lambda p, q, k: _ranked(q, k, q.shape[1])),
        Mistake("every beginning kept", "You keep every beginning and give each its best word. "
            "The best continuations may all come from one beginning; compare all of them.",
            lambda p, q, k: jnp.stack([jnp.arange(len(p)), q.argmax(1)]), lambda p, q, k: jnp.stack([jnp.argsort(-(p + q.max(1)))[:k],
            q.argmax(1)[jnp.argsort(-(p + q.max(1)))[:k]]])),
        Mistake("logarithms multiplied", "Probabilities are multiplied, so their logarithms are *added*.",
            lambda p, q, k: _ranked(p[:, None] * q, k, q.shape[1]), lambda p, q, k: _ranked(-p[:, None] * q, k, q.shape[1])),
        Mistake("rows exchanged", "The two rows are exchanged: first the beginning, then the word.",
            lambda p, q, k: best_continuations(p, q, k)[::-1]),
        Mistake("least probable", "Those are the *least* probable. `argsort` puts the smallest first.",
            lambda p, q, k: _ranked(-(p[:, None] + q), k, q.shape[1])),
        Mistake("best last", "The most probable comes first; yours comes last.", lambda p, q, k: best_continuations(p, q, k)[:, ::-1]),
        Mistake("as many as beginnings", "You keep as many continuations as there were beginnings. Asked for are `size` of them, which may "
            "be more or fewer (after the first step there is one beginning only).", lambda p, q, k: best_continuations(p, q, len(p))),
        Mistake("divided by the beginnings", "Row and column are mixed up: in the flattened table each beginning takes as many places "
            "as there "
            "are *words*. Divide by `following.shape[1]`.", lambda p, q, k: _ranked(p[:, None] + q, k, q.shape[0])),
        Mistake("best words of all rows", "You look only at each beginning's `size` best words, in the wrong places. Rank all "
            "continuations "
            "of all beginnings in one list.", lambda p, q, k: _ranked((p[:, None] + jnp.sort(q, axis=1)[:, ::-1]), k, q.shape[1])),
        Mistake("flattened", "Those are places in the flattened table. Return beginning and word of each: place // V and place % V.",
            lambda p, q, k: jnp.argsort(-(p[:, None] + q).reshape(-1))[:k]),
        Mistake("a row for each", "You return a row for each sentence. Asked for are two rows, beginnings and words.",
            lambda p, q, k: best_continuations(p, q, k).T),
    ),
    hints=(
        "How many continuations are there in all, and what is log p of each?",
        "`total = log_p[:, None] + following`, `[beam, vocab]`. Flatten it, sort it, keep the best `size`, and find row and column "
        "of each again.",
        "`best = jnp.argsort(-total.reshape(-1))[:size]`, then `jnp.stack([best // V, best % V])` with V = following.shape[1].",
    ),
)  # fmt: skip

ALL = (teacher, greedy, precision, bleu, beam_step)

__all__ = ["ALL", "beam_step", "bleu", "greedy", "precision", "teacher"]
