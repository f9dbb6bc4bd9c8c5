import itertools
import json
from typing import get_args

import numpy as np
import plotly.graph_objects as go
import pytest
from colorspacious import cspace_convert, deltaE
from plotly.subplots import make_subplots

from course_utils.experiments.results.ch02 import FromStart
from course_utils.experiments.results.ch03 import ContextUse
from course_utils.experiments.results.recall import Solved
from course_utils.figures import recall, style
from course_utils.figures.agreement import accuracy_by_depth, accuracy_by_distance, accuracy_by_updates, gap_by_steps
from course_utils.figures.curves import curves, error_while_learning, loss_curve, times
from course_utils.figures.gates import context_curves
from course_utils.figures.gradients import cliff, gradient_flow, power, reach_and_accuracy
from course_utils.figures.language import next_words, twin_paths
from course_utils.figures.memory import decay_weights, pipe, recall_compared
from course_utils.figures.paths import path_diagram
from course_utils.figures.recall import delays_learned, share_and_learning
from course_utils.figures.sentences import anatomy, reading
from course_utils.figures.style import words
from course_utils.figures.tasks import attended
from course_utils.measure.paths import Architecture, path_lengths
from course_utils.runtime import InvalidInput

WORDS = ["near", "the", "dogs", "the", "cat", "was"]
FIGURES = [
    attended(),
    decay_weights(0.9),
    path_diagram("self-attention", 5),
    reading(WORDS, np.linspace(0, 1, 6), nouns=[(2, 1), (4, 0)], subject=4, answer=0),
    anatomy(WORDS, ["", "", "fronted", "", "subject", "verb"], {"first noun": ("plural", False)}),
    loss_curve(np.ones((3, 100)), title="Falls", references={"guessing": 0.7}),
    loss_curve(np.ones(7), title="Short"),
    accuracy_by_distance(np.arange(3), {"RNN": np.ones((3, 3))}, {"majority": np.full(3, 0.5)}),
    accuracy_by_updates(np.arange(3), {100: np.full((3, 3), 0.5), 200: np.ones((3, 3))}, {"majority": np.full(3, 0.5)}),
    accuracy_by_depth({2: np.ones((3, 4)), 4: np.full((3, 4), 0.7)}),
    gap_by_steps({"short": 0.5 ** np.arange(9.0), "long": np.ones(9)}),
    times((10, 20, 40), {"one": (1e-3, 2e-3, 4e-3)}),
    next_words(WORDS, 2, np.tanh(np.ones((6, 4))), [("the", 0.6), ("dog", 0.3)], "the"),
    next_words(WORDS, 5, np.tanh(np.ones((6, 4))), [("hungry", 0.2), ("tired", 0.1)], None),
    twin_paths((WORDS, [*WORDS[:4], "cats", "were"]), (np.zeros((6, 2)), np.ones((6, 2))), np.arange(6.0), 0.5),
    pipe(*[np.linspace(1, 0.2, 30)[None].repeat(3, 0)] * 2, 16, 4, np.full((2, 2), 30.0), (16, 32), (2, 4), 12.0, 14.0),
    recall_compared((1, 4, 8), np.ones((3, 3)), np.linspace(1, 0.2, 30)[None], symbols=8, hidden=64),
]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: style.words(figure)["title"])
def test_every_figure_has_words_and_survives_json(figure):
    words = style.words(figure)
    assert len(words["caption"].split()) >= 6
    assert len(words["summary"].split()) >= 5
    assert figure.layout.title.text == words["title"]
    assert json.loads(go.Figure(figure.to_dict()).to_json()) == json.loads(figure.to_json())
    assert figure.layout.paper_bgcolor is None
    assert figure.layout.template.layout.paper_bgcolor == "#FFFFFF"


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [style.BLACK, style.GREY])
def test_text_has_contrast(colour):
    assert (1 + 0.05) / (luminance(colour) + 0.05) >= 4.5


@pytest.mark.parametrize("seen", ["protanomaly", "deuteranomaly", "tritanomaly"])
def test_series_can_be_told_apart_with_each_of_the_common_colour_deficiencies(seen):
    space = {"name": "sRGB1+CVD", "cvd_type": seen, "severity": 100}  # the strongest form: a cone that is missing
    colours = [[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in style.COLOURS]
    as_seen = np.clip([cspace_convert(colour, space, "sRGB1") for colour in colours], 0, 1)
    for a, b in itertools.combinations(range(len(colours)), 2):
        assert deltaE(as_seen[a], as_seen[b], input_space="sRGB1") > 10, (style.COLOURS[a], style.COLOURS[b])


def test_series_differ_by_more_than_colour():
    figure = curves(
        np.arange(3),
        {str(i): np.ones(3) for i in range(6)},
        title="t",
        caption="c",
        summary="s",
        x_title="x",
        y_title="y",
    )
    looks = [(trace.line.dash, trace.marker.symbol) for trace in figure.data]
    assert len(set(looks)) == 6


def test_the_band_spans_lowest_to_highest_seed():
    runs = np.array([[1.0, 2.0], [3.0, 5.0], [2.0, 2.0]])
    figure = curves([0, 1], {"a": runs}, title="t", caption="c", summary="s", x_title="x", y_title="y")
    band, line = figure.data
    assert list(band.y) == [3, 5, 2, 1]
    np.testing.assert_allclose(line.y, [2, 3])


def test_series_of_another_length_are_refused():
    with pytest.raises(InvalidInput, match="Series 'a' has 3 points, but the axis has 2"):
        curves([0, 1], {"a": [1, 2, 3]}, title="t", caption="c", summary="s", x_title="x", y_title="y")


@pytest.mark.parametrize("decay", [0, 0.5, 0.99, 1])
def test_decay_weights_equal_the_recurrence(decay):
    heights = decay_weights(decay, 12).data[0].y
    h, expected = 0.0, []
    for ago in range(12):
        h = 0.0
        for t in range(12):
            h = decay * h + (1 - decay) * (t == 11 - ago)
        expected.append(h)
    np.testing.assert_allclose(heights, expected, atol=1e-9)
    with pytest.raises(InvalidInput, match=r"\[0, 1\]"):
        decay_weights(1.2)


def shortest_and_longest(architecture, n):
    """Steps by search on an explicit graph: the shortest way from input 1, and the longest chain of all."""
    edges = (
        {("x", i): [("h", i)] for i in range(n)} | {("h", i): [("h", i + 1)] for i in range(n - 1)} | {("h", n - 1): []}
    )
    out = ("y",)
    if architecture == "self-attention":
        edges = {("x", i): [out] for i in range(n)}
    elif architecture == "recurrence":
        out = ("h", n - 1)
    elif architecture == "fixed context":
        edges["h", n - 1] = [out]
    else:
        for i in range(n):
            edges["h", i] = [*edges["h", i], out]

    def ways(node):
        if node == out:
            yield 0
        for following in edges.get(node, []):
            yield from (1 + rest for rest in ways(following))

    every = list(itertools.chain.from_iterable(ways(("x", i)) for i in range(n)))
    return min(ways(("x", 0))), max(every)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("architecture", get_args(Architecture))
def test_path_lengths_equal_a_search_on_the_graph(architecture, n):
    assert path_lengths(architecture, n) == shortest_and_longest(architecture, n)


def test_path_diagram_refuses_what_is_not():
    with pytest.raises(InvalidInput, match="length must be a whole number of at least 1"):
        path_lengths("recurrence", 0)


def test_titles_say_what_the_numbers_say():
    half, one = np.full((3, 4), 0.5), np.ones((3, 4))
    title = lambda found: style.words(accuracy_by_updates(np.arange(4), found, {"majority": np.full(4, 0.5)}))["title"]
    assert "after 200 updates right at every distance" in title({100: half, 200: one})
    assert "After 200 updates still guessing" in title({100: half, 200: half})
    assert "right at every distance" not in title({100: half, 200: np.array([[1, 1, 1, 0.8]])})
    right_far_only = np.array([[0.5, 0.5, 0.5, 1.0]])
    assert "right at every distance" not in title({100: half, 200: right_far_only})
    kept = lambda gap: style.words(twin_paths((WORDS, WORDS), (np.zeros((6, 2)),) * 2, np.asarray(gap), 0.5))["title"]
    assert "keeps" in kept([1.0, 1, 1, 1, 1, 0.9])
    assert "almost lost" in kept([1.0, 1, 1, 1, 1, 0.01])
    deepest = lambda a: style.words(accuracy_by_depth({4: np.asarray(a)}))["summary"]
    assert "4 units 2." in deepest([[1, 0.99, 0.9, 0.99]])
    slow = style.words(times((10, 20, 40), {"one": (1e-3, 4e-3, 16e-3)}))
    assert "2.00" in slow["summary"]
    assert "takes 16.0 times" in slow["title"]
    recalled = lambda trained: style.words(recall_compared((1, 4, 8), trained, np.ones((1, 30)), symbols=8, hidden=64))
    assert "the last 5 symbols" in recalled(np.array([[1, 0.95, 0.6]]))["title"]
    assert "with 0.60 at lag 8" in recalled(np.array([[1, 0.95, 0.6]]))["summary"]
    assert "Lost: a; kept: b" in style.words(gap_by_steps({"a": [1, 0.01], "b": [1, 0.9]}))["title"]


def test_a_band_ends_where_its_seeds_do():
    runs = np.array([[1.0, 2.0, np.nan, np.nan], [1.5, 2.5, 3.5, np.nan]])
    figure = curves(
        [1, 2, 3, 4], {"a": runs}, title="t", caption="c", summary="s", x_title="x", y_title="y", log_x=False
    )
    band = figure.data[0]
    assert list(band.x) == [1, 2, 3, 3, 2, 1]
    assert list(band.y) == [1.5, 2.5, 3.5, 3.5, 2.0, 1.0]


def test_a_table_of_delays_tells_what_was_and_was_not_learned():
    rows = {
        "all": {
            10: Solved(updates=[100, 140], accuracy=np.array([1.0, 1.0])),
            30: Solved(updates=[200, 200], accuracy=np.array([1.0, 1.0])),
        },
        "gap": {
            10: Solved(updates=[100, None], accuracy=np.array([1.0, 0.3])),
            30: Solved(updates=[300, 200], accuracy=np.array([1.0, 1.0])),
        },
        "none": {
            10: Solved(updates=[None, None], accuracy=np.array([0.1, 0.2])),
            30: Solved(updates=[None, None], accuracy=np.array([0.1, 0.1])),
        },
    }
    figure = delays_learned(rows, 500)
    assert words(figure)["title"] == "All seeds solve a delay of 30: all; gap (not all at 10)"
    assert [list(row) for row in figure.data[0].text] == [
        ["100–140", "200"],
        ["1 of 2", "200–300"],
        ["✗ 0.20", "✗ 0.10"],
    ]
    assert "No network" in words(delays_learned({"none": rows["none"]}, 500))["title"]


def started(delay, share, updates):
    return FromStart(
        scale=1.0, strength=1.0, delay=delay, share=np.array(share), updates=updates, accuracy=np.array(share)
    )


def test_points_of_learning_say_what_lies_below_what():
    runs = [started(10, [0.2, 1e-5], [100, None]), started(20, [0.01, 0.05], [None, 300])]
    said = words(share_and_learning(runs, 1_000))
    assert said["title"] == "2 trainings solved their delay, 2 did not; none with a share below 0.05 did"
    assert said["summary"].startswith("4 trainings. 2 of the 2 that failed began with a share below")
    nothing = [started(10, [0.2], [None])]
    assert words(share_and_learning(nothing, 1_000))["title"] == "No training solved its delay"


def test_the_context_that_is_used_is_told_with_all_its_seeds():
    def use(k, above, effective):
        return ContextUse(k=k, loss=np.array(above), above=np.array(above), effective=effective)

    cut = use((1, 10, 30, 50), [[0.9, 0.1, 0.02, 0], [0.7, 0.1, 0, 0]], [50, 30])
    above = [[6, 2, 0.3, 0, 0], [6, 3, 0.2, 0, 0]]
    said = words(context_curves(cut, use((0, 1, 10, 30, 50), above, [30, 30])))
    assert "cut to 30 to 50 tokens, shuffled beyond 30" in said["title"]
    assert "Mean of 2 seeds, band" in said["caption"]
    assert "0.80 nats higher" in said["summary"]
    with pytest.raises(InvalidInput, match="the same k"):
        context_curves(cut, use((0, 1, 10, 30, 60), above, [30, 30]))


def test_errors_while_learning_name_who_stays_at_the_baseline():
    losses = {"a": [[1.0, 0.9]], "b": [[1.0, 0.2]]}
    said = words(error_while_learning(losses, 50, {"a": [0.99], "b": [0.2]}, baseline=1.0, task="it"))
    assert said["title"] == "Not clearly below the baseline: a"
    assert "by more than 5%" in said["caption"]
    title = lambda a: words(error_while_learning(losses, 50, {"a": [a], "b": [0.2]}, baseline=1.0, task="it"))["title"]
    assert title(0.5).startswith("All")
    assert title(np.nan) == "Not clearly below the baseline: a"


def test_margins_leave_room_for_the_words_at_the_ticks():
    def margins(**axes):
        figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1])).update_layout(axes)
        return style.finish(figure, title="t", caption="c", summary="s").layout.margin

    plain = margins()
    assert plain.r == 20  # one trace has no legend
    assert margins(yaxis={"ticktext": ["undecided and long"], "tickvals": [0]}).l > plain.l
    assert margins(xaxis={"ticktext": ["extraordinarily"], "tickvals": [0], "tickangle": -60}).b > plain.b
    assert margins(xaxis={"ticktext": ["extraordinarily"], "tickvals": [0]}).b == plain.b
    table = go.Figure(go.Heatmap(x=["1"], y=["LSTM, forget bias 0"], z=[[1]]))
    assert style.finish(table, title="t", caption="c", summary="s").layout.margin.l > plain.l
    two = go.Figure([go.Scatter(y=[0], name="a"), go.Scatter(y=[1], name="a long name of a curve")])
    beside = style.finish(two, title="t", caption="c", summary="s").layout.margin.r
    below = go.Figure(two).update_layout(legend={"orientation": "h"})
    assert beside > style.finish(below, title="t", caption="c", summary="s").layout.margin.r == 20


def test_who_is_not_above_the_baselines_is_named():
    x, baselines = np.arange(3), {"majority": np.full(3, 0.5)}
    title = lambda accuracy: words(accuracy_by_distance(x, accuracy, baselines))["title"]
    good, bad = np.ones((2, 3)), np.full((2, 3), 0.52)
    assert title({"a": good}) == "Above every baseline at the largest distance"
    assert title({"a": good, "b": bad}) == "Not clearly above the baselines at the largest distance: b"
    assert title({"b": bad}) == "Not clearly above the baselines at the largest distance"
    assert title({"b": np.full((2, 3), np.nan)}) == "Not clearly above the baselines at the largest distance"
    said = words(accuracy_by_distance(x, {"b": np.full((1, 3), 0.59)}, {"majority": np.full(3, 0.55)}))
    assert said["title"] == "Not clearly above the baselines at the largest distance"
    assert "more than 0.05" in said["caption"]


def test_guessing_at_first_is_said_where_it_was_seen():
    half, one = np.full((3, 4), 0.5), np.ones((3, 4))
    near = half + np.array([0.2, 0, 0, 0])
    title = lambda found: words(accuracy_by_updates(np.arange(4), found, {"majority": np.full(4, 0.5)}))["title"]
    assert title({100: half, 200: one}) == "Guessing at first; after 200 updates right at every distance"
    assert title({100: near, 200: one}) == "After 200 updates right at every distance"
    assert title({100: one, 200: one}) == "After 100 updates right at every distance"
    assert title({200: one, 100: half}) == "Guessing at first; after 200 updates right at every distance"
    assert title({200: one, 100: one}) == "After 100 updates right at every distance"
    assert title({100: one * 0.8, 200: half}) == "After 200 updates guessing at the largest distance"
    named = words(accuracy_by_updates(np.arange(4), {100: near, 200: one}, {"m": np.full(4, 0.5)}, network="GRU"))
    assert named["title"] == "GRU: after 200 updates right at every distance"


@pytest.mark.parametrize(
    ("seeds", "said"),
    [(1, "One seed."), (2, "Mean of 2 seeds, band from lowest to highest."), (4, "Mean of 4 seeds, band")],
)
def test_captions_count_their_seeds(seeds, said):
    runs, base = np.full((seeds, 3), 0.5), {"majority": np.full(3, 0.5)}
    drawn = [
        accuracy_by_distance(np.arange(3), {"a": runs}, base),
        accuracy_by_updates(np.arange(3), {100: runs}, base),
        accuracy_by_depth({4: runs}),
        gap_by_steps({"a": runs}),
        error_while_learning({"a": runs}, 50, {"a": [0.5] * seeds}, baseline=1.0, task="it"),
        recall_compared((1, 4, 8), runs, np.full((seeds, 30), 0.5), symbols=8, hidden=64),
        reach_and_accuracy([2, 10, 40], {0: runs, 100: runs}, {0: runs, 100: runs}),
    ]
    for figure in drawn:
        caption = words(figure)["caption"]
        assert said in caption
        assert "three" not in caption.lower()


def test_curves_of_fewer_seeds_are_named_and_one_curve_is_one_seed():
    runs = np.full((3, 9), 0.5)
    caption = lambda found: words(gap_by_steps(found))["caption"]
    assert "Mean of 3 seeds (2 for b; 1 for c), band" in caption({"a": runs, "b": runs[:2], "c": runs[0]})
    assert "One seed." in caption({"c": runs[0]})
    by_updates = accuracy_by_updates(np.arange(9), {100: runs[:2], 2_000: runs}, {"m": np.full(9, 0.5)})
    assert "Mean of 3 seeds (2 for 100 updates), band" in words(by_updates)["caption"]
    assert "(1 for 16 units)" in words(accuracy_by_depth({4: runs, 16: runs[:1]}))["caption"]


def test_networks_and_trainings_are_counted():
    drawn = lambda n: pipe(*[np.full((n, 30), 0.5)] * 2, 16, 4, np.full((2, 2), 30.0), (16, 32), (2, 4), 12.0, 14.0)
    assert "lowest to highest of 2 networks" in words(drawn(2))["caption"]
    assert "one network" in words(drawn(1))["caption"]
    flow = lambda n: words(gradient_flow({0: np.ones((n, 5)), 10: np.ones((n, 5))}, {0: np.ones(n), 10: np.ones(n)}))
    assert "Colours: 2 seeds at this moment" in flow(2)["caption"]
    assert "Colours: one seed at this moment" in flow(1)["caption"]
    starts = lambda *seeds: words(share_and_learning([started(10, [0.2] * n, [100] * n) for n in seeds], 1_000))[
        "caption"
    ]
    assert "by 0.3 to 6, 2 seeds." in starts(2, 2)
    assert "by 0.3 to 6, 1 to 3 seeds." in starts(1, 3)
    assert "by 0.3 to 6, one seed." in starts(1)


@pytest.mark.parametrize(
    ("exponent", "said"),
    [
        (np.log10(0.42), "0.42"), (np.log10(3.1), "3.1"), (-12.2, "10⁻¹²"), (np.log10(134), "130"), (2, "100"),
        (np.log10(99.7), "100"), (np.log10(999), "1000"), (3, "10³"), (-2, "0.01"), (np.inf, "∞"), (-np.inf, "0"),
    ],
)  # fmt: skip
def test_a_power_is_written_as_it_is_read(exponent, said):
    assert power(exponent) == said


def test_what_is_said_after_the_last_word_is_of_that_word():
    title = lambda p, answer=None: words(reading(WORDS, np.full(6, p), answer=answer))["title"]
    assert title(0.9) == "After “was” the model says plural"
    assert title(0.1, 0) == "After “was” the model says singular, rightly"
    assert title(0.1, 1) == "After “was” the model says singular, wrongly: it is plural"
    assert title(0.504) == title(0.496) == title(0.5) == "After “was” the model is undecided"
    assert title(0.5, 1) == "After “was” the model is undecided: it is plural"
    assert title(0.506) == "After “was” the model says plural"


def test_a_descent_is_told_by_its_last_loss():
    path = np.array([[3.0, -2.0], [3.1, -2.0], [9.0, 9.0]])
    surface = np.full((3, 3), 0.5)
    figure = cliff(
        np.array([2.0, 5, 8]), np.array([-5.0, -2, 0]), surface, {"a": (path, np.arange(3.0), np.ones(3))}, 0.5
    )
    assert words(figure)["title"] == "a: loss 2.000"
    assert "a: thrown out at step 2" in {note.text for note in figure.layout.annotations}


def test_a_copied_layout_of_subplots_is_plotlys_own_and_keeps_nothing_of_the_last_figure():
    layout = {"column_widths": [0.7, 0.3], "shared_yaxes": True}
    first, second = style.subplots(1, 2, **layout), style.subplots(1, 2, **layout)
    first.add_scatter(y=[1, 2], row=1, col=2)
    first.update_xaxes(title_text="steps", row=1, col=1)
    assert first.data[0].xaxis == "x2"
    assert not second.data
    theirs = make_subplots(1, 2, **layout).to_plotly_json()["layout"]
    assert {**second.to_plotly_json()["layout"], "template": None} == {**theirs, "template": None}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.05, "0.05"),
        (0.0579, "0.057"),
        (9.98e-5, "9.9 · 10⁻⁵"),
        (9.9e-5, "9.9 · 10⁻⁵"),
        (2e-7, "2 · 10⁻⁷"),
        (0.3, "0.3"),
    ],
)
def test_a_lower_limit_is_never_rounded_above_what_was_seen(value, said):
    """“None below 10⁻⁴ did” would be wrong if one with 9.98 · 10⁻⁵ did."""
    assert recall._at_least(value) == said
