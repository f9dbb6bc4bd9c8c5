import dataclasses
import functools
import importlib
import inspect
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course_utils import exercises
from course_utils.exercises import ch00 as ex
from course_utils.exercises import ch01, ch02, ch04, ch05, ch06, ch07
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
    assert len({mistake.says for mistake in exercise.mistakes}) == len(exercise.mistakes) >= 5
    assert len({mistake.name for mistake in exercise.mistakes}) == len(exercise.mistakes)
    assert all(mistake.ways and len(mistake.name) <= 40 for mistake in exercise.mistakes)
    assert len(exercise.hints) == 3
    assert exercise.solution_function.__doc__


def made(cases, solution, mistakes=(), edges=()):
    """A small exercise."""
    return Exercise("made", "ch00", "jax", "my_made", "numbers", cases, solution, mistakes, ("a", "b", "c"), edges)


def test_check_exercise_finds_an_unsound_exercise():
    wrong = dataclasses.replace(mean, mistakes=(Mistake("none", "says", mean.solution_function),))
    with pytest.raises(InvalidInput, match="way 0 of the mistake “none”"):
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
        (lambda x: "text", "cannot run", "return numbers, not 'text'"),
        (lambda x: {"a": 1}, "cannot run", "should return numbers"),
        (lambda x: [1, [2, 3]], "cannot run", "should return numbers"),
        (lambda x: x + 1j, "cannot run", "type complex64"),
        (lambda x: jax.lax.scan(lambda c, v: (c + v, c), 0.0, x), "cannot run", "`scan` gives back the last state"),
        (lambda x: (x, x[0], None), "cannot run", "returns 3 things, but one is asked for: the mean after each input"),
        (lambda x: np.ma.array(by_numpy(x), mask=True), "cannot run", "should return numbers"),
        (lambda x: __import__("sys").exit(3), "cannot run", "raised SystemExit"),
        (lambda x: BadRepr(), "cannot run", "cannot be shown"),
        (lambda x: divides_before_counting(x), "known mistake", "Count first"),
        (lambda x: print, "cannot run", "should return numbers"),
        (lambda x: mean.solution_function, "cannot run", "should return numbers"),
        (lambda x: mean.solution_function(x)[None], "known mistake", "in shape (1, 1); asked for is (1,)"),
        (lambda x: jnp.zeros((0,)), "wrong shape", "shape (0,)"),
        (lambda x: by_numpy(x) + 0.01, "wrong values", "yours: `[2.01]`"),
        (lambda x: jnp.full(len(x), jnp.nan), "wrong values", "not finite"),
        (
            lambda x: by_numpy(x) if len(x) < 20 else x,
            "wrong values",
            "Right on cases 1–3 of 6. The first that fails is x = `array of",
        ),
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

    exercise = made(((np.zeros(2),), (np.ones(2),)), lambda x: x + 1)
    assert exercise.check(greedy).status == "correct"
    assert exercise.cases[0][0].tolist() == [0, 0]


def test_an_answer_that_consumes_its_input_does_not_spoil_the_exercise():
    greedy = jax.jit(lambda x: jnp.cumsum(x) / jnp.arange(1.0, x.size + 1), donate_argnums=0)
    assert mean.check(greedy).status == "correct"
    assert mean.check(by_numpy).status == "correct"


def test_an_answer_that_takes_its_lists_apart_does_not_spoil_the_exercise():
    def greedy(said, reference, n):
        share = ch04.clipped_precision(said, reference, n)
        while said:
            said.pop(0)
        while reference:
            reference.remove(reference[-1])
        return share

    before = repr(ch04.precision.cases)
    assert ch04.precision.check(greedy).status == "correct"
    assert ch04.precision.check(lambda said, reference, n: reference.clear() or 0.5).status == "wrong values"
    assert repr(ch04.precision.cases) == before


def test_a_random_key_and_arrays_in_a_list_are_copied_too():
    def greedy(rng, parts):
        total = jax.random.uniform(rng) + parts[0].sum()
        parts[0] += 1
        return total

    exercise = made(((jax.random.key(0), [np.ones(2)]),), lambda rng, parts: jax.random.uniform(rng) + 2.0)
    assert [exercise.check(greedy).status for _ in range(2)] == ["correct", "correct"]


def test_a_known_mistake_is_named_also_where_it_cannot_run_on_a_later_case():
    cases = tuple((np.tri(m, n), np.ones(n)) for m, n in ((2, 2), (3, 2)))
    exercise = made(cases, lambda A, x: A @ x, (Mistake("transposed", "Transposed.", lambda A, x: A.T @ x),))
    check_exercise(exercise)
    assert exercise.check(lambda A, x: x @ A).message == "Transposed."
    assert "raised ValueError" in exercise.check(lambda A, x: (A @ x).reshape(2)).message
    assert "raised ValueError" in exercise.check(lambda A, x: (A @ x).reshape(5)).message


def test_attempts_are_kept():
    mean.check(np.cumsum)
    mean.check(by_numpy)
    assert [(a.item, a.answer, a.correct) for a in progress().attempts()] == [
        ("ch00-running_mean", "sums", False),
        ("ch00-running_mean", "correct", True),
    ]


def test_hints_go_from_the_first_to_the_last_and_the_solution_is_the_function_asked_for():
    exercise = dataclasses.replace(mean, _next_hint=0)
    assert [str(exercise.hint())[:11] for _ in range(4)] == [
        "Hint 1 of 3",
        "Hint 2 of 3",
        "Hint 3 of 3",
        "Hint 1 of 3",
    ]
    assert "def running_mean(x):" in exercise.solution()
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
    def masked_softmax(l, t, m):
        return -jnp.where(m[:, 1:], jnp.log(jax.nn.softmax(l[:, :-1], axis=1).max(-1)), 0).sum()

    assert ch01.word_loss.check(masked_softmax).status in ("wrong values", "known mistake")
    assert "states[mask]" in ch01.last_state.check(lambda states, mask: states[mask]).message
    assert "wrong shape" in ch01.last_state.check(lambda states, mask: states[:, :, 0]).status
    assert ch01.last_state.check(lambda s, m: s.mean(1)).status == "wrong values"
    with_none = ch01.unrolling.check(lambda xs, h, W_h, W_x, b: jax.lax.scan(lambda h, x: (h, None), h, xs)[1])
    assert "is what your step returns second None" in with_none.message


def _masked(e, m, fill):
    return jnp.where(m, jax.nn.softmax(jnp.where(m, e, fill)), 0)


def _cached(q, k, v, K, V, t, allowed, fill=-jnp.inf):
    K, V = K.at[t].set(k), V.at[t].set(v)
    scores = K @ q / jnp.sqrt(q.size)
    return jax.nn.softmax(jnp.where(allowed(scores, t), scores, fill)) @ V


def _merged(m_1, l_1, u_1, m_2, l_2, u_2, m):
    a, b = jnp.exp(m_1 - m), jnp.exp(m_2 - m)
    return (a * u_1 + b * u_2) / (a * l_1 + b * l_2)


def _filled(scores, t):
    return jnp.arange(len(scores)) <= t


def _looping_over_the_source(weights, h):
    return jnp.stack([sum(weights[i, j] * h[j] for j in range(len(h))) for i in range(len(h))])


def _looping_over_the_target(weights, h):
    return jnp.stack([sum(weights[i, j] * h[j] for j in range(len(weights))) for i in range(len(weights))])


@pytest.mark.parametrize(
    ("exercise", "answer", "says"),
    [
        (ch05.masked_softmax, lambda e, m: _masked(e, m, -20.0), "not low enough"),
        (ch05.masked_softmax, lambda e, m: _masked(e, m, -100.0), "not low enough"),
        (ch05.masked_softmax, lambda e, m: jnp.where(m, jax.nn.softmax(e - 1e4 * (1 - m)), 0), "take a number away"),
        (ch05.masked_softmax, lambda e, m: jax.nn.softmax(e - 1e4 * (1 - m)) * m, "take a number away"),
        (ch05.context, _looping_over_the_source, "a row for each state"),
        (ch05.context, lambda a, h: jnp.stack([a[i] @ h for i in range(len(h))]), "a row for each state"),
        (ch05.context, _looping_over_the_target, ""),
        (ch05.context, lambda a, h: a.T @ h, "Your sum runs over the target"),
        (ch07.cache, lambda *case: _cached(*case, _filled, -20.0), "not low enough"),
        (ch07.cache, lambda *case: _cached(*case, _filled, -100.0), "not low enough"),
        (ch07.cache, lambda *case: _cached(*case, lambda scores, t: scores != 0), "may be exactly 0"),
        (ch07.merge, lambda *c: _merged(*c, jnp.maximum(jnp.maximum(c[0], c[3]), 0)), "far below 0"),
        (ch07.merge, lambda *c: _merged(*c, c[0]), "as long as the first maximum is the larger one"),
        (ch07.merge, lambda *c: _merged(*c, c[3]), "as long as the second maximum is the larger one"),
        (ch02.clipping, lambda g, t: jnp.where(jnp.linalg.norm(g) > 1, t * g / jnp.linalg.norm(g), g), "compare with 1"),
        (ch02.truncation, lambda w, xs, k: ch02._uses(w, xs)[len(xs) - k :].sum(), "begins before the first"),
        (ch02.truncation, lambda w, xs, k: ch02._uses(w, xs)[-k:].sum(), "Right but for k = 0"),
    ],
)  # fmt: skip
def test_an_answer_that_is_right_on_tame_inputs_only_is_refused(exercise, answer, says):
    verdict = exercise.check(answer)
    assert verdict.correct is False
    assert says in verdict.message, verdict


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        (ch05.masked_softmax, lambda e, m: _masked(e, m, -jnp.inf)),
        (ch05.masked_softmax, lambda e, m: _masked(e, m, -1e9)),
        (ch05.context, lambda a, h: [sum(a[i, j] * h[j] for j in range(len(h))) for i in range(len(a))]),
        (ch07.cache, lambda *case: _cached(*case, _filled, -1e9)),
        (ch07.cache, lambda q, k, v, K, V, t: jax.nn.softmax(jnp.stack([*K[:t], k]) @ q / q.size**0.5) @ jnp.stack([*V[:t], v])),
        (ch07.layer_norm, lambda x, g, b: g * (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True) + b),
        (ch07.merge, lambda *c: _merged(*c, jnp.maximum(c[0], c[3]))),
        (ch07.merge, lambda *c: _merged(*c, jnp.logaddexp(c[0] + jnp.log(c[1]), c[3] + jnp.log(c[4])))),
        (ch02.clipping, lambda g, t: jnp.where(jnp.linalg.norm(g) > t, t * g / jnp.linalg.norm(g), g)),
        (ch02.truncation, lambda w, xs, k: ch02._uses(w, xs)[max(len(xs) - k, 0) :].sum()),
    ],
)  # fmt: skip
def test_a_right_answer_that_is_written_otherwise_passes_the_harder_cases(exercise, answer):
    assert exercise.check(answer).status == "correct", exercise.check(answer)


def test_a_gradient_that_is_followed_back_no_step_is_0():
    xs = jnp.array([1.0, 2.0, 3.0])
    assert [float(ch02.truncated_slope(0.5, xs, k)) for k in (0, 1, 2, 3, 4)] == [0.0, 2.5, 3.0, 3.0, 3.0]


def _said(exercise):
    return [exercise.solution_function.__doc__, *exercise.hints, *(mistake.says for mistake in exercise.mistakes)]


def test_exercises_use_the_letters_and_words_of_their_notebooks():
    about_positions = " ".join(_said(ch06.positions))
    assert "2m" in about_positions
    assert not re.search(r"(\b|\d)k\b", about_positions)

    def arguments(exercise):
        return list(inspect.signature(exercise.solution_function).parameters)

    assert arguments(ch04.bleu) == ["precisions", "c", "r"]
    assert arguments(ch07.merge) == ["m_1", "l_1", "u_1", "m_2", "l_2", "u_2"]
    assert not any("r/n" in said or "n/r" in said or "r / n" in said for said in _said(ch04.bleu))
    assert not any("o_1" in said or "Σ o" in said for said in _said(ch07.merge))
    for exercise in (ch04.precision, ch04.bleu):
        for told in (exercise.solution_function.__doc__, *exercise.hints[:1]):
            assert "n-gram" in told
    assert all("n-gram" in said for said in _said(ch04.precision) if "run" in said)
