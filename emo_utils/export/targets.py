"""Every file that a device may want of one model, each compared with the model before it counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import DataError, EmoUtilsError
from emo_utils.evaluation import predict_probabilities
from emo_utils.export.folder import new_folder
from emo_utils.export.hailo import export_hailo
from emo_utils.export.jetson import export_jetson
from emo_utils.export.metadata import file_metadata
from emo_utils.export.onnx import check_onnx_runtime, export_onnx, run_onnx
from emo_utils.export.onnx_convert import check_onnx_tools
from emo_utils.export.run import check_litert
from emo_utils.export.tflite import check_tools
from emo_utils.export.verify import Verification, export_all, verify_export

# It may come from a file of others; a path in it would lead out of the folder.
_NAME = re.compile(r"\w[\w.-]{0,99}")
TARGETS = ("tflite", "onnx", "hailo", "jetson")
TFLITE_FORMATS = ("float32", "float16", "dynamic", "int8")
Checked = tuple[str, Verification | None]


def export_targets(
    model: keras.Model,
    info: dict[str, Any],
    name: str,
    data: FaceDataset,
    folder: str | Path,
    targets: Sequence[str] = TARGETS,
    formats: Sequence[str] = TFLITE_FORMATS,
    *,
    progress: Callable[[str], object] = lambda target: None,
) -> pd.DataFrame:
    """Write a model in the forms of several targets into a new folder: all of them, or after an error nothing.

    Args:
        model: grey input, probabilities out.
        info: of the model's file; its class names, calibration and recipe go into the files.
        name: what the files are called: letters, digits, dots, dashes and underlines.
        data: of the model's classes, with a "train" part to calibrate on and a "test" part to compare on.
        folder: missing or empty. With more than one target each bundle gets a folder of its own in it.
        targets: of `TARGETS`.
        formats: of the TFLite files, see `emo_utils.export.FORMATS`.
        progress: called with each target before it is made.

    Returns:
        One row a file that was compared with the model: file, bytes, and the fields of `Verification`. Also written to
        verification.csv.

    Raises:
        DataError: a part of the data is missing.
        ModelError: a file does not agree with the model, or cannot be made.
        EmoUtilsError: the folder is not empty, a name that no file should have, or a tool is not installed.
    """
    if not _NAME.fullmatch(name):
        raise EmoUtilsError(f"{name!r} cannot be the name of files: use letters, digits, dots, dashes and underlines.")
    _check_tools(targets, formats)
    train, test = data.part("train"), data.part("test")
    if not len(test) or not len(train):
        raise DataError(f"{data.name} needs a train and a test part for export. Split it with split_dataset.")
    rows = []
    with new_folder(folder) as draft:
        for target in targets:
            progress(target)
            bundle = draft / target if len(targets) > 1 and target in ("hailo", "jetson") else draft
            bundle.mkdir(exist_ok=True)
            for file, verification in _export(target, model, info, name, data, bundle, formats):
                if verification is not None:
                    path = bundle / file
                    rows.append(
                        {"file": str(path.relative_to(draft)), "bytes": path.stat().st_size, **vars(verification)}
                    )
        frame = pd.DataFrame(rows)
        frame.to_csv(draft / "verification.csv", index=False)
    return frame


def _check_tools(targets: Sequence[str], formats: Sequence[str]) -> None:
    """Say now, not after minutes, what is missing."""
    if {"tflite", "hailo"} & set(targets):
        check_tools(formats if "tflite" in targets else ("float32",))
        check_litert()
    if {"onnx", "hailo", "jetson"} & set(targets):
        check_onnx_tools()
        check_onnx_runtime()


def _export(target: str, model, info, name: str, data: FaceDataset, folder: Path, formats) -> Iterator[Checked]:
    train, test = data.part("train"), data.part("test")
    if target == "hailo":
        yield from export_hailo(model, info, name, train, test, folder)
    elif target == "jetson":
        yield from export_jetson(model, info, name, train, test, folder)
    elif target == "onnx":
        path = export_onnx(model, folder / f"{name}.onnx", metadata=file_metadata(model, info, name))
        before = predict_probabilities(model, test.images)
        yield path.name, verify_export(before, run_onnx(path, test.images), test, "onnx")
    else:
        metadata = file_metadata(model, info, name)
        for path, verification in export_all(model, data, folder, formats, name=name, metadata=metadata):
            yield path.name, verification
