"""The cache of keys and values as a table."""

from typing import Any

import numpy as np

from ..models.readers import AttentionLanguageModel
from ..models.self_attention import causal_mask, split_heads
from .machine import Edge, Machine, Node, Variant
from .parts import at, cells, edge, note, number, spaced, step, word
from .recurrence import read


def cache(
    model: AttentionLanguageModel, sentence: str = "the cat that slept near the dogs", layer: int = 0, head: int = 0
) -> Machine:
    """Keys and values of one head as a table that grows by one row a word, and what the newest query reads in it.

    model: as `experiments.ch06.well_trained`.   sentence: of at most 8 words.
    """
    words, tokens = read(sentence)
    keys, values, weights = (np.asarray(a) for a in _keys_values(model, tokens, layer, head))
    n, d = len(words), keys.shape[1]
    most = float(np.ceil(max(np.abs(keys).max(), np.abs(values).max())))
    ys, nys = spaced(n, 62, 62 + 38 * (n - 1)), spaced(n, 66, 66 + 38 * (n - 1))
    nodes: list[Node] = [
        note("k?", at(206, 26), at(124, 26, text="keys"), f"keys, {d} numbers", always=True, size="small"),
        note("v?", at(386, 26), at(232, 26, text="values"), f"values, {d} numbers", always=True, size="small"),
        note("a?", at(522, 26), at(322, 26), "weights", always=True, size="small"),
        note("new", at(626, 70), at(100, nys[-1] + 40), size="small", name="computed in this step"),
        note("old", at(626, 100), at(262, nys[-1] + 40), size="small", name="read from the cache"),
    ]
    edges: list[Edge] = []
    for t, text in enumerate(words):
        y, ny = ys[t], nys[t]
        row: dict[str, Any] = {"n": d, "across": d, "cell": (144 / d, 26), "scale": most, "role": "hidden"}
        nodes += [
            word(f"w{t}", at(46, y, w=76), at(32, ny, w=60), text, size="small", name=f"word {t + 1}", always=True),
            cells(f"k{t}", at(206, y), at(124, ny, cell=(96 / d, 24)), **row, name=f"key of “{text}”"),
            cells(f"v{t}", at(386, y), at(232, ny, cell=(96 / d, 24)), **row, name=f"value of “{text}”"),
            cells(
                f"a{t}",
                at(522, y),
                at(322, ny),
                n=1,
                cell=(50, 26),
                digits=2,
                share=True,
                role="attention",
                name=f"weight of “{text}”",
            ),
        ]
        edges += [
            edge(f"w{t}", f"k{t}"),
            edge(f"k{t}", f"v{t}", "hidden", arrow=False),
            edge(f"a{t}", f"v{t}", "attention"),
        ]
    steps = []
    for t, text in enumerate(words):
        rows = range(t + 1)
        best = int(weights[t, : t + 1].argmax())
        saved = (
            f"The {t} rows above are read, and not computed again. "
            if t > 1
            else "The row above is read, and not computed again. "
            if t
            else ""
        )
        steps.append(
            step(
                f"“{text}” adds one row.",
                f"{saved}Its query puts most weight on “{words[best]}” ({number(weights[t, best])}).",
                [f"w{t}", "|", f"w{t}>k{t} k{t} k{t}>v{t} v{t}", "|", *(f"a{s} a{s}>v{s}" for s in rows), "new old"],
                {
                    f"k{t}": keys[t],
                    f"v{t}": values[t],
                    **{f"a{s}": [weights[t, s]] for s in rows},
                    **{f"a{s}>v{s}": weights[t, s] for s in rows},
                    "new": f"new: {2 * d} numbers",
                    "old": f"read: {2 * d * (t + 1)}",
                },
            )
        )
    total, again = 2 * d * n, d * n * (n + 1)
    steps.append(
        step(
            "What the table is worth.",
            f"{total} numbers were computed for {n} words; without the cache, {again}. The price: {total} numbers of memory in this head.",
            [f"{c}{t}" for t in range(n) for c in "kv"],
        )
    )
    return Machine(
        title="The cache is a table that grows by one row a word",
        teaches="Keys and values of earlier words never change, so each new word computes one row and reads the rest.",
        alt=f"A table with a row for each word of “{sentence}”: its key, its value, and the weight that the newest word gives it.",
        wide=(680, int(ys[-1]) + 22),
        narrow=(354, int(nys[-1]) + 56),
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=(Variant("", tuple(steps)),),
        called={"hidden": "key and value", "attention": "weight"},
    )


def _keys_values(model: Any, tokens: Any, layer: int, head: int) -> tuple[Any, Any, Any]:
    """Keys and values `[time, key]` of one head, and its weights `[time, time]`."""
    x, mask = model.words(tokens), causal_mask(tokens.shape[1])
    for one in model.blocks[:layer]:
        x = one(x, mask)
    one = model.blocks[layer]
    inner = one.attention_norm(x)
    keys, values = (
        split_heads(make(inner), one.attention.heads)[0, head] for make in (one.attention.key, one.attention.value)
    )
    weights = one.attention.look(inner, one.attention.remember(inner), mask)[1]
    return keys, values, weights[0, head]
