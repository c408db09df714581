"""TrainingBatches: what `fit` is given, a Keras data set whose batches depend only on seed, epoch and index."""

from __future__ import annotations

import keras
import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.ferplus import blend_votes
from emo_utils.errors import DataError
from emo_utils.pipeline.augment import augment_images, resize_images
from emo_utils.pipeline.balance import class_weights, oversample_minority_classes, sample_balanced
from emo_utils.pipeline.mix import mix_batch
from emo_utils.recipe import Recipe


class TrainingBatches(keras.utils.PyDataset):
    """Shuffled, balanced, augmented and mixed batches of (images, targets) or (images, targets, weights).

    Images are uint8 of shape (batch, input_size, input_size, 1); targets float32 of shape (batch, n_classes), one-hot,
    or blends: of label and votes where the recipe has `votes`, of two faces where MixUp or CutMix is on. Where the
    recipe weighs classes there are weights, float32 of shape (batch,): sum_c target_c * weight_c. What an epoch holds
    depends only on the recipe's seed and `epoch`, which the training loop sets: a run that is resumed sees the batches
    that it would have seen without the break.

    Args:
        data: the training faces.
        recipe: its input size, batch size, augmentation, balancing, share of votes and seed count.

    Raises:
        DataError: there are no faces, none of a class that is to be weighed, or no votes where the recipe wants them.
    """

    def __init__(self, data: FaceDataset, recipe: Recipe):
        super().__init__()
        if not len(data):
            raise DataError(f"{data.name} has no training images.")
        self.data, self.recipe = data, recipe
        self._targets = data.one_hot()
        if recipe.votes:
            self._targets = blend_votes(data, recipe.votes)
        # Not `class_weight` of `fit`, which weighs a blend as if it were all of its stronger class.
        self._class_weights = class_weights(data, recipe)
        self.epoch = 0

    @property
    def epoch(self) -> int:
        """Return the number of the epoch, counted from 0 over all stages; setting it draws that epoch's order."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch = epoch
        rng = np.random.default_rng([self.recipe.seed, epoch])
        labels = self.data.labels
        if self.recipe.balancing == "oversample":
            self._order = oversample_minority_classes(labels, rng)
        elif self.recipe.balancing == "balanced_sampler":
            self._order = sample_balanced(labels, rng)
        else:
            self._order = np.arange(len(labels))
        rng.shuffle(self._order)

    def __len__(self) -> int:
        return -(-len(self._order) // self.recipe.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        size = self.recipe.batch_size
        rows = self._order[index * size : (index + 1) * size]
        inputs, targets = self._draw(rows, np.random.default_rng([self.recipe.seed, self._epoch, index]))
        if self._class_weights is None:
            return inputs, targets
        return inputs, targets, (targets @ self._class_weights).astype(np.float32)

    def _draw(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets for some rows of the data."""
        augmentation = self.recipe.augmentation
        images = augment_images(self.data.images[rows], augmentation, rng, self.recipe.input_size)
        images, targets = mix_batch(images, self._targets[rows], augmentation, rng)
        return images[..., None], targets


class ValidationBatches(keras.utils.PyDataset):
    """Batches of (images, targets) in the order of the data, as they are: what a stage validates on.

    Args:
        data: the validation faces; where they lie on disk, one batch at a time is read.
        recipe: its input size counts.
        batch_size: images a batch; the last one may be smaller.
    """

    def __init__(self, data: FaceDataset, recipe: Recipe, batch_size: int = 256):
        super().__init__()
        self.data, self.recipe, self.batch_size = data, recipe, batch_size
        self._targets = data.one_hot()

    def __len__(self) -> int:
        return -(-len(self.data) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return resize_images(self.data.images[rows], self.recipe.input_size)[..., None], self._targets[rows]
