"""Facial action units (FACS) and the emotions as combinations of them.

The prototypes follow EMFACS: P. Ekman, W. V. Friesen, "Unmasking the Face" (1975) and "Facial Action Coding System"
(1978). `L12` and `R12` mean unit 12 on the left or right half of the picture only, as FACS coders write it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emo_utils.emotions import canonical_emotion
from emo_utils.errors import DataError
from emo_utils.faces.checks import require_share

UNITS = {
    "AU1": "inner brow raiser",
    "AU2": "outer brow raiser",
    "AU4": "brow lowerer",
    "AU5": "upper lid raiser",
    "AU6": "cheek raiser",
    "AU7": "lid tightener",
    "AU9": "nose wrinkler",
    "AU12": "lip corner puller",
    "AU14": "dimpler",
    "AU15": "lip corner depressor",
    "AU16": "lower lip depressor",
    "AU20": "lip stretcher",
    "AU23": "lip tightener",
    "AU25": "lips part",
    "AU26": "jaw drop",
    "L12": "lip corner puller, left",
    "L14": "dimpler, left",
    "R12": "lip corner puller, right",
    "R14": "dimpler, right",
}
UNIT_NAMES = tuple(UNITS)

PROTOTYPES = {
    "angry": ("AU4", "AU5", "AU7", "AU23"),
    "disgust": ("AU9", "AU15", "AU16"),
    "fear": ("AU1", "AU2", "AU4", "AU5", "AU7", "AU20", "AU26"),
    "happy": ("AU6", "AU12"),
    "sad": ("AU1", "AU4", "AU15"),
    "surprise": ("AU1", "AU2", "AU5", "AU26"),
    "neutral": (),
    "contempt": ("L12", "L14"),
}

# Lips often part without changing the emotion; how often, in our sets.
_LIPS_PART = {"happy": 0.55, "fear": 0.5, "disgust": 0.3, "angry": 0.15, "surprise": 0.5, "neutral": 0.1, "sad": 0.1}
OTHER_SIDE = {"L12": "R12", "L14": "R14"}


def unit_vector(units: Mapping[str, float]) -> np.ndarray:
    """Return intensities in the order of `UNIT_NAMES`.

    Args:
        units: intensity in [0, 1] by unit name, e.g. {"AU12": 0.8}.

    Returns:
        float32 array of shape (n_units,).

    Raises:
        DataError: an unknown unit, or an intensity outside [0, 1].
    """
    vector = np.zeros(len(UNIT_NAMES), dtype=np.float32)
    for name, value in units.items():
        if name not in UNITS:
            raise DataError(f"Unknown action unit {name!r}. Known: {', '.join(UNIT_NAMES)}.")
        require_share(f"The intensity of {name}", value)
        vector[UNIT_NAMES.index(name)] = value
    return vector


def emotion_units(emotion: str, intensity: float = 1.0) -> dict[str, float]:
    """Return the prototype of an emotion, every unit at the same intensity.

    >>> emotion_units("happy", 0.5)
    {'AU6': 0.5, 'AU12': 0.5}
    """
    return {name: float(intensity) for name in PROTOTYPES[canonical_emotion(emotion)]}


def sample_units(emotion: str, intensity: float, rng: np.random.Generator) -> dict[str, float]:
    """Draw one person's way of showing an emotion: the prototype with uneven strengths and a little of something else.

    Args:
        emotion: a name of `PROTOTYPES`.
        intensity: mean strength of the prototype's units, in [0, 1].
        rng: only `random` and `integers` are drawn from, whose streams numpy keeps stable.
    """
    units = {}
    swap = rng.random() < 0.5
    for name in PROTOTYPES[emotion]:
        strength = intensity * (0.7 + 0.5 * rng.random())
        units[OTHER_SIDE.get(name, name) if swap else name] = min(1.0, strength)
    if rng.random() < _LIPS_PART.get(emotion, 0.0):
        units["AU25"] = (0.3 + 0.7 * rng.random()) * max(intensity, 0.4)
    for _ in range(2):
        name = UNIT_NAMES[int(rng.integers(len(UNIT_NAMES) - 4))]  # the last four are one-sided
        units[name] = min(1.0, units.get(name, 0.0) + 0.14 * rng.random())
    return units
