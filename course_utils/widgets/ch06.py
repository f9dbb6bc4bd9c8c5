"""Explorers of chapter 06: a soft dictionary, √d, masks, the heads of a trained model, and positions."""

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.agreement import vocabulary
from ..experiments import ch06
from ..experiments.agreement import corpora
from ..figures import self_attention as figures
from ..machines import Machine
from ..machines.self_attention import VECTORS, WORDS
from ..machines.self_attention import three_words as machine
from ..measure.inside import reader_weights
from ..measure.softmax import random_vectors, saturation
from ..models.positions import rotate, sinusoidal
from ..models.run import apply
from ..models.self_attention import scaled_dot_product
from .explore import Drag, Explorer, choice, explore, slider, text, toggle

# A small dictionary: each animal's key (land and size), and its value, how many legs it has.
ANIMALS = ("dog", "hen", "spider", "carp", "whale", "crab")
KEYS = np.array([[1.2, 0.9], [1.2, -0.1], [1.0, -1.1], [-1.2, -0.5], [-1.2, 1.2], [-0.1, -1.1]])
LEGS = np.array([4.0, 2.0, 8.0, 0.0, 0.0, 10.0])


def look_up(query: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights of the animals for a query `[2]`, and the blend of their legs."""
    queries, keys, values = (jnp.asarray(a, jnp.float32) for a in (query[None], KEYS, LEGS[:, None]))
    blend, weights = scaled_dot_product(queries, keys, values)
    return np.asarray(weights)[0], float(blend[0, 0])


def soft_dictionary() -> Explorer:
    """Turn and stretch a query in the plane: the weights of the entries and the blended value follow."""

    def draw(angle: float, length: float):
        query = length * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        return figures.soft_dictionary(ANIMALS, KEYS, LEGS, query, look_up(query)[0], "legs")

    def place(angle: float, length: float) -> tuple[float, float]:
        """The tip of the query as it is drawn."""
        x, y = min(length, figures.REACH) * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        return float(x), float(y)

    def to(x: float, y: float, angle: float, length: float) -> dict[str, float]:
        """The query whose tip is here; one that is drawn to the edge keeps its length along the edge."""
        drawn = float(np.hypot(x, y))
        kept = length > figures.REACH and abs(drawn - figures.REACH) < 0.25
        return {"angle": float(np.degrees(np.arctan2(y, x))) % 360, "length": length if kept else drawn}

    return explore(
        draw,
        presets={
            "a blend": {"angle": 20, "length": 2},
            "a look-up": {"angle": 20, "length": 12},
            "between land and water": {"angle": 270, "length": 4},
            "no direction": {"length": 0},
            "turned round": {"angle": 200, "length": 1.5},
        },
        drags=[Drag("tip of the query", place, to)],
        angle=slider("angle of the query", 0, 359, 1, value=20),
        length=slider("length of the query", 0, 12, 0.1, value=2),
    )


def root_of_d() -> Explorer:
    """Scores of random vectors and their softmax, for vectors of d numbers, divided by √d or not."""
    saturations = {}
    for size in ch06.SIZES:
        vectors = random_vectors(jax.random.fold_in(jax.random.key(0), size), size)
        saturations[size] = {True: saturation(*vectors, size**-0.5), False: saturation(*vectors, 1.0)}

    def draw(size: int, divided: bool, query: int):
        return figures.scores_and_weights(saturations[size][divided], size, divided, query - 1)

    return explore(
        draw,
        presets={
            "64 numbers": {},
            "64 numbers, divided": {"divided": True},
            "1,024 numbers": {"size": 1024},
            "1,024 numbers, divided": {"size": 1024, "divided": True},
            "4 numbers": {"size": 4},
        },
        size=choice("d", list(ch06.SIZES), value=64),
        divided=toggle("divide by √d", value=False),
        query=slider("query", 1, 20, value=1),
    )


SENTENCE = ("the", "cat", "near", "the", "dogs", "sleeps", "<pad>", "<pad>")
NAMES = [f"{i} {word}" for i, word in enumerate(SENTENCE, 1)]  # as the map names them


def three_words() -> Explorer:
    """Queries, keys and values of three words whose vectors can be changed."""
    names = [f"{word} {place}" for word in WORDS for place in "12"]
    alike, louder = VECTORS[1], tuple(3 * number for number in VECTORS[1])
    controls = {
        name.replace(" ", "_"): slider(name, -3, 3, 0.5, value=number)
        for name, number in zip(names, itertools.chain.from_iterable(VECTORS), strict=True)
    }

    def draw(**numbers: float) -> Machine:
        return machine(vectors=np.reshape([*numbers.values()], (len(WORDS), -1)).tolist())

    presets = {
        "three words": {},
        "“slept” is like “cat”": dict(zip(("slept_1", "slept_2"), alike, strict=True)),
        "a longer vector for “cat”": dict(zip(("cat_1", "cat_2"), louder, strict=True)),
    }
    return Explorer(draw, controls, presets)


def mask_builder() -> Explorer:
    """Build a mask from its parts: which word may attend to which, and what is left of the weights."""
    n = len(SENTENCE)
    rng = jax.random.split(jax.random.key(1), 2)
    queries, keys = (jax.random.normal(key, (n, 4)) for key in rng)
    i, j = np.arange(n)[:, None], np.arange(n)
    words = np.array([word != "<pad>" for word in SENTENCE])

    @functools.cache
    def weights(padding: bool, causal: bool, itself: bool, window: int):
        mask = np.abs(i - j) <= (window or n)
        mask = mask & words if padding else mask
        mask = mask & (j <= i) if causal else mask
        mask = mask if itself else mask & (i != j)
        return mask, np.asarray(scaled_dot_product(queries, keys, keys, jnp.asarray(mask))[1])

    def draw(padding: bool, causal: bool, itself: bool, window: int, position: int):
        return figures.mask_map(SENTENCE, *weights(padding, causal, itself, window), position - 1)

    draw(True, True, True, 0, 1)  # compiled before a learner waits for it
    return explore(
        draw,
        presets={
            "causal": {},
            "the future leaks": {"causal": False},
            "padding leaks": {"padding": False, "causal": False},
            "two words back at most": {"window": 2},
            "nowhere to attend": {"itself": False, "position": 1},
            "a window to both sides": {"window": 1, "causal": False},
        },
        click=lambda x, y, **values: {"position": NAMES.index(y) + 1} if y in NAMES else {},
        padding=toggle("leave out padding", value=True),
        causal=toggle("leave out the future", value=True),
        itself=toggle("may look at itself", value=True),
        window=slider("words away at most (0: any)", 0, n - 2, value=0),
        position=slider("position", 1, n, value=6),
    )


@functools.cache
def examples(count: int = 5) -> dict[str, int]:
    """Test sentences to choose from, by their words: rows of `ch06.test()` with two nouns or more before the verb."""
    test = corpora()[1]
    far = (np.asarray(test.attractors) >= 2) & (np.asarray(test.verb) <= 24) & (np.asarray(test.distance) >= 8)
    subjects = np.asarray(test.tokens)[np.arange(len(far)), np.asarray(test.subject)]
    once = (np.asarray(test.tokens) == subjects[:, None]).sum(1) == 1
    rows = np.flatnonzero(far & once)[:count]
    return {test.text(int(row)): int(row) for row in rows}


def heads(model: Any) -> Explorer:
    """Any sentence in a trained model: what each head of each layer attends to."""
    test, vocab = corpora()[1], vocabulary()
    picks = examples()

    @functools.lru_cache(32)
    def weights(indices: tuple[int, ...]) -> np.ndarray:
        width = -(-len(indices) // 16) * 16  # few shapes to compile
        tokens = np.zeros((1, width), np.int32)
        tokens[0, : len(indices)] = indices
        of_layers = apply(model, _weights, jnp.asarray(tokens))
        return of_layers[:, 0, :, : len(indices), : len(indices)]

    def draw(picked: int, typed: str, layer: int, head: int, word: int):
        if typed.strip():
            indices, marked = tuple(vocab.read(typed)), {}
            before_verb = len(indices)
        else:
            before_verb = int(test.verb[picked])
            indices = tuple(np.asarray(test.tokens[picked])[: before_verb + 1].tolist())
            marked = {int(test.subject[picked]): "subject"}
        words = [vocab.words[k] for k in indices]
        chosen = min(word or before_verb, len(words)) - 1
        return figures.head_map(words, weights(indices)[layer - 1], layer - 1, head - 1, chosen, marked)

    opening = next(iter(picks.values()))
    before_verb = int(test.verb[opening])
    indices = tuple(np.asarray(test.tokens[opening])[: before_verb + 1].tolist())
    looks = weights(indices)[:, :, before_verb - 1]  # of each head where the verb is due, [layers, heads, words]
    share = {"the subject": looks[..., int(test.subject[opening])], "the first word": looks[..., 0]}
    share = {f"most weight on {what}": of_heads for what, of_heads in share.items()} | {
        "most even": -(looks**2).sum(-1)
    }
    presets = {}
    for name, of_heads in share.items():
        layer, head = np.unravel_index(of_heads.argmax(), of_heads.shape)
        presets[name] = {"layer": int(layer) + 1, "head": int(head) + 1}
    return explore(
        draw,
        presets=presets,
        picked=choice("sentence", picks),
        typed=text("or type one", ""),
        layer=choice("layer", list(range(1, ch06.LAYERS + 1)), value=ch06.LAYERS),
        head=slider("head", 1, ch06.HEADS, value=1),
        word=slider("word that looks (0: the last before the verb)", 0, 40, value=0),
    )


def _weights(model: Any, tokens: Any) -> Any:
    return reader_weights(model, tokens)


def positions() -> Explorer:
    """Sinusoidal and rotary positions: the numbers of each, and how one position compares with the others."""
    kinds, widths = ("sinusoidal", "rotary"), (8, 16, 32, 64)
    vectors = {(kind, width): np.asarray(_vectors(kind, width)) for kind in kinds for width in widths}

    def draw(kind: str, width: int, position: int):
        rows = vectors[kind, width]
        return figures.positions_map(rows, rows @ rows[position], position, kind)

    return explore(
        draw,
        presets={
            "sinusoidal": {},
            "rotary": {"kind": "rotary"},
            "slower waves": {"width": 64},
            "few waves": {"width": 8},
            "near the end": {"position": 54},
        },
        kind=choice("positions", kinds),
        width=choice("numbers", widths, value=32),
        position=slider("position", 0, 63, value=20),
    )


@functools.partial(jax.jit, static_argnums=(0, 1))
def _vectors(kind: str, width: int, time: int = 64) -> jax.Array:
    """A vector for each of the positions 0 to 63: its own, or one of norm 1 turned."""
    positions = jnp.arange(time)
    if kind == "sinusoidal":
        return sinusoidal(positions, width)
    return rotate(jnp.full((time, width), width**-0.5), positions)
