"""Explorers of chapter 00: how an input fades, how far it travels, and sentences whose verb agrees with a far subject."""

from typing import Any, get_args

import numpy as np

from ..data.agreement import MOST_ATTRACTORS, NUMBERS, Agreement, agreement, baselines
from ..figures.memory import decay_weights
from ..figures.paths import Architecture, path_diagram
from ..figures.sentences import anatomy, reading
from ..figures.style import add_to_summary
from ..measure.agreement import nouns, read
from .explore import Explorer, choice, explore, slider, text, toggle


def fading_memory() -> Explorer:
    """How an input fades in h_t = decay · h_{t-1} + (1 - decay) · x_t."""
    return explore(decay_weights, decay=slider("decay", 0, 1, 0.01, value=0.9))


def paths() -> Explorer:
    """How far the first input travels in each architecture of the course."""
    return explore(
        path_diagram,
        architecture=choice("architecture", get_args(Architecture)),
        length=slider("positions", 1, 40, value=8),
    )


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
    for position, _ in nouns(words):
        roles[position] = "noun in front" if position < subject else "noun between"
    roles[subject], roles[verb] = "subject", "verb"
    repeated = {"nearest noun": corpus.nearest[row], "first noun": corpus.first[row]}
    right = baselines(corpus)
    answers = {name: (NUMBERS[int(number)], bool(right[name][row])) for name, number in repeated.items()}
    return anatomy(words, roles, answers, nouns(words))


EXAMPLES = (
    "the cat",
    "near the dogs the cat",
    "near the dogs the cat that slept quietly beside the old horses",
    "the teachers with the young singer",
    "the bird that sang softly there and waited near the children and danced behind the farmers",
)


def watch_reading(model: Any) -> Explorer:
    """What a trained classifier answers after each word of a sentence, chosen or typed."""

    def draw(sentence: str):
        words, plural = read(model, sentence)
        return reading(words, plural, nouns=nouns(words))

    return explore(draw, sentence=text("sentence", EXAMPLES[2]))
