"""How soon an explorer answers: from the key or choice to the repainted figure, in JupyterLab in Chromium.

Every control of every explorer of every notebook is moved, twenty times or as often as it has values; the table
gives milliseconds per explorer (p50, p95) over all its moves, the goal being a p95 of at most 120. Needs Chromium.
"""

import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from frontends import CHROMIUM_FLAGS, chromium, jupyter, open_notebook  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

GOAL = 120  # milliseconds
MOVES = """async ([index, moves]) => {
  const explorer = document.querySelectorAll('.course-explorer')[index];
  const shown = () => explorer.querySelector('.js-plotly-plot')?.layout?.meta?.summary;
  const spent = [];
  const timed = async (act, place) => {
    const before = shown(), was = place(), start = performance.now();
    act();
    if (place() === was) return; // at its end already
    while (shown() === before && performance.now() - start < 2000)
      await new Promise((resolve) => requestAnimationFrame(resolve));
    spent.push(shown() === before ? null : performance.now() - start); // null: late, or there was nothing new to draw
    await new Promise((resolve) => setTimeout(resolve, 120));
  };
  for (const handle of explorer.querySelectorAll('.noUi-handle')) {
    handle.setAttribute('data-lm-suppress-shortcuts', 'true');
    handle.focus();
    for (let i = 0; i < moves; i++)
      await timed(() => handle.dispatchEvent(new KeyboardEvent('keydown', {
        key: 'ArrowRight', code: 'ArrowRight', keyCode: 39, which: 39, bubbles: true })),
        () => handle.getAttribute('aria-valuetext'));
  }
  for (const list of explorer.querySelectorAll('select'))
    for (let i = 0; i < Math.min(moves, 3 * list.options.length); i++)
      await timed(() => {
        list.selectedIndex = (list.selectedIndex + 1) % list.options.length;
        list.dispatchEvent(new Event('change', { bubbles: true }));
      }, () => list.selectedIndex);
  for (const box of explorer.querySelectorAll('input[type=checkbox]'))
    for (let i = 0; i < 6; i++) await timed(() => box.click(), () => box.checked);
  return spent;
}"""


def same(moved: list[float | None]) -> str:
    """How many moves left the figure as it was for two seconds: beyond the end of a sentence there is nothing to show."""
    return f" ({moved.count(None)} moves changed nothing)" if None in moved else ""


def main() -> None:
    worst = 0.0
    print(f"{'p50':>6} {'p95':>6}  moves  explorer (milliseconds, JupyterLab in Chromium)")
    with (
        tempfile.TemporaryDirectory() as folder,
        jupyter(pathlib.Path(folder), "full") as address,
        sync_playwright() as p,
    ):
        browser = p.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
            page = browser.new_page(viewport={"width": 1000, "height": 1400})
            opened = open_notebook(page, address, pathlib.Path(folder), "lab", path)
            opened.run_all()
            for index, explorer in enumerate(page.locator(".course-explorer").all()):
                explorer.scroll_into_view_if_needed()
                opened.idle()
                moved = page.evaluate(MOVES, [index, 20])
                times = [time for time in moved if time is not None]
                if not times:
                    print(f"{'':13}      0  {path.stem} {index}: nothing but text to type")
                    continue
                p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
                worst = max(worst, p95)
                print(
                    f"{statistics.median(times):6.0f} {p95:6.0f}  {len(times):5}  {path.stem} {index}{same(moved)}",
                    flush=True,
                )
            page.close()
        browser.close()
    print(f"largest p95: {worst:.0f} ms; goal {GOAL} ms")


if __name__ == "__main__":
    main()
