"""Run a compiled .hef on a Hailo-8 or Hailo-8L: accuracy, times of single faces, throughput and power as one JSON file.

Runs where the chip is (Python 3.8 or newer, HailoRT 4.x with its Python package hailo_platform, numpy below 2):

    python run_hailo.py --dry-run           what would be done, without a chip
    python run_hailo.py                     the only .hef beside this script; writes bench_hailo.json
    python run_hailo.py my_hailo8l.hef --n 2000 --power-seconds 0

`python -m emo_utils bench import bench_hailo.json` brings the file into the course's table. The course has run this
script against a double of HailoRT only, never on a chip.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
from hailo_bundle import (
    BundleError,
    check_writable,
    first_line,
    load,
    precision_of,
    read_info,
    read_report,
    read_samples,
    read_script,
    write_json,
)
from run_steps import describe_device, measure_power, throughput, time_single

FOLDER = Path(__file__).resolve().parent
BATCHES = (8, 32)
NO_RUNTIME = (
    "hailo_platform is not installed. It is the Python package of HailoRT 4.x (4.23 fits DFC 3.33; 5.x does not know "
    "Hailo-8): on a Raspberry Pi 5 `sudo apt install hailo-all`, elsewhere from the Hailo Developer Zone "
    "(hailo.ai/developer-zone); it needs numpy below 2."
)


def how_compiled(info, hef):
    """Return (precision, version of the compiler or None) of a .hef.

    compile_report.json says both; where it is not here, the precision is the one that model.alls asks for now.
    """
    report = read_report(FOLDER)
    try:
        for target in report["targets"].values() if report.get("model") == info["model"]["name"] else ():
            steps = {step["step"]: step for step in target["steps"]}
            if steps.get("compile_hef", {}).get("file") == hef.name:
                version = target["dataflow_compiler"]
                return precision_of(steps["load_script"]["script"]), version if isinstance(version, str) else None
    except (KeyError, TypeError, AttributeError):
        pass  # not as compile_hailo.py wrote it
    return precision_of(read_script(FOLDER)), None


def summarise(info, samples, hef, logits, times, more):
    """Return the result in the schema of emo_utils.bench; null is what was not measured."""
    classes, model = logits.argmax(axis=1), info["model"]
    p50, p90, p95, p99 = (float(np.percentile(times, q)) for q in (50, 90, 95, 99))
    macs = model.get("macs")
    return {
        "model": model["name"],
        "recipe_hash": model.get("recipe_hash"),
        "runtime": "hailort",
        "threads": None,
        "n": len(times),
        "p50_ms": p50,
        "p90_ms": p90,
        "p95_ms": p95,
        "p99_ms": p99,
        "mean_ms": float(times.mean()),
        "std_ms": float(times.std()),
        "per_second_b1": 1000 / float(times.mean()),
        # Linux counts in KiB.
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "bytes": hef.stat().st_size,
        "parameters": model.get("parameters"),
        "macs": macs,
        "accuracy": float((classes == samples["labels"]).mean()),
        "accuracy_n": len(classes),
        "agreement": float((classes == samples["logits"].argmax(axis=1)).mean()),
        "gmacs_per_s": macs / p50 / 1e6 if macs else None,
        "peak_share": None,
        "power_mw": None,
        "idle_mw": None,
        "power_rail": None,
        "energy_gross_mj": None,
        "energy_net_mj": None,
        "latencies_ms": [round(t, 6) for t in times.tolist()],
        **more,
    }


def measure(hailo, info, samples, hef, args):
    """Return the bench file of one .hef.

    Raises:
        BundleError: the .hef is not of this bundle.
    """
    images = samples["images"]
    precision, compiler = how_compiled(info, hef)
    params = hailo.VDevice.create_params()
    params.scheduling_algorithm = hailo.HailoSchedulingAlgorithm.ROUND_ROBIN
    with hailo.VDevice(params) as device:
        logits, times, more = time_single(hailo, device, hef, images, args.n, args.warmup)
        if logits.shape != samples["logits"].shape or not np.isfinite(logits).all():
            raise BundleError(
                f"{hef.name} gives {logits.shape[1]} values a face, not {samples['logits'].shape[1]} finite logits: "
                "it is not of this bundle."
            )
        for batch in BATCHES:
            more[f"per_second_b{batch}"] = throughput(hailo, device, hef, images, batch)
        if args.power_seconds:
            more.update(measure_power(hailo, device, hef, images, args.power_seconds))
        return {
            "schema": "emo_utils.bench",
            "version": 1,
            "made_by": "run_hailo.py",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "device": describe_device(hailo, device, compiler),
            "results": [summarise(info, samples, hef, logits, times, {"precision": precision, **more})],
        }


def find_hef(name):
    """Return the path of the .hef: the one named, else the only one in the bundle."""
    found = [Path(name)] if name else sorted(FOLDER.glob("*.hef"))
    if len(found) > 1:
        raise BundleError(f"There are several: {', '.join(p.name for p in found)}. Name one.")
    if not found or not found[0].is_file():
        raise BundleError(f"{name or f'No .hef in {FOLDER}'}: no such file. compile_hailo.py makes it (README.md).")
    return found[0]


def describe(args, images):
    """Yield a line for each step."""
    seconds = f"{args.power_seconds:g} s"
    yield (
        f"1. VDevice, ROUND_ROBIN; create_infer_model('{args.hef or '*.hef'}'), input UINT8 {images.shape[1:]}, "
        "output FLOAT32"
    )
    yield f"2. {args.warmup} untimed and {args.n} timed runs of one face, in turns of the {len(images)} of samples.npz"
    yield f"3. throughput with {' and '.join(map(str, BATCHES))} faces at a time, a second each"
    yield f"4. power, where the board has a sensor: {seconds} idle and {seconds} under load"
    yield f"5. write {args.out}: accuracy, agreement with Keras, percentiles and raw times"


def main():
    parser = argparse.ArgumentParser(description="Measure a compiled .hef on a Hailo-8 or Hailo-8L.")
    parser.add_argument("hef", nargs="?", help="default: the only .hef beside this script")
    parser.add_argument("--n", type=int, default=1000, help="timed runs (default: 1000; at least one for each sample)")
    parser.add_argument("--warmup", type=int, default=50, help="untimed runs before (default: 50)")
    parser.add_argument("--power-seconds", type=float, default=5, help="of idling and of load; 0 leaves power out")
    parser.add_argument("--out", default="bench_hailo.json", help="file to write (default: bench_hailo.json)")
    parser.add_argument("--dry-run", action="store_true", help="print each step; needs no chip and no .hef")
    args = parser.parse_args()
    if args.n < 1 or args.warmup < 1 or not 0 <= args.power_seconds <= 600:
        raise BundleError("--n and --warmup must be at least 1, --power-seconds 0 to 600.")
    out = Path(args.out)
    info = read_info(FOLDER)
    samples = read_samples(FOLDER, info)
    args.n = max(args.n, len(samples["images"]))
    if args.dry_run:
        print(*describe(args, samples["images"]), sep="\n")
        return
    hef = find_hef(args.hef)
    check_writable(out)
    if out.exists():
        raise BundleError(f"{out} holds an earlier measurement. Move it away, or name another file with --out.")
    hailo = load("hailo_platform", NO_RUNTIME)
    try:
        document = measure(hailo, info, samples, hef, args)
    except BundleError:
        raise
    except Exception as error:  # HailoRT raises its own classes, in modules that depend on its version
        raise BundleError(
            f"HailoRT says: {first_line(error)}. Does the chip answer to `hailortcli fw-control identify`?"
        ) from None
    write_json(out, document)
    result = document["results"][0]
    print(
        f"{hef.name}: p50 {result['p50_ms']:.3f} ms, p90 {result['p90_ms']:.3f} ms, p99 {result['p99_ms']:.3f} ms "
        f"(n {result['n']}); accuracy {result['accuracy']:.1%} of {result['accuracy_n']}, same class as Keras "
        f"{result['agreement']:.1%}; {out}"
    )


if __name__ == "__main__":
    try:
        main()
    except BundleError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted; nothing was written")
