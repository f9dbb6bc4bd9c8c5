"""What is recorded of networks that read the cat sentence: three seeds of each, against distance."""

import numpy as np
from jaxtyping import Float

from .record import Exact, Rounded, record


@record
class Accuracy:
    """Test accuracy of several networks against the distance from subject to verb, with the baselines."""

    seeds: tuple[int, ...]
    distance: Exact[Float[np.ndarray, " bins"]]  # the middle of each bin
    accuracy: Rounded[Float[np.ndarray, "seeds bins"]]
    baselines: dict[str, Rounded[Float[np.ndarray, " bins"]]]

    @property
    def farthest(self) -> float:
        """Mean over the seeds in the last bin, 37 to 40 words."""
        return float(self.accuracy[:, -1].mean())

    def report(self) -> None:
        """Print the last bin: the network's mean and range over seeds, and each baseline."""
        last = self.accuracy[:, -1]
        print(
            f"subject 37 to 40 words back, {len(self.seeds)} seeds: network {last.mean():.3f} "
            f"({last.min():.3f} to {last.max():.3f}), "
            + ", ".join(f"{name} {values[-1]:.3f}" for name, values in self.baselines.items())
        )


@record
class ByAttractors:
    """Language models asked for the verb: by distance, and by the number of nouns between subject and verb."""

    agreement: Accuracy
    attractors: Rounded[Float[np.ndarray, "seeds nouns"]]  # accuracy with 0, 1, … nouns in between


@record
class Moment:
    """Language models at one moment of their training, on the test sentences."""

    agreement: Accuracy
    twins: Rounded[Float[np.ndarray, "seeds steps"]]  # distance of twin states by time steps after the subject
    loss: Rounded[Float[np.ndarray, " seeds"]]  # nats a word
    number_loss: Rounded[Float[np.ndarray, " seeds"]]  # nats a sentence, for the verb's number alone


@record
class Near:
    """Networks trained on short distances only, and tested at all."""

    farthest: int  # distance in training
    networks: dict[str, Accuracy]
