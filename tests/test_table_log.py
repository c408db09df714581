"""The log: nothing that was logged is lost, whatever happens to the process that logs."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest

from emo_utils.errors import TableError
from emo_utils.paths import table_path
from emo_utils.table import add_bench, end_run, environment, read_bench, read_log, run_name, start_run
from emo_utils.table.log import add_notes
from emo_utils.table.schema import NAMES


def test_start_and_end_merge_into_one_row():
    run_id = start_run({"recipe": "tiny", "backbone": "SmallCNN", "seed": np.int64(3), "epochs": [1, 2]})
    assert [row["status"] for row in read_log()] == ["running"]
    row = end_run(run_id, {"val_accuracy": np.float32(0.5), "nll": float("nan"), "epochs": np.array([1, 1])})
    assert read_log() == [row]
    assert (row["status"], row["seed"], row["val_accuracy"], row["nll"], row["epochs"]) == ("ok", 3, 0.5, None, [1, 1])
    assert row["name"].startswith("emo_classificator_")
    assert row["name"].endswith("_SmallCNN_e2_aug0_acc50")
    assert row["seconds"] >= 0
    assert datetime.fromisoformat(row["started"]).tzinfo


def test_every_line_is_strict_json():
    end_run(start_run({"recipe_json": {"rate": float("inf")}, "data": "caf\u00e9 \udcff"}), {})
    for line in table_path().read_bytes().splitlines():
        json.loads(line, parse_constant=lambda constant: pytest.fail(f"{constant} in the log"))
    assert read_log()[0]["data"] == "caf\u00e9 \udcff"


def test_resumed_run_keeps_its_row_and_its_start():
    run_id = start_run({"recipe": "tiny"})
    first = end_run(run_id, {"error": "out of memory"}, status="failed")
    assert start_run({"run_id": run_id, "recipe": "tiny"}) == run_id
    row = end_run(run_id, {"test_accuracy": 0.4})
    assert len(read_log()) == 1
    assert (row["status"], row["started"], row["error"]) == ("ok", first["started"], None)


def test_figures_added_after_the_end_leave_duration_and_name_alone():
    run_id = start_run({"backbone": "SmallCNN"})
    first = end_run(run_id, {"seconds": 7.5, "val_accuracy": 0.5})
    assert end_run(run_id, {"latency_p50_ms": 3.0, "val_accuracy": 0.9}) == {
        **first,
        "latency_p50_ms": 3.0,
        "val_accuracy": 0.9,
    }


@pytest.mark.parametrize("torn", [b'{"run_id": "x", "te', b'{"run_id": "\xff"}', b"7", b"[" * 100_000])
def test_damaged_line_costs_itself_only(torn):
    run_id = start_run({"recipe": "tiny"})
    with table_path().open("ab") as file:
        file.write(torn)
    with pytest.warns(UserWarning, match=r"ignored 1 damaged line\(s\): 2"):
        row = end_run(run_id, {"val_accuracy": 0.5})
    assert row["status"] == "ok"
    assert table_path().read_bytes().endswith(b"}\n")


def test_run_of_a_dead_process_is_interrupted():
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    start_run({"pid": int(process.stdout)})
    start_run({"pid": int(process.stdout), "machine": "another"})
    start_run({})
    assert [row["status"] for row in read_log()] == ["interrupted", "running", "running"]


def test_processes_append_side_by_side():
    code = (
        "import sys; from emo_utils.table import add_bench\n"
        "for i in range(50): add_bench({'who': int(sys.argv[1]), 'i': i, 'text': 'x' * 5000})"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(who)], env=os.environ) for who in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert sorted((r["who"], r["i"]) for r in read_bench()) == [(who, i) for who in range(4) for i in range(50)]
    assert {len(r["text"]) for r in read_bench()} == {5000}


def test_test_looks_count_evaluations_by_recipe_and_test_part():
    def run(recipe, part):
        return end_run(start_run({"recipe": recipe, "test_fingerprint": part}), {"test_accuracy": 0.5})

    looks = [run(*key)["test_looks"] for key in (("a", "p"), ("a", "p"), ("b", "p"), ("a", "q"), ("a", "p"))]
    assert looks == [1, 2, 1, 1, 3]
    assert "test_looks" not in end_run(start_run({"recipe": "a", "test_fingerprint": "p"}), {}, status="failed")


def test_paths_are_relative_and_carry_a_checksum(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = table_path().parent / "model" / "runs" / "m.keras"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"weights")
    home = os.path.expanduser("~")
    row = end_run(
        start_run({}),
        {"model_path": model, "predictions_path": "/elsewhere/of/anna/p.npz", "error": f"{home}/x: gone"},
        status="failed",
    )
    assert row["model_path"] == "model/runs/m.keras"
    assert row["model_sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert row["predictions_path"] == "p.npz"
    assert row["error"] == "~/x: gone"
    monkeypatch.setenv("EMO_OUT", "out")
    assert end_run(start_run({}), {"model_path": "out/model/runs/m.keras"})["model_path"] == "model/runs/m.keras"


def test_bench_and_notes_are_no_runs():
    run_id = start_run({})
    add_bench({"what": "load", "ratio": np.float64(2.0)})
    add_notes({run_id: "fine"})
    assert [row["note"] for row in read_log()] == ["fine"]
    assert [(r["what"], r["ratio"]) for r in read_bench()] == [("load", 2.0)]


def test_wrong_calls_say_what_is_allowed():
    run_id = start_run({})
    with pytest.raises(TableError, match=r"'ok', 'failed', 'interrupted'. Got 'done'"):
        end_run(run_id, {}, status="done")
    with pytest.raises(TableError, match=r"no run 'nobody' to end. Call start_run first"):
        end_run("nobody", {})
    with pytest.raises(TableError, match="Cannot log a value of type object"):
        start_run({"seed": object()})


def test_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TableError, match=r"Cannot write .*experiments.jsonl .*EMO_OUT"):
        start_run({}, tmp_path / "file" / "experiments.jsonl")


def test_missing_log_has_no_runs():
    assert read_log() == []
    assert read_bench() == []


def test_run_whose_figures_are_not_finite_is_logged_all_the_same():
    row = end_run(start_run({}), {"val_accuracy": float("nan"), "test_accuracy": float("inf")})
    assert (row["status"], row["val_accuracy"], row["test_accuracy"]) == ("ok", None, None)
    assert row["name"].endswith("_accNA")


def test_run_name_is_a_file_name():
    row = {"started": "2025-01-31T10:20:30+00:00", "backbone": "a/b c", "epochs": 4, "augmentation": '{"flip": true}'}
    assert run_name(row) == "emo_classificator_250131102030_a-b-c_e4_aug1_accNA"


def test_environment_names_versions_but_no_person(monkeypatch):
    found = environment()
    assert set(found) - set(NAMES) == {"packages", "os"}
    assert found["numpy"] == np.__version__
    assert found["keras"]
    assert "cores" in found["hardware"]
    text = json.dumps(found)
    assert os.path.expanduser("~") not in text
    monkeypatch.setenv("PATH", "")
    assert environment()["git_commit"] is None


def test_looks_of_models_without_a_recipe_are_counted_by_file(tmp_path):
    for name in ("theirs", "others", "theirs"):
        file = tmp_path / name
        file.write_text(name)
        end_run(start_run({"test_fingerprint": "x"}), {"test_accuracy": 0.5, "n": 10, "model_path": file})
    assert [row["test_looks"] for row in read_log()] == [1, 1, 2]
