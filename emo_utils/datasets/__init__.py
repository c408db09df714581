"""Data sets: FaceDataset and everything that makes, splits, cleans or reports on one."""

from __future__ import annotations

from emo_utils.datasets.base import USAGES, FaceDataset, from_arrays
from emo_utils.datasets.clean import clean
from emo_utils.datasets.load import load_dataset
from emo_utils.datasets.quality import QualityReport, quality_report
from emo_utils.datasets.splits import split_dataset

__all__ = [
    "USAGES",
    "FaceDataset",
    "QualityReport",
    "clean",
    "from_arrays",
    "load_dataset",
    "quality_report",
    "split_dataset",
]
