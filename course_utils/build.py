"""`course build`: notebooks executed in a fresh kernel and written back in one normal form.

Stored outputs hold the Plotly figure, its summary and a PNG (GitHub and nbviewer draw no Plotly), of a machine its last step as a
PNG and all steps in words, and no widget state. Two builds in a row differ in nothing but the outputs of cells tagged `timing`.
"""

import base64
import html
import io
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import nbformat
import plotly.graph_objects as go
import plotly.io as pio
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from .files import write
from .front.surface import PLOTLY_MIME, WIDGET_MIME
from .machines.machine import WIDEST
from .machines.page import still
from .runtime import CourseError, cache

LARGEST_PNG = 60_000  # bytes
LARGEST_NOTEBOOK = 1_500_000
WIDTH = 760  # pixels
WIDGET_STATES = "application/vnd.jupyter.widget-state+json"
_NO_BROWSER = (
    "The pictures could not be drawn: {error}. They need kaleido and Chromium or Chrome (set BROWSER_PATH if it is not found); "
    "`course build --no-pictures` goes without."
)
KEPT = (
    "tags",
    "jp-MarkdownHeadingCollapsed",
)  # of a cell's metadata; the second folds what is under a heading in JupyterLab


class BuildError(CourseError):
    """A notebook that cannot be built; the message names the cell."""


def build(path: pathlib.Path, pictures: bool = True) -> None:
    """Execute one notebook and write it back. With `pictures`, needs kaleido and a Chromium."""
    try:
        old = nbformat.read(path, 4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise BuildError(f"{path.name} is not a notebook: {error}") from None
    new = execute(path)
    machines = _machines(new) if pictures else []
    normalise(new)
    if pictures:
        add_pictures(new, old)
        draw_machines(machines)
    text = nbformat.writes(new)
    length = len(text.encode())
    if length > LARGEST_NOTEBOOK:
        raise BuildError(f"{path.name} is {length} bytes, more than {LARGEST_NOTEBOOK}: draw fewer points.")
    write(path, text if text.endswith("\n") else text + "\n")


def execute(path: pathlib.Path, settings: Mapping[str, str] | None = None) -> nbformat.NotebookNode:
    """Run all cells in a fresh kernel, as a learner without earlier answers would; `settings`: of the environment."""
    notebook = nbformat.read(path, 4)
    with tempfile.TemporaryDirectory() as nobody:
        environment = {
            **os.environ,
            "COURSE_HOME": nobody,
            "JAX_COMPILATION_CACHE_DIR": str(cache() / "xla"),
            "COURSE_SIZE": "full",
            "TQDM_DISABLE": "1",
            "PYTHONHASHSEED": "0",
            **(settings or {}),
        }
        client = NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
        )
        try:
            client.execute(env=environment)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise BuildError(f"{path.name} does not run: {error}") from None
    return notebook


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Strip what differs between machines and runs: widget state, timestamps, kernel details."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    count = itertools.count(1)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in KEPT if cell.metadata.get(key)})
        if cell.cell_type == "code":
            for output in cell.outputs:
                if output.output_type == "stream" and output.name == "stderr":
                    first = cell.source.strip().splitlines()[0]
                    raise BuildError(
                        f"Cell {number} ({first!r}) writes to stderr, which a reader would see: {output.text[:400]}"
                    )
            cell.outputs = [output for output in map(_normal_output, cell.outputs) if output is not None]
            cell.execution_count = next(count)
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = cell.execution_count


def _normal_output(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    if "data" not in output:
        return output
    output.data.pop(WIDGET_MIME, None)
    output.metadata = nbformat.from_dict({})
    return output if any(output.data.values()) else None  # a view, or a training's curve that has gone


def add_pictures(notebook: nbformat.NotebookNode, before: nbformat.NotebookNode | None = None) -> None:
    """Give each Plotly output a PNG; one that has not changed since `before` keeps its old picture."""
    kept = (
        {_key(output): output.data["image/png"] for output in _figures(before) if "image/png" in output.data}
        if before
        else {}
    )
    missing = []
    for output in _figures(notebook):
        if _key(output) in kept:
            output.data["image/png"] = kept[_key(output)]
        else:
            missing.append(output)
    shown = [o.data[PLOTLY_MIME] for o in missing]
    drawn = [go.Figure({k: v for k, v in figure.items() if k in ("data", "layout")}) for figure in shown]
    for output, picture in zip(missing, render(drawn), strict=True):
        output.data["image/png"] = _stored(picture, output.data["text/plain"])


def _machines(notebook: nbformat.NotebookNode) -> list[tuple[nbformat.NotebookNode, dict[str, Any]]]:
    """The output that follows each view of a machine, and the machine as the view had it."""
    views = notebook.metadata.get("widgets", {}).get(WIDGET_STATES, {}).get("state", {})
    found = []
    for cell in notebook.cells:
        for view, static in itertools.pairwise(cell.get("outputs", [])):
            model = view.get("data", {}).get(WIDGET_MIME, {}).get("model_id")
            state = views.get(model, {}).get("state", {})
            spec = state.get("about") if state.get("kind") == "machine" else state.get("state", {}).get("machine")
            if spec:
                found.append((static, spec))
    return found


def draw_machines(machines: Sequence[tuple[nbformat.NotebookNode, Mapping[str, Any]]]) -> None:
    """Put a picture of each machine's last step above its steps in words."""
    if not machines:
        return
    with tempfile.TemporaryDirectory() as folder:
        for number, (output, spec) in enumerate(machines):
            page, picture = (pathlib.Path(folder) / f"{number}.{kind}" for kind in ("html", "png"))
            write(page, still(spec))
            _screenshot(page, picture, WIDEST + 20, int(spec["wide"][1]) + 260)
            drawn = _stored(_without_margin(picture.read_bytes()), spec["title"])
            image = f'<img class="course-picture" alt="{html.escape(spec["alt"])}" src="data:image/png;base64,{drawn}">'
            output.data["text/html"] = image + "".join(output.data["text/html"])


def _screenshot(page: pathlib.Path, picture: pathlib.Path, width: int, height: int) -> None:
    """A page as Chromium shows it."""
    chromium = _chromium() or os.environ.get("BROWSER_PATH", "chromium")
    sandbox = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    command = [
        chromium, "--headless", "--disable-gpu", "--hide-scrollbars", *sandbox, f"--window-size={width},{height}",
        "--virtual-time-budget=3000", f"--screenshot={picture}", page.as_uri(),
    ]  # fmt: skip
    try:
        subprocess.run(command, capture_output=True, check=True, timeout=60)
        if not picture.exists():
            raise FileNotFoundError("Chromium wrote no picture")
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(_NO_BROWSER.format(error=error)) from error


def _without_margin(picture: bytes) -> bytes:
    """A PNG without the white below its drawing."""
    from PIL import Image, ImageChops

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    box = ImageChops.difference(image, Image.new("RGB", image.size, "white")).getbbox() or (0, 0, *image.size)
    cut = io.BytesIO()
    image.crop((0, 0, image.width, min(box[3] + 8, image.height))).save(cut, "PNG")
    return cut.getvalue()


def _figures(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [
        output
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if PLOTLY_MIME in output.get("data", {})
    ]


def _stored(picture: bytes, what: str) -> str:
    """A PNG as a notebook keeps it; `what` it shows, for the error where it is too large."""
    picture = _fewer_colours(picture)
    if len(picture) > LARGEST_PNG:
        raise BuildError(f"The picture of {what[:60]!r} has {len(picture)} bytes, over {LARGEST_PNG}.")
    return base64.b64encode(picture).decode()


def _fewer_colours(picture: bytes) -> bytes:
    """A PNG with a palette of 128 colours: for figures as good, and a third of the size."""
    from PIL import Image

    small = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(128).save(small, "PNG", optimize=True)
    return small.getvalue()


def _key(output: nbformat.NotebookNode) -> str:
    return json.dumps(output.data[PLOTLY_MIME], sort_keys=True)


def render(figures: Sequence[go.Figure], form: str = "png") -> list[bytes]:
    """Figures as pictures, drawn by kaleido in a Chromium."""
    if not figures:
        return []
    chromium = _chromium()
    if chromium:
        os.environ.setdefault("BROWSER_PATH", chromium)
    try:
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder) / f"{i}.{form}" for i in range(len(figures))]
            heights = [figure.layout.height or 450 for figure in figures]  # type: ignore[attr-defined]
            pio.write_images([*figures], file=[*map(str, paths)], width=WIDTH, height=heights)
            return [path.read_bytes() for path in paths]
    except Exception as error:  # kaleido raises many kinds
        raise BuildError(_NO_BROWSER.format(error=error)) from error


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
