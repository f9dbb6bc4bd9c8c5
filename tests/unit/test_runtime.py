import contextlib
import gc
import os
import signal
import sys
import threading
import time
import types
import warnings
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from beartype.roar import BeartypeException
from IPython.core import getipython
from jax.experimental.compilation_cache import compilation_cache
from jax.extend.core import Primitive
from jax.interpreters import mlir
from shapechecker import check

from course_utils import experiments, runtime
from course_utils.experiments import recorded


def test_setup_prints_one_quiet_line(capsys):
    runtime.setup()
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert err == ""
    for part in ("course", "python", "jax", "flax", "none"):
        assert part in out


def test_setup_says_when_nothing_can_be_cached(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_HOME", "/proc/nowhere")
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    runtime.setup()
    assert "no folder to cache" in capsys.readouterr().out


@pytest.fixture
def own_cache(monkeypatch):
    """The course's own folder of compiled programs, whatever the tests keep theirs in; no setting left behind."""
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    limits = ("min_compile_time_secs", "min_entry_size_bytes")
    names = ("jax_compilation_cache_dir", *(f"jax_persistent_cache_{limit}" for limit in limits))
    before = {name: getattr(jax.config, name) for name in names}
    compilation_cache.reset_cache()
    yield runtime.use_compilation_cache()
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def compile_anew():
    jax.clear_caches()
    return jax.jit(lambda x: x * 3.25 + 1)(jnp.ones(5))


def test_the_smallest_program_is_found_again(own_cache):
    compile_anew()
    assert list(own_cache.glob("*-cache"))


def test_a_program_cut_short_on_disk_costs_a_compilation_and_no_warning(own_cache):
    compile_anew()
    for entry in own_cache.glob("*-cache"):
        entry.write_bytes(entry.read_bytes()[:40])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        runtime.use_compilation_cache()
        assert compile_anew().tolist() == [4.25] * 5
    assert not [str(warning.message) for warning in told]


def test_compiled_programs_are_kept_within_a_limit_the_newest_first(tmp_path, monkeypatch):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setattr(runtime, "COMPILED_AT_MOST", 250)
    folder = runtime.cache() / "xla"
    folder.mkdir(parents=True)
    for age in range(5):
        (folder / f"{age}-cache").write_bytes(bytes(100))
        os.utime(folder / f"{age}-cache", (1e9 - age, 1e9 - age))
    before = jax.config.jax_compilation_cache_dir
    runtime.use_compilation_cache()
    jax.config.update("jax_compilation_cache_dir", before)
    assert sorted(path.name for path in folder.iterdir()) == ["0-cache", "1-cache"]


@pytest.fixture
def at_a_terminal():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interruption_waits_for_the_end_of_the_outermost_block(at_a_terminal):
    reached = []

    def work():
        with runtime.interrupts_held():
            with runtime.interrupts_held():
                signal.raise_signal(signal.SIGINT)
                reached.append("inner")
            reached.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["inner", "outer"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_without_an_interruption_a_block_does_nothing(at_a_terminal):
    with runtime.interrupts_held():
        pass
    with pytest.raises(runtime.InvalidInput), runtime.interrupts_held():
        runtime.require(False, "an error passes")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_ignores_interruptions_still_does(at_a_terminal):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with runtime.interrupts_held():
        signal.raise_signal(signal.SIGINT)


def test_in_another_thread_there_is_nothing_to_hold(at_a_terminal):
    done = []

    def work():
        with runtime.interrupts_held():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]


def of_jax(function):
    """The same function, as if it stood in a module of jax."""
    names = {**function.__globals__, "__name__": "jax.somewhere"}
    return types.FunctionType(function.__code__, names, closure=function.__closure__)


@pytest.fixture
def pressed_while_lowered():
    """A function that, while jax lowers it, has the stop button pressed three times; and what was reached since."""
    reached, pressed = [], Primitive("pressed")
    pressed.def_abstract_eval(lambda x: x)

    def lower(context, x):
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        reached.append("lowered")
        return [x]

    mlir.register_lowering(pressed, of_jax(lower))
    return jax.jit(pressed.bind), reached


def test_an_interruption_while_jax_compiles_acts_once_and_only_when_it_has(at_a_terminal, pressed_while_lowered):
    function, reached = pressed_while_lowered
    runtime.interrupt_outside_jax()

    def work():
        function(1.0)
        reached.append("compiled")
        time.sleep(1)
        reached.append("ended")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached in (
        ["lowered"],
        ["lowered", "compiled"],
    )  # as soon as jax is done, which may be before the next line
    time.sleep(3 * runtime.AGAIN)  # nothing else comes
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_interruption_while_jax_compiles_waits_for_the_end_of_a_block_too(at_a_terminal, pressed_while_lowered):
    function, reached = pressed_while_lowered
    runtime.interrupt_outside_jax()

    def work():
        with runtime.interrupts_held():
            function(1.0)
            time.sleep(3 * runtime.AGAIN)
            reached.append("block")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["lowered", "block"]


def test_an_interruption_that_jax_would_catch_acts_after_it(at_a_terminal):
    runtime.interrupt_outside_jax()
    reached = []

    def catches():
        try:
            with contextlib.ExitStack() as python:
                python.callback(signal.raise_signal, signal.SIGINT)
            reached.append("in jax")
        except:  # noqa: E722, as in `jax.lax.broadcast_shapes`
            reached.append("caught")

    def work():
        of_jax(catches)()
        time.sleep(1)
        reached.append("ended")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["in jax"]


def test_a_library_at_work_for_us_is_interrupted_at_once(at_a_terminal):
    runtime.interrupt_outside_jax()
    with pytest.raises(KeyboardInterrupt), contextlib.ExitStack() as python:
        python.callback(signal.raise_signal, signal.SIGINT)


@pytest.mark.thorough
def test_a_long_loop_can_be_interrupted_while_jax_traces_it(at_a_terminal):
    runtime.interrupt_outside_jax()
    reached = []

    def unrolled(x):
        threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
        for step in range(1_000_000):
            reached.append(step)
            x = jnp.sin(x) + 1
        return x

    with pytest.raises(KeyboardInterrupt):
        jax.jit(unrolled)(1.0)
    assert 0 < len(reached) < 500_000


def test_an_interruption_during_a_collection_of_garbage_is_not_lost(at_a_terminal, monkeypatch):
    others, pressed = [], []
    monkeypatch.setattr(sys, "unraisablehook", others.append)
    runtime._press_again_what_is_ignored.cache_clear()
    runtime.interrupt_outside_jax()

    def at_its_end(phase, information):
        if phase == "stop" and not pressed:
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)

    class Finalized:
        def __del__(self):
            raise ValueError

    def work():
        gc.collect()
        time.sleep(1)
        pressed.append("ended")

    gc.callbacks.append(at_its_end)
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        gc.callbacks.remove(at_its_end)
        runtime._press_again_what_is_ignored.cache_clear()
    assert pressed == [True]
    Finalized()
    assert [one.exc_type for one in others] == [ValueError]


def test_a_handler_of_ones_own_stays(at_a_terminal):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    runtime.interrupt_outside_jax()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_kernel_that_sets_its_handler_for_every_message_gets_ours(at_a_terminal, monkeypatch):
    class Kernel:
        def pre_handler_hook(self):
            signal.signal(signal.SIGINT, signal.default_int_handler)

    shell = types.SimpleNamespace(kernel=Kernel())
    monkeypatch.setattr(getipython, "get_ipython", lambda: shell)
    runtime.interrupt_outside_jax()
    runtime.interrupt_outside_jax()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shell.kernel.pre_handler_hook()
    assert signal.getsignal(signal.SIGINT) is runtime._outside_jax


def test_a_training_gives_its_memory_back_and_other_systems_do_without(monkeypatch):
    asked = []
    libc = types.SimpleNamespace(malloc_trim=asked.append)
    monkeypatch.setattr(runtime.ctypes, "CDLL", lambda name: libc)
    runtime.give_back_memory()
    assert asked == [0]
    for missing in (OSError("no libc.so.6"), AttributeError("malloc_trim")):
        monkeypatch.setattr(runtime.ctypes, "CDLL", lambda name, missing=missing: (_ for _ in ()).throw(missing))
        runtime.give_back_memory()


@pytest.mark.parametrize(
    ("modules", "variables", "expected"),
    [((), {}, "jupyter"), (("google.colab",), {}, "colab"), ((), {"VSCODE_PID": "1"}, "vscode")],
)
def test_front_end(monkeypatch, modules, variables, expected):
    for name in [name for name in os.environ if name.startswith("VSCODE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    for name in modules:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert runtime.front_end() == expected


def test_without_a_kernel_there_is_no_front_end():
    assert runtime.front_end() == "none"


def test_plain_jax_compiles_and_takes_nan_for_a_number_whatever_is_switched_on():
    traced = []
    counted = jax.jit(lambda x: traced.append(x))
    with jax.disable_jit(), jax.debug_nans(True), jax.debug_infs(True):
        with runtime.plain_jax():
            counted(jnp.ones(3))
            counted(jnp.ones(3))
            assert len(traced) == 1
            assert jnp.isnan(jnp.zeros(2) / 0).all()
            assert jnp.isinf(jax.jit(jnp.log)(jnp.zeros(3))).all()
        with pytest.raises(FloatingPointError):
            jnp.zeros(2) / 0
        counted(jnp.ones(3))
        assert len(traced) == 2


def test_quick_runs_a_twentieth(monkeypatch):
    assert runtime.budget(1000) == 1000
    monkeypatch.setenv("COURSE_SIZE", "quick")
    assert runtime.budget(1000) == 50
    assert runtime.budget(3) == 1
    monkeypatch.setenv("COURSE_SIZE", "fast")
    with pytest.raises(runtime.InvalidInput, match="'full' or 'quick', not 'fast'"):
        runtime.budget(10)


def test_float64_inside_the_block_only():
    with runtime.float64():
        assert jnp.ones(1).dtype == jnp.float64
    assert jnp.ones(1).dtype == jnp.float32


@pytest.fixture
def product_as_lowered():
    """What a product of matrices asks of the device, and no setting left behind."""
    before = jax.config.jax_default_matmul_precision
    yield lambda: jax.jit(lambda a: a @ a).lower(jnp.ones((2, 2))).as_text()
    jax.config.update("jax_default_matmul_precision", before)


@pytest.mark.parametrize("begin", [runtime.setup, lambda: experiments.reproduce("ch00")], ids=["setup", "reproduce"])
def test_products_are_not_rounded_on_devices_that_would(product_as_lowered, monkeypatch, begin):
    monkeypatch.setattr(experiments.module("ch00"), "headline", lambda: recorded("ch00"))
    jax.config.update("jax_default_matmul_precision", None)
    assert "HIGHEST" not in product_as_lowered()
    begin()
    assert "precision = [HIGHEST, HIGHEST]" in product_as_lowered()


def test_a_precision_that_was_chosen_stays(product_as_lowered):
    jax.config.update("jax_default_matmul_precision", "bfloat16")
    runtime.use_full_precision()
    assert jax.config.jax_default_matmul_precision == "bfloat16"


def test_a_missing_asset_is_named():
    with pytest.raises(runtime.CourseError, match="'quizzes/ch99.yaml' is missing"):
        runtime.asset("quizzes/ch99.yaml")


def test_errors_show_in_a_notebook_as_one_sentence():
    error = runtime.InvalidInput("length must be at least 1, not 0.")
    assert error._render_traceback_() == ["InvalidInput: length must be at least 1, not 0."]
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("value", [0, -3, 2.5, "4", None, True * 0])
def test_sizes_must_be_positive_whole_numbers(value):
    with pytest.raises(runtime.InvalidInput, match=r"hidden must be a whole number of at least 1"):
        runtime.require_positive(hidden=value)


Norm = Literal["before", "after"]


@pytest.mark.parametrize("choices", [Norm, {"before": 0, "after": 1}, ("before", "after")])
def test_a_choice_is_one_of_a_literal_or_of_the_names_of_a_table(choices):
    runtime.require_one_of(norm=("before", choices), second=(np.str_("after"), choices))
    for wrong in ("behind", None, 0, ["before"], np.array(["before", "after"])):
        with pytest.raises(runtime.InvalidInput) as refusal:
            runtime.require_one_of(first=("before", choices), norm=(wrong, choices))
        assert str(refusal.value) == f"norm must be one of before, after, not {wrong!r}."


def test_a_function_says_itself_which_literals_it_takes():
    """The type checker of the tests leaves that to it: what a learner reads is a sentence."""

    @check
    def normalised(norm: Norm | None, size: int):
        runtime.require_one_of(norm=(norm, Norm))

    with pytest.raises(runtime.InvalidInput, match="norm must be one of before, after, not 'behind'"):
        normalised("behind", 1)
    for wrong in [(3, 1), ("before", "1")]:
        with pytest.raises(BeartypeException):
            normalised(*wrong)


def test_a_device_that_does_not_start_falls_back_to_the_cpu(monkeypatch, capsys):
    real, failed = runtime.device, []

    def fails_once():
        if not failed:
            failed.append(1)
            raise RuntimeError("CUDA_ERROR_NO_DEVICE")
        return real()

    monkeypatch.setattr(runtime, "device", fails_once)
    before = jax.config.jax_platforms
    try:
        with pytest.warns(UserWarning, match="runs on the CPU"):
            runtime.setup()
    finally:
        jax.config.update("jax_platforms", before)
    assert "cpu" in capsys.readouterr().out


def test_the_name_of_a_file_or_folder_is_text_of_somebody_who_is_there(monkeypatch):
    with pytest.raises(runtime.InvalidInput, match="by text, not by None"):
        runtime.typed_path(None)
    monkeypatch.setenv("COURSE_HOME", "~nosuchuser/course")
    for folder in (runtime.home, runtime.cache):
        with pytest.raises(runtime.InvalidInput, match="no user ~nosuchuser"):
            folder()
