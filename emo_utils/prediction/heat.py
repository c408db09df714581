"""Where the model looked: Grad-CAM on the Keras twin of the file that answered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from emo_utils.atomic import replacing
from emo_utils.prediction.answers import Answer
from emo_utils.prediction.classifier import Classifier, keras_twin, not_its_twin

_SHARE = 0.6  # of the colour in the overlay
_SIDE = 288  # pixels of a face as drawn


def heat_of(answers: Sequence[Answer], classifier: Classifier) -> list[np.ndarray | None]:
    """Return what speaks for the given answer in each face: float32 of the crop's shape, 0 to 1; None without a face.

    Raises:
        ModelError: the Keras file of the model is not beside it, is another model's, or is not of this kind.
    """
    from emo_utils.evaluation.evaluate import face_size
    from emo_utils.evaluation.explain import grad_cam

    answered = [answer for answer in answers if answer.crop is not None]
    if not answered:
        return [None] * len(answers)
    path = keras_twin(classifier)
    twin = _load(path, path.stat().st_mtime_ns)
    if face_size(twin) != classifier.input_size:
        raise not_its_twin(path, classifier)
    classes = np.array([classifier.class_names.index(answer.emotion) for answer in answered])
    crops = np.stack([answer.crop for answer in answered])
    heat = iter(grad_cam(twin, crops, class_index=classes))
    return [None if answer.crop is None else next(heat) for answer in answers]


@lru_cache(maxsize=2)
def _load(path: Path, changed: int):
    """Return the model of a Keras file; `changed`, its time of change, makes a new file a new entry."""
    from emo_utils.models import load_model

    return load_model(path)[0]


def write_heat(crop: np.ndarray, heat: np.ndarray, path: Path) -> Path:
    """Write a PNG of a face beside itself with the heat on it, in matplotlib's colours "inferno", atomically."""
    face = cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST)
    warm = cv2.applyColorMap(
        cv2.resize((heat * 255).round().astype(np.uint8), (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR),
        cv2.COLORMAP_INFERNO,
    )
    face = cv2.cvtColor(face, cv2.COLOR_GRAY2BGR)
    gap = np.full((_SIDE, 8, 3), 255, np.uint8)
    picture = np.hstack([face, gap, cv2.addWeighted(warm, _SHARE, face, 1 - _SHARE, 0)])
    with replacing(path) as partial:
        partial.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return path
