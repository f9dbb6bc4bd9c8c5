"""Every notebook with `google.colab` simulated: what reaches the page, and what must not."""

import os
import pathlib

import nbformat
import pytest
from nbclient import NotebookClient

HERE = pathlib.Path(__file__).parent
NOTEBOOKS = sorted((HERE.parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
PLOTLY, WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def run(request, tmp_path_factory):
    """A notebook run on simulated Colab, twice through its setup cell: (executed notebook, calls made to Colab)."""
    folder = tmp_path_factory.mktemp("colab")
    notebook = nbformat.read(request.param, 4)
    setup = next(i for i, cell in enumerate(notebook.cells) if cell.source.endswith("runtime.setup()"))
    notebook.cells.insert(setup + 1, nbformat.v4.new_code_cell("runtime.setup()"))
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE / "simulated"),
        "COURSE_HOME": str(folder / "home"),
        "COURSE_SIZE": "quick",
        "COLAB_CALLS": str(folder / "calls"),
        "PYTHONWARNINGS": "error:Passing unrecognized arguments",
        "TQDM_DISABLE": "1",
    }
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(request.param.parent)}}
    ).execute(env=environment)
    return notebook, (folder / "calls").read_text().splitlines()


def outputs(notebook):
    return [(cell, output) for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_the_widget_manager_is_switched_on_once(run):
    assert run[1] == ["enable_custom_widget_manager"]


def test_figures_are_html_that_brings_its_own_plotly(run):
    notebook, _ = run
    assert not any(PLOTLY in output.get("data", {}) for _, output in outputs(notebook))
    pages = [o.data["text/html"] for _, o in outputs(notebook) if "plotly" in o.get("data", {}).get("text/html", "")]
    assert len(pages) >= 5
    for page in pages:
        assert page.count("<script") >= 2
        assert "cdn.plot.ly" in page
        assert len(page) < 400_000


def test_explorers_and_questions_are_widgets_with_a_fallback(run):
    notebook, _ = run
    bundles = [output.data for _, output in outputs(notebook) if WIDGET in output.get("data", {})]
    shown = [data for data in bundles if "text/html" in data]
    assert len(shown) >= 6


def test_nothing_is_printed_that_should_not_be(run):
    notebook, _ = run
    for cell, output in outputs(notebook):
        assert output.output_type != "error", cell.source
        assert output.get("name") != "stderr", (cell.source, output.text)
        if output.get("name") == "stdout":
            assert "runtime.setup()" in cell.source or "print(" in cell.source or "report()" in cell.source, cell.source
