"""Every equation once: it is what the models run, and `??` shows it on a page that one can read."""

import ast
import inspect
import pathlib
import textwrap

import pytest

from course_utils import decoding
from course_utils.models import attention, cells, gated, recurrent, self_attention, transformer
from course_utils.models.equations import EQUATIONS, SECOND_ROUTES

TESTS = pathlib.Path(__file__).parent.parent

pytestmark = pytest.mark.plain

SCREEN, BODY = 40, 12  # lines of a page of `??`, and of what runs
PAGES = (
    cells.rnn_step, gated.lstm_step, gated.gru_step, attention.additive_score, self_attention.scaled_dot_product,
    self_attention.split_heads, self_attention.join_heads, self_attention.MultiHead.look, transformer.Block,
    transformer.Block.__call__, recurrent.unroll, decoding.greedy,
)  # fmt: skip


def source(thing):
    """What `??` shows, and its tree."""
    text = textwrap.dedent(inspect.getsource(inspect.unwrap(thing)))
    return text.rstrip().splitlines(), ast.parse(text).body[0]


def names_in(function):
    """Names of globals that a function uses, within the functions in it too."""
    waiting, found = [inspect.unwrap(function).__code__], set()
    while waiting:
        code = waiting.pop()
        found.update(code.co_names)
        waiting += [inner for inner in code.co_consts if inspect.iscode(inner)]
    return found


@pytest.mark.parametrize("equation", EQUATIONS, ids=lambda e: e.function.__name__)
def test_an_equation_is_what_runs(equation):
    name, caller = equation.function.__name__, inspect.unwrap(equation.caller)
    assert name in names_in(caller), f"{caller.__qualname__} does not call {name}"
    assert inspect.unwrap(caller.__globals__[name]) is inspect.unwrap(equation.function)
    assert caller.__module__.startswith("course_utils.models")


@pytest.mark.parametrize("equation", EQUATIONS, ids=lambda e: e.function.__name__)
def test_an_equation_stands_in_its_docstring(equation):
    plain = lambda text: "".join(text.split())
    says = plain(inspect.getdoc(equation.function))
    assert all(plain(part) in says for part in equation.formula.split(", " if " = " in equation.formula else "\n")), (
        says
    )


@pytest.mark.parametrize("route", SECOND_ROUTES, ids=lambda r: r.function.__name__)
def test_a_second_route_is_held_to_the_first_by_a_test(route):
    file, _, name = route.test.partition("::")
    text = (TESTS / "unit" / file).read_text(encoding="utf-8")
    assert route.function.__name__ in text
    assert f"def {name}" in text


def body_lines(function):
    """Lines that are neither docstring nor empty."""
    lines, tree = source(function)
    first = tree.body[1 if ast.get_docstring(tree) else 0]
    return [line for line in lines[first.lineno - 1 :] if line.strip()]


@pytest.mark.parametrize("thing", PAGES, ids=lambda f: f.__qualname__)
def test_what_question_marks_show_is_a_page_that_one_can_read(thing):
    lines, _ = source(thing)
    assert len(lines) <= SCREEN
    if inspect.isfunction(thing):
        assert len(body_lines(thing)) <= BODY
    assert "vars(type(" not in "\n".join(lines)


def test_lines_of_the_models_fit_beside_a_notebook():
    wide = {
        f"{path.name}:{i}": line
        for path in pathlib.Path(cells.__file__).parent.glob("*.py")
        for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 88
    }
    assert not wide
