"""Every figure of the course. A function draws what it is given into an Axes or a new Figure and returns it.

Nothing is computed, shown or saved here. Colours are seaborn's "colorblind" palette; grey images use grey.
"""

from emo_utils.plots.bench import (
    plot_latencies,
    plot_moved,
    plot_operating_points,
    plot_percentiles,
    plot_runs,
    plot_throughput,
    plot_verifications,
)
from emo_utils.plots.compression import (
    plot_pareto,
    plot_pruning,
    plot_quantisation,
    plot_teacher_student,
    plot_total,
    plot_weight_grids,
)
from emo_utils.plots.confidence import plot_ranking, plot_reliability, plot_risk_coverage
from emo_utils.plots.curves import plot_class_counts, plot_label_curves, plot_learning_curves, plot_lines
from emo_utils.plots.experiments import plot_choices, plot_cost
from emo_utils.plots.explain import plot_heat, plot_heat_shares
from emo_utils.plots.hailo import (
    plot_layer_gains,
    plot_noise,
    plot_pipeline,
    plot_published,
    plot_rounded_maps,
)
from emo_utils.plots.jetson import plot_power, plot_power_budget, plot_times
from emo_utils.plots.pictures import plot_answer, plot_differences, plot_examples, plot_face_rows, plot_faces
from emo_utils.plots.prediction import plot_boxes, plot_prediction, plot_sure
from emo_utils.plots.results import plot_accuracies, plot_confusion, plot_probabilities, plot_recalls, plot_seeds
from emo_utils.plots.robustness import plot_corruptions, plot_leakage, plot_severities, plot_slices
from emo_utils.plots.style import COLORS
from emo_utils.plots.votes import plot_accuracy_by_agreement, plot_faces_with_votes

__all__ = [
    "COLORS",
    "plot_accuracies",
    "plot_accuracy_by_agreement",
    "plot_answer",
    "plot_boxes",
    "plot_choices",
    "plot_class_counts",
    "plot_confusion",
    "plot_corruptions",
    "plot_cost",
    "plot_differences",
    "plot_examples",
    "plot_face_rows",
    "plot_faces",
    "plot_faces_with_votes",
    "plot_heat",
    "plot_heat_shares",
    "plot_label_curves",
    "plot_latencies",
    "plot_layer_gains",
    "plot_leakage",
    "plot_learning_curves",
    "plot_lines",
    "plot_moved",
    "plot_noise",
    "plot_operating_points",
    "plot_pareto",
    "plot_percentiles",
    "plot_pipeline",
    "plot_power",
    "plot_power_budget",
    "plot_prediction",
    "plot_probabilities",
    "plot_pruning",
    "plot_published",
    "plot_quantisation",
    "plot_ranking",
    "plot_recalls",
    "plot_reliability",
    "plot_risk_coverage",
    "plot_rounded_maps",
    "plot_runs",
    "plot_seeds",
    "plot_severities",
    "plot_slices",
    "plot_sure",
    "plot_teacher_student",
    "plot_throughput",
    "plot_times",
    "plot_total",
    "plot_verifications",
    "plot_weight_grids",
]
