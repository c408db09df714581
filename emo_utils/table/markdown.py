"""The tables of README.md and docs/results.md, made from the log so that no figure in them is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emo_utils.atomic import replacing
from emo_utils.errors import TableError
from emo_utils.table.log import read_bench
from emo_utils.table.read import read_runs
from emo_utils.table.seeds import family

if TYPE_CHECKING:
    import pandas as pd

_BENCH_HEADER = (
    "model", "runtime", "type", "p50 ms", "p90 ms", "faces a second", "32 at a time", "memory MB", "file KB",
    "accuracy", "as Keras",
)  # fmt: skip
_PEERS_HEADER = (
    "model", "accuracy [95 %]", "with mirror image", "parameters", "file KB", "p50 ms",
    "points more than mini_XCEPTION", "than big_XCEPTION",
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


def peers_markdown(records: list[dict]) -> str:
    """Return the latest run of benchmarks/peers.py as a Markdown table: the models that ship beside those of others.

    Args:
        records: what `read_bench` returns.
    """
    runs = [r for r in records if r.get("bench") == "peers"]
    shown = [r for r in runs if r["measured"] == runs[-1]["measured"]]
    if not shown:
        return "No comparison has been logged yet."
    lines = [markdown_line(_PEERS_HEADER), markdown_line("---" for _ in _PEERS_HEADER)]
    for r in shown:
        interval = f"{r['accuracy']:.3f} [{r['accuracy_low']:.3f}, {r['accuracy_high']:.3f}]"
        costs = (f"{r['parameters']:,}", f"{r['float32_bytes'] / 1e3:,.0f}", f"{r['p50_ms']:.2f}")
        against = (_points(r, "mini"), _points(r, "big"))
        lines.append(markdown_line((r["model"], interval, f"{r['accuracy_mirror']:.3f}", *costs, *against)))
    return "\n".join(lines)


def _points(record: dict, peer: str) -> str:
    """Return how many points of accuracy a model has more than a peer; "" for the peers themselves."""
    if f"{peer}_minus" not in record:
        return ""
    more, low, high = (100 * record[f"{peer}_minus{end}"] for end in ("", "_low", "_high"))
    return f"{more:+.1f} [{low:+.1f}, {high:+.1f}]"


def update_tables(files: Sequence[Path], path: Path | None = None) -> list[Path]:
    """Bring the tables of Markdown files in step with the log.

    Args:
        files: what stands in them between the lines `<!-- NAME:start -->` and `<!-- NAME:end -->` is replaced, where
            NAME is one of `TABLES`.
        path: the log; `emo_utils.paths.table_path()` if None.

    Returns:
        The files that changed.

    Raises:
        TableError: a file cannot be read, or has a mark for the start of a table but none for its end.
    """
    changed = []
    for file in map(Path, files):
        try:
            old = file.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TableError(f"Cannot read {file} ({error}). Name a UTF-8 text file.") from None
        new = old
        for name, make in TABLES.items():
            if f"<!-- {name}:start -->" in new:
                new = _between(new, name, make(path), file)
        if new != old:
            with replacing(file) as temporary:
                temporary.write_bytes(new.encode("utf-8"))
            changed.append(file)
    return changed


def _between(text: str, name: str, content: str, file: Path) -> str:
    start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
    before, _, rest = text.partition(start)
    _, last, after = rest.partition(end)
    if not last:
        raise TableError(f"{file} has the line {start} but no line {end} after it. Put it where the table ends.")
    return f"{before}{start}\n{content}\n{end}{after}"


TABLES: dict[str, Callable[[Path | None], str]] = {
    "results": lambda path: results_markdown(read_runs(path)),
    "bench": lambda path: bench_markdown(read_bench(path)),
    "peers": lambda path: peers_markdown(read_bench(path)),
}


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
