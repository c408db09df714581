"""Export: from the Keras file to what runs on a device, verified on the same images."""

from emo_utils.export.run import TFLiteModel, check_litert, run_tflite
from emo_utils.export.tflite import FORMATS, check_tools, convert_tflite, export_tflite
from emo_utils.export.verify import Verification, export_all, verify_export
from emo_utils.quantise.calibration import calibration_images

__all__ = [
    "FORMATS",
    "TFLiteModel",
    "Verification",
    "calibration_images",
    "check_litert",
    "check_tools",
    "convert_tflite",
    "export_all",
    "export_tflite",
    "run_tflite",
    "verify_export",
]
