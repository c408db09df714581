"""The requirement files say what pyproject.toml says, and leave Colab's versions alone."""

from __future__ import annotations

import tomllib

from conftest import REPO
from packaging.requirements import Requirement


def read(name):
    lines = (REPO / name).read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {requirement.name: requirement.specifier for requirement in requirements}


def test_learners_get_the_ranges_of_the_package():
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + extras["tf"] + extras["course"] + extras["edge"] + extras["dev"]
    ranges = {requirement.name: requirement.specifier for requirement in map(Requirement, lines)}
    learners = read("requirements.txt")
    assert {name: ranges[name] for name in learners} == learners
    assert {Requirement(line).name for line in project["dependencies"]} <= set(learners)


def test_colab_keeps_what_it_has():
    learners = read("requirements.txt")
    for name, pin in read("requirements-colab.txt").items():
        [version] = [specifier.version for specifier in pin]
        assert name not in learners or learners[name].contains(version), name
