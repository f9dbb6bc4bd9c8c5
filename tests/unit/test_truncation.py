"""Truncated gradients, gradients along a sequence, the cliff, and switching a state over."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.data.agreement import agreement, vocabulary
from course_utils.data.sequences import delayed_recall
from course_utils.exercises.ch02 import truncated_slope
from course_utils.figures.gradients import switch
from course_utils.figures.style import words
from course_utils.measure import cliff
from course_utils.measure.agreement import verb_margin
from course_utils.measure.gradients import cell_path_jacobian, forget_products, state_gradients, step_jacobians
from course_utils.measure.latch import between_twins
from course_utils.measure.truncation import answer_gradients, compare, gradient_of, gradient_to_subject, verb_number
from course_utils.models.cells import RNNCell
from course_utils.models.gated import GRUCell, LSTMCell
from course_utils.models.losses import classification, next_word
from course_utils.models.recurrent import Damped, Truncated, unroll
from course_utils.models.sequence import RecurrentLanguageModel, SequenceClassifier
from course_utils.runtime import InvalidInput, float64

CELLS = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}


def cell(name, embed=3, hidden=5):
    return CELLS[name](embed, hidden, rngs=nnx.Rngs(0))


def flat(state):
    return jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(state)])


@pytest.mark.parametrize("name", CELLS)
def test_truncation_changes_no_state(name):
    inputs = jax.random.normal(jax.random.key(0), (2, 11, 3))
    plain, cut = unroll(cell(name), inputs), unroll(Truncated(cell(name), 4), inputs)
    np.testing.assert_array_equal(plain[0], cut[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("window", [1, 3, 4, 11, 20])
def test_no_gradient_passes_the_start_of_a_window(name, window):
    def last(inputs):
        return unroll(Truncated(cell(name), window), inputs[None])[1]

    by_input = jax.jacrev(lambda x: flat(last(x)))(jax.random.normal(jax.random.key(0), (11, 3)))
    reached = np.asarray(jnp.abs(by_input).max((0, 2)) > 0)
    assert reached.tolist() == [t >= 10 // window * window for t in range(11)]


def test_a_window_as_long_as_the_sequence_gives_the_full_gradient():
    model = SequenceClassifier(cell("gru"), 16, 8, rngs=nnx.Rngs(1))
    batch = delayed_recall(jax.random.key(0), 8, 12)
    full = gradient_of(model, classification, batch)
    np.testing.assert_allclose(gradient_of(model, classification, batch, 12), full, atol=1e-7)
    errors = [compare(gradient_of(model, classification, batch, k), full).relative for k in (1, 6, 12)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-5


def test_a_start_of_ones_own_is_cut_off_by_no_window_before_the_sequence():
    def last(first, make):
        return unroll(make(cell("rnn")), jnp.ones((1, 4, 3)), start=first)[1]

    first = jnp.full((1, 5), 0.1)
    cut, whole = (jax.jacobian(last)(first, make) for make in (lambda c: Truncated(c, 100), lambda c: c))
    np.testing.assert_allclose(cut, whole, atol=1e-7)
    assert np.abs(whole).max() > 0


def test_the_exercise_on_one_weight_agrees_with_stop_gradient():
    xs, k = jnp.array([1.0, -2.0, 0.5, 3.0]), 2

    def last(w):
        h = 0.0
        for t, x in enumerate(xs):
            h = w * (jax.lax.stop_gradient(h) if t == len(xs) - k else h) + x
        return h

    assert truncated_slope(0.7, xs, k) == pytest.approx(float(jax.grad(last)(0.7)))
    assert truncated_slope(0.7, xs, 9) == pytest.approx(float(jax.grad(lambda w: last_full(w, xs))(0.7)))


def last_full(w, xs):
    h = 0.0
    for x in xs:
        h = w * h + x
    return h


@pytest.mark.parametrize("name", CELLS)
def test_gradients_along_a_sequence_are_products_of_jacobians(name):
    own, inputs = cell(name), jax.random.normal(jax.random.key(0), (1, 7, 3))
    v = jax.random.normal(jax.random.key(1), (5,))
    found = state_gradients(own, inputs, lambda outputs, last: (last @ v).sum())[0]
    jacobians = step_jacobians(own, inputs[0])
    gradient = jnp.concatenate([v, jnp.zeros(jacobians.shape[-1] - 5)])  # h comes first, C after it
    for t in reversed(range(7)):
        assert found[t] == pytest.approx(float(jnp.linalg.norm(gradient)), rel=1e-5)
        gradient = gradient @ jacobians[t]


def test_positions_behind_the_last_word_feel_nothing():
    own, inputs = cell("rnn"), jax.random.normal(jax.random.key(0), (2, 6, 3))
    mask = jnp.arange(6) < jnp.array([[6], [4]])
    found = state_gradients(own, inputs, lambda outputs, last: last.sum(), mask)
    assert (np.asarray(found) > 0).tolist() == mask.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("length", [1, 50, 200])
def test_the_cell_path_is_the_product_of_forget_gates(length):
    own = LSTMCell(3, 8, rngs=nnx.Rngs(0), forget_bias=2.0)
    inputs = jax.random.normal(jax.random.key(1), (length, 3))
    product, by_autodiff = forget_products(own, inputs)[-1], cell_path_jacobian(own, inputs)
    assert np.linalg.norm(jnp.diag(product) - by_autodiff) <= 1e-5 * np.linalg.norm(by_autodiff)
    with float64():
        graphdef, state = nnx.split(own)
        own = nnx.merge(graphdef, jax.tree.map(lambda a: a.astype(jnp.float64), state))
        inputs = inputs.astype(jnp.float64)
        product, by_autodiff = forget_products(own, inputs)[-1], cell_path_jacobian(own, inputs)
        assert by_autodiff.dtype == jnp.float64
        assert np.linalg.norm(jnp.diag(product) - by_autodiff) <= 1e-10 * np.linalg.norm(by_autodiff)


# ------------------------------------------------------------------------------------------ the cat sentence


def model():
    return RecurrentLanguageModel(RNNCell(8, 16, rngs=nnx.Rngs(0)), len(vocabulary()), rngs=nnx.Rngs(1))


def test_the_gradient_reaches_a_neighbour_whole_and_far_subjects_less():
    corpus = agreement(400, seed=3)
    share = gradient_to_subject(model(), corpus)
    near, far = np.asarray(corpus.distance) == 1, np.asarray(corpus.distance) > 30
    np.testing.assert_allclose(share[near], 1, rtol=1e-5)
    assert np.median(share[far]) < 0.5


def test_a_batch_of_sentences_has_a_gradient_for_each_of_the_losses():
    corpus = agreement(64, seed=3)
    whole, number = gradient_of(model(), next_word, corpus), gradient_of(model(), verb_number, corpus)
    assert whole.shape == number.shape
    assert np.isfinite(whole).all()
    assert compare(whole, whole).cosine == pytest.approx(1)


def test_a_state_moved_all_the_way_is_the_twin_sentence():
    corpus = agreement(200, seed=3)
    margins = between_twins(model(), corpus, np.array([0.0, 1.0]), least=5)
    rows = np.flatnonzero(np.asarray(corpus.distance) >= 5)
    far = jax.tree.map(lambda a: a[rows], corpus)
    twins = between_twins(model(), far.twins(), np.array([0.0, 1.0]), least=5)
    np.testing.assert_allclose(margins[1], -twins[0], atol=1e-5)
    sign = 2 * np.asarray(far.number) - 1  # the state as it is: the margin in favour of the subject's own number
    scores = model()(far.tokens, far.mask)[np.arange(len(rows)), np.asarray(far.verb) - 1]
    np.testing.assert_allclose(margins[0], np.asarray(verb_margin(scores)) * sign, atol=1e-5)
    assert np.abs(margins[0]).min() > 0
    with pytest.raises(InvalidInput, match="distance"):
        between_twins(model(), corpus, np.array([0.0]), least=100)


def test_the_switch_figure_tells_a_jump_from_a_slope():
    w = np.linspace(0, 1, 21)
    jump = np.where(w < 0.5, 4.0, -4.0)[:, None].repeat(3, 1)
    slope = (4 - 8 * w)[:, None].repeat(3, 1)
    assert words(switch(w, jump))["title"] == "The state turns over like a switch"
    assert words(switch(w, slope))["title"] == "The state turns over gradually"
    there_and_back = (
        np.tile([0.0, 4.0], 11)[:21, None] + 4 * w[:, None]
    )  # up and down at every step, 4 higher in the end
    assert words(switch(w, there_and_back))["title"] == "The verb does not turn over steadily"
    assert "the two ends differ by 0.05 of all ups and downs" in words(switch(w, there_and_back))["summary"]
    assert words(switch(w, np.ones((21, 3))))["title"] == "The verb does not turn over steadily"
    wobbling = jump + 0.01 * np.tile([0.0, 1.0], 11)[:21, None]
    assert words(switch(w, wobbling))["title"] == "The state turns over like a switch"
    assert "makes 0.98 of the whole change" in words(switch(w, wobbling))["summary"]


def test_gradients_of_an_answer_are_those_of_its_loss():
    own = SequenceClassifier(cell("rnn"), 16, 8, rngs=nnx.Rngs(1))
    batch = delayed_recall(jax.random.key(0), 4, 6)
    found = answer_gradients(own, batch)
    assert found.shape == (4, 6)
    assert (found > 0).all()


# ------------------------------------------------------------------------------------------------- the cliff


def test_the_surface_is_the_loss_of_a_plain_loop():
    h = 0.5
    for _ in range(50):
        h = 1 / (1 + np.exp(-(5.0 * h - 2.0)))
    assert cliff.surface(np.array([5.0], np.float32), np.array([-2.0], np.float32))[0, 0] == pytest.approx(
        (h - 0.7) ** 2, abs=1e-5
    )


def test_without_clipping_the_wall_throws_the_descent_out_and_with_it_does_not():
    free, leashed = (cliff.descend((5.0, -2.0), 0.5, limit, 41) for limit in (None, 1.0))
    assert free.lengths.max() > 10
    assert np.abs(free.path[-1] - free.path[0]).max() > 4
    assert leashed.lengths.max() > 10
    assert np.abs(leashed.path[-1] - leashed.path[0]).max() < 2
    assert leashed.losses[-1] < 0.05 < free.losses[-1]
    steps = np.linalg.norm(np.diff(leashed.path, axis=0), axis=1)
    assert steps.max() <= 0.5 + 1e-5


def test_clipping_keeps_the_direction_and_leaves_short_gradients_alone():
    np.testing.assert_allclose(cliff.clip(jnp.array([3.0, 4.0]), 1.0), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(cliff.clip(jnp.array([0.3, 0.4]), 1.0), [0.3, 0.4], rtol=1e-6)
    np.testing.assert_array_equal(cliff.clip(jnp.zeros(2), 1.0), [0, 0])


@pytest.mark.parametrize(("name", "value"), [("learning_rate", 0.0), ("threshold", -1.0), ("updates", 0)])
def test_a_descent_that_cannot_be_is_refused(name, value):
    options = {"learning_rate": 0.1, "threshold": 1.0, "updates": 3, name: value}
    with pytest.raises(InvalidInput, match=name):
        cliff.descend((5.0, -2.0), **options)


@pytest.mark.slow
@pytest.mark.parametrize("name", CELLS)
def test_damping_changes_gradients_and_no_state(name):
    inputs = jax.random.normal(jax.random.key(0), (2, 5, 3))
    plain, damped = cell(name), Damped(cell(name), 0.5)
    np.testing.assert_allclose(unroll(plain, inputs)[0], unroll(damped, inputs)[0], atol=1e-6)
    full, faded = (state_gradients(c, inputs, lambda outputs, last: last.sum()) for c in (plain, damped))
    np.testing.assert_allclose(faded, full * 0.5 ** jnp.arange(4, -1, -1), rtol=1e-4)
    with pytest.raises(InvalidInput, match="keep"):
        Damped(plain, -0.5)


def test_two_balls_meet_the_same_wall_and_the_leash_is_all_that_differs():
    b = np.array([-3.0, -2.6, -2.0, 0.5])
    with float64():
        value, slope = jax.vmap(jax.value_and_grad(lambda b: cliff.loss(jnp.float64(cliff.CUT), b)))(
            jnp.asarray(b, jnp.float64)
        )
        np.testing.assert_allclose(cliff.slope(b), (value, slope), rtol=1e-9)
    ratio = 1.25  # of each step on the wall, where the unit stands still at one half
    assert abs(cliff.slope(cliff.WALL)[1]) == pytest.approx(2 * 0.2 * 0.25 * (ratio**50 - 1) / (ratio - 1), rel=1e-9)
    free, leashed = (cliff.roll(cliff.WALL, 1.0, limit, 40) for limit in (None, 1.0))
    assert free.lengths[0] == leashed.lengths[0] > 20_000
    assert free.b[1] == free.b[-1] == pytest.approx(cliff.WALL + free.lengths[0])  # on the flat, for ever
    assert leashed.b[1] == cliff.WALL + 1
    assert leashed.losses[20] < leashed.losses[1]
    thrown = [cliff.share_thrown(1.0, limit) for limit in (None, 1.0)]
    assert 0.01 < thrown[0] < 0.1
    assert thrown[1] == 0
    for wrong in ({"learning_rate": 0.0}, {"threshold": -1.0}, {"updates": 0}):
        with pytest.raises(InvalidInput):
            cliff.roll(-2.0, **{"learning_rate": 1.0, **wrong})
