"""From Keras to an ONNX graph that old and new engines alike can read, through tf2onnx."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from typing import Any

import keras

from emo_utils.errors import EmoUtilsError, ModelError, first_line
from emo_utils.export.quiet import quiet_stderr
from emo_utils.export.tflite import tensorflow_for
from emo_utils.models.graph import clone_layers
from emo_utils.quantise import fold_batch_norm

# TensorRT 8.2, the last one for the Jetson Nano, reads operators up to opset 13; ONNX Runtime 1.8, the first one that
# JetPack 4.6 has a wheel of, reads files up to IR 7.
OPSET, IR_VERSION = 13, 7


def convert_onnx(model: keras.Model, metadata: dict[str, Any] | None = None):
    """Return the content of the file as an `onnx.ModelProto`; see `export_onnx`."""
    check_onnx_tools()
    tf = tensorflow_for("an .onnx file")
    import onnx
    import onnxslim
    import tf2onnx

    from emo_utils.export.onnx_graph import (
        check_graph,
        drop_idle_reshapes,
        flatten_plainly,
        fuse_hard_sigmoids,
        rename_ends,
    )

    try:
        ready = _native_groups(fold_batch_norm(model), tf)
    except (ValueError, TypeError) as error:  # what Keras raises where it cannot copy a layer
        raise ModelError(f"{model.name}: Keras cannot rebuild it: {first_line(error)}") from None
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
    if len(proto.graph.input) != 1:
        others = ", ".join(value.name for value in proto.graph.input if value.name != "face")
        raise ModelError(
            f"{model.name}: tf2onnx takes a constant of it for an input ({others}): another layer must do."
        )
    drop_idle_reshapes(proto)
    flatten_plainly(proto)
    fuse_hard_sigmoids(proto.graph)
    rename_ends(proto.graph, "face", model.layers[-1].name)
    proto.ir_version = IR_VERSION
    proto.producer_name, proto.producer_version = "emo_utils", ""
    del proto.metadata_props[:]
    if metadata:
        proto.metadata_props.add(key="emo_utils", value=json.dumps({**metadata, "format": "float32"}))
    check_graph(proto, model.name)
    return onnx.shape_inference.infer_shapes(proto)


def check_onnx_tools() -> None:
    """Raise EmoUtilsError where what writing an .onnx file takes is not installed, or not the backend of Keras."""
    tensorflow_for("an .onnx file")
    require_onnx()
    try:
        import onnxslim  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise EmoUtilsError(
            f"Writing an .onnx file needs {error.name}: pip install -r requirements.txt (in the course folder)"
        ) from None


def require_onnx():
    try:
        import onnx
    except ImportError:
        raise EmoUtilsError(
            "An .onnx file needs onnx: pip install -r requirements.txt (in the course folder)"
        ) from None
    return onnx


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
