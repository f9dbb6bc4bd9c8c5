"""Which networks learn to bridge which delay."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..runtime import require
from .style import BLACK, finish


def cell_text(result: Mapping[str, Any]) -> str:
    """One training's outcome over seeds in a few characters: `140–200`, `2 of 3`, `0.25` (accuracy of the best)."""
    known = [n for n in result["updates"] if n is not None]
    if len(known) == len(result["updates"]):
        low, high = min(known), max(known)
        return f"{low:,}" if low == high else f"{low:,}–{high:,}"
    if known:
        return f"{len(known)} of {len(result['updates'])}"
    return f"✗ {max(result['accuracy']):.2f}"


def delays_learned(table: Mapping[str, Mapping[str, Any]], updates: int) -> go.Figure:
    """Networks in rows, delays in columns: updates until solved, how many seeds of how many, or the accuracy reached.

    `table`: network → delay → {"updates": one a seed, None where not solved, "accuracy": one a seed}.
    """
    require(table, "There is nothing to draw: the table is empty.")
    rows = list(table)
    delays = sorted({int(delay) for row in table.values() for delay in row})
    share = np.full((len(rows), len(delays)), np.nan)
    text = [["" for _ in delays] for _ in rows]
    for i, row in enumerate(rows):
        for j, delay in enumerate(delays):
            result = table[row].get(str(delay))
            if result is not None:
                share[i, j] = np.mean([n is not None for n in result["updates"]])
                text[i][j] = cell_text(result)
    figure = go.Figure(
        go.Heatmap(
            z=share, x=[str(delay) for delay in delays], y=rows, text=text, texttemplate="%{text}", showscale=False,
            colorscale=((0, "#F7D9C4"), (0.5, "#FFF6D6"), (1, "#CFE8DC")), zmin=0, zmax=1, xgap=3, ygap=3,
            textfont={"size": 13, "color": BLACK}, hovertemplate="%{y}, delay %{x}: %{text}<extra></extra>",
        )
    )  # fmt: skip
    farthest = {
        row: max([int(delay) for delay, r in table[row].items() if None not in r["updates"]], default=0) for row in rows
    }
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    best = max(farthest.values())
    winners = [row for row, delay in farthest.items() if delay == best]
    title = (
        f"All seeds solve a delay of {best}: {', '.join(winners)}"
        if best
        else "No network solves any delay with all seeds"
    )
    return finish(
        figure,
        title=title,
        caption="Updates until the first symbol is named with 0.995, lowest to highest seed (green: all seeds); how many seeds, where "
        f"not all (yellow); or ✗ and the best accuracy after the last update (orange; guessing is 0.125). At most {updates:,} updates.",
        summary="Longest delay that all seeds solve: "
        + "; ".join(f"{row} {delay or 'none'}" for row, delay in farthest.items()) + ".",
        x="delay", height=150 + 46 * len(rows),
    )  # fmt: skip
