"""What a state holds: how well past inputs can be read off it, and how many bits that is."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key
from numpy.typing import ArrayLike

from ..models.cells import recurrent_matrix
from ..runtime import require, require_positive
from .probe import linear_probe

WARM_UP = 200  # steps before the first state that is looked at
STEPS = 3_000  # states: half to fit the probe, half to test it


class Recall(NamedTuple):
    """How well the symbol `lag` steps ago is read off a state, on states that the probe was not fitted on."""

    accuracy: Float[np.ndarray, "*lead lags"]  # share of symbols named rightly
    explained: Float[np.ndarray, "*lead lags"]  # R²: share of the variance of the symbols' one-hot vectors


def frozen_recall(
    hidden: int,
    symbols: ArrayLike,
    lags: int = 60,
    *,
    input_scale: ArrayLike = 0.1,
    radius: float = 0.98,
    seeds: tuple[int, ...] = (0, 1, 2),
) -> Recall:
    """Recall of a recurrent network that is never trained: `[*lead, seeds, lags]`, lag 0 is the newest symbol.

        h_t = tanh(W h_{t-1} + u(s_t)),   W orthogonal times `radius`,   u(s) ~ N(0, input_scale²)

    reads independent symbols s_t, uniform over `symbols`. For each lag k a linear probe of (h_t, 1) is
    fitted to the one-hot vector of s_{t-k} by least squares. No gradient passes through time: what cannot be
    read off was not lost in training. `symbols` and `input_scale` may be arrays; `lead` is their common shape.

    Jaeger (2001), *Short Term Memory in Echo State Networks*.
    """
    require_positive(hidden=hidden, lags=lags)
    symbols, input_scale = np.broadcast_arrays(symbols, input_scale)
    require(
        np.issubdtype(symbols.dtype, np.integer) and symbols.min() >= 2,
        f"symbols must be whole numbers of at least 2, not {symbols.min()}: of one symbol there is nothing to recall.",
    )
    require(len(seeds) >= 1, "frozen_recall needs at least one seed.")
    require(lags <= WARM_UP, f"lags must be at most {WARM_UP}, not {lags}.")
    lead, runs = symbols.shape, len(seeds)
    keys = jnp.stack([jax.random.key(seed) for seed in seeds])
    found = _frozen(
        jnp.tile(keys, symbols.size),
        jnp.repeat(jnp.asarray(symbols.ravel(), jnp.int32), runs),
        jnp.repeat(jnp.asarray(input_scale.ravel(), jnp.float32), runs),
        jnp.float32(radius),
        hidden,
        max(16, int(symbols.max())),
        lags,
    )
    return Recall(*(np.asarray(values).reshape(*lead, runs, lags) for values in found))


@functools.partial(jax.jit, static_argnums=(4, 5, 6))
def _frozen(
    rngs: Key[Array, " runs"],
    symbols: Int[Array, " runs"],
    input_scale: Float[Array, " runs"],
    radius: Float[Array, ""],
    hidden: int,
    width: int,
    lags: int,
) -> tuple[Float[Array, "runs {lags}"], Float[Array, "runs {lags}"]]:
    """One network after another. The table of inputs has `width` rows, so that one program serves any vocabulary."""

    def one(run):
        rng, symbols, input_scale = run
        stream, states = frozen_states(rng, symbols, input_scale, radius, hidden, width)
        return linear_probe(states[WARM_UP:], lagged(stream, lags), width)

    return jax.lax.map(one, (rngs, symbols, input_scale))


def frozen_states(
    rng: Key[Array, ""], symbols: Any, input_scale: Any, radius: Any, hidden: int, width: int
) -> tuple[Int[Array, " time"], Float[Array, "time hidden"]]:
    """A random stream and the states of a network that is never trained, after each of its symbols (see `frozen_recall`)."""
    for_stream, for_W, for_u = jax.random.split(rng, 3)
    stream = jax.random.randint(for_stream, (WARM_UP + STEPS,), 0, symbols)
    W = recurrent_matrix(for_W, hidden, "orthogonal") * radius
    u = jax.random.normal(for_u, (width, hidden)) * input_scale

    def step(h, s):
        h = jnp.tanh(W @ h + u[s])
        return h, h

    return stream, jax.lax.scan(step, jnp.zeros(hidden), stream)[1]


def lagged(stream: Int[Array, " time"], lags: int) -> Int[Array, "{lags} steps"]:
    """The stream as it was k steps ago, for each lag k, beside the states after the warm-up: `[lags, steps]`."""
    return jnp.stack([jax.lax.dynamic_slice(stream, (WARM_UP - k,), (STEPS,)) for k in range(lags)])


def reach(accuracy: Float[np.ndarray, "*lead lags"], level: float = 0.9) -> Int[np.ndarray, "*lead"]:
    """How many of the last symbols are recalled with at least `level`, counted from the newest without a gap."""
    return np.cumprod(np.asarray(accuracy) >= level, axis=-1).sum(-1)


def total_memory(explained: Float[np.ndarray, "*lead lags"], symbols: ArrayLike) -> Float[np.ndarray, "*lead"]:
    """Linear memory in numbers: (V - 1) Σ_k R²_k, never more than the size of the state.

    A one-hot vector of V symbols varies in V - 1 directions, and symbols of different steps are independent.
    So the targets of all lags are uncorrelated, and by Bessel's inequality H states (after whitening) explain at
    most H units of their variance in all. Lags whose R² is negative (worse than the mean) count as 0.
    """
    return (np.asarray(symbols) - 1) * np.clip(explained, 0, None).sum(-1)


def recalled_bits(accuracy: Float[np.ndarray, "*lead"], symbols: ArrayLike) -> Float[np.ndarray, "*lead"]:
    """Bits that an answer with this accuracy must carry at least about a symbol uniform over V:

        log2 V - H2(e) - e log2(V - 1),   e = 1 - accuracy,   H2(e) = -e log2 e - (1 - e) log2(1 - e)

    0 at or below chance. For independent symbols the bits of several lags may be added up.

    Fano's inequality; Cover and Thomas (2006), *Elements of Information Theory*, section 2.10.
    """
    symbols = np.asarray(symbols)
    require((symbols >= 2).all(), "With a single symbol there is nothing to recall: symbols must be at least 2.")
    accuracy = np.clip(np.asarray(accuracy, float), 1 / symbols, 1.0)
    e = 1 - accuracy
    with np.errstate(divide="ignore", invalid="ignore"):
        doubt = -np.where(e > 0, e * np.log2(e), 0) - np.where(accuracy > 0, accuracy * np.log2(accuracy), 0)
    return np.asarray(np.maximum(np.log2(symbols) - doubt - e * np.log2(symbols - 1), 0))
