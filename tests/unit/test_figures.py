import dataclasses
import itertools
import json
import re
from typing import get_args

import numpy as np
import plotly.graph_objects as go
import pytest
from colorspacious import cspace_convert, deltaE
from plotly.subplots import make_subplots

from course_utils.experiments.results.ch02 import FromStart
from course_utils.experiments.results.ch03 import ContextUse
from course_utils.experiments.results.recall import Solved
from course_utils.figures import style
from course_utils.figures.agreement import (
    accuracy_by_depth,
    accuracy_by_distance,
    accuracy_by_updates,
    agreement_by_updates,
    gap_by_steps,
    what_it_pays,
)
from course_utils.figures.curves import curves, error_while_learning, loss_curve, times
from course_utils.figures.gates import context_curves, retention
from course_utils.figures.gradients import cliff, cliff_cut, gradient_flow, power, reach_and_accuracy, stretched
from course_utils.figures.language import next_words, twin_paths
from course_utils.figures.memory import decay_weights, pipe, recall_compared, switch
from course_utils.figures.paths import path_diagram
from course_utils.figures.recall import delays_learned, share_and_learning, side_by_side
from course_utils.figures.sentences import anatomy, reading
from course_utils.figures.style import words
from course_utils.figures.tasks import attended
from course_utils.figures.written import LONGEST, written
from course_utils.measure.cliff import Rolled
from course_utils.measure.paths import Architecture, path_lengths
from course_utils.runtime import InvalidInput


def cut(free, step=2):
    """A cut through a cliff with two balls: one that went to `free`, and one that stayed."""
    ball = lambda b: Rolled(np.array(b), np.full(len(b), 0.1), np.array([0.1, 7.0, 0.1]))
    return cliff_cut(
        np.linspace(-4, 2.5, 9),
        np.full(9, 0.1),
        {"free": ball(free), "on a leash": ball([-2.0, -2.4, -1.4])},
        step,
        1.0,
    )


WORDS = ["near", "the", "dogs", "the", "cat", "was"]
FIGURES = [
    attended(),
    decay_weights(0.9),
    switch(),
    what_it_pays(51.0, 0.69, (1, 25)),
    path_diagram("self-attention", 5),
    reading(WORDS, np.linspace(0, 1, 6), nouns=[(2, 1), (4, 0)], subject=4, answer=0),
    anatomy(WORDS, ["", "", "", "", "subject", "verb"], {"first noun": ("plural", False)}),
    loss_curve(np.ones((3, 100)), title="Falls", references={"guessing": 0.7}),
    loss_curve(np.ones(7), title="Short"),
    accuracy_by_distance(np.arange(3), {"RNN": np.ones((3, 3))}, {"majority": np.full(3, 0.5)}),
    accuracy_by_updates(np.arange(3), {100: np.full((3, 3), 0.5), 200: np.ones((3, 3))}, {"majority": np.full(3, 0.5)}),
    agreement_by_updates({"RNN": {100: np.full(3, 0.5), 200: np.ones(3)}, "GRU": {100: np.ones(3)}}),
    written(
        "x = 1\n",
        title="It writes",
        caption="What a model writes after its prompt.",
        summary="One line of a program, by a model.",
    ),
    side_by_side({"whole": np.linspace(2, 0, 100), "halved": np.full(200, 2.0)}, 2.08),
    cut([-2.0, -2.4, 4.0]),
    stretched(2 * np.eye(2), np.eye(2), 3, 2.0, "W"),
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
    with pytest.raises(InvalidInput, match="above 1, not 0.5"):
        switch(0.5)


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
    assert "is right after 200 updates" in title({100: half, 200: one})
    assert title({100: half, 200: half}) == "The network still guesses after 200 updates"
    assert title({100: half, 200: np.array([[1, 1, 1, 0.8]])}) == "The network has learned it in part after 200 updates"
    assert (
        title({100: half, 200: np.array([[0.5, 0.5, 0.5, 1.0]])})
        == "The network has learned it in part after 200 updates"
    )
    kept = lambda gap: style.words(twin_paths((WORDS, WORDS), (np.zeros((6, 2)),) * 2, np.asarray(gap), 0.5))["title"]
    assert "keeps" in kept([1.0, 1, 1, 1, 1, 0.9])
    assert "almost lost" in kept([1.0, 1, 1, 1, 1, 0.01])
    deepest = lambda a: style.words(accuracy_by_depth({4: np.asarray(a)}))["summary"]
    assert "4 units 2." in deepest([[1, 0.99, 0.9, 0.99]])
    paid = style.words(what_it_pays(51.0, 0.69, (1, 25)))
    assert paid["title"] == "The verb is a sliver of what a sentence costs"
    assert "verb × 25 17.25 nats" in paid["summary"]
    assert "good part" in style.words(what_it_pays(5.0, 0.69, (1,)))["title"]
    slow = style.words(times((10, 20, 40), {"one": (1e-3, 4e-3, 16e-3)}))
    assert "2.00" in slow["summary"]
    assert slow["title"] == "The time grows with the length"
    even = style.words(times((10, 20, 40), {"one": (1e-3, 2e-3, 4e-3)}))
    assert even["title"] == "For long texts the time doubles with the length"
    batched = style.words(times((10, 20, 40), {"one": (1e-3, 1e-3, 1e-3), "16 at a time": (1e-3, 2e-3, 4e-3)}))
    assert batched["title"] == "16 at a time, the time doubles with the length"
    flat = style.words(times((10, 20, 40), {"one": (1e-3, 1e-3, 1e-3)}))
    assert flat["title"] == "The time grows more slowly than the length"
    frozen = np.array([[1.0] * 3 + [0.0] * 27])
    recalled = lambda trained: style.words(recall_compared((1, 4, 8), trained, frozen, symbols=8, hidden=64))
    assert recalled(np.array([[1, 0.95, 0.6]]))["title"] == "Trained, the state holds at least 5 symbols"
    assert recalled(np.array([[1, 0.5, 0.6]]))["title"] == "Training does not make the memory longer"
    assert "with 0.60 at lag 8" in recalled(np.array([[1, 0.95, 0.6]]))["summary"]
    gap = lambda **ends: style.words(gap_by_steps({name: [1, end] for name, end in ends.items()}))["title"]
    assert gap(a=0.01, b=0.9) == "Some networks keep the difference, others lose it"
    assert gap(a=0.01, b=0.02) == "Every network loses the difference"
    assert gap(a=0.3, b=0.9) == "b keeps the difference"
    assert gap(a=0.3) == "The difference fades step by step"
    depth = lambda **deep: style.words(
        accuracy_by_depth({int(n[1:]): np.array([[1.0] * d + [0.5] * (16 - d)]) for n, d in deep.items()})
    )["title"]
    assert depth(_2=1, _4=4, _8=8) == "A state holds about one subject a unit"
    assert depth(_2=1, _4=2, _16=4) == "More units hold more subjects"
    assert depth(_2=4, _4=4) == "More units do not hold more subjects"


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
    assert words(figure)["title"] == "all and gap bridge 30 steps with all seeds"
    assert "gap 30 (not all at 10)" in words(figure)["summary"]
    assert (
        words(delays_learned({name: rows[name] for name in ("all", "none")}, 500))["title"]
        == "Only all bridges 30 steps with all seeds"
    )
    assert words(delays_learned({"all": rows["all"]}, 500))["title"] == "Every network bridges 30 steps with all seeds"
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


def test_what_two_trainings_do_is_the_title():
    title = lambda **ends: words(side_by_side({name: np.full(50, end) for name, end in ends.items()}, 2.0))["title"]
    assert title(one=0.1, other=2.0) == "one learns, other guesses"
    assert title(one=0.1, other=0.2) == "All of them learn"
    assert title(one=2.0, other=1.9) == "None of them learns"


def test_what_becomes_of_the_balls_is_the_title():
    assert words(cut([-2.0, -2.4, 4.0]))["title"] == "One step on the wall throws the free ball out"
    assert words(cut([-2.0, -2.4, 4.0], 1))["title"] == "On the wall the slope is enormous"
    assert words(cut([-2.0, -2.4, -1.0], 2))["title"] == "The wall has thrown a ball back"
    assert words(cut([-2.0, -2.4, 4.0], 0))["title"] == "Off the wall the slope is gentle"


def test_points_of_learning_say_what_lies_below_what():
    runs = [started(10, [0.2, 1e-5], [100, None]), started(20, [0.01, 0.05], [None, 300])]
    said = words(share_and_learning(runs, 1_000))
    assert said["title"] == "Where less of the gradient arrives, fewer trainings learn"
    turned = [started(10, [0.2, 1e-5, 0.1], [None, 100, None])]
    assert (
        words(share_and_learning(turned, 1_000))["title"] == "The share of the gradient does not tell what is learned"
    )
    solved = [started(10, [0.2], [100])]
    assert words(share_and_learning(solved, 1_000))["title"] == "Every training solved its delay"
    assert said["summary"].startswith("4 trainings. 2 of the 2 that failed began with a share below")
    nothing = [started(10, [0.2], [None])]
    assert words(share_and_learning(nothing, 1_000))["title"] == "No training solved its delay"


def test_the_context_that_is_used_is_told_with_all_its_seeds():
    def use(k, above, effective):
        return ContextUse(k=k, loss=np.array(above), above=np.array(above), effective=effective)

    cut = use((1, 10, 30, 50), [[0.9, 0.1, 0.02, 0], [0.7, 0.1, 0, 0]], [50, 30])
    above = [[6, 2, 0.3, 0, 0], [6, 3, 0.2, 0, 0]]
    mixed = use((0, 1, 10, 30, 50), above, [30, 30])
    said = words(context_curves(cut, mixed))
    assert said["title"] == "The network uses all of its context"
    short = dataclasses.replace(cut, effective=[10, 30])
    assert words(context_curves(short, mixed))["title"] == "The last 30 tokens are all that it uses"
    assert "Mean of 2 seeds, band" in said["caption"]
    assert "0.80 nats higher" in said["summary"]
    with pytest.raises(InvalidInput, match="the same k"):
        context_curves(cut, use((0, 1, 10, 30, 60), above, [30, 30]))


def test_errors_while_learning_name_who_stays_at_the_baseline():
    losses = {"a": [[1.0, 0.9]], "b": [[1.0, 0.2]]}
    said = words(error_while_learning(losses, 50, {"a": [0.99], "b": [0.2]}, baseline=1.0, task="it"))
    assert said["title"] == "a stays at the baseline"
    title = lambda a: words(error_while_learning(losses, 50, {"a": [a], "b": [0.2]}, baseline=1.0, task="it"))["title"]
    assert title(0.5) == "Every network gets below the baseline"
    assert title(np.nan) == "a stays at the baseline"


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
    assert title({"a": good}) == "The network is right at every distance"
    assert title({"a": good, "c": good}) == "Every network is right at every distance"
    assert title({"a": good * 0.8}) == "The network beats the baselines at the largest distance"
    assert title({"a": good, "b": bad}) == "b does not beat the baselines at the largest distance"
    assert title({"b": bad}) == "The network does not beat the baselines at the largest distance"
    assert title({"b": bad, "c": bad}) == "No network beats the baselines at the largest distance"
    assert title({"b": np.full((2, 3), np.nan)}) == "The network does not beat the baselines at the largest distance"
    said = words(accuracy_by_distance(x, {"b": np.full((1, 3), 0.59)}, {"majority": np.full(3, 0.55)}))
    assert said["title"] == "The network does not beat the baselines at the largest distance"


def test_guessing_at_first_is_said_where_it_was_seen():
    half, one = np.full((3, 4), 0.5), np.ones((3, 4))
    near = half + np.array([0.2, 0, 0, 0])
    title = lambda found: words(accuracy_by_updates(np.arange(4), found, {"majority": np.full(4, 0.5)}))["title"]
    assert title({100: half, 200: one}) == "The network guesses at first and is right after 200 updates"
    assert title({100: near, 200: one}) == "The network is right after 200 updates"
    assert title({100: one, 200: one}) == "The network is right after 100 updates"
    assert title({200: one, 100: half}) == "The network guesses at first and is right after 200 updates"
    assert title({200: one, 100: one}) == "The network is right after 100 updates"
    assert title({100: one * 0.8, 200: half}) == "The network guesses after 200 updates"
    named = words(accuracy_by_updates(np.arange(4), {100: near, 200: one}, {"m": np.full(4, 0.5)}, network="GRU"))
    assert named["title"] == "GRU is right after 200 updates"


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
    assert title(0.1, 1) == "After “was” the model says singular, wrongly"
    assert title(0.504) == title(0.496) == title(0.5) == "After “was” the model is undecided"
    assert title(0.5, 1) == "After “was” the model is undecided"
    assert title(0.506) == "After “was” the model says plural"


def test_a_descent_is_told_by_its_last_loss():
    path = np.array([[3.0, -2.0], [3.1, -2.0], [9.0, 9.0]])
    surface = np.full((3, 3), 0.5)
    figure = cliff(
        np.array([2.0, 5, 8]), np.array([-5.0, -2, 0]), surface, {"a": (path, np.arange(3.0), np.ones(3))}, 0.5
    )
    assert words(figure)["title"] == "The descent does not reach the valley"
    assert "loss 2.000 after 2 steps" in words(figure)["summary"]
    inside = (path[:2], np.array([1.0, 0.001]), np.ones(2))
    draw = lambda **runs: words(cliff(np.array([2.0, 5, 8]), np.array([-5.0, -2, 0]), surface, runs, 0.5))["title"]
    thrown = (path, np.arange(3.0), np.ones(3))
    assert draw(a=inside) == "The descent reaches the valley"
    assert draw(free=thrown, clipped=inside) == "Without clipping one step throws the descent out"
    assert draw(free=inside, clipped=inside) == "Clipping changes little here"
    assert draw(free=inside, clipped=thrown) == "The descent without clipping ends lower"
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


def named(figure):
    return {note.text: note for note in figure.layout.annotations}


def draw_named(**ends):
    words = {"title": "t", "caption": "c", "summary": "s", "x_title": "x", "y_title": "y"}
    return curves([1, 2], {name.replace("_", " "): [1.0, end] for name, end in ends.items()}, **words)


def test_a_few_lines_carry_their_names_at_their_ends_and_none_overlap():
    figure = draw_named(GRU=0.5, LSTM=0.5, a_network_of_another_kind=0.51, other=0.0)
    assert figure.layout.showlegend is False
    assert list(named(figure)) == ["GRU", "LSTM", "a network of<br>another kind", "other"]
    assert figure.layout.margin.r == 14 + 7 * len("another kind")
    height = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    middles = sorted(
        (note.y * height + note.yshift, 15 * (note.text.count("<br>") + 1)) for note in named(figure).values()
    )
    for (low, below), (high, above) in itertools.pairwise(middles):
        assert high - low >= (below + above) / 2 - 1e-6
    many = draw_named(**{f"line_{i}": i for i in range(8)})
    assert not named(many)
    assert many.layout.showlegend is not False


def test_an_architecture_has_one_colour_and_ordered_lines_one_ramp():
    colours = lambda **ends: {trace.name: trace.line.color for trace in draw_named(**ends).data}
    assert colours(a=1, LSTM=2)["LSTM"] == colours(LSTM=1, GRU=2)["LSTM"] != colours(GRU=1)["GRU"]
    mixed = style.colours_of(["GRU + attention", "attention, forward", "GRU", "forward", "LSTM", "LSTM, chrono"])
    assert mixed["GRU + attention"] == mixed["attention, forward"] == style.ARCHITECTURES["attention"] != mixed["GRU"]
    assert mixed["LSTM, chrono"] == style.pale(mixed["LSTM"])
    assert style.colours_of(["LSTM, chrono"])["LSTM, chrono"] == mixed["LSTM"]  # alone it is the LSTM
    assert mixed["forward"] not in {mixed[name] for name in mixed if name != "forward"}
    assert list(style.colours_of("ab").values()) == list(style.COLOURS[:2])
    for colour in (*style.COLOURS, *style.ARCHITECTURES.values(), *style.ramp(5)):
        assert 1.05 / (luminance(style.ink(colour)) + 0.05) >= 4.5
    assert style.ink(style.BLACK) == style.BLACK
    for count in (1, 2, 5):
        shades = [luminance(shade) for shade in style.ramp(count)]
        assert len(set(shades)) == count
        assert shades == sorted(shades, reverse=True)
    figure = accuracy_by_updates(np.arange(3), {n: np.ones((1, 3)) for n in (1, 2, 4)}, {"majority": np.full(3, 0.5)})
    assert [trace.line.color for trace in figure.data[1:]] == style.ramp(3)


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (1, 1000, ["1", "10", "100", "1,000"]), (1e-6, 1, ["10⁻⁶", "10⁻⁵", "10⁻⁴", "0.001", "0.01", "0.1", "1"]),
        (0.2, 2, ["0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50"]),
        (1e-12, 30, ["10⁻¹²", "10⁻¹⁰", "10⁻⁸", "10⁻⁶", "10⁻⁴", "0.01", "1", "100"]),
    ],
)  # fmt: skip
def test_ticks_of_a_logarithmic_axis_are_words_of_one_size(low, high, texts):
    assert style.log_ticks(low, high)["ticktext"] == texts


def test_names_stand_where_the_lines_end_on_the_right_whatever_the_order_of_their_points():
    figure = retention({"RNN": np.array([1e-2, 0.1, 1.0]), "LSTM": np.array([1e-9, 1e-4, 1.0])}, 0, 0.3)
    assert list(figure.data[0].x) == [2, 1, 0]
    assert named(figure)["RNN"].y > named(figure)["LSTM"].y
    assert words(figure)["title"] == "The LSTM keeps less than the plain network"
    title = lambda **keeps: words(retention({name: np.array([end, 1.0]) for name, end in keeps.items()}, 0, 0.3))[
        "title"
    ]
    assert title(RNN=0.1, LSTM=0.5) == "The LSTM keeps more than the plain network"
    assert title(RNN=0.4, LSTM=0.5) == "The LSTM keeps as much as the plain network"
    assert title(GRU=0.4, b=0.5) == "b keeps the most of the gradient"


def test_what_becomes_of_a_gradient_is_told_by_seed():
    title = lambda *shares: words(gradient_flow({5: np.array([[s, 1.0] for s in shares])}, {5: np.ones(len(shares))}))[
        "title"
    ]
    assert title(1, 2, 8) == "The gradient explodes in one seed"
    assert title(1e-6, 1e-6, 8) == "The gradient dies out in 2 of 3 seeds"
    assert title(1e-6, 1e-5) == "The gradient dies out in every seed"
    assert title(0.5, 2) == "The gradient reaches the first position"
    assert title(0.05, 2) == "Little of the gradient reaches the first position"


def test_remembering_and_the_gradient_that_arrives_are_told_together():
    title = lambda first, last, right: words(
        reach_and_accuracy([4, 8], {1: [[1, first]], 9: [[1, last]]}, {1: [[0.5, 0.5]], 9: [[1, right]]})
    )["title"]
    assert title(1e-2, 1e-4, 1.0) == "The network remembers although less gradient arrives"
    assert title(1e-4, 1e-2, 1.0) == "The network remembers, and more gradient arrives"
    assert title(1e-4, 1e-2, 0.5) == "The network does not remember the subject at the end"


def test_what_the_simple_rules_answer_is_the_title_of_a_sentence():
    roles = ["", "", "", "", "subject", "verb"]
    title = lambda **right: words(anatomy(WORDS, roles, {name: ("plural", ok) for name, ok in right.items()}))["title"]
    assert title(first=False, nearest=False) == "Both rules are misled"
    assert title(first=False, nearest=True) == "The first misleads"
    assert title(first=True, nearest=True) == "Here the simple rules are right"


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: style.words(figure)["title"])
def test_titles_are_short_and_list_no_numbers(figure):
    title = style.words(figure)["title"]
    assert len(title.split()) <= 11, title
    assert len(re.findall(r"[0-9][0-9.,]*", title)) <= 1, title
    assert ":" not in title


@pytest.mark.parametrize(
    ("networks", "title"),
    [
        ({"RNN": {1: 0.5, 2: 0.5, 4: 1.0}, "GRU": {1: 0.5, 2: 1.0}}, "The RNN learns agreement last"),
        ({"RNN": {1: 0.5, 2: 1.0}, "GRU": {1: 0.5, 2: 1.0}}, "All networks learn agreement"),
        ({"RNN": {1: 0.5}, "GRU": {1: 1.0}}, "GRU learns agreement"),
        ({"RNN": {1: 0.5}, "GRU": {1: 0.9}}, "No network has learned agreement"),
    ],
)
def test_who_learns_agreement_first(networks, title):
    seeds = {name: {n: np.full(3, value) for n, value in row.items()} for name, row in networks.items()}
    figure = agreement_by_updates(seeds)
    assert words(figure)["title"] == title
    last = max(n for row in networks.values() for n in row)
    assert f"{last:,} updates" in words(figure)["summary"] or "never" in words(figure)["summary"]


def test_a_text_is_shown_as_it_is_written_and_not_without_end():
    said = {"title": "t", "caption": "c", "summary": "s"}
    assert words(written("a <b>\n  c", **said))["written"] == "a <b>\n  c"
    assert len(words(written("x" * 9_000, **said))["written"]) == LONGEST + 2
    with pytest.raises(InvalidInput, match="nothing to write"):
        written("  \n", **said)
