"""Read the table back: as a data frame, as text for the terminal, or one run by its name."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from emo_utils.errors import TableError
from emo_utils.table.log import read_log
from emo_utils.table.schema import NAMES

if TYPE_CHECKING:
    import pandas as pd

_LOGGED = tuple(name for name in NAMES if name != "learning_curve")


def read_runs(path: Path | None = None) -> pd.DataFrame:
    """Return one row a run, in the order in which they started.

    Args:
        path: the log; `emo_utils.paths.table_path()` if None. A missing one gives an empty frame.

    Returns:
        The columns of `emo_utils.table.schema`, all of them always, without `learning_curve`; then any other field that
        a run logged, e.g. `per_class` and `curves`. `started` is a UTC timestamp.
    """
    import pandas as pd

    rows = read_log(path)
    more = [name for name in dict.fromkeys(key for row in rows for key in row) if name not in _LOGGED]
    frame = pd.DataFrame(rows, columns=[*_LOGGED, *more])
    frame["started"] = pd.to_datetime(frame["started"], utc=True, format="ISO8601", errors="coerce")
    return frame


def find_run(run: str, path: Path | None = None) -> dict:
    """Return the row of one run.

    Args:
        run: its run_id, a beginning of it that no other run shares, or its name.
        path: the log; `emo_utils.paths.table_path()` if None.

    Raises:
        TableError: no run, or more than one, goes by that.
    """
    rows = read_log(path)
    for match in (
        [row for row in rows if row["run_id"] == run],
        [row for row in rows if row.get("name") == run],
        [row for row in rows if run and row["run_id"].startswith(run)],
    ):
        if len(match) == 1:
            return match[0]
        if match:
            ids = ", ".join(row["run_id"] for row in match[:5])
            raise TableError(f"{len(match)} runs go by {run!r}: {ids}. Give more of it.")
    known = [key for row in rows for key in (row["run_id"], row.get("name")) if key]
    near = difflib.get_close_matches(run, known, n=3, cutoff=0.4) or [row["run_id"] for row in rows[-3:]]
    hint = f" Near it: {', '.join(near)}." if near else " The table has no runs yet."
    raise TableError(f"The table has no run {run!r}.{hint}")


def show(frame: pd.DataFrame) -> str:
    """Return the runs of `frame` (see `read_runs`) as a text table that fits a terminal."""
    import pandas as pd

    def percent(value) -> str:
        return "" if pd.isna(value) else f"{100 * value:.1f}"

    def test(row) -> str:
        interval = f" [{percent(row.test_accuracy_low)}, {percent(row.test_accuracy_high)}]"
        return percent(row.test_accuracy) + (interval if pd.notna(row.test_accuracy_low) else "")

    def data(row) -> str:
        # A file can be evaluated on any part, and on training faces the figure is no test.
        other = row.profile == "evaluate" and isinstance(row.split, str) and row.split != "test part"
        return ("" if pd.isna(row.data) else str(row.data)) + (f" ({row.split})" if other else "")

    def what(row) -> str:
        # A file in fewer bits has the recipe of the model that it was made from.
        made = row.compression if row.profile == "evaluate" and isinstance(row.compression, str) else row.recipe
        return "" if pd.isna(made) else str(made)

    def texts(name: str) -> list[str]:
        return ["" if pd.isna(value) else str(value) for value in frame[name]]

    if frame.empty:
        return "No runs yet."
    table = pd.DataFrame(
        {
            "run": frame["run_id"].tolist(),
            "recipe": [what(row) for row in frame.itertuples(index=False)],
            "data": [data(row) for row in frame.itertuples(index=False)],
            "val %": [percent(v) for v in frame["val_accuracy"]],
            "test % [95 %]": [test(row) for row in frame.itertuples(index=False)],
            "macro-F1": ["" if pd.isna(v) else f"{v:.3f}" for v in frame["macro_f1"]],
            "n": ["" if pd.isna(v) else f"{v:.0f}" for v in frame["n"]],
            "status": texts("status"),
        }
    )
    return table.to_string(index=False)
