"""Figures in data/README.md are those of the recorded report."""

from __future__ import annotations

import re

from conftest import REPO


def test_the_faults_of_fer2013_are_those_of_the_recorded_report():
    report = (REPO / "docs" / "recorded" / "fer2013_report.txt").read_text(encoding="utf-8")
    page = (REPO / "data" / "README.md").read_text(encoding="utf-8")
    faults = page.partition("Faults to expect, as ")[2].partition("\n\n")[0]
    command, found = faults[1:].split("`", 1)
    assert report.startswith(f"$ {command}\n")
    figures = re.findall(r"\b[\d,]*\d\b", found.partition("): ")[2])
    assert figures == ["32,298", "1,532", "47", "280", "3,589", "12"]
    for line in (
        "{0} faces",
        "Blank images: {5}",
        "{1} images repeat another",
        "{2} of them with conflicting labels",
        "{3} of test also stand in train",
        "test: {4}",
    ):
        assert line.format(*figures) in report
