"""How much larger than a found box is the frame that FER2013 has around a face? That is the margin to crop with.

    python benchmarks/face_margin.py [SOURCE] [--n 100]

Faces of the training part are laid, at two sizes, into the middle of photographs without a face, and looked for
there. Without SOURCE, FER2013 is looked for in the data folder; where it is missing, there is nothing to measure.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from emo_utils.datasets import load_dataset
from emo_utils.paths import data_dir
from emo_utils.prediction import find_faces

_WIDTH, _HEIGHT = 480, 360
_SIDES = (64, 160)


def place(face: np.ndarray, photograph: np.ndarray, side: int) -> np.ndarray:
    """Return the photograph with a face of a side in pixels in its middle."""
    picture, top, left = photograph.copy(), (_HEIGHT - side) // 2, (_WIDTH - side) // 2
    picture[top : top + side, left : left + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    return picture


def compare(picture: np.ndarray, side: int) -> tuple[float, float, float] | None:
    """Return the frame's side over the box's, and the box's centre from the frame's in sides; None if not found."""
    for box in find_faces(picture):
        right = (box.x + box.width / 2 - _WIDTH / 2) / side
        down = (box.y + box.height / 2 - _HEIGHT / 2) / side
        if max(abs(right), abs(down)) < 0.25:
            return side / box.width, right, down
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, nargs="?", default=data_dir() / "fer2013.zip", help="path of FER2013")
    parser.add_argument("--n", type=int, default=100, help="faces; default: 100")
    args = parser.parse_args()
    if not args.source.exists():
        print(f"{args.source} is missing: nothing measured. Give the path of FER2013.")
        return
    train = load_dataset(args.source).part("train")
    faces = train.images[np.random.default_rng(0).choice(len(train), args.n, replace=False)]
    photographs = [
        cv2.resize(cv2.cvtColor(photograph(), cv2.COLOR_RGB2GRAY), (_WIDTH, _HEIGHT))
        for photograph in (data.coffee, data.rocket, data.chelsea)
    ]
    for side in _SIDES:
        found = [compare(place(face, photographs[i % 3], side), side) for i, face in enumerate(faces)]
        known = np.array([one for one in found if one is not None])
        low, margin, high = np.percentile(known[:, 0], [25, 50, 75])
        right, down = np.median(known[:, 1:], axis=0)
        print(
            f"{side:3} pixels: found {len(known) / len(faces):.0%}, margin {margin:.2f} (half of them {low:.2f} to "
            f"{high:.2f}), centre off by {right:+.1%} to the right and {down:+.1%} down"
        )


if __name__ == "__main__":
    main()
