"""A deck of slides from a notebook's own sections: `course slides 01`. It needs no network.

Each section is a column: its first paragraph, its formulas, short code with what it prints, predictions, figures,
exercises. All other prose is in the speaker's notes (press S).
"""

import html
import importlib.resources
import pathlib
import re
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from ..files import write
from .executed import copied, executed, scripts
from .formulas import rendered
from .outputs import for_a_page

LONGEST_CODE = 14  # lines on a slide
LONGEST_SLIDE = 24  # lines of code and of what it prints
WIDTH = 95  # characters of such a line
LONGEST_LEAD = 45  # words
_FORMULA = re.compile(r"\$\$.+?\$\$", re.DOTALL)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="reveal/dist/reveal.css"><link rel="stylesheet" href="reveal/dist/theme/white-contrast.css">
<link rel="stylesheet" href="front.css"><link rel="stylesheet" href="page.css"><link rel="stylesheet" href="slides.css">
<style>{colours}</style>
<script defer src="plotly.js"></script><script defer src="front.js"></script></head>
<body><div class="reveal"><div class="slides">{slides}</div></div>
<script src="reveal/dist/reveal.js"></script><script src="reveal/plugin/notes/notes.js"></script>
<script>Reveal.initialize({{hash: true, width: 1100, height: 760, margin: 0.03, slideNumber: "c/t", plugins: [RevealNotes],
transition: "none"}}).then(() => Reveal.on("slidechanged", () => window.dispatchEvent(new Event("resize"))));</script>
</body></html>
"""


class _Slide:
    """What is shown, and paragraphs that are said."""

    def __init__(self, body: str):
        self.body = body
        self.notes: list[str] = []

    def __str__(self) -> str:
        notes = f'<aside class="notes">{rendered(_joined(self.notes))}</aside>' if self.notes else ""
        return f"<section>{self.body}{notes}</section>"


def build_slides(path: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    """The slides of one notebook, with all they need, in the folder `out`; returns the page to open."""
    notebook = executed(path)
    for_a_page(notebook)
    columns = _columns(notebook.cells)
    title = re.sub(r"<.*?>", "", columns[0][0].body.split("</h1>")[0])
    out.mkdir(parents=True, exist_ok=True)
    scripts(out)
    with importlib.resources.as_file(
        importlib.resources.files("sphinx_revealjs") / "_static" / "revealjs"
    ) as reveal:  # reveal.js, as this package brings it
        for name in ("dist", "plugin/notes"):
            copied(reveal / name, out / "reveal" / name)
        write(out / "reveal" / "LICENSE", (reveal / "LICENSE").read_bytes())
    slides = "".join(f"<section>{''.join(map(str, column))}</section>" for column in columns)
    page = out / f"{path.stem}.html"
    colours = HtmlFormatter(style="friendly").get_style_defs(".code")
    write(page, _PAGE.format(title=title, slides=slides, colours=colours))
    return page


def _columns(cells: list[Any]) -> list[list[_Slide]]:
    """Slides of each section, up to the quiz."""
    columns: list[list[_Slide]] = []
    said = False  # does prose stand right before this cell?
    for cell in cells:
        if cell.cell_type != "markdown":
            _show(columns[-1], cell, said)
            said = False
            continue
        for head, paragraphs in _parts(cell.source):
            if head.startswith(("## Quiz", "## References")):
                return columns
            if head.startswith("# "):
                columns.append([_Slide(f"<h1>{rendered(head[2:], inline=True)}</h1>{rendered(_joined(paragraphs))}")])
                continue
            if head.startswith("#"):
                lead = paragraphs.pop(0) if paragraphs and not _FORMULA.match(paragraphs[0]) else ""
                slide = _Slide(f"<h2>{rendered(head.lstrip('# '), inline=True)}</h2>{rendered(lead)}")
                if head.startswith("## "):
                    columns.append([])
                columns[-1].append(slide)
            _say(columns[-1], paragraphs)
            said = bool(paragraphs)
    return columns


def _parts(text: str) -> list[tuple[str, list[str]]]:
    """The paragraphs of a text under each heading; what stands before the first is under none."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    for paragraph in text.strip().split("\n\n"):
        if paragraph.startswith("#"):
            parts.append((paragraph.splitlines()[0], paragraph.splitlines()[1:]))
        else:
            parts[-1][1].append(paragraph)
    return [(head, paragraphs) for head, paragraphs in parts if head or paragraphs]


def _joined(paragraphs: list[str]) -> str:
    return "\n\n".join(paragraphs)


def _say(column: list[_Slide], paragraphs: list[str]) -> None:
    """Formulas and exercises as slides of their own, all other prose as notes of the slide before."""
    for i, paragraph in enumerate(paragraphs):
        if _FORMULA.match(paragraph):
            column.append(_Slide(rendered(paragraph)))
        elif paragraph.startswith("**Exercise"):
            column.append(_Slide(rendered(_joined(paragraphs[i:]))))
            return
        elif _FORMULA.match(paragraphs[i - 1]) and i:
            column[-1].body += rendered(paragraph)  # what its symbols mean
        else:
            column[-1].notes.append(paragraph)


def _height(text: str) -> int:
    """Lines of a slide that a text takes, long ones wrapped."""
    return sum(max(1, -(-len(line) // WIDTH)) for line in text.splitlines())


def _show(column: list[_Slide], cell: Any, said: bool) -> None:
    """A question, a figure, or code with what it prints; a short paragraph right before it comes along."""
    shown = "".join(output.data["text/html"] for output in cell.outputs if "text/html" in output.get("data", {}))
    notes = column[-1].notes
    lead = ""
    if said and notes and len(notes[-1].split()) <= LONGEST_LEAD and not notes[-1].startswith("**What"):
        lead = rendered(notes[-1])
    if "course-reveal" in shown:
        column[-1].body += shown
    elif 'class="course-front"' in shown:
        column.append(_Slide(lead + shown))
        del notes[len(notes) - bool(lead) :]
    elif "course-exercise" not in shown and "setup()" not in cell.source:
        code = f'<div class="code">{highlight(cell.source, PythonLexer(), HtmlFormatter(cssclass="code"))}</div>'
        printed = "".join(
            output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs
        )
        result = f'<pre class="printed">{html.escape(printed)}</pre>' if printed and not shown else shown
        if result:
            lines, beside = _height(cell.source), 0 if shown else _height(printed)
            fits = lines <= LONGEST_CODE and lines + beside <= LONGEST_SLIDE
            column.append(_Slide(lead + (code if fits else "") + result))
            del notes[len(notes) - bool(lead) :]
