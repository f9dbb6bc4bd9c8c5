"""One look for all figures, and the words that go with each.

A figure of the course has a title (its point), a caption (what to look at) and a summary (one sentence on
what it shows now, for those who hear it rather than see it). `finish` puts all three in.

Colours are Okabe and Ito's, which the three common colour deficiencies can tell apart; a series always has
a second cue (dash or marker). The background is opaque: a figure reads the same on a dark page.
"""

import functools
import itertools
import json
import math
import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

BLUE, ORANGE, GREEN, RED, SKY, PINK, YELLOW, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#56B4E9",
    "#CC79A7",
    "#F0E442",
    "#1A1A1A",
)
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
CELL = "#854AF2"  # the cell state, as the machines draw it  # fmt: skip
COLOURS = (BLUE, RED, GREEN, PINK, ORANGE, SKY, BLACK)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star")
GREY = "#595959"  # 7:1 on the background
PALE = "#D9D9D9"
SHADES = [[0, "#FFFFFF"], [1, BLUE]]  # of weights, from none to all
ARCHITECTURES = {  # one colour each in the whole course
    "RNN": ORANGE, "LSTM": BLUE, "GRU": GREEN, "fixed": SKY, "attention": RED, "Transformer": PINK, "self-attention": PINK,
}  # fmt: skip
WRAP = 120  # characters of a caption's line; fits a notebook of 700 pixels

_axis = {"showgrid": True, "gridcolor": "#E8E8E8", "zeroline": False, "linecolor": GREY, "ticks": "outside",
         "automargin": False, "ticklabeloverflow": "allow", "title": {"standoff": 8, "font": {"size": 13}}}  # fmt: skip
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": "Helvetica, Arial, sans-serif", "size": 13, "color": BLACK},
        "paper_bgcolor": "#FFFFFF",
        "plot_bgcolor": "#FFFFFF",
        "colorway": COLOURS,
        "xaxis": _axis,
        "yaxis": _axis,
        "legend": {"bgcolor": "rgba(255,255,255,0.8)", "font": {"size": 12}},
        "hoverlabel": {"font": {"size": 12}},
        "title": {
            "x": 0.01,
            "xanchor": "left",
            "yref": "container",
            "y": 0.97,
            "yanchor": "top",
            "font": {"size": 16},
            "subtitle": {"font": {"size": 12.5, "color": GREY}},
        },
    }
)


def subplots(rows: int, cols: int, **options: Any) -> go.Figure:
    """Plotly's `make_subplots`, laid out once for all figures of one layout: a copy takes a tenth of the time."""
    return go.Figure(_laid_out(rows, cols, json.dumps(options)))


@functools.cache
def _laid_out(rows: int, cols: int, options: str) -> go.Figure:
    figure = make_subplots(rows, cols, **json.loads(options))
    figure.update_layout(template=None)  # to copy and check Plotly's own would take 8 ms for each figure
    return figure


def finish(
    figure: go.Figure, *, title: str, caption: str, summary: str, x: str = "", y: str = "", height: int = 380
) -> go.Figure:
    """Give a figure its words, axis titles, room for its tick labels and the course's look. Returns the same figure."""
    lines = textwrap.wrap(caption, WRAP)
    figure.update_layout(
        overwrite=True,
        template=TEMPLATE,
        height=height,
        margin={"t": 44 + 17 * len(lines), **_room(figure, bool(x))},
        title={"text": title, "subtitle": {"text": "<br>".join(lines)}},
        meta={"title": title, "caption": caption, "summary": summary},
    )
    if x:
        figure.update_xaxes(title_text=x)
    if y:
        figure.update_yaxes(title_text=y)
    return figure


def _room(figure: Any, titled: bool) -> dict[str, float]:
    """Margins in pixels from the words at the ticks and right of the plot: a page that measures them draws twice.

    titled: whether the horizontal axes will get a title below their words.
    """
    letter = 7.0

    def longest(texts: Any) -> float:
        lines = (line for text in texts if isinstance(text, str) for line in text.split("<br>"))
        return letter * max(map(len, lines), default=0)

    traces: Any = figure.data
    categories = [trace.y for trace in traces if getattr(trace, "yaxis", None) in (None, "y") and trace.y is not None]
    left = max(map(longest, [*categories, *(axis.ticktext or () for axis in figure.select_yaxes())]), default=0)
    below = max(
        (
            longest(axis.ticktext or ()) * abs(math.sin(math.radians(axis.tickangle)))
            + (26 if titled or axis.title.text else 0)
            for axis in figure.select_xaxes()
            if axis.tickangle
        ),
        default=0,
    )
    names = [trace.name for trace in traces if trace.name and trace.showlegend is not False]
    layout: Any = figure.layout
    legend = len(names) > 1 and layout.showlegend is not False
    on_the_right = legend and layout.legend.x is None and layout.legend.orientation != "h"
    return {"l": max(66, 34 + left), "r": 58 + longest(names) if on_the_right else 20, "b": max(52, 24 + below)}


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """A colour for each series: that of its architecture where it has one (“GRU + attention” is attention), else one that is free."""
    known: dict[str, str | None] = {}
    for name in names:
        colour, plain = _architecture(name), name.partition(",")[0]
        is_variant = plain != name and plain in names
        known[name] = pale(colour) if colour and is_variant else colour
    free = itertools.cycle([colour for colour in COLOURS if colour not in known.values()] or [BLACK])
    return {name: colour or next(free) for name, colour in known.items()}


def _architecture(name: str) -> str | None:
    if "+ attention" in name:
        return ARCHITECTURES["attention"]
    return next((colour for known, colour in ARCHITECTURES.items() if name.startswith(known)), None)


def pale(colour: str, share: float = 0.45) -> str:
    """A colour mixed with so much white."""
    channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(channel + share * (255 - channel)):02X}" for channel in channels)


def ink(colour: str) -> str:
    """A colour as dark as letters in it must be to be read on white: a contrast of 4.5."""
    channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    while 1.05 / (_luminance(channels) + 0.05) < 4.5:
        channels = [0.93 * channel for channel in channels]
    return "#" + "".join(f"{int(channel):02X}" for channel in channels)


def _luminance(channels: Sequence[float]) -> float:
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ramp(count: int) -> list[str]:
    """Colours of ordered things, such as moments of training: light to dark."""
    light, dark = (0x8F, 0xC1, 0xE3), (0x00, 0x2F, 0x55)
    steps = [i / max(count - 1, 1) for i in range(count)] if count > 1 else [1.0]
    return [
        "#" + "".join(f"{round(a + step * (b - a)):02X}" for a, b in zip(light, dark, strict=True)) for step in steps
    ]


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks of a logarithmic axis from `low` to `high`, all in one size: powers of ten, or 1, 2 and 5 where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil((last - first) / 7))
    digits = (1, 2, 5) if math.log10(high / low) < 1.5 else (1,)
    values = [digit * 10.0**power for power in range(first, last + 1, every) for digit in digits]
    return {"tickvals": values, "ticktext": [_tick(value) for value in values]}


def superscript(exponent: int) -> str:
    """An exponent as a raised text: ⁻⁸."""
    return str(exponent).translate(_RAISED)


def _tick(value: float) -> str:
    if 1e-3 <= value < 1e5:
        return f"{value:,.10g}"
    mantissa, power = f"{value:.0e}".split("e")
    raised = superscript(int(power))
    return f"10{raised}" if mantissa == "1" else f"{mantissa}·10{raised}"


def listed(names: Sequence[str], most: int = 2) -> str:
    """`a`, `a and b`, and how many there are where that would be too long for a title."""
    return " and ".join(names) if len(names) <= most else f"{len(names)} of them"


def words(figure: go.Figure) -> dict[str, Any]:
    """Title, caption and summary of a finished figure."""
    return dict(figure.layout.meta or {})  # type: ignore[attr-defined]


def add_to_summary(figure: go.Figure, sentence: str) -> None:
    """Append a sentence to what a figure says of itself."""
    texts = {"title": "", "summary": "", **words(figure)}
    figure.update_layout(meta={**texts, "summary": f"{texts['summary']} {sentence}".strip()})


def translucent(colour: str, alpha: float) -> str:
    """A hexadecimal colour as `rgba(…)`."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
