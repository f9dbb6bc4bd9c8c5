"""Held, not merely remembered: what happens to the verb as the state at the subject is moved over to that of its twin."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..data.agreement import Agreement
from ..models.fast import unroll
from ..models.run import apply
from ..models.sequence import RecurrentLanguageModel
from ..runtime import require
from .agreement import verb_margin


def between_twins(
    model: RecurrentLanguageModel, corpus: Agreement, weights: Float[np.ndarray | Array, " steps"], least: int = 20
) -> Float[np.ndarray, "steps n"]:
    """log p(forms of the subject's number) - log p(forms of the other), when the sentence is read on from a mixed state.

    At the subject the state is (1 - w) s + w s', with s' the state of the twin sentence, whose subject has the other
    number; from there on both read the same words. Sentences of distance `least` and more, for each weight w.
    """
    far = np.flatnonzero(np.asarray(corpus.distance) >= max(least, 2))
    require(len(far), f"No sentence has a distance of {least} or more.")
    rows = jax.tree.map(lambda a: a[far], corpus)
    margins = apply(model, _margins, rows, rows.twins(), jnp.asarray(weights, jnp.float32))
    return margins * (2 * np.asarray(rows.number) - 1)


def _margins(
    model: RecurrentLanguageModel, corpus: Agreement, twins: Agreement, weights: Float[Array, " steps"]
) -> Float[Array, "steps n"]:
    place = jnp.arange(corpus.tokens.shape[1])
    upto = place <= corpus.subject[:, None]
    after = (place > corpus.subject[:, None]) & (place < corpus.verb[:, None])
    inputs = model.embed(corpus.tokens)
    _, own = unroll(model.cell, inputs, upto)
    _, other = unroll(model.cell, model.embed(twins.tokens), upto)

    def one(w):
        mixed = jax.tree.map(lambda a, b: (1 - w) * a + w * b, own, other)
        _, last = unroll(model.cell, inputs, after, start=mixed)
        return verb_margin(model.head(model.cell.output(last)))

    return jax.lax.map(one, weights)
