"""The course's side, and that of `flax.nnx`, which runs in the same process."""

import functools
import math
import os
import pathlib
import platform
import sys
import threading
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import turns
from flax import nnx

from course_utils.data.english_french import vocabularies
from course_utils.decoding import greedy
from course_utils.experiments import ch07, translators
from course_utils.measure.bleu import bleu
from course_utils.measure.decode import as_text
from course_utils.models.by_name import CELLS
from course_utils.models.fast import unroll
from course_utils.models.self_attention import MultiHead, causal_mask
from course_utils.training import batch_rng

FOLDER = pathlib.Path(sys.argv[1])
LAYERS = ("RNN", "LSTM", "GRU", "attention")
KINDS = ("fixed context", "attentive GRU", "Transformer")
CHAPTER = {"fixed context": {}, "attentive GRU": {"score": "additive", "reading": "both"}}  # options of the translators
GROUP = (26, 32)  # words of the sentences that the quality is measured on


def built(kind: str, peer: bool) -> tuple[Any, Any, Any]:
    """`forward(state, x)` of one layer, its state, and what it reads."""
    rngs, width = nnx.Rngs(0), turns.WIDTH
    mask = causal_mask(turns.TIME)
    forward: Any
    if kind == "attention" and peer:
        model: Any = nnx.MultiHeadAttention(turns.HEADS, width, decode=False, rngs=rngs)
        forward = lambda m, x: m(x, mask=mask)  # noqa: E731
    elif kind == "attention":
        model = MultiHead(width, turns.HEADS, rngs=rngs)
        forward = lambda m, x: m(x, mask)[0]  # noqa: E731
    elif peer:
        cells = {"RNN": nnx.SimpleCell, "LSTM": nnx.OptimizedLSTMCell, "GRU": nnx.GRUCell}
        model = nnx.RNN(cells[kind](width, turns.HIDDEN, rngs=rngs))
        forward = lambda m, x: m(x)  # noqa: E731
    else:
        model = CELLS[kind](width, turns.HIDDEN, rngs=rngs)
        forward = lambda m, x: unroll(m, x)[0]  # noqa: E731
    graphdef, params, rest = nnx.split(model, nnx.Param, ...)  # a peer's cell holds a random state as well
    x = jax.random.normal(jax.random.key(0), (turns.BATCH, turns.TIME, width))
    return lambda params, x: forward(nnx.merge(graphdef, params, jax.tree.map(jnp.copy, rest)), x), params, x


def layer(kind: str, backward: bool, peer: bool = False) -> turns.Turn:
    forward, state, x = built(kind, peer)

    def loss(state: Any, x: Any) -> Any:
        return (forward(state, x) ** 2).mean()

    call = jax.jit(jax.value_and_grad(loss, (0, 1)) if backward else forward)
    jax.block_until_ready(call(state, x))

    def turn() -> None:
        jax.block_until_ready(call(state, x))

    return turn


def made(kind: str) -> Any:
    """A translator as the chapters make it."""
    if kind == "Transformer":
        return ch07.transformer(nnx.Rngs(0))
    return translators.translator(nnx.Rngs(0), **CHAPTER[kind])


def product() -> turns.Turn:
    a, b = jax.random.normal(jax.random.key(0), (2, turns.SIDE, turns.SIDE))
    call = jax.jit(jnp.dot)
    call(a, b).block_until_ready()

    def turn() -> None:
        for _ in range(turns.PRODUCTS):
            call(a, b).block_until_ready()

    return turn


class Training:
    """`fit`, which goes on for one run of updates at each turn; between turns it waits in its own report."""

    def __init__(self, kind: str):
        self.go, self.done = threading.Semaphore(0), threading.Semaphore(0)
        self.kind, self.step, self.loss = kind, 0, 0.0
        self.history: Any = None
        self.model = made(kind)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        self.go.acquire()
        schedule = ch07.rate(turns.UPDATES) if self.kind == "Transformer" else translators.rate(turns.UPDATES)
        self.history = translators.train(self.model, turns.UPDATES, report=self._report, schedule=schedule)
        self.done.release()

    def _report(self, step: int, metrics: dict) -> None:
        self.step, self.loss = step, metrics["loss"]
        if step < turns.UPDATES:
            self.done.release()
            self.go.acquire()

    def turn(self) -> float:
        self.go.release()
        self.done.acquire()
        return self.loss


def decoding() -> turns.Turn:
    run = Training("attentive GRU")
    while run.step < 300:
        run.turn()
    batch = corpus().batch

    def turn() -> int:
        return greedy(run.model, batch.source, batch.source_mask, turns.LONGEST).words.shape[1]

    turn()
    return turn


def quality() -> turns.Turn:
    """A training from its start, and the quality every hundred updates."""
    run, ask, spent = Training("attentive GRU"), False, 0.0
    batch = corpus().batch

    def turn() -> Any:
        nonlocal ask, spent
        ask = not ask
        if not ask:
            words = greedy(run.model, batch.source, batch.source_mask, turns.LONGEST).words
            return words.tolist()
        before = compiling[0]
        for _ in range(5):
            run.turn()
        spent += compiling[0] - before
        return {"updates": run.step, "compiling": spent}

    return turn


def score() -> turns.Turn:
    return lambda words: bleu(as_text(words, vocabularies()[1]), corpus().references)


compiling = [0.0]  # seconds so far


@jax.monitoring.register_event_duration_secs_listener
def _heard(event: str, seconds: float, **_: Any) -> None:
    if event == "/jax/core/compile/backend_compile_duration":
        compiling[0] += seconds


@functools.cache
def corpus() -> translators.Corpus:
    """The test sentences of one group of lengths."""
    return translators.Corpus.of(
        [pair for pair in translators.held_out().pairs if GROUP[0] <= len(pair.source) <= GROUP[1]]
    )


def prepare() -> turns.Turn:
    """Write what the other side can't draw itself: the batches in their order, and the sentences to translate.

    Says how many words each run of updates holds, padding left out, and how many floating-point operations the matrix
    products of one forward pass take: of each layer, and of each translator in each run of updates.
    """

    def turn() -> dict[str, Any]:
        rng, batches = batch_rng(0), translators.batches()
        arrays: dict[str, Any] = {"vocabularies": [len(v) for v in vocabularies()]}
        drawn = [batches(step, jax.random.fold_in(rng, step)) for step in range(turns.UPDATES)]
        for step, batch in enumerate(drawn):
            arrays[f"source{step}"] = np.asarray(batch.source, np.int16)
            arrays[f"target{step}"] = np.asarray(batch.target, np.int16)
            arrays[f"lengths{step}"] = np.asarray(batch.source_mask.sum(1), np.int16)
        arrays["source"] = np.asarray(corpus().batch.source, np.int16)
        arrays["lengths"] = np.asarray(corpus().batch.source_mask.sum(1), np.int16)
        np.savez(FOLDER / "batches.npz", **arrays)
        first = range(0, turns.UPDATES, turns.RUN)
        buckets = [batches.bucket(step) for step in first]
        of_bucket = {bucket: drawn[step] for bucket, step in zip(buckets, first, strict=True)}
        operations = {}
        for kind in KINDS:
            model = made(kind)
            found = {
                bucket: products(jax.make_jaxpr(model)(batch.source, batch.source_mask, batch.target[:, :-1]).jaxpr)
                for bucket, batch in of_bucket.items()
            }
            operations[kind] = [found[bucket] for bucket in buckets]
        words = [int(batch.source_mask.sum() + batch.target_mask[:, 1:].sum()) for batch in drawn]
        return {
            "device": f"{jax.devices()[0].device_kind}, {jax.device_count()} device, {os.cpu_count()} processors",
            "versions": {"python": platform.python_version(), "jax": jax.__version__, "flax": flax.__version__},
            "words": np.reshape(words, (-1, turns.RUN)).sum(1).tolist(),
            "buckets": buckets,
            "operations": operations,
            "layers": {kind: layer_products(kind) for kind in LAYERS},
        }

    return turn


def layer_products(kind: str) -> float:
    forward, state, x = built(kind, peer=False)
    return products(jax.make_jaxpr(forward)(state, x).jaxpr)


def products(jaxpr: Any) -> float:
    """Floating-point operations of all matrix products in a program, loops as often as they run."""
    total = 0.0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            total += 2.0 * math.prod(equation.outvars[0].aval.shape) * math.prod(left[axis] for axis in contracted)
        inner = [getattr(value, "jaxpr", value) for value in equation.params.values()]
        often = equation.params["length"] if equation.primitive.name == "scan" else 1
        total += often * sum(products(program) for program in inner if hasattr(program, "eqns"))
    return total


CASES: dict[str, Any] = {
    "prepare": prepare,
    "product": product,
    **{f"{kind} forward": (lambda kind=kind: layer(kind, False)) for kind in LAYERS},
    **{f"{kind} forward and backward": (lambda kind=kind: layer(kind, True)) for kind in LAYERS},
    **{f"nnx {kind} forward": (lambda kind=kind: layer(kind, False, peer=True)) for kind in LAYERS},
    **{f"nnx {kind} forward and backward": (lambda kind=kind: layer(kind, True, peer=True)) for kind in LAYERS},
    **{f"{kind} training": (lambda kind=kind: Training(kind).turn) for kind in KINDS},
    "greedy decoding": decoding,
    "quality": quality,
    "score": score,
}

if __name__ == "__main__":
    turns.serve(CASES)
