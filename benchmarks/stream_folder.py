"""Does the memory stay flat when a folder of images grows from 20,000 to 200,000?

    python benchmarks/stream_folder.py [--faces SMALL LARGE] [--log]

Two folders of generated PNG files are each loaded, split, cleaned, cut to five classes and run through one epoch of
augmented batches at 96x96, without a model: once from the files, once from the cache, and the large one once more with
its images held in memory as small sets are. Each time is a process of its own. Counted is anonymous memory, which must
be there; pages of mapped files are left out, since the system takes them back when others need them (where it does not
tell the two apart, the peak has both, and the bar means little).

What may grow is what is known of a face beside its pixels: its id in a few places, label, part, hash and target, for a
while also its name in a list of files. The bar is 400 bytes a face, where the pixels take 2,304 at 48x48, and 30 MB for
the buffers, which a small folder does not fill: 102 MB from 20,000 to 200,000. --log appends the record to the
experiment table.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import cv2
import numpy as np

from emo_utils.datasets import load_dataset, rows
from emo_utils.emotions import SEVEN
from emo_utils.faces import make_faces
from emo_utils.pipeline import TrainingBatches
from emo_utils.recipe import Recipe
from emo_utils.recipes import SOURCE_AUGMENTATION
from emo_utils.table import add_bench
from emo_utils.training.prepare import prepare_data

DISTINCT = 350  # faces that are drawn; the files are these, each with a number of its own in its first pixels
BYTES_A_FACE, BYTES_BESIDE = 400, 30e6
RECIPE = Recipe(
    name="stream", data="folder", classes=SEVEN[:5], input_size=96, augmentation=SOURCE_AUGMENTATION, batch_size=32
)


def write_faces(folder: Path, n: int) -> None:
    """Write n different faces as PNG files in seven class folders."""
    drawn = make_faces(DISTINCT, people=50)
    for name in SEVEN:
        (folder / name).mkdir(parents=True)
    for i in range(n):
        face = drawn.images[i % DISTINCT].copy()
        face[0, :32] ^= np.unpackbits(np.array([i // DISTINCT], ">u4").view(np.uint8)) << 5
        png = cv2.imencode(".png", face, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
        (folder / drawn.class_names[drawn.labels[i % DISTINCT]] / f"{i:06d}.png").write_bytes(png.tobytes())


class PeakMemory:
    """The highest anonymous memory of this process in bytes, looked at every 10 ms within a `with` block."""

    def __enter__(self) -> PeakMemory:
        self.bytes, self._ended = 0, threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while True:
            self.bytes = max(self.bytes, anonymous_memory())
            if self._ended.wait(0.01):
                return


def anonymous_memory() -> int:
    """Return the anonymous memory of this process in bytes; beyond Linux its peak of memory of any kind."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("RssAnon"))


def measure(folder: Path, held: bool) -> dict[str, float]:
    """Load, prepare and run one epoch; return the seconds of each, images of the epoch, and bytes at start and peak."""
    rows.IN_MEMORY = sys.maxsize if held else 0  # both folders go the way of large sets, however small they are
    start = anonymous_memory()
    clock = time.perf_counter
    with PeakMemory() as peak:
        began = clock()
        data = load_dataset(folder)
        loaded = clock()
        data = prepare_data(RECIPE, data)
        data.fingerprint()  # as a run does before it starts
        prepared = clock()
        batches = TrainingBatches(data.part("train"), RECIPE)
        n = sum(len(batches[i][0]) for i in range(len(batches)))
        ended = clock()
    seconds = {"load": loaded - began, "prepare": prepared - loaded, "epoch": ended - prepared}
    return {**seconds, "epoch_images": n, "start": start, "peak": peak.bytes}


def in_own_process(folder: Path, held: bool = False) -> dict[str, float]:
    """Do what `measure` does in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (folder, held))


def shown(n: int, way: str, run: dict[str, float]) -> str:
    """Return one line of the table."""
    load, epoch = n / run["load"], run["epoch_images"] / run["epoch"]
    peak, above = run["peak"] / 1e6, (run["peak"] - run["start"]) / 1e6
    return f"{n:7,} {way:15}{load:10,.0f}/s{run['prepare']:10.1f} s{epoch:10,.0f}/s{peak:8.0f} MB{above:12.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, nargs=2, default=(20_000, 200_000), metavar=("SMALL", "LARGE"))
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    small, large = args.faces
    runs = {}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["EMO_DATA"] = scratch  # caches of this run go with it
        print("  faces from                  load     prepare       epoch       peak  above start")
        for n in (small, large):
            folder = Path(scratch) / f"faces-{n}"
            write_faces(folder, n)
            for way in ("files", "cache", "cache, held")[: 2 if n == small else 3]:
                runs[n, way] = in_own_process(folder, held=way == "cache, held")
                print(shown(n, way, runs[n, way]), flush=True)
    peaks = {way: [runs[n, way]["peak"] / 1e6 for n in (small, large)] for way in ("files", "cache")}
    growth = {way: b - a for way, (a, b) in peaks.items()}
    ratio = max(b / a for a, b in peaks.values())
    bar = (BYTES_A_FACE * (large - small) + BYTES_BESIDE) / 1e6
    print(f"{large / small:.0f} times the faces, {ratio:.2f} times the peak: ", end="")
    print(", ".join(f"{value:+.0f} MB from {way}" for way, value in growth.items()), end=" ")
    print(f"(at most {bar:.0f} MB are allowed; the pixels are {(large - small) * 48**2 / 1e6:.0f} MB more)")
    if args.log:
        record = {f"{way}_images_per_s": round(large / runs[large, way]["load"]) for way in growth}
        record |= {f"{way}_growth_mb": round(value) for way, value in growth.items()}
        record |= {"peak_mb": round(peaks["files"][1]), "held_peak_mb": round(runs[large, "cache, held"]["peak"] / 1e6)}
        add_bench({"bench": "stream_folder", **record, "small": small, "large": large, "ratio": round(ratio, 2)})
    raise SystemExit(int(max(growth.values()) > bar))


if __name__ == "__main__":
    main()
