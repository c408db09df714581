"""Bench files as rows of the experiment table."""

from __future__ import annotations

from pathlib import Path

from emo_utils.bench.schema import read_bench_file
from emo_utils.table import add_bench, read_bench
from emo_utils.table.plain import file_sha256


def log_bench_file(path: str | Path) -> int:
    """Add a row of the sheet "bench" for each result of a bench file that the table does not have yet.

    A row names the file, its sha256 and the device, and has all of the result but its raw latencies.

    Returns:
        The number of rows added: none where this very file has been logged before.

    Raises:
        EmoUtilsError: as `read_bench_file`, or the table cannot be written.
    """
    path = Path(path)
    document = read_bench_file(path)
    digest = file_sha256(path)
    # Rows are added in the order of the file, so an import that was cut short has logged its first ones.
    logged = sum(record.get("file_sha256") == digest for record in read_bench())
    origin = {
        "bench": "runtime",
        "file_path": path,
        "made_by": document["made_by"],
        "measured": document["time"],
        **{"device" if key == "name" else key: value for key, value in document["device"].items()},
    }
    missing = document["results"][logged:]
    for result in missing:
        add_bench({**origin, **{key: value for key, value in result.items() if key != "latencies_ms"}})
    return len(missing)
