from __future__ import annotations

import matplotlib
import numpy as np

matplotlib.use("Agg")

from emo_utils.evaluation import ranking_curves, reliability, risk_coverage
from emo_utils.plots import plot_ranking, plot_reliability, plot_risk_coverage

rng = np.random.default_rng(0)
SAID = rng.dirichlet([1, 1, 1], 200)
LABELS = np.arange(200) % 3


def test_reliability_is_drawn_with_the_faces_below():
    r = reliability(LABELS, SAID, bins=10)
    figure = plot_reliability({"as trained": r, "scaled": r}, title="t")
    upper, _, lower, _ = figure.axes
    assert upper.get_title() == f"as trained: ECE {r['ece']:.3f}"
    assert sum(bar.get_height() for bar in lower.patches) == 200
    assert lower.get_ylabel() == "faces"


def test_risk_is_drawn_over_coverage_with_the_chosen_threshold():
    curve = risk_coverage(LABELS, SAID)
    ax = plot_risk_coverage({"a": curve}, chosen=(0.5, 0.4))
    line, dot = ax.lines
    assert line.get_xdata()[-1] == 1
    assert dot.get_xydata().tolist() == [[0.5, 0.4]]


def test_ranking_names_each_class_with_its_areas():
    curves = ranking_curves(LABELS, SAID, ["happy", "sad", "fear"])
    roc, pr = plot_ranking(curves).axes
    assert roc.get_legend().get_texts()[0].get_text() == f"happy ({curves['happy']['roc_auc']:.2f})"
    assert len(pr.lines) == 3
