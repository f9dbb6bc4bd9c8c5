"""`show_table`: numbers with names above and beside them, as HTML that can be copied and as text. Nothing in it moves."""

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from IPython.display import display

from ..figures.style import superscript
from ..runtime import require

NONE = "–"  # where nothing was measured


def show_table(rows: Mapping[Any, Any] | Sequence[Mapping[str, Any]], caption: str = "", name: str = "") -> None:
    """Display a table here.

    rows: name → {column: value}, or name → value; or a list of {column: value}, where rows have no names. Columns stand in the
    order in which they first appear; a value that a row lacks is `–`, several values in one cell are listed.
    caption: what the numbers are.   name: what the names of the rows are, the heading above them.
    """
    display(Table.of(rows, caption, name))


def seeds(values: Sequence[Any]) -> dict[str, Any]:
    """One value a seed as the columns of a row: {"seed 0": …}."""
    return {f"seed {i}": value for i, value in enumerate(values)}


class Table:
    """Cells in words, the heading of each column, and which columns are numbers."""

    def __init__(self, heads: list[str], cells: list[list[str]], numeric: list[bool], named: bool, caption: str):
        self.heads, self.cells, self.numeric, self.named, self.caption = heads, cells, numeric, named, caption

    @classmethod
    def of(cls, rows: Mapping[Any, Any] | Sequence[Mapping[str, Any]], caption: str = "", name: str = "") -> "Table":
        """The table of some rows (see `show_table`)."""
        require(len(rows), "There is nothing to show: the table has no rows.")
        named = isinstance(rows, Mapping)
        names = list(rows) if isinstance(rows, Mapping) else []
        listed = list(rows.values()) if isinstance(rows, Mapping) else list(rows)
        whole = [isinstance(row, Mapping) for row in listed]
        require(
            all(whole) or (named and not any(whole)), "Each row is {column: value}, or each is one value by its name."
        )
        listed = [row if isinstance(row, Mapping) else {"": row} for row in listed]
        columns = list(dict.fromkeys(column for row in listed for column in row))
        require(columns, "There is nothing to show: the rows are empty.")
        values = [[row.get(column) for column in columns] for row in listed]
        numeric = [all(map(_is_number, column)) for column in zip(*values, strict=True)]
        cells = [[in_words(value) for value in row] for row in values]
        heads = [in_words(column) for column in columns]
        if named:
            heads, numeric = [name, *heads], [False, *numeric]
            cells = [[in_words(name), *row] for name, row in zip(names, cells, strict=True)]
        return cls(heads, cells, numeric, named, caption)

    def _repr_html_(self) -> str:
        """A table whose headings say what they head; wider than the page, it scrolls."""
        aligned = [f"text-align:{'right' if number else 'left'};padding:2px 10px" for number in self.numeric]
        head = "".join(
            f'<th scope="col" style="{style}">{html.escape(head)}</th>' if head else f'<td style="{style}"></td>'
            for head, style in zip(self.heads, aligned, strict=True)
        )
        head = f"<thead><tr>{head}</tr></thead>" if any(self.heads) else ""
        body = ""
        for row in self.cells:
            tags = ['th scope="row"' if self.named and i == 0 else "td" for i in range(len(row))]
            body += "<tr>" + "".join(
                f'<{tag} style="{style}">{html.escape(cell)}</{tag[:2]}>' for tag, cell, style in zip(tags, row, aligned, strict=True)
            ) + "</tr>"  # fmt: skip
        caption = html.escape(self.caption)
        above = f'<caption style="text-align:left;caption-side:top">{caption}</caption>' if caption else ""
        name = f'role="group" aria-label="{caption or "A table"}"'
        return (
            f'<div style="overflow-x:auto" tabindex="0" {name}><table>{above}{head}<tbody>{body}</tbody></table></div>'
        )

    def __repr__(self) -> str:
        """The same in columns of letters."""
        lines = [self.heads, *self.cells] if any(self.heads) else self.cells
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = (
            "  ".join(
                f"{cell:>{width}}" if number else f"{cell:<{width}}"
                for cell, width, number in zip(line, widths, self.numeric, strict=True)
            ).rstrip()
            for line in lines
        )
        return "\n".join([*([self.caption] if self.caption else []), *aligned])


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_)))


def in_words(value: Any) -> str:
    """One value as a cell says it: 1,234; 0.27; 1.4·10⁻¹¹; yes; – for what is missing; several with commas between them."""
    if value is None or (isinstance(value, (float, np.floating)) and math.isnan(value)):
        return NONE
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, (float, np.floating)):
        return _number(float(value)).replace("-", "−")
    if isinstance(value, str):
        return value
    if np.ndim(value) == 0 and hasattr(value, "item"):  # an array of jax with one number
        return in_words(value.item())
    if isinstance(value, Sequence) or np.ndim(value) == 1:
        return ", ".join(map(in_words, value))
    return str(value)


def _number(value: float) -> str:
    """Two or three digits of a number, those before the point all."""
    if not math.isfinite(value):
        return f"{value}".replace("inf", "∞")
    size = abs(value)
    if value == 0:
        return "0"
    if size < 0.01:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}·10{superscript(int(exponent))}"
    return f"{value:,.0f}" if size >= 99.95 else f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"
