"""Workers: starting them, asking them, and ending them whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import emo_utils
from emo_utils.errors import EmoUtilsError

_THREADS = (
    "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip


class Worker:
    """A running `emo_utils.bench.worker`.

    Attributes:
        title: names it in messages.
    """

    def __init__(self, title: str, process: subprocess.Popen, log: Path):
        self.title, self._process, self._log = title, process, log

    def receive(self) -> dict:
        """Wait for the worker's answer and return it.

        Raises:
            EmoUtilsError: it has failed or died.
        """
        line = self._process.stdout.readline()
        answer = json.loads(line) if line.endswith("\n") else {"error": self._last_words()}
        if "error" in answer:
            raise EmoUtilsError(f"{self.title} cannot be timed: {answer['error']}")
        return answer

    def ask(self, order: str) -> dict:
        """Send a line and return the answer; errors as of `receive`."""
        with suppress(BrokenPipeError):  # it is dead; `receive` says of what
            self._process.stdin.write(f"{order}\n")
            self._process.stdin.flush()
        return self.receive()

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        with suppress(BrokenPipeError):  # an order that was never read
            self._process.stdin.close()

    def _last_words(self) -> str:
        code = self._process.wait()
        if code < 0:
            hint = ", perhaps for want of memory: time fewer models at once" if code == -signal.SIGKILL else ""
            return f"its process was ended by {signal.Signals(-code).name}{hint}."
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"its process ended with code {code}{': ' + lines[-1][:200] if lines else ''}."


@contextmanager
def started(title: str, job: dict, folder: Path) -> Iterator[Worker]:
    """Start a worker for the time of the block.

    Args:
        title: names it in messages.
        job: see `emo_utils.bench.worker`.
        folder: of its own, for what it prints.
    """
    threads = str(job["threads"])
    package = str(Path(emo_utils.__file__).resolve().parents[1])
    environment = {
        **os.environ,
        **dict.fromkeys(_THREADS, threads),
        "TF_NUM_INTEROP_THREADS": "1",  # these would come on top
        "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH")))),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "1",  # as TensorFlow comes; the course turns it off, for runs that can be repeated
    }
    log = folder / "stderr.txt"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "emo_utils.bench.worker", json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            encoding="utf-8",
        )
    worker = Worker(title, process, log)
    try:
        yield worker
    finally:
        worker.end()
