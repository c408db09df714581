"""The progress bar of long evaluations, in the form that training shows."""

from __future__ import annotations

import sys

from tqdm import tqdm


def progress_bar(total: int, title: str, unit: str, *, show: bool) -> tqdm:
    """Return a bar of text on standard output, whose last line a stored notebook keeps.

    Args:
        total: number of steps.
        title: stands before the bar.
        unit: of the steps, in the plural.
        show: False draws nothing.
    """
    form = f"{{desc}} |{{bar:10}}| {{elapsed}}<{{remaining}}, {{n_fmt}} of {{total_fmt}} {unit}"
    return tqdm(total=total, desc=title, file=sys.stdout, ascii=" #", bar_format=form, disable=not show)
