"""How much of an input is left after a number of steps."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ..runtime import require, require_positive
from .curves import curves, seeds_caption
from .style import BLACK, BLUE, GREY, ORANGE, RED, finish, subplots, translucent


def decay_weights(decay: float, length: int = 40) -> go.Figure:
    """Weight of each of the last `length` inputs in h_t = decay · h_{t-1} + (1 - decay) · x_t.

    The input k steps ago has weight (1 - decay) · decay^k.
    """
    require(0 <= decay <= 1, f"decay must lie in [0, 1], not {decay}.")
    require_positive(length=length)
    ago = np.arange(length)
    weight = (1 - decay) * decay**ago
    figure = go.Figure(go.Bar(x=ago, y=weight, marker_color=BLUE, name="weight", showlegend=False))
    figure.add_scatter(
        x=ago, y=0.1 * 0.9**ago, mode="lines", line={"color": GREY, "dash": "dot", "width": 1.5}, name="decay 0.9, to compare",
        hoverinfo="skip",
    )  # fmt: skip
    held = 1 - decay**length
    if decay in (0.0, 1.0):
        story = "Only the newest input counts" if decay == 0 else "Nothing new ever enters"
    else:
        half = np.log(0.5) / np.log(decay)
        story = f"Half of an input is gone after {half:.1f} steps"
        if half < length:
            figure.add_vline(x=half, line={"color": RED, "dash": "dash"})
            figure.add_annotation(x=half, y=1, yref="paper", text="half its weight", showarrow=False, xanchor="left",
                                  font={"color": RED}, xshift=4)  # fmt: skip
    figure.update_yaxes(range=[0, max(0.11, float(weight.max()) * 1.1)], tickformat=".2f")
    figure.update_layout(legend={"x": 1, "xanchor": "right", "y": 0.78, "yanchor": "top"})
    figure.update_layout(bargap=0.15)
    figure.update_xaxes(range=[-0.5, length - 0.5])
    return finish(
        figure,
        title=story,
        caption="Each bar is the weight of one past input in today's state. Every step multiplies an old input "
        "by the same number, so its weight falls exponentially.",
        summary=f"Decay {decay:g}. {story}. The newest input has weight {weight[0]:.3f}, the one {length - 1} steps "
        f"ago {weight[-1]:.2g}; all {length} together hold {held:.0%}.",
        x="steps ago",
        y="weight in the state",
    )


def switch(weight: float = 2.0, starts: Sequence[float] = (0.1, -0.1), steps: int = 8) -> go.Figure:
    """A unit that feeds itself, h_t = tanh(weight · h_{t-1}): the curve, the line of no change, and a walk from each start.

    Each step of a walk goes up or down to the curve, the new state, and across to the dashed line, where it is the old one.
    """
    require(weight > 1, f"A unit holds its sign where it feeds itself with a weight above 1, not {weight:g}.")
    h = np.linspace(-1.1, 1.1, 221)
    figure = go.Figure(
        go.Scatter(x=h, y=np.tanh(weight * h), mode="lines", line={"color": GREY, "width": 3}, name="new state")
    )
    figure.add_scatter(x=h, y=h, mode="lines", line={"color": GREY, "dash": "dash", "width": 1.5}, name="no change")
    ends = []
    for start, colour in zip(starts, (BLUE, ORANGE), strict=True):
        states = [start]
        for _ in range(steps):
            states.append(float(np.tanh(weight * states[-1])))
        across = np.repeat(states, 2)
        figure.add_scatter(
            x=across[:-1],
            y=[start, *across[2:]],
            mode="lines",
            line={"color": colour, "width": 1.5},
            name=f"from {start:g}",
        )
        figure.add_scatter(
            x=states[:-1], y=states[1:], mode="markers", marker={"color": colour, "size": 8}, showlegend=False
        )
        figure.add_annotation(x=states[-1], y=states[-1], text=f"stays at {states[-1]:.2f}".replace("-", "−"), font={"color": colour},
                              showarrow=False, yshift=18 if start > 0 else -18, xshift=-50 if start > 0 else 50)  # fmt: skip
        ends.append(states[-1])
    figure.update_layout(legend={"x": 0.02, "y": 0.98, "xanchor": "left", "yanchor": "top"})
    figure.update_xaxes(range=[-1.1, 1.1])
    figure.update_yaxes(range=[-1.2, 1.2])
    told = " and ".join(f"{end:.2f}".replace("-", "−") for end in ends)
    return finish(
        figure,
        title="A small nudge decides, and the edge holds it",
        caption=f"One unit with a weight of {weight:g} to itself. Each dot is a step: from the old state to the new one, "
        f"{steps} steps from either start.",
        summary=f"From {' and '.join(f'{start:g}' for start in starts)} the state goes to {told} and stays there.".replace(
            " -", " −"
        ),
        x="old state",
        y="new state",
        height=360,
    )


def pipe(
    accuracy: np.ndarray,
    explained: np.ndarray,
    hidden: int,
    symbols: int,
    reach: np.ndarray,
    sizes: Sequence[int],
    vocabularies: Sequence[int],
    held: float,
    numbers: float,
) -> go.Figure:
    """What a state of `hidden` numbers holds of a stream over `symbols` symbols.

    Above, against lag: symbols named rightly, `accuracy` `[seeds, lags]`, and the share of their variance that is
    explained, `explained` `[seeds, lags]`, whose sum times V - 1 is at most H. Below: `reach` `[sizes,
    vocabularies]`, the last symbols recalled, with this setting framed. `held`: bits recalled; `numbers`: (V - 1) Σ R².
    """
    lags = accuracy.shape[1]
    ago = np.arange(lags)
    figure = subplots(2, 1, row_heights=[0.55, 0.45], vertical_spacing=0.2)
    for values, name, colour, dash in (
        (accuracy, "named rightly", BLUE, "solid"),
        (np.clip(explained, 0, None), "explained, R²", RED, "dash"),
    ):
        figure.add_scatter(
            x=np.concatenate([ago, ago[::-1]]), y=np.concatenate([values.max(0), values.min(0)[::-1]]), fill="toself",
            line={"width": 0}, fillcolor=translucent(colour, 0.2), hoverinfo="skip", showlegend=False, row=1, col=1,
        )  # fmt: skip
        figure.add_scatter(
            x=ago, y=values.mean(0), mode="lines", line={"color": colour, "width": 2.5, "dash": dash}, name=name,
            hovertemplate="%{x} steps ago: %{y:.2f}<extra></extra>", row=1, col=1,
        )  # fmt: skip
    for level, name, shift in ((0.9, "0.9", 9), (1 / symbols, "guessing", -9)):
        figure.add_hline(y=level, line={"color": GREY, "dash": "dot", "width": 1.5}, row=1, col=1)  # type: ignore[arg-type]
        figure.add_annotation(x=lags - 1, y=level, text=name, showarrow=False, yshift=shift, xanchor="right",
                              font={"color": GREY}, row=1, col=1)  # fmt: skip
    figure.update_xaxes(title_text="steps ago", row=1, col=1)
    figure.update_yaxes(title_text="share", range=[0, 1.05], row=1, col=1)
    figure.add_heatmap(
        z=reach, x=[str(v) for v in vocabularies], y=[str(h) for h in sizes], colorscale=((0, "#FFFFFF"), (1, ORANGE)),
        text=[[f"≥ {lags}" if value >= lags else f"{value:.1f}" for value in row] for row in reach],
        texttemplate="%{text}", showscale=False, row=2, col=1,
        hovertemplate="%{y} units, %{x} symbols: %{z:.1f}<extra></extra>",
    )  # fmt: skip
    column, line = list(vocabularies).index(symbols), list(sizes).index(hidden)
    figure.add_shape(
        type="rect", x0=column - 0.5, x1=column + 0.5, y0=line - 0.5, y1=line + 0.5,
        line={"color": BLACK, "width": 3}, row=2, col=1,
    )  # fmt: skip
    figure.update_xaxes(title_text="symbols V", type="category", showgrid=False, row=2, col=1)
    figure.update_yaxes(title_text="units H", type="category", showgrid=False, row=2, col=1)
    figure.update_layout(legend={"x": 1, "xanchor": "right", "y": 0.84, "yanchor": "top"})
    read_by = f"band: lowest to highest of {len(accuracy)} networks" if len(accuracy) > 1 else "one network"
    recalled = float(reach[line, column])
    last = f"at least {lags}" if recalled >= lags else f"{recalled:.1f}"
    return finish(
        figure,
        title="Not even the newest symbol is recalled"
        if recalled < 1
        else f"The state recalls the last {recalled:.0f} symbols",
        caption="Above: a network that is never trained reads a random stream; a linear read-out names the symbol that came "
        f"so many steps ago ({read_by}). The area under R², times V − 1, is how many of the "
        "H numbers are in use. Below: how many of the last symbols are named with 0.9 or better, for every size and "
        "vocabulary at this strength of the input; the frame marks the curves above.",
        summary=f"{hidden} units, {symbols} symbols: the last {last} symbols are recalled with 0.9 or better; over all "
        f"lags at least {held:.0f} bits, and {numbers:.1f} of at most {hidden} numbers of linear memory.",
        height=600,
    )


def recall_compared(
    lags: Sequence[int], trained: np.ndarray, frozen: np.ndarray, symbols: int, hidden: int
) -> go.Figure:
    """Recall against lag: trained networks (`[seeds, lags]`, one training a lag), frozen ones (`[seeds, all lags]`)."""
    asked, trained, frozen = np.asarray(lags), np.asarray(trained), np.asarray(frozen)
    good = np.cumprod(trained.mean(0) >= 0.9).astype(bool)
    deepest = int(asked[good][-1]) + 1 if good.any() else 0
    best = np.cumprod(frozen >= 0.9, axis=1).sum(1).mean()
    runs = {"trained for this lag": trained, "never trained": frozen[:, asked]}
    title = "Training does not make the memory longer"
    if deepest > 1.5 * best:
        title = f"Trained, the state holds at least {deepest} symbols"
    return curves(
        asked, runs,
        title=title,
        caption=f"Share of right answers when asked at every step for the symbol so many steps ago ({symbols} symbols, "
        f"{hidden} units). {seeds_caption(runs)} Each point of “trained for this lag” is a training of its own.",
        summary=f"Trained networks are right with 0.9 or better up to lag {asked[good][-1] if good.any() else 'none'}, and with "
        f"{trained.mean(0)[-1]:.2f} at lag {asked[-1]}. A network that is never trained recalls the last {best:.1f} symbols.",
        x_title="steps ago", y_title="symbols named rightly", references={"guessing": 1 / symbols}, y_range=(0, 1.05),
    )  # fmt: skip
