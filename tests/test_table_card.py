"""Model cards: every figure in them comes from the log."""

from __future__ import annotations

import numpy as np
import pytest

from emo_utils.emotions import FIVE, SEVEN
from emo_utils.errors import TableError
from emo_utils.evaluation import Evaluation, classification_metrics
from emo_utils.evaluation.row import result_columns
from emo_utils.paths import runs_dir
from emo_utils.table import add_bench, card_markdown, end_run, start_run, update_cards


@pytest.fixture
def run():
    """Log a run whose answers are known: ten faces of each class, the first of which is called fear."""
    labels = np.repeat(np.arange(7), 10)
    said = np.full((70, 7), 0.02)
    said[np.arange(70), labels] = 0.8
    said[::10, SEVEN.index("fear")] = 0.9
    said /= said.sum(axis=1, keepdims=True)
    ids = np.arange(70).astype(str)
    metrics = classification_metrics(labels, said, SEVEN)
    scaled = {k: v for k, v in metrics.items() if k.split("_")[0] in ("ece", "nll", "brier")}
    evaluation = Evaluation(ids, labels, said, SEVEN, metrics, scaled_metrics=scaled)
    known = {"recipe": "tiny", "recipe_hash": "h", "seed": 0, "data": "fer2013", "input_size": 48, "parameters": 1234}
    known |= {"n_train": 500, "n_val": 60, "classes": list(SEVEN), "test_fingerprint": "f"}
    start_run({"run_id": "r1", **known})
    start_run({"run_id": "r2", "of_run": "r1", "test_time": "mirror", **known})
    val = {"val_accuracy": 0.75, "val_accuracy_low": 0.7, "val_accuracy_high": 0.8}
    for run_id in ("r1", "r2"):
        predictions = evaluation.save(runs_dir() / run_id / "predictions.npz")
        end_run(run_id, {**result_columns(evaluation), **val, "predictions_path": predictions})
    return "r1"


def test_a_card_has_the_figures_of_its_run(run):
    card = card_markdown(run)
    assert "1,234 parameters, input 48 px. Trained on 500 faces of fer2013" in card
    assert "| accuracy on validation | 0.750 | 0.700 to 0.800 | 60 |" in card
    assert "| accuracy | 0.914 | " in card  # 64 of 70: the fear among the seven is right
    assert "| accuracy, averaged with the mirror image | 0.914 | " in card
    # Among five classes nobody can be called fear, so all fifty are right.
    assert f"| accuracy when only {', '.join(FIVE)} can be answered | 1.000 | " in card
    assert "| happy | 1.000 | 0.900 [" in card
    assert "TFLite" not in card  # nothing was timed


def test_a_card_shows_the_latest_benchmark_of_its_recipe(run):
    result = {"bench": "runtime", "runtime": "litert", "threads": 1, "device": "a machine", "agreement": 0.924}
    result |= {"precision": "int8", "bytes": 1_542_000, "p90_ms": 1.1, "accuracy": 0.66}
    for sha, hash, p50 in (("a", "h", 9.0), ("b", "h", 0.914), ("c", "another", 5.0)):
        add_bench({**result, "file_sha256": sha, "recipe_hash": hash, "p50_ms": p50})
    card = card_markdown(run)
    assert card.endswith("| int8 | 1,542 | 0.91 | 1.10 | 0.660 | 92.4% |")
    assert "9.00" not in card


def test_cards_are_updated_between_their_marks(run, tmp_path):
    (tmp_path / "plain.md").write_text("no marks")
    card = tmp_path / "card.md"
    card.write_text(f"before\n<!-- figures of {run}:start -->\nold\n<!-- figures:end -->\nafter")
    assert update_cards(tmp_path) == [card]
    assert update_cards(tmp_path) == []
    assert card.read_text().startswith(f"before\n<!-- figures of {run}:start -->\nRun `r1`")
    assert card.read_text().endswith("<!-- figures:end -->\nafter")


def test_what_is_missing_is_named(run):
    with pytest.raises(TableError, match="no finished run r9"):
        card_markdown("r9")
    (runs_dir() / run / "predictions.npz").unlink()
    with pytest.raises(TableError, match=r"answers of run r1, .*predictions\.npz, are not there"):
        card_markdown(run)
