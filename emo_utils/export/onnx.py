"""ONNX files: written, read and run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from emo_utils.atomic import replacing
from emo_utils.errors import EmoUtilsError, ModelError, first_line
from emo_utils.export.onnx_convert import convert_onnx, require_onnx
from emo_utils.pipeline import resize_images

_MAX_BYTES = 1_000_000_000


def export_onnx(model: keras.Model, path: str | Path, *, metadata: dict[str, Any] | None = None) -> Path:
    """Write a Keras model as an ONNX file, atomically: opset 13, batch size 1, channels first, batch norm folded.

    Args:
        model: functional; input (n, size, size, channels), grey levels or what the model takes.
        path: ends in .onnx.
        metadata: from `file_metadata`, stored inside, with "format".

    Returns:
        The path. The file's input is "face", float32 (1, channels, size, size); its output is named like the model's
        last layer.

    Raises:
        ModelError: the model cannot be written, or only with operators that the engines do not all know.
        EmoUtilsError: a tool that it needs is not installed.
    """
    path = Path(path)
    content = convert_onnx(model, metadata).SerializeToString()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_bytes(content)
    return path


class ONNXModel:
    """An ONNX file ready to run, one face at a time.

    Attributes:
        size: side of the input in pixels.
        n_classes: number of probabilities.

    Args:
        path: from `export_onnx`.
        threads: that share the work of one face.

    Raises:
        ModelError: no such file, or not an ONNX file with one face in and one vector out.
        EmoUtilsError: ONNX Runtime is not installed.
    """

    def __init__(self, path: str | Path, threads: int = 1):
        path = Path(path)
        if not path.is_file():
            raise ModelError(f"{path}: no such ONNX file.")
        ort = onnx_runtime()
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise ModelError(f"{path}: ONNX Runtime cannot load it: {first_line(error)}") from None
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        ends = [f"{end.type} {tuple(end.shape)}" for end in (*inputs, *outputs)]
        face, answer = inputs[0].shape, outputs[0].shape
        fits = (
            ends == [f"tensor(float) {tuple(face)}", f"tensor(float) {tuple(answer)}"]
            and (len(face), len(answer)) == (4, 2)
            and all(isinstance(n, int) for n in (*face, *answer))
            and face[:2] == [1, 1]
            and face[2] == face[3]
        )
        if not fits:
            raise ModelError(
                f"{path}: takes and gives {', '.join(ends)}, not one grey face, float (1, 1, size, size), and one "
                "value a class, float (1, n_classes)."
            )
        self._input = inputs[0].name
        self.size, self.n_classes = face[2], answer[1]

    def quantise(self, faces: np.ndarray) -> np.ndarray:
        """Return grey levels in the type of the input: (n, size, size) uint8 -> (n, 1, 1, size, size) float32."""
        return faces[:, None, None].astype(np.float32)

    def run(self, face: np.ndarray) -> np.ndarray:
        """Run the model on one face as `quantise` gives it; return the output of shape (n_classes,), float32."""
        return self._session.run(None, {self._input: face})[0][0]


def run_onnx(path: str | Path, images: np.ndarray) -> np.ndarray:
    """Run an ONNX file on faces, one by one on one thread.

    Args:
        path: from `export_onnx`.
        images: uint8 array of shape (n, height, width); brought to the model's size.

    Returns:
        float32 probabilities of shape (n, n_classes).

    Raises:
        ModelError: no such file, or not an ONNX file.
    """
    model = ONNXModel(path)
    faces = model.quantise(resize_images(images, model.size))
    return np.stack([model.run(face) for face in faces]) if len(faces) else np.empty((0, model.n_classes), np.float32)


def load_onnx(path: str | Path):
    """Return an ONNX file as an `onnx.ModelProto`, checked by `onnx.checker`.

    Raises:
        ModelError: no such file, not an ONNX file, too large, or with weights in other files.
        EmoUtilsError: onnx is not installed.
    """
    path = Path(path)
    onnx = require_onnx()
    if not path.is_file():
        raise ModelError(f"{path}: no such ONNX file.")
    if path.stat().st_size > _MAX_BYTES:
        raise ModelError(f"{path}: larger than {_MAX_BYTES / 1e9:.0f} GB; no model of faces is.")
    try:
        proto = onnx.load(path, load_external_data=False)  # which may be the path of any file
        onnx.checker.check_model(proto)
    except Exception as error:  # protobuf's and the checker's errors have no common base
        raise ModelError(f"{path}: not an ONNX file that can be read: {first_line(error)}") from None
    return proto


def check_onnx_runtime() -> None:
    """Raise EmoUtilsError where ONNX Runtime is not installed."""
    onnx_runtime()


def onnx_runtime():
    try:
        import onnxruntime
    except ImportError:
        raise EmoUtilsError("Running an .onnx file needs ONNX Runtime: pip install onnxruntime") from None
    return onnxruntime
