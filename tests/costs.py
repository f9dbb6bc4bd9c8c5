"""What the tests cost: memory of each process, and with `--costs` the programs that each test asks jax to compile.

A worker keeps every program that it compiled. Without a limit it grows to 6 GB, so one that holds more than a
gigabyte after a test lets go of them; they are found again in the compilation cache. A process that held more than two
fails the test at which it did: on a laptop of 8 GB two workers and what else is open must have room.
"""

import gc
import os
import resource
import sys

import psutil
import pytest

HELD = 1e9  # bytes above which a process forgets its programs
MOST = 2e9  # bytes above which it fails
ASKED, FOUND = "/jax/compilation_cache/compile_requests_use_cache", "/jax/compilation_cache/cache_hits"


def peak() -> float:
    """The most memory that this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def let_go() -> None:
    """Forget every compiled program, and give the memory back to the system."""
    import jax

    from course_utils.runtime import give_back_memory

    jax.clear_caches()
    gc.collect()
    give_back_memory()


class Costs:
    """A pytest plugin. Workers write down what a test cost beside its report; the terminal shows the sum."""

    def __init__(self, config):
        self.shown = config.getoption("--costs")
        self.peaks, self.programs = {}, []
        self.seen = peak()
        self.counted = {ASKED: 0, FOUND: 0}
        if self.shown:
            import jax

            jax.monitoring.register_event_listener(self._count)

    def _count(self, event, **_):
        if event in self.counted:
            self.counted[event] += 1

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        before = dict(self.counted)
        item.costs = lambda: tuple(self.counted[event] - before[event] for event in (ASKED, FOUND))
        done = yield
        if psutil.Process().memory_info().rss > HELD:
            let_go()
        return done

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.when == "teardown":
            worker = os.environ.get("PYTEST_XDIST_WORKER", "the one process")
            report.costs = (worker, peak(), *item.costs())  # travels to the terminal's process with the report
            self.judge(report, peak())
        return report

    def judge(self, report, held):
        """Fail a test that raised the most that its process ever held beyond the limit."""
        if held > max(MOST, self.seen):
            report.outcome = "failed"
            report.longrepr = f"{report.nodeid}: this process held {held / 1e9:.2f} GB, more than {MOST / 1e9:g}"
        self.seen = max(self.seen, held)

    def pytest_runtest_logreport(self, report):
        if hasattr(report, "costs"):
            worker, held, asked, found = report.costs
            self.peaks[worker] = max(held, self.peaks.get(worker, 0))
            self.programs.append((asked, found, report.nodeid))

    def pytest_terminal_summary(self, terminalreporter):
        if not self.peaks:
            return
        held = ", ".join(f"{worker} {bytes / 1e9:.2f} GB" for worker, bytes in sorted(self.peaks.items()))
        terminalreporter.write_line(f"peak memory: {held}")
        if self.shown:
            asked, found = (sum(row[i] for row in self.programs) for i in (0, 1))
            terminalreporter.section(f"programs: {asked} asked for, {found} found in the cache")
            for row in sorted(self.programs, reverse=True)[:40]:
                terminalreporter.write_line("{:5} asked {:5} found  {}".format(*row))
