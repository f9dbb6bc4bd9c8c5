"""A Transformer block: a residual stream, and two branches that add to it."""

from typing import Any

import numpy as np

from ..models.readers import AttentionLanguageModel
from ..models.run import apply
from ..models.self_attention import causal_mask
from ..runtime import require
from .followed import varied
from .machine import Edge, Machine, Node, Variant
from .parts import at, box, cells, edge, number, op, spaced, step, word
from .recurrence import read

UNITS = 16


def block(model: AttentionLanguageModel, sentence: str = "near the dogs the cat", layer: int = 0) -> Machine:
    """One block at the last word of a sentence: x + attention(norm(x)), then x + feed_forward(norm(x)).

    model: with a feed-forward layer in its blocks.   sentence: of at most 6 words.
    """
    words, tokens = read(sentence, 7)
    require(
        hasattr(model.blocks[layer], "feed_forward"),
        "The blocks of this model have no feed-forward layer: make it with `inner` > 0.",
    )
    x, first, middle, second, after, weights = apply(model, (_first, _second)[bool(layer)], tokens)
    size = x.shape[-1]
    units = varied(np.stack([first, second]), UNITS)
    scale = float(np.ceil(np.abs(np.stack([x, middle, after])[:, units]).max()))
    share = [float(np.linalg.norm(change) / np.linalg.norm(x)) for change in (first, second)]
    tall: dict[str, Any] = {"n": UNITS, "cell": (18, 7), "scale": scale}
    flat: dict[str, Any] = {"across": UNITS, "cell": (6, 24)}
    river, lane = 318, 62
    wide, narrow = (
        {"x0": 40, "+1": 256, "x1": 336, "+2": 552, "x2": 632},
        {"x0": 100, "+1": 262, "x1": 318, "+2": 474, "x2": 530},
    )
    stream = {
        "x0": ("$x$", "the residual stream at the start"),
        "x1": ("$x$ after attention", "the stream after attention"),
        "x2": ("$x$ after it", "the stream after the feed-forward layer"),
    }
    nodes: list[Node] = [
        *(
            cells(
                id,
                at(wide[id], river, side="below"),
                at(lane, narrow[id], side="above", label="", **flat),
                **tall,
                role="hidden",
                label=label,
                labelSize="tiny",
                name=name,
            )
            for id, (label, name) in stream.items()
        ),
        *(op(id, at(wide[id], river), at(lane, narrow[id]), "+", role="hidden", name="sum") for id in ("+1", "+2")),
        *(box(f"n{i}", at((134, 430)[i], 226), at(168, (130, 350)[i], w=56), "norm", w=76, h=34) for i in range(2)),
        box("att", at(134, 118), at(286, 130), "attention", w=96, h=40, role="attention"),
        box("mlp", at(430, 118), at(286, 350), "feed-forward", w=116, h=44),
        cells(
            "d0",
            at(256, 152, side="above"),
            at(240, 204, side="right", **flat),
            **tall,
            role="attention",
            label="change",
            labelSize="tiny",
            name="what attention adds",
        ),
        cells(
            "d1",
            at(552, 152, side="above"),
            at(240, 418, side="right", **flat),
            **tall,
            label="change",
            labelSize="tiny",
            name="what the feed-forward layer adds",
        ),
    ]
    edges: list[Edge] = [
        edge("x0", "x2", "hidden", band=116, arrow=False, gap=-9, narrow={"gap": -12, "band": 112}),
        *(edge(a, b, "hidden", thin=True) for a, b in (("x0", "+1"), ("+1", "x1"), ("x1", "+2"), ("+2", "x2"))),
        edge("x0", "n0", "hidden", wide={"via": [(134, river)]}, narrow={"via": [(168, narrow["x0"])]}),
        edge("x1", "n1", "hidden", wide={"via": [(430, river)]}, narrow={"via": [(168, narrow["x1"])]}),
        edge("n0", "att"),
        edge("n1", "mlp"),
        edge("att", "d0", "attention"),
        edge("mlp", "d1"),
        edge("d0", "+1", "attention", narrow={"route": "vh"}),
        edge("d1", "+2", narrow={"route": "vh"}),
    ]
    last = len(words) - 1
    for j, (text, x_j, nx_j) in enumerate(
        zip(words, spaced(len(words), 28, 28 + 44 * last), spaced(len(words), 25, 25 + 50 * last), strict=True)
    ):
        nodes.append(
            word(f"w{j}", at(x_j, 20, w=42), at(nx_j, 16, w=48), text, size="tiny", name=f"word {j + 1}", always=True)
        )
        edges.append(
            edge(
                f"w{j}",
                "att",
                "attention",
                name=f"weight of “{text}”",
                wide={"out": "bottom", "into": "top"},
                narrow={"out": "bottom", "into": "top"},
            )
        )
    looks = [f"w{j} w{j}>att" for j in range(len(words))]
    best = int(weights.argmax())
    steps = (
        step(
            "The residual stream.",
            f"One vector per word flows through, here that of “{words[-1]}”: {UNITS} of {size} numbers. Branches only add to it.",
            "x0 x0>x2",
            {"x0": x[units]},
        ),
        step(
            "Attention reads a normalised copy.",
            f"Only here does the word take from other words: most weight is on “{words[best]}” ({number(weights[best])}).",
            ["x0>n0 n0 | n0>att att |", *looks],
            {f"w{j}>att": weights[j] for j in range(len(words))},
        ),
        step(
            "It writes a change.",
            f"Its norm is {number(share[0])} times that of $x$.",
            "att att>d0 d0",
            {"d0": first[units]},
        ),
        step(
            "The change is added.",
            "The old vector is still there, and a gradient passes the sum unchanged.",
            "d0 x0>+1 d0>+1 +1 | +1>x1 x1",
            {"x1": middle[units]},
        ),
        step(
            "The feed-forward layer reads a normalised copy.",
            "It sees this word alone, and works in the same way at every position.",
            "x1 x1>n1 n1 | n1>mlp mlp | mlp>d1 d1",
            {"d1": second[units]},
        ),
        step(
            "Its change is added too.",
            f"Its norm was {number(share[1])} times that of $x$. The next block reads this stream.",
            "d1 x1>+2 d1>+2 +2 | +2>x2 x2",
            {"x2": after[units]},
        ),
    )
    return Machine(
        title="A Transformer block: two branches add to a stream",
        teaches="A residual stream flows through the block, and attention and the feed-forward layer only add to it.",
        alt=f"A broad band, the residual stream of “{words[-1]}”. Two branches leave it and come back as sums: norm and "
        "attention, which reads the words before, then norm and feed-forward layer.",
        wide=(672, 402),
        narrow=(354, 556),
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=(Variant("", steps),),
        called={"hidden": "residual stream"},
    )


def _stages(model: Any, tokens: Any, layer: int) -> Any:
    """At the last word: x, what attention adds, x, what the feed-forward layer adds, x; and the weights, their mean over the heads."""
    x, mask = model.words(tokens), causal_mask(tokens.shape[1])
    for one in model.blocks[:layer]:
        x = one(x, mask)
    one = model.blocks[layer]
    inner = one.attention_norm(x)
    change, weights = one.attention.look(inner, one.attention.remember(inner), mask)
    middle = x + change
    second = one.feed_forward(one.feed_forward_norm(middle))
    return x[0, -1], change[0, -1], middle[0, -1], second[0, -1], (middle + second)[0, -1], weights[0, :, -1].mean(0)


def _first(model: Any, tokens: Any) -> Any:
    return _stages(model, tokens, 0)


def _second(model: Any, tokens: Any) -> Any:
    return _stages(model, tokens, 1)
