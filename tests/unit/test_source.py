"""Tokens of Python programs, and how much of them a model uses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.data import source
from course_utils.data.source import Windows, python_source, tokens_of
from course_utils.measure.context import Context, cut, places, shuffled
from course_utils.models.cells import RNNCell
from course_utils.models.sequence import RecurrentLanguageModel
from course_utils.runtime import CourseError, InvalidInput

pytestmark = pytest.mark.plain

PROGRAM = '''\
# a comment
def area(r):
    """A docstring."""
    return 3.14 * r ** 2  # more

x = f"{area(1)} and {'two'}"
'''


def test_a_program_becomes_words():
    assert tokens_of(PROGRAM) == [
        "def", "area", "(", "r", ")", ":", "<newline>", "<indent>", "<string>", "<newline>", "return", "<number>", "*", "r", "**",
        "<number>", "<newline>", "<dedent>", "x", "=", "<string>", "<newline>",
    ]  # fmt: skip


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A small standard library; `python_source` is read anew."""
    for i in range(40):
        (tmp_path / f"module{i}.py").write_text(PROGRAM * 3)
    (tmp_path / "broken.py").write_text("def (:\n")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "left_out.py").write_text("secret = 1\n")
    monkeypatch.setattr(
        source.sysconfig, "get_path", lambda name: str(tmp_path if name == "stdlib" else tmp_path / "none")
    )
    python_source.cache_clear()
    yield tmp_path
    python_source.cache_clear()


def test_modules_are_either_trained_on_or_tested(library):
    found = python_source(60)
    train, test = found.modules
    assert not set(train) & set(test)
    assert set(train) | set(test) == {"broken", *(f"module{i}" for i in range(40))}
    assert 1 <= len(test) <= 12
    assert "secret" not in found.vocabulary
    assert "area" in found.vocabulary
    assert found.train.max() < len(found.vocabulary)
    assert found.origin == "the standard library"


def test_the_vocabulary_knows_training_modules_only(library):
    train, test = python_source(60).modules
    (library / f"{test[0]}.py").write_text("only_here = 1\n" * 50)
    (library / f"{train[0]}.py").write_text("only_there = 1\n" * 50)
    python_source.cache_clear()
    found = python_source(60)
    assert "only_there" in found.vocabulary
    assert "only_here" not in found.vocabulary


def test_a_python_without_source_falls_back_with_a_note(tmp_path, monkeypatch):
    beside = tmp_path / "site"
    beside.mkdir()
    for i in range(30):
        (beside / f"package{i}.py").write_text(PROGRAM)
    places_of = {"stdlib": str(tmp_path / "empty"), "purelib": str(beside)}
    monkeypatch.setattr(source.sysconfig, "get_path", places_of.__getitem__)
    python_source.cache_clear()
    with pytest.warns(UserWarning, match="without the source of its standard library"):
        assert python_source(60).origin == "installed packages"
    places_of["purelib"] = str(tmp_path / "nothing")
    python_source.cache_clear()
    with pytest.warns(UserWarning, match="without the source"), pytest.raises(CourseError, match="no Python source"):
        python_source(60)
    python_source.cache_clear()


def test_windows_are_pieces_of_the_stream():
    stream = np.arange(1000, dtype=np.int32)
    batch = Windows(stream, 8, 30)(0, jax.random.key(0))
    assert batch.tokens.shape == (8, 30)
    assert bool((jnp.diff(batch.tokens, axis=1) == 1).all())
    assert len(set(np.asarray(batch.tokens[:, 0]).tolist())) > 4


def test_a_stream_shorter_than_its_windows_is_refused():
    with pytest.raises(InvalidInput, match="20 tokens cannot be cut out of a stream of 10"):
        Windows(np.arange(10), 2, 20)
    batch = Windows(np.arange(20), 2, 20)(0, jax.random.key(0))
    assert batch.tokens.tolist() == [list(range(20))] * 2


def test_the_first_window_and_the_last_are_drawn_too():
    begins = Windows(np.arange(22), 64, 20)(0, jax.random.key(0)).tokens[:, 0]
    assert set(begins.tolist()) == {0, 1, 2}


# ------------------------------------------------------------------------------------------------ context


def model():
    return RecurrentLanguageModel(RNNCell(6, 12, rngs=nnx.Rngs(0)), 20, rngs=nnx.Rngs(1))


STREAM = np.random.default_rng(0).integers(0, 20, 400)


@pytest.mark.slow
def test_loss_with_k_words_is_that_of_a_fresh_start_k_words_before():
    at, own = places(STREAM, 7, 30), model()
    found = cut(own, STREAM, at, (1, 5, 30))
    for row, k in enumerate(found.sizes):
        for i, p in enumerate(at):
            logits = own(jnp.asarray(STREAM[p - k : p])[None])[0, -1]
            assert found.losses[row, i] == pytest.approx(float(-jax.nn.log_softmax(logits)[STREAM[p]]), abs=1e-5)


def test_shuffling_beyond_everything_changes_nothing_and_keeps_the_words():
    at, own = places(STREAM, 20, 30), model()
    whole = cut(own, STREAM, at, (30,)).losses[0]
    found = shuffled(own, STREAM, at, (0, 10, 29, 30), 30)
    np.testing.assert_allclose(found.losses[-1], whole, atol=1e-5)
    np.testing.assert_allclose(found.losses[-2], whole, atol=1e-5)  # a single word has one order
    assert np.abs(found.losses[0] - whole).max() > 1e-3


def test_the_effective_context_is_where_the_loss_stays_near_that_of_the_whole():
    losses = np.array([[2.0], [1.005], [1.02], [1.001], [1.0]]).repeat(3, 1)
    found = Context((1, 2, 5, 10, 20), losses)
    assert found.effective() == 10
    assert found.effective(0.05) == 2
    above, error = found.more
    np.testing.assert_allclose(above, losses[:, 0] - 1)
    np.testing.assert_allclose(error, 0, atol=1e-12)


def test_what_is_too_short_is_refused():
    with pytest.raises(InvalidInput, match="too few"):
        places(STREAM[:20], 3, 30)
    with pytest.raises(InvalidInput, match="cannot be kept"):
        shuffled(model(), STREAM, places(STREAM, 3, 30), (40,), 30)
    for measured in (lambda at: cut(model(), STREAM, at, (1, 5)), lambda at: shuffled(model(), STREAM, at, (1, 5), 5)):
        with pytest.raises(InvalidInput, match="Word 3 has fewer than 5 words before it"):
            measured(np.array([9, 3]))
    with pytest.raises(InvalidInput, match="sizes must rise"):
        cut(model(), STREAM, np.array([20]), (16, 4))
