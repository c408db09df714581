"""Render the log as experiments.xlsx: a view, made anew each time; only its `note` column is read back."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from filelock import FileLock, Timeout
from openpyxl import Workbook
from openpyxl.drawing.image import Image
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.formatting.rule import CellIsRule, ColorScaleRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.utils.units import pixels_to_EMU

from emo_utils import paths
from emo_utils.atomic import replacing
from emo_utils.errors import TableError
from emo_utils.table.cells import MAX_ROWS, put, utc
from emo_utils.table.log import read_bench, read_log
from emo_utils.table.notes import RENDERED_SHEET, collect_notes, locked
from emo_utils.table.picture import HEIGHT, WIDTH, learning_curve
from emo_utils.table.schema import COLUMNS, ENVIRONMENT, NAMES, SHEETS

_LOCK_SECONDS = 60
_GROUP_COLOURS = {
    "run": "44546A", "result": "1F6E8C", "data": "5B6E3A", "model": "6A4C7D",
    "training": "8A5A2B", "cost": "7A3B4E", "origin": "5F5F5F", "artefacts": "3E5C76",
}  # fmt: skip
_STATUS_COLOURS = {"ok": "D5EBDD", "failed": "F4C7C3", "interrupted": "FCE8B2", "running": "D6E4F5"}
_HIGHER_IS_BETTER = ("val_accuracy", "test_accuracy", "macro_f1", "worst_class_recall")
_LOWER_IS_BETTER = ("ece", "nll")
_LONG_TEXT = ("name", "note", "classes", "hardware")
_TEXT = Alignment(vertical="center", horizontal="left", indent=1)
_WRAPPED = Alignment(vertical="center", horizontal="left", indent=1, wrap_text=True)
_NUMBER = Alignment(vertical="center", horizontal="right", indent=1)
_RULE = Border(bottom=Side("thin", color="D9D9D9"))


def render(path: Path | None = None, xlsx: Path | None = None) -> Path:
    """Render the workbook of a log.

    Notes that people wrote into an existing workbook are taken into the log first; where the log does not know their
    runs, the old workbook is kept beside the new one, with a warning. The new workbook replaces the old
    one in one step; whatever happens, one of the two is there, whole.

    Args:
        path: the log; `emo_utils.paths.table_path()` if None.
        xlsx: the workbook; beside the log, of the same name, if None.

    Returns:
        The path of the workbook.

    Raises:
        TableError: the workbook is open in Excel, or its folder cannot be written.
    """
    path = Path(path) if path is not None else paths.table_path()
    xlsx = Path(xlsx) if xlsx is not None else path.with_suffix(".xlsx")
    try:
        xlsx.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{xlsx}.lock", timeout=_LOCK_SECONDS):
            collect_notes(xlsx, path)
            book = _build(read_log(path), read_bench(path))
            with replacing(xlsx) as temporary:
                book.save(temporary)
    except Timeout:
        raise TableError(f"{xlsx}.lock has been held for {_LOCK_SECONDS} s. Is another render stuck? End it.") from None
    except PermissionError as error:
        raise locked(xlsx) from error
    except OSError as error:
        raise TableError(f"Cannot write {xlsx} ({error.strerror}). Free space or point EMO_OUT elsewhere.") from error
    return xlsx


def _build(rows: list[dict], bench: list[dict]) -> Workbook:
    book = Workbook()
    _fill_runs(book.active, rows)
    _add_sheet(book, "per_class", SHEETS["per_class"], _per_class(rows))
    _add_sheet(book, "curves", SHEETS["curves"], _curves(rows))
    runtimes = [record for record in bench if record.get("bench") == "runtime"]
    ratios = [record for record in bench if record.get("bench") != "runtime"]  # of the scripts in benchmarks/
    _add_sheet(book, "bench", SHEETS["bench"], runtimes)
    _add_sheet(book, "ratios", dict.fromkeys(key for record in ratios for key in record), ratios)
    _add_sheet(book, "env", SHEETS["env"], _environments(rows))
    _add_sheet(book, "glossary", SHEETS["glossary"], _glossary())
    notes = [{"run_id": row["run_id"], "note": row.get("note")} for row in rows]
    _add_sheet(book, RENDERED_SHEET, ("run_id", "note"), notes)
    book[RENDERED_SHEET].sheet_state = "hidden"
    return book


def _fill_runs(sheet, rows: list[dict]) -> None:
    sheet.title = "runs"
    _fill_header(sheet, NAMES, len(rows))
    for column, spec in enumerate(COLUMNS, start=1):
        letter = get_column_letter(column)
        sheet.column_dimensions[letter].width = max(spec.width, len(spec.name) + 4)  # room for the filter's arrow
        sheet.cell(1, column).fill = PatternFill("solid", fgColor=_GROUP_COLOURS[spec.group])
        for number, row in enumerate(rows, start=2):
            cell = sheet.cell(number, column)
            put(cell, _shown(spec.name, row.get(spec.name)))
            cell.number_format = spec.format
            cell.alignment = _WRAPPED if spec.name in _LONG_TEXT else _TEXT if cell.data_type == "s" else _NUMBER
            cell.border = _RULE
    picture_column = NAMES.index("learning_curve") + 1
    for number, row in enumerate(rows, start=2):
        picture = learning_curve(row.get("curves") or [])
        sheet.row_dimensions[number].height = 0.75 * (HEIGHT + 6) if picture else 30  # points
        if picture:
            _place(sheet, picture, number, picture_column)
    sheet.freeze_panes = "C2"
    if rows:
        _colour(sheet, last=len(rows) + 1)


def _shown(name: str, value):
    if name == "started":
        return utc(value)
    if name == "epochs" and isinstance(value, list):
        return " + ".join(map(str, value))
    return value


def _place(sheet, png: bytes, row: int, column: int) -> None:
    """Put a picture inside one cell, so that it goes with its row when rows are sorted or filtered."""
    picture = Image(BytesIO(png))
    margin = pixels_to_EMU(3)
    start = AnchorMarker(col=column - 1, row=row - 1, colOff=margin, rowOff=margin)
    end = AnchorMarker(
        col=column - 1, row=row - 1, colOff=margin + pixels_to_EMU(WIDTH), rowOff=margin + pixels_to_EMU(HEIGHT)
    )
    picture.anchor = TwoCellAnchor(editAs="twoCell", _from=start, to=end)
    sheet.add_image(picture)


def _colour(sheet, last: int) -> None:
    """Colour what is compared down a column: blue is good, orange asks for attention; the colour-blind see both."""

    def cells(name: str) -> str:
        letter = get_column_letter(NAMES.index(name) + 1)
        return f"{letter}2:{letter}{last}"

    scale = {"start_type": "min", "end_type": "max"}
    for name in _HIGHER_IS_BETTER:
        sheet.conditional_formatting.add(cells(name), ColorScaleRule(**scale, start_color="FFFFFF", end_color="7FB8DA"))
    for name in _LOWER_IS_BETTER:
        sheet.conditional_formatting.add(cells(name), ColorScaleRule(**scale, start_color="FFFFFF", end_color="F5C98B"))
    for status, colour in _STATUS_COLOURS.items():
        rule = CellIsRule(operator="equal", formula=[f'"{status}"'], fill=PatternFill(bgColor=colour))
        sheet.conditional_formatting.add(cells("status"), rule)
    # The more often a test part has been looked at, the less its figure is worth.
    often = CellIsRule(operator="greaterThan", formula=["1"], fill=PatternFill(bgColor="F5C98B"))
    sheet.conditional_formatting.add(cells("test_looks"), often)


def _per_class(rows: list[dict]) -> list[dict]:
    return [
        {"run_id": row["run_id"], "class": name, **scores}
        for row in rows
        for name, scores in (row.get("per_class") or {}).items()
    ]


def _curves(rows: list[dict]) -> list[dict]:
    return [{"run_id": row["run_id"], **epoch} for row in rows for epoch in row.get("curves") or []]


def _environments(rows: list[dict]) -> list[dict]:
    """Return each environment once, with the number of its runs and the first and last of them."""
    found: dict[str, dict] = {}
    for row in rows:
        values = {name: row.get(name) for name in ENVIRONMENT}
        known = found.setdefault(repr(values), {"runs": 0, "first_run": row["run_id"], **values})
        known["runs"] += 1
        known["last_run"] = row["run_id"]
    return list(found.values())


def _glossary() -> list[dict]:
    entries = [{"sheet": "runs", "column": c.name, "group": c.group, "meaning": c.description} for c in COLUMNS]
    for sheet, columns in SHEETS.items():
        entries += [{"sheet": sheet, "column": name, "meaning": text} for name, text in columns.items() if text]
    return entries


def _add_sheet(book: Workbook, title: str, names, records: list[dict]) -> None:
    sheet = book.create_sheet(title)
    names = list(names)
    _fill_header(sheet, names, len(records))
    for number, record in enumerate(records[-(MAX_ROWS - 1) :], start=2):
        for column, name in enumerate(names, start=1):
            cell = sheet.cell(number, column)
            put(cell, record.get(name))
            cell.number_format = _number_format(record.get(name))
    for column, name in enumerate(names, start=1):
        longest = max([len(name) + 3, *(_width(record.get(name)) for record in records[:200])])
        sheet.column_dimensions[get_column_letter(column)].width = min(longest + 1, 90)
    sheet.freeze_panes = "A2"


def _number_format(value) -> str:
    """Return how a number is shown: fractions to four figures or so, whole numbers as they are."""
    if not isinstance(value, float) or 0 < abs(value) < 1e-3:
        return "General"
    return "0.0000" if abs(value) < 10 else "0.00"


def _width(value) -> int:
    return 10 if isinstance(value, float) else len(str(value or ""))


def _fill_header(sheet, names, n_rows: int) -> None:
    for column, name in enumerate(names, start=1):
        cell = sheet.cell(1, column)
        put(cell, name)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor=_GROUP_COLOURS["run"])
        cell.alignment = _TEXT
    sheet.row_dimensions[1].height = 24
    if names:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(names))}{min(n_rows + 1, MAX_ROWS)}"
