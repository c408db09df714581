"""Hair and beard."""

from __future__ import annotations

from collections.abc import Mapping

from emo_utils.faces.head import CROWN, mirrored
from emo_utils.faces.person import Person
from emo_utils.faces.sketch import Sketch


def draw_hair_behind(sketch: Sketch, p: Person) -> None:
    """Draw the mass of hair that the head stands in front of."""
    w, v = 92 * p.width, p.volume
    top = CROWN - 14 * v
    if p.hair_style == "long":
        right = [(0, top), (58, top + 6), (w + 10 * v, -60), (w + 15 * v, 20), (w + 12 * v, 100), (w - 20, 150)]
        right.append((0, 150))
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


def draw_hair_front(sketch: Sketch, p: Person) -> None:
    """Draw the hair that falls over forehead and temples, with a few strands to break the flat mass."""
    w, line, top = 88 * p.width, p.hairline, CROWN - 12 * p.volume
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
        low = min(line + 32, p.eye_y - 22)
        shape = [*_cap(w + 4, top), (w - 4, 0), (70 * p.width, -20), (66 * p.width, low + 4), (34, low - 2)]
        shape += [(part, low + 5), (-30, low - 1), (-66 * p.width, low + 5), (-70 * p.width, -20), (-w + 4, 0)]
    elif style in ("parted", "long"):
        side = 62 * p.width
        shape = [*_cap(w + 4, top), (w, 0), (side + 10, -34), (side, line + 18), (part + 22, line - 10)]
        shape += [(part, line - 24), (part - 22, line - 8), (-side, line + 20), (-side - 10, -34), (-w, 0)]
    else:
        bump = 2.5 if style == "curly" else 1
        shape = [*_cap(w + 2, top), (w, -14), (w - 12, -46), (64 * p.width, line + 10), (42, line - 4 * bump)]
        shape += [(20, line + 2 * bump), (-4, line - 4), (-26, line + 2 * bump), (-46, line - 3 * bump)]
        shape += [(-64 * p.width, line + 12), (-w + 12, -46), (-w, -14)]
    sketch.fill(shape, p.hair, lift=2)
    _draw_strands(sketch, p, part, top)


def _draw_strands(sketch: Sketch, p: Person, part: float, top: float) -> None:
    """Break the flat mass of hair: strands that run from the parting to the temples, and down where it is long."""
    for i, (lower, reach) in enumerate(((-100, 0.5), (-84, 0.7), (-66, 0.86), (-48, 0.98))):
        grey = p.hair * 1.14 + 14 if i % 2 else p.hair * 0.78
        for side in (-1, 1):
            x = side * 86 * p.width * reach
            crest = (part * 0.7 + x * 0.25, top + 14 + 5 * i)
            sketch.stroke([crest, (x * 0.72, top + 22 + 9 * i), (x, lower)], 5, grey, lift=2, taper=0.1)
            if p.hair_style == "long":
                x = side * (84 * p.width + 5 * i)
                fall = [(x, -30), (x + side * 3, 30), (x - side * 3, 100), (x, 140)]
                sketch.stroke(fall, 4, grey, lift=None, taper=0.1)
    shine = [(-60, top + 16), (0, top + 6), (60, top + 16), (52, top + 26), (0, top + 18), (-52, top + 26)]
    sketch.fill(shine, 16, lift=None, soft=True)


def _cap(w: float, top: float):
    """Return the outline over the crown from the left temple to the right one."""
    return [(-w - 2, -40), (-w + 6, -88), (-50, top + 6), (0, top), (50, top + 6), (w - 6, -88), (w + 2, -40)]


def draw_beard(sketch: Sketch, p: Person, au: Mapping[str, float]) -> None:
    """Draw facial hair; it follows the jaw, and the mouth is painted over it."""
    if p.beard == "none":
        return
    drop, m, w = 17 * au["AU26"], p.mouth_y, p.width
    lip = m - 4 - p.upper_lip - 7 * au["AU9"] - 2 * au["AU12"]
    jaw, chin, half = p.jaw * w, 113 + p.chin + drop, p.mouth_width
    if p.beard == "stubble":
        right = [(0, m - 22), (30, m - 18), (62 * w, m - 26), (74 * w, 30), (64 * jaw, 80), (36 * jaw, 106), (0, chin)]
        sketch.fill(mirrored(right), -34, soft=True)
        return
    grey = 0.72 * p.hair + 0.28 * p.skin  # skin shines through
    if p.beard == "full":
        right = [(0, m + 15 + drop), (half, m + 13 + drop), (half + 14, m + 2), (62 * w, m - 14), (81 * w, -10)]
        right += [(87 * w, 30), (72 * jaw, 80 + drop / 2), (40 * jaw, chin), (0, chin + 9)]
        sketch.fill(mirrored(right), grey, lift=None)
    elif p.beard == "goatee":
        right = [(0, m + 17 + drop), (14, m + 16 + drop), (half * 0.9, m + 20 + drop), (28, chin - 8), (0, chin + 4)]
        sketch.fill(mirrored(right), grey)
    corner = (half + 1, lip + 9 - 9 * au["AU12"] + 6 * au["AU15"])
    moustache = [(0, lip - 6), (11, lip - 8), (22, lip - 3), corner, (18, lip + 6), (0, lip + 4)]
    sketch.fill(mirrored(moustache), grey, lift=3)
