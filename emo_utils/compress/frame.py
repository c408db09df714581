"""The comparison as a table: a line a model, and what the teacher was worth by seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emo_utils.bench import Parameters
from emo_utils.compress.trained import Trained

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Line:
    """One model of the comparison.

    Attributes:
        name: in tables and figures.
        family: as of `Trained`.
        row: of the experiment table.
        file: what a device would load: .tflite, or .emoq where no engine computes in so few bits.
        parameters: of the model.
        macs: multiply-accumulate operations for one face.
        agreement: share of test faces with the student's answer.
    """

    name: str
    family: str
    row: dict[str, Any]
    file: Path
    parameters: Parameters
    macs: int
    agreement: float


def comparison_frame(lines: list[Line], student: dict[str, Any]) -> pd.DataFrame:
    """Return one row a model.

    Args:
        lines: of the comparison.
        student: row of the student in the experiment table, which drops and shifts are measured from.

    Returns:
        name, family, run_id; val_accuracy, what to choose by; accuracy, accuracy_low, accuracy_high,
        worst_class_recall and ece on the n faces of the test part; worst_class_drop, the most recall that a single
        class has lost against the student, and worst_class_dropped, which; ece_shift, its ECE less the student's;
        agreement with the student's answers; parameters, macs, bytes of the file; latency_p50_ms and latency_p90_ms
        on one thread, NaN where no engine runs the file.
    """
    import pandas as pd

    return pd.DataFrame([_row(line, student) for line in lines])


def _row(line: Line, student: dict[str, Any]) -> dict[str, Any]:
    row = line.row
    lost = {c: student["per_class"][c]["recall"] - found["recall"] for c, found in row["per_class"].items()}
    most = max(lost, key=lost.get)
    measured = line.file.suffix == ".tflite"
    return {
        "name": line.name,
        "family": line.family,
        "run_id": row["run_id"],
        "val_accuracy": row.get("val_accuracy", np.nan),
        **{key.removeprefix("test_"): row[key] for key in ("test_accuracy", "test_accuracy_low", "test_accuracy_high")},
        **{key: row[key] for key in ("worst_class_recall", "ece", "n")},
        "worst_class_drop": lost[most],
        "worst_class_dropped": most,
        "ece_shift": row["ece"] - student["ece"],
        "agreement": line.agreement,
        "parameters": line.parameters.trainable,
        "macs": line.macs,
        "bytes": line.file.stat().st_size,
        **{key: row[key] if measured else np.nan for key in ("latency_p50_ms", "latency_p90_ms")},
    }


def distillation_gain(pairs: list[tuple[Trained, Trained]]) -> pd.DataFrame:
    """Return seed, accuracy of student and distilled student on the test part, and the gain, a row a seed.

    Args:
        pairs: student and distilled student of one seed each.
    """
    import pandas as pd

    rows = [(a.recipe.seed, a.row["test_accuracy"], b.row["test_accuracy"]) for a, b in pairs]
    frame = pd.DataFrame(rows, columns=["seed", "student", "distilled"])
    return frame.assign(gain=frame["distilled"] - frame["student"])


def mean_gain(gain: pd.DataFrame) -> tuple[float, float, float]:
    """Return the mean gain over seeds and the ends of Student's 95 % interval for it, NaN for a single seed.

    Args:
        gain: from `distillation_gain`.
    """
    from scipy.stats import t  # a second to import

    values = gain["gain"].to_numpy(float)
    n, mean = len(values), float(values.mean())
    reach = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
    return mean, mean - reach, mean + reach
