"""Twin sentences, which differ in the number of their subject alone: what the explorers of two chapters read."""

from ..data.agreement import vocabulary
from ..data.batching import Padded, pad

SUBJECT = ("cat", "cats")
TWINS = {
    "short": "the {} was hungry",
    "a relative clause": "the {} that slept quietly there was hungry",
    "another noun between": "the {} that slept quietly beside the old horses was hungry",
    "two nouns between": "the {} that slept beside the old horses and danced near the child was hungry",
}
SHOWN_FIRST = TWINS["another noun between"]


def twin_words(sentence: str) -> tuple[list[str], list[str]]:
    """The words before the verb of one of `TWINS`, with a singular and with a plural subject."""
    singular, plural = (sentence.split(" was ")[0].format(noun).split() for noun in SUBJECT)
    return singular, plural


def twin_rows(sentence: str) -> Padded:
    """The same as two rows of indices, after `<bos>`; all of one length, so that nothing compiles while one chooses."""
    vocab = vocabulary()
    return pad([[vocab.bos, *vocab.encode(" ".join(words))] for words in twin_words(sentence)], length=32)
