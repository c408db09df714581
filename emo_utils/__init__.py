"""emo_utils: the helper package of a course on facial-expression recognition.

faces > datasets > pipeline > models > evaluation > training > export, report > bench
                          recipe names an experiment; table remembers it

Importing the package is cheap: each part, and with it Keras and TensorFlow, loads on first use.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_HOMES = {
    "Recipe": "recipe",
    "Stage": "recipe",
    "Head": "recipe",
    "Augmentation": "recipe",
    "get_recipe": "recipes",
    "FaceDataset": "datasets",
    "load_dataset": "datasets",
    "split_dataset": "datasets",
    "clean": "datasets",
    "quality_report": "datasets",
    "render_face": "faces",
    "build_model": "models",
    "load_model": "models",
    "save_model": "models",
    "run_experiment": "training",
    "evaluate_model": "evaluation",
    "report_model": "report",
    "export_onnx": "export",
    "export_tflite": "export",
}
__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"emo_utils has no {name!r}. It has: {', '.join(__all__)}.")
    return getattr(importlib.import_module(f"emo_utils.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
