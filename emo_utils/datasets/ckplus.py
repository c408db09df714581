"""CK+ as 48x48 crops (Kaggle shuvoalok/ck-dataset): `<class>/S052_004_00000031.png`, three neighbouring frames a scene.

Lucey et al. (2010), "The extended Cohn-Kanade dataset (CK+)". No neutral class; 118 persons. Frames of one person are
nearly the same picture, so that only a split by person says anything.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from emo_utils.datasets.base import FaceDataset

_FRAME = re.compile(r"(S\d{3})_\d{3}_\d{8}")


def is_ckplus(ds: FaceDataset) -> bool:
    """Tell whether all files of a loaded folder are named like S052_004_00000031.png."""
    return all(_FRAME.match(_file(name)) for name in ds.ids)


def from_folder(ds: FaceDataset) -> FaceDataset:
    """Give a loaded CK+ folder its name and, as `groups`, the persons ("S052")."""
    return replace(ds, name="ckplus", groups=np.array([_FRAME.match(_file(name))[1] for name in ds.ids]))


def _file(name: str) -> str:
    return name.rsplit("/", 1)[-1]
