"""How long a learner waits: `make lab`, imports, the setup line, the first explorer. Run by `make bench`; never by the tests.

Each line is the median of three fresh starts on this machine, in seconds. Needs Chromium.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from frontends import CHROMIUM_FLAGS, IDLE, answers_at, chromium, free_port  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

LAB = ("make lab: the server answers", "make lab: notebook 00 is open in Chromium, its kernel idle")

STEPS = {
    "import jax, flax, plotly, ipywidgets": "import jax, flax.nnx, plotly.graph_objects, ipywidgets",
    "the set-up cell of notebook 00, beyond that": (
        "from course_utils import runtime\nfrom course_utils.exercises import ch00 as ex\n"
        "from course_utils.teaching import my_progress, predict, quiz, reveal\nruntime.setup()"
    ),
    "the first explorer": "from course_utils.widgets import ch00\nch00.fading_memory()._repr_mimebundle_()",
    "the sentence maker": "ch00.sentence_maker()._repr_mimebundle_()",
    "the quiz": "quiz('ch00')._repr_mimebundle_()",
}


def once(home: str) -> list[float]:
    code = "import time, sys, io\nout = sys.stdout\nsys.stdout = io.StringIO()\n"
    for step in STEPS.values():
        code += f"start = time.perf_counter()\n{step}\nout.write(f'{{time.perf_counter() - start}}\\n')\n"
    environment = {**os.environ, "COURSE_HOME": home}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return [float(line) for line in result.stdout.split()]


def lab(browser, home: str) -> list[float]:
    """Seconds from `course lab` (what `make lab` calls) to a server, and to a notebook that can be run."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "notebooks").symlink_to(ROOT / "notebooks")
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", "from course_utils.cli import app; app()", "lab", "--", "--no-browser", "--allow-root",
             f"--port={port}", "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"],
            cwd=folder, env={**os.environ, "COURSE_HOME": home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            if not answers_at(f"http://127.0.0.1:{port}", process):
                sys.exit("course lab does not answer: there is nothing to time.")
            served = time.perf_counter() - start
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}/lab/tree/workbook/00_start_here.ipynb")
            page.wait_for_function(IDLE, timeout=60_000)
            opened = time.perf_counter() - start
            page.close()
        finally:
            process.terminate()
            process.wait(10)
    return [served, opened]


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        once(home)  # fills the compilation cache and the operating system's
        runs = [once(home) for _ in range(3)]
        with sync_playwright() as p:
            browser = p.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
            runs = [[*lab(browser, home), *run] for run in runs]
            browser.close()
    for name, times in zip([*LAB, *STEPS], zip(*runs, strict=True), strict=True):
        print(f"{statistics.median(times):7.3f}  {name}")


if __name__ == "__main__":
    main()
