"""Explorers of chapter 01: a network that writes, a network word by word, twin sentences as paths of states, and what a state can hold."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..data.agreement import vocabulary
from ..experiments import ch01
from ..experiments.agreement import corpora
from ..figures.language import SHOWN, next_words, twin_paths
from ..figures.memory import pipe as pipe_figure
from ..measure.agreement import judge
from ..measure.language import most_likely, steps
from ..measure.memory import Recall, reach, recalled_bits, total_memory
from ..measure.states import Plane, principal_plane, states_of
from ..models.interfaces import LanguageModel
from ..runtime import require
from . import sentences
from .explore import Explorer, choice, explore, slider, text
from .speak import speak

SENTENCE = "near the dogs the cat that slept quietly beside the old horses was hungry"
PLACES = {
    "before the verb": 12,
    "after “the”": 4,
    "after “that”": 6,
    "after “near”": 1,
}  # words of it that have been read


MARKS = {"right verb": "✓ ", "wrong verb": "✗ ", "no sentence": "– ", "unfinished": "… "}
WRITTEN = 40  # words of a sentence, at most


def speaks(models: Mapping[int, LanguageModel]) -> Explorer:
    """The network of the chapter by the updates it has learned from: five sentences, and whether each verb agrees."""
    words = vocabulary()

    def read(typed: str) -> list[int]:
        return words.read(typed) if typed.strip() else [words.bos]

    def write(indices: Sequence[int]) -> str:
        sentence = words.decode(indices)
        return MARKS[judge(sentence.split())] + sentence

    def title(rows: Sequence[Sequence[int]]) -> str:
        judged = [judge(words.decode(row).split()) for row in rows]
        right, wrong, begun = (judged.count(verdict) for verdict in ("right verb", "wrong verb", "unfinished"))
        if 2 * begun > len(judged):
            return "It goes on and on"
        if 2 * (right + wrong + begun) <= len(judged):
            return "Now and then it makes a sentence" if right + wrong else "It knows words and no grammar"
        agrees = (
            "every verb agrees" if not wrong else "its verbs are a guess" if 3 * wrong >= right else "most verbs agree"
        )
        return f"It writes sentences, and {agrees}"

    return speak(
        models, read, write, title, prompt="", length=WRITTEN, texts=6, temperature=1.0, first=7, opens=min(models), without=ch01.UNSPOKEN,
        end=words.eos, note="✓ the verb agrees with its subject, ✗ it does not; – no sentence; … not at its end.",
    )  # fmt: skip


def step_through(model: Any, opens: str = "before the verb") -> Explorer:
    """One word at a time: the state, and the distribution of the next word. It opens at one of `PLACES`."""
    require(opens in PLACES, f"It opens at one of {', '.join(PLACES)}, not {opens!r}.")
    vocab = vocabulary()
    read = functools.lru_cache(8)(lambda sentence: steps(model, vocab, sentence))

    def draw(sentence: str, word: int):
        words, states, probabilities = read(sentence)
        position = min(word, len(words) - 1)
        following = words[position + 1] if position + 1 < len(words) else None
        return next_words(words, position, states, most_likely(probabilities[position], vocab, SHOWN), following)

    places = [opens, *(place for place in PLACES if place != opens)]
    return explore(
        draw,
        presets={place: {"word": PLACES[place]} for place in places},
        sentence=text("sentence", SENTENCE),
        word=slider("words read", 0, 48, value=PLACES[opens]),
    )


def twins(models: Mapping[str, Any]) -> Explorer:
    """Two sentences that differ in one noun's number, read by one of several networks."""
    planes = {name: _plane(model) for name, model in models.items()}

    @functools.lru_cache(64)
    def paths(network: str, frame: str):
        words, rows = sentences.twins(frame)
        states = states_of(models[network], rows.tokens, rows.mask)[:, 1 : 1 + len(words[0])]
        return words, states

    for name in models:  # compiled now, not at the first choice
        paths(name, sentences.TWINS["short"])

    def draw(network: str, sentence: str):
        words, states = paths(network, sentence)
        plane = planes[network]
        gap = np.sqrt(((states[0] - states[1]) ** 2).sum(-1))
        return twin_paths(words, (plane.of(states[0]), plane.of(states[1])), gap, plane.share)

    return explore(
        draw,
        presets={name: {"network": name} for name in models}
        | {
            f"{name}, {between}": {"network": name, "sentence": sentences.TWINS[between]}
            for name in list(models)[:1]
            for between in ("short", "two nouns between")
        },
        network=choice("network", list(models)),
        sentence=choice("between subject and verb", sentences.TWINS, value=sentences.TWINS["another noun between"]),
    )


def _plane(model: Any) -> Plane:
    """The plane of the states that a model visits on 300 test sentences."""
    test = corpora()[1]
    states = states_of(model, test.tokens[:300], test.mask[:300])
    return principal_plane(states[np.asarray(test.mask[:300])])


def pipe(capacity: Mapping[int, Recall]) -> Explorer:
    """What a state of H numbers holds, by size, vocabulary and strength of the input (see `experiments.ch01.capacity`)."""
    best = {hidden: reach(recall.accuracy).mean(-1) for hidden, recall in capacity.items()}

    def draw(hidden: int, symbols: int, scale: float):
        row, column = ch01.SYMBOLS.index(symbols), ch01.SCALES.index(scale)
        accuracy = capacity[hidden].accuracy[row, column]
        explained = capacity[hidden].explained[row, column]
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
        presets={
            "medium input": {},
            "weaker, many symbols": {"symbols": 16, "scale": 0.03},
            "stronger": {"scale": 1.0},
            "stronger, two symbols": {"symbols": 2, "scale": 1.0},
        },
        hidden=choice("units H", ch01.SIZES, value=64),
        symbols=choice("symbols V", ch01.SYMBOLS, value=8),
        scale=choice("strength of the input", ch01.SCALES, value=0.1),
    )
