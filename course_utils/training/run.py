"""A training under way: it repeats updates, says how it goes, and keeps what was learned."""

import contextlib
import functools
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
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
from .compiled import CHUNK, batch_rng, feed_of, repeated
from .history import History, TrainingInterrupted
from .options import Options
from .record import Record
from .step import State, evaluate, metric_names, taken_apart

SAVE_EVERY = 30.0  # seconds between two checkpoints of a running training


class Chunk(NamedTuple):
    """Updates `begin` … `end - 1`, all of one shape. `limits`: where each seed ends in it."""

    begin: int
    end: int
    limits: np.ndarray


class Run:
    """A training of one model, or of a list of models, each from a seed of its own.

    learning: what stays the same.   state: the values of all models, their first axis the seed.
    record: what has come of it so far.   programs: what was compiled, one a bucket.
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
        self.several = isinstance(models, list)
        self.models: list[Any] = models if isinstance(models, list) else [models]
        self.steps, self.seeds, self.options = steps, tuple(map(int, seeds)), options
        with interrupts_held():
            self._prepare(batches, loss)
        self.resumed = self._resume()
        self.state, self.rngs = devices.everywhere((self.state, self.rngs))
        self.programs: dict[Any, Future[Callable]] = {}
        self.buckets = list(dict.fromkeys(map(self.feed.bucket, range(steps))))
        self.compiler = ThreadPoolExecutor(1)
        self.saved_at = time.monotonic()
        if not self.resumed:
            self._save_at_once()
        done = int(self.record.done.max())
        # tqdm's bar in notebooks does not read the variable.
        shown = options.progress and devices.first() and not os.environ.get("TQDM_DISABLE")
        self.bar = tqdm(total=steps, initial=done, unit="step", leave=False, disable=not shown)

    def _prepare(self, batches: BatchSource, loss: Loss) -> None:
        """The models in parts, and what is known of a run before its first update."""
        options, self.feed = self.options, feed_of(batches)
        self.learning, states = taken_apart(self.models, loss, options.transformation())
        self.state: State = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
        self.rngs = jnp.stack([batch_rng(seed) for seed in self.seeds])
        first = states[0]
        batch = jax.eval_shape(functools.partial(batches, 0), jax.random.key(0))
        judge = functools.partial(evaluate, self.learning)
        returned, _ = jax.eval_shape(judge, first.params, first.rest, batch)
        self.record = Record.empty(len(self.seeds), self.steps, metric_names(returned))
        self.settings = None
        if options.checkpoint is not None:
            of_run = options, self.seeds, self.learning, first, self.feed, batch
            self.settings = saved.settings_of(*of_run)

    @property
    def history(self) -> History:
        """What has happened so far."""
        history = self._of_all()
        return history if self.several else history.of_seed(0)

    def _of_all(self) -> History:
        return self.record.history(self.seeds, self.options.constant_rate)

    # --------------------------------------------------------------------------- going on

    def unfinished(self) -> bool:
        """Does any seed go on?"""
        return bool(self.record.active.any())

    def advance(self, update: Callable) -> None:
        """Repeat `update` up to 20 times in one compiled call, and record what came of it."""
        with interrupts_held():  # an interruption finds values and counts of the same update
            begin, _, limits = self.chunk = self._next()
            bucket = self.feed.bucket(begin)
            program = self._program(update, begin)
            arguments = self._arguments(bucket, begin, limits)
            clock = time.perf_counter()
            results = jax.block_until_ready(program(*arguments))
            self.record.seconds += time.perf_counter() - clock
            self.state, *reached_and_values = results
            self.record.write(begin, limits, *jax.tree.map(np.asarray, reached_and_values))

    def _arguments(self, bucket: Any, begin: int, limits: np.ndarray) -> tuple:
        return self.state, np.int32(begin), limits, self.rngs, self.feed.examples(bucket)

    def _program(self, update: Callable, begin: int) -> Callable:
        """The compiled loop for the bucket of update `begin`.

        Another thread compiles. Once it has begun with this one it goes on with the next bucket's:
        with a second core, a training waits for its first program alone.
        """
        clock = time.perf_counter()
        bucket = self.feed.bucket(begin)
        later = [other for other in self.buckets if other not in {bucket, *self.programs}]
        for coming in (bucket, *later[:1]):
            if coming not in self.programs:
                self.programs[coming] = self._compile(update, coming)
        program = self.programs[bucket].result()
        self.record.compile_seconds += time.perf_counter() - clock
        return program

    def _compile(self, update: Callable, bucket: Any) -> Future[Callable]:
        limits = np.zeros(len(self.seeds), np.int32)
        loop = repeated(update, self.learning, self.feed, list(self.record.metrics))
        jitted = jax.jit(loop, out_shardings=devices.replicated())
        return self.compiler.submit(jitted.lower(*self._arguments(bucket, 0, limits)).compile)

    def _next(self) -> Chunk:
        """The updates that come next, for the seeds that are least far."""
        active, done, bucket_of = self.record.active, self.record.done, self.feed.bucket
        begin = int(done[active].min())
        end = begin + 1
        while end < self.steps and end % CHUNK and bucket_of(end) == bucket_of(begin):
            end += 1
        limits = np.where(active & (done == begin), end, begin)
        return Chunk(begin, end, limits.astype(np.int32))

    def report(self) -> None:
        """Show how the last updates went, and ask `stop` of the seeds that made them."""
        begin, end, limits = self.chunk
        with interrupts_held():
            means = self.record.means((end - 1) // CHUNK * CHUNK, end)  # of whole chunks
            self.bar.update(end - self.bar.n)
            if means:
                self.bar.set_postfix(loss=f"{means['loss']:.3f}", refresh=False)
            due = bool(means) and (end % CHUNK == 0 or end == self.steps)
            report = self.options.report if due else None
            if report is not None:
                self.give_back()
        self.ask(np.flatnonzero(limits > begin))
        if report is not None:
            report(end, means)

    def ask(self, lanes: np.ndarray) -> None:
        """Which of these seeds have solved it: asked after whole chunks."""
        stop, record = self.options.stop, self.record
        for lane in map(int, lanes):
            whole = record.done[lane] > 0 and record.done[lane] % CHUNK == 0
            due = whole and record.stopped[lane] != "diverged"
            if due and stop is not None and stop(self._of_all().of_seed(lane)):
                record.stopped[lane] = "solved"

    # --------------------------------------------------------------------------- keeping

    def give_back(self) -> None:
        """Put the values of now into the models."""
        state = devices.here(self.state)
        for lane, model in enumerate(self.models):
            nnx.update(model, *jax.tree.map(lambda leaf, lane=lane: leaf[lane], state)[:2])

    def save_now_and_then(self) -> None:
        """Write the checkpoint if the last one is half a minute old."""
        if self.settings is not None and time.monotonic() - self.saved_at > SAVE_EVERY:
            self._save_if_possible(stacklevel=4)
            self.saved_at = time.monotonic()

    def close(self) -> None:
        """Keep what was learned, in models and checkpoint; say which of several have diverged."""
        with interrupts_held():
            self.bar.close()
            self.compiler.shutdown(wait=False, cancel_futures=True)
            self.give_back()
            self._save_if_possible(stacklevel=6)
            give_back_memory()
        diverged = [reason == "diverged" for reason in self.record.stopped]
        others = "" if all(diverged) else "; the other seeds went on"
        for lane in np.flatnonzero(diverged) if self.several else ():
            seed, step = self.seeds[lane], self.record.done[lane]
            warnings.warn(f"Seed {seed} diverged at step {step}{others}.", stacklevel=5)

    def _save(self) -> None:
        if self.settings is not None and devices.first():
            saved.save(self.options.checkpoint, self.state, self.record, self.settings)

    def _save_if_possible(self, stacklevel: int) -> None:
        """A disk that is full by now costs a warning, not the training."""
        try:
            self._save()
        except OSError as error:
            words = f"The checkpoint {self.options.checkpoint} could not be written"
            warnings.warn(f"{words} ({error.strerror}).", stacklevel=stacklevel)

    def _save_at_once(self) -> None:
        """A checkpoint that cannot be written is told before the training."""
        try:
            self._save()
        except OSError as error:
            words = f"The checkpoint {self.options.checkpoint} cannot be written"
            raise InvalidInput(f"{words}: {error}") from None

    def _resume(self) -> bool:
        """Take over the run kept in the checkpoint; False where there is none."""
        path = self.options.checkpoint
        if path is None or self.settings is None or not devices.agreed(os.path.exists(path)):
            return False
        require(
            self.options.resume,
            f"{path} holds an earlier run: go on with it (resume=True), or name another file.",
        )
        self.state, self.record = saved.load(path, self.state, self.record, self.settings)
        return True


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
                reasons = run.record.stopped
                run.ask(np.flatnonzero([reason != "solved" for reason in reasons]))
            yield run
        except KeyboardInterrupt:
            run.record.interrupt()
            raise TrainingInterrupted(run.history, steps) from None
        finally:
            run.close()
