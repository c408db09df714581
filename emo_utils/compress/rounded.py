"""Files of fewer bits, made of a trained model: written, checked on faces, and logged as rows of the table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emo_utils import paths, table
from emo_utils.bench import count_macs, count_parameters
from emo_utils.compress.frame import Line
from emo_utils.compress.plan import Rounded
from emo_utils.compress.trained import Trained
from emo_utils.datasets import FaceDataset
from emo_utils.evaluation import evaluate_probabilities, predict_probabilities
from emo_utils.evaluation.row import result_columns
from emo_utils.export import export_tflite, run_tflite
from emo_utils.models.files import read_info
from emo_utils.quantise import calibration_images, load_packed, quantise_model, save_packed
from emo_utils.table.plain import file_sha256

_SUFFIX = {True: ".tflite", False: ".emoq"}


def line_of_trained(model: Trained, student: Trained, folder: Path) -> Line:
    """Return the line of a trained model, its device file written and its costs in its row.

    Args:
        model: trained.
        student: whose answers it is compared with.
        folder: of the file.
    """
    loaded = model.load()
    parameters, macs = count_parameters(loaded), count_macs(loaded)
    bits = model.recipe.quantisation if model.recipe else None
    path = folder / f"{slug(model.name)}-{model.row['run_id']}{_SUFFIX[not bits]}"
    if path.is_file():
        pass  # written whole, and a run has one model
    elif bits:
        info = read_info(model.path)
        save_packed(loaded, path, info, weight_bits=bits.weight_bits, per_channel=bits.per_channel)
    else:
        export_tflite(loaded, path)
    same = agreement(student, _answers(model.row))
    costs = {"macs": macs, "agreement": same}
    if any(model.row.get(key) is None for key in costs):
        model.row.update(table.end_run(model.row["run_id"], costs))
    return Line(model.name, model.family, model.row, path, parameters, macs, same)


def line_of_rounded(source: Trained, how: Rounded, student: Trained, data: FaceDataset, folder: Path) -> Line:
    """Return the line of a trained model in fewer bits; see `round_model`."""
    row, path = round_model(source, how, student, data, folder)
    loaded = source.load()
    alone = source is student
    return Line(
        how.name if alone else f"{source.name}, {how.name}",
        "quantised" if alone else "combined",
        row,
        path,
        count_parameters(loaded),
        row["macs"],
        agreement(student, _answers(row)),  # the row's own may be with another student of the same recipe
    )


def round_model(
    source: Trained, how: Rounded, student: Trained, data: FaceDataset, folder: Path
) -> tuple[dict[str, Any], Path]:
    """Store a trained model in fewer bits, evaluate the file and log it; or return the row if that has been done.

    Args:
        source: the model.
        how: the bits.
        student: whose answers the file's are compared with.
        data: prepared as for the model's training: the ranges of activations come from its part "train".
        folder: of the file; made if missing.

    Returns:
        The row of the table: figures on test and validation part, size of the file, agreement with the student. And
        the path of the file.
    """
    compression = f"{how.name} of {source.name}"
    test = data.part("test")
    fingerprint = data.fingerprint()
    # With the run in its name no other comparison, made later in the same folder, takes its place.
    path = folder / f"{slug(source.name)}-{source.row['run_id']}-{slug(how.name)}{_SUFFIX[bool(how.format)]}"
    known = _known(source, compression, fingerprint, folder)
    if known is not None:
        return known
    model = source.load()
    answer = _write(model, source, how, data, path)
    evaluation, validation = (evaluate_probabilities(part, answer(part.images)) for part in (test, data.part("val")))
    run_id = table.start_run(
        {
            "profile": "evaluate",
            "of_run": source.row["run_id"],
            "compression": compression,
            "recipe": source.recipe.name,
            "seed": source.recipe.seed,
            "data": data.name,
            "label_source": source.row.get("label_source"),
            "classes": list(data.class_names),
            **{f"n_{usage}": len(data.part(usage)) for usage in ("train", "val", "test")},
            "split": "test part",
            "fingerprint": fingerprint,
            "test_fingerprint": test.fingerprint(),
            "backbone": source.recipe.backbone,
            "input_size": source.recipe.input_size,
            "parameters": model.count_params(),
            "macs": count_macs(model),
            "recipe_json": source.row.get("recipe_json"),
        }
    )
    predictions = evaluation.save(paths.runs_dir() / run_id / "predictions.npz")
    row = table.end_run(
        run_id,
        {
            **result_columns(evaluation),
            **{f"val_{key}": validation.metrics[key] for key in ("accuracy", "accuracy_low", "accuracy_high")},
            "agreement": agreement(student, evaluation.probabilities),
            "name": f"compressed_{path.stem}",
            "size_bytes": path.stat().st_size,
            "model_path": path,
            "predictions_path": predictions,
        },
    )
    return row, path


def agreement(source: Trained, probabilities: np.ndarray) -> float:
    """Return the share of test faces that get the same answer as from a trained model.

    Args:
        source: the model; its answers are those that its run has stored.
        probabilities: array of shape (n, n_classes), of the same faces in the same order.
    """
    return float((_answers(source.row).argmax(axis=1) == probabilities.argmax(axis=1)).mean())


def slug(name: str) -> str:
    """Return a name as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _write(model: keras.Model, source: Trained, how: Rounded, data: FaceDataset, path: Path):
    """Write the file; return the function from uint8 images (n, h, w) to the probabilities that it gives."""
    calibration = calibration_images(data.part("train"))
    if how.format:
        export_tflite(model, path, how.format, calibration=calibration)
        return lambda images: _summing_to_one(run_tflite(path, images))
    rounded = model
    if how.activation_bits < 32:
        rounded = quantise_model(
            model,
            weight_bits=how.weight_bits,
            activation_bits=how.activation_bits,
            per_channel=how.per_channel,
            calibration=calibration,
        )
    save_packed(rounded, path, read_info(source.path), weight_bits=how.weight_bits, per_channel=how.per_channel)
    stored = load_packed(path)[0]  # the answers are the file's own
    return lambda images: predict_probabilities(stored, images)


def _summing_to_one(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities that were rounded to 256 levels as such that sum to one again."""
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def _answers(row: dict[str, Any]) -> np.ndarray:
    """Return the probabilities that a run has stored of the test faces."""
    with np.load(paths.out_dir() / row["predictions_path"], allow_pickle=False) as stored:
        return stored["probabilities"]


def _known(source: Trained, compression: str, fingerprint: str, folder: Path) -> tuple[dict[str, Any], Path] | None:
    """Return the row of a file that has been made, and the file, if it is still the one that was evaluated."""
    wanted = {"of_run": source.row["run_id"], "compression": compression, "fingerprint": fingerprint, "status": "ok"}
    for row in reversed(table.read_log()):
        if any(row.get(key) != value for key, value in wanted.items()):
            continue
        logged = Path(str(row.get("model_path")))
        # Of a file outside its own folder the table keeps the name alone.
        for path in (paths.out_dir() / logged, folder / logged.name):
            same = path.is_file() and file_sha256(path) == row.get("model_sha256")
            if same and (paths.out_dir() / str(row.get("predictions_path"))).is_file():
                return row, path
    return None
