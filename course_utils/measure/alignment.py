"""How far the weights of attention are from a gold alignment."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float

from ..data.batching import Parallel
from ..models.interfaces import TeacherForced
from ..models.run import apply
from ..runtime import require


def weights_on_reference(model: TeacherForced, batch: Parallel) -> Float[np.ndarray, "n target source"]:
    """The weights α_ij of a translator with attention while it reads the reference: row i is of target word i."""
    weights = apply(model, _weights, batch)
    require(weights is not None, "This translator has no attention, so it has no weights.")
    return weights


def _weights(model: TeacherForced, batch: Parallel) -> Float[Array, "n target source"] | None:
    return model.forced(model.encode(batch.source, batch.source_mask), batch.target[:, :-1])[1]


def links(weights: Float[np.ndarray, "n target source"]) -> Bool[np.ndarray, "n target source"]:
    """Each target word linked to the source position of its largest weight."""
    weights = np.asarray(weights)
    return np.arange(weights.shape[-1]) == weights.argmax(-1)[..., None]


class AlignmentError(NamedTuple):
    """Agreement of links with gold: AER = 1 - 2 |A ∩ S| / (|A| + |S|), which is 1 - F1."""

    error: float
    precision: float  # share of the links that gold has too
    recall: float  # share of gold that was found
    least: float  # the error of the best reader who may link each target word once


def alignment_error(
    linked: Bool[np.ndarray, "n words positions"],
    gold: Bool[np.ndarray, "n target source"],
    counted: Bool[np.ndarray, "n target"] | None = None,
) -> AlignmentError:
    """The alignment error rate over all target words that have a gold link, or over those of them that are `counted`.

    Och, Ney (2003) tell sure links S from possible ones P: AER = 1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|). Gold of the
    generated corpus is sure throughout, S = P. Words without a gold link, the end mark among them, are left out.
    """
    linked, gold = np.asarray(linked, bool), np.asarray(gold, bool)
    require(linked.shape == gold.shape, f"Links have the shape {linked.shape}, gold has {gold.shape}.")
    rows = gold.any(-1)
    if counted is not None:
        rows &= np.asarray(counted, bool)
    require(rows.any(), "No target word that is counted has a gold link.")
    A, S = linked[rows], gold[rows]
    both = (A & S).sum()
    return AlignmentError(
        float(1 - 2 * both / (A.sum() + S.sum())), float(both / max(A.sum(), 1)), float(both / S.sum()),
        float(1 - 2 * len(S) / (len(S) + S.sum())),
    )  # fmt: skip
