"""What moves in a face: brows, eyes, nose, mouth and the folds between them, as functions of action-unit intensities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emo_utils.faces.person import Person
from emo_utils.faces.sketch import Sketch

_ALMOND = (-1.0, -0.72, -0.38, 0.0, 0.38, 0.72, 1.0)


def draw_brows(sketch: Sketch, p: Person, au: Mapping[str, float]) -> None:
    """Draw both brows, and the wrinkles that raising (1, 2) and knitting (4) them throws on the forehead."""
    inner_up, outer_up, knit = au["AU1"], au["AU2"], au["AU4"] + 0.45 * au["AU9"]
    dark = min(p.hair, p.skin * 0.62)
    for side in (-1, 1):
        y = p.eye_y + p.brow_y
        inner = (side * (p.eye_x - 21 - 6 * knit), y + p.brow_slope - 15 * inner_up + 13 * knit)
        mid = (side * (p.eye_x + 3), y - p.brow_arch - 8 * inner_up - 10 * outer_up + 8 * knit)
        outer = (side * (p.eye_x + 28), y + 6 - p.brow_slope / 2 - 14 * outer_up + 2 * knit)
        t = p.brow_thick / 2
        upper = [(inner[0], inner[1] - t), (mid[0], mid[1] - t), (outer[0], outer[1] - 0.8)]
        lower = [(outer[0], outer[1] + 0.8), (mid[0], mid[1] + t * 0.8), (inner[0], inner[1] + t)]
        sketch.fill(upper + lower, dark, lift=4)
        if knit > 0.12:
            crease = p.skin * (1 - 0.42 * min(1.0, knit))
            x = side * (7 + 2 * p.age)
            sketch.stroke([(x, y - 8), (x - side, y + 6), (x + side * 2, y + 20)], 4.5, crease, lift=2)
    if knit > 0.12:
        sketch.fill([(-16, p.eye_y - 34), (16, p.eye_y - 34), (12, p.eye_y - 2), (-12, p.eye_y - 2)], -30 * knit, soft=True)
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
            sketch.fill([(gx - 1.6, gy - 1.6), (gx + 1.6, gy - 1.6), (gx + 1.6, gy + 1.6), (gx - 1.6, gy + 1.6)], 240, smooth=False)
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
                sketch.stroke([(x, cy + dy * 0.4), (x + side * 7, cy + dy), (x + side * 12, cy + dy * 1.6)], 2.6, p.skin * (1 - 0.4 * feet))


_DISC = ((1, 0), (0.81, 0.59), (0.31, 0.95), (-0.31, 0.95), (-0.81, 0.59), (-1, 0), (-0.81, -0.59), (-0.31, -0.95),
         (0.31, -0.95), (0.81, -0.59))  # fmt: skip


def _between_lids(point, cx, cy, side, up, low, w, tilt):
    """Clip a point of the iris to the opening of the eye."""
    x = max(cx - w, min(cx + w, point[0]))
    t = (x - cx) / w
    line = cy - side * t * tilt
    return x, max(line - up * (1 - t * t), min(line + low * (1 - t * t), point[1]))


def draw_nose(sketch: Sketch, p: Person, au: Mapping[str, float], light_x: float) -> None:
    """Draw the nose: the shadow beside the bridge, its wings and nostrils, and the wrinkles of unit 9."""
    wrinkle = au["AU9"]
    base = p.eye_y + p.nose_length - 5 * wrinkle
    w = p.nose_width * (1 + 0.12 * wrinkle + 0.1 * au["AU12"])
    far = -1 if light_x > 0 else 1
    flank = [(far * 5, p.eye_y), (far * 17, p.eye_y - 4), (far * (w + 5), base - 2), (far * (w - 5), base + 1), (far * 5, base - 16)]
    sketch.fill(flank, -34, soft=True)
    sketch.fill([(-4, p.eye_y - 6), (4, p.eye_y - 6), (7, base - 6), (0, base), (-7, base - 6)], 25, soft=True)
    sketch.fill([(-w - 3, base + 3), (w + 3, base + 3), (10, base + 13), (-10, base + 13)], -28, soft=True)
    sketch.stroke([(far * 8, p.eye_y - 12), (far * 8, base - 30), (far * (w - 6), base - 10)], 3, p.skin * 0.82, lift=6)
    for side in (-1, 1):
        wing = [(side * (w - 4), base - 13), (side * (w + 1), base - 6), (side * (w - 1), base + 2), (side * (w - 6), base + 3)]
        sketch.stroke(wing, 3.2, p.skin * (0.66 - 0.12 * wrinkle), lift=8)
        hole = [(side * (w * 0.28), base + 1), (side * (w * 0.5), base - 3), (side * (w * 0.8), base + 1), (side * (w * 0.5), base + 4)]
        sketch.fill(hole, p.skin * 0.3, lift=10)
        if wrinkle > 0.12:
            for i in range(3):
                y = p.eye_y - 8 + 9 * i
                sketch.stroke([(side * 1, y + 3), (side * 8, y), (side * 14, y + 5)], 3.4, p.skin * (1 - 0.42 * wrinkle), lift=4)


@dataclass(frozen=True)
class Mouth:
    """Heights (y) and half widths of the mouth, in face units; left and right as seen in the picture."""

    left: tuple[float, float]
    right: tuple[float, float]
    upper_edge: float  # top of the upper lip, at the middle
    upper_inner: float
    lower_inner: float
    lower_edge: float


def mouth_shape(p: Person, au: Mapping[str, float]) -> Mouth:
    """Return where the lips are for these action units: 12 pulls the corners up and out, 15 down, 26 opens the jaw ..."""
    y = p.mouth_y - 3 * au["AU9"]

    def corner(pull: float, dimple: float) -> tuple[float, float]:
        x = p.mouth_width + 11 * pull + 10 * au["AU20"] - 7 * au["AU23"] - 5 * au["AU26"] + 3 * dimple + au["AU15"]
        return x, y - 15 * pull + 13 * au["AU15"] + 3 * au["AU20"] - 3 * dimple + 3 * au["AU26"] + 4 * au["AU9"]

    left = corner(max(au["AU12"], au["L12"]), max(au["AU14"], au["L14"]))
    right = corner(max(au["AU12"], au["R12"]), max(au["AU14"], au["R14"]))
    smile = (max(au["AU12"], au["L12"]) + max(au["AU12"], au["R12"])) / 2
    thin = 1 - 0.3 * smile - 0.35 * au["AU20"] - 0.65 * au["AU23"] - 0.25 * au["AU26"]
    thin = max(0.25, thin)
    part = 8 * au["AU25"] * (1 - 0.7 * au["AU23"]) + 7 * au["AU16"] + 26 * au["AU26"]
    raise_lip = 7 * au["AU9"] + 4 * smile * au["AU25"]
    upper_inner = y - raise_lip - 0.1 * part
    lower_inner = y + 0.9 * part - 2 * au["AU15"]
    return Mouth(
        left=(-left[0], left[1]),
        right=right,
        upper_edge=upper_inner - p.upper_lip * thin,
        upper_inner=upper_inner,
        lower_inner=max(lower_inner, upper_inner),
        lower_edge=max(lower_inner, upper_inner) + p.lower_lip * max(thin, 0.45) * (1 - 0.25 * au["AU16"]),
    )


def draw_mouth(sketch: Sketch, p: Person, au: Mapping[str, float]) -> Mouth:
    """Draw lips, the dark between them, teeth and tongue; return where they are."""
    m = mouth_shape(p, au)

    def curve(middle: float, power: int = 2, dip: float = 0.0) -> list[tuple[float, float]]:
        """Run from the left corner to the right one through (0, middle); `dip` makes a Cupid's bow."""
        points = []
        for t in (-0.8, -0.5, -0.2, 0.0, 0.2, 0.5, 0.8):
            x, y = m.right if t > 0 else m.left
            bend = t * t if power == 2 else t * t * t * t
            points.append((abs(t) * x, middle + (y - middle) * bend + dip * (1 - min(1.0, 4 * abs(t)))))
        return points

    lip = p.skin * p.lip
    gap = m.lower_inner - m.upper_inner
    upper_edge, upper_inner = curve(m.upper_edge, dip=1.8), curve(m.upper_inner)
    lower_inner, lower_edge = curve(m.lower_inner, 2 if gap < 10 else 4), curve(m.lower_edge, 2 if gap < 10 else 4)
    sketch.fill([(-m.right[0] * 0.6, m.lower_edge + 4), (m.right[0] * 0.6, m.lower_edge + 4), (0, m.lower_edge + 15)], -30, soft=True)
    sketch.fill([m.left, *lower_inner, m.right, *lower_edge[::-1]], min(250, lip * 1.08), lift=6)
    sketch.fill([m.left, *upper_edge, m.right, *upper_inner[::-1]], lip * 0.88, lift=7)
    if gap > 2.5:
        sketch.fill([m.left, *upper_inner, m.right, *lower_inner[::-1]], p.skin * 0.14 + 6, lift=5)
        _draw_teeth(sketch, m, upper_inner, lower_inner, au)
    else:
        line = [m.left, *curve((m.upper_inner + m.lower_inner) / 2), m.right]
        sketch.stroke(line, 3.2 + 1.2 * au["AU23"], p.skin * 0.32, lift=7, taper=0.5)
    return m


def _draw_teeth(sketch: Sketch, m: Mouth, upper_inner, lower_inner, au: Mapping[str, float]) -> None:
    gap = m.lower_inner - m.upper_inner
    show = min(gap * 0.75, 8.0) * min(1.0, 0.45 + max(au["AU12"], au["AU9"], au["AU20"]) * 0.8)
    if show > 1.5:
        row = [(x * 0.94, y) for x, y in upper_inner]
        sketch.fill(row + [(x * 0.9, y + show * (1 - (x / m.right[0]) ** 2 * 0.4)) for x, y in row[::-1]], 222, lift=5, smooth=False)
    if au["AU16"] > 0.3 and gap > 5:
        row = [(x * 0.85, y) for x, y in lower_inner]
        sketch.fill(row + [(x, y - 4.5) for x, y in row[::-1]], 200, lift=5, smooth=False)
    if gap > 16:
        y = m.lower_inner
        sketch.fill([(-m.right[0] * 0.55, y - 2), (0, y - 9), (m.right[0] * 0.55, y - 2), (0, y + 1)], 92, lift=4)


def draw_folds(sketch: Sketch, p: Person, au: Mapping[str, float], m: Mouth) -> None:
    """Draw cheeks, the folds from nose to mouth, dimples and the creases under the corners of the mouth."""
    base = p.eye_y + p.nose_length - 5 * au["AU9"]
    for side, (x, y), letter in ((-1, m.left, "L"), (1, m.right, "R")):
        pull = max(au["AU12"], au[letter + "12"])
        lift = 9 * au["AU6"] + 7 * pull
        cheek = [(side * 34, 22 - lift), (side * 62, 12 - lift), (side * 66, 30 - lift), (side * 40, 42 - lift)]
        sketch.fill(cheek, 13 + 12 * max(pull, au["AU6"]), soft=True)
        depth = min(1.0, 0.85 * pull + 0.9 * au["AU9"] + 0.25 * au["AU6"] + 0.4 * p.age + 0.25 * au["AU20"])
        if depth > 0.1:
            fold = [(side * (p.nose_width + 3), base - 6), (side * (p.nose_width + 15), base + 8), (x + side * (9 + 3 * pull), y - 8)]
            fold.append((x + side * (9 + 4 * pull), y + 4))
            sketch.stroke(fold, 4.6, p.skin * (1 - 0.36 * depth), lift=2)
            shade = [(x + side * 4, y - 22), (x + side * 16, y - 16), (x + side * 14, y + 10), (x + side * 3, y + 4)]
            sketch.fill(shade, -18 * depth, soft=True)
        dimple = max(au["AU14"], au[letter + "14"])
        if dimple > 0.12:
            sketch.stroke([(x + side * 4, y - 8), (x + side * 8, y), (x + side * 5, y + 9)], 5, p.skin * (1 - 0.5 * dimple), lift=4)
        if au["AU15"] > 0.12:
            sketch.stroke([(x + side * 2, y - 2), (x + side * 6, y + 8), (x + side * 3, y + 17)], 4, p.skin * (1 - 0.32 * au["AU15"]), lift=4)


def draw_glasses(sketch: Sketch, p: Person, *, dark: bool) -> None:
    """Draw the person's glasses, or sunglasses (`dark`)."""
    if p.glasses == "none" and not dark:
        return
    width, grey = (7, 25) if p.glasses == "thick" else (3.4, 70)
    rx, top, low = p.eye_width + 9, p.eye_y - 15, p.eye_y + 17
    for side in (-1, 1):
        cx = side * (p.eye_x + 1)
        rim = [(cx - rx, p.eye_y), (cx - rx + 5, top), (cx + rx - 5, top), (cx + rx, p.eye_y), (cx + rx - 6, low), (cx - rx + 6, low)]
        if dark:
            sketch.fill(rim, 22, lift=10)
            sketch.stroke([(cx - rx + 8, top + 16), (cx - rx + 14, top + 7), (cx - 2, top + 5)], 4, 90, lift=11)
        else:
            sketch.stroke([*rim, rim[0]], width, grey, lift=10, taper=1.0)
        sketch.stroke([(cx + side * rx, p.eye_y - 6), (side * 90 * p.width, p.eye_y - 8)], width, grey, lift=0, taper=1.0)
    sketch.stroke([(-p.eye_x + rx - 2, p.eye_y - 5), (0, p.eye_y - 8), (p.eye_x - rx + 2, p.eye_y - 5)], width, grey, lift=12, taper=1.0)
