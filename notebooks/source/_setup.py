"""The set-up cell of every lesson: `course build` puts all that follows in place of the cell tagged `setup`."""

# @title Set-up: finds emo_utils, and installs it on Colab
import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

REPOSITORY = ""

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # sums in one order on every machine
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no start-up lines

if importlib.util.find_spec("emo_utils") is None:
    here = Path("emo-course")
    if Path("emo-course.zip").exists() and not here.exists():
        zipfile.ZipFile("emo-course.zip").extractall(here)
    elif REPOSITORY and not here.exists() and "google.colab" in sys.modules:
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", REPOSITORY, str(here)], check=True)
    course = next((p.resolve() for p in (here, Path(".."), Path("../..")) if (p / "emo_utils").is_dir()), None)
    if course is None:
        raise SystemExit(
            "emo_utils is not here. Upload emo-course.zip (from 'make dist') beside this notebook; run again."
        )
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-r", course / "requirements.txt"], check=True)
    sys.path.insert(0, str(course))
