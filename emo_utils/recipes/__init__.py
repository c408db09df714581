"""The named recipes: every experiment of the sources and the course's own; comments say why a value is unusual."""

from __future__ import annotations

import difflib

from emo_utils.errors import RecipeError
from emo_utils.recipe import Recipe
from emo_utils.recipes.common import MILD_AUGMENTATION, SOURCE_AUGMENTATION, Named
from emo_utils.recipes.jetson import JETSON
from emo_utils.recipes.own import OWN
from emo_utils.recipes.quick import QUICK_FACES, quick
from emo_utils.recipes.resnext import RESNEXT
from emo_utils.recipes.transfer import TRANSFER
from emo_utils.recipes.two_stage import TWO_STAGE

__all__ = [
    "CATALOGUE",
    "MILD_AUGMENTATION",
    "QUICK_FACES",
    "RECIPES",
    "SOURCE_AUGMENTATION",
    "Named",
    "get_recipe",
    "quick",
]

CATALOGUE: dict[str, Named] = {named.recipe.name: named for named in (*OWN, *TRANSFER, *TWO_STAGE, *RESNEXT, *JETSON)}
RECIPES: dict[str, Recipe] = {name: named.recipe for name, named in CATALOGUE.items()}


def get_recipe(name: str) -> Recipe:
    """Return a named recipe.

    Raises:
        RecipeError: no recipe has this name; the message lists those that exist.
    """
    if name not in RECIPES:
        close = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise RecipeError(f"No recipe is called {name!r}. There are: {', '.join(RECIPES)}.{hint}")
    return RECIPES[name]
