"""A recurrent network: with its loop, unrolled over a sentence, and one of its steps."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data.agreement import vocabulary
from ..models.run import apply, every_step
from ..models.sequence import SequenceClassifier, hidden_states
from ..runtime import require
from .machine import Edge, Machine, Node, Step, Variant
from .parts import at, box, cells, edge, note, number, op, spaced, step, word

UNITS, MOST_WORDS = 16, 9  # drawn of each state; words that a drawing has room for, `<bos>` counted
SENTENCE = "near the dogs the cat that slept"


def read(sentence: str, most: int = MOST_WORDS) -> tuple[list[str], jax.Array]:
    """The words of a sentence as a model reads them, `<bos>` in front, and their indices `[1, time]`."""
    indices = vocabulary().read(sentence)
    require(
        len(indices) <= most,
        f"The drawing has room for {most - 1} words; this sentence has {len(indices) - 1}.",
    )
    return [vocabulary().words[i] for i in indices], jnp.asarray([indices])


def telling_units(states: np.ndarray, weights: np.ndarray, count: int = UNITS) -> np.ndarray:
    """The `count` units that move the answer most over `states` `[time, hidden]`, in the order of their `weights`."""
    chosen = np.argsort(-states.std(0) * np.abs(weights))[:count]
    return chosen[np.argsort(-weights[chosen])]


def reading(model: SequenceClassifier, tokens: jax.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A reader's states `[time, hidden]`, P(plural) after each word `[time]`, and the units worth drawing."""
    states = np.asarray(apply(model, hidden_states, tokens)[0])
    plural = np.asarray(jax.nn.softmax(apply(model, every_step, tokens, None)[0]))[:, 1]
    kernel = np.asarray(model.head.kernel[...])
    return states, plural, telling_units(states, kernel[:, 1] - kernel[:, 0])


LEANING = ("near the dogs the cat that slept behind the horses", "near the dog the cats that slept behind the horse")
ROW = 5  # words in a row of the narrow layout


def looped(model: SequenceClassifier, *sentences: str) -> Machine:
    """A reader with its loop: one state, rewritten at every word, and the verb that it leans to. One variant a sentence.

    model: asked for the subject's number, as `experiments.ch00.well_trained`.   sentences: of at most 10 words, `LEANING`
    unless given.
    """
    sentences = sentences or LEANING
    runs = []
    for sentence in sentences:
        words, tokens = read(sentence, 2 * ROW + 1)
        require(len(words) > 1, "The sentence is empty: there is no word to read.")
        runs.append((words, *reading(model, tokens)))
    most, units = max(len(run[0]) for run in runs) - 1, runs[0][3]
    n, rows = len(units), -(-most // ROW)
    column: dict[str, Any] = {"n": n, "role": "hidden", "side": "below", "name": "the state"}
    one: dict[str, Any] = {"n": 1, "cell": (56, 30), "digits": 2, "share": True}
    column["label"] = f"state ({n} of {runs[0][1].shape[1]})"
    nodes: list[Node] = [
        word("x", at(82, 130, w=92), at(44, 118, w=74), name="the word"),
        op("mix", at(226, 130), at(136, 118), "tanh", name="mix both"),
        cells("h", at(352, 130), at(216, 118), cell=(24, 10), **column),
        cells("was", at(540, 92, side="right"), at(318, 78), **one, label="was", name="“was”"),
        cells("were", at(540, 168, side="right"), at(318, 158), **one, label="were", name="“were”"),
        note("row", at(2, 250, anchor="start"), at(2, 224, anchor="start"), "How far it leans to “was”, after each word", always=True,
             size="small"),
    ]  # fmt: skip
    edges: list[Edge] = [
        edge("x", "mix"),
        edge("mix", "h", "hidden"),
        edge("h", "mix", "hidden", name="the loop", wide={"via": [(352, 18), (226, 18)]}, narrow={"via": [(216, 10), (136, 10)]}),
        edge("h", "was", "hidden"),
        edge("h", "were", "hidden"),
    ]  # fmt: skip
    for t, x in enumerate(spaced(most, 36, 636)):
        nx, ny = 36 + 71 * (t % ROW), 254 + 70 * (t // ROW)
        look = {"size": "small", "always": True}
        nodes += [
            word(f"w{t}", at(x, 278, w=62), at(nx, ny, w=66), name=f"word {t + 1}", **look),
            cells(f"p{t}", at(x, 312), at(nx, ny + 32), n=1, cell=(48, 26), digits=2, share=True,
                  name=f"“was” after word {t + 1}", always=True),
        ]  # fmt: skip
    return Machine(
        title="A network makes up its mind",
        teaches="One state is rewritten at every word, and it is all that the network knows of the sentence.",
        alt="A word and the state meet in a box that makes the new state, which goes round in a loop. From the state two "
        "numbers are read: how much speaks for “was”, and how much for “were”.",
        wide=(672, 332),
        narrow=(356, 268 + 70 * rows),
        choose="Sentence",
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=tuple(
            Variant(" ".join(words[1:]), tuple(_leans(words, states[:, units], 1 - plural, most)))
            for words, states, plural, _ in runs
        ),
    )


def _leans(words: list[str], states: np.ndarray, was: np.ndarray, most: int) -> list[Step]:
    """A step for each word after `<bos>`, and one that looks back."""
    texts = words[1:]
    blank = {f"w{t}": texts[t] if t < len(texts) else None for t in range(most)} | {f"p{t}": None for t in range(most)}
    steps = []
    for t, text in enumerate(texts, 1):
        before, after = was[t - 1], was[t]
        flips = int((np.sign(states[t]) != np.sign(states[t - 1])).sum())
        moved = f"“was” goes from {number(before)} to {number(after)}"
        if min(before, after) < 0.4 and max(before, after) > 0.6:
            said = f"It turns around: {moved}. {flips} of the {states.shape[1]} numbers drawn change sign."
        elif number(before) != number(after):
            said = f"The state is rewritten, and {moved}."
        else:
            said = f"The state is rewritten, and “was” stays at {number(after)}."
        steps.append(
            step(
                f"It reads “{text}”.",
                said,
                f"h w{t - 1} x h>mix x>mix mix | mix>h h | h>was h>were was were p{t - 1}",
                {**(blank | {"h": states[0]} if t == 1 else {}), "x": text, "h": states[t], "was": [after], "were": [1 - after],
                 f"p{t - 1}": [after]},
                fresh=True,
            )
        )  # fmt: skip
    verb = "was" if was[-1] > 0.5 else "were"
    leans = (was > 0.5) == (was[-1] > 0.5)
    since = int(max(np.flatnonzero(~leans), default=0)) + 1
    lit = [f"{kind}{t - 1}" for t in range(since, len(words)) for kind in ("w", "p")]
    steps.append(
        step(
            "Look along the row.",
            f"Since “{words[since]}” it says “{verb}”, and {len(words) - 1 - since} more words have not changed its mind.",
            ["h", verb, f"h>{verb}", *lit],
            fresh=True,
        )
    )
    return steps


def unrolled(model: SequenceClassifier, sentence: str = SENTENCE) -> Machine:
    """A reader over a sentence: one matrix is used at every word, and one state is all that is kept.

    model: asked for the subject's number, as `experiments.ch00.well_trained`.   sentence: of at most 8 words.
    """
    words, tokens = read(sentence)
    states, plural, units = reading(model, tokens)
    n = len(words)
    xs, ys = spaced(n + 1, 22, 22 + min(68 * n, 560)), spaced(n + 1, 58, 58 + 58 * n)
    drawn, mid, bus = min(UNITS, len(units)), 142, 290

    def state(t: int):
        name = f"$h_{t}$, the state after “{words[t - 1]}”" if t else "$h_0$, the state at the start"
        return cells(
            f"h{t}",
            at(xs[t], mid),
            at(166, ys[t], across=drawn, cell=(11, 22), side="right"),
            n=drawn,
            role="hidden",
            label=f"$h_{t}$",
            name=name,
        )

    between = [((a + b) / 2, (c + d) / 2) for a, b, c, d in zip(xs, xs[1:], ys, ys[1:], strict=False)]
    answer = "were" if plural[-1] > 0.5 else "was"
    nodes = [
        box("W", at(34, 20), at(bus, 20), "$W_h$", w=50, h=28, name="$W_h$, the recurrent matrix"),
        note("P", at(2, 290, anchor="start"), at(354, ys[0], anchor="end"), "“was”", size="small", always=True),
        state(0),
        word("answer", at(xs[-1] + 64, mid), at(166, ys[-1] + 52), name="the verb", w=64),
    ]
    edges = [edge(f"h{n}", "answer", "hidden")]
    for t, text in enumerate(words, 1):
        x, y = between[t - 1]
        nodes += [
            state(t),
            op(
                f"m{t}",
                at(x, mid),
                at(166, y),
                "tanh",
                role="hidden",
                name="$W_h h$ and the word, added, through tanh",
                w=30,
            ),
            word(f"x{t}", at(xs[t], 254, w=58), at(31, ys[t], w=58), text, size="small", name=f"word {t}", always=True),
            cells(
                f"p{t}",
                at(xs[t], 290),
                at(326, ys[t]),
                n=1,
                cell=(44, 24),
                digits=2,
                share=True,
                name=f"“was” after “{text}”",
            ),
        ]
        edges += [
            edge(f"h{t - 1}", f"m{t}", "hidden", arrow=False),
            edge(f"m{t}", f"h{t}", "hidden"),
            edge(f"x{t}", f"m{t}", wide={"via": [(x, 254)]}, narrow={"via": [(110, ys[t]), (110, y)]}),
            edge("W", f"m{t}", wide={"via": [(x, 20)]}, narrow={"via": [(bus, y)]}, arrow=False),
        ]
    steps = [
        step(
            "The state begins at zero.",
            f"Every column shows the same {drawn} of the network's {states.shape[1]} units. There is one matrix, $W_h$.",
            "h0 W",
            {"h0": np.zeros(drawn)},
        ),
        *(_reads(t, words, states[:, units], 1 - plural) for t in range(n)),
        step(
            "One state is all that is left.",
            f"The verb, “{answer}”, is read from $h_{n}$ alone. Whatever it lost on the way is lost.",
            f"h{n} h{n}>answer answer",
            {"answer": answer},
            fresh=True,
        ),
    ]
    return Machine(
        title="One matrix reads the sentence, word by word",
        teaches="The same matrix is used at every word, and all that the network knows of the sentence is one state.",
        alt=f"A recurrent network unrolled over “{' '.join(words)}”: a state after each word, and one matrix $W_h$ "
        "with a line to every arrow from state to state. Below each word is how much “was” gets, read from the state.",
        wide=(680, 308),
        narrow=(354, int(ys[-1]) + 72),
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=(Variant("", tuple(steps)),),
    )


def one_step(model: SequenceClassifier, sentence: str = "near the dogs the cat") -> Machine:
    """The step that reads the last word of a sentence, opened up: h_t = tanh(W_h h_{t-1} + W_x x_t + b)."""
    words, tokens = read(sentence, 30)
    require(len(words) > 1, "The sentence is empty: there is no word to read.")
    states, _, units = reading(model, tokens)
    old, new = states[-2], states[-1]
    cell: Any = model.cell
    recurrent = np.asarray(cell.W_h[...] @ old)
    projected = np.asarray(cell.project(model.embed(tokens[0, -1])))
    scale = float(
        np.ceil(np.abs(np.concatenate([recurrent, projected, recurrent + projected])[np.tile(units, 3)]).max())
    )
    n, last = len(units), words[-1]
    x, nx = (
        dict(zip("hWa+stn", (30, 122, 214, 306, 398, 500, 602), strict=True)),
        dict(zip("hWa+stn", (20, 76, 134, 188, 236, 288, 336), strict=True)),
    )
    up, low = 104, 276

    def column(id: str, where: str, y: float, label: str, name: str, side: str = "above", **look: Any) -> Node:
        return cells(
            id,
            at(x[where], y, side=side),
            at(nx[where], y, cell=(16, 9), side=side),
            n=n,
            label=label,
            name=name,
            **look,
        )

    nodes = (
        column("h", "h", up, "$h_{t-1}$", "$h_{t-1}$, the state before", role="hidden"),
        box("W_h", at(x["W"], up), at(nx["W"], up, w=42), "$W_h$", w=54, name="$W_h$, the recurrent matrix"),
        column("a", "a", up, "$W_hh_{t-1}$", "what the state contributes", scale=scale),
        word("x", at(44, low), at(34, low, w=58), last, name="the word"),
        box("W_x", at(x["W"] + 10, low), at(96, low, w=42), "$W_x$", w=54, name="$W_x$, the input matrix"),
        column("b", "a", low, "$W_xx_t + b$", "what the word contributes", side="right", scale=scale),
        op("plus", at(x["+"], up), at(nx["+"], up, w=24), "+"),
        column("sum", "s", up, "sum", "the sum", scale=scale),
        op("tanh", at(x["t"], up), at(nx["t"], up), "tanh"),
        column("new", "n", up, "$h_t$", "$h_t$, the new state", role="hidden"),
    )
    edges = (
        edge("h", "W_h", "hidden"),
        edge("W_h", "a"),
        edge("x", "W_x"),
        edge("W_x", "b"),
        edge("a", "plus"),
        edge("b", "plus", wide={"via": [(x["+"], 228)]}, narrow={"via": [(nx["+"], 228)]}),
        edge("plus", "sum"),
        edge("sum", "tanh"),
        edge("tanh", "new", "hidden"),
    )
    edge_of = int((np.abs(new[units]) > 0.9).sum())
    against = int((np.sign(recurrent[units]) != np.sign(projected[units])).sum())
    steps = (
        step(
            "The state before.",
            f"It is what is left of “{' '.join(words[1:-1])}”: {n} of the {len(old)} units are drawn. A full bar is 1.",
            "h",
            {"h": old[units]},
        ),
        step(
            "The old state has its say.",
            f"$W_h$ mixes the old numbers into new ones. These may be large: here a full bar is {scale:g}.",
            "h h>W_h W_h | W_h>a a",
            {"a": recurrent[units]},
        ),
        step(
            "The word has its say.",
            f"$W_x$ does the same with the vector of “{last}”, and a bias is added.",
            "x x>W_x W_x | W_x>b b",
            {"b": projected[units]},
        ),
        step(
            "Both are added.",
            f"In {against} of the {n} units they pull in opposite directions, and the larger one wins.",
            "a b a>plus b>plus plus | plus>sum sum",
            {"sum": (recurrent + projected)[units]},
        ),
        step(
            "tanh squeezes the sum.",
            f"{edge_of} of the {n} numbers end within 0.1 of 1 or −1, however large their sum. A full bar is 1 again.",
            "sum sum>tanh tanh | tanh>new new",
            {"new": new[units]},
        ),
    )
    return Machine(
        title="One step: the state and the word are mixed, added, squeezed",
        teaches="The new state is tanh of what the old state and the word contribute, added number by number.",
        alt=f"One step of a recurrent network at the word “{last}”: the state before times $W_h$ and the word times $W_x$ "
        "meet in a sum, and tanh makes the new state of it.",
        wide=(640, 362),
        narrow=(354, 362),
        nodes=nodes,
        edges=edges,
        variants=(Variant("", steps),),
    )


def _reads(t: int, words: list[str], states: np.ndarray, was: np.ndarray) -> Step:
    """The step that reads word t, counted from 0."""
    after, before = was[t], was[t - 1] if t else 0.5
    flips = int((np.sign(states[t]) != np.sign(states[t - 1])).sum()) if t else 0
    moved = f"from {number(before)} to {number(after)}"
    if t == 0:
        text = f"The mark of the beginning is read like a word. “was” gets {number(after)}."
    elif min(before, after) < 0.4 and max(before, after) > 0.6:
        text = f"It turns around: “was” goes {moved}. {flips} of the {states.shape[1]} units change sign."
    elif t == 1:
        text = f"The same $W_h$ carries the state on. “was” goes {moved}."
    elif number(before) != number(after):
        text = f"The same $W_h$, another word: “was” goes {moved}."
    else:
        text = f"The same $W_h$, another word: “was” stays at {number(after)}."
    i = t + 1
    lit = f"h{t} x{i} W | W>m{i} h{t}>m{i} x{i}>m{i} m{i} | m{i}>h{i} h{i} | p{i}"
    return step(f"It reads “{words[t]}”.", text, lit, {f"h{i}": states[t], f"p{i}": [after]})
