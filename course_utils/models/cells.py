"""One step of a recurrent network: the equation, ways to start its matrix, and the
module that owns the parameters.

A module splits the equation where a loop over time wants it split: `project` is what
does not depend on the state and is computed for all positions at once; `step` has to
wait for the step before: a product with W_h, and then the equation, which holds no
parameters.
"""

from collections.abc import Callable
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ..runtime import require_one_of, require_positive
from .fast import apart
from .interfaces import Arrays

Activation = Literal["tanh", "relu", "logistic", "linear"]
Start = Literal["orthogonal", "identity", "gaussian"]
Share = Float[Array, "*lead hidden"]  # of the input or of the state before, in one gate

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "logistic": jax.nn.sigmoid,
    "linear": lambda x: x,
}


def rnn_step(
    recurrent: Share, projected: Share, f: Callable[[Array], Array] = jnp.tanh
) -> Float[Array, "*lead hidden"]:
    """The next state of a recurrent network, from what the state before and the input
    contribute:

        h_t = f(W_h h_{t-1} + W_x x_t + b)

    recurrent: W_h h_{t-1}.   projected: W_x x_t + b.

    Elman (1990), *Finding Structure in Time*. Built in notebook 01.
    """
    return f(recurrent + projected)


def recurrent_matrix(
    rng: Array, hidden: int, start: Start = "orthogonal", scale: float = 1.0
) -> Float[Array, "hidden hidden"]:
    """A first value for W_h, `[hidden, hidden]`, times `scale`.

    `orthogonal`: a random rotation; every singular value is `scale` (Saxe, McClelland,
    Ganguli 2014).
    `identity`: copy the state (Le, Jaitly, Hinton 2015). `gaussian`: independent
    entries of variance 1/hidden.
    """
    require_positive(hidden=hidden)
    require_one_of(start=(start, Start))
    if start == "identity":
        return scale * jnp.eye(hidden)
    if start == "gaussian":
        return scale * jax.random.normal(rng, (hidden, hidden)) / jnp.sqrt(hidden)
    return scale * jax.nn.initializers.orthogonal()(rng, (hidden, hidden))


class RecurrentCell(nnx.Module):
    """Parameters of a recurrent step, and the interface that every cell has
    (`interfaces.Cell`).

    All gates stand in one matrix for the state, `W_h`, and one for the input, `W_x`, in
    the order of `parts`, so that a step is one product. A subclass names its parts, and
    says in `combine` which equation makes the next state of the two shares. On rows, a
    matrix acts from the right: W h is written `h @ W.T`.
    """

    parts: ClassVar[tuple[str, ...]] = ("h",)

    def __init__(
        self,
        embed: int,
        hidden: int,
        *,
        rngs: nnx.Rngs,
        start: Start = "orthogonal",
        scale: float = 1.0,
    ):
        require_positive(embed=embed, hidden=hidden)
        self.embed, self.hidden = embed, hidden
        matrices = [
            recurrent_matrix(rngs.params(), hidden, start, scale) for _ in self.parts
        ]
        inputs = jax.nn.initializers.lecun_normal(1, 0)(
            rngs.params(), (self.pieces * hidden, embed)
        )
        self.W_h, self.W_x = nnx.Param(jnp.concatenate(matrices)), nnx.Param(inputs)
        self.b = nnx.Param(jnp.zeros(self.pieces * hidden))

    @property
    def pieces(self) -> int:
        """How many gates, the candidate counted."""
        return len(self.parts)

    @property
    def has_the_common_step(self) -> bool:
        """False of a subclass that steps in a way of its own: `fast.unroll` leaves it
        alone.
        """
        return type(self).step is RecurrentCell.step

    def start(self, batch: int) -> Arrays:
        """h_0 = 0."""
        return jnp.zeros((batch, self.hidden))

    def project(
        self, inputs: Float[Array, "*lead embed"]
    ) -> Float[Array, "*lead gates"]:
        """W_x x_t + b: the inputs' share of every gate, for any number of positions at
        once.
        """
        return inputs @ self.W_x[...].T + self.b[...]

    def shares(
        self, state: Arrays, projected: Float[Array, "batch gates"] | tuple[Array, ...]
    ) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """W_h h_{t-1} and what the inputs contribute, each cut into the gates."""
        recurrent = self.output(state) @ self.W_h[...].T
        return apart(recurrent, self.pieces), apart(projected, self.pieces)

    def step(
        self, state: Arrays, projected: Float[Array, "batch gates"] | tuple[Array, ...]
    ) -> Arrays:
        """The next state, from the one before and the inputs' share."""
        return self.combine(state, *self.shares(state, projected))

    def combine(
        self, state: Arrays, recurrent: tuple[Array, ...], projected: tuple[Array, ...]
    ) -> Arrays:
        """The equation, from both shares of every gate."""
        raise NotImplementedError

    def output(self, state: Arrays) -> Float[Array, "*lead hidden"]:
        """h_t."""
        return state


class RNNCell(RecurrentCell):
    """Parameters of `rnn_step`. The state is h itself."""

    def __init__(
        self,
        embed: int,
        hidden: int,
        *,
        rngs: nnx.Rngs,
        activation: Activation = "tanh",
        start: Start = "orthogonal",
        scale: float = 1.0,
    ):
        require_one_of(activation=(activation, ACTIVATIONS))
        super().__init__(embed, hidden, rngs=rngs, start=start, scale=scale)
        self.activation = activation

    def combine(
        self,
        state: Float[Array, "batch hidden"],
        recurrent: tuple[Array, ...],
        projected: tuple[Array, ...],
    ) -> Float[Array, "batch hidden"]:
        """`rnn_step`."""
        return rnn_step(*recurrent, *projected, f=ACTIVATIONS[self.activation])
