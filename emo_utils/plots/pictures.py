"""Faces, in rows and beside what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from emo_utils.datasets.base import FaceDataset
from emo_utils.plots.results import plot_probabilities


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
