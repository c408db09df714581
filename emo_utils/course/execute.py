"""Run one notebook in a fresh kernel, away from the learner's own table, settings and caches."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from emo_utils.course.outputs import first_line, tidy
from emo_utils.paths import course_root
from emo_utils.table import render

_CELL_SECONDS = 900  # generous: a whole quick lesson takes a minute


def prepare_out(out: Path) -> Path:
    """Make a folder for a run's table, starting from a copy of the recorded runs that the lessons show.

    An earlier run's log is kept as experiments.previous.jsonl.

    Returns:
        The folder, absolute. The committed table is only ever read.

    Raises:
        TableError: the folder's workbook is open in Excel.
    """
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    recorded = course_root() / "experiments.jsonl"
    if recorded.parent == out:
        return out
    log, workbook = out / recorded.name, out / "experiments.xlsx"
    if log.exists():
        os.replace(log, out / "experiments.previous.jsonl")
    if recorded.exists():
        shutil.copyfile(recorded, out / ".experiments.jsonl")
        os.replace(out / ".experiments.jsonl", log)
    if (
        workbook.exists()
    ):  # now, so that a warning about notes in it shows here and not in the lesson that renders first
        render(log, workbook)
    return out


def execute(notebook, folder: Path, out: Path) -> tuple[float, str]:
    """Run all cells of a notebook, in place; its outputs are tidied as far as it got.

    Args:
        notebook: nbformat.NotebookNode.
        folder: the kernel's working folder; a lesson's own, as in Jupyter and nbval.
        out: the folder for the table and the runs, from `prepare_out`.

    Returns:
        Seconds taken, and "" or one line with the cell and the error that ended the run.
    """
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = NotebookClient(
        notebook,
        timeout=None if _is_full() else _CELL_SECONDS,
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # or each kernel warns about its local sockets
        resources={"metadata": {"path": str(folder)}},
    )
    # nbclient plays the part of an Output widget by sending on the socket that it waits on, and now and then misses the
    # reply for that (its issue 312). Without it, what a widget shows at first lands in its cell like any output.
    client.widget_registry = {}
    metadata = dict(notebook.metadata)
    start, failure = time.monotonic(), ""
    with tempfile.TemporaryDirectory() as ipython_folder:
        try:
            # Not client.execute: in a thread that leaves its event loop open.
            asyncio.run(client.async_execute(env=_environment(out, ipython_folder)))
        except CellExecutionError as error:
            failure = f"{error.ename}: {first_line(error.evalue)}"
        except CellTimeoutError:
            failure = f"took longer than {_CELL_SECONDS} s"
        except DeadKernelError:
            failure = "the kernel died, most likely for want of memory"
        except NoSuchKernel:
            failure = "there is no Python kernel; install it with: python -m pip install ipykernel"
    if failure:
        failure = f"cell {_last_cell(notebook)}: {failure}"
    notebook.metadata.clear()
    notebook.metadata.update(metadata)  # the kernel writes its exact Python version there
    tidy(notebook)
    return time.monotonic() - start, failure


def in_parallel(function: Callable[..., Any], tasks: Iterable[tuple], jobs: int) -> list:
    """Return function(*task) for each task, in order, running some at a time; an interruption ends the process."""
    with ThreadPoolExecutor(jobs) as pool:
        try:
            return [future.result() for future in [pool.submit(function, *task) for task in tasks]]
        except KeyboardInterrupt:
            # A thread that waits for its kernel cannot be stopped, and leaving the block would wait for it. The kernels
            # end by themselves once this process is gone.
            print("interrupted", flush=True)
            os._exit(130)


def _environment(out: Path, ipython_folder: str) -> dict[str, str]:
    environment = dict(os.environ)
    environment.pop("MPLBACKEND", None)  # or figures would not land in the notebook
    environment |= {
        "EMO_OUT": str(out),
        "IPYTHONDIR": ipython_folder,  # no start-up files, no shared history
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    if not _is_full():  # a quick run must not depend on what a learner has downloaded
        environment.setdefault("EMO_DATA", str(course_root() / "build" / "data"))
    return environment


def _is_full() -> bool:
    """Whether lessons run on real data, which lies in data/ and may take as long as it likes."""
    return os.environ.get("EMO_PROFILE") == "full"


def _last_cell(notebook) -> int:
    """Return the number, from 1 and markdown included, of the last cell that was started."""
    started = [
        n for n, c in enumerate(notebook.cells, start=1) if c.cell_type == "code" and (c.execution_count or c.outputs)
    ]
    return started[-1] if started else 1
