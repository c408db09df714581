"""Run the whole course and leave something to look at: pages, notebooks and the experiment table."""

from __future__ import annotations

import time
from pathlib import Path

from emo_utils.course.build import write_notebook
from emo_utils.course.execute import execute, in_parallel, prepare_out
from emo_utils.course.outputs import RIGHT, find_problems
from emo_utils.course.pages import Result, write_index, write_lesson
from emo_utils.course.sources import find_sources, lesson_info, make_notebook, notebook_path
from emo_utils.paths import course_root
from emo_utils.table import render


def run_course(
    out: Path | None = None, names: list[str] | None = None, *, jobs: int = 2, root: Path | None = None
) -> int:
    """Run every lesson's solution form, in parallel, and write the results below one folder.

    The folder then holds index.html, a page and a notebook a lesson, and experiments.xlsx with the recorded runs and
    those of this run. A lesson that fails does not stop the others.

    Args:
        out: the folder to write to; None for build/ in the course folder.
        names: lessons as for `find_sources`; None for all.
        jobs: notebooks run at a time.
        root: the course folder; None to look for it.

    Returns:
        0, or 1 where a lesson failed.

    Raises:
        CourseError: a source that is not in the course's format, or a name that fits none.
    """
    root = root or course_root()
    out = prepare_out(out or root / "build")
    lessons = [(source, make_notebook(source, "solution"), root, out) for source in find_sources(names, root)]
    (out / "notebooks").mkdir(exist_ok=True)
    start = time.monotonic()
    results = in_parallel(_run, lessons, jobs)
    write_index(results, out / "index.html")
    render(out / "experiments.jsonl", out / "experiments.xlsx")
    _print_results(results, time.monotonic() - start)
    print(f"open {_short(out / 'index.html')}")
    return int(any(result.failure for result in results))


def _run(source: Path, notebook, root: Path, out: Path) -> Result:
    title, teaching, exercises = lesson_info(notebook, source.name)
    print(f"{source.stem} ...", flush=True)
    folder = notebook_path(source, "solution").parent
    folder.mkdir(exist_ok=True)
    seconds, failure = execute(notebook, folder, out)
    if not failure:
        # Warnings may come from this machine's set-up and do not fail a run here; a wrong answer does.
        wrong = [line for line in find_problems(notebook, root, "solution") if f"must print '{RIGHT}'" in line]
        failure = wrong[0] if wrong else ""
    write_notebook(notebook, out / "notebooks" / f"{source.stem}.ipynb")
    write_lesson(notebook, title, root, out / f"{source.stem}.html")
    print(f"{source.stem} {'failed' if failure else 'done'} after {seconds:.0f} s", flush=True)
    return Result(source.stem, title, teaching, exercises, seconds, failure)


def _print_results(results: list[Result], seconds: float) -> None:
    width = max([len(result.name) for result in results], default=6)
    print(f"\n{'lesson':<{width}}  {'s':>5}  status")
    for result in results:
        print(f"{result.name:<{width}}  {result.seconds:5.0f}  {result.failure or 'ok'}")
    failed = sum(bool(result.failure) for result in results)
    print(f"{len(results)} lessons, {failed} failed, {seconds:.0f} s in all")


def _short(path: Path) -> str:
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)
