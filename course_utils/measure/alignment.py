"""How far the weights of attention are from a gold alignment."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from ..data.batching import Parallel
from ..models.run import apply
from ..runtime import require


def weights_on_reference(model: Any, batch: Parallel) -> Float[np.ndarray, "n target source"]:
    """The weights α_ij of a translator with attention while it reads the reference: row i is of target word i."""
    found = apply(model, _weights, batch)
    require(found is not None, "This translator has no attention, so it has no weights.")
    return found


def _weights(model: Any, batch: Parallel) -> Any:
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
    found: Bool[np.ndarray, "n words places"],
    gold: Bool[np.ndarray, "n target source"],
    counted: Bool[np.ndarray, "n target"] | None = None,
) -> AlignmentError:
    """The alignment error rate over all target words that have a gold link, or over those of them that are `counted`.

    Och, Ney (2003) tell sure links S from possible ones P: AER = 1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|). Gold of the
    generated corpus is sure throughout, S = P. Words without a gold link, the end mark among them, are left out.
    """
    found, gold = np.asarray(found, bool), np.asarray(gold, bool)
    require(found.shape == gold.shape, f"Links have the shape {found.shape}, gold has {gold.shape}.")
    rows = gold.any(-1)
    if counted is not None:
        rows &= np.asarray(counted, bool)
    require(rows.any(), "No target word that is counted has a gold link.")
    A, S = found[rows], gold[rows]
    both = (A & S).sum()
    return AlignmentError(
        float(1 - 2 * both / (A.sum() + S.sum())), float(both / max(A.sum(), 1)), float(both / S.sum()),
        float(1 - 2 * len(S) / (len(S) + S.sum())),
    )  # fmt: skip
