"""Formulas of a page: LaTeX to MathML, which browsers draw without a script and read aloud. By pandoc."""

import html
import re
from typing import Any

import pypandoc

from ..runtime import InvalidInput
from ..teaching.markup import FORMULA, to_html

_DRAWN = re.compile(r"<math.*?</math>", re.DOTALL)
_known: dict[str, str] = {}


def learn(text: str) -> None:
    """Convert every formula of a text at once: pandoc takes longer to start than to convert a hundred."""
    missing = sorted({html.unescape(match) for match in FORMULA.findall(text)} - _known.keys())
    if not missing:
        return
    page = pypandoc.convert_text(
        "\n\n".join(missing), "html", format="markdown", extra_args=["--mathml", "--wrap=none"]
    )
    drawn = _DRAWN.findall(page)
    if len(drawn) != len(missing):
        bad = next(formula for formula in missing if len(_DRAWN.findall(_alone(formula))) != 1)
        raise InvalidInput(f"This formula cannot be written as MathML: {bad}")
    _known.update(zip(missing, drawn, strict=True))


def _alone(formula: str) -> str:
    return pypandoc.convert_text(formula, "html", format="markdown", extra_args=["--mathml"])


def in_html(page: str) -> str:
    """HTML whose `$…$` have become MathML."""
    learn(page)
    return FORMULA.sub(lambda match: _known[html.unescape(match.group())], page)


def rendered(text: str, inline: bool = False) -> str:
    """HTML of Markdown, its formulas drawn."""
    return in_html(to_html(text, inline))


def setup(app: Any) -> dict[str, bool]:
    """A Sphinx extension: the renderer `mathml`."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer: Any, node: Any) -> None:
    _write(writer, f"${' '.join(node.astext().split())}$")


def _block(writer: Any, node: Any) -> None:
    _write(writer, f"$${node.astext().strip()}$$")


def _write(writer: Any, formula: str) -> None:
    from docutils.nodes import SkipNode

    learn(html.escape(formula))
    writer.body.append(_known[formula])
    raise SkipNode
