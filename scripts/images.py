"""Make the figures in images/.

python scripts/images.py
"""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

from emo_utils.datasets import load_dataset
from emo_utils.paths import course_root
from emo_utils.plots import plot_examples

if __name__ == "__main__":
    folder = course_root() / "images"
    folder.mkdir(exist_ok=True)
    figure = plot_examples(load_dataset("embedded"), per_class=12, seed=3, title="The embedded faces: random draws")
    figure.savefig(folder / "embedded_faces.png", dpi=80, metadata={"Software": None})
