"""A mask that is not boolean, as PyTorch adds it to scores, would be taken for its opposite. Every function refuses it."""

import subprocess
import sys

# Outside the tests' type checker, which would refuse it before the course does; all in one process, for jax takes long to start.
SCRIPT = """
import jax, jax.numpy as jnp
from flax import nnx
from course_utils.models import attention, losses, recurrent, self_attention
from course_utils.models.cells import RNNCell
from course_utils.runtime import InvalidInput

scores, labels = jnp.zeros((2, 3)), jnp.zeros((2, 3), int)
logits, cell = jnp.zeros((2, 3, 4)), RNNCell(4, 5, rngs=nnx.Rngs(0))
calls = {
    "masked_softmax": lambda m: attention.masked_softmax(scores, m),
    "tempered_softmax": lambda m: attention.tempered_softmax(scores, m, 0.5),
    "scaled_dot_product": lambda m: self_attention.scaled_dot_product(logits, logits, logits, m[:, None]),
    "cross_entropy": lambda m: losses.cross_entropy(logits, labels, m),
    "accuracy": lambda m: losses.accuracy(logits, labels, m),
    "next_word_loss": lambda m: losses.next_word_loss(logits, labels, m),
    "mean": lambda m: losses.mean(scores, m),
    "unroll": lambda m: recurrent.unroll(cell, logits, m),
}
present = jnp.array([[True, True, False], [True, True, True]])
wrong = {"additive": jnp.where(present, 0.0, -1e9), "0 and 1": present.astype(int), "floats": present.astype(float)}
for name, call in calls.items():
    jax.block_until_ready(jax.jit(call)(present))
    for kind, mask in wrong.items():
        for how in (call, jax.jit(call)):
            try:
                how(mask)
            except InvalidInput as refused:
                assert str(refused).startswith("A mask is boolean, True where a position counts; this one holds "), refused
                assert "mask == 0" in str(refused)
            else:
                print(f"{name} takes {kind}")
print("all asked")
"""


def test_a_mask_that_is_not_boolean_is_refused_in_words():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.stdout == "all asked\n", done.stdout + done.stderr
