"""Models beside the people who rated the same faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emo_utils.plots.style import COLORS, new_axes


def plot_accuracy_by_agreement(models: Mapping[str, pd.DataFrame], *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw accuracy against the plurality of the other raters by how many raters agree, with 95 % intervals.

    Args:
        models: name of a model -> its `VoteComparison.by_agreement`, all over the same faces; the rater, drawn as a
            line, is taken from the first.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes()
    first = next(iter(models.values()))
    x = np.arange(len(first))
    ax.fill_between(x, first["rater_low"], first["rater_high"], color="0.4", alpha=0.2, lw=0)
    ax.plot(x, first["rater"], color="0.4", ls="--", label="one rater")
    for i, (name, table) in enumerate(models.items()):
        spread = [table["model"] - table["model_low"], table["model_high"] - table["model"]]
        shifted = x + (i - (len(models) - 1) / 2) * 0.12
        ax.errorbar(shifted, table["model"], yerr=spread, fmt="os^D"[i % 4], capsize=4, color=COLORS[i], label=name)
    labels = [f"{bin_}\nn ≈ {n:.0f}" for bin_, n in first["n"].items()]
    ax.set(xticks=x, xticklabels=labels, ylim=(0, 1.02), xlabel="share of the other raters who agree")
    ax.set_ylabel("accuracy against the\nother raters, 95 % interval")
    ax.set_title(title or "Accuracy by agreement of the raters")
    ax.grid(axis="y", color="0.9")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="lower right")
    return ax


def plot_faces_with_votes(
    images: np.ndarray,
    votes: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    *,
    titles: Sequence[str] | None = None,
    title: str = "",
) -> Figure:
    """Draw each face above what the raters and a model say of it.

    Args:
        images: uint8 array of shape (n, height, width).
        votes: array of shape (n, n_classes): numbers of raters, e.g. from `votes_for`.
        probabilities: float array of shape (n, n_classes).
        class_names: in label order.
        titles: a short text above each face, or None.
        title: of the figure.
    """
    n = len(images)
    y = np.arange(len(class_names))
    size = (0.9 + 1.6 * n, 2.1 + 0.28 * len(class_names))
    figure, axes = plt.subplots(2, n, figsize=size, squeeze=False, layout="constrained", height_ratios=(1.3, 2))
    shares = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)
    for i, (face, bars) in enumerate(axes.T):
        face.imshow(images[i], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        face.set_axis_off()
        if titles is not None:
            face.set_title(titles[i], fontsize=9, pad=3)
        bars.barh(y - 0.2, shares[i], 0.4, color=COLORS[0], label="raters")
        bars.barh(y + 0.2, probabilities[i], 0.4, color=COLORS[1], label="model")
        bars.set(xlim=(0, 1), xticks=(0, 0.5, 1), yticks=y, yticklabels=class_names if i == 0 else [])
        bars.invert_yaxis()
        bars.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("share of the votes, probability", fontsize=10)
    figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    figure.suptitle(title)
    return figure
