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
    BundleError,
    bundle_file,
    first_line,
    read_calibration,
    read_info,
    read_samples,
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
    if not (FOLDER / names["alls"]).is_file():  # no checksum: it is there to be edited
        raise BundleError(f"{FOLDER / names['alls']} is missing. Copy the bundle again, or export it anew.")
    samples = read_samples(FOLDER, info)
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
        calibration=read_calibration(FOLDER, info),
        mean=np.asarray(info["normalisation"]["mean"], dtype=np.float32),
        std=np.asarray(info["normalisation"]["std"], dtype=np.float32),
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
    target = report["targets"][job.arch] = {"status": "running", "steps": []}
    for step, _ in STEPS:
        start = time.perf_counter()
        try:
            result = step(job)
        except Exception as error:
            # Whatever the compiler raises is its own sentence; a traceback through it helps nobody.
            text = str(error) if isinstance(error, BundleError) else f"the compiler says: {first_line(error)}"
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


def load_compiler():
    """Return the compiler's module and its version, None where it does not say.

    Raises:
        BundleError: not installed, or of the line that does not know Hailo-8.
    """
    try:
        import hailo_sdk_client
    except ImportError:
        raise BundleError(NO_COMPILER) from None
    try:
        version = importlib.metadata.version("hailo-dataflow-compiler")
    except importlib.metadata.PackageNotFoundError:
        version = None
    if version and not version.startswith("3."):
        raise BundleError(f"This is Dataflow Compiler {version}; Hailo-8 and Hailo-8L need version 3.x, such as 3.33.")
    return hailo_sdk_client, version


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
    sdk, version = load_compiler()
    report = {
        "schema": "emo_utils.hailo_compile",
        "version": 1,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "dataflow_compiler": version,
        "model": info["model"]["name"],
        "recipe_hash": info["model"].get("recipe_hash"),
        "stand_in": info["stand_in"],
        "targets": {},
    }
    for job in jobs:
        job.sdk = sdk
        compile_for(job, report)


if __name__ == "__main__":
    try:
        main()
    except BundleError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(f"error: interrupted; {REPORT} says how far it came")
