"""The controls of each kind of question. Every one is `.widget`, with `read()` and `fill(answer)`."""

from collections.abc import Sequence
from typing import Any

import ipywidgets

from . import phrases
from .bank import Match, MultipleChoice, Numeric, Order, Shape
from .markup import plain, to_html

# Labels of ipywidgets have a fixed height and do not wrap; ours may be a sentence.
STYLE = (
    "<style>.course-options label{height:auto!important;line-height:1.35!important;white-space:normal!important;"
    "padding:3px 0}.course-options .widget-radio-box{height:auto!important;margin-bottom:4px}"
    ".course-question{border:1px solid #BBB;border-radius:6px;padding:8px 12px;margin:6px 0}"
    ".course-question p{margin:2px 0}.course-tick{height:auto!important}"
    ".course-tick label{white-space:normal!important;line-height:1.35!important}</style>"
)
_WHOLE = {"description_width": "initial"}


def _labels(texts: Sequence[str]) -> tuple[list[str], list[ipywidgets.Widget]]:
    """A label for each text, and what must stand above them: texts with formulas are listed with letters."""
    labels = [plain(text) for text in texts]
    if None not in labels:
        return [str(label) for label in labels], []
    rows = "".join(f"<li>{to_html(text, inline=True)}</li>" for text in texts)
    listed = ipywidgets.HTMLMath(f'<ol type="A" style="margin:0 0 4px">{rows}</ol>')
    return [f"answer {letter(i)}" for i in range(len(texts))], [listed]


def letter(place: int) -> str:
    """A, B, C …"""
    return chr(65 + place)


class OneOf:
    """Radio buttons."""

    def __init__(self, question: Any):
        labels, above = _labels([option.text for option in question.options])
        self.radio = ipywidgets.RadioButtons(
            options=[(label, i) for i, label in enumerate(labels)],
            index=None,
            layout={"width": "98%", "height": "auto"},
        )
        self.radio.add_class("course-options")
        self.widget = ipywidgets.VBox([*above, self.radio])

    def read(self) -> int | None:
        return self.radio.value  # type: ignore[return-value]

    def fill(self, answer: int) -> None:
        self.radio.index = answer  # type: ignore[assignment]


class AnyOf:
    """Check boxes."""

    def __init__(self, question: MultipleChoice):
        labels, above = _labels([option.text for option in question.options])
        self.boxes = [
            ipywidgets.Checkbox(description=label, indent=False, layout={"width": "98%", "height": "auto"})
            for label in labels
        ]
        for box in self.boxes:
            box.add_class("course-tick")
        note = ipywidgets.HTML(f"<i>{phrases.ONE_OR_MORE}</i>")
        self.widget = ipywidgets.VBox([*above, note, *self.boxes])

    def read(self) -> list[int]:
        return [i for i, box in enumerate(self.boxes) if box.value]

    def fill(self, answer: list[int]) -> None:
        for i, box in enumerate(self.boxes):
            box.value = i in answer


class Number:
    """A line for a number."""

    def __init__(self, question: Numeric):
        self.line = _line(phrases.YOUR_NUMBER, "")
        self.widget = ipywidgets.HBox([self.line, ipywidgets.HTMLMath(question.unit)])

    def read(self) -> str:
        return str(self.line.value)

    def fill(self, answer: float) -> None:
        self.line.value = f"{answer:.12g}"


class Axes:
    """A line for a shape."""

    def __init__(self, question: Shape):
        self.line = _line(phrases.THE_SHAPE, phrases.SHAPE_EXAMPLE)
        self.widget = self.line

    def read(self) -> str:
        return str(self.line.value)

    def fill(self, answer: list[str]) -> None:
        self.line.value = f"({', '.join(answer)})"


def _line(label: str, placeholder: str) -> ipywidgets.Text:
    return ipywidgets.Text(
        description=label, placeholder=placeholder, continuous_update=False, style=_WHOLE, layout={"width": "22em"}
    )


class Ordering:
    """Rows with two buttons each, which move the row up and down."""

    def __init__(self, question: Order):
        self.question = question
        self.places = list(question.shuffled)
        self.rows = [ipywidgets.HTMLMath(layout={"width": "auto"}) for _ in self.places]
        lines = []
        for place, row in enumerate(self.rows):
            up, down = (
                ipywidgets.Button(description=sign, tooltip=f"Move row {place + 1} {word}", layout={"width": "3em"})
                for sign, word in (("↑", "up"), ("↓", "down"))
            )
            up.disabled, down.disabled = place == 0, place == len(self.rows) - 1
            up.on_click(lambda _, place=place: self._swap(place - 1))
            down.on_click(lambda _, place=place: self._swap(place))
            lines.append(ipywidgets.HBox([up, down, row], layout={"align_items": "center"}))
        note = ipywidgets.HTML(f"<i>{phrases.MOVE_THE_ROWS}</i>")
        self.widget = ipywidgets.VBox([note, *lines])
        self._show()

    def _swap(self, place: int) -> None:
        self.places[place], self.places[place + 1] = self.places[place + 1], self.places[place]
        self._show()

    def _show(self) -> None:
        for place, (row, item) in enumerate(zip(self.rows, self.places, strict=True), 1):
            row.value = f"{place}. {to_html(self.question.items[item].text, inline=True)}"

    def read(self) -> list[int]:
        return list(self.places)

    def fill(self, answer: list[int]) -> None:
        self.places = list(answer)
        self._show()


class Matching:
    """A list to choose from beside each left side."""

    def __init__(self, question: Match):
        labels, above = _labels([pair.left for pair in question.pairs])
        rights = [(phrases.CHOOSE, None), *((plain(question.rights[i]) or "", i) for i in question.shuffled)]
        self.lists = [
            ipywidgets.Dropdown(options=rights, value=None, description=label, style=_WHOLE, layout={"width": "98%"})
            for label in labels
        ]
        self.widget = ipywidgets.VBox([*above, *self.lists])

    def read(self) -> list[int | None]:
        return [box.value for box in self.lists]

    def fill(self, answer: list[int]) -> None:
        for box, right in zip(self.lists, answer, strict=True):
            box.value = right


_KINDS = {"multiple": AnyOf, "numeric": Number, "shape": Axes, "order": Ordering, "match": Matching}


def controls(question: Any) -> Any:
    """The controls for a question."""
    return _KINDS.get(question.kind, OneOf)(question)
