"""Sentences as pictures: one column a word."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ..data.agreement import NUMBERS
from ..runtime import require
from .style import BLACK, BLUE, GREY, ORANGE, RED, finish


def reading(
    words: Sequence[str],
    probability: np.ndarray,
    *,
    nouns: Sequence[tuple[int, int]] = (),
    subject: int | None = None,
    answer: int | None = None,
) -> go.Figure:
    """What a model believes after each word: probability `[words]` that the subject is plural.

    `nouns`: pairs (position, number) marked on the axis; `subject`: the position of the one that counts;
    `answer`: its number, where known.
    """
    probability = np.asarray(probability, float)
    require(words and np.isfinite(probability).all(), "A sentence needs words, and a finite belief after each.")
    positions = np.arange(len(words))
    figure = go.Figure()
    figure.add_hrect(y0=0.5, y1=1.15, fillcolor=ORANGE, opacity=0.08, line_width=0, layer="below")
    figure.add_hrect(y0=-0.04, y1=0.5, fillcolor=BLUE, opacity=0.06, line_width=0, layer="below")
    figure.add_scatter(
        x=positions, y=probability, mode="lines+markers", line={"color": BLACK, "width": 2}, marker={"size": 7},
        text=[f"{word}: {p:.3f}" for word, p in zip(words, probability, strict=True)], hoverinfo="text",
        name="the model's belief", showlegend=False,
    )  # fmt: skip
    for number, (colour, symbol) in enumerate(((BLUE, "circle"), (ORANGE, "square"))):
        marked = [position for position, n in nouns if n == number]
        figure.add_scatter(
            x=marked, y=probability[marked] if marked else [], mode="markers", name=f"{NUMBERS[number]} noun", hoverinfo="skip",
            marker={"color": colour, "symbol": symbol, "size": 13, "line": {"color": BLACK, "width": 1}},
        )  # fmt: skip
    if subject is not None:
        figure.add_vline(x=subject, line={"color": RED, "dash": "dot", "width": 1.5})
        figure.add_annotation(
            x=subject, y=0.5, text="subject", textangle=-90, showarrow=False, xshift=-9, font={"color": RED}
        )
    figure.update_xaxes(
        tickvals=positions, ticktext=list(words), tickangle=-45, showgrid=False, range=[-0.6, len(words) - 0.4]
    )
    figure.update_yaxes(range=[-0.04, 1.15], tickvals=[0, 0.5, 1], ticktext=["singular", "undecided", "plural"])
    figure.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "top"})
    answered, undecided = int(probability[-1] > 0.5), f"{probability[-1]:.2f}" == "0.50"
    verdict = ""
    if answer is not None and not undecided:
        verdict = ", rightly" if answered == answer else ", wrongly"
    return finish(
        figure,
        title=f"After “{words[-1]}” the model {'is undecided' if undecided else f'says {NUMBERS[answered]}'}{verdict}",
        caption="One point a word: what the model would answer if the sentence stopped there. Watch what each new "
        "noun does to the curve, and whether the subject survives the others.",
        summary=f"After the last word the model gives {probability[-1]:.2f} to plural"
        + ("." if answer is None else f"; the subject is {NUMBERS[answer]}."),
        height=440,
    )


def anatomy(
    words: Sequence[str],
    roles: Sequence[str],
    answers: dict[str, tuple[str, bool]],
    nouns: Sequence[tuple[int, int]] = (),
) -> go.Figure:
    """A sentence with the role of each word, and what each baseline reader answers: (answer, is it right?).

    Roles: `subject`, `noun between`, `noun in front`, `verb`, or an empty string. `nouns`: (position, number) of
    each noun, shown as S or P on its mark.
    """
    looks = {
        "subject": (RED, "diamond"),
        "noun between": (ORANGE, "square"),
        "noun in front": (BLUE, "circle"),
        "verb": (BLACK, "star"),
    }
    positions = np.arange(len(words))
    figure = go.Figure()
    for role, (colour, symbol) in looks.items():
        marked = [i for i, r in enumerate(roles) if r == role]
        figure.add_scatter(
            x=marked, y=[1.0] * len(marked), mode="markers+text", name=role, hoverinfo="skip",
            text=["SP"[dict(nouns)[i]] if i in dict(nouns) else "" for i in marked], textposition="middle center",
            textfont={"color": "#FFFFFF" if colour != ORANGE else BLACK, "size": 11},
            marker={"color": colour, "symbol": symbol, "size": 21 if role == "subject" else 18},
        )  # fmt: skip
    start, end = roles.index("subject"), roles.index("verb")
    figure.add_shape(
        type="path",
        path=f"M {start},1.12 C {start},1.5 {end},1.5 {end},1.12",
        line={"color": RED, "width": 2},
    )
    figure.update_xaxes(
        tickvals=positions, ticktext=list(words), tickangle=-60, showgrid=False, range=[-0.6, len(words) - 0.4]
    )
    figure.update_yaxes(visible=False, range=[0.55, 1.75])
    figure.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "top"})
    lines = [f"<b>{name}</b> says {answer} {'✓' if right else '✗'}" for name, (answer, right) in answers.items()]
    figure.add_annotation(
        x=0.5,
        y=0.02,
        xref="paper",
        yref="paper",
        showarrow=False,
        text=" · ".join(lines),
        font={"color": GREY},
    )
    wrong = [name for name, (_, is_right) in answers.items() if not is_right]
    title = f"The rule “{wrong[0]}” answers wrongly" if wrong else "Simple rules answer rightly here"
    title = "Every simple rule answers wrongly" if len(wrong) == len(answers) > 1 else title
    rules = "; ".join(f"{name} says {a} and is {'right' if ok else 'wrong'}" for name, (a, ok) in answers.items())
    return finish(
        figure,
        title=title,
        caption="The arc joins the verb to the noun it must agree with; S and P say which nouns are singular, which plural. "
        "Below: what two readers without a grammar would answer.",
        summary=f"“{' '.join(words)}”. The subject stands {end - start} step{'s' if end > start + 1 else ''} "
        f"before the verb; {rules}.",
        height=360,
    )
