"""The cells of the course by name: the kinds, and the initialisations that the chapters
compare.
"""

from typing import Any, Literal, NamedTuple

from flax import nnx

from ..runtime import require
from .cells import RNNCell
from .gated import GRUCell, LSTMCell

CellName = Literal["RNN", "GRU", "LSTM"]
CELLS: dict[CellName, type[RNNCell | GRUCell | LSTMCell]] = {
    "RNN": RNNCell,
    "GRU": GRUCell,
    "LSTM": LSTMCell,
}


class Initialised(NamedTuple):
    """A kind of cell and how it begins; with `chrono`, its biases are made for memories
    of a given length.
    """

    cell: CellName
    options: dict[str, Any] = {}  # noqa: RUF012  never changed
    chrono: bool = False


INITIALISATIONS = {
    "RNN": Initialised("RNN"),
    "RNN, identity, ReLU": Initialised(
        "RNN", {"activation": "relu", "start": "identity"}
    ),
    "GRU": Initialised("GRU"),
    "GRU, chrono": Initialised("GRU", chrono=True),
    "LSTM": Initialised("LSTM"),
    "LSTM, forget bias 0": Initialised("LSTM", {"forget_bias": 0.0}),
    "LSTM, forget bias 1": Initialised("LSTM", {"forget_bias": 1.0}),
    "LSTM, chrono": Initialised("LSTM", chrono=True),
}


def initialised(
    name: str, embed: int, hidden: int, memory: int, *, rngs: nnx.Rngs
) -> RNNCell | GRUCell | LSTMCell:
    """The cell that `INITIALISATIONS` names. memory: time steps that chrono biases are
    made for.
    """
    known = ", ".join(INITIALISATIONS)
    require(name in INITIALISATIONS, f"There is no cell {name!r}; there are {known}.")
    cell, options, chrono = INITIALISATIONS[name]
    if chrono:
        options = {**options, "chrono": memory}
    return CELLS[cell](embed, hidden, rngs=rngs, **options)
