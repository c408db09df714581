"""FER2013 in its public forms: the Kaggle folder or zip of images, and fer2013.csv.

Goodfellow et al. (2013), "Challenges in representation learning: a report on three machine learning contests".
35,887 faces of 48x48 grey pixels; parts Training, PublicTest and PrivateTest, here "train", "test" and "private".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.emotions import SEVEN

USAGE_OF = {"Training": "train", "PublicTest": "test", "PrivateTest": "private"}


def is_fer2013(ds: FaceDataset) -> bool:
    """Tell whether a loaded folder is FER2013: no class beyond its seven, and files named like Training_123.jpg."""
    prefixes = np.array([_prefix(name) in USAGE_OF for name in ds.ids])
    return set(ds.class_names) <= set(SEVEN) and prefixes.mean() > 0.5


def from_folder(ds: FaceDataset) -> FaceDataset:
    """Give a loaded FER2013 folder its name, its seven classes in the order of fer2013.csv, and its parts.

    The prefix of the file name decides on the part, since the folder test/ holds both tests; files without one keep
    the part that their folder names.
    """
    new_label = np.array([SEVEN.index(name) for name in ds.class_names])
    usage = [USAGE_OF.get(_prefix(name), given) for name, given in zip(ds.ids, ds.usage, strict=True)]
    return replace(ds, name="fer2013", class_names=SEVEN, labels=new_label[ds.labels], usage=np.array(usage, dtype=str))


def _prefix(name: str) -> str:
    return name.rsplit("/", 1)[-1].split("_", 1)[0]
