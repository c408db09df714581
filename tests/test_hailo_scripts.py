"""The scripts of a Hailo bundle, run against doubles of Hailo's packages: no line of Hailo's code, and no chip."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.metadata
import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from hailo_helpers import exported

from emo_utils.bench.schema import read_bench_file

DOUBLES = Path(__file__).parent / "doubles"
MODULES = ("compile_steps", "hailo_bundle", "run_steps", "hailo_sdk_client", "hailo_platform", "package_of_none")

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TFLite is written by TensorFlow")


@pytest.fixture
def bundle(tmp_path):
    """A copy of a bundle, to be changed at will."""
    return Path(shutil.copytree(exported()[0], tmp_path / "bundle"))


@pytest.fixture
def run(bundle, monkeypatch, capsys):
    """Run a script of the bundle against the doubles; return what it printed, or the line that it ended with."""

    def forget():
        for name in [n for n in sys.modules if n.startswith(MODULES)]:
            del sys.modules[name]

    def call(script, *args, faults=""):
        monkeypatch.setenv("HAILO_DOUBLE_FAULTS", faults)
        monkeypatch.setattr(sys, "argv", [script, *map(str, args)])
        forget()
        steps = importlib.import_module("run_steps")
        monkeypatch.setattr(steps, "throughput", functools.partial(steps.throughput, seconds=0.001))
        try:
            runpy.run_path(str(bundle / script), run_name="__main__")
        except SystemExit as end:
            assert end.code.count("\n") == 0  # noqa: PT017  most calls end well
            return end.code
        call.warned = capsys.readouterr()
        return call.warned.out

    monkeypatch.setenv("HAILO_DOUBLE_LOG", str(bundle / "calls.jsonl"))
    monkeypatch.chdir(bundle)
    monkeypatch.syspath_prepend(DOUBLES)
    monkeypatch.syspath_prepend(bundle)
    yield call
    forget()


def calls(bundle):
    return [json.loads(line) for line in (bundle / "calls.jsonl").read_text().splitlines()]


def report(bundle):
    return json.loads((bundle / "compile_report.json").read_text())


def change(bundle, **changes):
    """Change values of export_info.json."""
    path = bundle / "export_info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_compiler_is_called_in_order_with_raw_and_normalised_faces(bundle, run):
    out = run("compile_hailo.py")
    made = calls(bundle)
    assert [c["call"] for c in made] == [
        "ClientRunner",
        "translate_tf_model",
        "save_har",
        "infer",
        "load_model_script",
        "optimize_full_precision",
        "infer",
        "optimize",
        "save_har",
        "infer",
        "compile",
        "save_har",
    ]
    assert made[0]["hw_arch"] == "hailo8"
    assert Path(made[1]["model_path"]).name == "small-cnn.tflite"
    assert made[1]["net_name"] == "small_cnn"
    native, full, quantised = (c for c in made if c["call"] == "infer")
    assert [c["context"] for c in (native, full, quantised)] == ["SDK_NATIVE", "SDK_FP_OPTIMIZED", "SDK_QUANTIZED"]
    assert native["shape"] == full["shape"] == quantised["shape"] == [70, 48, 48, 1]
    assert -1 <= native["low"] < 0 < native["high"] <= 1
    assert full["high"] == quantised["high"] > 200
    for call in (made[5], made[7]):
        assert call["shape"] == [140, 48, 48, 1]
        assert call["dtype"] == "float32"
        assert call["high"] > 200
    assert out.count("\n") == 9
    assert (bundle / "small-cnn_hailo8.hef").read_bytes() == b"hef of a double"


def test_the_report_holds_each_check_and_the_stand_in(bundle, run):
    run("compile_hailo.py", "--hw-arch", "hailo8", "--hw-arch", "hailo8l")
    written = report(bundle)
    assert list(written["targets"]) == ["hailo8", "hailo8l"]
    assert written["stand_in"] == json.loads((bundle / "export_info.json").read_text())["stand_in"]
    for arch, target in written["targets"].items():
        steps = {step["step"]: step for step in target["steps"]}
        assert target["status"] == "ok"
        assert steps["parse"]["source"] == "small-cnn.tflite"
        # Without it the compiler corrects no biases where there is no GPU.
        assert "model_optimization_flavor(optimization_level=1)" in steps["load_script"]["script"]
        assert steps["check_native"]["max_difference"] < 1e-3
        assert steps["check_full_precision"]["agreement"] == 1
        assert 0 < steps["check_quantised"]["max_difference"] < 1
        assert steps["check_quantised"]["accuracy_keras"] == steps["check_native"]["accuracy"]
        assert steps["compile_hef"] == {**steps["compile_hef"], "file": f"small-cnn_{arch}.hef", "bytes": 15}


def test_a_dry_run_shows_the_steps_of_a_real_one_and_does_nothing(bundle, run):
    before = sorted(path.name for path in bundle.iterdir())
    lines = run("compile_hailo.py", "--dry-run", "--hw-arch", "hailo8l").splitlines()
    assert sorted(path.name for path in bundle.iterdir() if path.name != "__pycache__") == before
    run("compile_hailo.py", "--hw-arch", "hailo8l")
    steps = [step["step"] for step in report(bundle)["targets"]["hailo8l"]["steps"]]
    assert [line.split(":")[0].split(". ")[1] for line in lines] == steps
    assert "float32 (140, 48, 48, 1) of calib_set.npy, 0 to 255" in lines[4]
    assert "(70, 48, 48, 1) of samples.npz, normalised -1 to 1" in lines[2]


@pytest.mark.parametrize(("script", "said"), [("compile_hailo.py", "3.x line"), ("run_hailo.py", "numpy below 2")])
def test_without_hailos_package_one_line_says_how_to_get_it(bundle, script, said):
    (bundle / "a.hef").touch()
    ended = subprocess.run([sys.executable, bundle / script], capture_output=True, text=True, env={"PATH": os.defpath})
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("error: hailo_")
    assert ended.stderr.count("\n") == 1
    assert said in ended.stderr


def test_a_compiler_that_does_not_know_hailo8_is_refused(run, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "5.1.0")
    assert "Dataflow Compiler 5.1.0; Hailo-8 and Hailo-8L need version 3.x" in run("compile_hailo.py")


@pytest.mark.parametrize(
    ("fault", "step", "advice"),
    [
        ("native", "check_native", "hailo visualizer small-cnn_hailo8.har"),
        ("full_precision", "check_full_precision", "model script is at fault"),
    ],
)
def test_a_float_net_that_disagrees_with_keras_stops_with_what_to_try(bundle, run, fault, step, advice):
    line = run("compile_hailo.py", faults=fault)
    assert line.startswith(f"error: hailo8, {step}: SDK_")
    assert "disagrees with Keras: same class" in line
    assert advice in line
    target = report(bundle)["targets"]["hailo8"]
    assert (target["status"], target["failed_step"]) == ("failed", step)
    assert target["error"] in line
    assert "compile" not in [c["call"] for c in calls(bundle)]


def test_a_quantised_net_that_disagrees_is_compiled_with_a_warning(bundle, run):
    run("compile_hailo.py", faults="quantised")
    target = report(bundle)["targets"]["hailo8"]
    (warning,) = (step["warning"] for step in target["steps"] if "warning" in step)
    assert target["status"] == "ok"
    assert warning.startswith("SDK_QUANTIZED disagrees with Keras: same class")
    assert "hailo analyze-noise small-cnn_hailo8_quantised.har" in warning
    assert run.warned.err == f"warning: hailo8: {warning}\n"
    assert (bundle / "small-cnn_hailo8.hef").exists()


def test_logits_of_another_scale_are_not_let_through(run):
    line = run("compile_hailo.py", faults="scale")
    assert line.startswith("error: hailo8, check_native: SDK_NATIVE disagrees with Keras: same class 100.0% of 70")


def test_where_the_tflite_does_not_parse_the_onnx_is_taken(bundle, run):
    run("compile_hailo.py", faults="tflite")
    parsed = report(bundle)["targets"]["hailo8"]["steps"][0]
    assert parsed["source"] == "small-cnn.onnx"
    assert parsed["failures"] == ["small-cnn.tflite: tflite is not taken"]
    assert calls(bundle)[3] == {**calls(bundle)[3], "call": "translate_onnx_model", "net_name": "small_cnn"}


def test_recommended_end_nodes_are_followed_once_neither_file_parses_whole(bundle, run):
    run("compile_hailo.py", faults="tflite,onnx,recommend")
    parsed = report(bundle)["targets"]["hailo8"]["steps"][0]
    assert parsed["source"] == "small-cnn.tflite"
    assert parsed["end_nodes"] == ["model/logits/MatMul;model/logits/BiasAdd", "second"]
    translated = [c for c in calls(bundle) if c["call"].startswith("translate")]
    assert [c["end_node_names"] for c in translated] == [None, None, parsed["end_nodes"]]


def test_a_net_that_parses_in_no_way_is_one_line_with_both_reasons(run):
    line = run("compile_hailo.py", faults="tflite,onnx")
    assert "takes none of the files: small-cnn.tflite: tflite is not taken | small-cnn.onnx: onnx is not taken" in line
    assert "tflite" not in run("compile_hailo.py", "--parse", "onnx", faults="tflite,onnx")


def test_what_the_compiler_raises_is_one_line(bundle, run):
    assert run("compile_hailo.py", faults="compile") == (
        "error: hailo8, compile_hef: the compiler says: Mapping Failed (a double says so)"
    )
    assert not (bundle / "small-cnn_hailo8.hef").exists()


def test_a_failure_for_one_chip_stops_neither_the_other_nor_leaves_an_old_hef(bundle, run):
    run("compile_hailo.py", "--hw-arch", "hailo8")
    line = run("compile_hailo.py", "--hw-arch", "hailo8", "--hw-arch", "hailo8l", faults="hailo8")
    assert line.startswith("error: hailo8, compile_hef: the compiler says: Mapping Failed")
    assert [(arch, target["status"]) for arch, target in report(bundle)["targets"].items()] == [
        ("hailo8", "failed"),
        ("hailo8l", "ok"),
    ]
    assert [path.name for path in bundle.glob("*.hef")] == ["small-cnn_hailo8l.hef"]


def test_the_report_keeps_what_it_has_of_another_chip(bundle, run):
    run("compile_hailo.py", "--hw-arch", "hailo8")
    first = report(bundle)["targets"]["hailo8"]
    run("compile_hailo.py", "--hw-arch", "hailo8l")
    assert list(report(bundle)["targets"]) == ["hailo8", "hailo8l"]
    assert report(bundle)["targets"]["hailo8"] == first
    (bundle / "compile_report.json").write_text('{"targets": 1}')
    run("compile_hailo.py", "--hw-arch", "hailo8l")
    assert list(report(bundle)["targets"]) == ["hailo8l"]


def test_a_report_that_cannot_be_written_is_said_before_the_work(bundle, run):
    (bundle / "compile_report.json").mkdir()
    assert "compile_report.json cannot be written: there is a folder of that name" in run("compile_hailo.py")
    assert not (bundle / "calls.jsonl").exists()


@pytest.mark.parametrize(
    ("script", "package"), [("compile_hailo", "hailo_sdk_client"), ("run_hailo", "hailo_platform")]
)
@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "raise ImportError('libhailort.so.4.22: cannot open\\nsecond line')",
            "load: libhailort.so.4.22: cannot open. Do",
        ),
        ("import package_of_none", "load: No module named 'package_of_none'. Do"),
    ],
)
def test_a_package_that_does_not_load_is_not_called_missing(bundle, run, script, package, code, said):
    (bundle / "a.hef").touch()
    (bundle / f"{package}.py").write_text(code)  # the folder of the script comes first
    line = run(f"{script}.py")
    assert line.startswith(f"error: {package} is installed, but does not")
    assert said in line


def test_the_double_of_the_compiler_refuses_steps_out_of_turn(run):
    run("compile_hailo.py", "--dry-run")
    sdk = importlib.import_module("hailo_sdk_client")
    with pytest.raises(ValueError, match="no architecture"):
        sdk.ClientRunner(hw_arch="hailo15h")
    with pytest.raises(RuntimeError, match="QUANTIZED_MODEL, not UNINITIALIZED"):
        sdk.ClientRunner(hw_arch="hailo8").compile()


def damage_info(bundle):
    (bundle / "export_info.json").write_text('{"schema": ')


def damage_samples(bundle):
    path = bundle / "samples.npz"
    path.write_bytes(path.read_bytes()[:-100])


def scale_calibration(bundle):
    np.save(bundle / "calib_set.npy", np.load(bundle / "calib_set.npy") / 255)


def grow_calibration(bundle):
    np.save(bundle / "calib_set.npy", np.load(bundle / "calib_set.npy") + 100)


def pickle_calibration(bundle):
    np.save(bundle / "calib_set.npy", np.array([{}], dtype=object), allow_pickle=True)


def add_to_calibration(bundle):
    np.save(bundle / "calib_set.npy", np.load(bundle / "calib_set.npy")[:100])


def model(**changes):
    """Return a function that changes what export_info.json says of the model."""
    return lambda bundle: change(
        bundle, model={**json.loads((bundle / "export_info.json").read_text())["model"], **changes}
    )


def inflate_samples(bundle):
    """Have samples.npz say that one of its arrays has 4 GB, checksum and all."""
    path = bundle / "samples.npz"
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # of the list of its files, where the size of each stands unpacked
    content[entry + 24 : entry + 28] = (4 * 10**9).to_bytes(4, "little")
    path.write_bytes(content)
    files = json.loads((bundle / "export_info.json").read_text())["files"]
    change(bundle, files={**files, path.name: {"sha256": hashlib.sha256(content).hexdigest()}})


def grow_file(bundle):
    with open(bundle / "calib_set.npy", "r+b") as file:
        file.truncate(3 * 10**9)  # takes no room on the disk


def repeat_calibration(bundle):
    np.save(bundle / "calib_set.npy", np.load(bundle / "calib_set.npy").repeat(3, axis=3))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_info, "export_info.json is damaged"),
        (lambda bundle: change(bundle, version=2), "another version: emo_utils.hailo_bundle 2"),
        (lambda bundle: change(bundle, normalisation={"mean": [1], "std": [1, 2]}), "not have 1 numbers as std"),
        (lambda bundle: change(bundle, normalisation={"mean": [1], "std": [0]}), "std that is not positive"),
        (lambda bundle: change(bundle, files={"small-cnn.tflite": 1}), "does not hold objects"),
        (lambda bundle: change(bundle, model={"name": "../a", "class_names": ["a", "b"]}), "not one of a file"),
        (lambda bundle: change(bundle, input={"height": 48, "width": 48}), "does not say 'channels'"),
        (lambda bundle: (bundle / "export_info.json").unlink(), "cannot be read: No such file"),
        (lambda bundle: (bundle / "small-cnn.tflite").unlink(), "small-cnn.tflite is missing"),
        (model(macs="x"), "macs is not a whole number: 'x'"),
        (model(parameters=-1), "parameters is not a whole number: -1"),
        (model(recipe_hash=float("nan")), "NaN is no number"),
        (model(recipe_hash=1), "recipe_hash is not a text"),
        (model(class_names=["a", 1]), "class_names is not a list of names"),
        (lambda bundle: (bundle / "model.alls").unlink(), "model.alls cannot be read: No such file"),
        (lambda bundle: (bundle / "model.alls").write_bytes(b"\xff"), "model.alls is not text in UTF-8"),
        (
            add_to_calibration,
            "line 2, says calibset_size=140, and calib_set.npy has 100 images. Write calibset_size=100",
        ),
        (inflate_samples, "its arrays are larger than they can be"),
        (grow_file, "it is larger than 2 GB"),
        (damage_samples, "samples.npz is not the file that was exported"),
        (scale_calibration, "values from 0 to 1. Calibration wants raw grey levels"),
        (grow_calibration, "Calibration wants raw grey levels, 0 to 255"),
        (pickle_calibration, "calib_set.npy is damaged"),
        (repeat_calibration, "float32 of shape (140, 48, 48, 3), not float32 (n, *(48, 48, 1))"),
    ],
)
def test_damaged_input_is_named(bundle, run, damage, said):
    damage(bundle)
    line = run("compile_hailo.py", "--dry-run")
    assert line.startswith("error: ")
    assert said in line


@pytest.fixture
def hef(bundle):
    """A "hef" of the double: the logits of the samples, the first three of another class."""
    with np.load(bundle / "samples.npz") as samples:
        images, logits = samples["images"][..., None], samples["logits"].copy()
    logits[:3] = -logits[:3]
    with open(bundle / "small.hef", "wb") as file:
        np.savez(file, images=images, logits=logits)
    return bundle / "small.hef"


def test_a_run_writes_a_bench_file_that_the_course_reads(bundle, run, hef):
    out = run("run_hailo.py", "--n", 80, "--warmup", 5, "--power-seconds", 0.01)
    document = read_bench_file(bundle / "bench_hailo.json")
    (result,) = document["results"]
    assert document["device"]["name"] == "HAILO8L: HAILO-8 (double)"
    assert document["device"]["software"] == "HailoRT 4.23.0"
    assert (result["runtime"], result["precision"], result["model"]) == ("hailort", "int8", "small-cnn")
    assert result["n"] == len(result["latencies_ms"]) == 80
    assert result["agreement"] == pytest.approx(67 / 70)
    assert result["p90_ms"] == pytest.approx(np.percentile(result["latencies_ms"], 90), abs=1e-5)
    assert (result["idle_mw"], result["power_mw"]) == (1000, 3000)
    assert result["energy_net_mj"] == pytest.approx(result["energy_gross_mj"] * 2 / 3)
    assert "p90" in out
    made = calls(bundle)
    assert [c["batch_size"] for c in made if c["call"] == "set_batch_size"] == [1, 8, 32, 1]
    assert {c["type"] for c in made if c.get("stream") == "input"} == {"UINT8"}
    assert {c["type"] for c in made if c.get("stream") == "output"} == {"FLOAT32"}


def test_the_bench_file_says_which_compiler_and_which_bits(bundle, run, hef):
    with open(bundle / "model.alls", "a") as script:
        script.write("quantization_param(conv1, precision_mode=a16_w16)\n")
    run("run_hailo.py", "small.hef", "--warmup", 1, "--power-seconds", 0)
    assert read_bench_file(bundle / "bench_hailo.json")["results"][0]["precision"] == "int8x16"
    line = "# quantization_param(conv1, precision_mode=a16_w16)"
    steps = [{"step": "load_script", "script": [line]}, {"step": "compile_hef", "file": "small.hef"}]
    known = {
        "schema": "emo_utils.hailo_compile",
        "version": 1,
        "model": "small-cnn",
        "targets": {"hailo8": {"steps": steps, "dataflow_compiler": "3.33.1"}},
    }
    (bundle / "compile_report.json").write_text(json.dumps(known))
    run("run_hailo.py", "small.hef", "--warmup", 1, "--power-seconds", 0, "--out", "b.json")
    document = read_bench_file(bundle / "b.json")
    assert document["device"]["software"] == "HailoRT 4.23.0, Dataflow Compiler 3.33.1"
    assert document["results"][0]["precision"] == "int8"  # of the .hef, which was made before the line


@pytest.mark.parametrize(("fault", "measured"), [("queue", True), ("full", False)])
def test_a_short_queue_does_not_cost_the_measurement(bundle, run, hef, fault, measured):
    run("run_hailo.py", "--warmup", 1, "--power-seconds", 0, faults=fault)
    (result,) = read_bench_file(bundle / "bench_hailo.json")["results"]
    assert result["per_second_b8"] > 0
    assert (result["per_second_b32"] is not None) == measured
    assert ("no throughput with 32 faces at a time: HAILO_QUEUE_IS_FULL" in run.warned.err) != measured
    if measured:
        assert sys.modules["hailo_platform"]._runs[-3:] == [12, 12, 8]


def test_a_bench_file_is_not_overwritten(bundle, run, hef):
    (bundle / "bench_hailo.json").write_text("of yesterday")
    assert "bench_hailo.json holds an earlier measurement. Move it away, or name another" in run("run_hailo.py")
    assert (bundle / "bench_hailo.json").read_text() == "of yesterday"


def test_without_a_sensor_power_is_null(bundle, run, hef):
    run("run_hailo.py", "--n", 1, "--warmup", 1, "--power-seconds", 0.01, faults="power")
    (result,) = read_bench_file(bundle / "bench_hailo.json")["results"]
    assert result["power_mw"] is result["energy_gross_mj"] is None
    assert result["n"] == 70  # every sample at least once


@pytest.mark.parametrize(
    ("args", "faults", "said"),
    [
        ((), "device", "HailoRT says: no device was found"),
        ((), "shape", r"takes (49, 48, 1), the samples are (48, 48, 1)"),
        (("missing.hef",), "", "missing.hef: no such file"),
        (("--n", "0"), "", "must be at least 1"),
        (("--out", "nowhere/a.json"), "", "nowhere/a.json cannot be written: No such file or directory"),
        (("--out", "."), "", ". cannot be written: there is a folder of that name"),
    ],
)
def test_a_run_that_cannot_be_is_one_line(bundle, run, hef, args, faults, said):
    line = run("run_hailo.py", *args, faults=faults)
    assert line.startswith("error: ")
    assert said in line
    assert not (bundle / "bench_hailo.json").exists()


def test_a_dry_run_needs_no_chip_and_several_hefs_want_a_name(bundle, run, hef):
    assert "input UINT8 (48, 48, 1)" in run("run_hailo.py", "--dry-run")
    shutil.copy(hef, bundle / "other.hef")
    assert "There are several: other.hef, small.hef. Name one." in run("run_hailo.py")


def test_the_scripts_keep_to_the_python_that_they_promise():
    vermin = pytest.importorskip("vermin")
    folder = Path(__file__).parents[1] / "emo_utils" / "device" / "hailo"
    for names, newest in (("hailo_bundle run_hailo run_steps", (3, 8)), ("compile_hailo compile_steps", (3, 10))):
        for name in names.split():
            _, needed = vermin.detect((folder / f"{name}.py").read_text())
            assert needed <= newest, name
