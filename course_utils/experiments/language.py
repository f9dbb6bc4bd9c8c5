"""Language models on the cat sentence, made and measured alike in every chapter."""

from collections.abc import Sequence

import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ..data.agreement import vocabulary
from ..measure.agreement import number_loss, prefers
from ..measure.states import twin_distance
from ..models.by_name import CELLS, CellName
from ..models.losses import next_word_loss
from ..models.run import apply
from ..models.sequence import RecurrentLanguageModel
from .agreement import accuracy, corpora
from .results.agreement import Moment

HIDDEN, EMBED = 64, 32


def language_model(cell: CellName, rngs: nnx.Rngs) -> RecurrentLanguageModel:
    """A network of 64 units that reads words and predicts each next one."""
    return RecurrentLanguageModel(CELLS[cell](EMBED, HIDDEN, rngs=rngs), len(vocabulary()), rngs=rngs)


def test_loss(model: RecurrentLanguageModel) -> float:
    """Mean loss of each next word on the test sentences, in nats."""
    sentences = corpora()[1].sentences()
    return float(apply(model, _next_word_loss, sentences.tokens, sentences.mask))


def _next_word_loss(
    model: RecurrentLanguageModel, tokens: Int[Array, "n time"], mask: Bool[Array, "n time"]
) -> Float[Array, ""]:
    return next_word_loss(model(tokens, mask), tokens, mask)


def moment(models: Sequence[RecurrentLanguageModel]) -> Moment:
    """What there is to say of language models of several seeds, at one moment of their training."""
    _, test = corpora()
    return Moment(
        agreement=accuracy(models, prefers),
        twins=np.array([twin_distance(model, test) for model in models]),
        loss=np.array([test_loss(model) for model in models]),
        number_loss=np.array([number_loss(model, test) for model in models]),
    )
