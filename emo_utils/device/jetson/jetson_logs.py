"""What trtexec, tegrastats, nvpmodel and L4T print, as numbers: text in, plain values out. Python 3.6 alone.

The formats are those of TensorRT 8.2 to 10, and of tegrastats from L4T R32 to R39.
"""

import json
import math
import re

# Every board reports its own rails; these two are what the whole module draws. The others are parts of it.
BOARD_RAILS = ("POM_5V_IN", "VDD_IN")

# A rail is "NAME now/average", on newer boards "NAME nowmW/averagemW" and, on R39, with a third value. What looks like
# it but ends in another unit ("RAM 1923/3964MB") is none.
_RAIL = re.compile(r"\b([A-Z][A-Z0-9_]*) (\d{1,7})(?:mW)?/\d+(?:mW)?(?:/\d+(?:mW)?)?(?=\s|$)")
_MEMORY = re.compile(r"\bRAM \d+/\d+MB")
_GPU_HEAT = re.compile(r"\bgpu@(\d{1,3}(?:\.\d+)?)C", re.IGNORECASE)

_VERSION = re.compile(r"\[TensorRT v(\d+)\]")
# What trtexec prints after the real cause, whatever that was.
_AFTERMATH = (
    "Engine set up failed",
    "Failed to create engine",
    "Building engine failed",
    "Engine could not be created",
    "Parsing model failed",
    "Failed to parse onnx file",
    "Assertion enginePtr",
    "Assertion engine != nullptr",
)


def parse_tegrastats(line):
    """Return one line of tegrastats as a dict, or None where it is none.

    Keys: power_mw {rail: mW at that moment}, gpu_celsius (None where it is not given).
    """
    if not _MEMORY.search(line):
        return None
    heat = _GPU_HEAT.search(line)
    return {
        "power_mw": {name: int(now) for name, now in _RAIL.findall(line)},
        "gpu_celsius": float(heat.group(1)) if heat else None,
    }


def read_tegrastats(text):
    """Return the readings of a tegrastats log and whether its last line is cut.

    tegrastats ends every line with a newline, so a last line without one was cut while it was written. Its last number
    may have lost digits, and it is left out.
    """
    lines = text.splitlines()
    cut = bool(lines) and not text.endswith("\n")
    readings = [parse_tegrastats(line) for line in (lines[:-1] if cut else lines)]
    return [r for r in readings if r], cut


def mean_power(readings):
    """Return (rail, mean mW) of readings from `read_tegrastats`, or (None, None) where none has a rail.

    The rail is that of the whole module; on boards without one, the sum of all rails, as jetson_stats takes it. A line
    that lacks what the others have does not count.
    """
    with_power = [r["power_mw"] for r in readings if r["power_mw"]]
    if not with_power:
        return None, None
    for rail in BOARD_RAILS:
        values = [power[rail] for power in with_power if rail in power]
        if values:
            return rail, sum(values) / len(values)
    rails = max(with_power, key=len).keys()
    values = [sum(power.values()) for power in with_power if power.keys() == rails]
    return "sum of " + ", ".join(sorted(rails)), sum(values) / len(values)


def parse_nvpmodel(text):
    """Return the name of the power mode of `nvpmodel -q`, or None. Ids differ between boards, names say what is set."""
    found = re.search(r"^NV Power Mode:\s*(\S+)", text, re.MULTILINE)
    return found.group(1) if found else None


def parse_l4t(text):
    """Return the L4T version in the text of /etc/nv_tegra_release, e.g. "32.7.1", or None."""
    found = re.search(r"# R(\d+) \(release\), REVISION: ([\d.]+)", text)
    return ".".join(found.groups()) if found else None


def parse_trtexec(text):
    """Return what a run of trtexec says of itself, each value None where it says nothing.

    Keys: version (8, 2, 1), passed (bool), per_second (queries a second), mean_ms (of the host latency, without the
    warm-up), seconds (wall time of the timed queries), load_seconds (to load a saved engine).
    """
    return {
        "version": _version(text),
        "passed": "&&&& PASSED" in text and "&&&& FAILED" not in text,
        "per_second": _number(r"Throughput: ([\d.e+-]+) qps", text),
        # Up to TensorRT 8.3 there is an "End-to-End Host Latency" too, and always one of each direction of transfer.
        "mean_ms": _number(r"\[I\] Latency: .*?mean = ([\d.e+-]+) ms", text),
        "seconds": _number(r"Total Host Walltime: ([\d.e+-]+) s", text),
        "load_seconds": _number(r"Engine (?:loaded|deserialized) in ([\d.e+-]+) sec", text),
    }


def failure_line(text):
    """Return the line of a failed trtexec that tells the cause: its last error that is not just a consequence."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("&&&&")]
    errors = [line.split("[E]", 1)[1].strip() for line in lines if "[E]" in line]
    causes = [line for line in errors if not any(mark in line for mark in _AFTERMATH)]
    return ((causes or errors or lines or ["it printed nothing"])[-1])[:300]


def parse_times(text, warm_up_ms):
    """Return (timed, warm-up) latencies in ms of a file of `trtexec --exportTimes`.

    A latency is the way of one image to the GPU, through the network and back ("latencyMs"). Versions that know the
    end-to-end latency, 8.2 among them, write the queries of the warm-up too. trtexec itself counts a query as warm-up
    whose computation began before `warm_up_ms`, and so does this.

    Raises:
        ValueError: not such a file, or no timed query in it.
    """
    traces = _json_list(text)
    try:
        starts = [float(trace["startComputeMs"]) for trace in traces]
        latencies = [float(trace["latencyMs"]) for trace in traces]
    except (TypeError, KeyError, ValueError, OverflowError):
        raise ValueError("an entry has no startComputeMs or latencyMs") from None
    if not all(math.isfinite(v) and v > 0 for v in latencies):
        raise ValueError("a latency is not a positive number")
    begin = next((i for i, start in enumerate(starts) if start >= warm_up_ms), len(starts))
    if begin == len(starts):
        raise ValueError("no query was timed after the warm-up")
    return latencies[begin:], latencies[:begin]


def parse_output(text, n_classes):
    """Return the probabilities, a list of floats, in a file of `trtexec --exportOutput` of a model with one output.

    Raises:
        ValueError: not such a file, or not of `n_classes` finite numbers.
    """
    outputs = _json_list(text)
    values = outputs[0].get("values") if len(outputs) == 1 and isinstance(outputs[0], dict) else None
    if not isinstance(values, list) or len(values) != n_classes:
        raise ValueError(f"not one output of {n_classes} values")
    if not all(isinstance(v, (int, float)) and abs(v) < 1e30 for v in values):  # float() of a larger int may overflow
        raise ValueError("an answer is not a finite number")
    return [float(v) for v in values]


def _json_list(text):
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("not JSON, or cut short") from None
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _version(text):
    found = _VERSION.search(text)
    if not found:
        return None
    number = int(found.group(1))
    # v8201 is 8.2.1; since TensorRT 10 there are two digits to each part, and v100300 is 10.3.0
    if number >= 100000:
        return number // 10000, number // 100 % 100, number % 100
    return number // 1000, number // 100 % 10, number % 100


def _number(pattern, text):
    found = re.search(pattern, text)
    try:
        value = float(found.group(1)) if found else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None
