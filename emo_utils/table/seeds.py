"""Runs that differ in nothing but their seed: their mean and their spread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def over_seeds(frame: pd.DataFrame, columns: Sequence[str] = ("test_accuracy", "macro_f1")) -> pd.DataFrame:
    """Average runs of one recipe over its seeds.

    The interval is Student's for the mean of such runs: it says how far the mean of endlessly many seeds may lie from
    this one, and is wide for few seeds. It knows nothing of other test faces.

    Args:
        frame: of `read_runs`. Finished runs that trained count; of runs with one recipe and seed the latest.
        columns: numeric columns to average.

    Returns:
        A row a recipe and test part, columns recipe, data, seeds (their number), and of each column its mean under
        its own name, with _sd (standard deviation, n - 1), _low and _high (95 %), NaN for a single seed.
    """
    import pandas as pd

    trained = (frame["status"] == "ok") & (frame["profile"] != "evaluate")
    rows = frame[trained & frame[list(columns)].notna().all(axis=1)]
    if rows.empty:
        return pd.DataFrame(columns=["recipe", "data", "seeds", *columns])
    rows = rows.assign(_family=rows.apply(family, axis=1)).drop_duplicates(["_family", "seed"], keep="last")
    out = []
    for _, runs in rows.groupby("_family", sort=False):
        row = {"recipe": runs["recipe"].iloc[-1], "data": runs["data"].iloc[-1], "seeds": len(runs)}
        for name in columns:
            row |= _spread(name, runs[name].to_numpy(dtype=float))
        out.append(row)
    return pd.DataFrame(out)


def family(row) -> str:
    """Return what runs that differ in their seed alone have in common; without a recipe a run is on its own.

    Args:
        row: of `read_runs`.
    """
    if not isinstance(row["recipe_json"], str):
        return row["run_id"]
    settings = {key: value for key, value in json.loads(row["recipe_json"]).items() if key != "seed"}
    # A limited run has the recipe of a whole one; its profile tells them apart.
    return json.dumps([settings, row["profile"], row["test_fingerprint"]], sort_keys=True)


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    from scipy.stats import t  # a second to import, which only a comparison should cost

    n, mean = len(values), float(values.mean())
    sd = float(values.std(ddof=1)) if n > 1 else np.nan
    reach = float(t.ppf(0.975, n - 1)) * sd / np.sqrt(n) if n > 1 else np.nan
    return {name: mean, f"{name}_sd": sd, f"{name}_low": mean - reach, f"{name}_high": mean + reach}
