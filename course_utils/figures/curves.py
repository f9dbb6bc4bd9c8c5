"""Lines over a common axis, with a band over seeds."""

import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..runtime import require
from .style import DASHES, GREY, MARKERS, colours_of, finish, ink, listed, log_ticks, ramp, translucent

MOST_NAMED, NAME_WIDTH, LINE = 7, 16, 15  # lines with names at their ends, letters in a line of a name, pixels of it
MARGIN = 0.05  # a loss is clearly below the baseline by more than this share of it


def curves(
    x: Sequence[float] | np.ndarray,
    series: Mapping[str, Any],
    *,
    title: str,
    caption: str,
    summary: str,
    x_title: str,
    y_title: str,
    references: Mapping[str, Any] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    y_range: tuple[float, float] | None = None,
    markers: bool = True,
    ordered: bool = False,
) -> go.Figure:
    """One line for each series. A series `[seeds, x]` shows its mean and a band from lowest to highest seed.

    `references` are drawn in grey behind: baselines, `[x]` or one number.   ordered: the series are moments or sizes, which
    are drawn from light to dark. A few lines have their names at their ends, more a legend.
    """
    x = np.asarray(x)
    require(x.size and series, "There is nothing to draw: the axis or the series are empty.")
    figure = go.Figure()
    for i, (name, values) in enumerate((references or {}).items()):
        y = np.broadcast_to(np.asarray(values, float), x.shape)
        line = {"color": GREY, "dash": DASHES[1 + i % 5], "width": 1.5}
        figure.add_scatter(x=x, y=y, name=name, mode="lines", line=line)
    colours = dict(zip(series, ramp(len(series)), strict=True)) if ordered else colours_of(list(series))
    for i, (name, values) in enumerate(series.items()):
        runs = np.atleast_2d(np.asarray(values, float))
        require(
            runs.shape[1] == len(x),
            f"Series {name!r} has {runs.shape[1]} points, but the axis has {len(x)}.",
        )
        colour, group = colours[name], f"s{i}"
        if len(runs) > 1:
            low, high = over_seeds(np.nanmin, runs), over_seeds(np.nanmax, runs)
            known = np.isfinite(low)  # a gap would make the band's outline cross itself
            x_known, low, high = x[known], low[known], high[known]
            figure.add_scatter(
                x=np.concatenate([x_known, x_known[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", mode="lines",
                line={"width": 0}, fillcolor=translucent(colour, 0.18), hoverinfo="skip", legendgroup=group,
                showlegend=False,
            )  # fmt: skip
        figure.add_scatter(
            x=x, y=over_seeds(np.nanmean, runs), name=name, legendgroup=group,
            mode="lines+markers" if markers else "lines",
            line={"color": colour, "dash": DASHES[i % len(DASHES)], "width": 2.5},
            marker={"symbol": MARKERS[i % len(MARKERS)], "size": 7},
        )  # fmt: skip
    if log_x:
        figure.update_xaxes(type="log", tickvals=list(x), ticktext=[f"{value:,g}" for value in x])
    low, high = y_range if y_range and y_range[0] < y_range[1] else _extent(figure, log_y)
    if log_y:
        ticks = log_ticks(10**low, 10**high)
        figure.update_yaxes(type="log", minor={"dtick": "D1", "showgrid": True}, **ticks)
    figure.update_yaxes(range=[low, high])
    figure.update_layout(hovermode="x unified")
    finish(figure, title=title, caption=caption, summary=summary, x=x_title, y=y_title)
    name_lines(figure, log_y)
    return figure


def _extent(figure: Any, log_y: bool) -> tuple[float, float]:
    """The range of an axis on which all traces have room, as Plotly takes it: powers of ten on a logarithmic one."""
    y = np.concatenate([np.asarray(trace.y, float) for trace in figure.data])
    y = np.log10(y[np.isfinite(y) & (y > 0)]) if log_y else y[np.isfinite(y)]
    low, high = (float(y.min()), float(y.max())) if y.size else (0.0, 1.0)
    pad = 0.05 * (high - low) or 0.5
    return low - pad, high + pad


def name_lines(figure: Any, log_y: bool = False) -> None:
    """Put the names of a finished figure's lines at their ends in place of a legend, where they are few enough; none overlap.

    A line that ends before the others has its name over its last point.
    """
    lines = [trace for trace in figure.data if trace.name and trace.showlegend is not False]
    if not 1 < len(lines) <= MOST_NAMED:
        return
    _name_short_ones(figure, lines)
    lines = [trace for trace in lines if not _is_short(trace, lines)]
    low, high = figure.layout.yaxis.range
    height = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    texts = ["<br>".join(textwrap.wrap(trace.name, NAME_WIDTH)) for trace in lines]
    ends = []
    for trace in lines:
        y = np.asarray(trace.y, float)[np.argsort(trace.x)]
        known = y[np.isfinite(y) & ((y > 0) | (not log_y))]
        end = float(known[-1]) if known.size else (10**low if log_y else low)
        ends.append(height * float(np.clip(((np.log10(end) if log_y else end) - low) / (high - low), 0, 1)))
    for trace, text, end, pixel in zip(
        lines, texts, ends, _apart(ends, [LINE * (t.count("<br>") + 1) for t in texts]), strict=True
    ):
        figure.add_annotation(
            x=1, xref="paper", y=end / height, yref="paper", yshift=pixel - end, xshift=6, text=text, showarrow=False, xanchor="left",
            yanchor="middle", align="left", font={"size": 12, "color": ink(trace.line.color)},
        )  # fmt: skip
    figure.update_layout(showlegend=False)
    longest = max(len(line) for text in texts for line in text.split("<br>"))
    figure.layout.margin.r = 14 + 7 * longest


def _last(trace: Any) -> tuple[float, float]:
    """The last point of a line."""
    known = np.isfinite(np.asarray(trace.y, float))
    return float(np.asarray(trace.x, float)[known].max()), float(np.asarray(trace.y, float)[known][-1])


def _is_short(trace: Any, lines: Sequence[Any]) -> bool:
    """Whether a line ends clearly before the longest."""
    known = [line for line in lines if np.isfinite(np.asarray(line.y, float)).any()]
    return trace in known and _last(trace)[0] < 0.9 * max(_last(line)[0] for line in known)


def _name_short_ones(figure: Any, lines: Sequence[Any]) -> None:
    """Names over the last points of the lines that end early, one above another where several end near each other."""
    low, high = figure.layout.yaxis.range
    x_is_log, y_is_log = (axis.type == "log" for axis in (figure.layout.xaxis, figure.layout.yaxis))
    short = [trace for trace in lines if _is_short(trace, lines)]
    ends = [(np.log10(x) if x_is_log else x, np.log10(y) if y_is_log else y) for x, y in map(_last, short)]
    wide = max((float(np.ptp(np.log10(trace.x) if x_is_log else trace.x)) for trace in lines), default=1.0)
    for i, (trace, (x, y)) in enumerate(zip(short, ends, strict=True)):
        below = sum(abs(x - u) < 0.3 * wide and abs(y - v) < 0.07 * (high - low) for u, v in ends[:i])
        figure.add_annotation(
            x=x, y=y, text=trace.name, showarrow=False, xanchor="left", yanchor="bottom", xshift=7, yshift=-6 + LINE * below,
            font={"size": 12, "color": ink(trace.line.color)},
        )  # fmt: skip


def _apart(centres: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Places near the wanted ones at which texts of these heights, one above another, do not overlap."""
    order = sorted(range(len(centres)), key=lambda i: centres[i])
    groups: list[tuple[list[int], float]] = []  # which texts stand together, and the middle of them
    for i in order:
        members, middle = [i], centres[i]
        while groups:
            before, below = groups[-1]
            reach = (sum(heights[k] for k in before) + sum(heights[k] for k in members)) / 2
            if middle - below >= reach:
                break
            groups.pop()
            members = before + members
            middle = sum(centres[k] for k in members) / len(members)
        groups.append((members, middle))
    placed = [0.0] * len(centres)
    for members, middle in groups:
        bottom = middle - sum(heights[k] for k in members) / 2
        for k in members:
            placed[k] = bottom + heights[k] / 2
            bottom += heights[k]
    return placed


def error_while_learning(
    losses: Mapping[str, Any], point: int, last: Mapping[str, Sequence[float]], *, baseline: float, task: str
) -> go.Figure:
    """Loss of several networks while they learn a task: name → `[seeds, points]` (NaN after a seed has ended), each point
    the mean of `point` updates; `last`: its last value, one a seed."""
    require(losses, "There is nothing to draw: no network is given.")
    runs = {name: np.asarray(values, float) for name, values in losses.items()}
    ends = {name: float(np.mean(values)) for name, values in last.items()}
    stuck = [name for name, end in ends.items() if not end < (1 - MARGIN) * baseline]  # also where there is no number
    at_the_end = ", ".join(f"{name} {end:.3f}" for name, end in ends.items())
    title = "Every network gets below the baseline"
    if stuck:
        title = f"{listed(stuck)} {'stays' if len(stuck) == 1 else 'stay'} at the baseline"
    x = point * np.arange(1, 1 + max(values.shape[1] for values in runs.values()))
    return curves(
        x, runs, title=title,
        caption=f"Loss while learning {task}. {seeds_caption(runs)} A curve ends where its seeds have solved the task. Dashed: a "
        f"reader that remembers nothing.",
        summary=f"At the end: {at_the_end}; a reader that remembers nothing {baseline:.3f}.",
        x_title="updates", y_title="loss", references={"remembers nothing": baseline}, markers=False,
    )  # fmt: skip


def times(lengths: Sequence[int], seconds: Mapping[str, Sequence[float]]) -> go.Figure:
    """Time against length on two logarithmic axes, with a line of exactly proportional time."""
    steps = np.asarray(lengths)
    require(len(steps) >= 3, "A slope needs times for at least three lengths.")
    milliseconds = {name: 1e3 * np.asarray(values) for name, values in seconds.items()}
    slopes = {name: float(np.polyfit(np.log(steps[-3:]), np.log(v[-3:]), 1)[0]) for name, v in milliseconds.items()}
    most, largest = list(milliseconds.items())[-1]
    proportional = [name for name, slope in slopes.items() if abs(slope - 1) < 0.2]
    whole = np.polyfit(np.log(steps), np.log(list(milliseconds.values())[-1]), 1)[0]  # of the last, over all lengths
    title = f"The time grows {'more slowly than' if slopes[most] < 0.8 else 'with'} the length"
    if len(proportional) == len(slopes):
        title = "For long texts the time doubles with the length"
    elif most in proportional and abs(whole - 1) < 0.2:
        title = f"{most[0].upper()}{most[1:]}, the time doubles with the length"
    return curves(
        steps, milliseconds, title=title,
        caption="Time to read one sequence, or several side by side, compilation excluded, on this device. Dashed grey: "
        "proportional to the length. Where a curve is flatter, the fixed cost of a call still shows.",
        summary="Slope over the three longest: " + ", ".join(f"{name} {slope:.2f}" for name, slope in slopes.items())
        + " (1 is proportional).",
        x_title="length T", y_title="milliseconds", log_x=True, log_y=True,
        references={"proportional": largest[-1] * steps / steps[-1]},
    )  # fmt: skip


def over_seeds(statistic: Callable[..., Any], runs: np.ndarray) -> Any:
    """A NaN-aware statistic over the first axis; NaN, without a warning, where no seed has a value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return statistic(runs, axis=0)


def span(values: Sequence[int]) -> str:
    """From the smallest to the largest, in words: `20 to 50`, or `30` where all are."""
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


def seeds_caption(runs: Mapping[Any, Any], mark: str = "band") -> str:
    """How many seeds are drawn, counted: `Mean of 3 seeds (2 for B), band from lowest to highest.`

    runs: name → `[seeds, …]`, or one seed's numbers; a row without any number is no seed.   mark: what spans the seeds.
    """
    counts = {}
    for name, values in runs.items():
        seeds = np.atleast_2d(np.asarray(values, float))
        counts[name] = int(np.isfinite(seeds.reshape(len(seeds), -1)).any(1).sum())
    most = max(counts.values())
    fewer = "; ".join(f"{count} for {name}" for name, count in counts.items() if count < most)
    note = f"Mean of {most} seeds{f' ({fewer})' if fewer else ''}, {mark} from lowest to highest."
    return note if most > 1 else "One seed."


def loss_curve(losses: np.ndarray, *, title: str, references: Mapping[str, float] | None = None) -> go.Figure:
    """Training loss, one seed `[steps]` or several `[seeds, steps]`, each point the mean of a twentieth of the updates.

    `references` are losses to compare with, such as that of guessing. The axis shows all that is learned.
    """
    runs = np.atleast_2d(losses)
    require(np.isfinite(runs).any(), "There is no loss to draw: no update has been run.")
    runs = runs[:, : 1 + np.flatnonzero(np.isfinite(runs).any(axis=0))[-1]]  # updates that some seed has run
    width = min(max(20, runs.shape[1] // 20), runs.shape[1])  # several runs of a length bucket in each point
    ends = np.append(np.arange(width, runs.shape[1], width), runs.shape[1])
    smooth = np.stack([over_seeds(np.nanmean, runs[:, max(0, end - width) : end].T) for end in ends], axis=1)
    last = float(over_seeds(np.nanmean, smooth[:, -1]))
    seeds = f"{len(runs)} seeds; the band spans lowest to highest" if len(runs) > 1 else "one seed"
    named = {f"{name}: {value:.2f}": value for name, value in (references or {}).items()}
    shown = [*named.values(), float(np.nanmin(smooth)), float(np.nanmax(smooth))]
    low, high = min(shown), max(shown)
    return curves(
        ends, {"training loss": smooth}, title=title,
        caption=f"Mean loss of each {width} updates ({seeds})." + (" Dashed grey: what it is compared with." if named else ""),
        summary=f"After {ends[-1]} updates the loss is {last:.3f}"
        + (f" ({'; '.join(named)})." if named else "."),
        x_title="updates", y_title="loss (nats)", references=named, markers=False,
        y_range=(low - 0.06 * (high - low), high + 0.12 * (high - low)),
    )  # fmt: skip
