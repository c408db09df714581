"""Compile the bundle for Hailo-8 or Hailo-8L with Hailo's Dataflow Compiler (DFC) 3.x, checking each step.

Runs in the compiler's own environment (x86-64 Ubuntu, Python 3.10 to 3.12) and needs nothing but it and numpy:

    python compile_hailo.py --dry-run       what would be done, without the compiler
    python compile_hailo.py                 a .hef for hailo8, and compile_report.json
    python compile_hailo.py --hw-arch hailo8 --hw-arch hailo8l

The course has run this script against a double of the compiler only, never against the compiler itself.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from compile_steps import STEPS, Job
from hailo_bundle import (
    REPORT_SCHEMA,
    BundleError,
    bundle_file,
    check_writable,
    first_line,
    load,
    read_calibration,
    read_info,
    read_report,
    read_samples,
    read_script,
    write_json,
)

FOLDER = Path(__file__).resolve().parent
REPORT = "compile_report.json"
NO_COMPILER = (
    "hailo_sdk_client is not installed. It is Hailo's Dataflow Compiler, which Hailo alone gives out: open an account "
    "in the Hailo Developer Zone (hailo.ai/developer-zone), download the wheel of version 3.33 (the 3.x line; 5.x does "
    "not know Hailo-8) and install it with pip on x86-64 Ubuntu 22.04 or 24.04 with Python 3.10 to 3.12."
)


def make_job(info: dict, arch: str, only: str | None) -> Job:
    """Return the compilation for one architecture, with the files of the bundle read and checked.

    Raises:
        BundleError: one is missing or does not fit.
    """
    name = info["model"]["name"]
    names = {
        "tflite": f"{name}.tflite",
        "onnx": f"{name}.onnx",
        "alls": "model.alls",
        "har": f"{name}_{arch}.har",
        "quantised": f"{name}_{arch}_quantised.har",
        "compiled": f"{name}_{arch}_compiled.har",
        "hef": f"{name}_{arch}.hef",
    }
    for kind in ("tflite", "onnx"):
        bundle_file(FOLDER, info, names[kind])
    samples, calibration = read_samples(FOLDER, info), read_calibration(FOLDER, info)
    check_calibset_size(read_script(FOLDER), len(calibration))
    return Job(
        sdk=None,
        arch=arch,
        only=only,
        net=re.sub(r"\W", "_", name),  # it becomes part of layer names, as in net/conv1
        names=names,
        folder=FOLDER,
        raw=samples["images"].astype(np.float32),
        labels=samples["labels"],
        reference=samples["logits"],
        calibration=calibration,
        mean=np.asarray(info["normalisation"]["mean"], dtype=np.float32),
        std=np.asarray(info["normalisation"]["std"], dtype=np.float32),
    )


def check_calibset_size(script: list[str], n: int) -> None:
    """Raise BundleError where model.alls asks for another number of images than calib_set.npy has."""
    for number, line in enumerate(script, start=1):
        found = re.match(r"[^#]*calibset_size\s*=\s*(\d+)", line)
        if found and found[1] != str(n):
            raise BundleError(
                f"model.alls, line {number}, says calibset_size={found[1]:.20}, and calib_set.npy has {n} images. "
                f"Write calibset_size={n} there."
            )


def describe(job: Job) -> Iterator[str]:
    """Yield a line for each step."""
    words = {
        **job.names,
        "arch": job.arch,
        "net": job.net,
        "samples": f"float32 {job.raw.shape} of samples.npz",
        "raw": span(job.raw),
        "normalised": span((job.raw - job.mean) / job.std),
        "calibration": f"float32 {job.calibration.shape} of calib_set.npy, {span(job.calibration)}",
    }
    for i, (step, text) in enumerate(STEPS, start=1):
        yield f"{job.arch} {i}. {step.__name__}: {text.format(**words)}"


def span(values: np.ndarray) -> str:
    return f"{values.min():g} to {values.max():g}"


def compile_for(job: Job, report: dict) -> None:
    """Take all steps for one architecture; the report is written after each.

    Raises:
        BundleError: a step failed; the report says which.
    """
    target = report["targets"][job.arch] = {"status": "running", "dataflow_compiler": job.version, "steps": []}
    for step, _ in STEPS:
        start = time.perf_counter()
        try:
            result = step(job)
        except Exception as error:
            # Whatever the compiler raises is its own sentence; a traceback through it helps nobody.
            ours = isinstance(error, (BundleError, OSError))
            text = str(error) if ours else f"the compiler says: {first_line(error)}"
            target.update(status="failed", failed_step=step.__name__, error=text)
            write_json(FOLDER / REPORT, report)
            raise BundleError(f"{job.arch}, {step.__name__}: {text}") from None
        seconds = round(time.perf_counter() - start, 3)
        target["steps"].append({"step": step.__name__, "seconds": seconds, **result})
        if step is STEPS[-1][0]:
            target["status"] = "ok"
        write_json(FOLDER / REPORT, report)
        says = "accuracy {accuracy:.1%}, same class as Keras {agreement:.1%}" if "accuracy" in result else "{file}"
        print(f"{job.arch} {step.__name__}, {seconds:.1f} s: {says.format(**{'file': 'done', **result})}", flush=True)
        if "warning" in result:
            print(f"warning: {job.arch}: {result['warning']}", file=sys.stderr, flush=True)


def load_compiler():
    """Return the compiler's module and its version, None where it does not say.

    Raises:
        BundleError: not installed, not in order, or of the line that does not know Hailo-8.
    """
    sdk = load("hailo_sdk_client", NO_COMPILER)
    try:
        version = importlib.metadata.version("hailo-dataflow-compiler")
    except importlib.metadata.PackageNotFoundError:
        version = None
    if version and not version.startswith("3."):
        raise BundleError(f"This is Dataflow Compiler {version}; Hailo-8 and Hailo-8L need version 3.x, such as 3.33.")
    return sdk, version


def main() -> None:
    parser = argparse.ArgumentParser(description="Compile this bundle to a .hef for Hailo-8 or Hailo-8L.")
    parser.add_argument(
        "--hw-arch", action="append", choices=("hailo8", "hailo8l"), help="chip; may be given twice (default: hailo8)"
    )
    parser.add_argument("--parse", choices=("tflite", "onnx"), help="parse this file only (default: TFLite, else ONNX)")
    parser.add_argument("--dry-run", action="store_true", help="print each step; needs no compiler")
    args = parser.parse_args()
    info = read_info(FOLDER)
    jobs = [make_job(info, arch, args.parse) for arch in dict.fromkeys(args.hw_arch or ["hailo8"])]
    if args.dry_run:
        print(*(line for job in jobs for line in describe(job)), sep="\n")
        return
    check_writable(FOLDER / REPORT)
    sdk, version = load_compiler()
    about = {"model": info["model"]["name"], "recipe_hash": info["model"].get("recipe_hash")}
    earlier = read_report(FOLDER)  # of the same model, for another chip perhaps
    same = all(earlier.get(key) == value for key, value in about.items())
    report = {
        "schema": REPORT_SCHEMA,
        "version": 1,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **about,
        "stand_in": info["stand_in"],
        "targets": earlier["targets"] if earlier and same else {},
    }
    errors = []
    for job in jobs:
        job.sdk, job.version = sdk, version
        try:
            compile_for(job, report)
        except BundleError as error:  # the other chip may still do
            errors.append(str(error))
    if errors:
        raise BundleError(" | ".join(errors))


if __name__ == "__main__":
    try:
        main()
    except BundleError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(f"error: interrupted; what was finished is in {REPORT}")
