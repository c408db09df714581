"""The whole comparison: every model a row, nothing made twice, figures measured against the student."""

import csv
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from emo_utils import table
from emo_utils.cli import main
from emo_utils.compress import compare, compare_compression, mean_gain
from emo_utils.compress.checks import possible
from emo_utils.compress.plan import TFLITE, Rounded, distilled, pruned, quantised
from emo_utils.compress.trained import Workshop, find_source
from emo_utils.datasets import load_dataset
from emo_utils.errors import EmoUtilsError, ModelError
from emo_utils.models import build_model, load_model, save_model
from emo_utils.paths import course_root
from emo_utils.recipes import get_recipe

pytestmark = pytest.mark.usefixtures("drawn_once")
TEACHER = str(course_root() / "model" / "embedded-small-cnn.keras")
STUDENT = get_recipe("embedded-student")


def shorten(monkeypatch):
    """Leave a comparison of few models, one of every kind, so that it takes seconds."""
    monkeypatch.setattr(compare, "POST_TRAINING", (Rounded("4-bit weights per channel", "", 4), TFLITE[2]))
    monkeypatch.setattr(compare, "COMBINED", TFLITE[2:3])
    monkeypatch.setattr(compare, "LEVELS", {"medium": (0.3, 0.4, 0.5)})
    monkeypatch.setattr(compare, "TRAINED_BITS", (4,))


def run(folder):
    """Compare with a teacher that no run of the table has made, and with a folder for files outside the table's."""
    teacher, data = str(folder / "anonymous.keras"), load_dataset("embedded")
    return compare_compression([teacher], "embedded-student", data, folder / "out", epochs=1, limit=160, progress=False)


@pytest.fixture(scope="module")
def done(tmp_path_factory, session_data):
    """A comparison that was killed on the way and started again."""
    folder = tmp_path_factory.mktemp("compress")
    model, info = load_model(TEACHER)
    save_model(model, folder / "anonymous.keras", {"class_names": info["class_names"]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMO_OUT", str(folder / "table"))
        patch.setenv("EMO_DATA", str(session_data))
        shorten(patch)
        with patch.context() as killed:
            killed.setattr(compare, "quantised", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                run(folder)
        first = [row["run_id"] for row in table.read_log()]
        result = run(folder)
        before = table.read_log()
        yield result, first, before, folder
        # The same call once more, a file having been replaced, makes this one anew and nothing else.
        patch.setattr("emo_utils.compress.trained.run_experiment", lambda *_, **__: pytest.fail("trained again"))
        next((folder / "out").glob("student-*-4-bit-weights-per-channel.emoq")).write_bytes(b"")
        run(folder)
        (new,) = table.read_log()[len(before) :]
        assert new["compression"] == "4-bit weights per channel of student"


def test_after_a_kill_the_same_call_makes_only_what_is_missing(done):
    _, first, rows, _ = done
    ids = [row["run_id"] for row in rows]
    assert ids[: len(first)] == first
    assert len(set(ids)) == len(ids) > len(first)
    made = [(row["recipe"], row.get("compression")) for row in rows]
    assert len(set(made)) == len(made)
    assert all(row["status"] == "ok" for row in rows)


def test_every_model_is_a_line_with_all_its_figures(done):
    frame = done[0].frame
    assert list(frame["family"].unique()) == ["teacher", "student", "distilled", "pruned", "quantised", "combined"]
    assert frame["name"].is_unique
    assert frame["run_id"].is_unique
    figures = frame.drop(columns=["val_accuracy", "latency_p50_ms", "latency_p90_ms"])
    assert figures.notna().all(axis=None)
    named = frame.set_index("name")
    assert named.loc["student", ["agreement", "worst_class_drop", "ece_shift"]].tolist() == [1, 0, 0]
    assert named.loc["student", "parameters"] == 241_367
    assert named.loc[["pruned medium", "distilled, pruned medium"], "parameters"].tolist() == [118_067] * 2
    assert named.loc["pruned medium", "macs"] == 2_470_208
    assert named["latency_p50_ms"].isna().sum() == 2  # the packed files, which no engine runs
    assert named.loc["TFLite int8", "bytes"] < 0.3 * named.loc["student", "bytes"]
    assert named.loc["4-bit weights per channel", "bytes"] < 0.14 * named.loc["student", "bytes"]


def test_rows_say_what_was_done_to_which_run(done):
    result, _, rows, folder = done
    by_id = {row["run_id"]: row for row in rows}
    line = result.frame.set_index("name").loc["distilled, pruned medium, TFLite int8"]
    row = by_id[line["run_id"]]
    assert row["compression"] == "TFLite int8 of distilled, pruned medium"
    pruned_row = by_id[row["of_run"]]
    assert pruned_row["compression"].startswith("pruned 0.3/0.4/0.5 by l1; taught by")
    assert by_id[pruned_row["of_run"]]["recipe"] == "embedded-student-distilled"
    assert row["profile"] == "evaluate"
    assert row["val_accuracy"] is not None
    for found in rows:
        assert any((base / found["model_path"]).is_file() for base in (folder, folder / "out", folder / "table"))


def test_one_csv_a_model_in_the_sources_columns(done):
    result = done[0]
    files = sorted((result.folder / "models").glob("*.csv"))
    assert len(files) == len(result.frame)
    with open(result.folder / "models" / "student.csv", encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == [
        "model_type", "subtype", "total_parameters", "trainable_parameters", "non_trainable_parameters",
        "total_flops", "total_gflops", "model_size_mb", "100_inference_time_mean_std",
    ]  # fmt: skip
    assert (row["trainable_parameters"], row["total_flops"]) == ("241367", "5862272")
    assert "±" in row["100_inference_time_mean_std"]
    assert pd.read_csv(result.folder / "comparison.csv").shape == result.frame.shape


def test_the_gain_is_paired_by_seed_and_one_seed_has_no_interval():
    gain = pd.DataFrame({"gain": [0.01, 0.03, 0.02]})
    mean, low, high = mean_gain(gain)
    assert mean == pytest.approx(0.02)
    assert (low, high) == pytest.approx(
        (0.02 - 4.3027 * 0.01 / np.sqrt(3), 0.02 + 4.3027 * 0.01 / np.sqrt(3)), abs=1e-5
    )
    assert np.isnan(mean_gain(gain[:1])[1])


def test_what_follows_training_is_shorter_and_slower():
    recipe = STUDENT.but(stages=[{"train": "all", "epochs": 50, "learning_rate": 5e-4}])
    after = pruned(distilled(recipe, ("t",)), "run", "high")
    assert (after.epochs, after.stages[0].learning_rate) == (25, pytest.approx(2.5e-4))
    assert after.distillation.teachers == ("t",)
    assert after.pruning.ratios == (0.4, 0.5, 0.6)
    rounded = quantised(after, "run", 4)
    assert (rounded.epochs, rounded.stages[0].learning_rate) == (5, pytest.approx(1.25e-5))
    assert rounded.quantisation.activation_bits == 4
    assert rounded.pruning is None  # its filters are not removed twice


def test_models_that_cannot_serve_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("EMO_OUT", str(tmp_path))
    data = load_dataset("embedded")
    anonymous = tmp_path / "anonymous.keras"
    save_model(build_model(STUDENT), anonymous, {"class_names": list(STUDENT.classes)})
    other = tmp_path / "other.keras"
    two = STUDENT.but(classes=("happy", "sad"))
    save_model(build_model(two), other, {"class_names": ["happy", "sad"], "recipe": two.to_dict()})
    for teacher, student, message in (
        (TEACHER, str(anonymous), "does not say which recipe made it"),
        (str(other), TEACHER, "other.keras tells happy, sad apart, the student angry"),
        (TEACHER, "nobody", "nobody: no such model file.*Nor is it a recipe"),
    ):
        with pytest.raises(ModelError, match=message):
            compare_compression([teacher], student, data, tmp_path / "out", progress=False)


def test_what_would_end_a_comparison_is_found_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setenv("EMO_OUT", str(tmp_path))
    monkeypatch.setattr("emo_utils.compress.trained.run_experiment", lambda *_, **__: pytest.fail("trained"))
    data, out = load_dataset("embedded"), tmp_path / "out"
    file = tmp_path / "file"
    file.touch()
    rounded = STUDENT.but(start="a.keras", quantisation={"weight_bits": 4})
    weighed = STUDENT.but(balancing="class_weights")
    for name, recipe in (("r.keras", rounded), ("w.keras", weighed)):
        info = {"class_names": recipe.classes, "recipe": recipe.to_dict()}
        save_model(build_model(STUDENT), tmp_path / name, info)

    def fails(message, teacher=TEACHER, student="embedded-student", folder=out, **options):
        with pytest.raises(EmoUtilsError, match=message):
            compare_compression([teacher], student, data, folder, progress=False, **options)

    fails("nobody: no such model file", teacher="nobody")
    fails("at least 100 calibration images.* Got 51", limit=50)
    fails("cannot be written", folder=file)
    fails("is rounded already", student=str(tmp_path / "r.keras"))
    fails("Distiller leaves the weights", student=str(tmp_path / "w.keras"))
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    fails("needs KERAS_BACKEND=tensorflow")


def test_without_the_quantiser_of_four_bits_all_else_is_compared(monkeypatch, capsys):
    def missing():
        raise EmoUtilsError("pip install it")

    monkeypatch.setattr("emo_utils.export.tflite._quantizer", missing)
    assert [how.format for how in possible(TFLITE)] == ["float16", "dynamic", "int8", "int8x16"]
    assert capsys.readouterr().out == "TFLite int4 weights: left out. pip install it\n"


def test_students_of_all_seeds_share_a_test_part_that_the_teacher_has_not_seen(tmp_path):
    faces = load_dataset("embedded")
    data = replace(faces, usage=np.full(len(faces), ""), groups=None)
    shop = Workshop(data, STUDENT)
    first, other = (shop.prepared(STUDENT.but(seed=seed)) for seed in (0, 1))
    assert first.part("test").ids.tolist() == other.part("test").ids.tolist()
    assert first.part("val").ids.tolist() != other.part("val").ids.tolist()
    teacher = STUDENT.but(seed=1)
    path = tmp_path / "t.keras"
    save_model(build_model(teacher), path, {"class_names": teacher.classes, "recipe": teacher.to_dict()})
    student = find_source("embedded-student", data)
    with pytest.raises(ModelError, match=r"with seed 1, the student with 0\..*Train both with one seed"):
        find_source(str(path), data, student)
    assert find_source(str(path), faces, student).path == path


def test_a_student_trained_in_full_has_no_shortened_partner(tmp_path):
    with pytest.raises(ModelError, match=r"was trained in full. Leave epochs and limit out"):
        compare_compression([TEACHER], TEACHER, load_dataset("embedded"), tmp_path / "out", limit=100)


def test_the_command_line_names_what_is_wrong_in_one_line(capsys, tmp_path):
    wrong = ["compress", "--teacher", "a", "--student", "b", "--data", "embedded", "--out", str(tmp_path)]
    assert main([*wrong, "--seeds", "0"]) == 2
    assert "--seeds must be at least 1" in capsys.readouterr().err
    assert main(wrong) == 1
    assert capsys.readouterr().err.startswith("error: b: no such model file")
    assert issubclass(ModelError, EmoUtilsError)
