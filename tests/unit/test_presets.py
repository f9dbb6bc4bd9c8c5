"""Presets and what is dragged: every explorer opens on its case, and what the presets promise is what is drawn."""

import numpy as np
import pytest
from flax import nnx

from course_utils.experiments import ch01 as ch01_experiment
from course_utils.experiments import ch03 as ch03_experiment
from course_utils.experiments import ch06 as ch06_experiment
from course_utils.experiments import ch07 as ch07_experiment
from course_utils.experiments import recorded, translators
from course_utils.experiments.results.ch02 import Flow, FlowMoment
from course_utils.measure.gates import NumberUnits
from course_utils.widgets import ch00, ch01, ch02, ch03, ch04, ch05, ch06, ch07


def attentive():
    return translators.translator(nnx.Rngs(0), hidden=8, embed=8, reading="both", score="additive")


def units():
    correlation, accuracy = np.linspace(-0.6, 0.9, 64), np.ones(64)
    accuracy[37] = 0.5
    return ch03.units(ch03_experiment.language_model("LSTM", nnx.Rngs(0)), NumberUnits(correlation, accuracy, 1.0))


def flow():
    return recorded("ch02").flow


MAKERS = {
    "fading": ch00.fading_memory, "paths": ch05.paths, "sentences": ch00.sentence_maker,
    "steps": lambda: ch01.step_through(ch01_experiment.language_model(nnx.Rngs(0))),
    "twins": lambda: ch01.twins({"x": ch01_experiment.language_model(nnx.Rngs(0))}),
    "jacobians": ch02.jacobian_product, "cliff": ch02.cliff,
    "cut": ch02.cliff_cut, "circle": ch02.circle, "flow": lambda: ch02.gradient_flow(flow()),
    "playground": ch03.playground, "retention": ch03.gradient_retention, "units": units,
    "side by side": lambda: ch04.side_by_side({"fixed context": translators.translator(nnx.Rngs(0), hidden=8, embed=8)}),
    "curves": lambda: ch04.bleu_by_length(ch04.recorded_curves(recorded("ch04")), "128 units", "128 units, reversed"),
    "recency": lambda: ch04.recency(recorded("ch04").kept, "untrained", "forward"),
    "alignments": lambda: ch05.alignments(attentive()), "scores": lambda: ch05.scores(recorded("ch05").variants),
    "soft": lambda: ch05.soft_to_hard(attentive(), recorded("ch05").temperature_bleu),
    "dictionary": ch06.soft_dictionary, "root": ch06.root_of_d, "masks": ch06.mask_builder, "positions": ch06.positions,
    "heads": lambda: ch06.heads(ch06_experiment.language_model(nnx.Rngs(0))),
    "stages": lambda: ch07.stages(ch07_experiment.transformer(nnx.Rngs(0), width=16, heads=2)),
    "pictures": lambda: ch07.pictures(ch07_experiment.picture_reader(nnx.Rngs(0))),
}  # fmt: skip


@pytest.mark.each
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_presets_draw_each_something_else_and_what_is_dragged_follows(make):
    e = make()
    drawn = {name: e.figure(**values).to_json() for name, values in e.presets.items()}
    assert len(drawn) >= 2
    assert len(set(drawn.values())) == len(drawn)
    assert all(len(name) < 45 for name in drawn)
    e.redraw()
    assert e._live.state["preset"] == next(iter(drawn))
    for number, drag in enumerate(e.drags):
        for values in e.presets.values():
            e.set(**values)
            x, y = drag.place(**e.values)
            e._hear({"kind": "drag", "handle": number, "x": x, "y": y, "turn": "a 1"})
            again = drag.place(**e.values)
            near = [abs(a - b) for a, b in zip((x, y), again, strict=True) if a is not None]
            assert all(off < 1 for off in near), (values, (x, y), again)


def test_the_half_life_is_dragged():
    e = MAKERS["fading"]()
    for steps in (1, 3.0, 13.5, 30):
        e.set(**e.drags[0].sets(steps, None, **e.values))
        assert e.drags[0].place(**e.values)[0] == pytest.approx(steps, rel=0.12)
    e.set(decay=1)
    assert e.drags[0].place(**e.values) == (ch00.REMEMBERED, None)


def test_a_query_that_is_drawn_to_the_edge_keeps_its_length_along_it():
    e = MAKERS["dictionary"]()
    e.set(length=10)
    x, y = e.drags[0].place(**e.values)
    e.set(**e.drags[0].sets(-y, x, **e.values))
    assert (e.values["angle"], e.values["length"]) == (110, 10)
    e.set(**e.drags[0].sets(0.0, -1.0, **e.values))
    assert (e.values["angle"], e.values["length"]) == (270, 1)


def test_each_gate_is_dragged_by_itself():
    e = MAKERS["playground"]()
    for number, name in enumerate(("f_quiet", "f_mark", "i_quiet", "i_mark")):
        before = dict(e.values)
        e._hear({"kind": "drag", "handle": number, "x": 1.0, "y": 0.9, "turn": "a 1"})
        assert e.values == {**before, name: 0.9}
    places = {drag.place(**e.values) for drag in e.drags}
    assert len(places) == 4


def test_find_the_unit_opens_on_the_unit_and_a_click_on_another_chooses_it():
    e = units()
    assert e.values["unit"] == 37
    e._hear({"kind": "click", "x": 0.9, "y": 1.0, "turn": "a 1"})
    assert e.values["unit"] == 63
    e._hear({"kind": "click", "x": 3, "y": -0.2, "turn": "a 2"})  # a word of the left panel
    assert e.values["unit"] == 63


def test_a_word_of_the_alignment_is_chosen_in_the_map_and_below_the_arcs():
    e = MAKERS["alignments"]()
    assert "European economic area" in " ".join(e.controls["picked"].choices)
    for view in ("map", "arcs"):
        e.set(view=view)
        for word in (1, 2):
            e.set(word=word)
            x, y = e.drags[0].place(**e.values)
            e.set(word=5)
            e._hear({"kind": "click", "x": x, "y": y, "turn": "a 1"})
            assert e.values["word"] == word


def test_presets_of_the_gradient_say_when_it_was_largest_at_the_first_position():
    names = list(MAKERS["flow"]().presets)
    assert names == ["40 updates", "60 updates", "0 updates", "500 updates"]
    rows = {n: FlowMoment(gradient=np.array([[1.0 / (1 + n), 1.0]]), accuracy=np.array([0.5])) for n in (0, 20, 40)}
    assert list(ch02.gradient_flow(Flow(delay=2, by_updates=rows)).presets) == ["0 updates", "20 updates", "40 updates"]


def test_pictures_open_where_a_sign_finds_the_other():
    e = MAKERS["pictures"]()
    e.set(picture=2, patch=1)
    assert e.drags[0].place(**e.values) == (0, 0)
    e.set(**e.drags[0].sets(1.2, 2.9, **e.values))
    assert e.values["patch"] == 14


def test_the_window_of_a_mask_may_be_any():
    title = lambda **values: MAKERS["masks"]().figure(**values).layout.meta["summary"]
    assert title(causal=False, padding=False, window=0).endswith("64 of 64 pairs are allowed.")
    assert title(causal=False, padding=False, window=1).endswith("22 of 64 pairs are allowed.")
