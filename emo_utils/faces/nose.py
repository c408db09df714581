"""The nose, as a function of action units."""

from __future__ import annotations

from collections.abc import Mapping

from emo_utils.faces.person import Person
from emo_utils.faces.sketch import Sketch


def draw_nose(sketch: Sketch, p: Person, au: Mapping[str, float], light_x: float) -> None:
    """Draw the nose: the shadow beside the bridge, its wings and nostrils, and the wrinkles of unit 9."""
    wrinkle = au["AU9"]
    base = p.eye_y + p.nose_length - 5 * wrinkle
    w = p.nose_width * (1 + 0.12 * wrinkle + 0.1 * au["AU12"])
    far = -1 if light_x > 0 else 1
    flank = [(5, p.eye_y), (17, p.eye_y - 4), (w + 5, base - 2), (w - 5, base + 1), (5, base - 16)]
    sketch.fill([(far * x, y) for x, y in flank], -34, soft=True)
    sketch.fill([(-4, p.eye_y - 6), (4, p.eye_y - 6), (7, base - 6), (0, base), (-7, base - 6)], 25, soft=True)
    sketch.fill([(-w - 3, base + 3), (w + 3, base + 3), (10, base + 13), (-10, base + 13)], -28, soft=True)
    for side in (-1, 1):
        wing = [(w - 4, base - 13), (w + 1, base - 6), (w - 1, base + 2), (w - 6, base + 3)]
        sketch.stroke([(side * x, y) for x, y in wing], 3.0, p.skin * (0.74 - 0.2 * wrinkle), lift=8)
        hole = [(w * 0.22, base + 2), (w * 0.5, base - 2), (w * 0.86, base + 0.5), (w * 0.5, base + 3)]
        sketch.fill([(side * x, y) for x, y in hole], p.skin * 0.38, lift=10)
        if wrinkle > 0.12:
            for i in range(3):
                y = p.eye_y - 8 + 9 * i
                crease = [(side, y + 3), (side * 8, y), (side * 14, y + 5)]
                sketch.stroke(crease, 3.4, p.skin * (1 - 0.42 * wrinkle), lift=4)
