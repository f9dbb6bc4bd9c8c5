"""Self-attention on three words: queries, keys, values, and the blend."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..models.self_attention import scaled_dot_product
from ..runtime import require
from .machine import Edge, Machine, Node, Role, Step, Variant
from .parts import at, cells, edge, note, number, spaced, step, word

WORDS = ("the", "cat", "slept")
VECTORS = ((1.0, 0.0), (0.0, 1.0), (1.0, -1.0))
W_QUERY, W_KEY, W_VALUE = ((1.0, 2.0), (-1.0, 1.0)), ((1.0, 0.5), (0.5, 1.5)), ((2.0, 0.0), (0.0, -1.0))
ROLES: dict[str, Role] = {"x": "plain", "q": "attention", "k": "hidden", "v": "hidden"}
Matrix = Sequence[Sequence[float]]


def three_words(
    words: Sequence[str] = WORDS,
    vectors: Matrix = VECTORS,
    W_q: Matrix = W_QUERY,
    W_k: Matrix = W_KEY,
    W_v: Matrix = W_VALUE,
) -> Machine:
    """Self-attention on three words of two numbers each, computed by `scaled_dot_product`; one variant a word that asks.

    vectors: `[3, 2]`.   W_q, W_k, W_v: `[2, 2]`, stored as the equation writes them: q = W_q x.
    """
    x, *matrices = (jnp.asarray(values, jnp.float32) for values in (vectors, W_q, W_k, W_v))
    require(len(words) == 3 and x.shape == (3, 2), f"Three words of two numbers are asked for, not {x.shape}.")
    require(all(W.shape == (2, 2) for W in matrices), "W_q, W_k and W_v must be 2 by 2.")
    q, k, v = (np.asarray(x @ W.T) for W in matrices)
    scores = q @ k.T
    z, weights = (np.asarray(a) for a in scaled_dot_product(*(jnp.asarray(a) for a in (q, k, v))))
    scale = float(np.ceil(max(np.abs(a).max() for a in (x, q, k, v))))
    ys, nys, lows = spaced(3, 74, 194), spaced(3, 64, 156), spaced(3, 244, 336)
    pair: dict[str, Any] = {"n": 2, "across": 2, "cell": (36, 28), "digits": 1, "scale": scale, "size": "small"}
    wide = {"x": 122, "q": 222, "k": 330, "e": 438, "a": 516, "v": 616}
    narrow = {"x": 90, "q": 162, "k": 234, "v": 306}
    heads = {"x": "$x$", "q": "query", "k": "key", "v": "value"}
    nodes: list[Node] = [
        *(
            note(f"{c}?", at(wide[c], 26), at(narrow[c], 24), text, always=True, size="small")
            for c, text in heads.items()
        ),
        note("e?", at(wide["e"], 26), at(130, 206), "score $q·k$", always=True, size="small"),
        note("a?", at(wide["a"], 26), at(226, 206), "weight", always=True, size="small"),
        cells(
            "z",
            at(616, 262, side="left"),
            at(306, 290),
            **pair,
            role="attention",
            label="$z$",
            name="$z$, what is found",
        ),
    ]
    edges: list[Edge] = []
    for j, text in enumerate(words):
        y, ny, low = ys[j], nys[j], lows[j]
        nodes += [
            word(f"w{j}", at(34, y, w=62), at(28, ny, w=52), text, size="small", name=f"word {j + 1}", always=True),
            *(
                cells(
                    f"{c}{j}",
                    at(wide[c], y),
                    at(narrow[c], ny, cell=(33, 26)),
                    **pair,
                    role=ROLES[c],
                    name=f"{heads[c].strip('$')} of “{text}”",
                )
                for c in "xqkv"
            ),
            cells(
                f"e{j}",
                at(wide["e"], y),
                at(130, low),
                n=1,
                cell=(50, 28),
                digits=2,
                scale=6.0,
                role="attention",
                name=f"score of “{text}”",
            ),
            cells(
                f"a{j}",
                at(wide["a"], y),
                at(226, low),
                n=1,
                cell=(50, 28),
                digits=2,
                share=True,
                role="attention",
                name=f"weight of “{text}”",
            ),
            note(f"l{j}", at(wide["a"], 0, text=""), at(56, low), text, always=True, size="small"),
        ]
        edges += [
            edge(f"w{j}", f"x{j}", arrow=False),
            edge(f"x{j}", f"q{j}"),
            edge(
                f"k{j}",
                f"e{j}",
                "hidden",
                narrow={"quiet": True, "via": [(270, ny + 23), (270, 190), (88, 190), (88, low)]},
            ),
            edge(f"e{j}", f"a{j}", "attention"),
            edge(
                f"a{j}",
                f"v{j}",
                "attention",
                narrow={"quiet": True, "via": [(264, low), (264, 216), (348, 216), (348, ny)]},
            ),
            edge(
                f"v{j}",
                "z",
                "attention",
                quiet=True,
                wide={"via": [(666, y), (666, 262)]},
                narrow={"via": [(348, ny), (348, 290)]},
            ),
        ]
        edges += [
            edge(
                f"q{i}",
                f"e{j}",
                "attention",
                quiet=True,
                wide={"via": [(276, ys[i]), (276, y - 22), (wide["e"], y - 22)]},
                narrow={"via": [(198, nys[i]), (198, low - 22), (130, low - 22)]},
            )
            for i in range(3)
        ]
    variants = tuple(
        Variant(f"“{text}” asks", tuple(_asks(i, list(words), x, q, k, v, scores, weights, z)))
        for i, text in enumerate(words)
    )
    return Machine(
        title="One word asks, all words answer",
        teaches="A word's query is compared with every key, softmax makes weights of the scores, and the values are blended with them.",
        alt="Three words in three rows. Each has a vector and made from it a query, a key and a value; then a score and a "
        "weight; below is the blend.",
        wide=(676, 286),
        narrow=(356, 362),
        choose="Word that asks",
        called={"hidden": "key and value", "attention": "query and weights"},
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=variants,
    )


def _asks(i: int, words: list[str], x: Any, q: Any, k: Any, v: Any, scores: Any, weights: Any, z: Any) -> list[Step]:
    every = range(3)
    best, other = int(weights[i].argmax()), int(scores[i].argmax())
    product = " + ".join(f"{_bracket(q[i, d])} × {_bracket(k[other, d])}" for d in range(2))
    return [
        step(
            "Three vectors for each word.",
            "The same three matrices make a query, a key and a value of every word's vector.",
            [*(f"w{j} w{j}>x{j} x{j} x{j}>q{j}" for j in every), "|", *(f"{c}{j}" for c in "qkv" for j in every)],
            {
                **{f"{c}{j}": a[j] for c, a in zip("xqkv", (x, q, k, v), strict=True) for j in every},
                **{f"e{j}": None for j in every},
                **{f"a{j}": None for j in every},
                "z": None,
            },
        ),
        step(
            f"The query of “{words[i]}” meets every key.",
            f"The score is a dot product. With “{words[other]}”: {product} = {number(scores[i, other])}.",
            [f"q{i}", *(f"k{j}" for j in every), *(f"q{i}>e{j} k{j}>e{j} e{j}" for j in every)],
            {f"e{j}": [scores[i, j]] for j in every},
            fresh=True,
        ),
        step(
            "Scores become weights.",
            f"They are divided by √2, and softmax makes them sum to 1. “{words[best]}” gets {number(weights[i, best])}.",
            [f"e{j} e{j}>a{j} a{j}" for j in every],
            {f"a{j}": [weights[i, j]] for j in every},
        ),
        step(
            "The values are blended.",
            f"Each value counts as much as its weight: $z$ is ({number(z[i, 0], 1)}, {number(z[i, 1], 1)}).",
            [*(f"a{j} a{j}>v{j} v{j}" for j in every), "|", *(f"v{j}>z" for j in every), "z"],
            {**{f"{edge}": weights[i, j] for j in every for edge in (f"a{j}>v{j}", f"v{j}>z")}, "z": z[i]},
        ),
    ]


def _bracket(value: Any) -> str:
    return f"({number(value, 1)})" if value < 0 else number(value, 1)
