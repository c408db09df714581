"""Build the committed notebooks from their sources."""

from __future__ import annotations

import os
from pathlib import Path

from emo_utils.course.execute import execute, in_parallel, prepare_out
from emo_utils.course.outputs import find_problems
from emo_utils.course.sources import FORMS, find_sources, make_notebook, notebook_path
from emo_utils.paths import course_root


def build_course(names: list[str] | None = None, *, run: bool = True, jobs: int = 2, root: Path | None = None) -> int:
    """Write notebooks/NN_topic.ipynb and notebooks/solutions/NN_topic.ipynb for each source.

    A notebook whose outputs must not be committed (an error, a warning, a path of this machine, a wrong answer) is
    not written; its problems are printed, and the one that was there stays.

    Args:
        names: lessons as for `find_sources`; None for all.
        run: False leaves the outputs empty, which is quick but must not be committed.
        jobs: notebooks run at a time.
        root: the course folder; None to look for it.

    Returns:
        0, or 1 where a notebook was not written.

    Raises:
        CourseError: a source that is not in the course's format, or a name that fits none.
    """
    root = root or course_root()
    sources = find_sources(names, root)
    # The two forms of a lesson train the same recipes at the same time, which one folder of runs would refuse.
    outs = {form: prepare_out(root / "build" / "lessons" / form) for form in FORMS}
    tasks = [(source, form, make_notebook(source, form), root, outs[form], run) for source in sources for form in FORMS]
    results = in_parallel(_build, tasks, jobs)
    return int(not all(results))


def _build(source: Path, form: str, notebook, root: Path, out: Path, run: bool) -> bool:
    path = notebook_path(source, form)
    label = path.relative_to(root).as_posix()
    path.parent.mkdir(parents=True, exist_ok=True)
    problems, seconds = [], 0.0
    if run:
        seconds, failure = execute(notebook, path.parent, out)
        problems = [failure] if failure else find_problems(notebook, root, form)
    if problems:
        print("\n".join([f"{label}: not written", *(f"  {problem}" for problem in problems)]), flush=True)
        return False
    write_notebook(notebook, path)
    print(f"{label}: written after {seconds:.0f} s", flush=True)
    return True


def write_notebook(notebook, path: Path) -> None:
    """Write a notebook in one go, so that an interrupted build leaves the old one whole."""
    import nbformat

    draft = path.with_name(f".{path.name}.part")
    nbformat.write(notebook, draft)
    os.replace(draft, path)
