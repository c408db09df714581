"""Quantisation: fewer bits for weights and activations."""

from emo_utils.models.fake_quantised import FakeQuantise
from emo_utils.quantise.calibration import MIN_CALIBRATION, calibration_images, check_calibration
from emo_utils.quantise.fold import fold_batch_norm
from emo_utils.quantise.model import quantise_model, unquantise_model
from emo_utils.quantise.noise import change_bits, layer_noise
from emo_utils.quantise.packed import load_packed, save_packed

__all__ = [
    "MIN_CALIBRATION",
    "FakeQuantise",
    "calibration_images",
    "change_bits",
    "check_calibration",
    "fold_batch_norm",
    "layer_noise",
    "load_packed",
    "quantise_model",
    "save_packed",
    "unquantise_model",
]
