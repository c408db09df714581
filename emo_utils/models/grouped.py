"""Grouped convolution that trains at full speed on a CPU, with Keras's own weights."""

from __future__ import annotations

import keras


@keras.saving.register_keras_serializable(package="emo_utils")
class GroupedConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D(groups=...)` as one small convolution a group.

    Arguments, kernel shape (height, width, channels / groups, filters) and outputs are those of `Conv2D`, so weights
    move freely between the two. TensorFlow has no fast gradient of a grouped convolution on a CPU (a training step
    takes some 200 times that of a dense one); the same sums, split by group, cost what their multiplications cost.
    """

    def convolution_op(self, inputs, kernel):
        """Convolve (n, height, width, channels) with a kernel; see `keras.layers.Conv2D`."""
        # On every device alike, though on a GPU the native form does it in one launch: Keras has no question for the
        # device that all its backends answer, and a model traced here may be exported to run elsewhere.
        axis = -1 if self.data_format == "channels_last" else 1
        maps = keras.ops.split(inputs, self.groups, axis=axis)
        kernels = keras.ops.split(kernel, self.groups, axis=-1)
        results = [super(GroupedConv2D, self).convolution_op(x, k) for x, k in zip(maps, kernels, strict=True)]
        return keras.ops.concatenate(results, axis=axis)
