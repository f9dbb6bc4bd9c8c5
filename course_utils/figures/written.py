"""What a model writes, as a figure: a text in letters of one width, with a title, a caption and controls like any other."""

import plotly.graph_objects as go

from ..runtime import require
from .style import finish, words

LONGEST = 4_000  # signs of one text


def written(text: str, *, title: str, caption: str, summary: str) -> go.Figure:
    """A text to be read as it is written. `front` writes it out; Plotly draws nothing of it."""
    require(text.strip(), "There is nothing to write: the text is empty.")
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    figure = finish(go.Figure(), title=title, caption=caption, summary=summary, height=60 + 20 * (text.count("\n") + 1))
    return figure.update_layout(meta={**words(figure), "written": text})
