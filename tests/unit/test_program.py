"""Tokens written out as Python, which lines are Python, and what a learner may type as a beginning."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.data.program import LONGEST_PROMPT, as_program, is_python, lines_of, never_written, typed_program
from course_utils.data.source import shipped_words, tokens_of
from course_utils.data.vocabulary import UnknownWords
from course_utils.experiments import ch03
from course_utils.models.gated import LSTMCell
from course_utils.models.sequence import RecurrentLanguageModel
from course_utils.runtime import InvalidInput
from course_utils.widgets import ch03 as explorers

PROGRAM = """\
from . import x
from .a.b import c
@property
def size(self, *rest, key=None, **more):
    x = [a[1:2], {'…': -1}, (b,)]
    if not x[0] and f(1)(2) == 3:
        return self.items[-1].name
    for i in range(len(x)):
        yield lambda q: q + 1
    else:
        raise ValueError('…' % x)
"""


def test_a_program_is_written_as_people_write_it():
    written = as_program(tokens_of(PROGRAM))
    assert written == PROGRAM.rstrip("\n").replace("2", "1").replace("3", "1").replace("0", "1")
    compile(written, "<written>", "exec")
    assert (
        as_program(["<dedent>", "x", "<newline>", "<indent>", "<indent>", "y"]) == "x\n        y"
    )  # never left of the edge
    assert as_program(["<module>", "import", "os", "<newline>"]) == "# a new module\nimport os"
    assert as_program([]) == ""


def test_lines_that_python_refuses_are_marked_and_unfinished_ones_are_not():
    tokens = ["x", "y", "<newline>", "pass", "<newline>", "f", "("]
    assert as_program(tokens, refused="  ✗") == "x y  ✗\npass\nf("


def test_what_is_written_has_the_tokens_it_was_written_from():
    tokens = tokens_of(PROGRAM)
    assert tokens_of(as_program(tokens) + "\n") == tokens


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ("x = f ( a , <number> )", True), ("x = f ( a , <number>", False), ("def f ( self ) :", True), ("def f ( self )", False),
        ("else :", True), ("elif x :", True), ("except ValueError as e :", True), ("finally :", True), ("try :", True),
        ("with open ( x ) as f :", True), ("case x :", True), ("@ property", True), ("return x", True), ("x y", False),
        ("while x", False), ("<unk> = <number>", False), ("( ) )", False),
    ],
)  # fmt: skip
def test_a_line_is_python_alone_or_with_what_it_belongs_to(line, good):
    assert is_python(line.split()) is good


def test_lines_are_those_that_have_an_end():
    assert lines_of(["a", "=", "b", "<newline>", "<indent>", "c", "<newline>", "<dedent>", "d"]) == [
        ["a", "=", "b"],
        ["c"],
    ]
    assert lines_of([]) == []


def test_every_line_of_the_library_is_python():
    """Else the share of a model's lines would be measured by a ruler that is too short."""
    source = ch03.python_source(vocabulary=shipped_words())
    words = source.vocabulary.words
    lines = [line for line in lines_of(words[i] for i in source.test[:20_000]) if "<unk>" not in line]
    assert len(lines) > 500
    assert [" ".join(line) for line in lines if not is_python(line)] == []


def test_a_typed_beginning_becomes_a_line_of_its_own():
    words = shipped_words()
    for typed, tokens in (
        ("def close(", "<newline> def close ("),
        ("  x = 3\n", None),
        ("if x in self.", "<newline> if x in self ."),
    ):
        found = [words.words[i] for i in typed_program(typed, words)]
        assert tokens is None or found == tokens.split()
    assert words.words[typed_program("x = 3\n", words)[-1]] == "<number>"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "is empty"), ("   \n", "is empty"), ("# only this", "no token"), ("'abc", "no beginning of a Python program"),
        ("x + " * (LONGEST_PROMPT + 1), "at most 200"), ("?", "no beginning|not in the vocabulary"),
    ],
)  # fmt: skip
def test_what_cannot_begin_a_program_is_said(typed, said):
    with pytest.raises(InvalidInput, match=said):
        typed_program(typed, shipped_words())


def test_unknown_names_are_named():
    with pytest.raises(UnknownWords, match="zebra"):
        typed_program("zebra = self", shipped_words())


@pytest.fixture(scope="module")
def untrained():
    return RecurrentLanguageModel(LSTMCell(8, 8, rngs=nnx.Rngs(0)), len(shipped_words()), rngs=nnx.Rngs(0))


def test_the_shipped_writers_are_those_of_four_moments():
    assert [ch03.speaker(updates).origin for updates in ch03.SPOKEN] == ["shipped"] * 4
    with pytest.raises(InvalidInput, match="updates must be one of 0, 100, 1000, 8000"):
        ch03.speaker(7)


def test_a_share_of_lines_is_between_none_and_all(untrained):
    share = ch03.python_lines(untrained)
    assert 0 <= share.new_accepted <= 1
    assert share.known <= share.accepted < 0.2
    untrained.head.bias[...] = jnp.zeros(len(shipped_words())).at[shipped_words()["<newline>"]].set(1e9)
    assert ch03.python_lines(untrained) == (0.0, 0.0, 0.0)  # no line at all
    untrained.head.bias[...] = jnp.zeros(len(shipped_words()))


def test_a_line_of_the_library_is_known_and_not_counted_as_new(untrained, monkeypatch):
    words = shipped_words()
    written = [words[token] for token in ("return", "self", "<newline>", "(", "<newline>", "pass", "<newline>")]
    monkeypatch.setattr(ch03, "sample", lambda *_, **__: SimpleNamespace(words=np.array([written])))
    monkeypatch.setattr(ch03, "_library_lines", lambda: {("return", "self")})
    assert ch03.python_lines(untrained) == pytest.approx((2 / 3, 1 / 3, 1 / 2))


def test_a_learner_lets_the_writers_speak(untrained):
    speaks = explorers.speaks({0: untrained, 100: untrained})
    first = speaks.figure()
    text = first.layout.meta["written"]
    assert text.startswith("for line in")
    assert "<unk>" not in text
    assert "<pad>" not in text
    assert speaks.figure(draw=2).layout.meta["written"] != text == speaks.figure().layout.meta["written"]
    assert (
        speaks.figure(temperature=0).layout.meta["written"]
        == speaks.figure(temperature=0, draw=2).layout.meta["written"]
    )
    assert next(iter(speaks.presets)) == "100 updates"
    speaks.set(prompt="zebra")
    assert "zebra" in speaks.said
    speaks.set(prompt="for x in ")
    assert speaks.said.startswith("After 100 updates")


def test_the_special_symbols_are_never_written():
    words = shipped_words()
    assert [words.words[i] for i in never_written(words)] == ["<pad>", "<bos>", "<eos>", "<unk>"]


def test_the_title_says_how_many_lines_are_python(untrained):
    titles = set()
    for bias in ("<newline>", "<number>"):
        untrained.head.bias[...] = jnp.zeros(len(words := shipped_words())).at[words[bias]].set(1e9)
        titles.add(explorers.speaks({1: untrained}).figure(prompt="def close(self):").layout.meta["title"])
    untrained.head.bias[...] = np.zeros(len(words), np.float32)
    assert titles == {"Python accepts every line", "It has not finished a line"}
