"""One face from its parts, in painting order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emo_utils.faces import eyes, hair, head, mouth, nose
from emo_utils.faces.nuisances import Nuisance, develop, draw_background, draw_occluder
from emo_utils.faces.person import Person
from emo_utils.faces.sketch import Sketch


def draw_face(
    person: Person, units: Mapping[str, float], nuisance: Nuisance, rng: np.random.Generator, size: int
) -> np.ndarray:
    """Return one picture, uint8 of shape (size, size); `units` holds every action unit, `rng` draws the grain only."""
    picture, light = sketch_face(person, units, nuisance).paint(nuisance.pose, size, nuisance.background)
    return develop(picture, light, nuisance, rng)


def sketch_face(person: Person, units: Mapping[str, float], nuisance: Nuisance) -> Sketch:
    """Return the shapes of one picture."""
    sketch = Sketch()
    draw_background(sketch, nuisance)
    hair.draw_hair_behind(sketch, person)
    head.draw_body(sketch, person)
    head.draw_skull(sketch, person, units)
    eyes.draw_eyes(sketch, person, units, nuisance.gaze, nuisance.light[0])
    nose.draw_nose(sketch, person, units, nuisance.light[0])
    lips = mouth.mouth_shape(person, units)
    mouth.draw_folds(sketch, person, units, lips)
    hair.draw_beard(sketch, person, units)
    mouth.draw_mouth(sketch, person, units, lips)
    eyes.draw_brows(sketch, person, units)
    eyes.draw_glasses(sketch, person, dark=nuisance.occluder == "sunglasses")
    hair.draw_hair_front(sketch, person)
    draw_occluder(sketch, person, nuisance)
    return sketch
