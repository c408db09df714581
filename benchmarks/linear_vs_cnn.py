"""How hard the embedded faces are: a linear classifier on pixels against a small CNN, on the same test people.

    python benchmarks/linear_vs_cnn.py [n] [seed]

The set is meant to leave the first far behind the second, and neither at 100 %. Both train on the train people alone;
the number of epochs was fixed beforehand, so the val people are not used. The CNN also sees the faces mirrored.
"""

from __future__ import annotations

import sys
import time

import keras
import numpy as np
from keras import layers
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emo_utils.datasets.embedded import load_embedded

EPOCHS = 15


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion (E. B. Wilson 1927)."""
    p, scale = hits / n, 1 + z * z / n
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - half) / scale, (centre + half) / scale


def small_cnn(n_classes: int) -> keras.Model:
    """Return a compiled CNN of three blocks."""
    model = keras.Sequential(
        [keras.Input((48, 48, 1)), layers.RandomFlip("horizontal"), layers.Rescaling(1 / 127.5, offset=-1)]
    )
    for filters in (32, 64, 128):
        for layer in (
            layers.Conv2D(filters, 3, padding="same"),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        ):
            model.add(layer)
        if filters < 128:
            model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(n_classes, activation="softmax"))
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(n: int, seed: int) -> None:
    keras.utils.set_random_seed(seed)
    data = load_embedded(n, seed=seed)
    train, test = data.part("train"), data.part("test")
    commonest = max(test.counts().values()) / len(test)
    print(
        f"{n} faces, {len(train)} train, {len(test)} test; always guessing the commonest class scores {commonest:.3f}"
    )

    started = time.perf_counter()
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.001, max_iter=300))
    linear.fit(train.images.reshape(len(train), -1), train.labels)
    report("logistic regression", linear.predict(test.images.reshape(len(test), -1)), test.labels, started)

    started = time.perf_counter()
    model = small_cnn(len(data.class_names))
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 2e-3 * (1 - epoch / EPOCHS))
    model.fit(train.images[..., None], train.labels, batch_size=32, epochs=EPOCHS, verbose=0, callbacks=[schedule])
    report(
        f"CNN, {model.count_params()} params",
        model.predict(test.images[..., None], verbose=0).argmax(1),
        test.labels,
        started,
    )


def report(name: str, predicted: np.ndarray, labels: np.ndarray, started: float) -> None:
    hits = int((predicted == labels).sum())
    low, high = wilson(hits, len(labels))
    recalls = [(predicted[labels == k] == k).mean() for k in np.unique(labels)]
    print(
        f"{name:24s} accuracy {hits / len(labels):.3f} [{low:.3f}, {high:.3f}] n={len(labels)}, "
        f"recall by class {np.round(recalls, 2).tolist()}, {time.perf_counter() - started:.0f} s"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2100, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
