"""Export: from the Keras file to what runs on a device, verified on the same images."""

from emo_utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "device_part": ("DeviceModel", "device_model"),
        "hailo": ("export_hailo",),
        "jetson": ("export_jetson",),
        "metadata": ("file_metadata", "read_metadata"),
        "onnx": ("ONNXModel", "export_onnx", "run_onnx"),
        "operators": ("onnx_operators", "tflite_operators"),
        "run": ("TFLiteModel", "check_litert", "run_tflite"),
        "samples": ("Samples", "take_samples"),
        "targets": ("TARGETS", "export_targets"),
        "tflite": ("FORMATS", "check_tools", "convert_tflite", "export_tflite"),
        "verify": ("Verification", "export_all", "verify_export"),
    },
)
