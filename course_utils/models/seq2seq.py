"""Translators: a recurrent encoder, a recurrent decoder, and what passes between them.

    fixed context     c = h_T                       the same vector at every step
    attention         c_i = Σ_j α_ij h_j            a vector of its own for every step

Both are one `Translator`, and differ in nothing else. Every translator of the course
has three methods, and
`decoding` knows no more of it: `encode(source, mask)` → memory, `begin(memory,
longest)` → state, and `advance(state, words, memory)` → the next state, scores of the
next word, and weights over the source.

Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio (2014); Sutskever,
Vinyals, Le (2014); Bahdanau, Cho, Bengio (2015).
"""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..runtime import require, require_one_of, require_positive
from .attention import Score, Scorer, attend
from .by_name import CELLS, CellName
from .dropout import dropped
from .fast import apart, unroll
from .interfaces import AlignmentWeights, Arrays
from .recurrent import refuse_empty_rows

Reading = Literal["forward", "backward", "both"]
Context = Literal["every step", "start only"]
Summary = Literal["last", "mean"]


class Memory(NamedTuple):
    """What an encoder hands over."""

    states: Float[Array, "batch source key"]  # h_1 … h_T
    mask: Bool[Array, "batch source"]
    # What the score needs of the states, computed once; None without attention.
    prepared: Float[Array, "batch source units"] | None
    summary: Float[Array, "batch key"]  # c of a fixed context; the decoder's start


class Translator(nnx.Module):
    """An encoder and a decoder with a fixed context vector, or with attention where a
    `score` is named.

        s_0 = tanh(W_s c)
        s_i = g(s_{i-1}, [y_{i-1}; c_i])
        logits_i = W_o tanh(U s_i + V y_{i-1} + C c_i)

    (each matrix with a bias). With the context at the start only, s_i = g(s_{i-1},
    y_{i-1}), and C c_i is left out too.

    cell: of encoder and decoder.   reading: the source from its beginning, from its
    end, or both (two encoders side by side, `hidden` units each).   summary: c is the
    last state read, or the mean of all.   context: c enters every step of the decoder
    (Cho and others 2014), or its start only (Sutskever and others 2014); not with
    attention.
    score: "additive", "dot", "general", "concat", or None for a fixed context.
    dropout: share of the word vectors' entries, and of the last layer's inputs, that
    are 0 in training (Srivastava and others 2014).
    """

    def __init__(
        self,
        source_vocab: int,
        target_vocab: int,
        *,
        rngs: nnx.Rngs,
        hidden: int = 128,
        embed: int = 64,
        cell: CellName = "GRU",
        reading: Reading = "forward",
        score: Score | None = None,
        summary: Summary = "last",
        context: Context = "every step",
        dropout: float = 0.0,
    ):
        require_positive(
            source_vocab=source_vocab,
            target_vocab=target_vocab,
            hidden=hidden,
            embed=embed,
        )
        require_one_of(
            cell=(cell, CellName),
            reading=(reading, Reading),
            summary=(summary, Summary),
            context=(context, Context),
        )
        require(
            score is None or context == "every step",
            "With attention there is a context at every step.",
        )
        self.reading, self.summary, self.context = reading, summary, context
        self.embed_source = nnx.Embed(source_vocab, embed, rngs=rngs)
        self.embed_target = nnx.Embed(target_vocab, embed, rngs=rngs)
        make = CELLS[cell]  # type: ignore[index]  # checked above
        self.forward = make(embed, hidden, rngs=rngs) if reading != "backward" else None
        self.backward = make(embed, hidden, rngs=rngs) if reading != "forward" else None
        self.decoder = make(embed, hidden, rngs=rngs)
        key = hidden * (2 if reading == "both" else 1)
        parts = len(jax.tree.leaves(self.decoder.start(1)))
        self.to_start = nnx.Linear(key, hidden * parts, rngs=rngs)
        gates = self.decoder.b.shape[0]
        self.to_decoder = (
            nnx.Linear(key, gates, use_bias=False, rngs=rngs)
            if context == "every step"
            else None
        )
        seen = key if context == "every step" else 0
        self.to_output = nnx.Linear(hidden + embed + seen, embed, rngs=rngs)
        self.output = nnx.Linear(embed, target_vocab, rngs=rngs)
        self.scorer = (
            Scorer(score, hidden, key, hidden, rngs=rngs) if score is not None else None
        )
        self.dropout = dropped(dropout, rngs)

    def encode(
        self, source: Int[Array, "batch source"], mask: Bool[Array, "batch source"]
    ) -> Memory:
        """Read the source: its states, and their summary."""
        return self.read(self.dropout(self.embed_source(source)), mask)

    def read(
        self,
        inputs: Float[Array, "batch source embed"],
        mask: Bool[Array, "batch source"],
    ) -> Memory:
        """`encode`, from the source's word vectors on. What the mask leaves out, in the
        middle too, is not read.
        """
        refuse_empty_rows(mask)
        states, last = [], []
        for cell, reverse in ((self.forward, False), (self.backward, True)):
            if cell is not None:
                outputs, state = unroll(cell, inputs, mask, reverse=reverse)
                states.append(outputs)
                last.append(cell.output(state))
        joined = jnp.concatenate(states, axis=-1)
        if self.summary == "mean":
            share = mask / jnp.maximum(mask.sum(axis=1, keepdims=True), 1)
            summary = attend(share.astype(joined.dtype), joined)
        else:
            summary = jnp.concatenate(last, axis=-1)
        prepared = self.scorer.prepare(joined) if self.scorer is not None else None
        return Memory(joined, mask, prepared, summary)

    def begin(self, memory: Memory, longest: int | None = None) -> Arrays:
        """The decoder's state before the first word: s_0 = tanh(W_s c). It holds any
        number of words in the same room.
        """
        start = self.decoder.start(1)
        leaves, tree = jax.tree.flatten(start)
        values = jnp.split(
            jnp.tanh(self.to_start(memory.summary)), len(leaves), axis=-1
        )
        return jax.tree.unflatten(tree, values)

    def look(
        self, state: Arrays, memory: Memory
    ) -> tuple[Float[Array, "batch key"], Float[Array, "batch source"] | None]:
        """The context of the next step, and the weights it was made with (None: there
        are none).
        """
        if self.scorer is None or memory.prepared is None:
            return memory.summary, None
        weights = self.scorer.weights(
            self.decoder.output(state), memory.prepared, memory.mask
        )
        return attend(weights, memory.states), weights

    def _next(
        self,
        state: Arrays,
        projected: Float[Array, "batch gates"] | tuple[Array, ...],
        memory: Memory,
        weights: Float[Array, "batch source"] | None = None,
    ) -> tuple[Arrays, Float[Array, "batch key"], Float[Array, "batch source"] | None]:
        """s_i, c_i and α_i from s_{i-1} and the share of the word before. `weights`: to
        be used in place of the translator's own.
        """
        if weights is None:
            context, weights = self.look(state, memory)
        else:
            context = attend(weights, memory.states)
        if self.to_decoder is not None:
            shares = (
                apart(share, self.decoder.pieces)
                for share in (projected, self.to_decoder(context))
            )
            projected = tuple(a + b for a, b in zip(*shares, strict=True))
        return self.decoder.step(state, projected), context, weights

    def _logits(
        self,
        outputs: Float[Array, "*lead hidden"],
        words: Float[Array, "*lead embed"],
        contexts: Float[Array, "*lead key"],
    ) -> Float[Array, "*lead vocab"]:
        parts = (
            [outputs, words, contexts]
            if self.context == "every step"
            else [outputs, words]
        )
        return self.output(
            self.dropout(jnp.tanh(self.to_output(jnp.concatenate(parts, axis=-1))))
        )

    def advance(
        self, state: Arrays, words: Int[Array, " batch"], memory: Memory
    ) -> tuple[Arrays, Float[Array, "batch vocab"], AlignmentWeights]:
        """One step: the state after the words before, scores of the next words, weights
        over the source.
        """
        y = self.embed_target(words)
        state, context, weights = self._next(state, self.decoder.project(y), memory)
        return state, self._logits(self.decoder.output(state), y, context), weights

    def forced(
        self,
        memory: Memory,
        words: Int[Array, "batch target"],
        weights: Float[Array, "batch target source"] | None = None,
    ) -> tuple[
        Float[Array, "batch target vocab"], Float[Array, "batch target source"] | None
    ]:
        """Scores and weights at all steps when the words before are given (teacher
        forcing).

        `weights`: to be used in place of the translator's own. The words' share of the
        gates and the scores of the next word are computed for all steps at once,
        outside the loop.
        """
        require(
            weights is None or self.scorer is not None,
            "A fixed context has no weights that could be replaced.",
        )
        y = self.dropout(self.embed_target(words))
        if self.scorer is None:
            share = None if self.to_decoder is None else self.to_decoder(memory.summary)
            outputs, _ = unroll(self.decoder, y, start=self.begin(memory), beside=share)
            contexts = jnp.broadcast_to(
                memory.summary[:, None], (*words.shape, memory.summary.shape[-1])
            )
            return self._logits(outputs, y, contexts), None
        projected = apart(
            self.decoder.project(jnp.swapaxes(y, 0, 1)), self.decoder.pieces
        )

        def step(state, now):
            state, context, weights = self._next(state, now[0], memory, now[1])
            return state, (self.decoder.output(state), context, weights)

        given = None if weights is None else jnp.swapaxes(weights, 0, 1)
        _, found = jax.lax.scan(step, self.begin(memory), (projected, given))
        outputs, contexts, weights = jax.tree.map(
            lambda a: jnp.swapaxes(a, 0, 1), found
        )
        return self._logits(outputs, y, contexts), weights

    def __call__(
        self,
        source: Int[Array, "batch source"],
        mask: Bool[Array, "batch source"],
        words: Int[Array, "batch target"],
    ) -> Float[Array, "batch target vocab"]:
        return self.forced(self.encode(source, mask), words)[0]
