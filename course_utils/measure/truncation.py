"""How far a truncated gradient is from the full one, and how far a gradient reaches back."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, PyTree

from ..data.agreement import Agreement
from ..data.batching import Labelled
from ..models.interfaces import LanguageModel
from ..models.losses import cross_entropy
from ..models.recurrent import Truncated
from ..models.run import apply
from ..models.sequence import Recurrent, RecurrentLanguageModel, SequenceClassifier
from ..runtime import require_positive
from .agreement import verb_margin
from .gradients import state_gradients


class Bias(NamedTuple):
    """A truncated gradient beside the full one, over the same examples."""

    relative: float  # ‖g_k - g‖ / ‖g‖
    cosine: float  # of the angle between the two


def gradient_of(
    model: Recurrent, loss: Callable[..., tuple[Array, dict[str, Array]]], batch: PyTree, window: int | None = None
) -> Float[np.ndarray, " parameters"]:
    """The gradient of `loss(model, batch)` with respect to all parameters, as one vector; truncated to windows of `window` steps."""
    if window is not None:
        require_positive(window=window)
    gradient = _gradient(loss, *nnx.split(model, nnx.Param, ...), batch, window)
    return np.concatenate([np.asarray(leaf, np.float64).ravel() for leaf in jax.tree.leaves(gradient)])


@functools.partial(jax.jit, static_argnums=(0, 1))
def _gradient(loss, graphdef, params, rest, batch, window):
    def value(params):
        copy = nnx.merge(graphdef, params, rest)
        if window is not None:
            copy.cell = Truncated(copy.cell, window)
        return loss(copy, batch)[0]

    return jax.grad(value)(params)


def compare(truncated: Float[np.ndarray, " n"], full: Float[np.ndarray, " n"]) -> Bias:
    """Length of the difference as a share of the full gradient, and the cosine of the angle."""
    size = np.linalg.norm(full)
    return Bias(
        float(np.linalg.norm(truncated - full) / size),
        float(truncated @ full / (size * max(np.linalg.norm(truncated), 1e-300))),
    )


def verb_number(model: LanguageModel, corpus: Agreement) -> tuple[Array, dict[str, Array]]:
    """Mean of -log p(right verb forms) among all verb forms, at the last word before the verb: a loss for `gradient_of`."""
    logits = model(corpus.tokens, corpus.mask)
    return _number_losses(logits[jnp.arange(len(logits)), corpus.verb - 1], corpus).mean(), {}


def _number_losses(at_verb: Float[Array, "n vocab"], corpus: Agreement) -> Float[Array, " n"]:
    return -jax.nn.log_sigmoid(verb_margin(at_verb) * (2 * corpus.number - 1))


def gradient_to_subject(model: RecurrentLanguageModel, corpus: Agreement) -> Float[np.ndarray, " n"]:
    """How much of a gradient reaches the subject: ‖∂L/∂h_s‖ / ‖∂L/∂h_{v-1}‖ for each sentence.

    L is `verb_number`'s loss of that sentence, s the position of the subject and v that of the verb. Sentences whose
    verb follows the subject at once have the ratio 1.
    """
    norms = apply(model, _verb_gradients, corpus)
    rows = np.arange(len(norms))
    return norms[rows, np.asarray(corpus.subject)] / norms[rows, np.asarray(corpus.verb) - 1]


def _verb_gradients(model: RecurrentLanguageModel, corpus: Agreement) -> Float[Array, "n time"]:
    def loss(outputs, last):
        return _number_losses(model.head(outputs[jnp.arange(len(outputs)), corpus.verb - 1]), corpus).sum()

    return state_gradients(model.cell, model.embed(corpus.tokens), loss, corpus.mask)


def answer_gradients(model: SequenceClassifier, batch: Labelled) -> Float[np.ndarray, "batch time"]:
    """‖∂L/∂s_t‖ at every position of every sequence, L the cross-entropy of a classifier's answer."""
    return apply(model, _answer_gradients, batch)


def _answer_gradients(model: SequenceClassifier, batch: Labelled) -> Float[Array, "batch time"]:
    def loss(outputs, last):
        return len(batch.labels) * cross_entropy(model.head(last), batch.labels)

    return state_gradients(model.cell, model.embed(batch.tokens), loss, batch.mask)
