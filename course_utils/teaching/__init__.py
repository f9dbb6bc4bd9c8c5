"""What asks and remembers: quizzes, predictions, bug hunts, exercises, progress."""

from .hunt import hunt
from .progress import my_progress
from .quiz import predict, quiz, reveal

__all__ = ["hunt", "my_progress", "predict", "quiz", "reveal"]
