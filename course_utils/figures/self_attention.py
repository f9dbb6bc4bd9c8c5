"""Self-attention drawn: a look-up in the plane, the softmax of large scores, masks, heads."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from ..experiments.results.ch06 import Saturations
from ..measure.softmax import Saturation
from ..runtime import require_one_of
from .curves import curves
from .style import BLACK, BLUE, COLOURS, GREY, MARKERS, PALE, RED, SHADES, finish, listed, subplots

Measure = Literal["variance", "entropy", "gradient"]
REACH = 1.7  # how far from the origin the plane of the dictionary is drawn


def soft_dictionary(
    words: Sequence[str], keys: np.ndarray, values: np.ndarray, query: np.ndarray, weights: np.ndarray, unit: str
) -> go.Figure:
    """Keys `[n, 2]` and a query in the plane, the weights `[n]`, and the blend of the values `[n]`."""
    blend, best = float(weights @ values), int(weights.argmax())
    source = f"mostly from {words[best]}" if weights[best] > 0.5 else "blended from several"
    figure = subplots(1, 2, column_widths=[0.56, 0.44], horizontal_spacing=0.16)
    figure.add_scatter(
        x=keys[:, 0], y=keys[:, 1], mode="markers+text", text=list(words), showlegend=False, hoverinfo="skip",
        textposition=["middle left" if x > 0.5 else "middle right" if x < -0.5 else "top center" for x in keys[:, 0]],
        marker={"color": BLUE, "size": 8 + 34 * weights, "line": {"color": BLACK, "width": 1}},
    )  # fmt: skip
    length = float(np.linalg.norm(query))
    tip = query * min(1.0, REACH / max(length, 1e-9))  # a longer query is drawn up to the edge
    figure.add_annotation(
        x=tip[0], y=tip[1], ax=0, ay=0, axref="x", ayref="y", xref="x", yref="y", text="", showarrow=True, arrowhead=2,
        arrowwidth=3, arrowcolor=RED,
    )  # fmt: skip
    figure.add_scatter(
        x=[tip[0]],
        y=[tip[1]],
        mode="markers+text",
        text=["<b>q</b>"],
        textfont={"color": RED, "size": 15},
        textposition="top center" if tip[1] >= 0 else "bottom center",
        marker={"color": RED, "size": 5},
        showlegend=False,
        hoverinfo="skip",
    )
    rows = [f"{word}: {value:g}" for word, value in zip(words, values, strict=True)]
    figure.add_bar(
        x=weights, y=rows, orientation="h", marker_color=BLUE, showlegend=False, hovertemplate="%{y}: weight %{x:.3f}<extra></extra>",
        text=[f"{weight:.2f}" for weight in weights], textposition="outside", cliponaxis=False, row=1, col=2,
    )  # fmt: skip
    figure.update_xaxes(range=[-1.25 * REACH, 1.25 * REACH], row=1, col=1, title_text="← water · land →")
    figure.update_yaxes(range=[-1.25 * REACH, 1.25 * REACH], row=1, col=1, title_text="← small · large →")
    figure.update_xaxes(range=[0, 1.12], row=1, col=2, title_text="weight α")
    figure.update_yaxes(row=1, col=2, autorange="reversed", showgrid=False)
    return finish(
        figure, title=f"The answer is {blend:.2f} {unit}, {source}",
        caption="Left: each entry at its key, the larger the more weight; orange: the query (a long one drawn to the edge). "
        "Right: each entry's value and weight; "
        "the answer is the weighted mean of the values.",
        summary=f"Query of length {length:.1f} at ({query[0]:.1f}, {query[1]:.1f}). Weights: "
        + ", ".join(f"{word} {weight:.2f}" for word, weight in zip(words, weights, strict=True)) + f". Answer: {blend:.2f} {unit}.",
        height=400,
    )  # fmt: skip


def scores_and_weights(softmax: Saturation, size: int, divided: bool, query: int) -> go.Figure:
    """Left the scores of random vectors, right the weights of one query, largest first."""
    scores, row = np.asarray(softmax.scores), np.asarray(softmax.scores)[query]
    raised = np.exp(row - row.max())
    weights = np.sort(raised / raised.sum())[::-1]
    figure = subplots(1, 2, horizontal_spacing=0.14)
    counts, edges = np.histogram(scores, bins=60, density=True)
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=counts,
        width=np.diff(edges),
        marker_color=BLUE,
        showlegend=False,
        hoverinfo="skip",
    )
    figure.add_bar(
        x=np.arange(1, 1 + len(weights)), y=weights, marker_color=RED, showlegend=False, row=1, col=2,
        hovertemplate="%{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text="score", row=1, col=1)
    figure.update_yaxes(title_text="density", row=1, col=1)
    figure.update_xaxes(title_text="positions, largest weight first", row=1, col=2)
    figure.update_yaxes(title_text="weight of one query", range=[0, 1.02], row=1, col=2)
    numbers = (
        f"variance of the scores {softmax.variance:.3g}, entropy {softmax.entropy:.2f} bits, gradient {softmax.gradient:.2g}, "
        f"largest weight {softmax.largest:.2f}"
    )
    spread = softmax.entropy / np.log2(len(weights))
    title = "A few positions share the weight"
    if spread < 0.35:
        title = "One position takes nearly all of the weight"
    elif spread > 0.7:
        title = "Many positions share the weight"
    return finish(
        figure, title=title,
        caption=f"Left: scores of random queries and keys whose {size} numbers have variance 1. Right: the softmax of one query's "
        f"{len(weights)} scores. Entropy is at most {np.log2(len(weights)):.0f} bits; gradient: median ‖∂α/∂e‖.",
        summary=f"d = {size}, {'divided' if divided else 'not divided'} by √d. Over all queries: {numbers}. Query {query + 1}: largest "
        f"weight {weights[0]:.2f}.",
        height=380,
    )  # fmt: skip


def scaling(sizes: Sequence[int], scores: Mapping[str, Saturations], measure: Measure) -> go.Figure:
    """One measure against d."""
    require_one_of(measure=(measure, Measure))
    curve_of = {name: getattr(of, measure) for name, of in scores.items()}
    ends = {name: values[-1] for name, values in curve_of.items()}
    at_the_end = ", ".join(f"{value:.3g} for {name}" for name, value in ends.items())
    labels = {
        "variance": ("variance of the scores", "The variance of q · k grows as d does; divided by √d it stays 1."),
        "entropy": (
            "entropy of the weights, bits",
            "Scores that are far apart leave one weight near 1: the entropy falls towards 0.",
        ),
        "gradient": (
            "‖∂α/∂e‖",
            "What the softmax lets through to its scores: half of the queries let through less. Near a weight of 1 it is next to nothing.",
        ),
    }
    y, caption = labels[measure]
    return curves(
        sizes, curve_of, title=_as_vectors_grow(scores, measure),
        caption=f"{caption} Random vectors of d numbers with variance 1, 16 keys, 500 queries.",
        summary=f"{y.capitalize()} at d = {sizes[-1]:,}: {at_the_end}.", x_title="d", y_title=y, log_x=True, log_y=measure != "entropy",
    )  # fmt: skip


def _as_vectors_grow(scores: Mapping[str, Saturations], measure: Measure) -> str:
    """What becomes of a measure as vectors grow, for those whose measure changes most."""
    curve_of = {name: getattr(of, measure) for name, of in scores.items()}
    change = {name: values[-1] / values[0] for name, values in curve_of.items()}
    moved = [name for name, ratio in change.items() if not 0.5 < ratio < 2]
    what = {
        "variance": "scores spread",
        "entropy": "weights gather on one position",
        "gradient": "softmax stops learning",
    }[measure]
    return f"With {listed(moved)} the {what} as vectors grow" if moved else "Larger vectors change little"


def mask_map(words: Sequence[str], allowed: np.ndarray, weights: np.ndarray, chosen: int) -> go.Figure:
    """Which position may attend to which, `[n, n]`, with the weights; the row of one position in words."""
    n = len(words)
    names = [f"{i + 1} {word}" for i, word in enumerate(words)]
    visible = np.where(allowed, weights, np.nan)
    figure = go.Figure()
    figure.add_heatmap(
        z=visible, x=names, y=names, colorscale=SHADES, zmin=0, zmax=1, xgap=2, ygap=2, hoverongaps=False,
        colorbar={"title": {"text": "weight"}, "thickness": 14}, hovertemplate="%{y} looks at %{x}: %{z:.3f}<extra></extra>",
        texttemplate="%{z:.2f}", textfont={"size": 11},
    )  # fmt: skip
    crosses = [(names[j], names[i]) for i in range(n) for j in range(n) if not allowed[i, j]]
    figure.add_scatter(
        x=[x for x, _ in crosses], y=[y for _, y in crosses], mode="markers", showlegend=False, hoverinfo="skip",
        marker={"symbol": "x-thin", "size": 8, "line": {"color": GREY, "width": 1.5}},
    )  # fmt: skip
    figure.add_shape(
        type="rect", x0=-0.5, x1=n - 0.5, y0=chosen - 0.5, y1=chosen + 0.5, line={"color": RED, "width": 2.5}
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(tickangle=-40, showgrid=False, tickvals=names, ticktext=names)
    allowed_words = [words[j] for j in np.flatnonzero(allowed[chosen]).tolist()]
    nowhere = [words[i] for i in range(n) if not allowed[i].any()]
    count = int(allowed.sum())
    later = bool((allowed & (np.arange(n) > np.arange(n)[:, None])).any())
    title = "Positions attend to later ones too" if later else "No position attends to a later one"
    title = title if allowed_words else f"“{words[chosen]}” has nowhere to attend to"
    return finish(
        figure, title=title,
        caption="Row: who looks; column: at whom. Crosses are masked; the weights of what is left sum to 1 in every row. "
        "Framed: the chosen position."
        + (f" Nothing is left for {', '.join(nowhere)}: zeros." if nowhere else ""),
        summary=f"Position {chosen + 1}, “{words[chosen]}”, may look at: {', '.join(allowed_words) or 'nothing, its weights are all 0'}. "
        f"{count} of {n * n} pairs are allowed.",
        x="looked at", y="looks", height=430,
    )  # fmt: skip


def head_map(
    words: Sequence[str], weights: np.ndarray, layer: int, head: int, chosen: int, marked: Mapping[int, str]
) -> go.Figure:
    """What the heads of one layer attend to, `[heads, n, n]`: the map of one head; below, the chosen word's row in all of them.

    marked: positions with a name to be told, such as the subject.
    """
    heads, n = weights.shape[:2]
    names = [f"{i + 1} {word}" for i, word in enumerate(words)]
    figure = subplots(2, 1, row_heights=[0.74, 0.26], vertical_spacing=0.03, shared_xaxes=True)
    figure.add_heatmap(
        z=weights[head], x=names, y=names, colorscale=SHADES, zmin=0, zmax=1, showscale=False,
        hovertemplate="%{y} looks at %{x}: %{z:.3f}<extra></extra>",
    )  # fmt: skip
    figure.add_heatmap(
        z=weights[:, chosen], x=names, y=[f"head {i + 1}" for i in range(heads)], colorscale=SHADES, zmin=0, zmax=1, showscale=False,
        hovertemplate="%{y} looks at %{x}: %{z:.3f}<extra></extra>", row=2, col=1,
    )  # fmt: skip
    figure.add_shape(
        type="rect", x0=-0.5, x1=n - 0.5, y0=chosen - 0.5, y1=chosen + 0.5, line={"color": RED, "width": 2}
    )
    figure.add_shape(
        type="rect", x0=-0.5, x1=n - 0.5, y0=head - 0.5, y1=head + 0.5, line={"color": RED, "width": 2}, row=2, col=1
    )
    for position in marked:
        for row in (1, 2):
            figure.add_vline(x=position, line={"color": PALE, "dash": "dot", "width": 1}, row=row, col=1)  # type: ignore[arg-type]
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont={"size": 11})
    figure.update_xaxes(showgrid=False, tickangle=-60, tickfont={"size": 11})
    figure.update_xaxes(tickvals=list(range(n)), ticktext=names, row=2, col=1)
    best = np.argsort(-weights[head, chosen])[:3]
    looks = ", ".join(f"{words[j]} {weights[head, chosen, j]:.2f}" for j in best)
    spread = weights[head, chosen, best[0]] < 2 / (chosen + 1)
    title = f"“{words[chosen]}” attends most to “{words[best[0]]}”"
    title = f"“{words[chosen]}” spreads its attention" if spread and chosen > 1 else title
    also = "".join(
        f" Weight of the {name} (“{words[position]}”) by head: "
        + ", ".join(f"{w:.2f}" for w in weights[:, chosen, position])
        + "."
        for position, name in marked.items()
    )
    return finish(
        figure,
        title=title,
        caption="Above: all looks of one head, a row for each word that looks; only words before it, and itself, can be seen. Framed: the "
        "chosen word. Below: the same word in every head of the layer, the chosen head framed."
        + (f" Dotted: {', '.join(f'the {name}' for name in marked.values())}." if marked else ""),
        summary=f"Layer {layer + 1}, head {head + 1}, at “{words[chosen]}” (word {chosen + 1}): {looks}.{also}",
        height=270 + 12 * n + 14 * heads,
    )  # fmt: skip


def positions_map(vectors: np.ndarray, near: np.ndarray, chosen: int, kind: str) -> go.Figure:
    """Position vectors `[time, width]`, and how one position compares with all others `[time]`."""
    time, width = vectors.shape
    figure = subplots(1, 2, column_widths=[0.5, 0.5], horizontal_spacing=0.14)
    figure.add_heatmap(
        z=vectors,
        colorscale="RdBu",
        zmid=0,
        showscale=False,
        hovertemplate="position %{y}, number %{x}: %{z:.2f}<extra></extra>",
    )
    figure.add_shape(
        type="rect", x0=-0.5, x1=width - 0.5, y0=chosen - 0.5, y1=chosen + 0.5, line={"color": BLACK, "width": 2}
    )
    figure.add_scatter(
        x=np.arange(time), y=near, mode="lines", line={"color": BLUE, "width": 2.5}, showlegend=False, row=1, col=2
    )
    figure.add_vline(x=chosen, line={"color": RED, "dash": "dash"}, row=1, col=2)  # type: ignore[arg-type]
    figure.update_yaxes(title_text="position", autorange="reversed", row=1, col=1)
    figure.update_xaxes(title_text="entry of the vector", row=1, col=1)
    figure.update_xaxes(title_text="position", row=1, col=2)
    figure.update_yaxes(title_text=f"compared with position {chosen}", row=1, col=2)
    low = high = chosen  # the run around the chosen one: beyond it the curve may come up again
    while low > 0 and near[low - 1] >= near[chosen] / 2:
        low -= 1
    while high < time - 1 and near[high + 1] >= near[chosen] / 2:
        high += 1
    run = (
        f"positions {low} to {high} have at least half of that"
        if high > low
        else "its neighbours have less than half of that"
    )
    others = {}
    for name, step in (("one", 1), ("ten", 10)):
        if chosen + step < time:
            others[f"{name} further"] = chosen + step
        elif chosen >= step:
            others[f"{name} before"] = chosen - step
    return finish(
        figure,
        title=f"Position {chosen} is {'most like itself' if near.argmax() == chosen else 'not most like itself'}",
        caption="Left: one row for each position. Right: dot product of the chosen position (framed, dashed) with every position; for "
        "rotary, of a query and an equal key turned by their positions.",
        summary=f"{kind.capitalize()}, width {width}. "
        + "; ".join(
            [f"Position {chosen} with itself: {near[chosen]:.2f}", f"around it, {run}"]
            + [f"{name}: {near[position]:.2f}" for name, position in others.items()]
        ) + ".",
        height=390,
    )  # fmt: skip


def heads_needed(
    subject: Float[np.ndarray, "seeds layers heads"], off: Float[np.ndarray, "seeds layers heads"]
) -> go.Figure:
    """Each head as a point: its weight on the subject (mean), and the accuracy without it."""
    seeds, layers, heads = subject.shape
    figure = go.Figure()
    for layer in range(layers):
        figure.add_scatter(
            x=subject[:, layer].ravel(), y=off[:, layer].ravel(), mode="markers", name=f"layer {layer + 1}",
            text=[f"seed {s}, head {h + 1}" for s in range(seeds) for h in range(heads)],
            hovertemplate="%{text}: weight %{x:.2f}, without it %{y:.2f}<extra></extra>",
            marker={"color": COLOURS[layer], "symbol": MARKERS[layer], "size": 11, "line": {"color": BLACK, "width": 1}},
        )  # fmt: skip
    most_needed = np.unravel_index(off.argmin(), off.shape)
    return finish(
        figure,
        title="No head is needed by itself"
        if off.min() > 0.95
        else f"The head that is needed most is in layer {most_needed[1] + 1}",
        caption=f"Each point is a head of a language model ({seeds} seeds × {layers} layers × {heads} heads). Right: it gives the subject "
        "much weight where the verb is due. Down: without it verbs get the wrong number.",
        summary=f"{subject.size} heads. Largest weight on the subject: {subject.max():.2f}. Lowest accuracy with one head off: "
        f"{off.min():.2f}; the middle one: {np.median(off):.2f}.",
        x="mean weight on the subject", y="verbs right without this head", height=400,
    )  # fmt: skip
