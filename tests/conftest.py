"""Every test runs without network, with a home of its own, and with the shapes in all signatures checked."""

import os
import pathlib
import socket

import costs
import pytest
from jaxtyping import install_import_hook

os.environ["TQDM_DISABLE"] = "1"  # read when tqdm is imported

# Writers of sentences define small functions for every sentence, and each would be wrapped anew: fifty times as long. Their few
# functions of arrays are held by tests of their values.
_WRITERS = ("data/english_french/", "data/agreement.py")
_ROOT = pathlib.Path(__file__).parents[1]
_hook = install_import_hook(
    [
        ".".join(path.relative_to(_ROOT).with_suffix("").parts)
        for path in (_ROOT / "course_utils").rglob("*.py")
        if path.name != "__init__.py" and not any(writer in path.as_posix() for writer in _WRITERS)
    ],
    "shapechecker.check",
)


def pytest_addoption(parser):
    parser.addoption("--costs", action="store_true", help="count the programs that each test asks jax to compile")
    parser.addoption(
        "--differs", action="store_true", help="only what other versions of jax, flax, ipywidgets can change"
    )


def pytest_configure(config):
    config.pluginmanager.register(costs.Costs(config))


def pytest_collection_modifyitems(config, items):
    if config.getoption("--differs"):
        chosen = [item for item, differs in zip(items, _can_differ(items), strict=True) if differs]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def _can_differ(items):
    """What a second environment runs: of a module marked `plain` its first test, of a parametrised test its first and
    last set, unless it is marked `each`; nothing `slow` or `thorough`."""
    modules, sets = {}, {}
    for item in items:
        modules.setdefault(item.path, item)
        sets.setdefault((item.path, item.originalname), []).append(item)
    for item in items:
        one, marks = sets[item.path, item.originalname], {mark.name for mark in item.iter_markers()}
        ends = "each" in marks or item in (one[0], one[-1])
        first = "plain" not in marks or item is modules[item.path]
        yield ends and first and not {"slow", "thorough"} & marks


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
