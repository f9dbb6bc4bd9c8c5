"""Which networks learn to bridge which delay."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from ..experiments.results.ch02 import FromStart
from ..experiments.results.recall import Solved
from ..runtime import require
from .curves import curves
from .style import BLACK, COLOURS, GREY, MARKERS, finish, listed, log_ticks


def cell_text(result: Solved) -> str:
    """One training's outcome over seeds in a few characters: `140–200`, `2 of 3`, `0.25` (accuracy of the best)."""
    known = [n for n in result.updates if n is not None]
    if len(known) == len(result.updates):
        low, high = min(known), max(known)
        return f"{low:,}" if low == high else f"{low:,}–{high:,}"
    if known:
        return f"{len(known)} of {len(result.updates)}"
    return f"✗ {max(result.accuracy):.2f}"


def _gaps(row: Mapping[int, Solved], farthest: int) -> str:
    """Shorter delays than the farthest that not every seed solved: ` (not all at 30)`."""
    missed = sorted(delay for delay, result in row.items() if delay < farthest and None in result.updates)
    return f" (not all at {' and '.join(map(str, missed))})" if missed else ""


def delays_learned(table: Mapping[str, Mapping[int, Solved]], updates: int, fewer: str = "") -> go.Figure:
    """Networks in rows, delays in columns: updates until solved, how many seeds of how many, or the accuracy reached.

    `table`: network → delay → result; `fewer`: words on where fewer updates were run.
    """
    require(table, "There is nothing to draw: the table is empty.")
    rows = list(table)
    delays = sorted({delay for row in table.values() for delay in row})
    share = np.full((len(rows), len(delays)), np.nan)
    text = [["" for _ in delays] for _ in rows]
    for i, row in enumerate(rows):
        for j, delay in enumerate(delays):
            result = table[row].get(delay)
            if result is not None:
                share[i, j] = result.count / len(result.updates)
                text[i][j] = cell_text(result)
    figure = go.Figure(
        go.Heatmap(
            z=share, x=[str(delay) for delay in delays], y=rows, text=text, texttemplate="%{text}", showscale=False,
            colorscale=((0, "#F7D9C4"), (0.5, "#FFF6D6"), (1, "#CFE8DC")), zmin=0, zmax=1, xgap=3, ygap=3,
            textfont={"size": 13, "color": BLACK}, hovertemplate="%{y}, delay %{x}: %{text}<extra></extra>",
        )
    )  # fmt: skip
    farthest = {
        row: max([delay for delay, result in table[row].items() if None not in result.updates], default=0)
        for row in rows
    }
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    best = max(farthest.values())
    winners = [row for row, delay in farthest.items() if delay == best]
    title = "No network solves any delay with all seeds"
    if best:
        who = f"Only {winners[0]}" if len(winners) == 1 else listed(winners)
        who = "Every network" if len(winners) == len(rows) else who
        alone = len(winners) == 1 or len(winners) == len(rows)
        title = f"{who} {'bridges' if alone else 'bridge'} {best} steps with all seeds"
    return finish(
        figure,
        title=title,
        caption="Updates until the first symbol is named with 0.995 (mean of the last 100), lowest to highest seed (green: all seeds); how "
            "many seeds, where "
        f"not all (yellow); or ✗ and the best accuracy after the last update (orange; guessing is 0.125). At most "
        f"{updates:,} updates{fewer}.",
        summary="Longest delay that all seeds solve: "
        + "; ".join(f"{row} {delay or 'none'}{_gaps(table[row], delay)}" for row, delay in farthest.items()) + ".",
        x="delay", height=150 + 46 * len(rows),
    )  # fmt: skip


def share_and_learning(runs: Sequence[FromStart], updates: int) -> go.Figure:
    """Every training as a point: the share of the gradient that reached the first state before it, and how long it took.

    `updates`: within which a delay had to be solved.
    """
    require(runs, "There is nothing to draw: no training is given.")
    points = [(run.delay, share, taken) for run in runs for share, taken in zip(run.share, run.updates, strict=True)]
    figure = go.Figure()
    for i, delay in enumerate(sorted({delay for delay, _, _ in points})):
        of_delay = [(share, taken) for d, share, taken in points if d == delay]
        figure.add_scatter(
            x=[share for share, _ in of_delay], y=[taken if taken else 1.25 * updates for _, taken in of_delay], mode="markers",
            name=f"delay {delay}", marker={"color": COLOURS[i], "symbol": MARKERS[i], "size": 9, "opacity": 0.8},
            hovertemplate="share %{x:.2g}, %{y:.0f} updates<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=1.12 * updates, line={"color": GREY, "dash": "dot", "width": 1.5})  # type: ignore[arg-type]
    figure.add_annotation(x=1, xref="paper", y=np.log10(1.3 * updates), text="not solved", showarrow=False, xanchor="right",
                          yshift=12, font={"color": GREY})  # fmt: skip
    learned = [share for _, share, taken in points if taken]
    failed = [share for _, share, taken in points if not taken]
    shares = [share for _, share, _ in points]
    figure.update_xaxes(type="log", **log_ticks(max(min(shares), 1e-30), max(shares)))
    ticks = [100, 200, 500, updates]
    figure.update_yaxes(
        type="log", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks], range=[1.95, np.log10(1.6 * updates)]
    )
    figure.update_layout(legend={"x": 0.01, "y": 0.02, "yanchor": "bottom"})
    below = sum(share < min(learned, default=np.inf) for share in failed)
    above = sum(share > max(failed, default=0) for share in learned)
    title = "The share of the gradient does not tell what is learned"
    if not learned or not failed:
        title = f"{'Every' if learned else 'No'} training solved its delay"
    elif below >= len(failed) / 2:
        title = "Where less of the gradient arrives, fewer trainings learn"
    fewest, most = min(len(run.share) for run in runs), max(len(run.share) for run in runs)
    seeds = f"{fewest} to {most} seeds" if fewest < most else f"{most} seeds" if most > 1 else "one seed"
    return finish(
        figure,
        title=title,
        caption="Each marker is one training of a plain network with another start: W scaled by 0.7 to 1.1, word "
            f"vectors by 0.3 to 6, {seeds}. "
        "Across: which share of the loss's gradient reached the first state before the first update. Up: updates "
        "until the delay was "
        f"solved; above the dotted line: not within {updates:,}.",
        summary=f"{len(points)} trainings. {below} of the {len(failed)} that failed began with a share below that "
            f"of every one that solved it; "
        f"{above} of the {len(learned)} that solved it began above every one that failed.",
        x="share of the gradient at the first state, before training", y="updates until solved", height=430,
    )  # fmt: skip


def side_by_side(losses: Mapping[str, np.ndarray], guessing: float, point: int = 10) -> go.Figure:
    """Losses of trainings that differ in one thing, each ended where it was solved; a point is the mean of `point` updates."""
    longest = max(len(values) for values in losses.values()) // point
    rows = {name: np.full(longest, np.nan) for name in losses}
    for name, values in losses.items():
        whole = np.asarray(values, float)[: len(values) // point * point].reshape(-1, point).mean(1)
        rows[name][: len(whole)] = whole
    learned = [name for name, row in rows.items() if row[np.isfinite(row)][-1] < guessing / 2]
    other = [name for name in rows if name not in learned]
    title = "All of them learn" if learned else "None of them learns"
    if learned and other:
        title = f"{listed(learned)} learn{'s' * (len(learned) == 1)}, {listed(other)} guess{'es' * (len(other) == 1)}"
    ends = "; ".join(f"{name} {row[np.isfinite(row)][-1]:.2f}" for name, row in rows.items())
    return curves(
        point * np.arange(1, longest + 1), rows, title=title,
        caption=f"Loss while training, each point the mean of {point} updates. One seed. A line ends where its task is solved.",
        summary=f"Loss at the end: {ends}. Guessing costs {guessing:.2f}.",
        x_title="updates", y_title="loss (nats)", references={"guessing": guessing}, markers=False, y_range=(0, 1.2 * guessing),
    )  # fmt: skip
