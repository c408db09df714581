"""What is measured is never compared with a clock here: only that the right things are run, and how often."""

from __future__ import annotations

import gc
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest

from emo_utils.bench import compare_latency, latency, measure_latency, pareto_front, tflite_latency
from emo_utils.errors import EmoUtilsError, ModelError


def test_warm_up_and_timed_runs_are_counted_and_percentiles_ordered():
    collecting = []
    result = measure_latency(lambda: collecting.append(gc.isenabled()), n=30, warmup=4)
    assert collecting == [True] * 4 + [False] * 30
    assert gc.isenabled()
    assert result.n == 30
    assert np.isfinite(astuple(result)).all()
    assert 0 <= result.p50_ms <= result.p90_ms <= result.p99_ms
    assert "(n 30)" in str(result)


def test_collection_is_on_again_after_a_failure():
    def fail():
        raise OSError

    with pytest.raises(OSError):
        measure_latency(fail, warmup=0)
    assert gc.isenabled()


def test_no_run_is_no_latency():
    with pytest.raises(EmoUtilsError, match=r"at least 1 timed run\. Got 0"):
        measure_latency(lambda: None, n=0)


def test_files_take_turns(monkeypatch, tmp_path):
    turns = []
    monkeypatch.setattr(latency, "_runner", lambda path: lambda: turns.append(path))
    results = compare_latency([tmp_path / "a", tmp_path / "b"], n=3, rounds=2, warmup=1)
    assert [t.name for t in turns] == list("aaaabbbb" * 2)
    assert [r.n for r in results.values()] == [6, 6]
    assert [p.name for p in results] == ["a", "b"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.tflite: no such TFLite file"):
        tflite_latency(tmp_path / "gone.tflite")


def test_the_front_is_what_no_model_beats():
    frame = pd.DataFrame(
        {
            "accuracy": [0.5, 0.6, 0.6, 0.55, 0.7, 0.7, 0.9],
            "bytes": [10, 20, 25, 30, 40, 40, np.nan],
        },
        index=list("abcdefg"),
    )
    assert frame.index[pareto_front(frame, "bytes")].tolist() == ["a", "b", "e", "f"]


def test_the_front_does_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"accuracy": rng.integers(0, 9, 40) / 10, "macs": rng.integers(1, 9, 40)})
    shuffled = frame.sample(frac=1, random_state=1)
    assert set(frame.index[pareto_front(frame, "macs")]) == set(shuffled.index[pareto_front(shuffled, "macs")])
