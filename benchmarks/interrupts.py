"""The stop button, pressed at random moments of first trainings in real kernels: does it always act, and does the kernel live?

    python benchmarks/interrupts.py [--times 200] [--seed 0]

Each cell builds a network of a size that was not compiled before and trains it; a random while of up to `--within`
seconds after it has begun the kernel is interrupted. Counted: cells that ended with the interruption, cells that it did not
stop within a minute (`lost`; what the kernel does then is shown), kernels that died (`died`). Exit status 1 where one was lost or died.
"""

import argparse
import collections
import queue
import random
import signal
import sys
import time

from jupyter_client.manager import start_new_kernel

BEFORE = """
import faulthandler, signal, sys
faulthandler.register(signal.SIGUSR1, file=sys.__stderr__)
import jax, jax.numpy as jnp
from flax import nnx
from course_utils import runtime
from course_utils.data.sequences import delayed_recall
from course_utils.models.cells import RNNCell
from course_utils.models.losses import classification
from course_utils.models.sequence import SequenceClassifier
from course_utils.training import fit
runtime.setup()
jax.config.update("jax_enable_compilation_cache", False)
recall = lambda step, rng: delayed_recall(rng, 16, 7)
"""
BEGUN = "begun"
CELL = """print("begun", flush=True)
model = SequenceClassifier(RNNCell(5, {hidden}, rngs=nnx.Rngs(0)), 16, 8, rngs=nnx.Rngs(1))
fit(model, recall, 1_000_000, loss=classification)
"""


def press(client, manager, source: str, wait: float) -> str:
    """Run a cell, interrupt it after a while, and say how it ended."""
    asked = client.execute(source, stop_on_error=False)  # else a kernel may refuse the cell after it, unrun
    try:
        while BEGUN not in client.get_iopub_msg(timeout=60)["content"].get("text", ""):
            pass
    except queue.Empty:
        return "lost"
    time.sleep(wait)
    manager.interrupt_kernel()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if not manager.is_alive():
            return "died"
        try:
            reply = client.get_shell_msg(timeout=1)
        except queue.Empty:
            continue
        if reply["parent_header"].get("msg_id") == asked:
            return reply["content"].get("ename", "ran to its end")
    return "lost"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--within", type=float, default=2.5, help="seconds")
    parser.add_argument("--each", type=int, default=25, help="interruptions of one kernel")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    draw, ends, manager, client = random.Random(given.seed), collections.Counter(), None, None
    for turn in range(given.times):
        if manager is None:
            manager, client = start_new_kernel(startup_timeout=120)
            reply = client.execute_interactive(BEFORE, timeout=300, output_hook=lambda message: None)
            assert reply["content"]["status"] == "ok", reply["content"]
        how = press(client, manager, CELL.format(hidden=3 + turn), given.within * draw.random())
        while client.iopub_channel.msg_ready():  # what this cell still shows
            client.get_iopub_msg()
        ends[how] += 1
        if how == "lost":
            manager.signal_kernel(signal.SIGUSR1)
            time.sleep(1)
        if how in ("lost", "died") or turn % given.each == given.each - 1 or turn == given.times - 1:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            manager = None
        print(f"{turn + 1}: {dict(ends)}", flush=True)
    return int(not set(ends) <= {"TrainingInterrupted", "KeyboardInterrupt"})


if __name__ == "__main__":
    sys.exit(main())
