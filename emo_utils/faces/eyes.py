"""Brows, eyes and what is worn before them, as functions of action units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emo_utils.faces.person import Person
from emo_utils.faces.sketch import Sketch

_ALMOND = (-1.0, -0.72, -0.38, 0.0, 0.38, 0.72, 1.0)  # where the lids are sampled, from corner to corner
# A circle in ten corners, written out because sines differ between machines in their last bit.
_RIGHT_ARC = ((0.31, -0.95), (0.81, -0.59), (1, 0), (0.81, 0.59), (0.31, 0.95))
_DISC = (*_RIGHT_ARC, *((-x, -y) for x, y in _RIGHT_ARC))


def draw_brows(sketch: Sketch, p: Person, au: Mapping[str, float]) -> None:
    """Draw both brows, and the wrinkles that raising (1, 2) and knitting (4) them throws on the forehead."""
    inner_up, outer_up, knit = au["AU1"], au["AU2"], min(1.0, au["AU4"] + 0.45 * au["AU9"])
    press = knit * (1 - 0.85 * inner_up)  # unit 1 lifts what unit 4 presses down: the oblique brows of grief
    dark = min(p.hair, p.skin * 0.62)
    for side in (-1, 1):
        y = p.eye_y + p.brow_y
        inner = (side * (p.eye_x - 21 - 6 * knit), y + p.brow_slope - 15 * inner_up + 16 * press)
        mid = (side * (p.eye_x + 3), y - p.brow_arch - 6 * inner_up - 10 * outer_up + 8 * press)
        outer = (side * (p.eye_x + 28), y + 6 - p.brow_slope / 2 - 14 * outer_up + 2 * press + 3 * knit * inner_up)
        t = p.brow_thick / 2
        upper = [(inner[0], inner[1] - t), (mid[0], mid[1] - t), (outer[0], outer[1] - 0.8)]
        lower = [(outer[0], outer[1] + 0.8), (mid[0], mid[1] + t * 0.8), (inner[0], inner[1] + t)]
        sketch.fill(upper + lower, dark, lift=4)
        if knit > 0.12:
            crease = p.skin * (1 - 0.42 * min(1.0, knit))
            x = side * (7 + 2 * p.age)
            sketch.stroke([(x, y - 8), (x - side, y + 6), (x + side * 2, y + 20)], 4.5, crease, lift=2)
    if knit > 0.12:
        y = p.eye_y
        sketch.fill([(-16, y - 34), (16, y - 34), (12, y - 2), (-12, y - 2)], -30 * knit, soft=True)
    lines = max(inner_up, outer_up) + 0.35 * p.age
    if lines > 0.15:
        reach = 52 if outer_up >= inner_up * 0.6 else 24
        for i in range(3):
            y = p.eye_y + p.brow_y - 19 - 12 * i - 9 * inner_up
            if y > p.hairline - 6:
                sag = 4 if outer_up > 0.2 else -3
                line = [(-reach, y + sag), (-reach / 2, y), (0, y + 1), (reach / 2, y), (reach, y + sag)]
                sketch.stroke(line, 3.6, p.skin * (1 - 0.3 * min(1.0, lines)))


def lid_heights(p: Person, au: Mapping[str, float]) -> tuple[float, float]:
    """Return how far the upper and the lower lid stand from the line between the corners of the eye."""
    upper = 8.2 * p.eye_open + 7.5 * au["AU5"] - 2.6 * au["AU7"] - 1.6 * au["AU4"] - 2.5 * au["AU9"] - 2.2 * au["AU6"]
    lower = 5.2 * p.eye_open + 1.8 * au["AU5"] - 3.2 * au["AU7"] - 4.2 * au["AU6"] - 2.6 * au["AU9"]
    return max(1.6, upper), max(0.4, lower)


@dataclass(frozen=True)
class _Eye:
    side: int  # -1 left in the picture, 1 right
    x: float
    y: float
    half: float  # half its width
    up: float
    low: float
    tilt: float

    def at(self, t: float, height: float) -> tuple[float, float]:
        """Return the point of a lid that stands `height` high at the middle; t runs from -1 to 1 across the eye."""
        return self.x + t * self.half, self.y - height * (1 - t * t) - self.side * t * self.tilt

    def clip(self, x: float, y: float) -> tuple[float, float]:
        """Move a point into the opening between the lids."""
        t = max(-1.0, min(1.0, (x - self.x) / self.half))
        (x, top), (_, bottom) = self.at(t, self.up), self.at(t, -self.low)
        return x, max(top, min(bottom, y))


def draw_eyes(sketch: Sketch, p: Person, au: Mapping[str, float], gaze: tuple[float, float], glint: float) -> None:
    """Draw both eyes. `gaze` shifts the iris in face units; `glint` is the side the light comes from, -1 to 1."""
    up, low = lid_heights(p, au)
    for side in (-1, 1):
        eye = _Eye(side, side * p.eye_x, p.eye_y, p.eye_width, up, low, p.eye_tilt)
        _draw_opening(sketch, p, eye, gaze, glint)
        _draw_lids(sketch, p, eye, au)


def _draw_opening(sketch: Sketch, p: Person, eye: _Eye, gaze: tuple[float, float], glint: float) -> None:
    x, y = eye.x, eye.y
    hollow = [(x - 27, y - 17), (x + 27, y - 17), (x + 25, y + 15), (x - 25, y + 15)]
    sketch.fill(hollow, -17 - 10 * p.age, soft=True)
    rim = [eye.at(t, eye.up) for t in _ALMOND] + [eye.at(t, -eye.low) for t in _ALMOND[-2:0:-1]]
    sketch.fill(rim, min(238.0, 0.5 * p.skin + 118), smooth=False)
    x, y = x + gaze[0], y - (eye.up - eye.low) * 0.3 + gaze[1]
    for radius, grey in ((8.6, p.iris), (4.1, 8)):
        sketch.fill([eye.clip(x + radius * dx, y + radius * dy) for dx, dy in _DISC], grey, smooth=False)
    if eye.up > 4:
        x, y = x + 3 * glint, y - 3
        spot = [(x - 1.6, y - 1.6), (x + 1.6, y - 1.6), (x + 1.6, y + 1.6), (x - 1.6, y + 1.6)]
        sketch.fill(spot, 240, smooth=False)


def _draw_lids(sketch: Sketch, p: Person, eye: _Eye, au: Mapping[str, float]) -> None:
    """Draw lashes, the fold above the eye, the bag below it and the crow's feet beside it."""
    top = [eye.at(t, eye.up) for t in _ALMOND]
    lash = [(x, y - (p.lashes + 0.6) * (1 - abs(t)) - 0.8) for (x, y), t in zip(top, _ALMOND, strict=True)]
    sketch.fill(lash + top[::-1], p.skin * 0.22, smooth=False)
    sketch.stroke([eye.at(t, -eye.low) for t in _ALMOND[1:-1]], 2, p.skin * 0.6)
    fold = eye.up + 5.5 - 3 * au["AU5"] - 1.5 * au["AU4"]
    sketch.stroke([eye.at(t, fold) for t in (-0.95, -0.4, 0.3, 1.0)], 2.6, p.skin * 0.66)
    bag = au["AU6"] + 0.6 * au["AU7"] + 0.5 * p.age
    if bag > 0.15:
        x, y, w = eye.x, eye.y, eye.half
        under = [(x - 0.8 * w, y + 10), (x, y + 14 - 3 * au["AU6"]), (x + 0.9 * w, y + 9)]
        sketch.stroke(under, 3.4, p.skin * (1 - 0.3 * min(1.0, bag)))
    feet = au["AU6"] * (0.5 + 0.5 * p.age)
    if feet > 0.15:
        x, y, side = eye.x + eye.side * (eye.half + 5), eye.y, eye.side
        for dy in (-5, 0, 5):
            crease = [(x, y + dy * 0.4), (x + side * 7, y + dy), (x + side * 12, y + dy * 1.6)]
            sketch.stroke(crease, 2.6, p.skin * (1 - 0.4 * feet))


def draw_glasses(sketch: Sketch, p: Person, *, dark: bool) -> None:
    """Draw the person's glasses, or sunglasses (`dark`)."""
    if p.glasses == "none" and not dark:
        return
    width, grey = (7, 25) if p.glasses == "thick" else (3.4, 70)
    rx, y = p.eye_width + 9, p.eye_y
    for side in (-1, 1):
        x = side * (p.eye_x + 1)
        rim = [(x - rx, y), (x - rx + 5, y - 15), (x + rx - 5, y - 15), (x + rx, y), (x + rx - 6, y + 17)]
        rim.append((x - rx + 6, y + 17))
        if dark:
            sketch.fill(rim, 22, lift=10)
            sketch.stroke([(x - rx + 8, y + 1), (x - rx + 14, y - 8), (x - 2, y - 10)], 4, 90, lift=11)
        else:
            sketch.stroke([*rim, rim[0]], width, grey, lift=10, taper=1.0)
        temple = [(x + side * rx, y - 6), (side * 90 * p.width, y - 8)]
        sketch.stroke(temple, width, grey, taper=1.0)
    bridge = [(-p.eye_x + rx - 2, y - 5), (0, y - 8), (p.eye_x - rx + 2, y - 5)]
    sketch.stroke(bridge, width, grey, lift=12, taper=1.0)
