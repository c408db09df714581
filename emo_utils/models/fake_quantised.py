"""Fake quantisation: float layers that compute what integer ones would, and still train.

Rounding has no gradient; the straight-through estimator passes the gradient as if it were not there (Bengio et al.
2013). Weights are symmetric, activations affine, as in Jacob et al. 2018.
"""

from __future__ import annotations

import keras
from keras import ops

from emo_utils.models.grouped import GroupedConv2D

_PACKAGE = "emo_utils"
# The axes of each kernel over which an output channel has one scale.
_AXES = {
    keras.layers.Conv2D: {"kernel": (0, 1, 2)},
    GroupedConv2D: {"kernel": (0, 1, 2)},
    keras.layers.DepthwiseConv2D: {"kernel": (0, 1)},
    keras.layers.SeparableConv2D: {"depthwise_kernel": (0, 1), "pointwise_kernel": (0, 1, 2)},
    keras.layers.Dense: {"kernel": (0,)},
}


def kernels_of(layer: keras.layers.Layer, per_channel: bool) -> list[tuple[keras.Variable, tuple[int, ...]]]:
    """Return the kernels of a plain or fake-quantised layer and the axes that share a scale; [] for other layers."""
    axes = _AXES.get(PLAIN_OF.get(type(layer), type(layer)), {})
    kernels = [(getattr(layer, name), shared) for name, shared in axes.items()]
    return [(kernel, shared if per_channel else tuple(range(len(kernel.shape)))) for kernel, shared in kernels]


def quantise_kernel(kernel, bits: int, axes: tuple[int, ...]):
    """Return symmetric integer codes and their scale: kernel is about codes * scale.

    Args:
        kernel: float tensor or variable.
        bits: 2 to 16; codes lie within +-(2 ** (bits - 1) - 1).
        axes: share one scale, the largest magnitude over the largest code.

    Returns:
        Float tensors: codes like the kernel, scale of the same rank with 1 along `axes`.
    """
    peak = ops.max(ops.abs(kernel), axis=axes, keepdims=True)
    scale = ops.maximum(peak / (2 ** (bits - 1) - 1), 1e-12)  # a channel of zeros has no scale of its own
    return ops.round(kernel / scale), scale


class _FakeQuantisedKernel(keras.layers.Layer):
    """What the fake-quantised layers share: they compute with a quantised copy of their kernels.

    The scale follows the weights at every call, so the same layer serves after training and during it.
    """

    def __init__(self, *args, weight_bits: int, per_channel: bool = True, **kwargs):
        super().__init__(*args, **kwargs)
        self.weight_bits = weight_bits
        self.per_channel = per_channel

    def call(self, inputs):
        axes = {id(kernel): shared for kernel, shared in kernels_of(self, self.per_channel)}
        # In this scope the variables have the values of this mapping. Those not quantised are in it, too: a scope
        # hides the one around it, in which JAX trains.
        values = [(v, self._faked(v.value, axes[id(v)]) if id(v) in axes else v.value) for v in self.weights]
        with keras.StatelessScope(state_mapping=values):
            return super().call(inputs)

    def _faked(self, kernel, axes: tuple[int, ...]):
        codes, scale = quantise_kernel(kernel, self.weight_bits, axes)
        return kernel + ops.stop_gradient(codes * scale - kernel)

    def get_config(self):
        return {**super().get_config(), "weight_bits": self.weight_bits, "per_channel": self.per_channel}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class FakeQuantConv2D(_FakeQuantisedKernel, keras.layers.Conv2D):
    """`Conv2D` with a kernel of `weight_bits` bits, one scale a filter or, with per_channel=False, one in all."""


@keras.saving.register_keras_serializable(package=_PACKAGE)
class FakeQuantGroupedConv2D(_FakeQuantisedKernel, GroupedConv2D):
    """`GroupedConv2D` with a kernel of `weight_bits` bits, see `FakeQuantConv2D`."""


@keras.saving.register_keras_serializable(package=_PACKAGE)
class FakeQuantDepthwiseConv2D(_FakeQuantisedKernel, keras.layers.DepthwiseConv2D):
    """`DepthwiseConv2D` with a kernel of `weight_bits` bits, see `FakeQuantConv2D`."""


@keras.saving.register_keras_serializable(package=_PACKAGE)
class FakeQuantSeparableConv2D(_FakeQuantisedKernel, keras.layers.SeparableConv2D):
    """`SeparableConv2D` with two kernels of `weight_bits` bits; the map between the two stays float."""


@keras.saving.register_keras_serializable(package=_PACKAGE)
class FakeQuantDense(_FakeQuantisedKernel, keras.layers.Dense):
    """`Dense` with a kernel of `weight_bits` bits, see `FakeQuantConv2D`."""


FAKE_OF = {
    keras.layers.Conv2D: FakeQuantConv2D,
    GroupedConv2D: FakeQuantGroupedConv2D,
    keras.layers.DepthwiseConv2D: FakeQuantDepthwiseConv2D,
    keras.layers.SeparableConv2D: FakeQuantSeparableConv2D,
    keras.layers.Dense: FakeQuantDense,
}
PLAIN_OF = {fake: plain for plain, fake in FAKE_OF.items()}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class FakeQuantise(keras.layers.Layer):
    """Round activations to 2 ** bits levels between two bounds; beyond them they are cut off and pass no gradient.

    Args:
        bits: 2 to 16.
        low: at most 0.
        high: at least 0. Both are moved by up to half a step, so that 0, which pads and which ReLU gives, is a level.
    """

    def __init__(self, bits: int, low: float, high: float, **kwargs):
        super().__init__(**kwargs)
        self.bits, self.low, self.high = bits, low, high
        self.step = max(high - low, 1e-12) / (2**bits - 1)
        self.first = round(low / self.step)  # the negative of what TFLite calls the zero point

    def call(self, inputs):
        bounds = self.first * self.step, (self.first + 2**self.bits - 1) * self.step
        inside = ops.clip(inputs, *bounds)
        return inside + ops.stop_gradient(ops.round(inside / self.step) * self.step - inside)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "bits": self.bits, "low": self.low, "high": self.high}
