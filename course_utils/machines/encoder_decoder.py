"""An encoder and a decoder with one vector between them."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..data.english_french import vocabularies
from ..runtime import require
from .followed import SENTENCE, UNITS, Translated, fits, follow, varied
from .machine import Edge, Machine, Node, Step, Variant
from .parts import at, cells, edge, note, number, spaced, step, word

REFERENCES = {SENTENCE: "elle ne voit jamais le chat noir", "the young mouse dances": "la jeune souris danse"}
ACROSS = 16  # cells of the context in a row


def encoder_decoder(model: Any, *sentences: str, references: Mapping[str, str] = REFERENCES) -> Machine:
    """A translator with a fixed context: all that the decoder learns of a sentence is one vector.

    model: a `models.seq2seq.Translator` without a score, as `experiments.ch04.fixed`.
    sentences: of at most 7 words, one variant each; those of `references` unless given.
    references: right translations, of the sentences that have one.
    """
    sentences = sentences or tuple(references)
    require(len(sentences) > 0, "There is nothing to draw: no sentence is given.")
    runs = [follow(model, sentence) for sentence in sentences]
    require(runs[0].weights is None, "This translator has attention: its machine is `attention`.")
    n, m = max(len(run.source) for run in runs), max(len(run.target) for run in runs)
    longest = max((text for run in runs for text in run.source), key=len)
    lift, room = (28 if len(longest) > 6 else 0), fits(longest)  # long words are written on two levels
    xs, nxs = spaced(n, 32, 32 + min(52, 372 / n) * (n - 1)), spaced(n, 22, 22 + min(44, 340 / n) * (n - 1))
    size = runs[0].summary.shape[0]
    high = 18 * -(-size // ACROSS)
    ys = spaced(m, 170 + lift, 170 + lift + 46 * (m - 1))
    nys = spaced(m, 302 + high, 302 + high + 62 * (m - 1))
    wide, thin = {"across": UNITS, "cell": (7, 24)}, {"across": UNITS, "cell": (9, 24)}
    bus, nbus = 440, 20
    nodes: list[Node] = [
        cells(
            "c",
            at(186, 190 + lift + high / 2),
            at(198, 176 + high / 2, cell=(19, 18)),
            n=size,
            across=ACROSS,
            cell=(20, 18),
            role="hidden",
            label=f"$c = h_{{{n}}}$, all {size} units",
            name="$c$, the context vector",
        ),
        note("s?", at(545, 98 + lift), at(146, nys[0] - 88), "state $s_i$", always=True, size="small"),
        note("y?", at(637, 98 + lift), at(292, nys[0] - 88), "word $y_i$", always=True, size="small"),
        cells(
            "s0",
            at(545, 124 + lift, **wide),
            at(146, nys[0] - 62, **thin),
            n=UNITS,
            role="hidden",
            name="$s_0$, made from $c$",
        ),
        word(
            "y0",
            at(637, 124 + lift, w=74),
            at(292, nys[0] - 62, w=70),
            "<bos>",
            size="small",
            name="word before the first",
        ),
    ]
    edges: list[Edge] = [
        edge(
            "c",
            "s0",
            "hidden",
            wide={"via": [(bus, 124 + lift)], "out": "right"},
            narrow={"via": [(nbus, 176 + high / 2), (nbus, nys[0] - 62)]},
        ),
    ]
    for j in range(n):
        nodes += [
            word(
                f"x{j}",
                at(max(xs[j], room / 2 + 2), 14 + 28 * (j % 2), w=room) if lift else at(xs[j], 16, w=min(46, 350 / n)),
                at(min(max(nxs[j], room / 2 + 2), 352 - room / 2), 14 + 28 * (j % 2), w=room),
                size="small",
                name=f"word {j + 1}",
                always=True,
            ),
            cells(
                f"h{j}",
                at(xs[j], 92 + lift),
                at(nxs[j], 108),
                n=UNITS,
                cell=(18, 7),
                role="hidden",
                name=f"$h_{j + 1}$, the encoder's state",
            ),
        ]
        edges.append(edge(f"x{j}", f"h{j}", arrow=False))
        edges += [edge(f"h{j - 1}", f"h{j}", "hidden")] if j else []
    edges.append(
        edge(f"h{n - 1}", "c", "hidden", wide={"out": "bottom", "into": "top"}, narrow={"out": "bottom", "into": "top"})
    )
    for i in range(m):
        t = i + 1
        nodes += [
            cells(
                f"s{t}",
                at(545, ys[i], **wide),
                at(146, nys[i], **thin),
                n=UNITS,
                role="hidden",
                name=f"$s_{{{t}}}$, the decoder's state",
            ),
            word(
                f"y{t}", at(637, ys[i], w=74), at(292, nys[i], w=70), size="small", name=f"word {t} of the translation"
            ),
        ]
        edges += [
            edge(
                "c",
                f"s{t}",
                "hidden",
                wide={"via": [(bus, ys[i])], "out": "right"},
                narrow={"via": [(nbus, 176 + high / 2), (nbus, nys[i])]},
            ),
            edge(f"s{i}", f"s{t}", "hidden"),
            edge(f"s{t}", f"y{t}", "hidden"),
            edge(
                f"y{i}",
                f"s{t}",
                quiet=True,
                wide={"via": [(637, ys[i] - 23), (575, ys[i] - 23)]},
                narrow={"via": [(292, nys[i] - 31), (186, nys[i] - 31)]},
            ),
        ]
    keys, own = (
        varied(np.concatenate([run.encoded for run in runs])),
        varied(np.concatenate([run.states for run in runs])),
    )
    variants = [
        Variant(sentence, tuple(_steps(run, references.get(sentence), keys, own, n, m)))
        for sentence, run in zip(sentences, runs, strict=True)
    ]
    return Machine(
        title="One vector between two languages",
        teaches="Everything that the decoder learns of the sentence passes through one vector.",
        alt=f"An encoder reads a sentence word by word; its last state is the context, {size} numbers, and an arrow goes "
        "from it to every state of the decoder, which writes one word after another.",
        wide=(676, max(ys[-1] + 22, 214 + lift + high)),
        narrow=(354, nys[-1] + 22),
        choose="Sentence",
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=tuple(variants),
    )


def _steps(run: Translated, reference: str | None, keys: np.ndarray, own: np.ndarray, n: int, m: int) -> list[Step]:
    words: dict[str, Any] = {f"x{j}": run.source[j] if j < len(run.source) else "" for j in range(n)}
    size, last = run.summary.shape[0], len(run.source)
    steps = []
    for j, text in enumerate(run.source):
        before = f"h{j - 1} h{j - 1}>h{j} " if j else ""
        told = (
            f"$h_{j}$ and the word make $h_{{{j + 1}}}$. Nothing else is kept."
            if j
            else f"A recurrence, as before: {UNITS} of its {size} units are drawn."
        )
        steps.append(
            step(
                f"The encoder reads “{text}”.",
                told,
                f"x{j} {before}x{j}>h{j} h{j}",
                {**(words if not j else {}), f"h{j}": run.encoded[j, keys]},
            )
        )
    steps.append(
        step(
            "One vector.",
            f"The last state is all that is handed over: $c = h_{{{last}}}$, {size} numbers for the whole sentence.",
            f"h{n - 1} h{n - 1}>c c | c>s0 s0",
            {"c": run.summary, "s0": run.states[0, own]},
        )
    )
    expected = run.target if reference is None else [*reference.split(), "<eos>"]
    for i, text in enumerate(run.target):
        t = i + 1
        right = expected[i] if i < len(expected) else "nothing"
        second = int(np.argsort(-run.probabilities[i])[1])
        rival, p = vocabularies()[1].words[second], float(run.probabilities[i, second])
        told = "The same $c$, the state before and the word before make the next state."
        if text != right:
            told = f"The reference says “{right}”: that did not survive in $c$. The next best word was “{rival}”, with {number(p)}."
        steps.append(
            step(
                f"It writes “{text}”.",
                told,
                f"c c>s{t} s{i} s{i}>s{t} y{i} y{i}>s{t} s{t} | s{t}>y{t} y{t}",
                {f"s{t}": run.states[t, own], f"y{t}": text},
            )
        )
    wrong = sum(a != b for a, b in itertools.zip_longest(run.target, expected))
    closing = "Every word is right: a short sentence fits into $c$."
    if reference is None:
        closing = "Whatever of the sentence is in these words came through $c$."
    elif wrong:
        closing = f"{wrong} of {len(expected)} words {'is' if wrong == 1 else 'are'} wrong, and $c$ was the only way."
    steps.append(
        step("What came through.", closing, ["c", *(f"y{t}" for t in range(1, len(run.target) + 1))], fresh=False)
    )
    return steps
