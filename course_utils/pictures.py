"""Pictures that quiz questions are asked about: computed and drawn here, kept as SVG beside the banks.

`course quiz draw` writes them anew. A prompt shows one as `![what it shows, in words](ch06-pictured.svg)`.
"""

import pathlib
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import plotly.graph_objects as go

from .build import render
from .figures.gradients import power
from .figures.style import BLUE, DASHES, GREEN, GREY, RED, TEMPLATE, subplots, translucent
from .files import write
from .measure.regimes import random_inputs, recurrent, run, spectrum
from .models.gated import additive_memory
from .models.self_attention import causal_mask

LETTERS = "ABCD"
LENGTHS = (5, 3)  # words of two sentences in a batch of five positions


def accuracies() -> go.Figure:
    """Two made-up networks of three seeds against distance, and a rule: one ends at the rule, one above it with a broad band."""
    distance = np.arange(1, 41)
    figure = go.Figure()
    figure.add_scatter(
        x=distance, y=0 * distance + 0.75, mode="lines", line={"color": GREY, "dash": "dash", "width": 2}
    )
    for letter, colour, end, spread in (("A", BLUE, 0.75, (0.74, 0.76)), ("B", RED, 0.92, (0.85, 0.98))):
        gone = 1 / (1 + np.exp((22 - distance) / 4))  # from 0 to 1, half of it at 22 words
        low, high, middle = (1 - (1 - last) * gone for last in (*spread, end))
        figure.add_scatter(x=[*distance, *distance[::-1]], y=[*low, *high[::-1]], fill="toself", mode="lines", line={"width": 0},
                           fillcolor=translucent(colour, 0.2))  # fmt: skip
        figure.add_scatter(x=distance, y=middle, mode="lines", line={"color": colour, "width": 3})
        figure.add_annotation(x=12, y=middle[11], text=f"<b>{letter}</b>", font={"size": 18}, showarrow=False,
                              yshift=-16 if letter == "A" else 16)  # fmt: skip
    figure.update_yaxes(title="share of right answers", range=[0.45, 1.08], tickvals=[0.5, 0.75, 1])
    figure.update_xaxes(title="words from subject to verb")
    return _finished(figure, 300)


def distances() -> go.Figure:
    """Three made-up networks: the distance of their twins by the words read since, on a logarithmic axis."""
    since = np.arange(31)
    rows = {"A": 10.0 ** (-since / 10), "B": 0.3 + 0.7 * np.exp(-since), "C": 2 - np.exp(-since / 2)}
    figure = go.Figure()
    for (letter, y), colour, dash in zip(rows.items(), (BLUE, RED, GREEN), DASHES, strict=False):
        figure.add_scatter(x=since, y=np.log10(y), mode="lines", line={"color": colour, "dash": dash, "width": 3})
        figure.add_annotation(
            x=20, y=np.log10(y[20]), text=f"<b>{letter}</b>", font={"size": 18}, yshift=16, showarrow=False
        )
    figure.update_yaxes(
        title="distance, 1 at the word", tickvals=[-3, -2, -1, 0], ticktext=["0.001", "0.01", "0.1", "1"]
    )
    figure.update_xaxes(title="words read since", dtick=5)
    return _finished(figure, 320)


def products() -> go.Figure:
    """Norms of the products of 1 … 100 Jacobians: a rotation times 0.85, and a non-normal matrix of the same radius."""
    steps = np.arange(1, 101)
    figure = go.Figure()
    for letter, kind, colour, dash in zip("AB", ("orthogonal", "non-normal"), (BLUE, RED), DASHES, strict=False):
        found = spectrum(run(recurrent(kind, 32, 0.85), "linear", random_inputs(100, 32, 0.1)))
        norm = found.log10[:, 0]
        figure.add_scatter(x=steps, y=norm, mode="lines", line={"color": colour, "dash": dash, "width": 3})
        figure.add_annotation(x=60, y=norm[59], text=f"<b>{letter}</b>", font={"size": 18}, yshift=16, showarrow=False)
    decades = list(range(-8, 3))
    figure.update_yaxes(title="norm of the product", tickvals=decades, ticktext=[power(d) for d in decades])
    figure.update_xaxes(title="steps", dtick=10)
    return _finished(figure, 340)


def stretches() -> np.ndarray:
    """A cell state over 60 steps: it counts, holds, leaks by a tenth a step, is overwritten and leaks by half a step."""
    step = np.arange(60)
    counts, leaks, jumps, drains = step < 15, (step >= 30) & (step < 45), step == 45, step > 45
    forget = np.select([leaks, jumps, drains], [0.9, 0.0, 0.5], 1.0)
    written = np.select([counts & (step % 3 == 1), jumps], [0.2, -0.6], 0.0)
    return np.asarray(additive_memory(jnp.asarray(forget), jnp.ones(60), jnp.asarray(written)))


def cell_states() -> go.Figure:
    """`stretches`, each with its letter."""
    C, figure = stretches(), go.Figure()
    figure.add_scatter(x=np.arange(1, 61), y=C, mode="lines", line={"shape": "hvh", "color": BLUE, "width": 3})
    for i, letter in enumerate(LETTERS):
        figure.add_annotation(x=15 * i + 8, y=1.25, text=f"<b>{letter}</b>", font={"size": 18}, showarrow=False)
        if i:
            figure.add_vline(x=15 * i + 0.5, line={"color": "#8A8A8A", "dash": "dot", "width": 1})  # type: ignore[arg-type]
    figure.update_yaxes(title="cell state C", range=[-0.8, 1.4])
    figure.update_xaxes(title="time step", range=[0, 61])
    return _finished(figure, 300)


def links() -> go.Figure:
    """Gold links of a sentence of the course's corpus, with three areas marked."""
    source = ["this", "friend", "of", "the", "newspapers", "does", "not", "forget", "your", "American", "hotel"]
    target = ("cet", "ami", "des", "journaux", "n'", "oublie", "pas", "votre", "hôtel", "américain")
    gold = ((0,), (1,), (2, 3), (4,), (6,), (7,), (6,), (8,), (10,), (9,))
    z = np.zeros((len(target), len(source)))
    for row, columns in enumerate(gold):
        z[row, columns] = 1
    figure = go.Figure(go.Heatmap(z=z, colorscale=((0, "#FFFFFF"), (1, BLUE)), xgap=2, ygap=2, showscale=False))
    for letter, (x0, x1, y0, y1) in zip(LETTERS, ((2, 3, 2, 2), (6, 7, 4, 6), (9, 10, 8, 9)), strict=False):
        figure.add_shape(
            type="rect", x0=x0 - 0.5, x1=x1 + 0.5, y0=y0 - 0.5, y1=y1 + 0.5, line={"color": RED, "width": 3}
        )
        figure.add_annotation(x=x0 - 1, y=(y0 + y1) / 2, text=f"<b>{letter}</b>", font={"size": 18}, showarrow=False)
    figure.update_xaxes(tickvals=list(range(len(source))), ticktext=source, tickangle=-50, showgrid=False)
    figure.update_yaxes(tickvals=list(range(len(target))), ticktext=target, autorange="reversed", showgrid=False)
    return _finished(figure, 420, below=85)


def masks() -> dict[str, np.ndarray]:
    """Four masks `[target, source]` over five positions, by their letter in the picture."""
    longer, shorter = (np.arange(5) < length for length in LENGTHS)
    causal = np.asarray(causal_mask(5))
    return dict(
        zip(LETTERS, (np.tile(shorter, (5, 1)), causal, np.tile(longer, (5, 1)), causal & shorter), strict=True)
    )


def mask_panels() -> go.Figure:
    """`masks` side by side."""
    drawn = masks()
    figure = subplots(1, len(drawn), subplot_titles=[f"<b>{letter}</b>" for letter in drawn], horizontal_spacing=0.05)
    places = list(range(5))
    for column, mask in enumerate(drawn.values(), 1):
        figure.add_heatmap(
            z=mask.astype(int), zmin=0, zmax=1, xgap=2, ygap=2, showscale=False,
            colorscale=((0, "#E8E8E8"), (1, BLUE)), row=1, col=column,
        )  # fmt: skip
    names = [str(place + 1) for place in places]
    figure.update_xaxes(title="looked at", tickvals=places, ticktext=names, showgrid=False)
    figure.update_yaxes(tickvals=places, ticktext=names, autorange="reversed", showgrid=False)
    figure.update_yaxes(title="looks", col=1)
    return _finished(figure, 230)


def _finished(figure: go.Figure, height: int, below: int = 50) -> go.Figure:
    return figure.update_layout(
        template=TEMPLATE, showlegend=False, height=height, margin={"l": 70, "r": 15, "t": 30, "b": below}
    )


DRAWINGS: dict[str, Callable[[], go.Figure]] = {
    "ch00-bands": accuracies,
    "ch01-curves": distances,
    "ch02-curves": products,
    "ch03-traces": cell_states,
    "ch05-pictured": links,
    "ch06-pictured": mask_panels,
}


def draw(folder: pathlib.Path) -> list[pathlib.Path]:
    """Write all pictures into a folder; needs kaleido and a Chromium."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.svg" for name in DRAWINGS]
    for path, picture in zip(paths, render([make() for make in DRAWINGS.values()], "svg"), strict=True):
        write(path, picture)
    return paths
