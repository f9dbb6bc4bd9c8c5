import gc
import json
import sys
import types
import weakref

import numpy as np
import plotly.graph_objects as go
import pytest
from flax import nnx
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_utils.data.agreement import agreement
from course_utils.experiments import ch00 as ch00_experiment
from course_utils.experiments import ch01 as ch01_experiment
from course_utils.experiments import ch03 as ch03_experiment
from course_utils.experiments import recorded
from course_utils.figures.memory import decay_weights
from course_utils.figures.style import finish
from course_utils.front import surface
from course_utils.machines import Machine, Variant, parts
from course_utils.measure.gates import number_units
from course_utils.runtime import InvalidInput, require
from course_utils.widgets import ch00, ch01, ch02, ch03, ch05
from course_utils.widgets.explore import MOST_FRAMES, MOST_WORDS, Drag, choice, explore, slider, text, toggle
from course_utils.widgets.live import live_loss
from course_utils.widgets.sentences import typed


@pytest.fixture
def front(monkeypatch):
    """Pretend to be shown in a front end."""

    def pretend(name):
        monkeypatch.setattr(surface, "front_end", lambda: name)

    return pretend


def draw(level, kind="line", on=True, name="a"):
    if level == 13:
        raise InvalidInput("13 cannot be drawn.")
    figure = go.Figure(go.Scatter(y=[level, level + on]))
    return finish(figure, title=f"Level {level}", caption="A line to look at.", summary=f"{kind} {name} at {level}.")


@pytest.fixture
def on_colab(monkeypatch):
    """google.colab as far as it matters here."""
    widgets = types.SimpleNamespace(_installed_url="https://there/manager.js")
    output = types.SimpleNamespace(_widgets=widgets, enable_custom_widget_manager=lambda: None)
    for name in ("google", "google.colab"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "google.colab.output", output)


class Model:
    itself: "Model"


def explorer():
    return explore(
        draw, level=slider("level", 0, 20, value=4), kind=choice("kind", ("line", "curve")),
        on=toggle("on", value=True), name=text("name", "a"),
    )  # fmt: skip


def state_of(e):
    """What the page shows."""
    e.redraw()
    return e._live.state


def test_a_slider_takes_the_nearest_of_its_values_and_the_figure_follows():
    e = explorer()
    e.set(level=7)
    assert "at 7" in e.said
    assert state_of(e)["values"]["level"] == 7
    e.set(level=99)  # beyond its bounds
    assert e.values["level"] == 20
    thirds = slider("d", 0, 1, 0.1)
    assert [thirds.read(number) for number in (0.30000000000000004, 0.26, -5, 1)] == [0.3, 0.3, 0, 1]


def test_every_control_reaches_the_figure():
    e = explorer()
    e.set(kind="curve", on=False, name="b")
    assert "curve b at 4" in e.said
    assert list(e.figure().data[0].y) == [4, 4]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"level": "two"}, "level is a number from 0 to 20"), ({"level": float("nan")}, "level is a number"),
        ({"kind": "wave"}, "kind is one of line, curve"), ({"on": 1}, "True or False"), ({"name": 3}, "is a text"),
        ({"depth": 1}, "no control 'depth'; there are level, kind"),
    ],
)  # fmt: skip
def test_a_value_that_a_control_cannot_have_is_refused_in_words(values, words):
    e = explorer()
    with pytest.raises(InvalidInput, match=words):
        e.set(**values)
    assert "line a at 4" in e.said


def test_what_a_page_sends_is_answered_with_its_turn_whatever_it_is():
    e = explorer()
    moved = {"level": 9, "kind": 1, "on": False, "name": "b"}
    e._hear({"kind": "move", "turn": "a 1", "changed": "level", "values": moved})
    assert (e.values["kind"], e._live.state["turn"]) == ("curve", "a 1")
    assert "curve b at 9" in e._live.state["summary"]
    assert e._live.state["values"] == moved
    for number, nonsense in enumerate(
        [{"kind": "move", "values": {"level": None}}, {"kind": "preset", "name": "?"}, {}]
    ):
        e._hear({"turn": f"a {number}", **nonsense})
        assert e._live.state["turn"] == f"a {number}"
        assert "curve b at 9" in e.said


def test_what_cannot_be_drawn_is_said_in_a_sentence_and_the_next_move_works():
    e = explorer()
    e.set(level=13)
    assert e.said == "13 cannot be drawn."
    assert (e._live.state["figure"], e._live.state["failed"]) == (None, True)
    e.set(level=14)
    assert "at 14" in e.said
    assert e._live.state["figure"]["data"]


def drawn(*words, steps=1):
    """A machine of one word for each argument."""
    nodes = tuple(parts.word(f"w{i}", parts.at(40, 40), parts.at(40, 40), word) for i, word in enumerate(words))
    told = tuple(parts.step("Read.", f"The word “{words[0]}”.", "w0") for _ in range(steps))
    require(words != ("xyzzy",), "'xyzzy' is not a word.")
    return Machine(title="Words", teaches="Words are read.", alt="Words.", wide=(300, 80), narrow=(300, 80), nodes=nodes, edges=(),
                   variants=tuple(Variant(word, told) for word in words))  # fmt: skip


def test_a_machine_may_be_drawn_in_place_of_a_figure_and_follows_what_is_typed():
    e = typed(lambda model, *words, **settings: drawn(*words or model, **settings), ("one", "two"), steps=2)
    assert state_of(e)["machine"] == drawn("one", "two", steps=2).spec()
    assert e.said == "Words. Words are read."
    e._hear({"kind": "move", "turn": "a 1", "values": {"sentence": "three"}})
    assert (e._live.state["machine"], e._live.state["failed"]) == (drawn("three", steps=2).spec(), False)
    e.set(sentence="xyzzy")  # never an old drawing beside it
    assert (e._live.state.get("machine"), e._live.state["failed"], e.said) == (None, True, "'xyzzy' is not a word.")
    e.set(sentence="  ")
    assert len(e._live.state["machine"]["variants"]) == 2
    alone = typed(lambda model, *words: drawn(*words), None, "one")
    assert alone.values["sentence"] == "one"  # in the line, to be changed


def test_a_copy_holds_what_a_machines_steps_say_and_a_page_the_machine_itself(front):
    front("none")
    e = typed(lambda model, *words: drawn(*words), None, "<one>")
    data = e._repr_mimebundle_()
    assert data["text/plain"].splitlines() == drawn("<one>").in_words().splitlines()
    assert "The word “&lt;one&gt;”" in data["text/html"]
    assert e.page() == {"kind": "machine", "about": drawn("<one>").spec()}
    several = explore(
        lambda word: drawn(word), presets={"1": {"word": "one"}, "2": {"word": "two"}}, word=text("word", "")
    ).page()
    assert several["controls"] == []
    assert [preset["machine"]["variants"][0]["name"] for preset in several["presets"]] == ["one", "two"]
    outputs = pytest.importorskip("course_utils.pages.outputs")
    assert 'data-kind="explorer"' in outputs._page({surface.PAGE_MIME: several})


def test_the_first_preset_is_what_opens_and_a_preset_sets_every_control():
    e = explore(draw, presets={"high": {"level": 18}, "curved": {"kind": "curve"}}, level=slider("level", 0, 20, value=4),
                kind=choice("kind", ("line", "curve")))  # fmt: skip
    assert "line a at 18" in e.said
    assert e._live.state["preset"] == "high"
    e._hear({"kind": "preset", "name": "curved", "turn": "a 1"})
    assert e.values == {"level": 4, "kind": "curve"}
    assert e._live.state["preset"] == "curved"
    e.set(level=5)
    assert e._live.state["preset"] is None
    assert [preset["summary"] for preset in e.page()["presets"]] == [
        "Level 18. line a at 18.",
        "Level 4. curve a at 4.",
    ]
    with pytest.raises(InvalidInput, match="no control 'depth'"):
        explore(draw, presets={"deep": {"depth": 1}}, level=slider("level", 0, 20))


def test_what_is_dragged_or_clicked_sets_controls_as_a_slider_does():
    e = explore(
        draw, level=slider("level", 0, 20, value=4), click=lambda x, y, level: {"level": level + 1},
        drags=[Drag("the level", lambda level: (None, level), lambda x, y, level: {"level": y})],
    )  # fmt: skip
    assert state_of(e)["handles"] == [
        {"label": "the level", "x": None, "y": 4, "xaxis": "xaxis", "yaxis": "yaxis", "by": None}
    ]
    e._hear({"kind": "drag", "handle": 0, "x": None, "y": 6.8, "turn": "a 1"})
    assert e.values == {"level": 7}
    assert e._live.state["handles"][0]["y"] == 7
    e._hear({"kind": "click", "x": 1, "y": 1, "turn": "a 2"})
    assert e.values == {"level": 8}


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.zeros(100_000), "This figure has 100,000 points; at most 50,000 are drawn."), ([1.0, np.inf], "not finite"),
        ([np.nan, np.nan], "not finite"), (None, "KeyError"),
    ],
)  # fmt: skip
def test_too_many_points_infinity_and_errors_of_any_kind_are_said(y, words):
    e = explore(lambda a: go.Figure(go.Scatter(y=y if y is not None else {}["no"])), a=slider("a", 0, 3))
    assert words in e.said
    json.dumps(e._live.state)


def test_a_gap_between_numbers_is_meant():
    e = explore(lambda a: go.Figure(go.Scatter(y=[1.0, np.nan, 2.0])), a=slider("a", 0, 3))
    assert e.said == "A figure."


def test_what_exists_when_an_explorer_is_shown_is_not_searched_for_garbage_again(front):
    front("jupyter")
    before = gc.get_freeze_count()
    kept = [[i] for i in range(1000)]
    try:
        explorer()._repr_mimebundle_()
        assert gc.get_freeze_count() > before + len(kept)
        thrown_away = Model()
        thrown_away.itself, gone = thrown_away, weakref.ref(thrown_away)
        explorer()._repr_mimebundle_()
        del thrown_away
        explorer()._repr_mimebundle_()  # what was frozen and is garbage since goes with the next one
        assert gone() is None
    finally:
        gc.unfreeze()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("jupyter", {surface.PLOTLY_MIME, "text/plain"}),  # the view is an output of its own
        ("vscode", {surface.WIDGET_MIME, surface.PLOTLY_MIME, "text/plain"}),
        ("colab", {surface.WIDGET_MIME, "text/plain"}),
        ("page", {surface.PAGE_MIME, surface.PLOTLY_MIME, "text/plain"}),
        ("none", {"text/plain"}),
    ],
)
def test_one_bundle_in_each_front_end(front, on_colab, name, expected):
    front(name)
    bundle = explorer()._repr_mimebundle_()
    bundle, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    assert bool(metadata) == (name == "colab")
    assert set(bundle) == expected
    assert bundle["text/plain"] == "Level 4. line a at 4."
    json.dumps(bundle)


def test_frames_are_spread_over_a_control_and_hold_where_it_stands():
    drawn = explorer().frames("level", most=6)
    assert list(drawn) == ["0", "4", "8", "12", "16", "20"]  # 4 is where it stands
    assert list(explorer().frames("level", most=100)) == [str(i) for i in range(21) if i != 13]  # 13 is refused
    assert list(drawn["8"].data[0].y) == [8, 9]
    assert drawn["8"].layout.title.text == "Level 8"
    with pytest.raises(InvalidInput, match="no control 'depth'; there are level, kind"):
        explorer().frames("depth")


def test_where_a_control_stands_has_a_frame_even_between_two_others():
    e = explore(lambda level: go.Figure(), level=slider("level", 0, 100, value=37))
    names = list(e.frames("level", most=5))
    assert len(names) == 5
    assert {"0", "37", "100"} < set(names)


def test_a_page_is_told_every_control_that_can_be_chosen_from(front):
    front("page")
    bundle = explorer()._repr_mimebundle_()
    told = bundle[surface.PAGE_MIME]
    json.dumps(told)
    assert told["figure"]["summary"] == bundle["text/plain"]
    assert [control["label"] for control in told["controls"]] == ["level", "kind", "on"]
    for control in told["controls"]:
        assert control["frames"][control["now"]]["summary"] == told["figure"]["summary"]
    level, kind, on = told["controls"]
    assert [frame["choice"] for frame in on["frames"]] == ["off", "on"]
    assert on["now"] == 1
    assert kind["frames"][1]["summary"].startswith("Level 4. curve a at 4")
    assert len(level["frames"]) <= MOST_FRAMES


@pytest.mark.parametrize(
    "make",
    [
        lambda: slider("a", 5, 5), lambda: slider("a", 0, 1, 0), lambda: slider("a", 0, 1, value=2),
        lambda: choice("a", ()),
    ],
)  # fmt: skip
def test_bad_controls_are_refused(make):
    with pytest.raises(InvalidInput):
        make()


def test_a_figure_of_ones_own_that_names_no_height_is_shown(front):
    front("jupyter")
    e = explore(lambda a: go.Figure(go.Scatter(y=[a])), a=slider("a", 0, 3))
    assert surface.PLOTLY_MIME in e._repr_mimebundle_()
    e.redraw()


def test_a_slider_never_steps_beyond_its_end():
    assert slider("d", 0, 1, 0.35).values == [0, 0.35, 0.7]


def test_a_slider_of_fractions_steps_without_rounding_noise():
    assert slider("d", 0, 1, 0.1).values == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


# ---------------------------------------------------------------------------------- chapter 00


def _words_network():
    return ch01_experiment.well_trained().model


def step_through():
    return ch01.step_through(_words_network())


def twins():
    return ch01.twins({"words": _words_network(), "asked": ch00_experiment.well_trained().model})


def pipe():
    return ch01.pipe(ch01_experiment.capacity())


def gradient_flow():
    return ch02.gradient_flow(recorded("ch02").flow)


def units():
    lstm, test = ch03_experiment.well_trained().model, agreement(200, seed=5)
    return ch03.units(lstm, number_units(lstm, test, test))


MAKERS = [
    ch00.fading_memory, ch05.paths, ch00.sentence_maker, step_through, twins, pipe, ch02.jacobian_product, ch02.cliff, gradient_flow,
    ch03.playground, ch03.gradient_retention, units,
]  # fmt: skip


@pytest.mark.each
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_explorers_answer_at_the_ends_of_every_control(make):
    e = make()
    for name, control in e.controls.items():
        for value in (control.values[0], control.values[-1]):
            figure = e.figure(**{name: value})
            assert surface.summary(figure)
            bars = [t.x if t.orientation == "h" else t.y for t in figure.data if t.type == "bar"]
            assert all(np.isfinite(np.asarray(values, float)).all() for values in bars)


def test_the_sentence_maker_makes_what_was_asked():
    e = ch00.sentence_maker()
    summary = surface.summary(e.figure(distance=20, attractors=3, fronted=False, example=2))
    assert "20 steps" in summary
    assert summary == surface.summary(e.figure(distance=20, attractors=3, fronted=False, example=2))


@pytest.mark.parametrize("between", [" ", ", ", ",", "\n"])
def test_of_a_typed_text_the_first_words_are_drawn_and_the_summary_says_so(between):
    drawn = []

    def remember(line):
        drawn.append(line)
        return go.Figure()

    e = explore(remember, line=text("line", ""))
    e.redraw()
    for count in (MOST_WORDS, 1_000):
        typed = between.join(f"w{i}" for i in range(count))
        e.set(line=typed)
        assert drawn[-1] == between.join(f"w{i}" for i in range(MOST_WORDS))
        assert ("first 60 of 1,000 words" in e.said) == (count > MOST_WORDS)
        assert e.values["line"] == typed  # nothing typed is lost


def test_a_thousand_words_draw_what_the_first_sixty_draw():
    from course_utils.experiments.ch00 import reader

    for e, begun in ((ch00.watch_reading(reader(nnx.Rngs(0))), "the cat "), (step_through(), "near the dogs ")):
        long, short = (e.figure(sentence=" ".join((begun * 1_000).split()[:count])) for count in (1_000, MOST_WORDS))
        drawn, wanted = (json.loads(figure.to_json())["data"] for figure in (long, short))
        assert drawn == wanted
        assert surface.summary(long) == f"{surface.summary(short)} Only the first 60 of 1,000 words are read."


def test_a_typed_sentence_of_unknown_or_no_words_is_answered_in_words():
    from course_utils.experiments.ch00 import reader

    e = ch00.watch_reading(reader(nnx.Rngs(0)))

    def said(typed):
        e.set(sentence=typed)
        return e.said

    assert "zebra" in said("the zebra")
    assert len(said("zebra" * 200_000)) < 400
    assert "not in the vocabulary" in said("the zebra")
    assert "not in the vocabulary" in e._repr_mimebundle_()["text/plain"]  # shown again in another cell
    assert "special symbols" in said("<eos> the cat")
    assert "empty" in said("  ")
    assert "the model says" in said("The cats; the dogs!")
    assert "the model says" in said(" ".join(["the", "cat"] * 60))


def test_stepping_through_names_the_words_as_they_come():
    e = step_through()
    for place, word in enumerate(ch01.SENTENCE.split(), 1):
        assert f"“{word}”" in surface.summary(e.figure(word=place))
    assert "“hungry”" in surface.summary(e.figure(word=24))  # past the end: the last word
    end = e.figure(word=14)
    assert "What comes" not in surface.summary(end)
    e.set(sentence="the zebra")
    assert "zebra" in e.said


def test_the_twins_of_the_two_networks_tell_two_stories():
    e = twins()
    sentence = e.controls["sentence"].values[2]
    assert "keeps the difference" in surface.summary(e.figure(network="asked", sentence=sentence))
    untrained = ch01.twins({"x": ch01_experiment.language_model(nnx.Rngs(0))})
    assert "“cat” or “cats”" in surface.summary(untrained.figure(network="x"))


@pytest.mark.slow
def test_the_pipe_frames_the_setting_and_never_holds_more_than_its_size():
    e = pipe()
    for hidden in ch01_experiment.SIZES:
        for scale in ch01_experiment.SCALES:
            summary = surface.summary(e.figure(hidden=hidden, symbols=4, scale=scale))
            held = float(summary.split(" bits, and ")[1].split(" of at most")[0])
            assert held <= hidden


# --------------------------------------------------------------------------------- live training


def test_live_loss_shows_and_goes(front):
    front("jupyter")
    InteractiveShell.instance()
    with capture_output() as captured, live_loss("Training") as report:
        for step in range(1, 40):
            report(step, {"loss": 1 / step})
    assert captured.stderr == ""


def test_live_loss_without_a_front_end_is_silent():
    with live_loss("Training") as report:
        assert report is None


def test_show_without_a_front_end_is_the_summary(capsys):
    surface.show(decay_weights(0.5))
    assert "Half of an input is gone" in capsys.readouterr().out
