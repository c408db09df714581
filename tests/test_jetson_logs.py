"""The parsers of the Jetson bundle on true lines of the boards and of TensorRT."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
DEVICE = REPO / "emo_utils" / "device" / "jetson"
RECORDED = Path(__file__).parent / "doubles" / "recorded"

NANO = (
    "RAM 1923/3964MB (lfb 2x2MB) SWAP 191/1982MB (cached 6MB) IRAM 0/252kB(lfb 252kB) CPU [5%@1224,4%@1224,3%@1224,"
    "6%@1224] EMC_FREQ 0%@1600 GR3D_FREQ 0%@76 APE 25 PLL@37C CPU@40C PMIC@50C GPU@40C AO@45C thermal@40C "
    "POM_5V_IN 1750/1628 POM_5V_GPU 0/0 POM_5V_CPU 366/406"
)
ORIN_ROOT = (
    "11-22-2026 12:00:00 RAM 3148/7620MB (lfb 5x4MB) SWAP 0/3810MB (cached 0MB) CPU [0%@729,off,off,0%@729] EMC_FREQ "
    "1%@2133 GR3D_FREQ 0%@[305] gpu@44.531C tj@44.531C VDD_IN 2957mW/2957mW VDD_CPU_GPU_CV 486mW/486mW "
    "VDD_SOC 1012mW/1012mW"
)
ORIN_USER = ORIN_ROOT.replace("EMC_FREQ 1%@2133 GR3D_FREQ 0%@[305]", "GR3D_FREQ 0%")
JETPACK_5 = ORIN_ROOT.replace("GR3D_FREQ 0%@[305]", "GR3D_FREQ 0%@305 GR3D2_FREQ 0%@0")
R39 = ORIN_ROOT.replace("0%@[305]", "12%@[1300,1300]").replace("2957mW/2957mW", "9761mW/9761mW/9761mW")


@pytest.fixture
def logs(monkeypatch):
    monkeypatch.syspath_prepend(DEVICE)
    import jetson_logs

    return jetson_logs


def test_a_line_of_the_nano(logs):
    assert logs.parse_tegrastats(NANO) == {
        "power_mw": {"POM_5V_IN": 1750, "POM_5V_GPU": 0, "POM_5V_CPU": 366},
        "gpu_celsius": 40.0,
    }


@pytest.mark.parametrize(("line", "board"), [(ORIN_ROOT, 2957), (ORIN_USER, 2957), (JETPACK_5, 2957), (R39, 9761)])
def test_lines_of_the_orin(logs, line, board):
    reading = logs.parse_tegrastats(line)
    assert reading["power_mw"] == {"VDD_IN": board, "VDD_CPU_GPU_CV": 486, "VDD_SOC": 1012}
    assert reading["gpu_celsius"] == 44.531


def test_the_power_is_that_of_the_board_or_the_sum_of_its_rails(logs):
    def power(*lines):
        return logs.mean_power(logs.read_tegrastats("".join(line + "\n" for line in lines))[0])

    assert power(NANO, NANO.replace("1750/", "2750/")) == ("POM_5V_IN", 2250)
    assert power(ORIN_ROOT) == ("VDD_IN", 2957)
    rails = ORIN_ROOT.replace("VDD_IN 2957mW/2957mW ", "")
    assert power(rails) == ("sum of VDD_CPU_GPU_CV, VDD_SOC", 486 + 1012)
    assert power(NANO.split(" POM")[0], "not a line of it") == (None, None)
    # A line without the rail of the board does not turn the rest into a sum.
    assert power(ORIN_ROOT, rails, ORIN_ROOT.replace("2957mW", "2959mW")) == ("VDD_IN", 2958)
    assert power(rails, rails.replace("VDD_SOC", "")) == ("sum of VDD_CPU_GPU_CV, VDD_SOC", 486 + 1012)


def test_a_line_that_is_cut_is_left_out(logs):
    readings, cut = logs.read_tegrastats(f"{NANO}\n{NANO[: NANO.index('750/1628')]}")  # would read as 1 mW
    assert cut
    assert [r["power_mw"]["POM_5V_IN"] for r in readings] == [1750]
    assert logs.read_tegrastats(f"{NANO}\n")[1] is False
    assert logs.read_tegrastats("") == ([], False)


def test_the_power_mode_is_a_name(logs):
    assert logs.parse_nvpmodel("NV Power Mode: 15W\n0\n") == "15W"
    assert logs.parse_nvpmodel("NVPM WARN: power mode is not set!\nNV Power Mode: MAXN_SUPER\n2\n") == "MAXN_SUPER"
    assert logs.parse_nvpmodel("command not found") is None


def test_the_release_of_l4t(logs):
    text = "# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref, EABI: aarch64, DATE: Sat Feb 19 2022"
    assert logs.parse_l4t(text) == "32.7.1"
    assert logs.parse_l4t("") is None


def test_what_trtexec_says_on_a_nano(logs):
    said = logs.parse_trtexec((RECORDED / "trtexec-8.2.1-nano.txt").read_text())
    assert said == {
        "version": (8, 2, 1),
        "passed": True,
        "per_second": 11.0613,
        "mean_ms": 90.3919,  # of the latency, not of the end-to-end latency beside it
        "seconds": 3.16419,
        "load_seconds": None,
    }


def test_a_figure_that_is_none(logs):
    assert logs.parse_trtexec("[I] Throughput: 1e400 qps")["per_second"] is None
    assert logs.parse_trtexec("[I] Throughput: 1.2.3 qps")["per_second"] is None


def test_what_trtexec_says_on_an_orin(logs):
    said = logs.parse_trtexec((RECORDED / "trtexec-10.3-orin.txt").read_text())
    assert (said["version"], said["per_second"], said["mean_ms"]) == ((10, 3, 0), 318.007, 3.14068)
    assert logs.parse_trtexec("[I] Engine deserialized in 0.0283 sec.")["load_seconds"] == 0.0283


def test_the_cause_of_a_failure_not_its_consequences(logs):
    text = (RECORDED / "trtexec-8.5.3-failed.txt").read_text()
    assert not logs.parse_trtexec(text)["passed"]
    assert "Could not find any implementation for node /neck/deblocks.1" in logs.failure_line(text)
    assert logs.failure_line("[x] [E] Engine set up failed\n") == "Engine set up failed"
    assert logs.failure_line("Segmentation fault\n&&&& FAILED") == "Segmentation fault"
    assert logs.failure_line("") == "it printed nothing"


def trace(*latencies, start=0):
    return [{"startComputeMs": start + 10 * i, "latencyMs": v} for i, v in enumerate(latencies)]


def test_times_of_the_warm_up_do_not_count(logs):
    assert logs.parse_times(json.dumps(trace(9, 9, 2, 3)), 20) == ([2.0, 3.0], [9.0, 9.0])
    assert logs.parse_times(json.dumps(trace(2, 3, start=20)), 20) == ([2.0, 3.0], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps(trace(2, 3))[:-9], "not JSON, or cut short"),
        ('{"a": 1}', "not a list"),
        ("[1]", "no startComputeMs"),
        ('[{"startComputeMs": 1' + 400 * "0" + ', "latencyMs": 1}]', "no startComputeMs"),
        (100_000 * "[", "not JSON"),
        (json.dumps(trace(2, -1)), "not a positive number"),
        (json.dumps(trace(2, 3)).replace("3}", "NaN}"), "not a positive number"),
        (json.dumps(trace(2, 3)), "no query was timed"),
    ],
)
def test_damaged_times_are_named(logs, text, message):
    with pytest.raises(ValueError, match=message):
        logs.parse_times(text, 20 if "no query" in message else 0)


def test_answers_of_the_engine(logs):
    text = '[\n  { "name" : "probabilities"\n  , "dimensions" : "1x3"\n  , "values" : [ 0.25, 0.5, 2.5e-01 ]\n  }\n]\n'
    assert logs.parse_output(text, 3) == [0.25, 0.5, 0.25]
    with pytest.raises(ValueError, match="not one output of 7 values"):
        logs.parse_output(text, 7)
    with pytest.raises(ValueError, match="not JSON"):
        logs.parse_output(text.replace("0.5", "nan"), 3)
    for odd in ('"a"', "1" + 400 * "0", "1e400"):
        with pytest.raises(ValueError, match="not a finite number"):
            logs.parse_output(text.replace("0.5", odd), 3)


@pytest.mark.parametrize(("code", "holds"), [(None, True), ("if (n := 3) > 2:\n    pass\n", False)])
def test_every_script_keeps_to_python_36(tmp_path, code, holds):
    pytest.importorskip("vermin")
    paths = sorted(DEVICE.glob("*.py"))
    if code:
        (tmp_path / "new.py").write_text(code)
        paths = [tmp_path / "new.py"]
    command = [
        sys.executable,
        "-c",
        "import vermin; vermin.main()",
        "-t=3.6-",
        "--violations",
        "--no-tips",
        *map(str, paths),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode == 0) is holds, done.stdout
