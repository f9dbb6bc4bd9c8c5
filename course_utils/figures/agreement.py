"""Agreement accuracy against distance, beside readers without a grammar."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from ..runtime import require
from .curves import curves, over_seeds


def accuracy_by_distance(
    distance: np.ndarray, accuracy: Mapping[str, np.ndarray], baselines: Mapping[str, np.ndarray]
) -> go.Figure:
    """Accuracy of models (`[seeds, bins]` each) and of baselines (`[bins]`) against distance from subject to verb."""
    require(accuracy and baselines, "The figure needs at least one model and one baseline.")
    ends = {name: float(over_seeds(np.nanmean, np.atleast_2d(values)[:, -1])) for name, values in accuracy.items()}
    best = float(np.nanmax([values[-1] for values in baselines.values()]))
    told = ", ".join(f"{name} {value:.2f}" for name, value in ends.items())
    above = all(value > best + 0.05 for value in ends.values())
    title = (
        "Above every baseline at the largest distance" if above else "Not above the baselines at the largest distance"
    )
    return curves(
        distance, accuracy, title=title,
        caption="Share of right answers against the distance from subject to verb; the band spans lowest to "
        "highest seed. Grey: readers without a grammar. A model says something about memory only where it is above "
        "all of them.",
        summary=f"At distance {distance[-1]:g}: {told}; the best baseline has {best:.2f}.",
        x_title="words from subject to verb", y_title="accuracy", references=baselines, y_range=(0.4, 1.03),
    )  # fmt: skip
