"""What is recorded of networks that learn delayed recall."""

import numpy as np
from jaxtyping import Float

from .record import Rounded, Significant, record


@record
class Solved:
    """Networks of several seeds on one delay."""

    updates: list[int | None]  # until solved, one a seed; None where it was not
    accuracy: Rounded[Float[np.ndarray, " seeds"]]  # over the last 100 updates

    @property
    def count(self) -> int:
        """How many seeds solved it."""
        return sum(updates is not None for updates in self.updates)


@record
class Started(Solved):
    """The same, with what reached the first state before training."""

    share: Significant[Float[np.ndarray, " seeds"]]  # ‖∂L/∂h_1‖ as a share of ‖∂L/∂h_T‖
