"""What all figures share."""

from __future__ import annotations

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes

COLORS = sns.color_palette("colorblind")


def new_axes(size: tuple[float, float] = (8, 3.6)) -> Axes:
    """Return the Axes of a new figure; the size is in inches."""
    return plt.subplots(figsize=size, layout="constrained")[1]
