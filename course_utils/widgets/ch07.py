"""Explorers of notebook 07."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.images import PATCH, cut, left_or_right
from ..data.translation import Pair, vocabularies
from ..decoding import BOS, greedy
from ..experiments.results.ch07 import Race
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
            source=" ".join(vocabularies()[0].words[k] for k in indices[:-1]), written=" ".join(names[k] for k in said[:i]),
        )  # fmt: skip
        add_to_summary(
            figure,
            f"Translation: {' '.join(names[k] for k in said)}. {asked_beyond(word, [names[k] for k in said])}".strip(),
        )
        return figure

    for pick in picks.values():
        translated(tuple(sentence(pick, "")[0]))
    return explore(
        draw,
        picked=choice("sentence", picks, value=list(picks.values())[1]),
        typed=text("or type one", ""),
        word=slider("French word", 1, 40, value=3),
    )


def _stages(model: Any, source: Any, mask: Any, words: Any) -> Any:
    return model.stages(source, mask, words)


def race(recorded: Sequence[Race], where: str, here: Race | None = None) -> Explorer:
    """Time and memory of one training step against the length: recorded ones, by batch, and those measured just now."""
    runs = {f"{where}, batch {one.batch}": (one, where) for one in recorded}
    start = next((name for name, (one, _) in runs.items() if here is None or one.batch == here.batch), None)
    if here is not None:
        runs[f"this device, now, batch {here.batch}"] = (here, "on this device")
    return explore(lambda run: figures.race(*runs[run]), run=choice("measured", list(runs), value=start))


def five(table: Mapping[str, Any]) -> Explorer:
    """One measure after another of all five architectures; `table`: `experiments.ch07.five()`."""

    def draw(measure: str):
        row = table[measure]
        return figures.five(measure, row["values"], row["unit"], row["better"])

    return explore(draw, measure=choice("measure", list(table)))


class Table:
    """All measures of all architectures: means, and in brackets the lowest and highest seed where there are several."""

    def __init__(self, table: Mapping[str, Any]):
        self.names = list(next(iter(table.values()))["values"])
        self.rows = [
            (measure, row["unit"], [_cell(row["values"][name]) for name in self.names])
            for measure, row in table.items()
        ]

    def __repr__(self) -> str:
        return "\n".join(
            f"{measure} ({unit}): " + "; ".join(f"{name} {cell}" for name, cell in zip(self.names, cells, strict=True))
            for measure, unit, cells in self.rows
        )

    def _repr_html_(self) -> str:
        head = "".join(f"<th scope='col'>{name}</th>" for name in ("measure", "unit", *self.names))
        body = "".join(
            f"<tr><th scope='row' style='text-align:left'>{measure}</th><td>{unit}</td>"
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
            for measure, unit, cells in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(values: Any) -> str:
    if values is None:
        return "–"
    seeds = np.atleast_1d(np.asarray(values, float))

    def told(value: float) -> str:
        return (
            f"{value:,.0f}"
            if value >= 100 or value == round(value)
            else f"{value:.1f}"
            if value >= 2
            else f"{value:.2f}"
        )

    return told(seeds.mean()) + (f" ({told(seeds.min())} to {told(seeds.max())})" if len(seeds) > 1 else "")


def pictures(model: Any) -> Explorer:
    """Pictures of two signs, and where each patch looks."""
    batch = left_or_right(jax.random.key(5), 12)
    logits, weights = apply(model, _look, batch.pixels)
    pixels = np.asarray(batch.pixels)

    def draw(picture: int, layer: int, patch: int):
        k = picture - 1
        right = "right" if logits[k].argmax() == batch.labels[k] else "wrong"
        said = f"Answer: the {'cross' if logits[k].argmax() == 0 else 'ring'} is farther left ({right})"
        return figures.pictured(pixels[k], weights[layer - 1, k, :, patch - 1].mean(0), patch - 1, PATCH, layer, said)

    brightest = int(cut(batch.pixels[:1])[0].sum(-1).argmax())
    return explore(
        draw,
        picture=slider("picture", 1, len(pixels), value=1),
        layer=choice("layer", [1, 2], value=2),
        patch=slider("patch that looks", 1, weights.shape[-1], value=brightest + 1),
    )


def _look(model: Any, pixels: Any) -> Any:
    return model.look(cut(pixels))
