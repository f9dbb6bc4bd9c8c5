"""Gradients on their way back: products of Jacobians, a cliff, gradients along a sequence, cut gradients."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..runtime import require, require_one_of
from .curves import curves, seeds_caption
from .style import (
    BLACK,
    BLUE,
    COLOURS,
    DASHES,
    GREY,
    MARKERS,
    ORANGE,
    PALE,
    RED,
    finish,
    ink,
    log_ticks,
    ramp,
    subplots,
    superscript,
    translucent,
)

SINGLE = (-38, 38)  # powers of ten that float32 can hold, roughly
RANKS = (1, 2, 4, 8, 16, 32, 64)  # which singular values are drawn
VALLEY = 0.01  # a loss below this lies in the dark valley
ARRIVED, GONE, GROWN = 0.1, 1e-3, 5.0  # of a gradient at the first position, as a share of that at the last
STEADY = 0.9  # a change whose ends differ by at least this share of all its ups and downs is steady


def power(exponent: float) -> str:
    """10^exponent in words: 0.42, 3.1, 130 or 10⁻¹²."""
    if not np.isfinite(exponent):
        return "0" if exponent < 0 else "∞"
    if -2 <= exponent < 3:
        return f"{float(f'{10**exponent:.2g}'):g}"
    return f"10{superscript(round(exponent))}"


IN_WORDS = {
    "vanishes": "The gradient vanishes",
    "explodes": "The gradient explodes",
    "transient growth": "The gradient first grows, then fades",
    "preserved": "The gradient is preserved",
    "overflows": "The states leave the range of numbers",
}


def jacobian_product(
    log10: np.ndarray, regime: str, radius: float, per_step: float, length: int, setting: str = ""
) -> go.Figure:
    """Norm and singular values of J_t … J_1 over t, with what the singular value and the spectral radius of W foretell.

    `log10`: base-10 logarithms of the singular values, `[steps, H]`, largest first (NaN: not resolved); fewer than
    `length` steps where the states overflowed. `per_step`: γ σ_max, the bound on one factor. `radius`: of W.
    `setting`: what was chosen, in words, for the summary.
    """
    require_one_of(regime=(regime, IN_WORDS))
    steps = np.arange(1, len(log10) + 1)
    everywhere = np.arange(1, length + 1)
    norm = log10[:, 0] if len(log10) else np.zeros(0)
    drawn_norm = np.where(np.isfinite(norm), norm, np.nan)

    def line(x: Any, y: Any, **options: Any) -> dict[str, Any]:
        return {"type": "scatter", "x": x, "y": y, "mode": "lines", **options}

    predictions = (("bound (γ σ)<sup>t</sup>", per_step, "dash"), ("radius<sup>t</sup>", radius, "dot"))
    traces = [
        line(
            everywhere, everywhere * np.log10(factor) if factor > 0 else np.full(length, np.nan), name=name, hoverinfo="skip",
            line={"color": GREY, "dash": dash, "width": 1.5},
        )
        for name, factor, dash in predictions
    ]  # fmt: skip
    traces.append(
        line(steps, drawn_norm, name="norm", line={"color": BLUE, "width": 3},
             hovertemplate="after %{x} steps: 10<sup>%{y:.1f}</sup><extra></extra>")
    )  # fmt: skip
    ranks = [rank for rank in RANKS if rank <= log10.shape[1]]
    for i, rank in enumerate(ranks):
        values = log10[:, rank - 1]
        traces.append(
            line(steps, np.where(np.isfinite(values), values, np.nan), showlegend=False, xaxis="x2", yaxis="y2",
                 line={"color": translucent(BLUE, 1 - 0.75 * i / max(len(ranks) - 1, 1)), "width": 2},
                 hovertemplate=f"number {rank}, after %{{x}} steps: 10<sup>%{{y:.1f}}</sup><extra></extra>")
        )  # fmt: skip
    finite = drawn_norm[np.isfinite(drawn_norm)]
    low, high = (min(finite.min(), -1.0), max(finite.max(), 1.0)) if finite.size else (-1.0, 1.0)
    drawn = log10[:, [rank - 1 for rank in ranks]]
    drawn = drawn[np.isfinite(drawn)] if drawn.size else np.zeros(1)
    bottom, top = (
        (drawn.min(), max(drawn.max(), drawn.min() + 1)) if drawn.size else (-1.0, 0.0)
    )  # never an empty range
    time, pad, margin = (
        {"range": [0, length * 1.02], "title": {"text": "steps t"}},
        0.08 * (high - low),
        0.05 * (top - bottom),
    )
    # All at once: Plotly checks a figure anew at every later change, and this one is drawn at every step of a slider.
    figure = go.Figure(
        traces,
        {
            "xaxis": {**time, "domain": [0, 1], "anchor": "y"},
            "yaxis": {"range": [low - pad, high + pad], "title": {"text": "norm, power of 10"}, "anchor": "x", "domain": [0.46, 1]},
            "xaxis2": {**time, "domain": [0, 1], "anchor": "y2"},
            "yaxis2": {"range": [bottom - margin, top + margin], "title": {"text": "all singular values"}, "anchor": "x2",
                       "domain": [0, 0.3]},
            "shapes": [{"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "line": {"color": PALE, "width": 1}}],
            "legend": {"x": 0.99, "xanchor": "right", "y": 1, "yanchor": "top"},
        },
    )  # fmt: skip
    zero_from = np.flatnonzero(np.isneginf(norm))
    if regime == "overflows":
        at = len(log10) + 1
        title = story = f"{IN_WORDS[regime]} at step {at}"
        note = f"The state of step {at} is not finite: a training run would stop here. What is drawn ends before it."
        figure.add_annotation(x=0.5, y=0.5, xref="x domain", yref="y domain", text=f"overflow at step {at}", showarrow=False,
                              font={"color": RED, "size": 15})  # fmt: skip
    elif len(zero_from):
        title = f"The gradient is exactly zero from step {zero_from[0] + 1} on"
        story = f"{IN_WORDS[regime]}: exactly 0 from step {zero_from[0] + 1} on"
        note = "Every path from the first state has met a unit whose slope is 0."
    else:
        end, peak = float(norm[-1]), int(norm.argmax())
        title = IN_WORDS[regime]
        story = f"{title}: {power(end)} after {length} step{'s' if length > 1 else ''}"
        notes = ["In float32 it would be 0."] if end < SINGLE[0] else []
        notes += ["In float32 it would be infinite."] if end > SINGLE[1] else []
        if regime in ("transient growth", "explodes") and peak + 1 < len(norm):
            largest = f"{power(norm[peak])} (10 to the power {norm[peak]:.2f})"
            notes.append(f"It was largest after {peak + 1} step{'s' if peak else ''}, {largest}.")
        note = " ".join(notes)
    exact = f" (10 to the power {norm[-1]:.2f})" if len(norm) and np.isfinite(norm[-1]) else ""
    return finish(
        figure,
        title=title,
        caption="Above: the most by which the product of Jacobians stretches a gradient (blue), the bound by the largest singular "
        "value of W (dashed, never broken), and what the spectral radius would foretell (dotted). Below: its singular values "
        "number 1, 2, 4, 8 … (fading); what lies under 10⁻¹⁵ of the largest is not resolved and not drawn.",
        summary=f"{story}{exact}. {setting} Spectral radius {radius:.2f}, largest factor of one step {per_step:.2f}. {note}".strip(),
        height=580,
    )


def cliff(
    w: np.ndarray,
    b: np.ndarray,
    surface: np.ndarray,
    paths: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    learning_rate: float,
) -> go.Figure:
    """The loss over two parameters, and descents on it: name → (path `[steps, 2]`, losses, gradient lengths)."""
    decade = 60  # grey levels, four decades of them: one byte a point, since the page gets all points at every move
    grey = np.clip(decade * (np.log10(surface + 1e-4) + 4), 0, 4 * decade).round().astype(np.uint8)
    figure = go.Figure(
        go.Heatmap(
            x=w.round(4), y=b.round(4), z=grey, colorscale="Greys", reversescale=True, zmin=0, zmax=4 * decade, hoverinfo="skip",
            colorbar={"title": {"text": "loss"}, "tickvals": [decade * i for i in range(5)],
                      "ticktext": ["10⁻⁴", "10⁻³", "0.01", "0.1", "1"], "thickness": 14},
        )
    )  # fmt: skip
    descents, ends, outside = [], {}, []
    for i, (name, (path, losses, lengths)) in enumerate(paths.items()):
        colour = (RED, BLUE)[i % 2]
        inside = (path[:, 0] >= w[0]) & (path[:, 0] <= w[-1]) & (path[:, 1] >= b[0]) & (path[:, 1] <= b[-1])
        steepest = int(lengths.argmax())
        ends[name] = float(losses[-1])
        figure.add_scatter(
            x=path[:, 0], y=path[:, 1], mode="lines+markers", name=name,
            line={"color": colour, "width": 2.5, "dash": ("solid", "dash")[i % 2]},
            marker={"size": 7, "symbol": ("square", "circle")[i % 2], "color": colour, "line": {"color": "#FFFFFF", "width": 1}},
            customdata=np.c_[losses, lengths],
            hovertemplate="w %{x:.2f}, b %{y:.2f}: loss %{customdata[0]:.3f}, gradient %{customdata[1]:.3g}<extra></extra>",
        )  # fmt: skip
        if not inside.all():
            outside.append(name)
            out = int(np.flatnonzero(~inside)[0])
            figure.add_annotation(
                x=float(np.clip(path[out, 0], w[0], w[-1])), y=float(np.clip(path[out, 1], b[0], b[-1])),
                text=f"{name}: thrown out at step {out}", showarrow=False, font={"color": colour}, xanchor="right",
                bgcolor="rgba(255,255,255,0.85)",
            )  # fmt: skip
        descents.append(
            f"{name}: longest gradient {lengths[steepest]:.3g} at step {steepest}, loss {losses[-1]:.3f} after "
            f"{len(losses) - 1} steps"
        )
    start = next(iter(paths.values()))[0][0]
    figure.add_scatter(x=[start[0]], y=[start[1]], mode="markers", name="start", hoverinfo="skip",
                       marker={"symbol": "star", "size": 15, "color": ORANGE, "line": {"color": BLACK, "width": 1}})  # fmt: skip
    figure.update_xaxes(range=[w[0], w[-1]], showgrid=False)
    figure.update_yaxes(range=[b[0], b[-1]], showgrid=False)
    figure.update_layout(legend={"x": 0.99, "xanchor": "right", "y": 0.01, "yanchor": "bottom"})
    return finish(
        figure,
        title=_descent(ends, outside),
        caption="Loss of a network with one unit, two parameters and fifty steps; dark is low. Two plains meet in a "
            "wall. Each marker "
        "is one step of gradient descent from the star; on the wall the gradient is huge, and one step can undo all before it.",
        summary=f"From w {start[0]:g}, b {start[1]:g} with learning rate {learning_rate:g}. " + ". ".join(descents) + ".",
        x="w", y="b", height=460,
    )  # fmt: skip


BALLS = {"free": (RED, "circle"), "on a leash": (BLUE, "square")}
SIZES = {"free": 22, "on a leash": 13}  # one is seen behind the other


def cliff_cut(
    b: np.ndarray, losses: np.ndarray, balls: Mapping[str, Any], step: int, threshold: float, learning_rate: float = 1.0
) -> go.Figure:
    """A cut through the loss with balls on it after `step` steps: name → `measure.cliff.Rolled`.

    b, losses: the cut.   balls: `free` and `on a leash`, clipped at `threshold`.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=b, y=losses, mode="lines", line={"color": BLACK, "width": 2.5}, hoverinfo="skip", showlegend=False
    )
    out, told = [], []
    for name, ball in balls.items():
        colour, symbol = BALLS[name]
        been = slice(0, step + 1)
        figure.add_scatter(
            x=ball.b[been], y=ball.losses[been], mode="markers", hoverinfo="skip", showlegend=False,
            marker={"color": translucent(colour, 0.3), "symbol": symbol, "size": 6},
        )  # fmt: skip
        inside = b[0] <= ball.b[step] <= b[-1]
        if inside:
            figure.add_scatter(
                x=[ball.b[step]], y=[ball.losses[step]], mode="markers", name=name,
                marker={"color": colour, "symbol": symbol, "size": SIZES[name], "line": {"color": BLACK, "width": 1}},
                hovertemplate="b %{x:.2f}, loss %{y:.3f}<extra></extra>",
            )  # fmt: skip
        else:
            out.append(name)
            right = ball.b[step] > b[-1]
            where = f"{name}: at {ball.b[step]:,.0f}"
            figure.add_annotation(
                x=b[-1 if right else 0], y=0.3, text=f"{where} →" if right else f"← {where}", showarrow=False,
                xanchor="right" if right else "left", font={"color": ink(colour), "size": 15},
            )  # fmt: skip
        told.append(f"{name}: b {ball.b[step]:.2f}, loss {ball.losses[step]:.3f}, slope {ball.lengths[step]:.2g}")
    figure.update_yaxes(range=[0, 0.52])
    figure.update_xaxes(range=[b[0], b[-1]])
    figure.update_layout(legend={"x": 0.99, "xanchor": "right", "y": 0.99, "yanchor": "top"})
    met = {name: float(ball.lengths[: step + 1].max()) for name, ball in balls.items()}
    if "free" in out and "on a leash" not in out:
        title = "One step on the wall throws the free ball out"
    elif out:
        title = "Both balls are thrown out"
    elif max(ball.lengths[step] for ball in balls.values()) > threshold:
        title = "On the wall the slope is enormous"
    elif max(met.values()) > threshold:
        title = "The wall has thrown a ball back"
    else:
        title = "Off the wall the slope is gentle"
    return finish(
        figure,
        title=title,
        caption="The loss of a network with one unit, as its bias changes. Every ball is a descent; small marks are where it has been. "
        f"The one on a leash has its gradient clipped at {threshold:g}.",
        summary=f"After {step} step{'s' * (step != 1)}, learning rate {learning_rate:g}, the leash at {threshold:g}: "
        + "; ".join(told) + ".",
        x="bias b", y="loss",
    )  # fmt: skip


def stretched(image: np.ndarray, before: np.ndarray, steps: int, longest: float, setting: str) -> go.Figure:
    """A circle of vectors before and after `steps` steps, `[2, points]` each; `longest`: the norm of the matrix."""
    figure = go.Figure()
    figure.add_scatter(
        x=before[0], y=before[1], mode="lines", name="before", line={"color": GREY, "dash": "dot", "width": 1.5}
    )
    figure.add_scatter(x=image[0], y=image[1], mode="lines", name=f"after {steps} step{'s' * (steps != 1)}",
                       line={"color": RED, "width": 3})  # fmt: skip
    at = int(np.linalg.norm(image, axis=0).argmax())
    figure.add_scatter(x=[0, image[0, at]], y=[0, image[1, at]], mode="lines+markers", name="the longest",
                       line={"color": RED, "width": 2}, marker={"symbol": ["circle", "arrow"], "size": [1, 12],
                                                                       "angleref": "previous"})  # fmt: skip
    figure.update_xaxes(range=[-8.5, 8.5])
    figure.update_yaxes(range=[-3.5, 3.5], scaleanchor="x", scaleratio=1)
    figure.update_layout(legend={"x": 0.01, "y": 0.99, "yanchor": "top"})
    title = (
        "Some vectors have grown"
        if longest > 1.001
        else "Every vector has become shorter"
        if longest < 0.999
        else "Nothing has changed yet"
    )
    return finish(
        figure, title=title,
        caption="All vectors of length 1, and what the matrix has made of them. The arrow is the one that has become longest.",
        summary=f"{setting}, {steps} steps: the longest vector has length {longest:.2g}.",
        x="first number", y="second", height=360,
    )  # fmt: skip


def _descent(ends: Mapping[str, float], outside: Sequence[str]) -> str:
    """What became of the descents: the last one is clipped, the one before it, where there is one, is not."""
    *rivals, name = ends
    if not rivals:
        return f"The descent {'reaches' if ends[name] < VALLEY else 'does not reach'} the valley"
    free = rivals[0]
    if free in outside and name not in outside:
        return "Without clipping one step throws the descent out"
    if abs(ends[free] - ends[name]) <= 0.1 * max(ends[free], ends[name]) + 1e-4:
        return "Clipping changes little here"
    return f"The descent {'with' if ends[name] < ends[free] else 'without'} clipping ends lower"


def gradient_flow(
    gradients: Mapping[int, np.ndarray], accuracy: Mapping[int, np.ndarray], chosen: int | None = None
) -> go.Figure:
    """‖∂L/∂h_t‖ along a sequence at several moments of training: updates → `[seeds, time]`; the chosen one in colour.

    `accuracy`: updates → `[seeds]`.
    """
    chosen = max(gradients) if chosen is None else chosen
    require(
        chosen in gradients, f"There are gradients after {', '.join(map(str, gradients))} updates, not after {chosen}."
    )
    figure = go.Figure()
    for updates, runs in gradients.items():
        if updates != chosen:
            mean = np.exp(np.log(np.maximum(runs, 1e-30)).mean(0))
            figure.add_scatter(x=np.arange(1, len(mean) + 1), y=mean, mode="lines", line={"color": PALE, "width": 1.5},
                               hoverinfo="skip", showlegend=False)  # fmt: skip
    rows = np.maximum(np.atleast_2d(gradients[chosen]), 1e-30)
    positions = np.arange(1, rows.shape[1] + 1)
    for i, row in enumerate(rows):
        figure.add_scatter(
            x=positions, y=row, mode="lines+markers", name=f"seed {i}: {np.atleast_1d(accuracy[chosen])[i]:.0%} right",
            line={"color": COLOURS[i], "width": 2.5, "dash": DASHES[i]}, marker={"symbol": MARKERS[i], "size": 6},
        )  # fmt: skip
    first, last = rows[:, 0], rows[:, -1]
    low = min(float(np.min(np.maximum(runs, 1e-30))) for runs in gradients.values())
    high = max(float(np.max(runs)) for runs in gradients.values())
    figure.update_yaxes(type="log", range=[np.log10(low) - 0.2, np.log10(high) + 0.3], **log_ticks(low, high))
    figure.update_layout(legend={"x": 0.99, "xanchor": "right", "y": 0.03, "yanchor": "bottom"})
    return finish(
        figure,
        title=_arrival(first / last),
        caption="How much the loss at the end changes with the state after each position (root mean square over 256 "
            "sequences), on a "
        f"logarithmic axis. Colours: {f'{len(rows)} seeds' if len(rows) > 1 else 'one seed'} at this moment, with the accuracy; "
        "pale: the other moments, mean of the seeds.",
        summary=f"After {chosen} updates: gradient at the first position as a share of that at the last, by seed: "
        + ", ".join(f"{value:.2g}" for value in first / last)
        + "; accuracy " + ", ".join(f"{value:.2f}" for value in np.atleast_1d(accuracy[chosen])) + ".",
        x="position in the sequence", y="‖∂L/∂h‖",
    )  # fmt: skip


def _arrival(share: np.ndarray) -> str:
    """What becomes of the gradient on its way to the first position, by seed."""
    for which, what in ((share < GONE, "dies out"), (share > GROWN, "explodes")):
        if which.any():
            seeds = (
                "every seed"
                if which.all()
                else "one seed"
                if which.sum() == 1
                else f"{which.sum()} of {len(share)} seeds"
            )
            return f"The gradient {what} in {seeds}"
    return (
        "The gradient reaches the first position"
        if share.min() >= ARRIVED
        else "Little of the gradient reaches the first position"
    )


def truncation_bias(
    windows: Sequence[int], relative: Mapping[str, Sequence[float]], noise: Mapping[str, float]
) -> go.Figure:
    """How far truncated gradients are from the full one, by window; `noise`: sampling error."""
    ends = {name: (values[0], values[-1]) for name, values in relative.items()}
    missing = max(last for _, last in ends.values())
    return curves(
        windows, relative,
        title="Even the longest windows miss part of the gradient" if missing > 0.05 else "The longest windows miss almost nothing",
        caption="Length of the difference between the truncated and the full gradient, as a share of the full one. Grey: "
        "the sampling error of the full one. More data would remove that; what truncation leaves out they would not bring back.",
        summary="Difference as a share of the full gradient: "
        + "; ".join(f"{name} {a:.2f} with windows of {windows[0]}, {b:.2f} with {windows[-1]}" for name, (a, b) in ends.items())
        + "; sampling error "
        + ", ".join(f"{name} {value:.2f}" for name, value in noise.items()) + ".",
        x_title="steps in a window", y_title="‖g_k − g‖ / ‖g‖", log_x=True, y_range=(0, 1.15),
        references={f"sampling error, {name}": value for name, value in noise.items()},
    )  # fmt: skip


def reach_and_accuracy(
    distance: Sequence[float] | np.ndarray, reach: Mapping[int, Any], accuracy: Mapping[int, Any]
) -> go.Figure:
    """One above the other, by moment of training: how much of the verb's gradient arrives at the subject, and agreement."""
    figure = subplots(2, 1, vertical_spacing=0.13, shared_xaxes=False)
    shades = ramp(len(reach))
    for i, updates in enumerate(reach):
        looks = {"color": shades[i], "dash": DASHES[i], "width": 2.5}
        for panel, runs in ((1, np.asarray(reach[updates], float)), (2, np.asarray(accuracy[updates], float))):
            middle = np.exp(np.log(np.maximum(runs, 1e-30)).mean(0)) if panel == 1 else runs.mean(0)
            figure.add_scatter(
                x=[*distance, *distance[::-1]], y=[*runs.max(0), *runs.min(0)[::-1]], fill="toself", line={"width": 0},
                mode="lines", fillcolor=translucent(shades[i], 0.15), hoverinfo="skip", showlegend=False, row=panel, col=1,
            )  # fmt: skip
            figure.add_scatter(
                x=list(distance), y=middle, mode="lines+markers", name=f"{updates:,}", legendgroup=str(updates),
                showlegend=panel == 1, line=looks, marker={"symbol": MARKERS[i], "size": 6}, row=panel, col=1,
            )  # fmt: skip
    shares = np.concatenate([np.maximum(np.asarray(runs, float), 1e-30).ravel() for runs in reach.values()])
    ticks = log_ticks(float(shares.min()), float(shares.max()))
    figure.update_yaxes(type="log", title_text="share of the gradient at the subject", row=1, col=1, **ticks)
    figure.update_yaxes(range=[0.4, 1.03], title_text="share of right verbs", row=2, col=1)
    figure.update_xaxes(title_text="words from subject to verb")
    figure.add_hline(y=0.5, line={"color": GREY, "dash": "dot", "width": 1.5}, row=2, col=1)  # type: ignore[arg-type]
    figure.update_layout(legend={"title": {"text": "updates"}})
    far = {
        n: float(np.exp(np.log(np.maximum(np.asarray(runs, float)[:, -1], 1e-30)).mean())) for n, runs in reach.items()
    }
    ends = {n: float(np.asarray(runs, float)[:, -1].mean()) for n, runs in accuracy.items()}
    first, last = min(far), max(far)
    title = "The network does not remember the subject at the end"
    if ends[last] > 0.9:
        title = (
            "The network remembers although less gradient arrives"
            if far[last] < far[first]
            else "The network remembers, and more gradient arrives"
        )
    return finish(
        figure,
        title=title,
        caption="Above: norm of the gradient of the verb's loss at the subject's state, as a share of that right "
        "before the verb (geometric mean). Below: verbs of which the right one, was or were, is preferred. "
        f"{seeds_caption({f'{n:,} updates': runs for n, runs in accuracy.items()})} Dotted: guessing.",
        summary=f"At {distance[-1]:g} words: "
        + "; ".join(f"after {n:,} updates {far[n]:.1g} of the gradient arrives, {ends[n]:.2f} of the verbs are "
            f"right" for n in far)
        + ".",
        height=640,
    )  # fmt: skip


def switch(weights: Any, margins: np.ndarray, shown: int = 12) -> go.Figure:
    """The verb's log-odds as the state at the subject moves over to that of its twin: `[weights, sentences]`, some drawn one by one."""
    w = np.asarray(weights, float)
    figure = go.Figure()
    for i in range(min(shown, margins.shape[1])):
        figure.add_scatter(x=w, y=margins[:, i], mode="lines", line={"color": translucent(BLUE, 0.35), "width": 1.5}, hoverinfo="skip",
                           name="one sentence", showlegend=False)  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "dash": "dot", "width": 1.5})  # type: ignore[arg-type]
    steps = np.abs(np.diff(margins, axis=0))
    whole = np.maximum(
        steps.sum(0), 1e-12
    )  # all ups and downs; where a curve never turns back, its change from end to end
    net, sharp, first = (
        float(np.median(part / whole)) for part in (np.abs(margins[-1] - margins[0]), steps.max(0), steps[0])
    )
    turned = float((margins[-1] < 0).mean())
    if net < STEADY:
        title = "The verb does not turn over steadily"
        told = f"the two ends differ by {net:.2f} of all ups and downs"
    else:
        title = "The state turns over like a switch" if sharp > 0.5 else "The state turns over gradually"
        told = f"the largest of {len(w) - 1} steps makes {sharp:.2f} of the whole change, the first {first:.1g}"
    return finish(
        figure,
        title=title,
        caption="The state right after the subject is moved, in small steps, from its own (0) to that of the twin sentence (1); then the "
        "same words are read on to the verb. Up: how much more probable the right verb is than the other "
        "(difference of the logarithms). Each line is one sentence.",
        summary=f"Median over sentences: {told}; with the twin's whole state {turned:.2f} of the verbs have turned over.",
        x="share of the twin's state", y="log p(right verb) − log p(other)",
    )  # fmt: skip
