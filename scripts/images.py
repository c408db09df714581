"""Make the figures in images/.

python scripts/images.py
"""

from __future__ import annotations

import matplotlib
import pandas as pd

matplotlib.use("Agg")

from emo_utils.bench import pareto_front
from emo_utils.datasets import load_dataset
from emo_utils.paths import course_root
from emo_utils.plots import plot_examples, plot_pareto

if __name__ == "__main__":
    folder, recorded = course_root() / "images", course_root() / "docs" / "recorded"
    folder.mkdir(exist_ok=True)
    figure = plot_examples(load_dataset("embedded"), per_class=12, seed=3, title="The embedded faces: random draws")
    figure.savefig(folder / "embedded_faces.png", dpi=80, metadata={"Software": None})
    frame = pd.read_csv(recorded / "compress_fer2013.csv")
    axes = plot_pareto(frame, pareto_front(frame, "bytes"), "bytes")
    axes.figure.savefig(folder / "compress_pareto.png", dpi=80, bbox_inches="tight", metadata={"Software": None})
