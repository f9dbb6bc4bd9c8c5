import os
import signal
import subprocess
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from course_utils import checkpoints, training
from course_utils.data.batching import Batches, Labelled, pad
from course_utils.data.sequences import delayed_recall
from course_utils.models.cells import RNNCell
from course_utils.models.losses import classification
from course_utils.models.recurrent import SequenceClassifier
from course_utils.runtime import InvalidInput
from course_utils.training import TrainingDiverged, fit, fit_seeds, trained


def make(rngs):
    return SequenceClassifier(RNNCell(6, 9, rngs=rngs), 16, 8, rngs=rngs)


def recall(step, rng):
    return delayed_recall(rng, 16, 4)


def ragged():
    """Two buckets, so that a run changes shape on its way."""
    tokens, mask = pad([[1 + i % 8] * (2 + i % 6) for i in range(90)])
    return Batches(Labelled(tokens, mask, jnp.arange(90) % 8), 8, edges=(4, 7))


def values(model):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(nnx.state(model, nnx.Param))]


def same(one, two):
    return all((a == b).all() for a, b in zip(values(one), values(two), strict=True))


def test_fit_learns_and_equals_a_plain_loop():
    model, plain = make(nnx.Rngs(0)), make(nnx.Rngs(0))
    history = fit(model, recall, 45, loss=classification, seed=3)
    assert history.losses.shape == (45,)
    assert history.steps == 45
    assert history.stopped == ("finished",)

    graphdef, params = nnx.split(plain)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(2e-3))
    state = optimizer.init(params)
    for step in range(45):
        batch = recall(step, jax.random.fold_in(jax.random.key(3), step))
        (loss, _), gradient = jax.value_and_grad(lambda p: classification(nnx.merge(graphdef, p), batch), has_aux=True)(
            params
        )
        changes, state = optimizer.update(gradient, state, params)
        params = optax.apply_updates(params, changes)
        assert abs(float(loss) - history.losses[step]) < 1e-4
    nnx.update(plain, params)
    for mine, theirs in zip(values(model), values(plain), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)


def test_fit_solves_delayed_recall():
    model = SequenceClassifier(RNNCell(16, 32, rngs=nnx.Rngs(0)), 16, 8, rngs=nnx.Rngs(0))
    history = fit(
        model, lambda step, rng: delayed_recall(rng, 32, 5), 1000, loss=classification,
        stop=lambda run: run.steps >= 40 and run.last("accuracy", 20) > 0.99,
    )  # fmt: skip
    assert history.stopped == ("solved",)
    assert history.steps < 1000
    assert history.steps % training.CHUNK == 0
    assert np.isfinite(history.losses[: history.steps]).all()
    assert np.isnan(history.losses[history.steps :]).all()


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    runs = []
    for seed in (0, 0, 1):
        model = make(nnx.Rngs(0))
        runs.append((model, fit(model, ragged(), 30, loss=classification, seed=seed)))
    assert same(runs[0][0], runs[1][0])
    assert (runs[0][1].losses == runs[1][1].losses).all()
    assert not same(runs[0][0], runs[2][0])


def test_report_is_called_with_step_and_means():
    seen = []
    history = fit(make(nnx.Rngs(0)), recall, 50, loss=classification, report=lambda step, now: seen.append((step, now)))
    assert [step for step, _ in seen] == [20, 40, 50]
    assert abs(seen[1][1]["loss"] - history.losses[20:40].mean()) < 1e-6
    assert set(seen[0][1]) == {"loss", "accuracy"}


@pytest.mark.parametrize("stop_at", [7, 20, 33])
def test_resuming_equals_never_stopping_bit_for_bit(tmp_path, stop_at):
    whole, first, second = make(nnx.Rngs(0)), make(nnx.Rngs(0)), make(nnx.Rngs(5))
    uninterrupted = fit(whole, ragged(), 50, loss=classification, seed=2)
    path = tmp_path / "run.safetensors"
    fit(first, ragged(), stop_at, loss=classification, seed=2, checkpoint=path)
    resumed = fit(second, ragged(), 50, loss=classification, seed=2, checkpoint=path, resume=True)
    assert same(whole, second)
    assert (resumed.losses == uninterrupted.losses).all()
    assert (resumed.metrics["accuracy"] == uninterrupted.metrics["accuracy"]).all()


def test_resuming_another_run_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(make(nnx.Rngs(0)), recall, 20, loss=classification, checkpoint=path)
    with pytest.raises(InvalidInput, match=r"learning_rate = 0.002, but this one has 0.1"):
        fit(
            make(nnx.Rngs(0)),
            recall,
            40,
            loss=classification,
            learning_rate=0.1,
            checkpoint=path,
            resume=True,
        )
    other = SequenceClassifier(RNNCell(6, 12, rngs=nnx.Rngs(0)), 16, 8, rngs=nnx.Rngs(0))
    with pytest.raises(checkpoints.CheckpointError, match="made by another model"):
        fit(other, recall, 40, loss=classification, checkpoint=path, resume=True)


def test_divergence_names_step_and_learning_rate_and_keeps_the_last_finite_values():
    def breaks_at_25(step, rng):
        batch = recall(step, rng)
        return batch, jnp.where(step == 25, jnp.nan, 1.0)

    def loss(model, batch):
        value, metrics = classification(model, batch[0])
        return value * batch[1], metrics

    model, before = make(nnx.Rngs(0)), make(nnx.Rngs(0))
    with pytest.raises(TrainingDiverged, match=r"step 25 \(seed 0\) with learning rate 0.002.*0.0002") as caught:
        fit(model, breaks_at_25, 60, loss=loss)
    fit(before, recall, 25, loss=classification)
    assert same(model, before)
    assert caught.value.history.steps == 25


def test_a_learning_rate_that_diverges_is_stopped():
    def loss(model, batch):
        value, metrics = classification(model, batch)
        return value**8, metrics

    model = SequenceClassifier(RNNCell(6, 9, rngs=nnx.Rngs(0), activation="linear", scale=3.0), 16, 8, rngs=nnx.Rngs(0))
    with pytest.raises(TrainingDiverged):
        fit(
            model,
            lambda step, rng: delayed_recall(rng, 16, 60),
            200,
            loss=loss,
            optimizer=optax.sgd(1e6),
            learning_rate=1e6,
        )
    assert all(np.isfinite(leaf).all() for leaf in values(model))


def test_interrupting_keeps_the_model(tmp_path):
    steps_seen = []

    def report(step, now):
        steps_seen.append(step)
        if step == 40:
            threading.Timer(0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            threading.Event().wait(1)

    model, before, path = make(nnx.Rngs(0)), make(nnx.Rngs(0)), tmp_path / "run.safetensors"
    with pytest.warns(UserWarning, match="Interrupted after 40 of 1000"):
        history = fit(model, recall, 1000, loss=classification, report=report, checkpoint=path)
    assert history.stopped == ("interrupted",)
    assert history.steps == 40
    fit(before, recall, 40, loss=classification)
    assert same(model, before)
    resumed = fit(model, recall, 60, loss=classification, checkpoint=path, resume=True)
    whole = make(nnx.Rngs(0))
    fit(whole, recall, 60, loss=classification)
    assert resumed.stopped == ("finished",)
    assert same(model, whole)


def test_a_model_with_dropout_trains_resumes_and_moves_its_random_state(tmp_path):
    class Dropping(nnx.Module):
        def __init__(self, rngs):
            self.inner = make(rngs)
            self.dropout = nnx.Dropout(0.5, rngs=rngs)

        def __call__(self, tokens, mask=None):
            return self.dropout(self.inner(tokens, mask))

    whole, first, second = (Dropping(nnx.Rngs(0)) for _ in range(3))
    path = tmp_path / "run.safetensors"
    fit(whole, recall, 45, loss=classification)
    fit(first, recall, 25, loss=classification, checkpoint=path)
    fit(second, recall, 45, loss=classification, checkpoint=path, resume=True)
    assert same(whole, second)
    assert not same(whole, first)


@pytest.mark.parametrize("options", [{"steps": 0}, {"learning_rate": 0}, {"learning_rate": -1}, {"clip": 0}])
def test_bad_settings_are_refused(options):
    with pytest.raises(InvalidInput, match=next(iter(options))):
        fit(make(nnx.Rngs(0)), recall, **{"steps": 5, "loss": classification, **options})


# -------------------------------------------------------------------------------------- several seeds


def test_fit_seeds_equals_separate_runs():
    models, history = fit_seeds(make, ragged(), 30, seeds=(4, 7), loss=classification)
    assert history.losses.shape == (2, 30)
    for lane, seed in enumerate((4, 7)):
        alone = make(nnx.Rngs(seed))
        run = fit(alone, ragged(), 30, loss=classification, seed=seed)
        np.testing.assert_allclose(history.losses[lane], run.losses, rtol=1e-4, atol=1e-5)
        for a, b in zip(values(models[lane]), values(alone), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_side_by_side_equals_in_turn(monkeypatch):
    _, in_turn = fit_seeds(make, recall, 40, loss=classification)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    _, side_by_side = fit_seeds(make, recall, 40, loss=classification)
    np.testing.assert_allclose(in_turn.losses, side_by_side.losses, rtol=1e-4, atol=1e-5)


def test_each_seed_stops_when_it_has_solved():
    _, history = fit_seeds(
        make,
        recall,
        100,
        seeds=(0, 1),
        loss=classification,
        stop=lambda run: run.seeds == (1,) and run.steps >= 40,
    )
    assert history.stopped == ("finished", "solved")
    assert history.steps.tolist() == [100, 40]


def test_a_diverging_seed_is_named():
    def loss(model, batch):
        value, metrics = classification(model, batch)
        return jnp.where(model.head.bias[...].sum() > 1e8, jnp.nan, value), metrics

    def poisoned(rngs):
        model = make(rngs)
        if poisoned.calls == 1:
            model.head.bias[...] = jnp.full(8, 1e9)
        poisoned.calls += 1
        return model

    poisoned.calls = 0
    with pytest.raises(TrainingDiverged, match=r"step 0 \(seed 9\)"):
        fit_seeds(poisoned, recall, 40, seeds=(3, 9), loss=loss)


# -------------------------------------------------------------------------------------- many devices


def test_losses_on_eight_virtual_devices_equal_one(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        "import jax, numpy as np, sys\n"
        "from flax import nnx\n"
        "from course_utils.data.sequences import delayed_recall\n"
        "from course_utils.models.cells import RNNCell\n"
        "from course_utils.models.losses import classification\n"
        "from course_utils.models.recurrent import SequenceClassifier\n"
        "from course_utils.training import fit\n"
        "r = nnx.Rngs(0)\n"
        "m = SequenceClassifier(RNNCell(6, 9, rngs=r), 16, 8, rngs=r)\n"
        "h = fit(m, lambda s, rng: delayed_recall(rng, 16, 4), 50, loss=classification)\n"
        "np.save(sys.argv[1], h.losses); print(jax.device_count())\n"
    )
    found = {}
    for count in (1, 8):
        environment = {
            **os.environ,
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={count}",
            "JAX_PLATFORMS": "cpu",
        }
        result = subprocess.run(
            [sys.executable, script, tmp_path / f"{count}.npy"],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout.strip() == str(count)
        found[count] = np.load(tmp_path / f"{count}.npy")
    np.testing.assert_allclose(found[1], found[8], rtol=1e-4)


# ------------------------------------------------------------------------------------- trained models


def training_run(model):
    training_run.calls += 1
    return fit(model, recall, 25, loss=classification)


@pytest.fixture(autouse=True)
def _count():
    training_run.calls = 0


def test_a_model_is_trained_once_and_then_found():
    config = {"steps": 25, "hidden": 9}
    first = trained("small", make, training_run, config)
    again = trained("small", make, training_run, config)
    assert (first.origin, again.origin, training_run.calls) == ("trained", "cached", 1)
    assert same(first.model, again.model)
    assert (first.history.losses == again.history.losses).all()
    assert again.history.last("accuracy") == first.history.last("accuracy")
    assert trained("small", make, training_run, {**config, "steps": 26}).origin == "trained"
    assert trained("small", make, training_run, config, retrain=True).origin == "trained"


def test_shipped_weights_come_first_when_their_configuration_matches(tmp_path, monkeypatch):
    model = make(nnx.Rngs(0))
    history = training_run(model)
    shipped = tmp_path / "weights" / "small.safetensors"
    training.keep(shipped, model, history, {"steps": 25, "seed": 0})
    monkeypatch.setattr(training, "asset", lambda name: tmp_path / name)
    assert trained("small", make, training_run, {"steps": 25}).origin == "shipped"
    assert trained("small", make, training_run, {"steps": 30}).origin == "trained"


def test_a_quick_model_is_not_taken_for_a_full_one(monkeypatch):
    monkeypatch.setenv("COURSE_SIZE", "quick")
    assert trained("small", make, training_run, {"steps": 25}).origin == "trained"
    assert trained("small", make, training_run, {"steps": 25}).origin == "cached"
    monkeypatch.setenv("COURSE_SIZE", "full")
    assert trained("small", make, training_run, {"steps": 25}).origin == "trained"


def test_a_damaged_cache_costs_a_warning_and_a_training_run(tmp_path):
    first = trained("small", make, training_run, {"steps": 25})
    path = tmp_path / "home" / "cache" / "models" / "small.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.warns(UserWarning, match="damaged"):
        again = trained("small", make, training_run, {"steps": 25})
    assert again.origin == "trained"
    assert same(first.model, again.model)


def test_a_read_only_home_costs_a_warning(monkeypatch):
    monkeypatch.setenv("COURSE_HOME", "/proc/nowhere")
    with pytest.warns(UserWarning, match="could not be kept"):
        assert trained("small", make, training_run, {"steps": 25}).origin == "trained"
