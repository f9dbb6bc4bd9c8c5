"""Where the heads of a reader look, and which of them its answer needs."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..data.agreement import Agreement
from .agreement import verb_margin
from .run import apply


class Looks(NamedTuple):
    """Mean weight that each head gives, at the last word before the verb: `[layers, heads]`."""

    subject: Float[np.ndarray, "layers heads"]
    between: Float[np.ndarray, "layers heads"]  # the nouns between subject and verb, together
    itself: Float[np.ndarray, "layers heads"]  # the word that asks
    even: float  # the subject's weight, were all words before the verb looked at alike


def subject_weights(model: Any, corpus: Agreement, batch: int = 250) -> Float[np.ndarray, "n layers heads"]:
    """The weight that every head gives the subject at the last word before the verb, for each sentence."""
    return np.concatenate([_at(model, corpus, low, batch)[0] for low in range(0, len(corpus.number), batch)])


def looks(model: Any, corpus: Agreement, nouns: Any, batch: int = 250) -> Looks:
    """Where the heads look when the verb is due. `nouns`: `[n, time]`, True where a noun stands."""
    found = []
    for low in range(0, len(corpus.number), batch):
        on_subject, weights = _at(model, corpus, low, batch)
        rows = slice(low, low + batch)
        place = np.arange(corpus.tokens.shape[1])
        subject, verb = (np.asarray(a)[rows][:, None] for a in (corpus.subject, corpus.verb))
        between = np.asarray(nouns)[rows] & (place > subject) & (place < verb)
        itself = place == verb - 1
        found.append([on_subject, *(np.einsum("nlht,nt->nlh", weights, mask) for mask in (between, itself))])
    subject, between, itself = (np.concatenate(parts).mean(0) for parts in zip(*found, strict=True))
    return Looks(subject, between, itself, float((1 / np.asarray(corpus.verb)).mean()))


def _at(model: Any, corpus: Agreement, low: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights on the subject `[n, layers, heads]`, and on every word `[n, layers, heads, time]`, where the verb is due."""
    rows = slice(low, low + batch)
    weights = np.moveaxis(apply(model, _weights, corpus.tokens[rows], corpus.verb[rows] - 1), 0, 1)
    n = np.arange(len(weights))
    return weights[n, :, :, np.asarray(corpus.subject[rows])], weights


def _weights(model: Any, tokens: Any, at: Any) -> Any:
    weights = model.look(tokens)[1]
    return jnp.take_along_axis(weights, at[None, :, None, None, None], axis=3)[:, :, :, 0]


def without(model: Any, corpus: Agreement, keep: Any, batch: int = 500) -> float:
    """Share of the sentences whose verb a language model puts in the right number, each head's finding times `keep` `[layers, heads]`."""
    right = []
    for low in range(0, len(corpus.number), batch):
        rows = slice(low, low + batch)
        margin = apply(model, _margin, corpus.tokens[rows], corpus.verb[rows] - 1, jnp.asarray(keep, jnp.float32))
        right.append(margin * (2 * np.asarray(corpus.number[rows]) - 1) > 0)
    return float(np.concatenate(right).mean())


def _margin(model: Any, tokens: Any, at: Any, keep: Any) -> Any:
    logits = model.look(tokens, keep)[0]
    return verb_margin(jnp.take_along_axis(logits, at[:, None, None], axis=1)[:, 0])
