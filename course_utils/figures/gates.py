"""Gates: one cell with gates set by hand, what a trained cell does over a sentence, and how much of a gradient gates keep."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from ..experiments.results.ch03 import ContextUse
from ..runtime import require
from .curves import curves, name_lines, seeds_caption, span
from .gradients import power
from .style import (
    BLACK,
    BLUE,
    CELL,
    DASHES,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    RED,
    colours_of,
    finish,
    ink,
    log_ticks,
    subplots,
)

LEAST = 1e-30  # share of a gradient that is drawn
KEY = 16  # pixels of a line that says what is drawn


def playground(
    value: np.ndarray, mark: np.ndarray, forget: np.ndarray, entry: np.ndarray, cell: np.ndarray, goal: np.ndarray,
    name: str, within: float, offered: str,
) -> go.Figure:  # fmt: skip
    """A cell with gates set by hand: what it is offered, its gates, its state next to the goal; all `[time]`.

    `entry` is the input gate. The goal is reached where the state is nowhere more than `within` away from it.
    """
    t = np.arange(1, len(value) + 1)
    figure = subplots(3, 1, shared_xaxes=True, row_heights=[0.24, 0.3, 0.46], vertical_spacing=0.1)
    marked = mark > 0
    for chosen, colour, symbol, label in (
        (~marked, GREY, "circle-open", "value, no mark"),
        (marked, ORANGE, "star", "value, marked"),
    ):
        figure.add_scatter(x=t[chosen], y=value[chosen], mode="markers", name=label, row=1, col=1,
                           marker={"color": colour, "symbol": symbol, "size": 7 if symbol != "star" else 12})  # fmt: skip
    for gate, colour, dash, label in ((forget, GREEN, "solid", "forget gate f"), (entry, RED, "dash", "input gate i")):
        figure.add_scatter(x=t, y=gate, mode="lines", line={"shape": "hvh", "color": colour, "dash": dash, "width": 2}, name=label,
                           row=2, col=1)  # fmt: skip
    figure.add_scatter(x=t, y=goal, mode="lines", line={"shape": "hvh", "color": GREY, "dash": "dot", "width": 2.5}, name=f"goal: {name}",
                       row=3, col=1)  # fmt: skip
    figure.add_scatter(x=t, y=cell, mode="lines+markers", line={"color": CELL, "width": 2.5}, marker={"size": 5}, name="cell state C",
                       row=3, col=1)  # fmt: skip
    key(figure, 1, {"○ offered": GREY, "★ marked": ORANGE})
    key(figure, 2, {"━ forget gate f": GREEN, "╍ input gate i": RED})
    key(figure, 3, {"━ cell state C": CELL, f"┈ what “{name}” asks for": GREY})
    figure.update_layout(showlegend=False)
    figure.update_yaxes(range=[-1.2, 1.2], row=1, col=1)
    figure.update_yaxes(range=[-0.08, 1.08], row=2, col=1)
    figure.update_xaxes(title_text="time step", row=3, col=1)
    off = np.abs(cell - goal)
    worst = int(off.argmax())
    built = off[worst] <= within
    title = f"This cell can {name}" if built else f"This cell cannot {name} yet"
    missed = "" if built else f" It is farthest off at step {worst + 1}, by {off[worst]:.2g}."
    return with_keys(
        finish(
            figure,
            title=title,
            caption="Top: what the cell is offered; a star marks the steps that matter. Middle: its gates. Bottom: its "
            "state C = f · C before + "
            "i · what is offered (blue), and what the goal asks for (dotted).",
            summary=f"{title}.{missed} After {len(t)} steps the state is {cell[-1]:.2f}, the goal {goal[-1]:.2f}; "
            f"{int(marked.sum())} steps are marked. "
            f"Forget gate {forget.min():.2f} to {forget.max():.2f}, input gate {entry.min():.2f} to {entry.max():.2f}; offered: {offered}.",
            height=520,
        )
    )


def key(figure: go.Figure, row: int, names: Mapping[str, str], col: int = 1) -> None:
    """What the lines of a panel are, above it in their colours: it takes no room beside them."""
    said = "   ".join(f'<span style="color:{ink(colour)}">{name}</span>' for name, colour in names.items())
    figure.add_annotation(
        x=0, xref="x domain", y=1, yref="y domain", yshift=3, text=said, showarrow=False, xanchor="left", yanchor="bottom",
        font={"size": 12}, row=row, col=col,
    )  # fmt: skip


def with_keys(figure: go.Figure) -> go.Figure:
    """A finished figure, with room for the `key` of its uppermost panel."""
    figure.layout.margin.t += KEY  # type: ignore[attr-defined]
    return figure


def retention(shares: Mapping[str, np.ndarray], bias: float, strength: float) -> go.Figure:
    """Share of a gradient that is left at each earlier step, by cell: name → `[time]`, the last step has 1."""
    require(shares, "There is nothing to draw: no cell is given.")
    length = len(next(iter(shares.values())))
    back = np.arange(length - 1, -1, -1)
    figure, colours = go.Figure(), colours_of(list(shares))
    for i, (name, share) in enumerate(shares.items()):
        figure.add_scatter(
            x=back, y=np.maximum(share, LEAST), mode="lines", name=name,
            line={"color": BLACK if "along" in name else colours[name], "dash": DASHES[i], "width": 2.5},
        )  # fmt: skip
    figure.update_yaxes(type="log", range=[np.log10(LEAST) - 0.5, 1.5], **log_ticks(LEAST, 30))
    ends = {name: float(share[0]) for name, share in shares.items()}
    left = "; ".join(
        f"{name} {power(float(np.log10(end))) if end > 0 else 'less than float32 holds'}" for name, end in ends.items()
    )
    finish(
        figure,
        title=_kept_more(ends),
        caption="How much of a gradient is left so many steps before the end, in cells that are not trained; logarithmic axis. "
        "The slider sets the bias of the LSTM's forget gate and of the GRU's update gate.",
        summary=f"Gate bias {bias:g}, inputs times {strength:g}. Share of the gradient left {length - 1} steps back: {left}.",
        x="steps back", y="share of the gradient",
    )  # fmt: skip
    name_lines(figure, log_y=True)
    return figure


def _kept_more(ends: Mapping[str, float]) -> str:
    """Which of the cells keeps more of the gradient; those of the figure's two main characters where both are there."""
    if {"LSTM", "RNN"} <= set(ends):
        lstm, plain = (max(ends[name], 1e-45) for name in ("LSTM", "RNN"))
        if 0.5 < lstm / plain < 2:
            return "The LSTM keeps as much as the plain network"
        return f"The LSTM keeps {'more' if lstm > plain else 'less'} than the plain network"
    return f"{max(ends, key=lambda name: ends[name])} keeps the most of the gradient"


def unit_over_sentence(
    words: Sequence[str], cells: Mapping[str, np.ndarray], gates: Mapping[str, np.ndarray], unit: int,
    correlation: np.ndarray, accuracy: np.ndarray, untouched: float,
) -> go.Figure:  # fmt: skip
    """One unit of an LSTM over a sentence, and where it stands among all units.

    `cells`: its C in the sentence and in the twin, `[time]` each; `gates`: its gates in the sentence. Right: each unit's
    `correlation` with singular or plural, and the `accuracy` left when it is frozen at its mean.
    """
    require(0 <= unit < len(correlation), f"The units are 0 to {len(correlation) - 1}, not {unit}.")
    positions = list(range(len(words)))
    figure = subplots(
        2, 2, column_widths=[0.6, 0.4], row_heights=[0.6, 0.4], horizontal_spacing=0.16, vertical_spacing=0.12,
        specs=[[{}, {"rowspan": 2}], [{}, None]],
    )  # fmt: skip
    lines = [
        (1, f"C, {name}", values, (BLUE, RED)[i % 2], DASHES[i % 2]) for i, (name, values) in enumerate(cells.items())
    ]
    lines += [
        (2, name, values, colour, dash)
        for (name, values), colour, dash in zip(
            gates.items(), (GREEN, ORANGE, GREY), ("solid", "dot", "dash"), strict=False
        )
    ]
    for row, name, values, colour, dash in lines:
        figure.add_scatter(
            x=positions, y=values, mode="lines+markers" if row == 1 else "lines", name=name, row=row, col=1,
            line={"color": colour, "dash": dash, "width": 2.5}, marker={"size": 5}, showlegend=False,
        )  # fmt: skip
    marks = {"solid": "━", "dash": "╍", "dot": "┈"}
    for row in (1, 2):
        key(figure, row, {f"{marks[dash]} {name}": colour for at, name, _, colour, dash in lines if at == row})
    figure.add_scatter(
        x=np.abs(correlation), y=accuracy, mode="markers", showlegend=False, row=1, col=2,
        marker={"color": PALE, "size": 8, "line": {"color": GREY, "width": 1}},
        text=[f"unit {i}" for i in range(len(accuracy))],
        hovertemplate="%{text}: correlation %{x:.2f}, accuracy %{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(x=[abs(correlation[unit])], y=[accuracy[unit]], mode="markers", showlegend=False, hoverinfo="skip", row=1, col=2,
                       marker={"color": RED, "size": 14, "symbol": "star", "line": {"color": BLACK, "width": 1}})  # fmt: skip
    figure.update_xaxes(range=[-0.4, len(words) - 0.6], showgrid=False, col=1)  # word under word
    figure.update_xaxes(showticklabels=False, row=1, col=1)
    figure.update_xaxes(tickvals=positions, ticktext=list(words), tickangle=-60, row=2, col=1)
    figure.update_yaxes(range=[-0.05, 1.05], row=2, col=1)
    figure.update_xaxes(title_text="|correlation|", range=[-0.03, 1.03], row=1, col=2)
    figure.update_yaxes(range=[min(0.45, float(accuracy.min()) - 0.03), 1.03], row=1, col=2)
    figure.add_hline(y=0.5, line={"color": GREY, "dash": "dot", "width": 1}, row=1, col=2)  # type: ignore[arg-type]
    figure.add_annotation(x=0, y=0.5, text="guessing", showarrow=False, xanchor="left", yanchor="bottom", font={"size": 11, "color": GREY},
                          row=1, col=2)  # fmt: skip
    key(figure, 1, {"verbs right": BLACK}, col=2)
    lost = untouched - float(accuracy[unit])
    needs = "is needed" if lost > 0.1 else "is hardly needed" if lost > 0.02 else "can be spared"
    return with_keys(finish(
        figure,
        title=f"Unit {unit} {needs}",
        caption="Left: the cell state C of one unit over a sentence about one cat, and about several; below, its gates for one cat. "
        "Right: all units, this one as a star. Across: how closely a unit follows singular or plural; up: verbs right without it.",
        summary=f"Unit {unit}: correlation with singular or plural {correlation[unit]:.2f}; verbs right without it {accuracy[unit]:.2f}, "
        f"with all units {untouched:.2f}. After “{words[-1]}”, word {len(words)}: "
        + ", ".join(f"C {values[-1]:.2f} ({name})" for name, values in cells.items()) + ".",
        height=470,
    ))  # fmt: skip


def context_curves(cut: ContextUse, mixed: ContextUse) -> go.Figure:
    """Loss above that of the whole context, with context cut to k words and shuffled beyond k.

    With k = 0 nothing is left as it was: not drawn, for the axis has no place for it.
    """
    require([k for k in mixed.k if k] == list(cut.k), "Both curves need the same k.")
    drawn = np.asarray(mixed.k) > 0
    series = {"cut to the last k": cut.above, "shuffled beyond the last k": mixed.above[:, drawn]}
    kept, near = (span(use.effective) for use in (cut, mixed))
    one = float(cut.above[:, 0].mean())
    used, whole = max(cut.effective), max(cut.k)
    title = f"The last {used} tokens are all that it uses" if used < whole else "The network uses all of its context"
    return curves(
        cut.k, series, title=title,
        caption=f"Loss above that of the whole context of {max(cut.k)} tokens, on modules that were not trained on. "
            f"Blue: only the last k tokens are read. Orange, dashed: all are read, but all except the nearest k in random "
            f"order. {seeds_caption(series)}",
        summary=f"With {cut.k[0]} token the loss is {one:.2f} nats higher. It stays within 0.01 nats of the whole "
            f"context from {kept} tokens on when cut, and from {near} on when the rest is shuffled.",
        x_title="k, tokens left as they are", y_title="loss above the whole context (nats)",
        references={"0.01 nats": 0.01}, log_x=True,
    )  # fmt: skip


def step_times(lengths: Sequence[int], seconds: Mapping[str, Sequence[float]]) -> go.Figure:
    """Time of a training step against length."""
    T = np.asarray(lengths, float)
    require(len(T) >= 3, "It takes times for at least three lengths.")
    milliseconds = {name: 1e3 * np.asarray(values) for name, values in seconds.items()}
    times = {name: float(values[-1] / values[0]) for name, values in milliseconds.items()}
    longer = T[-1] / T[0]
    title = (
        "The time grows with the length"
        if min(times.values()) > longer / 3
        else "The time hardly grows with the length"
    )
    return curves(
        T, milliseconds, title=title,
        caption="One training step (loss and gradient) of 64 sequences against their length, compilation excluded, on this device.",
        summary=f"{longer:.0f} times the length takes "
        + ", ".join(f"{name} {found:.1f}" for name, found in times.items())
        + " times as long.",
        x_title="length T", y_title="milliseconds",
    )  # fmt: skip
