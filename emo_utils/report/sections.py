"""All chapters of a report, in the order in which they are read."""

from __future__ import annotations

from emo_utils.datasets import FaceDataset
from emo_utils.evaluation import Evaluation
from emo_utils.report.conditions import mirror_section, robustness_section, slice_section, vote_section
from emo_utils.report.faces import explanation_section, gallery_section
from emo_utils.report.figures import class_section, confidence_section, summary_section
from emo_utils.report.section import Section


def all_sections(model, data: FaceDataset, evaluation: Evaluation, *, n_worse: int = 0) -> list[Section]:
    """Compute and draw what can be said of a model on a set of faces.

    Args:
        model: the Keras model, grey faces in, probabilities out.
        data: the faces; with `votes` they are compared with the raters.
        evaluation: of the model on these faces.
        n_worse: how many faces to make worse in every way; 0 leaves that chapter out, which takes the longest.
    """
    sections = [
        summary_section(evaluation),
        class_section(evaluation),
        confidence_section(evaluation),
        slice_section(data, evaluation),
    ]
    if data.votes is not None:
        sections.append(vote_section(data, evaluation))
    if n_worse:
        sections.append(robustness_section(model, data, model.name, n_worse))
    return [
        *sections,
        mirror_section(model, data),
        gallery_section(data, evaluation),
        explanation_section(model, data, evaluation),
    ]
