"""Everything in a picture that is not the face: pose, light, lens, grain, background, things in the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from emo_utils.faces.person import Person
from emo_utils.faces.sketch import Pose, Sketch


@dataclass(frozen=True)
class Nuisance:
    """How one picture was taken.

    Attributes:
        pose: position of the head.
        light: light from the right and from below, -1 to 1 each.
        exposure: mean grey the camera aims at.
        contrast: gain around that mean.
        blur: share of a 3 x 3 binomial filter (at 48 pixels), in sixteenths.
        grain: standard deviation of the sensor noise in grey levels.
        gaze: shift of the iris in face units.
        background, panel, edge: greys of the background and of a second surface in it, and where that begins.
        occluder: "none", "hand", "bar" or "sunglasses".
        reach: how far the occluder covers the face, 0 to 1; above 0.5 it comes from the right.
    """

    pose: Pose = field(default_factory=Pose)
    light: tuple[float, float] = (0.25, -0.2)
    exposure: int = 132
    contrast: float = 1.0
    blur: int = 0
    grain: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)
    background: int = 120
    panel: int = 120
    edge: float = 300.0
    occluder: str = "none"
    reach: float = 0.5


def sample_nuisance(strength: float, rng: np.random.Generator) -> Nuisance:
    """Draw the circumstances of one picture; at strength 0 a frontal, evenly lit, sharp one."""

    def around(middle: float, spread: float) -> float:
        # Triangular on middle +- spread. Always drawn, so that a seed means the same picture at every strength.
        return middle + strength * spread * (rng.random() + rng.random() - 1)

    def evenly(middle: float, spread: float) -> float:
        return middle + strength * spread * (2 * rng.random() - 1)

    pose = Pose(
        roll=around(0, 0.2),
        yaw=around(0, 0.34),
        pitch=around(0, 0.16),
        scale=around(0.98, 0.11),
        dx=around(0, 16),
        dy=around(3, 14),
    )
    light = (evenly(0, 1) + (1 - strength) * 0.25, evenly(-0.2, 0.7))
    nuisance = Nuisance(
        pose=pose,
        light=light,
        exposure=int(evenly(130, 60)),
        contrast=around(1.05, 0.35),
        blur=int(15 * strength * rng.random() * rng.random()),
        grain=strength * 6.5 * rng.random() * rng.random(),
        gaze=(around(0, 5), around(0, 2.5)),
        background=int(evenly(125, 110)),
        panel=int(evenly(125, 110)),
        edge=-110 + 320 * rng.random(),
        reach=rng.random(),
    )
    draw = rng.random()
    for kind, share in (("hand", 0.04), ("bar", 0.03), ("sunglasses", 0.02)):
        draw -= share * strength
        if draw < 0:
            return replace(nuisance, occluder=kind)
    return nuisance


def next_frame(nuisance: Nuisance, rng: np.random.Generator) -> Nuisance:
    """Return the circumstances one video frame later: the head has hardly moved."""

    def shake(value: float, step: float) -> float:
        return value + step * (2 * rng.random() - 1)

    p = nuisance.pose
    pose = Pose(
        shake(p.roll, 0.01),
        shake(p.yaw, 0.012),
        shake(p.pitch, 0.008),
        shake(p.scale, 0.004),
        shake(p.dx, 0.8),
        shake(p.dy, 0.8),
    )
    return replace(nuisance, pose=pose)


def draw_background(sketch: Sketch, nuisance: Nuisance) -> None:
    """Draw the second surface of the background, right of `edge`."""
    if nuisance.edge < 150:
        panel = [(nuisance.edge, -300), (400, -300), (400, 300), (nuisance.edge - 20, 300)]
        sketch.fill(panel, nuisance.panel, lift=None, smooth=False)


def draw_occluder(sketch: Sketch, p: Person, nuisance: Nuisance) -> None:
    """Draw a hand over cheek and mouth, or a bar (a cup, a phone, a scarf) over the lower face."""
    side = 1 if nuisance.reach > 0.5 else -1
    inward = abs(nuisance.reach - 0.5) * 2
    if nuisance.occluder == "hand":
        x = side * (92 - 46 * inward)
        skin = p.skin * 0.96
        palm = [(0, 56), (40, 40), (66, 90), (60, 170), (4, 170), (-6, 100)]
        sketch.fill([(x + side * dx, y) for dx, y in palm], skin, lift=None)
        for i in range(4):
            base = (x + side * (4 + 13 * i), 74)
            tip = (x + side * (10 * i - 12), 8 + abs(i - 1) * 8)
            sketch.stroke([base, ((base[0] + tip[0]) / 2, 44), tip], 17, skin * 0.72, lift=None, taper=0.8)
            sketch.stroke([base, ((base[0] + tip[0]) / 2, 44), tip], 13, skin, lift=None, taper=0.8)
    elif nuisance.occluder == "bar":
        top = 104 - 48 * inward
        bar = [(-150, top + 8 * side), (150, top - 8 * side), (150, 260), (-150, 260)]
        sketch.fill(bar, nuisance.panel, lift=None, smooth=False)


def develop(picture: np.ndarray, light: np.ndarray, nuisance: Nuisance, rng: np.random.Generator) -> np.ndarray:
    """Turn what was drawn into a photograph: light, lens, exposure, grain; integers throughout.

    Args:
        picture: int32 of shape (size, size), sixteenths of a grey level.
        light: int32 of the same shape, soft light and shadow around 0.
        nuisance: the circumstances.
        rng: draws the grain.

    Returns:
        uint8 array of the same shape.
    """
    image = light_and_lens(picture, light, nuisance)
    size = len(image)
    mean = int(image.sum()) // (size * size)
    target = (mean + 3 * 16 * nuisance.exposure) // 4  # the camera evens out most of the difference
    image = target + (image - mean) * int(256 * nuisance.contrast) // 256
    if nuisance.grain:
        noise = rng.integers(0, 256, (4, size, size)).sum(axis=0) - 510  # nearly normal, standard deviation 148
        image = image + noise * int(16 * nuisance.grain) // 148
    return np.clip((image + 8) // 16, 0, 255).astype(np.uint8)


def light_and_lens(picture: np.ndarray, light: np.ndarray, nuisance: Nuisance) -> np.ndarray:
    """Return what falls on the sensor, in sixteenths of a grey level: int32, with arguments as for `develop`."""
    size = len(picture)
    across = (2 * np.arange(size, dtype=np.int32) + 1 - size) * 128 // size  # -128 to 128 over the picture
    down = across[:, None]
    right, below = (int(36 * v) for v in nuisance.light)
    # Direction of the light, and the darkening where the head turns away from the camera.
    field = (right * across + below * down) // 128 - (22 * (across * across + down * down)) // 16384
    image = picture * np.maximum(128 + 8 + field + light, 24) // 128
    if nuisance.blur:
        soft = image
        for _ in range(max(1, size // 48)):
            soft = _binomial(soft)
        image = image + (soft - image) * nuisance.blur // 16
    return image


def _binomial(image: np.ndarray) -> np.ndarray:
    padded = np.pad(image, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) // 16
