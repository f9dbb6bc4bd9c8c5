"""How soon an explorer answers: from the key or choice to the repainted figure, in JupyterLab in Chromium.

Every control of every explorer of every notebook is moved, twenty times or as often as it has values; the table gives
milliseconds per explorer (p50, p95) over all its moves. Needs Chromium.

With `--old` each move is made twice, here and in the renderer that was replaced (`old_renderer.py`), taking turns in one run:
the table then has both and their ratios, of which the geometric means are to be at most 0.75 (p50) and 0.8 (p95).
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

import nbformat

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from frontends import CHROMIUM_FLAGS, chromium, jupyter, open_notebook  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

GOALS = 60, 100  # milliseconds: p50, p95
AT_MOST = 0.75, 0.8  # of the old renderer's: geometric means of the ratios of p50 and p95
EXPLORERS = (
    ".course-explorer:not(:has(.machine))"  # a machine there follows typed words alone, or is drawn without Plotly
)
MOVES = """async ([explorers, index, moves, old]) => {
  const explorer = document.querySelectorAll(explorers)[index];
  const before = document.querySelectorAll('.course-old')[index];
  const spent = { now: [], old: [] };
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const timed = async (kind, shown, act, place) => {
    const first = shown(), was = place(), start = performance.now();
    act();
    if (place() === was) return; // at its end already
    while (shown() === first && performance.now() - start < 2000) await frame();
    spent[kind].push(shown() === first ? null : performance.now() - start); // null: late, or there was nothing new to draw
    await new Promise((resolve) => setTimeout(resolve, 120));
  };
  const said = () => explorer.querySelector('.course-summary').textContent; // written when the figure is drawn
  const drawn = () => before.querySelector('.js-plotly-plot')?.layout?.meta?.summary;
  const heard = (element, event) => element.dispatchEvent(new Event(event, { bubbles: true }));
  const ways = {
    'input[type=range]': (bar) => [() => { bar.stepUp(); heard(bar, 'input'); }, () => bar.value],
    '.noUi-handle': (handle) => {
      handle.setAttribute('data-lm-suppress-shortcuts', 'true');
      return [() => { handle.focus(); handle.dispatchEvent(new KeyboardEvent('keydown', {
        key: 'ArrowRight', code: 'ArrowRight', keyCode: 39, which: 39, bubbles: true })); }, () => handle.getAttribute('aria-valuetext')];
    },
    'select': (list) => [() => { list.selectedIndex = (list.selectedIndex + 1) % list.options.length; heard(list, 'change'); },
      () => list.selectedIndex],
    'input[type=checkbox]': (box) => [() => box.click(), () => box.checked],
  };
  const box = 'input[type=checkbox]', pairs = [['input[type=range]', '.noUi-handle', moves], ['select', 'select', moves], [box, box, 6]];
  for (const [mine, theirs, most] of pairs) {
    const others = old ? [...before.querySelectorAll(theirs)] : [];
    for (const [place, control] of [...explorer.querySelectorAll(mine)].entries()) {
      const count = mine === 'select' ? Math.min(most, 3 * control.options.length) : most;
      for (let i = 0; i < count; i++) {
        await timed('now', said, ...ways[mine](control));
        if (old) await timed('old', drawn, ...ways[theirs](others[place]));
      }
    }
  }
  return spent;
}"""


def summed_up(moved: list[float | None]) -> tuple[float, float] | None:
    """p50 and p95 of the moves that changed something."""
    times = [time for time in moved if time is not None]
    if not times:
        return None
    return statistics.median(times), statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


def copy_with_old(path: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """The notebook with a cell after its set-up that shows the old renderer beside the new one."""
    notebook = nbformat.read(path, 4)
    setup = next(i for i, cell in enumerate(notebook.cells) if cell.source.endswith("runtime.setup()"))
    lines = f"import sys\nsys.path.insert(0, {str(ROOT / 'benchmarks')!r})\nimport old_renderer\nold_renderer.install()"
    notebook.cells.insert(setup + 1, nbformat.v4.new_code_cell(lines))
    copy = folder / path.name
    nbformat.write(notebook, copy)
    return copy


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--old", action="store_true", help="take turns with the old renderer")
    arguments.add_argument("--chapters", nargs="*", default=[], help="such as 00 03; all without it")
    arguments.add_argument("--explorers", type=int, default=99, help="at most so many of a notebook")
    arguments.add_argument("--moves", type=int, default=20)
    arguments.add_argument("--size", default="full", choices=("full", "quick"))
    chosen = arguments.parse_args()
    notebooks = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    ratios: list[tuple[float, float]] = []
    print(
        f"{'p50':>6} {'p95':>6}"
        + ("   old p50    p95   ratios    " if chosen.old else "")
        + "  explorer (milliseconds)"
    )
    with (
        tempfile.TemporaryDirectory() as name,
        jupyter(pathlib.Path(name) / "server", chosen.size) as address,
        sync_playwright() as p,
    ):
        folder = pathlib.Path(name)
        browser = p.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        for path in (path for path in notebooks if not chosen.chapters or path.name[:2] in chosen.chapters):
            page = browser.new_page(viewport={"width": 1000, "height": 1400})
            shown = copy_with_old(path, folder) if chosen.old else path
            opened = open_notebook(page, address, folder / "server", "lab", shown)
            opened.run_all()
            for index, explorer in enumerate(page.locator(EXPLORERS).all()[: chosen.explorers]):
                explorer.scroll_into_view_if_needed()
                opened.idle()
                moved = page.evaluate(MOVES, [EXPLORERS, index, chosen.moves, chosen.old])
                now, old = summed_up(moved["now"]), summed_up(moved["old"])
                if now is None:
                    print(f"{'':13}  {path.stem} {index}: nothing but text to type")
                    continue
                line = f"{now[0]:6.0f} {now[1]:6.0f}"
                if old is not None:
                    ratios.append((now[0] / old[0], now[1] / old[1]))
                    line += f"    {old[0]:6.0f} {old[1]:6.0f}   {ratios[-1][0]:.2f} {ratios[-1][1]:.2f}   "
                print(f"{line}  {path.stem} {index}", flush=True)
            page.close()
        browser.close()
    print(f"goals: medians {GOALS[0]} ms, p95 {GOALS[1]} ms")
    if ratios:
        means = [statistics.geometric_mean(column) for column in zip(*ratios, strict=True)]
        print(
            f"geometric means of the ratios: p50 {means[0]:.2f} (at most {AT_MOST[0]}), p95 {means[1]:.2f} ({AT_MOST[1]})"
        )
        print(f"largest ratio of medians: {max(median for median, _ in ratios):.2f} (at most 1)")


if __name__ == "__main__":
    main()
