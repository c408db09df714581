"""Where in a picture the emotion is: the places that its action units change."""

from __future__ import annotations

import cv2
import numpy as np

from emo_utils.faces.drawing import sketch_face
from emo_utils.faces.nuisances import light_and_lens
from emo_utils.faces.person import make_person
from emo_utils.faces.sampling import FaceSet
from emo_utils.faces.units import OTHER_SIDE, PROTOTYPES, UNIT_NAMES

_VISIBLE = 8 * 16  # 8 grey levels; the strongest grain has a standard deviation of 6.5
_REACH = 2  # pixels


def parts_mask(faces: FaceSet, index: np.ndarray | None = None) -> np.ndarray:
    """Return where each face shows its emotion.

    Each scene is drawn a second time without the units that define its emotion, and all else the same: person, pose,
    light, hair, hands, and the units that do not define it. Where the light on the sensor differs by more than 8 grey
    levels, the emotion can be seen; two pixels around that belong to it, since a change is seen against what is beside
    it. Boxes around brows, eyes and mouth would also hold what a unit leaves alone, and what hair or a hand hides. The
    comparison comes before exposure and grain, which would spread the change over the whole picture.

    Args:
        faces: from `make_faces`. The faces of `load_embedded` are those of `make_faces` with the same arguments; mind
            that the two have different defaults for `imbalance`.
        index: int array of shape (n,), which faces; None for all.

    Returns:
        bool array of shape (n, 48, 48). No pixel is True for "neutral", which has no units, nor where the units are
        too weak or too well hidden to be seen.
    """
    index = np.arange(len(faces)) if index is None else np.asarray(index)
    mask = np.zeros((len(index), *faces.images.shape[1:]), dtype=bool)
    square = np.ones((2 * _REACH + 1, 2 * _REACH + 1), dtype=np.uint8)
    for row, i in enumerate(index):
        with_units = dict(zip(UNIT_NAMES, faces.units[i].tolist(), strict=True))
        defining = PROTOTYPES[faces.class_names[faces.true_labels[i]]]
        without = with_units | {name: 0.0 for unit in defining for name in (unit, OTHER_SIDE.get(unit, unit))}
        changed = np.abs(_on_the_sensor(faces, i, with_units) - _on_the_sensor(faces, i, without)) > _VISIBLE
        mask[row] = cv2.dilate(changed.astype(np.uint8), square)
    return mask


def _on_the_sensor(faces: FaceSet, i: int, units: dict[str, float]) -> np.ndarray:
    nuisance = faces.nuisances[i]
    sketch = sketch_face(make_person(int(faces.people[i][1:])), units, nuisance)
    picture, light = sketch.paint(nuisance.pose, faces.images.shape[1], nuisance.background)
    return light_and_lens(picture, light, nuisance)
