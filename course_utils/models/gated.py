"""One step of a gated recurrent network: LSTM and GRU."""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ..runtime import require
from .cells import RecurrentCell, Share

σ, tanh = jax.nn.sigmoid, jnp.tanh


class LSTMState(NamedTuple):
    """What an LSTM carries: h_t, which the rest of a model reads, and the cell state
    C_t.
    """

    hidden: Float[Array, "*lead hidden"]
    cell: Float[Array, "*lead hidden"]


def lstm_gates(
    z_f: Share, z_i: Share, z_C: Share, z_o: Share
) -> tuple[Share, Share, Share, Share]:
    """f_t, i_t, C̃_t, o_t of an LSTM, from z = W_h h_{t-1} + W_x x_t + b of each:

    f_t = σ(z_f)        i_t = σ(z_i)        C̃_t = tanh(z_C)        o_t = σ(z_o)
    """
    return σ(z_f), σ(z_i), tanh(z_C), σ(z_o)


def lstm_step(
    state: LSTMState, z_f: Share, z_i: Share, z_C: Share, z_o: Share
) -> LSTMState:
    """The next state of an LSTM, from z = W_h h_{t-1} + W_x x_t + b of each gate:

        f_t = σ(z_f)        C̃_t = tanh(z_C)
        i_t = σ(z_i)        C_t = f_t ⊙ C_{t-1} + i_t ⊙ C̃_t
        o_t = σ(z_o)        h_t = o_t ⊙ tanh(C_t)

    Hochreiter, Schmidhuber (1997); the forget gate is that of Gers, Schmidhuber,
    Cummins (2000). Built in notebook 03.
    """
    f_t, i_t, candidate, o_t = lstm_gates(z_f, z_i, z_C, z_o)
    C_t = additive_step(state.cell, f_t, i_t, candidate)
    return LSTMState(o_t * tanh(C_t), C_t)


def additive_step(
    C: Float[Array, "*shape"],
    f_t: Float[Array, "*shape"],
    i_t: Float[Array, "*shape"],
    candidate: Float[Array, "*shape"],
) -> Float[Array, "*shape"]:
    """C_t = f_t ⊙ C_{t-1} + i_t ⊙ C̃_t: something is kept, something is written."""
    return f_t * C + i_t * candidate


def additive_memory(
    f: Float[Array, " time"], i: Float[Array, " time"], candidate: Float[Array, " time"]
) -> Float[Array, " time"]:
    """The cell state of one unit whose gates are given: `additive_step` from C_0 = 0.
    Built in notebook 03.
    """

    def step(C, gates):
        C = additive_step(C, *gates)
        return C, C

    return jax.lax.scan(step, jnp.zeros(()), (f, i, candidate))[1]


def gru_gates(
    recurrent: tuple[Share, ...], projected: tuple[Share, ...]
) -> tuple[Share, Share, Share]:
    """r_t, u_t, n_t of a GRU, from U h_{t-1} and W x_t + b of each:

    r_t = σ(W_r x_t + U_r h_{t-1} + b_r)
    u_t = σ(W_u x_t + U_u h_{t-1} + b_u)
    n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t-1}))
    """
    (h_r, h_u, h_n), (x_r, x_u, x_n) = recurrent, projected
    r_t = σ(x_r + h_r)
    return r_t, σ(x_u + h_u), tanh(x_n + r_t * h_n)


def gru_step(
    hidden: Share, recurrent: tuple[Share, ...], projected: tuple[Share, ...]
) -> Share:
    """The next state of a GRU whose reset gate acts *after* the product:

        r_t = σ(W_r x_t + U_r h_{t-1} + b_r)
        u_t = σ(W_u x_t + U_u h_{t-1} + b_u)
        n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t-1}))
        h_t = (1 - u_t) ⊙ n_t + u_t ⊙ h_{t-1}

    recurrent: U h_{t-1}.   projected: W x_t + b.   Each for r, u and n. So does
    `flax.nnx.GRUCell`.

    Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio (2014) reset
    before the product, U_n (r_t ⊙ h_{t-1}), and write the update as h = z ⊙ h + (1 - z)
    ⊙ h̃; Bahdanau, Cho, Bengio (2015) write (1 - z) ⊙ s + z ⊙ s̃. Built in notebook 03.
    """
    _, u_t, n_t = gru_gates(recurrent, projected)
    return (1 - u_t) * n_t + u_t * hidden


def chrono_bias(rng: Array, hidden: int, longest: int) -> Float[Array, " hidden"]:
    """Biases for memories of every length up to `longest`: b = log U(1, longest - 1).

    A gate σ(b) = n / (n + 1) keeps a value for about n steps, so the units begin with
    time constants spread evenly over the range. The forget gate of an LSTM gets b and
    its input gate -b; the update gate of a GRU b.

    Tallec, Ollivier (2018), *Can Recurrent Neural Networks Warp Time?*
    """
    require(
        longest > 2,
        f"The range to remember must be longer than 2 steps, not {longest}.",
    )
    return jnp.log(jax.random.uniform(rng, (hidden,), minval=1.0, maxval=longest - 1.0))


class LSTMCell(RecurrentCell):
    """Parameters of `lstm_step`. The state is an `LSTMState`; the gates stand in the
    order f, i, C̃, o.

    The forget gate starts with the bias `forget_bias` (Jozefowicz, Zaremba, Sutskever
    2015 advise 1), or with `chrono_bias` for memories of up to `chrono` steps.
    """

    parts: ClassVar = ("f", "i", "C", "o")

    def __init__(
        self,
        embed: int,
        hidden: int,
        *,
        rngs: nnx.Rngs,
        forget_bias: float = 1.0,
        chrono: int | None = None,
    ):
        super().__init__(embed, hidden, rngs=rngs)
        bias = self.b[...].at[:hidden].set(forget_bias)
        if chrono is not None:
            b = chrono_bias(rngs.params(), hidden, chrono)
            bias = bias.at[:hidden].set(b).at[hidden : 2 * hidden].set(-b)
        self.b[...] = bias

    def start(self, batch: int) -> LSTMState:
        """h_0 = C_0 = 0."""
        return LSTMState(
            jnp.zeros((batch, self.hidden)), jnp.zeros((batch, self.hidden))
        )

    def gates(
        self,
        state: LSTMState,
        projected: Float[Array, "batch gates"] | tuple[Array, ...],
    ) -> tuple[Array, Array, Array, Array]:
        """f_t, i_t, C̃_t, o_t, each `[batch, hidden]`."""
        return lstm_gates(*_added(*self.shares(state, projected)))

    def combine(
        self,
        state: LSTMState,
        recurrent: tuple[Array, ...],
        projected: tuple[Array, ...],
    ) -> LSTMState:
        """`lstm_step`."""
        return lstm_step(state, *_added(recurrent, projected))

    def output(self, state: LSTMState) -> Float[Array, "*lead hidden"]:
        """h_t."""
        return state.hidden


class GRUCell(RecurrentCell):
    """Parameters of `gru_step`. The state is h itself; the gates stand in the order r,
    u, n.

    The update gate starts with the bias `update_bias`, or with `chrono_bias` for
    memories of up to `chrono` steps.
    """

    parts: ClassVar = ("r", "u", "n")

    def __init__(
        self,
        embed: int,
        hidden: int,
        *,
        rngs: nnx.Rngs,
        update_bias: float = 0.0,
        chrono: int | None = None,
    ):
        super().__init__(embed, hidden, rngs=rngs)
        update = (
            chrono_bias(rngs.params(), hidden, chrono)
            if chrono is not None
            else update_bias
        )
        self.b[...] = self.b[...].at[hidden : 2 * hidden].set(update)

    def gates(
        self,
        state: Float[Array, "batch hidden"],
        projected: Float[Array, "batch gates"] | tuple[Array, ...],
    ) -> tuple[Array, Array, Array]:
        """r_t, u_t, n_t, each `[batch, hidden]`."""
        return gru_gates(*self.shares(state, projected))

    def combine(
        self,
        state: Float[Array, "batch hidden"],
        recurrent: tuple[Array, ...],
        projected: tuple[Array, ...],
    ) -> Float[Array, "batch hidden"]:
        """`gru_step`."""
        return gru_step(state, recurrent, projected)


def _added(
    recurrent: tuple[Array, ...], projected: tuple[Array, ...]
) -> tuple[Array, ...]:
    """W_h h_{t-1} + W_x x_t + b of every gate."""
    return tuple(a + b for a, b in zip(recurrent, projected, strict=True))
