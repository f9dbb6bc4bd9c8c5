"""Trained models at once: shipped with the course, kept from an earlier run, or trained now."""

import hashlib
import json
import os
import pathlib
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import nnx
from pydantic import BaseModel, FiniteFloat, NonNegativeInt

from .. import checkpoints, devices
from ..runtime import CourseError, asset, cache, size
from .history import History, Reason
from .saved import Seconds


class Trained(NamedTuple):
    """A trained model, and how it came about.

    origin: `shipped`, `cached` or `trained`.   config: what decides the result.
    """

    model: Any
    history: History
    origin: str
    config: dict[str, Any]


class _Run(BaseModel):
    """What a trained model's file says of its training."""

    seeds: tuple[int, ...]
    learning_rate: FiniteFloat | None
    stopped: tuple[Reason, ...]
    seconds: Seconds
    compile_seconds: Seconds


class _Record(BaseModel):
    """What a trained model's file says of its history."""

    steps: NonNegativeInt
    metrics: list[str]
    run: _Run


def trained(
    name: str,
    make: Callable[[nnx.Rngs], nnx.Module],
    train: Callable[..., History],
    config: dict[str, Any],
    *,
    seed: int = 0,
    retrain: bool = False,
) -> Trained:
    """A trained model: shipped or in the user's cache with this `config`, else trained now.

    `make(rngs)` builds the model, `train(model, seed=seed)` trains it; `config` names all that
    decides the result and can be written as JSON. `retrain=True` always trains. A damaged file
    costs a warning and a training run.
    """
    model = make(nnx.Rngs(seed))
    full = json.loads(json.dumps({**config, "seed": seed}))
    accepted = [full] if size() == "full" else [full, {**full, "size": "quick"}]
    config = accepted[-1]
    tag = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:12]
    cached = cache() / "models" / f"{name}-{tag}.safetensors"
    places = {"shipped": _shipped(name), "cached": cached}
    if jax.process_count() > 1:
        del places["cached"]  # one process might have it and not another
    for origin, path in places.items() if not retrain else ():
        try:
            kept = _read(path, model, accepted)
        except checkpoints.CheckpointError as error:
            warnings.warn(f"The {origin} model {name!r} is not used: {error}", stacklevel=2)
            continue
        if kept is not None:
            return Trained(model, kept[0], origin, kept[1])
    history = train(model, seed=seed)
    if devices.first():
        try:
            keep(cached, model, history, config)
        except OSError as error:
            warnings.warn(f"The trained model {name!r} could not be kept ({error}).", stacklevel=2)
    return Trained(model, history, "trained", config)


def _read(
    path: pathlib.Path | None, model: nnx.Module, accepted: list[dict[str, Any]]
) -> tuple[History, dict[str, Any]] | None:
    """Fill `model` from a file: its history and its configuration, which must be an accepted one.

    None where there is no such file.
    """
    if path is None or not path.exists():
        return None
    description = checkpoints.about(path)
    if description.get("config") not in accepted:
        return None
    record = checkpoints.checked(path, _Record, description.get("record"))
    checkpoints.require_rows(path, "losses", (record.steps,))
    row = np.zeros(record.steps, np.float32)
    stored, _ = checkpoints.load(path, _tree(model, row, dict.fromkeys(record.metrics, row)))
    nnx.update(model, stored["params"], stored["rest"])
    losses, metrics = jax.tree.map(np.asarray, (stored["losses"], stored["metrics"]))
    return History(losses, metrics, **dict(record.run)), description["config"]


def keep(
    path: os.PathLike | str, model: nnx.Module, history: History, config: dict[str, Any]
) -> None:
    """Write a trained model where `trained` will find it: parameters, history and configuration."""
    run = {name: getattr(history, name) for name in _Run.model_fields}
    record = {"steps": len(history.losses), "metrics": sorted(history.metrics), "run": run}
    tree = _tree(model, history.losses, history.metrics)
    checkpoints.save(path, tree, {"config": config, "record": record})


def _tree(model: nnx.Module, losses: np.ndarray, metrics: dict[str, np.ndarray]) -> dict[str, Any]:
    """What stands in a trained model's file."""
    _, params, rest = nnx.split(model, nnx.Param, ...)
    return {"params": params, "rest": rest, "losses": losses, "metrics": metrics}


def _shipped(name: str) -> pathlib.Path | None:
    try:
        return asset(f"weights/{name}.safetensors")
    except CourseError:
        return None
