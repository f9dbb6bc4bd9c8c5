"""Beam search as a tree."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.english_french import read, vocabularies
from ..decoding import BOS, EOS
from ..models.run import apply
from ..runtime import require
from .machine import Machine, Node, Variant
from .parts import at, box, edge, number, spaced, step, word

SENTENCE = "I see our black cat"


def beam_tree(model: Any, sentence: str = SENTENCE, size: int = 2, levels: int = 4) -> Machine:
    """The first `levels` steps of a beam search: the `size` best beginnings go on, the others end here."""
    require(
        1 <= size <= 2 and 1 <= levels <= 5, f"The tree has room for 2 beams and 5 levels, not {size} and {levels}."
    )
    tree = _grown(model, sentence, size, levels)
    xs, rows = spaced(levels + 1, 38, 626), 2 * size
    ys = spaced(rows, 40, 40 + 62 * (rows - 1))
    nxs = spaced(rows, 42, 312)
    nodes: list[Node] = [
        word(
            "b0.0",
            at(xs[0], ys[0] + 31 * (rows - 1)),
            at(177, 20),
            "<bos>",
            size="small",
            w=56,
            name="the start",
            always=True,
        )
    ]
    edges, steps = [], []
    for level, found in enumerate(tree, 1):
        ids = [f"b{level}.{k}" for k in range(len(found))]
        for k, (id, one) in enumerate(zip(ids, found, strict=True)):
            nodes.append(
                box(
                    id,
                    at(xs[level], ys[k]),
                    at(nxs[k], 20 + 92 * level),
                    one["word"],
                    w=76,
                    h=42,
                    size="small",
                    name=" ".join(one["words"]),
                )
            )
            edges.append(
                edge(
                    f"b{level - 1}.{one['parent']}",
                    id,
                    wide={"out": "right", "into": "left"},
                    narrow={"out": "bottom", "into": "top"},
                )
            )
        grown = [f"b{level - 1}.{one['parent']}>{id}" for id, one in zip(ids, found, strict=True)]
        sources = list(dict.fromkeys(f"b{level - 1}.{one['parent']}" for one in found))
        kept = " and ".join(f"“{' '.join(one['words'])}” ({number(one['log_p'])})" for one in found[:size])
        steps.append(
            step(
                f"Level {level}: go on.",
                "Each beginning is continued with its two best words. The number is log p of all words so far.",
                [*sources, "|", *grown, *ids],
                {id: number(one["log_p"]) for id, one in zip(ids, found, strict=True)},
            )
        )
        if len(found) > size:
            steps.append(
                step(
                    f"Keep the best {size}.",
                    f"{kept} {'go' if size > 1 else 'goes'} on; the others end here.",
                    ids[:size],
                    {id: f"{number(one['log_p'])} ends" for id, one in zip(ids[size:], found[size:], strict=True)},
                )
            )
    best = tree[-1][0]
    path, k = [], 0
    for level in range(levels, 0, -1):
        path += [f"b{level}.{k}", f"b{level - 1}.{tree[level - 1][k]['parent']}>b{level}.{k}"]
        k = tree[level - 1][k]["parent"]
    overtaken = any(int(name.split(">")[0].split(".")[1]) for name in path if ">" in name)
    closing = (
        "It was in second place on the way: a greedy search would have lost it."
        if overtaken
        else "Here it led all the way, so a greedy search finds it too."
    )
    steps.append(step(f"The best path: “{' '.join(best['words'])}”.", closing, ["b0.0", *path], fresh=True))
    return Machine(
        title="A beam keeps several beginnings alive",
        teaches=f"Beam search continues the {size} most probable beginnings, and may come back from a first word that looked worse.",
        alt=f"A tree of words: the first {levels} steps of a beam search of size {size} on “{sentence}”, with log p at each.",
        wide=(668, int(ys[-1]) + 40),
        narrow=(354, 20 + 92 * levels + 36),
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=(Variant("", tuple(steps)),),
    )


def _grown(model: Any, sentence: str, size: int, levels: int) -> list[list[dict[str, Any]]]:
    """Level by level, the best two continuations of each beginning that was kept, the most probable first."""
    french = vocabularies()[1]
    source = jnp.asarray([read(sentence)])
    beams: list[dict[str, Any]] = [{"indices": [BOS], "words": [], "log_p": 0.0}]
    tree = []
    for _ in range(levels):
        found = []
        for parent, one in enumerate(beams):
            if one["indices"][-1] == EOS:
                found.append({**one, "parent": parent, "word": "<eos>"})
                continue
            log_p = apply(model, _last_log_p, source, jnp.asarray([one["indices"]]))
            for index in np.argsort(-log_p)[:2]:
                text = french.words[index]
                found.append(
                    {
                        "indices": [*one["indices"], int(index)],
                        "words": [*one["words"], text],
                        "word": text,
                        "log_p": one["log_p"] + float(log_p[index]),
                        "parent": parent,
                    }
                )
        found.sort(key=lambda one: -one["log_p"])
        tree.append(found)
        beams = found[:size]
    return tree


def _last_log_p(model: Any, source: Any, words: Any) -> Any:
    return jax.nn.log_softmax(model(source, jnp.ones(source.shape, bool), words)[0, -1])
