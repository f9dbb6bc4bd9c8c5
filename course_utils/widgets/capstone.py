"""The capstone: three translators of a learner's own text, and a page that shows how they did."""

import html
import os
import pathlib
from datetime import date
from typing import Any

import numpy as np

from ..data.parallel import Texts, read_tsv, texts
from ..experiments import multi30k as ladder
from ..experiments.translate import parameters
from ..figures.translation import bleu_curves
from ..files import refuse_overwriting, write
from ..measure.translation import bleu, bleu_by_length
from ..runtime import device, require, require_writable, versions
from .live import live_loss
from .surface import show

LEAST = 200  # pairs, below which nothing can be said
WIDTH, PIECES = 128, 4_000
EXAMPLES = 5
ADVICE = (
    "Put the name of a table in `my_table`: a text file in UTF-8 with one pair of sentences a line, the two separated by a tab. "
    f"It needs {LEAST} pairs at least; some thousands are better. A tenth of them is kept for the test."
)


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


def run(
    table: str | os.PathLike, *, epochs: int = 10, width: int = WIDTH, pieces: int = PIECES, seed: int = 0,
    report: str | os.PathLike | None = None,
) -> str:  # fmt: skip
    """Train the three translators of the ladder on a table of pairs, draw BLEU by length, and write a page.

    table: a file that `data.parallel.read_tsv` reads, source and target in the first two columns.
    width: of vectors and states.   pieces: of words, of each language.   report: the page; an existing one is replaced.
    Returns what happened, in a line.
    """
    path = None if report is None else pathlib.Path(report).expanduser()
    if path is not None:
        require_writable(path.parent)
        require(not path.is_dir(), f"{path} is a folder: name a file in it for the report.")
        refuse_overwriting([path], [pathlib.Path(table).expanduser()])
    train, test = split(texts(read_tsv(table)), seed)
    text = ladder.prepare(train, pieces)
    lengths = [len(sentence.split()) for sentence in test.source]
    edges, curves, rows, said = groups(lengths), {}, [], {}
    upto: list[int] = []
    for rung in ladder.RUNGS:
        with live_loss(rung) as shown:
            model, history = ladder.learn(text, rung, epochs, seed, shown, width)
        said[rung] = ladder.written(model, text, test)
        found = bleu_by_length(said[rung], test.target, lengths, edges, _score)
        upto, curves[rung] = found.upto, [found.bleu]
        rows.append(
            (
                rung,
                f"{_score(said[rung], test.target):.1f}",
                f"{parameters(model):,}",
                f"{history.steps * ladder.BATCH / text.sentences:,.1f}",
                f"{history.seconds:.0f} s",
            )
        )
    best = max(np.max(values) for values in curves.values())  # a few thousand pairs stay far below 100
    highest = float(np.clip(10 * np.ceil(best / 10), 10, 100))
    figure = bleu_curves(upto, curves, trained=upto[-1], shortest=1, highest=highest)
    show(figure)
    told = "; ".join(f"{row[0]} {row[1]}" for row in rows)
    if path is None:
        return f"BLEU on {len(test.source)} pairs: {told}."
    made = f"Width {width}, seed {seed}. {device()}; jax {versions()['jax']}; {date.today()}."
    said_in_a_line = f"BLEU on {len(test.source)} pairs: {told}."
    try:
        write(path, page(str(table), figure, rows, test, said, text.sentences, made))
    except OSError as error:  # what took an hour is told all the same
        return f"{said_in_a_line} The page could not be written ({error.strerror}): {path}"
    return f"{said_in_a_line} Written: {path}"


def _score(translations: Any, references: Any) -> float:
    return bleu(translations, references, tokenize="13a", lower=True)


def page(
    name: str, figure: Any, rows: list[tuple], test: Texts, said: dict[str, list[str]], trained: int, made: str
) -> str:  # fmt: skip
    """The report as one page that needs no network: the table, how it was made, the curve, and some translations."""
    esc = html.escape
    head = "".join(
        f"<th scope='col'>{title}</th>"
        for title in ("translator", "BLEU", "parameters", "passes over the text", "training")
    )
    body = "".join("<tr>" + "".join(f"<td>{esc(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    examples = "".join(
        f"<h3>{esc(test.source[i])}</h3><dl><dt>reference</dt><dd>{esc(test.target[i])}</dd>"
        + "".join(f"<dt>{esc(rung)}</dt><dd>{esc(lines[i])}</dd>" for rung, lines in said.items())
        + "</dl>"
        for i in range(min(EXAMPLES, len(test.source)))
    )
    drawn = figure.to_html(full_html=False, include_plotlyjs=True)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Three translators of {esc(name)}</title>
<style>body {{ font-family: sans-serif; max-width: 52em; margin: 2em auto; line-height: 1.5 }}
td, th {{ padding: .2em 1em .2em 0; text-align: left }} dt {{ font-weight: bold }}</style></head>
<body><h1>Three translators of {esc(name)}</h1>
<p>Trained on {trained:,} pairs, tested on {len(test.source):,} others. BLEU on lower-cased text. {esc(made)}</p>
<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>
<h2>BLEU by the length of the source</h2>{drawn}
<h2>Some sentences of the test</h2>{examples}
</body></html>
"""
