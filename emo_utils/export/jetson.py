"""The bundle for an NVIDIA Jetson: what TensorRT builds engines from, and scripts to time them and watch a camera."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import keras

from emo_utils.datasets import from_arrays
from emo_utils.datasets.base import FaceDataset
from emo_utils.export.metadata import file_metadata
from emo_utils.export.onnx import export_onnx, run_onnx
from emo_utils.export.qdq import has_quantiser, quantise_onnx
from emo_utils.export.samples import take_samples
from emo_utils.export.verify import Verification, verify_export
from emo_utils.quantise.calibration import calibration_images

SCHEMA, VERSION = "emo_utils.jetson", 1
SAMPLES = 256
_DEVICE = Path(__file__).parents[1] / "device" / "jetson"
_CALIBRATION = 200


def export_jetson(
    model: keras.Model, info: dict[str, Any], name: str, train: FaceDataset, test: FaceDataset, folder: Path
) -> list[tuple[str, Verification | None]]:
    """Write the bundle; README.md in it says which commands follow on the board.

    One ONNX file serves TensorRT 8.2 (Nano) and later ones; it takes grey levels, the preprocessing is inside. A second
    one with int8 ranges serves boards whose GPU computes in int8; where ONNX Runtime's quantiser cannot run, it is left
    out with a warning. Both are verified here by ONNX Runtime; nothing has been run on a Jetson.

    Args:
        model: functional; grey faces in, probabilities out.
        info: of the model's file.
        name: of the files.
        train: to fix int8 ranges with, no face of a test part among them.
        test: to draw the samples from that the engines are checked with.
        folder: exists and is empty.

    Returns:
        (file name, verification) of each file; None where there is nothing to verify.

    Raises:
        ModelError: the model cannot be exported, or a file does not do what the model does.
        DataError: faces that cannot be used, see `calibration_images` and `take_samples`.
    """
    metadata = file_metadata(model, info, name)
    samples = take_samples(model, test, SAMPLES)
    faces = from_arrays(samples.images, samples.labels, samples.class_names, name=test.name)

    onnx = export_onnx(model, folder / f"{name}.onnx", metadata=metadata)
    verified = {onnx.name: verify_export(samples.probabilities, run_onnx(onnx, samples.images), faces, "onnx")}
    if has_quantiser():
        drawn = calibration_images(train, _CALIBRATION // len(train.class_names))
        int8 = quantise_onnx(onnx, folder / f"{name}_int8_qdq.onnx", drawn)
        verified[int8.name] = verify_export(samples.probabilities, run_onnx(int8, samples.images), faces, "int8")
    else:
        warnings.warn(
            "The int8 file for Orin boards is left out: it needs sympy (pip install sympy).", UserWarning, stacklevel=2
        )

    samples.save(folder / "samples.npz")
    for script in (*_DEVICE.glob("*.py"), _DEVICE / "README.md"):
        shutil.copyfile(script, folder / script.name)
    files = {path.name: _fingerprint(path) for path in sorted(folder.iterdir())}
    size = metadata["input_size"]
    about = {
        "schema": SCHEMA,
        "version": VERSION,
        **metadata,
        "input": {"name": "face", "shape": [1, 1, size, size], "range": metadata["input_range"]},
        "files": files,
    }
    (folder / "export_info.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
    return [(file, verified.get(file)) for file in [*files, "export_info.json"]]


def _fingerprint(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
