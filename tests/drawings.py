"""Every machine of the course once, from shipped models and from untrained ones: for tests of their form and their page."""

import functools

import numpy as np
from flax import nnx

from course_utils.data.agreement import vocabulary
from course_utils.experiments import ch00, ch03, ch04, ch05, ch06, ch07
from course_utils.machines import (
    attention,
    beam,
    block,
    cache,
    encoder_decoder,
    followed,
    gradients,
    gru,
    heads,
    lstm,
    lstm_sentence,
    masks,
    memory,
    pipe,
    recurrence,
    self_attention,
    transformer,
)
from course_utils.models.readers import AttentionLanguageModel

LONG = "upstairs the dogs behind the children wandered happily"


def translated():
    """A translation of the largest size that a drawing has room for, with long words, and weights of every size."""
    rng = np.random.default_rng(0)
    source = ["American", "students", "see", "the", "industrial", "newspapers", "there", "<eos>"]
    target = ["travaillent", "industrielles", "à", *["américaines"] * 6, "<eos>"]
    n, m = len(source), len(target)
    weights = rng.dirichlet(np.full(n, 0.3), m)
    encoded = rng.normal(size=(n, 24))
    states, chances = np.tanh(rng.normal(size=(m + 1, 16))), rng.dirichlet(np.ones(30), m)
    return followed.Translated(source, target, encoded, encoded[-1], states, weights @ encoded, weights, chances)


def blocks():
    """An untrained language model whose blocks have a feed-forward layer."""
    return AttentionLanguageModel(len(vocabulary()), rngs=nnx.Rngs(0), width=64, heads=4, layers=2, inner=128)


MACHINES = {
    "looped": lambda: recurrence.looped(ch00.well_trained().model),
    "fading number": memory.fading_number,
    "scan": memory.scanned,
    "pipe": pipe.pipe,
    "one step": lambda: recurrence.one_step(ch00.well_trained().model),
    "unrolled": lambda: recurrence.unrolled(ch00.well_trained().model),
    "unrolled, long": lambda: recurrence.unrolled(ch00.well_trained().model, LONG),
    "gradient": gradients.gradient_back,
    "truncated": gradients.truncated,
    "LSTM by hand": lstm.lstm_by_hand,
    "LSTM over a sentence": lambda: lstm_sentence.lstm_over_sentence(ch03.well_trained().model),
    "GRU": gru.gru_by_hand,
    "encoder–decoder": lambda: encoder_decoder.encoder_decoder(ch04.fixed().model),
    "beam": lambda: beam.beam_tree(ch04.fixed().model),
    "attention": lambda: attention.attention(ch05.attentive(nnx.Rngs(0))),
    "attention, long": lambda: attention.attention_of(translated()),
    "three words": self_attention.three_words,
    "three words, large": lambda: self_attention.three_words(vectors=((3, -3), (-3, 3), (3, 3))),
    "masks": lambda: masks.masks(ch06.well_trained().model),
    "reshape": heads.reshape,
    "rotary": heads.rotary,
    "block": lambda: block.block(blocks()),
    "Transformer": lambda: transformer.transformer(ch07.transformer(nnx.Rngs(0))),
    "cache": lambda: cache.cache(ch06.well_trained().model),
}  # fmt: skip


@functools.cache
def machine(name):
    """One of them, made once."""
    return MACHINES[name]()
