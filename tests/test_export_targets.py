"""`export TARGET`: one new folder, whole or not at all."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest

from emo_utils.cli import main
from emo_utils.errors import DataError
from emo_utils.models import load_model, save_model
from emo_utils.recipe import Recipe

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow writes the files", allow_module_level=True)

from emo_utils.export import read_metadata, targets

pytestmark = pytest.mark.usefixtures("drawn_once")
SMALL = "model/embedded-small-cnn.keras"


def test_one_command_writes_and_compares(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["export", "onnx", SMALL, "--out", str(out), "--name", "face"]) == 0
    printed = capsys.readouterr().out
    assert "test part of embedded" in printed  # what the model was trained on, without asking
    assert "face.onnx" in printed
    assert "same class 100.0%" in printed
    assert {p.name for p in out.iterdir()} == {"face.onnx", "verification.csv"}
    [row] = pd.read_csv(out / "verification.csv").to_dict("records")
    assert row["file"] == "face.onnx"
    assert row["bytes"] == (out / "face.onnx").stat().st_size
    assert row["accuracy_before"] == row["accuracy_after"] > 0.8
    told = read_metadata(out / "face.onnx")
    assert told["recipe_hash"] == Recipe.from_dict(load_model(SMALL)[1]["recipe"]).hash
    assert told["temperature"] > 0


def test_a_file_that_disagrees_leaves_nothing(tmp_path, capsys, monkeypatch):
    honest = targets.run_onnx
    monkeypatch.setattr(targets, "run_onnx", lambda path, images: np.roll(honest(path, images), 1, axis=1))
    assert main(["export", "onnx", SMALL, "--out", str(tmp_path / "out")]) == 1
    assert "does not agree with its model" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_what_is_in_a_folder_stays(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert main(["export", "tflite", SMALL, "--out", str(tmp_path)]) == 1
    assert "not empty" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_drawn_faces_stand_in_for_those_that_are_not_here_and_that_is_said(tmp_path, capsys, monkeypatch):
    model, info = load_model(SMALL)
    info["recipe"] = {**info["recipe"], "data": "fer2013"}
    path = save_model(model, tmp_path / "far.keras", info)
    seen = {}

    def export(model, info, name, data, *rest, **options):
        seen[name] = data
        return pd.DataFrame([{"file": "f", "bytes": 1, "n": 1, **dict.fromkeys(FIELDS, 1.0)}])

    monkeypatch.setattr(targets, "export_targets", export)
    assert main(["export", "all", str(path), "--out", str(tmp_path / "out")]) == 0
    assert "warning" in capsys.readouterr().out
    assert seen["far"].name == "embedded"
    assert seen["far"].class_names == tuple(info["class_names"])
    assert main(["export", "all", str(path), "--out", str(tmp_path / "out"), "--data", "fer2013"]) == 1
    assert "fer2013" in capsys.readouterr().err


FIELDS = ("agreement", "max_difference", "accuracy_before", "accuracy_after")


def test_parts_that_are_missing_are_named(tmp_path):
    model, info = load_model(SMALL)
    from emo_utils.datasets import load_dataset

    train = load_dataset("embedded", classes=info["class_names"]).part("train")
    with pytest.raises(DataError, match="train and a test part"):
        targets.export_targets(model, info, "m", train, tmp_path / "out")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tflite", SMALL, "--formats", "int2"], "format must be one of"),
        (["all", "nowhere.keras"], "no such model file"),
        (["onnx", SMALL, "--name", "../../evil"], "cannot be the name of files"),
        (["jetson", SMALL, "--data", "nowhere.zip"], "nowhere.zip"),
    ],
)
def test_bad_input_is_one_line(arguments, said, tmp_path, capsys):
    assert main(["export", *arguments, "--out", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
