"""How many steps information travels in an architecture, and how many must run in turn."""

from typing import Literal, get_args

from ..runtime import require, require_positive

Architecture = Literal["recurrence", "fixed context", "attention over a recurrence", "self-attention"]


def path_lengths(architecture: Architecture, length: int) -> tuple[int, int]:
    """Steps from the first input to the first output, and steps that must run one after another.

    A step is one application of a cell or one attention look-up.
    """
    require(
        architecture in get_args(Architecture),
        f"architecture must be one of {', '.join(get_args(Architecture))}, not {architecture!r}.",
    )
    require_positive(length=length)
    return {
        "recurrence": (length, length),  # cells 1 … n
        "fixed context": (length + 1, length + 1),  # cells 1 … n, then the decoder's cell
        "attention over a recurrence": (2, length + 1),  # cell 1, one look-up; but cells 1 … n run in turn
        "self-attention": (1, 1),  # one look-up
    }[architecture]
