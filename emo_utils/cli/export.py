"""`export`: from a model file to those that devices run, and to bundles for their own tools."""

from __future__ import annotations

from pathlib import Path

from emo_utils.cli.common import SOURCE_HELP, add_foreign

_TARGETS = {
    "all": "everything below: TFLite and ONNX files, and a folder each for Hailo and Jetson",
    "tflite": "TFLite files for LiteRT: phones, microcontrollers, the Raspberry Pi",
    "onnx": "an ONNX file for ONNX Runtime, TensorRT and others",
    "hailo": "a folder for Hailo's compiler and runtime: model, calibration images, scripts",
    "jetson": "a folder for an NVIDIA Jetson: model, samples, benchmark and camera scripts",
}


def add_export(commands) -> None:
    export = commands.add_parser(
        "export",
        help="write a model for TFLite, ONNX, Hailo or Jetson, and check each file against it",
        description="Write MODEL in the form that a device wants, into a new folder. Every file is compared with the "
        "model on the test part; ranges of integer files come from images of the training part.",
    ).add_subparsers(required=True, metavar="TARGET")
    for target, what in _TARGETS.items():
        command = export.add_parser(target, help=what, description=what)
        command.add_argument(
            "model", metavar="MODEL", help="a .keras file of this course, a run of the table, or a model of others"
        )
        command.add_argument(
            "--out", type=Path, required=True, metavar="DIR", help="folder to make; refused if not empty"
        )
        command.add_argument(
            "--data", metavar="PATH|NAME", help=f"{SOURCE_HELP}; by default what the model was trained on"
        )
        command.add_argument("--name", help="what the files are called; by default as the model's file")
        if target in ("all", "tflite"):
            command.add_argument(
                "--formats",
                type=lambda text: text.split(","),
                metavar="LIST",
                help="TFLite files: of float32, float16, dynamic, int8, int8x16 and int4, with commas between "
                "(default: the first four)",
            )
        add_foreign(command)
        command.set_defaults(call=_export, target=target, formats=None)


def _export(args) -> int:
    from tqdm import tqdm

    from emo_utils.cli.common import open_model
    from emo_utils.export.folder import check_new_folder
    from emo_utils.export.targets import TARGETS, TFLITE_FORMATS, export_targets
    from emo_utils.export.tflite import check_formats
    from emo_utils.models import model_class_names
    from emo_utils.training.sources import find_model

    check_new_folder(args.out)  # before minutes are spent
    formats = check_formats(args.formats or TFLITE_FORMATS)
    path, model, info = open_model(find_model(args.model), args)
    name = args.name or str(info.get("run_id", path.parent.name) if path.stem == "model" else path.stem)
    data = _faces(args.data, info, model_class_names(info, path))
    targets = TARGETS if args.target == "all" else (args.target,)
    begun: list[str] = []
    with tqdm(total=len(targets), unit="target", leave=False, disable=None) as bar:

        def progress(target: str) -> None:
            bar.update(1 if begun else 0)  # the one before is done
            bar.set_description(target)
            begun.append(target)

        frame = export_targets(model, info, name, data, args.out, targets, formats, progress=progress)
    print(f"{path.name} on the test part of {data.name}, n by file; accuracy of the model -> of the file")
    width = max(map(len, frame["file"]))
    for row in frame.itertuples():
        print(
            f"{row.file:{width}}  {row.bytes / 1e6:6.2f} MB  n {row.n:5,}  same class {row.agreement:6.1%}  "
            f"largest difference {row.max_difference:.1e}  accuracy {row.accuracy_before:.3f} -> "
            f"{row.accuracy_after:.3f}"
        )
    print(f"written to {args.out}; the table is verification.csv")
    return 0


def _faces(source: str | None, info: dict, names: tuple[str, ...]):
    """Return the faces to calibrate and to compare on, split as in the model's training."""
    from emo_utils.datasets import load_dataset, split_dataset
    from emo_utils.errors import DataError
    from emo_utils.recipe import Recipe
    from emo_utils.training import prepare_data

    recipe = Recipe.from_dict(info["recipe"]) if info.get("recipe") else None
    if source is None:
        own = recipe.data if recipe else "folder"
        try:
            if own == "folder":
                raise DataError("The model does not say which faces it was trained on.")
            source, data = own, load_dataset(own)
        except DataError:
            # Drawn faces fit no photograph's ranges, but they show whether a file computes what the model does.
            print(
                f"warning: what this model was trained on ({own}) is not here; drawn faces stand in. Whether files "
                "agree can be seen with them, accuracy on photographs cannot, and integer files lose some. Give --data."
            )
            return split_dataset(load_dataset("embedded", classes=names))
    else:
        data = load_dataset(source)
    if recipe and recipe.data == data.name:
        return prepare_data(recipe, data)
    return split_dataset(data.select(names))
