"""Which source words an answer depends on, and what a context keeps: against finite differences and words left out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.data.batching import Parallel
from course_utils.measure import influence
from course_utils.measure.alignment import weights_on_reference
from course_utils.measure.summary import kept
from course_utils.models.attention import Tempered, masked_softmax, tempered_softmax
from course_utils.models.seq2seq import Translator
from course_utils.models.transformer import Transformer
from course_utils.runtime import InvalidInput

BATCH = Parallel(
    jnp.array([[5, 6, 7, 2], [8, 4, 2, 0]]), jnp.array([[True] * 4, [True] * 3 + [False]]),
    jnp.array([[1, 5, 6, 2], [1, 7, 2, 0]]), jnp.array([[True] * 4, [True] * 3 + [False]]),
)  # fmt: skip
FIXED, ATTENTIVE = {}, {"reading": "both", "score": "additive"}
WORDS = np.asarray(BATCH.target_mask)[:, 1:]


def translator(options, seed=0):
    return Translator(10, 9, hidden=6, embed=5, rngs=nnx.Rngs(seed), **options)


def right_words(logits):
    return np.take_along_axis(np.asarray(logits), np.asarray(BATCH.target)[:, 1:, None], axis=-1)[..., 0]


@pytest.mark.parametrize("options", [FIXED, ATTENTIVE])
@pytest.mark.slow
def test_gradients_are_those_of_finite_differences(options):
    model = translator(options)
    found = influence.gradients(model, BATCH)
    inputs = np.asarray(model.embed_source(BATCH.source))
    step, slopes = 1e-2, np.zeros((*WORDS.shape, 4, 5))

    def right(inputs):
        return right_words(model.forced(model.read(jnp.asarray(inputs), BATCH.source_mask), BATCH.target[:, :-1])[0])

    for j in range(4):
        for k in range(5):
            moved = np.zeros_like(inputs)
            moved[:, j, k] = step
            slopes[:, :, j, k] = (right(inputs + moved) - right(inputs - moved)) / (2 * step)
    expected = np.linalg.norm(slopes, axis=-1) * WORDS[..., None]
    np.testing.assert_allclose(found, expected, atol=2e-4)
    assert (found[1, :, 3] == 0).all()
    assert (found[1, 2] == 0).all()


@pytest.mark.parametrize("measure", [influence.gradients, lambda m, b: influence.replaced(m, b, np.ones((2, 3, 4)))])
def test_a_transformer_is_refused_by_name_where_there_must_be_one_recurrent_encoder(measure):
    with pytest.raises(InvalidInput, match="Transformer"):
        measure(Transformer(10, 9, width=8, heads=2, layers=1, rngs=nnx.Rngs(0)), BATCH)


@pytest.mark.parametrize("options", [FIXED, ATTENTIVE])
def test_a_deleted_word_is_a_word_that_was_never_there(options):
    model = translator(options)
    found = influence.deletions(model, BATCH)
    log_p = lambda source, mask, target: jax.nn.log_softmax(model(source, mask, target[:, :-1]))
    whole = right_words(log_p(BATCH.source, BATCH.source_mask, BATCH.target))
    for j in range(4):
        shorter = jnp.delete(BATCH.source, j, axis=1), jnp.delete(BATCH.source_mask, j, axis=1)
        expected = whole - right_words(log_p(*shorter, BATCH.target))
        np.testing.assert_allclose(
            found[:, :, j], expected * WORDS * np.asarray(BATCH.source_mask)[:, j, None], atol=1e-5
        )


def test_a_models_own_weights_change_nothing_and_others_do():
    model = translator(ATTENTIVE)
    own = weights_on_reference(model, BATCH)
    logits = model(BATCH.source, BATCH.source_mask, BATCH.target[:, :-1])
    guessed = np.asarray(logits.argmax(-1) == BATCH.target[:, 1:])[WORDS].mean()
    same = influence.replaced(model, BATCH, own)
    assert same.distance < 1e-6
    assert same.accuracy == pytest.approx(guessed)
    hard = influence.other_weights(own, BATCH.source_mask, "largest only", jax.random.key(0))
    assert influence.replaced(model, BATCH, hard).distance > 1e-3
    with pytest.raises(InvalidInput, match="no weights"):
        influence.replaced(translator(FIXED), BATCH, own)


def test_other_weights_are_what_they_are_called():
    weights = masked_softmax(jax.random.normal(jax.random.key(1), (2, 3, 4)), BATCH.source_mask[:, None].repeat(3, 1))
    make = lambda kind, seed=0: np.asarray(
        influence.other_weights(weights, BATCH.source_mask, kind, jax.random.key(seed))
    )
    np.testing.assert_allclose(make("uniform")[1], np.broadcast_to([1 / 3, 1 / 3, 1 / 3, 0], (3, 4)), rtol=1e-6)
    np.testing.assert_allclose(np.sort(make("permuted"), axis=-1), np.sort(weights, axis=-1), rtol=1e-6)
    assert (make("permuted")[1, :, 3] == 0).all()
    assert not np.allclose(make("permuted"), make("permuted", 1))
    assert (make("largest only").argmax(-1) == np.asarray(weights).argmax(-1)).all()
    assert set(np.unique(make("largest only"))) == {0.0, 1.0}


# ---------------------------------------------------------------------------------------------- temperature


def test_temperature_reaches_both_ends_exactly():
    scores = jnp.array([[1.0, 3.0, 50.0, 3.0], [2.0, 2.0, 1.0, 9.0]])
    mask = jnp.array([[True, True, False, True], [True] * 4])
    at = lambda tau: np.asarray(tempered_softmax(scores, mask, tau))
    np.testing.assert_array_equal(at(float("inf")), [[*[np.float32(1 / 3)] * 2, 0, np.float32(1 / 3)], [0.25] * 4])
    np.testing.assert_array_equal(at(0.0), [[0, 1, 0, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(at(1.0), masked_softmax(scores, mask))
    np.testing.assert_allclose(at(2.0), masked_softmax(scores / 2, mask), rtol=1e-6)
    assert (np.asarray(tempered_softmax(scores, jnp.zeros_like(mask), 0.0)) == 0).all()


@pytest.mark.parametrize(("temperature", "is_state"), [(float("inf"), False), (0.0, True)])
def test_a_context_is_the_mean_of_the_states_or_one_of_them(temperature, is_state):
    model = translator(ATTENTIVE)
    model.scorer = Tempered(model.scorer, temperature)
    memory = model.encode(BATCH.source, BATCH.source_mask)
    context, weights = model.look(model.begin(memory), memory)
    states, there = np.asarray(memory.states), np.asarray(BATCH.source_mask)
    for row in range(2):
        expected = states[row][weights[row].argmax()] if is_state else states[row][there[row]].mean(0)
        np.testing.assert_allclose(context[row], expected, rtol=1e-5, atol=1e-7)


# ------------------------------------------------------------------------------------------------- summary


@pytest.mark.slow
def test_a_probe_finds_what_a_summary_holds_and_nothing_else():
    rng = np.random.default_rng(0)
    source = np.concatenate([rng.integers(4, 10, (600, 3)), np.full((600, 1), 2)], axis=1)
    batch = Parallel(jnp.asarray(source), jnp.ones((600, 4), bool), jnp.asarray(source), jnp.ones((600, 4), bool))
    model = translator({"cell": "RNN"})
    model.forward.W_h[...] = model.forward.W_h[...] * 0  # no memory: the state is that of the last input, the end mark
    found = kept(model, batch, 10)
    assert found.accuracy.shape == found.gradient.shape == found.chance.shape == (3,)
    assert (found.accuracy < 0.35).all()
    assert (found.chance < 0.3).all()
    whole = Translator(10, 9, hidden=48, embed=16, rngs=nnx.Rngs(0))  # enough room for three of six words
    assert kept(whole, batch, 10).accuracy[-1] > 0.9


@pytest.mark.slow
def test_sensitivity_is_the_norm_of_the_jacobian():
    model = translator({"reading": "both"})
    source = BATCH.source[:1]
    batch = Parallel(source, jnp.ones((1, 4), bool), source, jnp.ones((1, 4), bool))
    two = jax.tree.map(lambda a: jnp.concatenate([a, a]), batch)
    found = kept(model, two, 10)
    J = jax.jacobian(lambda x: model.read(x, jnp.ones((1, 4), bool)).summary)(model.embed_source(source))
    expected = np.sqrt((np.asarray(J) ** 2).sum((0, 1, 2, 4)))
    np.testing.assert_allclose(found.gradient, expected[:3], rtol=1e-5)


def test_sentences_of_different_lengths_cannot_be_probed():
    with pytest.raises(InvalidInput, match="one length"):
        kept(translator({}), BATCH, 10)
