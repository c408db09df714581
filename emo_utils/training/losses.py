"""The loss that a recipe names."""

from __future__ import annotations

import keras

from emo_utils.recipe import Recipe


def make_loss(recipe: Recipe, *, logits: bool = False) -> keras.losses.Loss:
    """Return the loss of a recipe, for probabilities and targets of shape (n, n_classes) whose rows sum to 1.

    "cross_entropy" is -sum_c target_c log p_c; "focal" (Lin et al. 2017) weighs each term with alpha (1 - p_c)**gamma,
    so that faces which are right already count less. Both take sample weights and average over the batch.

    Args:
        recipe: its loss, gamma, alpha and label smoothing.
        logits: the loss is given logits instead of probabilities.
    """
    common = {"label_smoothing": recipe.label_smoothing, "from_logits": logits}
    if recipe.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(alpha=recipe.focal_alpha, gamma=recipe.focal_gamma, **common)
    return keras.losses.CategoricalCrossentropy(**common)
