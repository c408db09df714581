"""What would end a comparison after hours is found before its first training."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from emo_utils.compress.plan import Rounded, distilled
from emo_utils.compress.trained import Source, Trained, find_source
from emo_utils.datasets import FaceDataset
from emo_utils.errors import DataError, EmoUtilsError, ModelError
from emo_utils.export import check_litert, check_tools
from emo_utils.prune import LEVELS, filter_table
from emo_utils.quantise.model import check_layers


def find_student(reference: str, data: FaceDataset) -> Source:
    """Look up the student, see `find_source`.

    Raises:
        ModelError: also one that does not say which recipe made it, or whose weights are rounded already.
        RecipeError: its recipe does not go with a teacher.
    """
    found = find_source(reference, data)
    if found.recipe is None:
        raise ModelError(f"{reference} does not say which recipe made it. Take a student that this course has trained.")
    if found.recipe.quantisation:
        raise ModelError(f"{reference} is rounded already. Take the float model that it was made from.")
    distilled(found.recipe, ("a teacher",))
    return found


def possible(ways: Sequence[Rounded]) -> list[Rounded]:
    """Return the ways to round that there are tools for; of 4-bit TFLite files alone these may be missing.

    Raises:
        EmoUtilsError: TensorFlow or LiteRT is missing, or Keras has another backend.
    """
    check_tools(())
    check_litert()
    found = []
    for how in ways:
        try:
            check_tools((how.format,))
        except EmoUtilsError as error:
            print(f"{how.name}: left out. {error}")
        else:
            found.append(how)
    return found


def check_folder(folder: Path) -> None:
    """Make a folder; raise DataError if that fails or nothing can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror}). Name a folder elsewhere.") from None


def check_layers_of(student: Trained) -> None:
    """Raise EmoUtilsError if a student has layers that cannot be quantised, or that cannot be pruned at all levels."""
    model = student.load()
    check_layers(model)
    for ratios in LEVELS.values():
        filter_table(model, ratios)
