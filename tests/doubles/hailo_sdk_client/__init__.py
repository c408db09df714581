"""A double of Hailo's Dataflow Compiler: it has the signatures that public code calls, and none of its work.

It answers with the float TFLite, run by LiteRT, where the compiler would emulate a net; its "quantised" answers are
these, rounded to 256 levels. Nothing that it says is a figure of Hailo's. Every call goes as a line of JSON to the file
that HAILO_DOUBLE_LOG names. HAILO_DOUBLE_FAULTS, a list of words with commas between, plants faults:

tflite, onnx       the parser does not take this file
recommend          ... but names an end node up to which it would
native, full_precision, quantised   this net answers with its classes in reversed order
scale              every net answers with logits that are 1.1 times what they should be
compile            the compiler raises an error of several lines
hailo8             ... for this architecture alone

It refuses what the compiler refuses: an architecture that it does not know, and a step before its turn.
"""

from __future__ import annotations

import contextlib
import enum
import json
import os
import re
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from hailo_sdk_client.model_translator.exceptions import ParsingWithRecommendationException, UnsupportedModelError

FAULTS = os.environ.get("HAILO_DOUBLE_FAULTS", "").split(",")
ARCHITECTURES = {"hailo8", "hailo8r", "hailo8l"}
END_NODE = "model/logits/MatMul;model/logits/BiasAdd"


class InferenceContext(enum.Enum):
    SDK_NATIVE = "native"
    SDK_FP_OPTIMIZED = "full_precision"
    SDK_QUANTIZED = "quantised"


class ClientRunner:
    def __init__(self, hw_arch=None, har=None):
        _log("ClientRunner", hw_arch=hw_arch)
        if hw_arch not in ARCHITECTURES:
            raise ValueError(f"{hw_arch} is no architecture")
        self._arch, self._script, self._state, self._context = hw_arch, "", "UNINITIALIZED", None

    def translate_tf_model(self, model_path, net_name=None, end_node_names=None):
        _log("translate_tf_model", model_path=model_path, net_name=net_name, end_node_names=end_node_names)
        self._parse("tflite", model_path, end_node_names)

    def translate_onnx_model(self, model, net_name=None, end_node_names=None):
        _log("translate_onnx_model", model_path=model, net_name=net_name, end_node_names=end_node_names)
        self._parse("onnx", model, end_node_names)

    def _parse(self, kind, path, end_nodes):
        if kind in FAULTS and not end_nodes:
            if "recommend" in FAULTS:
                raise ParsingWithRecommendationException(
                    "Parsing failed. The errors found in the graph are:\n UnsupportedOperationError in op x\n"
                    f"Please try to parse the model again, using these end node names: {END_NODE}, second"
                )
            raise UnsupportedModelError(f"{kind} is not taken\nand a second line")
        self._net = Interpreter(str(Path(path).with_suffix(".tflite")), num_threads=1)
        self._net.allocate_tensors()
        self._state = "HAILO_MODEL"

    def _want(self, *states):
        if self._state not in states:
            raise RuntimeError(f"this takes a net in the state {' or '.join(states)}, not {self._state}")

    def save_har(self, path):
        _log("save_har", path=path)
        self._want("HAILO_MODEL", "FP_OPTIMIZED", "QUANTIZED_MODEL", "COMPILED_MODEL")
        Path(path).write_bytes(b"har of a double")

    def load_model_script(self, path, append=False):
        _log("load_model_script", path=path)
        self._want("HAILO_MODEL")
        self._script = Path(path).read_text(encoding="utf-8")

    def optimize_full_precision(self, calib_data=None):
        _log("optimize_full_precision", **_describe(calib_data))
        self._want("HAILO_MODEL")
        self._state = "FP_OPTIMIZED"

    def optimize(self, calib_data):
        _log("optimize", **_describe(calib_data))
        self._want("HAILO_MODEL", "FP_OPTIMIZED")
        self._state = "QUANTIZED_MODEL"

    @contextlib.contextmanager
    def infer_context(self, context):
        if context is InferenceContext.SDK_QUANTIZED:
            self._want("QUANTIZED_MODEL")
        elif context is InferenceContext.SDK_FP_OPTIMIZED:
            self._want("FP_OPTIMIZED", "QUANTIZED_MODEL")
        else:
            self._want("HAILO_MODEL", "FP_OPTIMIZED", "QUANTIZED_MODEL")
        self._context = context
        yield context
        self._context = None

    def infer(self, context, dataset, batch_size=1):
        _log("infer", context=context.name, **_describe(dataset))
        if context is not self._context:
            raise RuntimeError("this context is not open")
        if context is not InferenceContext.SDK_NATIVE:
            mean, std = (np.array(json.loads(part), dtype=np.float32) for part in self._normalisation())
            dataset = (dataset - mean) / std
        logits = np.stack([self._run(face) for face in dataset.astype(np.float32)])
        if context is InferenceContext.SDK_QUANTIZED:
            step = np.ptp(logits) / 255
            logits = np.rint(logits / step) * step
        if context.value in FAULTS:
            logits = logits[:, ::-1]
        if "scale" in FAULTS:
            logits = 1.1 * logits
        return logits.reshape(len(logits), 1, 1, -1)

    def _normalisation(self):
        return re.search(r"normalization\((\[.+?\]), ?(\[.+?\])\)", self._script).groups()

    def _run(self, face):
        self._net.set_tensor(self._net.get_input_details()[0]["index"], face[None])
        self._net.invoke()
        return self._net.get_tensor(self._net.get_output_details()[0]["index"])[0]

    def compile(self):
        _log("compile")
        self._want("QUANTIZED_MODEL")
        self._state = "COMPILED_MODEL"
        if "compile" in FAULTS or self._arch in FAULTS:
            raise RuntimeError("Mapping Failed (a double says so)\nand a second line")
        return b"hef of a double"


def _describe(array):
    return {"dtype": str(array.dtype), "shape": array.shape, "low": float(array.min()), "high": float(array.max())}


def _log(call, **arguments):
    with open(os.environ["HAILO_DOUBLE_LOG"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"call": call, **arguments}) + "\n")
