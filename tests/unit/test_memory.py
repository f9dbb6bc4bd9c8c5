"""What a state holds, what twins show: measured values against slow computations and bounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data import nesting
from course_utils.data.agreement import AGREEING, NOUNS, agreement, vocabulary
from course_utils.data.sequences import lag_recall
from course_utils.data.vocabulary import UnknownWords
from course_utils.measure import states as of_states
from course_utils.measure.agreement import by_distance, number_loss, prefers, right
from course_utils.measure.language import most_likely, steps
from course_utils.measure.memory import frozen_recall, reach, recalled_bits, total_memory
from course_utils.measure.probe import linear_probe
from course_utils.measure.states import principal_plane, states_of, twin_distance
from course_utils.models.cells import RNNCell, rnn_step
from course_utils.models.sequence import RecurrentLanguageModel, SequenceClassifier
from course_utils.runtime import InvalidInput

# ------------------------------------------------------------------------------------------ read-outs


def test_a_linear_probe_is_least_squares():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, (2, 400))
    states = rng.normal(size=(400, 5)) + np.eye(5)[targets[0]]
    accuracy, explained = linear_probe(jnp.asarray(states, jnp.float32), jnp.asarray(targets, jnp.int32), 3)
    features = np.c_[states, np.ones(400)]
    for lag in (0, 1):
        one_hot = np.eye(3)[targets[lag]]
        weights = np.linalg.lstsq(features[:200], one_hot[:200], rcond=None)[0]
        guess, truth = features[200:] @ weights, one_hot[200:]
        assert accuracy[lag] == pytest.approx((guess.argmax(1) == targets[lag, 200:]).mean(), abs=0.011)
        r2 = 1 - ((guess - truth) ** 2).sum() / ((truth - truth.mean(0)) ** 2).sum()
        assert explained[lag] == pytest.approx(r2, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("hidden", "symbols"), [(8, 2), (8, 5), (16, 3), (16, 20), (32, 8)])
@pytest.mark.parametrize("scale", [0.05, 0.5])
def test_linear_memory_never_exceeds_the_size_of_the_state(hidden, symbols, scale):
    found = frozen_recall(hidden, symbols, 60, input_scale=scale, seeds=(0, 1))
    total = total_memory(found.explained, symbols)
    assert found.accuracy.shape == found.explained.shape == (2, 60)
    assert (total <= hidden).all()
    assert (total > 0.15 * hidden).all()


def test_a_linear_weak_input_network_is_nearly_full():
    assert (total_memory(frozen_recall(16, 4, 60, input_scale=0.03).explained, 4) > 14).all()


def test_old_symbols_are_no_better_recalled_than_new_ones_and_chance_is_the_floor():
    accuracy = frozen_recall(32, 4, 60, input_scale=0.3).accuracy.mean(0)
    assert accuracy[0] > 0.99
    assert (np.diff(accuracy) < 0.03).all()
    assert abs(accuracy[-10:].mean() - 0.25) < 0.03


def test_many_settings_at_once_give_what_each_gives_alone():
    together = frozen_recall(16, np.array([2, 8])[:, None], 30, input_scale=np.array([0.1, 1.0]), seeds=(0, 1))
    assert together.accuracy.shape == (2, 2, 2, 30)
    alone = frozen_recall(16, 8, 30, input_scale=1.0, seeds=(0, 1))
    np.testing.assert_allclose(together.accuracy[1, 1], alone.accuracy, atol=2e-3)
    np.testing.assert_allclose(together.explained[1, 1], alone.explained, atol=2e-3)


def test_reach_counts_from_the_newest_without_a_gap():
    assert reach(np.array([[1, 0.95, 0.5, 0.99], [0.2, 1, 1, 1], [1, 1, 1, 1]])).tolist() == [2, 0, 4]


@given(st.integers(2, 40), st.floats(0, 1))
@settings(deadline=None)
def test_recalled_bits_are_between_nothing_and_all(symbols, accuracy):
    bits = float(recalled_bits(np.array(accuracy), symbols))
    assert -1e-9 <= bits <= np.log2(symbols) + 1e-9


def test_recalled_bits_at_the_ends_and_against_an_explicit_channel():
    assert recalled_bits(np.array([1.0, 0.25, 0.1, 0.0]), 4).tolist() == pytest.approx([2, 0, 0, 0])
    # A symmetric channel reaches the bound: its mutual information, summed up by hand.
    symbols, a = 5, 0.8
    joint = np.full((symbols, symbols), (1 - a) / (symbols - 1) / symbols)
    np.fill_diagonal(joint, a / symbols)
    information = (joint * np.log2(joint / joint.sum(0) / joint.sum(1)[:, None])).sum()
    assert recalled_bits(np.array(a), symbols) == pytest.approx(information)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"symbols": 1}, "at least 2, not 1"),
        ({"symbols": 2.5}, "whole numbers"),
        ({"hidden": 0}, "hidden must be a whole number"),
        ({"lags": 500}, "at most 200, not 500"),
    ],
)
def test_impossible_memories_are_refused_in_words(arguments, words):
    with pytest.raises(InvalidInput, match=words):
        frozen_recall(**{"hidden": 4, "symbols": 2, **arguments})


# -------------------------------------------------------------------------------------------- corpora


def test_lag_recall_asks_for_what_came_lag_steps_before():
    batch = lag_recall(jax.random.key(0), 5, 12, 3, symbols=6)
    for row in range(5):
        for t in range(12):
            assert bool(batch.asked[row, t]) == (t >= 3)
            if t >= 3:
                assert batch.labels[row, t] == batch.tokens[row, t - 3]
    assert (lag_recall(jax.random.key(0), 2, 4, 0).labels == lag_recall(jax.random.key(0), 2, 4, 0).tokens).all()
    with pytest.raises(InvalidInput, match="between 0 and length - 1 = 3, not 4"):
        lag_recall(jax.random.key(0), 2, 4, 4)


def test_nested_sentences_are_what_a_stack_says():
    words, corpus = nesting.vocabulary(), nesting.nested(300, seed=3, depths=(1, 6))
    number = {form: n for pair in NOUNS for n, form in enumerate(pair)}
    verbs = {*nesting.TRANSITIVE, *nesting.PAST}
    depths = []
    for row in range(300):
        length = int(corpus.mask[row].sum())
        sentence = words.decode(np.asarray(corpus.tokens[row, :length])).split()
        assert len(sentence) == length  # no special symbol within
        stack = []
        for t, word in enumerate(sentence):
            if word in number:
                stack.append(number[word])
            assert bool(corpus.asked[row, t]) == (word in verbs)
            if word in verbs:
                assert corpus.labels[row, t] == stack.pop()
                assert (word in nesting.PAST) == (not stack)
        assert stack == []
        depths.append(int(corpus.asked[row].sum()))
    assert sorted(set(depths)) == [1, 2, 3, 4, 5, 6]
    assert depths.count(1) == depths.count(6) == 50
    assert not np.asarray(corpus.asked & ~corpus.mask).any()
    assert (nesting.nested(300, seed=3, depths=(1, 6)).tokens == corpus.tokens).all()
    with pytest.raises(InvalidInput, match="shallowest depth"):
        nesting.nested(3, 0, depths=(4, 2))


def test_twins_differ_in_subject_and_verb_alone():
    corpus = agreement(500, seed=5)
    twins = corpus.twins()
    forms = {form for pair in (*NOUNS, *AGREEING) for form in pair}
    for row in range(60):
        mine, other = corpus.text(row).split(), twins.text(row).split()
        differ = [i for i, (a, b) in enumerate(zip(mine, other, strict=True)) if a != b]
        assert differ == [int(corpus.subject[row]) - 1, int(corpus.verb[row]) - 1]
        assert {mine[i] for i in differ} | {other[i] for i in differ} <= forms
    assert (twins.number == 1 - corpus.number).all()
    back = twins.twins()
    assert all((a == b).all() for a, b in zip(back, corpus, strict=True))
    nouns = {form: n for pair in NOUNS for n, form in enumerate(pair)}
    for row in range(200):  # what the twins say of themselves is what their words say
        numbers = [nouns[word] for word in twins.text(row).split() if word in nouns]
        assert (numbers[0], numbers[-1]) == (twins.first[row], twins.nearest[row])


# --------------------------------------------------------------------------------------------- states


@pytest.fixture(scope="module")
def model():
    return RecurrentLanguageModel(RNNCell(7, 9, rngs=nnx.Rngs(3)), len(vocabulary()), rngs=nnx.Rngs(4))


def test_the_principal_plane_is_that_of_the_covariance():
    points = np.random.default_rng(0).normal(size=(300, 6)) * np.array([5, 3, 1, 1, 0.5, 0.1]) + 7
    plane = principal_plane(points)
    values, vectors = np.linalg.eigh(np.cov(points.T))
    assert plane.share == pytest.approx(values[-2:].sum() / values.sum())
    for axis, vector in zip(plane.axes, (vectors[:, -1], vectors[:, -2]), strict=True):
        assert abs(axis @ vector) == pytest.approx(1, abs=1e-6)
    assert np.allclose(plane.of(points).mean(0), 0)
    with pytest.raises(InvalidInput, match="at least 3 states"):
        principal_plane(points[:2])


def test_steps_of_a_sentence_are_those_of_the_equation(model):
    words, states, probabilities = steps(model, vocabulary(), "Near the dogs, the cat!")
    assert words == ["<bos>", "near", "the", "dogs", "the", "cat"]
    cell, h = model.cell, jnp.zeros((1, 9))
    for t, word in enumerate(words):
        h = rnn_step(h @ cell.W_h[...].T, cell.project(model.embed(jnp.array([vocabulary()[word]]))))
        np.testing.assert_allclose(states[t], h[0], atol=1e-5)
        np.testing.assert_allclose(probabilities[t], jax.nn.softmax(model.head(h))[0], atol=1e-5)
    top = most_likely(probabilities[0], vocabulary(), 4)
    assert [p for _, p in top] == sorted(probabilities[0], reverse=True)[:4]
    for typed, error in (("the xyzzy", UnknownWords), ("  ", InvalidInput), ("<eos>", InvalidInput)):
        with pytest.raises(error):
            steps(model, vocabulary(), typed)


@pytest.mark.slow
def test_a_classifier_is_asked_in_batches_that_change_nothing():
    corpus = agreement(53, seed=4)
    classifier = SequenceClassifier(RNNCell(5, 7, rngs=nnx.Rngs(2)), len(vocabulary()), 2, rngs=nnx.Rngs(3))
    asked = corpus.asked()
    wanted = np.asarray(classifier(asked.tokens, asked.mask)).argmax(-1) == np.asarray(asked.labels)
    assert 0 < wanted.sum() < 53
    for batch in (10, 53, 500):
        assert (right(classifier, corpus, batch=batch) == wanted).all()


def test_a_probe_reads_both_numbers_where_they_are_and_guesses_where_they_are_not(model, monkeypatch):
    fit, test = agreement(400, seed=1), agreement(300, seed=2)

    def there(model, tokens, mask):
        number = np.asarray((fit if len(tokens) == 400 else test).number)
        return np.broadcast_to((0.3 + number)[:, None, None], (*tokens.shape, 1))

    monkeypatch.setattr(of_states, "states_of", there)
    assert of_states.number_probe(model, fit, test, (0, 3)).tolist() == [1, 1]
    nothing = lambda model, tokens, mask: np.random.default_rng(len(tokens)).normal(size=(*tokens.shape, 3))
    monkeypatch.setattr(of_states, "states_of", nothing)
    shares = of_states.number_probe(model, fit, test, (0, 3, 6))
    assert shares.shape == (3,)
    assert (np.abs(shares - 0.5) < 0.12).all()
    with pytest.raises(InvalidInput, match="Too few sentences are longer than 300 steps"):
        of_states.number_probe(model, fit, test, (300,))


def test_each_step_has_a_probe_that_reads_its_own_direction(model, monkeypatch):
    fit, test = agreement(400, seed=1), agreement(300, seed=2)

    def turning(model, tokens, mask):  # the number is laid out the other way round at every second step
        corpus = fit if len(tokens) == 400 else test
        steps = np.arange(tokens.shape[1]) - np.asarray(corpus.subject)[:, None]
        return ((2.0 * np.asarray(corpus.number)[:, None] - 1) * (-1.0) ** steps)[..., None]

    monkeypatch.setattr(of_states, "states_of", turning)
    assert of_states.number_probe(model, fit, test, (0, 1, 2)).tolist() == [1, 1, 1]


def test_one_seed_is_enough_for_frozen_networks_and_none_is_refused():
    assert frozen_recall(4, 2, lags=2, seeds=(0,)).accuracy.shape == (1, 2)
    with pytest.raises(InvalidInput, match="at least one seed"):
        frozen_recall(4, 2, lags=2, seeds=())


def test_prefers_compares_the_sums_of_both_forms(model):
    corpus, vocab = agreement(120, seed=9), vocabulary()
    found, costs = prefers(model, corpus, batch=50), []
    probabilities = np.asarray(jax.nn.softmax(model(corpus.tokens, corpus.mask)))
    for row in range(120):
        at = probabilities[row, int(corpus.verb[row]) - 1]
        sums = [sum(at[vocab[pair[number]]] for pair in AGREEING) for number in (0, 1)]
        right = sums[int(corpus.number[row])]
        assert found[row] == (right > sum(sums) - right)
        costs.append(-np.log(right / sum(sums)))
    assert number_loss(model, corpus) == pytest.approx(np.mean(costs), rel=1e-4)


def test_a_number_that_is_missing_spoils_its_bin_of_distances_alone():
    corpus = agreement(60, 0)
    distance = np.asarray(corpus.distance)
    edges = (*(int(edge) for edge in np.quantile(distance, (0, 0.3, 0.7))), int(distance.max()) + 1)
    hits = np.random.default_rng(0).random(60)
    _, whole = by_distance(hits, corpus, edges)
    where = np.digitize(distance, edges) - 1
    assert whole == pytest.approx([hits[where == i].mean() for i in range(3)])
    for missing in (np.nan, np.inf):
        hits[np.flatnonzero(where == 1)[0]] = missing
        _, found = by_distance(hits, corpus, edges)
        assert found[[0, 2]].tolist() == whole[[0, 2]].tolist()
        assert not np.isfinite(found[1])


def test_twin_distance_is_one_at_the_subject_and_follows_the_states(model):
    corpus = agreement(200, seed=2, distances=(12, 20))
    gaps = twin_distance(model, corpus, steps=12)
    twins = corpus.twins()
    a, b = (states_of(model, c.tokens, c.mask) for c in (corpus, twins))
    by_hand = np.zeros(12)
    for k in range(12):
        squares = []
        for row in range(200):
            t = int(corpus.subject[row]) + k
            if t < int(corpus.verb[row]):
                squares.append(((a[row, t] - b[row, t]) ** 2).sum())
        by_hand[k] = np.sqrt(np.mean(squares))
    np.testing.assert_allclose(gaps, by_hand / by_hand[0], rtol=1e-4)
    with pytest.raises(InvalidInput, match="No sentence is long enough for 36 steps"):
        twin_distance(model, corpus)
