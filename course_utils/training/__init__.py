"""One training for every model of the course: `fit`, `fit_seeds`, and models that are trained already.

A run is determined by its seed, and resuming one equals never having stopped. `step` is one update and the
compiled loop around it, `loop` the training loop, `run` what it works on, `record` what has come of it,
`saved` its checkpoint.
"""

from .history import History, TrainingDiverged, TrainingInterrupted
from .loop import fit, fit_seeds
from .options import Options
from .pretrained import Trained, keep, trained
from .step import CHUNK, batch_rng, update

__all__ = [
    "CHUNK",
    "History",
    "Options",
    "Trained",
    "TrainingDiverged",
    "TrainingInterrupted",
    "batch_rng",
    "fit",
    "fit_seeds",
    "keep",
    "trained",
    "update",
]
