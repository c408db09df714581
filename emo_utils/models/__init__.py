"""Models: backbones by name, heads, building, freezing, saving and loading."""

from emo_utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "build": ("build_feature_extractor", "build_head", "build_model", "set_trainable"),
        "files": ("load_model", "save_model", "update_info"),
        "foreign": ("load_foreign_model",),
        "info": ("model_class_names",),
    },
)
