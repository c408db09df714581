from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from emo_utils.bench import pareto_front
from emo_utils.plots import compression


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def frame():
    families = ["teacher", "student", "distilled", "pruned", "quantised", "combined"]
    frame = pd.DataFrame({"name": [f"the {f}" for f in families], "family": families})
    frame["accuracy"] = [0.63, 0.53, 0.54, 0.51, 0.52, 0.53]
    frame["accuracy_low"], frame["accuracy_high"] = frame["accuracy"] - 0.02, frame["accuracy"] + 0.02
    frame["macs"] = [93e6, 6e6, 6e6, 2e6, 6e6, 2e6]
    frame["bytes"] = [20e6, 1e6, 1e6, 5e5, 2e5, 1e5]
    frame["latency_p50_ms"] = [3.1, 0.3, 0.3, 0.2, np.nan, 0.1]
    return frame


@pytest.mark.parametrize(
    ("plot", "families"),
    [
        (compression.plot_teacher_student, ["teacher", "student", "distilled"]),
        (compression.plot_pruning, ["student", "pruned"]),
        (compression.plot_quantisation, ["student", "quantised"]),
        (compression.plot_total, list(compression.FAMILIES)),
    ],
)
def test_a_comparison_shows_its_families_and_no_other(frame, plot, families):
    accuracy, *costs = plot(frame).axes
    assert [t.get_text() for t in accuracy.get_yticklabels()] == [f"the {f}" for f in families]
    labels = {"bytes": "file", "macs": "MACs", "latency_p50_ms": "p50 latency"}
    shown = frame[frame["family"].isin(families)]
    varying = [label for cost, label in labels.items() if shown[cost].nunique(dropna=False) > 1]
    assert [ax.get_xlabel().split(" (")[0] for ax in costs] == varying
    texts = [t.get_text() for t in costs[-1].texts]
    assert len(texts) == len(families)
    assert ("not run" in texts) == ("quantised" in families)


@pytest.mark.parametrize("x", ["bytes", "macs", "latency_p50_ms"])
def test_the_front_is_named_and_nothing_else(frame, x):
    front = pareto_front(frame, x)
    ax = compression.plot_pareto(frame, front, x)
    assert sorted(t.get_text() for t in ax.texts) == sorted(frame["name"][front])
    assert ax.get_xscale() == "log"
    heights = [t.xyann[1] for t in ax.texts]
    assert len(set(heights)) == len(heights)


def test_weights_stand_over_the_values_that_their_grid_leaves_them():
    weights, grid = np.linspace(-1, 1, 50), np.array([-1.0, 0, 1])
    first, second = compression.plot_weight_grids({"a": (weights, grid), "b": (weights / 2, grid / 2)}).axes
    assert first.get_title(loc="left") == "a: 3 values"
    assert [line[0, 0] for line in first.collections[0].get_segments()] == grid.tolist()
    assert sum(bar.get_height() for bar in second.patches) == len(weights)
    assert first.get_xlim() == second.get_xlim()
