"""From faces in memory to training batches: balance, augment at native size, bring to the model's size, mix.

    balance > augment (with randaugment) > mix > batches; write puts augmented copies on disk

Everything here is numpy and OpenCV, so the same batches feed TensorFlow and JAX.
"""

from emo_utils.pipeline.augment import augment_images, resize_images
from emo_utils.pipeline.balance import (
    class_weights,
    compute_class_weights_effective,
    oversample_minority_classes,
    sample_balanced,
)
from emo_utils.pipeline.batches import TrainingBatches, ValidationBatches
from emo_utils.pipeline.mix import cutmix, mixup
from emo_utils.pipeline.randaugment import rand_augment
from emo_utils.pipeline.write import write_augmented_set

__all__ = [
    "TrainingBatches",
    "ValidationBatches",
    "augment_images",
    "class_weights",
    "compute_class_weights_effective",
    "cutmix",
    "mixup",
    "oversample_minority_classes",
    "rand_augment",
    "resize_images",
    "sample_balanced",
    "write_augmented_set",
]
