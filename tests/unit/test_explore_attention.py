"""What the explorers and figures of notebooks 06 and 07 show, and the measures behind them."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.data.agreement import agreement
from course_utils.experiments import ch06
from course_utils.experiments.results.ch06 import Saturations
from course_utils.figures import self_attention as figures
from course_utils.figures.style import words
from course_utils.front import surface
from course_utils.measure import heads
from course_utils.measure.agreement import prefers
from course_utils.measure.inside import reader_weights
from course_utils.measure.softmax import entropy, gradient_size, random_vectors, saturation
from course_utils.runtime import CourseError
from course_utils.widgets import ch06 as explorers


def model():
    return ch06.language_model(nnx.Rngs(0))


MAKERS = {
    "dictionary": explorers.soft_dictionary,
    "root": explorers.root_of_d,
    "masks": explorers.mask_builder,
    "heads": lambda: explorers.heads(model()),
    "positions": explorers.positions,
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_every_control_changes_what_is_said(make):
    e = make()
    said = surface.summary(e.figure())
    for name, control in e.controls.items():
        if name == "typed":
            continue
        if control.kind == "slider":
            assert control.start < control.values[-1], f"{name}: an arrow key to the right must move it"
        told = {surface.summary(e.figure(**{name: value})) for value in (control.values[0], control.values[-1])}
        assert told != {said}, name


def test_a_query_between_two_keys_blends_their_values_and_a_long_one_looks_up():
    dog, hen = explorers.KEYS[:2]
    assert dog[0] == hen[0]
    query = np.array([1.0, 0.0])  # so that q · dog = q · hen
    weights, legs = explorers.look_up(query)
    assert weights[0] == pytest.approx(weights[1], rel=1e-5)
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    assert legs == pytest.approx(float(weights @ explorers.LEGS), abs=1e-5)
    far = explorers.look_up(100 * (dog + np.array([0, 0.5])))
    assert far[1] == pytest.approx(4, abs=1e-3)
    assert explorers.look_up(np.zeros(2))[1] == pytest.approx(explorers.LEGS.mean(), abs=1e-5)


@pytest.mark.parametrize("position", [0, 5, 20, 53, 54, 62, 63])
def test_what_is_said_of_positions_is_what_is_drawn(position):
    """The curves oscillate: the ends of a run are not the ends of all that is as close."""
    for kind, width in (("sinusoidal", 8), ("sinusoidal", 64), ("rotary", 8), ("rotary", 64)):
        figure = explorers.positions().figure(kind=kind, width=width, position=position)
        near, said = np.asarray(figure.data[1].y), words(figure)
        low, high = map(int, re.search(r"positions (\d+) to (\d+) have at least half", said["summary"]).groups())
        assert low <= position <= high
        assert (near[low : high + 1] >= near[position] / 2).all()
        assert all(near[end] < near[position] / 2 for end in (low - 1, high + 1) if 0 <= end < len(near))
        for steps, name in ((1, "one"), (10, "ten")):
            there, way = (position + steps, "further") if position + steps < 64 else (position - steps, "before")
            assert f"{name} {way}: {near[there]:.2f}" in said["summary"]
        alike = "most like itself" if near.argmax() == position else "not most like itself"
        assert said["title"] == f"Position {position} is {alike}"


def test_a_short_table_of_positions_says_what_it_has():
    said = words(figures.positions_map(np.eye(3), np.array([0.0, 1, 0]), 1, "own"))
    assert said["title"] == "Position 1 is most like itself"
    assert "its neighbours have less than half of that" in said["summary"]
    other = words(figures.positions_map(np.eye(3), np.array([2.0, 1, 0]), 1, "own"))
    assert other["title"] == "Position 1 is not most like itself"
    assert "with itself: 1.00" in words(figures.positions_map(np.ones((1, 2)), np.ones(1), 0, "own"))["summary"]


def saturations(measure, end):
    """All measures flat but one, which goes from 1 to `end`."""
    flat = dict.fromkeys((field.name for field in dataclasses.fields(Saturations)), np.ones(2))
    return Saturations(**{**flat, measure: np.array([1.0, end])})


def test_titles_of_attention_say_what_the_weights_say():
    sizes = (4, 64)
    title = lambda measure, **ends: words(
        figures.scaling(sizes, {name: saturations(measure, end) for name, end in ends.items()}, measure)
    )["title"]
    assert title("gradient", plain=1e-5, divided=0.9) == "With plain the softmax stops learning as vectors grow"
    assert title("entropy", plain=0.1, divided=0.9) == "With plain the weights gather on one position as vectors grow"
    assert title("variance", divided=1.0) == "Larger vectors change little"
    looks = lambda *row: words(figures.head_map(list("abcd"), np.tile(np.array(row, float), (1, 4, 1)), 0, 0, 3, {}))[
        "title"
    ]
    assert looks(0.9, 0.1, 0, 0) == "“d” attends most to “a”"
    assert looks(0.25, 0.25, 0.25, 0.25) == "“d” spreads its attention"
    mask = lambda allowed: words(figures.mask_map(list("ab"), np.array(allowed, bool), np.eye(2), 0))["title"]
    assert mask([[1, 0], [1, 1]]) == "No position attends to a later one"
    assert mask([[1, 1], [1, 1]]) == "Positions attend to later ones too"
    assert mask([[0, 0], [1, 1]]) == "“a” has nowhere to attend to"
    legs = lambda *weights: words(
        figures.soft_dictionary(["dog", "hen"], np.eye(2), np.array([4.0, 2.0]), np.ones(2), np.array(weights), "legs")
    )["title"]
    assert legs(0.9, 0.1) == "The answer is 3.80 legs, mostly from dog"
    assert legs(0.5, 0.5) == "The answer is 3.00 legs, blended from several"


def test_entropy_and_gradient_of_a_softmax():
    weights = jnp.array([[0.25] * 4, [1.0, 0, 0, 0], [0.7, 0.2, 0.1, 0.0]])
    assert entropy(weights)[:2].tolist() == [2, 0]
    assert entropy(weights)[2] == pytest.approx(-sum(p * np.log2(p) for p in (0.7, 0.2, 0.1)), rel=1e-5)
    scores = jnp.array([0.3, -1.0, 2.0])
    jacobian = jax.jacobian(jax.nn.softmax)(scores)
    assert gradient_size(jax.nn.softmax(scores)) == pytest.approx(float(jnp.linalg.norm(jacobian)), rel=1e-5)


@pytest.mark.parametrize("ahead", [0.0, 5.0, 12.0, 20.0, 40.0, 60.0])
def test_the_gradient_of_a_sure_softmax_is_small_and_not_lost_in_rounding(ahead):
    scores = np.array([ahead, 0.0, -0.5])
    weights = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()  # float64
    jacobian = np.diag(weights) - np.outer(weights, weights)
    jacobian[0, 0] = weights[0] * weights[1:].sum()  # float64 rounds too
    found = float(gradient_size(jax.nn.softmax(jnp.asarray(scores, jnp.float32))))
    assert found == pytest.approx(np.linalg.norm(jacobian), rel=1e-4)


def test_the_root_keeps_the_softmax_as_it_is():
    found = ch06.scaling()
    plain, divided = found["q · k"], found["q · k / √d"]
    np.testing.assert_allclose(plain.variance, ch06.SIZES, rtol=0.1)
    np.testing.assert_allclose(divided.variance, 1, rtol=0.1)
    assert np.ptp(divided.entropy) < 0.1
    assert np.ptp(divided.gradient) < 0.02
    assert plain.entropy[-1] < 0.2 < 2 < plain.entropy[0]
    assert 0 < plain.gradient[-1] < plain.gradient[0] / 1000
    assert 0.1 < plain.open[-1] < 0.3  # where two scores are close a lot gets through
    assert divided.open[-1] > 0.9
    queries, keys = random_vectors(jax.random.key(0), 8)
    assert saturation(queries, keys, 0.0).largest == pytest.approx(1 / 16)


def test_the_mask_builder_masks():
    e = explorers.mask_builder()
    allowed = lambda **values: words(e.figure(**values))["summary"].split(". ")[1]
    off = {"padding": False, "causal": False, "itself": True, "window": 7}
    assert allowed(**off).startswith("64 of 64")
    assert allowed(**{**off, "causal": True}).startswith("36 of 64")
    assert allowed(**{**off, "padding": True}).startswith("48 of 64")
    assert allowed(**{**off, "window": 1}).startswith("22 of 64")
    nothing = words(e.figure(**{**off, "causal": True, "itself": False, "position": 1}))
    assert "its weights are all 0" in nothing["summary"]
    assert "Nothing is left for the" in nothing["caption"]


def test_any_sentence_can_be_read_by_the_heads():
    e = explorers.heads(model())
    figure = e.figure(typed="the cat near the dogs", word=2, head=3)
    said = words(figure)["summary"]
    assert "head 3" in said
    assert "“the” (word 2)" in said
    assert np.nansum(np.triu(np.asarray(figure.data[0].z), 1)) == 0
    with pytest.raises(CourseError, match="zebra"):
        e.figure(typed="the zebra")
    assert "Only the first 60 of 80 words are read." in words(e.figure(typed=" ".join(["cat"] * 80)))["summary"]


def test_heads_are_measured_where_the_verb_is_due():
    corpus, reader = agreement(40, seed=3), model()
    found = heads.subject_weights(reader, corpus, batch=16)
    row = 7
    weights = reader_weights(reader, corpus.tokens[row : row + 1])
    expected = weights[:, 0, :, int(corpus.verb[row]) - 1, int(corpus.subject[row])]
    np.testing.assert_allclose(found[row], expected, atol=1e-6)
    assert heads.even_weight(corpus) == pytest.approx(np.mean([1 / int(verb) for verb in corpus.verb]))


def test_switching_off_what_is_needed_spoils_the_answer():
    corpus, reader = agreement(60, seed=3), model()
    keep = np.ones((ch06.LAYERS, ch06.HEADS))
    assert heads.without(reader, corpus, keep, batch=32) == pytest.approx(prefers(reader, corpus).mean())
    silent = nnx.clone(reader)
    for block in silent.blocks:
        block.attention.out.kernel[...] = 0 * block.attention.out.kernel[...]
    assert heads.without(reader, corpus, 0 * keep, batch=32) == pytest.approx(prefers(silent, corpus).mean())


def test_the_most_needed_head_is_told():
    off = np.full((2, 2, 4), 0.99)
    off[1, 1, 2] = 0.5
    figure = figures.heads_needed(np.linspace(0, 0.7, 16).reshape(2, 2, 4), off)
    assert words(figure)["title"] == "The head that is needed most is in layer 2"
    alike = figures.heads_needed(np.linspace(0, 0.7, 16).reshape(2, 2, 4), np.full((2, 2, 4), 0.99))
    assert words(alike)["title"] == "No head is needed by itself"
    assert sum(len(trace.x) for trace in figure.data) == 16


class NamesFirst(nnx.Module):
    """A reader that names the symbol at one place, whatever was asked."""

    def __init__(self, place):
        self.place = place

    def __call__(self, tokens, mask):
        return jax.nn.one_hot(tokens[:, self.place], 8)


def test_answers_at_other_lengths_are_counted():
    assert ch06.at_length(NamesFirst(0), 20) == 1
    assert ch06.at_length(NamesFirst(-1), 20) == pytest.approx(1 / 8, abs=0.05)
