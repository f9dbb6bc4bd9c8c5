"""Exercises that check themselves: `ex.name.check(my_function)`, `.hint()`, `.solution()`.

The learner's function runs on small cases: first on tame ones, then on the boundaries of what the prompt allows. A wrong
answer is told, in this order: the mistake it shares with a known one, how its numbers are related to the right ones,
and else the first case that fails.
"""

import ast
import contextlib
import copy
import dataclasses
import dis
import inspect
import io
import textwrap
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..runtime import plain_jax, require, shortened, shown
from . import phrases
from .grading import NOTE, RIGHT, WRONG, Feedback
from .progress import progress

Status = Literal["not attempted", "cannot run", "known mistake", "wrong shape", "wrong values", "correct"]
Relation = tuple[str, str]  # the name of a mistake, and what is said to it


@dataclasses.dataclass(frozen=True, repr=False)
class Verdict(Feedback):
    """The outcome of a check: `status`, what is said, and the name of the mistake where it is a known one."""

    status: Status = "correct"
    mistake: str = ""
    chapter: str = ""
    exercise: str = ""

    @property
    def mark(self) -> str:
        return {"not attempted": NOTE, "correct": RIGHT}.get(self.status, WRONG)

    def _page(self) -> dict[str, Any]:
        return {"kind": "exercise", "chapter": self.chapter, "name": self.exercise}


class Note(str):
    """Text that a notebook shows as Markdown."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)


class Mistake:
    """A misconception: its name, which is stored and reported, what is said to it, and functions that make it."""

    def __init__(self, name: str, says: str, *ways: Callable):
        self.name, self.says, self.ways = name, says, ways


@dataclasses.dataclass
class Exercise:
    """One exercise.

    answer: the name of the function that the notebook asks for.   gives: what it returns, in words.
    cases: tuples of arguments, tame ones, the smallest first; by these a mistake is recognised.
    edges: the boundaries of what the prompt allows.
    solution_function: right and short; it uses its arguments and what it imports, nothing else.
    through: turns a function into the one whose result is judged, where that is not the function's own result.
    mistakes: each must differ from the solution on some case, and may be unable to run on a later one.
    hints: three, the last nearly there.
    """

    name: str
    chapter: str
    objective: str
    answer: str
    gives: str
    cases: tuple[tuple, ...]
    solution_function: Callable
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, str, str]
    edges: tuple[tuple, ...] = ()
    tolerance: float = 1e-4
    through: Callable[[Callable], Callable] = lambda function: function
    _next_hint: int = 0
    _results: dict[tuple[Callable, int], np.ndarray | None] = dataclasses.field(
        default_factory=dict, init=False, repr=False
    )

    def check(self, function: Any) -> Verdict:
        """Run a learner's function on the cases, say what is right or wrong, and store the outcome.

        The outcome is the mistake's name where it has one, else the status.
        """
        verdict = dataclasses.replace(self._judge(function), chapter=self.chapter, exercise=self.name)
        if verdict.status != "not attempted":
            item, outcome = f"{self.chapter}-{self.name}", verdict.mistake or verdict.status
            progress().record(self.chapter, "exercise", item, outcome, verdict.status == "correct", self.objective)
        return verdict

    def points(self, function: Any) -> float:
        """1.0 where `function` is right, else 0.0, for a grader such as nbgrader.

        Nothing is stored; what is wrong is printed, and nothing else: nbgrader takes a cell that writes to stderr, as
        a warning of NumPy does, for one that failed.
        """
        unread = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stderr(unread), contextlib.redirect_stdout(unread):
            warnings.simplefilter("ignore")
            verdict = self._judge(function)
        if verdict.correct is not True:
            print(f"{verdict.mistake or verdict.status}: {verdict.message}")
        return float(verdict.correct is True)

    def hint(self) -> Note:
        """The next of three hints, from a nudge to nearly there; then the first again."""
        place = self._next_hint
        self._next_hint = (place + 1) % 3
        return Note(f"{phrases.HINT.format(place=place + 1)}. {self.hints[place]}")

    def solution(self) -> Note:
        """One way to solve it, to be pasted in place of the answer."""
        return Note(f"```python\n{_pasteable(self.solution_function, self.answer)}\n```")

    # ------------------------------------------------------------------------------------- judging

    @plain_jax()
    def _judge(self, function: Any) -> Verdict:
        if not callable(function):
            return self._no(
                "cannot run", phrases.NO_FUNCTION.format(what=_a(function), name=self.name, function=self.answer)
            )
        if _is_untouched(function):
            return Verdict(None, phrases.NOT_ATTEMPTED, "not attempted")
        answers, fault, first = [], None, None
        for index, case in enumerate(self._all_cases):
            answer = self._answer(function, case, index)
            if isinstance(answer, Verdict):
                fault = answer
                break
            answers.append(answer)
            if first is None and not _same(answer, self._wanted(index), self.tolerance):
                first = index
            if first is not None and index + 1 == len(self.cases):
                break  # the tame ones say enough
        if fault is not None and fault.status == "not attempted":
            return fault
        known = None if first is None else self._known_mistake(answers, first, fault is not None)
        if known is not None:
            return known
        if fault is not None:
            return self._later(fault, len(answers) if first is None else 0)
        if first is not None:
            return self._difference(answers[first], first)
        return Verdict(True, phrases.RIGHT_ON_ALL.format(count=len(answers)), "correct")

    @property
    def _all_cases(self) -> tuple[tuple, ...]:
        return (*self.cases, *self.edges)

    def _answer(self, function: Callable, case: tuple, index: int) -> np.ndarray | Verdict:
        """What a learner's function gives for a case, as numbers, or why that is none."""
        try:
            inspect.signature(function).bind(*case)
        except TypeError as error:
            names = ", ".join(inspect.signature(self.solution_function).parameters)
            words = phrases.ARGUMENTS[min(len(case), 2)]
            return self._no("cannot run", words.format(count=len(case), names=names, error=shortened(str(error))))
        except ValueError:
            pass  # a built-in without a signature
        try:
            answer = self.through(function)(*map(copy.deepcopy, case))
        except (Exception, SystemExit) as error:  # whatever a learner's code may raise
            name = shortened(type(error).__name__, 60)
            raised = {"error": name, "text": shortened(_text(error)), "where": _where(error)}
            words = phrases.RAISED_THERE if index else phrases.RAISED
            return self._no("cannot run", words.format(inputs=_inputs(self, case), **raised))
        if answer is Ellipsis:
            return Verdict(None, phrases.RETURNS_DOTS, "not attempted")
        scans = "scan" in _names_used(function)
        if answer is None:
            words = phrases.RETURNS_NONE_IN_SCAN if scans else phrases.RETURNS_NONE
            return self._no("cannot run", words.format(gives=self.gives))
        if isinstance(answer, tuple) and _is_mixed(answer):
            words = phrases.RETURNS_SCAN if scans and len(answer) == 2 else phrases.RETURNS_TUPLE
            return self._no("cannot run", words.format(count=len(answer), gives=self.gives))
        array = _as_floats(answer)
        if array is None:
            return self._no("cannot run", phrases.NO_ARRAY.format(what=_a(answer), gives=self.gives))
        return array

    def _no(self, status: Status, message: str, mistake: str = "") -> Verdict:
        return Verdict(False, message, status, mistake)

    def _later(self, verdict: Verdict, passed: int) -> Verdict:
        """A verdict about a case, after as many that were right."""
        if not passed:
            return verdict
        so_far = phrases.RIGHT_SO_FAR[min(passed, 2)].format(passed=passed, count=len(self._all_cases))
        return dataclasses.replace(verdict, message=so_far + verdict.message)

    def _difference(self, mine: np.ndarray, index: int) -> Verdict:
        """What is said where nothing is known about a wrong result: the case, and the two results."""
        right, inputs = self._wanted(index), _inputs(self, self._all_cases[index])
        if mine.shape != right.shape:
            message = phrases.WRONG_SHAPE.format(mine=mine.shape, right=right.shape, inputs=inputs, gives=self.gives)
            return self._later(self._no("wrong shape", message), index)
        words = phrases.FAILS_FIRST if index else phrases.WRONG_VALUES
        finite = "" if np.isfinite(mine).all() else phrases.NOT_FINITE
        message = words.format(finite=finite, inputs=inputs, mine=_short(mine), right=_short(right))
        return self._later(self._no("wrong values", message), index)

    def _result(self, function: Callable, index: int) -> np.ndarray | None:
        """What the solution or a mistake gives for a case; None where a mistake cannot run.

        Computed when it is asked for and kept: an eager scan costs a compilation each time.
        """
        if (function, index) not in self._results:
            try:
                result = self.through(function)(*map(copy.deepcopy, self._all_cases[index]))
                self._results[function, index] = np.asarray(result).astype(float)
            except Exception:  # what a transposed matrix does to a square one is a number, and to others an error
                if function is self.solution_function:
                    raise
                self._results[function, index] = None
        return self._results[function, index]

    def _wanted(self, index: int) -> np.ndarray:
        result = self._result(self.solution_function, index)
        assert result is not None
        return result

    def _known_mistake(self, answers: list[np.ndarray], first: int, failed: bool) -> Verdict | None:
        """What is said to the mistake that gives these answers, on the tame cases and up to the first that is wrong.

        Of several the one that agrees on the most cases.   failed: on the next case the learner's function could not run.
        """
        best, most = None, 0
        for mistake in self.mistakes:
            for way in mistake.ways:
                agreed = self._agreement(way, answers, first, failed)
                if agreed > most:
                    best, most = (mistake.name, mistake.says), agreed
        if best is None:
            pairs = [(mine, self._wanted(i)) for i, mine in enumerate(answers[: len(self.cases)])]
            best = _relation(pairs, self.tolerance)
        return best and self._no("known mistake", best[1], best[0])

    def _agreement(self, way: Callable, answers: list[np.ndarray], first: int, failed: bool) -> int:
        """On how many cases a mistake gives these answers; 0 unless it does on all that must be."""
        agreed = 0
        for index, mine in enumerate(answers):
            theirs = self._result(way, index)
            same = theirs is not None and _same(mine, theirs, self.tolerance, equal_nan=True)
            if not same and index <= max(first, len(self.cases) - 1):
                return 0
            agreed += same
        tame = len(answers) < len(self.cases)
        return 0 if failed and tame and self._result(way, len(answers)) is not None else agreed


def check_exercise(exercise: Exercise) -> None:
    """Raise unless an exercise is sound: the solution passes, each mistake is told by its own message."""
    require(
        exercise._judge(exercise.solution_function).status == "correct",
        f"{exercise.name}: the solution fails.",
    )
    for mistake in exercise.mistakes:
        for number, way in enumerate(mistake.ways):
            verdict = exercise._judge(way)
            require(
                (verdict.status, verdict.mistake, verdict.message) == ("known mistake", mistake.name, mistake.says),
                f"{exercise.name}: way {number} of the mistake “{mistake.name}” is answered with {verdict!r}.",
            )


def drawn(rng: np.random.Generator, *shape: int, scale: float = 1.0, shift: float = 0.0) -> jax.Array:
    """Normal numbers for a case, in single precision."""
    return jnp.asarray(rng.normal(size=shape) * scale + shift, jnp.float32)


# ------------------------------------------------------------------------------------- related to the right result


def _relation(pairs: list[tuple[np.ndarray, np.ndarray]], tolerance: float) -> Relation | None:
    """How wrong results are related to the right ones on every tame case, where the relation has a name."""
    wrong = [(mine, right) for mine, right in pairs if not _same(mine, right, tolerance)]
    if not wrong or not all(np.isfinite(mine).all() and mine.size for mine, _ in pairs):
        return None

    def always(turned: Callable[[np.ndarray], np.ndarray]) -> bool:
        return all(_same(np.asarray(turned(mine)), right, tolerance) for mine, right in pairs)

    def named(name: str, **fields: Any) -> Relation:
        return name, phrases.RELATIONS[name].format(**fields)

    mine, right = wrong[0]
    shapes = {"mine": mine.shape, "right": right.shape}
    if always(np.transpose):
        return named("axes exchanged", **shapes)
    if any(m.shape != r.shape for m, r in pairs):
        squeezed = all(_same(m.squeeze(), r.squeeze(), tolerance) for m, r in pairs) and mine.ndim != right.ndim
        return named("axis too many", **shapes) if squeezed else None
    if always(np.negative):
        return named("wrong sign")
    if set(np.unique(right)) <= {0.0, 1.0} and always(lambda m: 1 - m):
        return named("true and false exchanged")
    factors = [m[r != 0] / r[r != 0] for m, r in pairs]
    spread = np.concatenate([np.ravel(factor) for factor in factors])
    if len(spread) > 2 and spread.std() < 1e-3 * abs(spread.mean()) and always(lambda m: m / spread.mean()):
        return named("wrong factor", factor=spread.mean())
    if all(m.ndim and len(m) > 2 for m, _ in pairs):
        if always(lambda m: m[::-1]):
            return named("reversed")
        if all(_same(m[:-1], r[1:], tolerance) for m, r in pairs):
            return named("one too early")
        if all(_same(m[1:], r[:-1], tolerance) for m, r in pairs):
            return named("one too late")
    return None


# ------------------------------------------------------------------------------------- a solution to paste


def _pasteable(function: Callable, name: str) -> str:
    """A function's source under another name, without annotations and docstring, with the imports that it needs."""
    source = textwrap.dedent(inspect.getsource(function))
    parsed = ast.parse(source).body[0]
    assert isinstance(parsed, ast.FunctionDef)
    body = parsed.body[1:] if ast.get_docstring(parsed) else parsed.body
    lines = source.splitlines()[body[0].lineno - 1 : parsed.end_lineno]
    arguments = ", ".join(argument.arg for argument in parsed.args.args)
    text = "\n".join([f"def {name}({arguments}):", *lines])
    imports = sorted(_imports(function, body))
    return "\n".join([*imports, "", "", text] if imports else [text])


def _imports(function: Callable, body: list[ast.stmt]) -> Iterator[str]:
    """The lines that bring in what a function takes from its module; `jax` and `jnp` every notebook has."""
    inner = inspect.unwrap(function)
    read = {node.id for part in body for node in ast.walk(part) if isinstance(node, ast.Name)}
    for name in read & _names_used(function) & inner.__globals__.keys() - {"jax", "jnp"}:
        value = inner.__globals__[name]
        if isinstance(value, types.ModuleType):
            yield f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}")
        else:
            yield f"from {value.__module__} import {name}"


# ------------------------------------------------------------------------------------- what a learner's code is and gives


def _is_untouched(function: Callable) -> bool:
    """True for a function whose body is only `...` or `pass`, with or without a docstring."""
    if not inspect.isfunction(function):
        return False
    work = [i for i in dis.get_instructions(function) if i.opname not in ("RESUME", "NOP")]
    return len(work) <= 2 and all(i.argval is None for i in work)


def _names_used(function: Callable) -> set[str]:
    """The names of globals and attributes in a function and those within it."""
    waiting = [getattr(inspect.unwrap(function), "__code__", None)]
    names: set[str] = set()
    while waiting:
        code = waiting.pop()
        if code is not None:
            names.update(code.co_names)
            waiting += [inner for inner in code.co_consts if isinstance(inner, types.CodeType)]
    return names


def _is_mixed(parts: tuple) -> bool:
    """True for a tuple whose parts cannot be stacked to one array: a pair of a state and what was collected."""
    shapes = set()
    for part in parts:
        try:
            shapes.add("missing" if part is None or isinstance(part, tuple) else np.shape(part))
        except ValueError:  # a ragged list
            return True
    return len(shapes) > 1 or "missing" in shapes


def _as_floats(answer: Any) -> np.ndarray | None:
    """A learner's result as an array of floats, or None where it is none."""
    if isinstance(answer, np.ma.MaskedArray) and np.ma.getmaskarray(answer).any():
        return None
    try:
        array = np.asarray(answer)
        return array.astype(float) if array.dtype.kind in "fiubO" or array.dtype.name == "bfloat16" else None
    except Exception:  # ragged lists, tracers, objects that are no numbers
        return None


def _text(error: BaseException) -> str:
    """What an error says; its own code may raise."""
    try:
        return str(error)
    except Exception:
        return "(cannot be shown)"


def _same(a: np.ndarray, b: np.ndarray, tolerance: float, equal_nan: bool = False) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=equal_nan)


def _a(value: Any) -> str:
    """What a value is, in words: an array of shape …, 3 (of type int)."""
    if isinstance(value, Tracer):
        return "a placeholder that has left its `jit`"
    if isinstance(value, (jax.Array, np.ndarray)):
        return f"an array of shape {value.shape} and type {value.dtype}"
    return f"{shown(value)} (of type {shortened(type(value).__name__, 60)})"


def _short(array: np.ndarray) -> str:
    rounded = np.round(array, 4) if array.dtype.kind in "fc" else array
    return np.array2string(rounded, threshold=20, edgeitems=3, separator=", ").replace("\n", "")


def _inputs(exercise: Exercise, case: tuple) -> str:
    """The arguments of a case, small ones with their values."""
    names = inspect.signature(exercise.solution_function).parameters
    parts = []
    for name, value in zip(names, case, strict=False):
        small = np.ndim(value) == 0 or np.size(value) <= 12
        parts.append(f"{name} = `{_short(np.asarray(value)) if small else f'array of shape {np.shape(value)}'}`")
    return ", ".join(parts)


def _where(error: BaseException) -> str:
    """The learner's own line that raised, if it was in a notebook cell."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "ipykernel" in frame.filename or "<ipython" in frame.filename
    ]
    return (
        f"\nin line {frames[-1].lineno} of your cell: `{shortened(frames[-1].line, 200)}`"
        if frames and frames[-1].line
        else ""
    )
