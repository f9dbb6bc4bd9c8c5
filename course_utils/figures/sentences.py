"""Sentences as pictures: one column a word."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ..data.agreement import NUMBERS
from ..runtime import require
from .style import BLACK, BLUE, ORANGE, RED, finish, ink


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


ROW = 31  # signs in a row of a sentence: what a phone has room for
LETTERS = {0: BLUE, 1: ink(ORANGE)}  # of singular and of plural nouns


def anatomy(
    words: Sequence[str],
    roles: Sequence[str],
    answers: dict[str, tuple[str, bool]],
    nouns: Sequence[tuple[int, int]] = (),
) -> go.Figure:
    """A sentence set as text, its nouns in the colour of their number, and what each simple rule answers: (answer, is it right?).

    Roles: `subject`, `verb` or an empty string. `nouns`: (position, number) of each noun.
    """
    numbers = dict(nouns)
    set_words = []
    for i, (word, role) in enumerate(zip(words, roles, strict=True)):
        shown = f'<span style="color:{LETTERS[numbers[i]]}">{word}</span>' if i in numbers else word
        set_words.append(f"<b><u>{shown}</u></b>" if role in ("subject", "verb") else shown)
    rows: list[list[str]] = [[]]
    length = 0
    for word, shown in zip(words, set_words, strict=True):
        if length + len(word) > ROW:
            rows.append([])
            length = 0
        rows[-1].append(shown)
        length += len(word) + 1
    start, end = roles.index("subject"), roles.index("verb")
    subject = words[start]
    right = dict(enumerate(NUMBERS))[numbers[start]] if start in numbers else ""
    said = [f"The verb follows <b>{subject}</b>" + (f": {right}." if right else ".")]
    said += [f"The {name} says {answer}  {'✓ right' if ok else '✗ wrong'}" for name, (answer, ok) in answers.items()]
    figure = go.Figure()
    y = 0
    for text, size in [*((" ".join(row), 18) for row in rows), ("", 10), *((line, 14) for line in said)]:
        figure.add_annotation(
            x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="top", yshift=-y, showarrow=False, text=text,
            align="left", font={"size": size},
        )  # fmt: skip
        y += 27 if size > 10 else 12
    figure.update_xaxes(visible=False, range=[0, 1])
    figure.update_yaxes(visible=False, range=[0, 1])
    wrong = [name for name, (_, is_right) in answers.items() if not is_right]
    title = f"The {wrong[0]} misleads" if wrong else "Here the simple rules are right"
    title = "Both rules are misled" if len(wrong) == len(answers) == 2 else title
    rules = "; ".join(f"the {name} says {a} and is {'right' if ok else 'wrong'}" for name, (a, ok) in answers.items())
    caption = "Underlined: the verb and the noun it must agree with. Blue nouns are singular, brown ones plural."
    finish(
        figure,
        title=title,
        caption=caption,
        summary=f"“{' '.join(words)}”. The subject, {subject}, stands {end - start} step{'s' if end > start + 1 else ''} "
        f"before the verb; {rules}.",
        height=y + 80,
    )
    return figure.update_layout(margin={"l": 12, "r": 4, "b": 4})
