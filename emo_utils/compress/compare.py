"""One call from a teacher and a student to the whole comparison; after a kill the same call goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from emo_utils import table
from emo_utils.atomic import replacing
from emo_utils.bench import compare_latency
from emo_utils.compress.checks import check_folder, check_layers_of, find_student, possible
from emo_utils.compress.frame import Line, comparison_frame, distillation_gain
from emo_utils.compress.plan import (
    COMBINED,
    COMBINED_LEVEL,
    POST_TRAINING,
    TRAINED_BITS,
    Rounded,
    distilled,
    pruned,
    quantised,
)
from emo_utils.compress.rounded import line_of_rounded, line_of_trained
from emo_utils.compress.source_csv import write_source_csv
from emo_utils.compress.trained import Trained, Workshop, find_source
from emo_utils.datasets import FaceDataset
from emo_utils.errors import ModelError
from emo_utils.evaluation.progress import progress_bar
from emo_utils.prune import LEVELS
from emo_utils.quantise import calibration_images, check_calibration

if TYPE_CHECKING:
    import pandas as pd


class Comparison(NamedTuple):
    """What came out.

    Attributes:
        frame: one row a model, see `comparison_frame`.
        gain: accuracy of student and distilled student by seed, see `distillation_gain`.
        folder: of the files that a device would load, and of comparison.csv, gain.csv and models/*.csv.
    """

    frame: pd.DataFrame
    gain: pd.DataFrame
    folder: Path


def compare_compression(
    teachers: Sequence[str],
    student: str,
    data: FaceDataset,
    folder: str | Path,
    *,
    seeds: int = 1,
    epochs: int | None = None,
    limit: int | None = None,
    progress: bool = True,
) -> Comparison:
    """Distil, prune and quantise a student, together and apart, and measure what each costs and saves.

    Every model is a row of the experiment table. Trainings and files that the table has, made of the same recipe and
    the same faces, are not made again: so a call that was broken off goes on, and one that is repeated takes seconds.

    Args:
        teachers: each a recipe, a run or a .keras file; the probabilities of several are averaged.
        student: a recipe, a run or a .keras file of this course.
        data: the faces, as loaded.
        folder: for the files; made if missing.
        seeds: how many students, from the seed of the recipe on, are trained with and without the teacher, for the
            interval of its gain. All else is made of the first.
        epochs: at most so many in each stage; None for those of the recipes.
        limit: training faces at most; None for all.
        progress: show progress bars.

    Raises:
        EmoUtilsError: before anything is trained: a model that is not there; a student that does not say which recipe
            made it, is rounded already, or is a file where epochs or limit are given; a teacher of other classes, or
            one that has seen test faces; too few faces to calibrate with; a folder that cannot be written; TensorFlow
            or LiteRT missing. Before anything but the student is trained: layers that cannot be pruned or quantised.
    """
    folder = Path(folder)
    named = find_student(student, data)
    if named.path and (epochs or limit):
        raise ModelError(f"{student} was trained in full. Leave epochs and limit out, or name its recipe as student.")
    sources = [find_source(name, data, named) for name in teachers]
    shop = Workshop(data, named.recipe, epochs, limit, progress)
    check_calibration(calibration_images(shop.prepared(named.recipe).part("train")))
    check_folder(folder)
    ways = possible(POST_TRAINING)
    first = shop.take(named, "student", "student")
    check_layers_of(first)
    teaching = [
        shop.take(source, f"teacher {i}" if len(teachers) > 1 else "teacher", "teacher")
        for i, source in enumerate(sources, start=1)
    ]
    pairs = list(_pairs(shop, first, tuple(teacher.reference for teacher in teaching), seeds))
    lines = list(_lines(shop, teaching, *pairs[0], ways, folder))
    _measure_latency(lines)
    frame, gain = comparison_frame(lines, first.row), distillation_gain(pairs)
    for name, rows in (("comparison.csv", frame), ("gain.csv", gain)):
        with replacing(folder / name) as partial:
            rows.to_csv(partial, index=False)
    write_source_csv(lines, folder / "models")
    return Comparison(frame, gain, folder)


def _pairs(shop: Workshop, first: Trained, teachers: tuple[str, ...], seeds: int) -> Iterator[tuple[Trained, Trained]]:
    """Yield student and distilled student, seed after seed."""
    yield first, shop.train(distilled(first.recipe, teachers), "distilled", "distilled")
    for seed in range(first.recipe.seed + 1, first.recipe.seed + seeds):
        recipe = first.recipe.but(seed=seed)
        alone = shop.train(recipe, f"student, seed {seed}", "student")
        yield alone, shop.train(distilled(recipe, teachers), f"distilled, seed {seed}", "distilled")


def _lines(
    shop: Workshop, teaching: list[Trained], student: Trained, taught: Trained, ways: list[Rounded], folder: Path
) -> Iterator[Line]:
    """Yield a line for every model: as trained, pruned, rounded, and in combinations."""
    data = shop.prepared(student.recipe)
    for model in (*teaching, student, taught):
        yield line_of_trained(model, student, folder)
    for level in LEVELS:
        recipe = pruned(student.recipe, student.reference, level)
        yield line_of_trained(shop.train(recipe, f"pruned {level}", "pruned"), student, folder)
    with progress_bar(len(ways), "fewer bits", "files", show=shop.progress) as bar:
        for how in ways:
            yield line_of_rounded(student, how, student, data, folder)
            bar.update()
    for bits in TRAINED_BITS:
        recipe = quantised(student.recipe, student.reference, bits)
        name = f"{bits}-bit weights and activations, trained"
        yield line_of_trained(shop.train(recipe, name, "quantised"), student, folder)
    combined = [taught]
    for level in LEVELS:
        recipe = pruned(taught.recipe, taught.reference, level)
        model = shop.train(recipe, f"distilled, pruned {level}", "combined")
        yield line_of_trained(model, student, folder)
        combined += [model] if level == COMBINED_LEVEL else []
    for model in combined:
        for how in COMBINED:
            yield line_of_rounded(model, how, student, data, folder)


def _measure_latency(lines: list[Line]) -> None:
    """Time all TFLite files in turns on one thread and add the figures to the rows, unless they have been timed."""
    timed = [line for line in lines if line.file.suffix == ".tflite"]
    if all(line.row.get("latency_p50_ms") is not None for line in timed):
        return
    latencies = compare_latency([line.file for line in timed])
    for line in timed:
        found = latencies[line.file]
        fields = {f"latency_{p}_ms": getattr(found, f"{p}_ms") for p in ("p50", "p90", "p99")}
        more = {"latency_mean_ms": found.mean_ms, "latency_std_ms": found.std_ms, "threads": 1}
        line.row.update(table.end_run(line.row["run_id"], {**fields, **more}))
