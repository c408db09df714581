"""`bench`: time models in the runtimes of this machine, or take in what other devices have measured."""

from __future__ import annotations

import sys
from pathlib import Path

from emo_utils.cli.common import SOURCE_HELP, add_foreign, fail, open_model

_EPILOG = """examples:
  python -m emo_utils bench model/embedded-small-cnn.keras --data embedded --out build/bench
  python -m emo_utils bench build/export/model_int8.tflite --runtimes litert --threads 1
  python -m emo_utils bench import jetson_bench.json hailo_bench.json
"""


def add_bench(commands) -> None:
    from argparse import RawDescriptionHelpFormatter

    bench = commands.add_parser(
        "bench",
        help="time models in Keras, LiteRT and ONNX Runtime; import what devices have measured",
        usage="python -m emo_utils bench MODEL... [options] | bench import FILE...",
        description="Time models one face at a time and in batches, each in every runtime and at every number of\n"
        "threads in a process of its own, in turns. `bench import` adds the bench files of a Jetson, a Hailo or\n"
        "another machine to the experiment table.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    bench.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="a .keras, .tflite or .onnx file, a run of the table, or a .keras/.h5/.hdf5 of others",
    )
    bench.add_argument("--data", metavar="PATH|NAME", help=f"for the accuracy, and for int8: {SOURCE_HELP}")
    bench.add_argument("--limit", type=int, metavar="N", help="at most this many test faces")
    bench.add_argument(
        "--runtimes", type=words, default=["keras", "litert", "onnxruntime"], metavar="LIST", help="default: all three"
    )
    bench.add_argument(
        "--precisions",
        type=words,
        default=["float32", "int8"],
        metavar="LIST",
        help="of the TFLite files made from Keras models; default: float32,int8",
    )
    bench.add_argument("--threads", type=whole_numbers, default=[1, 2], metavar="LIST", help="default: 1,2")
    bench.add_argument("--rounds", type=int, default=10, metavar="N", help="turns of each; default: 10")
    bench.add_argument("--n", type=int, default=50, metavar="N", help="timed runs in a turn; default: 50")
    bench.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="keep the files and bench.json, with all raw times, in this new folder, and log the results in the "
        "experiment table",
    )
    add_foreign(bench)
    bench.set_defaults(call=_bench)


def words(text: str) -> list[str]:
    return text.split(",")


def whole_numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _bench(args) -> int:
    if args.models[0] == "import":
        return _import(args.models[1:])
    from emo_utils.bench import run_bench
    from emo_utils.bench.subjects import EXPORTED
    from emo_utils.datasets import load_dataset
    from emo_utils.export.folder import check_new_folder
    from emo_utils.training.sources import find_model

    if args.out:
        check_new_folder(args.out)  # before models are loaded
    paths = [find_model(model) for model in args.models]
    try:
        frame = run_bench(
            [path if path.suffix in EXPORTED else open_model(path, args) for path in paths],
            load_dataset(args.data) if args.data else None,
            runtimes=args.runtimes,
            precisions=args.precisions,
            threads=args.threads,
            rounds=args.rounds,
            n=args.n,
            limit=args.limit,
            out=args.out,
            trusted=args.trust,
        )
    except KeyboardInterrupt:
        print("\ninterrupted; nothing has been logged", file=sys.stderr)
        return 130
    print(_table(frame))
    for line in frame.attrs["refused"]:
        print(line)
    if args.out:
        print(f"logged; all times and the files: {args.out}")
    return 0


def _import(files: list[str]) -> int:
    if not files:
        return fail("name a bench file: python -m emo_utils bench import FILE...")
    from emo_utils.bench import log_bench_file

    for file in files:
        rows = log_bench_file(file)
        done = f"{rows} row{'s' * (rows != 1)} added" if rows else "the table has it already, nothing added"
        print(f"{file}: {done}")
    return 0


# Column of the frame, its heading, and how a figure is written.
_COLUMNS = (
    ("model", "model", "{}"),
    ("runtime", "runtime", "{}"),
    ("precision", "type", "{}"),
    ("threads", "threads", "{}"),
    ("init_ms", "init ms", "{:.1f}"),
    ("first_ms", "first", "{:.2f}"),
    ("p50_ms", "p50", "{:.3f}"),
    ("p90_ms", "p90", "{:.3f}"),
    ("p99_ms", "p99", "{:.3f}"),
    ("per_second_b1", "1/s b1", "{:,.0f}"),
    ("per_second_b8", "b8", "{:,.0f}"),
    ("per_second_b32", "b32", "{:,.0f}"),
    ("peak_mb", "MB", "{:.0f}"),
    ("bytes", "KB file", "{:,.0f}"),
    ("macs", "MMACs", "{:.1f}"),
    ("gmacs_per_s", "GMAC/s", "{:.1f}"),
    ("peak_share", "of peak", "{:.0%}"),
    ("accuracy", "accuracy", "{:.3f}"),
    ("agreement", "agrees", "{:.3f}"),
)
_UNITS = {"bytes": 1e3, "macs": 1e6}


def _table(frame) -> str:
    """Return the figures as lines of text, '-' for what was not measured."""
    rows = [[heading for _, heading, _ in _COLUMNS]]
    for record in frame.to_dict("records"):
        values = [(record[name], form, _UNITS.get(name)) for name, _, form in _COLUMNS]
        # A missing figure is None or, in a column of numbers, NaN, which does not equal itself.
        rows.append(["-" if v is None or v != v else form.format(v / unit if unit else v) for v, form, unit in values])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if i < 3 else cell.rjust(width)  # names to the left, figures to the right
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
