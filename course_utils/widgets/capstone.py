"""The capstone: three translators of a learner's own text, and a page that shows how they did."""

import functools
import html
import itertools
import os
from collections.abc import Sequence
from datetime import date

import numpy as np
import plotly.graph_objects as go

from ..data.parallel import Texts, arrays, read_cells, read_tsv, texts
from ..experiments import multi30k as ladder
from ..experiments.translators import parameters
from ..figures.translators import bleu_curves
from ..files import refuse_overwriting, write
from ..front.surface import show
from ..measure.bleu import bleu, bleu_by_length, counted_in, lengths_in
from ..runtime import device, require, require_writable, typed_path, versions
from .live import live_loss

LEAST = 200  # pairs, below which nothing can be said
WIDTH, PIECES = 128, 4_000
EXAMPLES = 5
ADVICE = (
    "Put the name of a table in `my_table`: a text file with one pair of sentences a line, the two separated by a tab (a "
    "spreadsheet's “Unicode text” is one). Where more columns stand beside them, `columns` says which two, counted from 0. It "
    f"needs {LEAST} pairs at least; some thousands are better. A tenth of them is kept for the test."
)
FEW = 20  # a column whose texts each return so often, on average, holds no sentences


def split(pairs: Texts, seed: int = 0, share: float = 0.1) -> tuple[Texts, Texts]:
    """Pairs to train on and others to test on; all pairs of one source, spaces aside, are on one side."""
    of_source: dict[str, dict[str, None]] = {}
    for source, target in zip(*pairs, strict=True):
        of_source.setdefault(" ".join(source.split()), {})[target] = None
    require(
        len(of_source) >= LEAST,
        f"There are {len(of_source)} different sources; {LEAST} are needed at least, and some thousands are better.",
    )
    sources = list(of_source)
    order = np.random.default_rng(seed).permutation(len(sources))
    count = max(1, round(share * len(sources)))
    parts = [
        [(sources[i], target) for i in rows for target in of_source[sources[i]]]
        for rows in (order[count:], order[:count])
    ]
    train, test = (Texts(*map(list, zip(*part, strict=True))) for part in parts)
    return train, test


def groups(lengths: list[int]) -> list[int]:
    """Four edges of length with about as many sentences in each group, the last at the longest."""
    return sorted({int(np.ceil(np.quantile(lengths, share))) for share in (0.25, 0.5, 0.75)} | {max(lengths)})


def are_sentences(cells: Sequence[str]) -> bool:
    """Most hold letters, and they are not the same few again and again: no numbers, no names of languages."""
    return sum(any(map(str.isalpha, cell)) for cell in cells) > len(cells) / 2 and len(set(cells)) * FEW > len(cells)


def doubts(table: str | os.PathLike, columns: Sequence[int | str], pairs: Texts) -> str:
    """What is said of a chosen column that holds no sentences; `InvalidInput` where two others do."""
    wrong = [(column, side[0]) for column, side in zip(columns, pairs, strict=True) if not are_sentences(side)]
    if not wrong:
        return ""
    rows = [cells for _, cells in itertools.islice(read_cells(table), 1_000) if any(cells)]
    better = tuple(i for i, cells in enumerate(zip(*rows, strict=False)) if are_sentences(cells))
    examples = "; ".join(f"column {column} holds “{example[:40]}”" for column, example in wrong)
    doubt = f"These are hardly sentences but numbers, or the same few words again and again: {examples}."
    require(len(better) < 2, f"{doubt} Sentences stand in others: columns={better[:2]} (counted from 0).")
    return doubt


def short(pairs: Texts, text: ladder.Text) -> Texts:
    """The pairs of at most `ladder.LONGEST` pieces on both sides, as in training. One long pair needs the memory of thousands."""
    rows = arrays(pairs, text.source, text.target, ladder.LONGEST)[1]
    return Texts(*([side[row] for row in rows] for side in pairs))


def left_out(train: Texts, trained: int, test: Texts, tested: int) -> str:
    """How many pairs were too long, and what would keep more where most were."""
    counts = len(train.source) - trained, len(test.source) - tested
    if not any(counts):
        return ""
    advice = " One sentence a row, or more `pieces`, keeps more of them." if sum(counts) > trained + tested else ""
    return (
        f"Left out, for more than {ladder.LONGEST} pieces on a side: {counts[0]:,} of {len(train.source):,} pairs to train on, "
        f"{counts[1]:,} of {len(test.source):,} to test on.{advice}"
    )


def run(
    table: str | os.PathLike, *, columns: Sequence[int | str] = (0, 1), epochs: int = 10, width: int = WIDTH, pieces: int = PIECES,
    seed: int = 0, report: str | os.PathLike | None = None,
) -> str:  # fmt: skip
    """Train the three translators of the ladder on a table of pairs, draw BLEU by length, and write a page.

    table: a file that `data.parallel.read_tsv` reads.   columns: of source and target, numbers from 0, or names in the first line.
    width: of vectors and states.   pieces: of words, of each language.   report: the page; an existing one is replaced.
    Returns what happened, in a line.
    """
    path = None if report is None else typed_path(report)
    if path is not None:
        require_writable(path.parent)
        require(not path.is_dir(), f"{path} is a folder: name a file in it for the report.")
        refuse_overwriting([path], [typed_path(table)])
    pairs = texts(read_tsv(table, columns))
    require(columns[0] != columns[1], f"Source and target are both column {columns[0]!r}: name two.")
    notes = [doubts(table, columns, pairs)]
    if notes[0]:
        print(notes[0])  # now, not after the training
    train, whole = split(pairs, seed)
    text = ladder.prepare(train, pieces)
    test = short(whole, text)
    notes.append(left_out(train, text.sentences, whole, len(test.source)))
    unit, of_source = counted_in(test.target), counted_in(test.source)
    score = functools.partial(bleu, tokenize="13a" if unit == "words" else "char", lower=True)
    if unit == "characters":
        notes.append("BLEU counts characters, since the target is written without spaces.")
    lengths = lengths_in(of_source, test.source)
    edges, curves, rows, translations = groups(lengths), {}, [], {}
    upto: list[int] = []
    for rung in ladder.RUNGS:
        with live_loss(rung) as progress:
            model, history = ladder.learn(text, rung, epochs, seed, progress, width)
        translations[rung] = ladder.written(model, text, test)
        by_length = bleu_by_length(translations[rung], test.target, lengths, edges, score)
        upto, curves[rung] = by_length.upto, [by_length.bleu]
        rows.append(
            (
                rung,
                f"{score(translations[rung], test.target):.1f}",
                f"{parameters(model):,}",
                f"{history.steps * ladder.BATCH / text.sentences:,.1f}",
                f"{history.seconds:.0f} s",
            )
        )
    best = max(np.max(values) for values in curves.values())  # a few thousand pairs stay far below 100
    highest = float(np.clip(10 * np.ceil(best / 10), 10, 100))
    figure = bleu_curves(upto, curves, trained=upto[-1], shortest=1, highest=highest, unit=of_source)
    show(figure)
    note = " ".join(filter(None, notes))
    result = f"BLEU on {len(test.source)} pairs: {'; '.join(f'{row[0]} {row[1]}' for row in rows)}. {note}".strip()
    if path is None:
        return result
    made = f"{note} Width {width}, seed {seed}. {device()}; jax {versions()['jax']}; {date.today()}.".strip()
    try:
        write(path, page(str(table), figure, rows, test, translations, text.sentences, made))
    except OSError as error:  # what took an hour is reported all the same
        return f"{result} The page could not be written ({error.strerror}): {path}"
    return f"{result} Written: {path}"


def page(
    name: str, figure: go.Figure, rows: list[tuple], test: Texts, translations: dict[str, list[str]], trained: int, made: str
) -> str:  # fmt: skip
    """The report as one page that needs no network: a table of the rungs, the curve, and some translations.

    rows: a rung each.   translations: rung → one for each test sentence.   trained: how many pairs.   made: how.
    """
    esc = html.escape
    head = "".join(
        f"<th scope='col'>{title}</th>"
        for title in ("translator", "BLEU", "parameters", "passes over the text", "training")
    )
    body = "".join("<tr>" + "".join(f"<td>{esc(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    examples = "".join(
        f"<h3 dir='auto'>{esc(test.source[i])}</h3><dl><dt>reference</dt><dd dir='auto'>{esc(test.target[i])}</dd>"
        + "".join(f"<dt>{esc(rung)}</dt><dd dir='auto'>{esc(lines[i])}</dd>" for rung, lines in translations.items())
        + "</dl>"
        for i in range(min(EXAMPLES, len(test.source)))
    )
    drawn = figure.to_html(full_html=False, include_plotlyjs=True)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Three translators of {esc(name)}</title>
<style>body {{ font-family: sans-serif; max-width: 52em; margin: 2em auto; line-height: 1.5; overflow-wrap: anywhere }}
td, th {{ padding: .2em 1em .2em 0; text-align: left }} dt {{ font-weight: bold }}</style></head>
<body><h1>Three translators of <bdi>{esc(name)}</bdi></h1>
<p>Trained on {trained:,} pairs, tested on {len(test.source):,} others. BLEU on lower-cased text. {esc(made)}</p>
<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>
<h2>BLEU by the length of the source</h2>{drawn}
<h2>Some sentences of the test</h2>{examples}
</body></html>
"""
