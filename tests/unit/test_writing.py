"""What the language model of chapter 01 writes, and how it is judged."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.data.agreement import AGREEING, agreement
from course_utils.experiments import ch01
from course_utils.measure.agreement import judge
from course_utils.runtime import InvalidInput
from course_utils.widgets import ch01 as explorers

CORPUS = agreement(400, seed=3)
SENTENCES = [CORPUS.text(row).split() for row in range(400)]
OTHER = {a: b for pair in AGREEING for a, b in (pair, pair[::-1])}


@pytest.fixture(scope="module")
def writer():
    return explorers.speaks({updates: ch01.speaker(updates).model for updates in ch01.SPOKEN})


def test_every_sentence_of_the_corpus_agrees_and_with_the_other_verb_none_does():
    assert {judge(words) for words in SENTENCES} == {"right verb"}
    assert {judge([OTHER.get(word, word) for word in words]) for words in SENTENCES} == {"wrong verb"}


def test_what_breaks_off_is_unfinished_and_what_is_turned_round_is_no_sentence():
    for words in SENTENCES[:50]:
        cut = {judge(words[:n]) for n in range(1, len(words))}
        assert cut <= {"unfinished"}
        assert judge(words[::-1]) == "no sentence"
        for i, j in itertools.pairwise(range(len(words))):  # two neighbours that changed places
            if {words[i], words[j]} & {"the", "that"} and words[i] != words[j]:
                turned = [*words[:i], words[j], words[i], *words[j + 1 :]]
                assert judge(turned) == "no sentence", turned
    assert judge([]) == "unfinished"
    assert judge(["the", "unicorn", "was", "hungry"]) == "no sentence"


def test_training_brings_first_the_grammar_and_then_the_verb():
    found = {updates: ch01.verdicts(ch01.speaker(updates).model, count=200) for updates in ch01.SPOKEN}
    grammar, verb = ([found[n][what] for n in ch01.SPOKEN] for what in found[0])
    assert grammar[0] == 0
    assert grammar[1] < 0.2 < 0.7 < min(grammar[2:])
    assert 0.35 < verb[2] < 0.65
    assert verb[3] > 0.95


@pytest.mark.parametrize("prompt", ["", "the cats", "The CATS, near the dog!"])
def test_it_goes_on_from_what_is_typed(writer, prompt):
    figure = writer.figure(updates=8_000, prompt=prompt)
    begun = "".join(sign for sign in prompt.lower() if sign.isalpha() or sign == " ").strip()
    lines = figure.layout.meta["written"].split("\n")
    assert len(lines) == 6
    assert all(line[2:].startswith(begun) for line in lines)
    assert ("begins by itself" in figure.layout.meta["summary"]) is (not prompt)


def test_what_it_does_not_know_is_named(writer):
    for prompt, said in (("the unicorn", "unicorn"), ("<eos>", "cannot be typed")):
        with pytest.raises(InvalidInput, match=said):
            writer.figure(prompt=prompt)


def test_a_thousand_words_and_every_temperature_are_written(writer):
    assert len(writer.figure(prompt="the cats " * 500).layout.meta["written"]) > 1_000
    cold = {writer.figure(updates=8_000, temperature=0, draw=n).layout.meta["written"] for n in (1, 2)}
    assert len(cold) == 1
    assert writer.figure(temperature=100).layout.meta["title"]


def test_the_title_follows_what_is_written(writer):
    title = {updates: writer.figure(updates=updates).layout.meta["title"] for updates in ch01.SPOKEN}
    assert title[0] == "It knows words and no grammar"
    assert title[1_000] == "It writes sentences, and its verbs are a guess"
    assert title[8_000] == "It writes sentences, and every verb agrees"
    assert writer.figure(updates=8_000, temperature=0).layout.meta["title"] == "It goes on and on"


def test_the_shipped_moments_are_those_of_one_training():
    begun = ch01.speaker(0).model
    fresh = ch01.language_model(nnx.Rngs(0))
    assert jnp.allclose(begun.cell.W_h[...], fresh.cell.W_h[...], atol=1e-5)  # to what processors differ by
    with pytest.raises(InvalidInput, match="updates"):
        ch01.speaker(5)
    losses = {n: ch01.speaker(n).history.losses for n in ch01.SPOKEN}
    assert {n: len(row) for n, row in losses.items()} == {n: n for n in ch01.SPOKEN}
    assert np.allclose(losses[100], losses[8_000][:100], rtol=1e-3)
