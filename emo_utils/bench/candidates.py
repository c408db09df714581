"""From a model to the files that runtimes load, with a face in the form of each, and what is known of them untimed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emo_utils.bench.schema import RESULT
from emo_utils.bench.subjects import EXPORTED, Faces, Subject
from emo_utils.errors import EmoUtilsError, ModelError
from emo_utils.export import TFLiteModel, convert_tflite, run_tflite
from emo_utils.export.onnx import ONNXModel, export_onnx, run_onnx
from emo_utils.export.operators import onnx_operators
from emo_utils.faces import render_face
from emo_utils.models import save_model
from emo_utils.quantise import calibration_images

_ENGINES = {"litert": (TFLiteModel, run_tflite), "onnxruntime": (ONNXModel, run_onnx)}


@dataclass(frozen=True)
class Candidate:
    """One file in one runtime.

    Attributes:
        known: what the bench file says of it that is not timed: model, recipe_hash, runtime, precision, bytes,
            parameters, macs, accuracy, accuracy_n, agreement.
        path: the file that the runtime loads.
        face: one face in the form of its input, of shape (1, ...).
        trusted: whether layers in it that are code of the model's maker may run.
    """

    known: dict[str, Any]
    path: Path
    face: np.ndarray
    trusted: bool = False


def candidates(
    subject: Subject, faces: Faces, runtimes: Sequence[str], precisions: Sequence[str], folder: Path, scratch: Path
) -> Iterator[Candidate]:
    """Yield the files of one model: itself, and its exports where it is a Keras model.

    Args:
        subject: the model.
        faces: to answer, and to calibrate by.
        runtimes: of "keras", "litert" and "onnxruntime".
        precisions: of the TFLite files, see `emo_utils.export.FORMATS`.
        folder: to write exports to; those of the same name are replaced.
        scratch: to write what only the processes that take the times need.

    Raises:
        ModelError: the model cannot be exported or run.
        EmoUtilsError: a tool is not installed, or the only runtime of an exported file is not among those asked for.
    """
    if subject.model is None:
        runtime = EXPORTED[subject.path.suffix]
        if runtime not in runtimes:
            raise EmoUtilsError(f"{subject.path}: only {runtime} runs it. Add that runtime, or leave out the file.")
        precision = subject.metadata.get("format") or _precision(subject.path)
        yield _candidate(subject, faces, runtime, precision, subject.path)
        return
    if "keras" in runtimes:
        yield _of_keras(subject, faces, scratch / f"{subject.stem}.keras")
    if "litert" in runtimes:
        calibration = calibration_images(faces.train)
        made = convert_tflite(subject.model, precisions, calibration=calibration, metadata=subject.metadata)
        for precision, content in made:
            file = folder / f"{subject.stem}_{precision}.tflite"
            file.write_bytes(content)
            yield _candidate(subject, faces, "litert", precision, file)
    if "onnxruntime" in runtimes:
        file = export_onnx(subject.model, folder / f"{subject.stem}.onnx", metadata=subject.metadata)
        yield _candidate(subject, faces, "onnxruntime", "float32", file)


def _of_keras(subject: Subject, faces: Faces, draft: Path) -> Candidate:
    # Timed is the model that was loaded, not the file it came from: that may hold more than what was judged, and what
    # a model of others takes to run is in no file yet. Without a recipe nothing else can be built from the draft.
    path = save_model(subject.model, draft, {"class_names": subject.info["class_names"]})
    face = render_face("happy", size=subject.model.input_shape[1])[None, :, :, None].astype(np.float32)
    known = _known(subject, "keras", "float32", subject.path)
    return Candidate(known | _hits(faces, faces.answers), path, face, subject.trusted)


def _candidate(subject: Subject, faces: Faces, runtime: str, precision: str, path: Path) -> Candidate:
    ready, run = _ENGINES[runtime]
    model = ready(path)
    face = model.quantise(render_face("happy", size=model.size)[None])[0]
    if faces.test is not None and len(faces.test.class_names) != model.n_classes:
        raise ModelError(
            f"{path}: {model.n_classes} outputs but {len(faces.test.class_names)} class names. Export the file anew."
        )
    answers = None if faces.test is None else run(path, faces.test.images).argmax(axis=1)
    return Candidate(_known(subject, runtime, precision, path) | _hits(faces, answers), path, face)


def _known(subject: Subject, runtime: str, precision: str, path: Path) -> dict[str, Any]:
    known = {
        "model": subject.title,
        "runtime": runtime,
        "precision": precision,
        "bytes": path.stat().st_size,
        **{key: subject.metadata.get(key) for key in ("recipe_hash", "parameters", "macs")},
    }
    for key, value in known.items():
        if not RESULT[key](value):  # before the benchmark, not when its file is written
            raise ModelError(f"{path}: {key} cannot be {str(value)[:60]!r}. Export the file anew.")
    return known


def _hits(faces: Faces, answers: np.ndarray | None) -> dict[str, Any]:
    if answers is None:
        return {"accuracy": None, "accuracy_n": None, "agreement": None}
    return {
        "accuracy": float(np.mean(answers == faces.test.labels)),
        "accuracy_n": len(answers),
        "agreement": None if faces.answers is None else float(np.mean(answers == faces.answers)),
    }


def _precision(path: Path) -> str:
    """Return the precision of an exported file that does not say it, by what is in it."""
    if path.suffix == ".onnx":  # float32 in and out, or `ONNXModel` refuses it
        return "int8" if {"QuantizeLinear", "DequantizeLinear"} & onnx_operators(path).keys() else "float32"
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    if interpreter.get_input_details()[0]["dtype"] in (np.uint8, np.int8):
        return "int8"
    types = {details["dtype"] for details in interpreter.get_tensor_details()}
    marks = ((np.int16, "int8x16"), (np.int8, "dynamic"), (np.float16, "float16"))
    return next((name for type_, name in marks if type_ in types), "float32")
