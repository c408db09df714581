"""The three two-stage models of the second source document: five classes of FER2013, 48 px enlarged to 128 px.

Stage 1 trains the head on a frozen ImageNet backbone, stage 2 sets layers free at a small learning rate. The source
names stage epochs 15/30, 20/30 and 12-15/25-30, of which the upper ends stand here. It oversamples rare classes, weighs
the loss by the effective number of faces and uses focal loss and MixUp; which model got which it does not say, so
MobileNetV3Small has effective-number weights and MixUp, DenseNet121 oversampling, NASNetMobile the focal loss.
"""

from __future__ import annotations

from emo_utils.emotions import FIVE
from emo_utils.recipe import Head, Recipe, Stage
from emo_utils.recipes.common import SOURCE_AUGMENTATION, Named

_SOURCE = "two-stage report, FER2013 five classes"
_COMMON = Recipe(
    "common",
    data="fer2013",
    classes=FIVE,
    input_size=128,
    augmentation=SOURCE_AUGMENTATION,
    weights="imagenet",
    backbone="MobileNetV3Small",
    optimizer="adam",
    schedule="plateau",
    batch_size=64,
    patience=8,
)


def _stages(head_epochs: int, epochs: int, train: str | int) -> list[Stage]:
    return [Stage("head", head_epochs, learning_rate=1e-3), Stage(train, epochs, learning_rate=1e-4)]


TWO_STAGE = (
    Named(
        _COMMON.but(
            name="five-mobilenetv3small",
            augmentation={**_COMMON.to_dict()["augmentation"], "mixup": 0.2},
            balancing="effective_number",
            head=Head(units=(256,), dropout=(0.0, 0.3)),
            stages=_stages(15, 30, 60),
        ),
        _SOURCE,
        "validation .7717, test .7492, macro-F1 .7631",
    ),
    Named(
        _COMMON.but(
            name="five-densenet121",
            backbone="DenseNet121",
            balancing="oversample",
            head=Head(units=(512, 128), dropout=(0.5, 0.0, 0.0)),
            stages=_stages(20, 30, "top"),
        ),
        _SOURCE,
        "test .6878, macro-F1 .6807",
    ),
    Named(
        _COMMON.but(
            name="five-nasnetmobile",
            backbone="NASNetMobile",
            loss="focal",
            head=Head(dropout=0.3),
            stages=_stages(15, 30, "top"),
        ),
        _SOURCE,
        "test .6601, macro-F1 .6773",
    ),
)
