"""emo_utils: the helper package of a course on facial-expression recognition.

faces > datasets > pipeline > models > evaluation > training > export, report > bench, prediction
                          recipe names an experiment; table remembers it

Importing the package is cheap: each part, and with it Keras and TensorFlow, loads on first use.
"""

from __future__ import annotations

from emo_utils.lazy import lazy_names

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "recipe": ("Augmentation", "Head", "Recipe", "Stage"),
        "recipes": ("get_recipe",),
        "datasets": ("FaceDataset", "clean", "load_dataset", "quality_report", "split_dataset"),
        "faces": ("render_face",),
        "models": ("build_model", "load_model", "save_model"),
        "training": ("run_experiment",),
        "evaluation": ("evaluate_model",),
        "report": ("report_model",),
        "export": ("export_onnx", "export_tflite"),
        "prediction": ("predict",),
    },
)
__all__ += ["__version__"]
