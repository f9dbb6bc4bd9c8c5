"""Explorers of notebook 06."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.agreement import vocabulary
from ..experiments import ch06
from ..experiments.agreement import corpora
from ..figures import self_attention as figures
from ..measure.run import apply
from ..measure.softmax import random_vectors, saturation
from ..models.positions import rotate, sinusoidal
from ..models.self_attention import scaled_dot_product
from .explore import Explorer, choice, explore, slider, text, toggle

# A small dictionary: each animal's key (land and size), and its value, how many legs it has.
ANIMALS = ("dog", "hen", "spider", "carp", "whale", "crab")
KEYS = np.array([[1.2, 0.9], [1.2, -0.1], [1.0, -1.1], [-1.2, -0.5], [-1.2, 1.2], [-0.1, -1.1]])
LEGS = np.array([4.0, 2.0, 8.0, 0.0, 0.0, 10.0])


def look_up(query: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights of the animals for a query `[2]`, and the blend of their legs."""
    found, weights = scaled_dot_product(*(jnp.asarray(a, jnp.float32) for a in (query[None], KEYS, LEGS[:, None])))
    return np.asarray(weights)[0], float(found[0, 0])


def soft_dictionary() -> Explorer:
    """Turn and stretch a query in the plane: the weights of the entries and the blended value follow."""

    def draw(angle: float, length: float):
        query = length * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        return figures.soft_dictionary(ANIMALS, KEYS, LEGS, query, look_up(query)[0], "legs")

    return explore(
        draw,
        angle=slider("angle of the query", 0, 360, 5, value=20),
        length=slider("length of the query", 0, 12, 0.5, value=2),
    )


def root_of_d() -> Explorer:
    """Scores of random vectors and their softmax, for vectors of d numbers, divided by √d or not."""

    found = {}
    for size in ch06.SIZES:
        vectors = random_vectors(jax.random.fold_in(jax.random.key(0), size), size)
        found[size] = {True: saturation(*vectors, size**-0.5), False: saturation(*vectors, 1.0)}

    def draw(size: int, divided: bool, query: int):
        return figures.scores_and_weights(found[size][divided], size, divided, query - 1)

    return explore(
        draw,
        size=choice("d", list(ch06.SIZES), value=64),
        divided=toggle("divide by √d", value=False),
        query=slider("query", 1, 20, value=1),
    )


SENTENCE = ("the", "cat", "near", "the", "dogs", "sleeps", "<pad>", "<pad>")


def mask_builder() -> Explorer:
    """Build a mask from its parts: who may look at whom, and what is left of the weights."""
    n = len(SENTENCE)
    rng = jax.random.split(jax.random.key(1), 2)
    queries, keys = (jax.random.normal(key, (n, 4)) for key in rng)
    i, j = np.arange(n)[:, None], np.arange(n)
    words = np.array([word != "<pad>" for word in SENTENCE])

    @functools.cache
    def weights(padding: bool, causal: bool, itself: bool, window: int):
        mask = np.ones((n, n), bool) & (np.abs(i - j) <= window)
        mask = mask & words if padding else mask
        mask = mask & (j <= i) if causal else mask
        mask = mask if itself else mask & (i != j)
        return mask, np.asarray(scaled_dot_product(queries, keys, keys, jnp.asarray(mask))[1])

    def draw(padding: bool, causal: bool, itself: bool, window: int, position: int):
        return figures.mask_map(SENTENCE, *weights(padding, causal, itself, window), position - 1)

    draw(True, True, True, 4, 1)  # compiled before a learner waits for it
    return explore(
        draw,
        padding=toggle("leave out padding", value=True),
        causal=toggle("leave out the future", value=True),
        itself=toggle("may look at itself", value=True),
        window=slider("farthest", 1, n - 1, value=4),
        position=slider("position", 1, n, value=2),
    )


@functools.cache
def sentences(count: int = 5) -> dict[str, int]:
    """Test sentences up to the verb, by their words: rows of the test sentences with two nouns or more in between."""
    test = corpora()[1]
    fits = (np.asarray(test.attractors) >= 2) & (np.asarray(test.verb) <= 24) & (np.asarray(test.distance) >= 8)
    subjects = np.asarray(test.tokens)[np.arange(len(fits)), np.asarray(test.subject)]
    once = (np.asarray(test.tokens) == subjects[:, None]).sum(1) == 1
    rows = np.flatnonzero(fits & once)[:count]
    return {test.text(int(row)): int(row) for row in rows}


def heads(model: Any) -> Explorer:
    """Any sentence in a trained reader: where each head of each layer looks."""
    test, vocab = corpora()[1], vocabulary()
    picks = sentences()

    @functools.lru_cache(32)
    def weights(indices: tuple[int, ...]) -> np.ndarray:
        width = -(-len(indices) // 16) * 16  # few shapes to compile
        tokens = np.zeros((1, width), np.int32)
        tokens[0, : len(indices)] = indices
        found = apply(model, _weights, jnp.asarray(tokens))
        return found[:, 0, :, : len(indices), : len(indices)]

    def draw(picked: int, typed: str, layer: int, head: int, word: int):
        if typed.strip():
            indices, marked = tuple(vocab.read(typed)), {}
        else:
            end = int(test.verb[picked])
            indices = tuple(np.asarray(test.tokens[picked])[: end + 1].tolist())
            marked = {int(test.subject[picked]): "subject"}
        words = [vocab.words[k] for k in indices]
        chosen = min(word, len(words)) - 1 if word else len(words) - (1 if typed.strip() else 2)
        return figures.head_map(words, weights(indices)[layer - 1], layer - 1, head - 1, chosen, marked)

    weights(tuple(np.asarray(test.tokens[next(iter(picks.values()))])[:16].tolist()))
    return explore(
        draw,
        picked=choice("sentence", picks),
        typed=text("or type one", ""),
        layer=choice("layer", list(range(1, ch06.LAYERS + 1)), value=ch06.LAYERS),
        head=slider("head", 1, ch06.HEADS, value=1),
        word=slider("word that looks (0: the last before the verb)", 0, 40, value=0),
    )


def _weights(model: Any, tokens: Any) -> Any:
    return model.look(tokens)[1]


def positions() -> Explorer:
    """Sinusoidal and rotary positions: the numbers of each place, and how one place compares with the others."""

    kinds, widths = ("sinusoidal", "rotary"), (8, 16, 32, 64)
    vectors = {(kind, width): np.asarray(_places(kind, width)) for kind in kinds for width in widths}

    def draw(kind: str, width: int, position: int):
        here = vectors[kind, width]
        return figures.positions_map(here, here @ here[position], position, kind)

    return explore(
        draw,
        kind=choice("positions", kinds),
        width=choice("numbers", widths, value=32),
        position=slider("position", 0, 63, value=20),
    )


@functools.partial(jax.jit, static_argnums=(0, 1))
def _places(kind: str, width: int, time: int = 64) -> Any:
    """Positions 0 to 63: their own vectors, or one vector of length 1 turned."""
    places = jnp.arange(time)
    return sinusoidal(places, width) if kind == "sinusoidal" else rotate(jnp.full((time, width), width**-0.5), places)
