"""The chapters of a report on where a model is weak: slices, worse pictures, mirrors, faces that raters argue over."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial

import numpy as np

from emo_utils.datasets import FaceDataset
from emo_utils.errors import DataError
from emo_utils.evaluation import Evaluation, predict_probabilities
from emo_utils.evaluation.robustness import measure_robustness, mirror_invariance
from emo_utils.evaluation.slices import MEASURES, MIN_FACES, slice_metrics, worst_slice
from emo_utils.evaluation.votes import compare_with_votes
from emo_utils.plots import plot_accuracy_by_agreement, plot_severities, plot_slices
from emo_utils.report.section import Section, number, share

_MIRRORED = 2000
_MOST_PEOPLE = 20


def slice_section(data: FaceDataset, evaluation: Evaluation) -> Section:
    """Return the accuracy by class, brightness, contrast, sharpness, size and person, and the worst of these slices.

    Size is left out where all faces have one; people where there are too many for a figure.
    """
    names = ["class", *MEASURES]
    if data.sizes is not None and np.ptp(data.sizes) > 0:
        names.append("size")
    if data.groups is not None and len(np.unique(data.groups)) <= _MOST_PEOPLE:
        names.append("subject")
    frame = slice_metrics(data, evaluation.probabilities, names)
    try:
        worst = worst_slice(frame)
    except DataError:  # a small test part
        worst, text = None, (f"No slice has {MIN_FACES} faces, so none is called the worst.",)
    else:
        interval = share(worst.accuracy, worst.low, worst.high)
        text = (f"The worst slice is {worst.slice} {worst.value}: {interval}, n = {worst.n:,}. {worst.remark}",)
    text += (
        "Slices are small, so their intervals are Wilson's, with the likeness of one person's faces reckoned in. They "
        "are wider than the bootstrap intervals above where people are few.",
    )
    rows = [("slice", "value", "accuracy", "faces")]
    rows += [(r.slice, r.value, share(r.accuracy, r.low, r.high), r.n) for r in frame.itertuples() if r.slice != "all"]
    figures = {
        "worst": worst and {key: value for key, value in asdict(worst).items() if key != "remark"},
        "slices": _records(frame),
    }
    return Section("Slices", "slices", text, rows, {"slices": plot_slices(frame).figure}, figures)


def mirror_section(model, data: FaceDataset) -> Section:
    """Return how often a model says the same of a face and of its mirror image."""
    some = data if len(data) <= _MIRRORED else data.take(np.linspace(0, len(data) - 1, _MIRRORED).astype(int))
    m = mirror_invariance(partial(predict_probabilities, model), np.asarray(some.images), groups=some.groups)
    interval = share(*(m[f"agreement{end}"] for end in ("", "_low", "_high")))
    text = (
        f"A face in the mirror shows the same emotion. The model gives {interval} of {m['n']:,} faces the same answer "
        f"both ways; its probabilities move by {m['distance']:.3f} on average (total variation, 0 to 1).",
    )
    return Section("In the mirror", "mirror", text, figures=m)


def robustness_section(model, data: FaceDataset, name: str, n: int) -> Section:
    """Return the accuracy on n faces made worse in nine ways, at five severities."""
    frame = measure_robustness(partial(predict_probabilities, model), data, limit=n).to_frame()
    mean = frame[frame["corruption"] != "clean"].groupby("severity")["accuracy"].mean()
    clean = frame.loc[frame["corruption"] == "clean", "accuracy"].item()
    n = int(frame["n"].iloc[0])
    text = (
        f"{n:,} faces, each made worse in {frame['corruption'].nunique() - 1} ways. Accuracy on them as they are "
        f"{share(clean)}; mean over the ways by severity: {', '.join(f'{s}: {share(a)}' for s, a in mean.items())}.",
    )
    figures = {"n": n, "clean": clean, "mean_by_severity": mean.to_dict(), "accuracies": _records(frame)}
    return Section(
        "Worse pictures", "robustness", text, pictures={"worse": plot_severities({name: frame})}, figures=figures
    )


def vote_section(data: FaceDataset, evaluation: Evaluation) -> Section:
    """Return how the model compares with the raters of FER+ on the same faces."""
    found = compare_with_votes(data, evaluation.probabilities)
    rows = [("compared", "agreement [95 % interval]")]
    rows += [
        (f"{name}, points" if "minus" in name else name, share(r["accuracy"], r["accuracy_low"], r["accuracy_high"]))
        for name, r in found.accuracies.iterrows()
    ]
    rows += [
        (f"{name}: {kind}, nats", number(r[key], r[f"{key}_low"], r[f"{key}_high"]))
        for name, r in found.divergences.iterrows()
        for key, kind in (
            ("cross_entropy", "cross-entropy to the votes"),
            ("jensen_shannon", "Jensen-Shannon divergence"),
        )
    ]
    text = (
        f"{found.n:,} faces that at least two raters gave one of these classes; {found.n_left_out:,} others are left "
        "out. The rater who is held against the others is the human bar: the model meets the same targets.",
    )
    figures = {
        "n": found.n,
        "n_left_out": found.n_left_out,
        **{
            key: _records(getattr(found, key).reset_index(names="what"))
            for key in ("accuracies", "by_agreement", "divergences")
        },
    }
    pictures = {"votes": plot_accuracy_by_agreement({"the model": found.by_agreement}).figure}
    return Section("Against the raters", "votes", text, rows, pictures, figures)


def _records(frame) -> list[dict]:
    """Return the rows of a DataFrame as JSON values."""
    return json.loads(frame.to_json(orient="records", default_handler=str))
