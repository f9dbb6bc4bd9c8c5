"""A linear probe: what a linear map can read off states."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def linear_probe(
    states: Float[Array, "steps hidden"], targets: Int[Array, "lags steps"], symbols: int
) -> tuple[Float[Array, " lags"], Float[Array, " lags"]]:
    """Accuracy and R² of a least-squares map from states to each target, fitted on the first half, tested on the second."""
    half = len(states) // 2
    guess, named = read_off(states, targets, symbols)
    truth = jax.nn.one_hot(targets, symbols)[:, half:]
    spread = ((truth - truth.mean(1, keepdims=True)) ** 2).sum((1, 2))
    explained = 1 - ((guess - truth) ** 2).sum((1, 2)) / spread
    return (named == targets[:, half:]).mean(1), explained


def read_off(
    states: Float[Array, "steps hidden"], targets: Int[Array, "lags steps"], symbols: int
) -> tuple[Float[Array, "lags tested symbols"], Int[Array, "lags tested"]]:
    """What such a map gives each symbol in the second half, and which symbol it names.

    A ridge of 1e-5 of the mean variance keeps the normal equations solvable in float32.
    """
    half = len(states) // 2
    features = jnp.concatenate([states, jnp.ones((len(states), 1))], axis=1)
    fit, test = features[:half], features[half:]
    one_hot = jax.nn.one_hot(targets, symbols)
    gram = fit.T @ fit
    ridge = 1e-5 * jnp.trace(gram) / len(gram) * jnp.eye(len(gram))
    moment = jnp.einsum("tf,ktv->fkv", fit, one_hot[:, :half])
    weights = jax.scipy.linalg.solve(gram + ridge, moment.reshape(len(gram), -1), assume_a="pos").reshape(moment.shape)
    guess = jnp.einsum("tf,fkv->ktv", test, weights)
    seen = one_hot.any((0, 1))  # a symbol that never comes must not be named
    return guess, jnp.where(seen, guess, -jnp.inf).argmax(-1)
