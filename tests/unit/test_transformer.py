"""The Transformer and the readers made of its parts: decoding against teacher forcing, leaks, positions."""

import functools
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils import decoding
from course_utils.data.batching import Parallel
from course_utils.measure import inside
from course_utils.measure.alignment import weights_on_reference
from course_utils.models.losses import next_target_word
from course_utils.models.positions import Positions
from course_utils.models.readers import AttentionClassifier, AttentionLanguageModel, LookBack, PatchReader
from course_utils.models.self_attention import KeysValues, causal_mask
from course_utils.models.transformer import (
    BLOCKS,
    AttentionOnly,
    Block,
    Norm,
    PostNormBlock,
    Transformer,
    WordsAndPlaces,
)
from course_utils.runtime import InvalidInput
from course_utils.training import fit

SOURCE = jnp.array([[5, 6, 7, 8, 2], [4, 3, 2, 0, 0]])
MASK = SOURCE > 0
WORDS = jnp.array([[1, 4, 5, 6, 7, 8], [1, 9, 3, 4, 0, 0]])
POSITIONS = get_args(Positions)


def small(seed=0, **options):
    return Transformer(10, 11, rngs=nnx.Rngs(seed), **{"width": 8, "heads": 2, "layers": 2, "longest": 16, **options})


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("norm", get_args(Norm))
def test_decoding_with_the_cache_equals_teacher_forcing(positions, norm):
    model = small(positions=positions, norm=norm)
    memory = model.encode(SOURCE, MASK)
    logits, weights = model.forced(memory, WORDS)
    state = model.begin(memory, 9)
    for i in range(WORDS.shape[1]):
        state, now, looked = model.advance(state, WORDS[:, i], memory)
        np.testing.assert_allclose(now, logits[:, i], atol=1e-5)
        np.testing.assert_allclose(looked, weights[:, i], atol=1e-5)


@pytest.mark.slow
def test_greedy_search_equals_reading_everything_again_at_every_step():
    model = small(3)
    found = decoding.greedy(model, SOURCE, MASK, 7)
    words = np.full((2, 1), decoding.BOS)
    for _ in range(7):
        scores = np.array(model(SOURCE, MASK, jnp.asarray(words))[:, -1])
        scores[:, [decoding.PAD, decoding.BOS]] = -np.inf
        words = np.concatenate([words, scores.argmax(-1)[:, None]], axis=1)
    for row, said in zip(found.words, words[:, 1:], strict=True):
        end = [*said, decoding.EOS].index(decoding.EOS)
        assert row[: end + 1].tolist() == said[: end + 1].tolist()
    assert found.weights is not None
    beams = decoding.beam(model, SOURCE, MASK, 7, size=3)
    assert (beams.score[:, 0] >= found.log_p / found.lengths - 1e-5).all()


@pytest.mark.slow
def test_a_beam_takes_its_cache_along():
    model = small(4)
    beams = decoding.beam(model, SOURCE, MASK, 5, size=4)
    for row in range(2):
        for words, log_p in zip(beams.words[row], beams.log_p[row], strict=True):
            given = jnp.asarray([[decoding.BOS, *words[:-1]]])
            logits = np.array(model(SOURCE[row : row + 1], MASK[row : row + 1], given))[0]
            logits[:, [decoding.PAD, decoding.BOS]] = -np.inf
            scores = jax.nn.log_softmax(jnp.asarray(logits))
            there = words != decoding.PAD
            assert float(scores[np.arange(5)[there], words[there]].sum()) == pytest.approx(log_p, abs=1e-4)


def test_neither_padding_nor_the_future_leaks():
    model = small()
    logits = model(SOURCE, MASK, WORDS)
    filled = jnp.where(MASK, SOURCE, 9)
    assert (model(filled, MASK, WORDS) == logits).all()
    later = WORDS.at[:, 3:].set(2)
    assert (model(SOURCE, MASK, later)[:, :3] == logits[:, :3]).all()
    shorter = model(SOURCE[1:, :3], MASK[1:, :3], WORDS[1:, :4])
    np.testing.assert_allclose(shorter, logits[1:, :4], atol=1e-5)


@pytest.mark.parametrize("positions", POSITIONS)
def test_only_positions_tell_the_order_of_the_source(positions):
    model = small(positions=positions)
    order = jnp.array([3, 1, 0, 2, 4])
    a, b = (model(source, MASK[:1], WORDS[:1]) for source in (SOURCE[:1], SOURCE[:1, order]))
    assert np.allclose(a, b, atol=1e-5) == (positions == "none")


def test_all_weights_are_there_and_sum_to_one():
    model = small()
    found = inside.transformer_weights(model, SOURCE, MASK, WORDS)
    assert found.encoder.shape == (2, 2, 2, 5, 5)
    assert found.decoder.shape == (2, 2, 2, 6, 6)
    assert found.cross.shape == (2, 2, 2, 6, 5)
    for weights in found:
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    assert not jnp.triu(found.decoder[0, 0, 0], 1).any()
    assert not found.cross[:, 1, :, :, 3:].any()
    batch = Parallel(SOURCE, MASK, jnp.pad(WORDS, ((0, 0), (0, 1)), constant_values=2), jnp.ones((2, 7), bool))
    np.testing.assert_allclose(weights_on_reference(model, batch), found.cross[-1].mean(1), atol=1e-6)


X = jax.random.normal(jax.random.key(0), (2, 3, 8))
PAST = causal_mask(3)


def test_a_block_is_two_sums():
    block = Block(8, 2, 16, rngs=nnx.Rngs(0))
    middle = X + block.attention(block.attention_norm(X), PAST)
    np.testing.assert_allclose(block(X, PAST), middle + block.feed_forward(block.feed_forward_norm(middle)), atol=1e-6)
    only = AttentionOnly(8, 2, rngs=nnx.Rngs(0))
    np.testing.assert_allclose(only(X, PAST), middle, atol=1e-6)


def test_a_post_norm_block_ends_in_its_norm():
    x = PostNormBlock(8, 2, 16, rngs=nnx.Rngs(0))(X, PAST)
    np.testing.assert_allclose(x.mean(-1), 0, atol=1e-5)
    np.testing.assert_allclose(x.var(-1), 1, atol=1e-2)


@pytest.mark.parametrize("make", [Block, PostNormBlock, AttentionOnly])
def test_a_block_step_by_step_is_the_block(make):
    options = {} if make is AttentionOnly else {"inner": 16}
    block = make(width=8, heads=2, **options, rngs=nnx.Rngs(0))
    cache = KeysValues(*[jnp.zeros((2, 2, 3, 4))] * 2)
    for t in range(3):
        x, cache = block.step(X[:, t : t + 1], cache, jnp.full(2, t))
        np.testing.assert_allclose(x[:, 0], block(X, PAST)[:, t], atol=1e-5)


@pytest.mark.parametrize("norm", get_args(Norm))
def test_a_decoder_block_without_its_look_is_a_block(norm):
    plain, decoder = (make(8, 2, 16, rngs=nnx.Rngs(0)) for make in BLOCKS[norm])
    decoder.cross.out.kernel[...] = jnp.zeros((8, 8))
    memory, seen = decoder.cross.remember(X), jnp.ones((2, 1, 1, 3), bool)
    out, weights = decoder(X, PAST, memory, seen)
    expected = plain(X, PAST)
    if norm == "pre":
        np.testing.assert_allclose(out, expected, atol=1e-5)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)


def test_the_residual_stream_ends_in_the_answer():
    model = small()
    before = nnx.state(model)
    stream, logits = inside.residual_stream(model, SOURCE, MASK, WORDS)
    assert jax.tree.all(
        jax.tree.map(lambda a, b: bool((a == b).all()), before, nnx.state(model))
    )  # the model is as it was
    assert len(stream) == len(logits) == len(inside.stages(model)) == 7
    np.testing.assert_allclose(logits[-1], model(SOURCE, MASK, WORDS), atol=1e-5)
    np.testing.assert_allclose(stream[0], model.target_words(WORDS), atol=1e-6)
    assert inside.stages(model)[2] == "layer 1: cross-attention"
    block = model.decoder[0]
    np.testing.assert_allclose(stream[3] - stream[2], block.feed_forward(block.feed_forward_norm(stream[2])), atol=1e-5)
    with pytest.raises(InvalidInput, match="pre-norm"):
        inside.residual_stream(small(norm="post"), SOURCE, MASK, WORDS)


def test_it_learns_and_dropout_is_off_when_it_answers():
    model = small(dropout=0.1)
    batch = Parallel(SOURCE, MASK, WORDS, WORDS > 0)
    history = fit(model, lambda step, rng: batch, 60, loss=next_target_word, learning_rate=1e-2, progress=False)
    assert history.losses[-1] < 0.5 * history.losses[0]
    a, b = (decoding.greedy(model, SOURCE, MASK, 6) for _ in range(2))
    assert (a.words == b.words).all()
    assert (a.log_p == b.log_p).all()


def test_what_does_not_fit_is_named():
    for options, match in (
        ({"heads": 3}, "3 heads cannot share 8"),
        ({"positions": "absolute"}, "sinusoidal, learned, rotary, none"),
        ({"norm": "middle"}, "pre, post"),
        ({"dropout": 1.0}, "dropout"),
        ({"layers": 0}, "layers"),
    ):
        with pytest.raises(InvalidInput, match=match):
            small(**options)
    model = small(positions="learned", longest=5)
    with pytest.raises(InvalidInput, match="6 positions is longer than the 5"):
        model(SOURCE, MASK, WORDS)
    with pytest.raises(InvalidInput, match="9 positions is longer than the 5"):
        decoding.greedy(model, SOURCE, MASK, 9)
    with pytest.raises(InvalidInput, match="all False"):
        small().encode(SOURCE, jnp.zeros_like(MASK))


def test_words_have_the_size_of_positions():
    x = WordsAndPlaces(50, 64, "none", 8, rngs=nnx.Rngs(0))(jnp.arange(50)[None])
    assert float(x.std()) == pytest.approx(1, abs=0.1)


# ------------------------------------------------------------------------------------------------- readers

TOKENS = jnp.array([[3, 1, 4, 1, 5], [2, 6, 5, 0, 0]])
SEEN = jnp.array([[True] * 5, [True] * 3 + [False] * 2])


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("make", [LookBack, AttentionClassifier])
def test_an_answer_does_not_depend_on_padding(make, positions):
    model = make(7, 3, rngs=nnx.Rngs(0), width=8, heads=2, positions=positions)
    logits = model(TOKENS, SEEN)
    np.testing.assert_allclose(model(TOKENS[1:, :3], None), logits[1:], atol=1e-5)
    assert (model(jnp.where(SEEN, TOKENS, 6), SEEN) == logits).all()


def test_one_look_is_softmax_of_scores_times_values():
    model = LookBack(7, 3, rngs=nnx.Rngs(0), width=4)
    logits, weights = model.look(TOKENS[:1])
    x, a = np.asarray(model.words(TOKENS[:1])[0]), model.attention
    q, k, v = (np.asarray(make(jnp.asarray(x))) for make in (a.query, a.key, a.value))
    raised = np.exp(k @ q[-1] / 2)
    np.testing.assert_allclose(weights[0, 0], raised / raised.sum(), atol=1e-5)
    found = (raised / raised.sum()) @ v
    np.testing.assert_allclose(logits[0], model.head(a.out(jnp.asarray(found))), atol=1e-5)


def test_without_positions_one_look_sees_a_bag():
    shuffled = TOKENS[:1, jnp.array([2, 0, 3, 1, 4])]
    for positions in POSITIONS:
        model = LookBack(7, 3, rngs=nnx.Rngs(0), width=8, positions=positions)
        assert np.allclose(model(TOKENS[:1]), model(shuffled), atol=1e-5) == (positions == "none")


def test_a_language_model_sees_no_later_word():
    model = AttentionLanguageModel(7, rngs=nnx.Rngs(0), width=8, heads=2, inner=16)
    logits = model(TOKENS, SEEN)
    assert logits.shape == (2, 5, 7)
    assert (model(TOKENS.at[:, 3:].set(6), SEEN)[:, :3] == logits[:, :3]).all()


def test_heads_of_a_reader_can_be_switched_off_one_by_one():
    model = AttentionClassifier(7, 3, rngs=nnx.Rngs(0), width=8, heads=2, layers=2)
    full, weights = model.every_step(TOKENS), inside.reader_weights(model, TOKENS)
    assert weights.shape == (2, 2, 2, 5, 5)
    kept = lambda keep: inside.without_heads(model, keep).every_step(TOKENS)
    np.testing.assert_allclose(kept(jnp.ones((2, 2))), full, atol=1e-6)
    off = [kept(jnp.ones((2, 2)).at[place].set(0)) for place in ((0, 0), (0, 1), (1, 0), (1, 1))]
    assert all(not np.allclose(logits, full, atol=1e-4) for logits in off)
    bias = sum(block.attention.out.bias[...] for block in model.blocks)
    none = model.head(model.norm(model.words(TOKENS) + bias))
    np.testing.assert_allclose(kept(jnp.zeros((2, 2))), none, atol=1e-5)
    np.testing.assert_array_equal(model.every_step(TOKENS), full)  # the model is as it was


def test_a_learned_table_that_is_too_short_is_named():
    make = functools.partial(AttentionClassifier, 7, 3, rngs=nnx.Rngs(0), width=8, heads=2)
    with pytest.raises(InvalidInput, match="5 positions is longer than the 4"):
        make(positions="learned", longest=4)(TOKENS, SEEN)
    assert make(positions="rotary", longest=4)(TOKENS, SEEN).shape == (2, 3)


@pytest.mark.parametrize("positions", POSITIONS)
def test_only_rotary_positions_turn_queries_and_keys(positions):
    """Without what is added to the words, a reader that does not turn them cannot tell their order."""
    model = small(positions=positions)
    model.source_words.positions, model.source_words.table = "none", None
    words = jnp.array([[5, 6, 7, 8]])
    forwards, backwards = (model.encode(order, order > 0) for order in (words, words[:, ::-1]))
    alike = np.allclose(forwards.states, backwards.states[:, ::-1], atol=1e-5)
    assert alike == (positions != "rotary")


@pytest.mark.parametrize("positions", ["learned", "none"])
def test_a_reader_of_patches_is_its_equation(positions):
    model = PatchReader(7, 3, 4, rngs=nnx.Rngs(0), width=16, heads=2, layers=1, positions=positions)
    patches = jax.random.normal(jax.random.key(1), (2, 5, 3))
    x = model.embed(patches)
    if positions == "learned":
        x = x + 4 * model.table.embedding[...][:5]  # √16, as words are scaled in a Transformer
    x = model.blocks[0](x, jnp.ones((5, 5), bool))
    np.testing.assert_allclose(model(patches), model.head(model.norm(x).mean(axis=1)), atol=1e-5)
