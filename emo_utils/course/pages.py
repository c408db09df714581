"""Web pages of a course run: one a lesson, and an index. They show without a network."""

from __future__ import annotations

import copy
import html
import re
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = re.compile(r'<script src="[^"]*"></script>')
_MATHJAX = re.compile(r'<script src="([^"]*mathjax[^"]*)"> *</script>', re.IGNORECASE)
_LESSON_LINK = re.compile(r'href="(\d\d_\w+)\.ipynb')
_PICTURE = re.compile(r"(!\[[^\]]*\]\()\.\./\.\./")
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem; border-bottom: 1px solid #ccc }
td.number { text-align: right } .failed { color: #a40000; font-weight: bold }
"""


@dataclass(frozen=True)
class Result:
    """How one lesson's run went. `failure` is one line with cell and error, "" where all went well."""

    name: str
    title: str
    teaching: int
    exercises: int
    seconds: float
    failure: str


def write_lesson(notebook, title: str, root: Path, path: Path) -> None:
    """Write an executed notebook as one HTML file, pictures included, the set-up cell not.

    nbconvert's page waits for two scripts from the network before it shows anything. One serves widgets, which a page
    without a kernel has none of, and is dropped; the other sets formulas, and is loaded beside the page, and only
    where there are formulas: without a network they stay in TeX.
    """
    from nbconvert import HTMLExporter

    notebook = copy.deepcopy(notebook)
    notebook.metadata = {**notebook.metadata, "title": title}
    notebook.cells = [cell for cell in notebook.cells if "setup" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            # nbconvert takes no pictures from outside the folder it is given, so let that be the course's; other
            # links are followed from build/.
            cell.source = _PICTURE.sub(r"\1", cell.source).replace("](../../", "](../")
    exporter = HTMLExporter(template_name="lab", embed_images=True)
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"path": str(root)}})
    formulas = any(cell.cell_type == "markdown" and "$" in cell.source for cell in notebook.cells)
    page = _MATHJAX.sub(r'<script async src="\1"></script>' if formulas else "", page)
    page = _LESSON_LINK.sub(r'href="\1.html', _SCRIPT.sub("", page))
    path.write_text(page, encoding="utf-8")


def write_index(results: list[Result], path: Path) -> None:
    """Write the page that links the lessons with their minutes and how each went."""
    rows = "\n".join(map(_row, results))
    total = sum(result.teaching + result.exercises for result in results)
    path.write_text(
        f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The course</title><style>{_STYLE}</style></head><body>
<h1>Facial-expression recognition: the lessons</h1>
<p>{len(results)} lessons, {total} minutes with exercises.
The runs are in <a href="experiments.xlsx">experiments.xlsx</a>.</p>
<table><tr><th>Lesson</th><th>Teaching (min)</th><th>Exercises (min)</th><th>Ran (s)</th><th>Status</th></tr>
{rows}
</table></body></html>
""",
        encoding="utf-8",
    )


def _row(result: Result) -> str:
    status = f'<td class="failed">{html.escape(result.failure)}</td>' if result.failure else "<td>ok</td>"
    numbers = "".join(f'<td class="number">{n:.0f}</td>' for n in (result.teaching, result.exercises, result.seconds))
    return f'<tr><td><a href="{result.name}.html">{html.escape(result.title)}</a></td>{numbers}{status}</tr>'
