"""Explorers of chapter 07: a word through the layers, the race against length, five architectures, and pictures."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.english_french import Pair, vocabularies
from ..data.images import PATCH, Pictures, cut, left_or_right
from ..decoding import BOS, greedy
from ..experiments.results.ch07 import Race
from ..figures import transformer as figures
from ..figures.style import add_to_summary
from ..measure import inside
from ..models.run import apply
from . import sentences
from .explore import Drag, Explorer, choice, explore, slider, text

SHOWN = 3  # words of each stage
NEGATION = "the black cat does not sleep"


def stages(model: Any) -> Explorer:
    """Any sentence, translated; then one word of the translation, stage by stage through the decoder."""
    picks = {f"“{NEGATION}”": NEGATION} | sentences.examples((6, 10, 14, 18, 24))

    @functools.lru_cache(64)
    def translated(indices: tuple[int, ...]):
        row, mask, longest = sentences.padded(indices)
        decoded = greedy(model, row, mask, longest)
        n = int(decoded.lengths[0])
        words = decoded.words[0, :n]
        inputs = np.zeros((1, longest), int)  # of the decoder: the word before each
        inputs[0, 0], inputs[0, 1:n] = BOS, words[:-1]
        vectors, logits = apply(model, inside.residual_stream, row, mask, jnp.asarray(inputs))
        return words, np.linalg.norm(vectors[:, 0, :n], axis=-1), np.asarray(jax.nn.softmax(logits[:, 0, :n]))

    def draw(picked: Pair | str, typed: str, word: int):
        sentence = sentences.picked_or_typed(picked, typed)
        indices, norms, probabilities = translated(sentence.indices)
        i = min(word, len(indices)) - 1
        names = vocabularies()[1].words
        translation = [names[k] for k in indices]
        best = np.argsort(-probabilities[:, i], axis=-1)[:, :SHOWN]
        figure = figures.stages(
            inside.stages(model), [[names[k] for k in row] for row in best],
            np.take_along_axis(probabilities[:, i], best, axis=-1),
            translation[i], probabilities[:, i, indices[i]], norms[:, i],
            source=" ".join(sentence.words), written=" ".join(translation[:i]),
        )  # fmt: skip
        beyond = sentences.beyond_note(word, translation)
        add_to_summary(figure, f"Translation: {' '.join(translation)}. {beyond}".strip())
        return figure

    for pair in picks.values():
        translated(sentences.picked_or_typed(pair, "").indices)
    return explore(
        draw,
        presets={
            "an article": {"picked": NEGATION, "word": 1},
            "a noun": {"picked": NEGATION, "word": 2},
            "its adjective": {"picked": NEGATION, "word": 3},
            "the end of a negation": {"picked": NEGATION, "word": 6},
            "a longer sentence": {"picked": sentences.of_length(picks, 18)},
        },
        picked=choice("sentence", picks),
        typed=text("or type one", ""),
        word=slider("French word", 1, 40, value=3),
    )


def race(recorded: Sequence[Race], where: str, here: Race | None = None) -> Explorer:
    """Time and memory of one training step against the length: recorded ones, by batch, and those measured just now."""
    runs = {f"{where}, batch {one.batch}": (one, where) for one in recorded}
    first = next((name for name, (one, _) in runs.items() if here is None or one.batch == here.batch), None)
    if here is not None:
        runs[f"this device, now, batch {here.batch}"] = (here, "on this device")
    presets = {name: {"run": name} for name in dict.fromkeys([first, *runs]) if name}
    return explore(
        lambda run: figures.race(*runs[run]), presets=presets, run=choice("measured", list(runs), value=first)
    )


def five(table: Mapping[str, Any]) -> Explorer:
    """One measure after another of all five architectures; `table`: `experiments.ch07.five()`."""

    def draw(measure: str):
        row = table[measure]
        return figures.five(measure, row["values"], row["unit"], row["better"])

    presets = {measure: {"measure": measure} for measure in list(table)[:4]}
    return explore(draw, presets=presets, measure=choice("measure", list(table)))


def rows_of(table: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """All measures of all architectures for `show_table`: means, and the lowest and highest seed where there are several."""
    return {
        measure: {"unit": row["unit"], **{name: _cell(values) for name, values in row["values"].items()}}
        for measure, row in table.items()
    }


def _cell(values: Any) -> str:
    """The mean of some seeds, and their range; – where nothing was measured."""
    if values is None:
        return "–"
    seeds = np.atleast_1d(np.asarray(values, float))
    spread = f" ({_rounded(seeds.min())} to {_rounded(seeds.max())})" if len(seeds) > 1 else ""
    return _rounded(seeds.mean()) + spread


def _rounded(value: float) -> str:
    if value >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 2 else f"{value:.2f}"


def pictures(model: Any) -> Explorer:
    """Pictures of two signs, and which patches each patch attends to."""
    batch = left_or_right(jax.random.key(5), 12)
    logits, weights = apply(model, _look, batch.pixels)
    pixels = np.asarray(batch.pixels)

    def draw(picture: int, layer: int, patch: int):
        k = picture - 1
        sign = "cross" if logits[k].argmax() == 0 else "ring"
        outcome = "right" if logits[k].argmax() == batch.labels[k] else "wrong"
        answer = f"Answer: the {sign} is farther left ({outcome})"
        return figures.pictured(pixels[k], weights[layer - 1, k, :, patch - 1].mean(0), patch - 1, PATCH, layer, answer)

    side = batch.pixels.shape[-1] // PATCH
    found = _meetings(batch, weights.mean(2))
    return explore(
        draw,
        presets={
            name: {"picture": k + 1, "layer": layer + 1, "patch": patch + 1}
            for name, (layer, k, patch) in found.items()
        },
        drags=[
            Drag(
                "patch that looks",
                lambda patch, **rest: ((patch - 1) % side, (patch - 1) // side),
                lambda x, y, **values: {"patch": _nearest(y, side) * side + _nearest(x, side) + 1},
                "xaxis2",
                "yaxis2",
                by=1,
            )
        ],
        picture=slider("picture", 1, len(pixels), value=1),
        layer=choice("layer", [1, 2], value=2),
        patch=slider("patch that looks", 1, weights.shape[-1]),
    )


def _nearest(place: float, count: int) -> int:
    """The patch at a place of an axis of so many patches."""
    return min(max(round(place), 0), count - 1)


def _meetings(batch: Pictures, weights: np.ndarray) -> dict[str, tuple[int, int, int]]:
    """Where the patch of one sign gives the other's the most weight, and where the least: name → layer, picture, patch.

    weights: `[layers, pictures, patches, patches]`.
    """
    middles = np.asarray((batch.rows + 1) // PATCH * (batch.pixels.shape[-1] // PATCH) + (batch.columns + 1) // PATCH)
    every = np.arange(len(middles))
    looks = np.stack([weights[:, every, middles[:, k], middles[:, 1 - k]] for k in (0, 1)], axis=-1)
    most, least = (np.unravel_index(at, looks.shape) for at in (looks.argmax(), looks.argmin()))

    def place(layer: Any, k: Any, sign: Any) -> tuple[int, int, int]:
        return int(layer), int(k), int(middles[k, sign])

    return {
        "a sign finds the other": place(*most),
        "the other sign of this picture": place(most[0], most[1], 1 - most[2]),
        "the same in the other layer": (1 - int(most[0]), *place(*most)[1:]),
        "a sign that does not": place(*least),
    }


def _look(model: Any, pixels: Any) -> Any:
    patches = cut(pixels)
    return model(patches), inside.reader_weights(model, patches)
