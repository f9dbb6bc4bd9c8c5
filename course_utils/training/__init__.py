"""One training for every model of the course: `fit`, `fit_seeds`, and models trained before.

`step` is one update, `compiled` repeats it, `loop` is the training loop; `run` is what it works on,
`record` what has come of it, `saved` its checkpoint, `history` what is returned.
"""

from .compiled import CHUNK, batch_rng
from .history import History, TrainingDiverged, TrainingInterrupted
from .loop import fit, fit_seeds
from .options import Options
from .pretrained import Trained, keep, trained
from .step import update

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
