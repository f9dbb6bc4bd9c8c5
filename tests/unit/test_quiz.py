import copy
import importlib
import pathlib
import shutil

import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from jaxtyping import TypeCheckError

from course_utils import runtime
from course_utils.runtime import InvalidInput, asset
from course_utils.teaching.bank import BankError, bank, read_bank
from course_utils.teaching.grading import RIGHT, WRONG, Feedback
from course_utils.teaching.markup import to_html
from course_utils.teaching.progress import my_progress, progress
from course_utils.teaching.quiz import predict, quiz, reveal

module = importlib.import_module("course_utils.teaching.quiz")  # the package exports a function of that name
WHY = "Because six words or more say what is wrong with it."
GOOD = {
    "chapter": "ch42",
    "title": "A test",
    "objectives": {"one": "First objective", "two": "Second objective"},
    "questions": [
        {
            "id": "ch42-choice", "kind": "single", "objective": "one", "section": "1 · One",
            "prompt": "Which of $a_1$ and `b`?",
            "options": [{"text": "$a_1$", "why": WHY, "correct": True}, {"text": "`b`", "why": WHY + " No."}],
        },
        {
            "id": "ch42-number", "kind": "numeric", "objective": "two", "section": "2 · Two", "prompt": "How many?",
            "unit": "nats",
            "answer": 0.5, "tolerance": 0.01, "why": WHY, "otherwise": WHY + " Think.",
            "slips": [{"value": 2, "why": WHY + " Inverted."}],
        },
        {
            "id": "ch42-guess", "kind": "predict", "objective": "one", "section": "1 · One", "prompt": "What happens?",
            "measures": "accuracy",
            "options": [{"text": "low", "high": 0.5, "why": WHY}, {"text": "high", "low": 0.5, "why": WHY + " High."}],
        },
    ],
}  # fmt: skip


def test_answers_of_an_earlier_course_open_in_the_quizzes_of_this_one():
    """A question that has been changed or taken out since then counts as not answered."""
    runtime.private_folder(runtime.home())
    stored = pathlib.Path(__file__).with_name("stored") / "answers.sqlite"
    shutil.copy(stored, runtime.home() / "progress.sqlite")
    kept = {attempt.item: attempt.answer for attempt in progress().attempts()}
    shown = set()
    for chapter in ("ch00", "ch01", "ch02", "ch04"):
        opened = quiz(chapter)
        for question in opened.bank.questions:
            sheet = predict(question.id).cards.sheet if question.kind == "predict" else opened
            given = sheet.given(question.id)
            if given is not None:
                shown.add(question.id)
                answer = kept[question.id]
                assert given.answer == (answer["answer"] if isinstance(answer, dict) else answer)
    assert len(shown) > 5
    assert my_progress().rows


@pytest.fixture
def write(tmp_path):
    def write(content, name="ch42.yaml"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True))
        return path

    return write


@pytest.fixture
def ch42(write, monkeypatch):
    path = write(GOOD)
    monkeypatch.setattr(module, "bank", lambda chapter: read_bank(path))
    return quiz("ch42")


# ---------------------------------------------------------------------------------------------- banks


@pytest.mark.parametrize("path", sorted(asset("quizzes").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_bank_of_the_course_is_sound(path):
    found = read_bank(path)
    assert found.chapter == path.stem
    assert 8 <= len(found.quiz) <= 12


@pytest.mark.parametrize("path", sorted(asset("quizzes").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_right_option_is_given_away_neither_by_its_place_nor_by_its_length(path):
    asked = [question.options for question in read_bank(path).questions if question.kind == "single"]
    places = [[option.correct for option in options].index(True) for options in asked]
    longest = [max(options, key=lambda option: len(option.text)).correct for options in asked]
    assert len(set(places)) >= min(3, len(asked))
    assert sum(longest) <= max(1, 2 * len(asked) / 3)


def test_every_wrong_option_of_the_course_says_something_of_its_own():
    for path in asset("quizzes").glob("*.yaml"):
        for question in read_bank(path).questions:
            whys = [option.why for option in getattr(question, "options", ())]
            assert len(set(whys)) == len(whys), question.id


def change(*path_and_value):
    *path, value = path_and_value

    def apply(content):
        place = content
        for step in path[:-1]:
            place = place[step]
        if value is ...:
            del place[path[-1]]
        else:
            place[path[-1]] = value

    return apply


BROKEN = [
    (
        change("questions", 0, "options", 0, "why", "Correct."),
        "ch42-choice: options.0.why: a `why` must explain",
    ),
    (change("questions", 0, "options", 0, "why", ...), "ch42-choice: options.0.why"),
    (
        change("questions", 0, "options", 1, "correct", True),
        "ch42-choice: .*exactly one correct option, this one has 2",
    ),
    (change("questions", 0, "options", 0, "correct", False), "exactly one correct option, this one has 0"),
    (change("questions", 0, "options", 1, "text", "$a_1$"), "two options have the same text"),
    (change("questions", 0, "options", []), "ch42-choice: options"),
    (change("questions", 0, "objective", "three"), "ch42-choice names the objective 'three'"),
    (change("questions", 0, "id", "ch41-choice"), "must begin with ch42-"),
    (change("questions", 0, "id", "Choice 1"), "Choice 1: id"),
    (change("questions", 0, "kind", "essay"), "ch42-choice: .*'essay'"),
    (change("questions", 0, "hint", "x"), "ch42-choice: hint"),
    (change("questions", 1, "answer", "much"), "ch42-number: answer"),
    (change("questions", 1, "tolerance", -1), "ch42-number: tolerance"),
    (change("questions", 1, "slips", 0, "value", 0.505), "slip 0.505 lies within the tolerance"),
    (change("questions", 1, "id", "ch42-choice"), "two questions have the id ch42-choice"),
    (change("questions", 1, "objective", "one"), "no question tests the objective 'two'"),
    (change("questions", 2, "options", 0, "high", 0.4), "ch42-guess: .*cover every number exactly once"),
    (change("questions", 2, "options", 1, "high", 0.9), "no outcome covers the numbers from 0.9"),
    (change("questions", 1, "just a string"), "number 2"),
    (change("objectives", {}), "objectives"),
    (change("title", ...), "title"),
]


@pytest.mark.parametrize(("breakage", "words"), BROKEN, ids=[words[:40] for _, words in BROKEN])
def test_a_broken_bank_is_refused_with_file_question_and_reason(write, breakage, words):
    content = copy.deepcopy(GOOD)
    breakage(content)
    with pytest.raises(BankError, match=words) as caught:
        read_bank(write(content))
    assert "ch42.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["a: [1", "", "- 1", "42", "questions: 3\nchapter: ch42\ntitle: x\nobjectives: {a: b}"]
)
def test_what_is_not_a_bank_is_refused(write, text):
    with pytest.raises(BankError, match=r"ch42\.yaml"):
        read_bank(write(text))


def test_a_missing_bank_and_a_missing_question_are_named(tmp_path):
    with pytest.raises(BankError, match=r"no quiz bank x\.yaml"):
        read_bank(tmp_path / "x.yaml")
    with pytest.raises(BankError, match="no question 'ch00-nothing'"):
        bank("ch00").question("ch00-nothing")
    with pytest.raises(runtime.CourseError, match="no quiz"):
        quiz("ch99")


# --------------------------------------------------------------------------------- grading, remembering


def test_every_option_gets_its_own_answer(ch42):
    assert ch42.answer("ch42-choice", 0) == Feedback(True, WHY)
    assert ch42.answer("ch42-choice", 1) == Feedback(False, WHY + " No.")
    assert ch42.answer("ch42-number", 0.504) == Feedback(True, WHY)
    assert ch42.answer("ch42-number", 2) == Feedback(False, WHY + " Inverted.")
    assert ch42.answer("ch42-number", -7) == Feedback(False, WHY + " Think.")
    assert len(progress().attempts(chapter="ch42")) == 5


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("ch42-choice", 2),
        ("ch42-choice", -1),
        ("ch42-choice", "A"),
        ("ch42-number", "x"),
        ("ch42-number", None),
    ],
)
def test_an_answer_of_the_wrong_kind_is_refused_and_not_kept(ch42, id, answer):
    with pytest.raises(InvalidInput, match=id):
        ch42.answer(id, answer)
    assert progress().attempts() == []


def test_score_and_what_to_reread(ch42):
    assert ch42.score() == {"one": (0, 0, 1), "two": (0, 0, 1)}
    ch42.answer("ch42-choice", 1)
    ch42.answer("ch42-number", 0.5)
    assert ch42.score() == {"one": (0, 1, 1), "two": (1, 1, 1)}
    assert ch42.reread() == ["1 · One"]
    ch42.answer("ch42-choice", 0)
    assert ch42.reread() == []


@pytest.mark.parametrize(("answer", "was"), [(1, True), (0, False)])
def test_an_answer_whose_verdict_has_changed_was_given_to_another_question(ch42, answer, was):
    """As when the options of a question have been put into another order since."""
    progress().record("ch42", "quiz", "ch42-choice", answer, was, "one")
    assert ch42.given("ch42-choice") is None
    assert ch42.score()["one"][1] == 0
    progress().record("ch42", "quiz", "ch42-choice", answer, not was, "one")
    assert ch42.given("ch42-choice").answer == answer


def test_a_kept_answer_that_the_bank_no_longer_knows_counts_as_none(ch42):
    progress().record("ch42", "quiz", "ch42-choice", 7, True)
    progress().record("ch42", "quiz", "ch42-number", "seven", True)
    assert ch42.given("ch42-choice") is None
    assert quiz("ch42").score() == {"one": (0, 0, 1), "two": (0, 0, 1)}


# ---------------------------------------------------------------------------------------- predictions


def test_a_prediction_is_answered_by_the_measurement(ch42):
    assert predict("ch42-guess").question.id == "ch42-guess"
    assert reveal("ch42-guess", 0.9).correct is None
    assert "You made no prediction" in reveal("ch42-guess", 0.9).message
    assert ch42.answer("ch42-guess", 0).correct is None
    said = reveal("ch42-guess", jnp.float32(0.9))
    assert said.correct is False
    assert "accuracy = 0.9" in said.message
    assert "You predicted “low”" in said.message
    assert reveal("ch42-guess", 0.1).correct is True
    assert [a.correct for a in progress().attempts(item="ch42-guess")] == [None, False]


SPLIT = [
    {"text": "few", "high": 0.6, "why": WHY}, {"text": "some", "low": 0.6, "high": 0.95, "why": WHY + " Some."},
    {"text": "most", "low": 0.95, "high": 1990, "why": WHY + " Most."}, {"text": "never", "low": 1990, "why": WHY + " Never."},
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "shown", "option"),
    [
        (0.9499, "0.9499", "Some"), (0.94999951, "0.9499995", "Some"), (0.95, "0.95", "Most"), (0.9512, "0.95", "Most"),
        (1 / 3, "0.33", ""), (0.59961, "0.5996", ""), (0.6, "0.6", "Some"), (-0.0, "0", ""),
        (4.394, "4.39", "Most"), (999.7, "1,000", "Most"),
        (1989.6, "1,989.6", "Most"), (1989.98, "1,989.98", "Most"), (1990, "1,990", "Never"), (1999.0, "1,999", "Never"),
        (12_288.4, "12,288", "Never"), (1.29e-6, "1.3·10⁻⁶", ""), (-1234.5678, "−1,235", ""), (2.5e30, "2.5·10³⁰", "Never"),
        (np.nextafter(0.95, 0), "0.9499999999999998", "Some"), (np.nextafter(1990, 0), "1,989.9999999999998", "Most"),
    ],
)  # fmt: skip
def test_a_revealed_number_is_rounded_within_its_option(write, monkeypatch, value, shown, option):
    content = copy.deepcopy(GOOD)
    content["questions"][2]["options"] = SPLIT
    path = write(content)
    monkeypatch.setattr(module, "bank", lambda chapter: read_bank(path))
    said = reveal("ch42-guess", value).message
    assert said.startswith(f"Found: accuracy = {shown}. {WHY} {option}".rstrip())


def test_a_prediction_cannot_be_answered_by_nan_or_for_another_question(ch42):
    with pytest.raises(InvalidInput, match="measured number, not nan"):
        reveal("ch42-guess", float("nan"))
    with pytest.raises(InvalidInput, match="not a prediction"):
        reveal("ch42-choice", 1)
    with pytest.raises(BankError, match="no question"):
        predict("ch42-nothing")


@pytest.mark.parametrize("boundary", [0.5])
def test_a_boundary_belongs_to_one_outcome(ch42, boundary):
    question = ch42.bank.question("ch42-guess")
    assert [option.holds(boundary) for option in question.options] == [False, True]


# -------------------------------------------------------------------------------------------- widgets


def check(quiz, id, form):
    """Fill a form in and press the button: what is said, as HTML."""
    quiz.cards.hear({"kind": "answer", "id": id, "form": form})
    said = quiz.cards.said[id]
    return {True: RIGHT, False: WRONG, None: "→"}[said["correct"]] + " ".join(said["lines"])


def test_answering_on_the_page(ch42):
    assert "Choose an answer first" in check(ch42, "ch42-choice", None)
    assert check(ch42, "ch42-choice", 1).startswith(WRONG + WHY + " No.")
    assert "Type a number first" in check(ch42, "ch42-number", " ")
    assert "A number is wanted" in check(ch42, "ch42-number", "two")
    assert check(ch42, "ch42-number", "0,5").startswith(RIGHT)
    score = ch42.cards.live.state["score"]
    assert (score["right"], score["answered"], score["count"], score["all"]) == (1, 2, 2, False)
    assert score["objectives"] == [("First objective", 0, 1), ("Second objective", 1, 1)]
    assert score["again"] == ["1 · One"]


def test_answers_are_there_when_the_quiz_is_opened_again(ch42):
    ch42.answer("ch42-choice", 1)
    ch42.answer("ch42-number", 0.5)
    said = quiz("ch42").cards.live.state["said"]
    assert (said["ch42-choice"]["answer"], said["ch42-number"]["answer"]) == (1, 0.5)
    assert "Your earlier answer" in said["ch42-choice"]["lines"][0]


def test_what_no_question_of_this_quiz_is_asked_for_changes_nothing(ch42):
    before = ch42.cards.live.state
    for message in ({}, {"kind": "answer", "id": "ch42-guess", "form": 0}, {"kind": "another", "id": "ch42-nothing"}):
        ch42.cards.hear(message)
    assert ch42.cards.live.state == before
    assert progress().attempts() == []


def test_formulas_reach_the_page_as_mathml(ch42):
    choice = ch42.cards.live.state["asked"][0]
    assert choice["options"][0].startswith("<math")
    assert "<math" in choice["prompt"]
    assert "$" not in str(choice)


def test_without_widgets_a_quiz_is_text(ch42):
    bundle = ch42._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert "How many?" in bundle["text/plain"]
    assert "$a_1$" in bundle["text/html"]


def test_where_one_bundle_holds_all_a_quiz_is_one_with_a_view(ch42, monkeypatch):
    monkeypatch.setattr("course_utils.front.surface.front_end", lambda: "vscode")
    bundle, metadata = ch42._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert metadata == {}


def test_markup_keeps_formulas_and_escapes_html():
    assert to_html("a $x_1 * y_2 * z$ *b*", inline=True) == "a $x_1 * y_2 * z$ <em>b</em>"
    assert "<script>" not in to_html("<script>alert(1)</script> $a<b$")
    assert "$a&lt;b$" in to_html("$a<b$")


# ------------------------------------------------------------------ found by attacking, each mended once


@pytest.mark.parametrize("value", ["0.5", jnp.float32(0.5), np.float32(0.5), np.int64(1), 10**6])
def test_a_number_of_any_kind_is_kept_so_that_the_quiz_opens_again(ch42, value):
    ch42.answer("ch42-number", value)
    assert quiz("ch42").cards.said["ch42-number"]["answer"] == pytest.approx(float(value))


@pytest.mark.parametrize("value", [10**400, float("inf"), "1e999", None, [1], 1j])
def test_what_is_no_finite_number_is_refused_and_not_kept(ch42, value):
    for refuse in (lambda: ch42.answer("ch42-number", value), lambda: reveal("ch42-guess", value)):
        with pytest.raises(InvalidInput, match="number"):
            refuse()
    assert progress().attempts() == []


def test_a_kept_number_that_is_no_longer_readable_counts_as_none(ch42):
    for answer in (10**400, "seven", [1]):
        progress().record("ch42", "quiz", "ch42-number", answer, True)
        assert quiz("ch42").cards.said == {}


def test_a_number_typed_in_a_human_way_is_understood(ch42):
    for typed, understood in (("−7", True), ("0,5", True), ("1_0", False), ("nan", False), ("1e999", False)):
        assert ("A number is wanted" not in check(ch42, "ch42-number", typed)) == understood, typed


@pytest.mark.parametrize("id", [None, 3, ["ch00"]])
def test_an_id_of_the_wrong_type_is_refused_in_words(id):
    for call in (quiz, predict, lambda id: reveal(id, 1)):
        with pytest.raises((InvalidInput, TypeCheckError)):
            call(id)


@pytest.mark.parametrize(
    "text",
    [
        "chapter: 2020-99-99",
        "a: !!int x",
        "a: !!timestamp foo",
        "a: !!bool foo",
        "[" * 3000,
        "chapter: ch42\ntitle: a\nobjectives: {a: b}\nquestions: !!set {a}",
    ],
)
def test_odd_yaml_is_refused_as_a_bank(write, text):
    with pytest.raises(BankError, match=r"ch42\.yaml"):
        read_bank(write(text))


def test_a_folder_is_not_a_bank(tmp_path):
    with pytest.raises(BankError, match="cannot be read"):
        read_bank(tmp_path)


def test_a_repeated_key_is_refused_not_chosen_from(write):
    text = yaml.safe_dump(GOOD).replace("answer: 0.5\n", "answer: 0.5\n  answer: 0.125\n")
    with pytest.raises(BankError, match="'answer' appears twice"):
        read_bank(write(text))


@pytest.mark.parametrize(
    ("breakage", "words"),
    [
        (change("questions", 1, "answer", float("nan")), "ch42-number: answer"),
        (change("questions", 1, "slips", 0, "value", float("inf")), "ch42-number: slips"),
        (change("questions", 2, "options", 1, "text", "low"), "two options have the same text"),
        (change("questions", 0, "options", 0, "why", ". . . . . ."), "must explain"),
        (
            change("questions", 0, "options", 0, "why", "Correct correct correct yes right true"),
            "must explain",
        ),
    ],
)
def test_more_broken_banks(write, breakage, words):
    content = copy.deepcopy(GOOD)
    breakage(content)
    with pytest.raises(BankError, match=words):
        read_bank(write(content))
