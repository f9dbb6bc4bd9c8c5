"""How much of an input is left after a number of steps."""

import numpy as np
import plotly.graph_objects as go

from ..runtime import require, require_positive
from .style import BLUE, GREY, RED, finish


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
