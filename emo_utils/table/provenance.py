"""Where a result comes from: the state of the code, the versions and the hardware; no names of people or machines."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from emo_utils.paths import course_root

# The first installed one of each tuple counts: TensorFlow is published under several names.
_PACKAGES = {
    "keras": ("keras",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly"),
    "jax": ("jax",),
    "numpy": ("numpy",),
}
_MORE_PACKAGES = ("pandas", "scikit-learn", "opencv-python-headless", "pillow", "ai-edge-litert", "onnxruntime")


def environment() -> dict:
    """Return where this process runs, as flat columns of the table.

    Returns:
        `git_commit` and `git_dirty` of the course folder (None outside git); `python`, `keras`, `tensorflow`, `jax`,
        `numpy` (versions; None if not installed); `packages` (versions of further ones); `backend`, `os`, `hardware`.
    """
    return {
        **_git(course_root()),
        "python": platform.python_version(),
        "backend": _backend(),
        **{name: _first_version(candidates) for name, candidates in _PACKAGES.items()},
        "packages": {name: v for name in _MORE_PACKAGES if (v := _first_version((name,)))},
        "os": f"{platform.system()} {platform.machine()}",
        "hardware": _hardware(),
    }


def _git(folder: Path) -> dict:
    def git(*args: str) -> str:
        command = ("git", "-C", str(folder), *args)
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()

    try:
        # The table itself changes with every run; that does not make the code another one.
        code = (".", ":!experiments.jsonl", ":!experiments.xlsx")
        changes = git("status", "--porcelain", "--untracked-files=no", "--", *code)
        return {"git_commit": git("rev-parse", "HEAD"), "git_dirty": bool(changes)}
    except (OSError, subprocess.SubprocessError):
        return {"git_commit": None, "git_dirty": None}


def _first_version(candidates: tuple[str, ...]) -> str | None:
    for name in candidates:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def _backend() -> str | None:
    """Return the name of Keras's backend without importing Keras: it takes seconds."""
    if "keras" in sys.modules:
        return sys.modules["keras"].config.backend()
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"]
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return json.loads((home / "keras.json").read_text(encoding="utf-8")).get("backend")
    except (OSError, ValueError):
        return "tensorflow" if _first_version(_PACKAGES["tensorflow"]) else None


def _hardware() -> str:
    cores = psutil.cpu_count(logical=True)
    memory = psutil.virtual_memory().total / 2**30
    return ", ".join(part for part in (_cpu_model(), f"{cores} cores", f"{memory:.0f} GiB", _gpu()) if part)


@cache
def _cpu_model() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def _gpu() -> str | None:
    """Return the GPU's name if the backend is loaded and reports one."""
    if "tensorflow" in sys.modules:
        config = sys.modules["tensorflow"].config
        for device in config.list_physical_devices("GPU"):
            return config.experimental.get_device_details(device).get("device_name", "GPU")
    elif "jax" in sys.modules:
        for device in sys.modules["jax"].devices():
            if device.platform != "cpu":
                return device.device_kind
    return None
