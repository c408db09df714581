"""Robustness: what is left of a model's accuracy on worse pictures, and does it know a face in the mirror?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import DataError
from emo_utils.evaluation.checks import check_predictions
from emo_utils.evaluation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from emo_utils.evaluation.hits import right_answers
from emo_utils.evaluation.progress import progress_bar
from emo_utils.evaluation.resampling import bootstrap_sums, interval, share_interval

if TYPE_CHECKING:
    import pandas as pd

Predict = Callable[[np.ndarray], np.ndarray]  # uint8 images (n, height, width) -> probabilities (n, n_classes)
_CHUNK = 1000  # faces of which five worse copies are held at a time


@dataclass(frozen=True)
class Robustness:
    """Which faces a model got right, as they are and under each corruption.

    Attributes:
        ids: str array of shape (n,), the faces looked at.
        groups: str array of shape (n,), the people, or None.
        clean: bool array of shape (n,), right on the face as it is.
        corrupted: name of a corruption -> bool array of shape (5, n), right at each severity.
    """

    ids: np.ndarray
    groups: np.ndarray | None
    clean: np.ndarray
    corrupted: Mapping[str, np.ndarray]

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with columns corruption, severity, n, accuracy, low, high (95 %); "clean" is severity 0.

        Intervals are those for other people where the people are known.
        """
        import pandas as pd

        hits = [("clean", 0, self.clean)]
        hits += [
            (name, severity, row)
            for name, rows in self.corrupted.items()
            for severity, row in zip(SEVERITIES, rows, strict=True)
        ]
        rows = [
            (name, severity, len(row), *share_interval(row, groups=self.groups, n_resamples=1000))
            for name, severity, row in hits
        ]
        return pd.DataFrame(rows, columns=["corruption", "severity", "n", "accuracy", "low", "high"])


def measure_robustness(
    predict: Predict, data: FaceDataset, *, limit: int | None = None, seed: int = 0, progress: bool = True
) -> Robustness:
    """Find out which faces a model still gets right when they are made worse, see `corrupt`.

    Args:
        predict: maps uint8 images of shape (n, height, width) to probabilities of shape (n, n_classes), e.g.
            `functools.partial(predict_probabilities, model)`, in the order of `data.class_names`. It is asked 46 times
            for each face.
        data: the faces.
        limit: look at this many of them only, drawn by `seed`, each class with its share; None takes all.
        seed: of the drawing, and of what is random in a corruption: models see the same faces made worse the same way.
        progress: show a progress bar.

    Raises:
        DataError: no faces, or `predict` gives no probabilities of the data's classes.
    """
    data = data.take(_stratified(data.labels, limit, seed))
    clean, corrupted = [], {name: [] for name in CORRUPTIONS}
    with progress_bar(len(data) * len(CORRUPTIONS) * len(SEVERITIES), "corruptions", "pictures", show=progress) as bar:
        for rows in np.array_split(np.arange(len(data)), -(-len(data) // _CHUNK) or 1):
            part = data.take(rows)
            images = np.asarray(part.images)
            clean.append(right_answers(part.labels, predict(images), data.class_names))
            for name, hits in corrupted.items():
                # All severities in one call, which is worth tracing a model for.
                worse = np.concatenate([corrupt(images, name, s, seed=seed + int(rows[0])) for s in SEVERITIES])
                labels = np.tile(part.labels, len(SEVERITIES))
                right = right_answers(labels, predict(worse), data.class_names)
                hits.append(right.reshape(len(SEVERITIES), -1))
                bar.update(len(worse))
    return Robustness(
        data.ids,
        data.groups,
        np.concatenate(clean),
        {name: np.concatenate(hits, axis=1) for name, hits in corrupted.items()},
    )


@dataclass(frozen=True)
class CorruptionError:
    """How a model's errors under corruption compare with a baseline's; 1 is as many, less is better.

    Attributes:
        mce: mean over the corruptions of the model's errors by the baseline's, each summed over the severities.
        mce_low, mce_high: its 95 % interval.
        relative: the same of what each model loses, its errors less those on clean faces; NaN unless the baseline
            clearly loses under each corruption, i.e. in every draw of the bootstrap.
        relative_low, relative_high: its 95 % interval.
        by_corruption: name -> {"error", "relative"}, what the means are taken over.
    """

    mce: float
    mce_low: float
    mce_high: float
    relative: float
    relative_low: float
    relative_high: float
    by_corruption: dict[str, dict[str, float]]


def mean_corruption_error(result: Robustness, baseline: Robustness) -> CorruptionError:
    """Compute mCE and relative mCE (Hendrycks & Dietterich 2019, section 3), which say 1 of the baseline itself.

    Args:
        result: of the model.
        baseline: of the model to compare with, on the same faces, so that the intervals are paired.

    Raises:
        DataError: the two looked at different faces, or the baseline makes no error under some corruption.
    """
    if not np.array_equal(result.ids, baseline.ids):
        raise DataError("Model and baseline looked at different faces. Run both with the same data, limit and seed.")
    names = list(result.corrupted)
    # Errors of a face by corruption, summed over severities; then on the clean face: model, baseline.
    columns = [[(~run.corrupted[name]).sum(axis=0) for name in names] for run in (result, baseline)]
    stacked = np.stack([*columns[0], *columns[1], ~result.clean, ~baseline.clean], axis=1)
    error, relative = _ratios(stacked.sum(axis=0, keepdims=True), len(names))
    if not np.isfinite(error).all():
        flawless = ", ".join(name for name, e in zip(names, error[0], strict=True) if not np.isfinite(e))
        raise DataError(f"The baseline makes no error under: {flawless}. Compare with a weaker one, or use more faces.")
    drawn, drawn_relative = _ratios(bootstrap_sums(stacked, groups=result.groups), len(names))
    # A ratio to a loss that may as well be nothing is no figure: some draws would then divide by next to zero.
    if not np.isfinite(drawn_relative).all():
        relative, drawn_relative = np.full_like(relative, np.nan), np.full_like(drawn_relative, np.nan)
    return CorruptionError(
        float(error.mean()),
        *interval(drawn.mean(axis=1)),
        float(relative.mean()),
        *(interval(drawn_relative.mean(axis=1)) if np.isfinite(relative).all() else (np.nan, np.nan)),
        {
            name: {"error": float(e), "relative": float(r)}
            for name, e, r in zip(names, error[0], relative[0], strict=True)
        },
    )


def _ratios(sums: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (errors by baseline's, losses by baseline's), float of shape (m, k); NaN for no error or no loss."""
    model, base = sums[:, :k].astype(float), sums[:, k : 2 * k].astype(float)
    clean_model, clean_base = (len(SEVERITIES) * sums[:, i, None] for i in (-2, -1))

    def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0)

    return divide(model, base), divide(model - clean_model, base - clean_base)


def mirror_invariance(predict: Predict, images: np.ndarray, *, groups: np.ndarray | None = None) -> dict[str, Any]:
    """Compare what a model says of faces and of their mirror images, which show the same emotion.

    Args:
        predict: see `measure_robustness`.
        images: uint8 array of shape (n, height, width).
        groups: array of shape (n,), the people, for the intervals.

    Returns:
        agreement: share of faces with the same answer; distance: mean total variation between the two answers, half
        the sum of absolute differences, 0 to 1; each with _low and _high (95 %); n.

    Raises:
        DataError: fewer than two faces, or answers that are no probabilities.
    """
    straight = predict(np.asarray(images))
    mirrored = predict(np.ascontiguousarray(images[:, :, ::-1]))
    for answers in (straight, mirrored):
        check_predictions(answers.argmax(axis=1), answers)
    same = straight.argmax(axis=1) == mirrored.argmax(axis=1)
    distance = np.abs(straight - mirrored).sum(axis=1) / 2
    sums = bootstrap_sums(np.stack([same, distance, np.ones(len(same))], axis=1), groups=groups)
    figures: dict[str, Any] = {}
    for i, (key, values) in enumerate((("agreement", same), ("distance", distance))):
        low, high = interval(sums[:, i] / sums[:, 2])
        figures |= {key: float(values.mean(dtype=np.float64)), f"{key}_low": low, f"{key}_high": high}
    return figures | {"n": len(same)}


def _stratified(labels: np.ndarray, limit: int | None, seed: int) -> np.ndarray:
    """Return positions of `limit` faces, in order: shuffled, sorted by class, and every n/limit-th taken."""
    n = len(labels)
    if limit is None or limit >= n:
        return np.arange(n)
    shuffled = np.random.default_rng(seed).permutation(n)
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    return np.sort(by_class[np.arange(limit) * n // limit])
