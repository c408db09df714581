"""Shared fixtures. Every test gets its own table, runs and caches, so that none touches the course's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
# Real data and weights that the repository may not carry; tests that use them skip where they are missing.
SHARED = Path(os.environ.get("EMO_SHARED", REPO.parent / "shared"))

# oneDNN reorders sums, which makes the last bits of a run depend on the machine; its start-up lines also spoil outputs.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("EMO_OUT", str(tmp_path / "out"))
    monkeypatch.setenv("EMO_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def session_data(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("session_data")


@pytest.fixture
def drawn_once(own_folders, session_data, monkeypatch):
    """Keep the embedded faces from test to test: drawing them takes seconds each time."""
    monkeypatch.setenv("EMO_DATA", str(session_data))


def shared_file(name: str) -> Path:
    """Return a file of the shared folder, or skip the test."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs {name}, which the repository does not carry (set EMO_SHARED to the folder that holds it)")
    return path
