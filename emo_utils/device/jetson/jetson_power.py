"""What a board is and draws: its name, software and power mode, and tegrastats beside a run. For Python 3.6."""

import contextlib
import os
import platform
import re
import subprocess

from jetson_logs import mean_power, parse_l4t, parse_nvpmodel, read_tegrastats

INTERVAL_MS = 100

MODEL_FILE = "/proc/device-tree/model"
RELEASE_FILE = "/etc/nv_tegra_release"
_MAX_LOG_BYTES = 50000000


def board_name():
    """Return what the board calls itself, e.g. "NVIDIA Jetson Nano Developer Kit"; off a board, the architecture."""
    return _read(MODEL_FILE).strip("\0\n ") or f"not a Jetson ({platform.machine()})"


def system_name():
    """Return the L4T version, e.g. "L4T 32.7.1"; off a board, the system's name and release."""
    l4t = parse_l4t(_read(RELEASE_FILE))
    return "L4T " + l4t if l4t else f"{platform.system()} {platform.release()}"


def has_int8(board):
    """Return whether TensorRT computes in int8 on this board: not on the GPUs of Nano, TX1 and TX2."""
    return not re.search(r"Jetson Nano|Jetson TX[12]", board)


def power_mode():
    """Return the name of the power mode, or None. Asking needs no root; setting would, and is left to the user."""
    try:
        answer = subprocess.check_output(["nvpmodel", "-q"], stderr=subprocess.STDOUT)
    except (OSError, subprocess.CalledProcessError):
        return None
    return parse_nvpmodel(answer.decode("utf-8", "replace"))


def tegrastats_command(log):
    return ["tegrastats", "--interval", str(INTERVAL_MS), "--logfile", log]


@contextlib.contextmanager
def tegrastats(command):
    """Run a `tegrastats_command` while the block runs; nothing where there is no tegrastats."""
    log = command[-1]
    if os.path.exists(log):
        os.remove(log)  # tegrastats would write on after what an earlier run left
    try:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def power_of_log(log, share=1.0):
    """Return (rail, mean mW, words) of the last `share` of the lines of a tegrastats log.

    The end of the log is the part that counts: before it, trtexec loads libraries and the engine. It is a share of the
    lines, not so many lines a second, since tegrastats on a busy board writes fewer than it was asked for. Rail and mW
    are None where the log has no power in it; words says that, that the last line was cut, or how warm the GPU got.
    """
    name = os.path.basename(log)
    if not os.path.isfile(log):
        return None, None, "no tegrastats on this machine: power and energy stay empty"
    if os.path.getsize(log) > _MAX_LOG_BYTES:
        return None, None, f"{name}: too large for a log of this run: power and energy stay empty"
    readings, cut = read_tegrastats(_read(log))
    counting = readings[-max(1, round(min(share, 1.0) * len(readings))) :]
    rail, milliwatts = mean_power(counting)
    if rail is None:
        return None, None, f"{name}: no line with power in it: power and energy stay empty"
    if cut:
        return rail, milliwatts, f"{name}: its last line is cut and was left out"
    heat = [r["gpu_celsius"] for r in counting if r["gpu_celsius"] is not None]
    return rail, milliwatts, f"{name}: GPU at {heat[0]:.0f} to {heat[-1]:.0f} degrees C" if heat else None


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
