"""One step of a recurrent network.

Each cell is three things: the equation as a pure function on arrays; ways to start its matrices; and a
`flax.nnx` module that owns the parameters. A module splits the equation where a loop over time wants it
split: `project` is the part that does not depend on the state and is computed for all positions at once,
`step` is what has to wait for the step before: a product with W_h, and `combine`, which holds no parameters.
"""

from collections.abc import Callable
from typing import Literal, get_args

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ..runtime import require, require_positive

Activation = Literal["tanh", "relu", "logistic", "linear"]
Start = Literal["orthogonal", "identity", "gaussian"]

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "logistic": jax.nn.sigmoid,
    "linear": lambda x: x,
}


def rnn_step(
    hidden: Float[Array, "batch hidden"],
    inputs: Float[Array, "batch embed"],
    W_h: Float[Array, "hidden hidden"],
    W_x: Float[Array, "hidden embed"],
    b: Float[Array, " hidden"],
    f: Callable[[Array], Array] = jnp.tanh,
) -> Float[Array, "batch hidden"]:
    """The next state of a recurrent network: h_t = f(W_h h_{t-1} + W_x x_t + b).

    `hidden` is h_{t-1} and `inputs` is x_t, one row for each example; a matrix acts on a row from the
    right, so W h is written `h @ W.T`.

    Elman (1990), *Finding Structure in Time*. Built in notebook 01.
    """
    return f(hidden @ W_h.T + inputs @ W_x.T + b)


def recurrent_matrix(
    rng: Array, hidden: int, start: Start | str = "orthogonal", scale: float = 1.0
) -> Float[Array, "h h"]:
    """A first value for W_h, `[hidden, hidden]`, times `scale`.

    `orthogonal`: a random rotation; every singular value is `scale` (Saxe, McClelland, Ganguli 2014).
    `identity`: copy the state (Le, Jaitly, Hinton 2015). `gaussian`: independent entries of variance 1/hidden.
    """
    require_positive(hidden=hidden)
    require(start in get_args(Start), f"start must be one of {', '.join(get_args(Start))}, not {start!r}.")
    if start == "identity":
        return scale * jnp.eye(hidden)
    if start == "gaussian":
        return scale * jax.random.normal(rng, (hidden, hidden)) / jnp.sqrt(hidden)
    return scale * jax.nn.initializers.orthogonal()(rng, (hidden, hidden))


def apart(x: Float[Array, "*lead gates"] | tuple[Array, ...], pieces: int) -> tuple[Array, ...]:
    """One array for each of so many gates; what is apart already stays as it is.

    The barrier keeps XLA from weaving the cut into the element-wise work that follows. On a CPU that costs more than the
    products themselves (`benchmarks/NOTES.md`).
    """
    if isinstance(x, tuple):
        return x
    return (x,) if pieces == 1 else tuple(jnp.split(jax.lax.optimization_barrier(x), pieces, axis=-1))


class RNNCell(nnx.Module):
    """Parameters of `rnn_step`, with the interface that every cell of the course has.

    `start()` → state, `project(inputs)` → what the inputs contribute, `step(state, projected)` → state,
    `output(state)` → what the rest of a model reads. Here the state is h itself.

    A step is `combine(state, recurrent, projected)`, element by element, of W_h h and of what the inputs contribute, both cut
    into `pieces` by `apart`: one for each gate, here one. `recurrent.unroll` needs the two apart to be fast.
    """

    pieces = 1

    def __init__(
        self,
        embed: int,
        hidden: int,
        *,
        rngs: nnx.Rngs,
        activation: Activation | str = "tanh",
        start: Start | str = "orthogonal",
        scale: float = 1.0,
    ):
        require_positive(embed=embed, hidden=hidden)
        require(
            activation in ACTIVATIONS,
            f"activation must be one of {', '.join(ACTIVATIONS)}, not {activation!r}.",
        )
        self.embed, self.hidden, self.activation = embed, hidden, activation
        self.W_h = nnx.Param(recurrent_matrix(rngs.params(), hidden, start, scale))
        self.W_x = nnx.Param(jax.nn.initializers.lecun_normal(1, 0)(rngs.params(), (hidden, embed)))
        self.b = nnx.Param(jnp.zeros(hidden))

    def start(self, batch: int) -> Float[Array, "batch hidden"]:
        """h_0 = 0."""
        return jnp.zeros((batch, self.hidden))

    def project(self, inputs: Float[Array, "*lead embed"]) -> Float[Array, "*lead hidden"]:
        """W_x x_t + b, for any number of positions at once."""
        return inputs @ self.W_x[...].T + self.b[...]

    def step(
        self, state: Float[Array, "batch hidden"], projected: Float[Array, "batch hidden"] | tuple[Array, ...]
    ) -> Float[Array, "batch hidden"]:
        """f(W_h h_{t-1} + projected)."""
        return self.combine(state, apart(state @ self.W_h[...].T, 1), apart(projected, 1))

    def combine(
        self, state: Float[Array, "batch hidden"], recurrent: tuple[Array, ...], projected: tuple[Array, ...]
    ) -> Float[Array, "batch hidden"]:
        """f(recurrent + projected)."""
        return ACTIVATIONS[self.activation](recurrent[0] + projected[0])

    def output(self, state: Float[Array, "*lead hidden"]) -> Float[Array, "*lead hidden"]:
        """The state itself."""
        return state
