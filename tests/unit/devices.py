"""Run by test_devices.py in processes of its own: two trainings in a row, a checkpoint, and the model used afterwards.

python devices.py FOLDER [RANK COUNT PORT]    writes FOLDER/RANK.npz
"""

import pathlib
import sys

import jax

folder = pathlib.Path(sys.argv[1])
rank, count, port = (int(text) for text in sys.argv[2:]) if len(sys.argv) > 2 else (0, 1, 0)
if count > 1:
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{port}", count, rank)

import numpy as np  # noqa: E402
from flax import nnx  # noqa: E402

from course_utils.data.sequences import delayed_recall  # noqa: E402
from course_utils.models.cells import RNNCell  # noqa: E402
from course_utils.models.losses import classification  # noqa: E402
from course_utils.models.sequence import SequenceClassifier  # noqa: E402
from course_utils.training import fit  # noqa: E402


def recall(step, rng):
    return delayed_recall(rng, 16, 4)


rngs = nnx.Rngs(0)
model = SequenceClassifier(RNNCell(6, 9, rngs=rngs), 16, 8, rngs=rngs)
start = jax.tree.map(np.asarray, nnx.state(model))
first = fit(model, recall, 30, loss=classification, checkpoint=folder / "run.safetensors", progress=False)
used = float(classification(model, recall(0, jax.random.key(5)))[0])
again = fit(model, recall, 20, loss=classification, seed=1, progress=False)
# The first run goes on in a new model: as if it had never stopped.
other = SequenceClassifier(RNNCell(6, 9, rngs=rngs), 16, 8, rngs=rngs)
resumed = fit(
    other, recall, 40, loss=classification, checkpoint=folder / "run.safetensors", resume=True, progress=False
)
whole = SequenceClassifier(RNNCell(6, 9, rngs=rngs), 16, 8, rngs=rngs)
nnx.update(whole, start)
unbroken = fit(whole, recall, 40, loss=classification, progress=False)
np.savez(
    folder / f"{rank}.npz",
    devices=jax.device_count(),
    losses=np.concatenate([first.losses, again.losses]),
    used=used,
    resumed=resumed.losses,
    unbroken=unbroken.losses,
)
