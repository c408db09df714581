"""The tables of README.md, made from the log so that no figure in them is typed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emo_utils.atomic import replacing
from emo_utils.errors import TableError
from emo_utils.table.log import read_bench
from emo_utils.table.read import read_runs
from emo_utils.table.seeds import family

if TYPE_CHECKING:
    import pandas as pd

START, END = "<!-- results:start -->", "<!-- results:end -->"
BENCH_START, BENCH_END = "<!-- bench:start -->", "<!-- bench:end -->"
_BENCH_HEADER = (
    "model", "runtime", "type", "p50 ms", "p90 ms", "faces a second", "32 at a time", "memory MB", "file KB",
    "accuracy", "as Keras",
)  # fmt: skip
_HEADER = (
    "recipe", "seeds", "classes", "backbone", "parameters", "epochs", "validation accuracy", "test accuracy",
    "macro-F1", "n", "split", "runs",
)  # fmt: skip


def results_markdown(frame: pd.DataFrame) -> str:
    """Return the results on real data as a Markdown table, ordered by data set, number of classes and recipe.

    Runs that differ in their seed alone share a line: the mean, and from the lowest to the highest in place of the
    interval that a single run has.

    Args:
        frame: what `read_runs` returns. Finished runs of the profile "full" with a test accuracy count; quick runs,
            runs on the embedded faces and what was made of another run's model do not. Of runs with one recipe hash,
            i.e. repetitions, the latest counts.
    """
    real = frame[(frame["status"] == "ok") & (frame["profile"] == "full") & frame["test_accuracy"].notna()]
    real = real[real["data"].notna() & ~real["data"].astype(str).str.startswith("embedded") & real["of_run"].isna()]
    if real.empty:
        return "No run on real data has been logged yet."
    same = real["recipe_hash"].where(real["recipe_hash"].notna(), real["run_id"])
    real = real[~same.duplicated(keep="last")]
    order = real["classes"].map(lambda names: len(names) if isinstance(names, list) else 0)
    real = real.assign(_order=order, _family=real.apply(family, axis=1))
    real = real.sort_values(["data", "_order", "recipe", "seed", "run_id"], kind="stable")
    families = [runs.to_dict("records") for _, runs in real.groupby("_family", sort=False)]
    lines = [markdown_line(_HEADER), markdown_line("---" for _ in _HEADER)]
    return "\n".join(lines + [markdown_line(_cells(runs)) for runs in families])


def bench_markdown(records: list[dict]) -> str:
    """Return the latest benchmark of several runtimes on one thread as a Markdown table.

    Args:
        records: what `read_bench` returns.
    """
    runs = [r for r in records if r.get("bench") == "runtime" and r.get("made_by") == "emo_utils bench"]
    shown = [r for r in runs if r["file_sha256"] == runs[-1]["file_sha256"] and r["threads"] == 1]
    if not shown:
        return "No benchmark has been logged yet."
    lines = [markdown_line(_BENCH_HEADER), markdown_line("---" for _ in _BENCH_HEADER)]
    for r in shown:
        times = (_number(r["p50_ms"], "{:.2f}"), _number(r["p90_ms"], "{:.2f}"))
        rates = (_number(r["per_second_b1"], "{:,.0f}"), _number(r["per_second_b32"], "{:,.0f}"))
        sizes = (_number(r["peak_mb"], "{:.0f}"), _number(r["bytes"] / 1e3, "{:,.0f}"))
        shares = (_number(r["accuracy"], "{:.3f}"), _number(r["agreement"], "{:.1%}"))
        lines.append(markdown_line((r["model"], r["runtime"], r["precision"], *times, *rates, *sizes, *shares)))
    return "\n".join(lines)


def update_readme(readme: Path, path: Path | None = None) -> bool:
    """Replace what stands between the marks of a README; return whether that changed it.

    Args:
        readme: a Markdown file with the lines `<!-- results:start -->` and `<!-- results:end -->`, and, if it shows
            the benchmark, `<!-- bench:start -->` and `<!-- bench:end -->`.
        path: the log; `emo_utils.paths.table_path()` if None.

    Raises:
        TableError: the file or its marks are missing.
    """
    readme = Path(readme)
    try:
        old = readme.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"Cannot read {readme} ({error}). Name a UTF-8 text file.") from None
    new = _between(old, START, END, results_markdown(read_runs(path)), readme)
    if BENCH_START in new:
        new = _between(new, BENCH_START, BENCH_END, bench_markdown(read_bench(path)), readme)
    if new == old:
        return False
    with replacing(readme) as temporary:
        temporary.write_bytes(new.encode("utf-8"))
    return True


def _between(text: str, start: str, end: str, content: str, readme: Path) -> str:
    before, first, rest = text.partition(start)
    _, last, after = rest.partition(end)
    if not (first and last):
        raise TableError(f"{readme} lacks the lines {start} and {end}. Put them where the table belongs.")
    return f"{before}{start}\n{content}\n{end}{after}"


def _cells(runs: list[dict]) -> tuple[str, ...]:
    """Return a line's cells: of one run, or of several that differ in their seed."""
    row = runs[-1]
    classes = row["classes"] if isinstance(row["classes"], list) else []
    return (
        _text(row["recipe"]),
        ", ".join(_number(run["seed"], "{:.0f}") for run in runs),
        f"{len(classes)}: {', '.join(classes)}" if classes else "",
        _text(row["backbone"]),
        _number(row["parameters"], "{:,.0f}"),
        " + ".join(map(str, row["epochs"])) if isinstance(row["epochs"], list) else "",
        _shares(runs, "val_accuracy"),
        _shares(runs, "test_accuracy"),
        _number(sum(run["macro_f1"] for run in runs) / len(runs), "{:.3f}"),
        _number(row["n"], "{:,.0f}"),
        " ".join(filter(None, (_text(row["data"]), _text(row["split"])))),
        ", ".join(f"`{run['run_id']}`" for run in runs),
    )


def _shares(runs: list[dict], name: str) -> str:
    if len(runs) == 1:
        value, low, high = (_number(runs[0][key], "{:.1%}") for key in (name, f"{name}_low", f"{name}_high"))
        return f"{value} [{low.rstrip('%')}, {high.rstrip('%')}]" if low and high else value
    values = [run[name] for run in runs]
    mean, low, high = sum(values) / len(values), min(values), max(values)
    return f"mean {mean:.1%} ({100 * low:.1f} to {100 * high:.1f})"


def _number(value, form: str) -> str:
    return form.format(value) if isinstance(value, (int, float)) and value == value else ""


def _text(value) -> str:
    return value if isinstance(value, str) else ""


def markdown_line(cells) -> str:
    """Return a line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
