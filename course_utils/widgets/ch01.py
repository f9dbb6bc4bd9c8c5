"""Explorers of notebook 01."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..data.agreement import vocabulary
from ..experiments import ch01
from ..experiments.agreement import corpora
from ..figures.language import SHOWN, next_words, twin_paths
from ..figures.memory import pipe as pipe_figure
from ..measure.language import most_likely, steps
from ..measure.memory import Recall, reach, recalled_bits, total_memory
from ..measure.states import Plane, principal_plane, states_of
from .explore import Explorer, choice, explore, slider, text
from .twins import SHOWN_FIRST, TWINS, twin_rows, twin_words

SENTENCE = "near the dogs the cat that slept quietly beside the old horses was hungry"


def step_through(model: Any, word: int = 5) -> Explorer:
    """One word at a time: the state, and the distribution of the next word. It opens after `word` words."""
    vocab = vocabulary()
    read = functools.lru_cache(8)(lambda sentence: steps(model, vocab, sentence))

    def draw(sentence: str, word: int):
        words, states, probabilities = read(sentence)
        place = min(word, len(words) - 1)
        come = words[place + 1] if place + 1 < len(words) else None
        return next_words(words, place, states, most_likely(probabilities[place], vocab, SHOWN), come)

    return explore(draw, sentence=text("sentence", SENTENCE), word=slider("words read", 0, 48, value=word))


def twins(models: Mapping[str, Any]) -> Explorer:
    """Two sentences that differ in one noun's number, read by one of several networks."""
    planes = {name: _plane(model) for name, model in models.items()}

    @functools.lru_cache(64)
    def paths(network: str, sentence: str):
        words, rows = twin_words(sentence), twin_rows(sentence)
        return words, states_of(models[network], rows.tokens, rows.mask)[:, 1 : 1 + len(words[0])]

    for name in models:  # compiled now, not at the first choice
        paths(name, SHOWN_FIRST)

    def draw(network: str, sentence: str):
        words, states = paths(network, sentence)
        plane = planes[network]
        gap = np.sqrt(((states[0] - states[1]) ** 2).sum(-1))
        return twin_paths(words, (plane.of(states[0]), plane.of(states[1])), gap, plane.share)

    return explore(
        draw,
        network=choice("network", list(models)),
        sentence=choice("between subject and verb", TWINS, value=SHOWN_FIRST),
    )


def _plane(model: Any) -> Plane:
    """The plane of the states that a model visits on 300 test sentences."""
    test = corpora()[1]
    states = states_of(model, test.tokens[:300], test.mask[:300])
    return principal_plane(states[np.asarray(test.mask[:300])])


def pipe(found: Mapping[int, Recall]) -> Explorer:
    """What a state of H numbers holds, by size, vocabulary and strength of the input (see `experiments.ch01.capacity`)."""
    best = {hidden: reach(recall.accuracy).mean(-1) for hidden, recall in found.items()}

    def draw(hidden: int, symbols: int, scale: float):
        row, column = ch01.SYMBOLS.index(symbols), ch01.SCALES.index(scale)
        accuracy = found[hidden].accuracy[row, column]
        explained = found[hidden].explained[row, column]
        return pipe_figure(
            accuracy,
            explained,
            hidden,
            symbols,
            np.array([best[size][:, column] for size in ch01.SIZES]),
            ch01.SIZES,
            ch01.SYMBOLS,
            held=float(recalled_bits(accuracy, symbols).sum(-1).mean()),
            numbers=float(total_memory(explained, symbols).mean()),
        )

    return explore(
        draw,
        hidden=choice("units H", ch01.SIZES, value=64),
        symbols=choice("symbols V", ch01.SYMBOLS, value=8),
        scale=choice("strength of the input", ch01.SCALES, value=0.1),
    )
