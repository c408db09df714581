"""The comparison's figures as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emo_utils.atomic import replacing
from emo_utils.bench import pareto_front

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_COSTS = ("bytes", "macs", "latency_p50_ms")


def save_figures(frame: pd.DataFrame, folder: Path) -> list[Path]:
    """Write the four comparisons of FER-Jetson-Nano, and a Pareto front for each cost, as PNG.

    Args:
        frame: from `comparison_frame`.
        folder: exists.

    Returns:
        The paths.
    """
    from emo_utils.plots import compression as plots  # Matplotlib, which a comparison without figures does not need

    figures = {
        "teacher_student": plots.plot_teacher_student(frame),
        "pruning": plots.plot_pruning(frame),
        "quantisation": plots.plot_quantisation(frame),
        "total": plots.plot_total(frame),
        **{f"pareto_{cost}": plots.plot_pareto(frame, pareto_front(frame, cost), cost).figure for cost in _COSTS},
    }
    return [_save(figure, folder / f"{name}.png") for name, figure in figures.items()]


def _save(figure: Figure, path: Path) -> Path:
    import matplotlib.pyplot as plt

    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=150, bbox_inches="tight")
    plt.close(figure)
    return path
