"""Evaluation: metrics with intervals, from a model or from stored probabilities."""

from emo_utils.evaluation.evaluate import Evaluation, evaluate_model, evaluate_probabilities, predict_probabilities
from emo_utils.evaluation.metrics import classification_metrics

__all__ = ["Evaluation", "classification_metrics", "evaluate_model", "evaluate_probabilities", "predict_probabilities"]
