"""Which source words a translation looks at: as a map, as arcs, and from soft to hard."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..runtime import require
from .curves import curves, over_seeds, seeds_told
from .dots import by_seed, dots
from .style import BLACK, BLUE, RED, finish, subplots, translucent

SEEN = 0.05  # weights below this have no arc


def _summary(
    view: str, source: Sequence[str], target: Sequence[str], weights: np.ndarray, gold: np.ndarray | None, chosen: int, note: str
) -> str:  # fmt: skip
    best = np.argsort(-weights[chosen])[:3]
    parts = ", ".join(f"{source[j]} {weights[chosen, j]:.2f}" for j in best)
    looks = f"“{target[chosen]}” (word {chosen + 1}) looks at: {parts}."
    return " ".join(filter(None, [f"{view}: {_title(weights, gold)}.", looks, note]))


def _compared(weights: np.ndarray, gold: np.ndarray) -> tuple[int, int]:
    """Target words whose largest weight is at a gold word, and target words that have one."""
    rows = gold.any(1)
    return int(gold[rows, weights[rows].argmax(1)].sum()), int(rows.sum())


def _title(weights: np.ndarray, gold: np.ndarray | None) -> str:
    if gold is None:
        return "Where each French word looks"
    right, all_words = _compared(weights, gold)
    return f"{right} of {all_words} words look most at the word they translate"


def _joined(words: Sequence[str]) -> str:
    return " ".join(word for word in words if word != "<eos>")


def _check(source: Sequence[str], target: Sequence[str], weights: np.ndarray, chosen: int) -> None:
    require(
        np.shape(weights) == (len(target), len(source)),
        f"Weights have the shape {np.shape(weights)}; for these words it must be ({len(target)}, {len(source)}).",
    )
    require(0 <= chosen < len(target), f"The words are 1 to {len(target)}, not {chosen + 1}.")


def alignment_map(
    source: Sequence[str],
    target: Sequence[str],
    weights: np.ndarray,
    gold: np.ndarray | None,
    chosen: int,
    note: str = "",
) -> go.Figure:
    """Weights `[target, source]` as a map; squares are gold links; the chosen target word is framed."""
    _check(source, target, weights, chosen)
    across, down = list(range(len(source))), list(range(len(target)))
    figure = go.Figure(
        go.Heatmap(
            z=weights, x=across, y=down, zmin=0, zmax=1, colorscale=((0, "#FFFFFF"), (1, BLUE)), xgap=1, ygap=1,
            showscale=False,
            customdata=[[[target[i], source[j]] for j in across] for i in down],
            hovertemplate="%{customdata[0]} → %{customdata[1]}: %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    if gold is not None:
        rows, columns = np.nonzero(gold)
        figure.add_scatter(
            x=columns, y=rows, mode="markers", name="gold", hoverinfo="skip", showlegend=False,
            marker={"symbol": "square-open", "size": 11, "color": RED, "line": {"width": 2}},
        )  # fmt: skip
    figure.add_shape(
        type="rect", x0=-0.5, x1=len(source) - 0.5, y0=chosen - 0.5, y1=chosen + 0.5, line={"color": BLACK, "width": 2}
    )
    figure.update_xaxes(tickvals=across, ticktext=list(source), tickangle=-60, showgrid=False, side="bottom")
    figure.update_yaxes(tickvals=down, ticktext=list(target), autorange="reversed", showgrid=False)
    return finish(
        figure, title=_title(weights, gold),
        caption="Each row is one French word; the darker, the more weight it gives an English word"
        + (". Orange squares: the words it translates (gold)" if gold is not None else "")
        + f". Framed: the chosen word.{' ' + note if note else ''}",
        summary=_summary("As a map", source, target, weights, gold, chosen, note),
        height=150 + 17 * len(target) + 60,
    )  # fmt: skip


def alignment_arcs(
    source: Sequence[str],
    target: Sequence[str],
    weights: np.ndarray,
    gold: np.ndarray | None,
    chosen: int,
    note: str = "",
) -> go.Figure:
    """The same weights as lines between two rows of words; thick: much weight; orange dashes: gold of the chosen word."""
    _check(source, target, weights, chosen)
    width = max(len(source), len(target)) - 1
    top = np.linspace(0, width, len(source)) if len(source) > 1 else np.zeros(1)
    bottom = np.linspace(0, width, len(target)) if len(target) > 1 else np.zeros(1)
    traces, labels = [], []  # built first, drawn at once: Plotly checks a figure anew at every later change

    def line(i: int, j: int, style: dict[str, Any]) -> None:
        traces.append(
            go.Scatter(x=[bottom[i], top[j]], y=[0, 1], mode="lines", showlegend=False, hoverinfo="skip", line=style)
        )

    for i in (*(i for i in range(len(target)) if i != chosen), chosen):  # the chosen one on top
        colour, width_of_one = (BLUE, 9) if i == chosen else (translucent(BLUE, 0.25), 5)
        for j in np.flatnonzero(weights[i] >= SEEN).tolist():
            line(i, j, {"color": colour, "width": width_of_one * float(weights[i, j])})
    if gold is not None:
        for j in np.flatnonzero(gold[chosen]).tolist():
            line(chosen, j, {"color": RED, "width": 2, "dash": "dash"})
    for words, places, y, values in ((source, top, 1, weights[chosen]), (target, bottom, 0, weights.max(1))):
        strong = [y == 0 and k == chosen for k in range(len(words))]
        traces.append(
            go.Scatter(
                x=places, y=[y] * len(words), mode="markers", showlegend=False, text=list(words), customdata=values,
                hovertemplate="%{text}: %{customdata:.3f}<extra></extra>",
                marker={"size": 7, "color": [RED if one else BLACK for one in strong]},
            )
        )  # fmt: skip
        labels += [
            {
                "x": place, "y": y, "text": f"<b>{word}</b>" if one else word, "textangle": -60, "showarrow": False,
                "xanchor": "left" if y else "right", "yanchor": "bottom" if y else "top", "yshift": 5 if y else -5,
                "xshift": -4 if y else 4, "font": {"size": 12, "color": RED if one else BLACK},
            }
            for word, place, one in zip(words, places, strong, strict=True)
        ]  # fmt: skip
    figure = go.Figure(traces, {"annotations": labels})
    longest = 5.0 * max(map(len, (*source, *target)))
    figure.update_xaxes(visible=False, range=[-0.04 * width - 0.5, 1.04 * width + 0.5])
    figure.update_yaxes(visible=False, range=[-0.35 - longest / 250, 1.35 + longest / 250])
    return finish(
        figure, title=_title(weights, gold),
        caption=f"Above: English, below: French. A line is a weight of at least {SEEN:g}, the thicker the larger; dark: those of "
        "the chosen word" + ("; orange dashes: the words it translates (gold)" if gold is not None else "")
        + f".{' ' + note if note else ''}",
        summary=_summary("As arcs", source, target, weights, gold, chosen, note),
        height=430,
    )  # fmt: skip


def soft_to_hard(
    source: Sequence[str], target: Sequence[str], weights: np.ndarray, chosen: int, temperature: float,
    to_mean: float, to_state: float, temperatures: Sequence[float], bleu: Any, reference: Sequence[str] | None = None,
) -> go.Figure:  # fmt: skip
    """One step's weights at a temperature, beside BLEU at all temperatures.

    weights: of the chosen target word, `[source]`.   to_mean, to_state: distance of its context from the mean of the states,
    and from the state with the largest weight.   bleu: `[seeds, temperatures]`; 0 and infinity are the ends of the axis.
    """
    values = list(temperatures)
    require(temperature in values, f"The temperatures are {values}, not {temperature!r}.")
    runs = np.atleast_2d(np.asarray(bleu, float))
    names = ["0, hard" if value == 0 else "∞, uniform" if np.isinf(value) else f"{value:g}" for value in values]
    at = values.index(temperature)
    figure = subplots(1, 2, column_widths=[0.58, 0.42], horizontal_spacing=0.13)
    figure.add_bar(x=list(range(len(source))), y=weights, marker={"color": BLUE}, showlegend=False, row=1, col=1)
    place = np.arange(len(values))
    figure.add_scatter(
        x=[*place, *place[::-1]], y=[*runs.max(0), *runs.min(0)[::-1]], fill="toself", mode="lines", line={"width": 0},
        fillcolor=translucent(BLUE, 0.18), hoverinfo="skip", showlegend=False, row=1, col=2,
    )  # fmt: skip
    figure.add_scatter(
        x=place, y=runs.mean(0), mode="lines+markers", line={"color": BLUE, "width": 2.5}, showlegend=False,
        text=names, hovertemplate="τ = %{text}: %{y:.1f}<extra></extra>", row=1, col=2,
    )  # fmt: skip
    figure.add_scatter(
        x=[at], y=[runs[:, at].mean()], mode="markers", showlegend=False, hoverinfo="skip", row=1, col=2,
        marker={"color": RED, "size": 15, "symbol": "star", "line": {"color": BLACK, "width": 1}},
    )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(source))), ticktext=list(source), tickangle=-60, showgrid=False, row=1, col=1
    )
    figure.update_xaxes(
        tickvals=place.tolist(), ticktext=names, tickangle=-60, title_text="temperature τ", row=1, col=2
    )
    figure.update_yaxes(range=[0, 1.03], title_text=f"weights of “{target[chosen]}”", row=1, col=1)
    figure.update_yaxes(range=[-2, 103], title_text="BLEU, test sentences", row=1, col=2)
    now = float(runs[:, at].mean())
    wrong = (
        ""
        if reference is None
        else (" It is the reference." if list(reference) == list(target) else " It differs from the reference.")
    )
    return finish(
        figure,
        title=f"τ = {names[at]}: largest weight {weights.max():.2f}, BLEU {now:.1f}",
        caption="Left: softmax(e / τ) of the chosen word. Right: BLEU of the same trained model at each temperature "
        f"({len(runs)} seed{'s' if len(runs) > 1 else ''}); the star is this one. Written now: “{_joined(target)}”.{wrong}",
        summary=f"Temperature {names[at]}. “{target[chosen]}” (word {chosen + 1}): its context is {to_mean:.3g} away from the mean of the "
        f"states and {to_state:.3g} from the state with the largest weight. BLEU {now:.1f}. Written: “{_joined(target)}”.{wrong}",
        height=430,
    )  # fmt: skip


def gradient_by_place(norms: Mapping[str, Any]) -> go.Figure:
    """‖∂ logit_i/∂v_j‖ at the gold word, by its position: name → `[seeds, position]`."""

    runs = {name: np.atleast_2d(np.asarray(values, float)) for name, values in norms.items()}
    require(runs, "There is nothing to draw: no network is given.")
    length = next(iter(runs.values())).shape[1]
    ratio = {  # four times as much in one seed and a quarter in another are as much on the whole
        name: float(np.exp(np.log(values[:, 1:4].mean(1) / values[:, -4:-1].mean(1)).mean()))
        for name, values in runs.items()
    }
    told = "; ".join(f"{name} {value:.2g}" for name, value in ratio.items())
    least, most = min(ratio, key=lambda name: ratio[name]), max(ratio, key=lambda name: ratio[name])
    return curves(
        np.arange(1, length + 1), runs,
        title=f"Early words against late: {ratio[least]:.2g} ({least}) to {ratio[most]:.2g} ({most})",
        caption="How much the score of a French word changes with the vector of the English word that it translates, by the "
        f"position of that word in sentences of {length}; logarithmic axis. {seeds_told(runs)} "
        f"Title: words 2 to 4 against words {length - 3} to {length - 1}"
        + (", geometric mean of the seeds." if max(map(len, runs.values())) > 1 else "."),
        summary=f"Mean gradient at words 2 to 4 as a multiple of that at words {length - 3} to {length - 1}: {told}.",
        x_title="position of the English word", y_title="‖∂ logit/∂(Ex)‖ at the gold word", log_y=True,
    )  # fmt: skip


def alignment_errors(rows: Sequence[str], values: Mapping[str, Any], measure: str = "alignment error") -> go.Figure:
    """Alignment error (or another share) of several translators in rows: name → `[seeds, rows]`; None where there is none."""
    means = {name: over_seeds(np.nanmean, np.atleast_2d(np.asarray(runs, float))) for name, runs in values.items()}
    require(means, "There is nothing to draw: no translator is given.")
    first = "; ".join(f"{name} {mean[0]:.2f}" for name, mean in means.items() if np.isfinite(mean[0]))
    return dots(
        rows, values, title=f"{measure.capitalize()}, {rows[0]}: {first}",
        caption="Each French word is linked to one English word, the reference given word by word, and the links are compared "
        f"with gold. {seeds_told(values, 'bar')}",
        summary="; ".join(
            f"{name}: " + ", ".join(f"{row} {value:.2f}" for row, value in zip(rows, mean, strict=True) if np.isfinite(value))
            for name, mean in means.items()
        ) + ".",
        x_title=measure, x_range=(-0.03, 1.03),
    )  # fmt: skip


def with_other_weights(accuracy: Mapping[str, Any]) -> go.Figure:
    """Words right when a trained translator is given weights that are not its own: name → one a seed."""
    require(accuracy, "There is nothing to draw: no weights are given.")
    runs = by_seed(accuracy)
    told = ", ".join(f"{name} {value:.2f}" for name, value in zip(accuracy, over_seeds(np.nanmean, runs), strict=True))
    seeds = seeds_told({name: values[:, None] for name, values in zip(accuracy, runs.T, strict=True)}, "bar")
    return dots(
        list(accuracy), {"accuracy": runs}, title=f"Words right: {told}",
        caption=f"Share of the words that are right, the words before given, with each kind of weights. {seeds} Nothing is "
        "trained again.",
        summary=f"Words right with these weights: {told}.", x_title="words right", x_range=(-0.03, 1.03),
    )  # fmt: skip
