"""Compression compared: one call distils, prunes and quantises a student and measures what each costs and saves.

plan (recipes) -> trained (models) -> checks (before any work) -> rounded (files of fewer bits) -> frame (a line
each) -> compare (the call)
"""

from emo_utils.compress.compare import Comparison, compare_compression
from emo_utils.compress.figures import save_figures
from emo_utils.compress.frame import comparison_frame, distillation_gain, mean_gain
from emo_utils.compress.source_csv import write_source_csv

__all__ = [
    "Comparison",
    "compare_compression",
    "comparison_frame",
    "distillation_gain",
    "mean_gain",
    "save_figures",
    "write_source_csv",
]
