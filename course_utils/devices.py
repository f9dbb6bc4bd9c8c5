"""One training on many devices: every device holds the model, each takes its share of a batch. Several hosts too.

Nothing here is called where there is one device. JAX itself exchanges the gradients; these functions only say
where arrays live. Several processes run the same program on the same data (`jax.distributed.initialize` first),
so that a value that each of them has is the same in all.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def _over_devices(*axes: str) -> NamedSharding:
    return NamedSharding(Mesh(np.array(jax.devices()), ("batch",)), PartitionSpec(*axes))


def several() -> bool:
    """Are there devices to share the work?"""
    return jax.device_count() > 1


def first() -> bool:
    """Is this the process that writes files and shows progress?"""
    return jax.process_index() == 0


def replicated() -> NamedSharding | None:
    """The whole of an array on every device; None (wherever it is) where there is one device."""
    return _over_devices() if several() else None


def spread(batch: Any) -> Any:
    """A batch over all devices by its first axis, in a compiled function; left alone where that does not divide evenly."""
    sizes = [leaf.shape[0] if leaf.ndim else 1 for leaf in jax.tree.leaves(batch)]
    if not several() or any(size % jax.device_count() for size in sizes):
        return batch
    return jax.lax.with_sharding_constraint(batch, _over_devices("batch"))


def everywhere(tree: Any) -> Any:
    """A copy of each array on every device."""

    def copy(leaf: jax.Array) -> jax.Array:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(copy(jax.random.key_data(leaf)), impl=jax.random.key_impl(leaf))
        values = np.asarray(leaf)
        return jax.make_array_from_callback(values.shape, _over_devices(), values.__getitem__)

    return jax.tree.map(copy, tree) if several() else tree


def here(tree: Any) -> Any:
    """This process's own copy of arrays that are on every device."""
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree) if several() else tree


def agreed(value: bool) -> bool:
    """What the first process says, in all of them."""
    if jax.process_count() == 1:
        return value
    return bool(multihost_utils.broadcast_one_to_all(np.array(value)))
