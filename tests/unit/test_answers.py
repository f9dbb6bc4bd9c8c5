"""Answers to the exercises: right ones in other words, wrong ones that people give, and solutions with one thing changed."""

import ast
import copy
import functools
import pathlib
import re

import jax
import jax.numpy as jnp
import nbformat
import numpy as np
import pytest
from answers import ALLOWED, EVERY, RIGHT, Draw
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import ch00, ch01, ch02, ch04, ch05, ch06, ch07
from course_utils.teaching.exercise import Exercise, Mistake, _same
from course_utils.teaching.progress import progress

NOTEBOOKS = sorted((pathlib.Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
each = pytest.mark.parametrize("exercise", EVERY, ids=lambda e: f"{e.chapter}-{e.name}")


def alike(a, b):
    a, b = (np.asarray(x).astype(float) for x in (a, b))
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-3, atol=1e-3)


# ------------------------------------------------------------------------------------- the exercise and its cell


@functools.cache
def code_cells(chapter):
    path = next(path for path in NOTEBOOKS if path.name.startswith(chapter[2:]))
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


@each
def test_a_solution_pasted_in_place_of_the_answer_runs_and_is_right(exercise):
    """With what the notebook has imported by then, and nothing else."""
    cells = code_cells(exercise.chapter)
    place = next(i for i, cell in enumerate(cells) if f"ex.{exercise.name}.check(" in cell)
    imported = [
        node for cell in cells[: place + 1] for node in ast.parse(re.sub(r"(?m)^[%!].*", "", cell)).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]  # fmt: skip
    known = {}
    exec(compile(ast.Module(imported, []), "notebook", "exec"), known)
    stub = next(line for line in cells[place].splitlines() if line.startswith("def "))
    code = str(exercise.solution()).removeprefix("```python\n").removesuffix("```")
    assert stub.removesuffix(" ...") in code
    assert len(code.splitlines()) <= 16
    exec(cells[place].replace(stub, code).replace(".check(", ".points("), known)
    assert exercise.points(known[exercise.answer]) == 1.0


@each
def test_no_hint_repeats_the_prompt(exercise):
    prompt = _prompt(exercise)
    for hint in exercise.hints:
        assert hint not in prompt
    for hint in exercise.hints[:2]:  # the last may show what the prompt has named
        for code in re.findall(r"`([^`]{25,})`", hint):
            assert code not in prompt, f"{exercise.name}: a hint repeats the prompt: {code}"


def _prompt(exercise):
    path = next(path for path in NOTEBOOKS if path.name.startswith(exercise.chapter[2:]))
    cells = nbformat.read(path, 4).cells
    place = next(i for i, cell in enumerate(cells) if f"ex.{exercise.name}.check(" in cell.source)
    return cells[place - 1].source


# ------------------------------------------------------------------------------------- drawn cases


@pytest.mark.thorough
@each
def test_the_solution_agrees_with_other_right_answers_on_whatever_the_prompt_allows(exercise):
    answer = exercise.through(exercise.solution_function)

    @settings(max_examples=12, deadline=None, database=None, derandomize=True)
    @given(st.integers(0, 10_000))
    def on_a_drawn_case(seed):
        case = ALLOWED[exercise.name](Draw(seed))
        wanted = np.asarray(answer(*copy.deepcopy(case))).astype(float)
        assert np.isfinite(wanted).all()
        for other in RIGHT[exercise.name]:
            assert alike(exercise.through(other)(*copy.deepcopy(case)), wanted), case

    on_a_drawn_case()


@each
def test_right_answers_in_other_words_pass(exercise):
    for other in RIGHT[exercise.name]:
        verdict = exercise._judge(other)
        assert verdict.status == "correct", verdict


class OneChange(ast.NodeTransformer):
    """Change the `wanted`-th place that can be changed: an operator, a comparison, a small number, a sign."""

    OTHER = {  # noqa: RUF012
        ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.LtE: ast.Lt, ast.Lt: ast.LtE,
        ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.NotEq: ast.Eq, ast.FloorDiv: ast.Mod, ast.Mod: ast.FloorDiv,
    }  # fmt: skip

    def __init__(self, wanted):
        self.wanted, self.seen, self.what = wanted, 0, ""

    def _here(self, what):
        self.seen += 1
        if self.seen - 1 == self.wanted:
            self.what = what
            return True
        return False

    def visit_BinOp(self, node):
        self.generic_visit(node)
        other = self.OTHER.get(type(node.op))
        if other and self._here(ast.unparse(node)):
            return ast.BinOp(node.left, other(), node.right)
        if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)) and self._here(
            f"{ast.unparse(node)} without its right side"
        ):
            return node.left
        return node

    def visit_Compare(self, node):
        self.generic_visit(node)
        other = self.OTHER.get(type(node.ops[0]))
        return ast.Compare(node.left, [other()], node.comparators) if other and self._here(ast.unparse(node)) else node

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.USub) and self._here(ast.unparse(node)) else node

    def visit_Constant(self, node):
        small = type(node.value) in (int, float) and abs(node.value) < 1000
        return ast.Constant(node.value + 1) if small and self._here(f"{node.value} + 1") else node


def changed(exercise):
    """The solution with one thing changed, in every place."""
    code = str(exercise.solution()).removeprefix("```python\n").removesuffix("```")
    for place in range(100):
        change = OneChange(place)
        tree = ast.fix_missing_locations(change.visit(ast.parse(code)))
        if not change.what:
            return
        known = {"jax": jax, "jnp": jnp}
        exec(compile(tree, "changed", "exec"), known)
        yield change.what, known[exercise.answer]


def _differs(exercise, other, place):
    answer = exercise._answer(other, exercise._all_cases[place], place)
    return not isinstance(answer, np.ndarray) or not _same(answer, exercise._wanted(place), exercise.tolerance)


@pytest.mark.thorough
@each
def test_a_solution_with_one_thing_changed_is_refused_unless_it_is_right_on_whatever_the_prompt_allows(exercise):
    """What the cases leave out, a drawn case would find."""
    answer = exercise.through(exercise.solution_function)
    tried = 0
    for what, other in changed(exercise):
        tried += 1
        if any(_differs(exercise, other, place) for place in range(len(exercise._all_cases))):
            continue
        for seed in range(25):
            case = ALLOWED[exercise.name](Draw(seed))
            try:
                given = exercise.through(other)(*copy.deepcopy(case))
            except Exception as error:
                pytest.fail(f"{what}: passes, and raises {error!r} for {case}")
            assert alike(given, answer(*copy.deepcopy(case))), f"{what}: passes, and is wrong for {case}"
    assert tried >= (0 if exercise.name in ("context", "causal") else 1)


# ------------------------------------------------------------------------------------- wrong answers


def _grams(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _masked_after(q, k, v, K, V, t):
    K, V = K.at[t].set(k), V.at[t].set(v)
    return (jax.nn.softmax(K @ q / q.size**0.5) * (jnp.arange(len(K)) <= t)) @ V


def _filled_by_keys(q, k, v, K, V, t):
    K, V = K.at[t].set(k), V.at[t].set(v)
    return jax.nn.softmax(jnp.where((K != 0).any(1), K @ q / q.size**0.5, -jnp.inf)) @ V


def _of_logarithms(p, c, r):
    return 100 * min(1, np.exp(1 - r / c)) * np.exp(sum(np.log(np.maximum(p, 1e-9))) / 4)


WRONG = [  # exercise, answer, what its mistake is called
    (ch00.running_mean, lambda x: jnp.cumsum(x) / x.size, "divided by the whole length"),
    (ch00.running_mean, lambda x: -jnp.cumsum(x) / jnp.arange(1, len(x) + 1), "wrong sign"),
    (ch00.running_mean, lambda x: 3 * jnp.cumsum(x) / jnp.arange(1, len(x) + 1), "wrong factor"),
    (ch01.one_step, lambda h, x, W, U, b: jnp.tanh(h @ W + U @ x + b), "W_h transposed"),
    (ch01.one_step, lambda h, x, W, U, b: jnp.tanh(W @ h + U @ x + b)[None], "axis too many"),
    (ch01.fano, lambda a, V: jnp.where(a > 1 / (V - 1), ch01._fano(ch01._right_terms, total=False)(a, V), 0).sum(), "wrong chance"),
    (ch02.jacobian, lambda h, W: jnp.einsum("i,ij->ji", 1 - h**2, W), "all transposed"),
    (ch02.clipping, lambda g, t: g / jnp.linalg.norm(g) * jnp.minimum(jnp.linalg.norm(g), t), "0/0"),
    (ch02.clipping, lambda g, t: jnp.where(jnp.sum(g**2) > t, g * t / jnp.sqrt(jnp.sum(g**2)), g), "square compared"),
    (ch04.bleu, lambda p, c, r: 100 * min(1, np.exp(1 - r / c)) * np.exp(sum(np.log(q) for q in p) / 4) if min(p) else 1 / 0, None),
    (ch04.bleu, _of_logarithms, "a precision of 0 lifted"),
    (ch04.beam_step, lambda p, q, k: jnp.stack(jnp.divmod(jax.lax.top_k((p[:, None] + q).reshape(-1), len(p))[1], q.shape[1])),
     "as many as beginnings"),
    (ch04.precision, lambda a, b, n: sum(_grams(b, n).count(g) for g in set(_grams(a, n))) / max(len(_grams(a, n)), 1),
     "counted as often as in the reference"),
    (ch04.precision, lambda a, b, n: ch04._shared(a, b, n) / max(len(a), len(b)), "divided by the longer"),
    (ch04.precision, lambda a, b, n: ch04._shared(a, b, n) / len(_grams(a, n)), None),
    (ch05.masked_softmax, lambda e, m: jnp.where(m, jax.nn.softmax(e - 1e9 * (1 - m)), 0), "a number taken away"),
    (ch05.masked_softmax, lambda e, m: jnp.where(m, jax.nn.softmax(jnp.where(m, e, -1e9), axis=1), 0), "over the wrong axis"),
    (ch05.masked_softmax, lambda e, m: jnp.exp(e - (e * m).max(-1, keepdims=True)) * m / jnp.maximum(
        (jnp.exp(e - (e * m).max(-1, keepdims=True)) * m).sum(-1, keepdims=True), 1e-9), None),
    (ch05.temperature, lambda e, t: jnp.exp(e / t - e.max()) / jnp.exp(e / t - e.max()).sum(-1, keepdims=True), "overflow"),
    (ch05.context, lambda a, h: (a @ h).T, "axes exchanged"),
    (ch06.causal, lambda n: jnp.tri(n), "numbers"),
    (ch07.cache, _masked_after, "empty rows weighed"),
    (ch07.cache, _filled_by_keys, "filled by key"),
    (ch07.cache, lambda q, k, v, K, V, t: jnp.exp(K.at[t].set(k)[: t + 1] @ q / q.size**0.5) @ V.at[t].set(v)[: t + 1]
     / jnp.exp(K.at[t].set(k)[: t + 1] @ q / q.size**0.5).sum(), "overflow"),
    (ch07.linear_attention, lambda Q, K, V: ch07.linear(jnp.zeros_like(Q) + Q.mean(), K, V), None),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "answer", "name"), WRONG, ids=lambda v: v.name if isinstance(v, Exercise) else "")
def test_a_wrong_answer_is_refused_and_its_mistake_named(exercise, answer, name):
    verdict = exercise.check(answer)
    assert verdict.correct is False
    if name:
        assert (verdict.status, verdict.mistake) == ("known mistake", name), verdict
        assert progress().attempts()[-1].answer == name


def made(cases, solution, mistakes=(), edges=()):
    return Exercise(
        "made", "ch00", "jax", "my_made", "a number for each input", cases, solution, mistakes, ("a", "b", "c"), edges
    )


def test_a_mistake_with_an_edge_of_its_own_is_known_by_the_tame_cases():
    """The same error, but other numbers, or an exception, where the cases are no longer tame."""
    mistakes = (Mistake("not doubled", "Double it.", lambda x: x),)
    exercise = made(
        ((np.ones(1),), (np.ones(2),)), lambda x: 2 * x, mistakes, edges=((np.zeros(2),), (np.full(2, 9.0),))
    )
    for answer in (lambda x: x, lambda x: x + 7 * (x.sum() > 9), lambda x: x if x.any() else 1 / 0):
        assert exercise._judge(answer).mistake == "not doubled"
    assert exercise._judge(lambda x: x if len(x) < 2 else x + 1).mistake == ""
    assert (
        exercise._judge(lambda x: 2 * x if x.sum() < 9 else x).mistake == ""
    )  # right on the tame ones, which it is not


def test_what_has_no_name_is_told_by_the_first_case_that_fails():
    exercise = made(
        ((np.ones(1),), (np.ones(2),), (np.ones(3),)), lambda x: 2 * x, edges=((np.zeros(2),), (np.full(2, 9.0),))
    )
    said = exercise._judge(lambda x: 2 * x if x.sum() < 9 else x + 1).message
    assert said.startswith("Right on cases 1–4 of 5. The first that fails is x = `[9., 9.]`\nyours: `[10., 10.]`")
    assert exercise._judge(lambda x: 2 * x if len(x) < 2 else x + 3).message.startswith(
        "Right on case 1 of 5. The first"
    )
    raised = exercise._judge(lambda x: 2 * x if x.any() else 1 / 0).message
    assert raised.startswith("Right on cases 1–3 of 5. For x = `[0., 0.]`\nyour function raised ZeroDivisionError")


@pytest.mark.parametrize(
    ("turn", "name"),
    [
        (lambda y: -y, "wrong sign"), (lambda y: 2.5 * y, "wrong factor"), (lambda y: y.T, "axes exchanged"),
        (lambda y: y[::-1], "reversed"), (lambda y: y[None], "axis too many"), (lambda y: np.roll(y, -1, 0), "one too early"),
        (lambda y: np.roll(y, 1, 0), "one too late"), (lambda y: y + 1, ""), (lambda y: y[:1], ""),
    ],
)  # fmt: skip
def test_a_result_that_is_related_to_the_right_one_is_told_how(turn, name):
    rng = np.random.default_rng(0)
    exercise = made(tuple((rng.normal(size=(k, k)),) for k in (3, 4)), lambda x: x * x + 1, edges=((np.ones((2, 2)),),))
    assert exercise._judge(lambda x: turn(x * x + 1)).mistake == name


def test_a_mistake_of_the_exercise_goes_before_a_mere_relation():
    mistakes = (Mistake("no minus", "The minus is missing.", lambda x: x),)
    assert made(((np.arange(1.0, 4),),), lambda x: -x, mistakes)._judge(lambda x: x).mistake == "no minus"


def test_what_a_learners_code_says_is_kept_short():
    said = ch00.running_mean.check(lambda x: (_ for _ in ()).throw(ValueError("y" * 10_000_000))).message
    assert len(said) < 600
    assert "more characters" in said


def test_points_print_the_mistake_for_whoever_grades(capfd):
    assert ch00.running_mean.points(jnp.cumsum) == 0.0
    assert capfd.readouterr().out.startswith("sums: You return running *sums*")
    assert ch00.running_mean.points(ch00.mean_so_far) == 1.0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("switch", [lambda: jax.debug_nans(True), jax.disable_jit], ids=["debug_nans", "disable_jit"])
@pytest.mark.parametrize("exercise", [ch05.masked_softmax, ch02.clipping, ch07.merge], ids=lambda e: e.name)
def test_a_switch_for_debugging_changes_no_verdict(exercise, switch, monkeypatch):
    monkeypatch.setattr(exercise, "_results", {})
    with switch():
        for other in RIGHT[exercise.name]:
            assert exercise._judge(other).status == "correct"
        for mistake in exercise.mistakes:
            assert exercise._judge(mistake.ways[0]).mistake == mistake.name
