"""How long a learner waits: imports, the setup line, the first explorer. Run by `make bench`; never by the tests.

Each line is the median of three fresh Python processes on this machine, in seconds.
"""

import os
import statistics
import subprocess
import sys
import tempfile

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


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        once(home)  # fills the compilation cache and the operating system's
        runs = [once(home) for _ in range(3)]
    for name, times in zip(STEPS, zip(*runs, strict=True), strict=True):
        print(f"{statistics.median(times):7.3f}  {name}")


if __name__ == "__main__":
    main()
