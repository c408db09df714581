"""Brows, eyes and what is worn before them, as functions of action units."""

from __future__ import annotations

from collections.abc import Mapping

from emo_utils.faces.person import Person
from emo_utils.faces.sketch import Sketch

_ALMOND = (-1.0, -0.72, -0.38, 0.0, 0.38, 0.72, 1.0)


_DISC = ((1, 0), (0.81, 0.59), (0.31, 0.95), (-0.31, 0.95), (-0.81, 0.59), (-1, 0), (-0.81, -0.59), (-0.31, -0.95),
         (0.31, -0.95), (0.81, -0.59))  # fmt: skip


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
        sketch.fill(
            [(-16, p.eye_y - 34), (16, p.eye_y - 34), (12, p.eye_y - 2), (-12, p.eye_y - 2)], -30 * knit, soft=True
        )
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


def draw_eyes(sketch: Sketch, p: Person, au: Mapping[str, float], gaze: tuple[float, float], glint: float) -> None:
    """Draw both eyes. `gaze` shifts the iris in face units; `glint` is the side the light comes from, -1 to 1."""
    up, low = lid_heights(p, au)
    w = p.eye_width
    white = min(238.0, 0.5 * p.skin + 118)
    for side in (-1, 1):
        cx, cy = side * p.eye_x, p.eye_y
        hollow = [(cx - 27, cy - 17), (cx + 27, cy - 17), (cx + 25, cy + 15), (cx - 25, cy + 15)]
        sketch.fill(hollow, -17 - 10 * p.age, soft=True)

        def lid(height: float, t: float, cx=cx, cy=cy, side=side) -> tuple[float, float]:
            return cx + t * w, cy - height * (1 - t * t) - side * t * p.eye_tilt

        top = [lid(up, t) for t in _ALMOND]
        bottom = [lid(-low, t) for t in _ALMOND]
        sketch.fill(top + bottom[-2:0:-1], white, smooth=False)
        radius = 8.6
        ix, iy = cx + gaze[0], cy - (up - low) / 2 * 0.6 + gaze[1]
        for r, grey in ((radius, p.iris), (radius * 0.48, 8)):
            ring = [(ix + r * dx, iy + r * dy) for dx, dy in _DISC]
            sketch.fill([_between_lids(q, cx, cy, side, up, low, w, p.eye_tilt) for q in ring], grey, smooth=False)
        gx, gy = ix + 3 * glint, iy - 3
        if up > 4:
            sketch.fill(
                [(gx - 1.6, gy - 1.6), (gx + 1.6, gy - 1.6), (gx + 1.6, gy + 1.6), (gx - 1.6, gy + 1.6)],
                240,
                smooth=False,
            )
        thick = p.lashes + 0.6
        lash = [(x, y - thick * (1 - abs(t)) - 0.8) for (x, y), t in zip(top, _ALMOND, strict=True)]
        sketch.fill(lash + top[::-1], p.skin * 0.22, smooth=False)
        sketch.stroke(bottom[1:-1], 2, p.skin * 0.6)
        fold = up + 5.5 - 3 * au["AU5"] - 1.5 * au["AU4"]
        sketch.stroke([lid(fold, t) for t in (-0.95, -0.4, 0.3, 1.0)], 2.6, p.skin * 0.66)
        bag = au["AU6"] + 0.6 * au["AU7"] + 0.5 * p.age
        if bag > 0.15:
            under = [(cx - 0.8 * w, cy + 10), (cx, cy + 14 - 3 * au["AU6"]), (cx + 0.9 * w, cy + 9)]
            sketch.stroke(under, 3.4, p.skin * (1 - 0.3 * min(1.0, bag)))
        feet = au["AU6"] * (0.5 + 0.5 * p.age)
        if feet > 0.15:
            x = cx + side * (w + 5)
            for dy in (-5, 0, 5):
                sketch.stroke(
                    [(x, cy + dy * 0.4), (x + side * 7, cy + dy), (x + side * 12, cy + dy * 1.6)],
                    2.6,
                    p.skin * (1 - 0.4 * feet),
                )


def _between_lids(point, cx, cy, side, up, low, w, tilt):
    """Clip a point of the iris to the opening of the eye."""
    x = max(cx - w, min(cx + w, point[0]))
    t = (x - cx) / w
    line = cy - side * t * tilt
    return x, max(line - up * (1 - t * t), min(line + low * (1 - t * t), point[1]))


def draw_glasses(sketch: Sketch, p: Person, *, dark: bool) -> None:
    """Draw the person's glasses, or sunglasses (`dark`)."""
    if p.glasses == "none" and not dark:
        return
    width, grey = (7, 25) if p.glasses == "thick" else (3.4, 70)
    rx, top, low = p.eye_width + 9, p.eye_y - 15, p.eye_y + 17
    for side in (-1, 1):
        cx = side * (p.eye_x + 1)
        rim = [
            (cx - rx, p.eye_y),
            (cx - rx + 5, top),
            (cx + rx - 5, top),
            (cx + rx, p.eye_y),
            (cx + rx - 6, low),
            (cx - rx + 6, low),
        ]
        if dark:
            sketch.fill(rim, 22, lift=10)
            sketch.stroke([(cx - rx + 8, top + 16), (cx - rx + 14, top + 7), (cx - 2, top + 5)], 4, 90, lift=11)
        else:
            sketch.stroke([*rim, rim[0]], width, grey, lift=10, taper=1.0)
        sketch.stroke(
            [(cx + side * rx, p.eye_y - 6), (side * 90 * p.width, p.eye_y - 8)], width, grey, lift=0, taper=1.0
        )
    sketch.stroke(
        [(-p.eye_x + rx - 2, p.eye_y - 5), (0, p.eye_y - 8), (p.eye_x - rx + 2, p.eye_y - 5)],
        width,
        grey,
        lift=12,
        taper=1.0,
    )
