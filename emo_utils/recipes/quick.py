"""A recipe in small: the same steps on the embedded faces, in seconds."""

from __future__ import annotations

from emo_utils.emotions import SEVEN
from emo_utils.paths import course_root
from emo_utils.recipe import Recipe

QUICK_FACES = 160  # training faces of a quick run: pass it as `limit` to run_experiment
_SIDE = 48  # pixels; enough to show that a recipe runs
_SMALLEST = {"Xception": 71}  # the backbones that take no less


def quick(recipe: Recipe, epochs: int = 1) -> Recipe:
    """Return the quick form of a recipe: embedded faces, a small input, few epochs, no weights from the network.

    Its figures say that a recipe runs, not what it is worth.

    Args:
        recipe: any recipe for FER2013 or the embedded faces.
        epochs: of each stage.
    """
    own = recipe.weights not in (None, "imagenet") and (course_root() / recipe.weights).is_file()
    stages = [
        {**s, "epochs": min(s["epochs"], epochs), "views": min(s["views"], 2)} for s in recipe.to_dict()["stages"]
    ]
    return recipe.but(
        name=f"{recipe.name}-quick",
        data="embedded",
        classes=[name for name in recipe.classes if name in SEVEN],  # the drawn faces know no contempt
        input_size=min(recipe.input_size, _SMALLEST.get(recipe.backbone, _SIDE)),
        weights=recipe.weights if own else None,
        votes=0.0,  # nobody voted on the drawn faces
        stages=stages,
        warmup_epochs=0,
        batch_size=min(recipe.batch_size, 16),
    )
