"""Translations beside their reference, and how good they are by the length of the source."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..runtime import require
from .curves import curves, over_seeds, seeds_told
from .style import BLACK, GREY, RED, finish

WIDTH = 74  # letters in one line of a sentence


def wrong_words(said: Sequence[str], reference: Sequence[str]) -> tuple[list[bool], list[bool]]:
    """Which words of a translation are not in its reference at that place, and which of the reference are missing.

    The two are laid side by side by their longest common runs (`difflib`), not place by place.
    """
    wrong, missing = [True] * len(said), [True] * len(reference)
    for block in difflib.SequenceMatcher(None, list(said), list(reference), autojunk=False).get_matching_blocks():
        wrong[block.a : block.a + block.size] = [False] * block.size
        missing[block.b : block.b + block.size] = [False] * block.size
    return wrong, missing


def translations(
    source: Sequence[str], said: Mapping[str, Sequence[str]], reference: Sequence[str] | None, note: str = ""
) -> go.Figure:
    """A source sentence, its reference where there is one, and what translators make of it: name → words.

    Words left over when the two are laid side by side (`wrong_words`) are orange, bold and underlined.
    """
    require(source and said, "There is nothing to draw: the sentence or the translations are empty.")
    figure = go.Figure()
    rows: list[tuple[str, Sequence[str], list[bool]]] = [("English", source, [False] * len(source))]
    if reference is not None:
        rows.append(("reference", reference, [False] * len(reference)))
    told, counts = [], {}
    for name, words in said.items():
        wrong = [False] * len(words)
        if reference is not None:
            wrong, missing = wrong_words(words, reference)
            counts[name] = sum(wrong), sum(missing)
            told.append(f"{name}: {sum(wrong)} of {len(words)} words wrong, {sum(missing)} of {len(reference)} missing")
        rows.append((name, words, wrong))
    line, labels = 0.0, []
    under_x: list[float | None] = []
    under_y: list[float | None] = []
    found: dict[bool, tuple[list, list, list]] = {False: ([], [], []), True: ([], [], [])}
    for name, words, wrong in rows:
        labels.append((line, name))
        place = 0
        for word, bad in zip(words, wrong, strict=True):
            if place and place + len(word) > WIDTH:
                place, line = 0, line + 1
            x, y, text = found[bad]
            x.append(place)
            y.append(-line)
            text.append(f"<b>{word}</b>" if bad else word)
            if bad:
                under_x += [place, place + len(word), None]
                under_y += [-line - 0.38, -line - 0.38, None]
            place += len(word) + 1
        line += 1.7
    for bad, colour, name in ((False, BLACK, "as in the reference"), (True, RED, "not in the reference")):
        x, y, text = found[bad]
        figure.add_scatter(
            x=x, y=y, text=text, mode="text", textposition="middle right", name=name, hoverinfo="skip",
            textfont={"family": "monospace", "size": 12.5, "color": colour}, cliponaxis=False,
        )  # fmt: skip
    figure.add_scatter(x=under_x, y=under_y, mode="lines", line={"color": RED, "width": 2}, hoverinfo="skip")
    figure.update_xaxes(visible=False, range=[-1, WIDTH + 6])
    figure.update_yaxes(
        tickvals=[-place for place, _ in labels], ticktext=[name for _, name in labels], range=[-line + 0.9, 0.8],
        showgrid=False, ticks="", showline=False,
    )  # fmt: skip
    figure.update_layout(showlegend=False)
    if reference is None:
        title = f"{len(source)} words, without a reference"
    else:
        title = "; ".join(
            f"{name}: {f'{wrong} wrong, {missing} missing' if wrong or missing else 'no wrong words'}"
            for name, (wrong, missing) in counts.items()
        )
    return finish(
        figure,
        title=title,
        caption="Orange, bold and underlined: words left over when the translation and its reference are laid side by side, not "
        "place by place."
        + (" Missing: words left over in the reference." if reference is not None else "")
        + (f" {note}" if note else ""),
        summary=" ".join(
            [f"“{' '.join(source)}”"]
            + [f"{name}: “{' '.join(words)}”." for name, words in said.items()]
            + ([". ".join(told) + "."] if told else [])
            + ([note] if note else [])
        ),
        height=int(120 + 21 * line),
    )


def bleu_curves(
    upto: Sequence[int],
    series: Mapping[str, Any],
    *,
    trained: int = 32,
    shortest: int = 4,
    highest: float = 100,
    unit: str = "words",
) -> go.Figure:
    """BLEU by the length of the source: name → `[seeds, groups]`; `upto` is the longest source of each group.

    Groups beyond `trained` words are longer than anything trained on; no source is shorter than `shortest`. The axis ends
    at `highest`: 100, so that figures can be compared, unless all is far below. `unit`: what lengths are counted in.
    """
    runs = {name: np.atleast_2d(np.asarray(values, float)) for name, values in series.items()}
    require(runs, "There is nothing to draw: no curve is given.")
    groups = [n for n in upto if n <= trained]
    last = len(groups) - 1
    means = {name: over_seeds(np.nanmean, values) for name, values in runs.items()}
    told = {name: (mean[0], mean[last], mean[-1]) for name, mean in means.items()}
    labels = [f"{low + 1}–{high}" for low, high in zip([0, *upto[:-1]], upto, strict=True)]
    labels[0] = f"{shortest}–{upto[0]}"
    if len(told) > 2:
        ends = {name: values[1] for name, values in told.items()}
        worst, best = min(ends, key=lambda name: ends[name]), max(ends, key=lambda name: ends[name])
        each = "; ".join(f"{name} {value:.0f}" for name, value in ends.items())
        title = f"BLEU at {labels[last]} {unit}: " + (
            each if len(each) < 75 else f"{ends[worst]:.0f} ({worst}) to {ends[best]:.0f} ({best})"
        )
    else:
        first, *others = told.items()
        title = f"{first[0]}: {first[1][0]:.0f} BLEU at {labels[0]} {unit}, {first[1][1]:.0f} at {labels[last]}"
        title += "".join(f"; {name}: {values[0]:.0f}, {values[1]:.0f}" for name, values in others)
    figure = curves(
        np.arange(len(upto)), runs,
        title=title,
        caption=f"BLEU (0 to 100) by the {unit} of the source. {seeds_told(runs)}"
        + (f" Right of the dotted line: longer than any sentence trained on ({trained} {unit})." if last < len(upto) - 1 else ""),
        summary="BLEU " + "; ".join(
            f"{name}: {low:.1f} at {labels[0]} {unit}, {high:.1f} at {labels[last]}"
            + (f", {far:.1f} at {labels[-1]}" if last < len(upto) - 1 else "")
            for name, (low, high, far) in told.items()
        ) + ".",
        x_title=f"{unit} of the source", y_title="BLEU", y_range=(-0.02 * highest, 1.03 * highest),
    )  # fmt: skip
    figure.update_xaxes(tickvals=list(range(len(upto))), ticktext=labels)
    if max(map(len, runs)) > 20:  # names too long to stand beside the curves
        figure.update_layout(
            legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}, margin={"r": 20, "b": 90}, height=410
        )
    if last < len(upto) - 1:
        figure.add_vline(x=last + 0.5, line={"color": GREY, "dash": "dot", "width": 1.5})  # type: ignore[arg-type]
    return figure


def kept_by_place(kept: Mapping[str, Mapping[str, Any]], measure: str = "accuracy", chance: Any = None) -> go.Figure:
    """What a context vector keeps of each source position: name → {"accuracy", "gradient"}, `[seeds, position]` each."""
    require(kept, "There is nothing to draw: no network is given.")
    runs = {name: np.atleast_2d(np.asarray(found[measure], float)) for name, found in kept.items()}
    length = next(iter(runs.values())).shape[1]
    places = np.arange(1, length + 1)
    ends = {name: (float(values[:, 0].mean()), float(values[:, length // 2].mean()), float(values[:, -1].mean()))
            for name, values in runs.items()}  # fmt: skip
    told = "; ".join(f"{name} {a:.2f}, {b:.2f}, {c:.2f}" for name, (a, b, c) in ends.items())
    if measure == "accuracy":
        caption = (
            "A linear probe (least squares) is asked for the word at each position, given nothing but c; tested on other "
            f"sentences than it was fitted on. All have {length} words. Grey: always naming the most frequent word there."
        )
        y_title, what = "words named right from c", "Named right from c"
    else:
        caption = (
            "How much c changes with the vector of each word: mean norm of ∂c/∂(Ex) over sentences of "
            f"{length} words, logarithmic axis."
        )
        y_title, what = "‖∂c/∂(Ex)‖", "‖∂c/∂(Ex)‖"
    return curves(
        places, runs, title=f"{what}, first / middle / last word: {told}",
        caption=f"{caption} {seeds_told(runs)}", summary=f"{what} at the first, the middle and the last word: {told}.",
        x_title="position of the word in the source", y_title=y_title, log_y=measure != "accuracy",
        references={"most frequent word": np.asarray(chance)} if chance is not None and measure == "accuracy" else None,
        y_range=(-0.03, 1.03) if measure == "accuracy" else None,
    )  # fmt: skip


def first_words(right: Mapping[str, Any]) -> go.Figure:
    """Share of the sentences whose first k words are all right: name → `[seeds, k]`."""
    runs = {name: np.atleast_2d(np.asarray(values, float)) for name, values in right.items()}
    require(runs, "There is nothing to draw: no network is given.")
    k = np.arange(1, next(iter(runs.values())).shape[1] + 1)
    told = "; ".join(f"{name} {values[:, 0].mean():.2f}, {values[:, -1].mean():.2f}" for name, values in runs.items())
    return curves(
        k, runs, title=f"First word right, first {k[-1]} words right: {told}",
        caption=f"Share of the test sentences whose translation begins with k right words, greedy search. {seeds_told(runs)}",
        summary=f"Right at the first word and at all of the first {k[-1]}: {told}.",
        x_title="k, words from the beginning", y_title="sentences", y_range=(-0.03, 1.03),
    )  # fmt: skip


def forced_and_free(right: Mapping[str, Any]) -> go.Figure:
    """Words right at each place of the sentence, the words before given ("forced") or the model's own ("free")."""
    runs = {name: np.atleast_2d(np.asarray(values, float)) for name, values in right.items()}
    require(set(runs) >= {"forced", "free"}, "The figure compares two readings, forced and free.")
    places = np.arange(1, runs["forced"].shape[1] + 1)
    at = min(14, len(places) - 1)
    a, b = (float(runs[name][:, at].mean()) for name in ("forced", "free"))
    names = {"forced": "right words before it given", "free": "its own words before it"}
    return curves(
        places, {names.get(name, name): values for name, values in runs.items()},
        title=f"Word {at + 1} right: {a:.2f} with the right words before it given, {b:.2f} without",
        caption="Share of the words that equal the reference's at the same place, over the test sentences whose reference reaches "
        f"that place. {seeds_told(runs)}",
        summary=f"At word {places[0]}: {runs['forced'][:, 0].mean():.2f} and {runs['free'][:, 0].mean():.2f}; "
        f"at word {at + 1}: {a:.2f} and {b:.2f}.",
        x_title="place in the translation", y_title="words right", y_range=(-0.03, 1.03),
    )  # fmt: skip
