"""Numbers of several seeds in rows: one marker for the mean, a bar from lowest to highest."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..runtime import require
from .curves import over_seeds
from .style import COLOURS, GREY, MARKERS, finish


def by_seed(values: Mapping[str, Any]) -> np.ndarray:
    """Name → one number a seed, as `[seeds, names]`; NaN where a name has fewer seeds than another."""
    runs = [np.atleast_1d(np.asarray(run, float)) for run in values.values()]
    most = max(map(len, runs))
    return np.stack([np.pad(run, (0, most - len(run)), constant_values=np.nan) for run in runs], axis=1)


def dots(
    rows: Sequence[str],
    series: Mapping[str, Any],
    *,
    title: str,
    caption: str,
    summary: str,
    x_title: str,
    limits: Mapping[str, float] | None = None,
    x_range: tuple[float, float] | None = None,
) -> go.Figure:
    """One row for each name, one marker for each series: `[seeds, rows]`, mean and a bar from lowest to highest.

    A seed without a value in a row is NaN there.
    `limits` are vertical dotted lines with a name: what can be reached at all, or by guessing.
    """
    require(len(rows) and series, "There is nothing to draw: the rows or the series are empty.")
    figure = go.Figure()
    shift = 0.14 / max(1, len(series) - 1)
    for i, (name, values) in enumerate(series.items()):
        runs = np.atleast_2d(np.asarray(values, float))
        require(
            runs.shape[1] == len(rows), f"Series {name!r} has {runs.shape[1]} values, but there are {len(rows)} rows."
        )
        low, mean, high = (over_seeds(statistic, runs) for statistic in (np.nanmin, np.nanmean, np.nanmax))
        heights = np.arange(len(rows)) + (shift * (2 * i - len(series) + 1) if len(series) > 1 else 0)
        figure.add_scatter(
            x=mean, y=heights, mode="markers", name=name, text=list(rows), hovertemplate="%{text}: %{x:.3f}",
            error_x={"type": "data", "symmetric": False, "array": high - mean, "arrayminus": mean - low,
                     "thickness": 2, "width": 5},
            marker={"color": COLOURS[i % len(COLOURS)], "symbol": MARKERS[i % len(MARKERS)], "size": 10},
        )  # fmt: skip
    for name, value in (limits or {}).items():
        figure.add_vline(
            x=value, line={"color": GREY, "dash": "dot", "width": 1.5}, annotation_text=name,  # type: ignore[arg-type]
            annotation_font={"color": GREY, "size": 12}, annotation_position="top",
        )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=list(rows), range=[len(rows) - 0.45, -0.55], showgrid=False, ticks=""
    )
    if x_range:
        figure.update_xaxes(range=x_range)
    if len(series) == 1:
        figure.update_layout(showlegend=False)
    return finish(
        figure,
        title=title,
        caption=caption,
        summary=summary,
        x=x_title,
        height=150 + max(34, 20 * len(series)) * len(rows),
    )
