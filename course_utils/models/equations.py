"""The equations of the course, each once: its function, and what calls it.

What is computed in two ways has a second route: another function, or a module, that
gives the same numbers, and the test that compares the two.
"""

from collections.abc import Callable
from typing import NamedTuple

from . import (
    attention,
    cells,
    fast,
    gated,
    linear,
    losses,
    positions,
    recurrent,
    self_attention,
    seq2seq,
    transformer,
)


class Equation(NamedTuple):
    """`function` computes `formula`, and `caller` is where a model calls it."""

    function: Callable
    formula: str
    caller: Callable


class SecondRoute(NamedTuple):
    """`function` gives the numbers of `other` in another way; `test` holds the two
    together.
    """

    function: Callable
    other: Callable
    test: str


EQUATIONS = (
    Equation(
        cells.rnn_step, "h_t = f(W_h h_{t-1} + W_x x_t + b)", cells.RNNCell.combine
    ),
    Equation(
        gated.lstm_gates,
        "f_t = σ(z_f), i_t = σ(z_i), C̃_t = tanh(z_C), o_t = σ(z_o)",
        gated.lstm_step,
    ),
    Equation(gated.additive_step, "C_t = f_t ⊙ C_{t-1} + i_t ⊙ C̃_t", gated.lstm_step),
    Equation(gated.lstm_step, "h_t = o_t ⊙ tanh(C_t)", gated.LSTMCell.combine),
    Equation(
        gated.gru_gates,
        "n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t-1}))",
        gated.gru_step,
    ),
    Equation(
        gated.gru_step, "h_t = (1 - u_t) ⊙ n_t + u_t ⊙ h_{t-1}", gated.GRUCell.combine
    ),
    Equation(gated.chrono_bias, "b = log U(1, longest - 1)", gated.LSTMCell.__init__),
    Equation(
        attention.additive_score,
        "e_ij = v_a · tanh(W_a s_{i-1} + U_a h_j)",
        attention.Scorer.__call__,
    ),
    Equation(attention.dot_score, "e_ij = s · h_j", attention.Scorer.__call__),
    Equation(
        attention.masked_softmax,
        "α_j = exp(e_j) / Σ_k exp(e_k)",
        attention.Scorer.weights,
    ),
    Equation(attention.tempered_softmax, "softmax(e / τ)", attention.Tempered.weights),
    Equation(attention.attend, "c_i = Σ_j α_ij h_j", seq2seq.Translator.look),
    Equation(
        self_attention.scaled_scores,
        "e_ij = q_i · k_j / √d_k",
        self_attention.scaled_dot_product,
    ),
    Equation(
        self_attention.scaled_dot_product,
        "softmax(Q Kᵀ / √d_k) V",
        self_attention.MultiHead.look,
    ),
    Equation(
        self_attention.split_heads,
        "[batch, time, heads · key] → [batch, heads, time, key]",
        self_attention.MultiHead.look,
    ),
    Equation(
        self_attention.join_heads,
        "[batch, heads, time, key] → [batch, time, heads · key]",
        self_attention.MultiHead.look,
    ),
    Equation(
        self_attention.causal_mask,
        "Position i may look at position j where j ≤ i",
        transformer.Transformer.forced,
    ),
    Equation(
        positions.sinusoidal,
        "p_{t,2m} = sin(t ω_m), p_{t,2m+1} = cos(t ω_m)",
        transformer.WordsAndPlaces.__call__,
    ),
    Equation(positions.frequencies, "ω_m = 1 / 10000^(2m/d)", positions.sinusoidal),
    Equation(
        positions.rotate,
        "each pair (x_{2m}, x_{2m+1}) at position t by the angle t ω_m",
        self_attention.MultiHead._turned,
    ),
    Equation(losses.cross_entropy, "Mean of -log p(label)", losses.next_word_loss),
)

SECOND_ROUTES = (
    SecondRoute(
        recurrent.unroll,
        fast.unroll,
        "test_fast.py::test_the_written_way_back_is_that_of_the_loop",
    ),
    SecondRoute(
        linear.chunked_attention, self_attention.scaled_dot_product, "test_linear.py"
    ),
    SecondRoute(
        linear.linear_attention_recurrent, linear.linear_attention, "test_linear.py"
    ),
    SecondRoute(linear.parallel_scan, linear.sequential_scan, "test_linear.py"),
)
