"""One CSV a model in the column names of FER-Jetson-Nano, to lay beside what it writes."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from emo_utils.atomic import replacing
from emo_utils.compress.frame import Line
from emo_utils.compress.rounded import slug


def write_source_csv(lines: Iterable[Line], folder: Path) -> list[Path]:
    """Write a file of one row for each model.

    The names are the source's, and so is what they hold: "total_flops" are multiply-accumulate operations, and
    "total_gflops" divides them by 1024**3. "100_inference_time_mean_std" is in ms, of runs of the device file on one
    thread, and empty where no engine runs it; "model_size_mb" is the size of the file, which in the source stays the
    same at every bit width.

    Args:
        lines: of the comparison.
        folder: made if missing.

    Returns:
        The paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for line in lines:
        times = [line.row.get(f"latency_{key}_ms") for key in ("mean", "std")]
        trainable, total = line.parameters
        values = {
            "model_type": line.family,
            "subtype": line.name,
            "total_parameters": total,
            "trainable_parameters": trainable,
            "non_trainable_parameters": total - trainable,
            "total_flops": line.macs,
            "total_gflops": line.macs / 1024**3,
            "model_size_mb": line.file.stat().st_size / 1024**2,
            "100_inference_time_mean_std": "" if None in times else f"{times[0]:.4f} ± {times[1]:.4f}",
        }
        path = folder / f"{slug(line.name)}.csv"
        with replacing(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, values)
            writer.writeheader()
            writer.writerow(values)
        written.append(path)
    return written
