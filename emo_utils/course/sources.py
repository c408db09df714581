"""From a lesson's source (jupytext percent format) to its two notebooks, and whether the two are still in step.

docs/lesson_format.md describes the format. The exercise form has the cells tagged `exercise` and lacks those tagged
`solution`; the solution form is the other way round. Cells are marked, never rewritten, so a source runs as it reads.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

from emo_utils.errors import EmoUtilsError
from emo_utils.paths import course_root

FORMS = ("exercise", "solution")
BLANK = "# Write your code here."
_MINUTES = re.compile(r"Teaching: (\d+) min, exercises: (\d+) min")
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


class CourseError(EmoUtilsError):
    """A lesson that cannot be built; the message names the file, the cell and the remedy."""


def find_sources(names: list[str] | None = None, root: Path | None = None) -> list[Path]:
    """Return the lessons' sources in order.

    Args:
        names: lessons as "03", "03_splits" or a path to either form of it; None for all.
        root: the course folder; None to look for it.

    Raises:
        CourseError: a name that fits no lesson.
    """
    sources = sorted(((root or course_root()) / "notebooks" / "source").glob("[0-9][0-9]_*.py"))
    if not names:
        return sources
    chosen = []
    for name in names:
        stem = Path(name).stem
        fitting = [path for path in sources if path.stem == stem or path.stem.startswith(f"{stem}_")]
        if not fitting:
            raise CourseError(
                f"No lesson {name!r}. There are: {', '.join(path.stem for path in sources) or 'none yet'}."
            )
        chosen += fitting
    return sorted(set(chosen))


def notebook_path(source: Path, form: str) -> Path:
    """Return where a lesson's notebook of one form lies: notebooks/ or notebooks/solutions/."""
    folder = source.parents[1] / "solutions" if form == "solution" else source.parents[1]
    return folder / f"{source.stem}.ipynb"


def make_notebook(source: Path, form: str):
    """Return a lesson's notebook of one form, without outputs.

    Args:
        source: a percent-format script in notebooks/source.
        form: "exercise" or "solution".

    Returns:
        nbformat.NotebookNode (4.5) that is the same on every machine: fixed metadata, cell ids from their content.

    Raises:
        CourseError: the source is not in the course's format.
    """
    import jupytext

    lesson = jupytext.read(source, fmt="py:percent")
    lesson_info(lesson, source.name)
    cells = _choose(lesson.cells, form)
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        if "setup" in tags:
            cell.source = _setup_code(source)
            cell.metadata["jupyter"] = {"source_hidden": True}
        elif cell.cell_type == "markdown" and form == "solution":
            cell.source = cell.source.replace("](../", "](../../")  # solutions lie one folder deeper
    if not any("setup" in cell.metadata.get("tags", []) for cell in cells):
        raise CourseError(
            f"{source.name} has no cell tagged 'setup'; put the line  # %% tags=[\"setup\"]  below the opening."
        )
    badge = _badge(source, form)
    if badge:
        cells[0].source += f"\n\n{badge}"
    lesson.cells = cells
    _set_ids(lesson.cells, f"{form}/{source.stem}")
    lesson.metadata.clear()
    lesson.metadata.update(_METADATA)
    lesson.nbformat, lesson.nbformat_minor = 4, 5
    return lesson


def lesson_info(lesson, name: str) -> tuple[str, int, int]:
    """Return a lesson's title and its minutes of teaching and of exercises, read from its first cell.

    Raises:
        CourseError: the first cell does not state them.
    """
    opening = lesson.cells[0].source if lesson.cells else ""
    title, minutes = re.match(r"# (.+)", opening), _MINUTES.search(opening)
    if not title or not minutes:
        raise CourseError(
            f"{name}: the first cell must open with '# Title' and contain 'Teaching: 30 min, exercises: 15 min'."
        )
    return title[1].strip(), int(minutes[1]), int(minutes[2])


def check_in_step(root: Path | None = None) -> list[str]:
    """Return a line for every notebook that its source would not generate today; an empty list is good news.

    A line names the file, what is odd and the command that mends it. Outputs are not compared.
    """
    import nbformat

    problems, expected = [], set()
    for source in find_sources(root=root):
        for form in FORMS:
            path = notebook_path(source, form)
            expected.add(path)
            mend = f"mend it with: python -m emo_utils course build {source.stem[:2]}"
            label = path.relative_to(source.parents[2]).as_posix()
            if not path.exists():
                problems.append(f"{label} is missing; {mend}")
                continue
            kept = nbformat.read(path, as_version=4)
            if _outline(kept) != _outline(make_notebook(source, form)):
                problems.append(f"{label} differs from {source.name}; {mend}")
            elif any(c.cell_type == "code" and c.source and c.execution_count is None for c in kept.cells):
                problems.append(f"{label} was not executed; {mend}")
    notebooks = (root or course_root()) / "notebooks"
    for path in sorted({*notebooks.glob("*.ipynb"), *(notebooks / "solutions").glob("*.ipynb")} - expected):
        problems.append(f"{path.relative_to(notebooks.parent).as_posix()} has no source; remove it or write its source")
    return problems


def _choose(cells: list, form: str) -> list:
    """Keep the cells of one form; a solution that no skeleton precedes leaves a blank cell to write in."""
    chosen, skeleton = [], False
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        if form == "exercise" and "solution" in tags:
            if not skeleton:
                cell.source, cell.metadata["tags"] = BLANK, ["exercise"]
                chosen.append(cell)
        elif form == "exercise" or "exercise" not in tags:
            chosen.append(cell)
        skeleton = "exercise" in tags
    return chosen


def _outline(notebook) -> list[tuple]:
    return [(c.id, c.cell_type, c.source, tuple(c.metadata.get("tags", []))) for c in notebook.cells]


def _set_ids(cells: list, name: str) -> None:
    """Name each cell after its content, so that a change in one cell leaves the other ids alone."""
    seen = {}
    for cell in cells:
        content = f"{name}\n{cell.cell_type}\n{cell.source}"
        seen[content] = seen.get(content, 0) + 1
        cell.id = hashlib.sha256(f"{content}\n{seen[content]}".encode()).hexdigest()[:12]


def _repository(source: Path) -> str:
    """Return the public repository's address from pyproject.toml, or "" while there is none."""
    settings = tomllib.loads((source.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    return settings.get("tool", {}).get("emo-course", {}).get("repository", "").rstrip("/")


def _setup_code(source: Path) -> str:
    code = (source.parent / "_setup.py").read_text(encoding="utf-8").split('"""\n', 1)[1].strip()
    return code.replace('REPOSITORY = ""', f"REPOSITORY = {_repository(source)!r}".replace("'", '"'))


def _badge(source: Path, form: str) -> str:
    repository = _repository(source)
    if not repository.startswith("https://github.com/"):
        return ""
    page = f"{repository.removeprefix('https://github.com/')}/blob/main"
    path = notebook_path(source, form).relative_to(source.parents[2]).as_posix()
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open in Colab]({image})](https://colab.research.google.com/github/{page}/{path})"
