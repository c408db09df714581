"""The one place where the backends of Keras differ for us: Keras itself has no function for gradients."""

from __future__ import annotations

from collections.abc import Callable

import keras

from emo_utils.errors import ModelError


def gradient(function: Callable, at):
    """Return the gradient of the sum of `function(at)` with respect to `at`, a tensor of its shape.

    Args:
        function: tensor -> tensor, of Keras operations.
        at: float tensor.

    Raises:
        ModelError: Keras runs on another backend than TensorFlow or JAX.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(at)
            total = keras.ops.sum(function(at))
        return tape.gradient(total, at)
    if backend == "jax":
        import jax

        return jax.grad(lambda x: keras.ops.sum(function(x)))(at)
    raise ModelError(f"Gradients are written for the backends tensorflow and jax. KERAS_BACKEND is {backend}.")
