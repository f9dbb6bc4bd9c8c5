"""Agreement: accuracy by distance, updates and depth, with baselines, and what is left of the subject."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..runtime import require
from .curves import curves, over_seeds, seeds_caption
from .style import GREY, RED, finish, listed

MARGIN = 0.05  # a model is clearly above the baselines by more than this
RIGHT = 0.95  # an accuracy above this is called right
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
    values_at_end = ", ".join(f"{name} {value:.2f}" for name, value in ends.items())
    below = [name for name, value in ends.items() if not value > best + MARGIN]  # also where there is no number
    who = "The network" if len(ends) == 1 else "Every network"
    lowest = min(float(over_seeds(np.nanmin, np.atleast_2d(values).ravel())) for values in accuracy.values())
    title = (
        f"{who} is right at every distance" if lowest > RIGHT else f"{who} beats the baselines at the largest distance"
    )
    if below:
        which = who if len(ends) == 1 else "No network" if len(below) == len(ends) else listed(below)
        verb = "beats" if which == "No network" else "does not beat" if len(below) == 1 else "do not beat"
        title = f"{which} {verb} the baselines at the largest distance"
    return curves(
        distance, accuracy, title=title,
        caption=f"Share of right answers against the distance from subject to verb. {seeds_caption(accuracy)} Grey: what simple rules "
        "reach.",
        summary=f"At distance {distance[-1]:g}: {values_at_end}; the best baseline has {best:.2f}.",
        x_title="words from subject to verb", y_title="accuracy", references=_in_order(baselines), y_range=(0.4, 1.03),
    )  # fmt: skip


def what_it_pays(sentence: float, guessing: float, weights: Sequence[float]) -> go.Figure:
    """The loss of a whole sentence, in nats, and the part that not knowing singular from plural adds to it.

    guessing: the cost of a coin flip for the verb, once a sentence.   weights: how much the verb may count, a bar each.
    """
    require(weights, "There is nothing to draw: no weight is given.")
    names = [f"verb × {weight:g}" for weight in weights]
    paid = [weight * guessing for weight in weights]
    figure = go.Figure()
    for x, colour in (([sentence - guessing] * len(paid), GREY), (paid, RED)):
        figure.add_bar(x=x, y=names, orientation="h", marker_color=colour)
    figure.add_annotation(
        x=1, y=names[0], text="all other words", showarrow=False, xanchor="left", font={"color": "#FFFFFF"}
    )
    for name, cost in zip(names, paid, strict=True):
        told = f"{cost:.1f} nats, {cost / (sentence - guessing + cost):.0%}"
        figure.add_annotation(x=sentence - guessing + cost, y=name, text=told, xanchor="left", xshift=6, showarrow=False,
                              font={"color": RED})  # fmt: skip
    figure.update_layout(barmode="stack", showlegend=False)
    figure.update_xaxes(range=[0, 1.5 * (sentence - guessing + max(paid))])
    figure.update_yaxes(autorange="reversed")
    first = paid[0] / (sentence - guessing + paid[0])
    title = (
        "The verb is a sliver of what a sentence costs"
        if first < 0.05
        else "The verb is a good part of what a sentence costs"
    )
    return finish(
        figure, title=title,
        caption="The loss of one sentence whose other words are as after 1,000 updates. Orange: what guessing between was and were adds.",
        summary="; ".join(f"{name} {cost:.2f} nats" for name, cost in zip(names, paid, strict=True)) + ".",
        x="nats in a sentence", height=240,
    )  # fmt: skip


def accuracy_by_updates(
    distance: np.ndarray,
    accuracy: Mapping[int, np.ndarray],
    baselines: Mapping[str, np.ndarray],
    network: str = "",
    grey: str = "what simple rules reach",
) -> go.Figure:
    """The same networks (`network`: their name) at several moments: accuracy `[seeds, bins]` by updates, against distance.

    grey: what the lines to compare with are.
    """
    require(accuracy, "The figure needs at least one moment of training.")
    ends = {updates: float(np.mean(values[:, -1])) for updates, values in accuracy.items()}
    learned = [updates for updates, values in accuracy.items() if np.min(values) > 0.9]  # every seed, every bin
    first, last = min(ends), max(ends)
    who = network or "The network"
    if learned:
        guessed = (np.atleast_2d(accuracy[first]).mean(0) < GUESSING).all()
        title = f"{who} guesses at first and is right after {min(learned):,} updates"
        title = title if guessed else f"{who} is right after {min(learned):,} updates"
    elif ends[last] < GUESSING:
        still = " still" if max(ends.values()) < GUESSING else ""
        title = f"{who}{still} guesses after {last:,} updates"
    else:
        title = f"{who} has learned it in part after {last:,} updates"
    runs = {f"{updates:,} updates": values for updates, values in accuracy.items()}
    return curves(
        distance, runs, title=title,
        caption="A network that only predicts words, tested on the verb: is the right one of was and were more probable? The same "
        f"training at several moments. {seeds_caption(runs)} Grey: {grey}.",
        summary="Share of right verbs at the largest distance: "
        + ", ".join(f"{value:.2f} after {updates:,} updates" for updates, value in ends.items()) + ".",
        x_title="words from subject to verb", y_title="accuracy", references=_in_order(baselines), y_range=(0.4, 1.03), ordered=True,
    )  # fmt: skip


def agreement_by_updates(networks: Mapping[str, Mapping[int, np.ndarray]]) -> go.Figure:
    """Share of right verbs at the largest distance, `[seeds]` by updates, one line a network."""
    require(networks, "There is nothing to draw: no network is given.")
    moments = sorted({updates for row in networks.values() for updates in row})
    missing = np.full(len(next(iter(next(iter(networks.values())).values()))), np.nan)
    runs = {name: np.stack([row.get(n, missing) for n in moments], axis=1) for name, row in networks.items()}
    first = {
        name: min((n for n, values in row.items() if np.min(values) > RIGHT), default=None)
        for name, row in networks.items()
    }
    learned = {name: n for name, n in first.items() if n is not None}
    title = "No network has learned agreement"
    if len(learned) == len(first):
        slowest = max(learned, key=lambda name: learned[name])
        quick = all(n < learned[slowest] for name, n in learned.items() if name != slowest)
        title = f"The {slowest} learns agreement last" if quick else "All networks learn agreement"
    elif learned:
        title = f"{listed(list(learned))} {'learns' if len(learned) == 1 else 'learn'} agreement"
    return curves(
        moments, runs, title=title,
        caption="Networks that only predict the next word, tested on verbs 37 to 40 words after their subject; 0.5 is guessing. "
        f"{seeds_caption(runs)}",
        summary="All seeds are right after: "
        + ", ".join(f"{name} {f'{n:,} updates' if n else 'never'}" for name, n in first.items()) + ".",
        x_title="updates", y_title="share of right verbs", references={"guessing": 0.5}, y_range=(0.4, 1.03), log_x=True,
    )  # fmt: skip


def accuracy_by_depth(accuracy: Mapping[int, np.ndarray], level: float = 0.95) -> go.Figure:
    """Centre embedding: accuracy `[seeds, depths]` for states of several sizes, against the number of subjects."""
    depths = np.arange(1, 1 + next(iter(accuracy.values())).shape[1])
    deepest = {size: int(np.cumprod(values.mean(0) >= level).sum()) for size, values in accuracy.items()}
    held_by_size = ", ".join(
        f"{size} units {'at least ' if depth == depths[-1] else ''}{depth}" for size, depth in deepest.items()
    )
    runs = {f"{size} units": values for size, values in accuracy.items()}
    shares = [depth / size for size, depth in deepest.items()]
    held = [deepest[size] for size in sorted(deepest)]
    title = "More units do not hold more subjects"
    if all(0.5 <= share <= 1.5 for share in shares):
        title = "A state holds about one subject a unit"
    elif all(a < b for a, b in itertools.pairwise(held)):
        title = "More units hold more subjects"
    return curves(
        depths, runs,
        title=title,
        caption="Every verb of a centre-embedded sentence is asked for singular or plural, so a sentence with D "
        f"subjects needs D bits at once. {seeds_caption(runs)} Guessing is right half the time.",
        summary=f"Most subjects at which {level:.0%} of the verbs are right: {held_by_size}.",
        x_title="subjects waiting for their verbs", y_title="accuracy", references={"guessing": 0.5}, y_range=(0.4, 1.03), ordered=True,
    )  # fmt: skip


def gap_by_steps(gaps: Mapping[str, Any]) -> go.Figure:
    """Distance between the states of twin sentences (`[steps]` or `[seeds, steps]`), by steps after the subject."""
    runs = {name: np.atleast_2d(values) for name, values in gaps.items()}
    steps = np.arange(next(iter(runs.values())).shape[1])
    ends = {name: float(values[:, -1].mean()) for name, values in runs.items()}
    gone = [name for name, end in ends.items() if end < 0.1]
    kept = [name for name, end in ends.items() if end > 0.5]
    title = "The difference fades step by step"
    if gone and kept:
        title = "Some networks keep the difference, others lose it"
    elif gone or kept:
        which = gone or kept
        who = "Every network" if len(which) == len(ends) else listed(which)
        title = f"{who} {'loses' if gone else 'keeps'} the difference"
    return curves(
        steps, runs, title=title,
        caption="Distance between the states of two sentences that differ in one subject, singular or plural, as a multiple of the "
        f"distance at the subject; logarithmic axis. {seeds_caption(runs)} A straight line down is exponential forgetting.",
        summary=f"{steps[-1]} steps after the subject: " + ", ".join(f"{name} {end:.2g}" for name, end in ends.items()) + ".",
        x_title="steps after the subject", y_title="distance, 1 at the subject", log_y=True, markers=False,
    )  # fmt: skip
