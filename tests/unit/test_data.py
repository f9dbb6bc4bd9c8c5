import collections
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course_utils.data import agreement as cat
from course_utils.data.batching import Batches, Labelled, Padded, pad
from course_utils.data.sequences import delayed_recall
from course_utils.data.vocabulary import UnknownWords, Vocabulary
from course_utils.runtime import InvalidInput

# ----------------------------------------------------------------------------------------- vocabulary


def test_encode_and_decode_are_inverse():
    vocabulary = Vocabulary(["cat", "dog", "was"])
    assert vocabulary.encode("dog was") == [5, 6]
    assert vocabulary.decode([1, 5, 6, 2, 4, 0]) == "dog was"
    assert len(vocabulary) == 7
    assert "cat" in vocabulary
    assert "cow" not in vocabulary


def test_unknown_words_are_named_with_what_is_near():
    vocabulary = Vocabulary(["horse", "horses", "cat"])
    with pytest.raises(UnknownWords, match=r"'hors' \(near: horse.*'xyzzy'") as caught:
        vocabulary.encode("hors cat xyzzy")
    assert caught.value.words == ("hors", "xyzzy")
    assert vocabulary.unknown("hors cat hors") == ["hors"]
    assert vocabulary.encode("hors cat", unknown="mark") == [Vocabulary.unk, vocabulary["cat"]]
    with pytest.raises(InvalidInput, match="unknown must be one of error, mark, not 'skip'"):
        vocabulary.encode("cat", unknown="skip")


def test_the_list_of_all_words_is_where_the_error_says():
    with pytest.raises(UnknownWords, match=r"The vocabulary's `\.words` lists all of them"):
        cat.vocabulary().encode("xyzzy")  # in notebooks `vocabulary` is a function
    assert "cat" in cat.vocabulary().words


@pytest.mark.parametrize("typed", ["the cat <eos>", "the cat <EOS>", "<Bos> the", "<pad>, the", "the.<UNK>"])
def test_special_symbols_cannot_be_typed_in_any_case(typed):
    with pytest.raises(InvalidInput, match=r"^<(eos|bos|pad|unk)> cannot be typed"):
        cat.vocabulary().read(typed)
    with pytest.raises(InvalidInput, match=r"^<eos>, <pad> cannot be typed"):
        cat.vocabulary().read("<pad> <eos> the " * 1_000)  # each is named once


@pytest.mark.parametrize("sentence", ["", "   ", "\n"])
def test_an_empty_sentence_is_refused(sentence):
    with pytest.raises(InvalidInput, match="empty"):
        Vocabulary(["cat"]).encode(sentence)


@pytest.mark.parametrize("words", [["a", "a"], ["<pad>"], ["two words"], [""]])
def test_bad_word_lists_are_refused(words):
    with pytest.raises(InvalidInput):
        Vocabulary(words)


def test_build_counts_and_orders():
    vocabulary = Vocabulary.build(["b a a", "c a b"], min_count=2)
    assert vocabulary.words[4:] == ("a", "b")


def test_an_index_outside_the_vocabulary_is_refused():
    with pytest.raises(InvalidInput, match="Index 9"):
        Vocabulary(["cat"]).decode([9])


# ------------------------------------------------------------------------------------------- batching


def test_pad():
    tokens, mask = pad([[5, 6, 7], [8]])
    assert tokens.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.tolist() == [[True, True, True], [True, False, False]]
    assert pad([[1]], length=4).tokens.shape == (1, 4)
    for bad, words in (([], "nothing to pad"), ([[1], []], "Sequence 1 is empty")):
        with pytest.raises(InvalidInput, match=words):
            pad(bad)
    with pytest.raises(InvalidInput, match="more than length=1"):
        pad([[1, 2]], length=1)


def corpus(lengths):
    tokens, mask = pad([[i + 1] * length for i, length in enumerate(lengths)])
    return Labelled(tokens, mask, jnp.arange(len(lengths)))


def test_buckets_hold_each_example_once_and_cut_the_padding():
    lengths = [1, 3, 3, 7, 10, 2, 8]
    batches = Batches(corpus(lengths), size=200, edges=(3, 8, 10), run=1)
    seen = {}
    for step in range(30):
        batch = batches(step, jax.random.key(step))
        longest = int(batch.mask.sum(axis=1).max())
        assert batch.tokens.shape[1] in (3, 8, 10)
        for row in range(200):
            label = int(batch.labels[row])
            assert int(batch.mask[row].sum()) == lengths[label]
            assert set(batch.tokens[row].tolist()) <= {0, label + 1}
            seen[label] = batch.tokens.shape[1]
        assert longest <= batch.tokens.shape[1]
    assert seen == {0: 3, 1: 3, 2: 3, 5: 3, 3: 8, 6: 8, 4: 10}


def test_a_buckets_share_of_steps_is_its_share_of_examples():
    batches = Batches(corpus([1] * 60 + [5] * 30 + [9] * 10), size=4, edges=(1, 5, 9), run=10)
    counts = collections.Counter(batches.bucket(step) for step in range(10_000))
    assert [round(counts[b] / 10_000, 2) for b in range(3)] == [0.6, 0.3, 0.1]
    assert all(len({batches.bucket(s) for s in range(k, k + 10)}) == 1 for k in range(0, 500, 10))


def test_a_batch_is_a_pure_function_of_step_and_key():
    batches = Batches(corpus([2, 4, 6, 8]), size=3, edges=(4, 8))
    for step in (0, 13, 250):
        one, two = (batches(step, jax.random.key(1)) for _ in range(2))
        assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), one, two))
    compiled = jax.jit(batches.draw)(batches.examples(1), jax.random.key(1))
    assert (compiled.tokens == batches.draw(batches.examples(1), jax.random.key(1)).tokens).all()


def test_bad_corpora_are_refused():
    empty_row = Padded(jnp.zeros((2, 3), int), jnp.array([[True, False, False], [False] * 3]))
    with pytest.raises(InvalidInput, match="Example 1 has no words"):
        Batches(empty_row, size=2)
    with pytest.raises(InvalidInput, match="beyond the last edge"):
        Batches(corpus([4]), size=2, edges=(3,))
    with pytest.raises(InvalidInput, match="size"):
        Batches(corpus([4]), size=0)


# ------------------------------------------------------------------------------------- delayed recall


@pytest.mark.parametrize("shared", [False, True])
def test_delayed_recall(shared):
    batch = delayed_recall(jax.random.key(0), 4000, 7, shared=shared)
    tokens = np.asarray(batch.tokens)
    assert tokens.shape == (4000, 7)
    assert (tokens[:, 0] == np.asarray(batch.labels)).all()
    rest = tokens[:, 1:]
    assert (rest.min(), rest.max()) == ((0, 7) if shared else (8, 15))
    assert abs(np.bincount(tokens[:, 0], minlength=8)[:8] / 4000 - 1 / 8).max() < 0.02
    # The noise says nothing about the label.
    assert abs(np.corrcoef(tokens[:, 0], rest.sum(axis=1))[0, 1]) < 0.05


def test_delayed_recall_of_one_step_is_the_label_alone():
    batch = delayed_recall(jax.random.key(0), 5, 1)
    assert batch.tokens.shape == (5, 1)
    assert batch.mask.all()


@pytest.mark.parametrize("sizes", [{"length": 0}, {"length": -4}, {"batch": 0}, {"labels": 0}])
def test_delayed_recall_refuses_sizes_below_one(sizes):
    with pytest.raises(InvalidInput, match=next(iter(sizes))):
        delayed_recall(jax.random.key(0), **{"batch": 2, "length": 3, **sizes})


# ------------------------------------------------------------------------------------- the cat sentence


@pytest.fixture(scope="module")
def sentences():
    return cat.agreement(6440, seed=3)


def reparse(text):
    """Read a sentence off its words alone, by a slow parser that shares no code with the generator."""
    words = text.split()
    number = {form: n for pair in cat.NOUNS for n, form in enumerate(pair)}
    verbs = {form: n for pair in cat.AGREEING for n, form in enumerate(pair)}
    verb = next(i for i, word in enumerate(words) if word in verbs)
    nouns = [i for i, word in enumerate(words[:verb]) if word in number]
    fronted = words[0] in cat.PREPOSITIONS
    subject = nouns[1] if fronted else nouns[0]
    return {
        "verb": verb, "subject": subject, "number": number[words[subject]], "verb_number": verbs[words[verb]],
        "attractors": len(nouns) - nouns.index(subject) - 1, "fronted": fronted, "first": number[words[nouns[0]]],
        "nearest": number[words[nouns[-1]]], "length": len(words),
    }  # fmt: skip


def test_every_field_says_what_the_words_say(sentences):
    for row in range(0, 6440, 7):
        read = reparse(sentences.text(row))
        assert read["number"] == read["verb_number"]
        for field in ("number", "attractors", "fronted", "first", "nearest"):
            assert getattr(sentences, field)[row] == read[field], sentences.text(row)
        assert sentences.subject[row] == read["subject"] + 1  # <bos> comes first
        assert sentences.verb[row] == read["verb"] + 1
        assert sentences.mask[row].sum() == read["length"] + 2
        assert sentences.distance[row] == read["verb"] - read["subject"]


def test_cells_are_balanced(sentences):
    cells = collections.defaultdict(list)
    for row in zip(*(np.asarray(a).tolist() for a in (
        sentences.distance, sentences.attractors, sentences.number, sentences.fronted)), strict=True):  # fmt: skip
        cells[row[:2]].append(row[2:])
    assert {distance for distance, _ in cells} == set(range(1, 41))
    assert {attractors for _, attractors in cells} == set(range(5))
    for rows in cells.values():
        plural, fronted = sum(n for n, _ in rows), sum(f for _, f in rows)
        assert abs(2 * plural - len(rows)) <= 1
        assert abs(2 * fronted - len(rows)) <= 3


def test_no_word_before_the_verb_but_the_subject_tells_its_number(sentences):
    other = np.asarray(sentences.attractors) > 0
    nearest, number = np.asarray(sentences.nearest)[other], np.asarray(sentences.number)[other]
    assert abs((nearest == number).mean() - 0.5) < 0.03
    fronted = np.asarray(sentences.fronted)
    assert abs((np.asarray(sentences.first) == np.asarray(sentences.number))[fronted].mean() - 0.5) < 0.03


def test_baselines(sentences):
    hits = cat.baselines(sentences)
    assert abs(hits["majority"].mean() - 0.5) < 0.01
    assert abs(hits["first noun"].mean() - 0.75) < 0.02
    assert 0.55 < hits["nearest noun"].mean() < 0.75
    near = np.asarray(sentences.attractors) == 0
    assert np.asarray(hits["nearest noun"])[near].all()


def test_the_same_seed_gives_the_same_sentences():
    one, two, other = cat.agreement(50, 1), cat.agreement(50, 1), cat.agreement(50, 2)
    assert (one.tokens == two.tokens).all()
    assert one.tokens.shape != other.tokens.shape or (one.tokens != other.tokens).any()


def test_the_question_ends_before_the_verb(sentences):
    asked = sentences.asked()
    assert (asked.mask.sum(axis=1) == sentences.verb).all()
    verbs = jnp.array([cat.vocabulary()[form] for pair in cat.AGREEING for form in pair])
    assert not jnp.isin(asked.tokens, verbs).any()
    assert (asked.labels == sentences.number).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 0}, "n must be"),
        ({"distances": (0, 5)}, "lowest_distance"),
        ({"distances": (9, 5)}, "above the highest"),
        ({"attractors": (0, 9)}, "attractors"),
        ({"attractors": (2, 2), "distances": (3, 9)}, "at least 7"),
    ],
)
def test_impossible_corpora_are_refused(arguments, words):
    with pytest.raises(InvalidInput, match=words):
        cat.agreement(**{"n": 10, "seed": 0, **arguments})


def test_one_distance_and_one_number_of_attractors():
    few = cat.agreement(64, 0, distances=(7, 7), attractors=(2, 2))
    assert set(few.distance.tolist()) == {7}
    assert set(few.attractors.tolist()) == {2}


class Pairs(NamedTuple):
    """Two sequences of different lengths for each example, as in translation."""

    source: Any
    source_mask: Any
    target: Any
    target_mask: Any
    other: Any

    time_axes = {"source_mask": ("source", "source_mask"), "target_mask": ("target", "target_mask")}  # noqa: RUF012


def test_no_word_of_either_sequence_is_lost_however_their_lengths_fall():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 13, (60, 2))
    masks = [np.arange(12) < lengths[:, i : i + 1] for i in (0, 1)]
    corpus = Pairs(masks[0] * 1, masks[0], masks[1] * 2, masks[1], np.ones((60, 12)))  # one field as wide by chance
    batches = Batches(corpus, size=5, edges=(4, 8, 12))
    kept = [batches.examples(i) for i in range(len(batches._buckets))]
    assert sum(int(b.source.sum()) for b in kept) == lengths[:, 0].sum()
    assert sum(int(b.target.sum()) for b in kept) == 2 * lengths[:, 1].sum()
    assert all(b.other.shape[1] == 12 for b in kept)
    assert kept[0].source.shape[1] <= 4
    assert kept[0].target.shape[1] <= 4


def test_a_corpus_must_say_what_its_time_axes_are():
    class Bare(NamedTuple):
        tokens: Any

    with pytest.raises(InvalidInput, match="Bare must say in `time_axes`"):
        Batches(Bare(np.ones((3, 4))), size=2)
    with pytest.raises(InvalidInput, match="at least one length"):
        Batches(pad([[1, 2]]), size=2, edges=())


# ------------------------------------------------------------------------------------ adding and copying


def test_adding_marks_one_number_of_each_half_and_asks_for_their_sum():
    from course_utils.data.sequences import ADDING_BASELINE, adding

    found = adding(jax.random.key(0), 4_000, 11)
    values, marks = np.moveaxis(np.asarray(found.inputs), -1, 0)
    assert (marks[:, :5].sum(1) == 1).all()
    assert (marks[:, 5:].sum(1) == 1).all()
    assert set(np.unique(marks)) == {0.0, 1.0}
    np.testing.assert_allclose((values * marks).sum(1), found.target, rtol=1e-6)
    assert ((found.target - 1) ** 2).mean() == pytest.approx(ADDING_BASELINE, abs=0.01)
    assert adding(jax.random.key(0), 3, 2).inputs.shape == (3, 2, 2)
    with pytest.raises(InvalidInput, match="at least 2"):
        adding(jax.random.key(0), 3, 1)


@pytest.mark.parametrize("delay", [1, 5, 30])
def test_copying_repeats_the_symbols_after_the_signal(delay):
    from course_utils.data.sequences import copy_baseline, copy_memory

    found = copy_memory(jax.random.key(0), 50, delay)
    tokens, labels = np.asarray(found.tokens), np.asarray(found.labels)
    assert tokens.shape == labels.shape == (50, delay + 20)
    assert (labels[:, delay + 10 :] == tokens[:, :10]).all()
    assert (labels[:, : delay + 10] == 8).all()
    assert (tokens[:, delay + 9] == 9).all()
    assert (tokens == 9).sum() == 50
    assert tokens[:, :10].max() == 7
    # A reader without memory: certain of the blanks, even among eight symbols where they are asked for.
    p = np.where(np.arange(delay + 20) < delay + 10, 1.0, 1 / 8)
    assert copy_baseline(delay) == pytest.approx(float(-np.log(p).mean()))


def test_the_baselines_known_from_the_literature():
    from course_utils.data.sequences import copy_baseline

    assert [round(copy_baseline(T), 3) for T in (50, 100, 500)] == [0.297, 0.173, 0.040]
