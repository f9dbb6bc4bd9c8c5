"""Translators compared: what they write, how good it is by length and position, and what a context vector holds."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from ..runtime import require, require_one_of
from .curves import curves, over_seeds, seeds_caption
from .style import BLACK, GREY, RED, finish, listed

MARKED = 1.5  # a part of the sentence that is kept so many times as well is preferred
LEVEL = 0.85  # a curve that keeps this share of its BLEU stays level
WIDTH = 74  # letters in one line of a sentence
ContextMeasure = Literal["accuracy", "gradient"]


def wrong_words(translation: Sequence[str], reference: Sequence[str]) -> tuple[list[bool], list[bool]]:
    """Which words of a translation are not in its reference, and which of the reference are missing.

    The two are laid side by side by their longest common runs (`difflib`), not position by position.
    """
    wrong, missing = [True] * len(translation), [True] * len(reference)
    matcher = difflib.SequenceMatcher(None, list(translation), list(reference), autojunk=False)
    for run in matcher.get_matching_blocks():
        wrong[run.a : run.a + run.size] = [False] * run.size
        missing[run.b : run.b + run.size] = [False] * run.size
    return wrong, missing


def side_by_side(
    source: Sequence[str], translations: Mapping[str, Sequence[str]], reference: Sequence[str] | None, note: str = ""
) -> go.Figure:
    """A source sentence, its reference where there is one, and what translators make of it: name → words.

    Words left over when the two are laid side by side (`wrong_words`) are orange, bold and underlined.
    """
    require(source and translations, "There is nothing to draw: the sentence or the translations are empty.")
    rows: list[tuple[str, Sequence[str], list[bool]]] = [("English", source, [False] * len(source))]
    if reference is not None:
        rows.append(("reference", reference, [False] * len(reference)))
    mistakes: dict[str, tuple[int, int]] = {}
    sentences = []
    for name, words in translations.items():
        wrong = [False] * len(words)
        if reference is not None:
            wrong, missing = wrong_words(words, reference)
            mistakes[name] = (sum(wrong), sum(missing))
            sentences.append(
                f"{name}: {sum(wrong)} of {len(words)} words wrong, {sum(missing)} of {len(reference)} missing"
            )
        rows.append((name, words, wrong))
    figure = go.Figure()
    height = _draw_rows(figure, rows)
    return finish(
        figure,
        title=_judged(mistakes) if reference is not None else "The translation is shown without a reference",
        caption="Orange, bold and underlined: words left over when the translation and its reference are laid side by side, not "
        "place by place."
        + (" Missing: words left over in the reference." if reference is not None else "")
        + (f" {note}" if note else ""),
        summary=" ".join(
            [f"“{' '.join(source)}”"]
            + [f"{name}: “{' '.join(words)}”." for name, words in translations.items()]
            + ([". ".join(sentences) + "."] if sentences else [])
            + ([note] if note else [])
        ),
        height=int(120 + 21 * height),
    )


def _judged(mistakes: Mapping[str, tuple[int, int]]) -> str:
    """Who makes mistakes: name → words wrong, words missing."""
    faulty = [name for name, (wrong, missing) in mistakes.items() if wrong or missing]
    if not faulty:
        return f"{listed(list(mistakes))} {'makes' if len(mistakes) == 1 else 'make'} no mistake"
    if len(mistakes) > 1:
        counts = {name: sum(both) for name, both in mistakes.items()}
        fewest = [name for name in counts if counts[name] == min(counts.values())]
        return (
            "All make as many mistakes" if len(fewest) == len(counts) else f"{listed(fewest)} made the fewest mistakes"
        )
    (name, (wrong, missing)), *_ = mistakes.items()
    count, what = (wrong, "gets {} wrong") if wrong else (missing, "leaves out {}")
    return f"{name} {what.format(f'{count} word' + 's' * (count > 1))}"


def _draw_rows(figure: go.Figure, rows: Sequence[tuple[str, Sequence[str], list[bool]]]) -> float:
    """Draw sentences (name, words, which are wrong) one below another, long ones in several lines; the height in lines."""
    line, labels = 0.0, []
    under_x: list[float | None] = []
    under_y: list[float | None] = []
    marks: dict[bool, tuple[list, list, list]] = {False: ([], [], []), True: ([], [], [])}
    for name, words, wrong in rows:
        labels.append((line, name))
        column = 0
        for word, is_wrong in zip(words, wrong, strict=True):
            if column and column + len(word) > WIDTH:
                column, line = 0, line + 1
            x, y, text = marks[is_wrong]
            x.append(column)
            y.append(-line)
            text.append(f"<b>{word}</b>" if is_wrong else word)
            if is_wrong:
                under_x += [column, column + len(word), None]
                under_y += [-line - 0.38, -line - 0.38, None]
            column += len(word) + 1
        line += 1.7
    for is_wrong, colour, name in ((False, BLACK, "as in the reference"), (True, RED, "not in the reference")):
        x, y, text = marks[is_wrong]
        figure.add_scatter(
            x=x, y=y, text=text, mode="text", textposition="middle right", name=name, hoverinfo="skip",
            textfont={"family": "monospace", "size": 12.5, "color": colour}, cliponaxis=False,
        )  # fmt: skip
    figure.add_scatter(x=under_x, y=under_y, mode="lines", line={"color": RED, "width": 2}, hoverinfo="skip")
    figure.update_xaxes(visible=False, range=[-1, WIDTH + 6])
    figure.update_yaxes(
        tickvals=[-line_of_label for line_of_label, _ in labels], ticktext=[name for _, name in labels],
        range=[-line + 0.9, 0.8], showgrid=False, ticks="", showline=False,
    )  # fmt: skip
    figure.update_layout(showlegend=False)
    return line


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
    ends = {name: (mean[0], mean[last], mean[-1]) for name, mean in means.items()}
    labels = [f"{low + 1}–{high}" for low, high in zip([0, *upto[:-1]], upto, strict=True)]
    labels[0] = f"{shortest}–{upto[0]}"
    figure = curves(
        np.arange(len(upto)), runs,
        title=_by_length(ends),
        caption=f"BLEU (0 to 100) by the {unit} of the source. {seeds_caption(runs)}"
        + (f" Right of the dotted line: longer than any sentence trained on ({trained} {unit})." if last < len(upto) - 1 else ""),
        summary="BLEU " + "; ".join(
            f"{name}: {low:.1f} at {labels[0]} {unit}, {high:.1f} at {labels[last]}"
            + (f", {far:.1f} at {labels[-1]}" if last < len(upto) - 1 else "")
            for name, (low, high, far) in ends.items()
        ) + ".",
        x_title=f"{unit} of the source", y_title="BLEU", y_range=(-0.02 * highest, 1.03 * highest),
    )  # fmt: skip
    figure.update_xaxes(tickvals=list(range(len(upto))), ticktext=labels)
    if last < len(upto) - 1:
        figure.add_vline(x=last + 0.5, line={"color": GREY, "dash": "dot", "width": 1.5})  # type: ignore[arg-type]
    return figure


def _by_length(ends: Mapping[str, tuple[float, float, float]]) -> str:
    """What happens to BLEU with the length: name → BLEU of the shortest, of the longest trained, and of the longest of all."""
    level = [name for name, (low, high, _) in ends.items() if high >= LEVEL * low]
    if not level:
        return "BLEU falls as sentences grow longer"
    if len(level) < len(ends):
        return f"{listed(level)} {'stays' if len(level) == 1 else 'stay'} level while the rest falls"
    beyond = [name for name, (_, high, far) in ends.items() if far < LEVEL * high]
    return "BLEU stays level up to the lengths trained on" if beyond else "BLEU stays level at every length"


def context_by_position(
    by_encoder: Mapping[str, Mapping[str, Any]], measure: ContextMeasure = "accuracy", chance: Any = None
) -> go.Figure:
    """What a context vector keeps of each source position: name → {"accuracy", "gradient"}, `[seeds, position]` each."""
    require(by_encoder, "There is nothing to draw: no network is given.")
    require_one_of(measure=(measure, ContextMeasure))
    runs = {name: np.atleast_2d(np.asarray(values[measure], float)) for name, values in by_encoder.items()}
    length = next(iter(runs.values())).shape[1]
    means = {name: values.mean(0) for name, values in runs.items()}
    values = "; ".join(f"{name} {mean[0]:.2f}, {mean[length // 2]:.2f}, {mean[-1]:.2f}" for name, mean in means.items())
    if measure == "accuracy":
        caption = (
            "A linear probe (least squares) is asked for the word at each position, given nothing but c; tested on other "
            f"sentences than it was fitted on. All have {length} words. Grey: always naming the most frequent word there."
        )
        y_title, quantity = "words named right from c", "Named right from c"
    else:
        caption = (
            "How much c changes with the vector of each word: mean norm of ∂c/∂(Ex) over sentences of "
            f"{length} words, logarithmic axis."
        )
        y_title = quantity = "‖∂c/∂(Ex)‖"
    return curves(
        np.arange(1, length + 1), runs, title=_kept_where(means, chance if measure == "accuracy" else None),
        caption=f"{caption} {seeds_caption(runs)}", summary=f"{quantity} at the first, the middle and the last word: {values}.",
        x_title="position of the word in the source", y_title=y_title, log_y=measure != "accuracy",
        references={"most frequent word": np.asarray(chance)} if chance is not None and measure == "accuracy" else None,
        y_range=(-0.03, 1.03) if measure == "accuracy" else None,
    )  # fmt: skip


def _kept_where(means: Mapping[str, np.ndarray], chance: Any = None) -> str:
    """Which part of the sentence each context keeps best; of accuracy, what is above chance counts."""
    where = {}
    for name, mean in means.items():
        above = np.maximum(mean - (0 if chance is None else np.asarray(chance)), 0)
        third = max(1, len(above) // 3)
        start, middle, end = (
            float(part.mean()) + 1e-9 for part in (above[:third], above[third:-third], above[-third:])
        )
        best = max(start, end)
        both = min(start, end) > MARKED * middle
        where[name] = (
            "both ends"
            if both
            else "no part"
            if best < MARKED * middle
            else "the end"
            if end > start
            else "the beginning"
        )
    if len(set(where.values())) == 1:
        return f"The context prefers {next(iter(where.values()))} of the sentence"
    return f"{', '.join(f'{name} prefers {place}' for name, place in where.items())}"


def first_words(right: Mapping[str, Any]) -> go.Figure:
    """Share of the sentences whose first k words are all right: name → `[seeds, k]`."""
    runs = {name: np.atleast_2d(np.asarray(values, float)) for name, values in right.items()}
    require(runs, "There is nothing to draw: no network is given.")
    k = np.arange(1, next(iter(runs.values())).shape[1] + 1)
    shares = "; ".join(f"{name} {values[:, 0].mean():.2f}, {values[:, -1].mean():.2f}" for name, values in runs.items())
    best = [max(runs, key=lambda name: float(runs[name][:, 0].mean()))]
    return curves(
        k, runs, title=f"{listed(best)} begins best" if len(runs) > 1 else "First words are right more often than whole beginnings",
        caption=f"Share of the test sentences whose translation begins with k right words, greedy search. {seeds_caption(runs)}",
        summary=f"Right at the first word and at all of the first {k[-1]}: {shares}.",
        x_title="k, words from the beginning", y_title="sentences", y_range=(-0.03, 1.03),
    )  # fmt: skip


def forced_and_free(right: Mapping[str, Any]) -> go.Figure:
    """Words right at each position: teacher-forced, name "forced", or after the model's own words, "free"."""
    runs = {name: np.atleast_2d(np.asarray(values, float)) for name, values in right.items()}
    require(set(runs) >= {"forced", "free"}, "The figure compares two readings, forced and free.")
    positions = np.arange(1, runs["forced"].shape[1] + 1)
    at = min(14, len(positions) - 1)
    forced, free = (float(runs[name][:, at].mean()) for name in ("forced", "free"))
    names = {"forced": "right words before it given", "free": "its own words before it"}
    return curves(
        positions, {names.get(name, name): values for name, values in runs.items()},
        title="Left alone, the decoder soon loses its way" if free < 0.7 * forced else "Left alone, the decoder keeps its way",
        caption="Share of the words that equal the reference's at the same place, over the test sentences whose reference reaches "
        f"that place. {seeds_caption(runs)}",
        summary=f"At word {positions[0]}: {runs['forced'][:, 0].mean():.2f} and {runs['free'][:, 0].mean():.2f}; "
        f"at word {at + 1}: {forced:.2f} and {free:.2f}.",
        x_title="place in the translation", y_title="words right", y_range=(-0.03, 1.03),
    )  # fmt: skip
