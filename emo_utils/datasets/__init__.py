"""Data sets: FaceDataset and everything that loads, splits, cleans or reports on one.

source (zip, folder, csv) > tree, folder, images > FaceDataset > quality_report, split_dataset, clean
"""

from __future__ import annotations

from emo_utils.datasets.base import USAGES, FaceDataset, from_arrays
from emo_utils.datasets.clean import clean
from emo_utils.datasets.drive import fetch_drive
from emo_utils.datasets.ferplus import add_votes, majority_labels
from emo_utils.datasets.images import read_face
from emo_utils.datasets.load import add_known_votes, load_dataset
from emo_utils.datasets.quality import QualityReport, quality_report
from emo_utils.datasets.splits import split_dataset

__all__ = [
    "USAGES",
    "FaceDataset",
    "QualityReport",
    "add_known_votes",
    "add_votes",
    "clean",
    "fetch_drive",
    "from_arrays",
    "load_dataset",
    "majority_labels",
    "quality_report",
    "read_face",
    "split_dataset",
]
