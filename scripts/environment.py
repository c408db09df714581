"""Make the course's Python environments: with uv where it works, again where interrupted, in place where outdated.

Standard library only, because it runs before anything is installed, and on Pythons that the course is too new for.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST, NEWEST = (3, 11), (3, 13)
COLAB_PYTHON = (3, 13)
# Without these TensorFlow prints start-up lines, and sums in an order that depends on the processor.
QUIET = {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
STAMP = ".emo-stamp"
BEGUN = ".emo-begun"


class Stop(Exception):
    """Ends the chore with one line."""


def say(text: str) -> None:
    print(f"[make] {text}", flush=True)


def run(*command: str | Path, quiet: bool = False, **variables: str) -> int:
    """Run a command in the course folder; return its exit code, or 127 where the program is missing."""
    environment = {**QUIET, **os.environ, **variables}
    # A caller's own environment must not leak into ours.
    for name in ("PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"):
        environment.pop(name, None)
    sink = subprocess.DEVNULL if quiet else None
    try:
        return subprocess.run(
            [str(part) for part in command], cwd=ROOT, env=environment, stdout=sink, stderr=sink
        ).returncode
    except OSError:
        return 127


def timed(label: str, *command: str | Path, **variables: str) -> int:
    """Run a command between a line that names it and a line with its seconds."""
    say(f"{label} ...")
    start = time.monotonic()
    code = run(*command, **variables)
    say(f"{label}: {'done' if code == 0 else f'failed (exit {code})'} after {time.monotonic() - start:.0f} s")
    return code


def python_in(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def python_version(*command: str | Path) -> tuple[int, int] | None:
    """Return (major, minor) of a Python, or None where the command does not run, as with an idle pyenv shim."""
    try:
        answer = subprocess.run(
            [*map(str, command), "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        major, minor = answer.stdout.split()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return int(major), int(minor)


def find_python(wanted: list[tuple[int, int]]) -> list[str] | None:
    """Return the command of the first of the wanted Pythons that this machine has."""
    base = getattr(sys, "_base_executable", sys.executable)  # not the .venv that may have to be remade
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for major, minor in wanted:
        candidates = [[base]] if sys.version_info[:2] == (major, minor) else []
        candidates += [[f"python{major}.{minor}"]]
        candidates += [[str(path)] for path in sorted(pyenv.glob(f"{major}.{minor}.*/bin/python"))]
        candidates += [["py", f"-{major}.{minor}"]] if os.name == "nt" else []
        for command in candidates:
            if python_version(*command) == (major, minor):
                return command
    return None


def course_python() -> list[str]:
    newest_first = [(3, minor) for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    current = sys.version_info[:2]
    if OLDEST <= current <= NEWEST:
        newest_first.insert(0, current)
    command = find_python(newest_first)
    if command is None:
        raise Stop(
            f"This is Python {platform.python_version()}; the course needs 3.11, 3.12 or 3.13. "
            "Install one from https://www.python.org/downloads/ or your package manager, then run this again."
        )
    return command


def fingerprint(files: list[Path]) -> str:
    """Hash what decides on an environment's contents: these files and the machine's kind."""
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()} {ROOT}".encode())
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def create_venv(venv: Path, python: list[str]) -> None:
    """Make an empty environment in place of what this script left there, marked as begun by it."""
    shutil.rmtree(venv, ignore_errors=True)
    venv.mkdir(exist_ok=True)
    (venv / BEGUN).touch()  # no `--clear` below: it would clear this too
    if timed(f"making {venv.name}", *python, "-m", "venv", venv) == 0:
        return
    # Debian's and Ubuntu's Python comes without ensurepip until python3-venv is installed; these two bring their own.
    if run("uv", "venv", "--allow-existing", "--seed", "--python", python[0], venv, quiet=True) == 0:
        return
    if run(*python, "-m", "virtualenv", venv, quiet=True) == 0:
        return
    major, minor = python_version(*python) or OLDEST
    raise Stop(
        f"Python {major}.{minor} could not make an environment. On Debian or Ubuntu: sudo apt install "
        f"python{major}.{minor}-venv. Elsewhere: python -m pip install --user virtualenv. Then run this again."
    )


def install(venv: Path, *what: str) -> None:
    """Install with uv, which takes seconds where pip takes minutes, and with pip where uv does not work."""
    python = python_in(venv)
    if run(python, "-m", "uv", "--version", quiet=True) != 0:
        timed("installing uv", python, "-m", "pip", "install", "--quiet", "uv")
    # Without byte code every start of TensorFlow would take 17 to 22 s instead of 5 to 8 s.
    uv = (python, "-m", "uv", "pip", "install", "--quiet", "--python", python, "--compile-bytecode")
    pip = (python, "-m", "pip", "install", "--quiet")
    if timed("installing with uv", *uv, *what) != 0 and timed("installing with pip", *pip, *what) != 0:
        raise Stop(
            "The packages could not be installed. Is the network there? Nothing else was changed; run this again."
        )
    # Matplotlib writes its font cache once, and says so on stderr, which would land in a lesson.
    run(python, "-c", "import matplotlib.font_manager", quiet=True)


def ensure(venv: Path, python: list[str], files: list[Path], *what: str) -> Path:
    """Return the Python of an environment that holds what the files ask for, making or mending it first.

    The stamp is written last: an environment that was begun and lacks it was interrupted and is made again. An
    environment with another stamp is updated in place, so that without a network the old one still stands. One that
    was neither begun nor stamped is somebody else's.
    """
    stamp = venv / STAMP
    wanted = {"files": fingerprint(files), "what": list(what)}
    works = stamp.exists() and OLDEST <= (python_version(python_in(venv)) or (0, 0)) <= NEWEST
    if works and stamp.read_text(encoding="utf-8") == json.dumps(wanted):
        return python_in(venv)
    start = time.monotonic()
    if not works:
        if venv.is_dir() and any(venv.iterdir()) and not (stamp.exists() or (venv / BEGUN).exists()):
            raise Stop(f"{venv.name} was not made by this script. Rename or delete it, then run this again.")
        create_venv(venv, python)
    install(venv, *what)
    stamp.write_text(json.dumps(wanted), encoding="utf-8")
    (venv / BEGUN).unlink(missing_ok=True)
    say(f"{venv.name} is ready after {time.monotonic() - start:.0f} s")
    return python_in(venv)


def course_env() -> Path:
    return ensure(ROOT / ".venv", course_python(), [ROOT / "pyproject.toml"], "-e", ".[tf,dev]")


def colab_env() -> Path:
    python = find_python([COLAB_PYTHON])
    if python is None:
        say("Colab runs Python 3.13, which is not here; going on with another, so this is not quite Colab.")
        python = course_python()
    files = [ROOT / "pyproject.toml", ROOT / "requirements-colab.txt"]
    return ensure(ROOT / ".venv-colab", python, files, "-r", "requirements-colab.txt", "-e", ".[dev]")


def jax_env() -> Path:
    return ensure(ROOT / ".venv-jax", course_python(), [ROOT / "pyproject.toml"], "-e", ".[jax]", "pytest")
