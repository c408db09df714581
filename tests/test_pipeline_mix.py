from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.stats import beta, kstest

from emo_utils.pipeline import cutmix, mixup
from emo_utils.pipeline.mix import mix_batch
from emo_utils.recipe import Augmentation

N = 2000
# Each image has a grey level and a class of its own, so that the targets tell the share.
IMAGES = np.broadcast_to(np.linspace(0, 255, N).astype(np.uint8)[:, None, None], (N, 12, 16))
TARGETS = np.eye(N, dtype=np.float32)


def rng(seed=0):
    return np.random.default_rng(seed)


def own_share(targets):
    """Return the share that each image keeps of itself, and where another image is mixed in."""
    share = np.diagonal(targets)
    return share[share < 1]


@pytest.mark.parametrize("mix", [mixup, cutmix])
def test_mixing_keeps_shapes_dtypes_and_the_sum_of_targets(mix):
    images, targets = mix(IMAGES, TARGETS, 0.2, rng())
    assert images.shape == IMAGES.shape
    assert images.dtype == np.uint8
    assert targets.dtype == np.float32
    assert targets.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert ((targets > 0).sum(axis=1) <= 2).all()


@pytest.mark.parametrize("alpha", [0.2, 2.0])
def test_shares_of_mixup_follow_the_beta_distribution(alpha):
    _, targets = mixup(IMAGES, TARGETS, alpha, rng())
    assert kstest(own_share(targets), beta(alpha, alpha).cdf).pvalue > 0.01


def test_mixup_agrees_with_the_layer_of_keras():
    images = rng(1).integers(0, 256, (32, 12, 16), dtype=np.uint8)
    targets = np.eye(32, dtype=np.float32)
    mixed, shares = mixup(images, targets, 1.0, rng())
    drawn = rng()
    draws = {"mix_weight": drawn.beta(1, 1, 32).astype("float32"), "permutation_order": drawn.permutation(32)}
    layer = keras.layers.MixUp(alpha=1.0)
    expected = keras.ops.convert_to_numpy(layer.transform_images(images[..., None], draws))[..., 0]
    assert np.abs(mixed - expected).max() <= 0.5001
    assert shares == pytest.approx(keras.ops.convert_to_numpy(layer.transform_labels(targets, draws)), abs=1e-6)


def test_cutmix_pastes_a_rectangle_of_the_share_in_the_targets():
    numbers = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None], (200, 12, 16))
    images, targets = cutmix(numbers, np.eye(200, dtype=np.float32), 1.0, rng())
    pasted = images != numbers
    assert 1 - pasted.mean(axis=(1, 2)) == pytest.approx(np.diagonal(targets), abs=1e-6)
    for mask in pasted[pasted.any(axis=(1, 2))]:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()


def test_cutmix_keeps_the_expected_share_and_reaches_every_pixel():
    # Of a side s, drawn with s^2 uniform at alpha 1, s - s^2 / 4 lies within the border on average. Squared and
    # integrated over s^2 that is .3208, so an image keeps .6792 of itself.
    numbers = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None], (200, 12, 16))
    images, targets = cutmix(numbers, np.eye(200, dtype=np.float32), 1.0, rng())
    assert np.diagonal(targets).mean() == pytest.approx(0.6792, abs=0.05)
    assert ((images != numbers).mean(axis=0) > 0.05).all()


def test_mixing_leaves_its_arguments_alone():
    images, targets = IMAGES.copy(), TARGETS.copy()
    for mix in (mixup, cutmix):
        mix(images, targets, 1.0, rng())
    assert (images == IMAGES).all()
    assert (targets == TARGETS).all()


def test_a_batch_draws_one_of_the_two():
    images, targets = rng(1).integers(0, 256, (16, 12, 16), dtype=np.uint8), np.eye(16, dtype=np.float32)
    kinds = []
    for seed in range(60):
        out, _ = mix_batch(images, targets, Augmentation(mixup=1.0, cutmix=1.0), rng(seed))
        kinds.append(np.isin(out, images).all() and (out == images).mean() > 0.2)
    assert 15 < sum(kinds) < 45
    same, untouched = mix_batch(images, targets, Augmentation(flip=True), rng())
    assert same is images
    assert untouched is targets
