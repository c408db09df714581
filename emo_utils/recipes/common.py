"""What several recipes share, and how a recipe says where it comes from."""

from __future__ import annotations

from typing import NamedTuple

from emo_utils.recipe import Augmentation, Recipe


class Named(NamedTuple):
    """A recipe with its origin.

    Attributes:
        recipe: the experiment.
        source: where it comes from.
        reported: the figure that the source gives for it, on the source's data; "" if it gives none.
    """

    recipe: Recipe
    source: str
    reported: str = ""


# The parameters that the course's sources use for FER2013.
SOURCE_AUGMENTATION = Augmentation(flip=True, rotation=15, zoom=0.2, shift=0.2, brightness=0.2, contrast=0.2)
# Milder shifts and zooms: FER2013's faces are already cropped to the chin and brow, and a 20 % shift cuts a mouth off.
MILD_AUGMENTATION = Augmentation(flip=True, rotation=12, zoom=0.12, shift=0.08, brightness=0.15, contrast=0.25)
