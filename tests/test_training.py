from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from emo_utils import paths, table
from emo_utils.datasets import from_arrays
from emo_utils.errors import DataError, EmoUtilsError, ModelError
from emo_utils.evaluation import stored_calibration
from emo_utils.models import load_model
from emo_utils.recipe import Augmentation, Recipe, Stage
from emo_utils.training import prepare_data, run_experiment
from emo_utils.training.callbacks import StageCheckpoint

TINY = Recipe(
    "tiny",
    classes=("angry", "happy", "sad"),
    input_size=32,
    augmentation=Augmentation(flip=True),
    stages=(Stage("head", epochs=1), Stage("all", epochs=3, learning_rate=3e-3)),
    optimizer="adamw",
    schedule="cosine",
    batch_size=16,
)


def faces(n=180):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, n)
    images = np.clip(60 + 70 * labels[:, None, None] + rng.normal(0, 12, (n, 32, 32)), 0, 255).astype(np.uint8)
    usage = np.where(np.arange(n) < n * 2 // 3, "train", "test")
    return from_arrays(images, labels, TINY.classes, usage=usage, name="stripes")


def test_one_call_trains_evaluates_and_logs():
    result = run_experiment(TINY, faces(), progress=False)
    assert [row["epoch"] for row in result.curves] == [1, 2, 3, 4]
    assert [row["stage"] for row in result.curves] == [1, 2, 2, 2]
    best = max(result.curves, key=lambda e: (e["val_accuracy"], -e["val_loss"]))
    assert result.row["best_epoch"] == best["epoch"]
    # The model that is returned is that of the best epoch, not of the last one.
    assert result.validation.metrics["accuracy"] == pytest.approx(best["val_accuracy"], abs=1e-6)
    (row,) = table.read_log()
    assert (row["status"], row["recipe_hash"], row["epochs"]) == ("ok", TINY.hash, [1, 3])
    assert row["test_accuracy"] == result.test.metrics["accuracy"]
    assert row["n_train"] + row["n_val"] == 120
    assert json.loads(row["recipe_json"]) == TINY.to_dict()
    model, info = load_model(paths.out_dir() / row["model_path"])
    assert info["class_names"] == list(TINY.classes)
    assert info["run_id"] == row["run_id"]
    assert sorted(p.name for p in paths.runs_dir().iterdir() if p.suffix != ".lock") == [row["run_id"]]
    files = ["model.keras", "predictions.npz", "recipe.json", "validation.npz"]
    assert sorted(p.name for p in result.folder.iterdir()) == files
    calibration = stored_calibration(info, "model.keras")
    assert result.test.calibration == calibration
    assert calibration.n == row["n_val"]
    assert row["temperature"] == calibration.temperature
    assert row["ece_scaled"] == result.test.scaled_metrics["ece"]
    assert all(row[f"{name}_low"] <= row[name] <= row[f"{name}_high"] for name in ("test_accuracy", "macro_f1", "nll"))
    assert model.count_params() == row["parameters"]


def test_an_interrupted_run_goes_on_and_ends_as_if_nothing_had_happened(monkeypatch):
    whole = run_experiment(TINY, faces(), progress=False)
    original = StageCheckpoint.on_epoch_end

    def break_off(self, epoch, logs=None):
        original(self, epoch, logs)
        if self.folder.name == "stage2" and epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StageCheckpoint, "on_epoch_end", break_off)
        # The exception is kept, as IPython keeps it: it must not keep the lock as well.
        with pytest.raises(KeyboardInterrupt) as kept:
            run_experiment(TINY, faces(), progress=False)
    assert kept.traceback
    assert [row["status"] for row in table.read_log()] == ["ok", "interrupted"]
    # The newest state was cut short, too: the one before it serves.
    newest = max(paths.runs_dir().glob("*/stage2/state-*.weights.h5"))
    newest.write_bytes(newest.read_bytes()[:1000])
    resumed = run_experiment(TINY, faces(), progress=False)
    assert [row["status"] for row in table.read_log()] == ["ok", "ok"]
    for a, b in zip(whole.curves, resumed.curves, strict=True):
        assert a == pytest.approx(b, abs=1e-4)


def test_a_resumed_run_remembers_how_long_its_plateau_has_lasted(monkeypatch):
    recipe = TINY.but(stages=[Stage("all", epochs=9, learning_rate=3e-3)], optimizer="adam", schedule="plateau")
    whole = run_experiment(recipe, faces(), progress=False)
    assert len({epoch["lr"] for epoch in whole.curves}) > 1
    original = StageCheckpoint.on_epoch_end

    def break_off(self, epoch, logs=None):
        original(self, epoch, logs)
        if epoch == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StageCheckpoint, "on_epoch_end", break_off)
        with pytest.raises(KeyboardInterrupt):
            run_experiment(recipe, faces(), progress=False)
    resumed = run_experiment(recipe, faces(), progress=False)
    assert [epoch["lr"] for epoch in resumed.curves] == pytest.approx([epoch["lr"] for epoch in whole.curves])


def test_kill_and_the_same_command_again_ends_with_one_row(tmp_path):
    environment = {**os.environ, "EMO_OUT": str(tmp_path / "out"), "EMO_DATA": str(tmp_path / "data")}
    command = [sys.executable, "-m", "emo_utils", "train", "--recipe", "embedded-small-cnn"]
    command += ["--epochs", "4", "--limit", "200"]
    first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not list((tmp_path / "out").glob("model/runs/*/stage1/state-00002.weights.h5")):
        assert first.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL) if os.name == "posix" else first.kill()
    first.wait()
    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "emo_classificator_" in second.stdout
    (row,) = table.read_log(tmp_path / "out" / "experiments.jsonl")
    assert row["status"] == "ok"
    assert row["epochs"] == [4]
    assert [e["epoch"] for e in row["curves"]] == [1, 2, 3, 4]


def test_a_kill_after_training_and_before_the_end_line_costs_no_second_row(monkeypatch):
    class Killed(BaseException):
        pass

    def kill(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(table, "end_run", kill)
        with pytest.raises(Killed):
            run_experiment(TINY, faces(), progress=False)
        (begun,) = table.read_log()
    result = run_experiment(TINY, faces(), progress=False)
    (row,) = table.read_log()
    assert row["status"] == "ok"
    assert row["run_id"] == begun["run_id"] == result.run_id
    assert row["epochs"] == [1, 3]


def test_early_stopping_ends_a_stage():
    recipe = TINY.but(stages=[Stage("all", epochs=30, learning_rate=3e-3)], schedule="constant", patience=2)
    result = run_experiment(recipe, faces(), progress=False)
    assert len(result.curves) < 30
    assert len(result.curves) - result.row["best_epoch"] == 2


@pytest.mark.parametrize(
    "changes", [{"balancing": "oversample"}, {"balancing": "class_weights"}, {"schedule": "plateau"}]
)
def test_options_run(changes):
    result = run_experiment(TINY.but(optimizer="sgd", **changes), faces(90), progress=False)
    assert result.row["status"] == "ok"


def test_limit_keeps_every_class_and_the_whole_test_part():
    result = run_experiment(TINY.but(stages=[Stage("head", epochs=1)]), faces(), limit=30, progress=False)
    assert result.row["n_train"] == pytest.approx(30, abs=2)
    assert result.row["n"] == 60
    assert result.row["profile"] == "quick"


def test_validation_faces_of_fewer_classes_are_a_subset():
    data = faces(600)
    seven = prepare_data(TINY, data).part("val")
    two = prepare_data(TINY.but(classes=["happy", "sad"]), data).part("val")
    assert set(two.ids) <= set(seven.ids)


def test_progress_is_one_line_a_stage_on_standard_output(capsys):
    run_experiment(TINY, faces(90), progress=True)
    out, err = capsys.readouterr()
    assert "stage 1 (head)" in out
    assert "stage 2 (all)" in out
    assert "epoch 3/3" in out
    assert err == ""


def test_a_diverging_run_fails_by_name_and_is_logged_as_failed(monkeypatch):
    original = StageCheckpoint.on_epoch_end

    def explode(self, epoch, logs=None):
        original(self, epoch, {**logs, "loss": float("nan")})

    monkeypatch.setattr(StageCheckpoint, "on_epoch_end", explode)
    with pytest.raises(ModelError, match=r"loss became nan in epoch 1. Lower the stage's learning rate"):
        run_experiment(TINY, faces(90), progress=False)
    (row,) = table.read_log()
    assert row["status"] == "failed"
    assert "loss became nan" in row["error"]


def test_unfit_data_is_named():
    with pytest.raises(DataError, match="has no class fear"):
        run_experiment(TINY.but(classes=["happy", "fear"]), faces(), progress=False)
    data = faces(60)
    no_sad = data.take((data.labels != 2) | (data.usage == "test"))
    with pytest.raises(DataError, match="the train part has no faces of: sad"):
        run_experiment(TINY, no_sad, progress=False)
    assert table.read_log() == []


def test_two_processes_do_not_train_the_same_experiment():
    from filelock import FileLock

    data = prepare_data(TINY, faces())
    pointer = paths.runs_dir() / f"unfinished-{TINY.name}-{TINY.hash}-{data.fingerprint()[:8]}"
    pointer.parent.mkdir(parents=True)
    with FileLock(f"{pointer}.lock"), pytest.raises(EmoUtilsError, match="is being trained by another process"):
        run_experiment(TINY, faces(), progress=False)
