"""Structured pruning: whole filters are removed, so that what remains is a smaller ordinary Keras model.

axes: which filter makes which channel of every tensor -> spaces: what must go together -> ranking: which filters matter
least -> prune: the smaller model, or one of the same size in which they are silent
"""

from emo_utils.prune.prune import LEVELS, filter_table, prune_model, silence_filters
from emo_utils.prune.ranking import CRITERIA

__all__ = ["CRITERIA", "LEVELS", "filter_table", "prune_model", "silence_filters"]
