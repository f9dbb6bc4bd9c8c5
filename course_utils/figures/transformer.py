"""The Transformer drawn: its stages, its heads, what it costs, and all architectures beside each other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..runtime import require
from .curves import curves
from .dots import dots
from .style import BLACK, BLUE, COLOURS, DASHES, GREY, MARKERS, PALE, RED, SHADES, finish


def stages(
    branches: Sequence[str],
    tops: Sequence[Sequence[str]],
    shares: np.ndarray,
    answer: str,
    right: np.ndarray,
    sizes: np.ndarray,
) -> go.Figure:
    """What the output layer would say after every sum of the decoder.

    tops: the best words of each stage.   shares: their probabilities `[stages, words]`.   answer: what the last stage says.
    right: its probability at every stage.   sizes: ‖x‖ at every stage.
    """
    figure = make_subplots(1, 2, column_widths=[0.62, 0.38], horizontal_spacing=0.04, shared_yaxes=True)
    rows = list(branches)
    figure.add_heatmap(
        z=shares, x=[f"{k + 1}." for k in range(shares.shape[1])], y=rows, colorscale=SHADES, zmin=0, zmax=1, showscale=False,
        text=[[f"{word} {share:.2f}" for word, share in zip(words, row, strict=True)] for words, row in zip(tops, shares, strict=True)],
        texttemplate="%{text}", xgap=2, ygap=2, hoverinfo="skip",
    )  # fmt: skip
    figure.add_bar(
        x=right, y=rows, orientation="h", marker_color=RED, showlegend=False, row=1, col=2,
        customdata=sizes, hovertemplate="%{y}: %{x:.3f}, size of the vector %{customdata:.1f}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(title_text="best words, read with the last layer's eyes", showgrid=False, row=1, col=1)
    figure.update_xaxes(title_text=f"probability of “{answer}”", range=[0, 1.02], row=1, col=2)
    first = next((i for i, words in enumerate(tops) if words[0] == answer), len(tops) - 1)
    settled = next(i for i in range(len(tops)) if all(words[0] == answer for words in tops[i:]))
    when = f"first after “{rows[first]}”" + ("" if first == settled else f", for good after “{rows[settled]}”")
    return finish(
        figure, title=f"“{answer}” ({right[-1]:.2f}) is on top {when}",
        caption="One row for each sum on the way up. Left: what the output layer would say if the way ended here. "
        "Right: what it gives the word that it says in the end.",
        summary=f"Answer “{answer}”, {when}. Its probability by stage: "
        + ", ".join(f"{branch} {value:.2f}" for branch, value in zip(rows, right, strict=True))
        + f". The vector grows from {sizes[0]:.1f} to {sizes[-1]:.1f}.",
        height=190 + 34 * len(rows),
    )  # fmt: skip


def alike(layers: Sequence[int], found: Mapping[str, Any]) -> go.Figure:
    """Mean cosine between positions after so many untrained layers: kind → `[seeds, layers]`."""
    ends = {kind: float(np.mean(runs, axis=0)[-1]) for kind, runs in found.items()}
    told = ", ".join(f"{kind} {value:.2f}" for kind, value in ends.items())
    return curves(
        layers, found, title=f"After {layers[-1]} layers: {told}",
        caption="How alike the vectors of two positions have become (mean cosine; 1: all positions hold the same) in layers that are not "
        "trained. Mean of three seeds, band from lowest to highest.",
        summary=f"Mean cosine between two positions after {layers[-1]} layers: {told}.", x_title="layers", y_title="cosine", log_x=True,
    )  # fmt: skip


def head_errors(heads: Any, together: Any, least: float) -> go.Figure:
    """Alignment error of every head of the cross-attention, `[seeds, layers, heads]`, and of the mean of the last layer, `[seeds]`."""
    heads = np.asarray(heads, float)
    seeds, layers, count = heads.shape
    figure = go.Figure()
    for layer in range(layers):
        figure.add_scatter(
            x=[seed + 1 + 0.09 * (h - (count - 1) / 2) for seed in range(seeds) for h in range(count)], y=heads[:, layer].ravel(),
            mode="markers", name=f"a head of layer {layer + 1}", hovertemplate="%{y:.2f}<extra></extra>",
            marker={"color": COLOURS[layer], "symbol": MARKERS[layer], "size": 11, "line": {"color": BLACK, "width": 1}},
        )  # fmt: skip
    figure.add_scatter(
        x=np.arange(1, seeds + 1), y=together, mode="markers", name=f"mean of layer {layers}",
        marker={"color": BLACK, "symbol": "line-ew-open", "size": 46, "line": {"width": 3}}, hovertemplate="%{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=least, line={"color": GREY, "dash": "dot"})  # type: ignore[arg-type]
    figure.update_xaxes(
        tickvals=list(range(1, seeds + 1)), ticktext=[f"seed {s}" for s in range(seeds)], range=[0.5, seeds + 0.5]
    )
    best = heads.reshape(seeds, -1).min(1)
    return finish(
        figure, title=f"Best head of each seed: {', '.join(f'{value:.2f}' for value in best)}; worst of all {heads.max():.2f}",
        caption="Alignment error of every head's largest weight, the lower the better. Bars: the weights of the last "
        "layer's heads averaged. Dotted: the least that one link a word can have.",
        summary=f"Alignment error of {heads.size} heads: from {heads.min():.2f} to {heads.max():.2f}; mean of the last layer "
        f"{', '.join(f'{value:.2f}' for value in together)}; least possible {least:.3f}.",
        y="alignment error", height=400,
    )  # fmt: skip


LABELS = {"seconds": ("seconds of one training step", "Time of one step, forward and back"),
          "bytes": ("bytes at the peak", "Memory of one step at its peak, as the compiler plans it")}  # fmt: skip


def race(found: Mapping[str, Any], measure: str, where: str) -> go.Figure:
    """Time or memory of one training step of each layer against the length; `found`: a race as it is recorded."""
    require(measure in LABELS, f"measure must be one of {', '.join(LABELS)}, not {measure!r}.")
    lengths, layers = found["lengths"], found["layers"]
    figure = go.Figure()
    for i, (name, listed) in enumerate(layers.items()):
        known = [(n, value) for n, value in zip(lengths, listed[measure], strict=True) if value is not None]
        figure.add_scatter(
            x=[n for n, _ in known], y=[value for _, value in known], name=name, mode="lines+markers",
            line={"color": COLOURS[i], "dash": DASHES[i], "width": 2.5}, marker={"symbol": MARKERS[i], "size": 8},
        )  # fmt: skip
        cut = [(n, why) for n, why in zip(lengths, listed["skipped"], strict=True) if why]
        if measure == "seconds" and cut and known:
            figure.add_annotation(
                x=np.log10(known[-1][0]), y=np.log10(known[-1][1]), text=f"{name}: {cut[0][1]}", showarrow=False, yshift=14 + 12 * (i % 2),
                xanchor="right", font={"size": 11, "color": COLOURS[i]},
            )  # fmt: skip
    figure.update_xaxes(type="log", tickvals=list(lengths), ticktext=[str(n) for n in lengths])
    figure.update_yaxes(type="log", exponentformat="power")
    power = {name: listed["exponent" if measure == "seconds" else "memory_exponent"] for name, listed in layers.items()}
    told = ", ".join(f"{name} n^{value:.1f}" for name, value in power.items() if value == value)
    crossed = []
    if measure == "seconds":
        for name, n in found["crossover"].items():
            crossed.append(f"{name} {'never' if n is None else 'at every length' if n == 0 else f'from n ≈ {n}'}")
            if n:
                figure.add_vline(x=n, line={"color": PALE, "dash": "dot", "width": 1.5})  # type: ignore[arg-type]
    y, what = LABELS[measure]
    slower = f" Self-attention takes longer than: {'; '.join(crossed)} (dotted)." if crossed else ""
    return finish(
        figure, title=f"At the long end: {told}",
        caption=f"{what}: one causal layer of width {found['width']}, batch {found['batch']}, {where}, compilation excluded.{slower}",
        summary=f"Batch {found['batch']}, {where}. {y.capitalize()}: exponents over the three longest lengths: {told}."
        f"{slower}", x="length n", y=y, height=430,
    )  # fmt: skip


def five(measure: str, values: Mapping[str, Any], unit: str, better: str) -> go.Figure:
    """One measure of every architecture: name → one value a seed, or nothing where it does not apply."""
    known = {name: np.atleast_1d(np.asarray(found, float)) for name, found in values.items() if found is not None}
    require(known, f"No architecture has a value for {measure!r}.")
    seeds = max(len(found) for found in known.values())
    runs = np.stack([np.resize(found, seeds) for found in known.values()], axis=1)
    means = dict(zip(known, runs.mean(0), strict=True))
    best = (max if better == "more" else min)(means, key=lambda name: means[name])
    told = "; ".join(f"{name} {value:,.3g}" if value < 1e5 else f"{name} {value:,.0f}" for name, value in means.items())
    without = [name for name in values if name not in known]
    return dots(
        list(known), {measure: runs}, title=f"{measure}: {best} has the {'most' if better == 'more' else 'least'}",
        caption=("Mean of three seeds, bar from lowest to highest. " if seeds > 1 else "One value each. ")
        + (f"Does not apply to: {', '.join(without)}." if without else ""),
        summary=f"{measure} ({unit}): {told}.", x_title=unit,
    )  # fmt: skip


def pictured(pixels: np.ndarray, weights: np.ndarray, asking: int, patch: int, label: str) -> go.Figure:
    """A picture cut into patches, and how much one patch looks at each of the others (mean of the heads of one layer)."""
    side = pixels.shape[0] // patch
    figure = make_subplots(1, 2, horizontal_spacing=0.1)
    figure.add_heatmap(z=pixels, colorscale="Greys", showscale=False, hoverinfo="skip")
    figure.add_heatmap(
        z=weights.reshape(side, side), colorscale=SHADES, showscale=False, zmin=0, row=1, col=2, texttemplate="%{z:.2f}",
        hovertemplate="weight %{z:.3f}<extra></extra>",
    )  # fmt: skip
    for k in range(1, side):
        for line in ({"x0": k * patch - 0.5, "x1": k * patch - 0.5, "y0": -0.5, "y1": side * patch - 0.5},
                     {"y0": k * patch - 0.5, "y1": k * patch - 0.5, "x0": -0.5, "x1": side * patch - 0.5}):  # fmt: skip
            figure.add_shape(type="line", line={"color": BLUE, "width": 1}, row=1, col=1, **line)
    row, column = divmod(asking, side)
    for factor, col in ((patch, 1), (1, 2)):
        figure.add_shape(
            type="rect", x0=column * factor - 0.5, x1=(column + 1) * factor - 0.5, y0=row * factor - 0.5, y1=(row + 1) * factor - 0.5,
            line={"color": RED, "width": 3}, row=1, col=col,
        )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showticklabels=False, ticks="", showgrid=False)
    figure.update_xaxes(showticklabels=False, ticks="", showgrid=False)
    best = int(weights.argmax())
    return finish(
        figure, title=f"{label}; patch {asking + 1} looks most at patch {best + 1} ({weights[best]:.2f})",
        caption=f"Left: a picture of {pixels.shape[0]} × {pixels.shape[0]} pixels, cut into {side * side} patches. "
        "Right: the weights of the framed patch, mean over the heads.",
        summary=f"{label}. Patch {asking + 1} looks most at patch {best + 1}, with weight {weights[best]:.2f}; an even look would be "
        f"{1 / weights.size:.2f}.",
        height=380,
    )  # fmt: skip
