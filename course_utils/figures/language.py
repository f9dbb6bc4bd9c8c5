"""A language model at one word of a sentence: the states so far, and what it expects next."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ..runtime import require
from .style import BLACK, BLUE, GREY, PALE, RED, finish, subplots, translucent

DIVERGING = ((0.0, "#0072B2"), (0.5, "#FFFFFF"), (1.0, "#D55E00"))  # colour-blind-safe: blue, white, vermilion
SHOWN = 10  # words in the right-hand panel


def next_words(
    words: Sequence[str],
    position: int,
    states: np.ndarray,
    expected: Sequence[tuple[str, float]],
    following: str | None,
) -> go.Figure:
    """Above: the state after each word up to `position`, one column a word. Below: the most probable next words.

    `states`: `[time, hidden]` of the whole sentence.   `expected`: (word, probability), most probable first.
    `following`: the word that comes next in the sentence; None after the last.
    """
    require(0 <= position < len(words), f"The sentence has the positions 0 to {len(words) - 1}, not {position}.")
    order = np.asarray(states).mean(0).argsort()
    read_so_far = np.where(np.arange(len(words))[:, None] <= position, np.asarray(states)[:, order], np.nan)
    figure = subplots(2, 1, row_heights=[0.4, 0.6], vertical_spacing=0.26)
    figure.add_heatmap(
        z=read_so_far.T, zmin=-1, zmax=1, colorscale=DIVERGING, row=1, col=1,
        showscale=False,
        hovertemplate="unit %{y}, word %{x}: %{z:.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_shape(
        type="rect", x0=position - 0.5, x1=position + 0.5, y0=-0.5, y1=len(order) - 0.5, line={"color": BLACK, "width": 2},
        row=1, col=1,
    )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(words))), ticktext=list(words), tickangle=-60, showgrid=False, row=1, col=1
    )
    figure.update_yaxes(
        title_text="64 units" if len(order) == 64 else "units",
        showgrid=False,
        showticklabels=False,
        ticks="",
        row=1,
        col=1,
    )
    shown = list(expected)[:SHOWN][::-1]
    figure.add_bar(
        y=[word for word, _ in shown], x=[p for _, p in shown], orientation="h", row=2, col=1,
        marker={"color": [RED if word == following else BLUE for word, _ in shown],
                "pattern": {"shape": ["/" if word == following else "" for word, _ in shown]}},
        text=[f"{p:.2f}" for _, p in shown], textposition="outside", cliponaxis=False,
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text="probability", range=[0, max(0.3, 1.2 * shown[-1][1])], row=2, col=1)
    figure.update_layout(showlegend=False)
    probability = dict(expected).get(following) if following else None
    best, p = expected[0]
    comment = "" if probability is None else f" What comes is “{following}”, expected with {probability:.2f}."
    return finish(
        figure,
        title=f"After “{words[position]}” the network expects “{best}” most",
        caption="Above: the state after each word, a column of numbers from −1 (blue) to 1 (orange). The framed column is "
        "all that the network knows now. Below: what it expects next, computed from that column alone. The word that "
        "comes is hatched.",
        summary=f"After “{words[position]}”, {position} of {len(words) - 1} words read: the most probable next word is “{best}” with "
        f"{p:.2f}.{comment}",
        height=600,
    )


def twin_paths(
    words: tuple[Sequence[str], Sequence[str]], paths: tuple[np.ndarray, np.ndarray], gap: np.ndarray, share: float
) -> go.Figure:
    """Two readings that differ in one word. Above: how far apart their states are. Below: the states in a plane, from that word on.

    `paths`: coordinates `[time, 2]` of each.   `gap`: distance of the states after each word, all units counted.
    `share`: of the variance of states that the plane shows.
    """
    figure = subplots(2, 1, row_heights=[0.45, 0.55], vertical_spacing=0.24)
    looks = ((BLUE, "circle", "solid", "singular"), (RED, "square", "dash", "plural"))
    differ = next((i for i, (a, b) in enumerate(zip(*words, strict=True)) if a != b), 0)
    for sentence, path, (colour, symbol, dash, name) in zip(words, paths, looks, strict=True):
        named = range(len(sentence)) if name == "singular" else (differ,)
        labels = [word if i in named else "" for i, word in enumerate(sentence)][differ:]
        where = "top center" if name == "singular" else "bottom center"
        figure.add_scatter(
            x=path[differ:, 0], y=path[differ:, 1], mode="lines+markers+text", name=name, text=labels, textposition=where,
            textfont={"size": 11, "color": colour}, line={"color": translucent(colour, 0.6), "dash": dash, "width": 1.5},
            marker={"symbol": symbol, "size": 8, "color": colour}, row=2, col=1,
            customdata=list(sentence[differ:]), hovertemplate="%{customdata}<extra></extra>", cliponaxis=False,
        )  # fmt: skip
    figure.add_scatter(
        x=list(range(len(gap))), y=gap, mode="lines+markers", line={"color": BLACK, "width": 2}, showlegend=False,
        row=1, col=1, hovertemplate="%{y:.2f}<extra></extra>", name="distance",
    )  # fmt: skip
    figure.add_vline(x=differ, line={"color": GREY, "dash": "dot"}, row=1, col=1)  # type: ignore[arg-type]
    both = [a if a == b else f"{a}/{b}" for a, b in zip(*words, strict=True)]
    figure.update_xaxes(tickvals=list(range(len(both))), ticktext=both, tickangle=-60, row=1, col=1)
    top = max(float(gap.max()), 1e-6)
    figure.update_yaxes(title_text="distance of the two states", range=[-0.05 * top, 1.12 * top], row=1, col=1)
    figure.update_xaxes(title_text="first principal component", gridcolor=PALE, row=2, col=1)
    figure.update_yaxes(title_text="second", gridcolor=PALE, row=2, col=1)
    figure.update_layout(showlegend=False)
    share_left = gap[-1] / gap[differ] if gap[differ] > 0 else 0.0
    verb = "keeps" if share_left > 0.5 else "has almost lost" if share_left < 0.1 else "is losing"
    return finish(
        figure,
        title=f"At the last word the network {verb} the difference",
        caption="Two sentences that differ in one noun, singular or plural. Above: how far apart their states are after each word, "
        f"counting all units. Below: the states from that noun on, in the plane that shows most of their spread ({share:.0%}).",
        summary=f"“{words[0][differ]}” or “{words[1][differ]}”: right after it the states are {gap[differ]:.2f} apart, "
        f"after the last word {gap[-1]:.2f}, which is {share_left:.0%} of that.",
        height=610,
    )
