"""Recurrent matrices, their products and the names that products get."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from course_utils.figures.gradients import jacobian_product
from course_utils.figures.style import words
from course_utils.measure.gradients import step_jacobians, unrolled_jacobian
from course_utils.measure.regimes import (
    RULES,
    Bounds,
    name_regime,
    random_inputs,
    recurrent,
    run,
    spectrum,
)
from course_utils.models.cells import RNNCell
from course_utils.runtime import InvalidInput, float64

KINDS = ("orthogonal", "Gaussian", "identity", "non-normal")


def as_cell(W, activation):
    cell = RNNCell(len(W), len(W), rngs=nnx.Rngs(0), activation=activation)
    cell.W_h[...], cell.W_x[...], cell.b[...] = jnp.asarray(W), jnp.eye(len(W)), jnp.zeros(len(W))
    return cell


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [0.5, 0.9, 1.3])
def test_the_spectral_radius_is_what_was_asked_for(kind, scale):
    W = recurrent(kind, 64, scale)
    # eigenvalues of a chain of eight are eighth roots of rounding: compare its trace, which rounding leaves alone
    radius = np.trace(W) / 64 if kind == "non-normal" else np.abs(np.linalg.eigvals(W)).max()
    assert radius == pytest.approx(scale, rel=1e-6)
    normal = np.allclose(W @ W.T, W.T @ W)
    assert normal == (kind in ("orthogonal", "identity"))


@pytest.mark.slow
@pytest.mark.parametrize("activation", RULES)
@pytest.mark.parametrize("kind", KINDS)
def test_written_out_jacobians_are_those_of_automatic_differentiation(kind, activation):
    W, inputs = recurrent(kind, 16, 1.1), random_inputs(30, 16, 0.5)
    found = run(W, activation, inputs)
    with float64():
        by_autodiff = step_jacobians(as_cell(W, activation), jnp.asarray(inputs))
        whole = unrolled_jacobian(as_cell(W, activation), jnp.asarray(inputs))
        np.testing.assert_allclose(found.jacobians, by_autodiff, atol=1e-12)
    if np.linalg.norm(whole) > 0:
        assert spectrum(found).norm[-1] == pytest.approx(np.log10(np.linalg.norm(whole, 2)), abs=1e-6)


def independent_name(W, activation, inputs):
    """The regime from norms of plain matrix products in float64, without rescaling or logarithms on the way."""
    h, product, norms = np.zeros(len(W)), np.eye(len(W)), []
    slopes = {"tanh": lambda a: 1 / np.cosh(a) ** 2, "relu": lambda a: a > 0, "linear": np.ones_like}
    slopes["logistic"] = lambda a: np.exp(-a) / (1 + np.exp(-a)) ** 2
    f = {
        "tanh": np.tanh,
        "relu": lambda a: a * (a > 0),
        "linear": lambda a: a,
        "logistic": lambda a: 1 / (1 + np.exp(-a)),
    }
    for x in inputs:
        a = W @ h + x
        product, h = np.diag(slopes[activation](a)) @ W @ product, f[activation](a)
        norms.append(np.linalg.norm(product, 2))
    if max(norms) > 10:
        return "explodes" if norms[-1] >= max(norms) ** 0.95 else "transient growth"
    if norms[-1] < 0.1:
        return "transient growth" if max(norms) > 1.1 else "vanishes"
    return "preserved"


GRID = list(itertools.product(KINDS, RULES, (0.5, 0.8, 0.9, 1.0, 1.1, 1.5), (0.0, 0.1, 1.0)))


def test_the_regime_is_right_on_a_grid_of_matrix_activation_scale_and_input():
    names = set()
    for kind, activation, scale, strength in GRID:
        W, inputs = recurrent(kind, 32, scale), random_inputs(100, 32, strength)
        name = name_regime(spectrum(run(W, activation, inputs)).norm)
        assert name == independent_name(W, activation, inputs), (kind, activation, scale, strength)
        names.add(name)
    assert names == {"vanishes", "explodes", "transient growth", "preserved"}


@pytest.mark.parametrize(
    ("kind", "activation", "scale", "strength", "name"),
    [
        ("orthogonal", "linear", 1.0, 1.0, "preserved"),
        ("orthogonal", "linear", 0.9, 0.0, "vanishes"),
        ("orthogonal", "linear", 1.1, 0.0, "explodes"),
        ("identity", "tanh", 1.0, 0.0, "preserved"),
        ("orthogonal", "logistic", 1.5, 0.1, "vanishes"),
        ("orthogonal", "tanh", 0.9, 0.1, "vanishes"),
        ("Gaussian", "tanh", 0.9, 0.1, "transient growth"),
        ("non-normal", "linear", 0.9, 0.0, "transient growth"),
    ],
)
def test_regimes_that_are_known_without_computing(kind, activation, scale, strength, name):
    found = run(recurrent(kind, 64, scale), activation, random_inputs(200, 64, strength))
    length = 200 if kind != "non-normal" else 400
    if length == 400:
        found = run(recurrent(kind, 64, scale), activation, random_inputs(400, 64, strength))
    assert name_regime(spectrum(found).norm) == name


@pytest.mark.parametrize("length", [197, 198, 199])
def test_a_wobble_of_a_tenth_does_not_name_fourteen_decades(length):
    norm = spectrum(run(recurrent("Gaussian", 64, 2.0), "tanh", random_inputs(200, 64, 0.1))).norm[:length]
    assert norm[-1] == pytest.approx(14, abs=0.2)
    assert name_regime(norm) == "explodes"


@pytest.mark.parametrize(("radius", "length"), [(0.9, 100), (0.9, 200), (0.95, 200)])
def test_what_has_been_falling_for_long_is_called_so(radius, length):
    """Below a radius of 1 a linear network fades in the end: its norm turns once, and from then on it falls."""
    norm = spectrum(run(recurrent("non-normal", 64, radius), "linear", random_inputs(length, 64, 0.1))).norm
    assert norm.argmax() < 0.7 * length
    assert (np.diff(norm[norm.argmax() :]) < 0).all()
    assert name_regime(norm) == "transient growth"


@pytest.mark.parametrize(
    ("norm", "name"),
    [
        ([1.0, 2.0, 1.91], "explodes"),
        ([1.0, 2.0, 1.89], "transient growth"),
        ([0.5, 1.01, 0.999], "explodes"),  # nothing but a wobble about ten
        ([0.5, 1.01, 0.5], "transient growth"),
        ([0.5, 1.0, 0.99], "preserved"),
        ([0.1, -2.0], "transient growth"),
        ([0.0, -2.0], "vanishes"),
    ],
)
def test_where_the_names_end(norm, name):
    assert name_regime(np.array(norm)) == name


def test_the_summary_tells_where_a_norm_was_largest_beside_where_it_ends():
    log10 = np.array([1.0, 4.49, 4.25])[:, None]
    said = words(jacobian_product(log10, name_regime(log10[:, 0]), 0.9, 2.0, 3))["summary"]
    assert "10⁴ after 3 steps (10 to the power 4.25)" in said
    assert "It was largest after 2 steps, 10⁴ (10 to the power 4.49)." in said
    log10 = np.array([20.0, 39.05, 39.0])[:, None]
    said = words(jacobian_product(log10, name_regime(log10[:, 0]), 2.0, 2.0, 3))["summary"]
    assert said.startswith("The gradient explodes")
    assert "In float32 it would be infinite. It was largest after 2 steps" in said
    rising = np.array([1.0, 2.0, 3.0])[:, None]
    assert "largest after" not in words(jacobian_product(rising, name_regime(rising[:, 0]), 2.0, 2.0, 3))["summary"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", RULES)
def test_no_product_exceeds_the_bound_by_singular_values(kind, activation):
    for scale, seed in itertools.product((0.7, 1.0, 1.4), range(3)):
        W = recurrent(kind, 24, scale, seed)
        norm = spectrum(run(W, activation, random_inputs(80, 24, 0.3, seed))).norm
        steps = np.arange(1, 81)
        assert (norm <= steps * np.log10(Bounds.of(W, activation).per_step) + 1e-9).all()


def test_a_spectral_radius_below_one_does_not_forbid_growth():
    for seed in range(5):
        W = recurrent("Gaussian", 64, 0.9, seed)
        norm = 10 ** spectrum(run(W, "tanh", random_inputs(100, 64, 0.1, seed))).norm
        assert Bounds.of(W, "tanh").radius == pytest.approx(0.9)
        assert norm[:5].max() > 1.4
        assert norm[-1] < 1e-3


def test_states_that_overflow_are_named_and_drawn_with_a_sentence():
    found = run(recurrent("orthogonal", 8, 1e10), "linear", random_inputs(60, 8, 1.0))
    assert 0 < len(found.states) < 60
    log10 = spectrum(found).log10
    name = name_regime(log10[:, 0], complete=False)
    assert name == "overflows"
    said = words(jacobian_product(log10, name, 1e10, 1e10, 60))
    assert f"step {len(found.states) + 1}" in said["title"]
    assert "not finite" in said["summary"]


@pytest.mark.parametrize(("inputs", "step"), [(1.7e308, 2), (np.inf, 1)])
def test_overflow_at_once_is_still_a_figure(inputs, step):
    found = run(np.full((2, 2), 1e308), "linear", np.full((3, 2), inputs))
    assert len(found.states) == step - 1
    log10 = spectrum(found).log10
    figure = jacobian_product(log10, name_regime(log10[:, 0], complete=False), 1.0, 1.0, 3)
    assert words(figure)["title"].endswith(f"at step {step}")


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: run(np.ones((2, 3)), "tanh", np.ones((4, 2))), "square"),
        (lambda: run(np.eye(2), "tanh", np.ones((0, 2))), "at least one step"),
        (lambda: run(np.eye(2), "cosh", np.ones((4, 2))), "activation must be one of"),
        (lambda: run(np.eye(2), "tanh", np.ones((4, 3))), "shape"),
        (lambda: run(np.eye(2) * np.nan, "tanh", np.ones((4, 2))), "not finite"),
        (lambda: recurrent("diagonal", 4, 1.0), "kind must be one of"),
        (lambda: recurrent("identity", 4, -1.0), "scale"),
        (lambda: recurrent("identity", 0, 1.0), "hidden"),
        (lambda: random_inputs(0, 4, 1.0), "length"),
        (lambda: random_inputs(4, 4, np.inf), "scale of the inputs"),
    ],
)
def test_bad_input_is_refused_in_words(act, says):
    with pytest.raises(InvalidInput, match=says):
        act()


@pytest.mark.parametrize(
    "log10", [np.full((1, 8), -1.301) + 1e-16 * np.arange(8), np.full((2, 8), np.nan), np.zeros((0, 8))]
)
def test_no_axis_of_the_figure_is_ever_empty(log10):
    """Values that differ by rounding alone made the browser compute an infinite axis."""
    complete = len(log10) > 0
    figure = jacobian_product(log10, "vanishes" if complete else "overflows", 0.9, 0.9, 3)
    for axis in (figure.layout.yaxis, figure.layout.yaxis2):
        assert axis.range[1] - axis.range[0] > 0.5
