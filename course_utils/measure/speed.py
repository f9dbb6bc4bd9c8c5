"""Time, measured so that it can be compared: compilation excluded, medians, what is compared in turn."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import jax

from ..runtime import require_positive


def seconds(*calls: Callable[[], Any], repeats: int = 20) -> list[float]:
    """Median seconds of each call, run in turn (A B A B …) after one run of each that is not counted.

    Waits for the result, since jax returns before it has computed.
    """
    require_positive(repeats=repeats)
    for call in calls:
        jax.block_until_ready(call())
    spent: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, times in zip(calls, spent, strict=True):
            start = time.perf_counter()
            jax.block_until_ready(call())
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in spent]
