"""One `fit` for every model of the course.

Updates run in compiled loops of several steps, batches are drawn inside the loop, and step number k of
seed s always sees the same batch: a run is determined by its seed, and resuming one equals never stopping.
"""

import dataclasses
import functools
import hashlib
import json
import os
import re
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from pydantic import BaseModel, Field, FiniteFloat, NonNegativeInt, PositiveInt
from tqdm.auto import tqdm

from . import checkpoints, devices
from .data.batching import RUN
from .runtime import (
    CourseError,
    InvalidInput,
    asset,
    cache,
    give_back_memory,
    interrupts_held,
    plain_jax,
    require,
    require_positive,
    size,
)

Loss = Callable[[Any, Any], tuple[jax.Array, dict[str, jax.Array]]]
CHUNK = RUN  # updates in one compiled call: often enough to report, seldom enough to cost nothing
BATCHES = 0x62617463  # folded into a seed's key for its batches ("batc")
SAVE_EVERY = 30.0  # seconds between two checkpoints of a running training


class TrainingDiverged(CourseError):
    """A loss, gradient or parameter that is not a number. The model keeps its last finite values; `.history` the run so far."""

    def __init__(self, step: int, history: "History"):
        self.step, self.history = step, history
        if step == 0:
            advice = (
                "Is a token or a label outside the model's vocabulary or classes, or the data itself not finite? "
                "If not, look at the learning rate of step 0 and at the optimizer."
            )
        elif history.learning_rate is None:
            advice = "Try smaller steps of your optimizer."
        else:
            rate = history.learning_rate
            advice = f"Its learning rate is {rate:g}: try {rate / 10:g}, or a smaller `clip`."
        super().__init__(
            f"Training diverged at step {step} (seed {history.seeds[0]}): the loss, its gradient or a parameter is no "
            f"longer a number. The model keeps its values from before that step. {advice}"
        )


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C, or the stop button. Model and checkpoint keep what was learned; `.history` is the run so far.

    It is a `KeyboardInterrupt`, so that the cell or the command ends too: nothing half-trained is shown, kept or reported
    by what comes after the training.
    """

    def __init__(self, history: "History", steps: int):
        self.history = history
        super().__init__(
            f"Interrupted after {int(np.max(history.steps))} of {steps} updates; the model keeps what it has learned."
        )

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


@dataclasses.dataclass
class History:
    """What happened in a training run.

    losses: one a step, `[steps]` (`[seeds, steps]` from `fit_seeds`; NaN after a seed has stopped).
    metrics: the same for each metric that the loss reports.
    seconds: time in updates, compilation excluded; compile_seconds: the compilation. Of a resumed run, both times together.
    learning_rate: the constant one; None where a schedule or an optimizer of one's own was given.
    stopped: why it ended: `finished`, `solved` (its `stop` condition), `interrupted` or `diverged`; one a seed.
    """

    losses: np.ndarray
    metrics: dict[str, np.ndarray]
    seconds: float
    compile_seconds: float
    seeds: tuple[int, ...]
    learning_rate: float | None
    stopped: tuple[str, ...]

    @property
    def steps(self) -> Any:
        """Updates run: one number, or one a seed."""
        count = np.isfinite(self.losses).sum(axis=-1)
        return count if self.losses.ndim == 2 else int(count)

    def last(self, metric: str, updates: int = 100) -> Any:
        """Mean of a metric over the last `updates` updates: one number, or one a seed."""
        known = {"loss": self.losses, **self.metrics}
        require(metric in known, f"There is no metric {metric!r}; there are {', '.join(known)}.")
        values, ends = np.atleast_2d(known[metric]), np.atleast_1d(self.steps)
        means = [
            float(row[max(0, end - updates) : end].mean()) if end else np.nan
            for row, end in zip(values, ends, strict=True)
        ]
        return np.array(means) if self.losses.ndim == 2 else means[0]

    def of_seed(self, lane: int) -> "History":
        """The history of one seed of `fit_seeds`, by its place in `seeds`."""
        return dataclasses.replace(
            self,
            losses=self.losses[lane],
            metrics={name: values[lane] for name, values in self.metrics.items()},
            seeds=(self.seeds[lane],),
            stopped=(self.stopped[lane],),
        )


Seconds = Annotated[FiniteFloat, Field(ge=0)]
Reason = Literal["finished", "solved", "interrupted", "diverged"]


class _Settings(BaseModel):
    """What must be the same when a run goes on. The last four say what is computed, in digests that `by` has made."""

    seeds: list[int]
    learning_rate: float | None
    clip: float | None
    loss: str
    data: str
    model: str
    optimizer: str
    by: str


class _Header(BaseModel):
    """What a checkpoint says of its run."""

    settings: _Settings
    steps: PositiveInt
    done: list[NonNegativeInt]
    stopped: list[Reason]
    seconds: Seconds
    compile_seconds: Seconds


class _Run(BaseModel):
    """What a trained model's file says of its training."""

    seeds: tuple[int, ...]
    learning_rate: FiniteFloat | None
    stopped: tuple[Reason, ...]
    seconds: Seconds
    compile_seconds: Seconds


class _Record(BaseModel):
    """What a trained model's file says of its history."""

    steps: PositiveInt
    metrics: list[str]
    run: _Run


class _State(NamedTuple):
    params: Any
    rest: Any  # what a model holds beside parameters, such as the random state of dropout
    optimizer: Any


def fit(
    model: nnx.Module,
    batches: Any,
    steps: int,
    *,
    loss: Loss,
    learning_rate: float | optax.Schedule = 2e-3,
    clip: float | None = 1.0,
    optimizer: optax.GradientTransformation | None = None,
    seed: int = 0,
    report: Callable[[int, dict[str, float]], None] | None = None,
    stop: Callable[[History], bool] | None = None,
    checkpoint: str | os.PathLike | None = None,
    resume: bool = False,
    progress: bool = True,
) -> History:
    """Train `model` in place for `steps` updates of Adam, gradients clipped to norm `clip` (None: not at all).

    batches: `batches(step, rng) -> batch`, a pure function (see `data.batching`).
    loss: `loss(model, batch) -> (scalar, metrics)` (see `models.losses`).
    optimizer: replaces Adam and the clipping.   seed: of the batches; the model brings its own start.
    report: called every 20 updates with the step and the mean loss and metrics of those updates; the model has the
        values of that step, so it can be tried out.
    stop: asked every 20 updates; ends the run as `solved` when true.
    checkpoint: a file to keep the run in; with `resume=True` a run found there goes on where it was and ends
        in exactly the values of an uninterrupted one. One of other data, model, loss, optimizer or schedule is refused.

    Interrupting keeps what was learned and raises `TrainingInterrupted`, with the history so far. A loss that is not a
    number raises `TrainingDiverged` with the step, and the model keeps its last finite values.
    """
    try:
        history = _run(
            [model], batches, steps, (seed,), loss, learning_rate, clip, optimizer, report, stop, checkpoint, resume, progress
        ).of_seed(0)  # fmt: skip
    except TrainingInterrupted as interrupted:
        interrupted.history = interrupted.history.of_seed(0)
        raise
    if "diverged" in history.stopped:
        raise TrainingDiverged(history.steps, history)
    return history


def fit_seeds(
    make: Callable[[nnx.Rngs], Any],
    batches: Any,
    steps: int,
    *,
    loss: Loss,
    seeds: Sequence[int] = (0, 1, 2),
    learning_rate: float | optax.Schedule = 2e-3,
    clip: float | None = 1.0,
    optimizer: optax.GradientTransformation | None = None,
    report: Callable[[int, dict[str, float]], None] | None = None,
    stop: Callable[[History], bool] | None = None,
    checkpoint: str | os.PathLike | None = None,
    resume: bool = False,
    progress: bool = True,
) -> tuple[list[Any], History]:
    """The same training for several seeds, so that a curve can carry a band: models and one history.

    `make(rngs)` builds a model; seed s decides its start and its batches. The other options are `fit`'s.
    Seeds run one after another inside the compiled loop on a CPU, side by side (`vmap`) on an accelerator.
    A seed that diverges stops, keeps its last finite values and is marked `diverged`; the others go on.
    """
    require(
        np.ndim(seeds) == 1 and len(seeds) >= 1, f"seeds is a list of at least one seed, such as (0, 1), not {seeds!r}."
    )
    _require_seeds(seeds)
    seeds = tuple(int(seed) for seed in seeds)
    with interrupts_held():
        models = [make(nnx.Rngs(seed)) for seed in seeds]
    try:
        history = _run(
            models, batches, steps, seeds, loss, learning_rate, clip, optimizer, report, stop, checkpoint, resume, progress
        )  # fmt: skip
    except TrainingInterrupted as interrupted:
        _tell_which_diverged(interrupted.history)
        raise
    _tell_which_diverged(history)
    return models, history


def _tell_which_diverged(history: History) -> None:
    ended = [reason == "diverged" for reason in history.stopped]
    for lane in np.flatnonzero(ended):
        others = "" if all(ended) else "; the other seeds went on"
        warnings.warn(f"Seed {history.seeds[lane]} diverged at step {history.steps[lane]}{others}.", stacklevel=3)


@plain_jax()
def _run(
    models,
    batches,
    steps,
    seeds,
    loss,
    learning_rate,
    clip,
    optimizer,
    report,
    stop,
    checkpoint,
    resume,
    progress,
) -> History:
    require_positive(steps=steps)
    _require_seeds(seeds)
    require(
        optimizer is None or isinstance(optimizer, optax.GradientTransformation),
        f"optimizer is a transformation of optax, such as optax.adam(1e-3), not {type(optimizer).__name__}: "
        "`fit` keeps its state and updates the model itself.",
    )
    require(
        callable(learning_rate) or isinstance(learning_rate, (int, float, np.number, np.ndarray, jax.Array)),
        f"learning_rate is a number, or a schedule of optax, not {learning_rate!r}.",
    )
    require(callable(learning_rate) or learning_rate > 0, f"learning_rate must be positive, not {learning_rate!r}.")
    require(clip is None or clip > 0, f"clip must be positive, or None, not {clip!r}.")
    rate = None if callable(learning_rate) or optimizer is not None else float(learning_rate)
    if optimizer is None:
        clipping = [] if clip is None else [optax.clip_by_global_norm(clip)]
        optimizer = optax.chain(*clipping, optax.adam(learning_rate))  # type: ignore[arg-type]
    with interrupts_held():
        lanes = len(seeds)
        graphdef: Any = None
        states = []
        for model in models:
            graph, params, rest = nnx.split(model, nnx.Param, ...)
            require(graphdef in (None, graph), "Every seed must build the same network; only its numbers may differ.")
            graphdef = graph
            states.append(_State(params, rest, optimizer.init(params)))
        state = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
        rngs = jnp.stack([batch_rng(seed) for seed in seeds])
        bucket_of = getattr(batches, "bucket", lambda step: 0)

        example = jax.eval_shape(functools.partial(batches, 0), jax.random.key(0))
        params, rest, optimizer_state = states[0]

        def objective(params, rest, batch):
            return loss(nnx.merge(graphdef, params, rest), batch)

        metric_shapes = _metrics_of(jax.eval_shape(objective, params, rest, example))
        settings = {
            "seeds": list(seeds),
            "learning_rate": rate,
            "clip": clip if rate is not None else None,
            "loss": getattr(loss, "__qualname__", "a loss"),
        }
        if checkpoint is not None:
            settings["data"] = _digest_of_data(batches, bucket_of)
            settings["model"] = _digest(jax.jit(objective).lower(params, rest, example))
            settings["optimizer"] = _digest(jax.jit(optimizer.update).lower(params, optimizer_state, params))
            settings["by"] = f"jax {jax.__version__} on {jax.default_backend()}"
    losses = np.full((lanes, steps), np.nan, np.float32)
    metrics = {name: np.full((lanes, steps), np.nan, np.float32) for name in metric_shapes}
    done = np.zeros(lanes, int)  # updates run by each seed
    stopped = ["finished"] * lanes
    there = checkpoint is not None and devices.agreed(os.path.exists(checkpoint))
    require(
        resume or not there,
        f"{checkpoint} holds an earlier run: go on with it (resume=True), or name another file.",
    )
    seconds = compile_seconds = 0.0
    if there:
        state, losses, metrics, done, stopped, (seconds, compile_seconds) = _resume(
            checkpoint, state, losses, metrics, settings
        )
    state, rngs = devices.everywhere((state, rngs))

    compiled: dict[Any, Any] = {}
    saved_at = time.monotonic()

    def history() -> History:
        return History(losses, metrics, seconds, compile_seconds, seeds, rate, tuple(stopped))

    def keep() -> None:
        if checkpoint is not None and devices.first():
            record = {"losses": losses, "metrics": metrics}
            description = {"settings": settings, "done": done.tolist(), "stopped": stopped, "steps": steps}
            times = {"seconds": seconds, "compile_seconds": compile_seconds}
            checkpoints.save(checkpoint, {"state": state, "record": record}, {**description, **times})

    def keep_if_possible() -> None:
        """A disk that is full by now costs a warning, not the training."""
        try:
            keep()
        except OSError as error:
            warnings.warn(f"The checkpoint {checkpoint} could not be written ({error.strerror}).", stacklevel=5)

    def give_back() -> None:
        """The models as they are now."""
        own = devices.here(state)
        for lane, model in enumerate(models):
            nnx.update(model, *jax.tree.map(lambda leaf, lane=lane: leaf[lane], own)[:2])

    def active() -> np.ndarray:
        return np.array([reason not in ("solved", "diverged") for reason in stopped]) & (done < steps)

    def ask(lanes_asked: np.ndarray) -> None:
        """Which of these seeds have solved it: asked after whole chunks."""
        for lane in lanes_asked:
            due = stopped[lane] != "diverged" and done[lane] > 0 and done[lane] % CHUNK == 0
            if stop is not None and due and stop(history().of_seed(int(lane))):
                stopped[lane] = "solved"

    if checkpoint is not None and not there:
        try:
            keep()
        except OSError as error:
            raise InvalidInput(f"The checkpoint {checkpoint} cannot be written: {error}") from None

    wanted = (
        progress and devices.first() and not os.environ.get("TQDM_DISABLE")
    )  # which tqdm's notebook bar does not read
    bar = tqdm(total=steps, initial=int(done.max()), unit="step", leave=False, disable=not wanted)
    try:
        if there:
            ask(
                np.flatnonzero([reason != "solved" for reason in stopped])
            )  # an interruption may have come before the answer
        while active().any():
            with interrupts_held():
                begin = int(done[active()].min())
                bucket = bucket_of(begin)
                end = begin + 1
                while end < steps and end % CHUNK and bucket_of(end) == bucket:
                    end += 1
                limits = np.where(active() & (done == begin), end, begin).astype(np.int32)
                examples = batches.examples(bucket) if hasattr(batches, "draw") else None
                arguments = (state, np.int32(begin), limits, rngs, examples)
                if bucket not in compiled:
                    clock = time.perf_counter()
                    advance = _advance(graphdef, loss, optimizer, batches, metric_shapes)
                    step = jax.jit(_over_seeds(advance), out_shardings=devices.replicated())
                    compiled[bucket] = step.lower(*arguments).compile()
                    compile_seconds += time.perf_counter() - clock
                clock = time.perf_counter()
                new_state, reached, values = jax.block_until_ready(compiled[bucket](*arguments))
                seconds += time.perf_counter() - clock
                reached, values = np.asarray(reached), jax.tree.map(np.asarray, values)
                running = np.flatnonzero(limits > begin)
                for lane in running:
                    count = reached[lane] - begin
                    losses[lane, begin : begin + count] = values["loss"][lane, :count]
                    for name in metrics:
                        metrics[name][lane, begin : begin + count] = values[name][lane, :count]
                    if reached[lane] < limits[lane]:
                        stopped[lane] = "diverged"
                # Together: an interruption finds values and counts of the same step.
                state, done = new_state, np.where(limits > begin, reached, done)
                bar.update(end - bar.n)
                begin, window = (end - 1) // CHUNK * CHUNK, {}  # what is reported covers whole chunks
                if np.isfinite(losses[:, begin:end]).any():
                    window = {
                        name: float(np.nanmean(a[:, begin:end])) for name, a in {"loss": losses, **metrics}.items()
                    }
                    bar.set_postfix(loss=f"{window['loss']:.3f}", refresh=False)
                reported = report if window and (end % CHUNK == 0 or end == steps) else None
                if reported is not None:
                    give_back()
            ask(running)
            if reported is not None:
                reported(end, window)
            if checkpoint is not None and time.monotonic() - saved_at > SAVE_EVERY:
                keep_if_possible()
                saved_at = time.monotonic()
    except KeyboardInterrupt:
        stopped = [
            reason if reason in ("solved", "diverged") or done[i] == steps else "interrupted"
            for i, reason in enumerate(stopped)
        ]
        raise TrainingInterrupted(history(), steps) from None
    finally:
        with interrupts_held():
            bar.close()
            give_back()
            keep_if_possible()
            give_back_memory()
    return history()


def _require_seeds(seeds: Sequence[Any]) -> None:
    for seed in seeds:
        whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        require(whole, f"A seed is a whole number, such as 0, not {seed!r}.")


def _metrics_of(shapes: Any) -> dict[str, Any]:
    """The metrics that a loss promises, or `InvalidInput` where it does not return `(scalar, metrics)`."""
    wanted = "A loss returns a pair: one number, and a dict of metrics that are one number each"
    require(isinstance(shapes, tuple) and len(shapes) == 2 and isinstance(shapes[1], dict), f"{wanted}.")
    value, metrics = shapes
    require(getattr(value, "shape", None) == (), f"{wanted}; its first part has shape {getattr(value, 'shape', None)}.")
    require("loss" not in metrics, "A metric may not be called 'loss': that is the name of the loss itself.")
    for name, metric in metrics.items():
        require(getattr(metric, "shape", ()) == (), f"{wanted}; {name!r} has shape {getattr(metric, 'shape', None)}.")
    return metrics


def batch_rng(seed: int) -> jax.Array:
    """The key from which a seed's batches come: step k folds k into it.

    It is not `key(seed)` itself, because `nnx.Rngs(seed)` folds small numbers into that for a model's first values.
    """
    return jax.random.fold_in(jax.random.key(seed), BATCHES)


def _advance(graphdef, loss, optimizer, batches, metric_shapes):
    """The compiled loop of one seed: updates begin … limit - 1, fewer where a value is not finite."""

    def advance(state: _State, begin, limit, rng, examples):
        def update(carry):
            step, _, state, values = carry
            key = jax.random.fold_in(rng, step)
            batch = devices.spread(batches(step, key) if examples is None else batches.draw(examples, key))

            def objective(params):
                own = jax.tree.map(lambda leaf: leaf, state.rest)  # nnx lets a trace change only what it made
                model = nnx.merge(graphdef, params, own)
                value, metrics = loss(model, batch)
                return value, (metrics, nnx.split(model, nnx.Param, ...)[2])

            (value, (metrics, rest)), gradient = jax.value_and_grad(objective, has_aux=True)(state.params)
            changes, optimizer_state = optimizer.update(gradient, state.optimizer, state.params)
            new = _State(optax.apply_updates(state.params, changes), rest, optimizer_state)
            checked = jax.tree.leaves((value, gradient, new.params))
            finite = jnp.array([jnp.isfinite(leaf).all() for leaf in checked]).all()
            state = jax.tree.map(lambda a, b: jnp.where(finite, a, b), new, state)
            row = {"loss": value, **metrics}
            values = {name: values[name].at[step - begin].set(jnp.asarray(row[name], jnp.float32)) for name in values}
            return step + finite, finite, state, values

        empty = {name: jnp.zeros(CHUNK, jnp.float32) for name in ("loss", *metric_shapes)}
        step, _, state, values = jax.lax.while_loop(
            lambda carry: (carry[0] < limit) & carry[1], update, (begin, jnp.array(True), state, empty)
        )
        return state, step, values

    return advance


def _over_seeds(advance):
    """`advance` over a leading axis of seeds: in turn on a CPU, side by side on an accelerator."""
    if jax.default_backend() != "cpu":
        return jax.vmap(advance, in_axes=(0, None, 0, 0, None))

    def in_turn(state, begin, limits, rngs, examples):
        return jax.lax.map(lambda lane: advance(lane[0], begin, lane[1], lane[2], examples), (state, limits, rngs))

    return in_turn


def _digest(lowered: Any, *data: Any) -> str:
    """A short name for what a lowered function computes, the constants in it and these arrays included."""
    program = re.sub("backend_config = .*", "", lowered.as_text())  # where it calls Python: an address of this process
    digest = hashlib.sha256(program.encode())
    for leaf in jax.tree.leaves(data):
        digest.update(np.ascontiguousarray(leaf))
    return digest.hexdigest()[:16]


def _digest_of_data(batches: Any, bucket_of: Callable[[int], Any]) -> str:
    """Of what draws the batches, and of all examples in the buckets of the first thousand steps."""
    rng = jax.random.key(0)
    if not hasattr(batches, "draw"):
        return _digest(jax.jit(batches).lower(np.int32(0), rng))
    buckets = sorted({bucket_of(step) for step in range(0, 1000, CHUNK)})
    examples = [batches.examples(bucket) for bucket in buckets]
    return _digest(jax.jit(batches.draw).lower(examples[0], rng), *examples)


OTHER = {
    "data": "with other data",
    "model": "of another model or loss",
    "optimizer": "with another optimizer or schedule",
}


def _resume(checkpoint, state, losses, metrics, settings):
    header = checkpoints.checked(checkpoint, _Header, checkpoints.about(checkpoint))
    same = "resume with the same settings, or name another checkpoint."
    for name, there in dict(header.settings).items():
        if name in OTHER and header.settings.by == settings["by"]:
            require(there == settings[name], f"{checkpoint} holds a run {OTHER[name]}: {same}")
        elif name not in OTHER and name != "by":
            require(
                there == settings[name],
                f"{checkpoint} holds a run with {name} = {there}, but this one has {settings[name]}: {same}",
            )
    lanes, before = len(losses), header.steps
    checkpoints.require_rows(checkpoint, "record/losses", (lanes, before))
    record = {"losses": losses, "metrics": metrics}
    like = {"state": state, "record": jax.tree.map(lambda a: np.zeros((lanes, before), a.dtype), record)}
    stored, _ = checkpoints.load(checkpoint, like)
    known = np.isfinite(np.asarray(stored["record"]["losses"]))
    counted = known.sum(axis=1)
    whole = (known == (np.arange(before) < counted[:, None])).all()
    if counted.tolist() != header.done or len(header.stopped) != lanes or not whole:
        raise checkpoints.CheckpointError(
            f"{checkpoint} is damaged: it says that {header.done} updates were run, ended as {header.stopped}, and "
            f"holds the losses of {counted.tolist()}. {checkpoints.ANEW}"
        )
    require(
        losses.shape[1] >= counted.max(),
        f"{checkpoint} has already run {counted.max()} updates; ask for more steps.",
    )
    for rows, source in zip(jax.tree.leaves(record), jax.tree.leaves(stored["record"]), strict=True):
        width = min(before, rows.shape[1])
        rows[:, :width] = np.asarray(source)[:, :width]
    stopped = ["finished" if reason == "interrupted" else reason for reason in header.stopped]
    return stored["state"], losses, metrics, counted, stopped, (header.seconds, header.compile_seconds)


# ------------------------------------------------------------------------------------- trained models


class Trained(NamedTuple):
    """A trained model, its history, where it came from (`shipped`, `cached` or `trained`), its configuration."""

    model: Any
    history: History
    origin: str
    config: dict[str, Any]


def trained(
    name: str,
    make: Callable[[nnx.Rngs], nnx.Module],
    train: Callable[..., History],
    config: dict[str, Any],
    *,
    seed: int = 0,
    retrain: bool = False,
) -> Trained:
    """A trained model at once: shipped weights if their `config` is this one, else the user's cache, else a live run.

    `make(rngs)` builds the model, `train(model, seed=seed)` trains it; `config` names all that decides the
    result and can be written as JSON. `retrain=True` always trains. A damaged file costs a warning and a training run.
    """
    model = make(nnx.Rngs(seed))
    _, params, rest = nnx.split(model, nnx.Param, ...)
    full = json.loads(json.dumps({**config, "seed": seed}))
    wanted = [full] if size() == "full" else [full, {**full, "size": "quick"}]
    tag = hashlib.sha256(json.dumps(wanted[-1], sort_keys=True).encode()).hexdigest()[:12]
    own = cache() / "models" / f"{name}-{tag}.safetensors"
    places = [("shipped", _shipped(name)), ("cached", own)]
    if jax.process_count() > 1:
        places.pop()  # one process might have it and not another
    for origin, path in places if not retrain else []:
        if path is None or not path.exists():
            continue
        try:
            description = checkpoints.about(path)
            if description.get("config") not in wanted:
                continue
            there = checkpoints.checked(path, _Record, description.get("record"))
            checkpoints.require_rows(path, "losses", (there.steps,))
            row = np.zeros(there.steps, np.float32)
            like = {"params": params, "rest": rest, "losses": row, "metrics": dict.fromkeys(there.metrics, row)}
            stored, _ = checkpoints.load(path, like)
        except checkpoints.CheckpointError as error:
            warnings.warn(f"The {origin} model {name!r} is not used: {error}", stacklevel=2)
            continue
        nnx.update(model, stored["params"], stored["rest"])
        record = jax.tree.map(np.asarray, (stored["losses"], stored["metrics"]))
        return Trained(model, History(*record, **dict(there.run)), origin, description["config"])
    history = train(model, seed=seed)
    if devices.first():
        try:
            keep(own, model, history, wanted[-1])
        except OSError as error:
            warnings.warn(f"The trained model {name!r} could not be kept ({error}).", stacklevel=2)
    return Trained(model, history, "trained", wanted[-1])


def keep(path: os.PathLike | str, model: nnx.Module, history: History, config: dict[str, Any]) -> None:
    """Write a trained model where `trained` will find it: parameters, history and configuration."""
    _, params, rest = nnx.split(model, nnx.Param, ...)
    run = {name: getattr(history, name) for name in ("seconds", "compile_seconds", "seeds", "learning_rate", "stopped")}
    tree = {"params": params, "rest": rest, "losses": history.losses, "metrics": history.metrics}
    record = {"steps": len(history.losses), "metrics": sorted(history.metrics), "run": run}
    checkpoints.save(path, tree, {"config": config, "record": record})


def _shipped(name: str):
    try:
        return asset(f"weights/{name}.safetensors")
    except CourseError:
        return None
