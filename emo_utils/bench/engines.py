"""The runtimes, each in the same form: what is timed is copying a face in, running, and copying the answer out.

Every function here imports its runtime when it is called, and returns `load`: from faces in the form of the model's
input, (batch, ...), to a function without arguments that runs the model on them and returns (batch, n_classes).
`trusted` allows layers that are code of the file's maker, which only a Keras file can have.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

Run = Callable[[], np.ndarray]
Load = Callable[[np.ndarray], Run]

PRODUCT_SIDE = 512  # of the square matrices whose product stands for what the processor can do at best


def keras(path: str, threads: int, trusted: bool = False) -> Load:
    """Keras compiled, one call a batch. Its threads are set by the environment of the process."""
    from emo_utils.models import load_model

    model = cache(lambda: load_model(path, trusted=trusted)[0])

    def load(faces: np.ndarray) -> Run:
        loaded = model()
        return lambda: loaded.predict_on_batch(faces)

    return load


def litert(path: str, threads: int, trusted: bool = False) -> Load:
    """LiteRT with its XNNPACK kernels; a batch is a new interpreter whose input is resized."""
    from ai_edge_litert.interpreter import Interpreter

    def load(faces: np.ndarray) -> Run:
        interpreter = Interpreter(model_path=path, num_threads=threads)
        source = interpreter.get_input_details()[0]["index"]
        if len(faces) > 1:
            interpreter.resize_tensor_input(source, faces.shape)
        interpreter.allocate_tensors()
        target = interpreter.get_output_details()[0]["index"]

        def run() -> np.ndarray:
            interpreter.set_tensor(source, faces)
            interpreter.invoke()
            return interpreter.get_tensor(target)

        return run

    return load


def onnxruntime(path: str, threads: int, trusted: bool = False) -> Load:
    """ONNX Runtime on the CPU; a batch is a new session, the size of whose input is rewritten in memory."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4

    def load(faces: np.ndarray) -> Run:
        model = path if len(faces) == 1 else _with_batch(path, len(faces))
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda: session.run(None, {name: faces})[0]

    return load


def matrix_product(path: str, threads: int, trusted: bool = False) -> Load:
    """NumPy's product of two square float32 matrices. Its threads are set by the environment of the process."""

    def load(faces: np.ndarray) -> Run:
        a, b = np.random.default_rng(0).random((2, PRODUCT_SIDE, PRODUCT_SIDE), dtype=np.float32)
        out = np.empty_like(a)
        return lambda: np.matmul(a, b, out=out)

    return load


ENGINES: dict[str, Callable[[str, int, bool], Load]] = {
    engine.__name__: engine for engine in (keras, litert, onnxruntime, matrix_product)
}


def _with_batch(path: str, batch: int) -> bytes:
    import onnx

    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = batch
    del model.graph.value_info[:]  # sizes noted for one face
    return model.SerializeToString()
