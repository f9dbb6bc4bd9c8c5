"""Markdown with LaTeX to HTML and MathML, for what moves (a browser renders neither Markdown nor LaTeX by itself)."""

import base64
import functools
import html
import re
from collections.abc import Callable
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt

from ..runtime import asset

PICTURE = re.compile(r"!\[([^\[\]]*)\]\(([^()\s]*)\)")
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+?\$", re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def picture(name: str) -> bytes:
    """A picture that questions are asked about: SVG, drawn by `course quiz draw`."""
    return asset(f"quizzes/pictures/{name}").read_bytes()


def _within(name: str) -> str:
    """A picture as an address that holds it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(picture(name)).decode()}"


def _image(_: Any, tokens: Any, place: int, options: Any, env: Any) -> str:
    token = tokens[place]
    words = html.escape(" ".join(token.content.split()))
    return f'<img src="{env["where"](token.attrs["src"])}" alt="{words}" style="max-width:100%">'


_MARKDOWN.add_render_rule("image", _image)


def to_html(text: str, inline: bool = False, where: Callable[[str], str] = _within) -> str:
    """HTML of Markdown whose `$…$` stay as they are for MathJax; `where` gives the address of a picture."""
    formulas: list[str] = []

    def set_aside(match: re.Match) -> str:
        formulas.append(html.escape(match.group(), quote=False))
        return f"\ue000{len(formulas) - 1}\ue001"

    body = FORMULA.sub(set_aside, re.sub("[\ue000\ue001]", "", text))
    page = _MARKDOWN.renderInline(body, {"where": where}) if inline else _MARKDOWN.render(body, {"where": where})
    return re.sub("\ue000(\\d+)\ue001", lambda match: formulas[int(match.group(1))], page)


def rendered(text: str, inline: bool = False) -> str:
    """HTML of Markdown whose formulas are MathML."""
    return FORMULA.sub(lambda match: _mathml(match.group()), to_html(text, inline))


@functools.lru_cache(1000)
def _mathml(formula: str) -> str:
    """A formula with its `$…$` as MathML, which browsers draw without a script and read aloud."""
    display = "block" if formula.startswith("$$") else "inline"
    return convert(html.unescape(formula.strip("$")), display=display)


def plain(text: str) -> str | None:
    """The text without its backticks, or None where something else needs rendering (a formula, emphasis)."""
    outside = re.sub(r"`[^`]*`", "", text)
    return None if re.search(r"[$*_<&`]", outside) else text.replace("`", "")


def spoken(text: str) -> str:
    """Markdown whose pictures have become their words."""
    return PICTURE.sub(r"[Picture: \1]", text)
