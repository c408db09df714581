"""README's one picture: from faces to a choice of model."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emo_utils.datasets import load_dataset
from emo_utils.datasets.images import decode_colour, decode_grey
from emo_utils.evaluation.explain import grad_cam
from emo_utils.models import load_model
from emo_utils.paths import course_root
from emo_utils.plots import plot_boxes, plot_sure
from emo_utils.plots.style import COLORS
from emo_utils.prediction import crop_face, find_faces, keras_twin, open_classifier
from emo_utils.table import read_bench

_PHOTOGRAPH = Path("data", "samples", "astronaut.jpg")


def draw_overview() -> Figure:
    """Draw the course in five steps: faces, a face found, an answer, what it rests on, and which model for which time.

    The last panel shows the latest run of benchmarks/peers.py in the experiment table.
    """
    figure, axes = plt.subplots(1, 5, figsize=(15, 3.5), width_ratios=(0.95, 1, 1.15, 0.95, 1.3), layout="constrained")
    content = (course_root() / _PHOTOGRAPH).read_bytes()
    grey = decode_grey(content)
    classifier = open_classifier()
    boxes = find_faces(grey)
    face = crop_face(grey, boxes[0], classifier.input_size)
    _faces(axes[0])
    plot_boxes(decode_colour(content), boxes, ax=axes[1], title="2  Find the face in a picture")
    (answer,) = classifier(face[None])
    plot_sure(answer, classifier.class_names, not_sure_below=classifier.not_sure_below, ax=axes[2])
    axes[2].set_title("3  Answer, or say not sure")
    _heat(axes[3], face, classifier)
    _models(axes[4])
    for ax in axes:
        ax.set_title(ax.get_title(), fontsize=11)
        ax.set_anchor("N")  # pictures are square, the panels are not: all titles at one height
    return figure


def _faces(ax: Axes) -> None:
    data = load_dataset("embedded").part("test")
    rows = [np.flatnonzero(data.labels == label)[3 + label] for label in range(6)]
    tiles = np.concatenate([np.concatenate(data.images[rows[i : i + 2]], axis=1) for i in (0, 2, 4)])
    ax.imshow(tiles, cmap="gray", vmin=0, vmax=255)
    ax.set_axis_off()
    ax.set_title("1  Draw faces, or load real ones")


def _heat(ax: Axes, face: np.ndarray, classifier) -> None:
    model, _ = load_model(keras_twin(classifier))
    ax.imshow(face, cmap="gray", vmin=0, vmax=255)
    ax.imshow(grad_cam(model, face[None])[0], cmap="inferno", alpha=0.5)
    ax.set_axis_off()
    ax.set_title("4  See what it rests on")


def _models(ax: Axes) -> None:
    runs = [r for r in read_bench() if r.get("bench") == "peers"]
    for r in (r for r in runs if r["measured"] == runs[-1]["measured"]):
        ours = "mini_minus" in r
        error = [[r["accuracy"] - r["accuracy_low"]], [r["accuracy_high"] - r["accuracy"]]]
        ax.errorbar(
            r["p50_ms"],
            r["accuracy"],
            np.array(error),
            fmt="o" if ours else "s",
            color=COLORS[1] if ours else COLORS[0],
            markersize=8,
            capsize=3,
        )
        name = r["model"].split(".")[0].removeprefix("fer2013_")
        ax.annotate(
            name,
            (r["p50_ms"], r["accuracy_high"]),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
        )
    ax.set_xlabel("median ms a face, one thread")
    ax.set_ylabel("accuracy, FER2013 PublicTest")
    ax.margins(x=0.35, y=0.1)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title("5  Choose a model by what it costs")
