"""`pytest --nbval-lax notebooks` runs the lessons on a copy of the experiment table, as `make course` does."""

from __future__ import annotations

import os

from emo_utils.course.execute import prepare_out
from emo_utils.paths import course_root

build = course_root() / "build"
# A folder a worker: the two forms of a lesson train the same recipes, which one folder of runs would refuse.
os.environ["EMO_OUT"] = str(prepare_out(build / "tests" / os.environ.get("PYTEST_XDIST_WORKER", "main")))
os.environ.setdefault("EMO_DATA", str(build / "data"))
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
