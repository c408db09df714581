from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from emo_utils.cli import main
from emo_utils.models import build_model, save_model
from emo_utils.paths import out_dir
from emo_utils.recipe import Recipe
from emo_utils.recipes import CATALOGUE, RECIPES
from emo_utils.table import end_run, read_log, start_run

pytestmark = pytest.mark.usefixtures("drawn_once")


@pytest.mark.parametrize(
    "words",
    [
        [], ["data"], ["data", "report"], ["train"], ["evaluate"], ["calibrate"], ["export"], ["table"],
        ["table", "show"], ["table", "compare"], ["table", "render"], ["course"], ["course", "run"],
    ],
)  # fmt: skip
def test_every_command_has_help(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*words, "--help"])
    assert stop.value.code == 0
    assert "usage: python -m emo_utils" in capsys.readouterr().out


def test_list_prints_every_recipe(capsys):
    assert main(["train", "--list"]) == 0
    out = capsys.readouterr().out
    lines = {line.split()[0]: line for line in out.splitlines()[1:] if line.startswith("  ")}
    assert list(lines) == list(RECIPES)
    for source in {named.source for named in CATALOGUE.values()}:
        assert f"\n{source}\n" in out
    for name, named in CATALOGUE.items():
        assert (named.reported or "no figure") in lines[name]
        assert lines[name].endswith("not run")
    assert "last 60 layers 30" in lines["five-mobilenetv3small"]


def test_list_says_what_has_been_measured_here(capsys):
    for seed, accuracy in ((0, 0.4), (1, 0.5), (1, 0.6)):
        row = {"recipe": "balance-focal", "data": "fer2013", "seed": seed, "profile": "full"}
        end_run(start_run(row), {"test_accuracy": accuracy, "n": 10})
    quick = {"recipe": "balance-none", "data": "fer2013", "seed": 0, "profile": "quick"}
    end_run(start_run(quick), {"test_accuracy": 0.9, "n": 10})
    main(["train", "--list"])
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    assert lines["balance-focal"].endswith("50.0% (mean of 2 seeds)")
    assert lines["balance-none"].endswith("not run")


def test_quick_form_of_a_recipe_trains_on_embedded_faces(capsys):
    assert main(["train", "--recipe", "ablation-base", "--quick"]) == 0
    assert "emo_classificator_" in capsys.readouterr().out
    (row,) = read_log()
    assert (row["recipe"], row["data"], row["profile"]) == ("ablation-base-quick", "embedded", "quick")
    assert row["n_train"] <= 170


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["train"], 2, "name a recipe with --recipe"),
        (["train", "--recipe", "nope"], 1, "No recipe is called 'nope'"),
        (["train", "--recipe", "embedded-small-cnn", "--seed", "-1"], 1, "Recipe.seed must be a whole number"),
        (["train", "--recipe", "embedded-small-cnn", "--epochs", "0"], 1, "Stage.epochs must be a whole number"),
        (["train", "--recipe", "balance-none", "--weights", "no.pb"], 1, "Recipe.weights must be null, 'imagenet' or"),
        (["train", "--recipe", "embedded-small-cnn", "--limit", "0"], 2, "--limit must be at least 1"),
        (["train", "--recipe", "embedded-small-cnn", "--data", "no/such.zip"], 1, "no/such.zip"),
        (["data", "report", "no/such.zip"], 1, "no/such.zip"),
        (["evaluate", "no.keras", "--data", "embedded"], 1, "no.keras: no such model file"),
        (["export", "all", "no.keras", "--data", "embedded", "--out", "x"], 1, "no.keras: no such model file"),
        (["table", "compare", "a", "b"], 1, "no run 'a'"),
    ],
)
def test_errors_are_one_line(words, code, message, capsys):
    assert main(words) == code
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_report_of_the_embedded_faces(capsys):
    assert main(["data", "report", "embedded"]) == 0
    assert "happy" in capsys.readouterr().out


def test_evaluate_prints_intervals_and_keeps_predictions_for_comparison(tmp_path, capsys):
    recipe = Recipe("a", classes=("happy", "sad"))
    path = save_model(build_model(recipe), tmp_path / "m.keras", {"class_names": recipe.classes})
    for how in ([], ["--mirror"]):
        assert main(["evaluate", str(path), "--data", "embedded", *how]) == 0
    out = capsys.readouterr().out
    assert "m.keras on the test part of embedded: accuracy 0." in out
    assert "m.keras on the test part of embedded, with mirror images: accuracy 0." in out
    assert "precision" in out
    first, second = read_log()
    assert [first.get("test_time"), second.get("test_time")] == [None, "mirror"]
    with np.load(out_dir() / first["predictions_path"]) as saved:
        assert saved["probabilities"].shape == (first["n"], 2)
    assert main(["table", "compare", first["run_id"], second["run_id"]]) == 0
    assert "same faces: bootstrap interval over people" in capsys.readouterr().out


def test_a_folder_of_ones_own_trains_evaluates_and_exports(tmp_path, capsys):
    import cv2

    rng = np.random.default_rng(0)
    for name, grey in (("Happy", 60), ("sadness", 190)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(80):
            face = np.clip(grey + rng.normal(0, 20, (40, 40)), 0, 255).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "own" / name / f"{i}.png"), face)
    own, model = str(tmp_path / "own"), str(tmp_path / "m.keras")
    train = ["train", "--recipe", "embedded-small-cnn", "--data", own, "--epochs", "3", "--save", model]
    assert main(train) == 1
    assert "It has: happy, sad" in capsys.readouterr().err
    assert main([*train, "--classes", "happy,sad"]) == 0
    (row,) = read_log()
    assert row["profile"] == "quick"
    assert row["classes"] == ["happy", "sad"]
    assert '"data": "folder"' in row["recipe_json"]
    assert main(["evaluate", model, "--data", own]) == 0  # the test part that its training split off
    assert f"n {row['n_test']}" in capsys.readouterr().out
    assert main(["evaluate", model, "--data", own, "--part", "private"]) == 1
    assert "or all, with --part" in capsys.readouterr().err
    assert main(["evaluate", model, "--data", own, "--part", "all"]) == 0
    assert "n 160" in capsys.readouterr().out


def test_table_commands_on_an_empty_table(capsys):
    assert main(["table", "show"]) == 0
    assert "No runs yet" in capsys.readouterr().out
    assert main(["table", "seeds"]) == 0
    assert "No runs yet" in capsys.readouterr().out
    assert main(["table", "render"]) == 0
    assert "experiments.xlsx" in capsys.readouterr().out


def test_import_and_help_load_neither_tensorflow_nor_keras():
    code = (
        "import sys, emo_utils, emo_utils.cli\n"
        "try: emo_utils.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'jax', 'pandas', 'matplotlib', 'sklearn', 'cv2'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_public_names_exist():
    import emo_utils

    assert {name for name in emo_utils.__all__ if getattr(emo_utils, name) is None} == set()
    with pytest.raises(AttributeError, match="emo_utils has no 'nonsense'"):
        _ = emo_utils.nonsense
