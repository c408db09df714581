"""Where things lie: the course folder, its data, its table and its working files.

Two environment variables move them; nothing else in the package decides on a path:

- `EMO_DATA`: downloads and caches (default: `data/` in the course folder)
- `EMO_OUT`: what a run writes, i.e. `experiments.jsonl`, `experiments.xlsx` and `model/runs/`
  (default: the course folder). `make course` points it at `build/`.
"""

from __future__ import annotations

import os
from pathlib import Path


def course_root() -> Path:
    """Return the nearest folder upwards that holds notebooks/ and emo_utils/, else the current one."""
    here = Path.cwd().resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (folder / "emo_utils").is_dir() and (folder / "notebooks").is_dir():
            return folder
    return here


def data_dir() -> Path:
    """Return the folder of downloads and caches."""
    return Path(os.environ.get("EMO_DATA") or course_root() / "data")


def out_dir() -> Path:
    """Return the folder that the experiment table and the runs are written to."""
    return Path(os.environ.get("EMO_OUT") or course_root())


def table_path() -> Path:
    """Return the path of the append-only experiment log; the workbook stands beside it."""
    return out_dir() / "experiments.jsonl"


def runs_dir() -> Path:
    """Return the folder of working files (checkpoints, histories, models) of the runs."""
    return out_dir() / "model" / "runs"
