"""A language model speaks: what is drawn follows the distribution, with a cache or without."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.decoding import next_word_log_p, sample
from course_utils.models.cells import RNNCell
from course_utils.models.gated import GRUCell, LSTMCell
from course_utils.models.interfaces import CachedLanguageModel
from course_utils.models.readers import AttentionLanguageModel, AttentiveRecurrence
from course_utils.models.sequence import RecurrentLanguageModel
from course_utils.runtime import InvalidInput

VOCAB = 6
KEY = jax.random.key(7)
PROMPT = jnp.array([[1, 4, 2], [3, 3, 5]])


def recurrent(cell=RNNCell):
    return RecurrentLanguageModel(cell(3, 5, rngs=nnx.Rngs(0)), VOCAB, rngs=nnx.Rngs(1))


def attentive(**options):
    return AttentionLanguageModel(VOCAB, rngs=nnx.Rngs(2), width=8, heads=2, **options)


class WithoutCache(nnx.Module):
    """The same model, asked as any language model is."""

    def __init__(self, model):
        self.model = model

    def __call__(self, tokens, mask=None):
        return self.model(tokens, mask)


# --------------------------------------------------------------------------------- the distribution


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, [0.5, 0.3, 0.15, 0.05]),
        ({"temperature": 0.5}, np.array([0.25, 0.09, 0.0225, 0.0025]) / 0.365),
        ({"top_k": 2}, [0.625, 0.375, 0, 0]),
        ({"top_k": 9}, [0.5, 0.3, 0.15, 0.05]),
        ({"top_p": 0.5}, [1, 0, 0, 0]),
        ({"top_p": 0.51}, [0.625, 0.375, 0, 0]),
        ({"top_p": 1e-6}, [1, 0, 0, 0]),
        ({"top_p": 1.0}, [0.5, 0.3, 0.15, 0.05]),
        ({"top_k": 3, "top_p": 0.55}, np.array([0.5, 0.3, 0, 0]) / 0.8),
    ],
)
def test_what_may_be_drawn(options, wanted):
    order = jnp.array([2, 0, 3, 1])  # not sorted, as in life
    logits = jnp.log(jnp.array([0.5, 0.3, 0.15, 0.05]))[jnp.argsort(order)] + 7.0
    found = jnp.exp(next_word_log_p(logits, **options))
    np.testing.assert_allclose(found[order], wanted, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"temperature": 1.7}, {"top_k": 3}, {"top_p": 0.6}], ids=str)
def test_frequencies_are_those_of_the_distribution(options):
    """Two words after one prompt, 20,000 times: every pair within 3σ, of 36 at most one beyond it by chance."""
    model, many = recurrent(GRUCell), 20_000
    prompt = jnp.array([[1, 4]])
    said = sample(model, jnp.repeat(prompt, many, axis=0), 2, KEY, **options).words
    first = jnp.exp(next_word_log_p(model(prompt)[0, -1], **options))
    pairs = jnp.concatenate([jnp.repeat(prompt, VOCAB, axis=0), jnp.arange(VOCAB)[:, None]], axis=1)
    second = jnp.exp(next_word_log_p(model(pairs)[:, -1], **options))
    p = np.asarray(first[:, None] * second, float)
    found = np.zeros((VOCAB, VOCAB))
    np.add.at(found, (said[:, 0], said[:, 1]), 1 / many)
    beyond = np.abs(found - p) > 3 * np.sqrt(p * (1 - p) / many) + 1e-9
    assert beyond.sum() <= 1
    assert not (np.abs(found - p) > 5 * np.sqrt(p * (1 - p) / many) + 1e-9).any()
    assert not found[p < 1e-9].any()


# --------------------------------------------------------------------------------- with a cache and without

MODELS = {
    "RNN": recurrent, "LSTM": lambda: recurrent(LSTMCell), "GRU": lambda: recurrent(GRUCell), "attention": attentive,
    "learned": lambda: attentive(positions="learned", longest=16), "rotary": lambda: attentive(positions="rotary"),
    "without positions": lambda: attentive(positions="none", inner=7), "three layers": lambda: attentive(layers=3),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_cache_changes_no_word(name):
    model = MODELS[name]()
    assert isinstance(model, CachedLanguageModel)
    assert not isinstance(WithoutCache(model), CachedLanguageModel)
    cached, plain = (sample(m, PROMPT, 8, KEY, temperature=1.3) for m in (model, WithoutCache(model)))
    np.testing.assert_array_equal(cached.words, plain.words)
    np.testing.assert_allclose(cached.log_p, plain.log_p, atol=1e-4)
    everything = model(jnp.concatenate([PROMPT, cached.words], axis=1))[:, PROMPT.shape[1] - 1 : -1]
    log_p = jnp.take_along_axis(next_word_log_p(everything, 1.3), cached.words[..., None], axis=-1)
    np.testing.assert_allclose(cached.log_p, log_p[..., 0].sum(1), atol=1e-4)


def test_a_model_without_a_cache_speaks_too():
    model = AttentiveRecurrence(GRUCell(3, 4, rngs=nnx.Rngs(0)), VOCAB, VOCAB, rngs=nnx.Rngs(1))
    said = sample(model, PROMPT, 3, KEY, temperature=0).words
    words = PROMPT
    for _ in range(3):
        words = jnp.concatenate([words, model(words)[:, -1].argmax(-1)[:, None]], axis=1)
    np.testing.assert_array_equal(said, words[:, 3:])


# --------------------------------------------------------------------------------- the rest


def test_a_key_decides_the_words_and_a_temperature_of_0_takes_the_most_probable():
    model = recurrent()
    first, again, other = (sample(model, PROMPT, 20, jax.random.key(k)).words for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    coldest = [sample(model, PROMPT, 20, jax.random.key(k), temperature=0) for k in (0, 1)]
    np.testing.assert_array_equal(coldest[0].words, coldest[1].words)
    np.testing.assert_array_equal(coldest[0].log_p, 0)


def test_behind_the_end_mark_there_is_padding():
    model = recurrent()
    said = sample(model, jnp.repeat(PROMPT, 50, axis=0), 12, KEY, end=2).words
    ends = (said == 2).any(1)
    assert 5 < ends.sum() < 100
    for row in said[ends]:
        assert not row[int((row == 2).argmax()) + 1 :].any()
    assert (said[~ends] != 2).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"prompt": jnp.zeros((1, 0), int)}, "prompt is empty"), ({"length": 0}, "length"), ({"temperature": -1.0}, "temperature"),
        ({"top_k": 0}, "top_k"), ({"top_p": 0.0}, "top_p"), ({"top_p": 1.5}, "top_p"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(change, says):
    given = {"prompt": PROMPT, "length": 2, "rng": KEY, **change}
    with pytest.raises(InvalidInput, match=says):
        sample(recurrent(), **given)


def test_more_words_than_a_table_of_positions_holds_are_refused():
    with pytest.raises(InvalidInput, match="11 positions is longer than the 8"):
        sample(attentive(positions="learned", longest=8), PROMPT, 8, KEY)


def test_a_model_that_has_diverged_is_named():
    model = recurrent()
    model.head.bias[...] = jnp.full(VOCAB, jnp.nan)
    with pytest.raises(InvalidInput, match="diverged"):
        sample(model, PROMPT, 2, KEY)


def test_what_is_left_out_is_never_drawn_and_the_rest_keeps_its_shares():
    model = recurrent()
    drawn = sample(model, jnp.ones((400, 1), int), 5, KEY, without=(0, 3)).words
    assert set(np.unique(drawn)) == {1, 2, 4, 5}
    log_p = next_word_log_p(model(jnp.ones((1, 1), int))[0, 0].at[jnp.array([0, 3])].set(-jnp.inf))
    shares = np.bincount(drawn[:, 0], minlength=VOCAB) / 400
    np.testing.assert_allclose(shares, np.exp(log_p), atol=0.09)


@pytest.mark.parametrize("without", [(VOCAB,), (-1,), tuple(range(VOCAB))])
def test_what_cannot_be_left_out_is_said(without):
    with pytest.raises(InvalidInput, match="without names words by their index, 0 to 5"):
        sample(recurrent(), PROMPT, 2, KEY, without=without)
