"""What nbval lets pass and the course does not; what it compares; what a notebook's own trainings must give.

nbval interrupts a cell that takes too long. A cell that catches the interruption then counts as passed, and every cell
after it is expected to fail: a notebook of which nothing was checked leaves the run green. Here the cell fails, the
cells after it are not run and fail too, and so does whatever else would end as expected failure or unexpected pass.

A figure is a nest of numbers, some trained: its summary in words is compared instead. A trained number differs between
processors and versions of jax: it must lie in the range that `trained.yaml` names, when trained at full length.
"""

import os
import pathlib

import pytest
import yaml

from course_utils.front.surface import PLOTLY_MIME

TRAINED = yaml.safe_load(pathlib.Path(__file__).with_name("trained.yaml").read_text(encoding="utf-8"))
LARGEST_KERNEL = 2e9  # bytes: on a laptop of 8 GB a learner has other things open
_peaks = {}


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem, reverse=True)  # the later chapters train longest: they begin
    for item in items:
        if hasattr(item.parent, "skip_compare"):
            item.parent.skip_compare = (*item.parent.skip_compare, PLOTLY_MIME)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if getattr(item.parent, "timed_out", False):
        pytest.fail("not run: an earlier cell of this notebook took longer than the limit", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    done = yield
    if item.parent.timed_out:
        limit = item.config.option.nbval_cell_timeout
        pytest.fail(f"the cell took longer than {limit:g} seconds, and caught its interruption", pytrace=False)
    held, before = _peak(item.parent.kernel), getattr(item.parent, "held", 0.0)
    item.parent.held = held
    if held > LARGEST_KERNEL >= before:  # the cell that did it, not those after it
        pytest.fail(f"the kernel held {held / 1e9:.2f} GB, more than {LARGEST_KERNEL / 1e9:g}", pytrace=False)
    for expression in expected(item.path.stem, item.cell.source):
        answer = _ask(item.parent.kernel, expression)
        if answer != "True":
            pytest.fail(f"{expression} must hold after this cell: {answer}", pytrace=False)
    return done


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if hasattr(report, "wasxfail") or (report.skipped and report.when == "call"):
        report.longrepr = f"{report.nodeid}: a cell that is skipped, or expected to fail, is not checked"
        report.outcome = "failed"
        vars(report).pop("wasxfail", None)
    if report.when == "call" and item.parent.kernel is not None and item.parent.kernel.is_alive():
        report.kernel = item.path.stem, _peak(item.parent.kernel)  # travels to the terminal's process
    return report


def pytest_runtest_logreport(report):
    if hasattr(report, "kernel"):
        _peaks.update([report.kernel])


def pytest_terminal_summary(terminalreporter):
    held = ", ".join(f"{name[:2]} {peak / 1e9:.2f} GB" for name, peak in sorted(_peaks.items()) if peak)
    terminalreporter.write_line(f"peak memory of the kernels: {held or 'not known here'}")


def expected(notebook: str, source: str) -> list[str]:
    """What must hold after a cell, as expressions over the notebook's own names."""
    if os.environ.get("COURSE_SIZE", "full") != "full":
        return []
    return [line for cell, lines in TRAINED.get(notebook, {}).items() if cell in source for line in lines]


def _peak(kernel) -> float:
    """The most memory that a kernel has held, in bytes; 0 where the system does not tell."""
    try:
        status = pathlib.Path(f"/proc/{kernel.km.provisioner.pid}/status").read_text()
    except OSError:
        return 0.0
    return next(1024 * float(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def _ask(kernel, expression: str) -> str:
    """The value of an expression in a kernel, as text."""
    asked = kernel.kc.execute("", user_expressions={"holds": f"bool({expression})"}, store_history=False)
    while (message := kernel.kc.get_shell_msg(timeout=300))["parent_header"].get("msg_id") != asked:
        pass
    found = message["content"]["user_expressions"]["holds"]
    return found["data"]["text/plain"] if found["status"] == "ok" else f"{found['ename']}: {found['evalue']}"
