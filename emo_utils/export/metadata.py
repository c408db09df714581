"""What an exported file says of itself, so that no second file can be lost or mixed up.

A .tflite file carries it as TensorFlow's own model metadata carries labels: as a zip archive appended to the model,
which the interpreter does not look at and `unzip` opens. An .onnx file carries it in `metadata_props`.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emo_utils.datasets.tree import ENTRY_DAMAGE
from emo_utils.errors import ModelError, first_line
from emo_utils.recipe import Recipe

if TYPE_CHECKING:
    import keras

MEMBER = "emo_utils.json"
LABELS = "labels.txt"
_MAX_BYTES = 1_000_000


def file_metadata(model: keras.Model, info: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what a runtime has to know, and what the experiment table wants to.

    Args:
        model: grey input (n, size, size, 1).
        info: of the model's file, see `emo_utils.models.load_model`.
        name: of the model, e.g. the file's name without its ending.

    Returns:
        JSON values. name, class_names in the order of the outputs, input_size in pixels, input_range, calibration (see
        `emo_utils.evaluation.Calibration`; {} where there was none) and of it temperature and not_sure_below,
        recipe_hash (None for a model of others), run_id, parameters, macs (None where they are not known).
    """
    from emo_utils.models.cost import count_parameters

    calibration = info.get("calibration")
    calibration = calibration if isinstance(calibration, dict) else {}
    return {
        "name": name,
        "class_names": list(info["class_names"]),
        "input_size": model.input_shape[1],
        "input_range": "0..255",
        "calibration": calibration,
        "temperature": calibration.get("temperature"),
        "not_sure_below": calibration.get("not_sure_below"),
        "recipe_hash": Recipe.from_dict(info["recipe"]).hash if info.get("recipe") else None,
        "run_id": info.get("run_id"),
        "parameters": count_parameters(model).total,
        "macs": _macs(model),
    }


def _macs(model: keras.Model) -> int | None:
    from emo_utils.models.cost import count_macs

    try:
        return count_macs(model)
    except ModelError:
        return None  # a figure for the table is no reason not to export


def with_metadata(content: bytes, metadata: dict[str, Any]) -> bytes:
    """Return a .tflite file's content with metadata in a zip archive behind it."""
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        for member, text in ((MEMBER, json.dumps(metadata, indent=1)), (LABELS, "\n".join(metadata["class_names"]))):
            # A fixed date: the same model gives the same bytes.
            archive.writestr(zipfile.ZipInfo(member), text)
    return file.getvalue()


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Return what a .tflite or .onnx file says of itself, {} where it says nothing; runs nothing of it.

    Raises:
        ModelError: no such file, neither of the two formats, or what it says cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"{path}: no such file.")
    if path.suffix not in (".tflite", ".onnx"):
        raise ModelError(f"{path}: metadata is read from .tflite and .onnx files only.")
    try:
        text = _of_tflite(path) if path.suffix == ".tflite" else _of_onnx(path)
        metadata = json.loads(text) if text else {}
    except (*ENTRY_DAMAGE, ValueError, RecursionError, RuntimeError) as error:
        raise ModelError(
            f"{path}: what it says of itself cannot be read: {first_line(error)}. Export it anew."
        ) from None
    return metadata if isinstance(metadata, dict) else {}


def _of_tflite(path: Path) -> str | bytes:
    if not zipfile.is_zipfile(path):
        return ""
    with zipfile.ZipFile(path) as archive:
        if MEMBER not in archive.namelist():
            return ""
        if archive.getinfo(MEMBER).file_size > _MAX_BYTES:
            raise ValueError(f"{MEMBER} is longer than {_MAX_BYTES:,} bytes")
        return archive.read(MEMBER)


def _of_onnx(path: Path) -> str:
    from emo_utils.export.onnx import load_onnx

    return next((p.value for p in load_onnx(path).metadata_props if p.key == "emo_utils"), "")
