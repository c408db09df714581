"""Who is drawn: the features that stay the same over a person's pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_STREAM = 7001  # separates these random numbers from those of a picture

# Style: weight. The weights are ours, for variety, and describe no population.
_HAIR = {"short": 4, "parted": 4, "fringe": 3, "long": 4, "curly": 3, "receding": 2, "bald": 2, "bun": 2, "scarf": 1}
_BEARDS = {"none": 10, "stubble": 2, "moustache": 2, "full": 2, "goatee": 1}
_GLASSES = {"none": 12, "thin": 3, "thick": 1}


@dataclass(frozen=True)
class Person:
    """Lengths in face units, greys from 0 to 255, the rest as factors around 1 or shares of 1."""

    skin: float
    hair: float
    iris: float
    clothes: float
    lip: float  # grey of the lips relative to the skin
    age: float  # 0 smooth to 1 lined
    width: float
    jaw: float
    chin: float
    cheek: float
    hairline: float
    ears: float
    neck: float
    eye_x: float
    eye_y: float
    eye_width: float
    eye_open: float
    eye_tilt: float
    brow_y: float
    brow_thick: float
    brow_arch: float
    brow_slope: float
    nose_length: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    volume: float  # of the hair
    part: float  # where the hair parts, -1 to 1
    hair_style: str
    beard: str
    glasses: str
    lashes: float


def _pick(weights: dict[str, int], rng: np.random.Generator) -> str:
    draw = int(rng.integers(sum(weights.values())))
    for name, weight in weights.items():
        draw -= weight
        if draw < 0:
            return name
    raise AssertionError("unreachable: the draw is below the sum of the weights")


@lru_cache(maxsize=4096)
def make_person(number: int) -> Person:
    """Return person `number` (0, 1, 2 ...): always the same one."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_STREAM, number])))

    def between(low: float, high: float) -> float:
        return low + (high - low) * (rng.random() + rng.random()) / 2  # triangular: extremes are rare

    def evenly(low: float, high: float) -> float:
        return low + (high - low) * rng.random()

    skin = evenly(105, 218)
    age = rng.random() * rng.random()
    grey_hair = evenly(135, 205) if rng.random() < 0.12 + 0.35 * age else evenly(14, 85)
    if skin > 165 and rng.random() < 0.25:
        grey_hair = evenly(110, 170)  # fair hair
    style = _pick(_HAIR, rng)
    bearded = style not in ("long", "bun", "scarf", "fringe")
    return Person(
        skin=skin,
        hair=grey_hair,
        iris=evenly(20, 105 if skin > 150 else 55),
        clothes=evenly(25, 225),
        lip=evenly(0.62, 0.86),
        age=age,
        width=between(0.84, 1.12),
        jaw=between(0.78, 1.18),
        chin=between(-10, 12),
        cheek=between(0.92, 1.08),
        hairline=between(-92, -68),
        ears=between(0.7, 1.2),
        neck=between(36, 60),
        eye_x=between(34, 45),
        eye_y=between(-26, -16),
        eye_width=between(15.5, 22),
        eye_open=between(0.75, 1.25),
        eye_tilt=between(-3.5, 3.5),
        brow_y=between(-30, -22),
        brow_thick=between(4.5, 11),
        brow_arch=between(0, 7),
        brow_slope=between(-2.5, 2.5),
        nose_length=between(40, 56),
        nose_width=between(12, 20),
        mouth_y=between(60, 73),
        mouth_width=between(25, 36),
        upper_lip=between(3.5, 9.5),
        lower_lip=between(5.5, 12),
        volume=between(0.8, 1.35),
        part=evenly(-1, 1),
        hair_style=style,
        beard=_pick(_BEARDS, rng) if bearded else "none",
        glasses=_pick(_GLASSES, rng),
        lashes=evenly(1.8, 3.0) if bearded else evenly(2.8, 4.6),
    )
