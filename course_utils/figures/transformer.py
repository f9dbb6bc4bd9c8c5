"""The Transformer drawn: its stages, its heads, what it costs, and all architectures side by side."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from ..experiments.results.ch07 import Race
from ..runtime import require, require_one_of
from .curves import curves, over_seeds, seeds_caption
from .dots import by_seed, dots
from .style import (
    BLACK,
    BLUE,
    COLOURS,
    DASHES,
    GREY,
    MARKERS,
    RED,
    SHADES,
    colours_of,
    finish,
    listed,
    log_ticks,
    subplots,
)

Better = Literal["more", "less"]


def stages(
    branches: Sequence[str],
    tops: Sequence[Sequence[str]],
    shares: np.ndarray,
    answer: str,
    right: np.ndarray,
    sizes: np.ndarray,
    source: str,
    written: str,
) -> go.Figure:
    """What the output layer would answer after every residual connection of the decoder.

    tops: the best words of each stage.   shares: their probabilities `[stages, words]`.   answer: what the last stage says.
    right: its probability at every stage.   sizes: ‖x‖ at every stage.   source: the sentence.   written: the words so far.
    """
    figure = subplots(1, 2, column_widths=[0.62, 0.38], horizontal_spacing=0.04, shared_yaxes=True)
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
    when = f"at “{rows[first]}”" + ("" if first == settled else f", for good at “{rows[settled]}”")
    return finish(
        figure, title=f"“{answer}” becomes the best word {when}",
        caption=f"Source: {source}. Written so far: {written or 'nothing'} … Rows from the first vector to the last sum. Left: "
        "what the last norm and the output layer would say if the way ended here. Right: what they give the word that is said in the end.",
        summary=f"Answer “{answer}”, the best word {when}. Its probability by stage: "
        + ", ".join(f"{branch} {value:.2f}" for branch, value in zip(rows, right, strict=True))
        + f". The vector grows from {sizes[0]:.1f} to {sizes[-1]:.1f}.",
        height=190 + 34 * len(rows),
    )  # fmt: skip


def through_layers(layers: Sequence[int], runs_by_kind: Mapping[str, Any], what: str, caption: str) -> go.Figure:
    """Something of untrained layers by their number: kind → `[seeds, layers]`."""
    after = {
        n: {kind: float(np.mean(runs, axis=0)[list(layers).index(n)]) for kind, runs in runs_by_kind.items()}
        for n in layers
    }
    ends = {kind: np.mean(runs, axis=0)[[0, -1]] for kind, runs in runs_by_kind.items()}
    falling = [kind for kind, (first, last) in ends.items() if last < 0.5 * first]
    title = f"{what} at every depth"
    if falling:
        title = (
            f"{what} no more in deep stacks with {listed(falling)}"
            if len(falling) < len(ends)
            else f"{what} no more in deep stacks"
        )
    by_layers = {n: ", ".join(f"{kind} {value:.2f}" for kind, value in of.items()) for n, of in after.items()}
    return curves(
        layers, runs_by_kind, title=title, caption=f"{caption} {seeds_caption(runs_by_kind)}",
        summary=f"{what}. " + " ".join(f"After {n} layers: {words}." for n, words in by_layers.items()),
        x_title="layers that are not trained", y_title=what.lower(), log_x=True,
    )  # fmt: skip


def head_errors(heads: Any, together: Any, least: float, before: float) -> go.Figure:
    """Alignment error of every head of the cross-attention, `[seeds, layers, heads]`, and of the mean of the last layer, `[seeds]`.

    least: what one link a word can reach.   before: the error of the recurrence with attention.
    """
    heads = np.asarray(heads, float)
    seeds, layers, count = heads.shape
    figure = go.Figure()
    for layer in range(layers):
        figure.add_scatter(
            x=[seed + 1 + 0.09 * (h - (count - 1) / 2) for seed in range(seeds) for h in range(count)], y=heads[:, layer].ravel(),
            mode="markers", name=f"heads of layer {layer + 1}",
            text=[f"head {h + 1}" for _ in range(seeds) for h in range(count)], hovertemplate="%{text}: %{y:.2f}<extra></extra>",
            marker={"color": COLOURS[layer], "symbol": MARKERS[layer], "size": 11, "line": {"color": BLACK, "width": 1}},
        )  # fmt: skip
    figure.add_scatter(
        x=np.arange(1, seeds + 1), y=together, mode="markers", name=f"layer {layers}, its heads’ mean",
        marker={"color": BLACK, "symbol": "line-ew-open", "size": 46, "line": {"width": 3}}, hovertemplate="%{y:.2f}<extra></extra>",
    )  # fmt: skip
    for y, words in ((least, f"least possible, {least:.3f}"), (before, f"GRU + attention, {before:.2f}")):
        figure.add_hline(
            y=y, line={"color": GREY, "dash": "dot"}, annotation_text=words, annotation_position="top left",
            annotation_font={"size": 12, "color": BLACK}, annotation_yshift=-3,
        )  # type: ignore[arg-type]  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(1, seeds + 1)), ticktext=[f"seed {s}" for s in range(seeds)], range=[0.5, seeds + 0.5]
    )
    best = heads.reshape(seeds, -1).min(1)
    return finish(
        figure, title=f"{'No head aligns as well as' if best.min() > before else 'The best head aligns better than'} the GRU",
        caption="Alignment error of every head's largest weights, the lower the better; heads 1 to 4 stand side by side. Black line: the "
        "largest weights of the last layer's heads averaged. Dotted: what one link for each word can reach, and notebook 05's translator.",
        summary=f"Alignment error of {heads.size} heads: from {heads.min():.2f} to {heads.max():.2f}; mean of the last layer "
        f"{', '.join(f'{value:.2f}' for value in together)}; GRU with attention {before:.2f}; least possible {least:.3f}.",
        y="alignment error", height=400,
    )  # fmt: skip


def race(measured: Race, device: str) -> go.Figure:
    """Time and memory of one training step of each layer against the length."""
    lengths, layers = measured.lengths, measured.layers
    figure, colours = subplots(1, 2, horizontal_spacing=0.14), colours_of(list(layers))
    for col, (measure, factor) in enumerate((("seconds", 1), ("bytes", 1e-6)), 1):
        for i, (name, costs) in enumerate(layers.items()):
            known = [
                (n, factor * value)
                for n, value in zip(lengths, getattr(costs, measure), strict=True)
                if value is not None
            ]
            figure.add_scatter(
                x=[n for n, _ in known], y=[value for _, value in known], name=name, mode="lines+markers", legendgroup=name,
                line={"color": colours[name], "dash": DASHES[i], "width": 2.5}, marker={"symbol": MARKERS[i], "size": 7},
                showlegend=col == 1, row=1, col=col,
            )  # fmt: skip
            cut = [why for why in costs.skipped if why]
            if measure == "seconds" and cut and known:
                figure.add_annotation(
                    x=np.log10(known[-1][0]), y=np.log10(known[-1][1]), text=cut[0], showarrow=False, yshift=12,
                    xanchor="right", font={"size": 11, "color": colours[name]},
                )  # fmt: skip
    figure.update_xaxes(type="log", tickvals=list(lengths), ticktext=[str(n) for n in lengths], tickangle=-60)
    for col in (1, 2):
        drawn: Any = [trace.y for trace in figure.data if (trace.yaxis or "y") == ("y" if col == 1 else "y2")]  # type: ignore[attr-defined]
        values = np.concatenate([np.asarray(y, float) for y in drawn] or [np.ones(1)])
        values = values[values > 0] if (values > 0).any() else np.ones(1)
        figure.update_yaxes(type="log", row=1, col=col, **log_ticks(float(values.min()), float(values.max()) * 1.0001))
    for col, title in ((1, "seconds"), (2, "megabytes at the peak")):
        figure.update_yaxes(title_text=title, row=1, col=col)
    time, memory = (
        {name: getattr(costs, kind) for name, costs in layers.items()} for kind in ("exponent", "memory_exponent")
    )
    exponents_in_words = {
        measure: ", ".join(f"{name} n^{p:.1f}" for name, p in exponents.items() if np.isfinite(p))
        for measure, exponents in (("time", time), ("memory", memory))
    }
    crossed = []
    for name, n in measured.crossover.items():
        crossed.append(f"{name} {'never' if n is None else 'at every length' if n == 0 else f'from {n} on'}")
        if n:
            figure.add_vline(x=n, line={"color": GREY, "dash": "dot", "width": 1.5}, row=1, col=1)  # type: ignore[arg-type]
            figure.add_annotation(
                x=np.log10(n), y=0.02 + 0.07 * len(crossed), yref="y domain", text=f"{name} {n}", showarrow=False, xanchor="left", xshift=3,
                font={"size": 11},
            )  # fmt: skip
    slower = "; ".join(crossed)
    crossings = [n for n in measured.crossover.values() if n is not None]
    title = "Self-attention falls behind some of them as sequences grow"
    if not crossings:
        title = "Self-attention is the fastest at every length"
    elif len(crossings) == len(measured.crossover):
        last = max(crossings)
        title = f"Self-attention is the slowest from {last} positions on" if last else "Self-attention is the slowest"
    return finish(
        figure, title=title,
        caption=f"One training step of one causal layer of width {measured.width}, batch {measured.batch}, {device}, compilation excluded; "
        "both axes logarithmic, so n^p is a line of slope p. Memory as the compiler plans it. Dotted: where attention becomes slower.",
        summary=f"Batch {measured.batch}, {device}. Self-attention takes longer than: {slower}. Exponents over the three longest lengths, "
        f"time: {exponents_in_words['time']}; memory: {exponents_in_words['memory']}.",
        x="length n", height=430,
    )  # fmt: skip


def five(measure: str, values: Mapping[str, Any], unit: str, better: Better) -> go.Figure:
    """One measure of every architecture: name → one value a seed, None where it does not apply, NaN where there is none."""
    require_one_of(better=(better, Better))
    measured = {name: np.atleast_1d(np.asarray(seeds, float)) for name, seeds in values.items() if seeds is not None}
    measured = {name: seeds for name, seeds in measured.items() if np.isfinite(seeds).any()}
    require(measured, f"No architecture has a value for {measure!r}.")
    runs = by_seed(measured)
    means = dict(zip(measured, over_seeds(np.nanmean, runs), strict=True))
    best = (max if better == "more" else min)(means, key=lambda name: means[name])
    low, high = over_seeds(np.nanmin, runs), over_seeds(np.nanmax, runs)
    at = list(measured).index(best)
    level = [name for i, name in enumerate(measured) if low[i] <= high[at] and high[i] >= low[at]]  # seeds overlap
    means_in_words = "; ".join(
        f"{name} {value:,.3g}" if value < 999.5 else f"{name} {value:,.0f}" for name, value in means.items()
    )
    seeds = "One value each."
    if len(runs) > 1:
        seeds = seeds_caption({name: of[:, None] for name, of in measured.items()}, "bar")
    without = [name for name, of in values.items() if of is None]
    unmeasured = [name for name in values if name not in measured and name not in without]
    names = " and ".join(filter(None, (", ".join(level[:-1]), level[-1])))
    return dots(
        list(measured), {measure: runs}, title=f"{names} {'are' if len(level) > 1 else 'is'} ahead here",
        caption=f"{measure}; {better} is better. {seeds}"
        + (f" Does not apply to: {', '.join(without)}." if without else "")
        + (f" No value of: {', '.join(unmeasured)}." if unmeasured else ""),
        summary=f"{measure} ({unit}): {means_in_words}.", x_title=unit,
    )  # fmt: skip


def pictured(pixels: np.ndarray, weights: np.ndarray, asking: int, patch: int, layer: int, label: str) -> go.Figure:
    """A picture cut into patches, and how much one patch attends to each of the others: the mean of the heads of one layer."""
    side = pixels.shape[0] // patch
    figure = subplots(1, 2, horizontal_spacing=0.1)
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
        figure, title=f"The framed patch attends most to {'itself' if best == asking else f'patch {best + 1}'}",
        caption=f"Left: a picture of {pixels.shape[0]} × {pixels.shape[0]} pixels, cut into {side * side} patches, "
        f"numbered row by row. Right: the weights of the framed patch in layer {layer}, mean over the heads.",
        summary=f"{label}. Layer {layer}: patch {asking + 1} looks most at patch {best + 1}, with weight {weights[best]:.2f}; "
        f"an even look would be {1 / weights.size:.2f}.",
        height=380,
    )  # fmt: skip
