"""One small Hailo bundle for all tests that need one."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from emo_utils.datasets import from_arrays
from emo_utils.export.hailo import export_hailo
from emo_utils.faces import render_face
from emo_utils.models import load_model


@cache
def drawn_faces():
    """Return 140 training and 70 test faces, equally many of each class, in turns."""
    names = load_model("model/embedded-small-cnn.keras")[1]["class_names"]
    images = np.stack([render_face(names[i % 7], seed=i) for i in range(210)])
    return from_arrays(images, np.arange(210) % 7, names, usage=["train"] * 140 + ["test"] * 70, name="drawn")


@cache
def exported():
    """Return (folder of the bundle, what `export_hailo` returned); made once, so leave the folder as it is."""
    model, info = load_model("model/embedded-small-cnn.keras")
    data, folder = drawn_faces(), Path(tempfile.mkdtemp(prefix="hailo-"))
    atexit.register(shutil.rmtree, folder)
    return folder, export_hailo(model, info, "small-cnn", data.part("train"), data.part("test"), folder)
