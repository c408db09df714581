"""Models: backbones by name, heads, building, freezing, saving and loading."""

from emo_utils.models.build import build_feature_extractor, build_head, build_model, set_trainable
from emo_utils.models.files import load_model, model_class_names, save_model, update_info
from emo_utils.models.foreign import load_foreign_model

__all__ = [
    "build_feature_extractor",
    "build_head",
    "build_model",
    "load_foreign_model",
    "load_model",
    "model_class_names",
    "save_model",
    "set_trainable",
    "update_info",
]
