"""TFLite files: written by TensorFlow's converter, run by LiteRT."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emo_utils.errors import EmoUtilsError, ModelError, first_line
from emo_utils.pipeline import resize_images
from emo_utils.quantise.calibration import check_calibration

FORMATS = ("float32", "int8")


def export_tflite(model, path: str | Path, format: str = "float32", *, calibration: np.ndarray | None = None) -> Path:
    """Write a Keras model as a TFLite file with batch size 1, atomically.

    Args:
        model: grey input (n, size, size, 1), probabilities out.
        path: ends in .tflite.
        format: "float32"; or "int8": weights and activations, with uint8 grey levels in and uint8 probabilities out.
        calibration: for int8, uint8 training images of shape (n, height, width), see `check_calibration`; their
            activations fix the ranges (post-training quantisation, Jacob et al. 2018).

    Returns:
        The path.

    Raises:
        EmoUtilsError: an unknown format, missing or unfit calibration images, or TensorFlow is not installed.
    """
    if format not in FORMATS:
        raise EmoUtilsError(f"format must be one of {', '.join(FORMATS)}. Got {format!r}.")
    path = Path(path)
    size = model.input_shape[1]
    images = check_calibration(calibration) if format == "int8" else None
    tf = _tensorflow()
    # A converter made from a SavedModel is silent; one made from the Keras object prints 200 lines.
    with tempfile.TemporaryDirectory() as folder, _quiet_stderr(), _quiet_logger(tf.get_logger()):
        face = tf.TensorSpec((1, size, size, 1), tf.float32, name="face")
        model.export(folder, verbose=False, input_signature=[face])
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if images is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = tf.lite.RepresentativeDataset(lambda: _samples(images, size))
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = tf.uint8
            converter.inference_output_type = tf.uint8
        content = converter.convert()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    partial.write_bytes(content)
    os.replace(partial, path)
    return path


def run_tflite(path: str | Path, images: np.ndarray) -> np.ndarray:
    """Run a TFLite file on faces, one by one on one thread, as a device would.

    Args:
        path: from `export_tflite`.
        images: uint8 array of shape (n, height, width); brought to the model's size.

    Returns:
        float32 probabilities of shape (n, n_classes); of a uint8 output, its real values.

    Raises:
        ModelError: no such file, or not a TFLite file.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"{path}: no such TFLite file.")
    try:
        with _quiet_stderr():
            interpreter = _interpreter(path)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: LiteRT cannot load it: {first_line(error)}") from None
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    faces = resize_images(images, int(source["shape"][1]))[..., None]
    out = np.empty((len(faces), int(target["shape"][-1])), dtype=np.float32)
    for i, face in enumerate(faces):
        interpreter.set_tensor(source["index"], _quantise(face[None], source))
        interpreter.invoke()
        out[i] = _dequantise(interpreter.get_tensor(target["index"])[0], target)
    return out


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drop what TensorFlow's C++ code writes to file descriptor 2; errors still arrive as exceptions."""
    saved, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)


@contextlib.contextmanager
def _quiet_logger(logger: logging.Logger) -> Iterator[None]:
    """Drop what TensorFlow reports in notebooks, where its logger is chattier: paths of temporary files."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _quantise(values: np.ndarray, details: dict) -> np.ndarray:
    dtype = details["dtype"]
    if dtype == np.float32:
        return values.astype(np.float32)
    scale, zero = details["quantization"]
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values / scale + zero), limits.min, limits.max).astype(dtype)


def _dequantise(values: np.ndarray, details: dict) -> np.ndarray:
    if details["dtype"] == np.float32:
        return values
    scale, zero = details["quantization"]
    return (values.astype(np.float32) - zero) * scale


def _interpreter(path: Path):
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tensorflow.lite import Interpreter  # on its way out, but there where LiteRT is not installed
        except ImportError:
            raise EmoUtilsError("Running a .tflite file needs LiteRT: pip install ai-edge-litert") from None
    return Interpreter(model_path=str(path), num_threads=1)


def _samples(images: np.ndarray, size: int) -> Iterator[list[np.ndarray]]:
    for face in resize_images(images, size)[..., None].astype(np.float32):
        yield [face[None]]


def _tensorflow():
    try:
        import tensorflow as tf
    except ImportError:
        raise EmoUtilsError("Writing a .tflite file needs TensorFlow: pip install tensorflow") from None
    import keras

    if keras.backend.backend() != "tensorflow":
        raise EmoUtilsError(
            "Writing a .tflite file needs KERAS_BACKEND=tensorflow; the .keras file loads on any backend."
        )
    return tf
