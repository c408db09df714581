"""Lips, teeth and the folds around them, as functions of action units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emo_utils.faces.person import Person
from emo_utils.faces.sketch import Sketch


@dataclass(frozen=True)
class Mouth:
    """The corners (x, y) and the heights (y) of the lips at the middle, in face units; left is left in the picture."""

    left: tuple[float, float]
    right: tuple[float, float]
    upper_edge: float  # top of the upper lip
    upper_inner: float
    lower_inner: float
    lower_edge: float


def mouth_shape(p: Person, au: Mapping[str, float]) -> Mouth:
    """Return where the lips are: unit 12 pulls the corners up and out, 15 down, 26 opens the jaw ..."""
    y = p.mouth_y - 3 * au["AU9"]

    def corner(pull: float, dimple: float) -> tuple[float, float]:
        x = p.mouth_width + 11 * pull + 12 * au["AU20"] - 7 * au["AU23"] - 9 * au["AU26"] + 3 * dimple + au["AU15"]
        return x, y - 15 * pull + 15 * au["AU15"] + 3 * au["AU20"] - 3 * dimple + 3 * au["AU26"] + 4 * au["AU9"]

    left = corner(max(au["AU12"], au["L12"]), max(au["AU14"], au["L14"]))
    right = corner(max(au["AU12"], au["R12"]), max(au["AU14"], au["R14"]))
    smile = (max(au["AU12"], au["L12"]) + max(au["AU12"], au["R12"])) / 2
    thin = 1 - 0.3 * smile - 0.35 * au["AU20"] - 0.65 * au["AU23"] - 0.25 * au["AU26"]
    thin = max(0.25, thin)
    part = 8 * au["AU25"] * (1 - 0.7 * au["AU23"]) + 7 * au["AU16"] + 31 * au["AU26"] * (1 - 0.35 * au["AU20"])
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


def draw_mouth(sketch: Sketch, p: Person, au: Mapping[str, float], m: Mouth) -> None:
    """Draw lips, the dark between them, teeth and tongue."""

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
    upper = 4 if au["AU9"] > 0.25 else 2  # unit 9 lifts the whole lip and squares the mouth
    upper_edge, upper_inner = curve(m.upper_edge, upper, dip=1.8), curve(m.upper_inner, upper)
    lower_inner, lower_edge = curve(m.lower_inner, 2 if gap < 10 else 4), curve(m.lower_edge, 2 if gap < 10 else 4)
    w, y = m.right[0] * 0.6, m.lower_edge
    sketch.fill([(-w, y + 4), (w, y + 4), (0, y + 15)], -30, soft=True)
    sketch.fill([m.left, *lower_inner, m.right, *lower_edge[::-1]], min(250, lip * 1.12), lift=6)
    shine = (m.lower_inner + m.lower_edge) / 2
    sketch.fill([(-11, shine - 3), (11, shine - 3), (9, shine + 3), (-9, shine + 3)], 22, soft=True)
    sketch.fill([m.left, *upper_edge, m.right, *upper_inner[::-1]], lip * 0.88, lift=7)
    if gap > 2.5:
        sketch.fill([m.left, *upper_inner, m.right, *lower_inner[::-1]], p.skin * 0.14 + 6, lift=5)
        _draw_teeth(sketch, m, upper_inner, lower_inner, au)
    else:
        line = [m.left, *curve((m.upper_inner + m.lower_inner) / 2), m.right]
        sketch.stroke(line, 3.2 + 1.2 * au["AU23"], p.skin * 0.32, lift=7, taper=0.5)


def _draw_teeth(sketch: Sketch, m: Mouth, upper_inner, lower_inner, au: Mapping[str, float]) -> None:
    gap = m.lower_inner - m.upper_inner
    show = min(gap * 0.75, 8.0) * min(1.0, 0.45 + max(au["AU12"], au["AU9"], au["AU20"]) * 0.8)
    if show > 1.5:
        row = [(x * 0.94, y) for x, y in upper_inner]
        width = m.right[0]
        edge = [(x * 0.9, y + show * (1 - 0.4 * x * x / (width * width))) for x, y in row[::-1]]
        sketch.fill(row + edge, 222, lift=5, smooth=False)
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
            start, end = p.nose_width + 3, max(abs(x) + 11, p.nose_width + 14)
            bow = 3 + 6 * pull
            fold = [(side * start, base - 7), (side * (0.6 * start + 0.4 * end + bow), 0.65 * base + 0.35 * y - 2)]
            fold += [(side * (0.2 * start + 0.8 * end + bow), 0.3 * base + 0.7 * y), (side * end, y + 2)]
            sketch.stroke(fold, 4.0, p.skin * (1 - 0.34 * depth), lift=2, taper=0.1)
            shade = [(x + side * 4, y - 22), (x + side * 16, y - 16), (x + side * 14, y + 10), (x + side * 3, y + 4)]
            sketch.fill(shade, -18 * depth, soft=True)
        dimple = max(au["AU14"], au[letter + "14"])
        if dimple > 0.12:
            pit = [(x + side * 4, y - 8), (x + side * 8, y), (x + side * 5, y + 9)]
            sketch.stroke(pit, 5, p.skin * (1 - 0.5 * dimple), lift=4)
        if au["AU15"] > 0.12:
            crease = [(x + side * 2, y - 2), (x + side * 6, y + 8), (x + side * 3, y + 17)]
            sketch.stroke(crease, 4, p.skin * (1 - 0.32 * au["AU15"]), lift=4)
