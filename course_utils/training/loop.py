"""The training loop, of one model and of several seeds."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flax import nnx

from ..data.batching import BatchSource
from ..models.losses import Loss
from ..runtime import interrupts_held, require
from .history import History, TrainingDiverged
from .options import Options, takes_options
from .run import running
from .step import update


@takes_options
def fit(
    model: nnx.Module,
    batches: BatchSource,
    steps: int,
    *,
    loss: Loss,
    seed: int = 0,
    **options: Any,
) -> History:
    """Train `model` in place for `steps` updates of Adam, and return what happened.

        θ ← θ - η · Adam(clip(∇loss(θ, batch)))        at every step (see `training.update`)

    batches: `batches(step, rng) -> batch`, a pure function (see `data.batching`).
    loss: `loss(model, batch) -> (scalar, metrics)` (see `models.losses`).
    seed: of the batches; the model brings its own first values.
    options: learning_rate and clip, or an optimizer of optax; `report(step, means)` and
        `stop(history)`, called every 20 updates; checkpoint, a file, and resume; progress, a bar.
        `training.Options` says more of each.

    Interrupting keeps what was learned and raises `TrainingInterrupted`, with the history so far. A
    loss that is not a number raises `TrainingDiverged` with the step, and the model keeps its last
    finite values.
    """
    require_seeds([seed])
    with running(model, batches, steps, loss, [seed], Options.of(**options)) as run:
        while run.unfinished():
            run.advance(update)  # up to 20 updates in one compiled call
            run.report()
            run.save_now_and_then()
    if "diverged" in run.history.stopped:
        raise TrainingDiverged(run.history)
    return run.history


@takes_options
def fit_seeds(
    make: Callable[[nnx.Rngs], Any],
    batches: BatchSource,
    steps: int,
    *,
    loss: Loss,
    seeds: Sequence[int] = (0, 1, 2),
    **options: Any,
) -> tuple[list[Any], History]:
    """The same training for several seeds, so that a curve can carry a band.

    `make(rngs)` builds a model; seed s decides its first values and its batches. All else is as in
    `fit`. Returns the models and one history.

    Seeds run one after another inside the compiled loop on a CPU, side by side (`vmap`) on an
    accelerator. A seed that diverges stops, keeps its last finite values and is marked `diverged`;
    the others go on.
    """
    several = np.ndim(seeds) == 1 and len(seeds) >= 1
    require(several, f"seeds is a list of at least one seed, such as (0, 1), not {seeds!r}.")
    require_seeds(seeds)
    with interrupts_held():
        models = [make(nnx.Rngs(int(seed))) for seed in seeds]
    with running(models, batches, steps, loss, seeds, Options.of(**options)) as run:
        while run.unfinished():
            run.advance(update)
            run.report()
            run.save_now_and_then()
    return models, run.history


def require_seeds(seeds: Sequence[Any]) -> None:
    """Every seed must be a whole number."""
    for seed in seeds:
        whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        require(whole, f"A seed is a whole number, such as 0, not {seed!r}.")
