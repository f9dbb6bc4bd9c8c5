"""A run on disk: what its checkpoint says of it, and whether another run may go on from there."""

import hashlib
import re
from typing import Annotated, Any

import jax
import numpy as np
from pydantic import BaseModel, Field, FiniteFloat, NonNegativeInt, PositiveInt

from .. import checkpoints
from ..runtime import require
from .compiled import CHUNK, Feed
from .history import Reason
from .options import Options
from .record import Record
from .step import Learning, State, evaluate

Seconds = Annotated[FiniteFloat, Field(ge=0)]
OTHER = {
    "data": "with other data",
    "model": "of another model or loss",
    "optimizer": "with another optimizer or schedule",
}


class Settings(BaseModel):
    """What must be the same when a run goes on.

    The last four say what is computed, in digests that `by` has made.
    """

    seeds: list[int]
    learning_rate: float | None
    clip: float | None
    loss: str
    data: str
    model: str
    optimizer: str
    by: str


class Header(BaseModel):
    """What a checkpoint says of its run."""

    settings: Settings
    steps: PositiveInt
    done: list[NonNegativeInt]
    stopped: list[Reason]
    seconds: Seconds
    compile_seconds: Seconds


def settings_of(
    options: Options,
    seeds: tuple[int, ...],
    learning: Learning,
    state: State,
    feed: Feed,
    batch: Any,
) -> Settings:
    """The settings of a run; `state` is of one seed, `batch` has the shapes of a batch."""
    rate, clip, params = options.constant_rate, options.clip, state.params
    model = jax.jit(lambda params, rest, batch: evaluate(learning, params, rest, batch)[0])
    optimizer = jax.jit(learning.optimizer.update)
    return Settings(
        seeds=list(seeds),
        learning_rate=rate,
        clip=None if rate is None or clip is None else float(clip),
        loss=getattr(learning.loss, "__qualname__", "a loss"),
        data=_digest_of_data(feed),
        model=_digest(model.lower(params, state.rest, batch)),
        optimizer=_digest(optimizer.lower(params, state.optimizer, params)),
        by=f"jax {jax.__version__} on {jax.default_backend()}",
    )


def _digest(lowered: Any, *data: Any) -> str:
    """A short name for what a lowered function computes, its constants and these arrays."""
    # Where a program calls Python, its text has an address of this process.
    program = re.sub("backend_config = .*", "", lowered.as_text())
    digest = hashlib.sha256(program.encode())
    for leaf in jax.tree.leaves(data):
        digest.update(np.ascontiguousarray(leaf))
    return digest.hexdigest()[:16]


def _digest_of_data(feed: Feed) -> str:
    """Of what draws the batches, and of all examples in the buckets of the first thousand steps."""
    buckets = sorted({feed.bucket(step) for step in range(0, 1000, CHUNK)})
    examples = [feed.examples(bucket) for bucket in buckets]
    draw = jax.jit(feed.draw).lower(examples[0], np.int32(0), jax.random.key(0))
    return _digest(draw, *examples)


def save(path: Any, state: State, record: Record, settings: Settings) -> None:
    """Write a run as it is now, whole or not at all."""
    rows = {"losses": record.losses, "metrics": record.metrics}
    about = {
        "settings": settings.model_dump(),
        "steps": record.losses.shape[1],
        "done": record.done.tolist(),
        "stopped": record.stopped,
        "seconds": record.seconds,
        "compile_seconds": record.compile_seconds,
    }
    checkpoints.save(path, {"state": state, "record": rows}, about)


def load(path: Any, state: State, record: Record, settings: Settings) -> tuple[State, Record]:
    """The run kept at `path`, its rows written into those of `record`; `state` has its shapes.

    Raises `InvalidInput` for a run with other settings, `CheckpointError` for a damaged file.
    """
    header = checkpoints.checked(path, Header, checkpoints.about(path))
    _require_same(path, header.settings, settings)
    seeds, steps = record.losses.shape
    checkpoints.require_rows(path, "record/losses", (seeds, header.steps))
    rows = {"losses": record.losses, "metrics": record.metrics}
    like = jax.tree.map(lambda row: np.zeros((seeds, header.steps), row.dtype), rows)
    stored, _ = checkpoints.load(path, {"state": state, "record": like})
    done = _counted(path, header, np.asarray(stored["record"]["losses"]))
    require(
        steps >= done.max(), f"{path} has already run {done.max()} updates; ask for more steps."
    )
    width = min(header.steps, steps)
    for row, source in zip(jax.tree.leaves(rows), jax.tree.leaves(stored["record"]), strict=True):
        row[:, :width] = np.asarray(source)[:, :width]
    stopped: list[Reason] = [_going_on(reason) for reason in header.stopped]
    times = header.seconds, header.compile_seconds
    return stored["state"], Record(record.losses, record.metrics, done, stopped, *times)


def _going_on(reason: Reason) -> Reason:
    return "finished" if reason == "interrupted" else reason


def _require_same(path: Any, kept: Settings, wanted: Settings) -> None:
    """Digests are compared where the same versions on the same kind of device have made them."""
    for name, before in kept.model_dump(exclude={"by"}).items():
        after = getattr(wanted, name)
        if name not in OTHER:
            differs = f"with {name} = {before}, but this one has {after}"
        elif kept.by == wanted.by:
            differs = OTHER[name]
        else:
            continue
        same = "resume with the same settings, or name another checkpoint."
        require(before == after, f"{path} holds a run {differs}: {same}")


def _counted(path: Any, header: Header, losses: np.ndarray) -> np.ndarray:
    """The updates of each seed, which the losses and the header must tell alike."""
    finite = np.isfinite(losses)
    done = finite.sum(axis=1)
    whole = (finite == (np.arange(header.steps) < done[:, None])).all()
    if done.tolist() != header.done or len(header.stopped) != len(done) or not whole:
        raise checkpoints.CheckpointError(
            f"{path} is damaged: it says that {header.done} updates were run, ended as "
            f"{header.stopped}, and holds the losses of {done.tolist()}. {checkpoints.ANEW}"
        )
    return done
