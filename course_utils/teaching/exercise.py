"""Exercises that check themselves: `ex.name.check(my_function)`, `.hint()`, `.solution()`.

The learner's function runs on small cases. What comes back is compared in this order: nothing attempted,
a known mistake (by what it computes, so that it can be named), a wrong shape, wrong values.
"""

import contextlib
import copy
import dataclasses
import dis
import inspect
import io
import textwrap
import traceback
import warnings
from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..runtime import require
from .grading import NOTE, RIGHT, WRONG, Feedback
from .progress import progress

Status = Literal["not attempted", "cannot run", "known mistake", "wrong shape", "wrong values", "correct"]


@dataclasses.dataclass(frozen=True, repr=False)
class Verdict(Feedback):
    """The outcome of a check: `status`, and what is said."""

    status: Status = "correct"

    @property
    def mark(self) -> str:
        return {"not attempted": NOTE, "correct": RIGHT}.get(self.status, WRONG)


class Note(str):
    """Text that a notebook shows as Markdown."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)


@dataclasses.dataclass(frozen=True)
class Mistake:
    """A wrong way that people take: a function that goes it, and what to say to them."""

    function: Callable
    says: str


@dataclasses.dataclass
class Exercise:
    """One exercise.

    cases: tuples of arguments, the smallest first.   solution: the right function, from the library.
    through: where not a function's result is to be judged but what it leads to, what makes the one of the other.
    mistakes: executable; each must differ from the solution on some case, and may be unable to run on a later one.
    hints: three, the last nearly there.
    """

    name: str
    chapter: str
    objective: str
    cases: tuple[tuple, ...]
    solution_function: Callable
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, str, str]
    tolerance: float = 1e-4
    through: Callable[[Callable], Callable] = lambda function: function
    _next_hint: int = 0
    _results: dict[Callable, list[np.ndarray]] = dataclasses.field(default_factory=dict, init=False, repr=False)

    def check(self, function: Any) -> Verdict:
        """Run a learner's function on the cases, say what is right or wrong, and keep the outcome."""
        verdict = self._judge(function)
        if verdict.status != "not attempted":
            item = f"{self.chapter}-{self.name}"
            progress().record(
                self.chapter, "exercise", item, verdict.status, verdict.status == "correct", self.objective
            )
        return verdict

    def points(self, function: Any) -> float:
        """1.0 where `function` is right, else 0.0, for a grader such as nbgrader. Nothing is kept, and nothing is printed.

        (A warning of NumPy would go to stderr, and nbgrader takes a cell that writes there for one that failed.)
        """
        unheard = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stderr(unheard), contextlib.redirect_stdout(unheard):
            warnings.simplefilter("ignore")
            return float(self._judge(function).correct is True)

    def hint(self) -> Note:
        """The next of three hints, from a nudge to nearly there; then the first again."""
        place = self._next_hint
        self._next_hint = (place + 1) % 3
        return Note(f"Hint {place + 1} of 3. {self.hints[place]}")

    def solution(self) -> Note:
        """The library's own source."""
        return Note(f"```python\n{textwrap.dedent(inspect.getsource(self.solution_function))}```")

    # ------------------------------------------------------------------------------------- judging

    def _judge(self, function: Any) -> Verdict:
        if not callable(function):
            return self._no(
                "cannot run",
                f"`check` wants your function itself, not {_a(function)}. Pass its name without calling it: "
                f"`ex.{self.name}.check(my_function)`.",
            )
        if _is_untouched(function):
            return Verdict(
                None,
                "Not attempted yet. Write your answer in place of `...` and run the cell again.",
                "not attempted",
            )
        answers = []
        for case in self.cases:
            try:
                inspect.signature(function).bind(*case)
            except TypeError as error:
                return self._no(
                    "cannot run",
                    f"Your function should take {len(case)} argument{'s' if len(case) > 1 else ''} "
                    f"({self._arguments()}): {error}.",
                )
            except ValueError:
                pass  # a built-in without a signature
            try:
                answer = self.through(function)(*map(copy.deepcopy, case))
            except (Exception, SystemExit) as error:  # whatever a learner's code may raise
                return self._known_mistake(answers) or self._no(
                    "cannot run",
                    f"Your function raised {type(error).__name__}: {_safely(str, error)}{_where(error)}",
                )
            if answer is Ellipsis:
                return Verdict(None, "Not attempted yet: your function returns `...`.", "not attempted")
            if answer is None:
                return self._no(
                    "cannot run",
                    "Your function returned None. Is a `return` missing? "
                    "(In a scan: is what the step returns second None?)",
                )
            if isinstance(answer, tuple) and _is_mixed(answer):
                return self._no(
                    "cannot run",
                    f"Your function returns a tuple of {len(answer)} things, but one array is asked for. "
                    "(`scan` returns a pair: the last state, and what was collected.)",
                )
            array = _as_floats(answer)
            if array is None:
                return self._no(
                    "cannot run", f"Your function should return an array of real numbers, not {_a(answer)}."
                )
            answers.append(array)
        wanted = self._run(self.solution_function)
        if _same(answers, wanted, self.tolerance):
            return Verdict(True, f"Right on all {len(self.cases)} cases.", "correct")
        if known := self._known_mistake(answers):
            return known
        for case, mine, right in zip(self.cases, answers, wanted, strict=True):
            if mine.shape != right.shape:
                return self._no(
                    "wrong shape",
                    f"Your result has shape {mine.shape}; it should have shape {right.shape} "
                    f"for {_inputs(self, case)}.",
                )
        for case, mine, right in zip(self.cases, answers, wanted, strict=True):
            if not np.allclose(mine, right, rtol=self.tolerance, atol=self.tolerance):
                nan = " Some of your numbers are not finite." if not np.isfinite(mine).all() else ""
                return self._no(
                    "wrong values",
                    f"The shape is right, the values are not.{nan} For {_inputs(self, case)}\n"
                    f"yours: `{_short(mine)}`\nexpected: `{_short(right)}`",
                )
        raise AssertionError("unreachable: some case differs")

    def _no(self, status: Status, message: str) -> Verdict:
        return Verdict(False, message, status)

    def _run(self, function: Callable) -> list[np.ndarray]:
        """What the solution or a mistake gives, computed at the first check: an eager scan costs a compilation each time."""
        if function not in self._results:
            run = self.through(function)
            results = []
            for case in self.cases:
                try:
                    results.append(np.asarray(run(*map(copy.deepcopy, case))).astype(float))
                except Exception:
                    if function is self.solution_function:
                        raise
                    break  # what a transposed matrix does to a square one is a number, and to others an error
            self._results[function] = results
        return self._results[function]

    def _known_mistake(self, answers: list[np.ndarray]) -> Verdict | None:
        """What is said to the mistake that has these answers and no others, where there are any."""
        for mistake in self.mistakes if answers else ():
            theirs = self._run(mistake.function)
            if len(answers) == len(theirs) and _same(answers, theirs, self.tolerance, equal_nan=True):
                return self._no("known mistake", mistake.says)
        return None

    def _arguments(self) -> str:
        return ", ".join(inspect.signature(self.solution_function).parameters)


def check_exercise(exercise: Exercise) -> None:
    """Raise unless an exercise is sound: the solution passes, each mistake is told by its own message."""
    require(
        exercise._judge(exercise.solution_function).status == "correct",
        f"{exercise.name}: the solution fails.",
    )
    for number, mistake in enumerate(exercise.mistakes):
        verdict = exercise._judge(mistake.function)
        require(
            verdict.status == "known mistake" and verdict.message == mistake.says,
            f"{exercise.name}: mistake {number} is answered with {verdict!r}.",
        )


def drawn(rng: np.random.Generator, *shape: int, scale: float = 1.0, shift: float = 0.0) -> jax.Array:
    """Normal numbers for a case, in single precision."""
    return jnp.asarray(rng.normal(size=shape) * scale + shift, jnp.float32)


def _is_untouched(function: Callable) -> bool:
    """True for a function whose body is only `...` or `pass`, with or without a docstring."""
    if not inspect.isfunction(function):
        return False
    work = [i for i in dis.get_instructions(function) if i.opname not in ("RESUME", "NOP")]
    return len(work) <= 2 and all(i.argval is None for i in work)


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


def _safely(show: Callable[[Any], str], value: Any) -> str:
    """Text of a value, whose own code may raise."""
    try:
        return show(value)
    except Exception:
        return "(cannot be shown)"


def _same(mine: list[np.ndarray], other: list[np.ndarray], tolerance: float, equal_nan: bool = False) -> bool:
    return all(
        a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=equal_nan)
        for a, b in zip(mine, other, strict=True)
    )


def _a(value: Any) -> str:
    if isinstance(value, Tracer):
        return "a placeholder that has left its `jit`"
    if isinstance(value, (jax.Array, np.ndarray)):
        return f"an array of shape {value.shape} and type {value.dtype}"
    return f"{_safely(repr, value)[:60]} (of type {type(value).__name__})"


def _short(array: np.ndarray) -> str:
    rounded = np.round(array, 4) if array.dtype.kind in "fc" else array
    return np.array2string(rounded, threshold=20, edgeitems=3, separator=", ").replace("\n", "")


def _inputs(exercise: Exercise, case: tuple) -> str:
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
    return f"\nin line {frames[-1].lineno} of your cell: `{frames[-1].line}`" if frames and frames[-1].line else ""
