"""BLEU, its groups, and alignment error, on cases that can be worked out by hand."""

import numpy as np
import pytest
from flax import nnx

from course_utils import decoding
from course_utils.data import english_french as corpus
from course_utils.measure import alignment
from course_utils.measure.bleu import bleu, bleu_by_length, counted_in, lengths_in
from course_utils.measure.decode import as_text, decode_batch
from course_utils.models.seq2seq import Translator
from course_utils.runtime import InvalidInput

pytestmark = pytest.mark.plain


def test_bleu_of_a_perfect_and_of_a_worked_translation():
    said = "le chat noir ne dort jamais"
    assert bleu([said], [said]) == pytest.approx(100)
    # five of six words, 3 of 5 pairs, 2 of 4 triples, 1 of 3 quadruples; the lengths are equal
    wanted = 100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    assert bleu(["le chat noir ne mange jamais"], [said]) == pytest.approx(wanted)
    assert bleu([said.title()], [said], lower=True) == pytest.approx(100) != bleu([said.title()], [said])
    assert bleu([said + "."], [said + " ."], tokenize="13a") == pytest.approx(100) != bleu([said + "."], [said + " ."])


@pytest.mark.parametrize(
    ("said", "unit"),
    [
        ("你知道那只小狗在哪里吗？", "characters"), ("あの犬はどこですか。", "characters"), ("หมาตัวเล็กอยู่ที่ไหน", "characters"),
        ("我 用 程序 写 代码", "characters"), ("ຫມາຢູ່ໃສ", "characters"),
        ("그 작은 개는 어디에 있습니까?", "words"), ("Wo ist der Hund?", "words"),
        ("“Hello Kitty 猫” is a brand.", "words"), ("10 ³ …", "words"), ("Где собака?", "words"), ("أين الكلب الصغير؟", "words"),
    ],
)  # fmt: skip
def test_a_script_without_spaces_is_counted_in_characters(said, unit):
    assert counted_in([said]) == unit
    assert lengths_in(unit, [said]) == [len(said.split()) if unit == "words" else len(said.replace(" ", ""))]
    tokenize = "13a" if unit == "words" else "char"
    assert bleu([said], [said], tokenize=tokenize) == pytest.approx(100)
    assert bleu([said[:-4]], [said], tokenize=tokenize) < 100


def test_references_of_fewer_than_four_words_are_scored_up_to_their_length():
    assert bleu(["chien", "le chat"], ["chien", "le chat"]) == pytest.approx(100)
    assert bleu(["chien", "le chien"], ["chien", "le chat"]) == pytest.approx(
        100 * (2 / 3 * 1 / 2) ** 0.5
    )  # 1/2: smoothed
    assert bleu(["Va !"], ["Va !"], tokenize="13a") == pytest.approx(100)
    assert bleu(["x"], ["chien"]) == 0
    assert bleu([""], [""]) == 0
    assert bleu(["a b c d", "e"], ["a b c d", "f"]) < 100


def test_groups_by_length_are_those_of_their_sentences():
    references = ["a b c d e", "f g h i j", "k l m n o"]
    translations = ["a b c d e", "f g h i x", "k l m n o"]
    found = bleu_by_length(translations, references, [8, 9, 13], (8, 12, 16, 20))
    assert found.upto == [8, 12, 16]
    assert found.sentences == [1, 1, 1]
    assert found.bleu == pytest.approx([100, bleu(["f g h i x"], ["f g h i j"]), 100])
    with pytest.raises(InvalidInput, match="21 words"):
        bleu_by_length(translations, references, [8, 9, 21], (8, 20))
    with pytest.raises(InvalidInput, match="no words"):
        bleu_by_length(translations, references, [8, 9, 0], (8, 20))
    with pytest.raises(InvalidInput, match="must rise"):
        bleu_by_length(translations, references, [8, 9, 9], (20, 8))
    with pytest.raises(InvalidInput, match="no sentences"):
        bleu_by_length([], [], [])
    for said in (translations[:2], [*translations, "p q r"]):
        with pytest.raises(InvalidInput, match=f"3 lengths, 3 references and {len(said)} translations"):
            bleu_by_length(said, references, [8, 9, 13])
    with pytest.raises(InvalidInput, match="3 lengths, 2 references and 3 translations"):
        bleu_by_length(translations, references[:2], [8, 9, 13])
    with pytest.raises(InvalidInput, match="2 translations and 3 references"):
        bleu(translations[:2], references)


@pytest.mark.slow
def test_translating_a_corpus_is_decoding_each_sentence_alone():
    english, french = corpus.vocabularies()
    some = corpus.pairs(5, 0, (4, 16), "test")
    batch = corpus.arrays(some)
    model = Translator(len(english), len(french), hidden=8, embed=6, score="additive", rngs=nnx.Rngs(0))
    found = decode_batch(model, batch, at_once=3)
    for row in range(5):
        width = int(batch.source_mask[row].sum())
        alone = decoding.greedy(
            model, batch.source[row : row + 1, :width], batch.source_mask[row : row + 1, :width], found.words.shape[1]
        )
        ours, theirs = found.words[row], alone.words[0]
        same = min(len(ours), len(theirs), decoding.longest_target(width))
        assert ours[:same].tolist() == theirs[:same].tolist()
    assert as_text([french.encode("le chat"), [french.eos, 5]], french) == ["le chat", ""]
    wide = decode_batch(model, batch, size=2, at_once=4)
    assert (wide.log_p / wide.lengths >= found.log_p / found.lengths - 1e-5).all()


def test_alignment_error_by_hand():
    gold = np.zeros((1, 4, 3), bool)
    gold[0, 0, 0] = gold[0, 1, 1] = gold[0, 1, 2] = gold[0, 2, 2] = True  # the last target word has no link
    weights = np.array([[[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.0, 0.0, 1.0]]])
    found = alignment.alignment_error(alignment.links(weights), gold)
    assert found.error == pytest.approx(1 - 2 * 2 / (3 + 4))
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 4)
    assert found.least == pytest.approx(1 - 2 * 3 / (3 + 4))
    counted = np.array([[True, True, False, True]])
    assert alignment.alignment_error(alignment.links(weights), gold, counted).precision == 1
    with pytest.raises(InvalidInput, match="gold link"):
        alignment.alignment_error(alignment.links(weights), gold, counted & False)
    with pytest.raises(InvalidInput, match="shape"):
        alignment.alignment_error(gold[:, :2], gold)


def test_weights_are_read_with_the_reference_given():
    english, french = corpus.vocabularies()
    some = corpus.pairs(5, 0, (4, 12))
    batch, gold = corpus.arrays(some), corpus.gold(some)
    options = {"hidden": 8, "embed": 6, "rngs": nnx.Rngs(0)}
    weights = alignment.weights_on_reference(Translator(len(english), len(french), score="dot", **options), batch)
    assert weights.shape == gold.shape
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    assert (weights[~np.broadcast_to(np.asarray(batch.source_mask)[:, None], weights.shape)] == 0).all()
    with pytest.raises(InvalidInput, match="no attention"):
        alignment.weights_on_reference(Translator(len(english), len(french), **options), batch)
