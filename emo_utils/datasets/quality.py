"""Report what is wrong with a data set before anything is trained on it. Nothing is changed; `clean` does that."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from emo_utils.datasets.base import USAGES, FaceDataset
from emo_utils.datasets.duplicates import MAX_PAIRS, blank_images, duplicate_groups, near_duplicates, sets_of_equal


@dataclass(frozen=True)
class QualityReport:
    """What `quality_report` found. "Part" is a usage: "train", "val", "test", "private", or "" for unassigned.

    Attributes:
        name: name of the data set.
        n: number of faces.
        counts: faces by part and class name.
        blank: positions of the images of one single grey value, int64 of shape (k,).
        copies: positions of the images in each set of exact copies, one int64 array a set.
        conflicting: those sets of `copies` whose labels differ.
        surplus: by part, the images that a copy within the part makes superfluous.
        shared: by (part, other part), the images of the part that also stand in the other, pixel for pixel.
        near_pairs: positions of pairs that show the same picture without being equal, int64 of shape (m, 2), see
            `near_duplicates`; of equal images only the first is in pairs.
        near_shared: by (part, other part or the same), the images of the part with such a partner in the other.
        skipped: number of files or rows that could not be used, by reason.
    """

    name: str
    n: int
    counts: dict[str, dict[str, int]]
    blank: np.ndarray = field(repr=False)
    copies: list[np.ndarray] = field(repr=False)
    conflicting: list[np.ndarray] = field(repr=False)
    surplus: dict[str, int]
    shared: dict[tuple[str, str], int]
    near_pairs: np.ndarray = field(repr=False)
    near_shared: dict[tuple[str, str], int]
    skipped: dict[str, int]

    def to_frame(self):
        """Return the findings as a pandas DataFrame with columns finding, part, other, n."""
        import pandas as pd

        rows = [(f"class {c}", part, "", n) for part, by_class in self.counts.items() for c, n in by_class.items()]
        rows += [("blank images", "", "", len(self.blank)), ("sets of exact copies", "", "", len(self.copies))]
        rows += [("of these with conflicting labels", "", "", len(self.conflicting))]
        rows += [("superfluous copies", part, "", n) for part, n in self.surplus.items()]
        rows += [("images with an exact copy in the other", *parts, n) for parts, n in self.shared.items()]
        rows += [("near-duplicate pairs", "", "", len(self.near_pairs))]
        rows += [("images with a near duplicate in the other", *parts, n) for parts, n in self.near_shared.items()]
        rows += [(f"skipped: {reason}", "", "", n) for reason, n in self.skipped.items()]
        return pd.DataFrame(rows, columns=["finding", "part", "other", "n"])

    def to_text(self) -> str:
        """Return the report as a few lines for people."""
        lines = [f"{self.name}: {self.n:,} faces"]
        for part, by_class in self.counts.items():
            classes = ", ".join(f"{name} {n:,}" for name, n in by_class.items())
            lines.append(f"  {_shown(part)}: {sum(by_class.values()):,} ({classes})")
        lines.append(f"Blank images: {len(self.blank)}")
        extra = sum(map(len, self.copies)) - len(self.copies)
        lines.append(
            f"Exact copies: {extra:,} images repeat another, in {len(self.copies):,} sets, "
            f"{len(self.conflicting)} of them with conflicting labels"
        )
        lines += [f"  {n:,} superfluous within {_shown(part)}" for part, n in self.surplus.items() if n]
        lines += [f"  {n:,} of {_shown(a)} also stand in {_shown(b)}" for (a, b), n in self.shared.items() if n]
        at_least = "at least " if len(self.near_pairs) >= MAX_PAIRS else ""
        lines.append(f"Near duplicates (the same picture, changed a little): {at_least}{len(self.near_pairs):,} pairs")
        lines += [f"  {n:,} of {_shown(a)} have one in {_shown(b)}" for (a, b), n in self.near_shared.items() if n]
        lines.append(f"Skipped: {sum(self.skipped.values()):,}")
        lines += [f"  {n:,} x {reason}" for reason, n in self.skipped.items()]
        return "\n".join(lines)


def quality_report(ds: FaceDataset) -> QualityReport:
    """Count classes, blank images, exact and near duplicates within and between the parts, and skipped items."""
    number = duplicate_groups(ds.images)
    distinct, first = np.unique(number, return_index=True)
    near = near_duplicates(ds.take(first).images)
    parts = [part for part in USAGES if (ds.usage == part).any()]
    stands_in = np.zeros((len(distinct), len(parts)), dtype=bool)  # does this distinct image stand in this part?
    for i, part in enumerate(parts):
        stands_in[number[ds.usage == part], i] = True
    partner_in = np.zeros_like(stands_in)  # does it have a near duplicate in this part?
    for a, b in (near.T, near.T[::-1]):
        np.logical_or.at(partner_in, a, stands_in[b])
    copies = sets_of_equal(number)
    return QualityReport(
        name=ds.name,
        n=len(ds),
        counts={part: ds.part(part).counts() for part in parts},
        blank=np.flatnonzero(blank_images(ds.images)),
        copies=copies,
        conflicting=[members for members in copies if len(set(ds.labels[members])) > 1],
        surplus={part: int((ds.usage == part).sum() - stands_in[:, i].sum()) for i, part in enumerate(parts)},
        shared={
            (a, b): int(stands_in[number[ds.usage == a], j].sum()) for a in parts for j, b in enumerate(parts) if a != b
        },
        near_pairs=first[near],
        near_shared={
            (a, b): int(partner_in[number[ds.usage == a], j].sum()) for a in parts for j, b in enumerate(parts)
        },
        skipped=dict(Counter(reason for _, reason in ds.skipped).most_common()),
    )


def _shown(part: str) -> str:
    return part or "unassigned"
