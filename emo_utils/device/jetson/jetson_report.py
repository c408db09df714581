"""The bench file: figures of one engine, and all of them written in one step. Python 3.6 and numpy."""

import json
import os
import platform
import tempfile
import time

import numpy as np
from jetson_power import board_name, power_mode, system_name

# One measurement, schema emo_utils.bench version 1: every key is there, None where nothing was measured.
# fmt: off
RESULT_KEYS = (
    "model", "recipe_hash", "runtime", "precision", "threads", "n", "init_ms", "first_ms", "warmup_ms", "p50_ms",
    "p90_ms", "p95_ms", "p99_ms", "mean_ms", "std_ms", "per_second_b1", "per_second_b8", "per_second_b32", "peak_mb",
    "bytes", "parameters", "macs", "accuracy", "accuracy_n", "agreement", "gmacs_per_s", "peak_share", "power_mw",
    "idle_mw", "power_rail", "energy_gross_mj", "energy_net_mj", "latencies_ms",
)
# fmt: on


def make_result(figures):
    """Return a measurement with every key of the schema, in its order.

    Raises:
        KeyError: a figure that the schema does not know.
    """
    unknown = set(figures) - set(RESULT_KEYS)
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))
    return {key: figures.get(key) for key in RESULT_KEYS}


def latency_figures(timed, warm_up):
    """Return the figures of latencies in ms; percentiles are exact, by linear interpolation between two runs."""
    p50, p90, p95, p99 = (float(p) for p in np.percentile(timed, [50, 90, 95, 99]))
    return {
        "n": len(timed),
        "first_ms": warm_up[0] if warm_up else None,
        "warmup_ms": float(np.mean(warm_up)) if warm_up else None,
        "p50_ms": p50,
        "p90_ms": p90,
        "p95_ms": p95,
        "p99_ms": p99,
        "mean_ms": float(np.mean(timed)),
        "std_ms": float(np.std(timed)),
        "latencies_ms": timed,
    }


def energy_figures(power_mw, idle_mw, per_second):
    """Return power in mW and energy an image in mJ: gross, and net of what the idle board draws."""
    figures = {"power_mw": power_mw, "idle_mw": idle_mw}
    if power_mw is not None:
        figures["energy_gross_mj"] = power_mw / per_second
        if idle_mw is not None:
            figures["energy_net_mj"] = (power_mw - idle_mw) / per_second
    return figures


def summary(result):
    """Return one line to print."""
    energy = result["energy_gross_mj"]
    energy = "energy unknown" if energy is None else f"{energy:.3g} mJ an image"
    return (
        f"{result['precision']}: p50 {result['p50_ms']:.3f} ms, p90 {result['p90_ms']:.3f} ms, "
        f"{result['per_second_b1']:.0f} images/s, {energy}, "
        f"same class as Keras on {result['agreement']:.0%} of {result['accuracy_n']} faces"
    )


def check_out(path):
    """Find out before minutes of measuring whether the bench file can be written.

    Raises:
        OSError: it cannot, or there is an earlier one, which would be lost; the text says so in one line.
    """
    if os.path.isdir(path):
        raise OSError(f"{path}: a folder. Name a file with --out.")
    if os.path.exists(path):
        raise OSError(f"{path}: holds an earlier measurement. Move it away, or name another file with --out.")
    try:
        with tempfile.TemporaryFile(dir=os.path.dirname(os.path.abspath(path))):
            pass
    except OSError as error:
        raise OSError(f"{path}: cannot be written: {error.strerror}.") from None


def write_bench(path, version, results):
    """Write the bench file in one step, so that a full disk or a Ctrl-C leaves no half of one.

    Args:
        path: replaced where it exists.
        version: of TensorRT, three numbers.
        results: from `make_result`.
    """
    bench = {
        "schema": "emo_utils.bench",
        "version": 1,
        "made_by": "bench_jetson.py",
        "time": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        "device": {
            "name": board_name(),
            "system": system_name(),
            "python": platform.python_version(),
            "power_mode": power_mode(),
            "software": "TensorRT {}.{}.{}".format(*version),
        },
        "results": results,
    }
    handle, partial = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), suffix=".json")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(bench, file, indent=1, allow_nan=False)
        os.chmod(partial, 0o644)  # mkstemp lets nobody but the owner read it
        os.replace(partial, path)
    except BaseException:
        os.remove(partial)
        raise
