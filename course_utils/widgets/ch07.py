"""Explorers of notebook 07."""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.images import PATCH, cut, left_or_right
from ..data.translation import Pair, vocabularies
from ..decoding import BOS, greedy
from ..figures import transformer as figures
from ..figures.style import add_to_summary
from ..measure.run import apply
from .ch04 import examples, padded, sentence
from .ch05 import asked_beyond
from .explore import Explorer, choice, explore, slider, text

SHOWN = 3  # words of each stage


def stages(model: Any) -> Explorer:
    """Any sentence, translated; then one word of the translation, stage by stage through the decoder."""
    picks = examples((6, 10, 14, 18, 24))

    @functools.lru_cache(64)
    def translated(indices: tuple[int, ...]):
        row, mask, longest = padded(indices)
        found = greedy(model, row, mask, longest)
        words = found.words[:, : int(found.lengths[0])]
        given = np.zeros((1, longest), int)
        given[0, 0], given[0, 1 : words.shape[1]] = BOS, words[0, :-1]
        vectors, logits = apply(model, _stages, row, mask, jnp.asarray(given))
        n = words.shape[1]
        return words[0], np.linalg.norm(vectors[:, 0, :n], axis=-1), np.asarray(jax.nn.softmax(logits[:, 0, :n]))

    def draw(picked: Pair, typed: str, word: int):
        indices, _, _ = sentence(picked, typed)
        said, sizes, shares = translated(tuple(indices))
        i = min(word, len(said)) - 1
        names = vocabularies()[1].words
        best = np.argsort(-shares[:, i], axis=-1)[:, :SHOWN]
        figure = figures.stages(
            model.branches, [[names[k] for k in row] for row in best], np.take_along_axis(shares[:, i], best, axis=-1),
            names[said[i]], shares[:, i, said[i]], sizes[:, i],
        )  # fmt: skip
        add_to_summary(
            figure,
            f"Translation: {' '.join(names[k] for k in said)}. {asked_beyond(word, [names[k] for k in said])}".strip(),
        )
        return figure

    translated(tuple(sentence(next(iter(picks.values())), "")[0]))
    return explore(
        draw,
        picked=choice("sentence", picks, value=list(picks.values())[1]),
        typed=text("or type one", ""),
        word=slider("French word", 1, 40, value=3),
    )


def _stages(model: Any, source: Any, mask: Any, words: Any) -> Any:
    return model.stages(source, mask, words)


def race(recorded: list[Mapping[str, Any]], where: str, here: Mapping[str, Any] | None = None) -> Explorer:
    """Time and memory of one training step against the length: recorded ones, by batch, and those measured just now."""
    runs = {f"{where}, batch {found['batch']}": (found, where) for found in recorded}
    if here is not None:
        runs = {f"this device, now, batch {here['batch']}": (here, "on this device"), **runs}
    names = {name: name for name in runs}

    def draw(run: str, measure: str):
        return figures.race(runs[run][0], measure, runs[run][1])

    return explore(draw, run=choice("measured", names), measure=choice("what", {"time": "seconds", "memory": "bytes"}))


def five(table: Mapping[str, Any]) -> Explorer:
    """One measure after another of all five architectures; `table`: `experiments.ch07.five()`."""

    def draw(measure: str):
        row = table[measure]
        return figures.five(measure, row["values"], row["unit"], row["better"])

    return explore(draw, measure=choice("measure", list(table)))


def pictures(model: Any) -> Explorer:
    """Pictures of two signs, and where each patch looks."""
    batch = left_or_right(jax.random.key(5), 12)
    logits, weights = apply(model, _look, batch.pixels)
    pixels = np.asarray(batch.pixels)

    def draw(picture: int, layer: int, patch: int):
        k = picture - 1
        right = "right" if logits[k].argmax() == batch.labels[k] else "wrong"
        said = f"Answer: the {'cross' if logits[k].argmax() == 0 else 'ring'} is farther left ({right})"
        return figures.pictured(pixels[k], weights[layer - 1, k, :, patch - 1].mean(0), patch - 1, PATCH, said)

    return explore(
        draw,
        picture=slider("picture", 1, len(pixels), value=1),
        layer=slider("layer", 1, len(weights), value=1),
        patch=slider("patch that looks", 1, weights.shape[-1], value=1),
    )


def _look(model: Any, pixels: Any) -> Any:
    return model.look(cut(pixels))
