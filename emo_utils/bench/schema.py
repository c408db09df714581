"""The bench file: one JSON form for what every runtime on every device has measured.

{"schema": "emo_utils.bench", "version": 1, "made_by": ..., "time": ISO 8601 in UTC,
 "device": {name, system, python, power_mode, software}, "results": [{every key of `RESULT`}, ...]}

Every key is there in every result, null where it was not measured. Where raw times are there, the figures must follow
from them. Bench files come from other machines, so nothing in them is trusted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from emo_utils.atomic import replacing
from emo_utils.bench.timing import summarise
from emo_utils.errors import EmoUtilsError, first_line

SCHEMA, VERSION = "emo_utils.bench", 1
MAKERS = ("bench_jetson.py", "run_hailo.py", "emo_utils bench")
RUNTIMES = ("keras", "litert", "onnxruntime", "tensorrt", "hailort")
PRECISIONS = ("float32", "float16", "dynamic", "int8", "int8x16", "int4")
PERCENTILES = ("p50_ms", "p90_ms", "p95_ms", "p99_ms")
_MAX_BYTES = 50_000_000
_MAX_RESULTS = 10_000
_MAX_TEXT = 500
_MAX_COUNT = 2**53  # beyond it a float no longer holds every whole number

Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_TEXT and value.isprintable()


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MAX_COUNT


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= _MAX_COUNT  # NaN and infinity are not


def _amount(value: Any) -> bool:
    return _number(value) and value >= 0


def _share(value: Any) -> bool:
    return _amount(value) and value <= 1


def _amounts(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(_amount, value))


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _of(*allowed: str) -> Check:
    return lambda value: isinstance(value, str) and value in allowed


_DEVICE: dict[str, Check] = {
    **dict.fromkeys(("name", "system", "python", "software"), _text),
    "power_mode": _or_null(_text),
}
RESULT: dict[str, Check] = {
    "model": _text,
    "recipe_hash": _or_null(_text),
    "runtime": _of(*RUNTIMES),
    "precision": _of(*PRECISIONS),
    "threads": _or_null(_count),
    "n": _count,
    **dict.fromkeys(("init_ms", "first_ms", "warmup_ms", *PERCENTILES, "mean_ms", "std_ms"), _or_null(_amount)),
    **dict.fromkeys(("per_second_b1", "per_second_b8", "per_second_b32", "peak_mb"), _or_null(_amount)),
    **dict.fromkeys(("bytes", "parameters", "macs"), _or_null(_count)),
    "accuracy": _or_null(_share),
    "accuracy_n": _or_null(_count),
    "agreement": _or_null(_share),
    **dict.fromkeys(("gmacs_per_s", "peak_share", "power_mw", "idle_mw"), _or_null(_amount)),
    "power_rail": _or_null(_text),
    "energy_gross_mj": _or_null(_amount),
    "energy_net_mj": _or_null(_number),  # gross less idle: noise can make it negative, where the load is light
    "latencies_ms": _or_null(_amounts),
}


def read_bench_file(path: str | Path) -> dict[str, Any]:
    """Read a bench file and check all that it says.

    Returns:
        The document as above.

    Raises:
        EmoUtilsError: no such file, a damaged one, or one of another form or version; the line says what is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise EmoUtilsError(f"{path}: no such bench file.")
    if path.stat().st_size > _MAX_BYTES:
        raise EmoUtilsError(f"{path}: more than {_MAX_BYTES // 10**6} MB. Measure fewer runs, or fewer models a file.")
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise EmoUtilsError(f"{path}: not whole JSON ({first_line(error)}). Copy it from the device again.") from None
    try:
        check_document(document)
    except EmoUtilsError as error:
        raise EmoUtilsError(f"{path}: {error}") from None
    return document


def write_bench_file(path: str | Path, document: dict[str, Any]) -> Path:
    """Check a document and write it, atomically.

    Raises:
        EmoUtilsError: it is not of the form above.
    """
    path = Path(path)
    check_document(document)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_text(json.dumps(document, allow_nan=False, ensure_ascii=False), encoding="utf-8")
    return path


def check_document(document: Any) -> None:
    """Raise EmoUtilsError, saying what is wrong, where a document is not of the form above."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise EmoUtilsError(f'not a bench file (its "schema" is not "{SCHEMA}"). {_REMEDY}')
    if document.get("version") != VERSION:
        raise EmoUtilsError(
            f"version {str(document.get('version'))[:20]!r} of the bench file, this emo_utils reads version {VERSION}. "
            "Make both sides the same emo_utils and measure again."
        )
    head = {"schema": _text, "version": _count, "made_by": _of(*MAKERS), "time": _time}
    _check(document, head | {"device": _is_dict, "results": _is_list}, "")
    _check(document["device"], _DEVICE, "device: ")
    results = document["results"]
    if not 0 < len(results) <= _MAX_RESULTS:
        raise EmoUtilsError(f"{len(results)} results, not 1 to {_MAX_RESULTS:,}. {_REMEDY}")
    for number, result in enumerate(results, start=1):
        _check_result(result, f"result {number}: ")


def _check_result(result: Any, where: str) -> None:
    _check(result, RESULT, where)
    known = [result[key] for key in PERCENTILES if result[key] is not None]
    if known != sorted(known):
        raise EmoUtilsError(f"{where}its percentiles do not rise: {', '.join(map(str, known))}. {_REMEDY}")
    if result["latencies_ms"] is None:
        return
    for key, value in asdict(summarise(np.array(result["latencies_ms"], dtype=float))).items():
        # The Hailo script rounds times to a millionth of a millisecond, after its percentiles.
        if result[key] is not None and not math.isclose(result[key], value, rel_tol=1e-6, abs_tol=1e-6):
            raise EmoUtilsError(f"{where}{key} is {result[key]}, but its latencies_ms give {value:.9g}. {_REMEDY}")


def _check(values: Any, checks: dict[str, Check], where: str) -> None:
    if not isinstance(values, dict):
        raise EmoUtilsError(f"{where}not an object with named values. {_REMEDY}")
    if values.keys() != checks.keys():
        missing, more = checks.keys() - values.keys(), values.keys() - checks.keys()
        what, key = ("has no", min(missing)) if missing else ("has an unknown", min(more))
        raise EmoUtilsError(f"{where}{what} {key[:40]!r}. {_REMEDY}")
    for key, check in checks.items():
        if not check(values[key]):
            raise EmoUtilsError(f"{where}{key} cannot be {json.dumps(values[key])[:60]}. {_REMEDY}")


def _time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).utcoffset() is not None
    except (TypeError, ValueError):
        return False


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


_REMEDY = "Measure again with a script of this emo_utils, and import its file as it is."
