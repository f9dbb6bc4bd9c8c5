"""How a training goes: the options that `fit` and `fit_seeds` have in common."""

import dataclasses
import inspect
import os
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np
import optax

from ..runtime import require
from .history import History

Report = Callable[[int, dict[str, float]], None]
Function = TypeVar("Function", bound=Callable)


@dataclasses.dataclass(frozen=True)
class Options:
    """How to train. `fit` and `fit_seeds` take each of these as a keyword.

    learning_rate: of Adam: a number, or a schedule of optax.
    clip: the largest norm of a gradient; a longer one is scaled down to it. None: no clipping.
    optimizer: of optax; replaces Adam and the clipping.
    report: called every 20 updates with the step and the mean loss and metrics of those updates;
        the model has the values of that step, so it can be tried out.
    stop: asked every 20 updates about the history so far; ends the run as `solved` when true.
    checkpoint: a file to keep the run in.
    resume: a run that is found there goes on where it was, and ends in exactly the values of an
        uninterrupted one. A run of other data, model, loss, optimizer or schedule is refused.
    progress: show a bar.
    """

    learning_rate: float | optax.Schedule = 2e-3
    clip: float | None = 1.0
    optimizer: optax.GradientTransformation | None = None
    report: Report | None = None
    stop: Callable[[History], bool] | None = None
    checkpoint: str | os.PathLike | None = None
    resume: bool = False
    progress: bool = True

    @classmethod
    def of(cls, **options: Any) -> "Options":
        """Options by name; `InvalidInput` says which there are."""
        names = [field.name for field in dataclasses.fields(cls)]
        for name in options:
            require(name in names, f"There is no option {name!r}; there are {', '.join(names)}.")
        return cls(**options)

    def __post_init__(self) -> None:
        rate = self.learning_rate
        require(
            self.optimizer is None or isinstance(self.optimizer, optax.GradientTransformation),
            f"optimizer is a transformation of optax, such as optax.adam(1e-3), not "
            f"{type(self.optimizer).__name__}: `fit` keeps its state and updates the model itself.",
        )
        require(
            callable(rate) or isinstance(rate, (int, float, np.number, np.ndarray, jax.Array)),
            f"learning_rate is a number, or a schedule of optax, not {rate!r}.",
        )
        require(callable(rate) or rate > 0, f"learning_rate must be positive, not {rate!r}.")
        clip = self.clip
        require(clip is None or clip > 0, f"clip must be positive, or None, not {clip!r}.")

    @property
    def constant_rate(self) -> float | None:
        """The learning rate of Adam; None where a schedule or another optimizer was given."""
        rate = self.learning_rate
        return None if callable(rate) or self.optimizer is not None else float(rate)

    def transformation(self) -> optax.GradientTransformation:
        """What makes an update of a gradient: clipping and Adam, or what replaces them."""
        if self.optimizer is not None:
            return self.optimizer
        clipping = [] if self.clip is None else [optax.clip_by_global_norm(self.clip)]
        return optax.chain(*clipping, optax.adam(self.learning_rate))


def takes_options(function: Function) -> Function:
    """A function whose `**options` are those of `Options`: Tab and Shift-Tab show them by name."""
    signature, options = inspect.signature(function), inspect.signature(Options)
    before = list(signature.parameters.values())[:-1]  # the last is `**options`
    keyword = inspect.Parameter.KEYWORD_ONLY
    keywords = [option.replace(kind=keyword) for option in options.parameters.values()]
    shown = signature.replace(parameters=[*before, *keywords])
    function.__signature__ = shown  # type: ignore[attr-defined]
    return function
