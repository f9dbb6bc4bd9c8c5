"""Colab's versions in a browser: Notebook 6 with ipywidgets 7, and every figure as Plotly 5 writes it."""

import base64
import json
import os
import pathlib
import subprocess

import nbformat
import numpy as np
import pytest
from frontends import notebook_6
from playwright.sync_api import expect

from course_utils.front import modules
from course_utils.front.surface import PLOTLY_MIME

ROOT = pathlib.Path(__file__).parents[2]
PYTHON = pathlib.Path(os.environ.get("COLAB_PYTHON", ROOT / ".venv-colab" / "bin" / "python"))
needs_colabs = pytest.mark.skipif(not PYTHON.exists(), reason="make test-colab makes the environment")
CELLS = (
    "from course_utils import runtime\nruntime.setup()",
    "from course_utils.widgets import ch00\nch00.fading_memory()",
    "from course_utils.machines.recurrence import looped\nfrom course_utils.experiments.ch00 import well_trained\n"
    "from course_utils.widgets.sentences import typed\ntyped(looped, well_trained().model)",
    "from course_utils.teaching.quiz import quiz\nquiz('ch00')",
)


@needs_colabs
@pytest.mark.parametrize("told", [{}, {"VSCODE_PID": "1"}], ids=["notebook", "as VS Code is told"])
def test_notebook_6_shows_moves_answers_and_saves(page, tmp_path, monkeypatch, told):
    """VS Code gets one bundle with the view and what is static, and loads anywidget's module for Notebook 6 as done here."""
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path = tmp_path / "t.ipynb"
    nbformat.write(nbformat.convert(notebook, 4), path)
    outside = []
    with notebook_6(tmp_path, PYTHON) as address:
        page.on(
            "request",
            lambda request: request.url.startswith((address, "data:", "blob:")) or outside.append(request.url),
        )
        page.goto(f"{address}/notebooks/t.ipynb")
        page.wait_for_function("window.Jupyter?.notebook?.kernel?.is_connected?.()", timeout=60_000)
        page.wait_for_timeout(1500)
        page.evaluate("Jupyter.notebook.execute_all_cells()")
        explorer = page.locator(".course-explorer").first
        explorer.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=60_000)
        explorer.locator("input[type=range]").focus()
        page.keyboard.press("ArrowRight")  # which selects another cell where nobody keeps it
        expect(explorer.locator(".course-summary")).to_contain_text("Decay 0.901")
        expect(explorer.locator("input[type=number]")).to_have_value("0.901")
        line = page.locator(".course-explorer input[type=text]")
        line.fill("the cats near the dog")
        line.press("Enter")
        machine = page.locator(".course-drawing .machine")
        expect(machine.locator("[data-id=w1]")).to_contain_text("cats")
        form = page.locator("form.ch00-weight")
        form.locator("input").fill("0,128")
        form.locator("button[type=submit]").click()
        expect(form.locator(".course-said")).to_contain_text("✓")
        expect(page.locator(".output_area .js-plotly-plot:visible")).to_have_count(1)  # the static one is hidden
        page.evaluate("Jupyter.notebook.save_notebook()")
        page.wait_for_timeout(1500)
    assert "Half of an input is gone" in path.read_text(encoding="utf-8")
    assert [url for url in outside if url.startswith("http")] == []


def stored():
    """Every figure that a notebook holds."""
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        for cell in nbformat.read(path, 4).cells:
            for output in cell.get("outputs", []):
                if PLOTLY_MIME in output.get("data", {}):
                    figure = output.data[PLOTLY_MIME]
                    yield {"data": figure["data"], "layout": figure["layout"]}


def unpacked(value):
    """Arrays as lists, which is all that Plotly 5 reads."""
    if isinstance(value, dict) and "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), np.dtype(value["dtype"]))
        shape = [int(length) for length in str(value.get("shape", array.size)).split(",")]
        return array.reshape(shape).tolist()
    if isinstance(value, dict):
        return {name: unpacked(inner) for name, inner in value.items()}
    return [unpacked(inner) for inner in value] if isinstance(value, list) else value


AGAIN = """
import json, sys, plotly.graph_objects as go, plotly.io as pio
assert __import__("plotly").__version__.startswith("5.24")
print(json.dumps([json.loads(pio.to_json(go.Figure(figure), validate=False)) for figure in json.load(sys.stdin)]))
"""
DRAW = """async (figures) => {
  const faults = [];
  for (const [place, figure] of figures.entries()) {
    const plot = document.body.appendChild(document.createElement("div"));
    try {
      await $figure.draw(plot, figure);
      const marks = [".trace", "image", ".shapelayer path", ".annotation text"].map((mark) => `.main-svg ${mark}`).join();
      if (!plot.querySelector(marks)) faults.push([place, "empty"]);
      const unknown = plot._fullData.filter((trace, i) => trace.type !== (figure.data[i].type ?? "scatter"));
      if (unknown.length) faults.push([place, unknown.map((trace) => trace.type)]);
    } catch (error) { faults.push([place, String(error)]); }
    plot.remove();
  }
  return faults;
}"""


@pytest.mark.parametrize("version", ["default", pytest.param("5.24", marks=needs_colabs)])
def test_the_part_of_plotly_that_ships_draws_every_figure(page, version):
    figures = list(stored())
    assert len(figures) > 60
    if version != "default":
        given = json.dumps(unpacked(figures))
        done = subprocess.run([PYTHON, "-c", AGAIN], input=given, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        figures = json.loads(done.stdout)
    page.set_content("<body></body>")
    page.add_script_tag(content=modules.plotly())
    page.add_script_tag(content=modules.joined().replace('"use strict";', "").replace("const $", "var $"))
    assert page.evaluate(DRAW, figures) == []
