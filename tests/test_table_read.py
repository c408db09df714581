"""Reading back: frames, names, comparisons and the tables of Markdown files come from the log alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from emo_utils.errors import TableError
from emo_utils.paths import runs_dir
from emo_utils.table import (
    add_bench,
    compare,
    end_run,
    find_run,
    over_seeds,
    read_runs,
    results_markdown,
    show,
    start_run,
    update_tables,
)
from emo_utils.table.schema import NAMES


def log_run(run_id, accuracy, n=100, *, correct=None, ids=None, **row):
    """Log a finished run; `correct` (bool, one a face) also gives it predictions."""
    fixed = {"recipe": "tiny", "backbone": "SmallCNN", "data": "fer2013", "profile": "full"}
    row = {"run_id": run_id, "recipe_hash": run_id, **fixed, **row}
    fields = {"val_accuracy": accuracy, "test_accuracy": accuracy, "n": n, "macro_f1": accuracy}
    if correct is not None:
        labels = np.zeros(len(correct), dtype=np.int64)
        probabilities = np.eye(2, dtype=np.float32)[1 - np.asarray(correct, dtype=int)]
        file = runs_dir() / run_id / "predictions.npz"
        file.parent.mkdir(parents=True)
        ids = np.arange(len(correct)).astype(str) if ids is None else ids
        np.savez(file, ids=ids, labels=labels, probabilities=probabilities)
        fields |= {"predictions_path": file, "test_accuracy": float(np.mean(correct)), "n": len(correct)}
    return end_run(start_run(row), fields)


def test_frame_has_every_column_even_without_runs():
    assert list(read_runs().columns) == [name for name in NAMES if name != "learning_curve"]
    assert show(read_runs()) == "No runs yet."


def test_frame_holds_numbers_and_times():
    log_run("r1", 0.5)
    start_run({"run_id": "r2"})
    frame = read_runs()
    assert frame["run_id"].tolist() == ["r1", "r2"]
    assert frame["test_accuracy"].tolist()[0] == 0.5
    assert pd.isna(frame["test_accuracy"][1])
    assert str(frame["started"].dt.tz) == "UTC"


def test_show_names_accuracy_interval_and_status():
    end_run(start_run({"data": "ckplus"}), {"test_accuracy": 0.5, "test_accuracy_low": 0.4, "test_accuracy_high": 0.6})
    start_run({"run_id": "still-going"})
    text = show(read_runs())
    assert "50.0 [40.0, 60.0]" in text
    assert "ckplus" in text
    assert "still-going" in text
    assert "nan" not in text


def test_show_tells_a_file_in_fewer_bits_from_the_run_that_it_was_made_from():
    end_run(start_run({"recipe": "student", "profile": "full"}), {"test_accuracy": 0.5})
    end_run(start_run({"recipe": "student", "profile": "evaluate", "compression": "int8 of student"}), {})
    first, second = (line for line in show(read_runs()).splitlines()[1:])
    assert "student" in first
    assert "int8" not in first
    assert "int8 of student" in second


def test_find_run_by_id_beginning_or_name():
    first = log_run("250101-aaa", 0.5)
    log_run("250102-bbb", 0.6)
    assert find_run("250101-aaa") == find_run("250101") == find_run(first["name"]) == first
    with pytest.raises(TableError, match="2 runs go by '2501': 250101-aaa, 250102-bbb"):
        find_run("2501")
    with pytest.raises(TableError, match=r"no run '250102-bbc'. Near it: 250102-bbb"):
        find_run("250102-bbc")
    with pytest.raises(TableError, match="no run ''"):
        find_run("")


def test_paired_comparison_is_mcnemars():
    a = np.r_[np.ones(60), np.zeros(40)].astype(bool)
    b = a.copy()
    b[:5], b[60:80] = False, True
    log_run("a", 0, correct=a)
    log_run("b", 0, correct=b)
    result = compare("a", "b")
    assert (result.accuracy_a, result.accuracy_b, result.n) == (0.6, 0.75, 100)
    assert result.difference == pytest.approx(0.15)
    assert result.p_value == pytest.approx(binomtest(20, 25).pvalue)
    # normal approximation: sqrt(25 - 15**2 / 100) / 100 = 0.0477
    assert (result.low, result.high) == pytest.approx((0.15 - 0.0935, 0.15 + 0.0935), abs=0.012)
    assert not result.remarks
    assert "+15.0 points" in str(result)
    back = compare("b", "a")
    assert back.difference == -result.difference
    assert back.p_value == result.p_value


def test_a_run_does_not_differ_from_itself():
    log_run("a", 0, correct=[True, False, True])
    result = compare("a", "a")
    assert (result.difference, result.low, result.high, result.p_value) == (0, 0, 0, 1)


def test_faces_are_matched_by_id():
    log_run("a", 0, correct=[True, True, False], ids=["x", "y", "z"])
    log_run("b", 0, correct=[False, True], ids=["z", "x"])
    result = compare("a", "b")
    assert (result.n, result.difference) == (2, 0)
    assert "Only the 2 faces" in result.remarks[0]


def test_equal_ids_in_different_test_parts_are_not_paired():
    log_run("a", 0, correct=[True, False], test_fingerprint="one", classes=["happy", "sad"])
    log_run("b", 0, correct=[True, True], test_fingerprint="two", classes=["happy", "sad"])
    result = compare("a", "b")
    assert (result.method, result.p_value) == ("unpaired interval", None)
    assert result.remarks == ("The test parts differ; equal ids do not make faces the same.",)


@pytest.mark.parametrize(
    "other", [{"test_fingerprint": "one"}, {}, {"test_fingerprint": "two", "classes": ["happy", "sad", "fear"]}]
)
def test_test_parts_that_may_be_the_same_are_paired(other):
    log_run("a", 0, correct=[True, False], test_fingerprint="one", classes=["happy", "sad"])
    log_run("b", 0, correct=[True, True], **{"classes": ["happy", "sad"], **other})
    assert compare("a", "b").p_value == 1.0


def test_without_predictions_the_interval_is_newcombes():
    # Newcombe (1998), table II, method 10: 56/70 against 48/80 gives 0.0524 to 0.3339.
    log_run("a", 48 / 80, 80)
    log_run("b", 56 / 70, 70, data="ferplus")
    result = compare("a", "b")
    assert (result.low, result.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert result.p_value is None
    assert any("data set differs" in remark for remark in result.remarks)


def test_predictions_must_be_those_logged():
    log_run("a", 0, correct=[True, False])
    file = runs_dir() / "a" / "predictions.npz"
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(TableError, match=r"predictions.npz has changed since run a logged it. Evaluate"):
        compare("a", "a")


def test_file_without_predictions_is_named():
    file = runs_dir() / "p.npz"
    file.parent.mkdir(parents=True)
    np.savez(file, ids=["x"])
    end_run(start_run({"run_id": "a"}), {"test_accuracy": 0.5, "n": 2, "predictions_path": file})
    with pytest.raises(TableError, match=r"p.npz does not hold ids, labels and probabilities"):
        compare("a", "a")


def test_run_without_result_cannot_be_compared():
    log_run("a", 0.5)
    start_run({"run_id": "b"})
    with pytest.raises(TableError, match=r"Run b \(running\) has no test accuracy"):
        compare("a", "b")


def test_results_hold_finished_runs_on_real_data_once():
    log_run("old", 0.5, recipe_hash="h")
    log_run(
        "new",
        0.6,
        recipe_hash="h",
        classes=["happy", "sad"],
        parameters=1_234_567,
        epochs=[2, 14],
        seed=1,
        split="by|label",
    )
    log_run("toy", 0.9, data="embedded")
    end_run(start_run({"run_id": "bad", "data": "fer2013"}), {}, status="failed")
    lines = results_markdown(read_runs()).splitlines()
    assert len(lines) == 3
    assert lines[2] == (
        "| tiny | 1 | 2: happy, sad | SmallCNN | 1,234,567 | 2 + 14 | 60.0% | 60.0% | 0.600 | 100 "
        "| fer2013 by\\|label | `new` |"
    )
    assert all(line.replace("\\|", "").count("|") == 13 for line in lines)


def test_runs_that_differ_in_their_seed_share_a_line():
    for seed, accuracy in enumerate((0.5, 0.56, 0.53)):
        recipe = {"name": "tiny", "seed": seed, "batch_size": 8}
        log_run(f"r{seed}", accuracy, seed=seed, recipe_hash=f"h{seed}", recipe_json=json.dumps(recipe))
    other = {"name": "tiny", "seed": 0, "batch_size": 16}
    log_run("other", 0.7, seed=0, recipe_hash="i", recipe_json=json.dumps(other))
    lines = results_markdown(read_runs()).splitlines()[2:]
    assert len(lines) == 2
    seeds, alone = sorted(lines, key=len, reverse=True)
    assert "| 0, 1, 2 |" in seeds
    assert "| mean 53.0% (50.0 to 56.0) |" in seeds
    assert "| `r0`, `r1`, `r2` |" in seeds
    assert "| 70.0% |" in alone


@pytest.mark.parametrize("profile", ["quick", None])
def test_only_full_runs_are_published(profile):
    log_run("published", 0.6, recipe_hash="h")
    log_run("later", 0.4, recipe_hash="h", profile=profile)
    published = results_markdown(read_runs())
    assert "`published`" in published
    assert "`later`" not in published


def test_tables_are_updated_between_their_marks(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_bytes("# Caf\u00e9\r\n<!-- results:start -->\nold\n<!-- results:end -->\nafter".encode())
    log_run("r1", 0.5)
    assert update_tables([readme]) == [readme]
    assert update_tables([readme]) == []
    text = readme.read_bytes().decode()
    assert text.startswith("# Caf\u00e9\r\n<!--")
    assert text.endswith("-->\nafter")
    assert "`r1`" in text
    assert "old" not in text


def test_a_mark_without_its_end_leaves_the_file_alone(tmp_path):
    readme = tmp_path / "README.md"
    with pytest.raises(TableError, match="Cannot read"):
        update_tables([readme])
    readme.write_text("<!-- results:start --> no end")
    with pytest.raises(TableError, match="has the line <!-- results:start --> but no line <!-- results:end -->"):
        update_tables([readme])
    assert readme.read_text() == "<!-- results:start --> no end"


def test_the_latest_comparison_with_peers_is_shown(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- peers:start -->\n<!-- peers:end -->")
    figures = {"n": 10, "accuracy_low": 0.5, "accuracy_high": 0.7, "accuracy_mirror": 0.61, "parameters": 58423}
    figures |= {"float32_bytes": 244_000, "p50_ms": 0.4, "p90_ms": 0.5}
    lead = {"mini_minus": 0.021, "mini_minus_low": 0.004, "mini_minus_high": 0.038}
    for measured, accuracy in (("2026-01-01", 0.1), ("2026-01-02", 0.6)):
        add_bench({"bench": "peers", "measured": measured, "model": "ours", "accuracy": accuracy, **figures, **lead})
        add_bench({"bench": "peers", "measured": measured, "model": "mini", "accuracy": 0.58, **figures})
    assert update_tables([page]) == [page]
    assert page.read_text().splitlines()[3:5] == [
        "| ours | 0.600 [0.500, 0.700] | 0.610 | 58,423 | 244 | 0.40 | +2.1 [+0.4, +3.8] |  |",
        "| mini | 0.580 [0.500, 0.700] | 0.610 | 58,423 | 244 | 0.40 |  |  |",
    ]


def test_runs_that_differ_in_their_seed_are_averaged_with_their_spread():
    for seed, accuracy in ((0, 0.60), (1, 0.62), (2, 0.9), (2, 0.64)):  # seed 2 was run again: the later one counts
        recipe = json.dumps({"name": "a", "seed": seed, "epochs": 3})
        row = {"recipe": "a", "recipe_json": recipe, "seed": seed, "profile": "full", "test_fingerprint": "x"}
        end_run(start_run(row), {"test_accuracy": accuracy, "macro_f1": 0.5, "n": 100})
    limited = {**row, "seed": 1, "profile": "quick", "recipe_json": json.dumps({"name": "a", "seed": 1, "epochs": 3})}
    end_run(start_run(limited), {"test_accuracy": 0.2, "macro_f1": 0.1, "n": 100})
    other = {"recipe": "b", "recipe_json": json.dumps({"name": "b", "seed": 0}), "seed": 0, "data": "fer2013"}
    end_run(start_run(other), {"test_accuracy": 0.5, "macro_f1": 0.4, "n": 100})
    looked = {"recipe": "a", "profile": "evaluate", "recipe_json": json.dumps({"name": "a", "seed": 0, "epochs": 3})}
    end_run(start_run(looked), {"test_accuracy": 0.1, "macro_f1": 0.1, "n": 100})
    a, quick, b = over_seeds(read_runs()).to_dict("records")
    assert (a["recipe"], a["seeds"], quick["seeds"], b["seeds"]) == ("a", 3, 1, 1)
    assert a["test_accuracy"] == pytest.approx(0.62)
    assert a["test_accuracy_sd"] == pytest.approx(0.02)
    # Student's t with two degrees of freedom: 4.303 standard errors.
    assert a["test_accuracy_high"] - a["test_accuracy"] == pytest.approx(4.303 * 0.02 / 3**0.5, rel=1e-3)
    assert b["test_accuracy_sd"] != b["test_accuracy_sd"]


def test_no_runs_have_no_spread():
    assert over_seeds(read_runs()).empty
