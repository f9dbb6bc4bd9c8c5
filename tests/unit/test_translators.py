"""The shared task of the chapters on translation, on small corpora and translators that know nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.data.english_french import PHENOMENA, pairs
from course_utils.experiments import ch04, ch05, translators
from course_utils.measure.alignment import weights_on_reference
from course_utils.models.losses import guided_next_word


@pytest.fixture(scope="module")
def corpus():
    return translators.Corpus.of(pairs(12, seed=3, lengths=(4, 10)))


def small(options=ch05.ATTENTIVE, seed=0):
    return translators.translator(nnx.Rngs(seed), hidden=8, embed=8, **options)


def test_tagged_words_are_those_of_the_phenomenon(corpus):
    for row, pair in enumerate(corpus.pairs):
        for phenomenon in PHENOMENA:
            tagged = corpus.tagged(phenomenon)[row]
            assert np.flatnonzero(tagged).tolist() == [i for i, tag in enumerate(pair.tags) if tag == phenomenon]


def test_errors_of_gold_itself_are_none_and_of_one_link_a_word_are_the_least(corpus):
    found = translators.errors(corpus.gold, corpus)
    assert found.error == found.phenomena["reversal"] == 0
    first = np.arange(corpus.gold.shape[-1]) == corpus.gold.argmax(-1)[..., None]
    assert translators.errors(first, corpus).error == pytest.approx(found.least, abs=1e-4)


def test_the_learning_rate_falls_to_nearly_nothing():
    schedule = translators.rate(1_000)
    assert schedule(0) == pytest.approx(translators.RATE)
    assert schedule(1_000) == pytest.approx(translators.LAST_RATE)
    assert translators.LAST_RATE < translators.RATE / 10


def test_parameters_are_counted():
    model = small({})
    assert translators.parameters(model) == sum(
        int(np.prod(x.shape)) for x in jax.tree.leaves(nnx.state(model, nnx.Param))
    )
    assert translators.parameters(small(ch05.ATTENTIVE)) > translators.parameters(small({"reading": "both"}))


def test_the_rival_has_at_least_as_many_parameters_as_attention():
    attention = translators.parameters(ch05.attentive(nnx.Rngs(0)))
    rival = translators.parameters(translators.translator(nnx.Rngs(0), reading="both", hidden=ch05.LARGER))
    assert attention <= rival < 1.05 * attention


def test_first_words_are_counted_from_the_beginning(corpus, monkeypatch):
    monkeypatch.setattr(ch04, "held_out", lambda: corpus)
    reference = np.asarray(corpus.batch.target)[:, 1:].copy()
    reference[:3, 1] = 0  # three sentences are wrong from the second word on
    monkeypatch.setattr(ch04, "decode_batch", lambda model, batch: _said(reference))
    right = ch04.first_words(small({}), 3)
    assert right[0] == 1
    assert right[1] == right[2] == pytest.approx(9 / 12)


def _said(words):
    from course_utils.decoding import Decoded

    return Decoded(words, np.zeros(len(words)), None)


def test_a_guided_translator_uses_the_weights_it_is_given(corpus):
    teacher = small(seed=1)
    guided = ch05.Guided("another model's", teacher, rngs=nnx.Rngs(0))
    guided.student = small(seed=2)
    batch = corpus.batch
    memory = guided.student.encode(batch.source, batch.source_mask)
    weights = jnp.asarray(weights_on_reference(teacher, batch))
    expected = guided.student.forced(memory, batch.target[:, :-1], weights)[0]
    np.testing.assert_allclose(guided(batch), expected, atol=1e-5)
    guided.kind = "own"
    own = guided.student(batch.source, batch.source_mask, batch.target[:, :-1])
    np.testing.assert_allclose(guided(batch), own, atol=1e-6)


@pytest.mark.parametrize("kind", ["another model's", "uniform", "permuted"])
@pytest.mark.slow
def test_a_teacher_is_not_trained(corpus, kind):
    guided = ch05.Guided(kind, small(seed=1), rngs=nnx.Rngs(0))
    guided.student = small(seed=2)
    graphdef, params, rest = nnx.split(guided, nnx.Param, ...)
    gradient = jax.grad(lambda p: guided_next_word(nnx.merge(graphdef, p, rest), corpus.batch)[0])(params)
    assert all(float(jnp.abs(leaf).max()) == 0 for leaf in jax.tree.leaves(gradient["teacher"]))
    assert any(float(jnp.abs(leaf).max()) > 0 for leaf in jax.tree.leaves(gradient["student"]))


def test_last_and_mean_are_of_the_words_alone(corpus):
    model = small({})
    last, mean = ch05.last_and_mean(model, corpus.batch)
    memory = model.encode(corpus.batch.source, corpus.batch.source_mask)
    lengths = np.asarray(corpus.batch.source_mask).sum(1)
    for row, length in enumerate(lengths):
        np.testing.assert_allclose(last[row], memory.states[row, length - 1], atol=1e-6)
        np.testing.assert_allclose(mean[row], memory.states[row, :length].mean(0), atol=1e-6)
