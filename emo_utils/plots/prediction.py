"""Pictures with their faces, and what a model says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from emo_utils.plots.style import COLORS, new_axes


def plot_boxes(
    picture: np.ndarray, boxes: Sequence[Sequence[float]], *, chosen: int = 0, ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw a picture with a numbered frame around each face.

    Args:
        picture: uint8 array of shape (height, width), grey, or (height, width, 3), RGB.
        boxes: (x, y, width, height) of each face, in pixels.
        chosen: the face whose frame is drawn strong, counted from 0.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes(size=(4.2, 4.2))
    ax.imshow(picture, cmap="gray", vmin=0, vmax=255)
    ax.set_axis_off()
    for i, (x, y, width, height) in enumerate(boxes):
        # A white edge below the colour keeps the frame visible on any picture.
        for color, line in (("white", 4.5), (COLORS[1] if i == chosen else COLORS[0], 2.5)):
            # Not clipped: of a picture that is a face itself, the frame lies on the edge.
            ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=color, linewidth=line, clip_on=False))
        if len(boxes) > 1:
            label = {"facecolor": COLORS[1] if i == chosen else COLORS[0], "edgecolor": "white", "pad": 2}
            ax.text(x, y, f"{i + 1}", color="white", fontsize=9, ha="left", va="bottom", bbox=label)
    ax.set_title(title)
    return ax


def plot_sure(
    probabilities: Sequence[float],
    class_names: Sequence[str],
    *,
    not_sure_below: float = 0.0,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw the probabilities of one face as bars in %, with the threshold that the highest one has to reach.

    Args:
        probabilities: float array of shape (n_classes,).
        class_names: in label order.
        not_sure_below: confidence, 0 to 1, under which the answer is "not sure"; 0 for no threshold. The bar of the
            answer is orange, or grey where the model is not sure.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes(size=(4.2, 2.8))
    top = int(np.argmax(probabilities))
    sure = probabilities[top] >= not_sure_below
    colors = [COLORS[0]] * len(class_names)
    colors[top] = COLORS[1] if sure else "0.45"
    bars = ax.barh(class_names, probabilities, color=colors)
    ax.bar_label(bars, labels=[f"{p:.0%}" for p in probabilities], padding=3, fontsize=10)
    if not_sure_below > 0:
        ax.axvline(not_sure_below, color="0.25", ls="--", lw=1.2)
        left = not_sure_below > 0.6  # of the line, where there is room
        ax.annotate(
            f"not sure below {not_sure_below:.0%}",
            (not_sure_below, len(class_names) - 0.35),
            xytext=(-5 if left else 5, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=9,
            color="0.25",
        )
    ax.set(xlim=(0, 1.12), xticks=np.linspace(0, 1, 5), xlabel="probability, calibrated", title=title)
    ax.set_ylim(len(class_names), -0.6)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_prediction(
    picture: np.ndarray,
    boxes: Sequence[Sequence[float]],
    face: np.ndarray,
    probabilities: Mapping[str, float],
    *,
    chosen: int = 0,
    not_sure_below: float = 0.0,
    heat: np.ndarray | None = None,
) -> Figure:
    """Draw a picture with its faces, one of these as the model gets it, and the model's answer to it.

    Args:
        picture: uint8 array of shape (height, width), grey, or (height, width, 3), RGB.
        boxes: (x, y, width, height) of each face, in pixels.
        face: uint8 array of shape (size, size), the chosen face as it was cropped.
        probabilities: class -> calibrated probability, in label order.
        chosen: which of the boxes it is, counted from 0.
        not_sure_below: as in `plot_sure`.
        heat: float array of the face's shape, at least 0, drawn over it; from `grad_cam`.
    """
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.6), width_ratios=(1.15, 0.85, 1.35), layout="constrained")
    plot_boxes(picture, boxes, chosen=chosen, ax=axes[0], title="the picture")
    axes[1].imshow(face, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes[1].set_axis_off()
    axes[1].set_title(f"what the model gets\n{face.shape[1]} x {face.shape[0]} grey pixels")
    if heat is not None:
        axes[1].imshow(heat, cmap="inferno", vmin=0, vmax=max(float(heat.max()), 1e-9), alpha=0.55)
        axes[1].set_title("where it looks (Grad-CAM)\nbright: speaks for its answer")
    names = list(probabilities)
    plot_sure(list(probabilities.values()), names, not_sure_below=not_sure_below, ax=axes[2], title="what it says")
    return figure
