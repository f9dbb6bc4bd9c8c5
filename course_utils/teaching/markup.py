"""Markdown with LaTeX to HTML, for widgets (which render neither by themselves)."""

import html
import re

from markdown_it import MarkdownIt

FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+?\$", re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def to_html(text: str, inline: bool = False) -> str:
    """HTML of Markdown whose `$…$` stay as they are for MathJax."""
    kept: list[str] = []

    def keep(match: re.Match) -> str:
        kept.append(html.escape(match.group(), quote=False))
        return f"\ue000{len(kept) - 1}\ue001"

    body = FORMULA.sub(keep, re.sub("[\ue000\ue001]", "", text))
    page = _MARKDOWN.renderInline(body) if inline else _MARKDOWN.render(body)
    return re.sub("\ue000(\\d+)\ue001", lambda match: kept[int(match.group(1))], page)


def plain(text: str) -> str | None:
    """The text without its backticks, or None where something else needs rendering (a formula, emphasis)."""
    outside = re.sub(r"`[^`]*`", "", text)
    return None if re.search(r"[$*_<&`]", outside) else text.replace("`", "")
