"""`pytest --nbval-lax notebooks` runs the lessons on a copy of the experiment table, as `make course` does."""

from __future__ import annotations

import os

from emo_utils.course.execute import prepare_out
from emo_utils.paths import course_root

if "PYTEST_XDIST_WORKER" not in os.environ:  # a worker inherits what the first process has prepared
    build = course_root() / "build"
    os.environ.setdefault("EMO_OUT", str(prepare_out(build / "tests")))
    os.environ.setdefault("EMO_DATA", str(build / "data"))
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
