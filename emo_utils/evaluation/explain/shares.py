"""Does the heat lie where the emotion is? For the embedded faces the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from emo_utils.errors import DataError
from emo_utils.evaluation.resampling import bootstrap_sums, interval


def heat_share(heat: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the share of each face's heat that lies on its mask.

    Args:
        heat: float array of shape (n, height, width), from `grad_cam` or `occlusion_map`; what is below zero speaks
            against the class and counts as none.
        mask: bool array of the same shape, e.g. from `emo_utils.faces.parts_mask`.

    Returns:
        float64 array of shape (n,), 0 to 1; NaN for a face without heat. Heat spread evenly gives the share of the area
        that the mask has, `mask.mean(axis=(1, 2))`.

    Raises:
        DataError: the shapes differ, or no faces.

    >>> heat = np.array([[[3.0, 1.0], [0.0, -2.0]]])
    >>> heat_share(heat, heat == 3)
    array([0.75])
    """
    if heat.shape != mask.shape or heat.ndim != 3 or mask.dtype != bool:
        raise DataError(
            "Heat and mask must have the same shape (n, height, width), the mask being bool. "
            f"Got heat {heat.shape} and mask {mask.shape} of {mask.dtype}."
        )
    heat = np.maximum(heat, 0, dtype=np.float64)
    total = heat.sum(axis=(1, 2))
    return np.divide((heat * mask).sum(axis=(1, 2)), total, out=np.full(len(heat), np.nan), where=total > 0)


def heat_share_table(
    heat: np.ndarray, mask: np.ndarray, emotions: np.ndarray, *, groups: np.ndarray | None = None
) -> pd.DataFrame:
    """Return how much of the heat lies on the parts that show the emotion, by emotion and over all.

    Args:
        heat, mask: as for `heat_share`.
        emotions: str array of shape (n,), the emotion of each face.
        groups: array of shape (n,), e.g. people; intervals are then over whole groups, see `bootstrap_sums`.

    Returns:
        A row an emotion, in alphabetic order, and "all" as the last, with columns faces; left_out (faces without a
        part, which every neutral one is, or without heat); heat_share, the mean over faces; area_share, what even heat
        would give; gain, the first over the second; and heat_share and gain with _low and _high, the ends of the 95 %
        intervals. An emotion all of whose faces are left out has no row.

    Raises:
        DataError: the arrays do not fit, or every face is left out.
    """
    emotions = np.asarray(emotions)
    shares, areas = heat_share(heat, mask), mask.mean(axis=(1, 2))
    for name, values in (("emotions", emotions), ("groups", groups)):
        if values is not None and len(values) != len(shares):
            raise DataError(f"{len(shares)} faces but {len(values)} {name}. Give each face its own.")
    usable = np.isfinite(shares) & (areas > 0)
    if not usable.any():
        raise DataError(f"None of the {len(shares)} faces has both heat and a part that shows its emotion.")
    columns = np.stack([shares, areas, np.ones(len(shares))], axis=1)
    rows = {}
    for name in [*np.unique(emotions[usable]).tolist(), "all"]:
        chosen = np.full(len(emotions), True) if name == "all" else emotions == name
        kept = chosen & usable
        rows[name] = {"faces": int(kept.sum()), "left_out": int((chosen & ~usable).sum())}
        rows[name] |= _figures(columns[kept], None if groups is None else np.asarray(groups)[kept])
    return pd.DataFrame.from_dict(rows, orient="index")


def _figures(columns: np.ndarray, groups: np.ndarray | None) -> dict[str, float]:
    """Return the figures of one row of the table from heat shares, area shares and ones."""
    share, area, _ = columns.mean(axis=0)
    sums = bootstrap_sums(columns, groups=groups)
    low, high = interval(sums[:, 0] / sums[:, 2])
    gain_low, gain_high = interval(sums[:, 0] / sums[:, 1])
    return {
        "heat_share": share,
        "heat_share_low": low,
        "heat_share_high": high,
        "area_share": area,
        "gain": share / area,
        "gain_low": gain_low,
        "gain_high": gain_high,
    }
