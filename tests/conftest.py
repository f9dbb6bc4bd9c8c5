"""Every test runs without network, with a home of its own, and with the shapes in all signatures checked."""

import os
import pathlib
import socket

import pytest
from jaxtyping import install_import_hook

os.environ["TQDM_DISABLE"] = "1"  # read when tqdm is imported

# Writers of sentences define small functions for every sentence, and each would be wrapped anew: fifty times as long. Their few
# functions of arrays are held by tests of their values.
_WRITERS = ("data/translation.py", "data/agreement.py")
_ROOT = pathlib.Path(__file__).parents[1]
_hook = install_import_hook(
    [
        ".".join(path.relative_to(_ROOT).with_suffix("").parts)
        for path in (_ROOT / "course_utils").rglob("*.py")
        if path.name != "__init__.py" and not path.as_posix().endswith(_WRITERS)
    ],
    "shapechecker.check",
)


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COURSE_SIZE", raising=False)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """The course works offline: a connection to anywhere but this machine fails the test."""
    connect = socket.socket.connect

    def only_here(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)
