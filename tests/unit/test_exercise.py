import dataclasses
import functools
import importlib
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course_utils import exercises
from course_utils.exercises import ch00 as ex
from course_utils.runtime import InvalidInput
from course_utils.teaching.exercise import Exercise, Mistake, check_exercise
from course_utils.teaching.progress import progress

ALL = [
    exercise
    for path in sorted(pathlib.Path(exercises.__file__).parent.glob("ch[0-9][0-9].py"))
    for exercise in importlib.import_module(f"course_utils.exercises.{path.stem}").ALL
]
mean = ex.running_mean


@pytest.mark.slow
@pytest.mark.parametrize("exercise", ALL, ids=lambda e: f"{e.chapter}-{e.name}")
def test_the_solution_passes_and_every_mistake_earns_its_own_message(exercise):
    check_exercise(exercise)
    assert len({mistake.says for mistake in exercise.mistakes}) == len(exercise.mistakes) >= 3
    assert len(exercise.hints) == 3
    assert exercise.solution_function.__doc__


def test_check_exercise_finds_an_unsound_exercise():
    wrong = dataclasses.replace(mean, mistakes=(Mistake(mean.solution_function, "says"),))
    with pytest.raises(InvalidInput, match="mistake 0"):
        check_exercise(wrong)
    with pytest.raises(InvalidInput, match="solution fails"):
        check_exercise(dataclasses.replace(mean, solution_function=lambda x: ...))


# ------------------------------------------------------------------------------------ right answers


def by_numpy(x):
    return np.cumsum(x) / np.arange(1, len(x) + 1)


def by_list(x):
    total, result = 0.0, []
    for count, value in enumerate(np.asarray(x).tolist(), 1):
        total += value
        result.append(total / count)
    return result


class Callable_:
    def __call__(self, x):
        return by_numpy(x)


@pytest.mark.parametrize(
    "answer",
    [
        by_numpy,
        by_list,
        tuple,
        jax.jit(mean.solution_function),
        functools.partial(lambda k, x: by_numpy(x), 1),
        Callable_(),
    ],
)
def test_right_answers_written_in_other_ways_pass(answer):
    answer = (lambda x: tuple(by_list(x))) if answer is tuple else answer
    assert mean.check(answer).status == "correct"


# ------------------------------------------------------------------------------------ wrong answers


def untouched(x): ...


def untouched_with_words(x):
    """Running mean."""
    ...


def passes(x):
    pass


@pytest.mark.parametrize("answer", [untouched, untouched_with_words, passes, lambda x: ...])
def test_an_untouched_cell_is_not_an_error_and_is_not_kept(answer):
    verdict = mean.check(answer)
    assert verdict.status == "not attempted"
    assert "Not attempted yet" in repr(verdict)
    assert progress().attempts() == []


def forgets_return(x):
    means = by_numpy(x)  # noqa: F841


class BadRepr:
    def __repr__(self):
        raise RuntimeError


def divides_before_counting(x):
    def step(state, x_t):
        mean, count = state
        mean = mean + (x_t - mean) / count
        return (mean, count + 1), mean

    return jax.lax.scan(step, (0.0, 0.0), x)[1]


def raises(x):
    raise KeyError("oops")


def changes_input(x):
    x = np.asarray(x)
    x[0] = 5
    return x


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (by_numpy(np.ones(3)), "cannot run", "not an array of shape (3,) and type float64"),
        (3, "cannot run", "itself, not 3 (of type int)"),
        (None, "cannot run", "itself, not None"),
        ("running_mean", "cannot run", "its name without calling it"),
        (lambda: 1, "cannot run", "should take 1 argument"),
        (lambda x, y: x, "cannot run", "should take 1 argument"),
        (forgets_return, "cannot run", "Is a `return` missing?"),
        (raises, "cannot run", "raised KeyError: 'oops'"),
        (changes_input, "cannot run", "raised ValueError"),
        (lambda x: "text", "cannot run", "array of real numbers, not 'text'"),
        (lambda x: {"a": 1}, "cannot run", "array of real numbers"),
        (lambda x: [1, [2, 3]], "cannot run", "array of real numbers"),
        (lambda x: x + 1j, "cannot run", "type complex64"),
        (lambda x: jax.lax.scan(lambda c, v: (c + v, c), 0.0, x), "cannot run", "a tuple of 2 things"),
        (lambda x: np.ma.array(by_numpy(x), mask=True), "cannot run", "array of real numbers"),
        (lambda x: __import__("sys").exit(3), "cannot run", "raised SystemExit"),
        (lambda x: BadRepr(), "cannot run", "cannot be shown"),
        (lambda x: divides_before_counting(x), "known mistake", "Count first"),
        (lambda x: print, "cannot run", "array of real numbers"),
        (lambda x: mean.solution_function, "cannot run", "array of real numbers"),
        (lambda x: mean.solution_function(x)[None], "wrong shape", "shape (1, 1); it should have shape (1,)"),
        (lambda x: jnp.zeros((0,)), "wrong shape", "shape (0,)"),
        (lambda x: by_numpy(x) + 0.01, "wrong values", "yours: `[2.01]`"),
        (lambda x: jnp.full(len(x), jnp.nan), "wrong values", "not finite"),
        (lambda x: by_numpy(x) if len(x) < 20 else x, "wrong values", "array of shape (40,)"),
        (np.cumsum, "known mistake", "running *sums*"),
        (lambda x: np.mean(x), "known mistake", "the last mean only"),
    ],
)
def test_wrong_answers_get_a_sentence(answer, status, words):
    verdict = mean.check(answer)
    assert verdict.status == status, verdict
    assert words in verdict.message
    assert verdict.correct is False
    assert "Traceback" not in repr(verdict) + verdict._repr_html_()


def test_what_a_function_does_to_its_input_does_not_reach_the_next_case():
    def greedy(x):
        x += 1
        return x

    exercise = Exercise(
        "inplace", "ch00", "jax", ((np.zeros(2),), (np.ones(2),)), lambda x: x + 1, (), ("a", "b", "c")
    )  # fmt: skip
    assert exercise.check(greedy).status == "correct"
    assert exercise.cases[0][0].tolist() == [0, 0]


def test_an_answer_that_consumes_its_input_does_not_spoil_the_exercise():
    greedy = jax.jit(lambda x: jnp.cumsum(x) / jnp.arange(1.0, x.size + 1), donate_argnums=0)
    assert mean.check(greedy).status == "correct"
    assert mean.check(by_numpy).status == "correct"


def test_attempts_are_kept():
    mean.check(np.cumsum)
    mean.check(by_numpy)
    assert [(a.item, a.answer, a.correct) for a in progress().attempts()] == [
        ("ch00-running_mean", "known mistake", False),
        ("ch00-running_mean", "correct", True),
    ]


def test_hints_go_from_the_first_to_the_last_and_the_solution_is_the_librarys_source():
    exercise = dataclasses.replace(mean, _next_hint=0)
    assert [str(exercise.hint())[:11] for _ in range(4)] == [
        "Hint 1 of 3",
        "Hint 2 of 3",
        "Hint 3 of 3",
        "Hint 1 of 3",
    ]
    assert "def mean_so_far" in exercise.solution()
    assert exercise.solution()._repr_markdown_().startswith("```python")


ANYTHING = [
    lambda *a: 0.0, lambda *a: np.zeros(3), lambda *a: np.zeros((2, 2)), lambda *a: np.zeros((7, 7), bool), lambda *a: a[0],
    lambda *a: a[-1], lambda *a: np.asarray(a[0])[..., None], lambda *a: np.asarray(a[0]).astype(int), lambda *a: [1, 2],
    lambda *a: np.nan, lambda *a: (a[0], None), lambda *a: ([np.ones(2), np.ones(3)], a[0]), lambda *a: [np.ones(2), np.ones(3)],
    lambda *a: np.array(["x"]), lambda *a: {"a": 1}, lambda *a: (x for x in ()), lambda *a: np.ones((0,)), lambda *a: a,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("exercise", ALL, ids=lambda e: f"{e.chapter}-{e.name}")
def test_no_answer_whatever_makes_a_check_raise_or_pass(exercise):
    for wrong in ANYTHING:
        verdict = exercise.check(wrong)
        assert verdict.status != "correct"
        assert verdict.message


def test_common_wrong_answers_of_students_are_named():
    from course_utils.exercises import ch01

    def masked_softmax(l, t, m):
        return -jnp.where(m[:, 1:], jnp.log(jax.nn.softmax(l[:, :-1], axis=1).max(-1)), 0).sum()

    assert ch01.word_loss.check(masked_softmax).status in ("wrong values", "known mistake")
    assert "states[mask]" in ch01.last_state.check(lambda states, mask: states[mask]).message
    assert "wrong shape" in ch01.last_state.check(lambda states, mask: states[:, :, 0]).status
    assert ch01.last_state.check(lambda s, m: s.mean(1)).status == "wrong values"
    with_none = ch01.unrolling.check(lambda xs, h, W_h, W_x, b: jax.lax.scan(lambda h, x: (h, None), h, xs)[1])
    assert "scan" in with_none.message
