"""The columns of the sheet `runs`, in order; the glossary of the workbook is made from them."""

from __future__ import annotations

from typing import NamedTuple

_SHARE = "0.0%"
_COUNT = "#,##0"
_MS = "0.00"


class Column(NamedTuple):
    """One column: `format` is an Excel number format, `width` is in characters."""

    name: str
    group: str
    description: str
    format: str = "General"
    width: int = 12


def _with_interval(name: str, description: str, form: str) -> tuple[Column, Column, Column]:
    """Return the columns of a figure and of the ends of its interval."""
    return (
        Column(name, "result", description, form, 9),
        Column(f"{name}_low", "result", "Lower end of its 95 % interval.", form, 9),
        Column(f"{name}_high", "result", "Upper end of its 95 % interval.", form, 9),
    )


COLUMNS = (
    Column("run_id", "run", "Identifies the run; any unique beginning of it will do.", width=21),
    Column("name", "run", "When, backbone, epochs, augmentation (0/1), validation accuracy in per cent.", width=44),
    Column("status", "run", "ok, failed, interrupted, or running (no end has been logged).", width=11),
    Column("error", "run", "What ended a failed run.", width=16),
    Column("started", "run", "Start, in UTC.", "yyyy-mm-dd hh:mm", 19),
    Column("seconds", "run", "Wall-clock duration; of a resumed run, since it was last resumed.", "#,##0.0", 9),
    Column(
        "profile",
        "run",
        "quick: embedded faces, or a limited run. full: real data, all of it. "
        "evaluate: a model file looked at, nothing trained.",
        width=8,
    ),
    Column("of_run", "run", "The run whose model was evaluated, compressed or trained on.", width=21),
    Column("recipe", "run", "Name of the recipe; runs of one recipe differ in seed or settings.", width=22),
    Column("seed", "run", "Seed of split, initial weights and augmentation.", "0", 7),
    *_with_interval("val_accuracy", "Share of validation faces classified correctly.", _SHARE),
    *_with_interval("test_accuracy", "Share of test faces classified correctly.", _SHARE),
    *_with_interval("macro_f1", "Mean of the classes' F1 on the test part; every class weighs the same.", "0.000"),
    *_with_interval("weighted_f1", "The same, every face weighing the same.", "0.000"),
    *_with_interval("worst_class_recall", "Lowest recall of any class on the test part.", _SHARE),
    Column("worst_class", "result", "The class with that recall.", width=10),
    *_with_interval("ece", "Expected calibration error on the test part, 15 bins of confidence; 0 is best.", "0.000"),
    *_with_interval("nll", "Mean negative log-likelihood on the test part, in nats; lower is better.", "0.000"),
    *_with_interval(
        "brier", "Mean squared distance of the probabilities to the truth, 0 to 2; lower is better.", "0.000"
    ),
    Column(
        "temperature",
        "result",
        "Divides the logits, label smoothing being undone; fitted on validation, kept in the model file.",
        "0.00",
        8,
    ),
    *_with_interval("ece_scaled", "ECE on the test part after calibration.", "0.000"),
    *_with_interval("nll_scaled", "Negative log-likelihood on the test part after calibration.", "0.000"),
    Column(
        "agreement", "result", "Share of test faces with the same answer as the student's, uncompressed.", _SHARE, 9
    ),
    Column(
        "test_time",
        "result",
        "Test-time augmentation. mirror: mean of what is said of a face and its mirror image; empty: none.",
        width=9,
    ),
    Column("interval_over", "result", "What the intervals draw: faces, or groups (people) whole.", width=9),
    Column("n_groups", "result", "Number of these groups on the test part.", _COUNT, 8),
    Column("n", "result", "Number of test faces the figures rest on.", _COUNT, 8),
    Column("test_looks", "result", "How often this recipe had looked at this test part, this time included.", "0", 8),
    Column("learning_curve", "result", "Loss and accuracy by epoch, training and validation.", width=35),
    Column("note", "result", "Yours to write, in Excel; it survives rendering.", width=36),
    Column("data", "data", "Name of the data set; embedded: the course's own rendered faces.", width=14),
    Column("label_source", "data", "Who labelled: original, FER+ votes, known truth.", width=12),
    Column("classes", "data", "Class names in label order.", width=36),
    Column("n_train", "data", "Training faces before balancing.", _COUNT, 9),
    Column("n_val", "data", "Validation faces.", _COUNT, 9),
    Column("n_test", "data", "Test faces.", _COUNT, 9),
    Column(
        "split",
        "data",
        "How the parts were made, e.g. by group, official; of an evaluation, the part looked at.",
        width=18,
    ),
    Column(
        "duplicates_removed",
        "data",
        "Training and validation faces left out as copies, of each other or of test faces.",
        _COUNT,
        10,
    ),
    Column("fingerprint", "data", "sha256 over classes, ids, labels, parts and pixels of the data set.", width=14),
    Column("test_fingerprint", "data", "The same over the test part alone.", width=14),
    Column("backbone", "model", "Feature extractor.", width=18),
    Column("head", "model", "Layers on top of it.", width=18),
    Column("parameters", "model", "All weights, trainable or not.", _COUNT, 12),
    Column("input_size", "model", "Side of the square input, in pixels.", "0", 8),
    Column("compression", "model", "What made the network smaller: filters removed, bits, a teacher.", width=28),
    Column("augmentation", "training", "Random changes to training faces.", width=18),
    Column("balancing", "training", "What was done about unequal class sizes.", width=16),
    Column("loss", "training", "Loss function.", width=18),
    Column("optimizer", "training", "Optimiser with its settings.", width=18),
    Column("schedule", "training", "Course of the learning rate.", width=18),
    Column("epochs", "training", "Epochs run, by stage.", width=9),
    Column("best_epoch", "training", "Epoch whose weights were kept, counted over all stages from 1.", "0", 8),
    Column("selected_on", "training", "What chose that epoch.", width=14),
    Column("size_bytes", "cost", "Size of the model file, in bytes.", _COUNT, 12),
    Column("macs", "cost", "Multiply-accumulate operations for one face.", _COUNT, 14),
    Column("latency_p50_ms", "cost", "Median time for one face, in ms.", _MS, 9),
    Column("latency_p90_ms", "cost", "90 of 100 faces take no longer, in ms.", _MS, 9),
    Column("latency_p99_ms", "cost", "99 of 100 faces take no longer, in ms.", _MS, 9),
    Column("threads", "cost", "Threads used in timing.", "0", 8),
    Column("git_commit", "origin", "Commit of the course folder.", width=14),
    Column("git_dirty", "origin", "Whether tracked files differed from that commit.", width=8),
    Column("python", "origin", "Version of Python.", width=9),
    Column("keras", "origin", "Version of Keras.", width=9),
    Column("backend", "origin", "Backend of Keras.", width=11),
    Column("tensorflow", "origin", "Version of TensorFlow.", width=11),
    Column("jax", "origin", "Version of JAX.", width=9),
    Column("numpy", "origin", "Version of NumPy.", width=9),
    Column("hardware", "origin", "CPU, cores, memory, GPU.", width=36),
    Column("recipe_hash", "origin", "Hash of the recipe; equal if and only if all settings are.", width=14),
    Column("recipe_json", "origin", "The recipe, whole.", width=24),
    Column("model_path", "artefacts", "The model, relative to the folder of this table.", width=30),
    Column("model_sha256", "artefacts", "sha256 of that file.", width=14),
    Column("predictions_path", "artefacts", "ids, labels and probabilities on the test part (npz).", width=30),
    Column("predictions_sha256", "artefacts", "sha256 of that file.", width=14),
    Column("validation_path", "artefacts", "The same on the validation part.", width=30),
    Column("validation_sha256", "artefacts", "sha256 of that file.", width=14),
)
NAMES = tuple(column.name for column in COLUMNS)

# The columns that say where a run took place: those of `provenance.environment`.
ENVIRONMENT = (
    "git_commit", "git_dirty", "python", "keras", "backend", "tensorflow", "jax", "numpy", "packages", "os", "hardware",
)  # fmt: skip

# The other sheets' columns and what they mean; "" where the glossary explains the name already.
SHEETS = {
    "per_class": {
        "run_id": "",
        "class": "Class name.",
        "precision": "Of the test faces given this class, the share that has it.",
        "recall": "Of the test faces that have this class, the share given it.",
        "recall_low": "Lower end of its 95 % interval.",
        "recall_high": "Upper end of its 95 % interval.",
        "f1": "Harmonic mean of precision and recall.",
        "support": "Number of test faces that have this class.",
    },
    "curves": {
        "run_id": "",
        "stage": "Stage of training, e.g. head only, then fine-tuning.",
        "epoch": "Epoch.",
        "loss": "Mean training loss of the epoch, regularisation included.",
        "accuracy": "Training accuracy of the epoch, on augmented faces.",
        "val_loss": "Validation loss after the epoch.",
        "val_accuracy": "Validation accuracy after the epoch.",
        "lr": "Learning rate at the end of the epoch.",
    },
    # What `emo_utils.bench.schema` describes, and where it comes from.
    "bench": {
        "model": "File or run that was timed.",
        "runtime": "keras, litert, onnxruntime, tensorrt or hailort.",
        "precision": "Type of the weights, of int8 also of the activations.",
        "threads": "Threads that shared the work of one face.",
        "accuracy": "On the test faces given to this very file.",
        "accuracy_n": "Number of these faces.",
        "agreement": "Share of them to which the Keras model gives the same class.",
        "p50_ms": "Half of the single faces took longer, in milliseconds.",
        "p90_ms": "One in ten took longer; the figure of MLPerf's single stream.",
        "p95_ms": "One in twenty took longer.",
        "p99_ms": "One in a hundred took longer.",
        "mean_ms": "Mean time a face.",
        "std_ms": "Standard deviation of the times.",
        "n": "Timed single faces.",
        "init_ms": "Loading the file, in a process of its own that has the runtime imported.",
        "first_ms": "The first face after that.",
        "warmup_ms": "Mean of the untimed faces before the timed ones.",
        "per_second_b1": "Faces a second, one at a time.",
        "per_second_b8": "Faces a second, eight at a time; empty where the file cannot.",
        "per_second_b32": "Faces a second, 32 at a time; empty where the file cannot.",
        "peak_mb": "Most memory that the process held, runtime included, in 10^6 bytes.",
        "bytes": "Size of the file.",
        "parameters": "Numbers that the model holds.",
        "macs": "Multiply-accumulate operations a face.",
        "gmacs_per_s": "macs over p50: what was achieved, in 10^9 a second.",
        "peak_share": "Of that what a float32 product of matrices reached, measured beside it.",
        "power_mw": "Mean power while it ran, in milliwatts; of which rail says power_rail.",
        "idle_mw": "The same at rest.",
        "power_rail": "What was metered: never compare two kinds.",
        "energy_gross_mj": "Energy a face, in millijoules.",
        "energy_net_mj": "The same, less what it would have taken at rest.",
        "device": "Machine that was timed.",
        "power_mode": "Its mode, by name.",
        "software": "Versions of the runtimes.",
        "system": "Its operating system.",
        "python": "Its Python.",
        "measured": "When, in UTC.",
        "made_by": "Program that timed.",
        "recipe_hash": "Of the recipe that trained the model.",
        "file_path": "Bench file with all single times.",
        "file_sha256": "Of that file.",
        "time": "When the row was added, in UTC.",
    },
    "env": {
        "runs": "Number of runs in this environment.",
        "first_run": "The first of them.",
        "last_run": "The last of them.",
        **dict.fromkeys(ENVIRONMENT, ""),
    },
    "glossary": dict.fromkeys(("sheet", "column", "group", "meaning"), ""),
}
