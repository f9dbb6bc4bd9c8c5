"""A whole Transformer: who attends to whom in the encoder, in the decoder and across."""

import jax.numpy as jnp
import numpy as np

from ..data.english_french import read, vocabularies
from ..decoding import BOS, greedy
from ..measure.inside import transformer_weights
from ..models.run import apply
from ..models.transformer import Transformer
from ..runtime import require
from .followed import MOST_SOURCE, MOST_TARGET, SENTENCE
from .machine import Edge, Machine, Node, Variant
from .parts import at, cells, edge, note, number, step, word


def transformer(model: Transformer, sentence: str = SENTENCE) -> Machine:
    """A whole Transformer at work: who attends to whom in the encoder, in the decoder, and across.

    model: as `experiments.ch07.transformer`.   sentence: of at most 7 words. Weights are those of the last layer, mean of its heads.
    """
    english, french = vocabularies()
    indices = read(sentence)
    require(
        len(indices) <= MOST_SOURCE,
        f"The drawing has room for {MOST_SOURCE - 1} English words; this sentence has {len(indices) - 1}.",
    )
    source = jnp.asarray([indices])
    mask = jnp.ones(source.shape, bool)
    found = greedy(model, source, mask, MOST_TARGET)
    length = int(found.lengths[0])
    out = found.words[0, :length]
    weights = apply(model, transformer_weights, source, mask, jnp.asarray([[BOS, *out[:-1]]]))
    own, masked, cross = (np.asarray(a)[-1, 0].mean(0) for a in weights)
    sources, targets = [english.words[i] for i in indices], [french.words[i] for i in out]
    return _two_towers(sources, targets, own, masked, cross)


def _two_towers(
    sources: list[str], targets: list[str], own: np.ndarray, masked: np.ndarray, cross: np.ndarray
) -> Machine:
    n, m = len(sources), len(targets)
    before = ["<bos>", *targets[:-1]]
    top, low, ntop, nlow = 62, 62, 62, 62 + 26 * n + 74
    nodes: list[Node] = [
        note("E?", at(118, 16), at(178, 16), "encoder: all words, both ways", always=True, size="small"),
        note(
            "D?",
            at(400, 16),
            at(62, nlow - 50, text="decoder"),
            "decoder: words before, then the source",
            always=True,
            size="small",
        ),
        note("d!", at(384, 38), at(133, nlow - 24), "self", always=True, size="tiny"),
        note("x!", at(524, 38), at(248, nlow - 24), "cross", always=True, size="tiny"),
    ]
    edges: list[Edge] = []
    for j, text in enumerate(sources):
        nodes += [
            word(
                f"s{j}",
                at(37, top + 30 * j, w=70),
                at(60, ntop + 26 * j, w=70),
                text,
                size="small",
                name=f"source word {j + 1}",
            ),
            cells(
                f"e{j}",
                at(152, top + 30 * j),
                at(196, ntop + 26 * j, cell=(22, 20)),
                n=n,
                across=n,
                cell=(min(20, 140 / n), 24),
                share=True,
                role="attention",
                name=f"“{text}” attends to the source",
            ),
        ]
        edges.append(edge(f"s{j}", f"e{j}"))
    for i, text in enumerate(before):
        y, ny = low + 30 * i, nlow + 32 * i
        nodes += [
            word(f"t{i}", at(266, y, w=78), at(40, ny, w=76), text, size="small", name=f"target word {i}"),
            cells(
                f"d{i}",
                at(384, y),
                at(133, ny, cell=(86 / m, 22)),
                n=m,
                across=m,
                cell=(120 / m, 24),
                share=True,
                role="attention",
                name=f"“{text}” attends to the words before",
            ),
            cells(
                f"x{i}",
                at(524, y),
                at(224, ny, cell=(72 / n, 22)),
                n=n,
                across=n,
                cell=(112 / n, 24),
                share=True,
                role="attention",
                name=f"“{text}” attends to the source",
            ),
            word(f"o{i}", at(634, y, w=80), at(314, ny, w=78), size="small", name=f"word {i + 1} of the translation"),
        ]
        edges += [
            edge(f"t{i}", f"d{i}"),
            edge(f"d{i}", f"x{i}", "hidden"),
            edge(f"x{i}", f"o{i}", "hidden"),
            edge(
                f"e{n - 1}",
                f"x{i}",
                "attention",
                quiet=True,
                wide={"via": [(152, low + 30 * max(n, m) + 4), (456, low + 30 * max(n, m) + 4), (456, y)]},
                narrow={"via": [(224, nlow - 34)], "out": "bottom", "into": "top"},
            ),
        ]
    steps = [
        step(
            "The source goes in at once.",
            "There is no recurrence: all words enter together, each with its position.",
            [f"s{j}" for j in range(n)],
        ),
        step(
            "The encoder mixes them.",
            "Each row shows whom a word attends to, in the order of the words. After the layers one vector per word is ready.",
            [f"s{j} s{j}>e{j} e{j}" for j in range(n)],
            {f"e{j}": own[j] for j in range(n)},
        ),
    ]
    for i, text in enumerate(targets):
        j = int(cross[i].argmax())
        again = (
            "It starts with <bos>, which sees only itself."
            if i == 0
            else f"“{before[i]}” sees {i + 1} words, none after itself."
        )
        steps.append(
            step(
                f"The decoder writes “{text}”.",
                f"{again} Across, most weight is on “{sources[j]}” ({number(cross[i, j])}).",
                ([f"o{i - 1}", "|"] if i else [])
                + [f"t{i} t{i}>d{i} d{i} | d{i}>x{i} e{n - 1}>x{i} x{i} | x{i}>o{i} o{i}"],
                {f"d{i}": masked[i], f"x{i}": cross[i], f"o{i}": text},
            )
        )
    steps.append(
        step(
            "Look at the triangle.",
            "The causal mask leaves the upper right empty. In training all rows are computed at once, because none looks ahead.",
            [f"d{i}" for i in range(m)],
        )
    )
    return Machine(
        title="Encoder and decoder light up their masks",
        teaches="The encoder attends in both directions, the decoder only to words before, and across to every source word.",
        alt=f"Left, the encoder's weights on “{' '.join(sources[:-1])}” as a square. Right, row by row, the decoder's weights on "
        "its own words, a triangle, its weights on the source, and the word that it writes.",
        wide=(680, low + 30 * max(n, m) + 14),
        narrow=(354, nlow + 32 * m),
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=(Variant("", tuple(steps)),),
        called={"attention": "attention weights", "hidden": "residual stream"},
    )
