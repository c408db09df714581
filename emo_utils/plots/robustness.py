"""Robustness, slices and leaks: what is left on worse pictures, on some of the faces, and with an honest split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emo_utils.plots.pictures import plot_face_rows
from emo_utils.plots.style import COLORS, new_axes

if TYPE_CHECKING:
    import pandas as pd

_MARKS = "os^D"


def plot_severities(frames: Mapping[str, pd.DataFrame], *, columns: int = 3, title: str = "") -> Figure:
    """Draw accuracy by severity, a corruption a panel, with 95 % intervals; the clean accuracy is a dotted line.

    Args:
        frames: name of a model -> `Robustness.to_frame()`.
        columns: panels a row.
        title: of the figure.
    """
    names = [name for name in next(iter(frames.values()))["corruption"].unique() if name != "clean"]
    rows = -(-len(names) // columns)
    size = (3.1 * columns, 2.2 * rows + 0.8)
    figure, axes = plt.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for ax, name in zip(axes.flat, names, strict=False):
        for i, (model, frame) in enumerate(frames.items()):
            by_name = frame.set_index("corruption")
            curve = by_name.loc[name]
            ax.fill_between(curve["severity"], curve["low"], curve["high"], color=COLORS[i], alpha=0.2, lw=0)
            ax.plot(curve["severity"], curve["accuracy"], _MARKS[i % 4] + "-", color=COLORS[i], ms=4, label=model)
            ax.axhline(by_name.loc["clean", "accuracy"], color=COLORS[i], ls=":", lw=1)
        ax.set_title(name.replace("_", " "), fontsize=10)
        ax.grid(axis="y", color="0.9")
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes.flat[len(names) :]:
        ax.set_visible(False)
    axes[0, 0].set(ylim=(0, 1), xticks=range(1, 6))
    figure.supxlabel("severity")
    figure.supylabel("accuracy, with 95 % interval")
    figure.suptitle(title or "Accuracy by severity (dotted: clean faces)")
    if len(frames) > 1:
        axes[0, 0].legend(frameon=False, loc="lower left", fontsize=9)
    return figure


def plot_corruptions(rows: Mapping[str, np.ndarray], *, title: str = "") -> Figure:
    """Draw one face under every corruption, a severity a column.

    Args:
        rows: from `corrupted_versions`.
        title: of the figure.
    """
    shown = {name.replace("_", " "): images for name, images in rows.items()}
    figure = plot_face_rows(shown, title=title or "One face, by corruption and severity")
    columns = len(next(iter(rows.values())))
    for ax, text in zip(figure.axes, ["as it is", *map(str, range(1, columns))], strict=False):
        ax.set_title(text, fontsize=10)
    return figure


def plot_slices(frame: pd.DataFrame, *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw the accuracy of slices with their 95 % intervals, and thinner those that hold for all of them at once.

    Args:
        frame: from `slice_metrics`; slices too small for the second interval are drawn hollow.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    slices = frame[frame["slice"] != "all"]
    ax = ax or new_axes(size=(8, 1.2 + 0.28 * len(slices)))
    names = list(slices["slice"].unique())
    for y, row in enumerate(slices.itertuples()):
        color, small = COLORS[names.index(row.slice) % len(COLORS)], np.isnan(row.low_all)
        if not small:
            ax.hlines(y, row.low_all, row.high_all, color=color, lw=1)
        ax.hlines(y, row.low, row.high, color=color, lw=1 if small else 4, alpha=0.5)
        ax.plot(row.accuracy, y, "o", color=color, mfc="white" if small else color)
    overall = frame.loc[frame["slice"] == "all", "accuracy"].item()
    ax.axvline(overall, color="0.4", ls=":")
    left = overall > 0.7  # of the line, where there is room
    ax.annotate(
        f"all faces {overall:.3f}",
        (overall, -0.6),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        color="0.4",
        fontsize=9,
    )
    labels = [f"{row.slice}: {row.value}  (n = {row.n})" for row in slices.itertuples()]
    ax.set(yticks=range(len(slices)), yticklabels=labels, ylim=(len(slices) - 0.4, -1.1), xlim=(0, 1))
    ax.set(
        xlabel="accuracy; thick: 95 % interval, thin: 95 % for all slices at once", title=title or "Accuracy by slice"
    )
    ax.grid(axis="x", color="0.9")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_leakage(frame: pd.DataFrame, *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw how many points each leak adds, with 95 % intervals, and the two accuracies beside.

    Args:
        frame: from `leakage_lab`.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes(size=(8, 1.3 + 0.34 * len(frame)))
    kinds = list(frame["kind"].unique())
    for y, row in enumerate(frame.itertuples()):
        color = COLORS[kinds.index(row.kind)]
        ax.hlines(y, row.low, row.high, color=color, lw=2)
        ax.plot(row.gap, y, _MARKS[kinds.index(row.kind) % 4], color=color)
        ax.annotate(
            f"{row.clean:.2f} \N{RIGHTWARDS ARROW} {row.leaky:.2f}",
            (1.01, y),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9,
        )
    ax.annotate("accuracy\nclean, leaky", (1.01, -0.7), xycoords=("axes fraction", "data"), va="bottom", fontsize=9)
    ax.axvline(0, color="0.4", ls=":")
    labels = [f"{row.kind}, seed {row.seed}" for row in frame.itertuples()]
    ax.set(yticks=range(len(frame)), yticklabels=labels, ylim=(len(frame) - 0.5, -0.6))
    ax.set(xlabel="points of accuracy that the leak adds, with 95 % interval", title=title or "What a leaky split adds")
    ax.grid(axis="x", color="0.9")
    ax.spines[["top", "right"]].set_visible(False)
    return ax
