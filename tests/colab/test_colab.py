"""Notebooks with `google.colab` simulated: what reaches the page, and what must not."""

import json
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
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE / "simulated"), os.environ.get("PYTHONPATH")])),
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

    shown = [output for _, output in outputs if "data" in output]
    assert not any(PLOTLY in output.data for output in shown)
    assert not any("cdn.plot.ly" in str(output.data) for output in shown)
    views = [output for output in shown if WIDGET in output.data]
    assert len(views) >= 11  # explorers, questions and figures
    for output in views:  # without this Colab's page shows an empty place, and the text in the bundle is all there is
        assert output.metadata[WIDGET]["colab"]["custom_widget_manager"]["url"].startswith("https://ssl.gstatic.com/")
        assert output.data.get("text/plain") or output.output_type == "display_data"
    stored = notebook.metadata.get("widgets", {})
    assert len(json.dumps(stored)) < 2_000_000  # what Colab saves with a notebook
