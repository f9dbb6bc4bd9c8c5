"""Which source words each word of a translation attends to: as a map, as arcs, and from soft to hard; and how well."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..runtime import require
from .curves import curves, over_seeds, seeds_caption
from .dots import by_seed, dots
from .style import BLACK, BLUE, RED, finish, listed, subplots, translucent

SEEN = 0.05  # weights below this have no arc


@dataclasses.dataclass(frozen=True)
class Alignment:
    """A translation and its weights over the source, as one draws them.

    weights: `[target, source]`.   gold: does target word i translate source word j? None where nobody knows.
    chosen: index of the target word that is marked.   note: added to the caption and to the summary.
    """

    source: Sequence[str]
    target: Sequence[str]
    weights: np.ndarray
    gold: np.ndarray | None = None
    chosen: int = 0
    note: str = ""

    def __post_init__(self) -> None:
        target, source = len(self.target), len(self.source)
        require(
            np.shape(self.weights) == (target, source),
            f"Weights have the shape {np.shape(self.weights)}; for these words it must be ({target}, {source}).",
        )
        require(0 <= self.chosen < target, f"The words are 1 to {target}, not {self.chosen + 1}.")

    @property
    def title(self) -> str:
        """Whether target words have their largest weight at a gold word; without gold, where the chosen one has it."""
        if self.gold is None:
            return (
                f"“{self.target[self.chosen]}” attends most to “{self.source[int(self.weights[self.chosen].argmax())]}”"
            )
        right, linked = self.met
        how_many = (
            "Every word attends"
            if right == linked
            else "Most words attend"
            if 2 * right > linked
            else "Few words attend"
        )
        return f"{how_many} most to what {'it translates' if right == linked else 'they translate'}"

    @property
    def met(self) -> tuple[int, int]:
        """How many target words have their largest weight at a gold word, of how many that have one."""
        if self.gold is None:
            return 0, 0
        linked = self.gold.any(1)
        return int(self.gold[linked, self.weights[linked].argmax(1)].sum()), int(linked.sum())

    def caption(self, marks: str) -> str:
        """What the marks are, and the note."""
        return f"{marks}{' ' + self.note if self.note else ''}"

    def summary(self, view: str) -> str:
        """The title in a view, and the largest weights of the chosen word."""
        weights = self.weights[self.chosen]
        largest = ", ".join(f"{self.source[j]} {weights[j]:.2f}" for j in np.argsort(-weights)[:3])
        looks = f"“{self.target[self.chosen]}” (word {self.chosen + 1}) looks at: {largest}."
        right, linked = self.met
        count = f"{right} of {linked} words attend most to the word they translate." if linked else ""
        return " ".join(filter(None, [f"{view}: {self.title}.", count, looks, self.note]))


def _joined(words: Sequence[str]) -> str:
    return " ".join(word for word in words if word != "<eos>")


def alignment_map(alignment: Alignment) -> go.Figure:
    """Weights as a map; squares are gold links; the chosen target word is framed."""
    source, target, chosen = list(alignment.source), list(alignment.target), alignment.chosen
    across, down = list(range(len(source))), list(range(len(target)))
    figure = go.Figure(
        go.Heatmap(
            z=alignment.weights, x=across, y=down, zmin=0, zmax=1, colorscale=((0, "#FFFFFF"), (1, BLUE)), xgap=1, ygap=1,
            showscale=False,
            customdata=[[[target[i], source[j]] for j in across] for i in down],
            hovertemplate="%{customdata[0]} → %{customdata[1]}: %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    gold = ""
    if alignment.gold is not None:
        gold = ". Orange squares: the words it translates (gold)"
        rows, columns = np.nonzero(alignment.gold)
        figure.add_scatter(
            x=columns, y=rows, mode="markers", name="gold", hoverinfo="skip", showlegend=False,
            marker={"symbol": "square-open", "size": 11, "color": RED, "line": {"width": 2}},
        )  # fmt: skip
    figure.add_shape(
        type="rect", x0=-0.5, x1=len(source) - 0.5, y0=chosen - 0.5, y1=chosen + 0.5, line={"color": BLACK, "width": 2}
    )
    figure.update_xaxes(tickvals=across, ticktext=source, tickangle=-60, showgrid=False, side="bottom")
    figure.update_yaxes(tickvals=down, ticktext=target, autorange="reversed", showgrid=False)
    return finish(
        figure,
        title=alignment.title,
        caption=alignment.caption(
            f"Each row is one French word; the darker, the more weight it gives an English word{gold}. Framed: the chosen word."
        ),
        summary=alignment.summary("As a map"),
        height=150 + 17 * len(target) + 60,
    )


def alignment_arcs(alignment: Alignment) -> go.Figure:
    """The same weights as lines between two rows of words; thick: much weight; orange dashes: gold of the chosen word."""
    source, target, chosen = alignment.source, alignment.target, alignment.chosen
    width = max(len(source), len(target)) - 1
    top = np.arange(len(source)) * spacing(len(target), len(source))
    bottom = np.arange(len(target)) * spacing(len(source), len(target))
    traces = _arcs(
        alignment, top, bottom
    )  # built first, drawn at once: Plotly checks a figure anew at every later change
    labels = []
    for words, across, y, values in (
        (source, top, 1, alignment.weights[chosen]),
        (target, bottom, 0, alignment.weights.max(1)),
    ):
        marked = [y == 0 and k == chosen for k in range(len(words))]
        traces.append(
            go.Scatter(
                x=across, y=[y] * len(words), mode="markers", showlegend=False, text=list(words), customdata=values,
                hovertemplate="%{text}: %{customdata:.3f}<extra></extra>",
                marker={"size": 7, "color": [RED if mark else BLACK for mark in marked]},
            )
        )  # fmt: skip
        labels += [
            {
                "x": x, "y": y, "text": f"<b>{word}</b>" if mark else word, "textangle": -60, "showarrow": False,
                "xanchor": "left" if y else "right", "yanchor": "bottom" if y else "top", "yshift": 5 if y else -5,
                "xshift": -4 if y else 4, "font": {"size": 12, "color": RED if mark else BLACK},
            }
            for word, x, mark in zip(words, across, marked, strict=True)
        ]  # fmt: skip
    figure = go.Figure(traces, {"annotations": labels})
    longest = 5.0 * max(map(len, (*source, *target)))
    figure.update_xaxes(visible=False, range=[-0.04 * width - 0.5, 1.04 * width + 0.5])
    figure.update_yaxes(visible=False, range=[-0.35 - longest / 250, 1.35 + longest / 250])
    gold = "; orange dashes: the words it translates (gold)" if alignment.gold is not None else ""
    return finish(
        figure,
        title=alignment.title,
        caption=alignment.caption(
            f"Above: English, below: French. A line is a weight of at least {SEEN:g}, the thicker the larger; dark: those of "
            f"the chosen word{gold}."
        ),
        summary=alignment.summary("As arcs"),
        height=430,
    )


def spacing(other: int, count: int) -> float:
    """How far apart the words of a row of `count` are drawn, so that it is as wide as the longer of the two."""
    return (max(other, count) - 1) / max(count - 1, 1)


def _arcs(alignment: Alignment, top: np.ndarray, bottom: np.ndarray) -> list[go.Scatter]:
    """A line for each weight that counts, the chosen word's on top, and its gold links; `top`, `bottom`: x of the words."""

    def line(i: int, j: int, style: dict[str, Any]) -> go.Scatter:
        return go.Scatter(x=[bottom[i], top[j]], y=[0, 1], mode="lines", showlegend=False, hoverinfo="skip", line=style)

    chosen, lines = alignment.chosen, []
    for i in (*(i for i in range(len(alignment.target)) if i != chosen), chosen):
        colour, widest = (BLUE, 9) if i == chosen else (translucent(BLUE, 0.25), 5)
        for j in np.flatnonzero(alignment.weights[i] >= SEEN).tolist():
            lines.append(line(i, j, {"color": colour, "width": widest * float(alignment.weights[i, j])}))
    if alignment.gold is not None:
        for j in np.flatnonzero(alignment.gold[chosen]).tolist():
            lines.append(line(chosen, j, {"color": RED, "width": 2, "dash": "dash"}))
    return lines


def soft_to_hard(
    source: Sequence[str], target: Sequence[str], weights: np.ndarray, chosen: int, temperature: float,
    to_mean: float, to_state: float, temperatures: Sequence[float], bleu: Any, reference: Sequence[str] | None = None,
) -> go.Figure:  # fmt: skip
    """One step's weights at a temperature, next to BLEU at all temperatures.

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
    positions = np.arange(len(values))
    figure.add_scatter(
        x=[*positions, *positions[::-1]], y=[*runs.max(0), *runs.min(0)[::-1]], fill="toself", mode="lines", line={"width": 0},
        fillcolor=translucent(BLUE, 0.18), hoverinfo="skip", showlegend=False, row=1, col=2,
    )  # fmt: skip
    figure.add_scatter(
        x=positions, y=runs.mean(0), mode="lines+markers", line={"color": BLUE, "width": 2.5}, showlegend=False,
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
        tickvals=positions.tolist(), ticktext=names, tickangle=-60, title_text="temperature τ", row=1, col=2
    )
    figure.update_yaxes(range=[0, 1.03], title_text=f"weights of “{target[chosen]}”", row=1, col=1)
    figure.update_yaxes(range=[-2, 103], title_text="BLEU, test sentences", row=1, col=2)
    bleu_here = float(runs[:, at].mean())
    title = "The attention blends several words"
    if weights.max() > 0.9:
        title = "One word gets nearly all of the weight"
    elif weights.max() < 1.5 / len(source):
        title = "All words get about the same weight"
    judged = ""
    if reference is not None:
        judged = " It is the reference." if list(reference) == list(target) else " It differs from the reference."
    return finish(
        figure,
        title=title,
        caption="Left: softmax(e / τ) of the chosen word. Right: BLEU of the same trained model at each temperature "
        f"({len(runs)} seed{'s' if len(runs) > 1 else ''}); the star is this one. Written now: “{_joined(target)}”.{judged}",
        summary=f"Temperature {names[at]}. Largest weight {weights.max():.2f}. "
        f"“{target[chosen]}” (word {chosen + 1}): its context is {to_mean:.3g} away from the mean of the "
        f"states and {to_state:.3g} from the state with the largest weight. BLEU {bleu_here:.1f}. Written: “{_joined(target)}”.{judged}",
        height=430,
    )  # fmt: skip


def gradient_by_position(norms: Mapping[str, Any]) -> go.Figure:
    """‖∂ logit_i/∂v_j‖ at the gold word, by its position: name → `[seeds, position]`."""
    runs = {name: np.atleast_2d(np.asarray(values, float)) for name, values in norms.items()}
    require(runs, "There is nothing to draw: no network is given.")
    length = next(iter(runs.values())).shape[1]
    ratio = {  # four times as much in one seed and a quarter in another are as much on the whole
        name: float(np.exp(np.log(values[:, 1:4].mean(1) / values[:, -4:-1].mean(1)).mean()))
        for name, values in runs.items()
    }
    ratios = "; ".join(f"{name} {value:.2g}" for name, value in ratio.items())
    starved = [name for name, value in ratio.items() if value < 0.1]
    alike = all(1 / 3 <= value <= 3 for value in ratio.values())
    title = "Early and late words get similar gradients" if alike else "Early and late words get different gradients"
    if starved:
        title = "Early words hardly get a gradient" + (f" with {listed(starved)}" if len(starved) < len(ratio) else "")
    return curves(
        np.arange(1, length + 1), runs,
        title=title,
        caption="How much the score of a French word changes with the vector of the English word that it translates, by the "
        f"position of that word in sentences of {length}; logarithmic axis. {seeds_caption(runs)} "
        f"Title: words 2 to 4 against words {length - 3} to {length - 1}"
        + (", geometric mean of the seeds." if max(map(len, runs.values())) > 1 else "."),
        summary=f"Mean gradient at words 2 to 4 as a multiple of that at words {length - 3} to {length - 1}: {ratios}.",
        x_title="position of the English word", y_title="‖∂ logit/∂(Ex)‖ at the gold word", log_y=True,
    )  # fmt: skip


def alignment_errors(rows: Sequence[str], values: Mapping[str, Any], measure: str = "alignment error") -> go.Figure:
    """Alignment error (or another share) of several translators in rows: name → `[seeds, rows]`; None where there is none."""
    means = {name: over_seeds(np.nanmean, np.atleast_2d(np.asarray(runs, float))) for name, runs in values.items()}
    require(means, "There is nothing to draw: no translator is given.")
    known = {name: float(mean[0]) for name, mean in means.items() if np.isfinite(mean[0])}
    title = f"{measure.capitalize()} was not measured for {rows[0]}"
    if known:
        lower = measure == "alignment error"
        best = (min if lower else max)(known, key=lambda name: known[name])
        title = f"{best} has the {'lowest' if lower else 'highest'} {measure}"
        if len(known) == 1 < len(means):
            title = f"Only {best} has {rows[0]} to measure"
        elif len(known) > 1 and max(known.values()) - min(known.values()) < 0.02:
            title = f"All have the same {measure}"
    return dots(
        rows, values, title=title,
        caption="Each French word is linked to one English word, the reference given word by word, and the links are compared "
        f"with gold. {seeds_caption(values, 'bar')}",
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
    means = ", ".join(f"{name} {value:.2f}" for name, value in zip(accuracy, over_seeds(np.nanmean, runs), strict=True))
    mean = dict(zip(accuracy, over_seeds(np.nanmean, runs), strict=True))
    spoiled = [name for name, value in mean.items() if value < 0.5]
    title = f"{listed(spoiled).capitalize()} weights spoil most words" if spoiled else "Other weights spoil few words"
    seeds = seeds_caption({name: values[:, None] for name, values in zip(accuracy, runs.T, strict=True)}, "bar")
    return dots(
        list(accuracy), {"accuracy": runs}, title=title,
        caption=f"Share of the words that are right, the words before given, with each kind of weights. {seeds} Nothing is "
        "trained again.",
        summary=f"Words right with these weights: {means}.", x_title="words right", x_range=(-0.03, 1.03),
    )  # fmt: skip
