"""Bug hunts: code that trains and does not learn, the line to find, and both trainings when a learner asks for them."""

import time
from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go

from ..figures.hunts import as_it_is_and_mended
from ..front import surface
from ..runtime import require
from ..widgets.live import REDRAW, live_figure
from . import phrases
from .bank import Hunt, bank
from .grading import Feedback
from .quiz import Cards, Sheet, as_text


def _train(question: Hunt, draw: Callable[[Callable[[], go.Figure]], None]) -> go.Figure:
    """Train the code as it is and mended; `draw` is called with what makes the figure so far. Returns the last figure."""
    from ..experiments import hunts  # jax, which banks and reports do without

    guessing = hunts.task(question.trains).guessing
    trained = {name: hunts.Curve() for name in question.sources}

    def figure(learned: dict[str, bool]) -> go.Figure:
        points = {name: (curve.updates, curve.losses) for name, curve in trained.items()}
        return as_it_is_and_mended(points, learned, guessing=guessing)

    for name, source in question.sources.items():

        def told(curve: Any, name: str = name) -> None:
            trained[name] = curve
            draw(lambda: figure({}))

        trained[name] = hunts.train(question.trains, source, told)
    return figure({name: curve.learned(guessing) for name, curve in trained.items()})


class _Cards(Cards):
    """A hunt on the page, with a button that trains it."""

    def __init__(self, sheet: Sheet, question: Hunt):
        self.question = question
        self.trained: dict[str, Any] = {}  # what the figure of the trainings shows
        super().__init__(sheet, [question.id], scored=False)

    @property
    def state(self) -> dict[str, Any]:
        state = super().state
        trains = [{**question, "trains": True} for question in state["asked"]]
        return {**state, "asked": trains, "trained": {self.question.id: self.trained} if self.trained else {}}

    def hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"kind": "train", "id": self.question.id}:
                self.train()
            case _:
                super().hear(message)

    def train(self) -> None:
        """Train both here: under the question."""
        drawn = 0.0  # when it was last drawn

        def draw(make: Callable[[], go.Figure]) -> None:
            nonlocal drawn
            if time.monotonic() - drawn > REDRAW:
                self._show(surface.Drawn.by(make).state, busy=True)
                drawn = time.monotonic()

        self._show({"figure": None, "summary": phrases.TRAINING, "failed": False}, busy=True)
        last = surface.Drawn(None, phrases.NOT_TRAINED)  # where it is interrupted
        try:
            last = surface.Drawn.by(lambda: _train(self.question, draw))
        finally:
            self._show(last.state, busy=False)

    def _show(self, shown: dict[str, Any], busy: bool) -> None:
        self.trained = {**shown, "busy": busy, "values": {}}
        self.live.state = self.state


class BugHunt:
    """One bug hunt. Displayed last in a cell; `.answer(line, symptom)` does the same without widgets.

    Nothing is trained until `.train()`, or the button, asks for it.
    """

    def __init__(self, sheet: Sheet, question: Hunt):
        self.question = question
        self._sheet = sheet
        self.cards = _Cards(sheet, question)

    def answer(self, line: Any, symptom: Any) -> Feedback:
        """Name the wrong line, counted from 1, and the symptom, counted from 0; keep it, and say what there is to say."""
        return self._sheet.answer(self.question.id, [line, symptom])

    def train(self) -> None:
        """Train the code as it is and mended, some seconds each, and draw both losses."""
        with live_figure() as draw:
            figure = _train(self.question, draw)
        surface.show(figure)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        page, text = as_text(self.question, phrases.HUNT)
        return self.cards.live.bundle(
            {"text/html": page, "text/plain": text}, lambda: {"kind": "hunt", "id": self.question.id}
        )


def hunt(id: str) -> BugHunt:
    """A bug hunt by its id, such as `hunt("ch03-hunt")`: code that trains and stays at guessing. Which line is wrong?"""
    require(isinstance(id, str), f"A bug hunt is named by its id, such as 'ch03-hunt', not by {id!r:.40}.")
    sheet = Sheet(bank(id.split("-")[0]))
    question = sheet.bank.question(id)
    require(isinstance(question, Hunt), f"{id} is not a bug hunt but a {question.kind} question.")
    return BugHunt(sheet, question)
