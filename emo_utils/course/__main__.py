"""python -m emo_utils.course {build,run,check}, which `python -m emo_utils course` hands on to."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emo_utils.errors import EmoUtilsError


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Give a parser the course's commands; each sets `call`, a function of the parsed arguments that returns a code."""
    commands = parser.add_subparsers(required=True, metavar="{build,run,check}")
    build = commands.add_parser("build", help="write notebooks/ and notebooks/solutions/ from notebooks/source/")
    build.add_argument("names", nargs="*", metavar="LESSON", help="such as 03 or 03_splits; all where none is given")
    build.add_argument("--no-execute", action="store_true", help="leave outputs empty: for a quick look, not to commit")
    build.add_argument("--jobs", type=int, default=2, help="notebooks at a time (default 2)")
    build.set_defaults(call=_build)
    run = commands.add_parser("run", help="run the lessons into build/ and write pages and the table")
    run.add_argument("names", nargs="*", metavar="LESSON")
    run.add_argument("--out", type=Path, help="folder to write to (default build/ in the course folder)")
    run.add_argument("--jobs", type=int, default=2, help="notebooks at a time (default 2)")
    run.set_defaults(call=_run)
    check = commands.add_parser("check", help="name the notebooks that their sources would not generate")
    check.set_defaults(call=_check)


def _build(arguments: argparse.Namespace) -> int:
    from emo_utils.course.build import build_course

    return build_course(arguments.names, run=not arguments.no_execute, jobs=arguments.jobs)


def _run(arguments: argparse.Namespace) -> int:
    from emo_utils.course.run import run_course

    return run_course(arguments.out, arguments.names, jobs=arguments.jobs)


def _check(arguments: argparse.Namespace) -> int:
    from emo_utils.course.sources import check_in_step

    problems = check_in_step()
    print("\n".join(problems) or "notebooks and sources are in step")
    return int(bool(problems))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m emo_utils.course", description="Build, run and check the lessons.")
    add_commands(parser)
    arguments = parser.parse_args()
    try:
        return arguments.call(arguments)
    except EmoUtilsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
