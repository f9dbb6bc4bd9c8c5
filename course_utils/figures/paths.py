"""The path diagram: how far information travels in an architecture, and how many steps are sequential."""

import itertools

import plotly.graph_objects as go

from ..measure.paths import Architecture, path_lengths
from .style import BLACK, GREY, PALE, RED, finish


def path_diagram(architecture: Architecture, length: int) -> go.Figure:
    """The network as a graph, the path from the first input to the output drawn thick."""
    travel, turn = path_lengths(architecture, length)
    decoder = architecture in ("fixed context", "attention over a recurrence")
    inputs = [(i, 0.0) for i in range(1, length + 1)]
    states = [(i, 1.0) for i in range(1, length + 1)]
    output = (length + 1.0, 2.0) if decoder else (float(length), 2.0)
    edges = [(a, b) for a, b in zip(inputs, states, strict=True)] if architecture != "self-attention" else []
    path: list[tuple] = []
    chain = list(itertools.pairwise(states))
    if architecture == "self-attention":
        edges += [(a, output) for a in inputs]
        path = [(inputs[0], output)]
    elif architecture == "attention over a recurrence":
        edges += chain + [(a, output) for a in states]
        path = [(inputs[0], states[0]), (states[0], output)]
    else:
        edges += [*chain, (states[-1], output)]
        path = [(inputs[0], states[0]), *chain, (states[-1], output)]
    unseen = [path.pop()] if architecture == "recurrence" else []  # y is read off the last state: no step of its own
    figure = go.Figure()
    for drawn, colour, width, name, dash in (
        (edges, PALE, 1.5, "connection", "solid"),
        (path, RED, 4, "path of the first input", "solid"),
        (unseen, RED, 2, "read off, not counted", "dot"),
    ):
        if not drawn:
            continue
        xs, ys = [], []
        for (x0, y0), (x1, y1) in drawn:
            xs += [x0, x1, None]
            ys += [y0, y1, None]
        figure.add_scatter(
            x=xs, y=ys, mode="lines", line={"color": colour, "width": width, "dash": dash}, name=name, hoverinfo="skip"
        )
    labels = length <= 16
    for nodes, symbol, name, letter in (
        (inputs, "square", "input", "x"),
        ([] if architecture == "self-attention" else states, "circle", "state", "h"),
        ([output], "diamond", "output", "y"),
    ):
        figure.add_scatter(
            x=[x for x, _ in nodes], y=[y for _, y in nodes], mode="markers+text" if labels else "markers", name=name,
            text=[f"{letter}<sub>{i + 1}</sub>" if len(nodes) > 1 else letter for i in range(len(nodes))],
            textposition=[
                "bottom center" if letter == "x" else "top left" if letter == "h" and node == nodes[-1] else "top center"
                for node in nodes
            ],
            hoverinfo="skip",
            marker={"symbol": symbol, "size": 13 if labels else 7, "color": "#FFFFFF",
                    "line": {"color": BLACK, "width": 1.5}},
        )  # fmt: skip
    figure.update_xaxes(visible=False, range=[0.3, length + 1.7])
    figure.update_yaxes(visible=False, range=[-0.5, 2.5])
    figure.update_layout(legend={"orientation": "h", "y": -0.02, "yanchor": "top", "font": {"color": GREY}})
    plural = "s" if travel > 1 else ""
    return finish(
        figure,
        title=f"The first input is {travel} step{plural} from the output",
        caption="A step is one application of a cell or one attention look-up. The thick line is the way of the first "
        "input to the output; how many steps must run one after another is a number of its own.",
        summary=f"{architecture.capitalize()}, {length} position{'s' if length > 1 else ''}: {travel} step{plural} "
        f"from the first input to the output, {turn} that cannot run at the same time.",
        height=340,
    )
