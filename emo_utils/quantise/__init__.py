"""Quantisation: fewer bits for weights and activations."""

from emo_utils.quantise.calibration import MIN_CALIBRATION, calibration_images, check_calibration

__all__ = ["MIN_CALIBRATION", "calibration_images", "check_calibration"]
