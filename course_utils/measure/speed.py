"""Time and memory, measured so that they can be compared: compilation excluded, medians, what is compared in turn."""

import functools
import math
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import psutil
from flax import nnx
from jax.stages import Compiled
from jaxtyping import Array, Float

from ..models.by_name import CELLS
from ..models.fast import unroll
from ..models.interfaces import Cell
from ..models.linear import chunked_attention
from ..models.self_attention import MultiHead, causal_mask, join_heads, split_heads
from ..runtime import CourseError, give_back_memory, require, require_positive

LAYERS = (*CELLS, "self-attention", "in pieces")  # the last: the same answers, by `models.linear.chunked_attention`
HEADS, CHUNK = 4, 64
WOULD_NOT_FIT, TOO_LONG = "would not fit", "would take too long"


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


# ------------------------------------------------------------------------------------- one layer, one update


class Cost(NamedTuple):
    """What one training step of one layer costs."""

    seconds: float | None  # None: it was not run
    bytes: int  # of memory at its peak, as the compiler plans it
    skipped: str = ""  # why it was not run: WOULD_NOT_FIT or TOO_LONG


def training_step(layer: str, length: int, batch: int, width: int) -> tuple[Compiled, tuple]:
    """A compiled forward and backward pass of one causal layer on `[batch, length, width]`, and its arguments."""
    require(layer in LAYERS, f"There is no layer {layer!r}; there are {', '.join(LAYERS)}.")
    require_positive(length=length, batch=batch, width=width)
    rngs = nnx.Rngs(0)
    model = CELLS[layer](width, width, rngs=rngs) if layer in CELLS else MultiHead(width, HEADS, rngs=rngs)
    graphdef, state = nnx.split(model)

    def loss(state, x):
        return (_outputs(nnx.merge(graphdef, state), x, chunked=layer == "in pieces") ** 2).mean()

    shape = jax.ShapeDtypeStruct((batch, length, width), jax.numpy.float32)
    compiled = jax.jit(jax.value_and_grad(loss, (0, 1))).lower(state, shape).compile()
    return compiled, (state, shape)


def _outputs(
    layer: Cell | MultiHead, x: Float[Array, "batch time width"], chunked: bool
) -> Float[Array, "batch time width"]:
    if not isinstance(layer, MultiHead):
        return unroll(layer, x)[0]
    if not chunked:
        return layer(x, causal_mask(x.shape[1]))
    queries = split_heads(layer.query(x), HEADS)
    keys, values = layer.remember(x)
    answers = chunked_attention(queries, keys, values, math.gcd(CHUNK, x.shape[1]), causal=True)
    return layer.out(join_heads(answers))


def peak_memory(compiled: Compiled) -> int:
    """Bytes that a compiled function needs at once, read before it is run: arguments, results, and what is in between."""
    plan = compiled.memory_analysis()
    if plan is None:
        raise CourseError("The compiler of this device does not say how much memory a program needs.")
    return int(plan.argument_size_in_bytes + plan.output_size_in_bytes + plan.temp_size_in_bytes)


def free_memory() -> int:
    """Bytes free on the device."""
    stats = jax.devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return int(stats["bytes_limit"] - stats["bytes_in_use"])
    free = psutil.virtual_memory().available
    limit = os.environ.get("MEM_LIMIT", "")  # JupyterHub's, of one learner; others may use the name for what they like
    if limit.isdecimal() and int(limit):
        free = min(free, int(limit) - psutil.Process().memory_info().rss)
    return max(0, free)


def race(
    lengths: Sequence[int],
    batch: int,
    width: int,
    layers: Sequence[str] = LAYERS,
    repeats: int = 5,
    limit: float = np.inf,
) -> dict[str, list[Cost]]:
    """Time and memory of one training step of every layer at every length; the layers of one length are run in turn.

    What needs over half of the free memory is not run. Once a step took longer than `limit` seconds, longer ones are not.
    """
    found: dict[str, list[Cost]] = {layer: [] for layer in layers}
    jax.clear_caches()  # the programs of whatever ran before: half a gigabyte at the end of a chapter
    for length in lengths:
        calls, plans = {}, {}
        for layer in layers:
            compiled, (state, shape) = training_step(layer, length, batch, width)
            needed, why = peak_memory(compiled), ""
            if needed > free_memory() // 2:
                why = WOULD_NOT_FIT
            elif any(before.skipped == TOO_LONG or (before.seconds or 0) > limit for before in found[layer]):
                why = TOO_LONG
            else:
                calls[layer] = functools.partial(compiled, state, jax.random.normal(jax.random.key(0), shape.shape))
            plans[layer] = needed, why
        times = dict(zip(calls, seconds(*calls.values(), repeats=repeats), strict=True))
        for layer in layers:
            found[layer].append(Cost(times.get(layer), *plans[layer]))
        calls.clear()
        give_back_memory()  # a laptop shall not hold all lengths together
    return found


def exponent(lengths: Sequence[int], values: Sequence[float | None], points: int = 3) -> float:
    """p of values ∝ n^p, fitted to the `points` longest lengths that were measured; NaN where there are fewer."""
    known = [(n, value) for n, value in zip(lengths, values, strict=True) if value is not None][-points:]
    if len(known) < points:
        return float("nan")
    n, measured = np.log(np.array(known, float)).T
    return float(np.polyfit(n, measured, 1)[0])


def crossover(lengths: Sequence[int], costs: Mapping[str, Sequence[Cost]], recurrent: str) -> float | None:
    """The length from which on self-attention's step takes longer than a recurrent layer's, between two measured ones by the
    logarithms; 0 where it always does, None where it never does (a step that would not fit counts as longer)."""
    difference = []
    for ours, theirs in zip(costs["self-attention"], costs[recurrent], strict=True):
        if theirs.seconds is None or ours.skipped == TOO_LONG:
            break
        difference.append(np.inf if ours.seconds is None else float(np.log(ours.seconds / theirs.seconds)))
    longer = [d > 0 for d in difference]
    if not any(longer):
        return None
    last_faster = max((i for i, slow in enumerate(longer) if not slow), default=None)
    if last_faster is None:
        return 0.0
    if last_faster == len(longer) - 1:
        return None
    low, high = difference[last_faster], difference[last_faster + 1]
    share = 1.0 if np.isinf(high) else -low / (high - low)
    a, b = lengths[last_faster], lengths[last_faster + 1]
    return float(a * (b / a) ** share)
