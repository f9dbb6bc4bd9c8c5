import ast
import functools
import importlib
import inspect
import json
import os
import pathlib
import re
import signal
import threading

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from jaxtyping import TypeCheckError
from safetensors.numpy import save as to_bytes

from course_utils import checkpoints, training
from course_utils.data.batching import Batches, BatchSource, BucketedSource, Labelled, pad
from course_utils.data.sequences import delayed_recall
from course_utils.experiments import ch02
from course_utils.experiments import recall as delayed
from course_utils.models.cells import RNNCell
from course_utils.models.losses import accuracy, classification, cross_entropy, mean
from course_utils.models.recurrent import unroll
from course_utils.models.sequence import SequenceClassifier
from course_utils.runtime import InvalidInput, require_positive
from course_utils.teaching import predict, reveal
from course_utils.teaching.progress import progress
from course_utils.training import (
    Options,
    TrainingDiverged,
    TrainingInterrupted,
    fit,
    fit_seeds,
    loop,
    pretrained,
    run,
    saved,
    step,
    trained,
)


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


@pytest.mark.slow
def test_fit_learns_and_equals_a_plain_loop():
    model, plain = make(nnx.Rngs(0)), make(nnx.Rngs(0))
    history = fit(model, recall, 45, loss=classification, seed=3)
    assert history.losses.shape == (45,)
    assert history.steps == 45
    assert history.stopped == ("finished",)

    graphdef, params = nnx.split(plain)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(2e-3))
    state = optimizer.init(params)
    for i in range(45):
        batch = recall(i, jax.random.fold_in(training.batch_rng(3), i))
        (loss, _), gradient = jax.value_and_grad(lambda p: classification(nnx.merge(graphdef, p), batch), has_aux=True)(
            params
        )
        changes, state = optimizer.update(gradient, state, params)
        params = optax.apply_updates(params, changes)
        assert abs(float(loss) - history.losses[i]) < 1e-4
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


@pytest.mark.slow
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


def press(*_):
    raise KeyboardInterrupt


def halved(model, batch):
    value, metrics = classification(model, batch)
    return value / 2, metrics


def labelled(classes):
    tokens, mask = pad([[1 + i % 8] * (2 + i % 6) for i in range(90)])
    return Batches(Labelled(tokens, mask, jnp.arange(90) % classes), 8, edges=(4, 7))


def linear(rngs):
    return SequenceClassifier(RNNCell(6, 9, rngs=rngs, activation="linear"), 16, 8, rngs=rngs)


def wider(rngs):
    return SequenceClassifier(RNNCell(6, 12, rngs=rngs), 16, 8, rngs=rngs)


def falling(updates):
    return optax.linear_schedule(1e-2, 1e-4, updates)


TABLE = np.linspace(1e-2, 1e-4, 50, dtype=np.float32)


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        ({}, {"learning_rate": 0.1}, "learning_rate = 0.002, but this one has 0.1"),
        ({}, {"seed": 1}, r"seeds = \[0\], but this one has \[1\]"),
        ({}, {"loss": halved}, "loss = classification, but this one has halved"),
        ({}, {"batches": lambda step, rng: delayed_recall(rng, 16, 5)}, "holds a run with other data"),
        ({}, {"batches": lambda step, rng: recall(step + 1, rng)._replace(labels=jnp.arange(16) % 8)}, "other data"),
        ({"batches": labelled(8)}, {"batches": labelled(7)}, "holds a run with other data"),
        ({}, {"make": wider}, "another model or loss"),
        ({}, {"make": linear}, "another model or loss"),
        ({"loss": lambda *a: halved(*a)}, {"loss": lambda *a: classification(*a)}, "another model or loss"),
        ({"optimizer": optax.adam(1e-2)}, {"optimizer": optax.adam(2e-2)}, "another optimizer or schedule"),
        ({"optimizer": optax.adam(1e-2)}, {"optimizer": optax.sgd(1e-2)}, "another optimizer or schedule"),
        ({"learning_rate": falling(50)}, {"learning_rate": falling(60)}, "another optimizer or schedule"),
        (
            {"learning_rate": lambda step: jnp.asarray(TABLE)[step]},
            {"learning_rate": lambda step: jnp.asarray(2 * TABLE)[step]},
            "another optimizer or schedule",
        ),
    ],
)
def test_resuming_another_run_is_refused(tmp_path, monkeypatch, first, then, words):
    path = tmp_path / "run.safetensors"

    def run(steps, make=make, batches=recall, loss=classification, **options):
        return fit(make(nnx.Rngs(0)), batches, steps, loss=loss, checkpoint=path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "update", press)  # a run that has hardly begun
        with pytest.raises(TrainingInterrupted):
            run(20, **first)
    before = path.read_bytes()
    with pytest.raises(InvalidInput, match=words) as refused:
        run(40, resume=True, **then)
    assert str(path) in str(refused.value)
    assert path.read_bytes() == before


def test_the_same_run_written_anew_is_resumed(tmp_path, monkeypatch):
    """Functions and optimizers are others in another process, and do the same; a function that calls Python has an address."""
    path = tmp_path / "run.safetensors"

    monkeypatch.setattr(loop, "update", press)  # of both, for neither is refused

    def run(steps, **options):
        table, shown = np.linspace(1e-2, 1e-4, 50, dtype=np.float32), []

        def loss(model, batch):
            jax.debug.callback(shown.append, jnp.zeros(()))
            return classification(model, batch)

        own = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(lambda step: jnp.asarray(table)[step]))
        return fit(make(nnx.Rngs(0)), labelled(8), steps, loss=loss, optimizer=own, checkpoint=path, **options)

    for options in ({"steps": 20}, {"steps": 40, "resume": True}):
        with pytest.raises(TrainingInterrupted):
            run(**options)


def with_header(path, change):
    """A checkpoint whose description has been changed, its arrays untouched."""
    arrays, about = checkpoints._read(path, arrays=True)
    text = change(about)
    text = json.dumps(about if text is None else text) if not isinstance(text, str) else text
    path.write_bytes(to_bytes(arrays, {"format": checkpoints.FORMAT, "about": text}))


def put(*keys, value):
    def change(about):
        for key in keys[:-1]:
            about = about[key]
        if value is ...:
            del about[keys[-1]]
        else:
            about[keys[-1]] = value

    return change


DAMAGE = {
    **{f"{key} {value!r}"[:40]: put(key, value=value)
       for key in ("settings", "steps", "done", "stopped", "seconds", "compile_seconds")
       for value in (..., None, -1, [-1, 0], "20", {}, [], True, [[20]])},
    **{f"steps {value}": put("steps", value=value) for value in (0, 19, 21, 10**15, 10**30, 20.5)},
    **{f"done {value}": put("done", value=value) for value in ([0], [10], [21], [20, 20], [10**30], [20.5], ["20"])},
    **{f"stopped {value}": put("stopped", value=value) for value in (["asleep"], ["solved", "solved"])},
    **{f"no {key}": put("settings", key, value=...)
       for key in ("seeds", "learning_rate", "clip", "loss", "data", "model", "optimizer", "by")},
    **{f"{key} of another kind": put("settings", key, value=[{}])
       for key in ("seeds", "learning_rate", "clip", "loss", "data", "model", "optimizer", "by")},
    **{f"the whole {value!r}"[:30]: lambda about, value=value: value
       for value in ([], 7, "", "{", "null", "NaN", "[" * 100_000, '"steps"', '{"steps": 20')},
}  # fmt: skip


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A checkpoint of twenty updates, and what goes on with it."""
    path, asked = tmp_path / "run.safetensors", []
    fit(make(nnx.Rngs(0)), recall, 20, loss=classification, checkpoint=path)
    with monkeypatch.context() as patched:
        patched.setattr(saved, "load", lambda *arguments: press(asked.append(arguments)))
        with pytest.raises(KeyboardInterrupt):
            fit(make(nnx.Rngs(0)), recall, 40, loss=classification, checkpoint=path, resume=True)
    return path, functools.partial(saved.load, *asked[0])


def test_damage_in_the_description_of_a_run_is_said_with_what_to_do(kept):
    path, resume = kept
    whole = path.read_bytes()
    with_header(path, lambda about: None)
    assert resume()[1].done == [20]  # without damage
    for name, change in DAMAGE.items():
        path.write_bytes(whole)
        with_header(path, change)
        said = ""
        try:
            resume()
        except checkpoints.CheckpointError as error:
            said = str(error)
        assert re.search(rf"{path} is damaged.*Delete it; the model will be trained again", said), (name, said)


def test_divergence_names_step_and_learning_rate_and_keeps_the_last_finite_values():
    def breaks_at_25(step, rng):
        batch = recall(step, rng)
        return batch, jnp.where(step == 25, jnp.nan, 1.0)

    def loss(model, batch):
        value, metrics = classification(model, batch[0])
        return value * batch[1], metrics

    model, before = make(nnx.Rngs(0)), make(nnx.Rngs(0))
    with pytest.raises(TrainingDiverged, match=r"step 25 \(seed 0\).*learning rate is 0.002: try 0.0002") as caught:
        fit(model, breaks_at_25, 60, loss=loss)
    fit(before, recall, 25, loss=classification)
    assert same(model, before)
    assert caught.value.history.steps == 25


def test_switches_for_debugging_change_no_training():
    def loss(model, batch):
        value, metrics = classification(model, batch[0])
        return value * batch[1], metrics

    def breaks_at_3(step, rng):
        return recall(step, rng), jnp.where(step == 3, jnp.nan, 1.0)

    with jax.disable_jit(), jax.debug_nans(True):
        model = make(nnx.Rngs(0))
        with pytest.raises(TrainingDiverged, match="step 3"):
            fit(model, breaks_at_3, 20, loss=loss)
    assert all(np.isfinite(leaf).all() for leaf in values(model))


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


@pytest.fixture
def interruptible():
    """As at a terminal: a shell's background jobs, and some servers, ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interrupting_keeps_the_model(tmp_path, interruptible):
    steps_seen = []

    def report(step, now):
        steps_seen.append(step)
        if step == 40:
            threading.Timer(0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            threading.Event().wait(1)

    model, before, path = make(nnx.Rngs(0)), make(nnx.Rngs(0)), tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt, match="Interrupted after 40 of 1000") as interrupted:
        fit(model, recall, 1000, loss=classification, report=report, checkpoint=path)
    history = interrupted.value.history
    assert history.stopped == ("interrupted",)
    assert history.steps == 40
    fit(before, recall, 40, loss=classification)
    assert same(model, before)
    resumed = fit(model, recall, 60, loss=classification, checkpoint=path, resume=True)
    whole = make(nnx.Rngs(0))
    fit(whole, recall, 60, loss=classification)
    assert resumed.stopped == ("finished",)
    assert same(model, whole)


@pytest.fixture
def unchecked(monkeypatch):
    """`fit` past the tests' type checker, as in a learner's kernel."""
    monkeypatch.setattr(Options, "__init__", inspect.unwrap(Options.__init__))
    return inspect.unwrap(fit)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"seed": 1.7}, "A seed is a whole number, such as 0, not 1.7"),
        ({"seed": True}, "A seed is a whole number, such as 0, not True"),
        ({"seed": "0"}, "A seed is a whole number, such as 0, not '0'"),
        ({"learning_rate": "1e-3"}, "learning_rate is a number, or a schedule of optax, not '1e-3'"),
        ({"learning_rate": None}, "learning_rate is a number, or a schedule of optax, not None"),
        ({"optimizer": "adam"}, r"such as optax.adam\(1e-3\), not str"),
        ({"lr": 1e-3}, "no option 'lr'; there are learning_rate, clip, optimizer, report, stop, checkpoint, resume"),
    ],
)
def test_settings_of_another_kind_are_refused_in_words(unchecked, wrong, words):
    model = make(nnx.Rngs(0))
    before = values(model)
    with pytest.raises(InvalidInput, match=words):
        unchecked(model, recall, 20, loss=classification, **wrong)
    assert all((a == b).all() for a, b in zip(before, values(model), strict=True))


def test_an_nnx_optimizer_is_named(unchecked):
    model = make(nnx.Rngs(0))
    theirs = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)
    with pytest.raises(InvalidInput, match="not Optimizer: `fit` keeps its state"):
        unchecked(model, recall, 20, loss=classification, optimizer=theirs)


def test_a_seed_of_several_that_is_no_whole_number_is_refused_before_anything_is_built():
    with pytest.raises(InvalidInput, match="not 1.7"):
        inspect.unwrap(fit_seeds)(lambda rngs: None, recall, 20, loss=classification, seeds=(0, 1.7))


def press_at(monkeypatch, name):
    """The stop button, pressed in the middle of jax's own work: while it lowers, or while the compiled loop runs."""
    real = getattr(jax, name)

    def pressed(*arguments, **options):
        os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments, **options)

    monkeypatch.setattr(jax, name, pressed)


@pytest.mark.parametrize(("inside", "learned"), [("eval_shape", None), ("jit", 20), ("block_until_ready", 20)])
def test_an_interruption_inside_jax_waits_until_its_work_is_done(monkeypatch, interruptible, inside, learned):
    model, before = make(nnx.Rngs(0)), make(nnx.Rngs(0))
    press_at(monkeypatch, inside)
    with pytest.raises(KeyboardInterrupt) as interrupted:
        fit(model, recall, 60, loss=classification)
    monkeypatch.undo()
    if learned is None:
        assert same(model, before)
    else:
        assert interrupted.value.history.steps == learned
        fit(before, recall, learned, loss=classification)
        assert same(model, before)


def test_what_was_interrupted_is_not_kept_as_trained(tmp_path):
    def broken_off(step, now):
        raise KeyboardInterrupt

    def train(model, seed, report=broken_off):
        return fit(model, recall, 40, loss=classification, seed=seed, report=report)

    with pytest.raises(TrainingInterrupted):
        trained("own", make, train, {"updates": 40})
    assert trained("own", make, functools.partial(train, report=None), {"updates": 40}).origin == "trained"
    assert trained("own", make, train, {"updates": 40}).origin == "cached"


def test_nothing_but_fit_catches_an_interruption():
    """What comes after a training would go on with a model that is half trained."""
    caught = re.compile(
        r"except\s*(:|\(?[^:]*\b(KeyboardInterrupt|BaseException|TrainingInterrupted)\b)|suppress\([^)]*Base"
    )
    package = pathlib.Path(training.__file__).parents[1]
    found = {
        f"{path.relative_to(package).as_posix()}: {match[0]}"
        for path in package.rglob("*.py")
        for match in caught.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == {
        "training/run.py: except KeyboardInterrupt",
        "files.py: except BaseException",  # deletes what is half written, and raises it again
    }


def test_an_interrupted_training_gives_no_verdict(monkeypatch):
    monkeypatch.setattr(loop, "update", press)
    predict("ch02-cut").cards.hear({"kind": "answer", "id": "ch02-cut", "form": 2})

    def cell():
        loud = delayed.train(ch02.Start(strength=3.0).reader(20, nnx.Rngs(0)), 20, updates=500)
        return reveal("ch02-cut", loud.last("accuracy"))

    with pytest.raises(TrainingInterrupted, match="Interrupted after 0 of 500"):
        cell()
    assert [attempt.correct for attempt in progress().attempts(item="ch02-cut")] == [None]


def test_an_interruption_shows_as_one_sentence():
    def broken_off(step, now):
        raise KeyboardInterrupt

    with pytest.raises(TrainingInterrupted) as interrupted:
        fit(make(nnx.Rngs(0)), recall, 60, loss=classification, report=broken_off)
    sentence = "TrainingInterrupted: Interrupted after 20 of 60 updates; the model keeps what it has learned."
    assert interrupted.value._render_traceback_() == [sentence]


def test_an_interruption_while_a_seed_is_asked_whether_it_has_solved_loses_nothing(tmp_path):
    def stop(run):
        if run.steps == 40:
            raise KeyboardInterrupt
        return False

    path = tmp_path / "run.safetensors"
    with pytest.raises(TrainingInterrupted, match="Interrupted after 40 of 60") as interrupted:
        fit_seeds(make, recall, 60, loss=classification, seeds=(0, 1), stop=stop, checkpoint=path)
    before = interrupted.value.history
    assert before.steps.tolist() == [40, 40]
    whole, history = fit_seeds(make, recall, 60, loss=classification, seeds=(0, 1))
    resumed, again = fit_seeds(make, recall, 60, loss=classification, seeds=(0, 1), checkpoint=path, resume=True)
    assert all(same(one, two) for one, two in zip(whole, resumed, strict=True))
    np.testing.assert_array_equal(history.losses, again.losses)
    assert again.seconds > before.seconds  # of the whole run


@pytest.mark.parametrize("updates", [60, 40], ids=["on the way", "after its last update"])
def test_a_seed_that_nobody_asked_before_the_interruption_is_asked_after_it(tmp_path, updates):
    def stop(run):
        return run.steps == 40 and run.seeds == (1,)

    def broken_off(run):
        if run.steps == 40:
            raise KeyboardInterrupt
        return stop(run)

    def trained(stop, **options):
        return fit_seeds(make, recall, updates, loss=classification, seeds=(0, 1), stop=stop, **options)[1]

    path = tmp_path / "run.safetensors"
    with pytest.raises(TrainingInterrupted, match=f"Interrupted after 40 of {updates}"):
        trained(broken_off, checkpoint=path)
    whole, resumed = trained(stop), trained(stop, checkpoint=path, resume=True)
    assert whole.stopped == resumed.stopped == ("finished", "solved")
    np.testing.assert_array_equal(whole.losses, resumed.losses)


def test_an_interruption_does_not_hide_that_a_seed_diverged(tmp_path):
    def report(step, now):
        if step == 40:
            raise KeyboardInterrupt

    path = tmp_path / "run.safetensors"
    with (
        pytest.warns(UserWarning, match="Seed 0 diverged at step 23"),
        pytest.raises(TrainingInterrupted) as interrupted,
    ):
        fit_seeds(make, breaks_for_seed_0, 60, loss=weighted, report=report, seeds=(0, 1), checkpoint=path)
    assert interrupted.value.history.stopped == ("diverged", "interrupted")
    assert checkpoints.about(path)["stopped"] == ["diverged", "interrupted"]


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


@pytest.mark.slow
def test_fit_seeds_equals_separate_runs():
    models, history = fit_seeds(make, ragged(), 30, seeds=(4, 7), loss=classification)
    assert history.losses.shape == (2, 30)
    for lane, seed in enumerate((4, 7)):
        alone = make(nnx.Rngs(seed))
        run = fit(alone, ragged(), 30, loss=classification, seed=seed)
        np.testing.assert_allclose(history.losses[lane], run.losses, rtol=1e-4, atol=1e-5)
        for a, b in zip(values(models[lane]), values(alone), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
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


# ------------------------------------------------------------------------------------- trained models


def training_run(model, seed=0):
    training_run.calls += 1
    return fit(model, recall, 25, loss=classification, seed=seed)


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
    monkeypatch.setattr(pretrained, "asset", lambda name: tmp_path / name)
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
    (path,) = (tmp_path / "home" / "cache" / "models").glob("small-*.safetensors")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.warns(UserWarning, match="damaged"):
        again = trained("small", make, training_run, {"steps": 25})
    assert again.origin == "trained"
    assert same(first.model, again.model)


RECORD_DAMAGE = [
    lambda about: [],
    put("record", value=...),
    put("record", value=7),
    *(put("record", "steps", value=value) for value in (..., "25", -1, 24, 10**15)),
    *(put("record", "metrics", value=value) for value in (..., "accuracy", [7])),
    put("record", "run", value=[]),
    *(put("record", "run", "seeds", value=value) for value in (..., 0, ["a"])),
    *(put("record", "run", "seconds", value=value) for value in (..., -1, "1", None)),
    put("record", "run", "stopped", value=["asleep"]),
]


def test_damage_in_the_description_of_a_trained_model_costs_a_warning_and_a_training_run(tmp_path):
    def broken(model, seed):
        raise ZeroDivisionError

    trained("small", make, training_run, {"steps": 25})
    (path,) = (tmp_path / "home" / "cache" / "models").glob("small-*.safetensors")
    whole = path.read_bytes()
    for change in RECORD_DAMAGE:
        path.write_bytes(whole)
        with_header(path, change)
        with (
            pytest.warns(UserWarning, match="cached model 'small' is not used: .* is damaged"),
            pytest.raises(ZeroDivisionError),
        ):
            trained("small", make, broken, {"steps": 25})


def test_a_read_only_home_costs_a_warning(monkeypatch):
    monkeypatch.setenv("COURSE_HOME", "/proc/nowhere")
    with pytest.warns(UserWarning, match="could not be kept"):
        assert trained("small", make, training_run, {"steps": 25}).origin == "trained"


# ------------------------------------------------------- found by a reader of the source, each mended once


def test_a_model_and_its_batches_share_no_key():
    rngs = nnx.Rngs(7)
    of_model = [rngs.params() for _ in range(30)]
    of_batches = [jax.random.fold_in(training.batch_rng(7), step) for step in range(30)]
    seen = {tuple(np.asarray(jax.random.key_data(key)).tolist()) for key in of_model + of_batches}
    assert len(seen) == 60


def test_an_index_outside_the_vocabulary_is_looked_for_first():
    model = SequenceClassifier(RNNCell(6, 9, rngs=nnx.Rngs(0)), 8, 8, rngs=nnx.Rngs(0))  # the task has 16 symbols
    with pytest.raises(TrainingDiverged, match="outside the model's vocabulary") as caught:
        fit(model, recall, 20, loss=classification)
    assert "try" not in str(caught.value)


def test_a_step_that_overflows_the_parameters_is_not_taken():
    model = make(nnx.Rngs(0))
    with pytest.raises(TrainingDiverged, match="step 0|step 1"):
        fit(model, recall, 20, loss=classification, optimizer=optax.sgd(3e38))
    assert all(np.isfinite(leaf).all() for leaf in values(model))


@pytest.mark.slow
def test_schedules_no_clipping_and_own_optimizers_are_taken_and_recorded_honestly():
    history = fit(
        make(nnx.Rngs(0)), recall, 40, loss=classification, learning_rate=optax.linear_schedule(0, 1e-2, 20), clip=None
    )
    assert history.learning_rate is None
    assert np.isfinite(history.losses).all()
    assert fit(make(nnx.Rngs(0)), recall, 5, loss=classification, optimizer=optax.sgd(0.1)).learning_rate is None
    assert fit(make(nnx.Rngs(0)), recall, 5, loss=classification, learning_rate=1e-3).learning_rate == 1e-3


def breaks_for_seed_0(step, rng):
    batch = recall(step, rng)
    first = jax.random.key_data(rng)[0] == jax.random.key_data(jax.random.fold_in(training.batch_rng(0), step))[0]
    return batch, jnp.where(first & (step >= 23), jnp.nan, 1.0)


def weighted(model, batch):
    value, metrics = classification(model, batch[0])
    return value * batch[1], metrics


def test_a_diverging_seed_stops_and_the_others_go_on():
    with pytest.warns(UserWarning, match="Seed 0 diverged at step 23; the other seeds went on"):
        models, history = fit_seeds(make, breaks_for_seed_0, 60, loss=weighted, seeds=(0, 1))
    assert history.stopped == ("diverged", "finished")
    assert history.steps.tolist() == [23, 60]
    alone, _ = fit_seeds(make, recall, 60, loss=classification, seeds=(1,))
    assert same(models[1], alone[0])
    assert all(np.isfinite(leaf).all() for model in models for leaf in values(model))


def test_a_single_seed_that_diverges_is_told_too():
    with pytest.warns(UserWarning, match=r"Seed 0 diverged at step 23\.$"):
        _, history = fit_seeds(make, breaks_for_seed_0, 60, loss=weighted, seeds=(0,))
    assert history.stopped == ("diverged",)


@pytest.mark.parametrize("seeds", [3, ()])
def test_seeds_are_a_list(seeds):
    unchecked = inspect.unwrap(fit_seeds)  # a learner's types are not checked
    with pytest.raises(InvalidInput, match=rf"seeds is a list of at least one seed, .* not {re.escape(repr(seeds))}"):
        unchecked(make, recall, 3, loss=classification, seeds=seeds)


def test_a_rate_that_is_infinite_at_the_first_step_is_not_excluded():
    with pytest.raises(TrainingDiverged, match="learning rate of step 0"):
        fit(make(nnx.Rngs(0)), recall, 3, loss=classification, learning_rate=lambda step: 1e-3 / jnp.sqrt(step))


def test_a_checkpoint_that_cannot_be_written_is_said_before_training():
    with pytest.raises(InvalidInput, match="/proc/nope/run.safetensors cannot be written"):
        fit(make(nnx.Rngs(0)), recall, 20, loss=classification, checkpoint="/proc/nope/run.safetensors")


def test_a_disk_that_fills_up_costs_a_warning_and_not_the_training(tmp_path, monkeypatch):
    path, written = tmp_path / "run.safetensors", []

    def fills_up(*arguments):
        if written:
            raise OSError(28, "No space left on device")
        written.append(path.write_bytes(arguments[1]))

    monkeypatch.setattr(run, "SAVE_EVERY", 0)
    monkeypatch.setattr(checkpoints, "write", fills_up)
    with pytest.warns(UserWarning, match=r"could not be written \(No space left on device\)"):
        history = fit(make(nnx.Rngs(0)), recall, 40, loss=classification, checkpoint=path)
    assert history.steps == 40
    assert checkpoints.about(path)["done"] == [0]


def test_an_earlier_run_is_not_overwritten(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(make(nnx.Rngs(0)), recall, 40, loss=classification, checkpoint=path)
    with pytest.raises(InvalidInput, match="holds an earlier run"):
        fit(make(nnx.Rngs(0)), recall, 20, loss=classification, checkpoint=path)


def test_numpy_integers_are_whole_numbers_and_truth_values_are_not():
    require_positive(steps=np.int64(3))
    fit_seeds(make, recall, 3, loss=classification, seeds=np.arange(2).tolist())
    for wrong in (True, 2.0, np.ones(1, int), 0):
        with pytest.raises(InvalidInput, match="steps must be a whole number"):
            require_positive(steps=wrong)


def test_the_model_has_the_values_of_the_step_that_is_reported():
    model, other, found = make(nnx.Rngs(0)), make(nnx.Rngs(0)), []
    fit(
        model,
        recall,
        40,
        loss=classification,
        report=lambda step, now: found.append(nnx.state(nnx.clone(model), nnx.Param)),
    )
    fit(other, recall, 20, loss=classification)
    first, last = (jax.tree.leaves(values) for values in found)
    for a, b, c in zip(first, last, jax.tree.leaves(nnx.state(other, nnx.Param)), strict=True):
        np.testing.assert_array_equal(a, c)
        assert (a != b).any()


def test_reports_come_every_twenty_updates_whatever_the_buckets():
    seen = []
    fit(make(nnx.Rngs(0)), ragged(), 90, loss=classification, report=lambda step, now: seen.append(step))
    assert seen == [20, 40, 60, 80, 90]


def test_networks_of_different_kind_are_not_trained_as_one():
    def make_other(rngs):
        kind = "tanh" if make_other.calls == 0 else "linear"
        make_other.calls += 1
        return SequenceClassifier(RNNCell(6, 9, rngs=rngs, activation=kind), 16, 8, rngs=rngs)

    make_other.calls = 0
    with pytest.raises(InvalidInput, match="Every seed must build the same network"):
        fit_seeds(make_other, recall, 5, loss=classification, seeds=(0, 1))


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda model, batch: classification(model, batch)[0], "returns a pair"),
        (lambda model, batch: (jnp.ones(2), {}), "first part has shape"),
        (lambda model, batch: (classification(model, batch)[0], {"loss": jnp.ones(())}), "may not be called 'loss'"),
        (lambda model, batch: (classification(model, batch)[0], {"many": jnp.ones(3)}), "'many' has shape"),
    ],
)
def test_a_loss_that_breaks_its_contract_is_told_so(loss, words):
    with pytest.raises(InvalidInput, match=words):
        fit(make(nnx.Rngs(0)), recall, 5, loss=loss)


def test_plain_numbers_are_metrics_too_and_the_loss_has_a_last():
    history = fit(make(nnx.Rngs(0)), recall, 5, loss=lambda m, b: (classification(m, b)[0], {"half": 0.5}))
    assert history.last("half") == 0.5
    assert history.last("loss") == pytest.approx(history.losses.mean())
    with pytest.raises(InvalidInput, match="no metric 'acuracy'; there are loss, half"):
        history.last("acuracy")


def test_what_is_masked_reaches_neither_the_loss_nor_the_gradient():
    mask = jnp.array([[True, True, False]])
    logits = jnp.ones((1, 3, 4)).at[0, 2].set(jnp.nan)
    labels = jnp.array([[0, 1, 2]])
    value, gradient = jax.value_and_grad(lambda l: cross_entropy(l, labels, mask))(logits)
    assert value == pytest.approx(np.log(4))
    assert np.isfinite(gradient).all()
    assert (gradient[0, 2] == 0).all()


def test_accuracy_counts_where_the_mask_is_true():
    logits, labels = jnp.eye(3)[None], jnp.array([[0, 1, 0]])
    assert accuracy(logits, labels) == pytest.approx(2 / 3)
    assert accuracy(logits, labels, jnp.array([[False, True, True]])) == 0.5
    assert accuracy(logits, labels, jnp.zeros((1, 3), bool)) == 0


def test_a_function_of_step_and_key_is_a_source_and_a_corpus_has_buckets_too():
    assert isinstance(recall, BatchSource)
    assert not isinstance(recall, BucketedSource)
    assert isinstance(ragged(), BucketedSource)
    assert not isinstance(pad([[1, 2]]), BatchSource)


def test_losses_are_summed_in_float32():
    assert cross_entropy(jnp.zeros((5, 1000), jnp.bfloat16), jnp.zeros(5, int)) == pytest.approx(np.log(1000), rel=1e-5)
    assert mean(jnp.ones(70_000, jnp.float16)) == 1


class StackCell(nnx.Module):
    """A cell whose state is a matrix for each example and whose projection is a pair."""

    def __init__(self, embed, hidden, *, rngs):
        self.embed, self.hidden, self.inner = embed, hidden, RNNCell(embed, hidden, rngs=rngs)

    def start(self, batch):
        return jnp.zeros((batch, 2, self.hidden))

    def project(self, inputs):
        return self.inner.project(inputs), inputs[..., :1]

    def step(self, state, projected):
        new = self.inner.step(state[:, 0], projected[0] + projected[1])
        return jnp.stack([new, state[:, 0]], axis=1)

    def output(self, state):
        return state[:, 0]


def test_unroll_carries_states_of_any_rank_and_takes_their_dtype():
    cell = StackCell(3, 4, rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(0), (2, 5, 3))
    outputs, last = unroll(cell, x, jnp.arange(5) < jnp.array([[5], [2]]))
    assert outputs.shape == (2, 5, 4)
    np.testing.assert_array_equal(last[1, 0], outputs[1, 1])
    low = RNNCell(3, 4, rngs=nnx.Rngs(0))
    graphdef, state = nnx.split(low)
    low = nnx.merge(graphdef, jax.tree.map(lambda a: a.astype(jnp.bfloat16), state))
    assert unroll(low, x.astype(jnp.bfloat16))[0].dtype == jnp.bfloat16
    with pytest.raises((InvalidInput, TypeCheckError)):  # the tests' own shape check may come first
        unroll(low, x, jnp.ones((2, 4), bool))


# ------------------------------------------------------------------------- what two question marks show


class Parabola(nnx.Module):
    """A model of one number."""

    def __init__(self, θ):
        self.θ = nnx.Param(jnp.float32(θ))


def squared(model, batch):
    value = batch * model.θ[...] ** 2
    return value, {"twice": 2 * value}


@pytest.mark.parametrize(("weight", "after"), [(1.0, 3 - 0.1 * 6), (np.nan, 3.0), (np.inf, 3.0)])
def test_one_update_goes_down_the_gradient_or_stays_where_it_is(weight, after):
    """θ² has the gradient 2θ; a weight that is no number, or makes the loss infinite, leaves θ as it was."""
    learning, (state,) = step.taken_apart([Parabola(3.0)], squared, optax.sgd(0.1))
    new, values, finite = step.update(learning, state, jnp.float32(weight))
    assert jax.tree.leaves(new.params)[0] == pytest.approx(after)
    assert bool(finite) == np.isfinite(weight)
    if finite:
        assert (values["loss"], values["twice"]) == (9, 18)


def test_a_training_shows_its_loop():
    source = inspect.getsource(inspect.unwrap(fit))
    assert len(source.splitlines()) <= 45
    for words in ("while run.unfinished()", "run.advance(update)", "return run.history", "θ ← θ - η"):
        assert words in source


def functions(module):
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize(
    "module", ["compiled", "history", "loop", "options", "pretrained", "record", "run", "saved", "step"]
)
def test_every_function_of_the_training_fits_a_screen(module):
    module = importlib.import_module(f"course_utils.training.{module}")
    lines = inspect.getsource(module).splitlines()
    assert max(map(len, lines)) <= 100
    assert {name: count for name, count in functions(module) if count > 40} == {}


def test_the_update_is_a_dozen_lines():
    source = inspect.getsource(inspect.unwrap(step.update))
    assert len(source[source.rindex('"""') :].splitlines()) <= 14


@pytest.mark.parametrize("function", [fit, fit_seeds])
def test_the_options_of_a_training_are_shown_by_name(function):
    shown = inspect.signature(function).parameters
    for name, option in inspect.signature(Options).parameters.items():
        assert shown[name].default == option.default
        assert shown[name].kind == inspect.Parameter.KEYWORD_ONLY
    assert "options" not in shown
