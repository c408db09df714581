"""The steps from the exported net to a .hef, by the Python API of Hailo's Dataflow Compiler 3.x.

The calls are those of Hailo's own model zoo (v2.18) and of other public code; the compiler's guide is not public.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from hailo_bundle import BundleError, first_line, read_script

# Float arithmetic in another order moves logits in the last digits; a lost layer or a wrong scale moves them by far
# more than this share of the largest one.
MAX_DIFFERENCE = 0.01
# The share of faces with the class that Keras gave them. Below, a float net is a wrong one, and no .hef is made of it.
# A quantised net is one that rounds badly: the .hef is made, with a warning. The course asks as much of its int8 files.
MIN_AGREEMENT = {"SDK_NATIVE": 0.999, "SDK_FP_OPTIMIZED": 0.999, "SDK_QUANTIZED": 0.85}
# In the order of the list that Hailo's engineers give in their forum.
WHAT_TO_TRY = {
    "SDK_NATIVE": "The parsed net is not the exported one. Look at where it ends (`hailo visualizer {har} "
    "--no-browser`), and try the other file: --parse onnx.",
    "SDK_FP_OPTIMIZED": "The parsed net was right, so the model script is at fault: its normalization must be that of "
    "export_info.json, and the calibration set raw grey levels.",
    "SDK_QUANTIZED": "The float net was right, so rounding is at fault. In this order: faces like those of the camera "
    "in calib_set.npy; batch norm behind every convolution when training; 16 bits in model.alls for the layers that "
    "`hailo analyze-noise {quantised} --data-path calib_set.npy` finds noisy (README.md).",
}


@dataclass
class Job:
    """One compilation under way.

    Attributes:
        sdk, version: the module hailo_sdk_client, None in a dry run; and its version, None where it does not say.
        arch: hw_arch of the compiler.
        only: "tflite" or "onnx" to parse this file alone, None for the first that parses.
        net: name of the net in the compiler, of letters, digits and "_".
        names: file names by what they are.
        folder: of the bundle; everything is read from it and written to it.
        raw: float32 (n, height, width, channels), grey levels 0 to 255, to check with.
        labels: int64 (n,), of these faces.
        reference: float32 (n, n_classes), the logits of the Keras model.
        calibration: float32 (n, height, width, channels), grey levels 0 to 255.
        mean, std: by channel; (raw - mean) / std is what the net takes.
        runner: the compiler's ClientRunner, from the first step on.
    """

    sdk: Any
    arch: str
    only: str | None
    net: str
    names: dict[str, str]
    folder: Path
    raw: np.ndarray
    labels: np.ndarray
    reference: np.ndarray
    calibration: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    version: str | None = None
    runner: Any = field(default=None, repr=False)

    def path(self, what: str) -> str:
        return str(self.folder / self.names[what])


def parse(job: Job) -> dict:
    """Translate the float TFLite, else the ONNX; where neither parses whole, up to the end nodes recommended."""
    # That of an earlier run would outlive a failure and pass for what this one has made.
    Path(job.path("hef")).unlink(missing_ok=True)
    sources = (("tflite", "translate_tf_model"), ("onnx", "translate_onnx_model"))
    attempts = [(kind, method, []) for kind, method in sources if job.only in (None, kind)]
    failures = []
    for kind, method, end_nodes in attempts:  # grows below
        job.runner = job.sdk.ClientRunner(hw_arch=job.arch)
        options = {"end_node_names": end_nodes} if end_nodes else {}
        try:
            getattr(job.runner, method)(job.path(kind), job.net, **options)
        except Exception as error:  # the parser's errors have no base that is documented
            failures.append(f"{job.names[kind]}: {first_line(error)}")
            recommended = recommended_end_nodes(error)
            if recommended and not end_nodes:
                attempts.append((kind, method, recommended))
        else:
            return {"source": job.names[kind], "end_nodes": end_nodes, "failures": failures}
    raise BundleError(
        f"The parser takes none of the files: {' | '.join(failures)}. export_info.json names the operators in doubt "
        "and what to do about them."
    )


def save_har(job: Job) -> dict:
    """Keep the parsed net."""
    job.runner.save_har(job.path("har"))
    return {"file": job.names["har"]}


def check_native(job: Job) -> dict:
    """Feed normalised faces: the parsed net starts behind the normalisation."""
    return check(job, "SDK_NATIVE", (job.raw - job.mean) / job.std)


def load_script(job: Job) -> dict:
    """Have the model script applied by the steps that follow."""
    job.runner.load_model_script(job.path("alls"))
    return {"script": read_script(job.folder)}


def optimize_full_precision(job: Job) -> dict:
    """Apply what the script changes in the net itself: its normalisation."""
    job.runner.optimize_full_precision(calib_data=job.calibration)
    return {}


def check_full_precision(job: Job) -> dict:
    """Feed raw faces: the model script has put the normalisation into the net."""
    return check(job, "SDK_FP_OPTIMIZED", job.raw)


def optimize(job: Job) -> dict:
    """Quantise; the result is kept before it is checked, so that a net that fails can be looked into."""
    job.runner.optimize(job.calibration)
    job.runner.save_har(job.path("quantised"))
    return {"file": job.names["quantised"], "calibration_images": len(job.calibration)}


def check_quantised(job: Job) -> dict:
    """Feed raw faces to the emulation of the chip's arithmetic."""
    return check(job, "SDK_QUANTIZED", job.raw)


def compile_hef(job: Job) -> dict:
    """Write the file that the chip runs."""
    hef = job.runner.compile()
    draft = job.path("hef") + ".partial"
    Path(draft).write_bytes(hef)
    os.replace(draft, job.path("hef"))
    job.runner.save_har(job.path("compiled"))
    return {"file": job.names["hef"], "bytes": len(hef)}


# In this order. The text is what --dry-run prints: the files, shapes and calls of the step.
STEPS = (
    (
        parse,
        "ClientRunner(hw_arch='{arch}').translate_tf_model('{tflite}', '{net}'), where that fails "
        "translate_onnx_model('{onnx}', '{net}')",
    ),
    (save_har, "runner.save_har('{har}')"),
    (check_native, "runner.infer in SDK_NATIVE: {samples}, normalised {normalised}; against the logits of Keras"),
    (load_script, "runner.load_model_script('{alls}')"),
    (optimize_full_precision, "runner.optimize_full_precision(calib_data={calibration})"),
    (check_full_precision, "runner.infer in SDK_FP_OPTIMIZED: {samples}, raw {raw}; against the same logits"),
    (optimize, "runner.optimize({calibration}), runner.save_har('{quantised}')"),
    (check_quantised, "runner.infer in SDK_QUANTIZED: {samples}, raw {raw}; accuracy, share of the classes of Keras"),
    (compile_hef, "runner.compile() -> '{hef}', runner.save_har('{compiled}')"),
)


def check(job: Job, context: str, images: np.ndarray) -> dict:
    """Run the samples in the compiler's emulator and compare with the logits of Keras.

    Returns:
        What was found; with a "warning" where a quantised net gives too many faces another class.

    Raises:
        BundleError: a float net disagrees, or what comes out is not one vector of logits a face.
    """
    logits = infer(job, context, images)
    same = logits.argmax(axis=1) == job.reference.argmax(axis=1)
    difference = float(np.abs(logits - job.reference).max())
    # One face of a small set may sit on the fence between two classes.
    agrees = (~same).sum() <= max(1, (1 - MIN_AGREEMENT[context]) * len(same))
    close = difference <= MAX_DIFFERENCE * max(1.0, float(np.abs(job.reference).max()))
    quantised = context == "SDK_QUANTIZED"
    disagrees = (
        f"{context} disagrees with Keras: same class {same.mean():.1%} of {len(same)}, logits differ by up to "
        f"{difference:.3g}. {WHAT_TO_TRY[context].format(**job.names)}"
    )
    if not quantised and not (agrees and close):
        raise BundleError(disagrees)
    return {
        **({} if agrees else {"warning": disagrees}),
        "context": context,
        "n": len(same),
        "max_difference": difference,
        "agreement": float(same.mean()),
        "accuracy": float((logits.argmax(axis=1) == job.labels).mean()),
        "accuracy_keras": float((job.reference.argmax(axis=1) == job.labels).mean()),
    }


def infer(job: Job, context: str, images: np.ndarray) -> np.ndarray:
    """Return float32 logits (n, n_classes) of the emulator in a context of the compiler."""
    with job.runner.infer_context(getattr(job.sdk.InferenceContext, context)) as ctx:
        answers = job.runner.infer(ctx, images, batch_size=16)
    # One array, or by output a list or a dict of them.
    answers = list(answers.values()) if isinstance(answers, dict) else answers
    answers = answers if isinstance(answers, (list, tuple)) else [answers]
    wanted = job.reference.shape
    if len(answers) != 1 or np.size(answers[0]) != np.prod(wanted) or not np.isfinite(answers[0]).all():
        raise BundleError(
            f"{context} gives outputs of shape {[np.shape(a) for a in answers]}, not finite logits of shape {wanted}. "
            f"{WHAT_TO_TRY['SDK_NATIVE'].format(**job.names)}"
        )
    return np.asarray(answers[0], dtype=np.float32).reshape(wanted)


def recommended_end_nodes(error: Exception) -> list[str]:
    """Return the end nodes that a parser's error recommends, [] where it names none."""
    found = re.search(r"using these end node names:\s*([^\n]+)", str(error))
    return [name.strip(" '\"[]") for name in found[1].split(",") if name.strip(" '\"[]")] if found else []
