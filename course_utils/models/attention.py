"""Attention: score every memory, turn the scores into weights, take the weighted mean.

    e_ij = a(s_{i-1}, h_j)      α_ij = exp(e_ij) / Σ_k exp(e_ik)      c_i = Σ_j α_ij h_j

Bahdanau, Cho, Bengio (2015), *Neural Machine Translation by Jointly Learning to Align
and Translate*; the scores dot, general and concat are those of Luong, Pham, Manning
(2015).
"""

from typing import Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from ..runtime import require, require_mask, require_one_of, require_positive
from .fast import computed_again

Score = Literal["additive", "dot", "general", "concat"]


def masked_softmax(
    scores: Float[Array, "*lead source"],
    mask: Bool[Array, "*lead source"] | None = None,
) -> Float[Array, "*lead source"]:
    """Softmax over the last axis, of the positions where `mask` is True:

        α_j = exp(e_j) / Σ_k exp(e_k)

    Everywhere else the weight is exactly 0, and so is the gradient of what stands
    there, even of a NaN. A row without any position gets zeros.
    """
    if mask is None:
        return jax.nn.softmax(scores)
    require_mask(mask)
    scores = jnp.where(mask, scores, -jnp.inf)
    largest = jnp.max(scores, axis=-1, keepdims=True)
    raised = jnp.where(
        mask, jnp.exp(jnp.where(mask, scores - jax.lax.stop_gradient(largest), 0)), 0
    )
    total = raised.sum(axis=-1, keepdims=True)
    return raised / jnp.where(total > 0, total, 1)


def tempered_softmax(
    scores: Float[Array, "*lead source"],
    mask: Bool[Array, "*lead source"],
    temperature: float | Float[Array, ""],
) -> Float[Array, "*lead source"]:
    """softmax(e / τ): τ = 1 as it is, τ → ∞ all positions alike, τ → 0 the largest
    alone. Both ends may be asked for.

    At τ = 0 the first of equal scores gets everything.
    """
    tau = jnp.asarray(temperature, scores.dtype)
    soft = masked_softmax(scores / jnp.where(tau > 0, tau, 1), mask)
    largest = jnp.where(mask, scores, -jnp.inf).argmax(-1, keepdims=True)
    hard = (jnp.arange(scores.shape[-1]) == largest) & mask
    return jnp.where(tau > 0, soft, hard)


def attend(
    weights: Float[Array, "batch source"], values: Float[Array, "batch source key"]
) -> Float[Array, "batch key"]:
    """The weighted mean of the values: c_i = Σ_j α_ij h_j.

    Equal weights give the mean, one weight of 1 a look-up.
    """
    return jnp.einsum("bs,bsk->bk", weights, values)


def additive_score(
    query: Float[Array, "batch units"],
    keys: Float[Array, "batch source units"],
    v_a: Float[Array, " units"],
) -> Float[Array, "batch source"]:
    """How well word j of the source fits what the decoder is about to say:

        e_ij = v_a · tanh(W_a s_{i-1} + U_a h_j)

    query: W_a s_{i-1}.   keys: U_a h_j, for all j.

    Bahdanau, Cho, Bengio (2015), appendix A.1.2. U_a h_j does not depend on i: it is
    computed once for a sentence. With W_a and U_a side by side it is the concat score
    of Luong, Pham, Manning (2015). Built in notebook 05.
    """
    return jnp.tanh(query[:, None] + keys) @ v_a


def dot_score(
    query: Float[Array, "batch key"], keys: Float[Array, "batch source key"]
) -> Float[Array, "batch source"]:
    """e_ij = s · h_j; both must be of one size.

    With `keys` = W_a h_j it is the general score, s · W_a h_j.

    Luong, Pham, Manning (2015).
    """
    return jnp.einsum("bk,bsk->bs", query, keys)


class Scorer(nnx.Module):
    """Parameters of one score. `prepare(keys)` once for a sentence, then `scorer(query,
    prepared)` at each step.

    units: of the hidden layer of `additive` and `concat`.
    """

    def __init__(
        self, kind: Score, query: int, key: int, units: int, *, rngs: nnx.Rngs
    ):
        require_positive(query=query, key=key, units=units)
        require_one_of(score=(kind, Score))
        require(
            kind != "dot" or query == key,
            "The dot score compares vectors of one size; here the decoder has "
            f"{query} numbers and a source state {key}. "
            'Use "general", or make them equal.',
        )
        self.kind = kind
        start = jax.nn.initializers.lecun_normal(1, 0)
        if kind == "additive":
            self.W_a = nnx.Param(start(rngs.params(), (units, query)))
            self.U_a = nnx.Param(start(rngs.params(), (units, key)))
        elif kind == "concat":
            self.W_a = nnx.Param(start(rngs.params(), (units, query + key)))
        elif kind == "general":
            self.W_a = nnx.Param(start(rngs.params(), (query, key)))
        if kind in ("additive", "concat"):
            self.v_a = nnx.Param(start(rngs.params(), (1, units))[0])

    def prepare(
        self, keys: Float[Array, "batch source key"]
    ) -> Float[Array, "batch source units"]:
        """What does not depend on the query: U_a h_j, W_a h_j, or the states
        themselves.
        """
        if self.kind == "dot":
            return keys
        if self.kind == "concat":
            return keys @ self.W_a[...][:, -keys.shape[-1] :].T
        return keys @ (self.U_a if self.kind == "additive" else self.W_a)[...].T

    def __call__(
        self,
        query: Float[Array, "batch query"],
        prepared: Float[Array, "batch source units"],
    ) -> Float[Array, "batch source"]:
        if self.kind in ("dot", "general"):
            return dot_score(query, prepared)
        W_s = self.W_a[...][:, : query.shape[-1]]
        return computed_again(additive_score)(query @ W_s.T, prepared, self.v_a[...])

    def weights(
        self,
        query: Float[Array, "batch query"],
        prepared: Float[Array, "batch source units"],
        mask: Bool[Array, "batch source"],
    ) -> Float[Array, "batch source"]:
        """α_ij, over the positions of the mask."""
        return masked_softmax(self(query, prepared), mask)


class Tempered(nnx.Module):
    """A scorer whose weights are sharper or flatter: `tempered_softmax` of its scores
    at one temperature.
    """

    def __init__(self, scorer: Scorer, temperature: float):
        require(temperature >= 0, f"A temperature is at least 0, not {temperature!r}.")
        self.scorer = scorer
        self.temperature = nnx.Variable(jnp.asarray(temperature, jnp.float32))

    def prepare(
        self, keys: Float[Array, "batch source key"]
    ) -> Float[Array, "batch source units"]:
        return self.scorer.prepare(keys)

    def weights(
        self,
        query: Float[Array, "batch query"],
        prepared: Float[Array, "batch source units"],
        mask: Bool[Array, "batch source"],
    ) -> Float[Array, "batch source"]:
        return tempered_softmax(
            self.scorer(query, prepared), mask, self.temperature[...]
        )
