"""The same training on one device and on many, in one process and in two: the same losses to rounding."""

import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).with_name("devices.py")


def start(folder, devices, *arguments):
    folder.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "JAX_PLATFORMS": "cpu",
    }
    return subprocess.Popen(
        [sys.executable, SCRIPT, folder, *map(str, arguments)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said[-3000:]


@pytest.fixture(scope="module")
def on_one(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    finish(start(folder, 1))
    return np.load(folder / "0.npz")


def same(found, wanted, devices):
    assert found["devices"] == devices
    for name in ("losses", "used", "resumed"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(found["resumed"], found["unbroken"], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("devices", [2, 4, 8])
def test_losses_on_several_devices_equal_those_on_one(on_one, tmp_path, devices):
    finish(start(tmp_path, devices))
    same(np.load(tmp_path / "0.npz"), on_one, devices)


@pytest.mark.slow
def test_losses_in_two_processes_equal_those_in_one(on_one, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [start(tmp_path, 2, rank, 2, port) for rank in (0, 1)]
    try:
        for process in processes:
            finish(process)
    finally:
        for process in processes:
            process.kill()
    for rank in (0, 1):
        same(np.load(tmp_path / f"{rank}.npz"), on_one, 4)
