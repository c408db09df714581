"""Bench files come from other machines: every wrong one is named, and nothing of it gets into the table."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from emo_utils.bench import log_bench_file, read_bench_file, write_bench_file
from emo_utils.bench.schema import RESULT
from emo_utils.cli import main
from emo_utils.errors import EmoUtilsError
from emo_utils.table import read_bench

DEVICE = {
    "name": "Jetson Nano",
    "system": "Linux aarch64",
    "python": "3.6.9",
    "power_mode": "10W (0)",
    "software": "TensorRT 8.2.1",
}


@pytest.fixture
def document():
    result = dict.fromkeys(RESULT) | {
        "model": "m.keras", "runtime": "tensorrt", "precision": "float16", "n": 3, "p50_ms": 2.0, "p90_ms": 2.8,
        "p99_ms": 2.98, "accuracy": 0.5, "energy_net_mj": -0.1, "latencies_ms": [1, 2.0, 3.0],
    }  # fmt: skip
    return {
        "schema": "emo_utils.bench",
        "version": 1,
        "made_by": "bench_jetson.py",
        "time": "2026-11-22T17:00:00+00:00",
        "device": dict(DEVICE),
        "results": [result, {**result, "precision": "float32", "latencies_ms": None}],
    }


def _saved(path, document):
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_what_is_written_is_read_back(document, tmp_path):
    path = write_bench_file(tmp_path / "new" / "bench.json", document)
    assert read_bench_file(path) == document
    assert [p.name for p in path.parent.iterdir()] == ["bench.json"]


def test_the_keys_are_the_agreed_ones():
    assert " ".join(RESULT) == (
        "model recipe_hash runtime precision threads n init_ms first_ms warmup_ms p50_ms p90_ms p95_ms p99_ms mean_ms "
        "std_ms per_second_b1 per_second_b8 per_second_b32 peak_mb bytes parameters macs accuracy accuracy_n agreement "
        "gmacs_per_s peak_share power_mw idle_mw power_rail energy_gross_mj energy_net_mj latencies_ms"
    )


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("schema",), "other", "not a bench file"),
        (("version",), 2, "version '2' of the bench file, this emo_utils reads version 1"),
        (("version",), True, "version cannot be true"),
        (("made_by",), "me", "made_by cannot be"),
        (("time",), "yesterday", "time cannot be"),
        (("time",), "2026-11-22T17:00:00", "time cannot be"),
        (("device",), [], "device cannot be"),
        (("device", "name"), "", "device: name cannot be"),
        (("device", "name"), "Nano\x1b[2J", "device: name cannot be"),
        (("device", "owner"), "x", "device: has an unknown 'owner'"),
        (("results",), [], "0 results"),
        (("results",), {}, "results cannot be"),
        (("results", 1), 7, "result 2: not an object"),
        (("results", 1, "fps"), 7, "result 2: has an unknown 'fps'"),
        (("results", 0, "model"), None, "result 1: model cannot be null"),
        (("results", 0, "runtime"), "tvm", "runtime cannot be"),
        (("results", 0, "precision"), ["int8"], "precision cannot be"),
        (("results", 0, "n"), 3.0, "n cannot be 3.0"),
        (("results", 0, "n"), 4, "result 1: n is 4, but its latencies_ms give 3"),
        (("results", 0, "p50_ms"), 2.00001, "p50_ms is 2.00001, but its latencies_ms give 2."),
        (("results", 0, "mean_ms"), 1.9, "mean_ms is 1.9, but its latencies_ms give 2."),
        (("results", 0, "std_ms"), 1.0, "std_ms is 1.0, but its latencies_ms give 0.816496581"),
        (("results", 0, "latencies_ms"), [1, 2.0, 3.1], "p90_ms is 2.8, but its latencies_ms give 2.88"),
        (("results", 0, "latencies_ms"), [], "latencies_ms cannot be []"),
        (("results", 0, "threads"), -1, "threads cannot be -1"),
        (("results", 0, "mean_ms"), "2", "mean_ms cannot be"),
        (("results", 0, "mean_ms"), True, "mean_ms cannot be true"),
        (("results", 0, "mean_ms"), -0.1, "mean_ms cannot be -0.1"),
        (("results", 0, "mean_ms"), float("nan"), "mean_ms cannot be NaN"),
        (("results", 0, "mean_ms"), float("inf"), "mean_ms cannot be Infinity"),
        (("results", 0, "bytes"), 10**30, "bytes cannot be"),
        (("results", 0, "accuracy"), 50, "accuracy cannot be 50"),
        (("results", 0, "p90_ms"), 1.9, "its percentiles do not rise: 2.0, 1.9, 2.98"),
        (("results", 0, "latencies_ms"), [1, None, 2], "latencies_ms cannot be"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(where, value, message, document, tmp_path):
    changed = copy.deepcopy(document)
    *path, last = where
    inner = changed
    for key in path:
        inner = inner[key]
    inner[last] = value
    with pytest.raises(EmoUtilsError) as error:
        read_bench_file(_saved(tmp_path / "b.json", changed))
    assert message in str(error.value)
    assert "b.json: " in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    with pytest.raises(EmoUtilsError):
        write_bench_file(tmp_path / "c.json", changed)
    assert not (tmp_path / "c.json").exists()


def test_raw_times_may_be_rounded_as_on_a_device(document, tmp_path):
    times = np.random.default_rng(0).gamma(3, 0.1, 200)
    p50, p90, p95, p99 = np.percentile(times, [50, 90, 95, 99]).tolist()
    figures = {"n": 200, "p50_ms": p50, "p90_ms": p90, "p95_ms": p95, "p99_ms": p99, "mean_ms": times.mean()}
    rounded = [round(time, 6) for time in times.tolist()]
    document["results"][0] |= figures | {"std_ms": times.std(), "latencies_ms": rounded}
    assert read_bench_file(_saved(tmp_path / "b.json", document)) == document


def test_a_missing_value_is_named(document, tmp_path):
    del document["results"][1]["p95_ms"]
    with pytest.raises(EmoUtilsError, match="result 2: has no 'p95_ms'"):
        read_bench_file(_saved(tmp_path / "b.json", document))


@pytest.mark.parametrize(
    "content", [b"", b'{"schema": "emo_utils.bench", "vers', b"\xff\xfe", b"[" * 10**6, b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_a_damaged_file_is_one_line(content, tmp_path):
    path = tmp_path / "b.json"
    path.write_bytes(content)
    with pytest.raises(EmoUtilsError, match=r"b\.json: not whole JSON .*Copy it from the device again"):
        read_bench_file(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "b.json"
    with path.open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(EmoUtilsError, match="more than 50 MB"):
        read_bench_file(path)
    with pytest.raises(EmoUtilsError, match="no such bench file"):
        read_bench_file(tmp_path)


def test_import_adds_each_file_once(document, tmp_path, capsys):
    path = _saved(tmp_path / "jetson.json", document)
    assert main(["bench", "import", str(path), str(path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [f"{path}: 2 rows added", f"{path}: the table has it already, nothing added"]
    first, second = read_bench()
    assert (first["bench"], first["device"], first["made_by"]) == ("runtime", "Jetson Nano", "bench_jetson.py")
    assert first["file_path"] == "jetson.json"
    assert (first["p50_ms"], first["energy_net_mj"]) == (2.0, -0.1)
    assert "latencies_ms" not in first
    assert second["precision"] == "float32"


def test_an_import_that_was_cut_short_goes_on(document, tmp_path, monkeypatch):
    from emo_utils.bench import log

    path = _saved(tmp_path / "b.json", document)
    add, added = log.add_bench, []

    def fail_second(record):
        if added:
            raise OSError
        added.append(record)
        add(record)

    with monkeypatch.context() as patch:
        patch.setattr(log, "add_bench", fail_second)
        with pytest.raises(OSError):
            log_bench_file(path)
    assert log_bench_file(path) == 1
    assert [record["precision"] for record in read_bench()] == ["float16", "float32"]


def test_a_wrong_file_leaves_the_table_alone(document, tmp_path, capsys):
    path = _saved(tmp_path / "b.json", {**document, "version": 0})
    assert main(["bench", "import", str(path)]) == 1
    err = capsys.readouterr().err
    assert "b.json: version '0'" in err
    assert err.count("\n") == 1
    assert read_bench() == []
    assert main(["bench", "import"]) == 2


def test_the_command_has_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["bench", "--help"])
    assert stop.value.code == 0
    assert "bench import FILE..." in capsys.readouterr().out
