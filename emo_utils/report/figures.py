"""The chapters of a report that rest on labels and probabilities alone."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from emo_utils.evaluation import (
    Evaluation,
    ece_of_calibrated,
    ranking_curves,
    reliability,
    risk_coverage,
    selective_metrics,
)
from emo_utils.evaluation.calibration import ECE_BINS
from emo_utils.evaluation.resampling import FEW_GROUPS
from emo_utils.plots import (
    plot_confusion,
    plot_ranking,
    plot_recalls,
    plot_reliability,
    plot_risk_coverage,
)
from emo_utils.report.section import Section, number, share

_ENDS = ("", "_low", "_high")
_NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1 (every class weighs the same)",
    "weighted_f1": "weighted F1 (every face weighs the same)",
    "worst_class_recall": "recall of the worst class",
    "nll": "negative log-likelihood, nats",
    "brier": "Brier score, 0 to 2",
    "ece": f"expected calibration error, {ECE_BINS} bins",
}


def summary_section(evaluation: Evaluation) -> Section:
    """Return the figures that a report opens with, beside a guess."""
    m = evaluation.metrics
    counts = {name: row["support"] for name, row in m["per_class"].items()}
    commonest = max(counts, key=counts.get)
    guess = counts[commonest] / m["n"]
    rows = [("figure", "value [95 % interval]")]
    for key, name in _NAMES.items():
        value = [m[f"{key}{end}"] for end in _ENDS]
        name = f"{name}: {m['worst_class']}" if key == "worst_class_recall" else name
        rows.append((name, share(*value) if key in ("accuracy", "worst_class_recall") else number(*value)))
    rows.append((f'for comparison: accuracy of always saying "{commonest}"', share(guess)))
    if m["n_groups"] == 1:
        over = "single faces are drawn; all show one person, and the figures speak of nobody else"
    elif m["interval_over"] == "groups":
        over = f"whole people are drawn, {m['n_groups']} of them, since pictures of one person are alike"
        if m["n_groups"] < FEW_GROUPS:
            over += "; with so few people even these intervals are too narrow"
    else:
        over = "single faces are drawn; if some show the same person, the intervals are too narrow"
    text = (
        f"{m['n']:,} faces. Intervals are 95 % bootstrap intervals: {over}. They say how far other faces of the same "
        "kind could move the figures, and nothing of other cameras or other training seeds.",
    )
    figures = {key: value for key, value in m.items() if key not in ("per_class", "confusion")}
    always = {"class": commonest, "accuracy": guess}
    return Section("Figures", "metrics", text, rows, figures={**figures, "always_commonest": always})


def class_section(evaluation: Evaluation) -> Section:
    """Return the figures by class: confusion, recall, precision, F1, ROC and precision-recall curves."""
    m = evaluation.metrics
    curves = ranking_curves(evaluation.labels, evaluation.probabilities, evaluation.class_names)
    rows = [("class", "precision", "recall", "F1", "ROC area", "average precision", "faces")]
    for name, row in m["per_class"].items():
        scores = [number(*(row[f"{key}{end}"] for end in _ENDS)) for key in ("precision", "recall", "f1")]
        areas = [number(curves[name][key]) for key in ("roc_auc", "average_precision")]
        rows.append((name, *scores, *areas, row["support"]))
    figure, axes = plt.subplots(1, 2, figsize=(13, 5.2), layout="constrained", width_ratios=(1, 1.1))
    plot_confusion(m["confusion"], evaluation.class_names, ax=axes[0])
    plot_recalls(m["per_class"], ax=axes[1])
    areas = {name: {key: c[key] for key in ("roc_auc", "average_precision")} for name, c in curves.items()}
    return Section(
        "Classes",
        "classes",
        (
            "A row of the confusion matrix is a true emotion, a column what the model said. A recall that rests on few "
            "faces can be nearly anything, and its interval admits it. Of the curves, precision against recall is the "
            "one that sees how rare a class is.",
        ),
        rows,
        {"classes": figure, "ranking": plot_ranking(curves, title="Each class against the rest")},
        {"per_class": m["per_class"], "confusion": m["confusion"], "ranking": areas},
    )


def confidence_section(evaluation: Evaluation) -> Section:
    """Return what the model's confidence is worth, before and after calibration."""
    calibration = evaluation.calibration
    labels, raw, groups = evaluation.labels, evaluation.probabilities, evaluation.groups
    m = evaluation.metrics
    chance, limit = ece_of_calibrated(raw)
    text = [
        f"ECE as the model stands: {number(*(m[f'ece{end}'] for end in _ENDS))}, over {ECE_BINS} equally wide bins. A "
        f"perfectly calibrated model with these confidences would show {chance:.3f} on so many faces, and more than "
        f"{limit:.3f} only in one of twenty tests."
    ]
    states = {"as trained": reliability(labels, raw, groups=groups)}
    curves = {"the model": risk_coverage(labels, raw)}
    figures = {"ece_of_calibrated": {"mean": chance, "percentile_95": limit}, "aurc": curves["the model"]["aurc"]}
    chosen = None
    if calibration is None:
        text.append(
            "The model's file holds no calibration, so its probabilities stand as they are. `python -m emo_utils "
            "calibrate` fits one on validation faces and stores it."
        )
    else:
        scaled = calibration.apply(raw)
        after = evaluation.scaled_metrics
        smoothing = calibration.label_smoothing
        smoothed = f"undo the label smoothing of {smoothing:g} and " if smoothing else ""
        states["calibrated"] = reliability(labels, scaled, groups=groups)
        curves = {"calibrated": risk_coverage(labels, scaled)}
        text.append(
            f"Its file says to {smoothed}divide the logits by {calibration.temperature:.2f}, fitted on "
            f"{calibration.n:,} validation faces. ECE after that: {number(*(after[f'ece{end}'] for end in _ENDS))}; "
            f"negative log-likelihood {m['nll']:.3f} before, {after['nll']:.3f} after. No answer changes by it."
        )
        figures |= {"calibration": calibration.to_dict(), "scaled": after}
        if calibration.not_sure_below is None:
            text.append(
                f'"Not sure" has no threshold: no confidence made {share(calibration.wanted_accuracy)} of the answers '
                "on validation right."
            )
        elif calibration.not_sure_below == 0:
            text.append(
                f'"Not sure" is never needed: at least {share(calibration.wanted_accuracy)} of all answers on '
                "validation were right."
            )
        else:
            s = selective_metrics(labels, scaled, calibration.not_sure_below, groups=groups)
            chosen = (s["coverage"], 1 - s["accuracy"]) if s["n_answered"] else None
            text.append(
                f'"Not sure" below a confidence of {calibration.not_sure_below:.2f}, chosen on validation for '
                f"{share(calibration.wanted_accuracy)} right answers: here it answers "
                f"{share(*(s[f'coverage{end}'] for end in _ENDS))} of the faces, and "
                f"{share(*(s[f'accuracy{end}'] for end in _ENDS))} of these answers are right."
            )
            figures |= {"not_sure": s}
    ax = plot_risk_coverage(curves, chosen=chosen)
    pictures = {"reliability": plot_reliability(states, title="Does confidence keep its word?"), "risk": ax.figure}
    figures |= {"reliability": {name: _plain(r) for name, r in states.items()}}
    return Section("Confidence", "confidence", text, pictures=pictures, figures=figures)


def _plain(r: dict) -> dict:
    """Return lists for arrays, None for NaN."""
    return {
        key: [None if isinstance(v, float) and np.isnan(v) else v for v in np.asarray(value).tolist()]
        if np.ndim(value)
        else value
        for key, value in r.items()
    }
