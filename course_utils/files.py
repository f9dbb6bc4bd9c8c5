"""Files written whole or not at all: nothing is cut short by a full disk, nothing is overwritten that was being read."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterable

from .runtime import InvalidInput

Path = os.PathLike | str


def write(path: Path, content: str | bytes) -> None:
    """Write a file to a name of its own beside `path`, on to the disk, and then rename it.

    Whoever reads `path` finds the old content or the new one, never a part; where it cannot be written, the old stays and
    an `OSError` says why. A link at `path` is replaced, what it points to is left alone. Text is UTF-8 as it is given.
    """
    path = pathlib.Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    if _is_a_stream(path):
        path.write_bytes(data)
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    except OSError as error:
        raise _of(path, error) from None
    temporary = pathlib.Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_mode(path))
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _of(path, error) from None
        raise
    _sync_folder(path.parent)


def refuse_overwriting(outputs: Iterable[Path | None], inputs: Iterable[Path] = ()) -> None:
    """`InvalidInput` where a file to write is one that is read, or is named twice; before anything is read or written."""
    read = list(inputs)
    written: list[Path] = []
    for out in outputs:
        if out is None:
            continue
        for other in read:
            if _same(out, other):
                raise InvalidInput(f"{out} is read here and would be lost: name another file to write to.")
        for other in written:
            if _same(out, other):
                raise InvalidInput(f"{out} is named for two things to write: name a file for each.")
        written.append(out)


def _of(path: pathlib.Path, error: OSError) -> OSError:
    """The same error, which names the file to write: it named the temporary one, or none."""
    return OSError(error.errno, error.strerror, str(path)) if error.errno else error


def _is_a_stream(path: pathlib.Path) -> bool:
    """/dev/stdout, a pipe: there is nothing to rename."""
    of_the_system = pathlib.Path(os.path.realpath(path.parent)).parts[1:2] in (("dev",), ("proc",))
    return of_the_system or (path.exists() and not path.is_file() and not path.is_dir())


def _same(one: Path, other: Path) -> bool:
    """Do two names mean one file? Links and different spellings do, also where nothing is there yet."""
    with contextlib.suppress(OSError):
        return os.path.samefile(one, other)
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def _mode(path: pathlib.Path) -> int:
    """The rights that a file has already, else those that a new one would have."""
    with contextlib.suppress(OSError):
        if not path.is_symlink():
            return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: pathlib.Path) -> None:
    """Also the new name must be on the disk; some systems cannot open a folder, and rename at once."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
