"""Notebook 00: a small recurrent network, asked directly for the number of the subject."""

from collections.abc import Callable

from flax import nnx

from ..data.agreement import vocabulary
from ..measure.agreement import right
from ..models.cells import RNNCell
from ..models.losses import classification
from ..models.sequence import SequenceClassifier
from ..runtime import budget, front_end
from ..training import History, Trained, fit, fit_seeds, trained
from .agreement import SEEDS, accuracy, asked_directly
from .results.agreement import Accuracy
from .results.ch00 import Recorded

UPDATES = 1_000
HIDDEN, EMBED = 64, 32


def reader(rngs: nnx.Rngs) -> SequenceClassifier:
    """A plain tanh network of 64 units that reads words and answers singular or plural."""
    return SequenceClassifier(RNNCell(EMBED, HIDDEN, rngs=rngs), len(vocabulary()), 2, rngs=rngs)


def train_reader(model: SequenceClassifier, report: Callable | None = None, seed: int = 0) -> History:
    """Train a reader in place on the words before the verb and the number they ask for."""
    return fit(
        model,
        asked_directly(),
        budget(UPDATES),
        loss=classification,
        report=report,
        seed=seed,
        progress=report is None,
    )


def well_trained(retrain: bool = False) -> Trained:
    """A trained reader, shipped with the course."""
    config = {"hidden": HIDDEN, "embed": EMBED, "updates": UPDATES, "corpus": "agreement 20000/0"}
    return trained("asked-rnn", reader, train_reader, config, retrain=retrain)


MODELS = {"asked-rnn": well_trained}


def three_seeds() -> Accuracy:
    """Train the reader from three seeds and test each against distance."""
    models, _ = fit_seeds(
        reader, asked_directly(), budget(UPDATES), loss=classification, seeds=SEEDS, progress=front_end() != "none"
    )
    return accuracy(models, right)


def headline() -> Recorded:
    """Accuracy against distance of three seeds, with the baselines."""
    return Recorded(seeds=SEEDS, updates=budget(UPDATES), agreement=three_seeds())
