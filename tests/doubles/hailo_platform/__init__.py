"""A double of HailoRT's Python package: its signatures, no chip behind them.

A "hef" is an .npz file of faces and their logits here, to look them up in. Every call but those of runs goes as a line
of JSON to the file that HAILO_DOUBLE_LOG names. HAILO_DOUBLE_FAULTS, a list of words with commas between: power (the
board has no sensor), device (no chip answers), shape (the net takes faces of another size), queue (a queue of 12
faces), full (one of 12 that does not say so).

It refuses what HailoRT refuses: a control of a device that is gone, more faces at once than the queue holds, buffers
that are not in one piece.
"""

from __future__ import annotations

import enum
import json
import os
from types import SimpleNamespace

import numpy as np

__version__ = "4.23.0"
FAULTS = os.environ.get("HAILO_DOUBLE_FAULTS", "").split(",")
QUEUE = 12 if {"queue", "full"} & set(FAULTS) else 64


class HailoRTException(Exception):
    pass


class FormatType(enum.Enum):
    UINT8 = 1
    FLOAT32 = 3


class DeviceArchitectureTypes(enum.IntEnum):
    HAILO8 = 1
    HAILO8L = 2

    def __str__(self):
        return self.name


class HailoSchedulingAlgorithm(enum.Enum):
    ROUND_ROBIN = 1


class VDevice:
    @staticmethod
    def create_params():
        return SimpleNamespace(scheduling_algorithm=None)

    def __init__(self, params=None):
        _log("VDevice", scheduling_algorithm=params.scheduling_algorithm.name)
        if "device" in FAULTS:
            raise HailoRTException("no device was found")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def create_infer_model(self, hef_path):
        _log("create_infer_model", hef=os.path.basename(hef_path))
        return _InferModel(hef_path)

    def get_physical_devices(self):
        return [_Device()]


class _InferModel:
    def __init__(self, hef_path):
        with open(hef_path, "rb") as file, np.load(file) as archive:
            images, logits = archive["images"], archive["logits"]
        self.answers = {image.tobytes(): answer for image, answer in zip(images, logits, strict=True)}
        height, width, channels = images.shape[1:]
        self._input = _Stream("input", (height + ("shape" in FAULTS), width, channels))
        self._output = _Stream("output", logits.shape[1:])

    def set_batch_size(self, batch_size):
        _log("set_batch_size", batch_size=batch_size)

    def input(self):
        return self._input

    def output(self):
        return self._output

    def configure(self):
        return _Configured(self)


class _Stream:
    def __init__(self, name, shape):
        self.name, self.shape = name, shape

    def set_format_type(self, type):
        _log("set_format_type", stream=self.name, type=type.name)


class _Configured:
    def __init__(self, model):
        self._model = model

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def create_bindings(self):
        return _Bindings()

    def get_async_queue_size(self):
        return 64 if "full" in FAULTS else QUEUE

    def run(self, bindings, timeout):
        if len(bindings) > QUEUE:
            raise HailoRTException("HAILO_QUEUE_IS_FULL (a double says so)")
        _runs.append(len(bindings))
        for one in bindings:
            face = one.input().get_buffer()
            if face.dtype != np.uint8 or face.shape != self._model.input().shape:
                raise HailoRTException("the buffer is not of the input's size")
            one.output().get_buffer()[:] = self._model.answers[face.tobytes()]


class _Bindings:
    def __init__(self):
        self._input, self._output = _Buffer(), _Buffer()

    def input(self):
        return self._input

    def output(self):
        return self._output


class _Buffer:
    def set_buffer(self, buffer):
        if not buffer.flags.c_contiguous:
            raise HailoRTException("the buffer is not in one piece")
        self._array = buffer

    def get_buffer(self):
        return self._array


class _Device:
    """As in HailoRT: what goes away with it is the handle that its control holds."""

    def __init__(self):
        self.control = _Control()

    def __del__(self):
        self.control.released = True


class _Control:
    """The first power that it measures is 1 W, then 3 W."""

    measured = 0
    released = False

    def __getattribute__(self, name):
        if name != "released" and not name.startswith("__") and self.released:
            raise HailoRTException("The device in use has been released (a double says so)")
        return object.__getattribute__(self, name)

    def identify(self):
        return SimpleNamespace(
            product_name="HAILO-8 (double)\0",
            board_name="Hailo-8",
            device_architecture=DeviceArchitectureTypes.HAILO8L,
        )

    def set_power_measurement(self):
        if "power" in FAULTS:
            raise HailoRTException("power measurement is not supported on this board")
        _log("set_power_measurement")

    def start_power_measurement(self):
        _log("start_power_measurement")

    def get_power_measurement(self):
        self.measured += 1
        return SimpleNamespace(average_value=1.0 if self.measured == 1 else 3.0)

    def stop_power_measurement(self):
        _log("stop_power_measurement")


_runs = []  # how many faces each run took


def _log(call, **arguments):
    with open(os.environ["HAILO_DOUBLE_LOG"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"call": call, **arguments}) + "\n")
