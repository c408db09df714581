#!/usr/bin/env python3
"""Measure the model of this bundle on a Jetson with TensorRT, and write one JSON file.

    python3 bench_jetson.py --dry-run     show every step, run none
    python3 bench_jetson.py               float32, float16 and, where the board has it, int8

Needs Python 3.6, numpy and trtexec, all of which JetPack brings. Each precision gets an engine built on this board; the
saved engine is then timed in a process of its own with tegrastats beside it, and its answers are compared with those of
the Keras model. Nothing here calls sudo.
"""

import argparse
import collections
import os
import shlex
import sys
import time

import numpy as np
from jetson_bundle import BundleError, check_file, network_input, read_info, read_samples
from jetson_logs import parse_output, parse_times, parse_trtexec
from jetson_power import board_name, has_int8, power_mode, power_of_log, system_name, tegrastats, tegrastats_command
from jetson_report import check_out, energy_figures, latency_figures, make_result, summary, write_bench
from jetson_trtexec import (
    USUAL_TRTEXEC,
    WARM_UP_MS,
    StepError,
    answer_command,
    build_command,
    find_trtexec,
    run,
    tensorrt_version,
    time_command,
)

IDLE_SECONDS = 5
_MAX_JSON_BYTES = 500000000

# trtexec   its path            version   of TensorRT, three numbers
# folder    of the bundle       work      folder for engines, logs and times
# info      export_info.json    samples   from read_samples
# seconds   of each timing      checks    how many answers are compared
Setup = collections.namedtuple("Setup", "trtexec version folder work info samples seconds checks")


def onnx_name(info, precision):
    return info["name"] + ("_int8_qdq.onnx" if precision == "int8" else ".onnx")


def stem(info, precision):
    """Return how the names of engine, times and logs of a precision begin."""
    return f"{info['name']}_{precision}"


def precisions(info, board):
    """Return the precisions to measure: int8 only where the board has it and the bundle has its file."""
    int8 = has_int8(board) and onnx_name(info, "int8") in info["files"]
    return ["float32", "float16"] + (["int8"] if int8 else [])


def commands(setup, precision):
    """Return what is run for one precision, as {step: command}; a dry run prints just these."""
    name = stem(setup.info, precision)
    engine, times = name + ".engine", name + "_times.json"
    onnx = os.path.join(os.path.abspath(setup.folder), onnx_name(setup.info, precision))
    return {
        "build": build_command(setup.trtexec, setup.version, precision, onnx, engine),
        "idle": tegrastats_command(os.path.join(setup.work, name + "_idle.txt")),
        "load": tegrastats_command(os.path.join(setup.work, name + "_tegrastats.txt")),
        "time": time_command(setup.trtexec, engine, times, setup.seconds),
        "answer": answer_command(setup.trtexec, engine, setup.info["input"]["name"], "face.bin", "answer.json"),
    }


def measure(setup, precision):
    """Build, time and check the engine of one precision; return its result of the bench file."""
    info, name = setup.info, stem(setup.info, precision)
    steps = commands(setup, precision)
    check_file(setup.folder, info, onnx_name(info, precision))
    say(f"{precision}: building the engine (minutes on a Nano)")
    run(steps["build"], setup.work, name + "_build.log", "building the engine")
    figures = time_engine(setup, precision, steps)
    figures.update(check_answers(setup, steps["answer"]))
    figures.update(
        model=info["name"],
        recipe_hash=info.get("recipe_hash"),
        runtime="tensorrt",
        precision=precision,
        bytes=os.path.getsize(os.path.join(setup.work, name + ".engine")),
        parameters=info.get("parameters"),
        macs=info.get("macs"),
    )
    if info.get("macs"):
        figures["gmacs_per_s"] = info["macs"] / figures["p50_ms"] / 1e6
    return make_result(figures)


def time_engine(setup, precision, steps):
    """Time a saved engine with tegrastats beside it; return figures of latency, throughput, memory and energy."""
    times = os.path.join(setup.work, stem(setup.info, precision) + "_times.json")
    forget(times)
    say(f"{precision}: idle for {IDLE_SECONDS} s, then timing for {setup.seconds} s")
    with tegrastats(steps["idle"]):
        time.sleep(IDLE_SECONDS)
    began = time.monotonic()
    with tegrastats(steps["load"]):
        output, peak_mb = run(steps["time"], setup.work, stem(setup.info, precision) + "_time.log", "timing")
        elapsed = time.monotonic() - began
    said = parse_trtexec(output)
    if not said["per_second"] or not said["seconds"]:
        raise StepError("timing: trtexec printed no throughput.")
    try:
        timed, warm_up = parse_times(read(times), WARM_UP_MS)
    except ValueError as error:
        raise StepError(f"{times}: {error}. Run this again.") from None
    mean = float(np.mean(timed))
    if said["mean_ms"] and abs(mean / said["mean_ms"] - 1) > 0.02:  # did both leave out the same warm-up?
        say(f"{precision}: the mean of {os.path.basename(times)} is {mean:.4g} ms, trtexec's own {said['mean_ms']} ms")

    _, idle_mw, idle_words = power_of_log(steps["idle"][-1])
    rail, power_mw, load_words = power_of_log(steps["load"][-1], said["seconds"] / elapsed)
    for words in sorted({idle_words, load_words} - {None}):
        say(f"{precision}: {words}")
    figures = latency_figures(timed, warm_up)
    figures.update(energy_figures(power_mw, idle_mw, said["per_second"]))
    figures.update(per_second_b1=said["per_second"], peak_mb=peak_mb, power_rail=rail)
    if said["load_seconds"] is not None:
        figures["init_ms"] = 1000 * said["load_seconds"]
    return figures


def check_answers(setup, command):
    """Run samples through the engine, each in a run of its own; return agreement with the Keras model and accuracy."""
    samples, info = setup.samples, setup.info
    rows = np.unique(np.linspace(0, len(samples.images) - 1, setup.checks).astype(int))
    face, answer = os.path.join(setup.work, "face.bin"), os.path.join(setup.work, "answer.json")
    answers = []
    for i in rows:
        forget(answer)
        network_input(samples.images[i], info["input"]["shape"]).tofile(face)
        run(command, setup.work, "answer.log", "checking answers")
        try:
            answers.append(parse_output(read(answer), len(info["class_names"])))
        except ValueError as error:
            raise StepError(f"{answer}: {error}.") from None
    predicted = np.argmax(answers, axis=1)
    return {
        "agreement": float(np.mean(predicted == np.argmax(samples.probabilities[rows], axis=1))),
        "accuracy": float(np.mean(predicted == samples.labels[rows])),
        "accuracy_n": len(rows),
    }


def show_steps(setup):
    """Print what a run would do, command by command."""
    board = board_name()
    say(f"board: {board}; {system_name()}; power mode {power_mode() or 'unknown'}")
    say(f"precisions: {', '.join(precisions(setup.info, board))}")
    say(f"trtexec runs in the folder {setup.work}")
    titles = {
        "build": "build the engine",
        "idle": f"power while idle, for {IDLE_SECONDS} s",
        "load": "power under load, beside the next step",
        "time": f"time the saved engine, for {setup.seconds} s",
        "answer": f"compare its answer with the Keras model's, for {setup.checks} faces",
    }
    for precision in precisions(setup.info, board):
        for step, command in commands(setup, precision).items():
            say(f"\n{precision}: {titles[step]}\n  " + " ".join(shlex.quote(word) for word in command))


def locate(args):
    """Return trtexec and its TensorRT version; a dry run goes on without one."""
    try:
        trtexec = find_trtexec(args.trtexec)
    except StepError as error:
        if not args.dry_run or args.trtexec:
            raise
        say(f"{error}\nShown with the options of TensorRT 8.2; int8, if it is shown, is for boards that have it.\n")
        return USUAL_TRTEXEC, (8, 2, 1)
    return trtexec, tensorrt_version(trtexec)


def bench(args, folder):
    """Measure every precision that the board has; return whether all went well."""
    info = read_info(folder)
    samples = read_samples(folder, info)
    trtexec, version = locate(args)
    work = os.path.join(os.path.abspath(folder), "engines")
    setup = Setup(trtexec, version, folder, work, info, samples, args.seconds, min(args.samples, len(samples.images)))
    if args.dry_run:
        show_steps(setup)
        say(f"\nwrite {args.out}")
        return True
    check_out(args.out)
    os.makedirs(work, exist_ok=True)
    wanted, results = precisions(info, board_name()), []
    for precision in wanted:
        try:
            results.append(measure(setup, precision))
            write_bench(args.out, version, results)  # now, so that nothing later can lose it
            say(summary(results[-1]))
        except StepError as error:  # the other precisions may still work
            complain(f"{precision}: {error}")
    if results:
        say(f"wrote {args.out}: bring it home and run `python -m emo_utils bench import` on it")
    return len(results) == len(wanted)


def read_arguments(argv, folder):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trtexec", metavar="PATH", help="default: that on PATH, else " + USUAL_TRTEXEC)
    parser.add_argument("--out", metavar="FILE", help="bench file to write (default: bench.json beside this script)")
    parser.add_argument("--seconds", type=int, default=10, help="length of each timing (default: 10)")
    parser.add_argument("--samples", type=int, default=8, help="faces whose answers are checked (default: 8)")
    parser.add_argument("--dry-run", action="store_true", help="show each step and its command; build and time nothing")
    args = parser.parse_args(argv)
    if args.seconds < 1 or args.samples < 1:
        parser.error("--seconds and --samples must be at least 1")
    args.out = os.path.abspath(args.out or os.path.join(folder, "bench.json"))
    return args


def say(text):
    print(text, flush=True)


def complain(text):
    print(f"error: {text}", file=sys.stderr, flush=True)


def read(path):
    """Return a file's text, or "" where trtexec left none or too much; what parses it then says so."""
    if not os.path.isfile(path) or os.path.getsize(path) > _MAX_JSON_BYTES:
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def forget(path):
    """Remove what an earlier run may have left, which would otherwise pass for what this one found."""
    if os.path.exists(path):
        os.remove(path)


def main(argv=None, folder=None):
    """Return the exit code: 0 where every precision was measured."""
    folder = folder or os.path.dirname(os.path.abspath(__file__))
    args = read_arguments(argv, folder)
    try:
        done = bench(args, folder)
        sys.stdout.flush()
        return 0 if done else 1
    except BrokenPipeError:  # the reader, e.g. `head`, has seen enough; Python would complain again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (BundleError, StepError, OSError) as error:
        complain(error)
    except KeyboardInterrupt:
        complain(f"stopped by Ctrl-C; precisions that were finished are in {args.out}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
