"""Notebooks with `google.colab` simulated: what reaches the page, and what must not."""

import os
import pathlib

import nbformat
import pytest
from nbclient import NotebookClient

HERE = pathlib.Path(__file__).parent
# Every kind of explorer, question and live training; that the others run there, nbval shows.
NOTEBOOKS = [next((HERE.parents[1] / "notebooks").glob(f"{number}_*.ipynb")) for number in ("00", "01", "05")]
PLOTLY, WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"


def run(path, folder):
    """A notebook run on simulated Colab, twice through its setup cell: (executed notebook, calls made to Colab)."""
    notebook = nbformat.read(path, 4)
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
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute(env=environment)
    return notebook, (folder / "calls").read_text().splitlines()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_reaches_the_page_in_colabs_way(path, tmp_path):
    notebook, calls = run(path, tmp_path)  # once for all that is asked of it: it takes half a minute
    assert calls == ["enable_custom_widget_manager"]
    outputs = [(cell, output) for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]

    for cell, output in outputs:  # nothing is printed that should not be
        assert output.output_type != "error", cell.source
        assert output.get("name") != "stderr", (cell.source, output.text)
        if output.get("name") == "stdout":
            assert "runtime.setup()" in cell.source or "print(" in cell.source or "report()" in cell.source, cell.source

    shown = [output.data for _, output in outputs if "data" in output]
    assert not any(PLOTLY in data for data in shown)
    pages = [data["text/html"] for data in shown if "plotly" in data.get("text/html", "")]
    assert len(pages) >= 5
    for page in pages:  # a figure is HTML that brings its own plotly
        assert page.count("<script") >= 2
        assert "cdn.plot.ly" in page
        assert len(page) < 400_000
    assert (
        sum(WIDGET in data and "text/html" in data for data in shown) >= 6
    )  # explorers and questions, with a fallback
