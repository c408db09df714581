"""Make the figures in images/.

python scripts/images.py
"""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")

from overview import draw_overview

from emo_utils.bench import pareto_front, read_bench_file
from emo_utils.datasets import load_dataset
from emo_utils.evaluation import share_interval
from emo_utils.paths import course_root
from emo_utils.plots import plot_examples, plot_operating_points, plot_pareto

if __name__ == "__main__":
    folder, recorded = course_root() / "images", course_root() / "docs" / "recorded"
    folder.mkdir(exist_ok=True)
    draw_overview().savefig(folder / "overview.png", dpi=100, metadata={"Software": None})
    figure = plot_examples(load_dataset("embedded"), per_class=12, seed=3, title="The embedded faces: random draws")
    figure.savefig(folder / "embedded_faces.png", dpi=80, metadata={"Software": None})
    results = pd.DataFrame(read_bench_file(recorded / "bench_shipped.json")["results"])
    results = results[results["threads"] == 1]
    intervals = [share_interval(np.arange(r.accuracy_n) < r.accuracy * r.accuracy_n) for r in results.itertuples()]
    results[["accuracy_low", "accuracy_high"]] = np.array(intervals)[:, 1:]
    figure = plot_operating_points(results, {}, title="FER2013 PublicTest, one thread of a two-core Xeon")
    figure.savefig(folder / "bench_fer2013.png", dpi=80, metadata={"Software": None})
    frame = pd.read_csv(recorded / "compress_fer2013.csv")
    axes = plot_pareto(frame, pareto_front(frame, "bytes"), "bytes")
    axes.figure.savefig(folder / "compress_pareto.png", dpi=80, bbox_inches="tight", metadata={"Software": None})
