"""The stop button in a real kernel, while networks are built, compiled and trained for the first time."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.thorough
def test_the_stop_button_always_acts_and_the_kernel_lives():
    """Ten times here; two hundred times in `benchmarks/NOTES.md`."""
    command = [sys.executable, ROOT / "benchmarks" / "interrupts.py", "--times=10"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("10: ")
