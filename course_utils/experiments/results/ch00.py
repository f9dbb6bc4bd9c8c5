"""Chapter 00: a small network asked for the number of the subject."""

from .agreement import Accuracy
from .record import Results, record


@record
class Recorded(Results):
    """Three plain networks, asked directly."""

    chapter: str = "ch00"
    updates: int
    agreement: Accuracy
