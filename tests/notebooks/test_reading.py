"""Chapters that are written as lessons: how they read, how long they take, and that no look gives a right option away."""

import pathlib
import re

import pytest
from reading import GERMAN, LESSONS, read, sentences

from course_utils.teaching.bank import bank

FOLDER = pathlib.Path(__file__).parents[2] / "notebooks"
HEDGES = re.compile(
    r"\b(about|nearly|usually|mostly|may|might|can|could|often|some|almost|roughly|likely|perhaps|only)\b", re.I
)


@pytest.fixture(params=LESSONS)
def chapter(request):
    return request.param


@pytest.fixture
def reading(chapter):
    return read(FOLDER / f"{chapter}.ipynb", len(bank(f"ch{chapter[:2]}").quiz))


def test_a_lesson_reads_as_one(reading):
    assert reading.words <= 2_600
    assert reading.deeper <= reading.words
    assert reading.longest_cell <= 130
    assert reading.mean_sentence <= 17.5
    assert [sentence for sentence in reading.sentences if len(sentence.split()) > 35] == []
    assert reading.addressed >= 8
    assert reading.negations <= 6
    assert reading.bracketed <= 0.04
    assert reading.caveats == reading.foreign == reading.unsaid == reading.bare == []


def test_a_lesson_takes_the_minutes_that_it_says(chapter, reading):
    text = (FOLDER / f"{chapter}.ipynb").read_text(encoding="utf-8")
    said = int(re.search(r"About (\d+) minutes", text).group(1))
    print(
        f"{chapter}: {reading.minutes:.0f} minutes counted, {said} said, {reading.words} words, {reading.deeper} deeper"
    )
    assert reading.minutes <= (50 if chapter.startswith("00") else 90)
    assert 0.85 <= reading.minutes / said <= 1.15


def test_what_is_counted():
    assert sentences("One is here. Two: It goes on\n\nA third") == ["One is here.", "It goes on", "A third"]
    assert GERMAN.search("The equation stands above")
    assert not GERMAN.search("She stands alone")


def _single(chapter):
    return [q.variant(0) for q in bank(f"ch{chapter[:2]}").quiz if q.kind == "single"]


GUESSERS = {
    "longest": lambda texts: max(range(len(texts)), key=lambda i: len(texts[i])),
    "shortest": lambda texts: min(range(len(texts)), key=lambda i: len(texts[i])),
    "most hedged": lambda texts: max(range(len(texts)), key=lambda i: (len(HEDGES.findall(texts[i])), -i)),
}


@pytest.mark.parametrize("guesser", GUESSERS)
def test_no_look_gives_a_right_option_away(guesser):
    """Over all single questions of the lessons a guesser who has read nothing does as chance does."""
    questions = [question for chapter in LESSONS for question in _single(chapter)]
    chances = [1 / len(question.options) for question in questions]
    found = sum(q.options[GUESSERS[guesser]([o.text for o in q.options])].correct for q in questions)
    spread = sum(p * (1 - p) for p in chances) ** 0.5
    assert found <= sum(chances) + spread, (guesser, found, sum(chances))


def test_the_longest_of_several_options_are_not_the_right_ones():
    found = wanted = chance = spread = 0.0
    for chapter in LESSONS:
        for question in (q.variant(0) for q in bank(f"ch{chapter[:2]}").quiz if q.kind == "multiple"):
            right, count = len(question.answer), len(question.options)
            longest = sorted(range(count), key=lambda i: -len(question.options[i].text))[:right]
            found += len(set(longest) & set(question.answer))
            wanted += right
            chance += right * right / count
            spread += right * right * (count - right) ** 2 / count**2 / max(count - 1, 1)
    assert found <= chance + spread**0.5, (found, chance, wanted)
