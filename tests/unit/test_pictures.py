import base64
import re
import xml.etree.ElementTree as ET

import pytest

from course_utils.data.english_french import pairs
from course_utils.pictures import DRAWINGS, LENGTHS, masks
from course_utils.runtime import asset
from course_utils.teaching.bank import BankError, bank, read_bank
from course_utils.teaching.export import to_gift, to_moodle
from course_utils.teaching.markup import PICTURE, picture, spoken, to_html
from course_utils.teaching.quiz import Quiz

pytestmark = pytest.mark.plain

CHAPTERS = [path.stem for path in sorted(asset("quizzes").glob("ch*.yaml"))]
SHOWN = {
    name: question for c in CHAPTERS for question in bank(c).questions for _, name in PICTURE.findall(question.prompt)
}


def test_every_picture_is_drawn_here_and_asked_about():
    assert {name.removesuffix(".svg") for name in SHOWN} == set(DRAWINGS)
    assert {path.name for path in asset("quizzes/pictures").iterdir()} == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_needs_nothing_from_outside(name):
    text = picture(name).decode()
    assert len(text) < 60_000
    assert "<script" not in text
    assert set(re.findall(r"(?:href|src)=\"([^\"#]{0,10})", text)) <= {"data:image"}
    ET.fromstring(text)


def test_the_masks_are_as_the_question_says():
    question = SHOWN["ch06-pictured.svg"]
    said = {pair.left.removeprefix("mask "): pair.right for pair in question.pairs}
    words = {5: "five", 3: "three"}
    assert set(LENGTHS) == set(words)
    for letter, mask in masks().items():
        length, ahead = int(mask[-1].sum()), bool(mask[0, 1])
        assert said[letter] == f"{words[length]} words, {'may look' if ahead else 'no looking'} ahead"


def test_the_products_are_as_the_question_says():
    shown = DRAWINGS["ch02-curves"]()
    a, b = ([10.0**y for y in trace.y] for trace in shown.data)
    assert a[0] < 1 < b[0]
    assert a[-1] == pytest.approx(0.85**100)
    assert 35 < b.index(max(b)) < 45
    assert max(b) == pytest.approx(10, rel=0.2)
    assert b[-1] == pytest.approx(0.3, abs=0.05)
    assert sum(value > 1 for value in b) == pytest.approx(90, abs=3)


def test_the_links_are_gold_links_of_the_corpus():
    figure = DRAWINGS["ch05-pictured"]()
    source, target = figure.layout.xaxis.ticktext, figure.layout.yaxis.ticktext
    [found] = {pair for pair in pairs(4000, seed=3) if pair.source == source}
    assert found.target == target
    assert [tuple(j for j, filled in enumerate(row) if filled) for row in figure.data[0].z] == list(found.alignment)


def test_a_picture_is_shown_and_told():
    name, question = next(iter(SHOWN.items()))
    page = to_html(question.prompt)
    address = re.search(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)"', page)
    assert address
    assert base64.b64decode(address[1]) == picture(name)
    assert len(address[2].split()) >= 12
    assert f"[Picture: {address[2][:20]}" in spoken(question.prompt)
    text = Quiz(bank(question.id[:4]))._repr_mimebundle_()["text/plain"]
    assert "[Picture: " in text
    assert ".svg" not in text


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_goes_with_its_question_to_moodle(name):
    chapter = SHOWN[name].id[:4]
    [entry] = [e for e in ET.fromstring(to_moodle(bank(chapter))) if e.findtext("name/text") == SHOWN[name].id]
    asked = entry.find("questiontext")
    assert f'src="@@PLUGINFILE@@/{name}"' in asked.findtext("text")
    file = asked.find("file")
    assert (file.get("name"), file.get("path"), file.get("encoding")) == (name, "/", "base64")
    assert base64.b64decode(file.text) == picture(name)
    assert "data\\:image/svg+xml;base64," in to_gift(bank(chapter))


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("See ![" + "word " * 12 + "](no.svg)", "no picture no.svg"),
        ("See ![too few words](ch06-pictured.svg)", "at least twelve"),
    ],
)
def test_a_picture_that_is_missing_or_untold_is_refused(tmp_path, prompt, said):
    text = asset("quizzes/ch06.yaml").read_text(encoding="utf-8").split("  - id:")[0]
    why = "Because six words or more say what is wrong with it."
    options = "".join(f"      - {{text: {t}, why: {why}, correct: {c}}}\n" for t, c in (("a", "true"), ("b", "false")))
    question = f'  - id: ch06-x\n    kind: single\n    objective: masks\n    section: s\n    prompt: "{prompt}"\n    options:\n{options}'
    (tmp_path / "ch06.yaml").write_text(text + question, encoding="utf-8")
    with pytest.raises(BankError, match=said):
        read_bank(tmp_path / "ch06.yaml")


def test_a_picture_stands_in_the_prompt_only(tmp_path):
    text = asset("quizzes/ch06.yaml").read_text(encoding="utf-8")
    changed = text.replace("right: five words, no looking ahead", "right: '![five words](ch06-pictured.svg)'")
    (tmp_path / "ch06.yaml").write_text(changed, encoding="utf-8")
    with pytest.raises(BankError, match="stands in the prompt"):
        read_bank(tmp_path / "ch06.yaml")
