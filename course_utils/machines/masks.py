"""What a mask shuts out, before and after softmax."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..data.agreement import vocabulary
from ..models.attention import masked_softmax
from ..models.self_attention import causal_mask, scaled_scores, split_heads
from ..runtime import require
from .machine import Machine, Node, Step, Variant
from .parts import at, cells, note, number, step


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
    allowed = {"causal mask": causal, "no mask": np.ones((n, n), bool), "causal and padding": causal & is_word}
    side, nside = 264 / n, 288 / n
    top, low = 60, 60 + 30 * n + 66
    nodes: list[Node] = [
        note(
            "e?", at(210, 14), at(204, 14), "scores: who asks (rows), who is asked (columns)", always=True, size="small"
        ),
        note("a?", at(536, 14), at(204, low - 46), "weights after softmax", always=True, size="small"),
    ]
    for i, text in enumerate(words):
        y, ny = top + 15 + 30 * i, low + 15 + 30 * i
        nodes += [
            note(f"r{i}", at(70, y, anchor="end"), at(54, y, anchor="end"), text, always=True, size="small"),
            note(f"s{i}", at(672, y, anchor="end", text=""), at(54, ny, anchor="end"), text, always=True, size="small"),
            note(
                f"c{i}",
                at(210 + side * (i - (n - 1) / 2), top - 20),
                at(204 + nside * (i - (n - 1) / 2), top - 20),
                text,
                always=True,
                size="tiny",
            ),
            note(
                f"d{i}",
                at(536 + side * (i - (n - 1) / 2), top - 20),
                at(204 + nside * (i - (n - 1) / 2), low - 20),
                text,
                always=True,
                size="tiny",
            ),
            cells(
                f"e{i}",
                at(210, y, cell=(side, 27)),
                at(204, y, cell=(nside, 27)),
                n=n,
                across=n,
                cell=(40, 27),
                digits=1,
                scale=4.0,
                role="plain",
                size="small",
                name=f"scores of “{text}”",
            ),
            cells(
                f"a{i}",
                at(536, y, cell=(side, 27)),
                at(204, ny, cell=(nside, 27)),
                n=n,
                across=n,
                cell=(40, 27),
                digits=2,
                share=True,
                role="attention",
                size="small",
                name=f"weights of “{text}”",
            ),
        ]
    return Machine(
        title="A mask decides who may be attended to",
        teaches="Where the mask shuts a position out, its score is −∞ and its weight is exactly 0; the rest still sums to 1.",
        alt=f"Two grids of {n} by {n}: the scores of every word with every word, and the weights that softmax makes of them.",
        wide=(676, 70 + 30 * n),
        narrow=(354, low + 30 * n + 8),
        choose="Mask",
        called={"attention": "attention weight"},
        nodes=tuple(nodes),
        edges=(),
        variants=tuple(Variant(name, tuple(_masked(words, scores, mask))) for name, mask in allowed.items()),
    )


def _scores(model: Any, tokens: Any, layer: int, head: int) -> Float[np.ndarray, "time time"]:
    """q · k / √d of one head."""
    x = model.words(tokens)
    for block in model.blocks[:layer]:
        x = block(x, causal_mask(tokens.shape[1]))
    block = model.blocks[layer]
    inner = block.attention_norm(x)
    q, k = (
        split_heads(make(inner), block.attention.heads)[0, head]
        for make in (block.attention.query, block.attention.key)
    )
    return np.asarray(scaled_scores(q, k))


def _masked(words: list[str], scores: np.ndarray, mask: np.ndarray) -> list[Step]:
    n = len(words)
    rows, weights = range(n), np.asarray(masked_softmax(jnp.asarray(scores), jnp.asarray(mask)))
    hidden = int((~mask).sum())
    steps = [
        step(
            "Every query meets every key.",
            f"{n} × {n} scores of one head, with <pad> as the last position. A word may attend to later ones, and to padding.",
            [f"e{i}" for i in rows],
            {**{f"e{i}": scores[i] for i in rows}, **{f"a{i}": None for i in rows}},
        ),
    ]
    if hidden:
        blocked = [i for i in rows if not mask[i].all()]
        steps.append(
            step(
                "The mask sets scores to −∞.",
                f"{hidden} of {n * n} pairs are shut out."
                + (" No word sees a later one." if not np.tril(mask, -1).all() or mask[0, -1] == 0 else ""),
                [f"e{i}" for i in blocked],
                {f"e{i}": [float(scores[i, j]) if mask[i, j] else "−∞" for j in rows] for i in blocked},
            )
        )
    ahead = float(np.triu(weights, 1)[:-1].sum(1).mean())
    text = (
        "Each row sums to 1 over what is left; e to the −∞ is exactly 0."
        if hidden
        else f"Each row sums to 1. On average {number(ahead)} of it is on later words: the model reads what it should predict."
    )
    steps.append(
        step(
            "Softmax makes weights.", text, [f"{c}{i}" for c in "ea" for i in rows], {f"a{i}": weights[i] for i in rows}
        )
    )
    return steps
