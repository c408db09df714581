"""The course's own recipes: the ones its lessons and its shipped models come from."""

from __future__ import annotations

from dataclasses import replace

from emo_utils.emotions import FIVE
from emo_utils.recipe import Augmentation, Head, Recipe, Stage
from emo_utils.recipes.common import MILD_AUGMENTATION, Named

SEVEN_CLASS_MODEL = "model/fer2013-mobilenetv3small.keras"
_SEVEN_CLASSES = Recipe(
    "fer2013-mobilenetv3small",
    data="fer2013",
    # 64 px costs less than half of 96 px and leaves a 2x2 last map; on a CPU the epochs saved are worth more.
    input_size=64,
    augmentation=MILD_AUGMENTATION,
    backbone="MobileNetV3Small",
    stages=(Stage("all", epochs=70, learning_rate=2e-3),),
    label_smoothing=0.1,
    optimizer="adamw",
    weight_decay=0.02,
    schedule="cosine",
    warmup_epochs=1,
    batch_size=128,
)

_SMALL_CNN = Recipe(
    "fer2013-small-cnn",
    data="fer2013",
    augmentation=MILD_AUGMENTATION,
    stages=(Stage("all", epochs=20, learning_rate=3e-3),),
    label_smoothing=0.1,
    optimizer="adamw",
    weight_decay=1e-4,
    schedule="cosine",
    warmup_epochs=1,
)

_RECIPES = (
    Recipe(
        "embedded-small-cnn",
        # Flips double the 60 people; rotation and shift are the nuisances that the renderer plants.
        augmentation=Augmentation(flip=True, rotation=10, zoom=0.1, shift=0.08),
        stages=(Stage("all", epochs=20, learning_rate=3e-3),),
        optimizer="adamw",
        weight_decay=1e-4,
        schedule="cosine",
        warmup_epochs=1,
    ),
    Recipe(
        "embedded-mobilenetv3small",
        backbone="MobileNetV3Small",
        stages=(Stage("head", epochs=2, learning_rate=3e-3), Stage("top", epochs=2), Stage("all", epochs=4)),
    ),
    _SMALL_CNN,
    # Are targets better that say how raters disagree? Measured where a run takes minutes.
    _SMALL_CNN.but(name="fer2013-small-cnn-votes", votes=0.5),
    _SEVEN_CLASSES,
    # ImageNet's filters. The first two blocks stay as they came: at 96 px they cost a third of a step and change least.
    Recipe(
        "fer2013-mobilenet",
        data="fer2013",
        input_size=96,
        augmentation=replace(MILD_AUGMENTATION, mixup=0.3),
        backbone="MobileNetShort",
        weights="imagenet",
        adapt_norm=True,
        head=Head(dropout=0.3),
        stages=(Stage(50, epochs=20, learning_rate=1e-3),),
        label_smoothing=0.1,
        optimizer="adamw",
        weight_decay=0.05,
        schedule="cosine",
        warmup_epochs=1,
        batch_size=128,
    ),
    # For chips whose compilers take neither hard swish nor squeeze-and-excitation, such as Hailo's.
    _SEVEN_CLASSES.but(name="fer2013-mobilenetv3small-minimalistic", backbone="MobileNetV3SmallMinimalistic"),
    Recipe(
        "fer2013-five-mobilenetv3small",
        data="fer2013",
        classes=FIVE,
        input_size=64,
        # The seven-class model has seen these faces for 70 epochs; blends are new to it.
        augmentation=replace(MILD_AUGMENTATION, mixup=0.2),
        backbone="MobileNetV3Small",
        # No ImageNet weights are needed: the seven-class model above is the teacher of features.
        weights=SEVEN_CLASS_MODEL,
        head=Head(dropout=0.3),
        stages=(Stage("head", epochs=2, learning_rate=2e-3), Stage("all", epochs=14, learning_rate=1e-3)),
        label_smoothing=0.1,
        optimizer="adamw",
        weight_decay=0.02,
        schedule="cosine",
        batch_size=128,
    ),
)

OWN = tuple(Named(recipe, "this course") for recipe in _RECIPES)
