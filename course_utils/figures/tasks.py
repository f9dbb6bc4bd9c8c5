"""What else can be looked at with attention: a drawing, not a measurement."""

import plotly.graph_objects as go

from .style import BLACK, BLUE, GREY, finish

TASKS = (
    ("translation", ["the", "European", "economic", "area", "grows", "<eos>"], (0.02, 0.02, 0.05, 0.86, 0.03, 0.02), "zone"),
    ("speech", ["0.0 s", "0.1 s", "0.2 s", "0.3 s", "0.4 s", "0.5 s"], (0.05, 0.1, 0.6, 0.2, 0.03, 0.02), "“ee”"),
    ("captions", ["sky", "roof", "tree", "dog", "ball", "grass"], (0.02, 0.02, 0.04, 0.75, 0.12, 0.05), "dog"),
    ("summaries", ["workers", "at", "the", "port", "walked", "out"],
     (0.2, 0.02, 0.02, 0.06, 0.45, 0.25), "strike"),
)  # fmt: skip
PARTS = ("words of a sentence", "pieces of a sound", "regions of a picture", "words of a text")


def attended() -> go.Figure:
    """Four tasks, one mechanism: parts of the input with the weights of one step (drawn by hand), and the word that is written."""
    figure = go.Figure(
        go.Heatmap(
            z=[weights for _, _, weights, _ in TASKS], y=[f"{task}<br>({parts})" for (task, *_), parts in zip(TASKS, PARTS, strict=True)],
            text=[words for _, words, _, _ in TASKS], texttemplate="%{text}", showscale=False, zmin=0, zmax=1.4, xgap=4, ygap=22,
            colorscale=((0, "#FFFFFF"), (1, BLUE)), hoverinfo="skip", textfont={"size": 12, "color": BLACK},
        )
    )  # fmt: skip
    for row, (_, _, _, word) in enumerate(TASKS):
        figure.add_annotation(
            x=5.65, y=row, text=f"→ <b>{word}</b>", showarrow=False, xanchor="left", font={"size": 13, "color": BLACK}
        )
    figure.update_xaxes(visible=False, range=[-0.6, 7.0])
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", showline=False, tickfont={"color": GREY})
    return finish(
        figure, title="One mechanism, many kinds of input",
        caption="Drawn by hand, not measured: parts of an input, the weights of one step (the darker, the more), and the word "
        "that is written at this step.",
        summary="Four rows: translation looks at words, speech recognition at pieces of sound, captions at regions of a picture, "
        "summaries at the words of a text; each step writes one word from a weighted mean of what it looks at.",
        height=380,
    )  # fmt: skip
