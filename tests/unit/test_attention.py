"""Attention and translators against slow NumPy loops, and decoding against trying every sentence."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils import decoding
from course_utils.data.batching import Parallel
from course_utils.models import attention
from course_utils.models.losses import next_target_word
from course_utils.models.seq2seq import Translator
from course_utils.runtime import InvalidInput

SCORES = ("additive", "dot", "general", "concat")
MASK = jnp.array([[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4])


def arrays(*shape, seed=0):
    return jax.random.normal(jax.random.key(seed), shape)


def softmax(scores):
    raised = np.exp(scores - scores.max())
    return raised / raised.sum()


# ------------------------------------------------------------------------------------------------------ weights


def test_masked_softmax_is_that_of_the_words_alone():
    scores = arrays(3, 5) * 30
    weights = np.asarray(attention.masked_softmax(scores, MASK))
    for row, present in zip(range(3), np.asarray(MASK), strict=True):
        np.testing.assert_allclose(weights[row, present], softmax(np.asarray(scores[row])[present]), rtol=1e-5)
        assert (weights[row, ~present] == 0).all()
    np.testing.assert_allclose(attention.masked_softmax(scores), jax.nn.softmax(scores), rtol=1e-6)


def test_what_is_masked_has_weight_and_gradient_exactly_zero_even_a_nan():
    scores = jnp.where(MASK, arrays(3, 5), jnp.nan)
    weights, back = jax.vjp(lambda e: attention.masked_softmax(e, MASK), scores)
    (gradient,) = back(arrays(3, 5, seed=1))
    assert np.isfinite(weights).all()
    assert (np.asarray(weights)[~np.asarray(MASK)] == 0).all()
    assert (np.asarray(gradient)[~np.asarray(MASK)] == 0).all()
    assert (np.asarray(gradient)[0] != 0).all()


def test_a_row_without_words_gets_zeros_and_no_nan():
    nothing = jnp.zeros((1, 4), bool)
    weights, back = jax.vjp(lambda e: attention.masked_softmax(e, nothing), arrays(1, 4))
    assert (np.asarray(weights) == 0).all()
    assert (np.asarray(back(jnp.ones((1, 4)))[0]) == 0).all()
    assert (np.asarray(attention.attend(weights, arrays(1, 4, 3))) == 0).all()


def test_equal_weights_give_the_mean_and_one_weight_a_look_up():
    values = arrays(2, 4, 3)
    even = attention.masked_softmax(jnp.zeros((2, 4)))
    np.testing.assert_allclose(attention.attend(even, values), values.mean(1), rtol=1e-5)
    np.testing.assert_array_equal(
        attention.attend(jax.nn.one_hot(jnp.array([2, 0]), 4), values), values[jnp.arange(2), jnp.array([2, 0])]
    )


@pytest.mark.parametrize("kind", SCORES)
def test_scores_are_those_of_a_loop(kind):
    query, keys = arrays(2, 6), arrays(2, 5, 6, seed=1)
    scorer = attention.Scorer(kind, 6, 6, 7, rngs=nnx.Rngs(0))
    found = np.asarray(scorer(query, scorer.prepare(keys)))
    W, U, v = (
        np.asarray(getattr(scorer, name)[...]) if hasattr(scorer, name) else None for name in ("W_a", "U_a", "v_a")
    )
    for b, j in itertools.product(range(2), range(5)):
        s, h = np.asarray(query[b]), np.asarray(keys[b, j])
        wanted = {
            "additive": lambda: v @ np.tanh(W @ s + U @ h),
            "dot": lambda: s @ h,
            "general": lambda: s @ W @ h,
            "concat": lambda: v @ np.tanh(W @ np.concatenate([s, h])),
        }[kind]()  # fmt: skip
        assert found[b, j] == pytest.approx(wanted, abs=1e-5)
    W, U, v = (None if a is None else jnp.asarray(a) for a in (W, U, v))
    written = {
        "additive": lambda: attention.additive_score(query @ W.T, keys @ U.T, v),
        "dot": lambda: attention.dot_score(query, keys),
        "general": lambda: attention.dot_score(query, keys @ W.T),
        "concat": lambda: attention.additive_score(query @ W[:, :6].T, keys @ W[:, 6:].T, v),
    }[kind]()  # fmt: skip
    np.testing.assert_allclose(written, found, atol=1e-5)


def test_a_score_that_cannot_be_is_refused():
    with pytest.raises(InvalidInput, match="general"):
        attention.Scorer("dot", 4, 8, 4, rngs=nnx.Rngs(0))
    with pytest.raises(InvalidInput, match="additive, dot, general, concat"):
        attention.Scorer("cosine", 4, 4, 4, rngs=nnx.Rngs(0))


# --------------------------------------------------------------------------------------------------- translators

KINDS = [
    {"cell": cell, "reading": reading, "score": score}
    for cell, reading, score in [
        ("RNN", "forward", None), ("LSTM", "backward", None), ("GRU", "both", None), ("GRU", "forward", "dot"),
        ("LSTM", "both", "additive"), ("RNN", "both", "general"), ("GRU", "backward", "concat"),
    ]
] + [{"summary": "mean"}, {"context": "start only"}]  # fmt: skip


def translator(**options):
    return Translator(12, 9, **{"hidden": 6, "embed": 5, **options}, rngs=nnx.Rngs(0))


def sentences(seed=0):
    rng = np.random.default_rng(seed)
    source, target = rng.integers(4, 12, (3, 5)), rng.integers(4, 9, (3, 4))
    target[:, 0] = 1
    return jnp.asarray(source * np.asarray(MASK)), MASK, jnp.asarray(target)


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_teacher_forcing_is_advancing_word_by_word(options):
    model = translator(**options)
    source, mask, target = sentences()
    memory = model.encode(source, mask)
    logits, weights = model.forced(memory, target)
    state = model.begin(memory)
    for i in range(target.shape[1]):
        state, now, looked = model.advance(state, target[:, i], memory)
        np.testing.assert_allclose(now, logits[:, i], atol=1e-5)
        assert (looked is None) == (weights is None) == (options.get("score") is None)
        if looked is not None:
            np.testing.assert_allclose(looked, weights[:, i], atol=1e-6)
            np.testing.assert_allclose(looked.sum(1), 1, rtol=1e-5)
            assert (np.asarray(looked)[~np.asarray(mask)] == 0).all()


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_padding_changes_nothing_and_gets_no_gradient(options):
    model = translator(**options)
    source, mask, target = sentences()
    other = jnp.where(mask, source, 7)
    np.testing.assert_array_equal(model(source, mask, target), model(other, mask, target))
    alone = model(source[1:2, :3], mask[1:2, :3], target[1:2])
    np.testing.assert_allclose(alone, model(source, mask, target)[1:2], atol=1e-5)

    def total(embedded):
        model_ = nnx.clone(model)
        model_.embed_source = lambda _: embedded
        return (model_(source, mask, target) ** 2).sum()

    gradient = np.asarray(jax.grad(total)(model.embed_source(source)))
    assert (gradient[~np.asarray(mask)] == 0).all()
    assert (gradient[np.asarray(mask)] != 0).any()


def test_an_attentive_gru_is_its_equations():
    """Bahdanau, Cho, Bengio (2015), word by word in NumPy."""
    model = translator(score="additive", reading="both")
    source, mask, target = sentences()

    def value(parameter):
        return np.asarray(parameter[...], np.float64)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def gru(cell, h, gates):
        W_r, W_u, W_n = np.split(value(cell.W_h), 3)
        g_r, g_u, g_n = np.split(gates, 3)
        r, u = sigmoid(g_r + W_r @ h), sigmoid(g_u + W_u @ h)
        return (1 - u) * np.tanh(g_n + r * (W_n @ h)) + u * h

    def into(cell, x):
        return value(cell.W_x) @ x + value(cell.b)

    def linear(layer, x):
        return x @ value(layer.kernel) + (0 if layer.bias is None else value(layer.bias))

    logits = np.asarray(model(source, mask, target))
    for b in range(3):
        words = np.asarray(source[b])[np.asarray(mask[b])]
        x = value(model.embed_source.embedding)[words]
        ahead, back = [np.zeros(6)], [np.zeros(6)]
        for t in range(len(words)):
            ahead.append(gru(model.forward, ahead[-1], into(model.forward, x[t])))
            back.append(gru(model.backward, back[-1], into(model.backward, x[len(words) - 1 - t])))
        states = np.concatenate([np.array(ahead[1:]), np.array(back[1:])[::-1]], axis=1)
        s = np.tanh(linear(model.to_start, np.concatenate([ahead[-1], back[-1]])))
        for i, word in enumerate(np.asarray(target[b])):
            W, U, v = (value(p) for p in (model.scorer.W_a, model.scorer.U_a, model.scorer.v_a))
            alpha = softmax(np.array([v @ np.tanh(W @ s + U @ h) for h in states]))
            c, y = alpha @ states, value(model.embed_target.embedding)[word]
            s = gru(model.decoder, s, into(model.decoder, y) + linear(model.to_decoder, c))
            wanted = linear(model.output, np.tanh(linear(model.to_output, np.concatenate([s, y, c]))))
            np.testing.assert_allclose(logits[b, i], wanted, atol=1e-5)


def test_the_loss_is_the_mean_over_real_words():
    model, (source, mask, target) = translator(score="additive"), sentences()
    target_mask = jnp.array([[True] * 4, [True] * 2 + [False] * 2, [True] * 3 + [False]])
    loss, metrics = next_target_word(model, Parallel(source, mask, target, target_mask))
    log_p = np.asarray(jax.nn.log_softmax(model(source, mask, target[:, :-1])))
    each = [-log_p[b, i, target[b, i + 1]] for b in range(3) for i in range(3) if target_mask[b, i + 1]]
    assert loss == pytest.approx(np.mean(each), rel=1e-5)
    assert 0 <= metrics["accuracy"] <= 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cell": "MLP"}, "RNN, GRU, LSTM"), ({"reading": "sideways"}, "forward, backward, both"), ({"hidden": 0}, "hidden"),
        ({"summary": "max"}, "last, mean"), ({"score": "dot", "reading": "both"}, "one size"),
        ({"score": "additive", "context": "start only"}, "every step"), ({"dropout": 1.0}, "dropout"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_named(options, says):
    with pytest.raises(InvalidInput, match=says):
        translator(**options)


@pytest.mark.parametrize(("context", "changes"), [("start only", False), ("every step", True)])
def test_a_context_at_the_start_only_is_not_seen_later(context, changes):
    model = translator(context=context)
    source, mask, words = sentences()
    memory = model.encode(source, mask)
    state = model.begin(memory)
    other = memory._replace(summary=memory.summary + 1)
    now, then = (model.advance(state, words[:, 0], m)[1] for m in (memory, other))
    assert np.allclose(now, then) is not changes


def test_dropout_is_for_training_alone():
    model = translator(score="additive", dropout=0.5)
    source, mask, words = sentences()
    model.train()
    assert not np.allclose(model(source, mask, words), model(source, mask, words))
    model.eval()
    np.testing.assert_array_equal(model(source, mask, words), model(source, mask, words))
    kept = translator(score="additive")
    np.testing.assert_array_equal(model(source, mask, words), kept(source, mask, words))


def test_an_empty_source_is_refused():
    with pytest.raises(InvalidInput, match="Row 1"):
        translator().encode(jnp.zeros((2, 3), int), jnp.array([[True] * 3, [False] * 3]))


# ------------------------------------------------------------------------------------------------------ decoding


def log_p_of(model, source, mask, words):
    """log p of one sentence, words up to and with the end mark."""
    memory = model.encode(source, mask)
    state, total, before = model.begin(memory), 0.0, decoding.BOS
    for word in words:
        state, logits, _ = model.advance(state, jnp.array([before]), memory)
        logits = np.asarray(logits[0], np.float64).copy()
        logits[[decoding.PAD, decoding.BOS]] = -np.inf
        total += logits[word] - np.log(np.exp(logits[np.isfinite(logits)]).sum())
        before = word
    return total


@pytest.mark.parametrize("options", [{}, {"score": "additive", "reading": "both"}, {"cell": "LSTM"}], ids=str)
def test_greedy_takes_the_best_word_each_time_and_stops_at_the_end_mark(options):
    model, (source, mask, _) = translator(**options), sentences()
    found = decoding.greedy(model, source, mask, 6)
    for b in range(3):
        words, before = [], decoding.BOS
        memory = model.encode(source[b : b + 1], mask[b : b + 1])
        state = model.begin(memory)
        while len(words) < 6 and before != decoding.EOS:
            state, logits, _ = model.advance(state, jnp.array([before]), memory)
            before = int(logits[0].at[jnp.array([decoding.PAD, decoding.BOS])].set(-jnp.inf).argmax())
            words.append(before)
        assert found.words[b].tolist() == words + [decoding.PAD] * (6 - len(words))
        assert found.lengths[b] == len(words)
        assert found.log_p[b] == pytest.approx(log_p_of(model, source[b : b + 1], mask[b : b + 1], words), abs=1e-4)
    assert (found.weights is not None) == ("score" in options)


@pytest.mark.parametrize("search", [decoding.greedy, decoding.beam])
def test_a_source_without_words_and_scores_that_are_no_numbers_are_named(search):
    model, (source, mask, _) = translator(), sentences()
    with pytest.raises(InvalidInput, match="Row 1 of the mask is all False"):
        search(model, source, mask.at[1].set(False), 3)
    nnx.update(model, jax.tree.map(lambda array: array * jnp.nan, nnx.state(model, nnx.Param)))
    with pytest.raises(InvalidInput, match="scores are no numbers"):
        search(model, source, mask, 3)


def every_sentence(vocab, longest):
    """All sentences of at most `longest` words: ended, or cut off."""
    going = [w for w in range(vocab) if w not in (decoding.PAD, decoding.BOS, decoding.EOS)]
    for n in range(longest + 1):
        for words in itertools.product(going, repeat=n):
            if n < longest:
                yield (*words, decoding.EOS)
            else:
                yield words


@pytest.mark.parametrize("penalty", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_a_beam_as_wide_as_everything_finds_the_best_of_all_sentences(seed, penalty):
    model = Translator(8, 6, hidden=5, embed=4, score="additive", rngs=nnx.Rngs(seed))
    model.output.kernel[...] = model.output.kernel[...] * 4  # opinions
    source, mask = jnp.array([[4, 5, 6]]), jnp.ones((1, 3), bool)
    found = decoding.beam(model, source, mask, 3, size=6**3, length_penalty=penalty)
    scored = {words: log_p_of(model, source, mask, words) / len(words) ** penalty for words in every_sentence(6, 3)}
    best = max(scored, key=scored.__getitem__)
    assert tuple(int(w) for w in found.words[0, 0] if w != decoding.PAD) == best
    assert found.score[0, 0] == pytest.approx(scored[best], abs=1e-4)
    kept = [
        tuple(int(w) for w in row if w != decoding.PAD)
        for row, s in zip(found.words[0], found.score[0], strict=True)
        if np.isfinite(s)
    ]
    assert sorted(kept) == sorted(scored)  # nothing was dropped, nothing came twice


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_beam_is_never_scored_below_greedy_search(size):
    for seed in range(4):
        model = Translator(12, 9, hidden=6, embed=5, score="dot", rngs=nnx.Rngs(seed))
        model.output.kernel[...] = model.output.kernel[...] * 5
        source, mask, _ = sentences(seed)
        first = decoding.greedy(model, source, mask, 7)
        found = decoding.beam(model, source, mask, 7, size=size)
        assert found.words.shape == (3, size, 7)
        assert (found.score[:, 0] >= first.log_p / first.lengths - 1e-6).all()
        assert (np.diff(found.score, axis=1) <= 0).all()
        for b in range(3):
            words = [int(w) for w in found.words[b, 0] if w != decoding.PAD]
            assert found.log_p[b, 0] == pytest.approx(
                log_p_of(model, source[b : b + 1], mask[b : b + 1], words), abs=1e-4
            )


def test_a_beam_of_one_is_greedy_search():
    model, (source, mask, _) = translator(score="general"), sentences()
    np.testing.assert_array_equal(
        decoding.beam(model, source, mask, 5, size=1).best.words, decoding.greedy(model, source, mask, 5).words
    )


@pytest.mark.parametrize("options", [{"longest": 0}, {"size": 0}, {"length_penalty": -1.0}])
def test_bad_settings_of_a_search_are_named(options):
    source, mask, _ = sentences()
    with pytest.raises(InvalidInput, match=next(iter(options))):
        decoding.beam(translator(), source, mask, **{"longest": 3, **options})
