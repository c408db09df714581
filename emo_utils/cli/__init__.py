"""The command line: `python -m emo_utils COMMAND --help` describes each command.

Every command parses, calls one function of the library and prints. A known error is one line and exit code 1, a wrong
use of the command line is exit code 2, an interruption 130.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from emo_utils.cli.bench import add_bench
from emo_utils.cli.compress import add_compress
from emo_utils.cli.data import add_data
from emo_utils.cli.evaluate import add_calibrate, add_evaluate
from emo_utils.cli.export import add_export
from emo_utils.cli.predict import add_predict
from emo_utils.cli.table import add_table
from emo_utils.cli.train import add_train
from emo_utils.errors import EmoUtilsError

_EPILOG = """examples:
  python -m emo_utils predict data/samples/astronaut.jpg
  python -m emo_utils data report embedded
  python -m emo_utils data report path/to/fer2013.zip
  python -m emo_utils train --list
  python -m emo_utils train --recipe embedded-small-cnn
  python -m emo_utils train --recipe resnext-3 --quick
  python -m emo_utils train --recipe fer2013-mobilenetv3small --data path/to/fer2013.zip
  python -m emo_utils evaluate model/embedded-small-cnn.keras --data embedded --out build/report
  python -m emo_utils compress --teacher embedded-small-cnn --student embedded-student --data embedded --out build/c
  python -m emo_utils export all model/embedded-small-cnn.keras --out build/export
  python -m emo_utils bench model/embedded-small-cnn.keras --data embedded --out build/bench
  python -m emo_utils table show
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # Start-up lines of TensorFlow's C++ code say nothing that a learner can use.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a file name may hold what the terminal cannot show
    args = _parser().parse_args(arguments)
    try:
        return args.call(args)
    except EmoUtilsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader, e.g. `head`, has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}. Check the path and its permissions.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        goes_on = args.call.__module__.rpartition(".")[2] in ("train", "compress")
        print(f"\ninterrupted{'; the same command goes on from the last finished epoch' * goes_on}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emo_utils",
        description="Facial-expression recognition from raw faces to a chip.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_predict(commands)
    add_data(commands)
    add_train(commands)
    add_evaluate(commands)
    add_calibrate(commands)
    add_compress(commands)
    add_export(commands)
    add_bench(commands)
    add_table(commands)
    from emo_utils.course.__main__ import add_commands

    add_commands(commands.add_parser("course", help="build, run and check the lessons"))
    return parser
