"""Exercises of notebook 04."""

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


def shifted(words: Int[Array, "batch target"]) -> Int[Array, "two batch shorter"]:
    """What a decoder reads and what it is to say, from `<bos> y_1 … y_n <eos>`: all but the last word, all but the first."""
    return jnp.stack([words[:, :-1], words[:, 1:]])


_sentences = jnp.array([[1, 7, 5, 2, 0], [1, 9, 8, 6, 2]])

teacher = Exercise(
    name="teacher",
    chapter="ch04",
    objective="model",
    cases=((_sentences[:1, :4],), (_sentences,), (jnp.array([[1, 4, 4, 3, 2, 0, 0], [1, 2, 0, 0, 0, 0, 0]]),)),
    solution_function=shifted,
    mistakes=(
        Mistake(lambda w: jnp.stack([w, w]), "Reading and saying are the same words here: the decoder would be shown the very "
            "word that it is to say. At each step it reads the word *before*."),
        Mistake(lambda w: jnp.stack([w[:, 1:], w[:, :-1]]), "The two are exchanged: your decoder reads a word and is to say "
            "the one before it."),
        Mistake(lambda w: jnp.stack([w[:, :-1], w[:, :-1]]), "What is to be said begins with `<bos>` here, and is what was "
            "read. It begins with the first word: `words[:, 1:]`."),
        Mistake(lambda w: jnp.stack([w[:, 1:], w[:, 1:]]), "What is read begins with the first word here. It begins with "
            "`<bos>`: `words[:, :-1]`."),
        Mistake(lambda w: jnp.stack([w[:-1], w[1:]]), "You cut the first axis, which counts the sentences. Time is the second: "
            "`words[:, :-1]`."),
        Mistake(lambda w: jnp.stack([w[:, :-2], w[:, 2:]]), "Two words are skipped at each step. The word to be said is the "
            "one right after the word that is read."),
        Mistake(lambda w: jnp.stack([w, jnp.roll(w, -1, axis=1)]), "`roll` brings `<bos>` back in at the end, as a word to be "
            "said. Leave the last place out."),
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


greedy = Exercise(
    name="greedy",
    chapter="ch04",
    objective="search",
    cases=((_chain((3, 2, 4), 5), 4), (_chain((5, 3, 4, 2, 3), 6), 6), (_chain((3, 5, 3), 6), 5)),
    solution_function=most_probable,
    mistakes=(
        Mistake(lambda p, n: jnp.array(_walk(p, n, end=-1)), "You go on after word 2. The end mark ends the sentence; behind "
            "it there is only padding, 0."),
        Mistake(lambda p, n: jnp.array(_walk(p.T, n)), "You read columns. Row y of `log_p` holds the probabilities of what "
            "comes after y."),
        Mistake(lambda p, n: jnp.array([1, *_walk(p, n)][:n]), "The first word that returns should be the one *after* the "
            "beginning: leave word 1 out."),
        Mistake(lambda p, n: jnp.array(_without_end(p, n)), "The end mark is missing. It is a word that the model must say."),
        Mistake(lambda p, n: jnp.array(_walk(p, n, pick=lambda row: int(row.argmin()))), "You take the *least* probable word. "
            "log p is negative; the most probable word has the largest."),
        Mistake(lambda p, n: jnp.array(_walk(p, n, first=0)), "You begin with word 0, the padding. A sentence begins with word 1."),
        Mistake(lambda p, n: p.argmax(-1)[:n], "Those are the best words after word 0, 1, 2 … Asked for is a walk: the word "
            "found is the row of the next step."),
    ),
    hints=(
        "A loop. What does it have to remember from step to step, and when does it end?",
        "Keep the last word. `log_p[word].argmax()` is the next; stop after word 2, and fill up with 0.",
        "`while len(found) < longest and word != 2: word = int(log_p[word].argmax()); found.append(word)`, beginning with "
        "`word = 1`; then `return jnp.array(found + [0] * (longest - len(found)))`.",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------------ BLEU


def clipped_precision(said: Sequence[int], reference: Sequence[int], n: int) -> float:
    """p_n: share of the n-grams (runs of `n` words) that the reference has too, each counted at most as often as it comes there."""

    def grams(words: Sequence[int]) -> Counter:
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    # a sentence of fewer than n words has no n-gram
    return (grams(said) & grams(reference)).total() / max(grams(said).total(), 1)


def _grams(words: Sequence[int], n: int) -> list[tuple[int, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _shared(a: Sequence[int], b: Sequence[int], n: int) -> int:
    return (Counter(_grams(a, n)) & Counter(_grams(b, n))).total()


precision = Exercise(
    name="precision",
    chapter="ch04",
    objective="search",
    cases=(
        ([4, 4, 4, 4], [4, 5, 4, 6, 7], 1), ([4, 5, 6, 9, 4, 5], [4, 5, 6, 7, 4, 8, 9], 2), ([4, 5, 4, 5, 4, 8], [5, 4, 5, 4, 9, 4, 8], 3),
    ),
    solution_function=clipped_precision,
    mistakes=(
        Mistake(lambda a, b, n: sum(gram in _grams(b, n) for gram in _grams(a, n)) / len(_grams(a, n)), "You count an n-gram each time "
            "it is said, however often the reference has it: “the the the the” would score 1. Count it at most as often as it "
            "comes in the reference."),
        Mistake(lambda a, b, n: len(set(_grams(a, n)) & set(_grams(b, n))) / len(set(_grams(a, n))), "A `set` counts each n-gram once. "
            "One that is rightly said twice counts twice."),
        Mistake(lambda a, b, n: _shared(a, b, n) / len(_grams(b, n)), "You divide by the n-grams of the reference. That is "
            "recall; precision divides by the n-grams that were said."),
        Mistake(lambda a, b, n: _shared(a, b, n) / len(a), "You divide by the number of words. A sentence of L words has L - n + 1 "
            "n-grams, runs of n words."),
        Mistake(lambda a, b, n: sum(x == y for x, y in zip(_grams(a, n), _grams(b, n), strict=False)) / len(_grams(a, n)), "You "
            "compare place by place. An n-gram may stand anywhere in the reference."),
        Mistake(lambda a, b, n: _shared(a, b, 1) / len(a), "Those are single words. Asked for are n-grams, runs of `n` words."),
        Mistake(lambda a, b, n: _shared(a, b, n), "That is how many. Asked for is their share of all n-grams that were said."),
    ),
    hints=(
        "How many n-grams (runs of n words) has a sentence of L words? `collections.Counter` counts them.",
        "`tuple(said[i : i + n])` for i from 0 to len(said) - n. `&` of two Counters keeps the smaller count of each n-gram.",
        "`shared = (Counter(n-grams of said) & Counter(n-grams of reference)).total()`, divided by the number of n-grams of `said`.",
    ),
)  # fmt: skip


def bleu_from(precisions: Sequence[float], c: int, r: int) -> float:
    """BLEU, from 0 to 100: 100 · min(1, exp(1 - r/c)) · (p_1 p_2 p_3 p_4)^(1/4).

    p_n is the precision of the n-grams; c words were said, and the reference has r.

    Papineni, Roukos, Ward, Zhu (2002).
    """
    brevity = min(1.0, math.exp(1 - r / c))
    return 100 * brevity * math.prod(precisions) ** (1 / len(precisions))


def _mean_of(p: Sequence[float]) -> float:
    return math.prod(p) ** (1 / len(p))


bleu = Exercise(
    name="bleu",
    chapter="ch04",
    objective="search",
    cases=(([0.9, 0.7, 0.5, 0.4], 18, 20), ([0.8, 0.6, 0.5, 0.3], 24, 20), ([1.0, 0.9, 0.85, 0.8], 5, 12)),
    solution_function=bleu_from,
    mistakes=(
        Mistake(lambda p, c, r: 100 * min(1.0, math.exp(1 - r / c)) * sum(p) / len(p), "You take the ordinary mean of the "
            "precisions. BLEU takes the geometric one: the fourth root of their product."),
        Mistake(lambda p, c, r: 100 * _mean_of(p), "The brevity penalty is missing. Without it a single word that is surely right "
            "would be the best translation."),
        Mistake(lambda p, c, r: 100 * min(1.0, math.exp(1 - c / r)) * _mean_of(p), "r and c are exchanged: yours punishes what is "
            "too *long*. Precision does that already."),
        Mistake(lambda p, c, r: 100 * math.exp(1 - r / c) * _mean_of(p), "A long translation gets a bonus here. The penalty is at "
            "most 1: `min(1, …)`."),
        Mistake(lambda p, c, r: 100 * min(1.0, c / r) * _mean_of(p), "The penalty is exp(1 - r/c), not c/r."),
        Mistake(lambda p, c, r: 100 * min(1.0, math.exp(1 - r / c)) * math.prod(p), "That is the product of the precisions. Take its "
            "fourth root."),
        Mistake(lambda p, c, r: min(1.0, math.exp(1 - r / c)) * _mean_of(p), "From 0 to 100, please: multiply by 100."),
        Mistake(lambda p, c, r: 100 * min(1.0, math.exp(1 - r / c)) * p[0], "That is the precision of single words, p_1. "
            "The n-grams of two, three and four words count as well."),
    ),
    hints=(
        "Two factors: one for what was said, the precisions of the n-grams for n = 1 to 4, and one for what may be missing, the lengths.",
        "`math.prod(precisions) ** (1 / 4)` and `min(1, math.exp(1 - r / c))`.",
        "`return 100 * min(1, math.exp(1 - r / c)) * math.prod(precisions) ** 0.25`",
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------- beam search


def best_continuations(
    log_p: Float[Array, " beam"], following: Float[Array, "beam vocab"], size: int
) -> Int[Array, "two size"]:
    """One step of beam search: which beginning (by its row), and which word after it, for the `size` most probable of all.

    `log_p[b]` is that of a beginning, `following[b, y]` that of word y after it. The most probable comes first.
    """
    total = (log_p[:, None] + following).reshape(-1)
    best = jnp.argsort(-total)[:size]
    return jnp.stack([best // following.shape[1], best % following.shape[1]])


def _ranked(total: Array, size: int, width: int) -> Array:
    best = jnp.argsort(-total.reshape(-1))[:size]
    return jnp.stack([best // width, best % width])


beam_step = Exercise(
    name="beam_step",
    chapter="ch04",
    objective="search",
    cases=(
        (jnp.array([-0.5, -1.0]), _log_p(2, 3), 2),
        (jnp.array([-2.0, -0.3, -4.0]), _log_p(3, 5), 3),
        (jnp.array([-1.0, -1.2, -1.1, -0.9]), _log_p(4, 6), 4),
    ),
    solution_function=best_continuations,
    mistakes=(
        Mistake(lambda p, q, k: _ranked(q, k, q.shape[1]), "You rank the next words alone. What counts is the whole sentence: add "
            "`log_p` of its beginning."),
        Mistake(lambda p, q, k: jnp.stack([jnp.arange(k), q.argmax(1)[:k]]), "You keep every beginning and give each its best word. "
            "The best continuations may all come from one beginning; compare all of them."),
        Mistake(lambda p, q, k: _ranked(p[:, None] * q, k, q.shape[1]), "Probabilities are multiplied, so their logarithms are *added*."),
        Mistake(lambda p, q, k: best_continuations(p, q, k)[::-1], "The two rows are exchanged: first the beginning, then the word."),
        Mistake(lambda p, q, k: _ranked(-(p[:, None] + q), k, q.shape[1]), "Those are the *least* probable. `argsort` puts the "
            "smallest first."),
        Mistake(lambda p, q, k: best_continuations(p, q, k)[:, ::-1], "The most probable comes first; yours comes last."),
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
