"""Every sentence of a corpus translated: sentences of like length together, so that few shapes are compiled."""

import numpy as np
from jaxtyping import Int

from ..data.batching import Parallel
from ..data.parallel import Subwords
from ..data.vocabulary import Vocabulary
from ..decoding import Decoded, beam, greedy, longest_target
from ..models.interfaces import Translator


def decode_batch(
    model: Translator, batch: Parallel, *, size: int = 1, length_penalty: float = 1.0, at_once: int = 256
) -> Decoded:
    """Translate the sources of a batch, greedily (`size` 1) or with a beam, `at_once` sentences of like length at a time.

    Each may have `longest_target` words of the longest source decoded beside it, whose length is rounded up to a multiple
    of 8. There are no weights in what returns: alignments are read with the reference given (`measure.alignment`).
    """
    lengths = np.asarray(batch.source_mask).sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    words = np.zeros((len(order), longest_target(batch.source.shape[1])), int)
    log_p = np.zeros(len(order))
    for begin in range(0, len(order), at_once):
        rows = order[begin : begin + at_once]
        width = min(-(-int(lengths[rows].max()) // 8) * 8, batch.source.shape[1])
        full = np.resize(rows, min(at_once, len(order)))  # the last part is filled up
        source, mask = batch.source[full, :width], batch.source_mask[full, :width]
        if size == 1:
            decoded = greedy(model, source, mask, longest_target(width))
        else:
            decoded = beam(model, source, mask, longest_target(width), size=size, length_penalty=length_penalty).best
        words[rows, : decoded.words.shape[1]] = decoded.words[: len(rows)]
        log_p[rows] = decoded.log_p[: len(rows)]
    return Decoded(words, log_p, None)


def as_text(words: Int[np.ndarray, "batch target"] | list[list[int]], vocabulary: Vocabulary | Subwords) -> list[str]:
    """Sentences as text, one a row."""
    return [vocabulary.decode(row) for row in words]
