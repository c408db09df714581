"""Slices: on which faces is a model worse than its accuracy says?

Slices are small, so their intervals are Wilson's, which hold where the bootstrap's shrink to nothing: ten of ten right
is not certainty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.rows import in_chunks
from emo_utils.errors import DataError
from emo_utils.evaluation.hits import right_answers
from emo_utils.evaluation.resampling import wilson_interval

if TYPE_CHECKING:
    import pandas as pd

MIN_FACES = 10  # of a slice that may be called the worst

# What can be measured on a face: a function of one grey image, all in grey levels.
MEASURES: dict[str, Callable[[np.ndarray], float]] = {
    "brightness": np.mean,
    "contrast": np.std,
    # How much each pixel differs from its four neighbours (J. L. Pech-Pacheco et al. 2000, as a standard deviation).
    "sharpness": lambda image: cv2.Laplacian(image, cv2.CV_32F).std(),
}
SLICES = ("class", "subject", "size", *MEASURES)


def slice_metrics(
    data: FaceDataset, probabilities: np.ndarray, by: Sequence[str] | Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Compute the accuracy of slices of a data set.

    Args:
        data: n faces; where the people are known, intervals are those for other people.
        probabilities: float array of shape (n, n_classes), in the order of `data.class_names`.
        by: names out of `SLICES`; or name -> array of shape (n,) with the value of each face; a missing one
            is in no slice. Brightness (mean),
            contrast (standard deviation) and sharpness (standard deviation of the Laplacian) are cut into thirds, at
            edges given in grey levels; size (`data.sizes`) is, at edges in pixels.

    Returns:
        A DataFrame: slice, value, n, accuracy, low, high (95 %), and low_all, high_all, which hold for all slices of
        the frame with at least 10 faces at once (Bonferroni) and are NaN for smaller ones. The first row is all faces.

    Raises:
        DataError: an unknown name, people or sizes that are not known, or probabilities that do not fit.
    """
    import pandas as pd

    hits = right_answers(data.labels, probabilities, data.class_names)
    columns = dict(by) if isinstance(by, Mapping) else {name: _values(data, name) for name in by}
    parts = []
    for name, values in columns.items():
        if len(values) != len(data):
            raise DataError(f"Slice {name!r} has {len(values)} values for {len(data)} faces. Give one a face.")
        parts += [
            (name, value, np.asarray(values) == value) for value in pd.unique(pd.Series(values).dropna().sort_values())
        ]
    looked_at = sum(rows.sum() >= MIN_FACES for _, _, rows in parts)
    out = []
    for name, value, rows in [("all", "all faces", np.ones(len(data), bool)), *parts]:
        n, groups = int(rows.sum()), None if data.groups is None else data.groups[rows]
        simple = wilson_interval(hits[rows], groups)
        every = (
            wilson_interval(hits[rows], groups, 0.05 / looked_at) if n >= MIN_FACES and looked_at else (np.nan, np.nan)
        )
        out.append((name, value, n, hits[rows].mean(), *simple, *every))
    return pd.DataFrame(out, columns=["slice", "value", "n", "accuracy", "low", "high", "low_all", "high_all"])


@dataclass(frozen=True)
class WorstSlice:
    """The slice of the lowest accuracy.

    Attributes:
        slice, value: which one, e.g. "class" and "fear".
        n: faces in it.
        accuracy: of these.
        low, high: an interval that holds for all the slices at once, so for the one picked as well.
        looked_at: number of slices that it is the worst of.
        remark: what can be said of it, in a sentence or two.
    """

    slice: str
    value: str
    n: int
    accuracy: float
    low: float
    high: float
    looked_at: int
    remark: str


def worst_slice(frame: pd.DataFrame) -> WorstSlice:
    """Return the slice of the lowest accuracy, out of those with at least 10 faces.

    Args:
        frame: from `slice_metrics`.

    Raises:
        DataError: no slice has so many faces.
    """
    overall = frame.loc[frame["slice"] == "all", "accuracy"].item()
    slices = frame[(frame["slice"] != "all") & (frame["n"] >= MIN_FACES)]
    if slices.empty:
        raise DataError(f"No slice has {MIN_FACES} faces. Cut the data into fewer slices, or use more faces.")
    row = slices.loc[slices["accuracy"].idxmin()]
    remark = (
        f"The lowest of {len(slices)} slices: the lowest of many is low by chance too, so the interval is widened to "
        "hold for all of them at once (Bonferroni). "
    )
    if row["high_all"] < overall:
        remark += f"It lies below the accuracy of all faces, {overall:.3f}."
    else:
        remark += f"It reaches the accuracy of all faces, {overall:.3f}: this slice may be no worse than the others."
    return WorstSlice(
        row["slice"],
        str(row["value"]),
        int(row["n"]),
        float(row["accuracy"]),
        float(row["low_all"]),
        float(row["high_all"]),
        len(slices),
        remark,
    )


def _values(data: FaceDataset, name: str) -> np.ndarray:
    """Return the value of each face in one of `SLICES`."""
    if name not in SLICES:
        raise DataError(f"No slice is called {name!r}. There are: {', '.join(SLICES)}; or give {{name: values}}.")
    if name == "class":
        import pandas as pd

        return pd.Categorical.from_codes(data.labels, data.class_names, ordered=True)
    if name == "subject":
        if data.groups is None:
            raise DataError(f"{data.name} does not say who is on the images, so it cannot be sliced by subject.")
        return data.groups
    if name == "size":
        if data.sizes is None:
            raise DataError(f"{data.name} does not say how large the faces were, so it cannot be sliced by size.")
        return _thirds(data.sizes, "pixels")
    measure = MEASURES[name]
    return _thirds(np.array([measure(image) for chunk in in_chunks(data.images) for image in chunk]), "grey levels")


def _thirds(values: np.ndarray, unit: str) -> np.ndarray:
    """Return the name of each value's third; edges are rounded to what the names say before they cut."""
    import pandas as pd

    low, high = np.round(np.quantile(values, [1 / 3, 2 / 3]), 1)
    names = [f"below {low:g} {unit}", f"{low:g} to {high:g} {unit}", f"{high:g} {unit} and more"]
    return pd.Categorical.from_codes(np.searchsorted([low, high], values, side="right"), names, ordered=True)
