"""Write the report folder: index.html, report.json, predictions.npz and the figures as PNG files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from emo_utils.errors import DataError
from emo_utils.evaluation import Evaluation
from emo_utils.report.page import render_page
from emo_utils.report.section import Section

_DOTS_PER_INCH = 110


def write_report(
    folder: str | Path, title: str, facts: dict[str, Any], evaluation: Evaluation, sections: Sequence[Section]
) -> Path:
    """Write a report; an older one in the same folder is replaced, anything else in it is left alone.

    Args:
        folder: to write to; made if missing.
        title: of the page.
        facts: what was evaluated on what: JSON values by name.
        evaluation: its predictions go into predictions.npz.
        sections: the chapters, in order. Their figures are closed.

    Returns:
        The path of index.html.

    Raises:
        DataError: the folder is a file, or holds something, but no report.
    """
    folder = Path(folder)
    check_folder(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        pictures = {name: work / f"{name}.png" for section in sections for name in section.pictures}
        for section in sections:
            for name, figure in section.pictures.items():
                figure.savefig(pictures[name], dpi=_DOTS_PER_INCH)
                plt.close(figure)
        evaluation.save(work / "predictions.npz")
        figures = {"title": title, **facts, **{section.key: section.figures for section in sections}}
        figures["pictures"] = [path.name for path in pictures.values()]
        (work / "report.json").write_text(json.dumps(figures, indent=1, allow_nan=False), encoding="utf-8")
        (work / "index.html").write_text(render_page(title, facts, sections, pictures), encoding="utf-8")
        folder.mkdir(exist_ok=True)
        _remove_old_pictures(folder)
        for file in sorted(work.iterdir(), key=lambda f: f.name == "index.html"):  # the page last
            os.replace(file, folder / file.name)
    finally:
        shutil.rmtree(work)
    return folder / "index.html"


def check_folder(folder: Path) -> None:
    """Raise DataError if a report cannot be written to a folder: found early, it costs no evaluation and no row."""
    if folder.is_file():
        raise DataError(f"{folder} is a file. Name a folder for the report.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "report.json").is_file():
        raise DataError(f"{folder} holds other files and no report. Name an empty or a new folder.")
    for where in (folder.absolute(), folder.absolute().parent):  # it is made beside the folder and moved into it
        place = next(p for p in (where, *where.parents) if p.exists())  # folders that are missing will be made
        try:
            tempfile.TemporaryDirectory(prefix=".report-", dir=place).cleanup()
        except OSError as error:
            raise DataError(
                f"{folder} cannot be written ({place}: {error.strerror}). Name a folder elsewhere."
            ) from None


def _remove_old_pictures(folder: Path) -> None:
    """Remove the pictures of an older report: the new one may have fewer chapters."""
    try:
        old = json.loads((folder / "report.json").read_text(encoding="utf-8"))["pictures"]
    except (OSError, ValueError, KeyError, TypeError):  # none there, or not in a form that could be ours
        return
    for name in old if isinstance(old, list) else ():
        if isinstance(name, str) and name == Path(name).name and name.endswith(".png"):
            (folder / name).unlink(missing_ok=True)
