"""trtexec: where it is, the commands that build, time and ask an engine, and a run of one. Python 3.6 alone."""

import os
import shutil
import subprocess

from jetson_logs import failure_line, parse_trtexec

USUAL_TRTEXEC = "/usr/src/tensorrt/bin/trtexec"
WARM_UP_MS = 500
WORKSPACE_MIB = 512

# On Ampere and later, TensorRT would round float32 products to TF32 unless told not to.
# An int8 network keeps the layers between its Q/DQ pairs in float16.
FLAGS = {"float32": ["--noTF32"], "float16": ["--fp16"], "int8": ["--int8", "--fp16"]}


class StepError(Exception):
    """A step of the measurement failed; the message says which and why."""


def find_trtexec(given):
    """Return the path of trtexec: the one given, else that on PATH, else JetPack's."""
    for path in [given] if given else [shutil.which("trtexec"), USUAL_TRTEXEC]:
        if path and os.access(path, os.X_OK) and os.path.isfile(path):
            return os.path.abspath(path)  # it is run in another folder
    if given:
        raise StepError(f"{given}: no such program. Leave --trtexec out to search PATH and {USUAL_TRTEXEC}.")
    raise StepError(
        f"no trtexec on PATH nor at {USUAL_TRTEXEC}. JetPack brings it (sudo apt install nvidia-jetpack); if it lies "
        "elsewhere, give --trtexec PATH."
    )


def tensorrt_version(trtexec):
    """Return TensorRT's version as three numbers; trtexec names it in its first line."""
    process = subprocess.Popen([trtexec, "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    version = parse_trtexec(process.communicate()[0].decode("utf-8", "replace"))["version"]
    if version is None:
        raise StepError(f"{trtexec}: does not say its TensorRT version. Is it trtexec?")
    return version


def build_command(trtexec, version, precision, onnx, engine):
    """Build and save an engine. One query runs after it: the option that leaves it out has had two names."""
    workspace = "--memPoolSize=workspace:{}" if version >= (8, 4, 0) else "--workspace={}"
    return (
        [trtexec, "--onnx=" + onnx, "--saveEngine=" + engine, workspace.format(WORKSPACE_MIB)]
        + FLAGS[precision]
        + ["--iterations=1", "--warmUp=0", "--duration=0"]
    )


def time_command(trtexec, engine, times, seconds):
    return [
        trtexec,
        "--loadEngine=" + engine,
        "--exportTimes=" + times,
        "--useSpinWait",  # waking up from a blocking wait would add to each latency
        f"--warmUp={WARM_UP_MS}",
        f"--duration={seconds}",
        "--iterations=200",
        "--avgRuns=100",
    ]


def answer_command(trtexec, engine, input_name, values, answer):
    return [
        trtexec,
        "--loadEngine=" + engine,
        f"--loadInputs={input_name}:{values}",
        "--exportOutput=" + answer,
        "--iterations=1",
        "--warmUp=0",
        "--duration=0",
    ]


def run(command, folder, log, what):
    """Run a command in `folder`, its output going to the file `log` there.

    Returns:
        (output, MB): what it printed, and the largest resident memory of that process.

    Raises:
        StepError: it failed, with the line that tells why.
    """
    path = os.path.join(folder, log)
    with open(path, "w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=folder)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    with open(path, encoding="utf-8", errors="replace") as file:
        output = file.read()
    if process.returncode < 0:
        raise StepError(
            f"{what}: killed by signal {-process.returncode}. Signal 9 mostly means that memory ran out: close the "
            "desktop or add swap."
        )
    if process.returncode or not parse_trtexec(output)["passed"]:
        raise StepError(f"{what}: {failure_line(output)} (all of it in {path})")
    return output, usage.ru_maxrss / 1024.0  # Linux counts in KiB
