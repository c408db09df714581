"""The twelve transfer experiments of the first source document, and MobileNetV2 for seven classes.

The source trained ResNet50, VGG16 and Xception on a private set of faces, each with the backbone frozen and with its
last block set free, with and without augmentation, under a flattened feature map and one wide dense layer. It gives one
figure: ResNet50 with its last block, conv5, set free did best. Which width (1,024 or 512) went with which backbone, the
input size and the epochs are not given; here ResNet50 and Xception get 1,024 and VGG16 512, at 96 px.
"""

from __future__ import annotations

from emo_utils.recipe import Augmentation, Head, Recipe, Stage
from emo_utils.recipes.common import MILD_AUGMENTATION, SOURCE_AUGMENTATION, Named

_HEADS = {
    "ResNet50": Head("flatten", (1024,), dropout=(0.0, 0.5)),
    "VGG16": Head("flatten", (512,), dropout=(0.0, 0.5)),
    "Xception": Head("flatten", (1024,), dropout=(0.0, 0.5)),
}


def _experiment(backbone: str, augmented: bool, unfrozen: bool) -> Named:
    # A frozen backbone gives a face the same features in every epoch: they are computed once, in four views where the
    # faces are augmented.
    stages = [Stage("head", epochs=15, learning_rate=1e-3, views=4 if augmented else 1)]
    if unfrozen:
        # A hundredth of the head's rate: the block should adapt what it has learnt from ImageNet, not forget it.
        stages.append(Stage("top", epochs=15, learning_rate=1e-5))
    recipe = Recipe(
        f"transfer-{backbone.lower()}{'-unfrozen' if unfrozen else ''}{'-augmented' if augmented else ''}",
        data="fer2013",
        input_size=96,
        augmentation=SOURCE_AUGMENTATION if augmented else Augmentation(),
        backbone=backbone,
        weights="imagenet",
        head=_HEADS[backbone],
        stages=tuple(stages),
        optimizer="adam",
        schedule="plateau",
        batch_size=32,
        patience=6,
    )
    winner = backbone == "ResNet50" and unfrozen and augmented
    return Named(recipe, "transfer report, private set", "44 % accuracy, its best" if winner else "")


# Frozen ImageNet features under a plain head: cheap enough for three seeds, so each answer to unequal class sizes can
# be compared with doing nothing.
BALANCE = {
    "none": {},
    "oversample": {"balancing": "oversample"},
    "balanced-sampler": {"balancing": "balanced_sampler"},
    "class-weights": {"balancing": "class_weights"},
    "effective-number": {"balancing": "effective_number"},
    "focal": {"loss": "focal"},
}
_FROZEN_MOBILENETV2 = Recipe(
    "balance-none",
    data="fer2013",
    input_size=96,
    backbone="MobileNetV2",
    weights="imagenet",
    head=Head(units=(256,), dropout=(0.0, 0.5)),
    stages=(Stage("head", epochs=20, learning_rate=1e-3, views=1),),
    optimizer="adam",
    schedule="cosine",
    batch_size=128,
)

TRANSFER = (
    *(
        _experiment(backbone, augmented, unfrozen)
        for backbone in _HEADS
        for unfrozen in (False, True)
        for augmented in (False, True)
    ),
    Named(
        Recipe(
            "fer2013-mobilenetv2",
            data="fer2013",
            input_size=96,
            augmentation=MILD_AUGMENTATION,
            backbone="MobileNetV2",
            weights="imagenet",
            head=Head(units=(256,), dropout=(0.5, 0.3)),
            stages=(
                Stage("head", epochs=15, learning_rate=1e-3, views=4),
                Stage("top", epochs=30, learning_rate=1e-4),
            ),
            label_smoothing=0.1,
            optimizer="adam",
            schedule="plateau",
            patience=8,
        ),
        "MobileNetV2 notebook, seven classes",
    ),
    *(
        Named(_FROZEN_MOBILENETV2.but(name=f"balance-{name}", **changes), "this course, after the sources' remedies")
        for name, changes in BALANCE.items()
    ),
)
