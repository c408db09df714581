"""Every figure of the course. A function draws what it is given into an Axes or a new Figure and returns it.

Nothing is computed, shown or saved here. Colours are seaborn's "colorblind" palette; grey images use grey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emo_utils.datasets.base import FaceDataset

COLORS = sns.color_palette("colorblind")


def plot_faces(
    images: np.ndarray, titles: Sequence[str] | None = None, *, columns: int = 8, title: str = "", side: float = 1.2
) -> Figure:
    """Draw grey faces in a grid.

    Args:
        images: uint8 array of shape (n, height, width).
        titles: a short text above each face, or None.
        columns: faces a row.
        title: of the figure.
        side: of a face, in inches.
    """
    rows = -(-len(images) // columns)
    height = rows * (side + (0.22 if titles is not None else 0.05)) + (0.4 if title else 0)
    figure, axes = plt.subplots(rows, columns, figsize=(columns * side, height), squeeze=False, layout="constrained")
    for i, ax in enumerate(axes.flat):
        ax.axis("off")
        if i < len(images):
            ax.imshow(images[i], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            if titles is not None:
                ax.set_title(titles[i], fontsize=9, pad=3)
    if title:
        figure.suptitle(title)
    return figure


def plot_examples(data: FaceDataset, *, per_class: int = 8, seed: int = 0, title: str = "") -> Figure:
    """Draw random faces of each class, a row a class.

    Args:
        data: the faces.
        per_class: faces a row; a class with fewer leaves the rest of its row empty.
        seed: which faces.
        title: of the figure.
    """
    rng = np.random.default_rng(seed)
    rows = {
        name: data.images[rng.permutation(np.flatnonzero(data.labels == label))[:per_class]]
        for label, name in enumerate(data.class_names)
    }
    return plot_face_rows(rows, title=title or f"Random faces of {data.name}")


def plot_face_rows(rows: Mapping[str, np.ndarray], *, title: str = "") -> Figure:
    """Draw grey faces in named rows, e.g. the variants that each kind of augmentation makes.

    Args:
        rows: name of a row -> uint8 array of shape (n, height, width); shorter rows end early.
        title: of the figure.
    """
    columns = max(len(images) for images in rows.values())
    size = (columns * 1.05 + 0.9, len(rows) * 1.1 + 0.4)
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False, layout="constrained")
    for (name, images), row in zip(rows.items(), axes, strict=True):
        for ax, image in zip(row, images, strict=False):
            ax.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        for ax in row:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
    figure.suptitle(title)
    return figure


def plot_class_counts(counts: Mapping[str, Mapping[str, int]], *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw the number of faces by class as bars, a colour a part.

    Args:
        counts: part name -> class name -> number of faces, e.g. {"train": data.part("train").counts()}.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or _new_axes()
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


def plot_confusion(counts: np.ndarray, class_names: Sequence[str], *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw a confusion matrix: colour and percentage by row (recall on the diagonal), counts below.

    Args:
        counts: int array of shape (n_classes, n_classes), rows true, columns predicted.
        class_names: in label order.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or _new_axes(size=(6.2, 5.4))
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
    ax = ax or _new_axes()
    shown = {name: row for name, row in per_class.items() if row["support"]}
    recall = np.array([row["recall"] for row in shown.values()])
    low = recall - [row["recall_low"] for row in shown.values()]
    high = [row["recall_high"] for row in shown.values()] - recall
    spread = np.maximum([low, high], 0)
    ax.errorbar(np.arange(len(shown)), recall, yerr=spread, fmt="o", capsize=4, color=COLORS[0])
    labels = [f"{name}\nn = {row['support']}" for name, row in shown.items()]
    ax.set(xticks=np.arange(len(shown)), xticklabels=labels, ylim=(0, 1.02), ylabel="recall, with 95 % interval")
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
    ax = ax or _new_axes(size=(8, 1.2 + 0.45 * len(metrics)))
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
    ax = ax or _new_axes(size=(4, 2.6))
    top = int(np.argmax(probabilities))
    colors = [COLORS[1] if i == top else COLORS[0] for i in range(len(class_names))]
    bars = ax.barh(class_names, probabilities, color=colors)
    ax.bar_label(bars, labels=[f"{p:.0%}" for p in probabilities], padding=3, fontsize=9)
    ax.set(xlim=(0, 1.12), xlabel="probability", title=title)
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_answer(
    image: np.ndarray, probabilities: Sequence[float], class_names: Sequence[str], *, title: str = ""
) -> Figure:
    """Draw one face beside the probabilities that a model gives it.

    Args:
        image: uint8 array of shape (height, width).
        probabilities: float array of shape (n_classes,).
        class_names: in label order.
        title: above the face.
    """
    figure, axes = plt.subplots(1, 2, figsize=(7, 2.8), width_ratios=(1, 1.7), layout="constrained")
    axes[0].imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes[0].set_axis_off()
    axes[0].set_title(title)
    plot_probabilities(probabilities, class_names, ax=axes[1], title="What the model says")
    return figure


def plot_differences(images: np.ndarray, titles: Sequence[str], *, title: str = "", side: float = 1.4) -> Figure:
    """Draw signed images in a row: orange where they are above zero, purple where below, white at zero.

    Args:
        images: float array of shape (n, height, width), in grey levels.
        titles: a short text above each.
        title: of the figure.
        side: of an image, in inches.
    """
    limit = float(np.abs(images).max()) or 1.0
    size = (len(images) * side + 0.7, side + 0.7)
    figure, axes = plt.subplots(1, len(images), figsize=size, squeeze=False, layout="constrained")
    for ax, image, text in zip(axes[0], images, titles, strict=True):
        drawn = ax.imshow(image, cmap="PuOr_r", vmin=-limit, vmax=limit, interpolation="nearest")
        ax.set_axis_off()
        ax.set_title(text, fontsize=9, pad=3)
    figure.colorbar(drawn, ax=axes[0], label="grey levels", shrink=0.9)
    figure.suptitle(title)
    return figure


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
    ax = ax or _new_axes(size=(7.5, 4))
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
    ax = ax or _new_axes()
    for i, (name, values) in enumerate(lines.items()):
        ax.plot(x, values, color=COLORS[i], label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def _new_axes(size: tuple[float, float] = (8, 3.6)) -> Axes:
    return plt.subplots(figsize=size, layout="constrained")[1]
