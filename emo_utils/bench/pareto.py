"""Which models are worth their cost."""

from __future__ import annotations

import numpy as np
import pandas as pd


def pareto_front(frame: pd.DataFrame, cost: str, gain: str = "accuracy") -> np.ndarray:
    """Return which models no other one beats: at least as good at no more cost, and better in one of the two.

    Args:
        frame: one row a model.
        cost: column to be small, e.g. "bytes"; a model without a figure (NaN) is not on the front and beats none.
        gain: column to be large.

    Returns:
        bool array of shape (n_models,). Of models alike in both columns all are on the front.
    """
    costs, gains = frame[cost].to_numpy(float), frame[gain].to_numpy(float)
    known = ~(np.isnan(costs) | np.isnan(gains))
    no_worse = (costs[:, None] <= costs) & (gains[:, None] >= gains)  # row beats or equals column
    better = (costs[:, None] < costs) | (gains[:, None] > gains)
    return known & ~(no_worse & better).any(axis=0)
