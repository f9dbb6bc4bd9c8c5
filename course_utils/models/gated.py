"""One step of a gated recurrent network: LSTM and GRU.

Modules hold all gates in one matrix for the state and one for the input, so that a step is one product; the
equations below are written gate by gate, and tests hold the two together.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ..runtime import require, require_positive
from .cells import apart, recurrent_matrix


class LSTMState(NamedTuple):
    """What an LSTM carries: h_t, which the rest of a model reads, and the cell state C_t."""

    hidden: Float[Array, "*lead hidden"]
    cell: Float[Array, "*lead hidden"]


def lstm_step(
    state: LSTMState,
    inputs: Float[Array, "batch embed"],
    W_f: Float[Array, "hidden hidden_and_embed"],
    W_i: Float[Array, "hidden hidden_and_embed"],
    W_C: Float[Array, "hidden hidden_and_embed"],
    W_o: Float[Array, "hidden hidden_and_embed"],
    b_f: Float[Array, " hidden"],
    b_i: Float[Array, " hidden"],
    b_C: Float[Array, " hidden"],
    b_o: Float[Array, " hidden"],
) -> LSTMState:
    """The next state of an LSTM, with [h_{t-1}, x_t] the two vectors one after the other:

        f_t = σ(W_f [h_{t-1}, x_t] + b_f)        C̃_t = tanh(W_C [h_{t-1}, x_t] + b_C)
        i_t = σ(W_i [h_{t-1}, x_t] + b_i)        C_t = f_t ⊙ C_{t-1} + i_t ⊙ C̃_t
        o_t = σ(W_o [h_{t-1}, x_t] + b_o)        h_t = o_t ⊙ tanh(C_t)

    Hochreiter, Schmidhuber (1997); the forget gate is that of Gers, Schmidhuber, Cummins (2000). Built in
    notebook 03.
    """
    both = jnp.concatenate([state.hidden, inputs], axis=-1)
    f_t = jax.nn.sigmoid(both @ W_f.T + b_f)
    i_t = jax.nn.sigmoid(both @ W_i.T + b_i)
    candidate = jnp.tanh(both @ W_C.T + b_C)
    o_t = jax.nn.sigmoid(both @ W_o.T + b_o)
    C_t = f_t * state.cell + i_t * candidate
    return LSTMState(o_t * jnp.tanh(C_t), C_t)


def additive_memory(
    f: Float[Array, " time"], i: Float[Array, " time"], candidate: Float[Array, " time"]
) -> Float[Array, " time"]:
    """The cell state of one unit whose gates are given: C_t = f_t C_{t-1} + i_t C̃_t, from C_0 = 0. Built in notebook 03."""

    def step(C, now):
        f_t, i_t, candidate_t = now
        C = f_t * C + i_t * candidate_t
        return C, C

    return jax.lax.scan(step, jnp.zeros(()), (f, i, candidate))[1]


def gru_step(
    hidden: Float[Array, "batch hidden"],
    inputs: Float[Array, "batch embed"],
    W_r: Float[Array, "hidden embed"],
    W_u: Float[Array, "hidden embed"],
    W_n: Float[Array, "hidden embed"],
    U_r: Float[Array, "hidden hidden"],
    U_u: Float[Array, "hidden hidden"],
    U_n: Float[Array, "hidden hidden"],
    b_r: Float[Array, " hidden"],
    b_u: Float[Array, " hidden"],
    b_n: Float[Array, " hidden"],
) -> Float[Array, "batch hidden"]:
    """The next state of a GRU whose reset gate acts *after* the product, as in `flax.nnx.GRUCell`:

        r_t = σ(W_r x_t + U_r h_{t-1} + b_r)        n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t-1}))
        u_t = σ(W_u x_t + U_u h_{t-1} + b_u)        h_t = (1 - u_t) ⊙ n_t + u_t ⊙ h_{t-1}

    Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio (2014) reset before the product,
    U_n (r_t ⊙ h_{t-1}), and write the update as h = z ⊙ h + (1 - z) ⊙ h̃; Bahdanau, Cho, Bengio (2015) write
    (1 - z) ⊙ s + z ⊙ s̃. Built in notebook 03.
    """
    r_t = jax.nn.sigmoid(inputs @ W_r.T + hidden @ U_r.T + b_r)
    u_t = jax.nn.sigmoid(inputs @ W_u.T + hidden @ U_u.T + b_u)
    n_t = jnp.tanh(inputs @ W_n.T + b_n + r_t * (hidden @ U_n.T))
    return (1 - u_t) * n_t + u_t * hidden


def chrono_bias(rng: Array, hidden: int, longest: int) -> Float[Array, " hidden"]:
    """Biases for memories of every length up to `longest`: b = log U(1, longest - 1).

    A gate σ(b) = n / (n + 1) keeps a value for about n steps, so the units begin with time constants spread
    evenly over the range. The forget gate of an LSTM gets b and its input gate -b; the update gate of a GRU b.

    Tallec, Ollivier (2018), *Can Recurrent Neural Networks Warp Time?*
    """
    require(longest > 2, f"The range to remember must be longer than 2 steps, not {longest}.")
    return jnp.log(jax.random.uniform(rng, (hidden,), minval=1.0, maxval=longest - 1.0))


def _inputs_matrix(rng: Array, rows: int, embed: int) -> Array:
    return jax.nn.initializers.lecun_normal(1, 0)(rng, (rows, embed))


class LSTMCell(nnx.Module):
    """Parameters of `lstm_step`, with the interface of every cell (see `cells.RNNCell`). The state is an `LSTMState`.

    The gates stand in the order f, i, C̃, o: `W_h` is `[4 hidden, hidden]`, `W_x` `[4 hidden, embed]`. The forget
    gate starts with the bias `forget_bias` (Jozefowicz, Zaremba, Sutskever 2015 advise 1), or with `chrono_bias`
    for memories of up to `chrono` steps.
    """

    pieces = 4

    def __init__(self, embed: int, hidden: int, *, rngs: nnx.Rngs, forget_bias: float = 1.0, chrono: int | None = None):
        require_positive(embed=embed, hidden=hidden)
        self.embed, self.hidden = embed, hidden
        self.W_h = nnx.Param(jnp.concatenate([recurrent_matrix(rngs.params(), hidden) for _ in range(4)]))
        self.W_x = nnx.Param(_inputs_matrix(rngs.params(), 4 * hidden, embed))
        bias = jnp.zeros(4 * hidden).at[:hidden].set(forget_bias)
        if chrono is not None:
            b = chrono_bias(rngs.params(), hidden, chrono)
            bias = bias.at[:hidden].set(b).at[hidden : 2 * hidden].set(-b)
        self.b = nnx.Param(bias)

    def start(self, batch: int) -> LSTMState:
        """h_0 = C_0 = 0."""
        return LSTMState(jnp.zeros((batch, self.hidden)), jnp.zeros((batch, self.hidden)))

    def project(self, inputs: Float[Array, "*lead embed"]) -> Float[Array, "*lead gates"]:
        """The inputs' share of all gates, for any number of positions at once."""
        return inputs @ self.W_x[...].T + self.b[...]

    def gates(
        self, state: LSTMState, projected: Float[Array, "batch gates"] | tuple[Array, ...]
    ) -> tuple[Array, Array, Array, Array]:
        """f_t, i_t, C̃_t, o_t, each `[batch, hidden]`."""
        return _lstm_gates(apart(state.hidden @ self.W_h[...].T, 4), apart(projected, 4))

    def step(self, state: LSTMState, projected: Float[Array, "batch gates"] | tuple[Array, ...]) -> LSTMState:
        """C_t = f_t ⊙ C_{t-1} + i_t ⊙ C̃_t and h_t = o_t ⊙ tanh(C_t)."""
        return self.combine(state, apart(state.hidden @ self.W_h[...].T, 4), apart(projected, 4))

    def combine(self, state: LSTMState, recurrent: tuple[Array, ...], projected: tuple[Array, ...]) -> LSTMState:
        """The step, from both shares of the gates."""
        f_t, i_t, candidate, o_t = _lstm_gates(recurrent, projected)
        C_t = f_t * state.cell + i_t * candidate
        return LSTMState(o_t * jnp.tanh(C_t), C_t)

    def output(self, state: LSTMState) -> Float[Array, "*lead hidden"]:
        """h_t."""
        return state.hidden


class GRUCell(nnx.Module):
    """Parameters of `gru_step`, with the interface of every cell (see `cells.RNNCell`). The state is h itself.

    The gates stand in the order r, u, n: `W_h` is `[3 hidden, hidden]`, `W_x` `[3 hidden, embed]`. The update gate
    starts with the bias `update_bias`, or with `chrono_bias` for memories of up to `chrono` steps.
    """

    pieces = 3

    def __init__(self, embed: int, hidden: int, *, rngs: nnx.Rngs, update_bias: float = 0.0, chrono: int | None = None):
        require_positive(embed=embed, hidden=hidden)
        self.embed, self.hidden = embed, hidden
        self.W_h = nnx.Param(jnp.concatenate([recurrent_matrix(rngs.params(), hidden) for _ in range(3)]))
        self.W_x = nnx.Param(_inputs_matrix(rngs.params(), 3 * hidden, embed))
        update = chrono_bias(rngs.params(), hidden, chrono) if chrono is not None else update_bias
        self.b = nnx.Param(jnp.zeros(3 * hidden).at[hidden : 2 * hidden].set(update))

    def start(self, batch: int) -> Float[Array, "batch hidden"]:
        """h_0 = 0."""
        return jnp.zeros((batch, self.hidden))

    def project(self, inputs: Float[Array, "*lead embed"]) -> Float[Array, "*lead gates"]:
        """The inputs' share of both gates and of the candidate, for any number of positions at once."""
        return inputs @ self.W_x[...].T + self.b[...]

    def gates(
        self, state: Float[Array, "batch hidden"], projected: Float[Array, "batch gates"] | tuple[Array, ...]
    ) -> tuple[Array, Array, Array]:
        """r_t, u_t, n_t, each `[batch, hidden]`."""
        return _gru_gates(apart(state @ self.W_h[...].T, 3), apart(projected, 3))

    def step(
        self, state: Float[Array, "batch hidden"], projected: Float[Array, "batch gates"] | tuple[Array, ...]
    ) -> Float[Array, "batch hidden"]:
        """h_t = (1 - u_t) ⊙ n_t + u_t ⊙ h_{t-1}."""
        return self.combine(state, apart(state @ self.W_h[...].T, 3), apart(projected, 3))

    def combine(
        self, state: Float[Array, "batch hidden"], recurrent: tuple[Array, ...], projected: tuple[Array, ...]
    ) -> Float[Array, "batch hidden"]:
        """The step, from both shares of the gates."""
        _, u_t, n_t = _gru_gates(recurrent, projected)
        return (1 - u_t) * n_t + u_t * state

    def output(self, state: Float[Array, "*lead hidden"]) -> Float[Array, "*lead hidden"]:
        """The state itself."""
        return state


def _lstm_gates(recurrent: tuple[Array, ...], projected: tuple[Array, ...]) -> tuple[Array, Array, Array, Array]:
    f, i, C, o = (a + b for a, b in zip(recurrent, projected, strict=True))
    return jax.nn.sigmoid(f), jax.nn.sigmoid(i), jnp.tanh(C), jax.nn.sigmoid(o)


def _gru_gates(recurrent: tuple[Array, ...], projected: tuple[Array, ...]) -> tuple[Array, Array, Array]:
    (h_r, h_u, h_n), (x_r, x_u, x_n) = recurrent, projected
    r_t, u_t = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_u + h_u)
    return r_t, u_t, jnp.tanh(x_n + r_t * h_n)
