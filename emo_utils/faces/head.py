"""What carries the face: shoulders, neck, ears, the outline of the head."""

from __future__ import annotations

from collections.abc import Mapping

from emo_utils.faces.person import Person
from emo_utils.faces.sketch import Sketch

CROWN = -126.0  # height of the bald head's top


def mirrored(right):
    """Close a shape from its right half, top to bottom; points on the middle line are not doubled."""
    return right + [(-x, y) for x, y in right[::-1] if x != 0]


def draw_body(sketch: Sketch, p: Person) -> None:
    """Draw clothes and neck, and the shadow that the chin throws on them."""
    sketch.fill(mirrored([(0, 118), (p.neck + 22, 124), (130, 150), (165, 240)]), p.clothes, lift=None)
    neck = [(0, 60), (p.neck, 62), (p.neck - 2, 112), (p.neck + 16, 134), (0, 150)]
    sketch.fill(mirrored(neck), p.skin * 0.84, lift=None)
    sketch.fill([(-60, 84), (60, 84), (44, 128), (0, 140), (-44, 128)], -38, lift=None, soft=True)


def draw_skull(sketch: Sketch, p: Person, au: Mapping[str, float]) -> None:
    """Draw ears and the head's outline, whose chin follows the jaw, and the soft shading of its large forms."""
    w, drop = p.width, 17 * au["AU26"]
    jaw = p.jaw * p.width
    if p.hair_style not in ("long", "scarf"):
        for side in (-1, 1):
            x = side * 87 * w
            ear = [(x, -30), (x + side * 12 * p.ears, -32), (x + side * 14 * p.ears, -8), (x + side * 6, 18), (x, 20)]
            sketch.fill(ear, p.skin * 0.9, lift=None)
            sketch.stroke([(x + side * 8, -22), (x + side * 9, -6), (x + side * 3, 8)], 4, p.skin * 0.66, lift=None)
    right = [(0, CROWN), (46, -119), (76 * w, -90), (87 * w, -48), (87 * w, -4), (83 * w * p.cheek, 36 + drop / 4)]
    right += [(68 * jaw, 78 + drop / 2), (36 * jaw, 106 + p.chin + drop), (0, 113 + p.chin + drop)]
    sketch.fill(mirrored(right), p.skin, lift=None)
    for side in (-1, 1):  # temples and the hollow under the cheekbone turn away from the light
        temple = [(side * 60 * w, -90), (side * 92 * w, -60), (side * 90 * w, 0), (side * 70 * w, -10)]
        hollow = [(side * 84 * w, 14), (side * 50 * w, 44), (side * 40 * w, 84), (side * 74 * w, 80)]
        sketch.fill(temple, -16, soft=True)
        sketch.fill(hollow, -13 - 8 * p.age, soft=True)
    sketch.fill([(-34, -86), (34, -86), (40, -58), (0, -50), (-40, -58)], 12, soft=True)
    sketch.fill([(-13, 92 + drop), (13, 92 + drop), (18, 106 + drop), (-18, 106 + drop)], 8, soft=True)
