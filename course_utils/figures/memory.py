"""How much of an input is left after a number of steps."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..runtime import require, require_positive
from .curves import curves
from .style import BLACK, BLUE, GREY, ORANGE, RED, finish, translucent


def decay_weights(decay: float, length: int = 40) -> go.Figure:
    """Weight of each of the last `length` inputs in h_t = decay · h_{t-1} + (1 - decay) · x_t.

    The input k steps ago has weight (1 - decay) · decay^k.
    """
    require(0 <= decay <= 1, f"decay must lie in [0, 1], not {decay}.")
    require_positive(length=length)
    ago = np.arange(length)
    weight = (1 - decay) * decay**ago
    figure = go.Figure(go.Bar(x=ago, y=weight, marker_color=BLUE, name="weight"))
    held = 1 - decay**length
    if decay in (0.0, 1.0):
        story = "Only the newest input counts." if decay == 0 else "Nothing new ever enters: every weight is 0."
    else:
        half = np.log(0.5) / np.log(decay)
        story = f"An input has lost half of its weight after {half:.1f} steps."
        if half < length:
            figure.add_vline(x=half, line={"color": RED, "dash": "dash"})
            figure.add_annotation(x=half, y=1, yref="paper", text="half its weight", showarrow=False, xanchor="left",
                                  font={"color": RED}, xshift=4)  # fmt: skip
    figure.update_yaxes(range=[0, max(0.05, float(weight.max()) * 1.1)], tickformat=".2f")
    figure.update_layout(bargap=0.15)
    figure.add_annotation(
        x=0.99, y=0.9, xref="paper", yref="paper", showarrow=False, xanchor="right", font={"color": GREY},
        text=f"{held:.0%} of the total weight lies on these {length} inputs",
    )  # fmt: skip
    return finish(
        figure,
        title=story,
        caption="Each bar is the weight of one past input in today's state. Every step multiplies an old input "
        "by the same number, so its weight falls exponentially: the theme of chapter 02 in its simplest form.",
        summary=f"Decay {decay:.2f}: {story} The newest input has weight {weight[0]:.3f}, the one {length - 1} steps "
        f"ago {weight[-1]:.2g}.",
        x="steps ago",
        y="weight in the state",
    )


def pipe(
    accuracy: np.ndarray,
    hidden: int,
    symbols: int,
    reach: np.ndarray,
    sizes: Sequence[int],
    vocabularies: Sequence[int],
    held: float,
    numbers: float,
) -> go.Figure:
    """What a state of `hidden` numbers holds of a stream over `symbols` symbols.

    Left: recall against lag, `accuracy` `[seeds, lags]`, with chance, and the lag H / (V - 1) up to which H
    numbers could carry every symbol linearly. Right: `reach` `[sizes, vocabularies]`, symbols recalled, for all
    sizes, with this one framed. `held`: bits recalled; `numbers`: linear memory, at most `hidden`.
    """
    lags, bound = accuracy.shape[1], hidden / (symbols - 1)
    ago = np.arange(lags)
    figure = make_subplots(1, 2, column_widths=[0.58, 0.42], horizontal_spacing=0.13)
    figure.add_scatter(
        x=np.concatenate([ago, ago[::-1]]), y=np.concatenate([accuracy.max(0), accuracy.min(0)[::-1]]), fill="toself",
        line={"width": 0}, fillcolor=translucent(BLUE, 0.2), hoverinfo="skip", showlegend=False, row=1, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=ago, y=accuracy.mean(0), mode="lines+markers", line={"color": BLUE, "width": 2.5}, marker={"size": 5},
        name="recall", hovertemplate="%{x} steps ago: %{y:.2f}<extra></extra>", row=1, col=1,
    )  # fmt: skip
    for level, name, shift in ((0.9, "0.9", 9), (1 / symbols, "guessing", -9)):
        figure.add_hline(y=level, line={"color": GREY, "dash": "dot", "width": 1.5}, row=1, col=1)  # type: ignore[arg-type]
        figure.add_annotation(x=lags - 1, y=level, text=name, showarrow=False, yshift=shift, xanchor="right",
                              font={"color": GREY}, row=1, col=1)  # fmt: skip
    if bound < lags:
        figure.add_vline(x=bound, line={"color": RED, "dash": "dash"}, row=1, col=1)  # type: ignore[arg-type]
        figure.add_annotation(x=bound, y=1.08, text="H / (V − 1)", showarrow=False, xanchor="left", xshift=4,
                              font={"color": RED}, row=1, col=1)  # fmt: skip
    figure.update_xaxes(title_text="steps ago", row=1, col=1)
    figure.update_yaxes(title_text="symbols named rightly", range=[0, 1.14], row=1, col=1)
    figure.add_heatmap(
        z=reach, x=[str(v) for v in vocabularies], y=[str(h) for h in sizes], colorscale=((0, "#FFFFFF"), (1, ORANGE)),
        text=np.round(reach, 1), texttemplate="%{text:.1f}", showscale=False, row=1, col=2,
        hovertemplate="%{y} units, %{x} symbols: %{z:.1f}<extra></extra>",
    )  # fmt: skip
    column, line = list(vocabularies).index(symbols), list(sizes).index(hidden)
    figure.add_shape(
        type="rect", x0=column - 0.5, x1=column + 0.5, y0=line - 0.5, y1=line + 0.5,
        line={"color": BLACK, "width": 3}, row=1, col=2,
    )  # fmt: skip
    figure.update_xaxes(title_text="symbols V", type="category", showgrid=False, row=1, col=2)
    figure.update_yaxes(title_text="units H", type="category", showgrid=False, row=1, col=2)
    figure.update_layout(showlegend=False)
    here = float(reach[line, column])
    return finish(
        figure,
        title=f"{hidden} numbers recall the last {here:.1f} symbols: {held:.0f} bits",
        caption="Left: a network that is never trained reads a random stream; a linear read-out names the symbol that came "
        "so many steps ago (band: lowest to highest of three networks). Right: how many of the last symbols are named "
        "with 0.9 or better, for every size and vocabulary at this input scale. The frame marks the curve on the left.",
        summary=f"{hidden} units, {symbols} symbols: the last {here:.1f} symbols are recalled with 0.9 or better; over all "
        f"lags at least {held:.0f} bits, and {numbers:.1f} of at most {hidden} numbers of linear memory.",
        height=420,
    )


def recall_compared(
    lags: Sequence[int], trained: np.ndarray, frozen: np.ndarray, symbols: int, hidden: int
) -> go.Figure:
    """Recall against lag: trained networks (`[seeds, lags]`, one training a lag), frozen ones (`[seeds, all lags]`)."""
    asked, trained, frozen = np.asarray(lags), np.asarray(trained), np.asarray(frozen)
    failed = asked[trained.mean(0) < 1.5 / symbols]
    deepest = asked[trained.mean(0) >= 0.9].max(initial=0)
    best = np.cumprod(frozen >= 0.9, axis=1).sum(1).mean()
    end = (
        f"from {failed[0]} on training finds nothing" if len(failed) else "it fails nowhere up to the longest lag tried"
    )
    return curves(
        asked, {"trained for this lag": trained, "frozen, best input scale": frozen[:, asked]},
        title=f"Trained, {hidden} numbers reach {deepest} steps back; frozen, {best:.1f}",
        caption=f"Share of right answers when asked at every step for the symbol so many steps ago ({symbols} symbols, "
        f"{hidden} units, three seeds, band from lowest to highest). A frozen network spreads its memory over all lags; "
        "a trained one keeps what it is asked for.",
        summary=f"Trained networks reach 0.9 up to lag {deepest}; {end}. A frozen network recalls the last {best:.1f} symbols.",
        x_title="steps ago", y_title="symbols named rightly", references={"guessing": 1 / symbols}, y_range=(0, 1.05),
    )  # fmt: skip
