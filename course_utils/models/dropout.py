"""Dropout: some numbers are 0 in training, so that no other relies on them."""

from flax import nnx

from ..runtime import require


def dropped(rate: float, rngs: nnx.Rngs) -> nnx.Dropout:
    """A layer that sets a share `rate` of its entries to 0 and divides the others by
    1 - rate, in training only.

    Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov (2014).
    """
    require(0 <= rate < 1, f"dropout is a share from 0 to less than 1, not {rate!r}.")
    return nnx.Dropout(rate, rngs=rngs if rate else None)  # at 0 nothing is drawn
