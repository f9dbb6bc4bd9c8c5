"""How well a model makes a verb agree with its subject."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Shaped

from ..data.agreement import (
    ADJECTIVES,
    AGREEING,
    MANNER,
    NOUNS,
    PAST,
    PLACE,
    PREDICATES,
    PREPOSITIONS,
    Agreement,
    vocabulary,
)
from ..data.batching import pad
from ..models.interfaces import LanguageModel, Reader
from ..models.run import apply, logits
from ..models.sequence import SequenceClassifier
from ..runtime import require


def right(model: Reader, corpus: Agreement, batch: int = 500) -> Bool[np.ndarray, " n"]:
    """Whether a classifier of the words before the verb gives the right number, for each sentence."""
    asked = corpus.asked()
    answers = []
    for low in range(0, len(asked.labels), batch):
        rows = slice(low, low + batch)
        answers.append(apply(model, logits, asked.tokens[rows], asked.mask[rows]).argmax(-1))
    return np.concatenate(answers) == np.asarray(asked.labels)


def verb_margin(logits: Float[Array | np.ndarray, "n vocab"]) -> Float[Array, " n"]:
    """log p(*were* or *are*) - log p(*was* or *is*), from scores for every word. Can be compiled and differentiated."""
    vocab = vocabulary()
    forms = jnp.array([[vocab[pair[number]] for pair in AGREEING] for number in (0, 1)])  # [number, form]
    singular, plural = jnp.moveaxis(jax.nn.logsumexp(logits[:, forms], axis=-1), 1, 0)
    return plural - singular


def _number_margin(model: LanguageModel, corpus: Agreement, batch: int) -> Float[np.ndarray, " n"]:
    """log p(verb forms of the right number) - log p(forms of the wrong one) at the last word before the verb."""
    margins = []
    for low in range(0, len(corpus.number), batch):
        rows = slice(low, low + batch)
        scores = apply(model, logits, corpus.tokens[rows], corpus.mask[rows])
        at = scores[np.arange(len(scores)), np.asarray(corpus.verb[rows]) - 1]
        margins.append(np.asarray(verb_margin(at)) * (2 * np.asarray(corpus.number[rows]) - 1))
    return np.concatenate(margins)


def prefers(model: LanguageModel, corpus: Agreement, batch: int = 500) -> Bool[np.ndarray, " n"]:
    """Whether a model of the next word gives the verb forms of the right number more probability, for each sentence.

    The model is at the last word before the verb and has been told nothing but words; what it gives to *was*
    and *is* together is compared with what it gives to *were* and *are*. A tie counts as wrong.
    """
    return _number_margin(model, corpus, batch) > 0


def number_loss(model: LanguageModel, corpus: Agreement, batch: int = 500) -> float:
    """What not knowing the verb's number costs a model of the next word, in nats a sentence: mean of

        - log [ p(right forms) / (p(right forms) + p(wrong forms)) ]

    at the last word before the verb. Guessing costs log 2.
    """
    return float(np.logaddexp(0, -_number_margin(model, corpus, batch)).mean())


def by_distance(
    hits: Shaped[np.ndarray | Array, " n"], corpus: Agreement, edges: tuple[int, ...]
) -> tuple[Float[np.ndarray, " bins"], Float[np.ndarray, " bins"]]:
    """Accuracy within bins of distance: the middle of each bin, and the share of `hits` in it.

    Bin i holds distances edges[i] … edges[i+1] - 1; a bin without sentences gives NaN.
    """
    require(len(edges) >= 2 and list(edges) == sorted(set(edges)), f"edges must increase, not {edges}.")
    distance, hits = np.asarray(corpus.distance), np.asarray(hits, float)
    low, high = np.array(edges[:-1]), np.array(edges[1:])
    inside = (distance >= low[:, None]) & (distance < high[:, None])
    with np.errstate(invalid="ignore", divide="ignore"):
        return (low + high - 1) / 2, np.where(inside, hits, 0).sum(1) / inside.sum(1)


def by_attractors(
    hits: Bool[np.ndarray, " n"], corpus: Agreement, counts: tuple[int, ...] = (0, 1, 2, 3, 4), least: int = 13
) -> Float[np.ndarray, " counts"]:
    """Accuracy by number of nouns between subject and verb, over distances of `least` and more, where any number fits."""
    between, far = np.asarray(corpus.attractors), np.asarray(corpus.distance) >= least
    return np.array([np.asarray(hits)[far & (between == count)].mean() for count in counts])


class Reading(NamedTuple):
    """What a classifier believes after each word of one sentence."""

    words: list[str]
    plural: Float[np.ndarray, " time"]  # probability that the subject is plural


def read(model: SequenceClassifier, sentence: str) -> Reading:
    """Feed one sentence, word by word, to a classifier of number.

    Unknown words raise `UnknownWords` and an empty sentence `InvalidInput`, each naming what is wrong.
    The sentence is padded to a multiple of 16, so that a longer one seldom compiles again.
    """
    vocab = vocabulary()
    indices = vocab.read(sentence)
    tokens, mask = pad([indices], length=-(-len(indices) // 16) * 16)
    plural = apply(model, _plural, tokens, mask)[0, 1 : len(indices)]
    return Reading([vocab.words[i] for i in indices[1:]], plural)


def _plural(
    model: SequenceClassifier, tokens: Int[Array, "n time"], mask: Bool[Array, "n time"]
) -> Float[Array, "n time"]:
    return jax.nn.softmax(model.every_step(tokens, mask))[..., 1]


def nouns(words: list[str]) -> list[tuple[int, int]]:
    """Position and number (0 singular, 1 plural) of every noun in a list of words."""
    number = {form: n for pair in NOUNS for n, form in enumerate(pair)}
    return [(i, number[word]) for i, word in enumerate(words) if word in number]


# ------------------------------------------------------------------------------------------- what a model has written

Verdict = Literal["no sentence", "unfinished", "wrong verb", "right verb"]
KINDS = {
    "D": ("the",), "T": ("that",), "C": ("and",), "P": PREPOSITIONS, "A": ADJECTIVES, "V": PAST, "M": MANNER, "L": PLACE,
    "Q": PREDICATES, "N": tuple(word for pair in NOUNS for word in pair), "B": tuple(word for pair in AGREEING for word in pair),
}  # fmt: skip
_VERB = "VM?L?(?:PDA?N)*"
GRAMMAR = re.compile(f"(?:PDA?N)?DA?NL?(?:PDA?N)*(?:T{_VERB}(?:C{_VERB})*)?BQ")
BEGUN = re.compile(  # it may yet become one
    f"(?:PDA?N|P(?=$)|PD(?=$)|PDA(?=$))?(?:D|DA|DA?NL?(?:PDA?N)*(?:T{_VERB}(?:C{_VERB})*)?(?:B|C|T|PD?A?)?)?"
)
SUBJECT = re.compile("(?:PDA?N)?DA?N")


def judge(words: Sequence[str]) -> Verdict:
    """Whether words are a sentence of the corpus's grammar, and whether its verb agrees with its subject."""
    kind_of = {word: kind for kind, members in KINDS.items() for word in members}
    kinds = "".join(kind_of.get(word, "?") for word in words)
    if not GRAMMAR.fullmatch(kinds):
        return "unfinished" if BEGUN.fullmatch(kinds) else "no sentence"
    begun = SUBJECT.match(kinds)
    assert begun is not None
    subject, verb = words[begun.end() - 1], words[kinds.index("B")]
    plural = subject in {pair[1] for pair in NOUNS}
    return "right verb" if plural == (verb in {pair[1] for pair in AGREEING}) else "wrong verb"
