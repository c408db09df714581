"""ResNeXt, a residual network of grouped convolutions (Xie et al. 2017), to be trained from scratch."""

from __future__ import annotations

import keras

from emo_utils.models.grouped import GroupedConv2D
from emo_utils.recipe import ResNeXt

# Up to this input side the stem leaves out its pooling: 112 px without and 224 px with it both start the stages at 56.
UNPOOLED_SIZE = 112


def build_resnext(size: int, shape: ResNeXt) -> keras.Model:
    """Build a ResNeXt without its head.

    The stem is the paper's, a 7x7 convolution of stride 2 and a max pooling, which hands maps of 56x56 to the stages at
    224 px. Inputs of up to 112 px skip the pooling: a face of 48 px still fills 24x24 in the first stage and 6x6 in the
    third, where the paper's stem would leave 12x12 and 3x3.

    Group width or cardinality: the source of this course's ResNeXt calls its block as (channels, 32, 1). In the paper's
    words 32 would be the cardinality, the number of groups. The call has, however, the form of the block in "Dive into
    Deep Learning" (d2l.ai), whose second argument is named `groups` while its 3x3 convolution is given bottleneck
    channels // groups groups: there 32 is the number of channels in a group, so that 64 channels make 2 groups and 256
    make 8. Its third argument is the width of the bottleneck as a multiple of the channels, here 1; the paper's blocks
    have nothing like it. `group_width=32`, the default, therefore reproduces the source if its block computes as d2l's
    does, and `cardinality=32` is the paper's reading of the same number.

    Args:
        size: input side in pixels.
        shape: blocks, channels, groups and dropout.

    Returns:
        A model from grey levels 0 to 255, float (n, size, size, 1), to a feature map (n, h, w, channels of the last
        stage). The layers of stage 2 have names that begin with "stage2_".
    """
    inputs = keras.Input((size, size, 1))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="preprocess")(inputs)
    x = _norm(_conv(x, shape.channels[0], 7, "stem_conv", strides=2), "stem_norm")
    x = keras.layers.ReLU(name="stem_relu")(x)
    if size > UNPOOLED_SIZE:
        x = keras.layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    undropped = sum(shape.blocks) - len(shape.dropout)
    rates = iter((0.0,) * undropped + shape.dropout)
    for stage, (blocks, channels) in enumerate(zip(shape.blocks, shape.channels, strict=True), start=1):
        groups = shape.cardinality or channels // shape.group_width
        for block in range(1, blocks + 1):
            name = f"stage{stage}_block{block}"
            x = _block(x, channels, groups, 2 if block == 1 and stage > 1 else 1, name)
            rate = next(rates)
            if rate:
                x = keras.layers.Dropout(rate, name=f"{name}_dropout")(x)
    return keras.Model(inputs, x, name="ResNeXt")


def _block(x, channels: int, groups: int, strides: int, name: str):
    """Return a residual block: 1x1, grouped 3x3, 1x1, and the input added (projected where its shape differs)."""
    y = _norm(_conv(x, channels, 1, f"{name}_conv1"), f"{name}_norm1")
    y = keras.layers.ReLU(name=f"{name}_relu1")(y)
    grouped = GroupedConv2D(
        channels, 3, strides=strides, padding="same", groups=groups, use_bias=False, name=f"{name}_conv2"
    )
    y = keras.layers.ReLU(name=f"{name}_relu2")(_norm(grouped(y), f"{name}_norm2"))
    y = _norm(_conv(y, channels, 1, f"{name}_conv3"), f"{name}_norm3")
    if strides > 1 or x.shape[-1] != channels:
        x = _norm(_conv(x, channels, 1, f"{name}_project", strides=strides), f"{name}_project_norm")
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.Add(name=f"{name}_add")([x, y]))


def _conv(x, channels: int, side: int, name: str, strides: int = 1):
    return keras.layers.Conv2D(channels, side, strides=strides, padding="same", use_bias=False, name=name)(x)


def _norm(x, name: str):
    return keras.layers.BatchNormalization(momentum=0.9, name=name)(x)
