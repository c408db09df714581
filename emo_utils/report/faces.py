"""The chapters of a report that show faces: confident mistakes, doubts, what the model looked at, doubtful labels."""

from __future__ import annotations

import numpy as np

from emo_utils.datasets import FaceDataset
from emo_utils.errors import ModelError
from emo_utils.evaluation import Evaluation
from emo_utils.evaluation.explain import captions, grad_cam, most_confident_errors, most_uncertain
from emo_utils.evaluation.label_errors import find_label_errors
from emo_utils.plots import plot_faces, plot_heat
from emo_utils.report.section import Section

_SHOWN = 12
_EXPLAINED = 6


def gallery_section(data: FaceDataset, evaluation: Evaluation) -> Section:
    """Return the faces that a reader should see: surest mistakes, least sure answers, likely label errors."""
    labels, probabilities = evaluation.labels, evaluation.probabilities
    doubtful = find_label_errors(labels, probabilities)
    chosen = {
        "errors": (most_confident_errors(labels, probabilities, _SHOWN), "Wrong, and sure of it"),
        "uncertain": (most_uncertain(probabilities, _SHOWN), "Least sure of all"),
        "doubtful": (doubtful[:_SHOWN], "Labels that are likely wrong"),
    }
    pictures = {
        name: _draw(data, evaluation, rows, f"{title}: label → answer, confidence")
        for name, (rows, title) in chosen.items()
        if len(rows)
    }
    text = (
        "Is it the picture, the label or the model? "
        f"Confident learning (Northcutt et al. 2021) doubts {len(doubtful):,} of {len(labels):,} labels; the likeliest "
        "ones are shown. That is a list to look through, not a count of mistakes.",
    )
    ids = {name: evaluation.ids[rows].tolist() for name, (rows, _) in chosen.items()}
    return Section("Faces", "faces", text, pictures=pictures, figures={**ids, "n_doubtful": len(doubtful)})


def explanation_section(model, data: FaceDataset, evaluation: Evaluation) -> Section:
    """Return heat maps of the surest right answer of each class, and of the surest mistakes.

    Of a model that they cannot be had of, the reason is returned.
    """
    labels, probabilities = evaluation.labels, evaluation.probabilities
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    best = [
        rows[confidence[rows].argmax()]
        for label in range(len(data.class_names))
        if len(rows := np.flatnonzero(right & (labels == label)))
    ]
    text = (
        "Grad-CAM (Selvaraju et al. 2017) shows which places of the last maps speak for the answer given. It is a "
        "coarse hint, not a reason: a map that looks right proves nothing.",
    )
    pictures = {}
    for name, rows, title in (
        ("heat_right", np.array(best, int), "The surest right answer of each class"),
        ("heat_wrong", most_confident_errors(labels, probabilities, _EXPLAINED), "The surest mistakes"),
    ):
        if len(rows):
            shown = data.take(rows)
            try:
                heat = {"Grad-CAM": grad_cam(model, np.asarray(shown.images))}
            except ModelError as error:  # the rest of the report stands without them
                text = (f"No heat maps of this model. {error}",)
                break
            texts = captions(shown.labels, probabilities[rows], data.class_names)
            pictures[name] = plot_heat(np.asarray(shown.images), heat, texts, title=title)
    return Section("What it looked at", "explanations", text, pictures=pictures)


def _draw(data: FaceDataset, evaluation: Evaluation, rows: np.ndarray, title: str):
    texts = captions(evaluation.labels[rows], evaluation.probabilities[rows], evaluation.class_names)
    return plot_faces(np.asarray(data.take(rows).images), texts, columns=6, side=1.75, title=title)
