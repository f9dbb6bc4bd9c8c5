"""What is said to an answer, word by word: the verdict of every kind of question, and the sentence that goes with it."""

import pytest
import yaml
from samples import KINDS, WHY

from course_utils.runtime import InvalidInput
from course_utils.teaching.bank import Bank, read_bank
from course_utils.teaching.grading import Feedback, grade

MORE = [
    {
        "id": "ch42-one", "kind": "single", "objective": "one", "section": "1 · One", "prompt": "Which one?",
        "options": [
            {"text": "right", "why": f"{WHY} Right.", "correct": True},
            {"text": "wrong", "why": f"{WHY} Wrong."},
            {"text": "odd", "why": f"{WHY} Odd."},
        ],
    },
    {
        "id": "ch42-all", "kind": "multiple", "objective": "one", "section": "1 · One", "prompt": "Which of four?",
        "options": [{"text": text, "why": f"{WHY} {text}", "correct": text != "d"} for text in "abcd"],
    },
    {
        "id": "ch42-long", "kind": "order", "objective": "one", "section": "1 · One", "prompt": "In which order?",
        "items": [{"text": text, "why": f"{WHY} {text}"} for text in "abcd"],
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    path = tmp_path_factory.mktemp("bank") / "ch42.yaml"
    path.write_text(yaml.safe_dump({**KINDS, "questions": [*KINDS["questions"], *MORE]}, allow_unicode=True))
    known: Bank = read_bank(path)
    return lambda id, answer: grade(next(q for q in known.questions if q.id == id), answer)


def said(*lines):
    return "\n".join(line.replace("WHY", WHY) for line in lines)


@pytest.mark.parametrize(
    ("id", "answer", "verdict", "sentence"),
    [
        ("ch42-one", 0, True, said("WHY Right.")),
        ("ch42-one", 1, False, said("WHY Wrong.")),
        ("ch42-one", 2, False, said("WHY Odd.")),
        ("ch42-many", [0, 2], True, said("Exactly these.", "✓ “a”: WHY A.", "✓ “c”: WHY C.")),
        ("ch42-many", [2, 0, 0], True, said("Exactly these.", "✓ “a”: WHY A.", "✓ “c”: WHY C.")),
        ("ch42-many", [0], False, said("Not quite these.", "✓ “a”: WHY A.", "1 more belongs here.")),
        ("ch42-many", [1], False, said("Not quite these.", "✗ “b”: WHY B.", "2 more belong here.")),
        ("ch42-many", [0, 1, 2], False, said("Not quite these.", "✓ “a”: WHY A.", "✗ “b”: WHY B.", "✓ “c”: WHY C.")),
        ("ch42-many", [], False, said("Not quite these.", "2 more belong here.")),
        ("ch42-all", [0, 1], False, said("Not quite these.", "✓ “a”: WHY a", "✓ “b”: WHY b", "1 more belongs here.")),
        ("ch42-all", [3], False, said("Not quite these.", "✗ “d”: WHY d", "3 more belong here.")),
        ("ch42-shape", "32, time, hidden", True, said("WHY Shape.")),
        ("ch42-shape", "time, 32, hidden", False, said("WHY Time first.")),
        ("ch42-shape", "hidden, 32, time", False, said("WHY Think.")),
        ("ch42-shape", "32, a, b", False, said("WHY Think. No axis here is called b.")),  # "a" is a word of the prompt
        ("ch42-shape", "x, y", False, said("WHY Think. No axis here is called x or y.")),
        ("ch42-hunt", [4, 0], True, said("Found, and its symptom too.",
                                         "✓ Line 4: WHY Minus.", "Mended: `C = C + x`", "✓ “falls”: WHY Falls.")),
        ("ch42-hunt", [4, 1], False, said("The line is right, the symptom is not.", "✓ Line 4: WHY Minus.", "Mended: `C = C + x`",
                                          "✗ “rises”: WHY Rises.")),
        ("ch42-hunt", [5, 0], False, said("The symptom is right, the line is not.", "✗ Line 5: WHY Squashed.", "✓ “falls”: WHY Falls.")),
        ("ch42-hunt", (1, 1), False, said("Neither the line nor the symptom yet.", "✗ Line 1: WHY Another line.", "✗ “rises”: WHY Rises.")),
        ("ch42-order", [0, 1, 2], True, said("1. first: WHY Item first.", "2. second: WHY Item second.", "3. third: WHY Item third.")),
        ("ch42-order", [1, 0, 2], False, said("“second” does not come at place 1: WHY Item second.")),
        ("ch42-order", [0, 2, 1], False, said("The first 1 stands right. “third” does not come at place 2: WHY Item third.")),
        ("ch42-long", [0, 1, 3, 2], False, said("The first 2 stand right. “d” does not come at place 3: WHY d")),
        ("ch42-match", [0, 1, 2], True, said("$a$ → the a: WHY Pair a.", "$b$ → the b: WHY Pair b.", "$c$ → the c: WHY Pair c.")),
        ("ch42-match", [0, 2, 2], False, said("2 of 3 pairs are right.", "✗ $b$ → the c? Of the latter: WHY Pair c.")),
        ("ch42-match", [3, 1, 2], False, said("2 of 3 pairs are right.", "✗ $a$ → nothing? Of the latter: WHY Spare.")),
        ("ch42-match", [0, 2, 1], False, said("1 of 3 pairs are right.", "✗ $b$ → the c? Of the latter: WHY Pair c.",
                                              "✗ $c$ → the b? Of the latter: WHY Pair b.")),
    ],
)  # fmt: skip
def test_the_verdict_and_every_word(ask, id, answer, verdict, sentence):
    assert ask(id, answer) == Feedback(verdict, sentence)


@pytest.mark.parametrize(
    ("id", "answer", "wanted"),
    [
        ("ch42-one", 3, "ch42-one has the options 0 to 2, not 3."),
        ("ch42-one", -1, "ch42-one has the options 0 to 2, not -1."),
        ("ch42-many", [3], "ch42-many has the options 0 to 2, not 3."),
        ("ch42-all", [0, 4], "ch42-all has the options 0 to 3, not 4."),
        ("ch42-all", "0", "ch42-all asks for a list of numbers, not '0'."),
        ("ch42-order", [0, 1], "ch42-order asks for each of 0 to 2 once, not [0, 1]."),
        ("ch42-order", [0, 1, 1], "ch42-order asks for each of 0 to 2 once, not [0, 1, 1]."),
        ("ch42-order", [0, 1, 3], "ch42-order asks for each of 0 to 2 once, not 3."),
        ("ch42-hunt", 4, "ch42-hunt asks for a list of numbers, not 4."),
        ("ch42-hunt", [4], "ch42-hunt asks for a line and a symptom, such as [1, 0], not [4]."),
        ("ch42-hunt", [7, 0], "ch42-hunt has the lines 1 to 6, not 7."),
        ("ch42-hunt", [0, 0], "Line 0 of ch42-hunt holds no code."),
        ("ch42-hunt", [2, 0], "Line 2 of ch42-hunt holds no code."),
        ("ch42-hunt", [3, 0], "Line 3 of ch42-hunt holds no code."),
        ("ch42-hunt", [4, 2], "ch42-hunt has the symptoms 0 to 1, not 2."),
        ("ch42-hunt", [True, 0], "ch42-hunt has the lines 1 to 6, not True."),
        ("ch42-match", [0, 1], "ch42-match asks for 3 numbers from 0 to 3, not [0, 1]."),
        ("ch42-match", [0, 1, 4], "ch42-match asks for 3 numbers from 0 to 3, not 4."),
    ],
)
def test_what_is_no_answer_is_refused_with_what_would_be_one(ask, id, answer, wanted):
    with pytest.raises(InvalidInput) as refused:
        ask(id, answer)
    assert str(refused.value) == wanted


def test_the_last_option_may_be_chosen(ask):
    assert ask("ch42-all", [0, 1, 2]).correct
    assert ask("ch42-all", [0, 1, 2, 3]).correct is False


@pytest.mark.parametrize("sign", [chr(c) for c in (0xFF01, 0xFF0D, 0xFF10, 0xFF19, 0xFF21, 0xFF5A, 0xFF5E)])
def test_every_sign_in_full_width_is_read_as_its_narrow_one(sign):
    from course_utils.teaching import grading

    assert grading._plain(f" {sign} ") == chr(ord(sign) - 0xFEE0)
