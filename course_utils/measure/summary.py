"""What a fixed context vector keeps of each source word: by a linear probe, and by gradient."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..data.batching import Parallel
from ..models.run import apply
from ..models.seq2seq import Translator
from ..runtime import require
from .probe import linear_probe


class Kept(NamedTuple):
    """Of each source position, counted from the beginning."""

    accuracy: Float[np.ndarray, " position"]  # words named right from c, by a linear probe
    chance: Float[np.ndarray, " position"]  # words named right by always naming the most frequent one there
    gradient: Float[np.ndarray, " position"]  # ‖∂c/∂x_t‖, mean over sentences


def kept(model: Translator, batch: Parallel, vocab: int, sensitivity: int = 64) -> Kept:
    """What `model`'s summary c holds of sentences that are all of one length (the end mark is not asked about).

        x̂_t = argmax (A_t c + b_t)        ‖∂c/∂v_t‖ = √ Σ_ke (∂c_k / ∂v_te)²,   v_t the vector of word t

    The probe is fitted on the first half of the sentences and tested on the second
    (`measure.probe.linear_probe`); the gradient is the mean Frobenius norm over the first `sensitivity` sentences. Sentences
    of different lengths raise `InvalidInput`.
    """
    lengths = np.asarray(batch.source_mask).sum(1)
    require(
        (lengths == lengths[0]).all(), "All sentences must be of one length, so that a position means the same in each."
    )
    length = int(lengths[0]) - 1
    words = jnp.asarray(batch.source)[:, :length].T
    summary = apply(model, _summary, batch.source, batch.source_mask)
    accuracy = np.asarray(linear_probe(jnp.asarray(summary), words, vocab)[0])
    first, last = np.split(np.asarray(words), [words.shape[1] // 2], axis=1)
    chance = [(tested == np.bincount(fitted).argmax()).mean() for fitted, tested in zip(first, last, strict=True)]
    norms = apply(model, _sensitivity, batch.source[:sensitivity], batch.source_mask[:sensitivity])
    return Kept(accuracy, np.array(chance), norms.mean(0)[:length])


def _summary(model: Translator, source: Int[Array, "n source"], mask: Bool[Array, "n source"]) -> Float[Array, "n key"]:
    return model.encode(source, mask).summary


def _sensitivity(
    model: Translator, source: Int[Array, "n source"], mask: Bool[Array, "n source"]
) -> Float[Array, "n source"]:
    """‖∂c/∂x_t‖ of every sentence."""

    def of_one(inputs, mask):
        jacobian = jax.jacrev(lambda x: model.read(x[None], mask[None]).summary[0])(inputs)  # key, source, embed
        return jnp.sqrt((jacobian**2).sum((0, 2)))

    return jax.lax.map(lambda pair: of_one(*pair), (model.embed_source(source), mask))
