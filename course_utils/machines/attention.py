"""Attention between an encoder and a decoder: another context for every decoding step."""

from typing import Any

import numpy as np

from ..runtime import require
from .followed import SENTENCE, UNITS, Translated, fits, follow, varied
from .machine import Machine, Node, Step, Variant
from .parts import at, cells, edge, note, number, spaced, step, word


def attention(model: Any, sentence: str = SENTENCE) -> Machine:
    """A translator with attention: the encoder's states stay, and each decoding step weighs them anew.

    model: a `models.seq2seq.Translator` with a score, as `experiments.ch05.attentive`.   sentence: of at most 7 words.
    """
    run = follow(model, sentence)
    require(run.weights is not None, "This translator has no attention: make it with a `score`.")
    return attention_of(run)


def attention_of(run: Translated) -> Machine:
    """The same, from arrays."""
    n, m = len(run.source), len(run.target)
    xs, nxs = spaced(n, 28, 28 + min(52, 372 / n) * (n - 1)), spaced(n, 18, 18 + min(34, 240 / n) * (n - 1))
    lift = 28 if max(map(len, run.source)) > 6 else 0  # long words are written on two levels
    ys, nys = [196 + lift + 46 * i for i in range(m)], [184 + 88 * i for i in range(m)]
    keys, own = varied(run.encoded), varied(run.states)
    wide, thin = {"across": UNITS, "cell": (7, 24)}, {"across": UNITS, "cell": (7, 24)}
    channel, right = 247, 298
    nodes: list[Node] = [
        note("c?", at(440, 150 + lift), at(right, 20), "context $c_i$", always=True, size="small"),
        note(
            "s?", at(545, 124 + lift), at(right, 42, text="then state $s_i$"), "state $s_i$", always=True, size="small"
        ),
        note("y?", at(637, 124 + lift), at(right, 64, text="then word $y_i$"), "word $y_i$", always=True, size="small"),
        cells(
            "s0",
            at(545, 150 + lift, **wide),
            at(right, 138, **thin),
            n=UNITS,
            role="hidden",
            name="$s_0$, the decoder's first state",
        ),
        word("y0", at(637, 150 + lift, w=74), at(right, 96, w=66), "<bos>", size="small", name="word before the first"),
    ]
    edges = []
    for j, text in enumerate(run.source):
        room, tight = fits(text), min(fits(text), 2 * min(34, 240 / n) - 2)
        high = at(max(xs[j], room / 2 + 2), 14 + lift * (j % 2), w=room)
        nodes += [
            word(
                f"x{j}",
                high if lift else at(xs[j], 16, w=min(46, 350 / n)),
                at(max(nxs[j], tight / 2 + 2), 14 + 28 * (j % 2), w=tight),
                text,
                size="small",
                name=f"word {j + 1}",
                always=True,
            ),
            cells(
                f"h{j}",
                at(xs[j], 92 + lift, side="right"),
                at(nxs[j], 112, cell=(14, 7), label=""),
                n=UNITS,
                cell=(18, 8),
                role="hidden",
                label=f"$h_{j + 1}$",
                name=f"$h_{j + 1}$, the encoder's state at “{text}”",
            ),
        ]
        edges.append(edge(f"x{j}", f"h{j}", arrow=False))
    for i in range(m):
        y, ny, bus, nbus = ys[i], nys[i], ys[i] - 23, nys[i] - 24
        t = i + 1
        nodes += [
            cells(
                f"c{t}",
                at(440, y, **wide),
                at(right, ny, **thin),
                n=UNITS,
                role="attention",
                name=f"$c_{{{t}}}$, the context",
            ),
            cells(
                f"s{t}",
                at(545, y, **wide),
                at(right, ny + 42, **thin),
                n=UNITS,
                role="hidden",
                name=f"$s_{{{t}}}$, the decoder's state",
            ),
            word(f"y{t}", at(637, y, w=74), at(186, ny + 42, w=70), size="small", name=f"word {t} of the translation"),
        ]
        for j in range(n):
            nodes.append(
                cells(
                    f"a{t}.{j}",
                    at(xs[j], y, cell=(min(46, int(372 / n) - 4), 26)),
                    at(nxs[j], ny, cell=(min(31, int(240 / n) - 1), 24), size="tiny"),
                    n=1,
                    digits=2,
                    share=True,
                    role="attention",
                    name=f"weight of “{run.source[j]}”, word {t}",
                )
            )
            edges += [
                edge(
                    f"s{t - 1}",
                    f"a{t}.{j}",
                    "hidden",
                    quiet=True,
                    wide={"via": [(515, bus), (xs[j], bus)]},
                    narrow={"via": [(280, nbus), (nxs[j], nbus)]},
                ),
                edge(f"h{j}", f"a{t}.{j}", "attention", quiet=True, arrow=False, name=f"weight of “{run.source[j]}”"),
            ]
        before = [(right - 33, nys[0] - 86)] if t == 1 else [(186, nbus), (channel, nbus)]
        edges += [
            edge(f"a{t}.{n - 1}", f"c{t}", "attention"),
            edge(f"c{t}", f"s{t}", "attention"),
            edge(f"s{t - 1}", f"s{t}", "hidden", narrow={"via": [(350, 138 if t == 1 else ny - 46), (350, ny + 42)]}),
            edge(f"s{t}", f"y{t}", "hidden", narrow={"via": [(channel + 4, ny + 48)]}),
            edge(
                f"y{t - 1}",
                f"s{t}",
                quiet=True,
                wide={"via": [(637, bus), (575, bus)]},
                narrow={"via": [*([(channel, 96)] if t == 1 else before), (channel, ny + 36)]},
            ),
        ]
    return Machine(
        title="Each word of the translation weighs the source anew",
        teaches="Nothing is thrown away: each decoding step makes its own weighted mean of all encoder states.",
        alt=f"An encoder–decoder with attention on “{' '.join(run.source[:-1])}”: the encoder's states in a row, and below "
        "them a row of weights for each word of the translation, then its context, the decoder's state and the word.",
        wide=(676, ys[-1] + 22),
        narrow=(354, nys[-1] + 62),
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=(Variant("", tuple(_steps(run, keys, own))),),
    )


def _steps(run: Translated, keys: np.ndarray, own: np.ndarray) -> list[Step]:
    assert run.weights is not None
    n, places = len(run.source), range(len(run.source))
    units = run.encoded.shape[1]
    steps = [
        step(
            "Nothing is thrown away.",
            f"The encoder keeps one state for each word; {UNITS} of their {units} units are drawn.",
            [f"x{j} x{j}>h{j} h{j}" for j in places],
            {f"h{j}": run.encoded[j, keys] for j in places},
        )
    ]
    for i, text in enumerate(run.target):
        t, alpha = i + 1, run.weights[i]
        row, hs = [f"a{t}.{j}" for j in places], [f"h{j}" for j in places]
        asks = [f"s{t - 1}", "|", *(f"s{t - 1}>{a}" for a in row), *row]
        blends = [*hs, *(f"h{j}>a{t}.{j}" for j in places), *row, "|", f"a{t}.{n - 1}>c{t}", f"c{t}"]
        writes = [
            f"c{t}",
            f"c{t}>s{t}",
            f"s{t - 1}",
            f"s{t - 1}>s{t}",
            f"y{t - 1}",
            f"y{t - 1}>s{t}",
            f"s{t}",
            "|",
            f"s{t}>y{t}",
            f"y{t}",
        ]
        weights = {a: [w] for a, w in zip(row, alpha, strict=True)}
        lines = {f"h{j}>a{t}.{j}": alpha[j] for j in places}
        new = {f"s{t}": run.states[t, own], f"y{t}": text}
        context = {f"c{t}": run.contexts[i, keys]}
        if t == 1:
            steps += [
                step(
                    "Score.",
                    "The decoder's state $s_0$ is compared with every encoder state. Softmax turns the scores into weights that sum to 1.",
                    asks,
                    {"s0": run.states[0, own], **weights},
                ),
                step(
                    "Take the weighted mean.",
                    f"The context $c_1$ is the mean of the states with these weights. {_most(run.source, alpha, t)}",
                    blends,
                    {**lines, **context},
                ),
                step(
                    f"Write “{text}”.",
                    "The context, the state before and the word before make the next state, and the word is read from it.",
                    writes,
                    new,
                ),
            ]
        else:
            steps.append(
                step(
                    f"Word {t}: “{text}”.",
                    f"$s_{{{i}}}$ asks again. {_most(run.source, alpha, t)}",
                    [*asks, "|", *blends, "|", *writes],
                    {**weights, **lines, **context, **new},
                )
            )
    everything = [f"a{t + 1}.{j}" for t, j in np.argwhere(run.weights >= 0.5)] or [f"a1.{j}" for j in places]
    steps.append(
        step(
            "Read the rows as a map.",
            "Every row is another mixture of the same states. No single vector had to hold the sentence.",
            everything,
        )
    )
    return steps


def _most(source: list[str], alpha: np.ndarray, t: int) -> str:
    """Where the weight of one step is, in a sentence."""
    first, second = np.argsort(-alpha)[:2]
    if alpha[first] > 0.8:
        return f"“{source[first]}” gets {number(alpha[first])} of the weight, so $c_{{{t}}}$ is nearly $h_{{{first + 1}}}$."
    return f"Most weight is on “{source[first]}” ({number(alpha[first])}) and “{source[second]}” ({number(alpha[second])})."
