"""The embedded data: small grey faces drawn from action-unit intensities, an identity, circumstances and a seed.

units (what a face does) + person (who it is) + nuisances (how it was taken) -> drawing -> sampling (whole sets)
-> parts (where in a picture the emotion is)

>>> render_face("happy", person=3).shape
(48, 48)
>>> faces = make_faces(14, people=2)
>>> faces.images.shape, faces.people[0] in ("p000", "p001")
((14, 48, 48), True)
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emo_utils.faces.checks import require_share, require_whole
from emo_utils.faces.drawing import draw_face
from emo_utils.faces.nuisances import sample_nuisance
from emo_utils.faces.parts import parts_mask
from emo_utils.faces.person import make_person
from emo_utils.faces.sampling import FaceSet, make_faces
from emo_utils.faces.units import PROTOTYPES, UNIT_NAMES, UNITS, emotion_units, unit_vector

__all__ = ["PROTOTYPES", "UNITS", "UNIT_NAMES", "FaceSet", "make_faces", "parts_mask", "render_face"]

# Part of every cache key: raise it whenever the same arguments give other pixels.
RENDERER_VERSION = 5


def render_face(
    emotion_or_units: str | Mapping[str, float],
    *,
    person: int = 0,
    seed: int = 0,
    intensity: float = 1.0,
    nuisance: float = 1.0,
    size: int = 48,
) -> np.ndarray:
    """Draw one face.

    Args:
        emotion_or_units: an emotion ("happy"), drawn as its prototype, or intensities by action unit ({"AU12": 0.8}).
        person: who; the same number is the same person at every seed.
        seed: which picture of that person: pose, light, grain and so on.
        intensity: factor on all units, in [0, 1].
        nuisance: how far circumstances stray from a frontal, evenly lit, sharp picture, in [0, 1].
        size: side of the picture in pixels, 24 to 512.

    Returns:
        uint8 array of shape (size, size).

    Raises:
        DataError: an unknown emotion or unit, or a value out of range.
    """
    require_share("intensity", intensity)
    require_share("nuisance", nuisance)
    require_whole("person", person, 0)
    require_whole("seed", seed, 0)
    require_whole("size", size, 24, 512)
    units = emotion_units(emotion_or_units) if isinstance(emotion_or_units, str) else emotion_or_units
    strengths = dict(zip(UNIT_NAMES, (unit_vector(units) * intensity).tolist(), strict=True))
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([person, seed])))
    return draw_face(make_person(person), strengths, sample_nuisance(nuisance, rng), rng, size)
