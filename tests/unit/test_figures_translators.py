"""Figures of the chapters on translation say what was drawn, whatever it was."""

import numpy as np
import pytest

from course_utils.figures import alignment, gradients, self_attention, transformer, translators
from course_utils.figures.alignment import Alignment
from course_utils.figures.dots import dots
from course_utils.figures.style import words
from course_utils.runtime import InvalidInput

SOURCE, TARGET = ["the", "black", "cat", "<eos>"], ["le", "chat", "noir"]
RIGHT = np.eye(4)[[0, 2, 1]]
WRONG = np.eye(4)[[3, 1, 2]]
UPTO, FALLING, FLAT = [8, 16, 32, 60], [[90.0, 60, 20, 5], [92, 62, 22, 7]], [[99.0, 99, 98, 60], [99, 99, 99, 62]]
FIGURES = [
    translators.side_by_side(SOURCE[:3], {"fixed": ["le", "chien", "noir"]}, TARGET),
    translators.side_by_side(SOURCE[:3], {"fixed": TARGET}, None, "Longer than any."),
    translators.bleu_curves(UPTO, {"fixed": FALLING}),
    translators.context_by_position(
        {"forward": {"accuracy": [[0.1, 0.5, 0.9]], "gradient": [[0.1, 0.5, 0.9]]}}, "gradient"
    ),
    translators.first_words({"forward": [[0.9, 0.5]], "reversed": [[0.95, 0.7]]}),
    translators.forced_and_free({"forced": [[0.9] * 20], "free": [[0.9] * 5 + [0.3] * 15]}),
    alignment.alignment_map(Alignment(SOURCE, TARGET, RIGHT, RIGHT > 0.5, 1)),
    alignment.alignment_arcs(Alignment(SOURCE, TARGET, WRONG, RIGHT > 0.5, 0)),
    alignment.soft_to_hard(SOURCE, TARGET, RIGHT[1], 1, 0.0, 1.5, 0.0, [0.0, 1.0], [[90, 99]], TARGET),
    alignment.gradient_by_position({"fixed": [np.linspace(0.1, 1, 9)], "attention": [np.ones(9)]}),
    alignment.with_other_weights({"own": [0.99, 0.98], "uniform": [0.2, 0.3]}),
    alignment.alignment_errors(["all words", "clitic"], {"forward": [[0.3, 0.5]], "both": [[0.1, 0.2]]}),
]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: words(figure)["title"])
def test_every_figure_has_words(figure):
    said = words(figure)
    assert len(said["caption"].split()) >= 6
    assert len(said["summary"].split()) >= 5
    assert figure.layout.title.text == said["title"]


def test_words_are_laid_side_by_side_not_place_by_place():
    wrong, missing = translators.wrong_words(["a", "x", "b", "c"], ["a", "b", "c", "d"])
    assert wrong == [False, True, False, False]
    assert missing == [False, False, False, True]


def test_a_translation_says_how_many_words_are_wrong():
    title = lambda said: words(translators.side_by_side(SOURCE, {"m": said}, TARGET))["title"]
    assert title(TARGET) == "m makes no mistake"
    assert title(["le", "chien", "noir"]) == "m gets 1 word wrong"
    assert title(["un", "chien"]) == "m gets 2 words wrong"
    assert title(["le"]) == "m leaves out 2 words"
    assert title([]) == "m leaves out 3 words"
    assert title([*TARGET, "."]) == "m gets 1 word wrong"
    several = lambda **said: words(translators.side_by_side(SOURCE, said, TARGET))["title"]
    assert several(a=TARGET, b=["le"]) == "a made the fewest mistakes"
    assert several(a=TARGET, b=TARGET) == "a and b make no mistake"
    assert several(a=["le"], b=["le"]) == "All make as many mistakes"
    assert "without a reference" in words(translators.side_by_side(SOURCE, {"m": TARGET}, None))["title"]
    wrong = translators.side_by_side(SOURCE, {"m": ["le", "chien", "noir"]}, TARGET).data[1]
    assert wrong.text == ("<b>chien</b>",)


def test_a_long_sentence_is_broken_into_lines_and_no_word_is_lost():
    long = [f"word{i}" for i in range(60)]
    figure = translators.side_by_side(long, {"m": long}, None)
    assert len(figure.data[0].text) == 120
    assert max(np.asarray(figure.data[0].x)) <= translators.WIDTH


def test_curves_name_the_last_trained_length_and_mark_it():
    figure = translators.bleu_curves(UPTO, {"fixed": FALLING, "attention": FLAT})
    assert words(figure)["title"] == "attention stays level while the rest falls"
    title = lambda **curves: words(translators.bleu_curves(UPTO, curves))["title"]
    assert title(a=FALLING) == "BLEU falls as sentences grow longer"
    assert title(a=FLAT, b=FLAT) == "BLEU stays level up to the lengths trained on"
    assert title(a=[[99.0] * 4]) == "BLEU stays level at every length"
    assert "6.0 at 33–60" in words(figure)["summary"]
    assert "61.0 at 33–60" in words(figure)["summary"]
    assert figure.layout.shapes[0].x0 == 2.5
    within = translators.bleu_curves(UPTO[:3], {"fixed": [row[:3] for row in FALLING]})
    assert not within.layout.shapes
    assert "longer than" not in words(within)["caption"]


def test_seeds_are_counted_and_who_has_fewer_is_named():
    caption = lambda **curves: words(translators.bleu_curves(UPTO, curves))["caption"]
    assert "Mean of 2 seeds, band from lowest to highest." in caption(A=FALLING, B=FLAT)
    assert "Mean of 3 seeds (2 for B; 1 for C), band" in caption(A=[*FLAT, FLAT[0]], B=FALLING, C=FLAT[:1])
    assert "One seed." in caption(A=FLAT[:1])
    assert "Mean of 2 seeds (1 for B), band" in caption(A=FALLING, B=[FLAT[0], [np.nan] * 4])  # the other has no number
    empty = translators.bleu_curves(UPTO, {"B": [FLAT[0], [np.nan] * 4]})
    assert "B: 99.0 at 4–8 words, 98.0 at 17–32" in words(empty)["summary"]
    others = lambda **given: words(alignment.with_other_weights(given))
    assert "Mean of 2 seeds, bar" in others(own=[0.99, 0.97], uniform=[0.2, 0.3])["caption"]
    assert "One seed." in others(own=[0.99], uniform=[0.2])["caption"]
    assert others(own=[0.99, 0.97], uniform=[0.2])["title"] == "Uniform weights spoil most words"
    assert others(own=[0.99, 0.97], uniform=[0.9])["title"] == "Other weights spoil few words"
    assert "own 0.98, uniform 0.20" in others(own=[0.99, 0.97], uniform=[0.2])["summary"]
    assert "Mean of 2 seeds (1 for uniform), bar" in others(own=[0.99, 0.97], uniform=[0.2])["caption"]
    errors = lambda runs: words(alignment.alignment_errors(["a"], {"x": runs}))["caption"]
    assert "Mean of 2 seeds, bar" in errors([[0.1], [0.3]])
    assert "One seed." in errors([[0.1]])


def test_ratios_of_seeds_are_averaged_as_ratios():
    """Four times as much and a quarter are as much on the whole."""
    more = np.array([4.0, 4, 4, 4, 2, 2, 1, 1, 1, 1])
    said = words(alignment.gradient_by_position({"up": np.stack([more, more[::-1]]), "down": [more[::-1]]}))
    assert said["title"] == "Early and late words get different gradients"
    title = lambda **norms: words(alignment.gradient_by_position(norms))["title"]
    steep = np.geomspace(1e-3, 1, 10)
    assert title(fixed=[steep], other=[more]) == "Early words hardly get a gradient with fixed"
    assert title(fixed=[steep]) == "Early words hardly get a gradient"
    assert title(other=[np.ones(10)]) == "Early and late words get similar gradients"
    assert "up 1; down 0.25" in said["summary"]
    assert "geometric mean" in said["caption"]
    assert "Mean of 2 seeds (1 for down)" in said["caption"]


def test_the_gold_links_that_are_met_are_counted():
    title = lambda weights: words(alignment.alignment_map(Alignment(SOURCE, TARGET, weights, RIGHT > 0.5, 0)))["title"]
    assert title(RIGHT) == "Every word attends most to what it translates"
    assert title(np.stack([RIGHT[0], RIGHT[1], WRONG[2]])) == "Most words attend most to what they translate"
    assert title(WRONG) == "Few words attend most to what they translate"
    assert words(alignment.alignment_map(Alignment(SOURCE, TARGET, RIGHT)))["title"] == "“le” attends most to “the”"


@pytest.mark.parametrize("view", [alignment.alignment_map, alignment.alignment_arcs])
def test_the_chosen_word_is_told_with_its_largest_weights(view):
    said = words(view(Alignment(SOURCE, TARGET, RIGHT * 0.9 + 0.025, chosen=1)))["summary"]
    assert "“chat” (word 2) looks at: cat 0.9" in said
    with pytest.raises(InvalidInput, match="shape"):
        Alignment(SOURCE, TARGET, RIGHT.T)
    with pytest.raises(InvalidInput, match="1 to 3"):
        Alignment(SOURCE, TARGET, RIGHT, chosen=3)


def test_arcs_are_drawn_for_weights_that_count():
    lines = [t for t in alignment.alignment_arcs(Alignment(SOURCE, TARGET, RIGHT)).data if t.mode == "lines"]
    assert len(lines) == 3
    assert (
        len(
            [t for t in alignment.alignment_arcs(Alignment(SOURCE, TARGET, RIGHT, RIGHT > 0)).data if t.mode == "lines"]
        )
        == 4
    )


def test_soft_to_hard_says_both_distances_and_whether_it_is_the_reference():
    draw = lambda said, tau: words(
        alignment.soft_to_hard(SOURCE, said, RIGHT[1], 1, tau, 1.5, 0.25, [0.0, np.inf], [[90, 9]], TARGET)
    )
    assert "1.5 away from the mean" in draw(TARGET, 0.0)["summary"]
    assert "0.25 from the state" in draw(TARGET, 0.0)["summary"]
    assert "It is the reference" in draw(TARGET, 0.0)["summary"]
    assert "differs" in draw(["le", "chien"], 0.0)["summary"]
    assert "BLEU 90.0" in draw(TARGET, 0.0)["summary"]
    assert "∞, uniform" in draw(TARGET, np.inf)["summary"]
    assert draw(TARGET, 0.0)["title"] == "One word gets nearly all of the weight"
    title = lambda *weights: words(
        alignment.soft_to_hard(SOURCE, TARGET, np.array(weights), 1, 0.0, 1.5, 0.25, [0.0], [[90]], TARGET)
    )["title"]
    assert title(0.25, 0.25, 0.25, 0.25) == "All words get about the same weight"
    assert title(0.6, 0.4, 0, 0) == "The attention blends several words"


def test_what_was_not_measured_is_neither_drawn_nor_told():
    said = words(alignment.alignment_errors(["weights", "gradient"], {"fixed": [[None, 0.6]], "both": [[0.1, 0.2]]}))
    assert said["title"] == "Only both has weights to measure"
    title = lambda measure="alignment error", **runs: words(alignment.alignment_errors(["a"], runs, measure))["title"]
    assert title(x=[[0.1]], y=[[0.3]]) == "x has the lowest alignment error"
    assert title("precision", x=[[0.1]], y=[[0.3]]) == "y has the highest precision"
    assert title(x=[[0.1]], y=[[0.11]]) == "All have the same alignment error"
    assert said["summary"] == "fixed: gradient 0.60; both: weights 0.10, gradient 0.20."


def test_dots_carry_mean_and_range():
    figure = dots(
        ["a", "b"], {"x": [[1.0, 2], [3, 4]]}, title="t", caption="c", summary="s", x_title="u", limits={"best": 1.0}
    )
    assert list(figure.data[0].x) == [2.0, 3.0]
    assert list(figure.data[0].error_x.array) == [1.0, 1.0]
    assert list(figure.data[0].error_x.arrayminus) == [1.0, 1.0]
    assert figure.layout.annotations[0].text == "best"
    with pytest.raises(InvalidInput, match="2 rows"):
        dots(["a", "b"], {"x": [[1.0]]}, title="t", caption="c", summary="s", x_title="u")


@pytest.mark.parametrize(
    "draw",
    [
        lambda: translators.side_by_side([], {}, None), lambda: translators.bleu_curves(UPTO, {}), lambda: translators.first_words({}),
        lambda: translators.context_by_position({}), lambda: alignment.gradient_by_position({}),
        lambda: alignment.alignment_errors(["a"], {}),
        lambda: alignment.with_other_weights({}),
    ],
)  # fmt: skip
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(InvalidInput, match="nothing to draw"):
        draw()


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: translators.context_by_position({"a": {}}, "bleu"), "measure must be one of accuracy, gradient, not"),
        (lambda: transformer.five("BLEU", {"a": 1.0}, "", "larger"), "better must be one of more, less, not 'larger'"),
        (lambda: self_attention.scaling([1], {}, "norm"), "measure must be one of variance, entropy, gradient"),
        (lambda: gradients.jacobian_product(np.ones((1, 1)), "wild", 1, 1, 1), "regime must be one of vanishes"),
    ],
)
def test_a_choice_that_there_is_not_is_named(draw, words):
    with pytest.raises(InvalidInput, match=words):
        draw()
