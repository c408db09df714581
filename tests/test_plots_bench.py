from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from emo_utils.plots import bench


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def frame():
    rows = [("a.keras", "keras", "float32"), ("a.keras", "litert", "int8"), ("b.onnx", "onnxruntime", "float32")]
    frame = pd.DataFrame(rows * 2, columns=["model", "runtime", "precision"])
    frame["threads"] = [1, 1, 1, 2, 2, 2]
    frame["p50_ms"], frame["p90_ms"], frame["p99_ms"], frame["bytes"] = 1.0, 2.0, 9.0, 5000
    frame["per_second_b1"], frame["per_second_b8"], frame["per_second_b32"] = 900.0, 2000.0, None
    frame["accuracy"], frame["accuracy_low"], frame["accuracy_high"] = 0.6, 0.58, 0.62
    return frame


def test_a_refused_way_has_another_colour_than_one_that_passes():
    ways = pd.DataFrame({"name": ["right", "wrong"], "accuracy": [0.9, 0.2], "agreement": [1.0, 0.2]})
    figure = bench.plot_verifications(ways.assign(refused=[False, True]), reference=0.3, reference_name="always happy")
    accuracy = figure.axes[0]
    assert [t.get_text() for t in accuracy.get_yticklabels()] == ["right", "wrong"]
    assert len({patch.get_facecolor() for patch in accuracy.patches[:2]}) == 2
    assert [t.get_text() for t in accuracy.texts] == ["90.0%", "20.0%"]


def test_moved_faces_are_counted_even_where_none_moved():
    ax = bench.plot_moved({"int8": np.array([0.1, 0.2]), "float32": np.empty(0)}, 50)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["int8\n2 of 50 moved", "float32\n0 of 50 moved"]


def test_each_series_of_runs_tells_its_median():
    ax = bench.plot_runs({"A": (np.arange(3), np.array([1.0, 2.0, 9.0]))})
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["A, p50 2 ms"]


def test_marks_are_named_with_their_value():
    ax = bench.plot_percentiles(np.array([1.0, 2.0, 3.0]), {"p90": 2.8})
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["p90 2.8 ms"]


def test_throughput_has_a_panel_for_each_number_of_threads(frame):
    panels = bench.plot_throughput(frame).axes
    assert [ax.get_title() for ax in panels] == ["1 thread", "2 threads"]
    assert [len(ax.lines) for ax in panels] == [3, 3]


def test_latencies_have_a_panel_for_each_model(frame):
    panels = bench.plot_latencies(frame[frame["threads"] == 1]).axes
    assert [ax.get_title("left") for ax in panels] == ["a.keras", "b.onnx"]
    assert [t.get_text() for t in panels[0].get_yticklabels()] == ["keras float32", "litert int8"]


def test_budgets_are_drawn_where_they_are_given(frame):
    time, size = bench.plot_operating_points(frame, {"bytes": [4000]}).axes
    dashed = [[line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"] for ax in (time, size)]
    assert dashed == [[], [4.0]]
