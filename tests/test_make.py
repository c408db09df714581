"""scripts/environment.py makes the environment when it must, and only then; no test here installs anything."""

from __future__ import annotations

import importlib
import sys

import pytest
from conftest import REPO


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(REPO / "scripts")


@pytest.fixture
def environment(scripts, monkeypatch, tmp_path):
    """Return scripts/environment.py, which notes its commands in `commands` instead of running them."""
    module = importlib.import_module("environment")
    commands, failing = [], []

    def run(*command, **_):
        line = " ".join(str(part) for part in command)
        commands.append(line)
        return int(any(word in line for word in failing))

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "python_version", lambda *command: sys.version_info[:2])
    monkeypatch.setattr(module, "commands", commands, raising=False)
    monkeypatch.setattr(module, "failing", failing, raising=False)
    return module


@pytest.fixture
def ensure(environment, tmp_path):
    """Return a function that ensures an environment which depends on one file with the given text."""

    def call(text="one"):
        environment.commands.clear()
        (tmp_path / "wanted.txt").write_text(text)
        environment.ensure(tmp_path / ".venv", ["python"], [tmp_path / "wanted.txt"], "-e", ".")
        return environment.commands

    return call


def created(commands):
    return any("-m venv" in line for line in commands)


def installed(commands):
    return any("pip install" in line and line.endswith("-e .") for line in commands)


def test_a_ready_environment_is_left_alone(ensure):
    first = list(ensure())
    assert created(first)
    assert installed(first)
    assert ensure() == []


def test_a_changed_requirement_is_installed_into_the_environment_that_is_there(ensure):
    ensure()
    changed = ensure("two")
    assert installed(changed)
    assert not created(changed)


def test_an_interrupted_environment_is_made_again(environment, ensure):
    environment.failing[:] = ["pip install"]
    with pytest.raises(environment.Stop, match="could not be installed"):
        ensure()
    environment.failing[:] = []
    assert created(ensure())


def test_an_environment_interrupted_while_it_was_made_is_made_again(environment, ensure, monkeypatch, tmp_path):
    def interrupted(*command, **_):
        (tmp_path / ".venv" / "pyvenv.cfg").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(environment, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ensure()
    assert created(ensure())
    assert [path.name for path in (tmp_path / ".venv").iterdir()] == [environment.STAMP]


def test_an_environment_made_by_somebody_else_is_left_alone(environment, ensure, tmp_path):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    with pytest.raises(environment.Stop, match=r"^\.venv was not made by this script\. Rename or delete it"):
        ensure()
    assert environment.commands == []


def test_pip_steps_in_for_uv(environment, ensure):
    environment.failing[:] = ["-m uv"]
    assert installed(ensure())
    assert environment.commands[-2].split(" install")[0].endswith("-m pip")


def test_a_python_without_venv_is_told_what_to_install(environment, ensure):
    environment.failing[:] = ["venv", "virtualenv"]
    with pytest.raises(environment.Stop, match="sudo apt install python3"):
        ensure()


def test_no_fitting_python_is_one_line(environment, monkeypatch):
    monkeypatch.setattr(environment, "find_python", lambda wanted: None)
    with pytest.raises(environment.Stop, match=r"the course needs 3\.11, 3\.12 or 3\.13"):
        environment.course_python()


def test_an_unknown_word_prints_the_known_ones(scripts, capsys):
    make = importlib.import_module("make")
    assert make.main(["cours"]) == 2
    assert "make.py course" in capsys.readouterr().out


def test_every_make_target_is_a_word_of_the_script(scripts):
    make = importlib.import_module("make")
    targets = (REPO / "Makefile").read_text(encoding="utf-8").split(".PHONY: ")[1].splitlines()[0].split()
    assert sorted(targets) == sorted(make.CHORES)


def test_the_demo_is_served_by_the_package_from_the_environment_of_the_course(scripts, monkeypatch):
    make = importlib.import_module("make")
    commands = []
    monkeypatch.setattr(make, "course_env", lambda: "python-of-the-course")
    monkeypatch.setattr(make, "run", lambda *command, **_: commands.append(command) or 0)
    assert make.main(["demo"]) == 0
    assert commands == [("python-of-the-course", "-m", "emo_utils.demo")]
