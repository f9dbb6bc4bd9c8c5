"""Exports: read back by parsers that are not ours (lxml for XML; pygiftparser, where it runs, for GIFT)."""

import copy
import csv
import io
import json
import re
import sqlite3
import sys
import xml.etree.ElementTree as ET

import pytest
import yaml
from samples import KINDS, WHY
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.runtime import asset, home
from course_utils.teaching.bank import Match, Numeric, Predict, read_bank
from course_utils.teaching.export import to_gift, to_moodle
from course_utils.teaching.progress import Progress, progress

pytestmark = pytest.mark.plain

CHAPTERS = sorted(path.stem for path in asset("quizzes").glob("ch*.yaml"))


@pytest.fixture(params=["kinds", *CHAPTERS])
def bank(request, tmp_path):
    if request.param != "kinds":
        return read_bank(asset(f"quizzes/{request.param}.yaml"))
    (tmp_path / "ch42.yaml").write_text(yaml.safe_dump(KINDS, allow_unicode=True))
    return read_bank(tmp_path / "ch42.yaml")


def asked(bank):
    """Questions as they are exported: variants one by one."""
    for question in bank.questions:
        if not isinstance(question, Predict):
            yield from map(question.variant, range(question.variants))


def test_moodle_xml_says_what_the_bank_says(bank):
    from lxml import etree

    root = etree.fromstring(to_moodle(bank).encode())
    entries = [q for q in root if q.get("type") != "category"]
    wanted = list(asked(bank))
    assert len(entries) == len(wanted)
    assert len({q.findtext("name/text") for q in entries}) == len(entries)
    for entry, question in zip(entries, wanted, strict=True):
        full = [a for a in entry.iterfind("answer") if float(a.get("fraction")) > 0]
        kind = {"multichoice": ("single", "multiple", "hunt"), "numerical": ("numeric",), "shortanswer": ("shape",),
                "matching": ("order", "match")}[entry.get("type")]  # fmt: skip
        assert question.kind in kind
        assert entry.findtext("generalfeedback/text").startswith(f"Where to reread: {question.section}")
        if kind == ("order", "match"):
            count = len(question.items) if question.kind == "order" else len(question.rights)
            assert len(entry.findall("subquestion")) == count
            assert all(sub.findtext("answer/text") for sub in entry.iterfind("subquestion"))
            continue
        assert all(a.findtext("feedback/text") for a in entry.iterfind("answer"))
        assert sum(float(a.get("fraction")) for a in full) == pytest.approx(100 if question.kind != "shape" else 600)
        if isinstance(question, Numeric):
            assert float(full[0].findtext("text")) == pytest.approx(question.answer, rel=1e-9)
            assert float(full[0].findtext("tolerance")) == pytest.approx(question.tolerance, rel=1e-5)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="pygiftparser needs a Python before 3.13")
def test_gift_is_understood_by_another_parser(bank):
    from pygiftparser.parser import parseFile

    # Two things it does not know, and Moodle does (GIFT format): escaped braces and negative numbers.
    written = re.sub(r"\\[{}]|\n=%0%-.*", "", to_gift(bank))
    found = parseFile(io.StringIO(written))
    wanted = list(asked(bank))
    assert [entry.title.replace("\\", "") for entry in found] == [
        element.findtext("name/text") for element in ET.fromstring(to_moodle(bank)) if element.get("type") != "category"
    ]
    one = {"ChoicesSet", "SelectSet"}
    kinds = {"single": one, "hunt": one, "multiple": {"MultipleChoicesSet"},
             "numeric": {"NumericAnswerSet"}, "shape": {"SelectSet", "ShortSet"}, "order": {"MatchingSet"},
             "match": {"MatchingSet"}}  # fmt: skip
    for entry, question in zip(found, wanted, strict=True):
        assert entry.valid, question.id
        assert type(entry.answers).__name__ in kinds[question.kind], question.id


def test_gift_escapes_its_own_signs(bank):
    for block in to_gift(bank).strip().split("\n\n"):
        assert block.startswith(("$CATEGORY", "::"))
        if block.startswith("::"):
            plain = block.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
            assert plain.count("{") == plain.count("}") == 1


def test_formulas_are_written_for_mathjax_and_predictions_left_out(bank):
    for text in (to_moodle(bank), to_gift(bank)):
        assert not any(q.id in text for q in bank.questions if isinstance(q, Predict))
        assert text.count("$") == text.count("$course$") * 2 + text.count("$CATEGORY")
    if any(isinstance(q, Match) for q in bank.questions):
        assert "\\(" in to_moodle(bank)


def test_of_a_hunt_a_platform_asks_for_the_line_and_shows_the_code(tmp_path):
    (tmp_path / "ch42.yaml").write_text(yaml.safe_dump(KINDS, allow_unicode=True))
    found = read_bank(tmp_path / "ch42.yaml")
    entry = next(q for q in ET.fromstring(to_moodle(found)) if q.findtext("name/text") == "ch42-hunt")
    asked_for, options = entry.findtext("questiontext/text"), entry.findall("answer")
    assert "<br>&nbsp;2&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;#&nbsp;the&nbsp;sum&nbsp;&lt;&nbsp;&amp;" in asked_for
    assert [option.findtext("text").split(":")[0] for option in options] == ["Line 1", "Line 4", "Line 5", "Line 6"]
    assert [option.get("fraction") for option in options] == ["0", "100", "0", "0"]
    assert entry.findtext("shuffleanswers") == "false"
    assert "<code>C = C + x</code>. What would you see? falls" in entry.findtext("generalfeedback/text")
    gift = next(block for block in to_gift(found).split("\n\n") if block.startswith("::ch42-hunt"))
    assert "C&nbsp;\\=&nbsp;C&nbsp;-&nbsp;x<br>" in gift
    assert "\n=Line 4\\: <code>C \\= C - x</code>#It is so" in gift


def test_no_rounding_error_is_exported_as_a_number(bank):
    for text in (to_moodle(bank), to_gift(bank)):
        assert not re.search(r"\de-1[2-9]", text)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 - 20 * (1 - x)", 0),
        ("20 * (1 - x) - 1", 0),
        ("x - 0.95", 0),
        ("x * 1e-9", 0.95e-9),
        ("x * 1e15 + 1", 0.95e15 + 1),
    ],
)
def test_what_is_left_of_a_difference_is_0_and_small_and_large_numbers_stay(tmp_path, expression, value):
    content = copy.deepcopy(KINDS)
    content["questions"][4] |= {"variables": {"x": [0.95, 2]}, "prompt": "[[x]]?", "answer": "x + 7", "why": WHY, "slips": [
        {"value": expression, "why": WHY}]}  # fmt: skip
    (tmp_path / "ch42.yaml").write_text(yaml.safe_dump(content))
    found = read_bank(tmp_path / "ch42.yaml")
    assert found.question("ch42-varied").variant(0).slips[0].value == value
    said = ET.fromstring(to_moodle(found)).findall("question[@type='numerical']")[0].findall("answer")[1]
    assert float(said.findtext("text")) == pytest.approx(value, rel=1e-11, abs=0)


def test_the_command_writes_a_file_and_refuses_in_words(tmp_path):
    run = CliRunner().invoke
    out = tmp_path / "ch00.xml"
    assert run(app, ["quiz", "export", "ch00", "--out", str(out)]).exit_code == 0
    assert "<quiz>" in out.read_text(encoding="utf-8")
    assert "::ch00-" in run(app, ["quiz", "export", "ch00", "--format", "gift"]).output
    for arguments, words in (
        (["quiz", "export", "ch99"], "no quiz 'ch99'"),
        (["quiz", "export", "ch00", "--format", "pdf"], "moodle or gift, not 'pdf'"),
        (["quiz", "export", "ch00", "--out", str(tmp_path)], f"{tmp_path} cannot be written"),
        (["quiz", "export", "ch00", "--out", str(out / "x")], f"{out} is a file: name a folder"),
        (["progress", "export", "--format", "xls"], "csv or json, not 'xls'"),
    ):
        result = run(app, arguments)
        assert result.exit_code == 1
        assert words in result.output


def test_a_quiz_is_named_as_chapters_are():
    said = [CliRunner().invoke(app, ["quiz", "export", name]) for name in ("ch01", "01", "1", "CH01")]
    assert {result.exit_code for result in said} == {0}
    assert len({result.output for result in said}) == 1
    assert "ch01-" in said[0].output


@pytest.mark.parametrize("command", [["quiz", "export", "ch00"], ["progress", "export"]])
def test_an_export_makes_its_folder(command, tmp_path):
    out = tmp_path / "not" / "yet" / "x"
    result = CliRunner().invoke(app, [*command, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert out.stat().st_size > 0


# ---------------------------------------------------------------------------------------- progress


def test_progress_is_exported_whole(tmp_path):
    kept = progress()
    kept.record("ch01", "quiz", "ch01-a", 3.5, True, "one")
    kept.record("ch01", "predict", "ch01-b", 1, None, "two, quoted")
    kept.record("ch01", "quiz", "ch01-c", {"variant": 2, "answer": -7.0}, False, "=HYPERLINK(1)")
    content = json.loads(kept.to_json())
    assert content["learner"] == kept.learner
    assert [a["answer"] for a in content["attempts"]] == [3.5, 1, {"variant": 2, "answer": -7.0}]
    rows = list(csv.DictReader(io.StringIO(kept.to_csv())))
    assert [row["correct"] for row in rows] == ["1", "", "0"]
    assert rows[1]["objective"] == "two, quoted"
    assert rows[2]["objective"] == "'=HYPERLINK(1)"
    assert json.loads(rows[2]["answer"]) == {"variant": 2, "answer": -7.0}
    assert {row["learner"] for row in rows} == {kept.learner}
    result = CliRunner().invoke(app, ["progress", "export", "--out", str(tmp_path / "mine.csv")])
    assert result.exit_code == 0
    assert (tmp_path / "mine.csv").read_text(encoding="utf-8").count("ch01-") == 3


def test_a_negative_number_is_no_formula():
    kept = progress()
    kept.record("ch01", "quiz", "ch01-a", -2.5, False, "one")
    assert next(csv.DictReader(io.StringIO(kept.to_csv())))["answer"] == "-2.5"


def test_a_file_of_the_first_version_gets_a_learner_and_keeps_its_answers():
    path = home() / "progress.sqlite"
    Progress(path).record("ch00", "quiz", "ch00-a", 1, True, "one")
    with sqlite3.connect(path) as old:
        old.execute("DROP TABLE learner")
        old.execute("PRAGMA user_version = 1")
    again = Progress(path)
    assert [attempt.item for attempt in again.attempts()] == ["ch00-a"]
    assert len(again.learner) == 32
    assert Progress(path).learner == again.learner


def test_two_learners_have_two_names(tmp_path):
    assert Progress(tmp_path / "a.sqlite").learner != Progress(tmp_path / "b.sqlite").learner
