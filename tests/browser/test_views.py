"""What moves and what stands for it: saved and reopened, run again, shown twice, without its kernel, with bad input."""

import json
import re

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from frontends import START, open_notebook
from playwright.sync_api import expect
from test_notebooks import ours

SETUP = "from course_utils import runtime\nruntime.setup()"
EXPLORER = """from course_utils.figures.memory import decay_weights
from course_utils.widgets.explore import Drag, explore, slider
import math
half = lambda decay: (math.log(0.5) / math.log(decay) if 0 < decay < 1 else 0.0, None)
presets = {"short": {"decay": 0.5}, "long": {"decay": 0.95}}
line = Drag("half-life", half, lambda x, y, decay: {"decay": min(0.5 ** (1 / max(x, 0.01)), 1)})
e = explore(decay_weights, presets=presets, drags=[line], decay=slider("decay", 0, 1, 0.01))
e"""
QUIZ = "from course_utils.teaching.quiz import predict, quiz\nquiz('ch01')"


@pytest.fixture
def opened(server, page, request, tmp_path):
    """`opened(*cells)` opens a notebook of these cells in a front end and runs it."""
    address, root = server

    def go(*cells, front="lab"):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (SETUP, *cells)])
        notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        path = tmp_path / f"{request.node.originalname[5:30]}.ipynb"
        nbformat.write(notebook, path)
        notebook_page = open_notebook(page, address, root, front, path)
        notebook_page.path = root / f"{front}_{path.name}"
        notebook_page.run_all()
        return notebook_page

    return go


def save(opened):
    opened.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    opened.page.wait_for_timeout(2000)


@pytest.mark.parametrize("front", ["lab", "notebook7"])
def test_saved_and_reopened_without_its_kernel_every_figure_and_question_is_there(opened, server, front):
    notebook = opened(EXPLORER, QUIZ, "e", front=front)
    page = notebook.page
    expect(page.locator(".course-explorer")).to_have_count(2)
    for static in page.locator(".jp-RenderedPlotly").all():
        expect(static).to_be_hidden()  # while the view lives
    save(notebook)
    text = notebook.path.read_text(encoding="utf-8")
    assert "widget-view" not in text
    assert "widgets" not in json.loads(text)["metadata"]
    assert len(text) < 300_000
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.goto(server[0] + START[front].format(notebook.path.name))
    page.locator(".jp-RenderedPlotly").nth(1).wait_for(timeout=30_000)
    expect(page.locator(".jp-RenderedPlotly:visible")).to_have_count(2)
    expect(page.get_by_text("Run this cell in a notebook to answer")).to_be_visible()
    expect(page.get_by_text("model not found")).to_have_count(0)
    assert notebook.outside == []


def test_two_views_of_one_explorer_follow_each_other_and_presets_and_handles_are_keyed(opened):
    page = opened(EXPLORER, "e").page
    first, second = page.locator(".course-explorer").all()
    expect(first.locator(".course-summary")).to_contain_text("Decay 0.5.")  # the first preset is what opens
    first.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    for view in (first, second):
        expect(view.locator(".course-summary")).to_contain_text("Decay 0.51")
        expect(view.locator("input[type=number]")).to_have_value("0.51")
        expect(view.locator(".course-preset[aria-pressed=true]")).to_have_count(0)
    second.get_by_role("button", name="long").focus()
    page.keyboard.press("Space")
    expect(first.locator(".course-summary")).to_contain_text("Decay 0.95")
    first.locator(".course-handle").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(first.locator(".course-summary")).not_to_contain_text("Decay 0.95")
    box = second.locator(".course-handle").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] - 150, box["y"] + 50, steps=10)
    page.mouse.up()
    expect(first.locator(".course-summary")).to_contain_text(re.compile(r"Decay 0\.[78]"))
    for number in page.locator("input[type=number]").all():
        assert len(number.input_value()) <= 4  # rounded
    assert ours(Axe().run(page)) == []


def test_a_cell_run_again_closes_what_it_showed_before(opened):
    widgets = "from ipywidgets.widgets.widget import _instances\nprint(len(_instances))"
    notebook = opened(EXPLORER, QUIZ, widgets)
    page, counts = notebook.page, []
    for _ in range(3):
        counts.append(int(page.locator(".jp-OutputArea-output").last.inner_text()))
        notebook.run_all()
    expect(page.locator(".course-explorer")).to_have_count(1)
    assert counts[0] == counts[2]
    assert counts[0] < 12  # the view of each cell, what they share, and the layouts that come with them


def test_what_is_closed_leaves_the_static_figure_and_a_dead_kernel_a_sentence(opened):
    notebook = opened(
        EXPLORER, "f = explore(decay_weights, decay=slider('decay', 0, 1, 0.01, value=0.3))\nf", "e._live.close()"
    )
    page = notebook.page
    expect(page.locator(".course-explorer")).to_have_count(1)
    expect(page.locator(".jp-RenderedPlotly:visible")).to_have_count(1)
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".course-summary")).to_contain_text("The kernel is busy or has ended", timeout=8000)


BAD = """import numpy as np, plotly.graph_objects as go
from course_utils.widgets.explore import choice
def draw(kind):
    if kind == "error":
        raise KeyError("a mistake")
    y = {"good": [1, 2], "many": np.zeros(100_000), "none": [np.nan] * 3, "infinite": [1.0, np.inf], "other": [3, 1]}[kind]
    return go.Figure(go.Scatter(y=y))
explore(draw, kind=choice("kind", ("good", "error", "many", "none", "infinite", "other")))"""


def test_what_cannot_be_drawn_is_a_sentence_and_never_an_old_figure(opened):
    page = opened(EXPLORER, BAD).page
    bad = page.locator(".course-explorer").nth(1)
    words, drawn = bad.locator(".course-summary"), bad.locator(".js-plotly-plot:visible")
    said = {
        "error": ("a mistake", 0),
        "many": ("100,000 points", 0),
        "none": ("not finite", 1),
        "infinite": ("not finite", 1),
    }
    for kind, (sentence, figures) in said.items():
        bad.locator("select").select_option(label=kind)
        expect(words).to_contain_text(sentence)
        expect(drawn).to_have_count(figures)
    bad.locator("select").select_option(label="other")
    expect(words).to_have_text("A figure.")
    expect(drawn).to_have_count(1)
    assert bad.locator(".js-plotly-plot").evaluate("e => Array.from(e.data[0].y)") == [3, 1]


LIVE = """import time
from course_utils.widgets.live import live_loss
with live_loss("Learning") as report:
    for step in range(1, 30):
        report(step, {"loss": 1 / step})
        time.sleep(0.1)"""


def test_a_training_shows_a_curve_that_goes(opened):
    notebook = opened(EXPLORER, LIVE)
    page = notebook.page
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    curve = page.locator(".course-figure:not(.course-explorer)")
    expect(curve.locator(".course-summary")).to_contain_text("updates the loss is", timeout=60_000)
    expect(curve.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    notebook.idle()
    expect(curve).to_have_count(0)
    save(notebook)
    assert nbformat.read(notebook.path, 4).cells[-1].outputs == []


HUNT = """import os
import tempfile
os.environ["COURSE_SIZE"] = "quick"
os.environ["COURSE_HOME"] = tempfile.mkdtemp()  # a learner who has not found it yet
from course_utils.teaching import hunt
hunt("ch03-hunt")"""


def test_a_hunt_is_found_by_keys_and_trains_only_when_its_button_is_pressed(opened):
    notebook = opened(HUNT)
    page, card = notebook.page, notebook.page.locator("form.ch03-hunt")
    train = card.get_by_role("button", name="Train it, as it is and mended")
    expect(train).to_be_hidden()
    card.get_by_role("radio", name="1 def lstm_step").focus()
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    expect(card.get_by_role("radio", name="7 C = (1 - f) * C")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(card.locator(".course-said").first).to_contain_text("Mended: C = f * C + i * candidate")
    expect(card.locator(".course-plot")).to_have_count(0)
    train.focus()
    page.keyboard.press("Enter")
    expect(train).to_have_attribute("aria-disabled", "true")
    expect(card.locator(".course-title")).to_have_text(
        "The mended code learns, the other one does not", timeout=120_000
    )
    expect(train).to_have_attribute("aria-disabled", "false")
    expect(train).to_be_focused()
    expect(card.locator(".course-summary")).to_contain_text("as it is 2.0")
    assert card.locator(".main-svg").count() > 0
    assert ours(Axe().run(page)) == []
    assert notebook.outside == []
