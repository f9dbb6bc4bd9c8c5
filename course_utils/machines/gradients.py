"""The way back: a gradient through an unrolled network, and the same cut into windows."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..measure.regimes import recurrent
from ..models.cells import rnn_step
from ..runtime import require, require_positive
from .machine import Edge, Machine, Node, Step, Variant
from .parts import at, cells, edge, note, op, spaced, step

TIME, HIDDEN = 8, 12
WIDEST = 3.2  # the norm that gets the broadest line


def backwards(
    scale: float, window: int = TIME, time: int = TIME, hidden: int = HIDDEN
) -> tuple[Float[np.ndarray, "time hidden"], Float[np.ndarray, "time hidden"]]:
    """States of a tanh network with W_h = scale · rotation on small inputs, and ∂L/∂h_t of a loss on its last state.

    The gradient of L has norm 1 at the last state. No gradient passes from one window of `window` steps to the one before.
    """
    require_positive(window=window)
    W = jnp.asarray(recurrent("orthogonal", hidden, scale), jnp.float32)
    inputs = 0.05 * jax.random.normal(jax.random.key(3), (time, hidden))
    out = jax.random.normal(jax.random.key(4), (hidden,))
    out = out / jnp.linalg.norm(out)

    def loss(nudges: jax.Array) -> tuple[jax.Array, jax.Array]:
        h, states = jnp.zeros(hidden), []
        for t in range(time):
            h = jax.lax.stop_gradient(h) if t and t % window == 0 else h
            h = rnn_step(W @ h, inputs[t]) + nudges[t]
            states.append(h)
        return out @ h, jnp.stack(states)

    gradient, states = jax.grad(loss, has_aux=True)(jnp.zeros((time, hidden)))
    return np.asarray(states), np.asarray(gradient)


def _drawing(title: str, teaches: str, choose: str, variants: Sequence[Variant]) -> Machine:
    """States above and the gradients that reach them below; the loss at the end."""
    xs, ys = spaced(TIME, 30, 520), spaced(TIME, 56, 56 + 56 * (TIME - 1))
    up, low, end = 84, 218, (604, 150)
    row = {"across": HIDDEN, "cell": (9, 22), "label": ""}
    nodes: list[Node] = [
        op("L", at(*end), at(146, ys[-1] + 62), "$L$", role="gradient", name="$L$, the loss", w=34),
        note(
            "size",
            at(2, 306, anchor="start"),
            at(326, 16, text="norm"),
            "norm of the gradient that arrives",
            always=True,
            size="small",
        ),
        note("h?", at(604, 84, size="small"), at(64, 16), "states", always=True, size="small"),
        note("g?", at(604, 218, size="small"), at(200, 16), "gradients", always=True, size="small"),
    ]
    edges: list[Edge] = [
        edge(f"h{TIME}", "L", "hidden", wide={"via": [(560, up), (560, 142)]}, narrow={"via": [(64, ys[-1] + 62)]}),
        edge("L", f"g{TIME}", "gradient", wide={"via": [(560, 158), (560, low)]}, narrow={"via": [(200, ys[-1] + 62)]}),
    ]
    for t, (x, y) in enumerate(zip(xs, ys, strict=True), 1):
        nodes += [
            cells(
                f"h{t}",
                at(x, up),
                at(64, y, **row),
                n=HIDDEN,
                scale=0.2,
                role="hidden",
                label=f"$h_{t}$",
                name=f"$h_{t}$, state",
            ),
            cells(
                f"g{t}",
                at(x, low),
                at(200, y, **row),
                n=HIDDEN,
                scale=0.4,
                role="gradient",
                name=f"gradient at $h_{t}$",
            ),
            note(f"n{t}", at(x, 286), at(326, y), name=f"norm of the gradient at $h_{t}$"),
            note(
                f"l{t}",
                at(x, 40, text=" "),
                at(274, y, text=f"$h_{t}$"),
                size="small",
                always=True,
                name=f"which step, {t}",
            ),
        ]
        if t > 1:
            border = at((xs[t - 2] + x) / 2, low - 14), at(226, (ys[t - 2] + y) / 2)
            nodes.append(note(f"b{t}", *border, role="gradient", size="small", name="border of a window", always=True))
            edges += [
                edge(f"h{t - 1}", f"h{t}", "hidden"),
                edge(f"g{t}", f"g{t - 1}", "gradient", name=f"norm of what arrives at $h_{t - 1}$"),
            ]
    return Machine(
        title=title,
        teaches=teaches,
        choose=choose,
        alt=f"{TIME} states of a recurrent network in a row, the loss after the last, and below each state the gradient "
        "that comes back to it.",
        wide=(660, 322),
        narrow=(354, int(ys[-1]) + 84),
        nodes=tuple(nodes),
        edges=tuple(edges),
        variants=tuple(variants),
    )


def _back(scale: float, window: int, forwards: str, cut: bool) -> list[Step]:
    """Forwards in one step, then back one state a step."""
    states, slopes = backwards(scale, window)
    norm = np.linalg.norm(slopes, axis=1)
    every = range(1, TIME + 1)
    steps = [
        step(
            "Forwards.",
            forwards,
            " ".join(f"h{t} h{t}>h{t + 1}" for t in every if t < TIME) + f" h{TIME} h{TIME}>L L",
            {
                **{f"h{t}": states[t - 1] for t in every},
                **{f"b{t}": "stop" if (t - 1) % window == 0 else "" for t in every[1:]},
            },
        )
    ]
    for t in reversed(every):
        source, path = ("L", f"L>g{TIME}") if t == TIME else (f"g{t + 1}", f"g{t + 1}>g{t}")
        size, away = float(norm[t - 1]), TIME - t
        if t == TIME:
            title, text = f"Back to $h_{t}$.", "The loss says how the last state should change: a gradient of norm 1."
        elif not size:
            title = f"Nothing reaches $h_{t}$."
            text = "From this loss no gradient arrives here."
            if t == TIME - window:
                text = f"The last window begins after $h_{t}$. The state was handed over, but the gradient stops."
            elif t % window == 0:
                text = "A window begins after it, but nothing came this far."
        else:
            factor = size / float(norm[t])
            title = f"Back to $h_{t}$."
            text = f"One step back multiplies the norm by {factor:.2f}: {size:.2g} is left after {away} step{'s' * (away > 1)}."
        steps.append(
            step(
                title,
                text,
                f"{source} | {path} g{t} | n{t}",
                {f"g{t}": slopes[t - 1], f"n{t}": f"{size:.2g}", path: [min(1.0, size / WIDEST), size]},
            )
        )
    first = float(norm[0])
    if cut:
        reach = int((norm > 0).sum())
        text = (
            f"From this loss the gradient reaches {reach} of the {TIME} states. The state came through from the first."
        )
        if reach == TIME:
            text = f"One window holds the whole sequence, so the gradient reaches all {TIME} states."
    else:
        verb = "fades" if first < 0.3 else "grows" if first > 1.2 else "nearly keeps its size"
        text = (
            f"The norm {verb}: {first:.2g} of 1 arrives at $h_1$. It is one factor a step, multiplied {TIME - 1} times."
        )
    back = [f"L>g{TIME}", *(f"g{t + 1}>g{t}" for t in every if t < TIME), *(f"g{t} n{t}" for t in every)]
    steps.append(step("What arrives at the first step.", text, ["h1", *back], fresh=True))
    return steps


def gradient_back(scales: Sequence[float] = (0.5, 1.0, 1.2)) -> Machine:
    """The loss sends its gradient back along the arrows; their width is the norm that arrives. One variant a scale of W_h."""
    require(len(scales) > 0, "There is nothing to draw: no scale is given.")
    variants = [
        Variant(
            f"$W_h$ × {scale:g}".replace("$W_h$", "W"),
            tuple(
                _back(
                    scale,
                    TIME,
                    f"A network of {HIDDEN} units reads {TIME} small inputs. Its matrix is a rotation times {scale:g}.",
                    False,
                )
            ),
        )
        for scale in scales
    ]
    return _drawing(
        "The gradient comes back, one factor a step",
        "What comes back is a product of one factor a step: it fades below 1, nearly keeps at 1, grows above.",
        "Matrix",
        variants,
    )


def truncated(windows: Sequence[int] = (4, 2, 8)) -> Machine:
    """The same network with truncated backpropagation through time; one variant a window."""
    require(len(windows) > 0, "There is nothing to draw: no window is given.")
    variants = [
        Variant(
            f"windows of {window}" if window < TIME else "the whole sequence",
            tuple(
                _back(
                    0.95,
                    window,
                    f"States cross the borders: the network reads all {TIME} steps, in windows of {window}."
                    if window < TIME
                    else f"The network reads all {TIME} steps in one window.",
                    True,
                )
            ),
        )
        for window in windows
    ]
    return _drawing(
        "States cross the border of a window, gradients stop there",
        "With truncated backpropagation the state is handed on, but the gradient stops where the window begins.",
        "Window",
        variants,
    )
