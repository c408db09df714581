"""Export: from the Keras file to what runs on a device, verified on the same images."""

from emo_utils.export.device_model import DeviceModel, device_model
from emo_utils.export.hailo import export_hailo
from emo_utils.export.jetson import export_jetson
from emo_utils.export.metadata import file_metadata, read_metadata
from emo_utils.export.onnx import ONNXModel, export_onnx, run_onnx
from emo_utils.export.operators import onnx_operators, tflite_operators
from emo_utils.export.run import TFLiteModel, check_litert, run_tflite
from emo_utils.export.samples import Samples, take_samples
from emo_utils.export.targets import TARGETS, export_targets
from emo_utils.export.tflite import FORMATS, check_tools, convert_tflite, export_tflite
from emo_utils.export.verify import Verification, export_all, verify_export
from emo_utils.quantise.calibration import calibration_images

__all__ = [
    "FORMATS",
    "TARGETS",
    "DeviceModel",
    "ONNXModel",
    "Samples",
    "TFLiteModel",
    "Verification",
    "calibration_images",
    "check_litert",
    "check_tools",
    "convert_tflite",
    "device_model",
    "export_all",
    "export_hailo",
    "export_jetson",
    "export_onnx",
    "export_targets",
    "export_tflite",
    "file_metadata",
    "onnx_operators",
    "read_metadata",
    "run_onnx",
    "run_tflite",
    "take_samples",
    "tflite_operators",
    "verify_export",
]
