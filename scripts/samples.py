"""Make the pictures in data/samples/: NASA's photograph of an astronaut, and drawn faces of people not trained on.

python scripts/samples.py
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from skimage.data import astronaut

from emo_utils.datasets import load_dataset
from emo_utils.paths import course_root

_SIDE = 96  # pixels, twice what they are drawn at; so small, a picture counts as a face cut out already

if __name__ == "__main__":
    folder = course_root() / "data" / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(astronaut()).save(folder / "astronaut.jpg", quality=90)
    test = load_dataset("embedded").part("test")
    rng = np.random.default_rng(0)
    for label, emotion in enumerate(test.class_names):
        face = test.images[rng.choice(np.flatnonzero(test.labels == label))]
        enlarged = Image.fromarray(face).resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
        enlarged.save(folder / f"drawn_{emotion}.png", optimize=True)
