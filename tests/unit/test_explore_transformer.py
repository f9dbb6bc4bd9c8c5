"""What the explorers and figures of notebook 07 show."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.data.images import CROSS, PATCH, RING, cut, left_or_right
from course_utils.decoding import greedy
from course_utils.experiments import ch07
from course_utils.figures import transformer as figures
from course_utils.figures.style import words
from course_utils.front import surface
from course_utils.measure import inside, stack
from course_utils.measure.speed import TOO_LONG, WOULD_NOT_FIT, Cost
from course_utils.models import run
from course_utils.models.gated import GRUCell
from course_utils.models.readers import AttentiveRecurrence, AttentiveRecurrentClassifier, PatchReader
from course_utils.runtime import CourseError, InvalidInput
from course_utils.widgets import ch07 as explorers


def raced(batch=8):
    lengths = (16, 64, 256)
    costs = {name: [Cost(n * k, n * 10) for n in lengths] for name, k in (("RNN", 1e-5), ("GRU", 3e-5), ("LSTM", 4e-5))}
    costs["self-attention"] = [Cost(n**2 * 1e-6, n * n) for n in lengths[:2]] + [Cost(None, 256**2, WOULD_NOT_FIT)]
    return ch07.summary(lengths, costs, batch)


TABLE = {
    "BLEU": {"values": {"RNN": [2.0, 3.0], "Transformer": [98.0, 99.0]}, "unit": "BLEU", "better": "more"},
    "Alignment error": {"values": {"RNN": None, "Transformer": [0.2]}, "unit": "AER", "better": "less"},
}
MAKERS = {
    "stages": lambda: explorers.stages(ch07.transformer(nnx.Rngs(0), width=16, heads=2)),
    "race": lambda: explorers.race([raced()], "cpu", raced(batch=1)),
    "five": lambda: explorers.five(TABLE),
    "pictures": lambda: explorers.pictures(ch07.picture_reader(nnx.Rngs(0))),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_every_control_changes_what_is_said(make):
    e = make()
    said = surface.summary(e.figure())
    for name, control in e.controls.items():
        if name != "typed":
            told = {surface.summary(e.figure(**{name: value})) for value in (control.values[0], control.values[-1])}
            assert told != {said}, name


def test_the_race_tells_exponents_crossovers_and_what_was_left_out():
    found = raced()
    assert found.layers["GRU"].exponent == pytest.approx(1)
    assert found.layers["self-attention"].skipped[-1] == WOULD_NOT_FIT
    assert found.layers["self-attention"].memory_exponent == pytest.approx(2)
    assert found.crossover["GRU"] == pytest.approx(30, abs=1)
    figure = figures.race(found, "here")
    assert "GRU from 30 on" in words(figure)["summary"]
    title = lambda **crossover: words(figures.race(dataclasses.replace(found, crossover=crossover), "here"))["title"]
    assert title(GRU=30, LSTM=40) == "Self-attention is the slowest from 40 positions on"
    assert title(GRU=None, LSTM=None) == "Self-attention is the fastest at every length"
    assert title(GRU=30, LSTM=None) == "Self-attention falls behind some of them as sequences grow"
    assert "GRU n^1.0" in words(figure)["summary"]
    assert any("would not fit" in note.text for note in figure.layout.annotations)


def test_what_was_too_slow_is_no_crossover():
    lengths = (16, 64)
    costs = {name: [Cost(1.0, 1), Cost(2.0, 1)] for name in ("RNN", "GRU", "LSTM")}
    costs["self-attention"] = [Cost(0.5, 1), Cost(None, 1, TOO_LONG)]
    assert ch07.summary(lengths, costs).crossover["GRU"] is None


def test_stages_name_the_word_and_where_it_came_up():
    branches, tops = ["a", "b", "c"], [["x", "y"], ["z", "x"], ["z", "y"]]
    shares = np.array([[0.5, 0.2], [0.6, 0.2], [0.9, 0.1]])
    said = words(figures.stages(branches, tops, shares, "z", np.array([0.0, 0.6, 0.9]), np.ones(3), "a source", "a b"))
    assert said["title"] == "“z” becomes the best word at “b”"
    assert "Source: a source. Written so far: a b …" in said["caption"]
    tops[0] = ["z", "y"]
    tops[1] = ["x", "z"]
    said = words(figures.stages(branches, tops, shares, "z", np.array([0.5, 0.2, 0.9]), np.ones(3), "a source", ""))
    assert said["title"] == "“z” becomes the best word at “a”, for good at “c”"
    assert "Written so far: nothing" in said["caption"]


def test_any_sentence_goes_through_the_stages():
    e = MAKERS["stages"]()
    assert "Translation: " in words(e.figure(typed="the cat sleeps"))["summary"]
    assert "Only the first 60 of 1,000 words are read." in words(e.figure(typed=" ".join(["cat"] * 1_000)))["summary"]
    with pytest.raises(CourseError, match="zebra"):
        e.figure(typed="the zebra sleeps")


def test_the_best_of_five_is_named_and_what_does_not_apply():
    figure = figures.five("Alignment error", TABLE["Alignment error"]["values"], "AER", "less")
    assert "Does not apply to: RNN" in words(figure)["caption"]
    assert words(figures.five("BLEU", TABLE["BLEU"]["values"], "BLEU", "more"))["title"] == "Transformer is ahead here"
    level = figures.five("BLEU", {"GRU": [5.0], "A": [98.0, 99.0], "B": [98.5, 98.6]}, "BLEU", "more")
    assert words(level)["title"] == "A and B are ahead here"
    with pytest.raises(InvalidInput, match="No architecture"):
        figures.five("BLEU", {"RNN": None}, "BLEU", "more")
    said = words(figures.five("BLEU", {"A": 999.6, "B": np.nan, "C": None}, "BLEU", "more"))
    assert "A 1,000." in said["summary"]
    assert "Does not apply to: C. No value of: B." in said["caption"]


def test_seeds_that_were_not_run_are_not_made_up():
    figure = figures.five("BLEU", {"A": [1, 3], "B": [1.5, 1.5, 1.6], "C": [1.0]}, "BLEU", "more")
    said = words(figure)
    assert "A 2; B 1.53; C 1." in said["summary"]
    assert list(figure.data[0].x) == pytest.approx([2, 4.6 / 3, 1])
    assert list(figure.data[0].error_x.array) == pytest.approx([1, 1.6 - 4.6 / 3, 0])
    assert "Mean of 3 seeds (2 for A; 1 for C), bar from lowest to highest." in said["caption"]
    assert (
        "A 12,345; B 99.5." in words(figures.five("Parameters", {"A": 12345, "B": 99.5}, "numbers", "less"))["summary"]
    )
    assert "One value each." in words(figures.five("Parameters", {"A": 7, "B": [9]}, "numbers", "less"))["caption"]
    layers = lambda seeds: words(figures.through_layers([1, 2], {"x": np.ones((seeds, 2))}, "Found", "Said."))[
        "caption"
    ]
    assert layers(2) == "Said. Mean of 2 seeds, band from lowest to highest."
    assert layers(1) == "Said. One seed."


def test_the_table_tells_means_seeds_and_what_does_not_apply():
    assert explorers.rows_of(TABLE) == {
        "BLEU": {"unit": "BLEU", "RNN": "2.5 (2 to 3)", "Transformer": "98.5 (98 to 99)"},
        "Alignment error": {"unit": "AER", "RNN": "–", "Transformer": "0.20"},
    }


# ----------------------------------------------------------------------------- what is measured without training


def test_writing_without_a_cache_gives_what_greedy_search_gives():
    model = ch07.transformer(nnx.Rngs(1), width=8, heads=2, layers=1)
    source, mask = jnp.array([[5, 6, 7, 2], [8, 9, 2, 0]]), jnp.array([[True] * 4, [True, True, True, False]])
    ch07.written_anew(model, source, mask, 9)
    compiled = run._apply._cache_size()  # what is timed once more is not compiled once more
    assert (ch07.written_anew(model, source, mask, 9) == greedy(model, source, mask, 9).words).all()
    assert run._apply._cache_size() == compiled


@pytest.mark.slow
def test_a_moved_network_gives_its_words_later_places_and_leaves_the_other_alone():
    model = ch07.transformer(nnx.Rngs(0), width=8, heads=2, layers=1)
    words = jnp.array([[5, 6, 7]])
    other = inside.moved(model, 4)
    later = model.source_words(words, jnp.arange(4, 7)[None])
    np.testing.assert_allclose(other.source_words(words), later, atol=1e-6)
    with pytest.raises(InvalidInput, match="no places beyond"):
        inside.moved(ch07.transformer(nnx.Rngs(0), width=8, heads=2, layers=1, positions="learned"), 4)
    assert not np.allclose(model.source_words(words), later)
    rotary = ch07.transformer(nnx.Rngs(0), width=8, heads=2, layers=1, positions="rotary")
    given = jnp.array([[5, 6, 2]]), jnp.ones((1, 3), bool), jnp.array([[1, 5]])
    np.testing.assert_allclose(inside.moved(rotary, 4)(*given), rotary(*given), atol=1e-5)  # it knows distances only


def test_a_linear_reader_finds_what_is_there_and_guesses_where_nothing_is():
    inputs, noise = jax.random.normal(jax.random.key(0), (2, 64, 4, 6))
    mixed = inputs @ jax.random.normal(jax.random.key(1), (6, 6)) + 3
    assert stack.probed(mixed, inputs) == 1
    assert stack.probed(noise, inputs) < 0.5


def test_stored_pairs_are_all_found_by_softmax_and_fewer_by_a_sum_of_positive_ones():
    found = ch07.stored((1, 16))
    assert set(found[1].values()) == {1}
    assert found[16]["softmax"] > 0.95
    assert found[16]["φ(k) = k"] > 0.95 > 0.5 > found[16]["φ = elu + 1"]


def test_an_idle_device_is_measured_in_shares_of_a_product():
    found = ch07.idle((2,), steps=3)[2]
    assert found["ratio"] > 0
    assert 0 < found["share"] < 1.5


@pytest.mark.parametrize(("weights", "expected"), [(np.eye(16), 0), (np.full((16, 16), 1 / 16), 0.062)])
def test_how_much_one_sign_looks_at_the_other(weights, expected, monkeypatch):
    looks = lambda model, function, batch: jnp.broadcast_to(weights, (1, len(batch.labels), 2, 16, 16))
    monkeypatch.setattr(ch07, "apply", looks)
    stub = ch07.picture_reader(nnx.Rngs(0))
    assert ch07.looks_at_the_other(stub) == [expected]  # two signs are never in one patch


def test_what_a_bag_of_patches_may_know_is_more_than_a_guess_and_far_from_all():
    assert 0.55 < ch07.without_places() < 0.65


# ------------------------------------------------------------------------------------------------- pictures


def test_pictures_hold_both_signs_and_their_label_is_true():
    found = left_or_right(jax.random.key(0), 200)
    assert 0.35 < float(found.labels.mean()) < 0.65
    assert (np.asarray(found.labels) == (np.asarray(found.columns[:, 1]) < np.asarray(found.columns[:, 0]))).all()
    assert int(jnp.abs(found.columns[:, 0] - found.columns[:, 1]).min()) >= 4
    for k in range(20):
        for sign, row, column in zip((CROSS, RING), found.rows[k], found.columns[k], strict=True):
            assert np.abs(np.asarray(found.pixels[k])[row : row + 3, column : column + 3] - sign).max() < 0.6


def test_patches_are_squares_in_reading_order():
    pixels = jnp.arange(2 * 16 * 16.0).reshape(2, 16, 16)
    patches = cut(pixels)
    assert patches.shape == (2, 16, 16)
    assert (patches[1, 6].reshape(PATCH, PATCH) == pixels[1, 4:8, 8:12]).all()
    with pytest.raises(InvalidInput, match="does not fall into patches of 5"):
        cut(pixels, 5)


def test_without_positions_a_picture_is_a_bag_of_patches():
    patches = cut(left_or_right(jax.random.key(1), 3).pixels)
    shuffled = patches[:, np.random.default_rng(0).permutation(16)]
    for positions, same in (("none", True), ("learned", False)):
        model = PatchReader(16, 16, 2, rngs=nnx.Rngs(0), width=16, positions=positions)
        assert np.allclose(model(patches), model(shuffled), atol=1e-5) == same
    with pytest.raises(InvalidInput, match="learned"):
        PatchReader(16, 16, 2, rngs=nnx.Rngs(0), positions="rotary")
    with pytest.raises(InvalidInput, match="5 patches are more than the 4"):
        PatchReader(4, 2, 3, rngs=nnx.Rngs(0))(jnp.ones((1, 5, 2)))


# ------------------------------------------------------------------------------------------ other readers


@pytest.mark.slow
def test_a_recurrence_that_looks_back_sees_no_later_word_and_no_padding():
    tokens = jnp.array([[3, 1, 4, 1, 5], [2, 6, 5, 0, 0]])
    mask = jnp.array([[True] * 5, [True] * 3 + [False] * 2])
    make = lambda kind: kind(GRUCell(4, 8, rngs=nnx.Rngs(0)), 7, 3, rngs=nnx.Rngs(1))
    model = make(AttentiveRecurrence)
    assert (model(tokens.at[:, 3:].set(6))[:, :3] == model(tokens)[:, :3]).all()
    asked = make(AttentiveRecurrentClassifier)
    np.testing.assert_allclose(asked(tokens, mask)[1:], asked(tokens[1:, :3], None), atol=1e-5)
    np.testing.assert_allclose(asked(tokens[:1]), asked.every_step(tokens[:1])[:, -1], atol=1e-5)


def test_positions_that_are_the_same_are_alike():
    assert stack.likeness(jnp.ones((2, 4, 8))) == pytest.approx(1, abs=1e-5)
    assert stack.likeness(jnp.eye(4)[None]) == pytest.approx(0, abs=1e-6)
