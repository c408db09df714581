"""From faces in memory to training batches: balance, augment at native size, bring to the model's size, mix.

    balance > augment (with randaugment) > mix > batches; write puts augmented copies on disk

Everything here is numpy and OpenCV, so the same batches feed TensorFlow and JAX.
"""

from emo_utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "augment": ("augment_images", "resize_images"),
        "balance": (
            "class_weights",
            "compute_class_weights_effective",
            "oversample_minority_classes",
            "sample_balanced",
        ),
        "batches": ("TrainingBatches", "ValidationBatches"),
        "mix": ("cutmix", "mixup"),
        "randaugment": ("rand_augment",),
        "write": ("write_augmented_set",),
    },
)
