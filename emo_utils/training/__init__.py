"""Training: one call from a recipe and its data to a trained, evaluated and logged model."""

from emo_utils.training.experiment import Result, run_experiment
from emo_utils.training.prepare import prepare_data

__all__ = ["Result", "prepare_data", "run_experiment"]
