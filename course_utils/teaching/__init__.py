"""What asks and remembers: quizzes, predictions, exercises, progress."""

from .progress import my_progress
from .quiz import predict, quiz, reveal

__all__ = ["my_progress", "predict", "quiz", "reveal"]
