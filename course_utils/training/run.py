"""A training under way: it compiles updates, repeats them, and keeps what was learned whatever happens."""

import contextlib
import functools
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from tqdm.auto import tqdm

from .. import devices
from ..data.batching import BatchSource
from ..models.losses import Loss
from ..runtime import (
    InvalidInput,
    give_back_memory,
    interrupts_held,
    plain_jax,
    require,
    require_positive,
)
from . import saved
from .history import History, TrainingInterrupted
from .options import Options
from .record import Record
from .step import CHUNK, Learning, State, batch_rng, evaluate, feed_of, repeated

SAVE_EVERY = 30.0  # seconds between two checkpoints of a running training


class Chunk(NamedTuple):
    """Updates `begin` … `end - 1`, whose batches have one shape. `limits`: where each seed ends in it."""

    begin: int
    end: int
    limits: np.ndarray

    @property
    def lanes(self) -> np.ndarray:
        """The seeds that take part, by their places."""
        return np.flatnonzero(self.limits > self.begin)


class Run:
    """A training of one model, or of a list of models, each from a seed of its own.

    learning: what stays the same.   state: the values of all models, their first axis the seed.
    record: what has come of it so far.
    """

    def __init__(
        self,
        models: nnx.Module | list[Any],
        batches: BatchSource,
        steps: int,
        loss: Loss,
        seeds: Sequence[int],
        options: Options,
    ):
        require_positive(steps=steps)
        require_seeds(seeds)
        self.several = isinstance(models, list)
        self.models: list[Any] = models if isinstance(models, list) else [models]
        self.steps, self.seeds, self.options = steps, tuple(seeds), options
        self.feed = feed_of(batches)
        with interrupts_held():
            self.learning, states = taken_apart(self.models, loss, options.transformation())
            self.state: State = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
            self.rngs = jnp.stack([batch_rng(seed) for seed in seeds])
            batch = jax.eval_shape(functools.partial(batches, 0), jax.random.key(0))
            shapes = jax.eval_shape(
                functools.partial(evaluate, self.learning), states[0].params, states[0].rest, batch
            )
            self.record = Record.empty(len(seeds), steps, metric_names(shapes[0]))
            self.settings = None
            if options.checkpoint is not None:
                self.settings = saved.settings_of(options, self.seeds, self.learning, states[0], self.feed, batch)
        self.resumed = self._resume()
        self.state, self.rngs = devices.everywhere((self.state, self.rngs))
        self.programs: dict[Any, Callable] = {}  # by bucket
        self.saved_at = time.monotonic()
        if not self.resumed:
            self._save_at_once()
        shown = options.progress and devices.first() and not os.environ.get("TQDM_DISABLE")
        self.bar = tqdm(total=steps, initial=int(self.record.done.max()), unit="step", leave=False, disable=not shown)

    @property
    def history(self) -> History:
        """What has happened so far."""
        history = self.record.history(self.seeds, self.options.constant_rate)
        return history if self.several else history.of_seed(0)

    # --------------------------------------------------------------------------------- going on

    def unfinished(self) -> bool:
        """Does any seed go on?"""
        return bool(self.record.active.any())

    def advance(self, update: Callable) -> None:
        """Repeat `update` up to 20 times in one compiled call, and write down what came of it."""
        with interrupts_held():  # an interruption finds values and counts of the same step
            self.chunk = chunk = self._next()
            bucket = self.feed.bucket(chunk.begin)
            arguments = (self.state, np.int32(chunk.begin), chunk.limits, self.rngs, self.feed.examples(bucket))
            if bucket not in self.programs:
                clock = time.perf_counter()
                program = repeated(update, self.learning, self.feed, list(self.record.metrics))
                compiled = jax.jit(program, out_shardings=devices.replicated()).lower(*arguments).compile()
                self.programs[bucket] = compiled
                self.record.compile_seconds += time.perf_counter() - clock
            clock = time.perf_counter()
            state, reached, values = jax.block_until_ready(self.programs[bucket](*arguments))
            self.record.seconds += time.perf_counter() - clock
            self.record.write(chunk.begin, chunk.limits, *jax.tree.map(np.asarray, (reached, values)))
            self.state = state

    def _next(self) -> Chunk:
        """The updates that come next, for the seeds that are least far."""
        active, done, bucket_of = self.record.active, self.record.done, self.feed.bucket
        begin = int(done[active].min())
        end = begin + 1
        while end < self.steps and end % CHUNK and bucket_of(end) == bucket_of(begin):
            end += 1
        return Chunk(begin, end, np.where(active & (done == begin), end, begin).astype(np.int32))

    def report(self) -> None:
        """Show how the last updates went, and ask `stop` of the seeds that made them."""
        begin, end, _ = self.chunk
        with interrupts_held():
            window = self.record.means((end - 1) // CHUNK * CHUNK, end)  # of whole chunks
            self.bar.update(end - self.bar.n)
            if window:
                self.bar.set_postfix(loss=f"{window['loss']:.3f}", refresh=False)
            due = self.options.report is not None and window and (end % CHUNK == 0 or end == self.steps)
            if due:
                self.give_back()
        self.ask(self.chunk.lanes)
        if due:
            self.options.report(end, window)  # type: ignore[misc]

    def ask(self, lanes: np.ndarray) -> None:
        """Which of these seeds have solved it: asked after whole chunks."""
        stop, record = self.options.stop, self.record
        for lane in map(int, lanes):
            due = record.stopped[lane] != "diverged" and record.done[lane] > 0 and record.done[lane] % CHUNK == 0
            whole = record.history(self.seeds, self.options.constant_rate)
            if stop is not None and due and stop(whole.of_seed(lane)):
                record.stopped[lane] = "solved"

    # --------------------------------------------------------------------------------- keeping

    def give_back(self) -> None:
        """Put the values of now into the models."""
        state = devices.here(self.state)
        for lane, model in enumerate(self.models):
            nnx.update(model, *jax.tree.map(lambda leaf, lane=lane: leaf[lane], state)[:2])

    def save_now_and_then(self) -> None:
        """Write the checkpoint if the last one is half a minute old."""
        if self.settings is not None and time.monotonic() - self.saved_at > SAVE_EVERY:
            self._save_if_possible()
            self.saved_at = time.monotonic()

    def close(self) -> None:
        """Keep what was learned, in the models and on disk, and say which of several seeds have diverged."""
        with interrupts_held():
            self.bar.close()
            self.give_back()
            self._save_if_possible()
            give_back_memory()
        diverged = [reason == "diverged" for reason in self.record.stopped]
        others = "" if all(diverged) else "; the other seeds went on"
        for lane in np.flatnonzero(diverged if self.several else []):
            step = self.record.done[lane]
            warnings.warn(f"Seed {self.seeds[lane]} diverged at step {step}{others}.", stacklevel=5)

    def _save(self) -> None:
        if self.settings is not None and devices.first():
            saved.save(self.options.checkpoint, self.state, self.record, self.settings)

    def _save_if_possible(self) -> None:
        """A disk that is full by now costs a warning, not the training."""
        try:
            self._save()
        except OSError as error:
            warnings.warn(
                f"The checkpoint {self.options.checkpoint} could not be written ({error.strerror}).", stacklevel=6
            )

    def _save_at_once(self) -> None:
        """A checkpoint that cannot be written is told before the training."""
        try:
            self._save()
        except OSError as error:
            raise InvalidInput(f"The checkpoint {self.options.checkpoint} cannot be written: {error}") from None

    def _resume(self) -> bool:
        """Take over the run kept in the checkpoint; False where there is none."""
        path = self.options.checkpoint
        exists = path is not None and devices.agreed(os.path.exists(path))
        require(
            self.options.resume or not exists,
            f"{path} holds an earlier run: go on with it (resume=True), or name another file.",
        )
        if exists:
            self.state, self.record = saved.load(path, self.state, self.record, self.settings)
        return exists


@contextlib.contextmanager
def running(
    models: nnx.Module | list[Any],
    batches: BatchSource,
    steps: int,
    loss: Loss,
    seeds: Sequence[int],
    options: Options,
) -> Iterator[Run]:
    """A run that keeps what was learned, in its models and its checkpoint, however the block ends.

    An interruption becomes `TrainingInterrupted`, which has the history so far.
    """
    with plain_jax():
        run = Run(models, batches, steps, loss, seeds, options)
        try:
            if run.resumed:  # an interruption may have come before the answer
                run.ask(np.flatnonzero([reason != "solved" for reason in run.record.stopped]))
            yield run
        except KeyboardInterrupt:
            run.record.interrupt()
            raise TrainingInterrupted(run.history, steps) from None
        finally:
            run.close()


def taken_apart(
    models: list[Any], loss: Loss, optimizer: optax.GradientTransformation
) -> tuple[Learning, list[State]]:
    """What the models have in common, and the first state of each."""
    network: Any = None
    states = []
    for model in models:
        graph, params, rest = nnx.split(model, nnx.Param, ...)
        require(network in (None, graph), "Every seed must build the same network; only its numbers may differ.")
        network = graph
        states.append(State(params, rest, optimizer.init(params)))
    return Learning(network, loss, optimizer), states


def metric_names(shapes: Any) -> list[str]:
    """The metrics that a loss promises, or `InvalidInput` where it does not return `(scalar, metrics)`."""
    wanted = "A loss returns a pair: one number, and a dict of metrics that are one number each"
    require(isinstance(shapes, tuple) and len(shapes) == 2 and isinstance(shapes[1], dict), f"{wanted}.")
    value, metrics = shapes
    require(getattr(value, "shape", None) == (), f"{wanted}; its first part has shape {getattr(value, 'shape', None)}.")
    require("loss" not in metrics, "A metric may not be called 'loss': that is the name of the loss itself.")
    for name, metric in metrics.items():
        require(getattr(metric, "shape", ()) == (), f"{wanted}; {name!r} has shape {getattr(metric, 'shape', None)}.")
    return list(metrics)


def require_seeds(seeds: Sequence[Any]) -> None:
    """Every seed must be a whole number."""
    for seed in seeds:
        whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        require(whole, f"A seed is a whole number, such as 0, not {seed!r}.")
