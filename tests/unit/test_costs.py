"""The plugin that watches what tests cost: no worker may outgrow a laptop."""

import types

import costs
import pytest

pytestmark = pytest.mark.plain


def test_the_test_that_outgrows_the_limit_fails_and_none_after_it():
    watched = costs.Costs(types.SimpleNamespace(getoption=lambda name: False))
    watched.seen = 1e9
    outcomes = []
    for held in (1.9e9, 2.1e9, 2.1e9, 2.2e9):
        report = types.SimpleNamespace(nodeid="t", outcome="passed", longrepr=None)
        watched.judge(report, held)
        outcomes.append((report.outcome, report.longrepr))
    assert [outcome for outcome, _ in outcomes] == ["passed", "failed", "passed", "failed"]
    assert outcomes[1][1] == "t: this process held 2.10 GB, more than 2"


def test_a_process_lets_go_of_its_programs():
    import jax
    import jax.numpy as jnp

    double = jax.jit(lambda x: 2 * x)
    double(jnp.ones(3))
    assert double._cache_size() == 1
    costs.let_go()
    assert double._cache_size() == 0
