import base64
import html
import io
import json
import struct
import zlib

import nbformat
import plotly.graph_objects as go
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils import build as module
from course_utils.build import BuildError, build
from course_utils.front.surface import PLOTLY_MIME, WIDGET_MIME
from course_utils.machines.memory import fading_number

SOURCE = """
from course_utils.figures.memory import decay_weights
from course_utils.widgets.explore import explore, slider
explore(decay_weights, decay=slider("decay", 0, 1, 0.1, value=0.5))
"""


@pytest.fixture
def notebook(tmp_path):
    def write(*sources):
        path = tmp_path / "99_test.ipynb"
        cells = [new_markdown_cell("# Test"), *(new_code_cell(source) for source in sources)]
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return write


def tiny_png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"\x00\xff\xff\xff")
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def painter(monkeypatch):
    """Stands for kaleido and its browser: counts what it is asked to draw."""
    drawn = []

    def render(figures):
        drawn.extend(figures)
        return [tiny_png()] * len(figures)

    monkeypatch.setattr(module, "render", render)
    monkeypatch.setattr(module, "_fewer_colours", lambda picture: picture)
    return drawn


def test_two_builds_in_a_row_differ_in_nothing(notebook, painter):
    path = notebook(SOURCE, "print('a')\nprint('b')", "import os; os.environ['COURSE_HOME'] != ''")
    build(path)
    first = path.read_text()
    assert len(painter) == 1
    build(path)
    assert path.read_text() == first
    assert len(painter) == 1  # an unchanged figure keeps its picture


def test_what_is_stored(notebook, painter):
    path = notebook(SOURCE)
    build(path)
    stored = nbformat.read(path, 4)
    nbformat.validate(stored)
    (output,) = stored.cells[1].outputs
    assert set(output.data) == {PLOTLY_MIME, "text/plain", "image/png"}
    assert "Half of an input is gone" in output.data["text/plain"]
    assert base64.b64decode(output.data["image/png"]) == tiny_png()
    assert "widgets" not in stored.metadata
    assert WIDGET_MIME not in path.read_text()
    assert [cell.id for cell in stored.cells] == ["cell-00", "cell-01"]
    assert "execution" not in json.dumps([cell.metadata for cell in stored.cells])
    assert stored.cells[1].execution_count == 1  # nbval takes a cell without one for a cell never run


MACHINE = "from course_utils.machines.memory import fading_number\nfrom course_utils.front.surface import show\nshow(fading_number())"


def test_a_machine_is_stored_as_a_picture_above_its_steps_in_words(notebook, painter, monkeypatch):
    pytest.importorskip("PIL")
    pages = []

    def screenshot(page, picture, width, height):
        pages.append(page.read_text(encoding="utf-8"))
        picture.write_bytes(tiny_png())

    monkeypatch.setattr(module, "_screenshot", screenshot)
    path = notebook(MACHINE)
    build(path)
    (output,) = nbformat.read(path, 4).cells[1].outputs
    assert set(output.data) == {"text/plain", "text/html"}
    stored = output.data["text/html"]
    assert stored.startswith('<img class="course-picture" alt="')
    assert base64.b64decode(stored.split("base64,")[1].split('"')[0])[:4] == b"\x89PNG"
    assert all(f"<p>{html.escape(line)}</p>" in stored for line in output.data["text/plain"].splitlines())
    (page,) = pages
    spec = fading_number().spec()
    assert f"{{ step: {len(spec['variants'][0]['steps']) - 1} }}" in page  # the last one
    assert "import " not in page
    monkeypatch.setattr(module, "LARGEST_PNG", 10)
    with pytest.raises(BuildError, match="over 10"):
        build(path)


def test_a_browser_that_draws_no_machine_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")
    with pytest.raises(BuildError, match="need kaleido and Chromium"):
        module._screenshot(tmp_path / "a.html", tmp_path / "a.png", 100, 100)


def test_what_is_white_below_a_drawing_is_cut_off():
    Image = pytest.importorskip("PIL.Image")
    image = Image.new("RGB", (40, 100), "white")
    image.putpixel((20, 30), (0, 0, 0))
    whole = io.BytesIO()
    image.save(whole, "PNG")
    assert Image.open(io.BytesIO(module._without_margin(whole.getvalue()))).size == (40, 39)


def test_an_earlier_answer_of_the_author_does_not_reach_a_build(notebook, painter, tmp_path):
    from course_utils.teaching.progress import progress

    progress().record("ch00", "quiz", "ch00-print", 1, False)
    path = notebook("from course_utils.teaching import my_progress\nmy_progress()")
    build(path)
    assert "Nothing answered yet" in path.read_text()


def test_a_cell_that_fails_or_warns_is_refused_and_the_notebook_left_as_it_was(notebook, painter):
    for source, words in (
        ("1 / 0", "ZeroDivisionError"),
        ("import warnings; warnings.warn('mind')", "stderr"),
    ):
        path = notebook(source)
        before = path.read_text()
        with pytest.raises(BuildError, match=words):
            build(path)
        assert path.read_text() == before


def test_a_picture_or_a_notebook_that_is_too_large_is_refused(notebook, painter, monkeypatch):
    path = notebook(SOURCE)
    monkeypatch.setattr(module, "LARGEST_PNG", 10)
    with pytest.raises(BuildError, match="over 10"):
        build(path)
    monkeypatch.setattr(module, "LARGEST_PNG", 60_000)
    monkeypatch.setattr(module, "LARGEST_NOTEBOOK", 1000)
    with pytest.raises(BuildError, match="draw fewer points"):
        build(path)


def test_without_a_browser_the_builder_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")
    figure = go.Figure()
    with pytest.raises(BuildError, match="need kaleido and Chromium"):
        module.render([figure])


def test_a_view_and_a_curve_that_has_gone_are_dropped():
    for nothing in ({WIDGET_MIME: {"model_id": "1"}}, {"text/html": ""}):
        assert module._normal_output(new_output("display_data", nothing)) is None
    kept = new_output("display_data", {WIDGET_MIME: {}, "text/plain": "A figure."})
    assert set(module._normal_output(kept).data) == {"text/plain"}
