"""Explorers of chapter 00: how an input fades, and sentences whose verb agrees with a far subject."""

from typing import Any

import numpy as np

from ..data.agreement import MOST_ATTRACTORS, NUMBERS, Agreement, agreement, baselines
from ..figures.memory import decay_weights
from ..figures.sentences import anatomy, reading
from ..figures.style import add_to_summary
from ..measure.agreement import nouns, read
from .explore import Drag, Explorer, explore, slider, text, toggle

REMEMBERED = 39.5  # steps back, the edge of the figure of a fading memory


def fading_memory() -> Explorer:
    """How an input fades in h_t = decay · h_{t-1} + (1 - decay) · x_t."""
    return explore(
        decay_weights,
        presets={
            "half in 7 steps": {"decay": 0.9},
            "twice as long": {"decay": 0.949},
            "ten times as long": {"decay": 0.99},
            "the last input alone": {"decay": 0.0},
        },
        drags=[Drag("half-life", _half_life, lambda x, y, decay: {"decay": 0.5 ** (1 / max(x, 0.1))})],
        decay=slider("decay", 0, 1, 0.001, value=0.9),
    )


def _half_life(decay: float) -> tuple[float, None]:
    """Where the line of the half-life is, at the edge of the figure where it would be beyond."""
    if decay in (0, 1):
        return (0.0 if decay == 0 else REMEMBERED), None
    return min(float(np.log(0.5) / np.log(decay)), REMEMBERED), None


def sentence_maker() -> Explorer:
    """Sentences of the corpus by distance, attractors and fronted phrase."""
    corpus = agreement(8_000, seed=2)
    right = baselines(corpus)
    count_right = np.asarray(right["nearest noun"]).astype(int) + np.asarray(right["first noun"]).astype(int)
    distances, counts, have_front = (np.asarray(a) for a in (corpus.distance, corpus.attractors, corpus.fronted))

    def draw(distance: int, attractors: int, fronted: bool, example: int):
        most = min(attractors, (distance - 1) // 3)  # an attractor takes three words
        rows = np.flatnonzero((distances == distance) & (counts == most) & (have_front == fronted))
        rows = rows[np.argsort(count_right[rows], kind="stable")]  # first those that mislead both baselines
        figure = _anatomy(corpus, int(rows[(example - 1) % len(rows)]))
        if most < attractors:
            add_to_summary(figure, f"Only {most} of {attractors} nouns fit into this distance.")
        return figure

    return explore(
        draw,
        presets={
            "both rules fail": {"distance": 9, "attractors": 1, "fronted": True},
            "only the nearest noun fails": {"distance": 9, "attractors": 1, "fronted": False},
            "only the first noun fails": {"distance": 9, "attractors": 0, "fronted": True},
            "next to its subject": {"distance": 1, "attractors": 0, "fronted": False},
            "forty words away": {"distance": 39, "attractors": 3, "fronted": True},
        },
        distance=slider("distance", 1, 40, value=9),
        attractors=slider("nouns in between", 0, MOST_ATTRACTORS, value=1),
        fronted=toggle("a phrase in front", value=True),
        example=slider("example", 1, 8),
    )


def _anatomy(corpus: Agreement, row: int):
    """One sentence with the role of each noun, and what two baselines answer."""
    words = corpus.text(row).split()
    subject, verb = int(corpus.subject[row]) - 1, int(corpus.verb[row]) - 1  # without <bos>
    roles = [""] * len(words)
    roles[subject], roles[verb] = "subject", "verb"
    repeated = {"nearest noun": corpus.nearest[row], "first noun": corpus.first[row]}
    right = baselines(corpus)
    answers = {name: (NUMBERS[int(number)], bool(right[name][row])) for name, number in repeated.items()}
    return anatomy(words, roles, answers, nouns(words))


EXAMPLES = {
    "far away": "the bird that sang softly there and waited near the children and danced behind the farmers",
    "subject only": "the cat",
    "a phrase in front": "near the dogs the cat",
    "several, then one": "the teachers with the young singer",
    "a noun of each kind": "near the dogs the cat that slept quietly beside the old horses",
}


def watch_reading(model: Any) -> Explorer:
    """What a trained classifier answers after each word of a sentence, chosen or typed."""

    def draw(sentence: str):
        words, plural = read(model, sentence)
        return reading(words, plural, nouns=nouns(words))

    presets = {name: {"sentence": sentence} for name, sentence in EXAMPLES.items()}
    return explore(draw, presets=presets, sentence=text("sentence", next(iter(EXAMPLES.values()))))
