"""What the table says of a run before it starts."""

from __future__ import annotations

import json
from typing import Any

from emo_utils.datasets import FaceDataset
from emo_utils.recipe import Recipe, Stage


def describe(recipe: Recipe, data: FaceDataset) -> dict[str, Any]:
    """Return what is known of a run before it starts, named as in the table."""
    rates = ", ".join(f"{rate:g}" for rate in recipe.head.rates)
    return {
        "recipe": recipe.name,
        "recipe_hash": recipe.hash,
        "recipe_json": json.dumps(recipe.to_dict()),
        "seed": recipe.seed,
        "data": data.name,
        "label_source": "FER+ votes" if recipe.data == "ferplus" else "original",
        "classes": list(data.class_names),
        **{f"n_{usage}": len(data.part(usage)) for usage in ("train", "val", "test")},
        "duplicates_removed": sum(reason.startswith(("copy", "copies")) for _, reason in data.removed),
        "test_fingerprint": data.part("test").fingerprint(),
        "backbone": recipe.backbone,
        "head": f"{recipe.head.pooling} {list(recipe.head.units)} dropout {rates}",
        "input_size": recipe.input_size,
        "compression": describe_compression(recipe),
        "of_run": recipe.start,
        "augmentation": json.dumps(recipe.to_dict()["augmentation"]) if recipe.augmentation else "none",
        "balancing": _balancing(recipe),
        "loss": _loss(recipe),
        "optimizer": f"{recipe.optimizer}, weight decay {recipe.weight_decay:g}, batch {recipe.batch_size}",
        "schedule": f"{recipe.schedule}, warm-up {recipe.warmup_epochs}; {', '.join(map(_stage, recipe.stages))}",
        "selected_on": "val_accuracy",
    }


def describe_compression(recipe: Recipe) -> str | None:
    """Return in words what makes a recipe's network smaller; None for nothing."""
    parts = []
    if recipe.pruning:
        shares = "/".join(f"{ratio:g}" for ratio in recipe.pruning.ratios)
        parts.append(f"pruned {shares} by {recipe.pruning.criterion}")
    if recipe.quantisation:
        bits = recipe.quantisation
        scales = "channel" if bits.per_channel else "tensor"
        parts.append(f"trained at {bits.weight_bits}-bit weights per {scales}, {bits.activation_bits}-bit activations")
    if recipe.distillation:
        how = recipe.distillation
        parts.append(f"taught by {' + '.join(how.teachers)} (T {how.temperature:g}, alpha {how.alpha:g})")
    return "; ".join(parts) or None


def _stage(stage: Stage) -> str:
    what = stage.train if isinstance(stage.train, str) else f"top {stage.train} layers"
    return f"{what} {stage.epochs}x{stage.learning_rate:g}" + (f" on {stage.views} cached views" if stage.views else "")


def _balancing(recipe: Recipe) -> str:
    beta = f", beta {recipe.effective_beta:g}" if recipe.balancing == "effective_number" else ""
    return recipe.balancing + beta


def _loss(recipe: Recipe) -> str:
    smoothing = f"label smoothing {recipe.label_smoothing:g}"
    if recipe.votes:
        smoothing += f", raters' votes {recipe.votes:g}"
    if recipe.loss == "focal":
        return f"focal, gamma {recipe.focal_gamma:g}, alpha {recipe.focal_alpha:g}, {smoothing}"
    return f"cross-entropy, {smoothing}"
