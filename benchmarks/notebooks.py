"""How long each notebook takes from its first cell to its last, and how much memory its kernel needs.

    python benchmarks/notebooks.py [--out FILE] [notebook …]

Each is run twice in a fresh kernel, with an empty folder for compiled programs and models (`cold`), and again (`warm`).
Memory is what the kernel held after the set-up cell (`rest`) and at most (`peak`), in megabytes.
"""

import argparse
import datetime
import json
import os
import pathlib
import tempfile
import time

import nbformat
from machine import processor
from nbclient import NotebookClient

ROOT = pathlib.Path(__file__).parents[1]
HELD = """
import psutil as _psutil, resource as _resource
print(_psutil.Process().memory_info().rss, 1024 * _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss)
"""


def run(path: pathlib.Path) -> dict[str, float]:
    """Seconds of all cells, and megabytes at rest and at the peak."""
    notebook = nbformat.read(path, 4)
    first = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    asked = [nbformat.v4.new_code_cell(HELD) for _ in range(2)]
    notebook.cells.insert(first + 1, asked[0])
    notebook.cells.append(asked[1])
    start = time.perf_counter()
    quiet = ["--log-level=ERROR"]  # what a kernel says of itself does not belong in the table
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=900, resources=where, extra_arguments=quiet).execute()
    seconds = time.perf_counter() - start
    (rest, _), (_, peak) = (map(int, cell.outputs[0].text.split()) for cell in asked)
    return {"seconds": round(seconds, 1), "rest": round(rest / 1e6), "peak": round(peak / 1e6)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, help="a file for the numbers, as JSON")
    parser.add_argument("notebooks", nargs="*", type=pathlib.Path)
    given = parser.parse_args()
    found = {}
    print("   cold    warm  at rest    peak  notebook (seconds; megabytes)")
    for path in given.notebooks or sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        with tempfile.TemporaryDirectory() as home:
            os.environ.update(COURSE_HOME=home, TQDM_DISABLE="1")
            cold, warm = run(path), run(path)
        print(
            f"{cold['seconds']:7.0f} {warm['seconds']:7.0f} {warm['rest']:8} {warm['peak']:7}  {path.stem}", flush=True
        )
        found[path.stem] = {"cold": cold, "warm": warm}
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        about = {"date": f"{datetime.date.today():%Y-%m-%d}", "processor": processor(), "processors": os.cpu_count()}
        given.out.write_text(json.dumps({**about, "notebooks": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
