"""What several commands share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SOURCE_HELP = "'embedded', 'fer2013' or 'ckplus' (looked for in data/), or the path of a zip, csv or folder"


def summary(m: dict) -> str:
    return (
        f"accuracy {m['accuracy']:.3f} [{m['accuracy_low']:.3f}, {m['accuracy_high']:.3f}]  "
        f"macro-F1 {m['macro_f1']:.3f}  worst class {m['worst_class']} {m['worst_class_recall']:.3f}  "
        f"ECE {m['ece']:.3f}  n {m['n']}"
    )


def fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


def add_foreign(command) -> None:
    """Add the options that say of a model of others what its file does not."""
    foreign = command.add_argument_group("models of others, whose files do not say it")
    foreign.add_argument("--scaling", choices=("0..255", "0..1", "-1..1"), help="grey levels they were trained on")
    foreign.add_argument("--classes", metavar="A,B,...", help="what their outputs mean, in order")
    foreign.add_argument(
        "--input-size", type=int, metavar="PX", help="side of the input, where the file leaves it open"
    )
    foreign.add_argument(
        "--trust", action="store_true", help="also load layers that are code of the file's maker, which runs here then"
    )


def open_model(path: Path, args):
    """Return path, model and info of a Keras file, ours or, with the options of `add_foreign`, of others."""
    from emo_utils.errors import ModelError
    from emo_utils.models import load_foreign_model, load_model
    from emo_utils.models.untrusted import refuse_unsafe

    if says_itself(path):
        return path, *load_model(path, trusted=args.trust)
    if not args.trust:
        refuse_unsafe(path)  # before asking what it was trained on: it may be no model at all
    if not (args.scaling and args.classes):
        raise ModelError(f"{path}: say what a model of others was trained on, with --scaling and --classes.")
    classes = args.classes.split(",")
    options = {"input_size": args.input_size, "scaling": args.scaling, "classes": classes, "trusted": args.trust}
    return path, *load_foreign_model(path, **options)


def says_itself(path: Path) -> bool:
    """Return whether a model file says what its outputs mean."""
    from emo_utils.models.files import read_info

    return bool(read_info(path).get("class_names"))
