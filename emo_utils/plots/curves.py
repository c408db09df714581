"""Counts and curves: classes of a data set, training, numbers of labels, anything over anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emo_utils.plots.style import COLORS, new_axes


def plot_class_counts(counts: Mapping[str, Mapping[str, int]], *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw the number of faces by class as bars, a colour a part.

    Args:
        counts: part name -> class name -> number of faces, e.g. {"train": data.part("train").counts()}.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes()
    names = list(next(iter(counts.values())))
    width = 0.8 / len(counts)
    for i, (part, by_class) in enumerate(counts.items()):
        x = np.arange(len(names)) + (i - (len(counts) - 1) / 2) * width
        bars = ax.bar(x, [by_class[name] for name in names], width * 0.95, label=part, color=COLORS[i])
        ax.bar_label(bars, fontsize=8, padding=1)
    ax.set(xticks=np.arange(len(names)), xticklabels=names, ylabel="number of faces", title=title or "Faces by class")
    ax.set_xlabel("emotion")
    ax.margins(y=0.1)
    ax.spines[["top", "right"]].set_visible(False)
    if len(counts) > 1:
        ax.legend(frameon=False)
    return ax


def plot_learning_curves(curves: Sequence[Mapping[str, Any]], *, title: str = "") -> Figure:
    """Draw loss and accuracy by epoch, training and validation, with the best epoch and the stages marked.

    Args:
        curves: one mapping an epoch with stage, epoch, loss, accuracy, val_loss, val_accuracy, as `Result.curves`.
        title: of the figure.
    """
    epochs = [row["epoch"] for row in curves]
    best = max(curves, key=lambda row: (row["val_accuracy"], -row["val_loss"]))["epoch"]
    starts = [b["epoch"] - 0.5 for a, b in pairwise(curves) if a["stage"] != b["stage"]]
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for ax, key, label in ((axes[0], "loss", "loss (nats)"), (axes[1], "accuracy", "accuracy")):
        ax.plot(epochs, [row[key] for row in curves], color=COLORS[0], marker="o", ms=3, label="training (augmented)")
        ax.plot(epochs, [row[f"val_{key}"] for row in curves], color=COLORS[1], marker="s", ms=3, label="validation")
        ax.axvline(best, color="0.4", ls=":", label=f"best epoch ({best})")
        for start in starts:
            ax.axvline(start, color="0.7", lw=1)
        ax.set(xlabel="epoch", ylabel=label, title=label.split(" ")[0].capitalize())
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.spines[["top", "right"]].set_visible(False)
    axes[1].legend(frameon=False)
    if title:
        figure.suptitle(title)
    return figure


def plot_label_curves(
    sizes: Sequence[int],
    metrics: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]],
    *,
    reference: float | None = None,
    reference_name: str = "always the most frequent class",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw accuracy by number of training faces: a point a draw, a line through their means, their intervals as a band.

    Args:
        sizes: numbers of training faces, rising.
        metrics: name of a method -> for each size its draws, each with accuracy, accuracy_low and accuracy_high.
        reference: an accuracy to compare with, drawn as a line.
        reference_name: what the line is called.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes(size=(7.5, 4))
    for i, (name, by_size) in enumerate(metrics.items()):
        mean, low, high = (
            [np.mean([draw[key] for draw in draws]) for draws in by_size]
            for key in ("accuracy", "accuracy_low", "accuracy_high")
        )
        ax.fill_between(sizes, low, high, color=COLORS[i], alpha=0.15, lw=0)
        ax.plot(sizes, mean, color=COLORS[i], label=name)
        points = [(size, draw["accuracy"]) for size, draws in zip(sizes, by_size, strict=True) for draw in draws]
        ax.plot(*np.transpose(points), "os^D"[i % 4], color=COLORS[i], ms=4)
    if reference is not None:
        ax.axhline(reference, color="0.4", ls=":", label=reference_name)
    ax.set(xscale="log", ylim=(0, 1), xlabel="training faces with a label", ylabel="accuracy, with 95 % interval")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    ax.set_title(title or "Accuracy by number of training faces")
    ax.grid(axis="y", color="0.9")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
    return ax


def plot_lines(
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw curves over one axis, named in a legend beside it.

    Args:
        x: what the curves run over, of length n.
        lines: name -> n values.
        xlabel, ylabel: of the axes, with the unit.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes()
    for i, (name, values) in enumerate(lines.items()):
        ax.plot(x, values, color=COLORS[i], label=name, marker="o" if len(x) <= 6 else None, markersize=4)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax
