"""The ResNeXt ablations of the third source document: one change at a time, from 62.8 % to 74.4 %.

The source trained on a private set with five classes at 224 px, batch 32, Adam at .005, 70 epochs; here the same
recipes stand on five classes of FER2013. Its dropout comparison and its depth comparison share the figure 65.0, so the
four-stage net with dropout .2/.4 is taken to be one run of both; augmentation and balanced sampling were then added to
the best depth, three stages. The `ablation-` recipes are the same questions at 48 px, for a CPU.
"""

from __future__ import annotations

from emo_utils.emotions import FIVE
from emo_utils.recipe import Augmentation, Head, Recipe, ResNeXt, Stage
from emo_utils.recipes.common import MILD_AUGMENTATION, SOURCE_AUGMENTATION, Named

_SOURCE = "ResNeXt report, private set, five classes"


def shape(stages: int, dropout: tuple[float, ...] = (0.2, 0.4)) -> ResNeXt:
    """Return the source's ResNeXt with a number of stages of two blocks each; channels double from 64 on."""
    return ResNeXt((2,) * stages, tuple(64 * 2**i for i in range(stages)), dropout=dropout)


_BASE = Recipe(
    "resnext-4",
    data="fer2013",
    classes=FIVE,
    input_size=224,
    backbone="ResNeXt",
    resnext=shape(4),
    head=Head(dropout=0.0),
    stages=(Stage("all", epochs=70, learning_rate=0.005),),
    optimizer="adam",
    batch_size=32,
)
_SMALL = _BASE.but(
    name="ablation-base",
    # The faces as FER2013 has them, one block a stage, half the channels, and a cosine over few epochs.
    input_size=48,
    resnext=ResNeXt((1, 1, 1), (32, 64, 128), group_width=16, dropout=()),
    augmentation=MILD_AUGMENTATION,
    stages=[Stage("all", epochs=6, learning_rate=0.003)],
    schedule="cosine",
    warmup_epochs=1,
    batch_size=64,
)

RESNEXT = (
    Named(_BASE.but(name="resnext-4-dropout-0", resnext=shape(4, ())), _SOURCE, "62.8 % accuracy"),
    Named(_BASE, _SOURCE, "65.0 % accuracy"),
    Named(_BASE.but(name="resnext-4-dropout-35", resnext=shape(4, (0.3, 0.5))), _SOURCE),
    Named(_BASE.but(name="resnext-3", resnext=shape(3)), _SOURCE, "67.8 % accuracy"),
    Named(_BASE.but(name="resnext-5", resnext=shape(5)), _SOURCE, "57.8 % accuracy"),
    Named(
        _BASE.but(name="resnext-3-augmented", resnext=shape(3), augmentation=SOURCE_AUGMENTATION),
        _SOURCE,
        "71.6 % accuracy",
    ),
    Named(
        _BASE.but(
            name="resnext-3-balanced",
            resnext=shape(3),
            augmentation=SOURCE_AUGMENTATION,
            balancing="balanced_sampler",
        ),
        _SOURCE,
        "74.4 % accuracy, macro-F1 .7427",
    ),
    Named(_SMALL, "this course, after the ResNeXt report"),
    Named(
        _SMALL.but(name="ablation-dropout", resnext=ResNeXt((1, 1, 1), (32, 64, 128), 16, dropout=(0.2, 0.4))),
        "this course, after the ResNeXt report",
    ),
    Named(
        _SMALL.but(name="ablation-no-augmentation", augmentation=Augmentation()),
        "this course, after the ResNeXt report",
    ),
    Named(
        _SMALL.but(name="ablation-balanced", balancing="balanced_sampler"),
        "this course, after the ResNeXt report",
    ),
)
