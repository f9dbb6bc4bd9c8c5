"""What every other module stands on: setup, errors that speak, files of `data/`, precision, folders."""

import _thread
import contextlib
import ctypes
import functools
import os
import pathlib
import platform
import re
import signal
import sys
import tempfile
import threading
import time
import types
import unicodedata
import warnings
from collections.abc import Iterator
from typing import Any, Literal, get_args

import numpy as np
import platformdirs

PACKAGE = "recurrence-to-attention"
FrontEnd = Literal["jupyter", "vscode", "colab", "none", "page"]


class CourseError(Exception):
    """Something a learner can mend. In a notebook it shows as one sentence instead of a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class InvalidInput(CourseError, ValueError):
    """An argument that cannot be right; the message names it and says what would be right."""


def require(condition: Any, message: str) -> None:
    """Raise `InvalidInput(message)` unless `condition` holds."""
    if not condition:
        raise InvalidInput(message)


def require_positive(**sizes: Any) -> None:
    """Every size must be a whole number of at least 1; the error names the first that is not."""
    for name, size in sizes.items():
        whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
        require(whole and size >= 1, f"{name} must be a whole number of at least 1, not {size!r}.")


def require_one_of(**choices: tuple[Any, Any]) -> None:
    """Each value must be one of its choices, a `Literal` or the names of a table; the error names the first that is not.

    `require_one_of(norm=(norm, Norm))`: norm must be one of before, after, not 'behind'.
    """
    for name, (value, choice) in choices.items():
        names = get_args(choice) or tuple(choice)
        require(
            any(isinstance(value, type(known)) and value == known for known in names),
            f"{name} must be one of {', '.join(map(str, names))}, not {shown(value)}.",
        )


def require_mask(mask: Any) -> None:
    """A mask must hold truth values: what PyTorch adds to scores, 0 and −1e9, would be taken for its opposite."""
    kind = getattr(mask, "dtype", type(mask).__name__)
    require(
        mask is None or str(kind) == "bool",
        f"A mask is boolean, True where a position counts; this one holds {kind}. Of 1 and 0 make `mask != 0`; of what is "
        "added to scores (0 and −1e9, or −inf), `mask == 0`.",
    )


def shortened(text: str, most: int = 400) -> str:
    """A text to be shown or kept: of one that is longer than `most` its beginning and its end, and how much is left out."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail]} … ({len(text) - most:,} more characters) … {text[len(text) - tail :]}"


def shown(value: Any, most: int = 60) -> str:
    """Any value as an error shows it: its `repr`, shortened; that of an integer of 5,000 digits raises, and so may others."""
    try:
        text = repr(value)
    except Exception:
        return f"something of type {type(value).__name__} that cannot be shown"
    return text if len(text) <= most else f"{text[:most]}…"


# ---------------------------------------------------------------------------------- files and folders


def asset(name: str) -> pathlib.Path:
    """Path of a file of `data/`: inside an installed wheel, or in the checkout beside the package."""
    package = pathlib.Path(__file__).parent
    for root in (package / "_assets", package.parent / "data"):
        if (root / name).exists():
            return root / name
    raise CourseError(
        f"The course file {name!r} is missing from this installation. "
        f"Install the course again: pip install --force-reinstall {PACKAGE}"
    )


def typed_path(name: Any) -> pathlib.Path:
    """The path that somebody typed, `~` resolved; what cannot be meant raises `InvalidInput`.

    A second pair of quotation marks, a tab that Python has made of `\\t`, Windows' backslashes on another system, the home
    of a user who is not there.
    """
    require(isinstance(name, (str, os.PathLike)), f"A file or folder is named by text, not by {name!r}.")
    text = os.fsdecode(name)
    if not os.path.exists(text):
        inside = re.fullmatch("""\\s*["'“”„‘’«»](.*)["'“”‘’«»]\\s*""", text, re.DOTALL)
        require(not inside, f"The name {text} has quotation marks of its own: take one of the two pairs away.")
        require(
            not any(unicodedata.category(sign) == "Cc" for sign in text),
            f"{text[:200]!r} is no name of a file: Python reads \\t in a text as a tab, \\n as a new line. Separate folders with /.",
        )
        if "\\" in text and os.sep == "/":
            where, drive = text.replace("\\", "/"), re.match("[A-Za-z]:", text)
            raise InvalidInput(
                f"{text} is a path of Windows, and this computer runs another system. "
                + (f"It has no drive {text[0]}: name a file that is on it." if drive else f"Write {where}.")
            )
    try:
        return pathlib.Path(text).expanduser()
    except RuntimeError:
        raise InvalidInput(f"There is no user {pathlib.Path(text).parts[0]} here: write the whole path.") from None


def home() -> pathlib.Path:
    """The learner's own folder (progress, trained models): `COURSE_HOME`, else the user's data folder."""
    chosen = os.environ.get("COURSE_HOME")
    return typed_path(chosen) if chosen else pathlib.Path(platformdirs.user_data_dir(PACKAGE, appauthor=False))


def cache() -> pathlib.Path:
    """Files that may be deleted at any time: `COURSE_HOME/cache`, else the user's cache folder."""
    chosen = os.environ.get("COURSE_HOME")
    if chosen:
        return typed_path(chosen) / "cache"
    return pathlib.Path(platformdirs.user_cache_dir(PACKAGE, appauthor=False))


def private_folder(folder: pathlib.Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone; one that is there keeps its rights."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(exist_ok=True)


def require_writable(folder: pathlib.Path) -> None:
    """Make a folder, or raise `InvalidInput` before minutes of work, not after, where nothing can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError:
        raise InvalidInput(f"{folder} is a file: name a folder.") from None
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written ({error.strerror}): name another folder.") from None


def size() -> Literal["full", "quick"]:
    """`COURSE_SIZE`: `full` trains as the text says, `quick` runs a twentieth of the updates."""
    value = os.environ.get("COURSE_SIZE", "full")
    require(value in ("full", "quick"), f"COURSE_SIZE must be 'full' or 'quick', not {value!r}.")
    return value  # type: ignore[return-value]


def budget(updates: int) -> int:
    """The number of training updates to run: `updates`, or a twentieth of it when `COURSE_SIZE=quick`."""
    require_positive(updates=updates)
    return updates if size() == "full" else max(1, updates // 20)


# ------------------------------------------------------------------------------------------ front end


def front_end() -> FrontEnd:
    """Where this code is shown: `colab`, `vscode`, another `jupyter` page, or `none` (a script, a terminal).

    `page` is a page without a kernel, which `course site` is writing: `COURSE_PAGE` says so.

    JupyterLab and Notebook 7 share one renderer and look the same from a kernel: both are `jupyter`.
    """
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return "none"
    if os.environ.get("COURSE_PAGE"):
        return "page"
    if "google.colab" in sys.modules:
        return "colab"
    if any(name.startswith("VSCODE_") for name in os.environ):
        return "vscode"
    return "jupyter"


# ------------------------------------------------------------------------------------------ precision


def float64():
    """A `with` block inside which jax computes in float64 (the name of the switch differs by version)."""
    import jax

    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax import experimental  # jax before 0.8

    return experimental.enable_x64(True)  # type: ignore[attr-defined]


def use_full_precision() -> None:
    """Products of float32 numbers in float32 on every device, unless `JAX_DEFAULT_MATMUL_PRECISION` says otherwise.

    By default a TPU rounds the factors of a product to bfloat16 (8 bits) and an NVIDIA GPU of the Ampere generation
    or newer to TF32 (11 bits): two ways to write one formula then differ in the third or fourth digit, and a right
    answer to an exercise would be refused. On a CPU, or a T4, this changes nothing.
    """
    import jax

    if jax.config.jax_default_matmul_precision is None:  # type: ignore[attr-defined]
        jax.config.update("jax_default_matmul_precision", "highest")


# ------------------------------------------------------------------------------ switches for debugging


@contextlib.contextmanager
def plain_jax() -> Iterator[None]:
    """A block, or a function, in which jax compiles and NaN is a number: `jax_disable_jit` and `jax_debug_nans` are off.

    Trainings are compiled loops, and checks of exercises make NaN on purpose. Afterwards both are as they were.
    """
    import jax

    with jax.disable_jit(False), jax.debug_nans(False), jax.debug_infs(False):
        yield


# ---------------------------------------------------------------------------------------------- setup


COMPILED_AT_MOST = 400_000_000  # bytes of compiled programs kept on disk; the eight chapters together took 24 MB


def use_compilation_cache() -> pathlib.Path | None:
    """Keep compiled programs on disk, so that a restarted kernel does not compile them again.

    Every program is kept: a chapter asks for hundreds, and hardly any of them takes a tenth of a second to compile.
    Returns the folder, or None where no folder can be written (the course then works, only slower).
    """
    import jax

    # An entry that was cut short (a full disk, a killed kernel) costs a compilation, not a warning on the page.
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache", UserWarning)
    for name, everything in (("min_compile_time_secs", 0.0), ("min_entry_size_bytes", -1)):
        setting = f"jax_persistent_cache_{name}"
        if setting.upper() not in os.environ:
            jax.config.update(setting, everything)
    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return pathlib.Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    folder = cache() / "xla"
    try:
        private_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
        trim(folder, COMPILED_AT_MOST)
    except OSError:
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    return folder


def trim(folder: pathlib.Path, most: int) -> None:
    """Delete the oldest files of a folder until those that stay hold at most `most` bytes.

    JAX can do it too, with a lock and a look at every file for each program that it writes: with thousands of small
    programs that takes longer than compiling them.
    """
    files = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another kernel may be trimming too
            known = path.stat()
            files.append((known.st_mtime, known.st_size, path))
    excess = sum(length for _, length, _ in files) - most
    for _, length, path in sorted(files):
        if excess <= 0:
            break
        path.unlink(missing_ok=True)
        excess -= length


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """A block that Ctrl-C and the stop button do not break: one that comes meanwhile acts when the block is over.

    An exception raised inside jax's compiler can end the whole process, and one raised in a function that C called is
    lost. In another thread than the main one no signal arrives; where interruptions are ignored, they stay so.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or handler in (None, signal.SIG_IGN):
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


COMPILING = {"jax", "jaxlib", "flax", "optax"}  # jax asks the others to compare what it caches, and catches everything
LIBRARIES = {"numpy", *sys.stdlib_module_names}  # at work for whoever called them
AGAIN = 0.005  # seconds after which an interruption that could not act is tried again


class _OutsideJax:
    """A handler of SIGINT: raises `KeyboardInterrupt`, but only when the code at work is not jax's or flax's."""

    waiting = False

    def __call__(self, number: int, frame: types.FrameType | None) -> None:
        while _package(frame) in LIBRARIES:
            frame = frame.f_back  # type: ignore[union-attr]
        if _package(frame) not in COMPILING:
            raise KeyboardInterrupt
        self.later()

    def later(self) -> None:
        if not self.waiting:  # pressed twice is pressed once
            self.waiting = True
            _thread.start_new_thread(self._again, ())

    def _again(self) -> None:
        time.sleep(AGAIN)
        self.waiting = False
        _thread.interrupt_main()


def _package(frame: types.FrameType | None) -> str:
    return "" if frame is None else str(frame.f_globals.get("__name__")).partition(".")[0]


_outside_jax = _OutsideJax()


def interrupt_outside_jax() -> None:
    """From now on Ctrl-C and the stop button wait while jax traces, lowers or compiles.

    An exception in its compiler can end the whole process, and some of its functions catch every exception. What jax traces
    is not its own code: a long loop of Python there is interrupted, after some seconds.
    This takes the place of Python's own handler and of no other; in a kernel at every message, for which ipykernel sets
    Python's own anew. What Python ignores is not lost either.
    """
    from IPython.core.getipython import get_ipython

    _replace_handler()
    _press_again_what_is_ignored()
    kernel = getattr(get_ipython(), "kernel", None)
    if hasattr(kernel, "pre_handler_hook"):
        _replace_handler_at_every_message(kernel)


def _replace_handler() -> None:
    main = threading.current_thread() is threading.main_thread()
    if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _outside_jax)


@functools.cache
def _press_again_what_is_ignored() -> None:
    """Python lets no exception out of a finalizer, nor out of what jax has called after each collection of garbage."""
    theirs = sys.unraisablehook

    def hook(ignored: Any) -> None:
        if issubclass(ignored.exc_type, KeyboardInterrupt):
            _outside_jax.later()
        else:
            theirs(ignored)

    sys.unraisablehook = hook


@functools.cache
def _replace_handler_at_every_message(kernel: Any) -> None:
    """Once for a kernel, however often a notebook is run from the top."""
    theirs = kernel.pre_handler_hook

    def hook() -> None:
        theirs()
        _replace_handler()

    kernel.pre_handler_hook = hook


def give_back_memory() -> None:
    """Hand memory that nobody uses back to the system: glibc keeps what compiling took, half a gigabyte after a training."""
    with contextlib.suppress(OSError, AttributeError):  # another system, another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def versions() -> dict[str, str]:
    """Versions of what computes and draws, for the record beside every measurement."""
    from importlib.metadata import version

    names = ("jax", "flax", "optax", "ipywidgets", "plotly")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def device() -> str:
    """The device that jax computes on, in words: `cpu (2 cores)`, `NVIDIA H200`, `2 × TPU v5 lite`."""
    import jax

    devices = jax.devices()
    if devices[0].platform == "cpu":
        return f"cpu ({os.cpu_count()} cores)"
    return f"{len(devices)} × {devices[0].device_kind}" if len(devices) > 1 else devices[0].device_kind


def setup() -> None:
    """Get ready to run a notebook: its first line, and the only line of set-up it needs.

    Switches the compilation cache and full precision on, lets the stop button wait while jax compiles, and prints one
    line: the device, the versions, the front end. A device that jax cannot start costs a sentence
    and falls back to the CPU.
    """
    import jax

    interrupt_outside_jax()
    # A jit'ed training loop is one long call; without this, log lines of the compiler reach the page.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        where = device()
    except (RuntimeError, AssertionError) as error:  # jax asserts that a platform it was told to use is there
        reason = str(error) or "jax finds none of the platforms in JAX_PLATFORMS"
        warnings.warn(f"No accelerator could be started ({reason}); the course runs on the CPU.", stacklevel=2)
        jax.config.update("jax_platforms", "cpu")
        where = device()
    cached = use_compilation_cache()
    use_full_precision()
    from . import __version__

    known = versions()
    note = "" if cached else " · no folder to cache compiled programs in"
    quick = " · COURSE_SIZE=quick: short trainings, rough numbers" if size() == "quick" else ""
    print(
        f"course {__version__} on {where} · python {known['python']}, jax {known['jax']}, "
        f"flax {known['flax']} · {front_end()}{note}{quick}"
    )
