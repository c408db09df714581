"""Explanations: heat over faces, and how much of it lies where the emotion is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emo_utils.plots.style import COLORS, new_axes


def plot_heat(
    images: np.ndarray, heat: Mapping[str, np.ndarray], titles: Sequence[str] | None = None, *, title: str = ""
) -> Figure:
    """Draw faces in a row and, below it, a row for each kind of heat laid over them.

    Each kind has a colour bar of its own, from zero to its highest value on these faces; what is below zero is drawn as
    zero. The colours are matplotlib's "inferno", even to the eye and safe for the colour-blind.

    Args:
        images: uint8 array of shape (n, height, width).
        heat: what it is, with its unit, e.g. "Occlusion (fall of probability)" -> float array of the same shape.
        titles: a short text above each face, e.g. from `captions`, or None.
        title: of the figure.
    """
    n, rows = len(images), 1 + len(heat)
    figure, axes = plt.subplots(
        rows,
        n + 1,  # the last column holds the colour bars
        figsize=(1.25 * n + 0.9, 1.3 * rows + 0.7),
        width_ratios=[*[1] * n, 0.08],
        squeeze=False,
        layout="constrained",
    )
    axes[0, n].axis("off")
    for column, image in enumerate(images):
        for ax in axes[:, column]:
            ax.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        if titles is not None:
            axes[0, column].set_title(titles[column], fontsize=8, pad=3)
    for (name, values), row in zip(heat.items(), axes[1:], strict=True):
        highest = max(float(np.max(values)), 1e-9)
        for ax, one in zip(row[:n], values, strict=True):
            drawn = ax.imshow(np.maximum(one, 0), cmap="inferno", vmin=0, vmax=highest, alpha=0.6)
        bar = figure.colorbar(drawn, cax=row[n])
        bar.set_label(fill(name, 16), fontsize=8)
        bar.solids.set_alpha(1)
    figure.suptitle(title)
    return figure


def plot_heat_shares(tables: Mapping[str, pd.DataFrame], *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw by emotion which share of the heat lies on the parts that show it, beside the share of area they have.

    Args:
        tables: kind of heat -> table from `heat_share_table`; all of the same faces.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    rows = next(iter(tables.values())).index
    ax = ax or new_axes(size=(8, 1.4 + 0.45 * len(rows)))
    for i, (name, table) in enumerate(tables.items()):
        table = table.reindex(rows)
        y = np.arange(len(rows)) + (i - (len(tables) - 1) / 2) * 0.2
        share = table["heat_share"]
        spread = np.maximum([share - table["heat_share_low"], table["heat_share_high"] - share], 0)
        ax.errorbar(share, y, xerr=spread, fmt="os^Dv"[i % 5], ms=5, capsize=3, color=COLORS[i], label=name)
    area = next(iter(tables.values()))["area_share"]
    ax.plot(area, np.arange(len(rows)), "|", ms=20, mew=2.5, color="0.35", label="even heat: share of the area")
    labels = [f"{name} (n = {n})" for name, n in zip(rows, next(iter(tables.values()))["faces"], strict=True)]
    ax.set(yticks=np.arange(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.45, -0.55), xlim=(0, 1))
    ax.set(xlabel="share of the heat on the parts that show the emotion, with 95 % interval")
    ax.set(title=title or "Does the model look where the emotion is?")
    ax.grid(axis="x", color="0.9")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=9)
    return ax
