"""The examples of docs/contributing/, taken from its pages and run: together they are a small chapter 98, and a bug hunt."""

import importlib
import json
import pathlib
import re
import sys
import types

import jax.numpy as jnp
import pytest
import yaml

from course_utils import experiments, runtime
from course_utils.experiments import hunts
from course_utils.figures import style
from course_utils.teaching.bank import read_bank
from course_utils.teaching.exercise import check_exercise
from course_utils.teaching.grading import grade
from course_utils.teaching.progress import progress

PAGES = pathlib.Path(__file__).parents[2] / "docs" / "contributing"
EXAMPLES = {  # the path in the first line of a block → the block
    path: text
    for page in sorted(PAGES.glob("*.md"))
    for path, text in re.findall(r"^```\w+\n# (\w\S+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
}
MODULES = [path.removesuffix(".py").replace("/", ".") for path in EXAMPLES if path.startswith("course_utils/")]


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """The course with the examples in it: their modules can be imported, their questions asked, their numbers measured."""
    for path, text in EXAMPLES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    packages = {name: importlib.import_module(name.rpartition(".")[0]) for name in MODULES}
    for package in packages.values():
        folder = str(tmp_path / package.__name__.replace(".", "/"))
        monkeypatch.setattr(package, "__path__", [*package.__path__, folder])
    monkeypatch.setattr(runtime, "__file__", str(tmp_path / "course_utils" / "runtime.py"))  # `data/` is beside it
    monkeypatch.setattr(experiments.results, "CHAPTERS", ("ch98",))
    yield lambda name: importlib.import_module(f"course_utils.{name}")
    for name, package in packages.items():  # what a test has imported is forgotten
        sys.modules.pop(name, None)
        vars(package).pop(name.rpartition(".")[2], None)


def test_every_page_has_examples_and_all_of_them_are_run():
    contributing = (PAGES.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {page.stem for page in PAGES.glob("*.md")} == {"chapter", "exercise", "explorer", "hunt", "question"}
    assert all(f"](docs/contributing/{page.name})" in contributing for page in PAGES.glob("*.md"))
    assert set(EXAMPLES) == {
        "data/quizzes/ch98.yaml",
        "data/quizzes/ch97.yaml",
        "course_utils/measure/half_lives.py",
        "course_utils/exercises/ch98.py",
        "course_utils/figures/half_lives.py",
        "course_utils/widgets/ch98.py",
        "course_utils/experiments/ch98.py",
        "course_utils/experiments/results/ch98.py",
        "notebooks/98_half_lives.ipynb",
        "tests/notebooks/trained.yaml",
    }


def test_the_bank_is_sound_and_each_answer_is_told_its_own_why(chapter):
    bank = read_bank(runtime.asset("quizzes/ch98.yaml"))
    assert [question.kind for question in bank.questions] == ["predict", "single", "numeric"]
    left = bank.question("ch98-left")
    assert left.variants == 6
    for number in range(left.variants):
        question = left.variant(number)
        right = grade(question, question.answer)
        assert right.correct
        assert question.why in right.message
        for slip in question.slips:
            wrong = grade(question, slip.value)
            assert wrong.correct is False
            assert slip.why in wrong.message


def test_the_hunt_tells_each_line_its_why_and_learns_only_when_it_is_mended(chapter, monkeypatch):
    hunt = read_bank(runtime.asset("quizzes/ch97.yaml")).question("ch97-hunt")
    assert grade(hunt, [7, 0]).correct
    for line in (1, 3, 8):
        said = grade(hunt, [line, 0])
        assert said.correct is False
        assert hunt.says_of(line) in said.message
        assert hunt.mended not in said.message
    monkeypatch.setenv("COURSE_SIZE", "quick")
    broken, mended = (hunts.train(hunt.trains, source) for source in hunt.sources.values())
    guessing = hunts.task(hunt.trains).guessing
    assert mended.learned(guessing)
    assert broken.losses[-1] > 0.9 * guessing


def test_the_exercise_knows_its_mistakes_and_keeps_their_names(chapter):
    exercise = chapter("exercises.ch98").half_life
    check_exercise(exercise)
    assert len(exercise.mistakes) >= 5
    assert exercise.check(lambda decay: jnp.log(decay) / jnp.log(0.5)).mistake == "upside down"
    assert progress().attempts("ch98")[-1].answer == "upside down"
    names = {"jnp": jnp}
    exec(exercise.solution().removeprefix("```python").removesuffix("```"), names)
    assert exercise.check(names["my_half_life"]).status == "correct"


def test_the_explorer_says_each_finding_with_its_numbers(chapter):
    explorer = chapter("widgets.ch98").half_lives()
    lost, kept = (style.words(explorer.figure(decay=decay)) for decay in (0.9, 0.99))
    assert lost["title"] == "Half of the input is lost before the end"
    assert "one half is left after 6.6 steps" in lost["summary"]
    assert kept["title"] == "More than half of the input reaches the end"
    assert "one half is left after 69.0 steps" in kept["summary"]
    assert len(explorer.frames("decay")) > 5


def test_the_measurement_is_recorded_as_every_chapter_s_is(chapter, tmp_path):
    experiments.reproduce("ch98", tmp_path)
    assert json.loads((tmp_path / "ch98.json").read_text())["steps"] == {"0.9": 7, "0.99": 69}


def test_the_notebook_runs_and_its_numbers_lie_in_their_range(chapter):
    parts = re.split(r"^# %%(.*)\n", EXAMPLES["notebooks/98_half_lives.ipynb"], flags=re.M)[1:]
    cells = [text.strip() for kind, text in zip(parts[::2], parts[1::2], strict=True) if not kind]
    names, shown = types.ModuleType("notebook").__dict__, []
    for cell in cells:
        *before, last = cell.split("\n")
        exec("\n".join(before), names)
        shown.append(eval(last, names))
    said = [str(getattr(result, "message", "")) for result in shown]
    assert any("half-life at 0.99 over half-life at 0.9 = 9.86" in message for message in said)
    assert any(message.startswith("Not attempted yet") for message in said)
    for line, expressions in yaml.safe_load(EXAMPLES["tests/notebooks/trained.yaml"])["98_half_lives"].items():
        assert sum(line in cell for cell in cells) == 1
        assert all(eval(expression, names) for expression in expressions)
