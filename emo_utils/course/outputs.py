"""What may be kept of a notebook's outputs: the same bytes on every machine, and nothing a reader should not see."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

_ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}")
_WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_NOTE = "[an interactive element: run this cell to use it]"
# What exercises.check prints first; in a solution every answer must be right.
RIGHT, WRONG, OPEN = "✓", "✗", "○"


def tidy(notebook) -> None:
    """Bring outputs into their final, machine-independent form, in place.

    Progress output that overwrites itself keeps its last state. Widgets, whose state is large and random, leave a
    note, since they need a running kernel anyway.
    """
    notebook.metadata.pop("widgets", None)
    for cell in _code(notebook):
        cell.metadata.pop("execution", None)
        merged = []
        for output in cell.outputs:
            if output.output_type == "stream" and merged and merged[-1].get("name") == output.name:
                merged[-1].text += output.text
            else:
                merged.append(output)
            if _WIDGET in output.get("data", {}):
                output.data = {"text/plain": WIDGET_NOTE}
        for output in merged:
            if output.output_type == "stream":
                output.text = final_state(output.text)
        cell.outputs = merged


def final_state(text: str) -> str:
    r"""Return what a terminal would show in the end: of a line with \r only the last part.

    >>> final_state("1/3\r2/3\r3/3\ndone\n")
    '3/3\ndone\n'
    """
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        parts = [part for part in line.replace("\x08", "").split("\r") if part]
        lines.append(parts[-1] if parts else "")
    return "\n".join(lines)


def find_problems(notebook, root: Path, form: str) -> list[str]:
    """Return a line for every output that must not be committed.

    Args:
        notebook: an executed notebook.
        root: the course folder, whose path must not show.
        form: "exercise", where no answer may already be right, or "solution", where every answer must be.
    """
    private = [str(root), str(Path.home()), sys.prefix, tempfile.gettempdir()]
    problems = []
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            where = f"cell {number}"
            text = _text(output)
            if output.output_type == "error":
                problems.append(f"{where} fails: {output.ename}: {first_line(output.evalue)}")
                continue
            if output.get("name") == "stderr":
                problems.append(f"{where} writes to stderr: {first_line(text)}")
            problems += [
                f"{where} shows a path of this machine: {p}/..." for p in private if f"{p}/" in text or f"{p}\\" in text
            ]
            if _ADDRESS.search(text):
                problems.append(f"{where} shows a memory address; assign its last line to _ or end with plt.show()")
            wanted = {"solution": RIGHT, "exercise": OPEN}[form]
            for line in text.splitlines():
                if line[:2] in {f"{mark} " for mark in (RIGHT, WRONG, OPEN)} and line[0] != wanted:
                    problems.append(f"{where}, {form} form, must print '{wanted}' but prints: {line}")
    return problems


def first_line(text: str) -> str:
    """Return the first line that is not blank, of at most 200 characters; "" where there is none."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:200]


def _code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _text(output) -> str:
    """Return all text of one output; pictures are left out."""
    data = output.get("data", {})
    return output.get("text", "") + "".join(v for k, v in data.items() if k.startswith("text/") and isinstance(v, str))
