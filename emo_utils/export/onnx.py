"""ONNX files that old and new engines alike can read, written through tf2onnx, and run by ONNX Runtime."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emo_utils.atomic import replacing
from emo_utils.errors import EmoUtilsError, ModelError, first_line
from emo_utils.export.tflite import quiet_stderr, tensorflow_for
from emo_utils.models.graph import clone_layers
from emo_utils.pipeline import resize_images
from emo_utils.quantise import fold_batch_norm

# TensorRT 8.2, the last one for the Jetson Nano, reads operators up to opset 13; ONNX Runtime 1.8, the first one that
# JetPack 4.6 has a wheel of, reads files up to IR 7.
OPSET, IR_VERSION = 13, 7
_MAX_BYTES = 1_000_000_000


def export_onnx(model: keras.Model, path: str | Path, *, metadata: dict[str, Any] | None = None) -> Path:
    """Write a Keras model as an ONNX file, atomically: opset 13, batch size 1, channels first, batch norm folded.

    Args:
        model: functional; input (n, size, size, channels), grey levels or what the model takes.
        path: ends in .onnx.
        metadata: from `file_metadata`, stored inside.

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


def convert_onnx(model: keras.Model, metadata: dict[str, Any] | None = None):
    """Return the content of the file as an `onnx.ModelProto`; see `export_onnx`."""
    check_onnx_tools()
    tf = tensorflow_for("an .onnx file")
    import onnx
    import onnxslim
    import tf2onnx

    from emo_utils.export.onnx_graph import check_graph, drop_idle_reshapes, fuse_hard_sigmoids, rename_ends

    ready = _native_groups(fold_batch_norm(model), tf)
    face = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="face")
    function = tf.function(lambda face: ready(face, training=False))
    with _quiet(), _scalars_are_added():
        try:
            proto, _ = tf2onnx.convert.from_function(
                function, input_signature=[face], opset=OPSET, inputs_as_nchw=["face"]
            )
            proto = onnxslim.slim(proto)
        except Exception as error:  # the converter's own errors have no narrower base
            raise ModelError(f"tf2onnx cannot write {model.name}: {first_line(error)}") from None
    drop_idle_reshapes(proto)
    fuse_hard_sigmoids(proto.graph)
    rename_ends(proto.graph, "face", model.layers[-1].name)
    proto.ir_version = IR_VERSION
    proto.producer_name, proto.producer_version = "emo_utils", ""
    del proto.metadata_props[:]
    if metadata:
        proto.metadata_props.add(key="emo_utils", value=json.dumps(metadata))
    check_graph(proto, model.name)
    return onnx.shape_inference.infer_shapes(proto)


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
        ort = _runtime()
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise ModelError(f"{path}: ONNX Runtime cannot load it: {first_line(error)}") from None
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or len(outputs) != 1 or len(shape) != 4 or shape[:2] != [1, 1] or shape[2] != shape[3]:
            raise ModelError(f"{path}: wants input of shape {tuple(shape)}, not one grey face (1, 1, size, size).")
        self._input = inputs[0].name
        self.size = int(shape[2])
        self.n_classes = int(outputs[0].shape[-1])

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
    onnx = _onnx()
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


def check_onnx_tools() -> None:
    """Raise EmoUtilsError where what writing an .onnx file takes is not installed, or not the backend of Keras."""
    tensorflow_for("an .onnx file")
    _onnx()
    try:
        import onnxslim  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise EmoUtilsError(
            f"Writing an .onnx file needs {error.name}: pip install -r requirements.txt (in the course folder)"
        ) from None


def _native_groups(model: keras.Model, tf) -> keras.Model:
    """Return the model with TensorFlow's own grouped convolutions, which become ONNX's."""

    class NativeGroups(keras.layers.Conv2D):
        # Keras's Conv2D would call a function compiled for it, in which tf2onnx finds no convolution.
        def convolution_op(self, inputs, kernel):
            return tf.nn.conv2d(inputs, kernel, self.strides, self.padding.upper(), dilations=self.dilation_rate)

    def replace(layer):
        if not isinstance(layer, keras.layers.Conv2D) or layer.groups == 1:
            return None
        new = NativeGroups.from_config(layer.get_config())
        pairs.append((layer, new))
        return new

    pairs: list[tuple[keras.layers.Layer, keras.layers.Layer]] = []
    rebuilt = clone_layers(model, replace)
    for old, new in pairs:
        new.set_weights(old.get_weights())
    return rebuilt if pairs else model


@contextlib.contextmanager
def _scalars_are_added() -> Iterator[None]:
    """Mend tf2onnx 1.17, whose last step gives up on a number that is added behind a convolution without bias.

    It would leave a hundred transpositions in an untrained MobileNetV3, whose biases are zero.
    """
    from tf2onnx.optimizer.transpose_optimizer import TransposeOptimizer

    def handle(self, transpose, node):
        constant = node.inputs[1]
        if constant.is_const() and constant.get_tensor_value(as_list=False).ndim == 0:
            return self._handle_node_having_branches(transpose, node)
        return original(self, transpose, node)

    original = TransposeOptimizer._add_handler
    TransposeOptimizer._add_handler = handle
    try:
        yield
    finally:
        TransposeOptimizer._add_handler = original


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop what the converter and TensorFlow tell of their own business."""
    loggers = [logging.getLogger(name) for name in ("tf2onnx", "tensorflow")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with quiet_stderr():
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _onnx():
    try:
        import onnx
    except ImportError:
        raise EmoUtilsError(
            "An .onnx file needs onnx: pip install -r requirements.txt (in the course folder)"
        ) from None
    return onnx


def _runtime():
    try:
        import onnxruntime
    except ImportError:
        raise EmoUtilsError("Running an .onnx file needs ONNX Runtime: pip install onnxruntime") from None
    return onnxruntime
