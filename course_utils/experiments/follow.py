"""Networks at several moments of one training run."""

import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from flax import nnx

from ..runtime import budget, require
from ..training import fit_seeds
from .agreement import SEEDS


def followed(
    make: Callable,
    batches: Any,
    loss: Callable,
    moments: tuple[int, ...],
    *,
    seeds: tuple[int, ...] = SEEDS,
    learning_rate: float = 2e-3,
) -> Iterator[tuple[int, list[Any]]]:
    """Train three seeds once and stop at several moments on the way: (updates, models). Moment 0 is before training."""
    require(list(moments) == sorted(set(moments)), f"moments must increase, not {moments}.")
    with tempfile.TemporaryDirectory() as folder:
        for updates in moments:
            if updates == 0:
                yield 0, [make(nnx.Rngs(seed)) for seed in seeds]
                continue
            models, _ = fit_seeds(
                make, batches, budget(updates), loss=loss, seeds=seeds, learning_rate=learning_rate,
                checkpoint=f"{folder}/run.safetensors", resume=True, progress=False,
            )  # fmt: skip
            yield updates, models
