from __future__ import annotations

import json
import re

import cv2
import keras
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import shared_file

matplotlib.use("Agg")

from emo_utils.cli import main
from emo_utils.datasets import from_arrays, load_dataset
from emo_utils.errors import DataError
from emo_utils.evaluation import Calibration, evaluate_probabilities
from emo_utils.models import build_model, load_model, save_model
from emo_utils.paths import out_dir, runs_dir
from emo_utils.recipe import Recipe
from emo_utils.report.conditions import robustness_section, slice_section, vote_section
from emo_utils.report.faces import explanation_section
from emo_utils.report.figures import class_section, confidence_section, summary_section
from emo_utils.report.section import Section
from emo_utils.report.write import write_report
from emo_utils.table import end_run, read_log, read_runs, show, start_run
from emo_utils.training import prepare_data

pytestmark = pytest.mark.usefixtures("drawn_once")

NAMES = ("happy", "sad")
FER2013_ORDER = "angry,disgust,fear,happy,sad,surprise,neutral"


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


def evaluation(n=60, calibration=None, groups=None):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    data = from_arrays(rng.integers(0, 256, (n, 24, 24), dtype=np.uint8), labels, NAMES, groups=groups)
    sure = np.clip(0.7 * (labels == 0) + 0.15 + rng.normal(0, 0.15, n), 0.01, 0.99)
    return evaluate_probabilities(data, np.stack([sure, 1 - sure], axis=1).astype(np.float32), calibration)


def test_the_summary_stands_beside_a_guess_and_says_what_its_intervals_are_over():
    section = summary_section(evaluation())
    rows = dict(section.table[1:])
    assert re.fullmatch(r"\d+\.\d % \[\d+\.\d, \d+\.\d\]", rows["accuracy"])
    assert rows['for comparison: accuracy of always saying "happy"'] == "50.0 %"
    assert "single faces are drawn" in section.text[0]
    people = summary_section(evaluation(groups=np.repeat(["a", "b", "c"], 20)))
    assert "whole people are drawn, 3 of them" in people.text[0]
    assert "too narrow" in people.text[0]
    assert "all show one person" in summary_section(evaluation(groups=np.repeat("a", 60))).text[0]


def test_confidence_is_told_before_and_after_calibration():
    plain = confidence_section(evaluation())
    assert "holds no calibration" in plain.text[1]
    assert list(plain.figures["reliability"]) == ["as trained"]
    calibrated = confidence_section(evaluation(calibration=Calibration(1.5, 0.1, 0.7, 0.8, 99)))
    assert "undo the label smoothing of 0.1 and divide the logits by 1.50" in calibrated.text[1]
    assert '"Not sure" below a confidence of 0.70' in calibrated.text[2]
    assert list(calibrated.figures["reliability"]) == ["as trained", "calibrated"]
    for threshold, message in ((0.0, "is never needed"), (None, "has no threshold")):
        section = confidence_section(evaluation(calibration=Calibration(1.5, 0.1, threshold, 0.8, 99)))
        assert message in section.text[2]


def faces_with_votes(n=120):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    votes = np.zeros((n, 10), int)
    votes[np.arange(n), np.array([1, 3])[labels]] = 7  # happiness, sadness
    votes[:, 0] = 3  # neutral, which is none of the classes
    votes[::3, [1, 3]] = 5
    images = rng.integers(0, 256, (n, 48, 48), dtype=np.uint8)
    return from_arrays(images, labels, NAMES, votes=votes, sizes=rng.uniform(40, 200, n))


def test_raters_and_model_stand_in_one_table():
    data = faces_with_votes()
    section = vote_section(data, evaluate_probabilities(data, np.full((120, 2), 0.5)))
    rows = dict(section.table[1:])
    assert rows["one rater, plurality of the others"] > rows["model, plurality of all but one rater"]
    assert section.figures["n"] == 120
    assert {row["what"] for row in section.figures["accuracies"]} >= {"one rater, another rater"}


def test_worse_pictures_and_sizes_have_their_chapters():
    data, model = faces_with_votes(), build_model(Recipe("a", classes=NAMES))
    worse = robustness_section(model, data, "m", 20)
    assert worse.figures["n"] == 20
    assert len(worse.figures["accuracies"]) == 1 + 9 * 5
    done = evaluate_probabilities(data, np.eye(2)[data.labels])
    assert {row["slice"] for row in slice_section(data, done).figures["slices"]} >= {"class", "size", "sharpness"}
    json.dumps([worse.figures, vote_section(data, done).figures], allow_nan=False)


def test_a_report_is_one_page_with_its_figures_beside_it(tmp_path):
    done = evaluation()
    sections = [summary_section(done), class_section(done), confidence_section(done)]
    page = write_report(tmp_path / "out", "m <on> faces", {"model": "m & co"}, done, sections)
    html = page.read_text(encoding="utf-8")
    assert "<h1>m &lt;on&gt; faces</h1>" in html
    assert "m &amp; co" in html
    assert html.count('<img src="data:image/png;base64,') == 4
    assert not re.search(r"(src|href)=.(?!data:)", html)
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["metrics"]["accuracy"] == done.metrics["accuracy"]
    assert report["classes"]["per_class"]["sad"]["support"] == 30
    files = {
        "index.html",
        "report.json",
        "predictions.npz",
        "classes.png",
        "ranking.png",
        "reliability.png",
        "risk.png",
    }
    assert {file.name for file in (tmp_path / "out").iterdir()} == files
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_pictures_of_an_older_report_go_and_those_of_the_user_stay(tmp_path):
    done, folder = evaluation(), tmp_path / "out"
    write_report(folder, "t", {}, done, [class_section(done)])
    (folder / "mine.png").write_bytes(b"a picture")
    write_report(folder, "t", {}, done, [summary_section(done)])
    assert {file.name for file in folder.iterdir()} == {"index.html", "report.json", "predictions.npz", "mine.png"}


def test_a_report_replaces_a_report_and_nothing_else(tmp_path):
    done = evaluation()
    for title in ("first", "second"):
        page = write_report(tmp_path / "out", title, {}, done, [Section("T", "t", ("text",))])
    assert "second" in page.read_text(encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="mine holds other files and no report"):
        write_report(tmp_path / "mine", "t", {}, done, [])
    with pytest.raises(DataError, match="is a file"):
        write_report(tmp_path / "mine" / "thesis.txt", "t", {}, done, [])
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_folder_that_cannot_be_written_costs_no_row(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    arguments = ["evaluate", own_model(tmp_path), "--data", "embedded", "--out", str(tmp_path / "file" / "sub")]
    assert main(arguments) == 1
    assert "sub cannot be written" in capsys.readouterr().err
    assert read_log() == []


@pytest.mark.parametrize("n", ["-5", "1"])
def test_too_few_faces_to_make_worse_are_refused_at_once(tmp_path, capsys, n):
    arguments = ["evaluate", own_model(tmp_path), "--data", "embedded", "--out", str(tmp_path / "report")]
    assert main([*arguments, "--robustness", n]) == 1
    assert f"Two faces at least must be made worse, or none at all. Got {n}." in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_a_small_test_part_has_a_report_without_a_worst_slice(tmp_path):
    model, faces = own_model(tmp_path, recipe="none of ours"), folder_of_faces(tmp_path, 4, ("train", "test"))
    assert main(["evaluate", model, "--data", faces, "--out", str(tmp_path / "report")]) == 0
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["slices"]["worst"] is None
    assert "No slice has 10 faces" in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


def test_a_model_without_a_place_to_cut_has_a_report_without_heat():
    face = keras.Input((48, 48, 1))
    branches = [keras.layers.Flatten()(keras.layers.Conv2D(2, 3, strides=s)(face)) for s in (8, 6)]
    model = keras.Model(face, keras.layers.Dense(2, activation="softmax")(keras.layers.Concatenate()(branches)))
    data = faces_with_votes(20)
    section = explanation_section(model, data, evaluate_probabilities(data, np.eye(2)[data.labels]))
    assert "No heat maps of this model. Layer" in section.text[0]
    assert not section.pictures


def test_the_command_reports_on_a_shipped_model_and_logs_a_row(tmp_path, capsys):
    out = tmp_path / "report"
    assert main(["evaluate", "model/embedded-small-cnn.keras", "--data", "embedded", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "calibrated, temperature" in printed
    (row,) = read_log()
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    _, info = load_model("model/embedded-small-cnn.keras")
    assert (row["profile"], row["of_run"], row["status"]) == ("evaluate", info["run_id"], "ok")
    assert row["test_accuracy"] == report["metrics"]["accuracy"]
    assert row["interval_over"] == "groups"
    assert row["ece_scaled"] == report["confidence"]["scaled"]["ece"]
    assert all(row[f"{name}_low"] <= row[name] <= row[f"{name}_high"] for name in ("test_accuracy", "macro_f1", "ece"))
    assert report["row in the table"] == row["run_id"]
    for chapter in ("slices", "mirror", "faces"):
        assert report[chapter]
    for picture in ("heat_right", "slices", "errors"):
        assert (out / f"{picture}.png").stat().st_size > 1000


def test_a_model_of_others_is_evaluated_with_what_its_file_does_not_say(capsys):
    peer = str(shared_file("peers/fer2013_mini_XCEPTION.102-0.66.hdf5"))
    assert main(["evaluate", peer, "--data", "embedded"]) == 1
    assert "with --scaling and --classes" in capsys.readouterr().err
    assert main(["evaluate", peer, "--data", "embedded", "--scaling=-1..1", "--classes", FER2013_ORDER]) == 0
    (row,) = read_log()
    assert (row["of_run"], row["recipe"], row["input_size"], row["n"]) == (None, None, 64, 315)
    assert row["name"] == "evaluation_fer2013_mini_XCEPTION.102-0.66_embedded"


def test_calibrate_stores_what_evaluate_uses(tmp_path, capsys):
    recipe = Recipe("a", data="embedded", classes=NAMES)
    info = {"class_names": NAMES, "recipe": recipe.to_dict()}
    path = save_model(build_model(recipe), tmp_path / "m.keras", info)
    assert main(["calibrate", str(path), "--data", "embedded", "--accuracy", "0.6"]) == 0
    n = len(load_dataset("embedded", classes=NAMES).part("val"))
    assert f"from {n} validation faces" in capsys.readouterr().out
    stored = load_model(path)[1]["calibration"]
    assert (stored["wanted_accuracy"], stored["n"]) == (0.6, n)
    elsewhere = {"class_names": NAMES, "recipe": recipe.but(data="fer2013").to_dict()}
    assert main(["calibrate", str(save_model(build_model(recipe), path, elsewhere)), "--data", "embedded"]) == 1
    assert "was trained on fer2013, not on embedded" in capsys.readouterr().err
    foreign = save_model(build_model(recipe), tmp_path / "f.keras", {"class_names": NAMES})
    assert main(["calibrate", str(foreign), "--data", "embedded"]) == 1
    assert "which faces validated it" in capsys.readouterr().err


def test_calibrate_says_where_no_threshold_is_to_be_had_or_needed(tmp_path, capsys):
    face = keras.Input((48, 48, 1))
    undecided = keras.layers.Dense(2, "softmax", kernel_initializer="zeros")(keras.layers.Flatten()(face))
    info = {"class_names": NAMES, "recipe": Recipe("a", data="embedded", classes=NAMES).to_dict()}
    path = str(save_model(keras.Model(face, undecided), tmp_path / "m.keras", info))
    for accuracy, message in (("0.99", "no confidence makes 99% of the answers right"), ("0.1", "'not sure' never")):
        assert main(["calibrate", path, "--data", "embedded", "--accuracy", accuracy]) == 0
        assert message in capsys.readouterr().out


def own_model(tmp_path, name="m.keras", classes=NAMES, **info):
    recipe = Recipe("a", data="folder", classes=classes)
    return str(save_model(build_model(recipe), tmp_path / name, {"class_names": classes, **info}))


def folder_of_faces(tmp_path, n, parts=("",)):
    rng = np.random.default_rng(0)
    for part in parts:
        for emotion in ("angry", *NAMES):
            (tmp_path / "faces" / part / emotion).mkdir(parents=True)
            for i in range(n):
                image = rng.integers(0, 256, (48, 48), dtype=np.uint8)
                cv2.imwrite(str(tmp_path / "faces" / part / emotion / f"{part}{emotion}{i}.png"), image)
    return str(tmp_path / "faces")


def test_a_run_of_the_table_is_evaluated_by_its_id(tmp_path, capsys):
    assert main(["evaluate", "261122-nobody", "--data", "embedded"]) == 1
    assert "no such model file. The table has no run '261122-nobody'" in capsys.readouterr().err
    runs = [start_run({}) for _ in range(2)]
    assert main(["evaluate", runs[0][:2], "--data", "embedded"]) == 1
    assert "2 runs go by" in capsys.readouterr().err
    assert main(["evaluate", runs[0], "--data", "embedded"]) == 1
    assert "is not here" in capsys.readouterr().err
    end_run(runs[1], {"model_path": own_model(runs_dir())})
    assert main(["evaluate", runs[1], "--data", "embedded"]) == 0


def test_validation_faces_are_those_of_the_training_though_other_classes_were_left_out(tmp_path):
    recipe = Recipe("a", data="folder", classes=NAMES, val_fraction=0.2)
    model, faces = own_model(tmp_path, recipe=recipe.to_dict()), folder_of_faces(tmp_path, 30)
    trained = prepare_data(recipe, load_dataset(faces))
    for part in ("val", "test"):
        assert main(["evaluate", model, "--data", faces, "--part", part]) == 0
        with np.load(out_dir() / read_log()[-1]["predictions_path"]) as looked_at:
            assert looked_at["ids"].tolist() == trained.part(part).ids.tolist()
    on_val, on_test = (read_runs().iloc[i] for i in range(2))
    assert (on_val["split"], on_test["split"]) == ("val part", "test part")
    assert on_val["name"] == on_test["name"] + "_val"
    shown = show(read_runs()).splitlines()
    assert "(val part)" in shown[1]
    assert "part)" not in shown[2]


@pytest.mark.parametrize("option", [["--input-size", "64"], ["--scaling", "0..1"], ["--classes", "sad,happy"]])
def test_a_file_that_says_what_it_takes_is_not_contradicted(tmp_path, capsys, option):
    assert main(["evaluate", own_model(tmp_path), "--data", "embedded", *option]) == 1
    assert "says itself what it takes" in capsys.readouterr().err


def test_a_file_that_is_no_model_is_not_asked_what_it_was_trained_on(tmp_path, capsys):
    for name, message in (("a.h5", "not an HDF5 file"), ("a.keras", "not a .keras file")):
        (tmp_path / name).write_text("text")
        assert main(["evaluate", str(tmp_path / name), "--data", "embedded"]) == 1
        assert message in capsys.readouterr().err
    build_model(Recipe("a", classes=NAMES)).save(tmp_path / "other.keras")
    assert main(["evaluate", str(tmp_path / "other.keras"), "--data", "embedded"]) == 1
    assert "with --scaling and --classes" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--robustness", "20"], ["--votes"]])
def test_a_chapter_without_a_report_is_refused(capsys, option):
    assert main(["evaluate", "m.keras", "--data", "embedded", *option]) == 2
    assert "--out" in capsys.readouterr().err


def test_a_recorded_run_whose_model_ships_is_found_by_its_id(capsys):
    _, info = load_model("model/embedded-small-cnn.keras")
    start_run({"run_id": info["run_id"], "model_path": "model/runs/gone/model.keras"})
    assert main(["evaluate", info["run_id"], "--data", "embedded"]) == 0
    assert "embedded-small-cnn.keras on the test part of embedded" in capsys.readouterr().out
    assert read_log()[-1]["of_run"] == info["run_id"]
