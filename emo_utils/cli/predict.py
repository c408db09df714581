"""`predict`: which emotion the faces in pictures, films or before a camera show."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emo_utils.cli.common import fail

if TYPE_CHECKING:
    from emo_utils.prediction import Answer, Classifier

_EPILOG = """examples:
  python -m emo_utils predict data/samples/astronaut.jpg --show-all
  python -m emo_utils predict data/samples --model embedded-small-cnn --csv build/answers.csv
  python -m emo_utils predict photo.jpg film.mp4 --all-faces --json
  python -m emo_utils predict --camera
"""

_MODEL_SUFFIXES = {".keras", ".tflite", ".onnx", ".h5"}
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of characters, separators of lines


def add_predict(commands) -> None:
    from argparse import RawDescriptionHelpFormatter

    predict = commands.add_parser(
        "predict",
        help="say which emotion the faces in photographs, videos or before a camera show",
        description="Find the largest face of each picture and say which emotion it shows, with a calibrated\n"
        "confidence, or 'not sure'. What cannot be answered gives a line on stderr; the rest is still done, and\n"
        "the exit code is 1.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    predict.add_argument("pictures", nargs="*", metavar="IMAGE", help="a picture, a folder of pictures or a video")
    predict.add_argument(
        "--model", metavar="M", help="a .tflite or .keras file, or the name of one in model/; default: for photographs"
    )
    predict.add_argument(
        "--all-faces",
        action="store_true",
        help="answer every face, not only the largest; looks for faces down to 1/32 of the longer side, otherwise 1/16",
    )
    predict.add_argument("--show-all", action="store_true", help="print every class with its bar")
    predict.add_argument("--json", action="store_true", help="print one JSON object a face, and nothing else")
    predict.add_argument("--csv", metavar="FILE", help="write a table, a row a face")
    predict.add_argument(
        "--explain", metavar="DIR", help="write a picture a face of where the model looked (loads Keras)"
    )
    predict.add_argument(
        "--camera", type=int, nargs="?", const=0, metavar="N", help="answer camera N (default: 0) until Ctrl-C"
    )
    predict.set_defaults(call=_predict)


def _predict(args) -> int:
    from emo_utils.atomic import check_replaceable
    from emo_utils.prediction.classifier import keras_twin, open_classifier
    from emo_utils.prediction.pictures import list_pictures

    if "" in (*args.pictures, args.model, args.csv, args.explain):
        return fail("an empty name; a variable of the shell that is not set?")
    if (args.camera is None) == (not args.pictures):
        return fail("name a picture, a folder or a video: python -m emo_utils predict IMAGE..., or a camera: --camera")
    if args.camera is not None and args.camera < 0:
        return fail("cameras are counted from 0: --camera 0")
    args.csv, args.explain = (Path(name) if name else None for name in (args.csv, args.explain))
    listed = list_pictures(args.pictures)
    if args.explain and args.explain.exists() and not args.explain.is_dir():
        return fail(f"{args.explain} is a file; --explain wants a folder")
    if args.csv and (reason := _no_table(args.csv, args.explain, [path for _, path in listed])):
        return fail(f"--csv {args.csv}: {reason}")
    classifier = open_classifier(args.model)
    # What cannot be written is said now, not after the last answer.
    if args.explain:
        keras_twin(classifier)
        args.explain.mkdir(parents=True, exist_ok=True)
        check_replaceable(args.explain)
    if args.csv:
        args.csv.parent.mkdir(parents=True, exist_ok=True)
        check_replaceable(args.csv)
    args.name_width = max((len(_printable(name)) for name, _ in listed), default=0)
    answers: list[Answer] = []
    try:
        for answer in _answers(args, classifier):
            answers.append(answer)
            _show(answer, answers[-2] if len(answers) > 1 else None, args, classifier)
    except KeyboardInterrupt:
        if args.camera is None:
            raise
    finally:  # whatever ended it, the answers that were given are not lost
        if args.csv and answers:
            _write_csv(answers, args.csv, classifier)
    bad = any(answer.problem and answer.frame is None for answer in answers)
    for film in {answer.picture: None for answer in answers if answer.frame is not None}:
        if all(answer.problem for answer in answers if answer.picture == film):
            bad = True
            _complain(film, "no face in any of the frames that were answered")
    return 1 if bad else 0


def _no_table(path: Path, explain: Path | None, pictures: list[Path]) -> str | None:
    """Return why the table must not be written to `path`, None where it may: it would replace what is no table."""
    from emo_utils.datasets.folder import IMAGE_SUFFIXES
    from emo_utils.prediction.film import FILM_SUFFIXES

    if path.is_dir():
        return "is a folder; --csv wants a file"
    target = Path(os.path.realpath(path))
    if explain and target == Path(os.path.realpath(explain)):
        return "is the folder of --explain; --csv wants a file"
    if any(os.path.realpath(picture) == str(target) for picture in pictures):
        return "is one of the pictures, which the table would replace"
    other = (IMAGE_SUFFIXES - {""}) | FILM_SUFFIXES | _MODEL_SUFFIXES
    if other & {path.suffix.lower(), target.suffix.lower()}:
        return "is named like a picture, a film or a model; call the table answers.csv"
    return None


def _answers(args, classifier: Classifier) -> Iterator[Answer]:
    """Yield the answers to all that was named, in its order."""
    from emo_utils.prediction.answers import answer_pictures
    from emo_utils.prediction.film import answer_camera, answer_film, is_film

    if args.camera is not None:
        yield from answer_camera(args.camera, classifier, all_faces=args.all_faces)
    for film, names in groupby(dict.fromkeys(args.pictures), is_film):
        if film:
            for name in names:
                yield from answer_film(name, classifier, all_faces=args.all_faces)
        else:  # together, so that a picture named by its folder as well is answered once
            yield from answer_pictures(list(names), classifier, all_faces=args.all_faces)


def _show(answer: Answer, last: Answer | None, args, classifier: Classifier) -> None:
    """Print one answer, as text or JSON; a problem on stderr; with --explain write its picture."""
    from emo_utils.prediction.lines import answer_lines, blocks_for, json_line

    film = answer.frame is not None
    if args.json:
        print(json_line(_row(answer, classifier, film=film)), flush=True)
    elif film and (last is None or last.picture != answer.picture):
        print(_printable(answer.picture))
    if answer.problem and not film:
        _complain(answer.picture, answer.problem)
    elif not args.json:
        blocks = blocks_for(sys.stdout.encoding)
        shown = replace(answer, picture=_printable(answer.picture))
        lines = answer_lines(shown, blocks, name_width=args.name_width, show_all=args.show_all)
        print("\n".join(lines), flush=True)
    if args.explain and not answer.problem:
        from emo_utils.prediction.heat import heat_of, write_heat

        [heat] = heat_of([answer], classifier)
        write_heat(answer.crop, heat, _free(args.explain, answer))


def _free(folder: Path, answer: Answer) -> Path:
    """Return a path for the picture of an answer that no other one has."""
    stem = Path(answer.picture).stem + ("" if answer.frame is None else f"-{answer.frame:06d}")
    name, others = f"{stem}-face{answer.face}", 1
    while (folder / f"{name}.png").exists():  # of a run before, or of a picture of this name in another folder
        others += 1
        name = f"{stem}-face{answer.face}-{others}"
    return folder / f"{name}.png"


def _complain(name: str, problem: str) -> None:
    print(f"error: {_printable(name)}: {problem}", file=sys.stderr, flush=True)


def _printable(name: str) -> str:
    """Return a name that takes one line of a terminal: what would break it, or is no text, as an escape."""
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _UNPRINTABLE else char for char in name
    )


def _row(answer: Answer, classifier: Classifier, *, film: bool) -> dict[str, Any]:
    """Return an answer for a file; of a name that is not UTF-8, the bytes that are not are escapes."""
    from emo_utils.prediction.lines import flat_row

    row = flat_row(answer, classifier.class_names, film=film)
    return {**row, "picture": answer.picture.encode("utf-8", "backslashreplace").decode("utf-8")}


def _write_csv(answers: list[Answer], path: Path, classifier: Classifier) -> None:
    import csv

    from emo_utils.atomic import replacing

    film = any(answer.frame is not None for answer in answers)
    rows = [_row(answer, classifier, film=film) for answer in answers]
    with replacing(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
