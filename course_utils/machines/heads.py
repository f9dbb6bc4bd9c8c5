"""Several heads and the reshape that mixes words up; rotary positions as clock hands."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from ..models.positions import frequencies, rotate
from ..models.self_attention import split_heads
from ..runtime import require
from .machine import Edge, Machine, Node, Step, Variant
from .parts import at, cells, dial, edge, note, number, step

WORDS = ("the", "cat", "slept")
HEADS, KEY = 2, 4


def reshape(words: Sequence[str] = WORDS) -> Machine:
    """Three words of eight numbers cut into two heads: rightly, by `split_heads`, and by a reshape alone.

    Every number tells where it is from: 23 is the third of the second word.
    """
    require(len(words) == 3, f"Three words are asked for, not {len(words)}.")
    time, width = len(words), HEADS * KEY
    x = 10 * (np.arange(time)[:, None] + 1) + np.arange(width) + 1
    cuts = {
        "reshape, then swap axes": np.asarray(split_heads(jnp.asarray(x, jnp.float32)[None], HEADS)[0]),
        "reshape alone": x.reshape(HEADS, time, KEY).astype(float),
    }
    nodes: list[Node] = [
        note("x?", at(336, 14), at(190, 14), f"three words, {width} numbers each", always=True, size="small"),
        *(
            note(
                f"{h}?",
                at((96, 388)[h], 172, anchor="end"),
                at(90, 184 + 150 * h, anchor="end"),
                f"head {h + 1}",
                always=True,
                size="small",
            )
            for h in range(HEADS)
        ),
    ]
    edges: list[Edge] = []
    for t, text in enumerate(words):
        y = 44 + 32 * t
        nodes += [
            note(f"r{t}", at(176, y, anchor="end"), at(52, y, anchor="end"), text, always=True, size="small"),
            cells(
                f"x{t}",
                at(340, y),
                at(204, y, cell=(35, 28)),
                n=width,
                across=width,
                cell=(38, 28),
                digits=0,
                bare=True,
                name=f"numbers of “{text}”",
            ),
        ]
        for h in range(HEADS):
            low, nlow = 202 + 32 * t, 214 + 150 * h + 32 * t
            nodes += [
                note(
                    f"r{h}.{t}",
                    at((96, 388)[h], low, anchor="end"),
                    at(90, nlow, anchor="end"),
                    text,
                    always=True,
                    size="small",
                ),
                cells(
                    f"h{h}.{t}",
                    at((190, 482)[h], low),
                    at(190, nlow),
                    n=KEY,
                    across=KEY,
                    cell=(42, 28),
                    digits=0,
                    bare=True,
                    role="attention",
                    name=f"head {h + 1}, row of “{text}”",
                ),
            ]
    edges += [
        edge(
            "x2",
            f"h{h}.0",
            "attention",
            wide={"out": "bottom", "into": "top"},
            narrow={"out": "bottom", "into": "top"} if not h else {"via": [(318, 364)], "quiet": True},
        )
        for h in range(HEADS)
    ]
    variants = tuple(Variant(name, tuple(_cut(list(words), x, cut))) for name, cut in cuts.items())
    return Machine(
        title="Cutting words into heads, and cutting them wrongly",
        teaches="A head gets a slice of every word; a reshape without a swap of axes gives it other words' numbers.",
        alt="A table of three words with eight numbers each, and below it the tables of two heads with four columns each.",
        wide=(672, 286),
        narrow=(354, 452),
        choose="Way",
        called={"attention": "what a head gets"},
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=variants,
    )


def _cut(words: list[str], x: np.ndarray, cut: np.ndarray) -> list[Step]:
    rows = range(len(words))
    foreign = [(h, t) for h in range(HEADS) for t in rows if (cut[h, t] // 10 != t + 1).any()]
    steps = [
        step(
            "Every number tells where it is from.",
            "23 is the third number of the second word.",
            [f"x{t}" for t in rows],
            {**{f"x{t}": x[t] for t in rows}, **{f"h{h}.{t}": None for h in range(HEADS) for t in rows}},
        ),
        *(
            step(
                f"Head {h + 1}.",
                f"Its first row holds {number(cut[h, 0, 0], 0)} to {number(cut[h, 0, -1], 0)}, its second {number(cut[h, 1, 0], 0)} to "
                f"{number(cut[h, 1, -1], 0)}.",
                [*(f"x{t}" for t in rows), f"x2>h{h}.0", *(f"h{h}.{t}" for t in rows)],
                {f"h{h}.{t}": cut[h, t] for t in rows},
                fresh=True,
            )
            for h in range(HEADS)
        ),
    ]
    if foreign:
        h, t = foreign[0]
        owner = words[int(cut[h, t, 0]) // 10 - 1]
        steps.append(
            step(
                "Look at the rows.",
                f"The row of “{words[t]}” in head {h + 1} holds numbers of “{owner}”. No error is raised, "
                f"and {len(foreign)} of {HEADS * len(words)} rows are wrong.",
                [f"h{h}.{t}" for h, t in foreign],
                fresh=True,
            )
        )
    else:
        steps.append(
            step(
                "Look at the rows.",
                "Each row holds numbers of the word it is named after: head 1 the first four, head 2 the last four.",
                [f"h{h}.{t}" for h in range(HEADS) for t in rows],
                fresh=True,
            )
        )
    return steps


# ---------------------------------------------------------------------------------------------------------- rotary

MOMENTS = ((0, 0), (3, 0), (3, 2), (5, 4), (8, 7), (8, 1))  # positions of query and key


def rotary(width: int = 8, moments: Sequence[tuple[int, int]] = MOMENTS) -> Machine:
    """Two of the pairs of a query and a key of one content, turned by their positions with `rotate`.

    width: of the vectors; its first pair is the fastest, the second is slower.   moments: positions of query and key.
    """
    require(width >= 4, f"Two pairs need a width of at least 4, not {width}.")
    speeds = np.asarray(frequencies(width))[:2]
    nodes: list[Node] = [note("at", at(330, 16), at(177, 16), name="positions")]
    for p, (name, speed) in enumerate(zip(("fast", "slow"), speeds, strict=True)):
        x, nx, turn = (176, 484)[p], (88, 266)[p], f"{speed:.2g} radian{'' if speed == 1 else 's'}"
        nodes += [
            note(
                f"{name}?",
                at(x, 44),
                at(nx, 44, text=f"{name}: {turn}", size="tiny"),
                f"{name} pair: {turn} a position",
                always=True,
                size="small",
            ),
            dial(
                name,
                at(x, 148),
                at(nx, 142, d=150),
                d=168,
                hands=["attention", "hidden"],
                name=f"query and key, {name} pair",
            ),
            note(f"{name}=", at(x, 258), at(nx, 244), name=f"their product, {name} pair"),
        ]
    nodes.append(
        note("key", at(330, 284), at(177, 266), "long hand: query, short hand: key", always=True, size="small")
    )
    steps = []
    for i, (m, n) in enumerate(moments):
        values: dict[str, object] = {"at": f"query at position {m}, key at position {n}"}
        products = []
        for p, name in enumerate(("fast", "slow")):
            content = jnp.zeros((1, 1, width)).at[..., 2 * p].set(1.0)
            turned = [np.asarray(rotate(content, jnp.asarray([[place]])))[0, 0, 2 * p : 2 * p + 2] for place in (m, n)]
            products.append(float(turned[0] @ turned[1]))
            values |= {
                name: [float(np.arctan2(hand[1], hand[0])) for hand in turned],
                f"{name}=": f"$q·k$ = {number(products[-1])}",
            }
        offset, before = m - n, moments[i - 1][0] - moments[i - 1][1] if i else None
        if not offset:
            title, text = (
                "The same position.",
                "Query and key have one content here, so both hands point the same way and the product is 1.",
            )
        elif offset == before:
            title = f"Both move on to {m} and {n}."
            text = f"Every hand turns, but the angle between them stays: the products stay {number(products[0])} and {number(products[1])}."
        elif offset * speeds[0] > np.pi:
            title = f"Now they are {offset} apart."
            text = (
                f"The fast pair is past half a turn and gives {number(products[0])}. "
                f"The slow pair gives {number(products[1])} and still tells far from near."
            )
        else:
            title = f"Now they are {offset} apart."
            text = f"The fast pair gives {number(products[0])}, the slow pair {number(products[1])}: the cosine of the angle."
        steps.append(step(title, text, "at fast slow | fast= slow=", values))
    return Machine(
        title="Rotary positions: only the angle between the hands counts",
        teaches="Each hand turns with its position, so the product depends on the offset alone and no longer on where the two are.",
        alt="Two dials, a fast pair of numbers and a slow one, each with the hand of a query and the hand of a key.",
        wide=(660, 298),
        narrow=(354, 280),
        called={"attention": "query", "hidden": "key"},
        nodes=tuple(nodes),
        edges=(),
        variants=(Variant("", tuple(steps)),),
    )
