"""What carries the face: shoulders, neck, ears, the head's outline, hair and beard."""

from __future__ import annotations

from collections.abc import Mapping

from emo_utils.faces.person import Person
from emo_utils.faces.sketch import Sketch

_CROWN = -126.0


def mirrored(right, x0: float = 0.0):
    """Close a shape from its right half (top to bottom): points on x0 are not doubled."""
    return right + [(2 * x0 - x, y) for x, y in right[::-1] if x != x0]


def draw_body(sketch: Sketch, p: Person) -> None:
    """Draw clothes and neck, and the shadow that the chin throws on them."""
    sketch.fill(mirrored([(0, 118), (p.neck + 22, 124), (130, 150), (165, 240)]), p.clothes, lift=None)
    neck = [(0, 60), (p.neck, 62), (p.neck - 2, 112), (p.neck + 16, 134), (0, 150)]
    sketch.fill(mirrored(neck), p.skin * 0.84, lift=None)
    sketch.fill([(-60, 84), (60, 84), (44, 128), (0, 140), (-44, 128)], -38, lift=None, soft=True)


def draw_hair_behind(sketch: Sketch, p: Person) -> None:
    """Draw the mass of hair that the head stands in front of."""
    w, v = 92 * p.width, p.volume
    top = _CROWN - 14 * v
    if p.hair_style == "long":
        right = [(0, top), (58, top + 6), (w + 10 * v, -60), (w + 15 * v, 20), (w + 12 * v, 100), (w - 20, 150), (0, 150)]
    elif p.hair_style == "curly":
        right = [(0, top - 10), (40, top - 6), (62, top - 2), (w - 4, -96), (w + 16 * v, -78), (w + 12 * v, -48)]
        right += [(w + 20 * v, -24), (w + 8 * v, 4), (w + 12, 26), (w - 10, 44), (0, 40)]
    elif p.hair_style == "bun":
        sketch.fill(mirrored([(0, top - 36), (26, top - 24), (30, top), (0, top + 20)]), p.hair * 0.9, lift=None)
        right = [(0, top + 4), (52, top + 10), (w - 2, -70), (w + 2, -20), (w - 12, 10), (0, 30)]
    elif p.hair_style == "scarf":
        right = [(0, top - 4), (56, top + 4), (w + 8, -62), (w + 16, 20), (w - 2, 90), (w - 8, 150), (0, 160)]
        sketch.fill(mirrored(right), p.clothes, lift=None)
        return
    elif p.hair_style == "bald":
        return
    else:
        right = [(0, top + 2), (54, top + 8), (w, -76), (w + 4 * v, -30), (w - 2, 6), (0, 20)]
    sketch.fill(mirrored(right), p.hair, lift=None)


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
    right = [(0, _CROWN), (46, -119), (76 * w, -90), (87 * w, -48), (87 * w, -4), (83 * w * p.cheek, 36 + drop / 4)]
    right += [(68 * jaw, 78 + drop / 2), (36 * jaw, 106 + p.chin + drop), (0, 113 + p.chin + drop)]
    sketch.fill(mirrored(right), p.skin, lift=None)
    for side in (-1, 1):  # temples and the hollow under the cheekbone turn away from the light
        temple = [(side * 60 * w, -90), (side * 92 * w, -60), (side * 90 * w, 0), (side * 70 * w, -10)]
        hollow = [(side * 84 * w, 14), (side * 50 * w, 44), (side * 40 * w, 84), (side * 74 * w, 80)]
        sketch.fill(temple, -16, soft=True)
        sketch.fill(hollow, -13 - 8 * p.age, soft=True)
    sketch.fill([(-34, -86), (34, -86), (40, -58), (0, -50), (-40, -58)], 12, soft=True)
    sketch.fill([(-13, 92 + drop), (13, 92 + drop), (11, 108 + drop), (-11, 108 + drop)], 13, soft=True)


def draw_hair_front(sketch: Sketch, p: Person) -> None:
    """Draw the hair that falls over forehead and temples, with a few strands to break the flat mass."""
    w, line, top = 88 * p.width, p.hairline, _CROWN - 12 * p.volume
    part = 26 * p.part
    style = p.hair_style
    if style == "bald":
        sketch.fill([(-30, -118), (20, -122), (30, -100), (-20, -96)], 26, soft=True)
        return
    if style == "scarf":
        inner = [(0, line + 4), (46, line + 14), (72 * p.width, -36), (76 * p.width, 30), (58 * p.width, 88), (0, 124)]
        outer = [(0, top), (60, top + 6), (w + 8, -60), (w + 10, 30), (w - 10, 104), (0, 150)]
        cloth = [*outer, *inner[::-1]]
        sketch.fill(cloth, p.clothes, lift=None)
        sketch.fill([(-x, y) for x, y in cloth], p.clothes * 0.94, lift=None)
        return
    if style == "receding":
        right = [(w - 1, -20), (w - 14, -66), (58, -92), (30, -104), (0, -98 + 6 * p.part)]
        shape = [*_cap(w, top + 8), *right, *[(-x, y) for x, y in right[-2::-1]]]
    elif style == "fringe":
        low = line + 32
        bangs = [(w - 4, 0), (70 * p.width, -20), (66 * p.width, low + 4), (34, low - 2), (part, low + 5), (-30, low - 1)]
        shape = [*_cap(w + 4, top), *bangs, (-66 * p.width, low + 5), (-70 * p.width, -20), (-w + 4, 0)]
    elif style in ("parted", "long"):
        side = 62 * p.width
        shape = [*_cap(w + 4, top), (w, 0), (side + 10, -34), (side, line + 18), (part + 22, line - 10), (part, line - 24)]
        shape += [(part - 22, line - 8), (-side, line + 20), (-side - 10, -34), (-w, 0)]
    else:
        bump = 5 if style == "curly" else 1
        shape = [*_cap(w + 2, top), (w, -14), (w - 12, -46), (64 * p.width, line + 10), (42, line - 4 * bump)]
        shape += [(20, line + 2 * bump), (-4, line - 4), (-26, line + 2 * bump), (-46, line - 3 * bump)]
        shape += [(-64 * p.width, line + 12), (-w + 12, -46), (-w, -14)]
    sketch.fill(shape, p.hair, lift=None)
    shine = p.hair + 22 + 0.12 * p.hair
    for i in range(4):
        x = part + (i - 1.5) * 30
        sketch.stroke([(x * 0.6 + part * 0.4, top + 14), (x, top + 26), (x * 1.25, line - 8)], 6, shine, lift=None, taper=0.1)


def _cap(w: float, top: float):
    """Return the outline over the crown from the left temple to the right one."""
    return [(-w - 2, -40), (-w + 6, -88), (-50, top + 6), (0, top), (50, top + 6), (w - 6, -88), (w + 2, -40)]


def draw_beard(sketch: Sketch, p: Person, au: Mapping[str, float], mouth_half: float) -> None:
    """Draw facial hair; it follows the jaw, and the mouth is painted over it."""
    if p.beard == "none":
        return
    drop, m, w = 17 * au["AU26"], p.mouth_y, p.width
    if p.beard == "stubble":
        sketch.fill(mirrored([(0, m - 20), (34, m - 14), (62 * w, m - 14), (50 * w, 100 + drop), (0, 118 + drop)]), -30, soft=True)
        return
    lip = m - 4 - p.upper_lip - 4 * au["AU9"] - 2 * au["AU12"]
    if p.beard in ("moustache", "full", "goatee"):
        end = (mouth_half + 5, lip + 12 - 8 * au["AU12"] + 5 * au["AU15"])
        sketch.fill(mirrored([(0, lip - 9), (16, lip - 10), end, (14, lip + 3), (0, lip + 2)]), p.hair * 1.05 + 8, lift=3)
    if p.beard == "full":
        jaw = p.jaw * w
        right = [(0, m + 16 + drop), (mouth_half - 4, m + 13 + drop), (mouth_half + 12, m - 4), (58 * w, m - 26), (82 * w, -10)]
        right += [(86 * w, 34), (72 * jaw, 82 + drop / 2), (40 * jaw, 114 + p.chin + drop), (0, 124 + p.chin + drop)]
        sketch.fill(mirrored(right), p.hair * 1.05 + 6, lift=None)
    elif p.beard == "goatee":
        sketch.fill(mirrored([(0, m + 18 + drop), (16, m + 17 + drop), (20, 98 + drop), (0, 122 + p.chin + drop)]), p.hair + 8)
