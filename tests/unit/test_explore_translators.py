"""Explorers of the chapters on translation, on translators that know nothing: what they say, and what they refuse."""

import functools

import numpy as np
import pytest
from flax import nnx

from course_utils.data.english_french import pairs
from course_utils.experiments import ch05 as experiment
from course_utils.experiments import recorded, translators
from course_utils.figures.style import words
from course_utils.front import surface
from course_utils.runtime import CourseError
from course_utils.widgets import ch04, ch05, sentences


@functools.cache
def corpus(*lengths):
    return translators.Corpus.of([pairs(1, seed=n, lengths=(n, n))[0] for n in lengths])


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(translators, "held_out", lambda: corpus(6, 10, 14, 18, 24, 30))
    monkeypatch.setattr(translators, "beyond", lambda: corpus(40))
    sentences._test_pairs.cache_clear()
    yield
    sentences._test_pairs.cache_clear()


@functools.cache
def attentive():
    return translators.translator(nnx.Rngs(0), hidden=8, embed=8, reading="both", score="additive")


@functools.cache
def fixed():
    return translators.translator(nnx.Rngs(0), hidden=8, embed=8)


def side_by_side():
    return ch04.side_by_side({"fixed context": fixed()})


def bleu():
    return ch04.bleu_by_length(ch04.recorded_curves(recorded("ch04")), "32 units", "512 units")


def recency():
    return ch04.recency(recorded("ch04").kept, "forward", "reversed")


def alignments():
    return ch05.alignments(attentive())


def soft():
    return ch05.soft_to_hard(attentive(), dict.fromkeys(experiment.TEMPERATURES, np.array([0.3, 0.5, 0.9])))


def scores():
    return ch05.scores(recorded("ch05").variants)


@pytest.mark.each
@pytest.mark.parametrize(
    "make", [side_by_side, bleu, recency, alignments, soft, scores], ids=lambda make: make.__name__
)
def test_explorers_answer_at_the_ends_of_every_control(make):
    e = make()
    for name, control in e.controls.items():
        for value in (control.values[0], control.values[-1]):
            assert surface.summary(e.figure(**{name: value}))


@pytest.mark.parametrize("make", [side_by_side, alignments])
def test_any_sentence_can_be_typed_and_what_is_unknown_is_named(make):
    e = make()
    typed, plain = (e.figure(typed=line).to_json() for line in ("The old cat sleeps!", "the old cat sleeps"))
    assert typed == plain
    assert "sleeps" in typed
    with pytest.raises(CourseError, match="zebra"):
        e.figure(typed="the zebra sleeps")
    long = " ".join(["the cat sleeps and"] * 20 + ["the dog sleeps"])
    assert "longer than any sentence trained on (32)" in words(e.figure(typed=long))["summary"]
    assert "longer" not in words(e.figure(typed="the cat sleeps"))["summary"]


@pytest.mark.parametrize("make", [side_by_side, alignments])
def test_a_thousand_words_are_translated_as_the_first_sixty(make):
    e = make()
    long, short = (words(e.figure(typed=" ".join(["cat"] * count)))["summary"] for count in (1_000, 60))
    assert long == f"{short} Only the first 60 of 1,000 words are read."


def test_a_sentence_without_a_reference_is_not_judged():
    e = side_by_side()
    assert "without a reference" in words(e.figure(typed="the cat sleeps"))["title"]
    known = corpus(14).pairs[0]
    assert "wrong" in words(e.figure(typed=" ".join(known.source)))["summary"]


def test_a_picked_pair_stays_as_it_is_and_a_typed_one_is_recognised():
    pair = corpus(14).pairs[0]
    picked = sentences.picked_or_typed(pair, "  ")
    assert picked.pair is pair
    assert picked.words is pair.source
    assert picked == sentences.picked_or_typed(corpus(10).pairs[0], " ".join(pair.source).upper() + "!")
    assert sentences.picked_or_typed(pair, "the cat sleeps").pair is None


def test_gold_is_laid_over_a_translation_that_is_the_reference(monkeypatch):
    pair = corpus(10).pairs[0]
    weights = np.full((len(pair.target) + 1, len(pair.source) + 1), 0.01)
    for i, sources in enumerate(pair.alignment):
        weights[i, list(sources)] = 0.5
    answer = lambda model, indices: ([*pair.target, "<eos>"], weights[:, : len(indices)])
    monkeypatch.setattr(ch05, "_translate", answer)
    e = ch05.alignments(attentive())
    linked = sum(bool(sources) for sources in pair.alignment)
    assert words(e.figure(picked=pair))["title"] == "Every word attends most to what it translates"
    assert f"{linked} of {linked} words attend most" in words(e.figure(picked=pair))["summary"]
    assert "attends most to" in words(e.figure(picked=pair, gold=False))["title"]
    assert "No gold: this sentence" in words(e.figure(typed="the cat sleeps"))["summary"]
    assert "No gold" not in words(e.figure(picked=pair, gold=False))["summary"]
    monkeypatch.setattr(ch05, "_translate", lambda model, indices: (["le", *pair.target], weights))
    assert "differs from the reference" in words(ch05.alignments(attentive()).figure(picked=pair))["summary"]


def test_the_ends_of_soft_to_hard_are_the_mean_and_one_state():
    e = soft()
    uniform = words(e.figure(temperature=float("inf")))["summary"]
    distance = float(uniform.split("its context is ")[1].split(" away")[0])
    assert distance < 1e-5
    hard = words(e.figure(temperature=0.0))["summary"]
    assert " and 0 from the state" in hard
    assert "Temperature 0, hard" in hard
    assert words(e.figure(word=2))["summary"] != words(e.figure(word=1))["summary"]


def test_every_recorded_curve_can_be_chosen():
    curves = ch04.recorded_curves(recorded("ch04"))
    assert {"32 units", "128 units, reversed", "128 units, 4,000 updates", "128 units, reversed, 4,000 updates"} <= set(
        curves
    )
    assert not [name for name in ch04.recorded_curves(recorded("ch04"), variants=False) if "reversed" in name]
    assert all(curve.bleu.shape[1] == len(curve.upto) for curve in curves.values())
