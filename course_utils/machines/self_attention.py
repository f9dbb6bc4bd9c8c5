"""Self-attention: queries, keys and values of three words, and what a mask shuts out."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..data.agreement import vocabulary
from ..models.attention import masked_softmax
from ..models.self_attention import causal_mask, scaled_dot_product, scaled_scores, split_heads
from ..runtime import require
from .machine import Edge, Machine, Node, Step, Variant, at, cells, edge, note, number, spaced, step, word

WORDS = ("the", "cat", "slept")
VECTORS = ((1.0, 0.0), (0.0, 1.0), (1.0, -1.0))
W_QUERY, W_KEY, W_VALUE = ((1.0, 2.0), (-1.0, 1.0)), ((1.0, 0.5), (0.5, 1.5)), ((2.0, 0.0), (0.0, -1.0))
Matrix = Sequence[Sequence[float]]


def three_words(
    words: Sequence[str] = WORDS, vectors: Matrix = VECTORS, W_q: Matrix = W_QUERY, W_k: Matrix = W_KEY, W_v: Matrix = W_VALUE
) -> Machine:  # fmt: skip
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
        *(note(f"{c}?", at(wide[c], 26), at(narrow[c], 24), text, always=True, size="small") for c, text in heads.items()),
        note("e?", at(wide["e"], 26), at(130, 206), "score $q·k$", always=True, size="small"),
        note("a?", at(wide["a"], 26), at(226, 206), "weight", always=True, size="small"),
        cells("z", at(616, 262, side="left"), at(306, 290), **pair, role="attention", label="$z$", name="$z$, what is found"),
    ]
    edges: list[Edge] = []
    for j, text in enumerate(words):
        y, ny, low = ys[j], nys[j], lows[j]
        nodes += [
            word(f"w{j}", at(34, y, w=62), at(28, ny, w=52), text, size="small", name=f"word {j + 1}", always=True),
            *(cells(f"{c}{j}", at(wide[c], y), at(narrow[c], ny, cell=(33, 26)), **pair,
                    role={"q": "attention", "x": "plain"}.get(c, "hidden"), name=f"{heads[c].strip('$')} of “{text}”") for c in "xqkv"),
            cells(f"e{j}", at(wide["e"], y), at(130, low), n=1, cell=(50, 28), digits=2, scale=6.0, role="attention", name=f"score of “{text}”"),
            cells(f"a{j}", at(wide["a"], y), at(226, low), n=1, cell=(50, 28), digits=2, share=True, role="attention", name=f"weight of “{text}”"),
            note(f"l{j}", at(wide["a"], 0, text=""), at(56, low), text, always=True, size="small"),
        ]  # fmt: skip
        edges += [
            edge(f"w{j}", f"x{j}", arrow=False), edge(f"x{j}", f"q{j}"),
            edge(f"k{j}", f"e{j}", "hidden", narrow={"quiet": True, "via": [(270, ny + 23), (270, 190), (88, 190), (88, low)]}),
            edge(f"e{j}", f"a{j}", "attention"),
            edge(f"a{j}", f"v{j}", "attention", narrow={"quiet": True, "via": [(264, low), (264, 216), (348, 216), (348, ny)]}),
            edge(f"v{j}", "z", "attention", quiet=True, wide={"via": [(666, y), (666, 262)]}, narrow={"via": [(348, ny), (348, 290)]}),
        ]  # fmt: skip
        edges += [
            edge(f"q{i}", f"e{j}", "attention", quiet=True, wide={"via": [(276, ys[i]), (276, y - 22), (wide["e"], y - 22)]},
                 narrow={"via": [(198, nys[i]), (198, low - 22), (130, low - 22)]}) for i in range(3)
        ]  # fmt: skip
    variants = tuple(Variant(f"“{text}” asks", tuple(_asks(i, list(words), x, q, k, v, scores, weights, z))) for i, text in enumerate(words))
    return Machine(
        title="One word asks, all words answer",
        teaches="A word's query is compared with every key, softmax makes weights of the scores, and the values are blended with them.",
        alt="Three words in three rows. Each has a vector and made from it a query, a key and a value; then a score and a "
        "weight; below is the blend.",
        wide=(676, 286), narrow=(356, 362), choose="Word that asks", called={"hidden": "key and value", "attention": "query and weights"}, nodes=tuple(nodes), edges=tuple(edges), variants=variants,
    )  # fmt: skip


def _asks(i: int, words: list[str], x: Any, q: Any, k: Any, v: Any, scores: Any, weights: Any, z: Any) -> list[Step]:
    every = range(3)
    best, other = int(weights[i].argmax()), int(scores[i].argmax())
    product = " + ".join(f"{_bracket(q[i, d])} × {_bracket(k[other, d])}" for d in range(2))
    return [
        step("Three vectors for each word.", "The same three matrices make a query, a key and a value of every word's vector.",
             [*(f"x{j} x{j}>q{j}" for j in every), "|", *(f"{c}{j}" for c in "qkv" for j in every)],
             {**{f"{c}{j}": a[j] for c, a in zip("xqkv", (x, q, k, v), strict=True) for j in every}, **{f"e{j}": None for j in every},
              **{f"a{j}": None for j in every}, "z": None}),
        step(f"The query of “{words[i]}” meets every key.", f"The score is a dot product. With “{words[other]}”: {product} = {number(scores[i, other])}.",
             [f"q{i}", *(f"k{j}" for j in every), *(f"q{i}>e{j} k{j}>e{j} e{j}" for j in every)], {f"e{j}": [scores[i, j]] for j in every}, fresh=True),
        step("Scores become weights.", f"They are divided by √2, and softmax makes them sum to 1. “{words[best]}” gets {number(weights[i, best])}.",
             [f"e{j} e{j}>a{j} a{j}" for j in every], {f"a{j}": [weights[i, j]] for j in every}),
        step("The values are blended.", f"Each value counts as much as its weight: $z$ is ({number(z[i, 0], 1)}, {number(z[i, 1], 1)}).",
             [*(f"a{j} a{j}>v{j} v{j}" for j in every), "|", *(f"v{j}>z" for j in every), "z"],
             {**{f"{edge}": weights[i, j] for j in every for edge in (f"a{j}>v{j}", f"v{j}>z")}, "z": z[i]}),
    ]  # fmt: skip


def _bracket(value: float) -> str:
    return f"({number(value, 1)})" if value < 0 else number(value, 1)


# ----------------------------------------------------------------------------------------------------------- masks


def masks(model: Any, sentence: str = "the cat that slept", layer: int = 0, head: int = 1) -> Machine:
    """Scores and weights of one head of a language model under three masks, as two grids; the last position is padding.

    model: as `experiments.ch06.well_trained`.   sentence: of at most 5 words.
    """
    indices = [*vocabulary().read(sentence), vocabulary().pad]
    require(len(indices) <= 7, f"The grid has room for 5 words; this sentence has {len(indices) - 2}.")
    words = [vocabulary().words[i] for i in indices]
    scores = _scores(model, jnp.asarray([indices]), layer, head)
    n = len(words)
    places = np.arange(n)
    causal = np.asarray(causal_mask(n))
    is_word = np.broadcast_to(places < n - 1, (n, n))
    allowed = {"no mask": np.ones((n, n), bool), "causal mask": causal, "causal and padding": causal & is_word}
    side, nside = 264 / n, 288 / n
    top, low = 60, 60 + 30 * n + 66
    nodes: list[Node] = [
        note("e?", at(210, 14), at(204, 14), "scores: who asks (rows), who is asked (columns)", always=True, size="small"),
        note("a?", at(536, 14), at(204, low - 46), "weights after softmax", always=True, size="small"),
    ]
    for i, text in enumerate(words):
        y, ny = top + 15 + 30 * i, low + 15 + 30 * i
        nodes += [
            note(f"r{i}", at(70, y, anchor="end"), at(54, y, anchor="end"), text, always=True, size="small"),
            note(f"s{i}", at(672, y, anchor="end", text=""), at(54, ny, anchor="end"), text, always=True, size="small"),
            note(f"c{i}", at(210 + side * (i - (n - 1) / 2), top - 20), at(204 + nside * (i - (n - 1) / 2), top - 20), text, always=True, size="tiny"),
            note(f"d{i}", at(536 + side * (i - (n - 1) / 2), top - 20), at(204 + nside * (i - (n - 1) / 2), low - 20), text, always=True, size="tiny"),
            cells(f"e{i}", at(210, y, cell=(side, 27)), at(204, y, cell=(nside, 27)), n=n, across=n, cell=(40, 27), digits=1, scale=4.0,
                  role="plain", size="small", name=f"scores of “{text}”"),
            cells(f"a{i}", at(536, y, cell=(side, 27)), at(204, ny, cell=(nside, 27)), n=n, across=n, cell=(40, 27), digits=2, share=True,
                  role="attention", size="small", name=f"weights of “{text}”"),
        ]  # fmt: skip
    return Machine(
        title="A mask decides who may be looked at",
        teaches="Where the mask shuts a position out, its score is −∞ and its weight is exactly 0; the rest still sums to 1.",
        alt=f"Two grids of {n} by {n}: the scores of every word with every word, and the weights that softmax makes of them.",
        wide=(676, 70 + 30 * n), narrow=(354, low + 30 * n + 8), choose="Mask", called={"attention": "attention weight"}, nodes=tuple(nodes), edges=(),
        variants=tuple(Variant(name, tuple(_masked(words, scores, mask))) for name, mask in allowed.items()),
    )  # fmt: skip


def _scores(model: Any, tokens: Any, layer: int, head: int) -> Float[np.ndarray, "time time"]:
    """q · k / √d of one head."""
    x = model.words(tokens)
    for block in model.blocks[:layer]:
        x = block(x, causal_mask(tokens.shape[1]))[0]
    block = model.blocks[layer]
    inner = block.attention_norm(x)
    q, k = (split_heads(make(inner), block.attention.heads)[0, head] for make in (block.attention.query, block.attention.key))
    return np.asarray(scaled_scores(q, k))


def _masked(words: list[str], scores: np.ndarray, mask: np.ndarray) -> list[Step]:
    n = len(words)
    rows, weights = range(n), np.asarray(masked_softmax(jnp.asarray(scores), jnp.asarray(mask)))
    hidden = int((~mask).sum())
    steps = [
        step("Every query meets every key.", f"{n} × {n} scores of one head, with <pad> as the last position. A word may look ahead, and at padding.",
             [f"e{i}" for i in rows], {**{f"e{i}": scores[i] for i in rows}, **{f"a{i}": None for i in rows}}),
    ]  # fmt: skip
    if hidden:
        blocked = [i for i in rows if not mask[i].all()]
        steps.append(step("The mask sets scores to −∞.", f"{hidden} of {n * n} pairs are shut out."
                          + (" No word sees a later one." if not np.tril(mask, -1).all() or mask[0, -1] == 0 else ""),
                          [f"e{i}" for i in blocked], {f"e{i}": [float(scores[i, j]) if mask[i, j] else "−∞" for j in rows] for i in blocked}))  # fmt: skip
    ahead = float(np.triu(weights, 1)[:-1].sum(1).mean())
    text = ("Each row sums to 1 over what is left; e to the −∞ is exactly 0." if hidden else
            f"Each row sums to 1. On average {number(ahead)} of a word's weight lies on words that come later: it reads what it should predict.")  # fmt: skip
    steps.append(step("Softmax makes weights.", text, [f"{c}{i}" for c in "ea" for i in rows], {f"a{i}": weights[i] for i in rows}))
    return steps
