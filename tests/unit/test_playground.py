"""One cell with gates set by hand, the gradient that gates keep, and units that hold a number."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.data.agreement import agreement, vocabulary
from course_utils.exercises import ch03 as ex
from course_utils.figures.gates import unit_over_sentence
from course_utils.measure.gates import gates_of, number_units, verbs_without
from course_utils.measure.gradients import length_of
from course_utils.measure.playground import BUILT, computed, play, pulses, wanted
from course_utils.measure.retention import additive_path, retention
from course_utils.models.cells import RNNCell
from course_utils.models.gated import GRUCell, LSTMCell, LSTMState, additive_memory
from course_utils.models.sequence import RecurrentLanguageModel
from course_utils.runtime import InvalidInput
from course_utils.widgets import ch03

GIVEN = pulses(12, 3, seed=4)


def test_goals_are_what_their_names_say():
    value, mark = GIVEN
    last, count = 0.0, 0
    for t in range(12):
        if mark[t]:
            last, count = value[t], count + 1
        assert wanted("remember", GIVEN)[t] == last
        assert wanted("forget", GIVEN)[t] == (value[t] if mark[t] else 0)
        assert wanted("count", GIVEN)[t] == count


def test_a_cell_follows_its_equation():
    rng = np.random.default_rng(0)
    f, i, candidate = rng.uniform(size=9), rng.uniform(size=9), rng.normal(size=9)
    C, states = 0.0, []
    for t in range(9):
        C = f[t] * C + i[t] * candidate[t]
        states.append(C)
    np.testing.assert_allclose(additive_memory(*map(jnp.asarray, (f, i, candidate))), states, rtol=1e-5)
    np.testing.assert_allclose(play(f, i, candidate, 9), states, rtol=1e-5)


@pytest.mark.parametrize("goal", ["remember", "forget", "count"])
def test_every_goal_can_be_built_and_half_open_gates_build_none(goal):
    f, i, candidate = ex.gates_by_hand(goal, *map(jnp.asarray, GIVEN))
    assert np.abs(play(f, i, candidate, 12) - wanted(goal, GIVEN)).max() < 1e-6
    assert np.abs(play(0.5, 0.5, GIVEN.value, 12) - wanted(goal, GIVEN)).max() > BUILT


def test_computed_gates_are_never_quite_shut_or_open():
    gates = computed(np.array([0.0, 0.5, 1.0]), 3.0)
    np.testing.assert_allclose(gates, [1 / (1 + np.exp(3)), 0.5, 1 / (1 + np.exp(-3))])


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: play(1.2, 1, 1, 4), r"forget gate f must lie in \[0, 1\]"),
        (lambda: play(1, -0.1, 1, 4), r"input gate i must lie in \[0, 1\]"),
        (lambda: play(np.ones(3), 1, 1, 4), "one number or 4 numbers"),
        (lambda: play(1, 1, np.nan, 4), "not finite"),
        (lambda: wanted("erase", GIVEN), "goal must be one of"),
        (lambda: pulses(5, 5), "marks"),
        (lambda: computed(1.0, 0.0), "strongest"),
        (lambda: retention("CNN"), "kind must be one of"),
        (lambda: retention("LSTM", float("inf")), "finite"),
    ],
)
def test_bad_input_is_refused_in_words(act, says):
    with pytest.raises(InvalidInput, match=says):
        act()


def test_gates_outside_their_range_are_refused_in_the_exercise():
    verdict = ex.playground.check(lambda goal, value, mark: (1 + mark, mark, value))
    assert verdict.status == "cannot run"
    assert "must lie in [0, 1]" in verdict.message


def test_the_explorer_says_when_a_goal_is_built():
    e = ch03.playground()
    built = {
        "remember": (1, 0, 0, 1, "the value"),
        "forget": (0, 0, 0, 1, "the value"),
        "count": (1, 1, 0, 1, "always 1"),
    }
    for goal, (f_quiet, f_mark, i_quiet, i_mark, offered) in built.items():
        settings = {"f_quiet": f_quiet, "f_mark": f_mark, "i_quiet": i_quiet, "i_mark": i_mark, "offered": offered}
        for other in built:
            title = e.figure(goal=other, gates=None, **settings).layout.meta["title"]
            assert title == (f"This cell can {other}" if other == goal else f"This cell cannot {other} yet")
        leaking = e.figure(goal=goal, gates=3.0, **settings).layout.meta
        assert leaking["title"] == f"This cell cannot {goal} yet"
        assert "farthest off at step" in leaking["summary"]


# ------------------------------------------------------------------------------------------- what gates keep


@pytest.mark.slow
def test_the_last_step_keeps_everything_and_open_gates_keep_more():
    for kind in ("RNN", "GRU", "LSTM"):
        assert retention(kind, 1.0, 30)[-1] == pytest.approx(1)
    for kind in ("GRU", "LSTM"):
        shut, open_ = retention(kind, 0.0, 60)[0], retention(kind, 4.0, 60)[0]
        assert open_ > 1e3 * shut
    np.testing.assert_array_equal(retention("RNN", 0.0, 20), retention("RNN", 4.0, 20))


@pytest.mark.slow
def test_what_the_text_and_the_quiz_of_notebook_03_say_of_99_steps_with_weak_inputs():
    """The explorer's setting; the stored figure shows bias 0 only."""
    kept = {
        (kind, bias): retention(kind, bias, 100, strength=0.3)[0]
        for kind, bias in (("RNN", 0.0), ("LSTM", 0.0), ("LSTM", 1.0), ("LSTM", 4.0), ("GRU", 4.0))
    }
    assert kept["LSTM", 0.0] < kept["RNN", 0.0] < kept["LSTM", 1.0]
    assert kept["LSTM", 4.0] > 1
    assert kept["GRU", 4.0] == pytest.approx(0.2, abs=0.03)
    assert additive_path(4.0, 100, strength=0.3)[0] == pytest.approx(0.2, abs=0.03)


def test_the_additive_path_is_the_gate_to_the_power_of_the_steps():
    path = additive_path(bias=2.0, length=50, strength=0.0)
    np.testing.assert_allclose(path[::-1][:10], (1 / (1 + np.exp(-2.0))) ** np.arange(10), rtol=1e-4)
    assert np.isfinite(additive_path(bias=-2.0, length=100, strength=3.0)).all()


def test_lengths_of_tiny_vectors_do_not_underflow():
    np.testing.assert_allclose(length_of(jnp.array([[3e-30, 4e-30], [0.0, 0.0]])), [5e-30, 0.0])


# --------------------------------------------------------------------------------------- units with a number


def test_gates_of_a_model_are_those_of_a_loop():
    model = RecurrentLanguageModel(LSTMCell(4, 6, rngs=nnx.Rngs(0)), 10, rngs=nnx.Rngs(1))
    tokens = jnp.array([[1, 4, 5, 2], [1, 7, 2, 0]])
    mask = jnp.array([[True] * 4, [True] * 3 + [False]])
    found = gates_of(model, tokens, mask)
    for row, length in ((0, 4), (1, 3)):
        state = LSTMState(jnp.zeros((1, 6)), jnp.zeros((1, 6)))
        for t in range(length):
            projected = model.cell.project(model.embed(tokens[row, t])[None])
            gates = model.cell.gates(state, projected)
            state = model.cell.step(state, projected)
            for name, value in zip(("forget", "input", "candidate", "output"), gates, strict=True):
                np.testing.assert_allclose(getattr(found, name)[row, t], value[0], atol=1e-6)
            np.testing.assert_allclose(found.cell[row, t], state.cell[0], atol=1e-6)
            np.testing.assert_allclose(found.hidden[row, t], state.hidden[0], atol=1e-6)
    with pytest.raises(InvalidInput, match="Gates of an LSTM are asked for"):
        gates_of(RecurrentLanguageModel(GRUCell(4, 6, rngs=nnx.Rngs(0)), 10, rngs=nnx.Rngs(1)), tokens, mask)


def latch(unit):
    """A plain network whose unit number `unit` alone latches the subject, and whose verb follows that unit."""
    vocab = vocabulary()
    model = RecurrentLanguageModel(RNNCell(len(vocab), 5, rngs=nnx.Rngs(0)), len(vocab), rngs=nnx.Rngs(1))
    model.embed.embedding[...] = jnp.eye(len(vocab))
    model.cell.W_h[...] = jnp.diag(jnp.zeros(5).at[unit].set(3.0))
    from course_utils.data.agreement import NOUNS

    W_x = np.zeros((5, len(vocab)), np.float32)
    for singular, plural in NOUNS:
        W_x[unit, vocab[singular]], W_x[unit, vocab[plural]] = -1.0, 1.0
    model.cell.W_x[...] = jnp.asarray(W_x)
    kernel = np.zeros((5, len(vocab)), np.float32)
    kernel[unit, [vocab["were"], vocab["are"]]], kernel[unit, [vocab["was"], vocab["is"]]] = 2.0, -2.0
    model.head.kernel[...] = jnp.asarray(kernel)
    return model


@pytest.mark.parametrize("unit", [0, 3])
def test_the_unit_that_holds_the_number_is_found_wherever_it_is(unit):
    corpus = agreement(400, seed=1, distances=(1, 12), attractors=(0, 0))
    plain = corpus._replace(**{name: getattr(corpus, name)[~np.asarray(corpus.fronted)] for name in corpus._fields})
    found = number_units(latch(unit), plain, plain)
    assert found.unit == unit
    assert found.untouched == 1.0
    assert found.accuracy[unit] < 0.6
    assert np.delete(found.accuracy, unit).min() == 1.0
    assert np.abs(found.correlation).argmax() == unit
    alone, with_another, another = verbs_without(latch(unit), plain, plain, ([unit], [1, unit], [1]))
    assert alone == with_another == pytest.approx(found.accuracy[unit])
    assert another == 1.0
    with pytest.raises(InvalidInput, match="The units are 0 to"):
        verbs_without(latch(unit), plain, plain, [[99]])


def test_two_units_that_replace_each_other_are_missed_together_alone():
    corpus = agreement(200, seed=1, distances=(1, 12), attractors=(0, 0))
    plain = corpus._replace(**{name: getattr(corpus, name)[~np.asarray(corpus.fronted)] for name in corpus._fields})
    first, second = latch(0), latch(3)
    twice = latch(0)
    for name in ("W_x", "W_h", "b"):
        both, other = getattr(twice.cell, name), getattr(second.cell, name)
        both[...] = jnp.where(jnp.abs(other[...]) > jnp.abs(getattr(first.cell, name)[...]), other[...], both[...])
    twice.head.kernel[...] = first.head.kernel[...] + second.head.kernel[...]
    groups = ([0], [3], [0, 3])
    one, two, together = verbs_without(twice, plain, plain, groups)
    assert one == two == 1.0
    assert together < 0.6


def test_words_below_the_gates_are_also_those_of_the_cells_above_them():
    cells = {"singular": np.zeros(3), "plural": np.ones(3)}
    figure = unit_over_sentence(
        ["the", "cat", "is"], cells, {"forget gate": np.zeros(3), "input gate": np.ones(3)}, 0, np.zeros(2), np.ones(2), 1.0
    )  # fmt: skip
    above, below = figure.layout.xaxis, figure.layout.xaxis3
    assert above.range == below.range == (-0.4, 2.4)
    assert below.ticktext == ("the", "cat", "is")


def test_the_lines_of_a_unit_are_named_above_their_panels():
    cells = {"singular": np.array([0.0, 1.0]), "plural": np.array([0.0, 1.0])}
    gates = {name: np.ones(2) for name in ("forget", "input", "output")}
    figure = unit_over_sentence(["the", "cat"], cells, gates, 0, np.zeros(2), np.ones(2), 1.0)
    told = " ".join(note.text for note in figure.layout.annotations)
    assert all(name in told for name in (*cells, *gates))
