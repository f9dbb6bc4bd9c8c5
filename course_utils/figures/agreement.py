"""Agreement: accuracy by distance, updates and depth, with baselines, and what is left of the subject."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..runtime import require
from .curves import curves, over_seeds, seeds_caption

MARGIN = 0.05  # a model is clearly above the baselines by more than this
GUESSING = 0.6  # an accuracy below this is called guessing; one half is
BASELINES = ("majority", "nearest noun", "first noun")  # always drawn in this order, hence in the same line style


def _in_order(baselines: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The known baselines in their order, then all others."""
    ordered = {name: baselines[name] for name in BASELINES if name in baselines}
    return {**ordered, **{name: values for name, values in baselines.items() if name not in ordered}}


def accuracy_by_distance(
    distance: np.ndarray, accuracy: Mapping[str, np.ndarray], baselines: Mapping[str, np.ndarray]
) -> go.Figure:
    """Accuracy of models (`[seeds, bins]` each) and of baselines (`[bins]`) against distance from subject to verb."""
    require(accuracy and baselines, "The figure needs at least one model and one baseline.")
    ends = {name: float(over_seeds(np.nanmean, np.atleast_2d(values)[:, -1])) for name, values in accuracy.items()}
    best = float(over_seeds(np.nanmax, np.array([values[-1] for values in baselines.values()], float)))
    listed = ", ".join(f"{name} {value:.2f}" for name, value in ends.items())
    below = [name for name, value in ends.items() if not value > best + MARGIN]  # also where there is no number
    title = "Above every baseline at the largest distance"
    if below:
        which = f": {', '.join(below)}" if len(ends) > 1 else ""
        title = f"Not clearly above the baselines at the largest distance{which}"
    return curves(
        distance, accuracy, title=title,
        caption=f"Share of right answers against the distance from subject to verb. {seeds_caption(accuracy)} Grey: readers "
        "without a grammar. A model says something about memory only where it is above all of them; clearly above: by more "
        f"than {MARGIN:g}.",
        summary=f"At distance {distance[-1]:g}: {listed}; the best baseline has {best:.2f}.",
        x_title="words from subject to verb", y_title="accuracy", references=_in_order(baselines), y_range=(0.4, 1.03),
    )  # fmt: skip


def accuracy_by_updates(
    distance: np.ndarray,
    accuracy: Mapping[int, np.ndarray],
    baselines: Mapping[str, np.ndarray],
    network: str = "",
) -> go.Figure:
    """The same networks (`network`: their name) at several moments: accuracy `[seeds, bins]` by updates, against distance."""
    require(accuracy, "The figure needs at least one moment of training.")
    ends = {updates: float(np.mean(values[:, -1])) for updates, values in accuracy.items()}
    learned = [updates for updates, values in accuracy.items() if np.min(values) > 0.9]  # every seed, every bin
    first, last = min(ends), max(ends)
    if learned:
        guessed = (np.atleast_2d(accuracy[first]).mean(0) < GUESSING).all()
        title = f"{'Guessing at first; after' if guessed else 'After'} {min(learned):,} updates right at every distance"
    elif ends[last] < GUESSING:
        still = "still " if max(ends.values()) < GUESSING else ""
        title = f"After {last:,} updates {still}guessing at the largest distance"
    else:
        title = "Agreement, as it is learned"
    title = f"{network}: {title[0].lower()}{title[1:]}" if network else title
    runs = {f"{updates:,} updates": values for updates, values in accuracy.items()}
    return curves(
        distance, runs, title=title,
        caption="A network that only predicts words, tested on the verb: is the right number more probable? The same "
        f"training at several moments. {seeds_caption(runs)} Grey: readers without a grammar.",
        summary="Share of right verbs at the largest distance: "
        + ", ".join(f"{value:.2f} after {updates:,} updates" for updates, value in ends.items()) + ".",
        x_title="words from subject to verb", y_title="accuracy", references=_in_order(baselines), y_range=(0.4, 1.03),
    )  # fmt: skip


def accuracy_by_depth(accuracy: Mapping[int, np.ndarray], level: float = 0.95) -> go.Figure:
    """Centre embedding: accuracy `[seeds, depths]` for states of several sizes, against the number of subjects."""
    depths = np.arange(1, 1 + next(iter(accuracy.values())).shape[1])
    deepest = {size: int(np.cumprod(values.mean(0) >= level).sum()) for size, values in accuracy.items()}
    listed = ", ".join(
        f"{size} units {'at least ' if depth == depths[-1] else ''}{depth}" for size, depth in deepest.items()
    )
    runs = {f"{size} units": values for size, values in accuracy.items()}
    return curves(
        depths, runs,
        title=f"Subjects held at once ({level:.0%} right): {listed}",
        caption="Every verb of a centre-embedded sentence is asked for the number of its subject, so a sentence with D "
        f"subjects needs D bits at once. {seeds_caption(runs)} Guessing is right half the time.",
        summary=f"Most subjects at which {level:.0%} of the verbs are right: {listed}.",
        x_title="subjects waiting for their verbs", y_title="accuracy", references={"guessing": 0.5}, y_range=(0.4, 1.03),
    )  # fmt: skip


def gap_by_steps(gaps: Mapping[str, Any]) -> go.Figure:
    """Distance between the states of twin sentences (`[steps]` or `[seeds, steps]`), by steps after the subject."""
    runs = {name: np.atleast_2d(values) for name, values in gaps.items()}
    steps = np.arange(next(iter(runs.values())).shape[1])
    ends = {name: float(values[:, -1].mean()) for name, values in runs.items()}
    lost = [name for name, end in ends.items() if end < 0.1]
    remembered = [name for name, end in ends.items() if end > 0.5]
    parts = [f"{verb}: {', '.join(names)}" for verb, names in (("Lost", lost), ("kept", remembered)) if names]
    title = "; ".join(parts)
    return curves(
        steps, runs, title=title or "What is left of the subject's number in the state",
        caption="Distance between the states of two sentences that differ in the subject's number, as a multiple of the "
        f"distance at the subject; logarithmic axis. {seeds_caption(runs)} A straight line down is exponential forgetting.",
        summary=f"{steps[-1]} steps after the subject: " + ", ".join(f"{name} {end:.2g}" for name, end in ends.items()) + ".",
        x_title="steps after the subject", y_title="distance, 1 at the subject", log_y=True, markers=False,
    )  # fmt: skip
