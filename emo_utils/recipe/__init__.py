"""Recipe: one frozen dataclass that names a whole experiment, from the data to the seed.

A recipe is validated when it is made, travels as JSON, and has a hash that depends on its values alone. Change one
thing at a time with `dataclasses.replace(recipe, seed=1)` or `recipe.but(seed=1)`. The named ones are in `recipes`.
"""

from emo_utils.recipe.compression import Distillation, Pruning, Quantisation
from emo_utils.recipe.parts import Augmentation, Head, ResNeXt, Stage
from emo_utils.recipe.recipe import BACKBONES, DATA_CLASSES, Recipe

__all__ = [
    "BACKBONES",
    "DATA_CLASSES",
    "Augmentation",
    "Distillation",
    "Head",
    "Pruning",
    "Quantisation",
    "Recipe",
    "ResNeXt",
    "Stage",
]
