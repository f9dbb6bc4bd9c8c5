"""Answers, banks and names of extreme length, and signs that can be shown nowhere: named at once, or shortened."""

import copy
import json
import time

import pytest
import yaml
from lxml import etree
from samples import KINDS, WHY

from course_utils.runtime import InvalidInput, shortened, shown
from course_utils.teaching.bank import Bank, BankError, read_bank
from course_utils.teaching.bank.variants import refuse_expressions
from course_utils.teaching.export import to_gift, to_moodle
from course_utils.teaching.grading import Feedback, axes, grade, number
from course_utils.teaching.markup import to_html
from course_utils.teaching.progress import KEPT_AT_MOST, Overview, Progress
from course_utils.teaching.report import learners, read_class, report

pytestmark = pytest.mark.plain

HUGE = 10**5000  # Python refuses to write an integer of more than 4,300 digits


def named(value):
    return ascii(shown(value, 12))


@pytest.fixture
def at_once():
    """Less than two seconds of this process, however busy the machine is."""
    begin = time.process_time()
    yield
    assert time.process_time() - begin < 2


class Unwilling:
    def __repr__(self):
        raise RuntimeError("I am not to be shown")


def test_a_long_text_is_shortened_to_its_beginning_and_its_end():
    assert shortened("short", 10) == "short"
    text = shortened("a" * 5_000_000 + "the end", 400)
    assert text.startswith("aaaa")
    assert "(4,999,607 more characters)" in text
    assert text.endswith("the end")
    assert len(text) < 450


@pytest.mark.parametrize("value", [HUGE, [HUGE], Unwilling(), "x" * 10_000_000, list(range(100_000))], ids=named)
def test_whatever_is_shown_is_short_and_raises_nothing(value):
    assert len(shown(value)) < 80


# ------------------------------------------------------------------------------------------------------------ answers


@pytest.mark.parametrize(
    "typed", ["9" * 5000, "(" + "9" * 5000 + ", 64)", "1 x " * 50_000 + "a", HUGE, "٣" * 5000], ids=named
)
@pytest.mark.usefixtures("at_once")
def test_axes_of_thousands_of_digits_are_refused_in_words(typed):
    with pytest.raises(InvalidInput, match="A shape is written as axis after axis") as error:
        axes(typed if isinstance(typed, str) else (typed, 64))
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("value", ["9" * 5000, "1" * 10_000_000, HUGE, -HUGE, [HUGE], Unwilling()], ids=named)
@pytest.mark.usefixtures("at_once")
def test_numbers_of_thousands_of_digits_are_refused_in_words(value):
    with pytest.raises(InvalidInput, match="a number is wanted") as error:
        number(value, "a number is wanted")
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("answer", [HUGE, [HUGE, 1, 2], [0, 1, -HUGE], "x" * 10_000_000, [7] * 100_000], ids=named)
@pytest.mark.parametrize("number", range(len(KINDS["questions"])))
def test_no_kind_of_question_stumbles_over_an_answer(number, answer):
    question = Bank.model_validate(KINDS).questions[number].variant(0)
    with pytest.raises(InvalidInput) as error:
        grade(question, answer)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize("sign", ["é", "[", "\n", "`", "<"])
@pytest.mark.usefixtures("at_once")
def test_what_is_said_to_an_answer_has_an_end(sign):
    said = Feedback(False, "It raised " + sign * 10_000_000 + " at the end")
    for text in (repr(said), said._repr_html_()):
        assert "It raised " in text
        assert "more characters" in text or "more lines" in text
        assert "at the end" in text
        assert len(text) < 60_000


def test_what_is_kept_of_an_answer_has_an_end(tmp_path):
    kept = Progress(tmp_path / "p.sqlite")
    kept.record("ch00", "exercise", "ch00-x", "RuntimeError: " + "é" * 10_000_000, False)
    (attempt,) = kept.attempts()
    assert "RuntimeError: " in attempt.answer
    assert "more characters" in attempt.answer
    assert len(kept.to_json()) < 3 * KEPT_AT_MOST


# -------------------------------------------------------------------------------------------------------------- banks


def changed(text, **fields):
    content = copy.deepcopy(KINDS)
    content["questions"][4].update(dict.fromkeys(fields or ("prompt",), text))
    return content


@pytest.mark.parametrize(
    "text", ["[[" * 2_400, "[[x " * 1_200, "[[side]" * 700, "![" * 2_400, "![](" * 1_200, "$$a" * 1_600, "`[(" * 1_600]
)
@pytest.mark.usefixtures("at_once")
def test_signs_that_open_and_never_close_are_read_in_one_go(text):
    """In one text as long as is allowed, and in all texts of a question together."""
    for question in Bank.model_validate(changed(text)).questions:
        to_html(question.prompt)
    refuse_expressions({**KINDS["questions"][3], "prompt": text * 20})


@pytest.mark.parametrize("text", ["[[" * 20_000, "a" * 5_001, "word " * 100_000], ids=lambda text: text[:4])
@pytest.mark.usefixtures("at_once")
def test_a_text_that_is_too_long_is_named_with_its_question(tmp_path, text):
    path = tmp_path / "ch42.yaml"
    path.write_text(json.dumps(changed(text)))  # which is YAML, and read faster
    with pytest.raises(BankError, match=r"ch42.yaml(, question ch42-varied: prompt: .*5000| holds \d+,\d+ bytes)"):
        read_bank(path)


@pytest.mark.parametrize("content", ["[" * 20_000, "[[" * 20_000 + "]]" * 20_000, "answer: " + "9" * 5_000])
@pytest.mark.usefixtures("at_once")
def test_a_bank_that_is_nothing_but_brackets_or_digits_is_refused(tmp_path, content):
    (tmp_path / "ch42.yaml").write_text(content)
    with pytest.raises(BankError, match=r"ch42.yaml: ") as error:
        read_bank(tmp_path / "ch42.yaml")
    assert len(str(error.value)) < 1200


def test_a_bank_of_a_size_that_nobody_writes_is_not_read(tmp_path):
    with (tmp_path / "ch42.yaml").open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(BankError, match="holds 1,000,000,000 bytes"):
        read_bank(tmp_path / "ch42.yaml")


@pytest.mark.parametrize("sign", ["\x00", "\x07", "\x1b", "\ufffe", "\uffff", "\ud800"], ids=ascii)
@pytest.mark.parametrize("field", ["prompt", "why", "unit", "section", "otherwise"])
def test_a_sign_that_no_page_can_show_is_named_with_its_question(tmp_path, sign, field):
    (tmp_path / "ch42.yaml").write_text(yaml.safe_dump(changed(f"{WHY} a{sign}b", **{field: 1})))
    code = "" if sign == "\ud800" else f".*U\\+{ord(sign):04X}"  # of half a pair pydantic speaks first
    with pytest.raises(BankError, match=f"question ch42-varied: {field}: {code}"):
        read_bank(tmp_path / "ch42.yaml")


def test_every_place_of_a_bank_is_looked_at(tmp_path):
    """Nothing that `to_moodle` writes may hold a sign that XML forbids."""

    def places(value, path=()):
        if isinstance(value, str):
            yield path
        for name, inner in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            yield from places(inner, (*path, name))

    for path in places(KINDS):
        content = copy.deepcopy(KINDS)
        holder = content
        for name in path[:-1]:
            holder = holder[name]
        holder[path[-1]] += "\x08"
        with pytest.raises(ValueError):
            Bank.model_validate(content)


def test_what_may_stand_in_a_bank_can_be_exported():
    told = f"{WHY} 🙂 é \N{ZERO WIDTH SPACE} \N{NO-BREAK SPACE} \x7f \x85 <&>]]> \N{COMBINING ACUTE ACCENT}"
    sound = Bank.model_validate(changed(told, prompt=1, why=1, unit=1))
    assert len(etree.fromstring(to_moodle(sound).encode()).findall("question")) > len(KINDS["questions"])
    to_gift(sound).encode()


# -------------------------------------------------------------------------------------------------------------- a class


def sent(path, attempts, encoding="utf-8", learner="x"):
    row = {
        "at": "t",
        "chapter": "ch01",
        "kind": "quiz",
        "item": "ch01-x",
        "objective": "o",
        "answer": 1,
        "correct": True,
    }
    content = {"version": 2, "learner": learner, "attempts": [{**row, **attempt} for attempt in attempts]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json.dumps(content, ensure_ascii=False).encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_powershell_has_redirected_is_read(tmp_path, encoding, form):
    kept = Progress(tmp_path / "p.sqlite")
    kept.record("ch01", "quiz", "ch01-x", "naïve ✓ 注意", True, "o")
    path = tmp_path / f"ada.{form}"
    path.write_bytes((kept.to_json() if form == "json" else kept.to_csv()).encode(encoding))
    found, faults = read_class([path])
    assert not faults
    assert found["ada"][0].attempt.answer == "naïve ✓ 注意"


@pytest.mark.usefixtures("at_once")
def test_the_report_cuts_what_is_endless_and_is_done_at_once(tmp_path):
    long = "n" * 1_000_000
    path = sent(tmp_path / "eve.json", [{"objective": "states", "item": long, "answer": long, "correct": False}])
    many = sent(tmp_path / "bob.json", [{"chapter": f"no{i}"} for i in range(8_000)])
    found, _ = read_class([path, many])
    told = report(found)
    assert long[:1000] not in told
    assert told.count("\n## ") == 8_001
    assert learners(found).count("\n") > 8_000


@pytest.mark.usefixtures("at_once")
def test_an_overview_of_many_chapters_is_counted_once():
    answers = read_attempts(8_000)
    assert len(Overview(answers, True).rows) == 8_000


def read_attempts(count):
    from course_utils.teaching.progress import Attempt

    return [Attempt("t", f"no{i}", "quiz", "x", "o", 1, True) for i in range(count)]


def test_a_progress_file_of_a_size_that_nobody_answers_is_named(tmp_path):
    with (tmp_path / "eve.json").open("wb") as file:
        file.truncate(10**9)
    found, (fault,) = read_class([tmp_path / "eve.json", sent(tmp_path / "ada.json", [{}])])
    assert list(found) == ["ada"]
    assert "eve.json holds 1000 MB" in str(fault)


def test_files_of_one_name_are_told_apart_by_the_folder_that_differs(tmp_path):
    """Two hundred times `submitted/NAME/ch01/progress.json`."""
    paths = [sent(tmp_path / f"s{i}" / "ch01" / "progress.json", []) for i in range(200)]
    found, _ = read_class([*paths, paths[0], sent(tmp_path / "other.json", [])])
    assert len(found) == 202
    names = list(found)
    assert names[1] == "s1/ch01/progress"
    assert names[-1] == "other"
    assert (names[0], names[-2]) == ("ch01/progress", "ch01/progress (2)")  # one file, named twice
