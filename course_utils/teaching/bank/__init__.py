"""Quiz banks: YAML files, checked before anyone sees a question.

Every option says why: what thought leads there and what is wrong with it. A bank that breaks a rule is
refused with the file, the question and the reason.

`reading`: a file becomes a `Bank`, or is refused.   `kinds`: the kinds of questions.   `parts`: what they are made of.
`variants`: numbers that vary from learner to learner.
"""

from .kinds import KINDS, Hunt, Match, MultipleChoice, Numeric, Order, Predict, Shape, SingleChoice
from .parts import Outcome, in_lower_case
from .reading import Bank, BankError, bank, read_bank

__all__ = [
    "KINDS", "Bank", "BankError", "Hunt", "Match", "MultipleChoice", "Numeric", "Order", "Outcome", "Predict", "Shape",
    "SingleChoice", "bank", "in_lower_case", "read_bank",
]  # fmt: skip
