"""Results of a model: probabilities, confusion, recalls, accuracies with their intervals, seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emo_utils.plots.style import COLORS, new_axes


def plot_confusion(counts: np.ndarray, class_names: Sequence[str], *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw a confusion matrix: colour and percentage by row (recall on the diagonal), counts below.

    Args:
        counts: int array of shape (n_classes, n_classes), rows true, columns predicted.
        class_names: in label order.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes(size=(6.2, 5.4))
    counts = np.asarray(counts)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    texts = np.array([f"{s:.0%}\n({c})" for s, c in zip(share.flat, counts.flat, strict=True)]).reshape(counts.shape)
    sns.heatmap(
        share,
        annot=texts,
        fmt="",
        cmap="cividis",
        vmin=0,
        vmax=1,
        square=True,
        ax=ax,
        annot_kws={"fontsize": 8},
        cbar_kws={"label": "share of the true class"},
        xticklabels=class_names,
        yticklabels=class_names,
    )
    ax.set(xlabel="predicted", ylabel="true", title=title or "Confusion matrix")
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", rotation=40)
    return ax


def plot_recalls(per_class: Mapping[str, Mapping[str, Any]], *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw the recall of each class with its 95 % interval.

    Args:
        per_class: as in `classification_metrics`.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes()
    recall, low, high = (
        np.array([row[key] for row in per_class.values()]) for key in ("recall", "recall_low", "recall_high")
    )
    spread = np.maximum([recall - low, high - recall], 0)
    ax.errorbar(np.arange(len(recall)), recall, yerr=spread, fmt="o", capsize=4, color=COLORS[0])
    labels = [f"{name}\nn = {row['support']}" for name, row in per_class.items()]
    ax.set(xticks=np.arange(len(recall)), xticklabels=labels, ylim=(0, 1.02), ylabel="recall, with 95 % interval")
    ax.set(xlabel="true emotion", title=title or "Recall by class")
    ax.grid(axis="y", color="0.9")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_accuracies(
    metrics: Mapping[str, Mapping[str, Any]],
    *,
    reference: float | None = None,
    reference_name: str = "always the most frequent class",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw accuracies with their 95 % intervals, one line each, so that overlap meets the eye.

    Args:
        metrics: name -> mapping with accuracy, accuracy_low and accuracy_high, as from `classification_metrics`.
        reference: an accuracy to compare with, drawn as a line.
        reference_name: what the line says.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes(size=(8, 1.2 + 0.45 * len(metrics)))
    accuracy, low, high = (
        np.array([row[key] for row in metrics.values()]) for key in ("accuracy", "accuracy_low", "accuracy_high")
    )
    y = np.arange(len(metrics))
    ax.errorbar(accuracy, y, xerr=[accuracy - low, high - accuracy], fmt="o", capsize=4, color=COLORS[0])
    for row, value in zip(y, accuracy, strict=True):
        ax.annotate(f"{value:.3f}", (value, row), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=9)
    if reference is not None:
        ax.axvline(reference, color="0.4", ls=":")
        ax.text(reference + 0.01, len(metrics) - 0.5, reference_name, color="0.4", fontsize=9)
    ax.set(yticks=y, yticklabels=list(metrics), ylim=(len(metrics) - 0.4, -0.6), xlim=(0, 1))
    ax.set(xlabel="accuracy, with 95 % interval", title=title or "Accuracy")
    ax.grid(axis="x", color="0.9")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_probabilities(
    probabilities: Sequence[float], class_names: Sequence[str], *, ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw the probabilities of one face as bars, the highest one in another colour.

    Args:
        probabilities: float array of shape (n_classes,).
        class_names: in label order.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes(size=(4, 2.6))
    top = int(np.argmax(probabilities))
    colors = [COLORS[1] if i == top else COLORS[0] for i in range(len(class_names))]
    bars = ax.barh(class_names, probabilities, color=colors)
    ax.bar_label(bars, labels=[f"{p:.0%}" for p in probabilities], padding=3, fontsize=9)
    ax.set(xlim=(0, 1.12), xlabel="probability", title=title)
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_seeds(runs: Mapping[str, Sequence[Mapping[str, float]]], metrics: Sequence[str], *, title: str = "") -> Figure:
    """Draw metrics of settings that were each trained with several seeds: a point a seed, a bar at their mean.

    Args:
        runs: name of a setting -> one mapping a seed, metric -> value. Where a mapping also has metric + "_low" and
            metric + "_high", a line shows that interval.
        metrics: one panel each, in this order, each on a scale of its own.
        title: of the figure.
    """
    size = (1.6 + 2.9 * len(metrics), 1.1 + 0.5 * len(runs))
    figure, axes = plt.subplots(1, len(metrics), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for ax, metric in zip(axes[0], metrics, strict=True):
        for y, seeds in enumerate(runs.values()):
            values = [seed[metric] for seed in seeds]
            rows = y + (np.arange(len(seeds)) - (len(seeds) - 1) / 2) * 0.18
            ax.plot(values, rows, "o", ms=5, color=COLORS[0])
            mean = float(np.mean(values))
            ax.vlines(mean, y - 0.32, y + 0.32, color=COLORS[1], lw=2)
            for row, seed in zip(rows, seeds, strict=True):
                if f"{metric}_low" in seed:
                    ax.hlines(row, seed[f"{metric}_low"], seed[f"{metric}_high"], color=COLORS[0], lw=1)
        ax.set_xlabel(metric.replace("_", " "))
        ax.grid(axis="x", color="0.9")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set(yticks=range(len(runs)), yticklabels=list(runs), ylim=(len(runs) - 0.45, -0.55))
    figure.suptitle(title)
    return figure
