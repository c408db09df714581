"""The bundle for Hailo-8 and Hailo-8L: all that the vendor's compiler, on another machine, needs to be given."""

from __future__ import annotations

import hashlib
import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emo_utils.datasets import from_arrays
from emo_utils.datasets.base import FaceDataset
from emo_utils.export.device_part import DeviceModel, device_model
from emo_utils.export.hailo_operators import Doubt, doubtful_operators
from emo_utils.export.metadata import file_metadata
from emo_utils.export.onnx import export_onnx, onnx_runtime
from emo_utils.export.operators import onnx_operators, tflite_operators
from emo_utils.export.quiet import quiet_stderr
from emo_utils.export.run import litert_interpreter, run_tflite
from emo_utils.export.samples import take_samples
from emo_utils.export.tflite import export_tflite
from emo_utils.export.verify import Verification, verify_export
from emo_utils.pipeline import resize_images
from emo_utils.quantise import calibration_images

# What the compiler recommends; its log complains of fewer.
CALIBRATION = 1024
SAMPLES = 500
SCRIPTS = ("compile_hailo.py", "compile_steps.py", "hailo_bundle.py", "run_hailo.py", "run_steps.py", "README.md")
_DEVICE = Path(__file__).parents[1] / "device" / "hailo"
# hailo_model_zoo, README and CHANGELOG of v2.13 to v2.18. The 5.x line is for Hailo-10 and Hailo-15 alone.
VERSIONS = [
    {"model_zoo": "2.18", "dataflow_compiler": "3.33.1", "hailort": "4.23.0"},
    {"model_zoo": "2.17", "dataflow_compiler": "3.33.0", "hailort": "4.23.0"},
    {"model_zoo": "2.16", "dataflow_compiler": "3.32.0", "hailort": "4.22.0"},
]


def export_hailo(
    model: keras.Model, info: dict[str, Any], name: str, train: FaceDataset, test: FaceDataset, folder: Path
) -> list[tuple[str, Verification | None]]:
    """Write the bundle; README.md in it says what each file is for and which three commands follow.

    Nothing in it has been run on a Hailo device or through Hailo's compiler: the two float files are verified here, and
    an int8 TFLite, made here from the same calibration images, stands in for the accuracy of the chip.

    Args:
        model: functional; grey faces in, probabilities out.
        info: of the model's file.
        name: of the files.
        train: to calibrate with, no face of a test part among them.
        test: to draw the samples from that every step is checked with.
        folder: exists and is empty.

    Returns:
        (file name, verification) of each file; None where there is nothing to verify. The float files are compared with
        the logits of the model.

    Raises:
        ModelError: a part of the model cannot be exported, or a file does not do what the model does.
        DataError: faces that cannot be used, see `calibration_images` and `take_samples`.
    """
    device = device_model(model)
    samples = take_samples(model, test, SAMPLES)
    faces = from_arrays(samples.images, samples.labels, samples.class_names, name=test.name)
    values = device.normalise(samples.images)
    tflite = export_tflite(device.model, folder / f"{name}.tflite")
    onnx = export_onnx(device.model, folder / f"{name}.onnx")
    verified = {
        tflite.name: verify_export(samples.logits, _tflite_logits(tflite, values), faces, "float32"),
        onnx.name: verify_export(samples.logits, _onnx_logits(onnx, values), faces, "onnx"),
    }
    drawn = _draw(train)
    calibration = _as_taken(resize_images(drawn, model.input_shape[1]), device)
    np.save(folder / "calib_set.npy", calibration, allow_pickle=False)
    (folder / "model.alls").write_text(model_script(device, len(drawn)), encoding="utf-8")
    samples_path = samples.save(folder / "samples.npz")
    for script in SCRIPTS:
        shutil.copyfile(_DEVICE / script, folder / script)
    operators = {"tflite": tflite_operators(tflite), "onnx": onnx_operators(onnx)}
    height, width, channels = device.model.input_shape[1:]
    export_info = {
        "schema": "emo_utils.hailo_bundle",
        "version": 1,
        "model": file_metadata(model, info, name),
        "input": {"layout": "NHWC", "height": height, "width": width, "channels": channels, "range": [0, 255]},
        "normalisation": {"formula": "(raw - mean) / std", "mean": list(device.mean), "std": list(device.std)},
        "output": "logits; the host computes their softmax",
        "calibration": {"n": len(drawn), "wanted": CALIBRATION, "from": train.name},
        "samples": {"n": len(faces), "from": test.name, "accuracy": verified[tflite.name].accuracy_before},
        "stand_in": _stand_in(model, drawn, samples.probabilities, faces, folder),
        "operators": operators,
        "in_doubt": [doubt._asdict() for doubt in doubtful_operators(**operators)],
        "hailo_versions": VERSIONS,
        "made_with": {package: version(package) for package in ("keras", "numpy", "onnx", "tf2onnx")},
        # The rest may be edited, or replaced by better calibration images.
        "files": {path.name: _fingerprint(path) for path in (tflite, onnx, samples_path)},
    }
    (folder / "export_info.json").write_text(json.dumps(export_info, indent=1) + "\n", encoding="utf-8")
    with open(folder / "README.md", "a", encoding="utf-8") as readme:
        readme.write(_about(export_info))
    return [(path.name, verified.get(path.name)) for path in sorted(folder.iterdir())]


def model_script(device: DeviceModel, n: int) -> str:
    """Return the script that goes to the compiler with the net (.alls).

    Args:
        device: for its mean and std.
        n: number of calibration images.
    """
    mean, std = list(device.mean), list(device.std)
    lines = (
        f"normalization1 = normalization({mean}, {std})",
        # All images, not the first 64 alone, which is the default.
        f"model_optimization_config(calibration, batch_size=8, calibset_size={n})",
        # Bias correction belongs to level 1. Where no level is asked for and there is no GPU, the compiler takes
        # level 0, however many images it gets, and skips it (public logs of 3.x). That it keeps to a level 1 that is
        # asked for, on a CPU, is what a user of 3.33.1 reports; we could not try.
        "model_optimization_flavor(optimization_level=1)",
        # Weights of 4 bits save room on the chip, which nets of this size do not lack.
        "model_optimization_config(compression_params, auto_4bit_weights_ratio=0)",
        # As the zoo's scripts for MobileNet V1, V2 and V3 have it; fine-tuning would want a GPU.
        "post_quantization_optimization(bias_correction, policy=enabled)",
        "post_quantization_optimization(finetune, policy=disabled)",
    )
    return "\n".join(lines) + "\n"


def _about(export_info: dict[str, Any]) -> str:
    """Return what of export_info.json a reader of README.md should not miss."""
    drawn, stand_in = export_info["calibration"], export_info["stand_in"]
    doubts = [Doubt(**doubt) for doubt in export_info["in_doubt"]]
    lines = [
        "",
        f"## This bundle: {export_info['model']['name']}",
        "",
        f"Calibration images: {drawn['n']} of the {drawn['wanted']} wanted"
        + ("." if drawn["n"] == drawn["wanted"] else ", for the training part has no more.")
        + f" Of {stand_in['n']} test faces the Keras model gets {export_info['samples']['accuracy']:.1%} right, the "
        f"stand-in {stand_in['accuracy']:.1%}.",
        "",
        "Operators in doubt:" if doubts else "No operator is in doubt.",
        *([""] if doubts else []),
        *(f"- {d.file} {d.operator} ({d.count}): {d.why}" for d in doubts),
        *([""] if doubts else []),
        *(f"What to do: {remedy}." for remedy in dict.fromkeys(d.remedy for d in doubts)),
    ]
    return "\n".join(lines) + "\n"


def _draw(train: FaceDataset) -> np.ndarray:
    """Return `CALIBRATION` training faces, as equally many of each class as there are; shuffled, for they are taken
    in batches. Fewer where there are fewer."""
    counts = np.bincount(train.labels, minlength=len(train.class_names))
    wanted = min(CALIBRATION, int(counts.sum()))
    per_class = next(n for n in range(1, int(counts.max()) + 1) if np.minimum(counts, n).sum() >= wanted)
    drawn = calibration_images(train, per_class)
    return drawn[np.random.default_rng(0).permutation(len(drawn))[:wanted]]


def _as_taken(images: np.ndarray, device: DeviceModel) -> np.ndarray:
    """Return raw grey levels with the channels of the net: (n, size, size) -> float32 (n, size, size, channels)."""
    return np.repeat(images[..., None], len(device.mean), axis=-1).astype(np.float32)


def _stand_in(
    model: keras.Model, drawn: np.ndarray, probabilities: np.ndarray, faces: FaceDataset, folder: Path
) -> dict[str, Any]:
    """Return what an int8 TFLite, calibrated alike, gets right; the file itself is not for the chip and is not kept."""
    path = export_tflite(model, folder / ".stand_in.tflite", "int8", calibration=drawn)
    try:
        result = verify_export(probabilities, run_tflite(path, faces.images), faces, "int8")
    finally:
        path.unlink()
    return {
        "what": "an int8 TFLite on a CPU, calibrated with the same images: it stands in for the chip, whose arithmetic "
        "differs in detail",
        "n": result.n,
        "accuracy": result.accuracy_after,
        "agreement": result.agreement,
    }


def _tflite_logits(path: Path, values: np.ndarray) -> np.ndarray:
    with quiet_stderr():  # it says which delegate it made, in red in a notebook
        net = litert_interpreter(path)
        net.allocate_tensors()
    (source,), (target,) = net.get_input_details(), net.get_output_details()
    logits = np.empty((len(values), target["shape"][-1]), np.float32)
    for i, value in enumerate(values):
        net.set_tensor(source["index"], value[None])
        net.invoke()
        logits[i] = net.get_tensor(target["index"])[0]
    return logits


def _onnx_logits(path: Path, values: np.ndarray) -> np.ndarray:
    session = onnx_runtime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"face": value[None]})[0] for value in np.moveaxis(values, -1, 1)])


def _fingerprint(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
