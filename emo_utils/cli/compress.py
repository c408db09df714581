"""`compress`: distil, prune and quantise a student, and compare all that comes out."""

from __future__ import annotations

from pathlib import Path

from emo_utils.cli.common import SOURCE_HELP, fail


def add_compress(commands) -> None:
    compress = commands.add_parser(
        "compress",
        help="distil, prune and quantise a student; compare accuracy, size and speed",
        description="Train a student alone and with a teacher, remove filters, round weights and activations, combine "
        "them, and log every model in the experiment table with its accuracy, bytes, operations and latency. What the "
        "table already has is not made again, so after an interruption or a kill the same command goes on.",
    )
    what = "a recipe, a run of the table or a .keras file"
    compress.add_argument(
        "--teacher", action="append", required=True, metavar="RECIPE|MODEL", help=f"{what}; several are averaged"
    )
    compress.add_argument("--student", required=True, metavar="RECIPE|MODEL", help=f"{what} of this course")
    compress.add_argument("--data", metavar="PATH|NAME", required=True, help=SOURCE_HELP)
    compress.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for files, tables and figures")
    compress.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="students with and without teacher: the interval of its gain",
    )
    compress.add_argument("--epochs", type=int, help="at most this many epochs in each stage")
    compress.add_argument("--limit", type=int, help="at most this many training images")
    compress.set_defaults(call=_compress)


def _compress(args) -> int:
    for name in ("seeds", "epochs", "limit"):
        value = getattr(args, name)
        if value is not None and value < 1:
            return fail(f"--{name} must be at least 1. Got {value}")
    from emo_utils.compress import compare_compression, mean_gain, save_figures
    from emo_utils.datasets import load_dataset

    data = load_dataset(args.data)
    done = compare_compression(
        args.teacher, args.student, data, args.out, seeds=args.seeds, epochs=args.epochs, limit=args.limit
    )
    save_figures(done.frame, done.folder)
    print(_table(done.frame))
    mean, low, high = mean_gain(done.gain)
    interval = f", 95 % interval of the mean [{low:+.1%}, {high:+.1%}]" if args.seeds > 1 else ""
    print(f"gain of distillation over {args.seeds} seed{'s' * (args.seeds > 1)}: {mean:+.1%}{interval}")
    print(f"comparison.csv, gain.csv, models/*.csv, figures and files: {done.folder}")
    return 0


def _table(frame) -> str:
    form = "{:52} {:>8} {:>16} {:>7} {:>7} {:>7} {:>9} {:>6} {:>8} {:>7} {:>7}"
    lines = [
        form.format("model", "accuracy", "95 %", "drop", "ECE", "agrees", "param.", "MMACs", "KB", "p50 ms", "p90 ms")
    ]
    for row in frame.itertuples():
        times = (f"{t:.2f}" if t == t else "-" for t in (row.latency_p50_ms, row.latency_p90_ms))
        lines.append(
            form.format(
                row.name,
                f"{row.accuracy:.3f}",
                f"[{row.accuracy_low:.3f}, {row.accuracy_high:.3f}]",
                f"{row.worst_class_drop:.3f}",
                f"{row.ece:.3f}",
                f"{row.agreement:.3f}",
                f"{row.parameters:,}",
                f"{row.macs / 1e6:.1f}",
                f"{row.bytes / 1e3:,.0f}",
                *times,
            )
        )
    return "\n".join(lines)
