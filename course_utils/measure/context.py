"""How much of the past a language model uses: its loss as the context is cut, or shuffled, beyond k words.

After Khandelwal, He, Qi, Jurafsky (2018), *Sharp Nearby, Fuzzy Far Away: How Neural Language Models Use Context*.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..models.run import apply
from ..models.sequence import RecurrentLanguageModel, hidden_states
from ..runtime import require


class Context(NamedTuple):
    """Loss of the same words, each predicted from less and less."""

    sizes: tuple[int, ...]  # k: words of context left as they are
    losses: Float[np.ndarray, "sizes words"]  # nats, of every word

    @property
    def mean(self) -> Float[np.ndarray, " sizes"]:
        """Mean loss for each k."""
        return self.losses.mean(1)

    @property
    def more(self) -> tuple[Float[np.ndarray, " sizes"], Float[np.ndarray, " sizes"]]:
        """Mean loss above that of the largest k, and its standard error over words, which are the same for each k."""
        above = self.losses - self.losses[-1]
        return above.mean(1), above.std(1) / np.sqrt(above.shape[1])

    def effective(self, above: float = 0.01) -> int:
        """The smallest k from which on the loss stays within `above` nats of that of the largest."""
        near = self.more[0] <= above
        return self.sizes[len(near) - int(np.cumprod(near[::-1]).sum())]


def places(stream: Int[np.ndarray, " tokens"], count: int, context: int, seed: int = 0) -> Int[np.ndarray, " count"]:
    """Positions of words to be predicted, each with at least `context` words before it."""
    require(
        len(stream) > context + 1,
        f"The stream has {len(stream)} words, too few for a context of {context}.",
    )
    return np.random.default_rng(seed).integers(context, len(stream), count)


def cut(
    model: RecurrentLanguageModel,
    stream: Int[np.ndarray, " tokens"],
    at: Int[np.ndarray, " words"],
    sizes: Sequence[int],
) -> Context:
    """The loss of each word when the model starts afresh k words before it; `sizes` from small to large."""
    stream = np.asarray(stream)
    _check(at, sizes, max(sizes))
    rows = [_loss(model, stream[at[:, None] + np.arange(-k, 1)]) for k in sizes]
    return Context(tuple(sizes), np.array(rows))


def shuffled(
    model: RecurrentLanguageModel,
    stream: Int[np.ndarray, " tokens"],
    at: Int[np.ndarray, " words"],
    sizes: Sequence[int],
    context: int,
    seed: int = 0,
) -> Context:
    """The loss of each word from `context` words, of which all but the nearest k stand in random order."""
    require(max(sizes) <= context, f"Of {context} words the nearest {max(sizes)} cannot be kept.")
    _check(at, sizes, context)
    stream, rng = np.asarray(stream), np.random.default_rng(seed)
    whole = stream[at[:, None] + np.arange(-context, 1)]
    rows = []
    for k in sizes:
        far = whole[:, : context - k]
        mixed = np.take_along_axis(far, rng.random(far.shape).argsort(1), axis=1)
        rows.append(_loss(model, np.concatenate([mixed, whole[:, context - k :]], axis=1)))
    return Context(tuple(sizes), np.array(rows))


def _check(at: Int[np.ndarray, " words"], sizes: Sequence[int], context: int) -> None:
    require(list(sizes) == sorted(set(sizes)), f"sizes must rise, not {tuple(sizes)}.")
    require(np.min(at) >= context, f"Word {np.min(at)} has fewer than {context} words before it.")


def _loss(
    model: RecurrentLanguageModel, windows: Int[np.ndarray, "words time"], batch: int = 500
) -> Float[np.ndarray, " words"]:
    """Loss of the last word of each window, given those before it."""
    parts = [apply(model, _last_word, jnp.asarray(windows[low : low + batch])) for low in range(0, len(windows), batch)]
    return np.concatenate(parts)


def _last_word(model: RecurrentLanguageModel, windows: Int[Array, "words time"]) -> Float[Array, " words"]:
    states = hidden_states(model, windows[:, :-1])
    log_p = jax.nn.log_softmax(model.head(states[:, -1]))
    return -jnp.take_along_axis(log_p, windows[:, -1:], axis=1)[:, 0]
