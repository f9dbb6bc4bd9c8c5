"""The Transformer: a block as a stream with two branches, encoder and decoder with their masks, the cache as a table."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..data.translation import read as read_english
from ..data.translation import vocabularies
from ..decoding import BOS, greedy
from ..measure.run import apply
from ..models.readers import AttentionLanguageModel
from ..models.self_attention import causal_mask, split_heads
from ..models.transformer import Transformer
from ..runtime import require
from .attention import MOST_SOURCE, MOST_TARGET, SENTENCE
from .attention import varied as most_varied
from .machine import Edge, Machine, Node, Variant, at, box, cells, edge, note, number, op, spaced, step, word
from .recurrence import read

UNITS = 16


# ----------------------------------------------------------------------------------------------------------- block


def block(model: AttentionLanguageModel, sentence: str = "near the dogs the cat", layer: int = 0) -> Machine:
    """One block at the last word of a sentence: x + attention(norm(x)), then x + MLP(norm(x)).

    model: with an MLP in its blocks.   sentence: of at most 6 words.
    """
    words, tokens = read(sentence, 7)
    require(model.blocks[layer].mlp is not None, "The blocks of this model have no MLP: make it with `inner` > 0.")
    x, first, middle, second, after, weights = apply(model, (_first, _second)[bool(layer)], tokens)
    size = x.shape[-1]
    units = most_varied(np.stack([first, second]), UNITS)
    scale = float(np.ceil(np.abs(np.stack([x, middle, after])[:, units]).max()))
    share = [float(np.linalg.norm(change) / np.linalg.norm(x)) for change in (first, second)]
    tall: dict[str, Any] = {"n": UNITS, "cell": (18, 7), "scale": scale}
    flat: dict[str, Any] = {"across": UNITS, "cell": (6, 24)}
    river, lane = 318, 62
    wide, narrow = {"x0": 40, "+1": 256, "x1": 336, "+2": 552, "x2": 632}, {"x0": 100, "+1": 262, "x1": 318, "+2": 474, "x2": 530}
    stream = {"x0": ("$x$", "the residual stream at the start"), "x1": ("$x$ after attention", "the stream after attention"), "x2": ("$x$ after MLP", "the stream after the MLP")}
    nodes: list[Node] = [
        *(cells(id, at(wide[id], river, side="below"), at(lane, narrow[id], side="above", label="", **flat), **tall, role="hidden", label=label, labelSize="tiny", name=name)
          for id, (label, name) in stream.items()),
        *(op(id, at(wide[id], river), at(lane, narrow[id]), "+", role="hidden", name="sum") for id in ("+1", "+2")),
        *(box(f"n{i}", at((134, 430)[i], 226), at(168, (130, 350)[i], w=56), "norm", w=76, h=34) for i in range(2)),
        box("att", at(134, 118), at(286, 130), "attention", w=96, h=40, role="attention"),
        box("mlp", at(430, 118), at(286, 350), "MLP", w=96, h=44),
        cells("d0", at(256, 152, side="above"), at(240, 204, side="right", **flat), **tall, role="attention", label="change", labelSize="tiny", name="what attention adds"),
        cells("d1", at(552, 152, side="above"), at(240, 418, side="right", **flat), **tall, label="change", labelSize="tiny", name="what the MLP adds"),
    ]  # fmt: skip
    edges: list[Edge] = [
        edge("x0", "x2", "hidden", band=116, arrow=False, gap=-9, narrow={"gap": -12, "band": 112}),
        *(edge(a, b, "hidden", thin=True) for a, b in (("x0", "+1"), ("+1", "x1"), ("x1", "+2"), ("+2", "x2"))),
        edge("x0", "n0", "hidden", wide={"via": [(134, river)]}, narrow={"via": [(168, narrow["x0"])]}),
        edge("x1", "n1", "hidden", wide={"via": [(430, river)]}, narrow={"via": [(168, narrow["x1"])]}),
        edge("n0", "att"), edge("n1", "mlp"),
        edge("att", "d0", "attention"), edge("mlp", "d1"),
        edge("d0", "+1", "attention", narrow={"route": "vh"}), edge("d1", "+2", narrow={"route": "vh"}),
    ]  # fmt: skip
    last = len(words) - 1
    for j, (text, x_j, nx_j) in enumerate(zip(words, spaced(len(words), 28, 28 + 44 * last), spaced(len(words), 25, 25 + 50 * last), strict=True)):
        nodes.append(word(f"w{j}", at(x_j, 20, w=42), at(nx_j, 16, w=48), text, size="tiny", name=f"word {j + 1}", always=True))
        edges.append(edge(f"w{j}", "att", "attention", name=f"weight of “{text}”", wide={"out": "bottom", "into": "top"}, narrow={"out": "bottom", "into": "top"}))
    looks = [f"w{j} w{j}>att" for j in range(len(words))]
    best = int(weights.argmax())
    steps = (
        step("The residual stream.", f"One vector per word flows through, here that of “{words[-1]}”: {UNITS} of {size} numbers. Branches only add to it.", "x0 x0>x2", {"x0": x[units]}),
        step("Attention reads a normalised copy.", f"Only here does the word take anything from other words; most from “{words[best]}” ({number(weights[best])}, mean of the heads).",
             ["x0>n0 n0 | n0>att att |", *looks], {f"w{j}>att": weights[j] for j in range(len(words))}),
        step("It writes a change.", f"Its norm is {number(share[0])} times that of $x$.", "att att>d0 d0", {"d0": first[units]}),
        step("The change is added.", "The old vector is still there, and a gradient passes the sum unchanged.", "d0 x0>+1 d0>+1 +1 | +1>x1 x1", {"x1": middle[units]}),
        step("The MLP reads a normalised copy.", "It sees this word alone, and works in the same way at every position.", "x1 x1>n1 n1 | n1>mlp mlp | mlp>d1 d1", {"d1": second[units]}),
        step("Its change is added too.", f"Its norm was {number(share[1])} times that of $x$. The next block reads this stream.", "d1 x1>+2 d1>+2 +2 | +2>x2 x2", {"x2": after[units]}),
    )  # fmt: skip
    return Machine(
        title="A Transformer block: two branches add to a stream",
        teaches="A residual stream flows through the block, and attention and the MLP only add to it.",
        alt=f"A broad band, the residual stream of “{words[-1]}”. Two branches leave it and come back as sums: norm and "
        "attention, which reads the words before, then norm and MLP.",
        wide=(672, 402), narrow=(354, 556), nodes=tuple(nodes), edges=tuple(edges), variants=(Variant("", steps),),
        called={"hidden": "residual stream"},
    )  # fmt: skip


def _stages(model: Any, tokens: Any, layer: int) -> Any:
    """At the last word: x, what attention adds, x, what the MLP adds, x; and the weights, their mean over the heads."""
    x, mask = model.words(tokens), causal_mask(tokens.shape[1])
    for one in model.blocks[:layer]:
        x = one(x, mask)[0]
    one = model.blocks[layer]
    change, weights = one.attention(one.attention_norm(x), mask)
    middle = x + change
    second = one.mlp(one.mlp_norm(middle))
    return x[0, -1], change[0, -1], middle[0, -1], second[0, -1], (middle + second)[0, -1], weights[0, :, -1].mean(0)


def _first(model: Any, tokens: Any) -> Any:
    return _stages(model, tokens, 0)


def _second(model: Any, tokens: Any) -> Any:
    return _stages(model, tokens, 1)


# --------------------------------------------------------------------------------------------- encoder and decoder


def encoder_decoder(model: Transformer, sentence: str = SENTENCE) -> Machine:
    """A whole Transformer at work: who attends to whom in the encoder, in the decoder, and across.

    model: as `experiments.ch07.transformer`.   sentence: of at most 7 words. Weights are those of the last layer, mean of its heads.
    """
    english, french = vocabularies()
    indices = read_english(sentence)
    require(len(indices) <= MOST_SOURCE, f"The drawing has room for {MOST_SOURCE - 1} English words; this sentence has {len(indices) - 1}.")
    source = jnp.asarray([indices])
    mask = jnp.ones(source.shape, bool)
    found = greedy(model, source, mask, MOST_TARGET)
    length = int(found.lengths[0])
    out = found.words[0, :length]
    weights = apply(model, _all_weights, source, mask, jnp.asarray([[BOS, *out[:-1]]]))
    own, masked, cross = (np.asarray(a)[-1, 0].mean(0) for a in weights)
    sources, targets = [english.words[i] for i in indices], [french.words[i] for i in out]
    return _two_towers(sources, targets, own, masked, cross)


def _all_weights(model: Any, source: Any, mask: Any, words: Any) -> Any:
    return tuple(model.weights(source, mask, words))


def _two_towers(sources: list[str], targets: list[str], own: np.ndarray, masked: np.ndarray, cross: np.ndarray) -> Machine:
    n, m = len(sources), len(targets)
    before = ["<bos>", *targets[:-1]]
    top, low, ntop, nlow = 62, 62, 62, 62 + 26 * n + 74
    nodes: list[Node] = [
        note("E?", at(118, 16), at(178, 16), "encoder: all words, both ways", always=True, size="small"),
        note("D?", at(400, 16), at(178, nlow - 50), "decoder: words before, then the source", always=True, size="small"),
        note("d!", at(360, 38), at(120, nlow - 24), "self", always=True, size="tiny"), note("x!", at(508, 38), at(222, nlow - 24), "cross", always=True, size="tiny"),
    ]  # fmt: skip
    edges: list[Edge] = []
    for j, text in enumerate(sources):
        nodes += [
            word(f"s{j}", at(34, top + 30 * j, w=62), at(60, ntop + 26 * j, w=62), text, size="small", name=f"source word {j + 1}"),
            cells(f"e{j}", at(146, top + 30 * j), at(196, ntop + 26 * j, cell=(22, 20)), n=n, across=n, cell=(20, 24), share=True, role="attention",
                  name=f"“{text}” attends to the source"),
        ]  # fmt: skip
        edges.append(edge(f"s{j}", f"e{j}"))
    for i, text in enumerate(before):
        y, ny = low + 30 * i, nlow + 32 * i
        nodes += [
            word(f"t{i}", at(268, y, w=62), at(32, ny, w=62), text, size="small", name=f"target word {i}"),
            cells(f"d{i}", at(366, y), at(122, ny, cell=(min(11, 100 / m), 22)), n=m, across=m, cell=(min(15, 140 / m), 24), share=True, role="attention", name=f"“{text}” attends to the words before"),
            cells(f"x{i}", at(508, y), at(226, ny, cell=(11, 22)), n=n, across=n, cell=(16, 24), share=True, role="attention", name=f"“{text}” attends to the source"),
            word(f"o{i}", at(628, y, w=70), at(318, ny, w=64), size="small", name=f"word {i + 1} of the translation"),
        ]  # fmt: skip
        edges += [
            edge(f"t{i}", f"d{i}"), edge(f"d{i}", f"x{i}", "hidden"), edge(f"x{i}", f"o{i}", "hidden"),
            edge(f"e{n - 1}", f"x{i}", "attention", quiet=True, wide={"via": [(146, low + 30 * max(n, m) + 4), (436, low + 30 * max(n, m) + 4), (436, y)]},
                 narrow={"via": [(196, nlow - 38), (346, nlow - 38), (346, ny - 16), (290, ny - 16)]}),
        ]  # fmt: skip
    steps = [
        step("The source goes in at once.", "There is no recurrence: all words enter together, each with its position.", [f"s{j}" for j in range(n)]),
        step("The encoder mixes them.", "Each row shows whom that word attends to, in both directions; darkness is weight. One vector per word is ready.",
             [f"s{j} s{j}>e{j} e{j}" for j in range(n)], {f"e{j}": own[j] for j in range(n)}),
    ]  # fmt: skip
    for i, text in enumerate(targets):
        j = int(cross[i].argmax())
        again = "It starts with <bos>, which sees only itself." if i == 0 else f"“{before[i]}” sees {i + 1} words, none after itself."
        steps.append(step(f"The decoder writes “{text}”.", f"{again} Across, most weight is on “{sources[j]}” ({number(cross[i, j])}).",
                          ([f"o{i - 1}", "|"] if i else []) + [f"t{i} t{i}>d{i} d{i} | d{i}>x{i} e{n - 1}>x{i} x{i} | x{i}>o{i} o{i}"],
                          {f"d{i}": masked[i], f"x{i}": cross[i], f"o{i}": text}))  # fmt: skip
    steps.append(step("Look at the triangle.", "The causal mask leaves the upper right empty. In training all rows are computed at once, because none looks ahead.",
                      [f"d{i}" for i in range(m)]))  # fmt: skip
    return Machine(
        title="Encoder and decoder light up their masks",
        teaches="The encoder attends in both directions, the decoder only to words before, and across to every source word.",
        alt=f"Left, the encoder's weights on “{' '.join(sources[:-1])}” as a square. Right, row by row, the decoder's weights on "
        "its own words, a triangle, its weights on the source, and the word that it writes.",
        wide=(668, low + 30 * max(n, m) + 14), narrow=(354, nlow + 32 * m), nodes=tuple(nodes), edges=tuple(edges),
        variants=(Variant("", tuple(steps)),), called={"attention": "attention weights", "hidden": "residual stream"},
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- cache


def cache(model: AttentionLanguageModel, sentence: str = "the cat that slept near the dogs", layer: int = 0, head: int = 0) -> Machine:
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
        note("new", at(626, 70), at(100, nys[-1] + 40), size="small", name="computed in this step"), note("old", at(626, 100), at(262, nys[-1] + 40), size="small", name="read from the cache"),
    ]  # fmt: skip
    edges: list[Edge] = []
    for t, text in enumerate(words):
        y, ny = ys[t], nys[t]
        row: dict[str, Any] = {"n": d, "across": d, "cell": (144 / d, 26), "scale": most, "role": "hidden"}
        nodes += [
            word(f"w{t}", at(46, y, w=76), at(32, ny, w=60), text, size="small", name=f"word {t + 1}", always=True),
            cells(f"k{t}", at(206, y), at(124, ny, cell=(96 / d, 24)), **row, name=f"key of “{text}”"),
            cells(f"v{t}", at(386, y), at(232, ny, cell=(96 / d, 24)), **row, name=f"value of “{text}”"),
            cells(f"a{t}", at(522, y), at(322, ny), n=1, cell=(50, 26), digits=2, share=True, role="attention", name=f"weight of “{text}”"),
        ]  # fmt: skip
        edges += [edge(f"w{t}", f"k{t}"), edge(f"k{t}", f"v{t}", "hidden", arrow=False), edge(f"a{t}", f"v{t}", "attention")]
    steps = []
    for t, text in enumerate(words):
        rows = range(t + 1)
        best = int(weights[t, : t + 1].argmax())
        saved = f"The {t} rows above are read, and not computed again. " if t > 1 else "The row above is read, and not computed again. " if t else ""
        steps.append(step(
            f"“{text}” adds one row.", f"{saved}Its query puts most weight on “{words[best]}” ({number(weights[t, best])}).",
            [f"w{t}", "|", f"w{t}>k{t} k{t} k{t}>v{t} v{t}", "|", *(f"a{s} a{s}>v{s}" for s in rows), "new old"],
            {f"k{t}": keys[t], f"v{t}": values[t], **{f"a{s}": [weights[t, s]] for s in rows}, **{f"a{s}>v{s}": weights[t, s] for s in rows},
             "new": f"new: {2 * d} numbers", "old": f"read: {2 * d * (t + 1)}"},
        ))  # fmt: skip
    total, again = 2 * d * n, d * n * (n + 1)
    steps.append(step("What the table is worth.", f"With the cache {total} numbers were computed for {n} words; without it {again}. It costs {total} numbers of memory, in this head alone.",
                      [f"{c}{t}" for t in range(n) for c in "kv"]))  # fmt: skip
    return Machine(
        title="The cache is a table that grows by one row a word",
        teaches="Keys and values of earlier words never change, so each new word computes one row and reads the rest.",
        alt=f"A table with a row for each word of “{sentence}”: its key, its value, and the weight that the newest word gives it.",
        wide=(680, int(ys[-1]) + 22), narrow=(354, int(nys[-1]) + 56), nodes=tuple(nodes), edges=tuple(edges),
        variants=(Variant("", tuple(steps)),), called={"hidden": "key and value", "attention": "weight"},
    )  # fmt: skip


def _keys_values(model: Any, tokens: Any, layer: int, head: int) -> tuple[Any, Any, Any]:
    """Keys and values `[time, key]` of one head, and its weights `[time, time]`."""
    x, mask = model.words(tokens), causal_mask(tokens.shape[1])
    for one in model.blocks[:layer]:
        x = one(x, mask)[0]
    one = model.blocks[layer]
    inner = one.attention_norm(x)
    keys, values = (split_heads(make(inner), one.attention.heads)[0, head] for make in (one.attention.key, one.attention.value))
    return keys, values, one.attention(inner, mask)[1][0, head]
