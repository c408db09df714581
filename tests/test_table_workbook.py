"""The workbook: shows what was logged, never runs what was logged, never loses what people wrote."""

from __future__ import annotations

import io
import os

import openpyxl
import pandas as pd
import pytest
from PIL import Image

from emo_utils.errors import TableError
from emo_utils.paths import table_path
from emo_utils.table import add_bench, end_run, read_log, render, start_run
from emo_utils.table.picture import learning_curve
from emo_utils.table.schema import COLUMNS, NAMES, SHEETS

CURVES = [
    {"stage": 1, "epoch": e, "loss": 1 / e, "accuracy": 1 - 1 / e, "val_loss": None, "lr": 1e-3} for e in (1, 2, 3)
]
RESULT = {
    "val_accuracy": 0.625,
    "test_accuracy": 0.6125,
    "macro_f1": 0.5,
    "n": 80,
    "parameters": 123_456,
    "epochs": [2, 1],
    "curves": CURVES,
    "per_class": {
        "happy": {"precision": 0.5, "recall": 0.25, "recall_low": 0.1, "recall_high": 0.5, "f1": 1 / 3, "support": 8}
    },
}


@pytest.fixture
def run_id():
    run_id = start_run({"recipe": "tiny", "backbone": "SmallCNN", "classes": ["happy", "sad"], "seed": 0})
    end_run(run_id, RESULT)
    return run_id


def write_note(xlsx, run_id, note, arrange=lambda sheet: None):
    """Do what a person does in Excel: open, write a note, perhaps rearrange, save."""
    book = openpyxl.load_workbook(xlsx)
    sheet = book["runs"]
    row = next(row for row in sheet.iter_rows(min_row=2) if row[0].value == run_id)
    row[NAMES.index("note")].value = note
    arrange(sheet)
    book.save(xlsx)


def notes_in(xlsx):
    return pd.read_excel(xlsx, dtype=str, keep_default_na=False).set_index("run_id")["note"].to_dict()


def test_sheets_hold_what_was_logged(run_id):
    add_bench({"what": "load", "ratio": 2.5})
    add_bench({"bench": "runtime", "model": "m", "p90_ms": 0.25})
    sheets = pd.read_excel(render(), sheet_name=None)
    assert list(sheets) == ["runs", "per_class", "curves", "bench", "ratios", "env", "glossary", "_rendered"]
    row = sheets["runs"].iloc[0]
    assert list(sheets["runs"].columns) == list(NAMES)
    for name in ("val_accuracy", "test_accuracy", "macro_f1", "n", "parameters"):
        assert row[name] == RESULT[name]
    assert (row["run_id"], row["epochs"], row["classes"], row["test_looks"]) == (run_id, "2 + 1", "happy, sad", 1)
    assert row["started"] == pd.Timestamp(read_log()[0]["started"]).tz_localize(None)
    assert sheets["per_class"].iloc[0].to_dict() == {"run_id": run_id, "class": "happy", **RESULT["per_class"]["happy"]}
    assert sheets["curves"]["loss"].tolist() == [1, 1 / 2, 1 / 3]
    assert sheets["ratios"]["ratio"].tolist() == [2.5]
    assert sheets["bench"]["p90_ms"].tolist() == [0.25]
    assert sheets["env"]["runs"].tolist() == [1]
    assert set(NAMES) <= set(sheets["glossary"]["column"])


def test_every_figure_of_a_bench_file_has_a_column_with_its_meaning():
    from emo_utils.bench.schema import RESULT as RESULT_OF_A_BENCH

    assert set(RESULT_OF_A_BENCH) - {"latencies_ms"} <= {name for name, text in SHEETS["bench"].items() if text}


def test_an_empty_log_renders():
    assert pd.read_excel(render()).empty


def test_sheet_is_made_for_reading(run_id):
    start_run({})
    sheet = openpyxl.load_workbook(render())["runs"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref.endswith("3")
    (picture,) = sheet._images
    assert NAMES[picture.anchor._from.col] == "learning_curve"
    assert picture.anchor._from.row == 1
    assert sheet.row_dimensions[2].height > sheet.row_dimensions[3].height
    assert {c.format for c in COLUMNS if c.name.endswith("accuracy")} == {"0.0%"}


def test_learning_curve_is_a_small_picture():
    png = learning_curve(CURVES)
    assert Image.open(io.BytesIO(png)).format == "PNG"
    assert len(png) < 10_000
    assert learning_curve(CURVES[:1])
    assert learning_curve([]) is None
    assert learning_curve([{"epoch": 1, "loss": None}]) is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " \t=1+1", "\r=1+1", "#N/A", '=HYPERLINK("x")'])
def test_text_never_becomes_a_formula(run_id, text):
    end_run(run_id, {"note": text, "per_class": {text: {"recall": 1.0}}})
    add_bench({text: text})
    book = openpyxl.load_workbook(render())
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "b"}
    cell = next(c for c in cells if c.value == text.replace("\r", "\n"))
    assert cell.quotePrefix == (text.lstrip()[0] in "=+-@")


def test_limits_of_excel(run_id):
    end_run(run_id, {"note": "x" * 40_000, "head": "bell\a \udcff\ufffe", "seed": 2**63, "data": {"a": 1}})
    row = pd.read_excel(render()).iloc[0]
    assert len(row["note"]) == 32_767
    assert row["note"].endswith(" [cut]")
    assert (row["head"], str(row["seed"]), row["data"]) == ("bell ", str(2**63), '{"a": 1}')


def test_a_cut_note_is_not_taken_for_a_change(run_id):
    end_run(run_id, {"note": "x" * 40_000})
    render(), render()
    assert len(read_log()[0]["note"]) == 40_000


def test_note_survives_and_reaches_the_log(run_id):
    other = start_run({"recipe": "other"})
    xlsx = render()
    write_note(xlsx, run_id, "-5 % by mistake")
    assert render() == xlsx
    assert notes_in(xlsx) == {run_id: "-5 % by mistake", other: ""}
    xlsx.unlink()
    assert notes_in(render())[run_id] == "-5 % by mistake"


def test_note_survives_sorting_and_moved_columns(run_id):
    other = start_run({"recipe": "other"})
    xlsx = render()

    def rearrange(sheet):
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        sheet.delete_rows(1, len(rows))
        for row in [["My runs"], *[r[::-1] for r in [rows[0], *rows[:0:-1]]]]:
            sheet.append(row)

    write_note(xlsx, run_id, "kept", rearrange)
    assert notes_in(render()) == {run_id: "kept", other: ""}


def test_note_can_be_changed_and_cleared(run_id):
    xlsx = render()
    for note in ("first", "second", 3, None):
        write_note(xlsx, run_id, note)
        render()
        assert notes_in(xlsx)[run_id] == str(note or "")


def test_an_older_workbook_does_not_undo_a_newer_note(run_id):
    render()
    end_run(run_id, {"note": "written by a program since"})
    assert notes_in(render())[run_id] == "written by a program since"


def test_a_workbook_with_notes_on_unknown_runs_is_kept(run_id):
    xlsx = render()
    write_note(xlsx, run_id, "overfits from epoch 8")
    before = xlsx.read_bytes()
    table_path().unlink()
    with pytest.warns(UserWarning, match=r"experiments.xlsx holds 1 note.* kept as experiments.kept-"):
        render()
    render()  # nothing is left to keep
    (copy,) = xlsx.parent.glob("experiments.kept-*.xlsx")
    assert copy.read_bytes() == before
    assert notes_in(xlsx) == {}


def test_unknown_runs_without_notes_are_nothing_to_keep(run_id):
    xlsx = render()
    table_path().unlink()
    render()
    assert not list(xlsx.parent.glob("experiments.kept-*"))


def no_runs_sheet():
    file = io.BytesIO()
    openpyxl.Workbook().save(file)
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"no workbook", b"PK\x03\x04 half a zip", no_runs_sheet()])
def test_damaged_or_foreign_workbook_is_set_aside(run_id, content):
    xlsx = table_path().with_suffix(".xlsx")
    xlsx.write_bytes(content)
    with pytest.warns(UserWarning, match=r"experiments.xlsx is no experiment table .*kept as experiments.damaged-"):
        render()
    (aside,) = xlsx.parent.glob("experiments.damaged-*.xlsx")
    assert aside.read_bytes() == content
    assert len(pd.read_excel(xlsx)) == 1


def test_oversized_workbook_is_not_unpacked(run_id, monkeypatch):
    render()
    monkeypatch.setattr("emo_utils.table.notes._MAX_UNPACKED", 1000)
    with pytest.warns(UserWarning, match="larger than a table of runs can be"):
        render()


@pytest.mark.parametrize("step", ["zipfile.ZipFile", "os.replace"])
def test_workbook_open_in_excel(run_id, monkeypatch, step):
    xlsx = render()
    before = xlsx.read_bytes()

    def held(*args, **kwargs):
        raise PermissionError(13, "in use")

    with monkeypatch.context() as patch:
        patch.setattr(step, held)
        with pytest.raises(TableError, match="Close it in Excel"):
            render()
    assert xlsx.read_bytes() == before
    assert sorted(os.listdir(xlsx.parent)) == sorted(
        [xlsx.name, f"{xlsx.name}.lock", table_path().name, f"{table_path().name}.lock"]
    )
