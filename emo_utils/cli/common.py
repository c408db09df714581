"""What several commands share."""

from __future__ import annotations

import sys

SOURCE_HELP = "'embedded', 'fer2013' or 'ckplus' (looked for in data/), or the path of a zip, csv or folder"


def summary(m: dict) -> str:
    return (
        f"accuracy {m['accuracy']:.3f} [{m['accuracy_low']:.3f}, {m['accuracy_high']:.3f}]  "
        f"macro-F1 {m['macro_f1']:.3f}  worst class {m['worst_class']} {m['worst_class_recall']:.3f}  "
        f"ECE {m['ece']:.3f}  n {m['n']}"
    )


def fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2
